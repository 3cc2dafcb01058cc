"""That every line of a year has a value: no division, no name without one, no amount out of range, no table misused.

Formulas know no division (the parser refuses it), and a line that is blank reads as zero, so what is left to prove is
that every name that is read stands for something, that no step of the columns leaves 64 bits while each amount that a
return is given, and each total of a box, is within the columns' bound, and that functions of the rules are asked about
no amount below zero, for which the Tax Table has no row. The exact reading has room for 28 digits, far more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import z3

from lotlaw.audit.prove.scene import Amounts, Scene
from lotlaw.audit.prove.solving import Prover, known_facts
from lotlaw.audit.prove.world import World, rows_of
from lotlaw.formula import Mistake
from lotlaw.law import Line, Year
from lotlaw.readings import columns, ranges
from lotlaw.readings.logic import WAYS, Logic
from lotlaw.readings.ranges import Range
from lotlaw.schema import limits
from lotlaw.sheet import Sheet
from lotlaw.source import Problems

CENTS = 10**columns.MONEY
BOUND = columns.LARGEST
"""Dollars that an amount given and a total of a box may have."""


def undefined(year: Year, prover: Prover) -> str:
    """What has no value in some return of a year, in words; nothing if every line always has one."""
    return next(chain(_out_of_range(year), _asked_below_zero(year, prover)), "")


def _out_of_range(year: Year) -> Iterator[str]:
    """Lines that may leave the room of a column, by filing status, with dollars and with cents."""
    for status in (status for status in year.statuses if status not in year.same_as):
        for cents in (False, True):
            sheet = Sheet(year, ranges, _Given(year, status), _kept, cents)
            for line in year.order:
                try:
                    sheet.fill((line,))
                except (Mistake, Problems) as wrong:
                    yield f"{line.form} line {line.id}: {wrong}"
                    return


def _kept(_line: Line, _column: str, value: Any, present: Any) -> Any:
    """A line as cents, which a column keeps it in; nothing where it is blank."""
    if not isinstance(value, Range):
        return value
    return value.at(max(value.places, columns.MONEY)) if present is None else value.at(columns.MONEY).with_zero()


@dataclass(frozen=True)
class _Given:
    """Anything that a return may be given within the bound, and the amounts of a filing status."""

    year: Year
    status: str

    def parameter(self, name: str) -> Any:
        return ranges.const(self.year.parameter(name, self.status))

    def origin(self, origin: str, unit: str) -> Any:
        if unit == "flag":
            return ranges.FLAG
        least, most = limits("taxpayer", origin.partition(".")[2]) if origin.startswith("taxpayer.") else (0, None)
        if unit == "count":
            return Range(least or 0, BOUND if most is None else most, 0)
        return _dollars(least)

    def typed(self, line: Line, column: str) -> tuple[Range, Any]:
        return _dollars(line.at_least), column

    def total(self, line: Line) -> tuple[Mapping[str, Range], Any]:
        boxes = len(line.total_of.get("boxes", "1"))
        sums = Range(-boxes * BOUND * CENTS, boxes * BOUND * CENTS, columns.MONEY)
        return dict.fromkeys(line.columns or (line.total_of["column"],), sums), ranges.FLAG


def _dollars(least: int | None) -> Range:
    return Range(-BOUND * CENTS if least is None else max(least, -BOUND) * CENTS, BOUND * CENTS, columns.MONEY)


def _asked_below_zero(year: Year, prover: Prover) -> Iterator[str]:
    """Functions of the rules that some return asks about an amount below zero."""
    lines = [(line.form, line.name) for line in year.order if line.form in year.forms]
    for unit in WAYS:
        logic = Logic(unit)
        amounts = Amounts(year, logic)
        scene = Scene(year, World(logic, rows_of([year])), amounts, lines)
        known = [*scene.world.bounds, *known_facts(amounts, [scene])]
        for name, asked in logic.asked.items():
            if not prover.impossible([z3.Or([amount < 0 for amount in asked]), *known]):
                yield f"{name} may be asked about an amount below zero"
