"""The pages of a rulebook for files that hold tables: boxes, codes, kinds of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lotlaw.audit.show import file_facts, title_of, told
from lotlaw.explain.amounts import amount
from lotlaw.law import Year
from lotlaw.rendering.saying import Text
from lotlaw.rules import sources_of


def pin(year: Year, name: str) -> dict[str, Any]:
    """Where a file of the year comes from, with every key that a page asks for."""
    return {"checked": "", "against": "", "by": "", "unchecked": "", **file_facts(year, name)}


def table_page(year: Year, name: str) -> dict[str, Any]:
    """What the page of a file of tables shows: each entry with what it says."""
    document, sources = year.documents[name], sources_of(year, name)
    parts = [
        {"name": key.replace("_", " "), "rows": list(_rows(value, sources))}
        for key, value in document.value.items()
        if key not in ("form", "title", "uses", "cite")
    ]
    cite = _pair("cite", document.value["cite"], sources)[1]
    return {
        "title": title_of(year, name),
        "facts": pin(year, name),
        "parts": parts,
        "cite": cite,
        "place": document.file,
    }


def _rows(value: Any, sources: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, Text]]]]:
    """The rows of a table: what each is called, and what it says, a citation as a link."""
    if not isinstance(value, (Mapping, list)):
        yield "", [("", Text(amount(value)))]
        return
    for key, entry in value.items() if isinstance(value, Mapping) else enumerate(value, 1):
        called_ = str(key).replace("_", " ")
        if isinstance(entry, list) and any(isinstance(item, Mapping) for item in entry):
            yield from ((f"{called_} {n}", _pairs(item, sources)) for n, item in enumerate(entry, 1))
        elif key == "cite":
            yield "source", [("", _pair("cite", entry, sources)[1])]
        else:
            yield called_, _pairs(entry, sources)


def _pairs(entry: Any, sources: Mapping[str, Any]) -> list[tuple[str, Text]]:
    if not isinstance(entry, Mapping):
        return [("", Text(told(entry)))]
    return [_pair(key, value, sources) for key, value in entry.items()]


def _pair(key: str, value: Any, sources: Mapping[str, Any]) -> tuple[str, Text]:
    if key == "cite" and value["source"] in sources:
        source = sources[value["source"]]
        return "", Text(f"{source['title']}, {value['at']}" if "at" in value else source["title"], source["url"])
    return key.replace("_", " "), Text(told(value))
