"""The columns reading: polars expressions over scaled integers, for rows of a form or a million returns at once.

An amount is `Scaled`: whole numbers in a column, and how many decimals they carry. Dates and flags are plain
expressions. Products are rounded half away from zero to the cent, as in the exact reading; `LARGEST` bounds amounts
so that no product can leave 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl

MONEY = 2
LARGEST = 10**13
"""Dollars that an amount may have: times a rate of three decimals and two for rounding, its cents still fit 63 bits."""


@dataclass(frozen=True)
class Scaled:
    """A column of whole numbers with `places` decimals."""

    whole: pl.Expr
    places: int

    def at(self, places: int) -> pl.Expr:
        """The whole numbers at more decimals."""
        return self.whole if places == self.places else self.whole * 10 ** (places - self.places)


def money(expr: pl.Expr) -> Scaled:
    """A column of cents as an amount."""
    return Scaled(expr, MONEY)


def const(value: Any) -> Any:
    """A number of a formula or a parameter's value; rows of brackets and steps stay as they are."""
    if isinstance(value, (bool, date)):
        return pl.lit(value)
    if isinstance(value, (int, Decimal)):
        return _scaled(Decimal(value))
    return value


def _scaled(value: Decimal) -> Scaled:
    exponent = value.normalize().as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    return Scaled(pl.lit(int(value.scaleb(places)), pl.Int64), places)


def add(a: Scaled, b: Scaled) -> Scaled:
    """a + b."""
    places = max(a.places, b.places)
    return Scaled(a.at(places) + b.at(places), places)


def sub(a: Scaled, b: Scaled) -> Scaled:
    """a - b."""
    places = max(a.places, b.places)
    return Scaled(a.at(places) - b.at(places), places)


def mul(a: Scaled, b: Scaled) -> Scaled:
    """a x b, to the cent."""
    return rounded(Scaled(a.whole * b.whole, a.places + b.places), MONEY)


def neg(a: Scaled) -> Scaled:
    """-a."""
    return Scaled(-a.whole, a.places)


def rounded(amount: Scaled, places: int) -> Scaled:
    """Half away from zero to `places` decimals: `//` floors, so below zero an exact half has to be pushed down."""
    if amount.places <= places:
        return amount
    step = 10 ** (amount.places - places)
    whole = amount.whole
    return Scaled((whole + step // 2 - (whole < 0)) // step, places)


def compare(sign: str, a: Any, b: Any) -> pl.Expr:
    """A column of flags."""
    if isinstance(a, Scaled):
        places = max(a.places, b.places)
        a, b = a.at(places), b.at(places)
    signs: dict[str, Callable[[], pl.Expr]] = {
        "<": lambda: a < b, "<=": lambda: a <= b, ">": lambda: a > b, ">=": lambda: a >= b,
        "==": lambda: a == b, "!=": lambda: a != b,
    }  # fmt: skip
    return signs[sign]()


def all_of(flags: list[pl.Expr]) -> pl.Expr:
    """Whether every flag holds, row by row."""
    return reduce(lambda a, b: a & b, flags)


def any_of(flags: list[pl.Expr]) -> pl.Expr:
    """Whether any flag holds, row by row."""
    return reduce(lambda a, b: a | b, flags)


def negate(flag: pl.Expr) -> pl.Expr:
    """Whether the flag does not hold, row by row."""
    return ~flag


def choose(flag: pl.Expr, yes: Any, no: Any) -> Any:
    """`yes` where the flag holds, else `no`."""
    if not isinstance(yes, Scaled):
        return pl.when(flag).then(yes).otherwise(no)
    places = max(yes.places, no.places)
    return Scaled(pl.when(flag).then(yes.at(places)).otherwise(no.at(places)), places)


def _least(*values: Scaled) -> Scaled:
    places = max(value.places for value in values)
    return Scaled(pl.min_horizontal(value.at(places) for value in values), places)


def _most(*values: Scaled) -> Scaled:
    places = max(value.places for value in values)
    return Scaled(pl.max_horizontal(value.at(places) for value in values), places)


def whole_dollars(amount: Scaled) -> Scaled:
    """Half away from zero to the dollar."""
    return rounded(amount, 0)


def schedule(amount: Scaled, brackets: list[dict[str, Any]]) -> Scaled:
    """Tax on `amount` by a rate schedule, to the cent; see the exact reading."""
    zero, floor = const(0), const(0)
    parts = []
    for row in brackets:
        top = row.get("up_to")
        inside = amount if top is None else _least(amount, _amount(top))
        rate = const(row["rate"])
        part = _most(zero, sub(inside, floor))
        parts.append(Scaled(part.whole * rate.whole, part.places + rate.places))
        floor = floor if top is None else _amount(top)
    return rounded(reduce(add, parts), MONEY)


def _amount(value: Any) -> Scaled:
    """A limit of a bracket: a number, or a column where it differs by return."""
    return value if isinstance(value, Scaled) else _scaled(Decimal(value))


def row_middle(amount: Scaled, steps: list[dict[str, Any]]) -> Scaled:
    """The middle of the table row that `amount` falls in; see the exact reading."""
    result: pl.Expr | None = None
    floors = [0, *(int(row["up_to"]) for row in steps)]
    cents = amount.at(MONEY)
    for floor, row in reversed(list(zip(floors, steps, strict=False))):
        start, width = floor * 10**MONEY, int(row["width"]) * 10**MONEY
        middle = start + (cents - start) // width * width + width // 2
        result = (
            middle if result is None else pl.when(cents < int(row["up_to"]) * 10**MONEY).then(middle).otherwise(result)
        )
    return Scaled(result, MONEY) if result is not None else amount


def day_after(day: pl.Expr) -> pl.Expr:
    """The next day of the calendar."""
    return day + pl.duration(days=1)


def years_after(day: pl.Expr, years: Scaled) -> pl.Expr:
    """The same day `years` on; February 29 of a common year is March 1."""
    first = pl.date(day.dt.year() + years.whole, day.dt.month(), 1)
    return first + pl.duration(days=day.dt.day().cast(pl.Int64) - 1)


functions: Mapping[str, Callable[..., Any]] = {
    "min": _least, "max": _most, "schedule": schedule, "row_middle": row_middle, "whole_dollars": whole_dollars,
    "day_after": day_after, "years_after": years_after,
}  # fmt: skip
