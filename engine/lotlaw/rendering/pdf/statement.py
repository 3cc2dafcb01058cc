"""Pages of plain text in a PDF, letter size on its side: statements that go with a form."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pypdf.generic import ArrayObject, NameObject, NumberObject

from lotlaw.rendering.pdf.drawing import named
from lotlaw.rendering.pdf.fitting import escape, nearest

if TYPE_CHECKING:
    from lotlaw.rendering.pdf.drawing import Pdf

PAGE = (792, 612)
MARGIN = 36
SIZE, LEADING = 80, 10
"""How large letters are, in tenths of a point, and how high a line is."""
ROOM = 12 * 10**3
"""How wide a line may be, in letters by tenths of a point: each letter is as wide as 0.6 of its size."""
WIDTH = ROOM // SIZE
"""How many letters of full size a line has."""
LINES = 54
"""How many lines a page has."""
FONT = "/Text"


class Statement:
    """Pages of text at the end of a document."""

    def __init__(self, pdf: Pdf) -> None:
        font = named(
            Type=NameObject("/Font"), Subtype=NameObject("/Type1"), BaseFont=NameObject("/Courier"),
            Encoding=NameObject("/WinAnsiEncoding"),
        )  # fmt: skip
        self.pdf = pdf
        self.resources = pdf.add(named(Font=named(**{FONT[1:]: pdf.add(font)})))
        self.size = ArrayObject(NumberObject(edge) for edge in (0, 0, *PAGE))

    def add(self, lines: Sequence[str], heading: Sequence[str] = ()) -> None:
        """Add lines on as many pages as they need, each under the same heading, smaller where a line is too wide."""
        room = LINES - len(heading)
        size = min(SIZE, ROOM // max(map(len, (*heading, *lines, "-"))))
        for start in range(0, len(lines), room):
            content = self.pdf.stream(_drawn([*heading, *lines[start : start + room]], size))
            self.pdf.page(self.size, content, self.resources)


def wrapped(text: str, indent: str) -> Iterator[str]:
    """A text on as many lines as it needs, all indented."""
    yield from textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent) or [indent]


def _drawn(lines: Sequence[str], size: int) -> bytes:
    top = PAGE[1] - MARGIN - LEADING
    said = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
    return f"BT\n{FONT} {size // 10}.{size % 10} Tf {LEADING} TL {MARGIN} {top} Td\n{said}ET\n".encode("ascii")


def _escaped(line: str) -> str:
    return "".join(escape(nearest(letter)) for letter in line)
