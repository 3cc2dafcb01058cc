"""`lotlaw rules show`: a year's rules as they hold, each with its place and citation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lotlaw.explain import amount
from lotlaw.formula import did_you_mean
from lotlaw.law import Form, Line, Parameter, Year, find_line
from lotlaw.rules import load
from lotlaw.source import refuse


def show(year_number: int, form: str | None = None, line: str | None = None, rules: Path | None = None) -> str:
    """The year's contents, one form (or `parameters`), or one line, as text. Raises Problems for an unknown name."""
    year = load(year_number, rules)
    if form is None:
        said = _contents(year)
    elif line is not None:
        said = _line(year, find_line(year, f"{form}.{line}"))
    elif form == "parameters":
        said = (text for parameter in year.parameters.values() for text in _parameter(parameter))
    else:
        said = _form(year, form)
    return "\n".join(said) + "\n"


def _contents(year: Year) -> Iterator[str]:
    yield f"Tax year {year.year}, {year.status}. Digest {year.digest}"
    yield ""
    for name, origin in year.origins.items():
        document = year.documents[name]
        title = document.value.get("title", name.capitalize()) if name != "parameters" else "Parameters"
        pinned = "" if origin == year.year else f"  (as in {origin})"
        yield f"  {name:<20} {title}{pinned}"
        yield f"  {'':<20} {document.file}"
    for name, why in year.not_verified.items():
        yield f"  {name:<20} not verified: {why}"


def _parameter(parameter: Parameter) -> Iterator[str]:
    yield f"{parameter.name} ({parameter.unit}): {parameter.label}"
    yield from (f"  {text}" for text in _value(parameter.value))
    yield f"  {parameter.place.file}:{parameter.place.line}  {parameter.cite}"


def _value(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield "  ".join(f"{key} {amount(item)}" for key, item in value.items())
    elif isinstance(value, list):
        for row in value:
            yield (
                "; ".join(f"{key} {', '.join(_value(item))}" for key, item in row.items())
                if isinstance(row, dict)
                else str(row)
            )
    else:
        yield amount(value)


def _form(year: Year, name: str) -> Iterator[str]:
    if name in year.not_verified:
        raise refuse(name, year.not_verified[name])
    if name not in year.forms:
        known = ["parameters", *year.forms]
        raise refuse(name, f"no such form in {year.year}{did_you_mean(name, known)}; there are {', '.join(known)}")
    form = year.forms[name]
    yield f"{form.title} ({form.document.file}; {form.cite})"
    if form.only_if:
        yield f"  only if {form.only_if.text}"
    yield from _inputs(form)
    for line in form.lines.values():
        yield from (f"  {text}" for text in _brief(line))


def _inputs(form: Form) -> Iterator[str]:
    for source in form.inputs.values():
        yield f"  {source.name} ({source.unit}) from {source.origin}"


def _brief(line: Line) -> Iterator[str]:
    rule = line.formula.text if line.formula else f"{line.kind} {dict(line.total_of) or ''}".strip()
    condition = f"  [only if {line.only_if.text}]" if line.only_if else ""
    yield f"{line.id:>4}  {line.label}"
    yield f"      {rule}{condition}  ({line.place.file}:{line.place.line})"


def _line(year: Year, line: Line) -> Iterator[str]:
    yield f"{year.forms[line.form].title} of {year.year}"
    yield from _brief(line)
    yield from (f"      skipped if {skip.text}" for skip in line.skips)
    yield f"      {line.cite}" + (f' "{line.cite.quote}"' if line.cite.quote else "")
    if line.to:
        yield f"      goes to {line.to}"
