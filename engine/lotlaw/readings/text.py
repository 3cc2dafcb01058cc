"""The text reading: polars expressions over the cells of an export, for importers.

A value is a column (`pl.Expr`), or a plain `str`, `Decimal`, `bool` or `None` for what a formula writes out or a file
does not have. Amounts are `Decimal(38, 18)`, exact. Nothing is undefined: an empty cell in arithmetic gives an empty
cell, division by zero gives an empty cell, and a condition that cannot be answered counts as no. Patterns are matched
by polars in linear time, without look-around.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl

from lotlaw.formula import Mistake

DECIMAL = pl.Decimal(38, 18)
DECIMALS = 18
LONGEST_PATTERN = 300
ZERO = Decimal(0)

Value = pl.Expr | str | Decimal | bool | None

NO_NUMBER = ("-", "--", "N/A", "n/a")
"""What exports write where there is no number."""

_NUMBER = (
    r'^(?:=")?@?(?P<open>\()?(?P<sign>[-+])? ?(?:[$€£]|[A-Z]{3} )?(?P<inner>[-+])?'
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:(?P<power>[eE][-+]?\d{1,2})| ?(?P<percent>%))?"
    r'(?: [A-Z][A-Z0-9.]+)?(?P<close>\))?"?$'
)


def const(value: Any) -> Value:
    """A number or text of a formula; binary floats are read as the decimals they were written as."""
    if value == "":
        raise Mistake("an empty cell is null: write `x is null`")
    if isinstance(value, (bool, str)) or value is None:
        return value
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def column(value: Value) -> pl.Expr:
    """Any value as a column."""
    if isinstance(value, pl.Expr):
        return value
    # A Decimal makes polars import numpy where there is one, which takes as long as polars itself.
    return pl.lit(f"{value:f}").cast(DECIMAL) if isinstance(value, Decimal) else pl.lit(value)


def _strict(act: Callable[..., pl.Expr]) -> Callable[..., Value]:
    """A function of columns that gives nothing where one of its columns is not there."""

    def strict(first: Value, *rest: Value) -> Value:
        return None if first is None or any(value is None for value in rest) else act(column(first), *rest)

    return strict


def _arithmetic(act: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Callable[[Value, Value], Value]:
    def both(a: Value, b: Value) -> Value:
        return None if a is None or b is None else act(column(a), column(b))

    return both


add = _arithmetic(lambda a, b: a + b)
sub = _arithmetic(lambda a, b: a - b)
mul = _arithmetic(lambda a, b: a * b)
div = _arithmetic(lambda a, b: a / pl.when(b != 0).then(b))
_COMPARE: Mapping[str, Callable[[Value, Value], Value]] = {
    "<": _arithmetic(lambda a, b: a < b), "<=": _arithmetic(lambda a, b: a <= b),
    ">": _arithmetic(lambda a, b: a > b), ">=": _arithmetic(lambda a, b: a >= b),
    "==": _arithmetic(lambda a, b: a == b), "!=": _arithmetic(lambda a, b: a != b),
}  # fmt: skip


def neg(a: Value) -> Value:
    """-a."""
    return None if a is None else -column(a)


def compare(sign: str, a: Value, b: Value) -> Value:
    """A column of flags, empty where either side is."""
    return _COMPARE[sign](a, b)


def all_of(flags: list[Value]) -> pl.Expr:
    """Whether every flag holds, row by row."""
    return reduce(lambda a, b: a & b, (flag(f) for f in flags))


def any_of(flags: list[Value]) -> pl.Expr:
    """Whether any flag holds, row by row."""
    return reduce(lambda a, b: a | b, (flag(f) for f in flags))


def negate(flag_: Value) -> Value:
    """Whether the flag does not hold; unanswered stays unanswered."""
    return None if flag_ is None else ~column(flag_)


def choose(flag_: Value, yes: Value, no: Value) -> pl.Expr:
    """`yes` where the flag holds, else `no`."""
    return pl.when(flag(flag_)).then(column(yes)).otherwise(column(no))


def flag(value: Value) -> pl.Expr:
    """A condition as a column; unanswered where it has no answer."""
    return pl.lit(None, dtype=pl.Boolean) if value is None else column(value)


def number(text: pl.Expr) -> pl.Expr:
    """The decimal in a cell such as `$1,234.50`, `(0.07 BTC)`, `@55`, `5%` or `="532"`; empty where there is none."""
    parts = text.str.strip_chars().str.extract_groups(_NUMBER)
    part = parts.struct.field
    digits = part("digits").str.replace_all(",", "", literal=True)
    power = pl.when(part("percent").is_not_null()).then(pl.lit("e-2")).otherwise(part("power").fill_null(""))
    size = pl.concat_str(digits, power).cast(DECIMAL, strict=False)
    signs = part("sign").is_not_null().cast(pl.Int8) + part("inner").is_not_null() + part("open").is_not_null()
    minus = (
        part("open").is_not_null() | (part("sign") == "-").fill_null(False) | (part("inner") == "-").fill_null(False)
    )
    sound = (part("open").is_null() == part("close").is_null()) & (signs <= 1)
    return pl.when(sound & ~minus).then(size).when(sound).then(-size)


def pointed(text: pl.Expr) -> pl.Expr:
    """Numbers with a decimal comma, such as `1.234,50` or `1 234,50`, with a decimal point; `1.5` is then none."""
    whole = text.str.replace_all(r"(\d)[ \u{a0}\u{202f}](\d{3})", "$1$2")
    return whole.str.replace_many([".", ","], [",", "."])


def too_fine(text: pl.Expr) -> pl.Expr:
    """Whether a cell's number has more decimals than are kept."""
    decimals = text.str.extract(r"\.(\d*?)0*(?:[^\d.]|$)").str.len_bytes().fill_null(0).cast(pl.Int32)
    power = text.str.extract(r"\d[eE]([-+]?\d{1,2})").cast(pl.Int32, strict=False).fill_null(0)
    return decimals - power > DECIMALS


