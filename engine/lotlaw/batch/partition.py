"""Some taxpayers at once, whole: their rows of the two tables in, their returns as tables out.

Both engines call `worked`, and it calls what `lotlaw file` calls: the checks of rows, `match`, and the rules read as
columns. Taxpayers whose choices ask for the same treatment are matched as one ledger (`lotlaw.batch.ledgers`). Who has
a problem is set aside, and the others are matched again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from lotlaw.batch.ledgers import ALL, MARK, Rows, broken, classes_of, ledger_of, rows_of
from lotlaw.batch.outcome import Done, excessive, tables_of
from lotlaw.batch.people import Choice, Said, choices_of, facts_of, mistakes, person_of, typed
from lotlaw.batch.rates import by_rates_of
from lotlaw.batch.tables import KEY, PROBLEMS
from lotlaw.dispositions import Rates, match
from lotlaw.dispositions.matching import SPOUSE, Crowded
from lotlaw.filing import refuse_unpriced
from lotlaw.law import Year, spellings
from lotlaw.lots.events import APART, cast
from lotlaw.lots.methods import EVERY
from lotlaw.readings.columns import LARGEST
from lotlaw.run import by_rates, rates_of
from lotlaw.source import Document, Problems
from lotlaw.taxpayer import normalised

STRANGER = "has transactions, and no row in the table of taxpayers"
TOO_LARGE = f"sales of more than {LARGEST:,} dollars in all"
NAMED = ("floating_nav_funds", "collectibles")
NAMING = ("accounts", "identical", *NAMED)
"""Fields of taxpayer.yaml that name accounts or assets."""
NOBODY = "says no taxpayer"
FAULTS = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
    pl.exceptions.PolarsError, pl.exceptions.PanicException,
)  # fmt: skip
"""As what faults of lotlaw's own show, in matching one taxpayer: the others go on. Want of memory or disk is none."""
LARGE = 2**16
"""Transactions of one taxpayer that are a ledger of their own."""


@dataclass
class _Part:
    """One partition at work: who is set aside and why, by number."""

    year: Year
    rows: Rows
    people: pl.DataFrame
    choices: Sequence[Choice]
    classes: pl.DataFrame
    aside: Said = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)

    def set_aside(self, said: Said) -> None:
        for t, words in said.items():
            self.aside.setdefault(t, []).extend(words)


