"""Whether the words quoted from a source hold the number that they are quoted for.

`$3,000`, `3.8 percent`, `0.038`, `one year` and `January 1, 2025` are read as a person reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def missing_in(quote: str, unit: str, values: Iterable[Any]) -> list[str]:
    """The values that a quote does not hold, as a reader would look for them."""
    there = _numbers(quote)
    looked_for = {_said(value, unit): _held(value, unit, quote, there) for value in values}
    return [said for said, held in looked_for.items() if not held]


def _numbers(quote: str) -> set[Decimal]:
    digits = {Decimal(found.replace(",", "")) for found in _DIGITS.findall(quote)}
    words = re.findall(r"[a-z]+", quote.lower())
    return digits | {Decimal(n) for n, word in enumerate(_WORDS) if word in words}


def _held(value: Any, unit: str, quote: str, there: set[Decimal]) -> bool:
    if isinstance(value, date):
        return value.isoformat() in quote or _spoken(value).lower() in quote.lower()
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return str(value).lower() in quote.lower() or isinstance(value, bool)
    return Decimal(value) in there or (unit in ("rate", "brackets") and value * 100 in there)


def _said(value: Any, unit: str) -> str:
    if isinstance(value, date):
        return _spoken(value)
    if unit == "rate":
        return f"{(value * 100).normalize():f}%"
    return f"{value:,}" if isinstance(value, (int, Decimal)) else str(value)


def _spoken(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"
