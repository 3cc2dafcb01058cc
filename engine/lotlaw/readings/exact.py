"""The exact reading: `Decimal` dollars and rates, `date`, `bool`; one return at a time.

The one rule of rounding, shared with the columns: a product is rounded half away from zero to the cent.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
DOLLAR = Decimal(1)
ZERO = Decimal(0)

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def const(value: Any) -> Any:
    """A number of a formula or a parameter's value."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def add(a: Decimal, b: Decimal) -> Decimal:
    """a + b."""
    return a + b


def sub(a: Decimal, b: Decimal) -> Decimal:
    """a - b."""
    return a - b


def mul(a: Decimal, b: Decimal) -> Decimal:
    """a x b, to the cent."""
    return cents(a * b)


def neg(a: Decimal) -> Decimal:
    """-a, without a negative zero."""
    return ZERO - a


def compare(sign: str, a: Any, b: Any) -> bool:
    """Whether a stands to b as `sign` says."""
    return _COMPARE[sign](a, b)


def all_of(flags: list[bool]) -> bool:
    """Whether every flag holds."""
    return all(flags)


def any_of(flags: list[bool]) -> bool:
    """Whether any flag holds."""
    return any(flags)


def negate(flag: bool) -> bool:
    """Whether the flag does not hold."""
    return not flag


def choose(flag: bool, yes: Any, no: Any) -> Any:
    """`yes` where the flag holds, else `no`."""
    return yes if flag else no


def cents(amount: Decimal) -> Decimal:
    """Half away from zero to the cent; amounts that have no more than cents stay as they are."""
    exponent = amount.as_tuple().exponent
    return amount if isinstance(exponent, int) and exponent >= -2 else amount.quantize(CENT, ROUND_HALF_UP)


def whole_dollars(amount: Decimal) -> Decimal:
    """Half away from zero to the dollar."""
    return amount.quantize(DOLLAR, ROUND_HALF_UP)


def schedule(amount: Decimal, brackets: list[dict[str, Any]]) -> Decimal:
    """Tax on `amount` by a rate schedule (rows of `rate` and `up_to`, the last without an end), to the cent."""
    total, floor = ZERO, ZERO
    for row in brackets:
        top = row.get("up_to")
        inside = amount if top is None else min(amount, top)
        total += max(ZERO, inside - floor) * row["rate"]
        floor = floor if top is None else Decimal(top)
    return cents(total)


def row_middle(amount: Decimal, steps: list[dict[str, Any]]) -> Decimal:
    """The middle of the table row that `amount` falls in ("at least, but less than"); rows by `up_to` and `width`."""
    floor = ZERO
    for row in steps:
        width, top = Decimal(row["width"]), Decimal(row["up_to"])
        if amount < top or row is steps[-1]:
            return floor + (amount - floor) // width * width + width / 2
        floor = top
    return amount


def day_after(day: date) -> date:
    """The next day of the calendar."""
    return day + timedelta(days=1)


def years_after(day: date, years: Any) -> date:
    """The same day `years` on; February 29 of a common year is March 1."""
    return date(day.year + int(years), day.month, 1) + timedelta(days=day.day - 1)


functions: Mapping[str, Callable[..., Any]] = {
    "min": min, "max": max, "schedule": schedule, "row_middle": row_middle, "whole_dollars": whole_dollars,
    "day_after": day_after, "years_after": years_after,
}  # fmt: skip
