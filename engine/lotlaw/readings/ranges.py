"""The ranges reading: between which bounds a formula stays, for whether the whole numbers of columns can hold it.

An amount is a `Range`: the least and the most that it may be, as whole numbers of so many decimals, worked as the
columns work it. A flag is not known. What leaves the room of 64 bits at any step is a mistake that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from lotlaw.formula import Mistake

CENTS = 2
ROOM = 2**63 - 1
"""The largest whole number of a column."""
FLAG = object()
"""Yes or no."""


@dataclass(frozen=True)
class Range:
    """Any amount from `low` to `high`, as whole numbers with `places` decimals."""

    low: int
    high: int
    places: int

    def __post_init__(self) -> None:
        widest = max(abs(self.low), abs(self.high))
        if widest > ROOM:
            amount = f"{Decimal(widest).scaleb(-self.places):,.0f} with {self.places} decimals"
            raise Mistake(f"may come to {amount}, for which a column has no room")

    def at(self, places: int) -> Range:
        """The same with more decimals."""
        step: int = 10 ** (places - self.places)
        return self if step == 1 else Range(self.low * step, self.high * step, places)

    def with_zero(self) -> Range:
        """The same, or nothing."""
        return Range(min(0, self.low), max(0, self.high), self.places)


def const(value: Any) -> Any:
    """A number of a formula or a parameter's value; rows of brackets and steps stay as they are."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return FLAG if isinstance(value, bool) else value
    exponent = Decimal(value).normalize().as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    whole = int(Decimal(value).scaleb(places))
    return Range(whole, whole, places)


def _alike(*values: Range) -> list[Range]:
    """The amounts with as many decimals as the finest of them."""
    places = max(value.places for value in values)
    return [value.at(places) for value in values]


def add(a: Range, b: Range) -> Range:
    """a + b."""
    a, b = _alike(a, b)
    return Range(a.low + b.low, a.high + b.high, a.places)


def sub(a: Range, b: Range) -> Range:
    """a - b."""
    return add(a, neg(b))


def mul(a: Range, b: Range) -> Range:
    """a x b, to the cent."""
    return rounded(_product(a, b), CENTS)


def _product(a: Range, b: Range) -> Range:
    ends = [one * other for one in (a.low, a.high) for other in (b.low, b.high)]
    return Range(min(ends), max(ends), a.places + b.places)


def neg(a: Range) -> Range:
    """-a."""
    return Range(-a.high, -a.low, a.places)


def rounded(amount: Range, places: int) -> Range:
    """To `places` decimals, half away from zero; half a unit is added on the way."""
    if amount.places <= places:
        return amount
    step: int = 10 ** (amount.places - places)
    pushed = Range(amount.low - step // 2 - 1, amount.high + step // 2, amount.places)
    return Range(pushed.low // step, pushed.high // step, places)


def compare(_sign: str, a: Any, b: Any) -> Any:
    """A flag; both sides have as many decimals as the finer one first."""
    if isinstance(a, Range):
        _alike(a, b)
    return FLAG


def all_of(_flags: list[Any]) -> Any:
    """A flag."""
    return FLAG


def any_of(_flags: list[Any]) -> Any:
    """A flag."""
    return FLAG


def negate(_flag: Any) -> Any:
    """A flag."""
    return FLAG


def choose(_flag: Any, yes: Any, no: Any) -> Any:
    """Either."""
    if not isinstance(yes, Range):
        return FLAG
    yes, no = _alike(yes, no)
    return Range(min(yes.low, no.low), max(yes.high, no.high), yes.places)


def _least(*values: Range) -> Range:
    values = tuple(_alike(*values))
    return Range(min(v.low for v in values), min(v.high for v in values), values[0].places)


def _most(*values: Range) -> Range:
    values = tuple(_alike(*values))
    return Range(max(v.low for v in values), max(v.high for v in values), values[0].places)


def whole_dollars(amount: Range) -> Range:
    """Half away from zero to the dollar."""
    return rounded(amount, 0)


def schedule(amount: Range, brackets: list[dict[str, Any]]) -> Range:
    """Tax on `amount` by a rate schedule, to the cent; see the exact reading."""
    zero, floor = const(0), const(0)
    parts = []
    for row in brackets:
        top = row.get("up_to")
        inside = amount if top is None else _least(amount, const(top))
        parts.append(_product(_most(zero, sub(inside, floor)), const(row["rate"])))
        floor = floor if top is None else const(top)
    return rounded(reduce(add, parts), CENTS)


def row_middle(amount: Range, steps: list[dict[str, Any]]) -> Range:
    """The middle of the table row that `amount` falls in: no further away than the widest row is wide."""
    widest = const(max(row["width"] for row in steps)).at(CENTS)
    return Range(amount.at(CENTS).low - widest.high, amount.at(CENTS).high + widest.high, CENTS)


functions: Mapping[str, Callable[..., Any]] = {
    "min": _least, "max": _most, "schedule": schedule, "row_middle": row_middle, "whole_dollars": whole_dollars,
}  # fmt: skip
