"""TXF files as CSV text: a row for each record, on the line where the record begins.

TXF (Tax eXchange Format, V042) is what tax programs import: lines of a letter and a value, records that end in `^`. A
record of a sale has its form and line as a reference number (N), the security (P), two dates (D: acquired, sold) and
two or three amounts ($: cost, proceeds, the part of a loss that a wash sale disallows).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from lotlaw.importers.problems import refused
from lotlaw.source import Place, Problem, Problems

COLUMNS = ("TXF", "Reference", "Security", "Acquired", "Sold", "Cost", "Proceeds", "Disallowed")
"""They stand on the first line, where no record begins."""
ONCE = {"T": 0, "N": 1, "P": 2}
SEVERAL = {"D": (3, 4), "$": (5, 6, 7)}
UNREAD = "CLX"
"""Copy, line and free text of a record: they say nothing of the sale."""
END = "^"


def is_txf(data: bytes) -> bool:
    """Whether a file begins like a TXF file: with its version."""
    return bool(re.match(rb"V\d{3}\r?\n", data))


def table(name: str, data: bytes) -> bytes:
    """The records as CSV. Raises Problems."""
    lines = data.decode().splitlines()
    problems: list[Problem] = []
    rows = dict(_rows(name, lines, problems))
    if problems:
        raise Problems(sorted(problems, key=lambda problem: problem.place.line))
    rows[1] = list(COLUMNS)
    return "".join(f"{_csv(rows[n]) if n in rows else ''}\n" for n in range(1, len(lines) + 1)).encode()


def _rows(name: str, lines: list[str], problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """The line on which each record begins, and its cells."""
    start = next((n for n, line in enumerate(lines) if line.strip() == END), None)
    if start is None:
        raise refused(name, f"a TXF file whose heading does not end; its last line would be {END}")
    first, cells = 0, list[str]()
    for n, line in enumerate(lines[start + 1 :], start + 2):
        if line.strip() == END:
            yield from [(first, cells)] if first else []
            first, cells = 0, []
        elif line.strip():
            first = first or n
            cells = cells or [""] * len(COLUMNS)
            if not _filled(cells, line[0], line[1:].strip()):
                problems.append(Problem(Place(name, n), f"'{line[0]}' begins no line of a record that lotlaw reads"))
    if first:
        problems.append(Problem(Place(name, first), f"the last record breaks off: it would end in {END}"))


def _filled(cells: list[str], letter: str, value: str) -> bool:
    """Put a value where its letter says; whether there is such a place."""
    if letter in ONCE:
        cells[ONCE[letter]] = value
        return True
    free = next((place for place in SEVERAL.get(letter, ()) if not cells[place]), None)
    if free is not None:
        cells[free] = value
    return free is not None or letter in UNREAD


def _csv(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
