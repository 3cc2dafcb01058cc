"""Plain text in columns: how wide each is, headings broken to fit, cells filled up, labels that lead to their amounts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lotlaw.render.rows import Column
from lotlaw.render.sheets import Entry, Sheet

if TYPE_CHECKING:
    import polars as pl

WIDTH = 100
GAP = "  "
_WIDTHS = {"text": (22, 40), "date": (10, 12), "code": (5, 10), "money": (12, 40)}
"""By kind of column: the least and the most it takes; a longer text stands on a line of its own."""


def in_widths(columns: Sequence[Column], cells: pl.DataFrame) -> list[Column]:
    """The columns with the widths they need for the cells of a frame."""
    return [replace(column, width=_width(column, cells)) for column in columns]


def _width(column: Column, cells: pl.DataFrame) -> int:
    least, most = _WIDTHS[column.kind]
    longest = cells[column.letter].str.len_chars().max() or 0
    if column.kind == "money":
        longest = len(f"({column.largest // 100:,}.00)")
    return min(max(least, int(str(longest))), most)


def aligned(column: Column, text: pl.Expr | None = None) -> pl.Expr:
    """A column's cells filled up to its width; amounts line up by their last digit, whether or not they stand in parentheses."""
    import polars as pl

    cell = pl.col(column.letter) if text is None else text
    if column.kind == "money":
        return pl.when(cell.str.ends_with(")")).then(cell).otherwise(cell + " ").str.pad_start(column.width)
    filled = cell.str.pad_end(column.width)
    own_line = pl.concat_str(cell, pl.lit("\n" + " " * column.width))
    return pl.when(cell.str.len_chars() > column.width).then(own_line).otherwise(filled).alias(column.letter)


def heading(columns: Sequence[Column]) -> list[str]:
    """The headings of columns, broken to their widths, as lines whose last stand next to the cells."""
    if not all(column.width for column in columns):
        return []
    broken = [textwrap.wrap(f"({c.letter}) {c.label}", c.width) for c in columns]
    height = max(map(len, broken))
    full = [[""] * (height - len(lines)) + lines for lines in broken]
    rows = [
        GAP.join(f"{text:>{c.width - 1}} " if c.kind == "money" else f"{text:<{c.width}}" for c, text in zip(columns, row, strict=True))
        for row in zip(*full, strict=True)
    ]
    return [row.rstrip() for row in rows]


@dataclass(frozen=True)
class Block:
    """A section of a sheet in plain text: its heading, the headings of its columns, its lines."""

    heading: str
    columns: str
    lines: tuple[str, ...]


def blocks(sheet: Sheet) -> list[Block]:
    """The sections of a sheet as lines of text, labels leading to their amounts."""
    entries = [entry for section in sheet.sections for entry in section.entries]
    cells = max((len(cell or "") for entry in entries for cell in entry.cells), default=0)
    widths = _Widths(max(len(entry.id) for entry in entries), max(12, cells + 1))
    named = widths.cells([f"({letter}) {label}".rjust(widths.cell - 1)[: widths.cell - 1] + " " for letter, label in sheet.columns])
    return [
        Block(section.heading, f"{named:>{WIDTH}}".rstrip() if section.in_columns else "", tuple(_lines(section.entries, widths)))
        for section in sheet.sections
    ]


@dataclass(frozen=True)
class _Widths:
    """How wide the number and each amount of a sheet are."""

    id: int
    cell: int

    def cells(self, texts: Sequence[str | None]) -> str:
        """Amounts side by side, lined up by their last digit."""
        return "".join(GAP + f"{(text or '') + ('' if (text or '').endswith(')') else ' '):>{self.cell}}" for text in texts)


def _lines(entries: Sequence[Entry], widths: _Widths) -> Iterator[str]:
    for entry in entries:
        cells = widths.cells(entry.cells[-1:] if entry.wide else entry.cells)
        label = f"{entry.label} [to {entry.note}]" if entry.note else entry.label
        room = WIDTH - widths.id - len(GAP) - len(cells)
        *before, last = textwrap.wrap(label, room - 4)
        yield from (" " * widths.id + GAP + text for text in before) if not before else _numbered(entry, before, widths)
        begin = f"{'' if before else entry.id:>{widths.id}}"
        yield f"{begin}{GAP}{last + ' ':.<{room}}{cells}".rstrip()


def _numbered(entry: Entry, texts: Sequence[str], widths: _Widths) -> Iterator[str]:
    for n, text in enumerate(texts):
        yield f"{'' if n else entry.id:>{widths.id}}{GAP}{text}"
