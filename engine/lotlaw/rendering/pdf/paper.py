"""A blank form: its fields with their places and looks, and how wide each letter of its font is.

Lengths are whole thousandths of a point, so that the same text always stands in the same place.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from pypdf import PdfReader

CODEC = "cp1252"
"""What the fonts of forms encode, under its name in Python."""
MULTILINE = 2**12
CHECKED_OFF = "/Off"
FIELDS = {
    "field": pl.String, "page": pl.UInt32, "left": pl.Int64, "bottom": pl.Int64, "width": pl.Int64,
    "height": pl.Int64, "align": pl.UInt8, "several": pl.Boolean,
}  # fmt: skip
"""A field by the last part of its name: its page from 0, its place, how its text is aligned (left, centred, right),
and whether it may break into several lines."""


@dataclass(frozen=True)
class Look:
    """How the form shows what is filled in: a font by its name in the form, its size in tenths of a point, its colour.

    `widths` are the widths of the letters by code, in thousandths of the size.
    """

    font: str
    size: int
    colour: str
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Paper:
    """A blank form, read from its bytes."""

    data: bytes

    @cached_property
    def reader(self) -> PdfReader:
        from pypdf import PdfReader

        return PdfReader(io.BytesIO(self.data))

    @cached_property
    def form(self) -> Any:
        """The form's own dictionary."""
        return self.reader.root_object["/AcroForm"]

    @cached_property
    def widgets(self) -> Mapping[str, Any]:
        """The fields by the last part of their names, without [0]."""
        found = (a.get_object() for page in self.reader.pages for a in page.get("/Annots", ()))
        return {short(str(widget["/T"])): widget for widget in found if "/T" in widget}

    @cached_property
    def fields(self) -> pl.DataFrame:
        """A row a field, with columns FIELDS."""
        return pl.DataFrame(list(self._fields()), schema=FIELDS, orient="row")

    def _fields(self) -> Iterator[tuple[Any, ...]]:
        for number, page in enumerate(self.reader.pages):
            for annotation in page.get("/Annots", ()):
                widget = annotation.get_object()
                left, bottom, right, top = (int(Decimal(str(edge)).scaleb(3)) for edge in widget["/Rect"])
                several = bool(int(widget.get("/Ff", 0)) & MULTILINE)
                place = (left, bottom, right - left, top - bottom)
                yield short(str(widget.get("/T", ""))), number, *place, int(widget.get("/Q", 0)), several

    @cached_property
    def look(self) -> Look:
        """How the first field of text shows its own."""
        said = next(str(widget["/DA"]) for widget in self.widgets.values() if widget["/FT"] == "/Tx")
        match = re.match(r"(/\S+) ([\d.]+) Tf (.*)", said)
        if match is None:
            message = f"a field says {said} of its looks"
            raise ValueError(message)
        font = self.form["/DR"]["/Font"][match[1]].get_object()
        widths = tuple(round(width) for width in font["/Widths"])
        return Look(match[1], int(Decimal(match[2]) * 10), match[3], widths)

    @cached_property
    def pages(self) -> dict[str, int]:
        """The page of each field."""
        return dict(self.fields.select("field", "page").iter_rows())

    def path(self, field: str) -> tuple[str, ...]:
        """All parts of a field's name, the outermost first."""
        node, parts = self.widgets[field], list[str]()
        while node is not None:
            if "/T" in node:
                parts.append(str(node["/T"]))
            node = node["/Parent"].get_object() if "/Parent" in node else None
        return tuple(reversed(parts))

    def checked(self, field: str) -> str:
        """What a check box is called when it is checked."""
        return next(str(state) for state in self.widgets[field]["/AP"]["/N"] if state != CHECKED_OFF)


def short(part: str) -> str:
    """A part of a name as maps write it."""
    return part.removesuffix("[0]")
