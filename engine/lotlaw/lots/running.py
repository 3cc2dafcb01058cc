"""First in, first out, where nothing but buying and selling happens: what the kernel would sell, by running totals.

In each queue, lots in the order they were opened and sales in the order they were made each cover a stretch of one
line of units. A slice is where a lot's stretch and a sale's meet, so it ends where either does. The kernel has the
last word: it does whatever is not this plain, and a test holds the two equal.
"""

from __future__ import annotations

import polars as pl

from lotlaw.lots import ranked
from lotlaw.lots.book import OPEN, SELL, USE
from lotlaw.lots.queues import Plan
from lotlaw.readings.columns import MONEY

PLAIN = (OPEN, USE, SELL)
SIDES = "lot", "sale"
MANY = 2**12
ROOM = 2**62
"""What sums of units, and the largest amount, must stay below, so that products fit 128 bits."""


def slices(plan: Plan) -> pl.DataFrame | None:
    """The slices of the sales shown: sale and lot (moves), quantity in whole units, basis and proceeds in cents.

    They stand in the kernel's order. None where the kernel is needed: amounts finer than a cent, lots named or moved,
    or sales of more than there is.
    """
    if plan.fine != MONEY or plan.picks or plan.low or plan.tacked or plan.wash or not _plain(plan.steps):
        return None
    met = ranked.met(plan) if any(plan.special) else _in_turn(plan)
    return None if met is None else _amounts(met, plan.steps)


def _in_turn(plan: Plan) -> pl.DataFrame | None:
    """Where lots and sales meet, first in, first out, as `ranked.MET`; None if more is sold than there is."""
    moves = plan.steps.select("queue", "units", "code", at=pl.int_range(pl.len(), dtype=pl.UInt32))
    opens = pl.col("code") == OPEN
    totals = _added_up(moves.with_columns(
        opened=pl.when(opens).then("units").otherwise(0), sold=pl.when(opens).then(0).otherwise("units")
    ), len(plan.pools))  # fmt: skip
    if totals.select((pl.col("sold") > pl.col("opened")).any()).item():
        return None
    ends = totals.select("at", "queue", "code", "units", end=pl.when(opens).then("opened").otherwise("sold"))
    begins = pl.lit(ends.select(pl.col("end") - pl.col("units")).to_series())
    return _met(ends).select(
        "sale", "lot", "quantity", lot_done=pl.col("end") - begins.gather("lot"),
        sale_done=pl.col("end") - begins.gather("sale"),
    )  # fmt: skip


def _added_up(moves: pl.DataFrame, queues: int) -> pl.DataFrame:
    """The moves with `opened` and `sold` as running totals of their queue."""
    sums = pl.col("opened", "sold").cum_sum()
    if queues < MANY:
        return moves.with_columns(sums.over("queue"))
    # Many queues are sorted sooner than grouped: then a total is one over all queues, less what it begins with.
    at = moves.select(pl.arg_sort_by("queue", maintain_order=True)).to_series()
    begins = (pl.col("queue") != pl.col("queue").shift()).fill_null(value=True)
    before = pl.when(begins).then(sums - pl.col("opened", "sold")).forward_fill()
    return moves[at].with_columns(sums - before)[at.arg_sort()]


def _plain(steps: pl.DataFrame) -> bool:
    """Whether there are only plain moves, of amounts that leave room for their products."""
    if not steps["code"].is_in(PLAIN).all():
        return False
    units, amount = steps["units"], steps["amount"]
    if units.dtype != pl.Int64 or amount.dtype != pl.Int64:
        return False
    return steps.height == 0 or units.cast(pl.Int128).sum() < ROOM


def _met(ends: pl.DataFrame) -> pl.DataFrame:
    """Where a lot's stretch and that of a sale shown meet: sale, lot, quantity, end of the slice in its line."""
    opens = pl.col("code") == OPEN
    before = pl.when(pl.col("queue") == pl.col("queue").shift()).then(pl.col("end").shift())
    line = _in_line(ends).with_columns(
        lot=pl.when(opens).then("at").backward_fill(),
        sale=pl.when(~opens).then("at").backward_fill(),
        by=pl.when(~opens).then(pl.struct("queue", "code")).backward_fill(),
        quantity=pl.col("end") - before.fill_null(0),
    )
    ours = (pl.col("by").struct.field("queue") == pl.col("queue")) & (pl.col("by").struct.field("code") == SELL)
    return (
        line.filter(ours & (pl.col("quantity") > 0))
        .select("sale", "lot", "quantity", "end")
        .sort("sale", maintain_order=True)
    )


def _in_line(ends: pl.DataFrame) -> pl.DataFrame:
    """Queue after queue, each in the order of its ends; by one number where there is room for both."""
    queues, longest = (int(ends[name].max() or 0) + 1 for name in ("queue", "end"))  # type: ignore[arg-type]
    if queues * longest >= ROOM:
        return ends.sort("queue", "end")
    return ends.sort(pl.col("queue").cast(pl.Int64) * longest + pl.col("end"))


def _amounts(met: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """The slices with their share of the lot's basis and of the sale's proceeds."""
    sides = [steps.select(pl.col("units", "amount").gather(met[side]).name.prefix(f"{side}_")) for side in SIDES]
    wide, whole = pl.concat([met, *sides], how="horizontal").lazy(), _room_for(steps)
    basis, proceeds = (_share(side, whole) for side in SIDES)
    return wide.select("sale", "lot", "quantity", basis=basis, proceeds=proceeds).collect(engine="streaming")


def _room_for(steps: pl.DataFrame) -> type[pl.DataType]:
    """The smallest whole numbers that an amount times units, twice and half as much again, fits into."""
    amount, units = (int(steps[name].abs().max() or 0) for name in ("amount", "units"))  # type: ignore[arg-type]
    return pl.Int64 if (2 * amount + 1) * units < ROOM else pl.Int128


def _share(side: str, dtype: type[pl.DataType]) -> pl.Expr:
    """A slice's share of an amount: what is reached at its end, rounded half up to the cent, less that at its start."""
    whole, size, done = (
        pl.col(f"{side}_amount").cast(dtype),
        pl.col(f"{side}_units").cast(dtype),
        pl.col(f"{side}_done"),
    )

    def up_to(reached: pl.Expr) -> pl.Expr:
        return (2 * whole * reached.cast(dtype) + size) // (2 * size)

    return (up_to(done) - up_to(done - pl.col("quantity"))).cast(pl.Int64)
