"""The pages of a rulebook: what each shows, for templates that only show it (forms/rulebook)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lotlaw import __version__
from lotlaw.audit.book import examples, history
from lotlaw.audit.book.forms import form_page
from lotlaw.audit.book.graph import graph_of_year
from lotlaw.audit.book.links import Readers, line_href, line_said
from lotlaw.audit.book.numbers import numbers_page
from lotlaw.audit.book.outside import NONE, imports_page, paper_page
from lotlaw.audit.book.tables import pin, table_page
from lotlaw.audit.show import errata_of, rule_of, title_of
from lotlaw.law import Year, exported_line
from lotlaw.rendering.amounts import clean
from lotlaw.rendering.saying import Text
from lotlaw.rendering.templates import fill
from lotlaw.rules import EXAMPLES, TABLES


def pages(year: Year) -> Iterator[tuple[str, str]]:
    """The files of a year's rulebook by name."""
    law, readers = history.all_years(year), Readers(year)
    frame = {"year": year, "engine": f"lotlaw rulebook {__version__}", "digest": year.digest[:12], "menu": _menu(year)}
    yield "index.html", _page("index", frame, **_index(year))
    for form in year.forms.values():
        yield f"{form.name}.html", _page("form", frame, **form_page(year, form, law, readers))
    yield "parameters.html", _page("parameters", frame, **numbers_page(year, law, readers))
    tables = {name: table_page(year, name, law) for name in TABLES}
    for name, table in tables.items():
        yield f"{name}.html", _page("table", frame, **table)
    yield "returns.html", _page("returns", frame, **_returns(year))
    yield "blanks.html", _page("table", frame, **paper_page(year))
    yield "imports.html", _page("table", frame, **imports_page(year))
    yield "sources.html", _page("sources", frame, **_sources(year))
    yield "graph.html", _page("graph", frame, **_graphs(year))
    yield "book.css", fill("rulebook/book.css")
    yield "book.js", fill("rulebook/book.js")
    yield (
        "lines.js",
        f"// lotlaw rulebook {year.year}: what the search looks through\nconst LINES = {_found(year, tables)};\n",
    )


def _page(name: str, frame: Mapping[str, Any], **values: Any) -> str:
    menu = [{"href": item.href, "text": item.text, "here": item.text == values["title"]} for item in frame["menu"]]
    return fill(f"rulebook/{name}.html.j2", **{**frame, **values, "menu": menu})


def _menu(year: Year) -> list[Text]:
    forms = [Text(form.title, f"{form.name}.html") for form in year.forms.values()]
    tables = [Text(str(year.documents[name].value["title"]), f"{name}.html") for name in TABLES]
    return [
        Text(f"Rulebook of tax year {year.year}", "index.html"), Text("Numbers", "parameters.html"), *tables, *forms,
        Text("Whole returns", "returns.html"), Text("Graph of the forms", "graph.html"),
        Text("Blank forms", "blanks.html"), Text("Exports that are read", "imports.html"),
        Text("Sources", "sources.html"),
    ]  # fmt: skip


def _index(year: Year) -> dict[str, Any]:
    files = [{"link": Text(_title(year, name), _page_of(name)), **pin(year, name)} for name in year.origins]
    return {
        "title": f"Rulebook of tax year {year.year}", "files": files, "status": year.status, "sha256": year.digest,
        "errata": errata_of(year), "not_verified": list(year.not_verified.values()), "not_computed": year.not_computed,
        "results": _results(year),
    }  # fmt: skip


def _title(year: Year, name: str) -> str:
    """What the rulebook calls a file."""
    return {"parameters": "Numbers", EXAMPLES: "Whole returns"}.get(name) or title_of(year, name)


def _page_of(name: str) -> str:
    return "returns.html" if name == EXAMPLES else f"{name}.html"


def _results(year: Year) -> list[dict[str, Any]]:
    lines = [exported_line(year.forms, where) for where in year.documents["year"].value["results"].values()]
    return [
        {"line": Text(line_said(year.forms[line.form], line, ""), line_href(line)), "label": line.label}
        for line in lines
    ]


def _returns(year: Year) -> dict[str, Any]:
    found = pin(year, EXAMPLES) if EXAMPLES in year.origins else _contents(year)
    return {"title": "Whole returns", "facts": found, "cite": NONE, "examples": examples.of_year(year)}


def _contents(year: Year) -> dict[str, Any]:
    """Where the contents page of a year stands, as of a file."""
    file = year.documents["year"].file
    return {"status": year.status, "file": file, "from": year.year, "unchecked": "", "checked": ""}


def _sources(year: Year) -> dict[str, Any]:
    said = year.documents["year"].value["sources"]
    return {"title": "Sources", "facts": _contents(year), "cite": NONE, "sources": list(said.values())}


def _graphs(year: Year) -> dict[str, Any]:
    forms = [Text(form.title, f"{form.name}.html#graph") for form in year.forms.values() if form.lines]
    found = {"title": "Graph of the forms", "facts": _contents(year), "cite": NONE}
    return {**found, "graph": graph_of_year(year), "forms": forms}


def _found(year: Year, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """What the search looks through: for each line, number and entry its name, its words and where it stands."""
    lines = [
        [line_said(form, line, ""), line.label, line_href(line), rule_of(line)]
        for form in year.forms.values()
        for line in form.lines.values()
    ]
    numbers = [
        [p.label, p.name.replace("_", " "), f"parameters.html#{p.name}", str(p.cite)] for p in year.parameters.values()
    ]
    forms = [[form.title, "", f"{form.name}.html", str(form.cite)] for form in year.forms.values()]
    entries = [
        [entry.title, section.title, f"{name}.html#{entry.anchor}", f"{entry.code} {entry.cite}"]
        for name, table in tables.items()
        for section in table["sections"]
        for entry in section.entries
        if entry.title
    ]
    sections = [
        [section.title, table["title"], f"{name}.html#{section.anchor}", section.says]
        for name, table in tables.items()
        for section in table["sections"]
    ]
    found = (*forms, *sections, *numbers, *lines, *entries)
    said = json.dumps([[clean(word) for word in entry] for entry in found], ensure_ascii=False)
    return said.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
