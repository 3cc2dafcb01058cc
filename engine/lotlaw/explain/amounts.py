"""Values as a reader expects them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def percent(rate: Decimal) -> str:
    """A rate: 15% or 3.8%."""
    return f"{(rate * 100).normalize():f}%"


def amount(value: Any) -> str:
    """A value as a reader expects it: 3,000 or (1,500.25) or 17.11235, yes, or a table of 7 rows."""
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "  ".join(f"({column}) {amount(item)}" for column, item in value.items())
    if isinstance(value, (int, Decimal)):
        digits = f"{abs(_short(Decimal(value))):,f}"
        return f"({digits})" if value < 0 else digits
    if isinstance(value, list):
        return f"a table of {len(value)} rows"
    return str(value)


def _short(value: Decimal) -> Decimal:
    """The same value in whole dollars, cents, or as many digits as it needs."""
    for exponent in ("1", "0.01"):
        if value == value.quantize(Decimal(exponent)):
            return value.quantize(Decimal(exponent))
    return value.normalize()
