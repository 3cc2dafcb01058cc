"""Files of several tables: each row says which it is of (`tagged`), or lines around it (`marked`) or above (`under`).

A tag's header may come again with other columns; then it is another table of the same section. Rows that no section
takes, and that the mapping does not leave out by name, are problems.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lotlaw.importers.files import Text
from lotlaw.importers.language import Importer, Marked, Section, Tagged
from lotlaw.importers.problems import named, quoted
from lotlaw.importers.reading import Header, cells, cleaned, rows_of
from lotlaw.source import Place, Problem

if TYPE_CHECKING:
    import polars as pl

ABOVE = 8
"""Lines below a title among which its table's header stands."""
ANY = "*"
"""Stands for every tag that is not named."""


@dataclass
class Block:
    """A table of a section: its header, its fields by number and `line`, what the title above it says, its text."""

    section: Section
    header: Header
    frame: pl.DataFrame
    text: Text
    title: str = ""


@dataclass
class _Rows:
    """Rows that stand under one header."""

    tag: str
    header: Header
    lines: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)


@dataclass
class Found:
    """The tables of a file, rows that are left out by reason, and what is wrong."""

    blocks: list[Block]
    skipped: dict[str, int]
    problems: list[Problem]


def blocks(text: Text, importer: Importer, header: Header) -> Found:
    """Every table of every section, in the order of the file; `header` is the one that the file was recognised by."""
    found = Found([], {}, [])
    tagged, marked = importer.reading.tagged, importer.reading.marked
    if tagged and (not marked or header.cells[(tagged.row or 1) - 1] == tagged.header):
        for rows in _tagged(text, tagged, header.separator):
            _placed(found, rows, importer, text, tagged.leave)
    elif marked or importer.reading.stacked:
        for rows in _apart(text, marked, header):
            _placed(found, rows, importer, text, marked.leave if marked else {})
    titled = [section for section in importer.sections if section.under]
    if titled:
        _titled(found, text, titled, header.separator)
    return found


def _tagged(text: Text, tagged: Tagged, separator: str) -> Iterator[_Rows]:
    """The rows of a file by their tag and the header that they stand under."""
    reader = csv.reader(io.StringIO(text.data.decode()), delimiter=separator)
    under: dict[str, _Rows] = {}
    known: dict[tuple[str, tuple[str, ...]], _Rows] = {}
    first = 1
    for row in reader:
        line, first = first, reader.line_num + 1
        if not any(cell.strip() for cell in row):
            continue
        tag = cleaned(row[tagged.by - 1]) if len(row) >= tagged.by else ""
        role = cleaned(row[tagged.row - 1]) if tagged.row and len(row) >= tagged.row else None
        if role == tagged.header if tagged.row else tag not in under or _same(row, under[tag]):
            header = Header(line, reader.line_num, tuple(map(cleaned, row)), separator)
            under[tag] = known.setdefault((tag, header.cells), _Rows(tag, header))
        elif role in (tagged.data, None):
            if tag not in under:
                under[tag] = known.setdefault((tag, ()), _Rows(tag, Header(line, line, (), separator)))
            under[tag].lines.append(line)
            under[tag].cells.append(row)
    yield from (rows for rows in known.values() if rows.lines)


def _same(row: Sequence[str], rows: _Rows) -> bool:
    return tuple(map(cleaned, row)) == rows.header.cells


def _apart(text: Text, marked: Marked | None, header: Header) -> Iterator[_Rows]:
    """The rows of each table; without marks, its header is one that begins like that of the file."""
    lines = text.data.decode().replace("\r", "").split("\n")
    tags, ends = _marks(lines, marked)
    alone = not any(tags)
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=header.separator)
    tag: str | None = None
    rows: _Rows | None = None
    first = 1
    for row in reader:
        line, first = first, reader.line_num + 1
        if tags[line - 1] is not None or ends[line - 1]:
            yield from [rows] if rows and rows.lines else []
            tag, rows = tags[line - 1], None
        elif not any(cell.strip() for cell in row) or not (alone or tag):
            continue
        elif cleaned(row[0]) == header.cells[0] if alone else rows is None:
            yield from [rows] if rows and rows.lines else []
            rows = _Rows(tag or "", Header(line, reader.line_num, tuple(map(cleaned, row)), header.separator))
        elif rows:
            rows.lines.append(line)
            rows.cells.append(row)
    yield from [rows] if rows and rows.lines else []


