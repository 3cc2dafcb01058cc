"""Pages of plain text in a PDF, letter size on its side: statements that go with a form."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pypdf.generic import ArrayObject, NameObject, NumberObject

from lotlaw.rendering.pdf.drawing import named
from lotlaw.rendering.pdf.fitting import escape, nearest

if TYPE_CHECKING:
    from lotlaw.rendering.pdf.drawing import Pdf

PAGE = (792, 612)
MARGIN = 36
SIZE, LEADING = 8, 10
WIDTH = 150
"""How many letters a line has: they are all as wide as 0.6 of their size."""
LINES = 54
"""How many lines a page has."""
FONT = "/Text"


def add_text(pdf: Pdf, lines: Iterable[str], heading: Sequence[str] = ()) -> None:
    """Add lines of text on as many pages as they need, each under the same heading."""
    font = named(
        Type=NameObject("/Font"), Subtype=NameObject("/Type1"), BaseFont=NameObject("/Courier"),
        Encoding=NameObject("/WinAnsiEncoding"),
    )  # fmt: skip
    resources = pdf.add(named(Font=named(**{FONT[1:]: pdf.add(font)})))
    size = ArrayObject(NumberObject(edge) for edge in (0, 0, *PAGE))
    every, room = list(lines), LINES - len(heading)
    for page in (every[start : start + room] for start in range(0, len(every), room)):
        pdf.page(size, pdf.stream(_drawn([*heading, *page])), resources)


def wrapped(text: str, indent: str) -> Iterator[str]:
    """A text on as many lines as it needs, all indented."""
    yield from textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent) or [indent]


def _drawn(lines: Iterable[str]) -> bytes:
    top = PAGE[1] - MARGIN - SIZE
    said = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
    return f"BT\n{FONT} {SIZE} Tf {LEADING} TL {MARGIN} {top} Td\n{said}ET\n".encode("ascii")


def _escaped(line: str) -> str:
    return "".join(escape(nearest(letter)) for letter in line)
