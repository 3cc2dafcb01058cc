"""The reading of slopes: how a return moves when one amount that it was given rises.

A value is an amount as it stands, what it gains for each dollar of the rise, and for how many dollars that is sure to
hold (None: for all). A decision (the smaller of two, a condition, a bracket, a row, a rounding) holds until its sides
meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from lotlaw.readings import exact

ZERO = Decimal(0)
Until = Decimal | None


@dataclass(frozen=True)
class Moving:
    """An amount, its slope, and how far that holds."""

    value: Decimal
    slope: Decimal = ZERO
    until: Until = None


@dataclass(frozen=True)
class Held:
    """Yes or no, and how far that holds."""

    value: bool
    until: Until = None


def first(*untils: Until) -> Until:
    """The nearest of several ends."""
    return min((until for until in untils if until is not None), default=None)


def const(value: Any) -> Any:
    """A number or flag that does not move; a table as it is."""
    if isinstance(value, bool):
        return Held(value)
    return value if isinstance(value, list) else Moving(exact.const(value))


def add(a: Moving, b: Moving) -> Moving:
    """a + b."""
    return Moving(a.value + b.value, a.slope + b.slope, first(a.until, b.until))


def sub(a: Moving, b: Moving) -> Moving:
    """a - b."""
    return add(a, neg(b))


def neg(a: Moving) -> Moving:
    """-a."""
    return Moving(exact.neg(a.value), exact.neg(a.slope), a.until)


def mul(a: Moving, b: Moving) -> Moving:
    """a x b, of which one does not move; as exact as the product is before it is rounded to the cent."""
    slope = a.slope * b.value + a.value * b.slope
    return Moving(exact.mul(a.value, b.value), slope, first(a.until, b.until))


def _meets(a: Moving, b: Moving) -> Until:
    """When a and b, moving towards each other, meet."""
    gap, speed = b.value - a.value, a.slope - b.slope
    return gap / speed if speed and gap / speed >= 0 else None


def compare(sign: str, a: Moving | Held, b: Moving | Held) -> Held:
    """Whether a stands to b as `sign` says, until they meet."""
    held = exact.compare(sign, a.value, b.value)
    if isinstance(a, Held) or isinstance(b, Held):
        return Held(held, first(a.until, b.until))
    return Held(held, first(a.until, b.until, _meets(a, b)))


def all_of(flags: Sequence[Held]) -> Held:
    """Whether all hold."""
    return Held(all(flag.value for flag in flags), first(*(flag.until for flag in flags)))


def any_of(flags: Sequence[Held]) -> Held:
    """Whether one holds."""
    return Held(any(flag.value for flag in flags), first(*(flag.until for flag in flags)))


def negate(flag: Held) -> Held:
    """Whether it does not hold."""
    return Held(not flag.value, flag.until)


def choose(flag: Held, yes: Any, no: Any) -> Any:
    """The one that is chosen, until the other is."""
    return held_by(yes if flag.value else no, flag.until)


def held_by(value: Any, until: Until) -> Any:
    """A value that holds no longer than something else."""
    if isinstance(value, Held):
        return Held(value.value, first(value.until, until))
    return Moving(value.value, value.slope, first(value.until, until))


def _bound(sign: int) -> Callable[..., Moving]:
    """min (1) or max (-1): of those that are the same, the one that is so just after."""

    def bound(*values: Moving) -> Moving:
        decided: Moving = min(values, key=lambda one: (sign * one.value, sign * one.slope))
        ends = (end for one in values if one is not decided for end in (one.until, _crossing(decided, one)))
        return Moving(decided.value, decided.slope, first(decided.until, *ends))

    return bound


def _crossing(decided: Moving, other: Moving) -> Until:
    return None if decided.value == other.value else _meets(decided, other)


def whole_dollars(amount: Moving) -> Moving:
    """To the dollar: what moves by whole dollars stays as far from one; else until the next half dollar."""
    value = exact.whole_dollars(amount.value)
    if amount.slope == amount.slope.to_integral_value():
        return Moving(value, amount.slope, amount.until)
    half = Decimal("0.5")
    gap = value + half - amount.value if amount.slope > 0 else amount.value - (value - half)
    return Moving(value, ZERO, first(amount.until, gap / abs(amount.slope)))


def schedule(amount: Moving, brackets: list[dict[str, Any]]) -> Moving:
    """Tax by a rate schedule: the rate of the bracket that the next dollar falls in."""
    tax = exact.schedule(amount.value, brackets)
    floors = [ZERO, *(Decimal(row["up_to"]) for row in brackets[:-1])]
    ahead = amount.slope > 0
    reached = [n for n, floor in enumerate(floors) if amount.value > floor or (ahead and amount.value == floor)]
    if not reached:
        return Moving(tax, ZERO, first(amount.until, _meets(amount, Moving(ZERO)) if ahead else None))
    row = brackets[reached[-1]]
    end = row.get("up_to") if ahead else floors[reached[-1]]
    ends = None if end is None else _meets(amount, Moving(Decimal(end)))
    return Moving(tax, amount.slope * row["rate"], first(amount.until, ends))


def row_middle(amount: Moving, steps: list[dict[str, Any]]) -> Moving:
    """The middle of a row of the table, until the next row."""
    middle = exact.row_middle(amount.value, steps)
    if not amount.slope:
        return Moving(middle, ZERO, amount.until)
    return Moving(middle, ZERO, first(amount.until, *_edges(amount, steps)))


def _edges(amount: Moving, steps: list[dict[str, Any]]) -> Iterator[Decimal]:
    """How far the edges of the row are that an amount stands in, those that it moves towards."""
    floor = ZERO
    for row in steps:
        if amount.value < row["up_to"] or row is steps[-1]:
            width = Decimal(row["width"])
            start = floor + ((amount.value - floor) / width).to_integral_value(ROUND_FLOOR) * width
            edge = start + width if amount.slope > 0 else start
            yield abs(edge - amount.value) / abs(amount.slope)
            return
        floor = Decimal(row["up_to"])


functions: Mapping[str, Callable[..., Any]] = {
    "min": _bound(1), "max": _bound(-1), "schedule": schedule, "row_middle": row_middle, "whole_dollars": whole_dollars,
}  # fmt: skip
