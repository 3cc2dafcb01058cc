"""How amounts and answers are written: for programs (`-8000.00`), and as a form prints them for people (`(8,000.00)`).

The functions on `Decimal` serve the few lines of a return; those that give polars expressions serve its many rows,
which are whole cents (Int64). Both write the same text for the same amount.
"""

from __future__ import annotations

import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from lotlaw.answers import Answer
from lotlaw.law import Form, Line

if TYPE_CHECKING:
    import polars as pl

CENT = Decimal("0.01")
UNPRINTABLE = r"[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]"
"""Characters that no form shows: controls, marks that hide or turn text, private ones, line separators."""
REPLACEMENT = "\ufffd"
_HIDDEN = {"Cc", "Cf", "Co", "Zl", "Zp"}


def clean(text: str) -> str:
    """Text as it may stand on a form: nothing in it moves a cursor, or hides or turns what follows."""
    return "".join(REPLACEMENT if unicodedata.category(letter) in _HIDDEN else letter for letter in text)


def plain(amount: Decimal, *, whole: bool) -> str:
    """Dollars for a program: `8000` where the form is in whole dollars, else `8000.00`."""
    return f"{_rounded(amount, whole=whole):f}"


def printed(amount: Decimal, *, whole: bool, parentheses: bool = False) -> str:
    """Dollars as a form prints them: `8,000`, and `(8,000)` below zero or where the form has parentheses of its own."""
    text = f"{abs(_rounded(amount, whole=whole)):,f}"
    return f"({text})" if parentheses or amount < 0 else text


def _rounded(amount: Decimal, *, whole: bool) -> Decimal:
    if whole and amount == amount.to_integral_value():
        return amount.quantize(Decimal(1)) + 0
    return amount.quantize(CENT, ROUND_HALF_UP) + 0


def in_dollars(form: Form, *, cents: bool) -> bool:
    """Whether the lines of a form are whole dollars."""
    return form.round == "dollar" and not cents


def said(line: Line, answer: Answer, *, whole: bool) -> str | dict[str, str]:
    """The answer on a line for a program: an amount, yes or no, or amounts by column."""
    if isinstance(answer, dict):
        return {column: _said(line, amount, whole=whole) for column, amount in answer.items()}
    return _said(line, answer, whole=whole)


def _said(line: Line, value: Decimal | bool, *, whole: bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(value, whole=whole) if line.unit == "money" else f"{value.normalize():f}"


def cell(line: Line, value: Any, *, whole: bool) -> str:
    """The answer on a line, or in one of its columns, as the form prints it; a blank is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if line.unit != "money":
        return f"{value.normalize():f}"
    return printed(value, whole=whole, parentheses=line.parentheses)


def plain_cents(column: str) -> pl.Expr:
    """Whole cents as `-8000.00`."""
    import polars as pl

    return pl.col(column).cast(pl.Int128).reinterpret(dtype=pl.Decimal(38, 2)).cast(pl.String)


def printed_cents(column: str, largest: int) -> pl.Expr:
    """Whole cents as `(8,000.00)`. No amount of the column is more than `largest`: no work is done for more digits."""
    import polars as pl

    cents, amount = pl.col(column), pl.col(column).abs()
    text = pl.concat_str(_grouped(amount // 100, largest // 100), pl.lit("."), _padded(amount % 100, 2))
    return pl.when(cents < 0).then(pl.concat_str(pl.lit("("), text, pl.lit(")"))).otherwise(text)


def _grouped(dollars: pl.Expr, largest: int) -> pl.Expr:
    import polars as pl

    if largest < 1000:
        return dollars.cast(pl.String)
    rest = pl.concat_str(_grouped(dollars // 1000, largest // 1000), pl.lit(","), _padded(dollars % 1000, 3))
    return pl.when(dollars < 1000).then(dollars.cast(pl.String)).otherwise(rest)


def _padded(number: pl.Expr, width: int) -> pl.Expr:
    import polars as pl

    return number.cast(pl.String).str.zfill(width)


def exact_dollars(column: str) -> pl.Expr:
    """Exact dollars (Decimal) as `12.00` or `0.000012345`: at least cents, and every digit there is."""
    import polars as pl

    return pl.col(column).cast(pl.Decimal(38, 18)).cast(pl.String).str.replace(r"(\.\d\d\d*?)0+$", "$1")
