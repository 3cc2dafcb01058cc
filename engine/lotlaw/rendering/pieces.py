"""Files are made of pieces: texts, bytes, and tables whose cells stand one after another with a text between.

A table of a million rows is written by polars as it is; joining it to one Python text first would copy it three times.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Cells:
    """Columns of texts and numbers, the one letter between two cells, and what stands after each row."""

    table: pl.DataFrame
    between: str
    after: str

    def write(self, file: IO[bytes]) -> None:
        """Write the cells as they are: nothing is quoted."""
        self.table.write_csv(
            file, include_header=False, quote_style="never", separator=self.between, line_terminator=self.after
        )


Piece = str | bytes | Cells


def joined(pieces: Iterable[Piece]) -> str:
    """The pieces as one text."""
    file = io.BytesIO()
    write_pieces(pieces, file)
    return file.getvalue().decode()


def write_pieces(pieces: Iterable[Piece], file: IO[bytes]) -> None:
    """Write the pieces as UTF-8."""
    for piece in pieces:
        if isinstance(piece, str):
            file.write(piece.encode())
        elif isinstance(piece, bytes):
            file.write(piece)
        else:
            piece.write(file)