def _written(what: str, value: Value, longest: int = LONGEST_PATTERN) -> str:
    if not isinstance(value, str):
        raise Mistake(f"the {what} must be written out, in quotes")
    if len(value) > longest:
        raise Mistake(f"a {what} of {len(value)} characters; at most {longest} are read")
    return value


def pattern(value: Value) -> str:
    """A pattern that a formula writes out, known to be readable."""
    text = _written("pattern", value)
    try:
        pl.select(pl.lit("").str.contains(text))
    except pl.exceptions.ComputeError as error:
        reason = [line for line in str(error).splitlines() if line.startswith("error: ")]
        raise Mistake(f"not a pattern: {(reason or [str(error).splitlines()[0]])[0].removeprefix('error: ')}") from None
    return text


def _text(cell: pl.Expr) -> pl.Expr:
    return cell.cast(pl.String)


def _whole(value: Value) -> int:
    if not isinstance(value, Decimal) or value != int(value) or not 0 <= value <= DECIMALS:
        raise Mistake(f"the number must be written out, from 0 to {DECIMALS}")
    return int(value)


def _found(cell: pl.Expr, wanted: Value, group: Value = Decimal(1)) -> pl.Expr:
    return _text(cell).str.extract(pattern(wanted), _whole(group))


def _part(cell: pl.Expr, separator: Value, place: Value) -> pl.Expr:
    part = _text(cell).str.split(_written("separator", separator)).list.get(_whole(place), null_on_oob=True)
    part = part.str.strip_chars()
    return pl.when(part != "").then(part)


def _pair(cell: pl.Expr, place: Value, *quotes: Value) -> pl.Expr:
    """One side of a pair: parted by a sign, else by the longest of the words that it may end in."""
    words = sorted((_written("word", word) for word in quotes), key=lambda word: (-len(word), word))
    side = _whole(place) + 1
    known = "|".join(re.escape(word) for word in words)
    parted = _text(cell).str.extract(r"^([^-/_: ]+)[-/_: ]([^-/_: ]+)$", side)
    ended = [_text(cell).str.extract(f"^(.*?.)({known})$", side)] if known else []
    return pl.coalesce(parted, *ended)


