"""Small changes to the law of a year, one at a time, as a slip of the pen would make them.

A number by one unit or by one per cent, `<` to `<=`, `min` to `max`, a sign, another line, a box, a condition left out.
Only changes that could stand in a rule file are made: what units or a circle would give away is no test of examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from lotlaw.audit.entries import told
from lotlaw.audit.mutation.altering import altered, neighbours
from lotlaw.formula import Formula
from lotlaw.law import Form, Function, Input, Line, Parameter, Year
from lotlaw.rules import TABLES
from lotlaw.source import Path_, Place

_PER_CENT = Decimal("0.01")

Key = tuple[str, str]
"""A line by its form and its id."""


@dataclass(frozen=True)
class Change:
    """One change: where, to what, from what to what; the year with it made, and what is worked out anew.

    `lines` read differently themselves; of `names`, whatever reads these numbers or calls these functions; `tables`: it
    is made in a table, or is a number that tables read.
    """

    place: Place
    about: str
    what: str
    year: Year
    lines: frozenset[Key] = frozenset()
    names: frozenset[str] = frozenset()
    tables: bool = False


# A year with one thing changed


def form_changes(year: Year, form: Form) -> Iterator[Change]:
    """Every change of a form."""
    near = neighbours(year, form)
    for what, condition in _or_none(form.only_if, near) if form.only_if else ():
        changed, place = replace(form, only_if=condition), form.document.place("only_if")
        yield _form_change(year, changed, place, "(whether it applies)", what, _all(form))
    for line in form.lines.values():
        yield from _line_changes(year, form, line, near)
    for column, formula in form.column_formulas.items():
        lines = frozenset((form.name, line.id) for line in form.lines.values() if line.columns)
        for what, new in altered(formula, _columns_near(form)):
            changed = replace(form, column_formulas={**form.column_formulas, column: new})
            yield _form_change(year, changed, new.place, f"column {column}", what, lines)
    yield from _skip_changes(year, form, near)
    yield from _export_changes(year, form)
    yield from _input_changes(year, form)
    if form.round == "dollar":
        place = form.document.place("round")
        yield _form_change(year, replace(form, round="cent"), place, "rounding", "dollar -> cent", _all(form))


def _or_none(condition: Formula, near: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Formula | None]]:
    """A condition left out, or with one part changed."""
    yield f"`{condition.text.strip()}` left out", None
    yield from altered(condition, near)


def _line_changes(year: Year, form: Form, line: Line, near: Mapping[str, Sequence[str]]) -> Iterator[Change]:
    if line.only_if:
        for what, new in _or_none(line.only_if, near):
            yield _line_change(year, form, replace(line, only_if=new), line.only_if.place, what, ", only if")
    for what, new_formula in altered(line.formula, near) if line.formula else ():
        yield _line_change(year, form, replace(line, formula=new_formula), new_formula.place, what)
    for total in _totals(year, line.total_of):
        what = f"{told(line.total_of)} -> {told(total)}"
        yield _line_change(year, form, replace(line, total_of=total), line.place, what)


def _totals(year: Year, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A total of Form 8949 with a box less, another box or part, another column, the other kind."""
    said = year.documents["form_8949"].value
    for n, box in enumerate(wanted.get("boxes", ())):
        others = [other for other in said["boxes"] if other not in wanted["boxes"]]
        rest = [*wanted["boxes"][:n], *wanted["boxes"][n + 1 :]]
        yield {**wanted, "boxes": rest}
        yield {**wanted, "boxes": [*rest, min(others, key=lambda other: abs(ord(other) - ord(box)))]}
    for key, known in (("part", list(said["parts"])), ("column", _added(said))):
        yield from ({**wanted, key: other} for other in known if key in wanted and other != wanted[key])
    if "collectible" in wanted:
        yield {**wanted, "collectible": not wanted["collectible"]}


