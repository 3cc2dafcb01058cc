"""What the page of a file of tables is made of: sections of entries, each with what it says, its law and its place."""

from __future__ import annotations

from dataclasses import dataclass

from lotlaw.audit.book.history import Epoch
from lotlaw.law import Cite
from lotlaw.rendering.saying import Text


@dataclass(frozen=True)
class Row:
    """Something that an entry says: how deep it stands in it, what it is called, what it says, and its formula."""

    depth: int
    name: str
    says: list[Text]
    formula: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry of a section: what it is called (in the rules: `code`), what it says, its law, place and history."""

    anchor: str
    title: str
    code: str
    rows: list[Row]
    cite: Cite
    place: str
    history: list[Epoch]

    @property
    def line(self) -> str:
        """The line of the file that it stands in."""
        return self.place.rpartition(":")[2]


@dataclass(frozen=True)
class Section:
    """A section of a page: entries one under another, or as a table with `heads`."""

    anchor: str
    title: str
    says: str
    place: str
    entries: list[Entry]
    heads: list[str]
    code: str = ""

    @property
    def named(self) -> bool:
        """Whether the entries have names."""
        return any(entry.title for entry in self.entries)

    @property
    def cells(self) -> list[tuple[Entry, list[list[Text]]]]:
        """The rows of a table: an entry, and what it says under each head."""
        said = [(entry, {row.name: row.says for row in entry.rows}) for entry in self.entries]
        return [(entry, [under.get(head, []) for head in self.heads]) for entry, under in said]

    @property
    def changed(self) -> list[Entry]:
        """The entries that other years have otherwise."""
        return [entry for entry in self.entries if entry.history]

    @property
    def cited(self) -> bool:
        """Whether an entry cites a law of its own."""
        return any(entry.cite.title for entry in self.entries)
