"""A form or worksheet as printed: its lines in order with labels from the rules, a blank line with an empty cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lotlaw.answers import Answer
from lotlaw.law import Form, Line
from lotlaw.rendering.amounts import cell, in_dollars

if TYPE_CHECKING:
    from lotlaw.run import Return


@dataclass(frozen=True)
class Entry:
    """A line as printed: `note` says where the form sends the amount, `key` is what the rules call the line.

    `cells` has a text for each column of the form, None where the line has no such cell.
    """

    key: str
    id: str
    label: str
    note: str
    cells: tuple[str | None, ...]

    @property
    def amount(self) -> str:
        """What stands in the last column, the only one of most lines."""
        return self.cells[-1] or ""

    @property
    def wide(self) -> bool:
        """Whether the line has no cell but the last, so that its label may run up to it."""
        return all(c is None for c in self.cells[:-1])


@dataclass(frozen=True)
class Section:
    """The lines under one heading."""

    heading: str
    entries: tuple[Entry, ...]

    @property
    def in_columns(self) -> bool:
        """Whether any line has more than the last column."""
        return not all(entry.wide for entry in self.entries)


@dataclass(frozen=True)
class Sheet:
    """A form as printed: its name in the rules, its title, columns as (letter, heading), what it asks, its lines."""

    name: str
    title: str
    columns: tuple[tuple[str, str], ...]
    asks: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def span(self) -> int:
        """How many columns a label runs over that leads to the last."""
        return len(self.columns)


def sheets(return_: Return) -> list[Sheet]:
    """Every form of the return but Form 8949, in the order of the rules, and what only the taxpayer can answer."""
    forms = return_.year.forms.values()
    return [_sheet(return_, form) for form in forms if form.name in return_.lines or (form.asks and not form.lines)]


def _sheet(return_: Return, form: Form) -> Sheet:
    return Sheet(form.name, form.title, tuple(form.columns.items()), form.asks, tuple(_sections(return_, form)))


def _sections(return_: Return, form: Form) -> Iterator[Section]:
    answers, whole = return_.lines.get(form.name, {}), in_dollars(form, cents=return_.cents)
    heading, entries = "", list[Entry]()
    for line in form.lines.values():
        if line.id in form.parts:
            yield from [Section(heading, tuple(entries))] if entries else []
            heading, entries = form.parts[line.id], []
        if line.printed:
            cells = tuple(_cells(form, line, answers.get(line.id), whole=whole))
            entries.append(Entry(line.id, number(line), line.label, line.to, cells))
    yield from [Section(heading, tuple(entries))] if entries else []


def number(line: Line) -> str:
    """The number that the year's form prints before a line."""
    return line.on_form.removeprefix("line ") or (line.id if line.id[0].isdigit() else "")


def cells_of(form: Form, line: Line) -> list[str]:
    """The columns in which a line has a cell: its own and those that the form works out."""
    return [column for column in form.columns if column in line.columns or column in form.column_formulas]


def _cells(form: Form, line: Line, answer: Answer | None, *, whole: bool) -> Iterator[str | None]:
    if not line.columns:
        yield from (None for _ in list(form.columns)[1:])
        yield cell(line, answer, whole=whole)
        return
    amounts: Any = answer or {}
    present = cells_of(form, line)
    yield from (cell(line, amounts.get(column), whole=whole) if column in present else None for column in form.columns)
