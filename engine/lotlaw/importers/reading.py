"""Find the table in an export's text and read it as cells, whatever stands above and below it.

Rows may be shorter than the header, and may end in one comma more; a row with too many cells, and a file that breaks
off, are refused. Every row keeps its line, counted through cells with line breaks in them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lotlaw.importers.files import Text
from lotlaw.importers.language import Reading
from lotlaw.importers.problems import named, refused
from lotlaw.source import Problems

if TYPE_CHECKING:
    import polars as pl

HEAD = 262_144
"""Bytes from the start of a file in which its header is looked for."""
SPARE = 64
"""Fields that a row may have beyond the header before its place can no longer be told."""


@dataclass(frozen=True)
class Header:
    """Where a table begins: its header's first and last line, its cells, and what separates them."""

    line: int
    last_line: int
    cells: tuple[str, ...]
    separator: str


def head(text: Text) -> str:
    """The start of the file, for finding its header."""
    start = text.data[:HEAD].decode(errors="ignore").removeprefix("\ufeff")
    return start.replace("\r\n", "\n").replace("\r", " ")


def rows_of(head_text: str, separator: str, lines: int) -> Iterator[Header]:
    """Each row of the first `lines` lines as if it were the header; cells as `cleaned`."""
    reader = csv.reader(io.StringIO(head_text), delimiter=separator)
    first = 1
    try:
        for row in reader:
            yield Header(first, reader.line_num, tuple(cleaned(cell) for cell in row), separator)
            first = reader.line_num + 1
            if first > lines:
                return
    except csv.Error:
        return


def cleaned(cell: str) -> str:
    """A header cell as it is compared: no byte-order mark, blanks around it, line breaks or doubled blanks."""
    return " ".join(cell.replace("\ufeff", "").split())


def folded(name: str, any_case: bool) -> str:
    """A header's name as it is compared."""
    return name.casefold() if any_case else name


def cells(text: Text, header: Header, wanted: Mapping[str, int], reading: Reading | None = None) -> pl.DataFrame:
    """The wanted fields (alias: field number from 0) as text, empty ones null, and `line`; without blank lines."""
    import polars as pl

    data = _closed(text.data, header.separator)
    data = _until(data, header, reading) if reading and reading.ends else data
    complete(text, data, header)
    frame = _parsed(text, data, header)
    lines = _counted(frame.height, header.last_line + 1)
    if b'"' in data and data.count(b"\n") + (not data.endswith(b"\n")) - header.last_line != frame.height:
        lines = lines + _breaks_before()
    frame = _filled(frame.with_columns(lines))
    return frame.select("line", *(pl.col(str(field)).alias(alias) for alias, field in wanted.items()))


def _closed(data: bytes, separator: str) -> bytes:
    """The data with its cells' closing quotes right before the separator, where blanks stand between them."""
    if f'" {separator}'.encode() not in data:
        return data
    out = io.StringIO()
    rows = csv.reader(io.StringIO(data.decode()), delimiter=separator)
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _parsed(text: Text, data: bytes, header: Header, spare: int = 1) -> pl.DataFrame:
    """All fields by number: read whole, because polars lets rows be too long where it reads only some columns.

    A row may end in a comma more than the header, but may not hold more.
    """
    import polars as pl

    width = len(header.cells)
    try:
        frame = pl.read_csv(
            data, has_header=False, skip_lines=header.last_line, separator=header.separator, infer_schema=False,
            schema={str(n): pl.String for n in range(width + spare)}, missing_columns="insert",
        )  # fmt: skip
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema={str(n): pl.String for n in range(width)})
    except pl.exceptions.PolarsError as error:
        if spare == 1 and ("more fields" in str(error) or "n_extra" in str(error)):
            return _parsed(text, data, header, SPARE)
        raise _unreadable(text, data, header) from None
    extra = [str(n) for n in range(width, width + spare)]
    wide = pl.any_horizontal(pl.col(extra).str.strip_chars() != "")
    if frame.select(wide.any()).item():
        lines = frame.select(_counted(frame.height, header.last_line + 1).filter(wide))["line"].to_list()
        said = f"more fields than the header's {width}; a value with a comma in it stands in quotes"
        raise Problems(named(text.name, lines, said))
    return frame.drop(extra)


