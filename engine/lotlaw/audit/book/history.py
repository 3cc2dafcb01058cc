"""What all years say of the same thing: a line, a parameter; years that say the same stand together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lotlaw.audit.show import rule_of, said_value
from lotlaw.check.numbers import amounts_in
from lotlaw.law import Line, Parameter, Year
from lotlaw.rules import load, years
from lotlaw.source import Problems


@dataclass(frozen=True)
class Epoch:
    """Years in a row, and what they say."""

    years: str
    says: str


@dataclass(frozen=True)
class Table:
    """A parameter over the years: a heading for each column, and rows of a year and its values."""

    heads: list[str]
    rows: list[list[str]]


def all_years(year: Year) -> list[Year]:
    """Every year of the same folder that can be read."""
    found = []
    for number in years(year.root):
        try:
            found.append(load(number, year.root))
        except Problems:
            continue  # another year's mistakes are no reason to print no book of this one
    return found


def of_line(line: Line, law: Iterable[Year]) -> list[Epoch]:
    """What each year says of a line by that number on the form, in years that agree."""
    said = [(y.year, y.forms[line.form].lines.get(line.id)) for y in law if line.form in y.forms]
    return _together([(number, _said(other) if other else "not there") for number, other in said])


def _said(line: Line) -> str:
    condition = f"; only if {line.only_if.text.strip()}" if line.only_if else ""
    skipped = "".join(f"; skipped if {skip.text.strip()}" for skip in line.skips)
    return f"{line.label}: {rule_of(line)}{condition}{skipped}"


def _together(said: list[tuple[int, str]]) -> list[Epoch]:
    groups: list[tuple[list[int], str]] = []
    for number, text in said:
        if groups and groups[-1][1] == text:
            groups[-1][0].append(number)
        else:
            groups.append(([number], text))
    return [Epoch(_span(numbers), text) for numbers, text in groups]


def _span(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def of_parameter(parameter: Parameter, law: Iterable[Year]) -> Table:
    """The values of a parameter over the years, a row a year; of years that agree, the first."""
    heads: list[str] = []
    rows: list[tuple[int, dict[str, str]]] = []
    for year in law:
        other = year.parameters.get(parameter.name)
        if other is None:
            continue
        values = {_head(path): said_value(v, _unit(other, path)) for path, v in amounts_in(other.value)}
        heads += [head for head in values if head not in heads]
        if not rows or rows[-1][1] != values:
            rows.append((year.year, values))
    return Table(heads, [[f"from {number}", *(values.get(head, "") for head in heads)] for number, values in rows])


def _head(path: tuple[object, ...]) -> str:
    return " ".join(str(step).replace("_", " ") for step in path) or "value"


def _unit(parameter: Parameter, path: tuple[object, ...]) -> str:
    return "rate" if "rate" in path else parameter.unit
