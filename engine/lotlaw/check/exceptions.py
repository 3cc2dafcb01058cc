"""The named check `exceptions`: what Form 8949 lets be summed up names boxes, lines, columns and codes of the year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lotlaw.formula import did_you_mean
from lotlaw.law import Year
from lotlaw.source import Path_, Problem


def exception_problems(year: Year) -> Iterator[Problem]:
    """Names in the exceptions of a year's Form 8949 that the year does not have."""
    form = year.documents["form_8949"].value
    said = form.get("exceptions")
    if not said:
        return
    direct, summed = said["aggregate_covered"], said["summarize"]
    for box in direct["lines"]:
        yield from _known(year, ("aggregate_covered", "lines", box), "box", box, form["boxes"])
    yield from _lines(year)
    for n, letter in enumerate(direct["empty"]):
        yield from _known(year, ("aggregate_covered", "empty", n), "column", letter, form["columns"])
    yield from _known(year, ("summarize", "code"), "code", summed["code"], form["codes"])
    for n, code in enumerate(summed["never"]):
        yield from _known(year, ("summarize", "never", n), "code", code, form["codes"])


def _lines(year: Year) -> Iterator[Problem]:
    """Lines that sales go straight to must be such that amounts can be put there: typed, by column."""
    lines = [line for form in year.forms.values() for line in form.lines.values()]
    typed = [f"{line.form}.{line.id}" for line in lines if line.kind == "input" and line.columns]
    for box, line in year.documents["form_8949"].value["exceptions"]["aggregate_covered"]["lines"].items():
        yield from _known(year, ("aggregate_covered", "lines", box), "line with typed columns", line, typed)


def _known(year: Year, path: Path_, what: str, said: str, known: Iterable[str]) -> Iterator[Problem]:
    known = list(known)
    if said not in known:
        place = year.documents["form_8949"].place("exceptions", *path)
        message = f"the {year.year} form has no {what} '{said}'{did_you_mean(said, known)}; it has {', '.join(known)}"
        yield Problem(place, message, "exceptions")
