"""Read a file as text, whatever its encoding, and refuse what is none: limits stand before anything is parsed.

A file's size, a line's length and quotes that close are seen to here. A file is read once, so a pipe will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.importers import ofx, txf
from lotlaw.importers.problems import refused

if TYPE_CHECKING:
    import io

LARGEST_FILE = 8_000_000_000
LONGEST_LINE = 1_000_000

_NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save it as CSV, or unpack it",
    b"%PDF": "a PDF: lotlaw reads the CSV that the broker or exchange offers beside it",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV",
}


@dataclass(frozen=True)
class Text:
    """A file's text as UTF-8 without byte-order mark, its digest on the way, and what had to be assumed to read it.

    A workbook has `sheets` as CSV by name, and no `data` until one of them is chosen.
    """

    name: str
    data: bytes
    digest: Future[str]
    notes: tuple[str, ...]
    sheets: Mapping[str, bytes] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str | None, Text]]:
        """The text itself, or each sheet of a workbook as a text, with its name."""
        yield from ((sheet, replace(self, data=data)) for sheet, data in self.sheets.items())
        if not self.sheets:
            yield None, self


def read_text(path: str | Path) -> Text:
    """Read a file and see that it is text with lines of a bounded length. Raises Problems."""
    return text_of(str(path), _bytes(Path(path), str(path)))


def text_of(name: str, data: bytes) -> Text:
    """See that the bytes of a file called `name` are text with lines of a bounded length. Raises Problems."""
    pool = ThreadPoolExecutor(1)
    digest = pool.submit(_digest, data)
    pool.shutdown(wait=False)
    if not data or data.isspace():
        raise refused(name, "the file is empty")
    if data.startswith(b"PK"):
        from lotlaw.importers.workbook import is_workbook, sheets

        if is_workbook(data):
            return Text(name, b"", digest, (), sheets(name, data))
    data, notes = _decoded(name, ofx.table(name, data) if ofx.is_ofx(data) else data)
    data = txf.table(name, data) if txf.is_txf(data) else data
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
    if (
        b'"' in data and b"\r\n" in data
    ):  # else a carriage return can only stand at the end of a row, where none is kept
        data = data.replace(b"\r\n", b"\n")
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
