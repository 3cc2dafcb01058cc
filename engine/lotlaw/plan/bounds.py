"""What a taxpayer's own year allows, found by filing: the most loss it may deduct, the most gain that adds no tax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from lotlaw.law import Year
from lotlaw.plan.columns import FILED, RESULTS, Known, cents, filed_columns, total_name
from lotlaw.run import one_gain

HUGE = 2**30
"""Dollars beyond any loss that a year allows."""
FEW, MANY = 2**10, 2**6
"""Amounts that are tried for each in one go, alone and where there are many."""


@dataclass(frozen=True)
class Bounds:
    """In cents: the year without a plan (taxes, RESULTS), the most loss deducted, the most long-term gain untaxed."""

    base: Mapping[str, int]
    cap: int
    room: int


def bounds(year: Year, ways: Sequence[tuple[Known, Mapping[str, int], bool]], *, untaxed: bool = True) -> list[Bounds]:
    """The bounds of several years at once, each from what is known, its totals, and whether it has sales.

    `untaxed`: whether to find how much gain adds no tax (else 0), which takes several goes.
    """
    frames = [(known, _with_gains(year, totals, [0, -HUGE], "short", filed=filed)) for known, totals, filed in ways]
    first = filed_columns(year, frames)
    base = [told.row(0, named=True) for told in first]
    rooms = _rooms(year, ways, [row["taxes"] for row in base]) if untaxed else [0] * len(ways)
    return [
        Bounds({name: row[name] for name in ("taxes", *RESULTS)}, told["allowed_loss"][1], room * 100)
        for row, told, room in zip(base, first, rooms, strict=True)
    ]


def _rooms(year: Year, ways: Sequence[tuple[Known, Mapping[str, int], bool]], taxes: Sequence[int]) -> list[int]:
    """The most dollars of long-term gain that leave the taxes of each as they are."""
    at_once = FEW if len(ways) == 1 else MANY
    lows, step = [0] * len(ways), HUGE // at_once
    while step:
        tried = [[low + step * n for n in range(at_once + 1)] for low in lows]
        frames = [
            (known, _with_gains(year, totals, amounts, "long", filed=filed))
            for (known, totals, filed), amounts in zip(ways, tried, strict=True)
        ]
        for n, told in enumerate(filed_columns(year, frames)):
            free = (told["taxes"] <= taxes[n]).cum_min()
            lows[n] += step * (int(free.sum()) - 1)
        step //= at_once
    return lows


def _with_gains(year: Year, totals: Mapping[str, int], gains: Sequence[int], term: str, *, filed: bool) -> pl.DataFrame:
    """The totals with so much more gain of a term, a row each."""
    more = one_gain(year, term, Decimal(1))
    shares = {total_name(more.group, letter): cents(share) for letter, share in more.sums.items()}
    there = dict.fromkeys([*totals, *shares])
    columns = {
        name: pl.Series([totals.get(name, 0) + gain * shares.get(name, 0) for gain in gains], dtype=pl.Int64)
        for name in there
    }
    return pl.DataFrame(columns).with_columns(pl.Series(FILED, [filed or bool(gain) for gain in gains]))