def worked(
    year: Year, transactions: pl.DataFrame, taxpayers: pl.DataFrame, files: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """The tables of `lotlaw.batch.tables.OUT` for some taxpayers.

    Both frames have `file` (into `files`) and `row`; every row of a taxpayer is in them.
    """
    names = pl.concat([taxpayers[KEY], transactions[KEY]]).drop_nulls().unique().sort()
    said_by = pl.Enum(names)
    rows, said = rows_of(transactions, said_by, files)
    number = pl.col(KEY).cast(said_by).to_physical().cast(pl.UInt32).alias("t")
    people, unlike = typed(taxpayers.filter(pl.col(KEY).is_not_null()).with_columns(number).sort("t"))
    people, choices = choices_of(people, year)
    part = _Part(year, rows, people, choices, pl.DataFrame())
    part.set_aside(said)
    part.set_aside(unlike)
    _check_people(part)
    part.set_aside(broken(rows))
    part.classes, said = classes_of(rows, year)
    part.set_aside(said)
    for group, rates in _groups(part):
        _work(part, group, rates)
    part.set_aside({t: [(0, TOO_LARGE)] for t in excessive(part.done)})
    tables = tables_of(year, rows, people.filter(~pl.col("t").is_in(list(part.aside))), choices, part.done, names)
    return {**tables, "problems": _problems(part, names, [transactions, taxpayers])}


def _check_people(part: _Part) -> None:
    """Set aside whose row in the table of taxpayers is wrong, or missing."""
    wrong = mistakes(part.people, part.year)
    refused = [n for n, choice in enumerate(part.choices) if choice.problems]
    suspects = part.people.filter(pl.col("choice").is_in(refused) | pl.col("t").is_in(list(wrong)))
    for t, choice in suspects.select("t", "choice").iter_rows():
        words = part.choices[choice].problems or wrong[t]
        part.set_aside({t: [(0, word) for word in words]} if words else {})
    known = part.people["t"].implode()
    for t in part.rows.frame.filter(~pl.col("t").is_in(known))["t"].unique():
        part.set_aside({t: [(0, STRANGER)]})


# Who can be matched together


def _groups(part: _Part) -> Iterator[tuple[list[int], Rates]]:
    """The taxpayers with transactions, by what their choices ask for; those alone who cannot be put together.

    Those whose lots are chosen by their own rates come with these.
    """
    runs = part.rows.frame["t"].rle().struct
    busy = pl.DataFrame({"t": runs.field("value"), "rows": runs.field("len")})
    here = part.people.join(busy, on="t", maintain_order="left").filter(~pl.col("t").is_in(list(part.aside)))
    kinds = [None if choice.problems else _kind(part.year, choice) for choice in part.choices]
    numbers = {key: n for n, key in enumerate(dict.fromkeys(kind for kind in kinds if kind))}
    group = pl.Series("group", [numbers[kind] if kind else -1 for kind in kinds], dtype=pl.Int64)
    here = here.select("t", group=pl.lit(group).gather("choice"), alone=pl.col("rows") >= LARGE)
    alone = (pl.col("group") < 0) | pl.col("alone")
    yield from (([t], {}) for t in here.filter(alone)["t"])
    rated = pl.col("group").is_in([numbers[kind] for kind in kinds if kind and kind.rated])
    for together in here.filter(~alone & ~rated).partition_by("group", maintain_order=True):
        yield together["t"].to_list(), {}
    yield from _by_rates(part, here.filter(~alone & rated).select("t", "group"))


def _by_rates(part: _Part, groups: pl.DataFrame) -> list[tuple[list[int], Rates]]:
    """The taxpayers of groups, by group and by their own rates."""
    if groups.is_empty():
        return []
    chosen = pl.col("t").is_in(groups["t"].implode())
    people, sold = part.people.filter(chosen), part.rows.frame.filter(chosen)["date"].dt.year().unique()
    facts = people.select("t").join(groups, on="t", maintain_order="left").hstack(facts_of(people, part.choices))
    return by_rates_of(part.year, facts, sold.to_list())


class _Kind(NamedTuple):
    """What must be the same for taxpayers to be matched together; if `rated`, their own rates too."""

    pools: str
    zone: str
    methods: str
    joint: bool | None
    parameters: str
    rated: bool


def _kind(year: Year, choice: Choice) -> _Kind | None:
    """What a choice asks for.

    None for whoever allocates lots, or orders what is for some classes of assets only for one of these by name: they
    are matched alone.
    """
    said = choice.said
    methods = [*(order["method"] for order in said["methods"])]
    methods += [account["default_method"] for account in said["accounts"].values() if "default_method" in account]
    if said["digital_asset_safe_harbor"].get("allocation"):
        return None
    law = year.documents["dispositions"].value
    only = {
        word for word, name in spellings(law["methods"]["names"]).items() if "only" in law["methods"]["names"][name]
    }
    if any(order["method"] in only and order.get("asset", EVERY) != EVERY for order in said["methods"]):
        return None
    spouses = any(account.get("owner") == SPOUSE for account in said["accounts"].values())
    return _Kind(
        said["digital_asset_pools_before_2025"], said["timezone"], repr(said["methods"]),
        said["filing_status"] in law["accounts"]["spouse_on"] if spouses else None,
        repr([year.parameter(name, said["filing_status"]) for name in law["uses"]]), by_rates(year, methods),
    )  # fmt: skip


# Matching


def _work(part: _Part, group: Sequence[int], rates: Rates) -> None:
    """Match taxpayers together, without those who turn out to have a problem.

    A problem that does not say whose it is, is looked for in halves.
    """
    left = [t for t in group if t not in part.aside]
    while left:
        try:
            part.done.append(_matched(part, left, rates))
        except Problems as found:
            said = _attributed(part, found, left)
        except Crowded as found:
            alone = sorted(map(int, found.owners))
            for t in alone:
                _work(part, [t], rates)
            left = [t for t in left if t not in alone]
            continue
        except FAULTS as error:
            said = {left[0]: [(0, _failed(error))]} if len(left) == 1 else {}
        else:
            return
        if not said:
            middle = len(left) // 2
            _work(part, left[:middle], rates)
            _work(part, left[middle:], rates)
            return
        part.set_aside(said)
        left = [t for t in left if t not in said]


def _failed(error: BaseException) -> str:
    what = str(error).strip().partition("\n")[0]
    return f"lotlaw itself failed on this taxpayer, please report it: {type(error).__name__}: {what}"


def _attributed(part: _Part, found: Problems, group: Sequence[int]) -> Said:
    """Whose the problems are: by row, or of the only one there is."""
    said: Said = {}
    for problem in found.problems:
        here = problem.place.file == MARK and problem.place.line
        if here:
            said.setdefault(part.rows.owners[here - 1], []).append((here, problem.message))
        elif len(group) == 1:
            said.setdefault(group[0], []).append((0, problem.message))
    return said


def _matched(part: _Part, group: Sequence[int], rates: Rates) -> Done:
    """What some taxpayers' transactions come to. Raises Problems."""
    alone = len(group) == 1
    chosen = pl.Series(group, dtype=pl.UInt32).implode()
    everybody = part.people.filter(pl.col("t").is_in(chosen))
    rows = part.rows.frame.with_row_index("line", 1).filter(pl.col("t").is_in(chosen))
    rows = rows.with_columns(pl.col("line").cast(pl.Int32))
    person = person_of(everybody.row(0, named=True)) if alone else _one_of_all(part, everybody)
    mine = part.classes.filter(pl.col("t").is_in(chosen))
    ledger = ledger_of(rows, mine, part.year, person["timezone"], alone=alone)
    refuse_unpriced(ledger, part.year.year, ALL)
    rates = rates or (rates_of(part.year, ledger, person) if alone else {})
    return Done(
        ledger, match(ledger, part.year, person, rates=rates, document=Document("taxpayer", person), quiet=True)
    )


def _one_of_all(part: _Part, everybody: pl.DataFrame) -> dict[str, Any]:
    """One taxpayer who has what all of a group have, under names with owners."""
    first = part.choices[everybody["choice"][0]].said
    accounts: dict[str, Any] = {}
    identical: list[list[str]] = []
    listed: dict[str, list[str]] = {name: [] for name in NAMED}
    named = [any(choice.said.get(key) for key in NAMING) for choice in part.choices]
    naming = everybody.filter(pl.lit(pl.Series(named)).gather("choice"))
    for t, choice in naming.select("t", "choice").iter_rows():
        said = part.choices[choice].said
        accounts |= {f"{name}{APART}{t}": account for name, account in said["accounts"].items()}
        identical += [[f"{name}{APART}{t}" for name in names] for names in said["identical"]]
        for key, names in listed.items():
            names += [f"{name}{APART}{t}" for name in said[key]]
    return normalised({**first, "accounts": accounts, "identical": identical, **listed})


# Problems


def _problems(part: _Part, names: pl.Series, given: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Every problem, by taxpayer and row."""
    whose = part.people.filter(pl.col("t").is_in(list(part.aside))).select("t", "file", "row")
    at = {t: (file, row) for t, file, row in whose.iter_rows()}
    found: list[tuple[str | None, str | None, int | None, str]] = []
    for t, said in part.aside.items():
        for line, words in dict.fromkeys(said):
            file, row = part.rows.origin(line) if line else _of_person(part, at.get(t))
            found.append((names[t], file, row, part.rows.said(words)))
    for table in (table for table in given if table[KEY].null_count()):
        nobody = table.filter(pl.col(KEY).is_null()).select("file", "row")
        found += [(None, part.rows.files[file], row, NOBODY) for file, row in nobody.iter_rows()]
    frame = pl.DataFrame(found, schema=dict(PROBLEMS), orient="row")
    return cast(frame, PROBLEMS).sort(KEY, "file", "row", maintain_order=True, nulls_last=True)


def _of_person(part: _Part, at: tuple[int, int] | None) -> tuple[str | None, int | None]:
    return (part.rows.files[at[0]], at[1]) if at else (None, None)