def _counted(rows: int, first: int) -> pl.Expr:
    import polars as pl

    return pl.int_range(first, first + rows, dtype=pl.Int32).alias("line")


def _breaks_before() -> pl.Expr:
    """How many line breaks stand inside the cells of earlier rows."""
    import polars as pl

    breaks = pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0)).cast(pl.Int32)
    return breaks.cum_sum().shift(1, fill_value=0)


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that say something: not those of blank lines."""
    import polars as pl

    if any(not frame[c].null_count() for c in frame.columns[1:] if c != "line"):
        return frame
    texts = pl.exclude("line")
    sparse = frame.filter(pl.sum_horizontal(texts.is_not_null()) <= 1)
    blank = sparse.filter(pl.all_horizontal(texts.str.strip_chars().fill_null("") == ""))
    return frame.filter(~pl.col("line").is_in(blank["line"].implode())) if blank.height else frame


def _unreadable(text: Text, data: bytes, header: Header) -> Problems:
    """Where polars gave up: the first line that is no sound CSV, or has far too many fields."""
    reader = csv.reader(io.StringIO(data.decode()), delimiter=header.separator, strict=True)
    try:
        for row in reader:
            if reader.line_num > header.last_line and len(row) > len(header.cells) + SPARE:
                return refused(text.name, f"{len(row)} fields; the header has {len(header.cells)}", reader.line_num)
    except csv.Error:
        return refused(text.name, 'a quote (") inside a cell: put the cell in quotes and double it', reader.line_num)
    return refused(text.name, "not readable as CSV")


def complete(text: Text, data: bytes, header: Header) -> None:
    """Refuse a file whose last line breaks off: fewer fields than the header and no line end."""
    if data.endswith(b"\n"):
        return
    last = data[data.rfind(b"\n") + 1 :].decode().replace("\r", " ")
    line = data.count(b"\n") + 1
    row = next(csv.reader([last], delimiter=header.separator), [])
    if line > header.last_line and last.count('"') % 2 == 0 and 0 < len(row) < len(header.cells):
        said = f"the last line breaks off: {len(row)} of {len(header.cells)} fields; is the file complete?"
        raise refused(text.name, said, line)


def _until(data: bytes, header: Header, reading: Reading) -> bytes:
    """The data up to the first line after the header at which the table ends; never in the middle of a cell."""
    import polars as pl

    lines = pl.Series("line", data.split(b"\n")).cast(pl.String).to_frame()
    line, quotes = pl.col("line").str.strip_chars_end("\r"), pl.col("line").str.count_matches('"', literal=True)
    blank = line.str.strip_chars() == ""
    ends = [line.str.contains(reading.stop_at)] if reading.stop_at else []
    if reading.stop_at_blank:
        ends.append(blank & ((~blank).cum_sum() > 0))
    if reading.min_fields:
        ends.append((line.str.count_matches(header.separator, literal=True) < reading.min_fields - 1) & ~blank)
    begins = quotes.cum_sum().shift(1, fill_value=0) % 2 == 0
    found = lines.slice(header.last_line).select((begins & pl.any_horizontal(ends)).arg_true()).to_series()
    if not len(found):
        return data
    kept = lines["line"].slice(0, header.last_line + int(found[0]))
    return data[: int(kept.str.len_bytes().sum() or 0) + len(kept)]


def above(text: Text, header: Header, reading: Reading) -> dict[str, str]:
    """What patterns find in the lines above the header: the first group of the first line that matches.

    Where rows say which table they are of, nothing stands above: there all the start of the file is looked at.
    """
    if not reading.preamble:
        return {}
    lines = head(text).split("\n")
    return caught(lines if reading.tagged else lines[: header.line - 1], reading.preamble)


def below(text: Text, header: Header, reading: Reading) -> dict[str, str]:
    """What patterns find in the lines below the header."""
    if not reading.footer:
        return {}
    return caught(text.data.decode().replace("\r", "").split("\n")[header.last_line :], reading.footer)


def caught(lines: list[str], patterns: Mapping[str, str]) -> dict[str, str]:
    """What the first group of each pattern catches of the first line that it matches."""
    import polars as pl

    said = pl.Series(lines, dtype=pl.String)
    hits = {name: said.str.extract(pattern, 1).drop_nulls() for name, pattern in patterns.items()}
    return {name: str(found[0]) for name, found in hits.items() if len(found)}
