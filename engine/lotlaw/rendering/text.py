"""Plain text in columns: how wide each is, headings broken to fit, cells filled up, labels leading to their amounts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lotlaw.rendering.rows import Column
from lotlaw.rendering.sheets import Entry, Sheet

if TYPE_CHECKING:
    import polars as pl

WIDTH = 100
LABEL = 36
CELL = 13
"""At least as wide: a page, a label beside all columns, an amount on a line."""
GAP = "  "
_WIDTHS = {"text": (22, 40), "date": (10, 12), "code": (5, 10), "money": (13, 40)}
"""By kind of column: the least and the most it takes; a longer text stands on a line of its own."""


def in_widths(columns: Sequence[Column], cells: pl.DataFrame) -> list[Column]:
    """The columns with the widths they need for the cells of a frame."""
    return [replace(c, width=_width(c, cells), after="" if c is columns[-1] else " ") for c in columns]


def _width(column: Column, cells: pl.DataFrame) -> int:
    least, most = _WIDTHS[column.kind]
    longest = cells[column.letter].str.len_chars().max() or 0
    if column.kind == "money":
        longest = len(f"({column.largest // 100:,}.00)")
    return min(max(least, int(str(longest))), most)


def aligned(column: Column, text: pl.Expr | None = None) -> pl.Expr:
    """A column's cells filled up to its width; amounts line up by their last digit, in parentheses or not."""
    import polars as pl

    cell = pl.col(column.letter) if text is None else text
    if column.kind == "money":
        digits = cell.str.pad_start(column.width - 1)
        return pl.when(cell.str.ends_with(")")).then(cell.str.pad_start(column.width)).otherwise(digits + column.after)
    own_line = pl.concat_str(cell, pl.lit("\n" + " " * column.width))
    filled = pl.when(cell.str.len_chars() > column.width).then(own_line).otherwise(cell.str.pad_end(column.width))
    return filled.alias(column.letter)


def heading(columns: Sequence[Column]) -> list[str]:
    """The headings of columns, broken to their widths, as lines whose last stand next to the cells."""
    if not all(column.width for column in columns):
        return []
    rows = _broken([(f"({c.letter}) {c.label}", c.width, c.kind == "money") for c in columns])
    return [*rows, GAP.join("-" * column.width for column in columns)]


def _broken(cells: Sequence[tuple[str, int, bool]]) -> list[str]:
    """Headings as (text, width, whether amounts stand below), broken to their widths, on the same last line."""
    texts = [textwrap.wrap(text, width - right) for text, width, right in cells]
    height = max(map(len, texts))
    full = [[""] * (height - len(lines)) + lines for lines in texts]
    filled = [
        [f"{line:>{width - 1}} " if right else f"{line:<{width}}" for line in lines]
        for lines, (_, width, right) in zip(full, cells, strict=True)
    ]
    return [GAP.join(row).rstrip() for row in zip(*filled, strict=True)]


@dataclass(frozen=True)
class Block:
    """A section of a sheet in plain text: its heading, the headings of its columns as lines, its lines."""

    heading: str
    columns: tuple[str, ...]
    lines: tuple[str, ...]


def blocks(sheet: Sheet) -> list[Block]:
    """The sections of a sheet as lines of text, labels leading to their amounts."""
    widths = _widths(sheet)
    headings = [(f"({letter}) {label}", widths.cell, True) for letter, label in sheet.columns]
    labels = widths.page - (len(GAP) + widths.cell) * len(headings)
    named = tuple(_broken([("", labels, False), *headings]))
    return [
        Block(section.heading, named if section.in_columns else (), tuple(_lines(section.entries, widths)))
        for section in sheet.sections
    ]


def questions(sheet: Sheet) -> list[str]:
    """What a sheet asks, as lines with boxes to check by hand."""
    boxes = "[ ] Yes  [ ] No  "
    return [
        line
        for question in sheet.asks
        for line in textwrap.wrap(question, WIDTH, initial_indent=boxes, subsequent_indent=" " * len(boxes))
    ]


@dataclass(frozen=True)
class _Widths:
    """How wide the number, each amount and the whole of a sheet are."""

    id: int
    cell: int
    page: int

    def cells(self, texts: Sequence[str | None]) -> str:
        """Amounts side by side, lined up by their last digit."""
        ended = (text if text and text.endswith(")") else f"{text or ''} " for text in texts)
        return "".join(f"{GAP}{text:>{self.cell}}" for text in ended)


def _widths(sheet: Sheet) -> _Widths:
    entries = [entry for section in sheet.sections for entry in section.entries]
    id_ = max((len(entry.id) for entry in entries), default=0)
    cell = max([CELL, *(len(cell or "") + 1 for entry in entries for cell in entry.cells)])
    labels = id_ + len(GAP) + LABEL
    return _Widths(id_, cell, max(WIDTH, labels + (cell + len(GAP)) * max(1, len(sheet.columns))))


def _lines(entries: Sequence[Entry], widths: _Widths) -> Iterator[str]:
    for entry in entries:
        cells = widths.cells(entry.cells[-1:] if entry.wide else entry.cells)
        room = widths.page - widths.id - len(GAP) - len(cells)
        texts = textwrap.wrap(f"{entry.label} [to {entry.note}]" if entry.note else entry.label, room - 2)
        numbers = [entry.id, *("" for _ in texts[1:])]
        begins = [f"{number:>{widths.id}}{GAP}{text}" for number, text in zip(numbers, texts, strict=True)]
        yield from begins[:-1]
        yield f"{begins[-1] + ' ':.<{widths.page - len(cells)}}{cells}".rstrip()
