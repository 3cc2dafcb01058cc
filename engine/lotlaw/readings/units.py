"""The units reading: what a formula is in, or why it makes no sense.

A unit is text: money, rate, count, date, years, days, flag, text, brackets, steps. The numbers 0 and 1 are `number`,
which takes the unit of what it stands with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lotlaw.formula import Mistake

NUMBER = "number"
_ADDABLE = {"money", "rate", "count", "days", "years", NUMBER}
_PRODUCTS = {
    ("money", "rate"): "money",
    ("money", "count"): "money",
    ("count", "count"): "count",
    ("rate", "count"): "rate",
}


def const(_value: Any) -> str:
    """Numbers of a formula fit any unit."""
    return NUMBER


def add(a: str, b: str) -> str:
    """Two amounts of one unit."""
    return _together("add", a, b)


def sub(a: str, b: str) -> str:
    """Two amounts of one unit."""
    return _together("subtract", a, b)


def mul(a: str, b: str) -> str:
    """Money or a count times a rate or a count."""
    for pair in ((a, b), (b, a)):
        if pair in _PRODUCTS:
            return _PRODUCTS[pair]
        if pair[0] == NUMBER and pair[1] in _ADDABLE:
            return pair[1]
    raise Mistake(f"cannot multiply {a} by {b}")


def neg(a: str) -> str:
    """An amount of the same unit."""
    if a not in _ADDABLE:
        raise Mistake(f"cannot take the negative of a {a}")
    return a


def compare(sign: str, a: str, b: str) -> str:
    """A flag, if both sides are in one unit (and in one that has an order, for an order)."""
    unit = same("compare", a, b)
    if sign not in ("==", "!=") and unit not in (*_ADDABLE, "date"):
        raise Mistake(f"a {unit} is neither more nor less than another")
    return "flag"


def all_of(flags: list[str]) -> str:
    """A flag of flags."""
    return _flags("and", flags)


def any_of(flags: list[str]) -> str:
    """A flag of flags."""
    return _flags("or", flags)


def negate(flag: str) -> str:
    """A flag."""
    return _flags("not", [flag])


def choose(flag: str, yes: str, no: str) -> str:
    """The one unit of both branches."""
    _flags("if", [flag])
    return same("choose between", yes, no)


def same(act: str, *units: str) -> str:
    """The unit that all share; a bare number fits any amount."""
    named = [unit for unit in units if unit != NUMBER] or [NUMBER]
    for unit in named:
        if unit != named[0] or (NUMBER in units and unit not in _ADDABLE):
            raise Mistake(f"cannot {act} {' and '.join(units)}")
    return named[0]


def _together(act: str, a: str, b: str) -> str:
    unit = same(act, a, b)
    if unit not in _ADDABLE:
        raise Mistake(f"cannot {act} {a} and {b}")
    return unit


def _flags(word: str, flags: list[str]) -> str:
    for flag in flags:
        if flag != "flag":
            raise Mistake(f"'{word}' needs a yes or no, not {flag}")
    return "flag"


def _smallest(*units: str) -> str:
    if len(units) < 2:
        raise Mistake("min and max need at least two values")
    return same("compare", *units)


def signature(name: str, result: str, *wanted: str) -> Callable[..., str]:
    """A function's unit check: its result's unit, if it is given what it wants."""

    def check(*given: str) -> str:
        if len(given) != len(wanted):
            raise Mistake(f"{name} takes {len(wanted)} value(s), not {len(given)}")
        for number, (unit, want) in enumerate(zip(given, wanted, strict=True), 1):
            if unit != want and not (unit == NUMBER and want in _ADDABLE):
                raise Mistake(f"{name} takes {want} as value {number}, not {unit}")
        return result

    return check


functions: Mapping[str, Callable[..., Any]] = {
    "min": _smallest,
    "max": _smallest,
    "schedule": signature("schedule", "money", "money", "brackets"),
    "row_middle": signature("row_middle", "money", "money", "steps"),
    "whole_dollars": signature("whole_dollars", "money", "money"),
    "day_after": signature("day_after", "date", "date"),
    "years_after": signature("years_after", "date", "date", "years"),
}
