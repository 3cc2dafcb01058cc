"""The named check `pdf`: the field maps of official PDFs name what the forms of their year have, all of it, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lotlaw.blanks import FieldMap, maps_of
from lotlaw.formula import did_you_mean
from lotlaw.law import Form, Line, Year
from lotlaw.source import Path_, Place, Problem, Problems

NAMES = ("name", "ssn")


def pdf_problems(year: Year, folder: Path) -> Iterator[Problem]:
    """What is wrong in the field maps that a folder has of a year."""
    try:
        maps = maps_of(year, folder)
    except Problems as found:
        yield from (Problem(p.place, p.message, "pdf") for p in found.problems)
        return
    for map_ in maps.values():
        yield from (Problem(place, said, "pdf") for place, said in _problems(year, map_))


def _problems(year: Year, map_: FieldMap) -> Iterator[tuple[Place, str]]:
    document, said = map_.document, map_.said
    source = said["blank"]["source"]
    if not map_.url:
        sources = year.documents["year"].value["sources"]
        yield document.place("blank", "source"), f"source '{source}' is not in year.yaml{did_you_mean(source, sources)}"
    if map_.form in year.forms:
        yield from _lines(year.forms[map_.form], map_)
    elif map_.form in year.documents and "parts" in year.documents[map_.form].value:
        yield from _parts(year.documents[map_.form].value, map_)
    else:
        known = [*year.forms, *(name for name, d in year.documents.items() if "boxes" in d.value)]
        yield document.place("form"), f"no form '{map_.form}' in {year.year}{did_you_mean(map_.form, known)}"
    fields = [(path, field) for path, field in _fields(said) if path[0] not in ("form", "blank")]
    counts = Counter(field for _, field in fields)
    for path, field in fields:
        if counts[field] > 1:
            yield document.place(*path), f"field {field} is named {counts[field]} times; it can show one thing"


def _fields(said: Any, path: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    """Every field that is named, with its place."""
    if isinstance(said, str):
        yield path, said
        return
    entries: Iterable[tuple[Any, Any]] = enumerate(said) if isinstance(said, list) else said.items()
    for key, value in entries:
        yield from _fields(value, (*path, key))


def _lines(form: Form, map_: FieldMap) -> Iterator[tuple[Place, str]]:
    document, lines = map_.document, map_.said.get("lines") or {}
    for key in (*NAMES, "lines"):
        if key not in map_.said:
            yield document.place(), f"'{key}' is missing: the map of a form of lines has name, ssn and lines"
    for id_, fields in lines.items():
        if id_ not in form.lines:
            hint = did_you_mean(id_, form.lines)
            yield document.key("lines", id_), f"no line '{id_}' on the {map_.year} {form.name}{hint}"
            continue
        wanted, named = _wanted(form, form.lines[id_]), set(fields) if isinstance(fields, Mapping) else {""}
        if named != wanted:
            shown = ", ".join(sorted(wanted)) if wanted != {""} else "one field"
            yield document.place("lines", id_), f"line {id_} of {form.name} has {shown}"
    for id_, line in form.lines.items():
        if lines and line.printed and id_[0].isdigit() and id_ not in lines:
            yield document.key("lines"), f"line {id_} of the {map_.year} {form.name} has no field here"


def _wanted(form: Form, line: Line) -> set[str]:
    """What a line has fields for: its columns, yes and no, or one amount."""
    if line.columns:
        return {column for column in form.columns if column in line.columns or column in form.column_formulas}
    return {"yes", "no"} if line.unit == "flag" else {""}


def _parts(form: Mapping[str, Any], map_: FieldMap) -> Iterator[tuple[Place, str]]:
    document, parts = map_.document, map_.said.get("parts") or {}
    if set(parts) != set(form["parts"]):
        yield document.key("parts"), f"the {map_.year} form has the parts {', '.join(form['parts'])}"
        return
    totals = {column for column, about in form["columns"].items() if "total" in about}
    for name, part in parts.items():
        boxes = {box for box, about in form["boxes"].items() if about["part"] == name}
        yield from _same(map_, ("parts", name, "boxes"), set(part["boxes"]), boxes, "boxes")
        yield from _same(map_, ("parts", name, "totals"), set(part["totals"]), totals, "totals of columns")
        for n, row in enumerate(part["rows"]):
            yield from _same(map_, ("parts", name, "rows", n), set(row), set(form["columns"]), "columns")
        wanted = form["rows_a_page"]["value"]
        if len(part["rows"]) != wanted:
            said = f"{len(part['rows'])} rows; a page of the {map_.year} form has {wanted}"
            yield document.key("parts", name, "rows"), said


def _same(map_: FieldMap, path: Path_, named: set[str], wanted: set[str], what: str) -> Iterator[tuple[Place, str]]:
    if named != wanted:
        wrong = ", ".join(sorted(named ^ wanted))
        said = f"part {path[1]} of the {map_.year} form has the {what} {', '.join(sorted(wanted))}; see {wrong}"
        yield map_.document.place(*path), said