def _added(form_8949: Mapping[str, Any]) -> list[str]:
    return [letter for letter, column in form_8949["columns"].items() if column.get("total")]


def _skip_changes(year: Year, form: Form, near: Mapping[str, Sequence[str]]) -> Iterator[Change]:
    """A skip left out, with another condition, or from or to the line beside."""
    ids = list(form.lines)
    for skip in form.skips:
        skipped = [id_ for id_, line in form.lines.items() if skip in line.skips]
        for what, new in _or_none(skip, near):
            yield _skip_change(year, form, skip, dict.fromkeys(skipped, new), what)
        first, last = ids.index(skipped[0]), ids.index(skipped[-1])
        ends = ((first, last - 1), (first + 1, last), (first - 1, last), (first, last + 1))
        for start, end in ends:
            if 0 <= start <= end < len(ids):
                kept = ids[start : end + 1]
                moved = {id_: skip if id_ in kept else None for id_ in {*skipped, *kept}}
                said = f"lines {ids[first]} to {ids[last]} -> lines {ids[start]} to {ids[end]}"
                yield _skip_change(year, form, skip, moved, f"`{skip.text}`: {said}")


def _skip_change(year: Year, form: Form, skip: Formula, by_line: Mapping[str, Formula | None], what: str) -> Change:
    """Lines that are skipped under another condition than they were, or (None) are not."""
    lines = dict(form.lines)
    for id_, new in by_line.items():
        rest = tuple(other for other in lines[id_].skips if other is not skip)
        lines[id_] = replace(lines[id_], skips=(*rest, new) if new else rest)
    keys = frozenset((form.name, id_) for id_ in by_line)
    return _form_change(year, replace(form, lines=lines), skip.place, "(a skip)", what, keys)


def _export_changes(year: Year, form: Form) -> Iterator[Change]:
    """An export of the line before or after, of the same unit, if anything reads it."""
    results = year.documents["year"].value["results"].values()
    for name, id_ in form.exports.items():
        reading = frozenset(_reading(year, f"{form.name}.{name}"))
        ids = [other for other, line in form.lines.items() if line.unit == form.lines[id_].unit]
        for other in _beside(ids, id_) if reading or f"{form.name}.{name}" in results else ():
            changed = replace(form, exports={**form.exports, name: other})
            place = form.document.place("exports", name)
            yield _form_change(year, changed, place, f"export {name}", f"line {id_} -> line {other}", reading)


def _beside(words: Sequence[str], word: str) -> list[str]:
    """What stands before and after a word of a list."""
    at = words.index(word)
    return [*words[max(0, at - 1) : at], *words[at + 1 : at + 2]]


def result_changes(year: Year) -> Iterator[Change]:
    """A result of year.yaml from the export before or after."""
    document = year.documents["year"]
    for name, where in document.value["results"].items():
        form, _, export = where.partition(".")
        for other in _beside(list(year.forms[form].exports), export):
            results = {**document.value["results"], name: f"{form}.{other}"}
            changed = replace(document, value={**document.value, "results": results})
            law = replace(year, documents={**year.documents, "year": changed})
            yield Change(document.place("results", name), f"result {name}", f"{where} -> {form}.{other}", law)


def _input_changes(year: Year, form: Form) -> Iterator[Change]:
    """An input from the next thing that its source has, of the same unit."""
    origins = {source.origin: source.unit for other in year.forms.values() for source in other.inputs.values()}
    for name, source in form.inputs.items():
        head = source.origin.rpartition(".")[0]
        if head in year.not_verified:
            continue
        alike = [
            origin for origin, unit in origins.items() if origin.rpartition(".")[0] == head and unit == source.unit
        ]
        for other in [*_beside(alike, source.origin)[::-1]][:1]:
            changed = replace(form, inputs={**form.inputs, name: replace(source, origin=other)})
            keys = frozenset(_own_reading(form, source))
            yield _form_change(year, changed, source.place, f"input {name}", f"{source.origin} -> {other}", keys)


