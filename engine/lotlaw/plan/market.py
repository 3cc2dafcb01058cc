"""What may be sold, as columns: options in blocks, plans as sums of them, and a lot in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lotlaw.plan.goals import Goal

SUMS = ("cash", "fees", "gain", "long_gain", "sold")
STEP = 10**6
"""What steps of a lot are counted in: its size need be no whole number of them."""
SCALE = 10**12
"""What the cents of a step are told in."""
WINDOW = 3
"""How many sizes either side of the one that reaches what is wanted are tried: lines are rounded to dollars."""
GRID = 8
SIZES = pl.DataFrame(
    [*((n, 0, 0) for n in range(-WINDOW, WINDOW + 1)), (0, 1, 0), *((0, 0, n) for n in range(1, GRID))],
    schema=dict.fromkeys(("jumps", "one", "share"), pl.Int128), orient="row",
)  # fmt: skip
"""The sizes that are tried: so many jumps and steps from the one that reaches what is wanted, or so many GRIDths."""
WHOLE = -1
"""In place of a lot in part: there is none."""


@dataclass(frozen=True)
class Market:
    """What may be sold and where the year stands, in cents.

    `options`: block, option (from 1 in its block), tied (whether others of its block depend on it), SUMS, `long`
    (whether it is long-term) and totals of Form 8949; of a lot that can be divided its `size` in steps (times STEP,
    else 0), `step_cents` (the price of a step, times SCALE), `basis`, and `group`, the prefix of its totals. `base`:
    the totals without a plan; `sales`: whether there are any sales. `fee` and `fee_parts`: of each sale, cents and
    millionths of what it brings; `least`: what a sale brings at least.
    """

    options: pl.DataFrame
    base: Mapping[str, int]
    sales: bool
    fee: int = 0
    fee_parts: int = 0
    least: int = 0

    @property
    def totals(self) -> list[str]:
        """All totals there are."""
        there = [name for name in self.options.columns if name.startswith("total.")]
        return list(dict.fromkeys([*self.base, *there]))

    @property
    def sums(self) -> list[str]:
        """What adds up over the options of a plan."""
        return [*SUMS, *self.totals]

    def nothing(self) -> pl.DataFrame:
        """The year without a plan: one row of sums."""
        row = {**dict.fromkeys(SUMS, 0), **{name: self.base.get(name, 0) for name in self.totals}}
        return pl.DataFrame({name: pl.Series([value], dtype=pl.Int64) for name, value in row.items()})

    def summed(self, options: pl.DataFrame) -> pl.DataFrame:
        """Options with every one of the sums, 0 where an option has none."""
        there = (pl.col(name) if name in options.columns else pl.lit(0) for name in self.sums)
        return options.select(
            column.fill_null(0).cast(pl.Int64).alias(name) for column, name in zip(there, self.sums, strict=True)
        )


def divisible(options: pl.DataFrame) -> pl.DataFrame:
    """The lots that may be sold in part."""
    return options.filter(pl.col("size") > 0)


def in_part(market: Market, goal: Goal, states: pl.DataFrame, lots: pl.DataFrame, free: pl.Expr) -> pl.DataFrame:
    """The states with the lots in part, at a few sizes about the one that reaches what is wanted.

    `free` says of a state and a lot (its columns with `lot ` before them) whether they go together. Adds `part`, the
    lot's block, and `steps`, how many of its steps are sold.
    """
    mine = lots.filter(pl.col(goal.measure) != 0).select(pl.all().name.prefix("lot "))
    pairs = states.join(mine, how="cross").filter(free)
    whole, size = pl.col(f"lot {goal.measure}").cast(pl.Int128), pl.col("lot size").cast(pl.Int128)
    left = (pl.lit(goal.wanted) - pl.col(goal.measure)).cast(pl.Int128)
    # A step may move a dollar by so little that several are needed to see it move.
    jump = pl.max_horizontal(pl.lit(1, pl.Int128), (size * 100) // (whole.abs() * STEP) + 1)
    near = pairs.with_columns(near=left * size // (whole * STEP), jump=jump).join(SIZES, how="cross")
    steps = pl.col("near") + pl.col("jump") * pl.col("jumps") + pl.col("one")
    part = size * pl.col("share") // (GRID * STEP)
    sized = near.with_columns(steps=pl.when(pl.col("share") > 0).then(part).otherwise(steps))
    sized = sized.filter((pl.col("steps") > 0) & (pl.col("steps") * STEP < size))
    return _with(market, states.columns, _worth(market, sized), lots)


def _worth(market: Market, sized: pl.DataFrame) -> pl.DataFrame:
    """What so many steps bring, and their fee, net, cost and gain."""
    steps, size = pl.col("steps"), pl.col("lot size").cast(pl.Int128)
    value = (steps * pl.col("lot step_cents") * 2 + SCALE) // (2 * SCALE)
    cost = (steps * pl.col("lot basis").cast(pl.Int128) * (2 * STEP) + size) // (2 * size)
    fee = pl.lit(market.fee) + (pl.col("value") * market.fee_parts * 2 + 10**6) // (2 * 10**6)
    worth = sized.with_columns(value=value, cost=cost).with_columns(fee=fee)
    worth = worth.with_columns(net=pl.col("value") - pl.col("fee"))
    worth = worth.filter((pl.col("net") > 0) & (pl.col("value") >= market.least))
    return worth.with_columns(made=pl.col("net") - pl.col("cost"))


def _with(market: Market, columns: Sequence[str], worth: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    """States with what a part of a lot adds to their sums."""
    shown = {"d": "net", "e": "cost", "h": "made"}
    totals = {
        f"{group}.{letter}": pl.when(pl.col("lot group") == group).then(what).otherwise(0)
        for group in lots["group"].drop_nulls().unique().sort()
        for letter, what in shown.items()
        if f"{group}.{letter}" in market.totals
    }
    long = pl.when("lot long").then("made").otherwise(0)
    more = {"cash": pl.col("net"), "fees": pl.col("fee"), "gain": pl.col("made"), "long_gain": long, "sold": pl.lit(1)}
    added = worth.with_columns(
        *((pl.col(name) + what).cast(pl.Int64) for name, what in {**more, **totals}.items()),
        part=pl.col("lot block").cast(pl.Int64), steps=pl.col("steps").cast(pl.Int64),
    )  # fmt: skip
    return added.select(dict.fromkeys([*columns, "part", "steps"]).keys())


def whole_only(states: pl.DataFrame) -> pl.DataFrame:
    """States with no lot in part."""
    return states.with_columns(part=pl.lit(WHOLE, pl.Int64), steps=pl.lit(0, pl.Int64))
