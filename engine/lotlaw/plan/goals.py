"""What a harvest is for: which lots may be sold for it, how much is wanted, and which of two plans is better.

The amounts of the law that goals turn on (how much loss may be deducted, where gains begin to be taxed) are not looked
up: they are found by filing, so they are those of the taxpayer's own return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

LEAST, OFFSET, ALLOWANCE, ZERO, CASH = "least", "offset", "allowance", "zero", "cash"
GOALS = (LEAST, OFFSET, ALLOWANCE, ZERO, CASH)
TITLES = {
    LEAST: "Least tax this year",
    OFFSET: "Losses against all gains",
    ALLOWANCE: "Losses up to what may be deducted from other income",
    ZERO: "Gains that add no tax",
    CASH: "Cash at the least tax",
}
"""The goals by name, and what a reader calls them."""

COST = pl.col("taxes") + pl.col("fees")
"""What a plan costs this year."""

SLACK = 2**14
"""Cents of gain that add no tax only because tables round: no more than that is no bracket to fill."""

NEAR = 2**11
"""Cents by which a goal may be missed before another sale is worth it."""


@dataclass(frozen=True)
class Goal:
    """A goal for one taxpayer.

    wanted: cents to reach, by `measure`, the column of an option that counts towards them (None: as far as it pays).
    lots: which options may be sold. good: which plans may be proposed. better: by which expressions, least first, one
    plan is better than another.
    """

    name: str
    measure: str
    wanted: int | None
    lots: pl.Expr
    good: pl.Expr
    better: tuple[pl.Expr, ...]


def goal_of(name: str, base: Mapping[str, int], cap: int, room: int, cash: int) -> Goal | None:
    """A goal from where the year stands without a plan; None where there is nothing to do for it.

    `base` has the taxes and the net gain without a plan, `cap` the most loss that may be deducted, `room` the most
    long-term gain that adds no tax, `cash` what is to be raised; all in cents.
    """
    no_worse = pl.col("taxes") <= base["taxes"]
    losing = pl.col("gain") < 0
    tidy = (COST, pl.col("sold"), pl.col("cash"))
    match name:
        case "least":
            lots = losing | pl.col("tied")
            return Goal(name, "gain", None, lots=lots, good=base["taxes"] > COST, better=tidy)
        case "offset" | "allowance":
            aim = 0 if name == OFFSET else -cap
            if base["net_gain"] <= aim:
                return None
            near = (pl.col("net_gain") - aim).abs()
            wanted = aim - base["net_gain"]
            lots = losing | pl.col("tied")
            better = (near // NEAR, pl.col("sold"), near, *tidy)
            return Goal(name, "gain", wanted, lots=lots, good=no_worse, better=better)
        case "zero":
            if room < SLACK:
                return None
            most = (-pl.col("long_gain"), *tidy)
            lots = (pl.col("long_gain") > 0) & (pl.col("long_gain") == pl.col("gain"))
            return Goal(name, "long_gain", room, lots=lots, good=no_worse, better=most)
    enough = pl.col("cash") >= cash
    return Goal(CASH, "cash", cash, lots=pl.col("cash") > 0, good=enough, better=tidy)
