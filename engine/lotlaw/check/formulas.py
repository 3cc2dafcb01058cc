"""The checks `names`, `units` and `links`: what formulas read exists and fits, and so do inputs, exports and boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lotlaw.formula import Formula, Reader, did_you_mean, unknown
from lotlaw.law import Form, Function, Line, Year, exported, names_of
from lotlaw.readings import units
from lotlaw.source import Problem, Problems


def formula_problems(year: Year) -> Iterator[Problem]:
    """Formulas of functions, forms, lines, skips and claims that cannot be read, or that are not what belongs there."""
    signatures = signatures_of(year)
    for function in year.functions.values():
        names = {**function.arguments, **{n: year.parameters[n].unit for n in function.uses if n in year.parameters}}
        yield from reading_problems(function.formula, names, signatures, f"function {function.name}", None)
    for form in year.forms.values():
        yield from _sources(year, form)
        yield from _form_formulas(year, form, signatures)


def signatures_of(year: Year) -> dict[str, Any]:
    """The unit checks of the functions of rule files."""
    return {name: _signature(year, function) for name, function in year.functions.items()}


def _signature(year: Year, function: Function) -> Any:
    names = {**function.arguments, **{n: year.parameters[n].unit for n in function.uses if n in year.parameters}}
    try:
        result = Reader(units, names).read(function.formula)
    except (Problems, KeyError):
        result = "money"
    return units.signature(function.name, result, *function.arguments.values())


def _sources(year: Year, form: Form) -> Iterator[Problem]:
    """`uses`, `inputs` and `exports` that name what does not exist."""
    known = {*year.parameters, *year.functions}
    for n, name in enumerate(form.uses):
        if name not in known:
            place = form.document.place("uses", n)
            said = f"uses '{name}', which is no parameter or function{did_you_mean(name, known)}"
            yield Problem(place, said, "names")
    for source in form.inputs.values():
        file, _, export = source.origin.partition(".")
        if file in ("taxpayer", "ledger") or file in year.not_verified or next(exported(source, year.forms), None):
            continue
        exports = year.forms[file].exports if file in year.forms else ()
        said = f"input {source.name}: nothing is exported as '{source.origin}'{did_you_mean(export, exports)}"
        yield Problem(form.document.place("inputs", source.name), said, "links")
    for name, id_ in form.exports.items():
        if id_ not in form.lines:
            said = f"exports line {id_}, which the form does not have"
            yield Problem(form.document.place("exports", name), said, "links")


def _form_formulas(year: Year, form: Form, signatures: Mapping[str, Any]) -> Iterator[Problem]:
    names = names_of(year, form)
    functions = {name: check for name, check in signatures.items() if name in form.uses}
    if form.only_if:
        yield from reading_problems(form.only_if, names, functions, form.title, "flag")
    for line in form.lines.values():
        for formula in (line.only_if, *line.skips):
            if formula:
                yield from reading_problems(formula, names, functions, f"line {line.id}", "flag")
        if line.formula:
            yield from reading_problems(line.formula, names, functions, f"line {line.id}", line.unit)
        yield from _boxes_of(year, line)


def reading_problems(
    formula: Formula, names: Mapping[str, str], functions: Mapping[str, Any], who: str, wanted: str | None
) -> Iterator[Problem]:
    """What keeps a formula from being read, or from being in the unit that is wanted."""
    missing = unknown(formula, names, {*units.functions, *functions})
    if missing:
        yield from (Problem(p.place, f"{who}: {p.message}", "names") for p in missing)
        return
    try:
        unit = Reader(units, names, functions).read(formula)
    except Problems as found:
        yield from (Problem(p.place, f"{who}: {p.message}", "units") for p in found.problems)
        return
    if wanted and unit not in (wanted, units.NUMBER):
        yield Problem(formula.place, f"{who}: a {unit} where a {wanted} belongs", "units")


def _boxes_of(year: Year, line: Line) -> Iterator[Problem]:
    boxes = year.documents["form_8949"].value["boxes"]
    for box in line.total_of.get("boxes") or ():
        if box not in boxes:
            yield Problem(line.place, f"line {line.id}: form_8949 of {year.year} has no box {box}", "boxes")
