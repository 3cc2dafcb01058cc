"""The pages of a rulebook for what stands between the law and the world: blank forms, exports, symbols of assets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lotlaw.audit.book.glossary import entry_called, plain
from lotlaw.audit.book.sections import Entry, Row, Section
from lotlaw.audit.show import title_of
from lotlaw.blanks import FieldMap, maps_of
from lotlaw.importers.mapping import checked
from lotlaw.law import Cite, Year
from lotlaw.rendering.saying import Text
from lotlaw.schema import shape_problems
from lotlaw.source import Document, Path_, Problems, read_yaml

NONE, NOWHERE = {"title": ""}, Cite("", "")
FIELDS = 12
"""How many names of a header tell what a file is recognised by."""


def paper_page(year: Year) -> dict[str, Any]:
    """Which field of the IRS's blank forms shows what; a section a form."""
    facts = _facts(f"forms/pdf/{year.year}", year.status, year.year)
    sections = [_paper(year, map_) for map_ in maps_of(year).values()]
    none = Section("none", "None", f"No official PDF of {year.year} can be filled yet.", "", [], [])
    return {"title": "Blank forms", "cite": NONE, "facts": facts, "sections": sections or [none]}


def _facts(file: str, status: str, since: object) -> dict[str, Any]:
    return {"status": status, "file": file, "from": since, "unchecked": "", "checked": ""}


def _paper(year: Year, map_: FieldMap) -> Section:
    says = f"{map_.title}, {map_.url}; no blank is filled but the one whose SHA-256 is {map_.sha256}."
    lines = year.forms[map_.form].lines if map_.form in year.forms else {}
    entries = []
    for path, name, fields in _fields(map_.said):
        label = f": {lines[str(path[-1])].label}" if path[-1] in lines else ""
        place, cells = map_.document.key(*path), [Row(0, "Fields", [Text(fields)])]
        anchor = "-".join(map(str, (map_.form, *path)))
        entries.append(Entry(anchor, plain(name) + label, "", cells, NOWHERE, f"{place.file}:{place.line}", []))
    return Section(map_.form, title_of(year, map_.form), says, map_.document.file, entries, ["Fields"])


def _fields(said: Mapping[str, Any], path: Path_ = (), before: str = "") -> Iterator[tuple[Path_, str, str]]:
    """Each thing that a form shows: its path in the map, what a reader calls it, and its fields."""
    for key, word in (("name", "name"), ("ssn", "SSN"), ("totals", "totals")):
        if key in said:
            yield (*path, key), f"{before}{word}", _listed(said[key])
    for key, word in (("boxes", "box"), ("lines", "line")):
        for name, fields in said.get(key, {}).items():
            yield (*path, key, name), f"{before}{word} {name}", _listed(fields)
    for n, row in enumerate(said.get("rows", ())):
        yield (*path, "rows", n), f"{before}row {n + 1}", _listed(row)
    for name, part in said.get("parts", {}).items():
        yield from _fields(part, (*path, "parts", name), f"Part {name}, ")


def _listed(fields: Any) -> str:
    if not isinstance(fields, Mapping):
        return str(fields)
    return ", ".join(f"{key} {field}" if key in ("yes", "no") else f"({key}) {field}" for key, field in fields.items())


def imports_page(year: Year) -> dict[str, Any]:
    """Which exports are read, by which files; and what well-known symbols are."""
    paths = sorted((year.root / "sources").glob("*.yaml"))
    exports = [_export(year, path) for path in paths]
    says = "Each is recognised by its header. What no rule of its file takes stops the import: nothing is guessed."
    found = [Section("exports", "Exports", says, "", exports, [])]
    assets = year.root / "assets.yaml"
    known = [_assets(year, _read(assets, "assets"))] if assets.is_file() else []
    facts = _facts("rules/sources", "every year", "every year")
    return {"title": "Exports that are read", "cite": NONE, "facts": facts, "sections": [*found, *known]}


def _read(path: Path, schema: str, *, locked: bool = False) -> Document:
    """A file that has the shape of its schema, as a locked one is known to. Raises Problems."""
    document = read_yaml(path, text_only=True)
    problems = [] if locked else shape_problems(document, schema)
    if problems:
        raise Problems(problems)
    return document


def _export(year: Year, path: Path) -> Entry:
    locked = checked(path)
    document = _read(path, "source", locked=locked)
    said, kinds = document.value, year.documents["dispositions"].value["kinds"]
    made = [event.get("kind") for test in said["tests"] for event in test.get("events", ())]
    events = dict.fromkeys(entry_called(("kinds",), kinds[kind]) for kind in made if kind in kinds)
    detect = said["detect"]
    headers = [detect["header"]] if "header" in detect else detect.get("any_of", [])
    cells = {
        "Recognised by": "; or ".join(map(_header, headers)),
        "Examples": str(len(said["tests"])), "Events of its examples": ", ".join(events),
        "Unchanged since it was checked": "yes" if locked else "no",
    }  # fmt: skip
    rows = [Row(0, name, [Text(text)]) for name, text in cells.items()]
    return Entry(f"export-{said['id']}", said["title"], said["id"], rows, NOWHERE, document.file, [])


def _header(names: Sequence[object]) -> str:
    return ", ".join(map(str, names[:FIELDS])) + (" …" if len(names) > FIELDS else "")


def _assets(year: Year, document: Document) -> Section:
    classes = year.documents["dispositions"].value["asset_classes"]
    entries = [
        Entry(
            f"assets-{name}", classes[name]["label"] if name in classes else name, name,
            [Row(0, "Symbols", [Text(", ".join(map(str, symbols)))])], NOWHERE,
            f"{document.file}:{document.key('assets', name).line}", [],
        )
        for name, symbols in document.value["assets"].items()
    ]  # fmt: skip
    says = "What a symbol is where no row says it. Any other asset needs its class on one of its rows."
    return Section("assets", "Well-known symbols", f"{says} ({document.file})", "", entries, ["Symbols"])