def _sum(*amounts: Value) -> Value:
    total: Value = ZERO
    for amount in amounts:
        total = total if amount is None else add(total, column(amount).fill_null(ZERO))
    return total


def _coalesce(*values: Value) -> Value:
    there = [value for value in values if value is not None]
    return pl.coalesce([column(value) for value in there]) if there else None


def _one_of(cell: Value, *words: Value | tuple[str, ...]) -> pl.Expr:
    known = [one for word in words for one in (word if isinstance(word, tuple) else (word,))]
    return any_of([compare("==", cell, word) for word in known]).fill_null(False)


def _lower(cell: Value | tuple[str, ...]) -> Any:
    if isinstance(cell, tuple):
        return tuple(word.lower() for word in cell)
    return None if cell is None else _text(column(cell)).str.to_lowercase()


def _any_word(act: Callable[[pl.Expr, str], pl.Expr]) -> Callable[..., pl.Expr]:
    def found(cell: Value, *words: Value) -> pl.Expr:
        if cell is None:
            return pl.lit(False)
        return any_of([act(_text(column(cell)), _written("text", word)) for word in words]).fill_null(False)

    return found


def _match(cell: Value, wanted: Value) -> pl.Expr:
    text = pattern(wanted)
    return pl.lit(False) if cell is None else _text(column(cell)).str.contains(text).fill_null(False)


def _least(a: pl.Expr, b: Value) -> pl.Expr:
    return pl.when(a < column(b)).then(a).otherwise(column(b) + a * 0)


def _most(a: pl.Expr, b: Value) -> pl.Expr:
    return pl.when(a > column(b)).then(a).otherwise(column(b) + a * 0)


def _taking(name: str, act: Callable[..., Any], least: int, most: int | None = None) -> Callable[..., Any]:
    """A function that says how many values it takes, when it is given others."""

    def counted(*values: Value) -> Any:
        if len(values) < least or (most is not None and len(values) > most):
            count = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            raise Mistake(f"{name} takes {count} value(s), not {len(values)}")
        return act(*values)

    return counted


_FUNCTIONS: list[tuple[str, Callable[..., Any], int, int | None]] = [
    ("abs", _strict(lambda a: a.abs()), 1, 1),
    ("neg", neg, 1, 1),
    ("round", _strict(lambda a, places: a.round(_whole(places), mode="half_away_from_zero")), 2, 2),
    ("sum", _sum, 1, None),
    ("nz", _sum, 1, 1),
    ("min", _strict(_least), 2, 2),
    ("max", _strict(_most), 2, 2),
    ("coalesce", _coalesce, 1, None),
    ("iif", choose, 3, 3),
    ("num", _strict(lambda cell: number(_text(cell))), 1, 1),
    ("unit", _strict(lambda cell: _text(cell).str.extract(r"[\d.] ?([A-Za-z][\w.]*)\)?$")), 1, 1),
    ("re", _strict(_found), 2, 3),
    ("match", _match, 2, 2),
    ("starts", _any_word(lambda cell, word: cell.str.starts_with(word)), 2, None),
    ("has", _any_word(lambda cell, word: cell.str.contains(word, literal=True)), 2, None),
    ("split", _strict(_part), 3, 3),
    ("split_pair", _strict(_pair), 2, None),
    ("lower", _lower, 1, 1),
    ("upper", _strict(lambda cell: _text(cell).str.to_uppercase()), 1, 1),
    ("is_null", lambda value: pl.lit(value=True) if value is None else column(value).is_null(), 1, 1),
    ("one_of", _one_of, 2, None),
]
functions: Mapping[str, Callable[..., Any]] = {
    name: _taking(name, act, least, most) for name, act, least, most in _FUNCTIONS
}
