"""`lotlaw rules impact`: which returns, lines and amounts move when rules are edited.

Rules before and after stand in two folders. Returns are those that `lotlaw file` wrote, worked out by both; without
any, the demo's return and every example of the rules.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lotlaw.audit.verify import apart
from lotlaw.check.worked import Example, examples_of, run, whole_returns
from lotlaw.explain.amounts import amount
from lotlaw.filing import recompute, work_again, written
from lotlaw.law import Year
from lotlaw.ledger import read
from lotlaw.rendering import render
from lotlaw.rules import load, years
from lotlaw.run import Return, compute
from lotlaw.source import Problems, data_root, refuse
from lotlaw.starter import DEMO, demo_files
from lotlaw.taxpayer import read_taxpayer

LINES = "lines."
MOVING = ("form_8949", "lines", "carryover", "income", "planning_only")


@dataclass(frozen=True)
class Moved:
    """A return or example, and what moves in it: where, from what, to what."""

    what: str
    moves: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Impact:
    """How many returns and examples were worked out, and those that move."""

    looked_at: int
    moved: tuple[Moved, ...]

    def facts(self) -> dict[str, Any]:
        """The impact for programs."""
        keys = ("at", "before", "after")
        moved = [{"what": m.what, "moves": [dict(zip(keys, x, strict=True)) for x in m.moves]} for m in self.moved]
        return {"looked_at": self.looked_at, "moved": moved}

    def text(self) -> Iterator[str]:
        """The impact as a person reads it."""
        for found in self.moved:
            yield found.what
            for at, before, after in found.moves:
                yield f"  {at.removeprefix(LINES)}: {_told(before)} -> {_told(after)}"
        yield f"{len(self.moved)} of {self.looked_at} move"


def _told(said: str) -> str:
    """A value of a return as a person reads it."""
    try:
        return amount(Decimal(said))
    except InvalidOperation:
        return said or "nothing"


def impact(changed: Path, returns: Sequence[Path] = (), rules: Path | None = None) -> Impact:
    """What moves between the rules and the changed ones. Raises Problems for rules or returns that cannot be read."""
    before = rules or data_root() / "rules"
    if not years(changed):
        raise refuse(changed, "no rules here: copy a folder of rules, edit the copy, and name it")
    pairs = list(_returns(returns, before, changed) if returns else _shipped(before, changed))
    return Impact(len(pairs), tuple(pair for pair in pairs if pair.moves))


def _returns(paths: Sequence[Path], before: Path, after: Path) -> Iterator[Moved]:
    for path in paths:
        number = written(path)["tax_year"]
        yield _moved(f"{path} ({number})", recompute(path, before), work_again(path, load(number, after), after))


def _moved(what: str, before: Return, after: Return) -> Moved:
    old, new = (_amounts(return_) for return_ in (before, after))
    return Moved(what, tuple(apart(old, new)))


def _amounts(return_: Return) -> dict[str, Any]:
    """What may move in a return; rows of Form 8949 by box, so that a row in another box is seen as such."""
    said = json.loads(render(return_, "json"))
    said["form_8949"] = {
        f"box {box['box']}": {"totals": box["totals"], "rows": box["rows"]} for box in said["form_8949"]
    }
    return {key: said[key] for key in MOVING}


def _shipped(before: Path, after: Path) -> Iterator[Moved]:
    number, exports, taxpayer = demo_files()
    if number in years(after):
        roots = [root.resolve() for root in (before, after)]  # the demo's files are named as seen from its folder
        with contextlib.chdir(DEMO):
            made = [_demo(load(number, root), exports, taxpayer) for root in roots]
        yield _moved(f"the demo ({number})", *made)
    for year in years(before):
        if year in years(after):
            yield from _examples(load(year, before), load(year, after))


def _demo(year: Year, exports: list[Path], taxpayer: Path) -> Return:
    person, _ = read_taxpayer(taxpayer)
    return compute(year, read(exports, zone=person["timezone"], rules=year.root), person)


def _examples(before: Year, after: Year) -> Iterator[Moved]:
    """The examples that are meant for a year, by the rules before and after."""
    if before.digest == after.digest:
        return
    for form in before.forms.values():
        for example in examples_of(before, form) if form.name in after.forms else ():
            yield _example(before, after, form.name, example)
    for example in whole_returns(before):
        yield _example(before, after, "a return", example)


def _example(before: Year, after: Year, what: str, example: Example) -> Moved:
    return Moved(f"{before.year} {what}: {example.name}", tuple(_moves(before, after, example)))


def _moves(before: Year, after: Year, example: Example) -> Iterator[tuple[str, str, str]]:
    was = run(before, example).found
    try:
        now = run(after, example).found
    except Problems as found:
        yield example.form, "", str(found)
        return
    for form, line in dict.fromkeys((*was, *now)):
        old, new = was.get((form, line)), now.get((form, line))
        if old != new:
            yield f"{form}.{line}" if form else line, amount(old), amount(new)
