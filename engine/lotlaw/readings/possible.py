"""The reading of what may be: a formula over values of which some are known, for finding rules that no row can reach.

A value is a text, a Decimal, a flag, None for an empty cell, or UNKNOWN. What follows from known values alone is known;
a condition that is UNKNOWN may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import add as plus
from operator import eq, ge, gt, le, lt, ne
from operator import mul as times
from operator import sub as minus
from operator import truediv as over
from typing import Any, Final

from lotlaw.readings import text

UNKNOWN: Final = object()
NOT_TRUE: Final = object()
"""A condition that is false or has no answer, which is not known; it does not hold."""


def const(value: Any) -> Any:
    """A number or text that a formula writes out."""
    return text.const(value)


def _both(act: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def both(a: Any, b: Any) -> Any:
        if a is None or b is None:
            return None
        if not {type(a), type(b)} <= {str, Decimal} or type(a) is not type(b):
            return UNKNOWN
        try:
            return act(a, b)
        except (TypeError, ArithmeticError):
            return UNKNOWN

    return both


add, sub, mul, div = (_both(act) for act in (plus, minus, times, over))
_SIGNS = {sign: _both(act) for sign, act in (("<", lt), ("<=", le), (">", gt), (">=", ge), ("==", eq), ("!=", ne))}


def neg(a: Any) -> Any:
    """-a."""
    return -a if isinstance(a, Decimal) else a if a is None else UNKNOWN


def compare(sign: str, a: Any, b: Any) -> Any:
    """Whether it holds, None where a side is empty."""
    return _SIGNS[sign](a, b)


def all_of(flags: list[Any]) -> Any:
    """Whether all hold. With an empty one among them they cannot, whatever the others are."""
    if any(one is False for one in flags):
        return False
    if any(one is None or one is NOT_TRUE for one in flags):
        return None if all(one is None or one is True for one in flags) else NOT_TRUE
    return UNKNOWN if any(one is UNKNOWN for one in flags) else True


def any_of(flags: list[Any]) -> Any:
    """Whether one holds."""
    return next((wanted for wanted in (True, UNKNOWN, NOT_TRUE, None) if any(one is wanted for one in flags)), False)


def negate(flag: Any) -> Any:
    """The other way round; what is empty stays so."""
    return not flag if isinstance(flag, bool) else UNKNOWN if flag is NOT_TRUE else flag


def choose(flag: Any, yes: Any, no: Any) -> Any:
    """`yes` or `no`; UNKNOWN where they differ and the flag is not known."""
    if flag is UNKNOWN:
        return yes if yes is no or (yes is not UNKNOWN and no is not UNKNOWN and yes == no) else UNKNOWN
    return yes if flag is True else no


def _one_of(cell: Any, *words: Any) -> Any:
    return any_of([_SIGNS["=="](cell, word) or False for word in words])


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _known(act: Callable[..., Any], empty: Any = None) -> Callable[..., Any]:
    """A function of texts that are all known; `empty` for an empty cell."""

    def known(cell: Any, *words: Any) -> Any:
        if cell is None:
            return empty
        return act(cell, *words) if all(isinstance(one, str) for one in (cell, *words)) else UNKNOWN

    return known


def _matches(cell: str, pattern: str) -> bool:
    import polars as pl

    return bool(pl.select(pl.lit(cell).str.contains(text.pattern(pattern))).item())


def _unknown(*_: Any) -> Any:
    return UNKNOWN


functions: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys((*text.functions, "date_of", "option"), _unknown),
    "is_null": lambda value: value if value is UNKNOWN else value is None,
    "one_of": _one_of,
    "coalesce": _coalesce,
    "iif": choose,
    "lower": _known(str.lower),
    "upper": _known(str.upper),
    "match": _known(_matches, empty=False),
    "starts": _known(lambda cell, *words: cell.startswith(words), empty=False),
    "has": _known(lambda cell, *words: any(word in cell for word in words), empty=False),
}
