"""Read a table whose every cell is a value as it stands in one pass that keeps no text; most large ledgers are so.

This way only ever says what the closer one would say. A cell that it could take otherwise, or that is a mistake, sends
the whole file there.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.importers.binding import Binding
from lotlaw.importers.canonical import table
from lotlaw.importers.columns import PLAIN, as_it_stands
from lotlaw.importers.language import Column, Importer
from lotlaw.importers.reading import complete
from lotlaw.readings.text import DECIMALS

if TYPE_CHECKING:
    from lotlaw.importers.files import Text

ODD = "odd"
BLANKS = (b" ", b"\t", b"\v", b"\f", b"\r")


def plain(text: Text, importer: Importer, binding: Binding) -> pl.DataFrame | None:
    """The columns as values, and `line`, of a file that needs no closer look; else None. Raises Problems."""
    columns = [binding.columns[alias] for alias in binding.fields]
    reading = importer.reading
    if reading.ends or reading.escaped or reading.fill_down or reading.pair_rows or reading.footer or importer.wide:
        return None
    if importer.symbols or importer.symbol_patterns:
        return None
    if any(column.type == "decimal" for column in columns):
        return None
    complete(text, text.data, binding.header)
    frame = _parsed(text, binding, columns)
    if frame is None or not frame.height or frame[ODD].any():
        return None
    full = {alias for alias in binding.fields if not frame[alias].null_count()}
    holes = any(column.values and not column.optional and column.alias not in full for column in columns)
    blank_lines = not any(binding.fields[alias] for alias in full)
    return None if holes or blank_lines or _broken_cells(text, binding, frame.height) else frame.drop(ODD)


def _parsed(text: Text, binding: Binding, columns: list[Column]) -> pl.DataFrame | None:
    """The columns, and whether a row has a cell that is odd; nothing where the rows do not fit the header."""
    header, fields = binding.header, binding.fields
    cells = pl.scan_csv(
        text.data, has_header=False, skip_lines=header.last_line, separator=header.separator, infer_schema=False,
        schema={str(n): pl.String for n in range(len(header.cells))}, missing_columns="insert",
        row_index_name="line", row_index_offset=header.last_line + 1,
    )  # fmt: skip
    raw = {column.alias: pl.col(str(fields[column.alias])) for column in columns}
    blanks = _has_blanks(text.data)
    values = [_value(column, raw[column.alias], blanks).alias(column.alias) for column in columns]
    odd = reduce(or_, (flag for column in columns for flag in _odd(column, raw[column.alias])))
    line = pl.col("line").cast(pl.Int32)
    try:
        # Every field is parsed, also one that nobody wants: polars lets rows be too long where it skips fields.
        return (
            cells.with_columns(values).select(line, *fields, odd.fill_null(value=False).alias(ODD))
            .collect(engine="streaming", optimizations=pl.QueryOptFlags(projection_pushdown=False))
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None


def _has_blanks(data: bytes) -> bool:
    """Whether there may be blanks around a cell; five looks at all bytes are far cheaper than one at every cell."""
    return not data.isascii() or any(blank in data for blank in BLANKS)


def _value(column: Column, raw: pl.Expr, blanks: bool) -> pl.Expr:
    return raw if _is_text(column) and not blanks else as_it_stands(replace(column, values=_words(column)), raw)


def _is_text(column: Column) -> bool:
    return column.type in ("text", "symbol") and not column.values


def _words(column: Column) -> tuple[str, ...]:
    """The words of the canonical column of that name, which then need not be turned into each other, or its own."""
    known = table().words.get(column.alias, ())
    return known if set(column.values) <= set(known) and column.values else column.values


def _odd(column: Column, raw: pl.Expr) -> list[pl.Expr]:
    """What sends a cell to the closer look."""
    value = pl.col(column.alias)
    if _is_text(column):
        return [value == ""]
    flags = [value.is_null() != raw.is_null(), *(value == word for word in _words(column) if word not in column.values)]
    if column.type in PLAIN:
        flags += [raw.str.len_bytes() > DECIMALS + 1, raw.str.contains("[eE]")]
    if column.type == "quantity":
        flags.append(value <= 0)
    if column.type == "amount":
        flags.append(value < 0)
    return flags


def _broken_cells(text: Text, binding: Binding, rows: int) -> bool:
    """Whether a cell may hold a line break."""
    if b'"' not in text.data:
        return False
    lines = text.data.count(b"\n") + (not text.data.endswith(b"\n"))
    return lines - binding.header.last_line != rows
