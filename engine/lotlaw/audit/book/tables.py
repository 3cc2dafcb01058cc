"""The pages of a rulebook for files that hold tables: boxes, codes, kinds of events; with their places and law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lotlaw.audit.book.glossary import (
    Path_,
    entry_called,
    glossary,
    key_called,
    plain,
    section_called,
    value_called,
    word,
)
from lotlaw.audit.book.history import Epoch, together
from lotlaw.audit.book.links import line_href, line_said, listed, value_said
from lotlaw.audit.book.sections import Entry, Row, Section
from lotlaw.audit.show import file_facts, said_value, title_of
from lotlaw.explain.amounts import amount
from lotlaw.formula import Reader, parse
from lotlaw.law import Cite, Year
from lotlaw.readings import words
from lotlaw.rendering.saying import Text, pieces
from lotlaw.rules import cite_in, sources_of
from lotlaw.source import Document, Place

HEAD = ("form", "title", "uses", "cite")
"""Keys of a file that its page shows at the top."""


def pin(year: Year, name: str) -> dict[str, Any]:
    """Where a file of the year comes from, with every key that a page asks for."""
    return {"checked": "", "against": "", "by": "", "unchecked": "", **file_facts(year, name)}


def table_page(year: Year, name: str, law: list[Year]) -> dict[str, Any]:
    """What the page of a file of tables shows."""
    table = Table(year, name, law)
    return {
        "title": title_of(year, name), "facts": pin(year, name), "sections": list(table.sections()),
        "cite": table.cite(table.document.value),
    }  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Says what stands in a file of tables; `law` has all years, for what others say."""

    year: Year
    name: str
    law: list[Year]

    @property
    def document(self) -> Document:
        return self.year.documents[self.name]

    def cite(self, said: Any) -> Cite:
        """The law that an entry cites."""
        given = said.get("cite") if isinstance(said, Mapping) else None
        return cite_in(self.sources, given)

    @cached_property
    def sources(self) -> Mapping[str, Any]:
        return sources_of(self.year, self.name)

    @cached_property
    def paths(self) -> list[Path_]:
        """The sections of the file, in the order of the words."""
        found = [tuple(path.split(".")) for path in glossary()["sections"]]
        rest = [(key,) for key in self.document.value if key not in HEAD and (key,) not in found]
        return [path for path in (*found, *rest) if _at(self.document.value, path) is not None]

    def sections(self) -> Iterator[Section]:
        """The sections of the page."""
        for path in self.paths:
            said = glossary()["sections"].get(".".join(path), {})
            value, place = _at(self.document.value, path), self.document.key(*path)
            entries = list(self._entries(path, value))
            heads = list(dict.fromkeys(row.name for entry in entries for row in entry.rows)) if _flat(value) else []
            yield Section(
                anchor="-".join(path), title=section_called(path), says=said.get("says", ""),
                place=f"{place.file}:{place.line}", entries=entries, heads=heads, code=said.get("code", ""),
            )  # fmt: skip
            yield from self._examples(path, value)

    def _examples(self, path: Path_, value: Any) -> Iterator[Section]:
        """The worked examples inside a section, as one of their own."""
        for at, given in _examples_in(path, value):
            place = self.document.key(*at)
            entries = [self._entry((*at, str(n)), (*at, n), example) for n, example in enumerate(given)]
            heads = list(dict.fromkeys(row.name for entry in entries for row in entry.rows))
            title = f"Examples: {section_called(path) if at[:-1] == path else entry_called(at[:-1], {})}"
            yield Section("-".join(at), title, "", f"{place.file}:{place.line}", entries, heads)

    def _entries(self, path: Path_, value: Any) -> Iterator[Entry]:
        if isinstance(value, list):
            yield from (self._entry(path, (*path, n), item) for n, item in enumerate(value))
        elif _each(value):
            yield from (self._entry((*path, key), (*path, key), item) for key, item in value.items())
        else:
            yield self._entry(path, path, value)

    def _entry(self, path: Path_, at: tuple[str | int, ...], said: Any) -> Entry:
        place = self.document.key(*at)
        own = isinstance(said, Mapping) and "label" in said
        title = "" if isinstance(at[-1], int) or path in self.paths else entry_called(path, said)
        return Entry(
            anchor="-".join(map(str, at)), title=title, code=path[-1] if title and (own or title != path[-1]) else "",
            rows=list(self.rows(path, said)), cite=self.cite(said), place=f"{place.file}:{place.line}",
            history=self._history(at),
        )  # fmt: skip

    def _history(self, at: tuple[str | int, ...]) -> list[Epoch]:
        """What other years say of an entry, if they say otherwise."""
        if len(at) < 2 or isinstance(at[-1], int):
            return []
        found = [Table(year, self.name, []) for year in self.law if self.name in year.documents]
        said = [(table.year.year, table.told(at)) for table in found]
        epochs = together(said)
        return epochs if epochs[1:] else []

    def told(self, at: tuple[str | int, ...]) -> str:
        """What the file says of an entry, in a line."""
        said = _at(self.document.value, at)
        rows = self.rows(tuple(map(str, at)), said) if said is not None else ()
        words_ = ((row.name, "".join(piece.text for piece in row.says)) for row in rows)
        label = [str(said["label"])] if isinstance(said, Mapping) and "label" in said else []
        return "; ".join([*label, *(f"{name}: {text}" if text else name for name, text in words_)]) or "not there"

    def rows(self, path: Path_, said: Any, depth: int = 0) -> Iterator[Row]:
        """What an entry says, line by line."""
        if not isinstance(said, Mapping):
            yield Row(depth, key_called(path), self.says(path, said), self._formula(path, said))
            return
        for key, value in said.items():
            at = (*path, key)
            if key in ("cite", "label", "examples") or at in self.paths:
                continue
            if not isinstance(value, Mapping):
                name = entry_called(at, {}) if isinstance(value, list) else key_called(at)
                yield Row(depth, name, self.says(at, value), self._formula(at, value))
            elif key == "source":
                yield Row(depth, key_called(at), [Text(source_said(value))])
            elif key in ("given", "expect"):
                yield from self.rows(at, value, depth)
            else:
                yield from self._within(at, value, depth)

    def _within(self, path: Path_, value: Mapping[str, Any], depth: int) -> Iterator[Row]:
        """An entry inside an entry: its law, and what it is of, stand beside its name."""
        beside = self.says((*path, "leg"), value["leg"]) if "leg" in value else []
        rest = {key: item for key, item in value.items() if key != "leg"}
        name = entry_called(path, self.section("asset_classes").get(path[-1], {}))
        yield Row(depth, name, [*beside, *self._law(value)])
        yield from self.rows(path, rest, depth + 1)

    def _law(self, said: Mapping[str, Any]) -> list[Text]:
        cite = self.cite(said)
        return [Text(str(cite), cite.url)] if cite.title else []

    def section(self, name: str) -> Mapping[str, Any]:
        """A section of the file, empty where it has none."""
        return _at(self.document.value, tuple(name.split("."))) or {}

    def _formula(self, path: Path_, said: Any) -> str:
        return str(said) if path[-1] in glossary()["formulas"] else ""

    def says(self, path: Path_, value: Any) -> list[Text]:
        """A value in words, with links to what it names."""
        if isinstance(value, list):
            return listed([piece for item in value for piece in self.says(path, item)])
        if path[-1] in glossary()["formulas"]:
            return self._spoken(str(value))
        if not isinstance(value, str):
            known = value_called(path, "yes" if value else "no") if isinstance(value, bool) else None
            return [Text(known or said_value(value, "rate" if path[-1] in glossary()["rates"] else ""))]
        return [self._named(path, value) or Text(value_called(path, value) or amount(value))]

    def _named(self, path: Path_, value: str) -> Text | None:
        """A value that names something else in the rules."""
        section = word("entries", path)
        if section:
            entry = self.section(section).get(value, {})
            return Text(entry_called((*section.split("."), value), entry), f"#{section.replace('.', '-')}-{value}")
        if value in self.year.parameters:
            return Text(value_said(self.year, self.year.parameters[value]), f"parameters.html#{value}")
        if value in self.year.statuses:
            return Text(self.year.statuses[value])
        form, _, line = value.partition(".")
        lines = self.year.forms[form].lines if form in self.year.forms else {}
        if form in self.year.not_verified:
            return Text(f"{plain(form)} (not verified)")
        found = lines.get(self.year.forms[form].exports.get(line, line)) if lines else None
        return Text(line_said(self.year.forms[form], found, ""), line_href(found)) if found else None

    def _spoken(self, text: str) -> list[Text]:
        names = {name: words.named("", said) for name, said in glossary()["quantities"].items()}
        for name, parameter in self.year.parameters.items():
            names[name] = words.named(name, value_said(self.year, parameter))
        phrase = Reader(words, names).read(parse(text, Place(self.document.file)))
        return pieces(phrase, lambda name: f"parameters.html#{name}")


def source_said(source: Mapping[str, Any]) -> str:
    """Where an example comes from."""
    kinds = {"irs": "from the IRS", "worked": "worked out from the law", "regression": "kept from a mistake"}
    said = kinds.get(source["kind"], source["kind"])
    return f"{said}: {source['at']}" if "at" in source else said


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path; None where nothing does."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _each(value: Any) -> bool:
    """Whether a section holds entries, each with a name."""
    return isinstance(value, Mapping) and all(isinstance(item, Mapping) for item in value.values())


def _flat(value: Any) -> bool:
    """Whether the entries of a section say so little each that a table shows them."""
    if isinstance(value, list):
        return True
    items = [item for entry in value.values() for key, item in entry.items() if key != "cite"] if _each(value) else []
    return bool(items) and not any(isinstance(item, (Mapping, list)) for item in items)


def _examples_in(path: Path_, value: Any) -> Iterator[tuple[Path_, list[Any]]]:
    """The lists of examples in a section, with their paths."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "examples":
                yield (*path, key), item
            elif isinstance(item, Mapping):
                yield from _examples_in((*path, key), item)
