"""Files are made of pieces: texts, and columns of texts that stand one after another without anything in between.

A column of a million rows is written by polars as it is; joining it to one Python text first would copy it three times.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    Piece = str | pl.Series
else:
    Piece = "Piece"


def joined(pieces: Iterable[Piece]) -> str:
    """The pieces as one text."""
    return "".join(piece if isinstance(piece, str) else "".join(piece.to_list()) for piece in pieces)


def write_pieces(pieces: Iterable[Piece], file: IO[bytes]) -> None:
    """Write the pieces as UTF-8."""
    for piece in pieces:
        if isinstance(piece, str):
            file.write(piece.encode())
        elif len(piece):
            piece.to_frame().write_csv(file, include_header=False, quote_style="never", line_terminator="")
