"""Some taxpayers at once, whole: their rows of the two tables in, their returns as tables out.

Both engines call `worked`, and it calls what `lotlaw file` calls: the checks of rows, `match`, and the rules read as
columns. Taxpayers whose choices ask for the same treatment are matched as one ledger (`lotlaw.batch.ledgers`). Who has
a problem is set aside, and the others are matched again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lotlaw.batch.ledgers import ALL, MARK, Rows, Said, broken, classes_of, ledger_of, rows_of
from lotlaw.batch.outcome import Done, tables_of
from lotlaw.batch.people import Choice, choices_of, mistakes, person_of
from lotlaw.batch.tables import KEY, PROBLEMS
from lotlaw.dispositions import match
from lotlaw.dispositions.matching import SPOUSE
from lotlaw.filing import refuse_unpriced
from lotlaw.law import Year
from lotlaw.lots.events import APART, cast
from lotlaw.lots.methods import EVERY
from lotlaw.run import by_rates, rates_of
from lotlaw.source import Document, Problems
from lotlaw.taxpayer import normalised

STRANGER = "has transactions, and no row in the table of taxpayers"
NOBODY = "says no taxpayer"


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
    people, choices = choices_of(taxpayers.with_columns(number).sort("t"), year)
    part = _Part(year, rows, people, choices, pl.DataFrame())
    part.set_aside(said)
    _check_people(part)
    part.set_aside(broken(rows))
    part.classes, said = classes_of(rows, year)
    part.set_aside(said)
    for group in _groups(part):
        _work(part, group)
    tables = tables_of(year, rows, people.filter(~pl.col("t").is_in(list(part.aside))), choices, part.done, names)
    return {**tables, "problems": _problems(part, names, transactions)}


def _check_people(part: _Part) -> None:
    """Set aside whose row in the table of taxpayers is wrong, or missing."""
    wrong = mistakes(part.people, part.year)
    for t, choice in part.people.select("t", "choice").iter_rows():
        words = part.choices[choice].problems or wrong.get(t)
        if words:
            part.aside[t] = [(0, word) for word in words]
    known = part.people["t"].implode()
    for t in part.rows.frame.filter(~pl.col("t").is_in(known))["t"].unique():
        part.aside[t] = [(0, STRANGER)]


# Who can be matched together


def _groups(part: _Part) -> Iterator[list[int]]:
    """The taxpayers with transactions, by what their choices ask for; those alone who cannot be put together."""
    busy = part.rows.frame["t"].unique()
    here = part.people.filter(pl.col("t").is_in(busy.implode()) & ~pl.col("t").is_in(list(part.aside)))
    groups: dict[Any, list[int]] = {}
    kinds = [_kind(part.year, choice) if not choice.problems else None for choice in part.choices]
    asked = any(kind[1] for kind in kinds if kind)
    classes = {(t, asset): name for t, asset, name in part.classes.iter_rows()} if asked else {}
    for t, choice in here.select("t", "choice").iter_rows():
        kind = kinds[choice]
        if kind is None:
            groups[t] = [t]
            continue
        key, assets = kind
        groups.setdefault((key, *(classes.get((t, asset)) for asset in assets)), []).append(t)
    yield from groups.values()


def _kind(year: Year, choice: Choice) -> tuple[Any, tuple[str, ...]] | None:
    """What must be the same for taxpayers to be matched together, and the assets that must be of one class.

    None for whoever allocates lots, or goes by rates of their own: these are matched alone.
    """
    said = choice.said
    methods = [*(order["method"] for order in said["methods"])]
    methods += [account["default_method"] for account in said["accounts"].values() if "default_method" in account]
    if said["digital_asset_safe_harbor"].get("allocation") or by_rates(year, methods):
        return None
    law = year.documents["dispositions"].value
    spouses = any(account.get("owner") == SPOUSE for account in said["accounts"].values())
    key = (
        said["digital_asset_pools_before_2025"], said["timezone"], repr(said["methods"]),
        spouses and said["filing_status"] in law["accounts"]["spouse_on"],
        repr([year.parameter(name, said["filing_status"]) for name in law["uses"]]),
    )  # fmt: skip
    assets = {order["asset"] for order in said["methods"] if order.get("asset", EVERY) != EVERY}
    return key, tuple(sorted(assets))


# Matching


def _work(part: _Part, group: Sequence[int]) -> None:
    """Match taxpayers together, without those who turn out to have a problem.

    A problem that does not say whose it is, is looked for in halves.
    """
    left = [t for t in group if t not in part.aside]
    while left:
        try:
            part.done.append(_matched(part, left))
        except Problems as found:
            said = _attributed(part, found, left)
        except Exception as error:
            if len(left) == 1 or isinstance(error, MemoryError):
                raise
            said = {}
        else:
            return
        if not said:
            middle = len(left) // 2
            _work(part, left[:middle])
            _work(part, left[middle:])
            return
        part.set_aside(said)
        left = [t for t in left if t not in said]


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


def _matched(part: _Part, group: Sequence[int]) -> Done:
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
    rates = rates_of(part.year, ledger, person) if alone else None
    return Done(ledger, match(ledger, part.year, person, rates=rates, document=Document("taxpayer", person)))


def _one_of_all(part: _Part, everybody: pl.DataFrame) -> dict[str, Any]:
    """One taxpayer who has what all of a group have, under names with owners."""
    first = part.choices[everybody["choice"][0]].said
    accounts: dict[str, Any] = {}
    identical: list[list[str]] = []
    floating: list[str] = []
    for t, choice in everybody.select("t", "choice").iter_rows():
        said = part.choices[choice].said
        accounts |= {f"{name}{APART}{t}": account for name, account in said["accounts"].items()}
        identical += [[f"{name}{APART}{t}" for name in names] for names in said["identical"]]
        floating += [f"{name}{APART}{t}" for name in said["floating_nav_funds"]]
    return normalised({**first, "accounts": accounts, "identical": identical, "floating_nav_funds": floating})


# Problems


def _problems(part: _Part, names: pl.Series, transactions: pl.DataFrame) -> pl.DataFrame:
    """Every problem, by taxpayer and row."""
    at = dict(zip(part.people["t"], zip(part.people["file"], part.people["row"], strict=True), strict=True))
    found: list[tuple[str | None, str | None, int | None, str]] = []
    for t, said in part.aside.items():
        for line, words in dict.fromkeys(said):
            file, row = part.rows.origin(line) if line else _of_person(part, at.get(t))
            found.append((names[t], file, row, part.rows.said(words)))
    nobody = transactions.filter(pl.col(KEY).is_null()).select("file", "row")
    found += [(None, part.rows.files[file], row, NOBODY) for file, row in nobody.iter_rows()]
    frame = pl.DataFrame(found, schema=dict(PROBLEMS), orient="row")
    return cast(frame, PROBLEMS).sort(KEY, "file", "row", maintain_order=True, nulls_last=True)


def _of_person(part: _Part, at: tuple[int, int] | None) -> tuple[str | None, int | None]:
    return (part.rows.files[at[0]], at[1]) if at else (None, None)
