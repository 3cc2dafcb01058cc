"""`lotlaw rules check`: every problem of every year, each with its place.

Shape first (JSON Schemas), then what a schema cannot say: names, units, cycles, citations, brackets, shares of separate
filers, aliases, boxes, pins, and the examples inside the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from lotlaw import rules as loading
from lotlaw.check.examples import example_problems
from lotlaw.check.yearly import yearly_problems
from lotlaw.formula import Formula, Reader, did_you_mean, parse, unknown
from lotlaw.importers import lint
from lotlaw.law import Form, Function, Line, Parameter, Year, exported, names_of
from lotlaw.lots.treatment import problems_of as treatment_problems
from lotlaw.readings import units
from lotlaw.source import Place, Problem, Problems, refuse

PUBLISHED = "published"
HALF_WITHIN = 50
"""Rounding of indexed amounts may part half of the joint amount from the separate one by this many dollars."""


def problems(root: Path, only: int | None = None) -> list[Problem]:
    """See `lotlaw.check.check`."""
    found: dict[str, Problem] = {}
    years = loading.years(root)
    if not years:
        raise refuse(root, loading.NO_RULES)
    if only is not None and only not in years:
        loading.load(only, root)  # refuses, and says which years there are
    for year in years if only is None else [only]:
        for problem in year_problems(year, root):
            found.setdefault(str(problem), problem)
    if only is None and (root / "sources").is_dir():
        found |= {str(problem): problem for problem in lint.problems(root)}
    return sorted(found.values(), key=lambda p: (p.place.file, p.place.line, p.place.column))


def year_problems(number: int, root: Path, *, locked: bool = True) -> list[Problem]:
    """What is wrong in one year's rules; `locked` asks for its LOCK too."""
    try:
        year = loading.load(number, root)
        year.order  # noqa: B018  (a cycle shows here)
    except Problems as found:
        return found.problems
    wrong = loading.shapes(year.documents)
    wrong += treatment_problems(year)
    wrong += [*_pins(year), *_results(year), *_citations(year), *_parameters(year), *_formulas(year), *_boxes(year)]
    if number - 1 in loading.years(root):
        wrong += _since(year, number - 1)
    wrong = wrong or [p for form in year.forms.values() for p in example_problems(year, form)]
    return [*wrong, *_unlocked(year)] if locked else wrong


def _since(year: Year, before: int) -> list[Problem]:
    try:
        return list(yearly_problems(year, loading.load(before, year.root)))
    except Problems:
        return []  # the year before has its own problems, which are told when it is checked


def _unlocked(year: Year) -> Iterator[Problem]:
    """A published year is locked: nothing that it says has changed since."""
    if year.status == PUBLISHED and not loading.locked(year.root, year.year, year.digest):
        said = f"{year.year} is {PUBLISHED}, and its LOCK is not that of what it says now"
        place = year.documents["year"].place("status")
        yield Problem(place, f"{said}; if the change is meant, lock it again: lotlaw rules lock {year.year}")


def _pins(year: Year) -> Iterator[Problem]:
    document = year.documents["year"]
    for name, pin in document.value["files"].items():
        if isinstance(pin, dict) and "checked" not in pin and year.status != "draft":
            said = f"{name} is pinned to {pin['from']} but nobody says when it was checked, and against what"
            yield Problem(document.key("files", name), said)


def _results(year: Year) -> Iterator[Problem]:
    """Results of a return that no form exports."""
    document = year.documents["year"]
    known = [f"{form.name}.{export}" for form in year.forms.values() for export in form.exports]
    for name, where in document.value["results"].items():
        if where not in known:
            yield Problem(
                document.place("results", name), f"nothing is exported as '{where}'{did_you_mean(where, known)}"
            )


