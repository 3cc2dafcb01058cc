"""The lines of a return as terms: all of them from what the return is given, or a form by itself from its inputs.

Two things make a proof small enough to be found. An amount of the law (a cap, a ceiling, the top of a bracket) is a
variable that every filing status of the year agrees with, unless a status is asked for: one proof is then for all. And
a line about which other lines' forms make claims may be left as a variable of which no more is known than the claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import z3

from lotlaw.audit.prove.world import World
from lotlaw.formula import parse
from lotlaw.law import Form, Line, Year, needed
from lotlaw.readings.logic import CENTS, DOLLARS, Logic, Scaled
from lotlaw.sheet import Sheet
from lotlaw.source import Place

Where = tuple[str, str]
"""A line by its form and name."""


@dataclass
class Amounts:
    """The amounts of the law: of one filing status, or what all of the year's have in common."""

    year: Year
    logic: Logic
    status: str = ""
    read: dict[str, Any] = field(default_factory=dict)
    tops: list[tuple[Any, Any]] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        if name not in self.read:
            status = self.status or next(iter(self.year.statuses))
            value, unit = self.year.parameter(name, status), self.year.parameters[name].unit
            differs = any(self.year.parameter(name, other) != value for other in self.year.statuses)
            if not self.status and unit == "money" and differs:
                value = Scaled(z3.Real(name), 0)
            elif not self.status and unit == "brackets" and differs:
                value = self._brackets(name, value)
            self.read[name] = self.logic.const(value)
        return self.read[name]

    def _brackets(self, name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The brackets with any tops; that they rise is a fact."""
        tops = [z3.Real(f"{name} {number}") for number, row in enumerate(rows) if row.get("up_to") is not None]
        self.tops += zip([z3.RealVal(0), *tops], tops, strict=False)
        kept = [{**row, "up_to": Scaled(top, 0)} for row, top in zip(rows, tops, strict=False)]
        return [*kept, *rows[len(tops) :]]

    def facts(self) -> Iterator[Any]:
        """Nothing is below zero, tops of brackets rise, and what is more than another for every status is more."""
        yield from (low <= high for low, high in self.tops)
        symbols = {n: v for n, v in self.read.items() if isinstance(v, Scaled) and not z3.is_rational_value(v.term)}
        for name, value in symbols.items():
            above = all(self.year.parameter(name, status) > 0 for status in self.year.statuses)
            yield value.term > 0 if above else value.term >= 0
        for low, high in permutations(symbols, 2):
            if all(self.year.parameter(low, s) <= self.year.parameter(high, s) for s in self.year.statuses):
                yield symbols[low].term <= symbols[high].term


@dataclass
class Scene:
    """The lines of one return that `goal` asks for, and all lines these read.

    `forms`: only these, by themselves. `apart`: forms that are worked out whether or not they are needed. `unknown`:
    lines that are left as variables. `exact`: functions of the rules are read, not asked. Found are, by form and line,
    `lines` with their columns, and whether the line is `there` or blank.
    """

    year: Year
    world: World
    amounts: Amounts
    goal: Iterable[Where]
    forms: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    unknown: frozenset[Where] = frozenset()
    exact: bool = False
    lines: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    own: dict[Where, Any] = field(default_factory=dict)
    there: dict[Where, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        law = replace(self.year, forms={name: self._form(form) for name, form in self.year.forms.items()})
        self.sheet = Sheet(law, self.world.logic, self, self._keep, cents=self.world.logic.unit != DOLLARS)
        if not self.exact:
            self.sheet.functions.update({name: self._asks(name) for name in law.functions})
        for name in sorted(self.forms):
            self._inputs(law.forms[name])
        asked = (law.forms[form].by_name.get(name) for form, name in self.goal)
        lines = needed(law, (line for line in asked if line))
        self.sheet.fill(tuple(line for line in lines if not self.forms or line.form in self.forms))

    def _form(self, form: Form) -> Form:
        """A form as it is read here. Of a line that is unknown no more is read than whether it is there at all."""
        there = form.only_if or parse("0 == 0", Place(form.name))
        lines = {
            id_: replace(line, formula=there, unit="flag", only_if=None, skips=()) if self._is_unknown(line) else line
            for id_, line in form.lines.items()
        }
        return replace(form, only_if=None if form.name in self.apart else form.only_if, lines=lines)

    def _is_unknown(self, line: Line) -> bool:
        return (line.form, line.name) in self.unknown

    def names(self, form: str, wanted: set[str]) -> dict[str, Any]:
        """What names stand for on a form; a line that was left a variable is that variable."""
        said = self.year.forms[form]
        found = self.sheet.names.setdefault(form, {})
        for name in (*said.inputs, *said.uses):
            if name in wanted and name not in found:
                found[name] = self.sheet.outside(said, name)
        own = {name: value for (of, name), value in self.own.items() if of == form}
        return {name: value for name, value in (found | own).items() if name in wanted}

    def _inputs(self, form: Form) -> None:
        """The inputs of a form by itself: any, but those that come from a form beside it."""
        names = self.sheet.names.setdefault(form.name, {})
        for name, source in form.inputs.items():
            if source.origin.partition(".")[0] not in self.forms:
                names[name] = self.world.free(source.origin, source.unit)

    def _asks(self, name: str) -> Any:
        return self.world.logic.twice(lambda amount: self.world.logic.ask(name, amount))

    def _keep(self, line: Line, column: str, value: Any, present: Any) -> Any:
        logic = self.world.logic
        if self._is_unknown(line):
            present, value = value, self._left(line)
            self.own[line.form, line.name] = value
        self.there[line.form, line.id] = logic.const(True) if present is None else present
        if present is not None:
            value = logic.choose(present, value, logic.const(0 if isinstance(value, Scaled) else False))
        self.lines[line.form, line.id, column] = value
        return value

    def _left(self, line: Line) -> Scaled:
        whole = self.world.logic.unit == DOLLARS and self.year.forms[line.form].round == "dollar"
        return Scaled(z3.Real(f"{line.form}.{line.id}{self.world.mark}"), DOLLARS if whole else CENTS)

    def parameter(self, name: str) -> Any:
        return self.amounts[name]

    def origin(self, origin: str, unit: str) -> Any:
        return self.world.origin(origin, unit)

    def typed(self, line: Line, column: str) -> tuple[Scaled, Any]:
        name = f"{line.form}.{line.id}" + (f".{column}" if column else "")
        amount = self.world.amount(name, line.at_least)
        return amount, amount.term != 0

    def total(self, line: Line) -> tuple[Mapping[str, Scaled], Any]:
        return self.world.total(self.year, line)
