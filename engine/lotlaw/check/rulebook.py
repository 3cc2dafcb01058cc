"""`lotlaw rules check`: every problem of every year, each with its place and the name of the check that found it.

Shape first (JSON Schemas), then what a schema cannot say: names, units, cycles, citations, numbers, boxes, pins, and
the examples inside the files. docs/rule-format.md lists the checks, and which of them a file may waive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

from lotlaw import rules as loading
from lotlaw.check.claims import claim_problems
from lotlaw.check.examples import return_problems, run_all, side_findings
from lotlaw.check.exceptions import exception_problems
from lotlaw.check.findings import Finding, idle, unwaived
from lotlaw.check.formulas import formula_problems
from lotlaw.check.layouts import layout_problems
from lotlaw.check.numbers import number_findings, number_problems
from lotlaw.check.pdf_maps import pdf_problems
from lotlaw.check.templates import template_problems
from lotlaw.check.uses import unused_findings
from lotlaw.formula import did_you_mean
from lotlaw.importers import lint
from lotlaw.law import Year
from lotlaw.lots.methods import problems_of as method_problems
from lotlaw.lots.treatment import problems_of as treatment_problems
from lotlaw.source import Document, Place, Problem, Problems, refuse


@dataclass
class _Checked:
    """What was found in a year: problems, and what the checks found that may be waived in its documents.

    `complete` says that its examples were run, too.
    """

    problems: list[Problem]
    findings: list[Finding] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    complete: bool = False


def problems(root: Path, only: int | None = None) -> list[Problem]:
    """See `lotlaw.check.check`."""
    years = loading.years(root)
    if not years:
        raise refuse(root, loading.NO_RULES)
    if only is not None and only not in years:
        loading.load(only, root)  # refuses, and says which years there are
    checked = [_checked(year, root, locked=True) for year in (years if only is None else [only])]
    wrong = [problem for year in checked for problem in year.problems]
    if only is None:
        wrong += _of_the_folder(root, checked)
    return sorted({str(p): p for p in wrong}.values(), key=lambda p: (p.place.file, p.place.line, p.place.column))


def _of_the_folder(root: Path, checked: list[_Checked]) -> Iterator[Problem]:
    """What shows when all years are looked at: idle waivers, the mappings of exports, templates beside the rules."""
    if all(year.complete for year in checked):
        yield from idle((d for year in checked for d in year.documents), (f for year in checked for f in year.findings))
    if (root / "sources").is_dir():
        yield from lint.problems(root, locked=True)
    if (root.parent / "forms").is_dir():
        yield from template_problems(root.parent / "forms")
        yield from layout_problems(root.parent / "forms" / "exports", (d for year in checked for d in year.documents))


def year_problems(number: int, root: Path, *, locked: bool = True) -> list[Problem]:
    """What is wrong in one year's rules; `locked` asks for its LOCK too."""
    return _checked(number, root, locked=locked).problems


def _checked(number: int, root: Path, *, locked: bool) -> _Checked:
    try:
        year = loading.load(number, root)
        year.order  # noqa: B018  (a cycle shows here)
    except Problems as unreadable:
        return _Checked(unreadable.problems)
    wrong = [Problem(p.place, p.message, _shape(p)) for p in loading.shapes(year.documents)]
    wrong += [Problem(p.place, p.message, "dispositions") for p in (*treatment_problems(year), *method_problems(year))]
    wrong += [*_pins(year), *_results(year), *_citations(year)]
    wrong += [*number_problems(year), *formula_problems(year), *claim_problems(year)]
    wrong += [*box_problems(year), *exception_problems(year)]
    wrong += pdf_problems(year, root.parent / "forms" / "pdf")
    found = [*number_findings(year, _before(year)), *unused_findings(year)]
    complete = not wrong
    if complete:
        for form in year.forms.values():
            failed, ran = run_all(year, form)
            wrong += failed
            found += side_findings(form, ran) if year.origins[form.name] == number else ()
        wrong += return_problems(year)
    wrong += unwaived(found)
    wrong += _unlocked(year) if locked else ()
    return _Checked(wrong, found, list(year.documents.values()), complete)


def _shape(problem: Problem) -> str:
    return "cited" if problem.message.startswith("'cite' is missing") else "shape"


def _before(year: Year) -> Year | None:
    if year.year - 1 not in loading.years(year.root):
        return None
    try:
        return loading.load(year.year - 1, year.root)
    except Problems:
        return None  # the year before has its own problems, which are told when it is checked


def _unlocked(year: Year) -> Iterator[Problem]:
    """A published year is locked: nothing that it says has changed since."""
    if year.status == loading.PUBLISHED and not loading.locked(year.root, year.year, year.digest):
        said = f"{year.year} is {loading.PUBLISHED}, and its LOCK is not that of what it says now"
        place = year.documents["year"].place("status")
        yield Problem(place, f"{said}; if the change is meant, lock it again: lotlaw rules lock {year.year}", "locked")
    for digest in loading.lock_of(year.root, year.year).before:
        if not loading.erratum_of(year, digest):
            said = f"{year.year} was {loading.PUBLISHED} before as {digest[:12]}, and no erratum says what was wrong"
            yield Problem(year.documents["year"].place("status"), said, "errata")


def _pins(year: Year) -> Iterator[Problem]:
    """Pins that nobody has read beside this year's form, and values that nobody has read at all."""
    document = year.documents["year"]
    for name, pin in document.value["files"].items():
        if isinstance(pin, dict) and "checked" not in pin and year.status == loading.PUBLISHED:
            said = f"{name} is pinned to {pin['from']} but nobody says when it was checked, and against what"
            yield Problem(document.key("files", name), said, "pins")
        elif isinstance(pin, dict) and isinstance(pin.get("checked"), date) and pin["checked"].year < year.year:
            said = f"{name} was checked on {pin['checked']}, before the year whose form it was checked against"
            yield Problem(document.key("files", name), said, "pins")
    for parameter in year.parameters.values() if year.status == loading.PUBLISHED else ():
        if parameter.unread or parameter.projected:
            why = f"nobody has read it ({parameter.unread})" if parameter.unread else f"it is {parameter.projected}"
            yield Problem(
                parameter.place, f"{parameter.name} stands in a {loading.PUBLISHED} year, but {why}", "unread"
            )


def _results(year: Year) -> Iterator[Problem]:
    """Results of a return that no form exports."""
    document = year.documents["year"]
    known = [f"{form.name}.{export}" for form in year.forms.values() for export in form.exports]
    for name, where in document.value["results"].items():
        if where not in known:
            said = f"nothing is exported as '{where}'{did_you_mean(where, known)}"
            yield Problem(document.place("results", name), said, "links")


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
                yield Problem(place, f"source '{cite.get('source')}' is not listed in year.yaml{hint}", "sources")


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def box_problems(year: Year) -> Iterator[Problem]:
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
            yield Problem(place, f"boxes are not complete and disjoint: {found} for {what}", "boxes")
    yield from _landings(year, boxes, place)


def _landings(year: Year, boxes: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    lines = [line for form in year.forms.values() for line in form.lines.values() if line.total_of.get("boxes")]
    for box in boxes:
        landing = [f"{line.form} {line.id}" for line in lines if box in line.total_of["boxes"]]
        if len(landing) != 1:
            said = f"goes to {' and '.join(landing)}" if landing else "goes to no line"
            yield Problem(place, f"box {box} {said}; it belongs on exactly one", "boxes")


def _fits(box: Mapping[str, Any], part: str, report: str, digital: bool) -> bool:
    return box["part"] == part and box["form_1099"] == report and box["digital"] in ("any", digital)