def _citations(year: Year) -> Iterator[Problem]:
    """Citations of sources that the year (the year a pinned file was written for) does not list."""
    for name, document in year.documents.items():
        sources = loading.sources_of(year, name)
        for path, place in document.keys.items():
            if path[-1] != "cite":
                continue
            cite = _at(document.value, path)
            if isinstance(cite, dict) and cite.get("source") not in sources:
                hint = did_you_mean(str(cite.get("source")), sources)
                yield Problem(place, f"source '{cite.get('source')}' is not listed in year.yaml{hint}")


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _parameters(year: Year) -> Iterator[Problem]:
    for parameter in year.parameters.values():
        value = year.documents["parameters"].value[parameter.name]
        for amounts in _by_status(parameter.value):
            yield from _statuses(year, parameter, amounts)
            if "half_for" in value and "half" not in (value.get("waive") or {}):
                yield from _half(year, parameter, amounts, value["half_for"])
        if parameter.unit == "brackets":
            yield from _rising(year, parameter)


def _by_status(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping by filing status in a parameter's value."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        yield from (row["up_to"] for row in value if isinstance(row, dict) and isinstance(row.get("up_to"), dict))


def _statuses(year: Year, parameter: Parameter, amounts: Mapping[str, Any]) -> Iterator[Problem]:
    for status in amounts:
        if status in year.same_as:
            said = f"{parameter.name}: {status} is the same as {year.same_as[status]}; that is said once, in year.yaml"
            yield Problem(parameter.place, said)
        elif status not in year.statuses:
            yield Problem(
                parameter.place, f"{parameter.name}: no filing status '{status}'{did_you_mean(status, year.statuses)}"
            )
    for status in year.statuses:
        if status not in amounts and status not in year.same_as:
            yield Problem(parameter.place, f"{parameter.name}: no amount for {status}")


def _half(year: Year, parameter: Parameter, amounts: Mapping[str, Any], part: str) -> Iterator[Problem]:
    whole = year.documents["year"].value["half_of"].get(part)
    if whole not in amounts or part not in amounts:
        return
    if abs(amounts[part] * 2 - amounts[whole]) > 2 * HALF_WITHIN:
        said = f"{parameter.name}: {part} {amounts[part]:,} is not half of {whole} {amounts[whole]:,}"
        yield Problem(parameter.place, f"{said}; if the law says so, waive it: `waive: {{half: reason}}`")


def _rising(year: Year, parameter: Parameter) -> Iterator[Problem]:
    statuses = [status for status in year.statuses if status not in year.same_as]
    if any(set(amounts) != set(statuses) for amounts in _by_status(parameter.value)):
        return
    for status in statuses:
        rows = year.parameter(parameter.name, status)
        tops, rates = [row.get("up_to") for row in rows], [row["rate"] for row in rows]
        if tops[-1] is not None or None in tops[:-1]:
            yield Problem(parameter.place, f"{parameter.name}: the last bracket, and no other, has no `up_to`")
        elif any(b <= a for a, b in [*pairwise(tops[:-1]), *pairwise(rates)]):
            yield Problem(parameter.place, f"{parameter.name}: brackets don't rise for {status}")


def _formulas(year: Year) -> Iterator[Problem]:
    signatures = {name: _signature(year, f) for name, f in year.functions.items()}
    for function in year.functions.values():
        names = {**function.arguments, **{n: year.parameters[n].unit for n in function.uses if n in year.parameters}}
        yield from _reading(function.formula, names, signatures, f"function {function.name}", None)
    for form in year.forms.values():
        yield from _sources(year, form)
        yield from _form_formulas(year, form, signatures)


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
            yield Problem(place, f"uses '{name}', which is no parameter or function{did_you_mean(name, known)}")
    for source in form.inputs.values():
        file, _, export = source.origin.partition(".")
        if file in ("taxpayer", "ledger") or file in year.not_verified or next(exported(source, year.forms), None):
            continue
        exports = year.forms[file].exports if file in year.forms else ()
        said = f"input {source.name}: nothing is exported as '{source.origin}'{did_you_mean(export, exports)}"
        yield Problem(form.document.place("inputs", source.name), said)
    for name, id_ in form.exports.items():
        if id_ not in form.lines:
            yield Problem(form.document.place("exports", name), f"exports line {id_}, which the form does not have")


def _form_formulas(year: Year, form: Form, signatures: Mapping[str, Any]) -> Iterator[Problem]:
    names = names_of(year, form)
    functions = {name: check for name, check in signatures.items() if name in form.uses}
    if form.only_if:
        yield from _reading(form.only_if, names, functions, form.title, "flag")
    for line in form.lines.values():
        for formula in (line.only_if, *line.skips):
            if formula:
                yield from _reading(formula, names, functions, f"line {line.id}", "flag")
        if line.formula:
            yield from _reading(line.formula, names, functions, f"line {line.id}", line.unit)
        yield from _boxes_of(year, line)
    for n, claim in enumerate(form.document.value.get("invariants") or ()):
        for key in ("when", "always"):
            if key in claim:
                yield from _claim(claim, key, form.document.place("invariants", n, key), names, functions)


def _claim(
    claim: Mapping[str, Any], key: str, place: Place, names: Mapping[str, str], functions: Mapping[str, Any]
) -> Iterator[Problem]:
    try:
        formula = parse(claim[key], place)
    except Problems as found:
        yield from found.problems
        return
    yield from _reading(formula, names, functions, f"invariant '{claim['name']}'", "flag")


def _reading(
    formula: Formula, names: Mapping[str, str], functions: Mapping[str, Any], who: str, wanted: str | None
) -> Iterator[Problem]:
    missing = unknown(formula, names, {*units.functions, *functions})
    if missing:
        yield from (Problem(p.place, f"{who}: {p.message}") for p in missing)
        return
    try:
        unit = Reader(units, names, functions).read(formula)
    except Problems as found:
        yield from (Problem(p.place, f"{who}: {p.message}") for p in found.problems)
        return
    if wanted and unit not in (wanted, units.NUMBER):
        yield Problem(formula.place, f"{who}: a {unit} where a {wanted} belongs")


def _boxes_of(year: Year, line: Line) -> Iterator[Problem]:
    boxes = year.documents["form_8949"].value["boxes"]
    for box in line.total_of.get("boxes") or ():
        if box not in boxes:
            yield Problem(line.place, f"line {line.id}: form_8949 of {year.year} has no box {box}")


def _boxes(year: Year) -> Iterator[Problem]:
    """Every kind of disposition lands in exactly one box, and every box on exactly one line."""
    document = year.documents["form_8949"]
    boxes: dict[str, dict[str, Any]] = document.value["boxes"]
    place = document.key("boxes")
    reports = list(dict.fromkeys(box["form_1099"] for box in boxes.values()))
    for part, report, digital in product(document.value["parts"], reports, (True, False)):
        fits = [name for name, b in boxes.items() if _fits(b, part, report, digital)]
        if len(fits) != 1:
            what = f"part {part}, form_1099 {report}, digital {'yes' if digital else 'no'}"
            found = f"boxes {' and '.join(fits)} overlap" if fits else "no box"
            yield Problem(place, f"boxes are not complete and disjoint: {found} for {what}")
    yield from _landings(year, boxes, place)


def _landings(year: Year, boxes: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    lines = [line for form in year.forms.values() for line in form.lines.values() if line.total_of.get("boxes")]
    for box in boxes:
        landing = [f"{line.form} {line.id}" for line in lines if box in line.total_of["boxes"]]
        if len(landing) != 1:
            said = f"goes to {' and '.join(landing)}" if landing else "goes to no line"
            yield Problem(place, f"box {box} {said}; it belongs on exactly one")


def _fits(box: Mapping[str, Any], part: str, report: str, digital: bool) -> bool:
    return box["part"] == part and box["form_1099"] == report and box["digital"] in ("any", digital)