def _marks(lines: list[str], marked: Marked | None) -> tuple[list[str | None], list[bool]]:
    """By line, the tag of the table that it begins, and whether it ends one."""
    import polars as pl

    if marked is None:
        return [None] * len(lines), [False] * len(lines)
    raw = pl.Series(lines)
    return raw.str.extract(marked.start, 1).to_list(), raw.str.contains(marked.end).to_list()


def _placed(found: Found, rows: _Rows, importer: Importer, text: Text, leave: Mapping[str, str]) -> None:
    """Give the rows to the section that takes them."""
    mine = [section for section in importer.sections if rows.tag in section.tags or not rows.tag]
    section = next((s for s in mine if s.takes(rows.header.cells)), None)
    name = text.name
    if section:
        found.problems += _too_wide(rows, name)
        found.blocks.append(Block(section, rows.header, _frame(rows), text))
    elif rows.tag not in _known(importer) and (rows.tag in leave or ANY in leave):
        why = leave.get(rows.tag, leave.get(ANY, ""))
        found.skipped[why] = found.skipped.get(why, 0) + len(rows.lines)
    else:
        header = ", ".join(quoted(cell) for cell in rows.header.cells if cell)
        said = f"no section of {importer.id} takes rows" + (f" of {quoted(rows.tag)}" if rows.tag else "")
        found.problems += named(name, rows.lines, f"{said} under the header {header}" if header else said)


def _known(importer: Importer) -> set[str]:
    return {tag for section in importer.sections for tag in section.tags}


def _too_wide(rows: _Rows, name: str) -> list[Problem]:
    width = len(rows.header.cells)
    wide = [n for n, row in zip(rows.lines, rows.cells, strict=True) if any(cell.strip() for cell in row[width:])]
    return named(name, wide, f"more fields than the header's {width}; a value with a comma in it stands in quotes")


def _frame(rows: _Rows) -> pl.DataFrame:
    import polars as pl

    width = len(rows.header.cells)
    padded = [[*row[:width], *[None] * (width - len(row))] for row in rows.cells]
    columns = list(zip(*padded, strict=True)) if padded else [()] * width
    return pl.DataFrame(
        {"line": rows.lines, **{str(n): column for n, column in enumerate(columns)}},
        schema={"line": pl.Int32, **{str(n): pl.String for n in range(width)}},
    )


def _titled(found: Found, text: Text, sections: Sequence[Section], separator: str) -> None:
    """The tables below the lines that match the titles of sections; each ends where the next title stands."""
    import polars as pl

    raw = text.data.split(b"\n")
    lines = pl.Series([line.rstrip(b"\r") for line in raw]).cast(pl.String)
    hits = {int(n): s for s in sections for n in lines.str.contains(s.under or "").arg_true()}
    starts = [sum(map(len, raw[:n])) + n for n in sorted(hits)]
    ends = [*starts[1:], len(text.data)]
    for number, end in zip(sorted(hits), ends, strict=True):
        section, below = hits[number], "\n".join(lines[number + 1 : number + 1 + ABOVE].to_list())
        header = next(
            (row for row in rows_of(below, separator, ABOVE) if section.takes(row.cells) and any(row.cells)), None
        )
        if header is None:
            said = f"no table of section '{section.name}' in the {ABOVE} lines below this title"
            found.problems.append(Problem(Place(text.name, number + 1), said))
            continue
        header = replace(header, line=header.line + number + 1, last_line=header.last_line + number + 1)
        part = replace(text, data=text.data[:end])
        fields = {str(n): n for n in range(len(header.cells))}
        title = lines[number : number + 1].str.extract(section.under or "", 1).item() or ""
        found.blocks.append(Block(section, header, cells(part, header, fields, section.importer.reading), part, title))
