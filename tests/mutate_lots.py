"""Changes the law of lots (dispositions.yaml) one thing at a time, and says what no worked ledger notices.

    python tests/mutate_lots.py            # a part of `make mutate`; a minute on two cores

Changed are numbers, days, words, yes and no, formulas, members of lists and their absence. What notices is `lotlaw
rules check`, else a worked ledger of law_edges.yaml, law_examples.yaml, kinds/ and ledgers/, by its rows, lots, income
and warnings, or by what is refused and in which words. A change that nothing can notice has its reason in reasons.yaml.
Exit 1 if one has none, or a reason is for something that is noticed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from simple_ledger import held, ledger_of, lines
from simple_ledger import worked as matched

from lotlaw.audit.mutation.altering import altered
from lotlaw.audit.mutation.changes import with_value
from lotlaw.audit.reasons import CHANGES, reasons
from lotlaw.formula import parse
from lotlaw.importers.canonical import table
from lotlaw.law import Year
from lotlaw.ledger import Ledger
from lotlaw.lots.methods import problems_of as method_problems
from lotlaw.lots.treatment import AMOUNTS, FILE, problems_of
from lotlaw.rules import load
from lotlaw.schema import shape_problems
from lotlaw.source import Path_, Place, Problems, read_yaml

HERE = Path(__file__).parent
NO_LAW = ("label", "cite", "examples", "warns", "else", "title", "unit", "source", "uses")
"""Keys that say no law, or what `lotlaw rules mutate` changes."""
FORMULAS = {"proceeds", "basis", "cost", "loss_basis"}
SCOPES = {
    "classes": ("asset_classes", "pool", ()), "kinds": ("kinds", "opens", ()), "closed_by": ("kinds", "closes", ()),
    "same_under_another_name": ("kinds", "changes", ("carry",)), "short_sales": ("kinds", "sells", ()),
}  # fmt: skip
"""Lists to which something may be added, the block that names what, what an entry of it has, and what it says there."""
ACCOUNTS = ("taxable", "trad_ira", "roth_ira", "ira", "hsa", "401k", "529", "utma")
UNKNOWN = ("VARIOUS", "UNKNOWN")
ABOUT = {
    "wash_sales": ["1091", "wash", " W "], "fees": ["fee_"], "income": ["income"], "transfers": ["transfer"],
    "methods": ["'methods'", "'method'", "default_method", "| lot ", "average"], "accounts": ["accounts"],
    "reported": ["reported_sale", "1099-DA"], "pools": ["crypto", "BTC"],
}  # fmt: skip
"""Words of the ledgers that are about a block of the file."""
GONE = object()
LEAST = 2018


@dataclass(frozen=True)
class Change:
    """A change of the file: where, in words, and the file as changed."""

    path: Path_
    what: str
    said: Any

    @property
    def about(self) -> str:
        return " ".join(map(str, self.path))


def changes(said: Mapping[str, Any]) -> Iterator[Change]:
    """Every change of the file."""
    words = dict[str, dict[str, None]]()
    for path, value in leaves(said):
        if isinstance(value, str):
            words.setdefault(key_of(path), {})[value] = None
    for path, value in leaves(said):
        for what, new in instead(path, value, words):
            yield Change(path, what, without(said, path) if new is GONE else with_value(said, path, new))
    for path, value in lists(said):
        for other in might_be_added(said, str(path[-2] if path[-1] == "also" else path[-1])):
            if other not in value:
                yield Change(path, f"{other} added", with_value(said, path, [*value, other]))


def might_be_added(said: Mapping[str, Any], to: str) -> list[str]:
    """What a list could name besides what it does."""
    block, has, words = SCOPES.get(to, ("", "", ()))
    fits = [
        name for name, entry in said.get(block, {}).items() if has in entry and entry[has] in (words or [entry[has]])
    ]
    statements = said["reported"]["statements"].values()
    known: dict[str, Iterable[str]] = {
        "income": table().words["income_type"], "counted": table().words["income_type"],
        "as_reported": {word: None for says in statements for word in says.values()},
        "taxed": ACCOUNTS, "spouse_on": load(LEAST).statuses, "always_long": UNKNOWN,
    }  # fmt: skip
    return [*fits, *known.get(to, ())]


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """What is no list, and mappings within a block, which may be left out as a whole."""
    if path and path[-1] in NO_LAW:
        return
    if isinstance(value, Mapping):
        if len(path) > 1:
            yield path, value
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))
    else:
        yield path, value


def lists(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, list[Any]]]:
    if isinstance(value, list):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in NO_LAW:
                yield from lists(item, (*path, key))


def key_of(path: Path_) -> str:
    """The key that a value or a member of a list stands under."""
    return next(str(step) for step in reversed(path) if isinstance(step, str))


def instead(path: Path_, value: Any, words: Mapping[str, Mapping[str, None]]) -> Iterator[tuple[str, Any]]:
    """What could stand in the place of a value, and how one says so."""
    yield "left out", GONE
    if isinstance(value, bool):
        yield "the other way round", not value
    elif isinstance(value, int | Decimal):
        yield from ((f"{value} -> {other}", other) for other in (value + 1, value - 1))
    elif isinstance(value, date):
        yield from ((f"{value} -> {other}", other) for other in (value + timedelta(1), value - timedelta(1)))
    elif key_of(path) in FORMULAS:
        known = AMOUNTS[str(path[-2])]
        near = {name: [other for other in known if other != name][:2] for name in known}
        yield from ((what, formula.text) for what, formula in altered(parse(value, Place(FILE)), near))
    elif isinstance(value, str) and isinstance(path[-1], str):
        yield from ((f"{value} -> {other}", other) for other in words[key_of(path)] if other != value)


def without(value: Any, path: Path_) -> Any:
    """The file without a key or a member of a list."""
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [*value[:step], *([without(value[step], rest)] if rest else ()), *value[step + 1 :]]
    return {key: without(item, rest) if key == step else item for key, item in value.items() if rest or key != step}


# What notices


@dataclass(frozen=True)
class Case:
    """A worked ledger, read and matched by the rules as they are once it is asked."""

    name: str
    example: dict[str, Any]

    @cached_property
    def words(self) -> str:
        return str(self.example)

    @cached_property
    def ledger(self) -> Ledger:
        text = self.example["ledger"]
        with TemporaryDirectory() as folder:
            return ledger_of(Path(folder), text.replace(",", "|") if self.example.get("csv") else text)

    @cached_property
    def comes_to(self) -> Any:
        return self.by(load(self.year))

    @property
    def year(self) -> int:
        year: int = self.example.get("year", 2025)
        return year

    def by(self, year: Year) -> Any:
        """Rows of the form, lots held, income, warnings by some rules; or what is wrong with the ledger."""
        try:
            found = matched(self.ledger, year, self.example, held=True)
        except Problems as wrong:
            return str(wrong)
        return lines(found), held(found), found.income.rows(), found.warnings, found.planning_only


@cache
def cases() -> list[Case]:
    return [Case(*known) for known in worked()]


def worked() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in ("law_edges.yaml", "law_examples.yaml"):
        yield from ((said["name"], said) for said in read_yaml(HERE / file).value)
    for path in sorted((HERE / "kinds").glob("*.yaml")):
        yield from ((f"{path.stem}: {said['title']}", said) for said in read_yaml(path).value)
    for path in sorted((HERE / "ledgers").glob("*.yaml")):
        yield path.stem, {**read_yaml(path).value, "csv": True}


NUMBERS = count()


def changed(number: int, said: Any) -> Year:
    """A year with the changed file; its digest is one of a kind, so that nothing remembered of others is used."""
    year = load(number)
    document = replace(year.documents[FILE], value=said)
    return replace(year, documents={**year.documents, FILE: document}, digest=f"changed {next(NUMBERS)}")


FIRST: list[str] = []
"""The ledgers that noticed something before, the last of them last: they are asked first."""


def unnoticed(change: Change) -> bool:
    """Whether neither check nor a worked ledger notices a change."""
    if is_refused(changed(LEAST, change.said)):
        return False
    about = [case for case in cases() if concerns(case, change)]
    for case in sorted(about, key=lambda case: -FIRST.index(case.name) if case.name in FIRST else 1):
        try:
            now = case.by(changed(case.year, change.said))
        except Exception:  # noqa: BLE001  (whatever becomes of rules that make no sense)
            now = None
        if now != case.comes_to:
            FIRST[:] = [*(name for name in FIRST if name != case.name), case.name]
            return False
    return True


def concerns(case: Case, change: Change) -> bool:
    """Whether a ledger is about what is changed: others are not asked, which can only leave more unnoticed."""
    block, what = str(change.path[0]), str(change.path[min(1, len(change.path) - 1)])
    if change.what.endswith(" added"):
        return change.what.removesuffix(" added") in case.words and any(
            word in case.words for word in ABOUT.get(block, [""])
        )
    if block in ("kinds", "asset_classes"):
        return {"taxed_merger": "merger"}.get(what, what) in case.words
    return any(word in case.words for word in ABOUT.get(block, [""]))


def is_refused(year: Year) -> bool:
    """Whether `lotlaw rules check` refuses the file."""
    try:
        if shape_problems(year.documents[FILE], FILE):
            return True
        return any(True for _ in (*problems_of(year), *method_problems(year)))
    except (Problems, LookupError):
        return True


def survivors(part: int, parts: int) -> tuple[int, list[Change]]:
    """How many changes a share of them are, and those that nothing notices."""
    everything = list(changes(load(LEAST).documents[FILE].value))
    mine = everything[part * len(everything) // parts : (part + 1) * len(everything) // parts]
    return len(mine), [change for change in mine if unnoticed(change)]


def main(processes: int = 2, parts: int = 8) -> int:
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(survivors, range(parts), [parts] * parts))
    found, given = [change for _, names in done for change in names], reasons(HERE, CHANGES)
    document = load(LEAST).documents[FILE]
    keyed = [(change, given.key(change.about, change.what, document.place())) for change in found]
    left = [change for change, key in keyed if not key]
    idle = list(given.idle(key for _, key in keyed if key))
    made = sum(number for number, _ in done)
    said = [f"{document.place(*change.path)}: {change.about}: no ledger notices {change.what}" for change in left]
    said += [str(problem) for problem in idle]
    noticed = f"{made - len(found):,} noticed; of {len(found):,} not, {len(found) - len(left):,} explained"
    said.append(f"the law of lots: {made:,} changes, {noticed}")
    print("\n".join(said))  # noqa: T201
    return 1 if left or idle else 0


if __name__ == "__main__":
    sys.exit(main())
