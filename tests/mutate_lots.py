"""Changes the law of lots (dispositions.yaml) one thing at a time, and says what no worked ledger notices.

    python tests/mutate_lots.py            # four minutes on two cores

Changed are numbers, days, words, yes and no, formulas, members of lists and their absence. What notices is `lotlaw
rules check`, else a worked ledger of law_examples.yaml, kinds/ and ledgers/, by its rows, lots, income and warnings.
A worked ledger shows no refusals: what only refuses (orders recorded too late, say) is told here though a test may hold
it. Exit 1 if anything is left.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from simple_ledger import held, ledger_of, lines

from lotlaw.audit.mutation.altering import altered
from lotlaw.audit.mutation.changes import with_value
from lotlaw.dispositions import match
from lotlaw.formula import parse
from lotlaw.law import Year
from lotlaw.ledger import Ledger
from lotlaw.lots.methods import problems_of as method_problems
from lotlaw.lots.treatment import AMOUNTS, FILE, problems_of
from lotlaw.rules import load
from lotlaw.schema import shape_problems
from lotlaw.source import Path_, Place, Problems, read_yaml
from lotlaw.taxpayer import normalised

HERE = Path(__file__).parent
NO_LAW = ("label", "cite", "examples", "warns", "else", "title", "unit", "source", "uses")
"""Keys that say no law, or what `lotlaw rules mutate` changes."""
FORMULAS = {"proceeds", "basis", "cost", "loss_basis"}
SCOPES = {"classes": ("asset_classes", ()), "kinds": ("kinds", ("opens",))}
"""Lists to which something may be added, the block that names what, and what an entry of it must have."""
ABOUT = {
    "wash_sales": ["1091", "wash", " W "], "methods": ["'methods'", "'method'", "| lot ", "average"], "fees": ["fee_"],
    "reported": ["reported_sale"], "income": ["income"], "transfers": ["transfer"], "accounts": ["accounts"],
    "pools": ["crypto", "BTC"], "broker_default": ["fund"],
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
    def name(self) -> str:
        return f"{' '.join(map(str, self.path))}: {self.what}"


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
        block, has = SCOPES.get(key_of(path), ("", ()))
        for other, entry in said.get(block, {}).items():
            if other not in value and all(word in entry for word in has):
                yield Change(path, f"{other} added", with_value(said, path, [*value, other]))


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """What is neither a mapping nor a list, and mappings that may be left out as a whole."""
    if path and path[-1] in NO_LAW:
        return
    if isinstance(value, Mapping):
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
        near = {name: [other for other in AMOUNTS if other != name][:2] for name in AMOUNTS}
        yield from ((what, formula.text) for what, formula in altered(parse(value, Place(FILE)), near))
    elif isinstance(path[-1], str):
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
    """A worked ledger, and what it comes to by the rules as they are."""

    name: str
    ledger: Ledger
    year: int
    person: dict[str, Any]
    method: str | None
    said: str
    seen: Any


def seen(ledger: Ledger, year: Year, person: dict[str, Any], method: str | None) -> Any:
    """What a ledger comes to: rows of the form, lots held, income, warnings; or what is wrong with it."""
    try:
        found = match(ledger, year, person, method, held=True)
    except Problems as wrong:
        return str(wrong)
    return lines(found), held(found), found.income.rows(), found.warnings, found.planning_only


@cache
def cases() -> list[Case]:
    """All worked ledgers, the same in every process."""
    found = []
    with TemporaryDirectory() as folder:
        for name, said in worked():
            person = normalised({"filing_status": "single", "carryover": {}, **said.get("taxpayer", {})})
            ledger = ledger_of(Path(folder), said["ledger"].replace(",", "|") if said.get("csv") else said["ledger"])
            year, method = said.get("year", 2025), said.get("method")
            now = seen(ledger, load(year), person, method)
            found.append(Case(name, ledger, year, person, method, f"{said}", now))
    return found


def worked() -> Iterator[tuple[str, dict[str, Any]]]:
    for said in read_yaml(HERE / "law_examples.yaml").value:
        yield said["name"], said
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


def unnoticed(change: Change, first: list[str]) -> bool:
    """Whether neither check nor a worked ledger notices a change; `first` are those that noticed before."""
    year = changed(LEAST, change.said)
    if is_refused(year):
        return False
    about = [case for case in cases() if concerns(case, change)]
    for case in sorted(about, key=lambda case: -first.index(case.name) if case.name in first else 1):
        try:
            now = seen(case.ledger, changed(case.year, change.said), case.person, case.method)
        except Exception:  # noqa: BLE001  (whatever becomes of rules that make no sense)
            now = None
        if now != case.seen:
            if case.name in first:
                first.remove(case.name)
            first.append(case.name)
            return False
    return True


def concerns(case: Case, change: Change) -> bool:
    """Whether a ledger is about what is changed: others are not asked, which can only leave more unnoticed."""
    block, what = str(change.path[0]), str(change.path[min(1, len(change.path) - 1)])
    if change.what.endswith(" added"):
        return change.what.removesuffix(" added") in case.said and any(
            word in case.said for word in ABOUT.get(block, [""])
        )
    if block in ("kinds", "asset_classes"):
        return {"taxed_merger": "merger"}.get(what, what) in case.said
    return any(word in case.said for word in ABOUT.get(block, [""]))


def is_refused(year: Year) -> bool:
    """Whether `lotlaw rules check` refuses the file."""
    try:
        if shape_problems(year.documents[FILE], FILE):
            return True
        return any(True for _ in (*problems_of(year), *method_problems(year)))
    except (Problems, LookupError):
        return True


def survivors(part: int, parts: int) -> tuple[int, list[str]]:
    """How many changes a share of them are, and those that nothing notices."""
    everything = list(changes(load(LEAST).documents[FILE].value))
    mine, first = everything[part * len(everything) // parts : (part + 1) * len(everything) // parts], list[str]()
    return len(mine), [change.name for change in mine if unnoticed(change, first)]


def main(parts: int = 2) -> int:
    with ProcessPoolExecutor(parts) as pool:
        done = list(pool.map(survivors, range(parts), [parts] * parts))
    left = [name for _, names in done for name in names]
    made = sum(number for number, _ in done)
    said = [f"no worked ledger notices {name}" for name in left]
    said.append(f"{made:,} changes of the law of lots, {made - len(left):,} noticed")
    print("\n".join(said))  # noqa: T201
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
