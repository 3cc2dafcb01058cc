"""What all years say of the same thing: a line, a parameter; years that say the same stand together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lotlaw.audit.book.links import speaker
from lotlaw.audit.show import rule_of, said_value
from lotlaw.check.numbers import amounts_in
from lotlaw.law import Line, Parameter, Year
from lotlaw.rules import load, years
from lotlaw.source import Problems


@dataclass(frozen=True)
class Epoch:
    """Years in a row, and what they say, in words and as the formula is written."""

    years: str
    says: str
    formula: str = ""


@dataclass(frozen=True)
class Table:
    """A parameter over the years: from when it held, and rows of a name and its values; or that it never changed."""

    heads: list[str]
    said: list[tuple[str, list[str]]]
    same: str = ""


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
    """What each year says of a line by that number on the form, in years that agree; none if all say the same."""
    found = {y.year: (y, y.forms[line.form].lines.get(line.id)) for y in law if line.form in y.forms}
    epochs = _groups([(number, _said(other) if other else "") for number, (_, other) in found.items()])
    return [_epoch(numbers, *found[numbers[0]]) for numbers, _ in epochs] if epochs[1:] else []


def _epoch(numbers: list[int], year: Year, line: Line | None) -> Epoch:
    if line is None:
        return Epoch(_span(numbers), "Not there")
    says = speaker(year, year.forms[line.form])
    told = rule_of(line) if line.formula is None else says.text(line.formula, condition=line.kind == "yes_if")
    only = [f"only if {says.text(line.only_if, condition=True)}"] if line.only_if else []
    skips = [f"skipped if {says.text(skip, condition=True)}" for skip in line.skips]
    return Epoch(_span(numbers), f"{line.label}: {'; '.join([told, *only, *skips])}", _formula(line))


def _formula(line: Line) -> str:
    return line.formula.text.strip() if line.formula else ""


def _said(line: Line) -> str:
    condition = line.only_if.text if line.only_if else ""
    return "\n".join([line.label, rule_of(line), condition, *(skip.text for skip in line.skips)])


def together(said: list[tuple[int, str]]) -> list[Epoch]:
    """What years say, those that say the same in a row together."""
    return [Epoch(_span(numbers), text) for numbers, text in _groups(said)]


def _groups(said: Iterable[tuple[int, str]]) -> list[tuple[list[int], str]]:
    groups: list[tuple[list[int], str]] = []
    for number, text in said:
        if groups and groups[-1][1] == text:
            groups[-1][0].append(number)
        else:
            groups.append(([number], text))
    return groups


def _span(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def of_parameter(parameter: Parameter, law: Iterable[Year]) -> Table:
    """The values of a parameter over the years, a column a year; of years that agree, the first."""
    found: list[tuple[int, dict[str, str]]] = []
    for year in law:
        other = year.parameters.get(parameter.name)
        if other is None:
            continue
        values = {_head(year, path): said_value(v, _unit(other, path)) for path, v in amounts_in(other.value)}
        if not found or found[-1][1] != values | {"Source": found[-1][1]["Source"]}:
            found.append((year.year, {**values, "Source": str(other.cite)}))
    names = dict.fromkeys(name for _, values in found for name in values if name != "Source")
    if len(found) == 1:
        return Table([], [], f"The same in every year from {found[0][0]} on")
    said = [(name, [values.get(name, "") for _, values in found]) for name in (*names, "Source")]
    return Table([f"From {number}" for number, _ in found], said)


def _head(year: Year, path: tuple[object, ...]) -> str:
    said = ", ".join(year.statuses.get(str(step), str(step).replace("_", " ")) for step in path) or "Value"
    return said[:1].upper() + said[1:]


def _unit(parameter: Parameter, path: tuple[object, ...]) -> str:
    return "rate" if "rate" in path else parameter.unit
