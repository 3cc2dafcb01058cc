"""Read an export into a table of text cells, whatever its encoding, preamble or footer, and refuse what is no table.

Limits stand before parsing: a file's size, a line's length, quotes that close. Nothing is read twice, so a pipe will
do.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.importers.problems import named, refused
from lotlaw.source import Place, Problems

if TYPE_CHECKING:
    import polars as pl

LARGEST_FILE = 8_000_000_000
LONGEST_LINE = 1_000_000
HEAD = 262_144
"""Bytes from the start of a file in which its header is looked for."""
SPARE = 64
"""Fields that a row may have beyond the header before its place can no longer be told."""

_NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save it as CSV, or unpack it",
    b"%PDF": "a PDF: lotlaw reads the CSV that the broker or exchange offers beside it",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV",
}


@dataclass(frozen=True)
class Text:
    """A file's text as UTF-8 without byte-order mark, its digest on the way, and what had to be assumed to read it."""

    name: str
    data: bytes
    digest: Future[str]
    notes: tuple[str, ...]

    @property
    def place(self) -> Place:
        """The file as a whole."""
        return Place(self.name)


@dataclass(frozen=True)
class Header:
    """Where a table begins: its header's first and last line, its cells, and what separates them."""

    line: int
    last_line: int
    cells: tuple[str, ...]
    separator: str


def read_text(path: str | Path) -> Text:
    """Read a file and see that it is text with lines of a bounded length. Raises Problems."""
    name = str(path)
    data = _bytes(Path(path), name)
    pool = ThreadPoolExecutor(1)
    digest = pool.submit(_digest, data)
    pool.shutdown(wait=False)
    if not data or data.isspace():
        raise refused(name, "the file is empty")
    data, notes = _decoded(name, data)
    _bounded(name, data)
    if data.count(b'"') % 2:
        raise refused(name, 'a quote (") that is opened is not closed', _open_quote(data))
    return Text(name, data, digest, notes)


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _bytes(path: Path, name: str) -> bytes:
    if path.is_char_device() or path.is_block_device():
        raise refused(name, "a device, not a file")
    try:
        with path.open("rb", buffering=0) as file:
            size = path.stat().st_size
            data = _lines(name, file) if size <= LARGEST_FILE else b""
    except FileNotFoundError:
        raise refused(name, "no such file") from None
    except IsADirectoryError:
        raise refused(name, "a folder; name the files in it") from None
    except OSError as error:
        raise refused(name, f"cannot be read: {error.strerror}") from None
    if size > LARGEST_FILE:
        raise refused(name, f"more than {LARGEST_FILE:,} bytes; split it by year")
    return data


def _lines(name: str, file: io.FileIO) -> bytes:
    """All of a file; where its start is one line, the rest is not even read."""
    start = file.read(2 * LONGEST_LINE) or b""
    if not (start.startswith(tuple(_NOT_TEXT)) or b"\r" in start or b"\0" in start):
        _bounded(name, start)
    if not file.seekable():
        return start + file.readall()
    file.seek(0)
    return file.readall()


def _decoded(name: str, data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The text as UTF-8, and a note where the encoding had to be assumed."""
    for start, said in _NOT_TEXT.items():
        if data.startswith(start):
            raise refused(name, said)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise refused(name, "marked as UTF-16 but not readable as such; save it as UTF-8") from None
    if b"\0" in data:
        raise refused(name, "not a text file; lotlaw reads CSV exports", data.count(b"\n", 0, data.index(b"\0")) + 1)
    notes: tuple[str, ...] = ()
    if not data.isascii():
        data, notes = _utf8(name, data.removeprefix(b"\xef\xbb\xbf"))
    return (data if b"\n" in data else data.replace(b"\r", b"\n")), notes


def _utf8(name: str, data: bytes) -> tuple[bytes, tuple[str, ...]]:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise refused(name, "neither UTF-8 nor Windows-1252 text; save it as UTF-8", line) from None
        return text.encode(), (f"{name}:{line}: not UTF-8; read as Windows-1252",)
    return data, ()


def _bounded(name: str, data: bytes) -> None:
    """Refuse a line of more than LONGEST_LINE bytes, in jumps of that length."""
    start = 0
    while len(data) - start > LONGEST_LINE:
        end = data.rfind(b"\n", start, start + LONGEST_LINE)
        if end < 0:
            line = data.count(b"\n", 0, start) + 1
            raise refused(name, f"a line of more than {LONGEST_LINE:,} bytes; is this a CSV export?", line)
        start = end + 1


def _open_quote(data: bytes) -> int:
    """The line at which the last odd quote stands: after it, quotes come in pairs on every line."""
    lines = [n for n, line in enumerate(data.split(b"\n"), 1) if line.count(b'"') % 2]
    return lines[-1]


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


def cells(text: Text, header: Header, wanted: Mapping[str, int], stop_at: str | None) -> pl.DataFrame:
    """The wanted fields (alias: field number from 0) as text, empty ones null, and `line`; without blank lines."""
    import polars as pl

    data = text.data if stop_at is None else _until(text.data, header.last_line, stop_at)
    _complete(text, data, header)
    frame = _parsed(text, data, header)
    lines = _counted(frame.height, header.last_line + 1)
    if b'"' in data and data.count(b"\n") + (not data.endswith(b"\n")) - header.last_line != frame.height:
        lines = lines + _breaks_before()
    frame = _filled(frame.with_columns(lines))
    return frame.select("line", *(pl.col(str(field)).alias(alias) for alias, field in wanted.items()))


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
    wide = pl.any_horizontal(pl.col(extra).is_not_null())
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


def _complete(text: Text, data: bytes, header: Header) -> None:
    """Refuse a file whose last line breaks off: fewer fields than the header and no line end."""
    if data.endswith(b"\n"):
        return
    last = data[data.rfind(b"\n") + 1 :].decode().replace("\r", " ")
    line = data.count(b"\n") + 1
    row = next(csv.reader([last], delimiter=header.separator), [])
    if line > header.last_line and last.count('"') % 2 == 0 and 0 < len(row) < len(header.cells):
        said = f"the last line breaks off: {len(row)} of {len(header.cells)} fields; is the file complete?"
        raise refused(text.name, said, line)


def _until(data: bytes, header_line: int, stop_at: str) -> bytes:
    """The data up to the first line after the header that matches `stop_at`."""
    import polars as pl

    lines = pl.Series(data.split(b"\n")).cast(pl.String)
    found = lines.slice(header_line).str.strip_chars_end("\r").str.contains(stop_at).arg_true()
    if not len(found):
        return data
    kept = lines.slice(0, header_line + int(found[0]))
    return data[: int(kept.str.len_bytes().sum() or 0) + len(kept)]


def above(text: Text, header: Header, patterns: Mapping[str, str]) -> dict[str, str]:
    """What patterns find in the lines above the header: the first group of the first line that matches."""
    import polars as pl

    if not patterns:
        return {}
    lines = pl.Series(head(text).split("\n")[: header.line - 1], dtype=pl.String)
    hits = {name: lines.str.extract(pattern, 1).drop_nulls() for name, pattern in patterns.items()}
    return {name: str(found[0]) for name, found in hits.items() if len(found)}
