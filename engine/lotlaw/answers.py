"""The exact reading of one return: from facts (taxpayer, totals of the ledger) to the answer on every line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lotlaw.law import Line, Year
from lotlaw.readings import exact
from lotlaw.sheet import Sheet

Answer = Decimal | bool | dict[str, Decimal]
Answers = dict[str, dict[str, Answer]]
"""By form and line: an amount, yes or no, or amounts by column. Blank lines and forms left out are absent."""


@dataclass(frozen=True)
class Total:
    """A group of rows: what they have in common (`box`, `part`, `collectible`), and sums by column, in dollars."""

    group: Mapping[str, Any]
    sums: Mapping[str, Decimal]


@dataclass(frozen=True)
class Facts:
    """What a return is worked out from; what is not given is zero or no.

    `outside` holds values by origin (`taxpayer.carryover.short`, `ledger.dispositions`), `typed` the amounts of input
    lines by form and line, `totals` the rows of Form 8949.
    """

    outside: Mapping[str, Any]
    typed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    totals: Sequence[Total] = ()


@dataclass(frozen=True)
class Worked:
    """A return worked out: the answers, and by form every name that its formulas read, for explaining."""

    answers: Answers
    names: Mapping[str, Mapping[str, Any]]


def work_out(year: Year, status: str, facts: Facts, *, cents: bool = False) -> Worked:
    """Every line of every form of the year, exactly; `cents` leaves lines unrounded."""
    found: dict[tuple[str, str], Any] = {}

    def keep(line: Line, column: str, value: Any, present: Any) -> Any:
        if present is not None and not present:
            return False if line.unit == "flag" else exact.ZERO
        if not column:
            found[line.form, line.id] = value
        else:
            found.setdefault((line.form, line.id), {})[column] = value
        return value

    sheet = Sheet(year, exact, Given(year, status, facts), keep, cents)
    sheet.fill(year.order)
    return Worked(_in_order(year, sheet, found), sheet.names)


def _in_order(year: Year, sheet: Sheet, found: Mapping[tuple[str, str], Answer]) -> Answers:
    answers: Answers = {}
    for form in year.forms.values():
        if form.only_if and not sheet.read(form, form.only_if):
            continue
        lines = {id_: found[form.name, id_] for id_ in form.lines if (form.name, id_) in found}
        if lines:
            answers[form.name] = lines
    return answers


@dataclass(frozen=True)
class Given:
    """What a return is worked out from, as a sheet asks for it: its filing status's parameters, and its facts."""

    year: Year
    status: str
    facts: Facts

    def parameter(self, name: str) -> Any:
        return exact.const(self.year.parameter(name, self.status))

    def origin(self, origin: str, unit: str) -> Any:
        value = self.facts.outside.get(origin)
        if value is None:
            return False if unit == "flag" else exact.ZERO
        return exact.const(value)

    def typed(self, line: Line, column: str) -> tuple[Decimal, bool]:
        given = self.facts.typed.get(line.form, {}).get(line.id) or 0
        amount = Decimal(given.get(column, 0) if isinstance(given, Mapping) else given)
        return amount, amount != 0

    def total(self, line: Line) -> tuple[Mapping[str, Decimal], bool]:
        chosen = [total.sums for total in self.facts.totals if matches(line.total_of, total.group)]
        columns = chosen[0] if chosen else _none(line)
        return {c: sum((sums[c] for sums in chosen), exact.ZERO) for c in columns}, bool(chosen)


def _none(line: Line) -> Sequence[str]:
    return line.columns or (line.total_of["column"],)


def matches(wanted: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    """Whether a group of rows is one that a `total_of` wants."""
    if "boxes" in wanted and group.get("box") not in wanted["boxes"]:
        return False
    return all(group.get(key) == value for key, value in wanted.items() if key not in ("boxes", "column"))