def _reading(year: Year, origin: str) -> Iterator[Key]:
    for form in year.forms.values():
        for source in form.inputs.values():
            if source.origin == origin:
                yield from _own_reading(form, source)


def _own_reading(form: Form, source: Input) -> Iterator[Key]:
    """The lines of a form that an input is read for."""
    if form.only_if and source.name in form.only_if.names:
        yield from _all(form)
    for line in form.lines.values():
        if any(source.name in formula.names for formula in (line.formula, line.only_if, *line.skips) if formula):
            yield form.name, line.id


def function_changes(year: Year, function: Function) -> Iterator[Change]:
    """Every change of a function of the rules."""
    for what, new in altered(function.formula, _numbers_near(year, function.uses)):
        changed = {**year.functions, function.name: replace(function, formula=new)}
        yield Change(
            new.place, function.name, what, replace(year, functions=changed), names=frozenset({function.name})
        )  # fmt: skip


def _numbers_near(year: Year, uses: Sequence[str]) -> dict[str, list[str]]:
    alike: dict[str, list[str]] = {}
    for name in uses:
        alike.setdefault(year.parameters[name].unit, []).append(name)
    return {name: [other for other in group if other != name] for group in alike.values() for name in group}


# Numbers


def number_changes(year: Year, parameter: Parameter) -> Iterator[Change]:
    """Every value of a parameter, by one unit up and down, and by one per cent."""
    in_tables = {name for table in TABLES for name in year.documents[table].value.get("uses") or ()}
    for path, value in _values(parameter.value):
        for new in _moved(value, "rate" in path or parameter.unit == "rate"):
            changed = replace(parameter, value=with_value(parameter.value, path, new))
            law = replace(year, parameters={**year.parameters, parameter.name: changed})
            which = ", ".join(f"row {step + 1}" if isinstance(step, int) else str(step) for step in path)
            about = f"{parameter.name} ({which})" if which else parameter.name
            place = year.documents["parameters"].place(parameter.name, "value", *path)
            names, tables = frozenset({parameter.name}), parameter.name in in_tables
            yield Change(place, about, f"{value} -> {new}", law, names=names, tables=tables)


def _values(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from _values(item, (*path, step))
    if isinstance(value, int | Decimal | date):
        yield path, value


def _moved(value: Any, rate: bool) -> Iterator[Any]:
    if isinstance(value, date):
        yield from (value + timedelta(days=1), value - timedelta(days=1))
        return
    unit = _PER_CENT if rate else 1
    one_per_cent = [value + value * _PER_CENT] if abs(value) > 1 or rate else []
    yield from dict.fromkeys((value + unit, value - unit, *one_per_cent))


def with_value(value: Any, path: Path_, new: Any) -> Any:
    """A value with one value in it replaced."""
    if not path:
        return new
    if isinstance(value, list):
        return [with_value(item, path[1:], new) if n == path[0] else item for n, item in enumerate(value)]
    return {key: with_value(item, path[1:], new) if key == path[0] else item for key, item in value.items()}


# Pieces of a change


def _all(form: Form) -> frozenset[Key]:
    return frozenset((form.name, id_) for id_ in form.lines)


def _columns_near(form: Form) -> dict[str, list[str]]:
    return {a: [b] for a, b in zip(form.columns, list(form.columns)[1:], strict=False) if b not in form.column_formulas}


def _line_change(year: Year, form: Form, line: Line, place: Place, what: str, part: str = "") -> Change:
    changed = replace(form, lines={**form.lines, line.id: line})
    return _form_change(year, changed, place, f"line {line.id}{part}", what, frozenset({(form.name, line.id)}))


def _form_change(year: Year, form: Form, place: Place, about: str, what: str, lines: frozenset[Key]) -> Change:
    law = replace(year, forms={**year.forms, form.name: form})
    return Change(place, f"{form.name} {about}", what, law, lines)
