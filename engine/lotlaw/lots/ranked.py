"""The last, the dearest or the cheapest lot first, where nothing but buying and selling happens.

As long as nothing happens to lots, where one stands among the others of its queue is known when it is opened. So all
lots are put in order at once, as columns, and what is left for the loop is to take units from the first of those that
are there. The kernel has the last word: it does whatever is not this plain, and a test holds the two equal.
"""

from __future__ import annotations

from heapq import heappop, heappush

import polars as pl

from lotlaw.lots.book import FIFO, HIFO, LIFO, LOFO, OPEN, SELL
from lotlaw.lots.queues import Plan

BY = {
    FIFO: ([], []),
    LIFO: (["day", "at"], [True, True]),
    HIFO: (["cost", "finer", "day", "at"], [True, True, False, False]),
    LOFO: (["cost", "finer", "day", "at"], [False, False, False, False]),
}
"""What lots are ordered by, and whether downwards; `cost` is what a unit costs, `finer` its digits after those."""
DIGITS = 2**64
"""Of the cost of a unit, and of `finer`: costs that differ at all, of whole numbers of 62 bits, differ in these."""
MET = {"sale": pl.UInt32, "lot": pl.UInt32, "quantity": pl.Int64, "lot_done": pl.Int64, "sale_done": pl.Int64}
"""Slices: the moves that sold and opened, units, and how many of the lot's and of the sale's are done by its end."""


def met(plan: Plan) -> pl.DataFrame | None:
    """The slices of the sales shown, as MET, in the order of the ledger.

    None where the kernel is needed: one queue's lots are taken in several ways, or more is sold than there is.
    """
    steps = plan.steps
    lots = _ranked(steps)
    taken = None if lots is None else _taken(plan, lots)
    if lots is None or taken is None:
        return None
    units = steps["units"]
    found = taken.with_columns(
        lot=pl.lit(lots["at"]).gather("lot"), lot_done=pl.lit(lots["units"]).gather("lot") - pl.col("lot_done"),
        sale_done=pl.lit(units).gather("sale") - pl.col("sale_done"),
    )  # fmt: skip
    rows = steps["row"].gather(found["sale"])
    return found if rows.is_sorted() else found.sort(rows, maintain_order=True)


def _ranked(steps: pl.DataFrame) -> pl.DataFrame | None:
    """The lots (at, units), of each method those first that are taken first."""
    opens = pl.col("code") == OPEN
    ways = steps.filter(~opens).group_by("queue").agg(way=pl.col("method").first(), ways=pl.col("method").n_unique())
    if ways.is_empty() or (ways["ways"] > 1).any() or not ways["way"].is_in(list(BY)).all():
        return None
    cost = pl.col("amount").cast(pl.Int128) * DIGITS
    finer = cost % pl.col("units") * DIGITS // pl.col("units")
    at = pl.int_range(pl.len(), dtype=pl.UInt32)
    lots = steps.select("queue", "units", "day", "code", cost=cost // pl.col("units"), finer=finer, at=at)
    lots = lots.filter(opens).join(ways, on="queue", how="left", maintain_order="left")
    if not (lots["units"] > 0).all():
        return None
    parts = lots.with_columns(pl.col("way").fill_null(FIFO)).partition_by("way", as_dict=True)
    ordered = [_in_order(part, *BY[int(way[0])]) for way, part in sorted(parts.items())]
    return pl.concat(ordered).select("at", "units")


def _in_order(lots: pl.DataFrame, by: list[str], downwards: list[bool]) -> pl.DataFrame:
    return lots.sort(by, descending=downwards) if by else lots


def _taken(plan: Plan, lots: pl.DataFrame) -> pl.DataFrame | None:
    """What sales take, as MET, with lots by their rank, and in place of the units done those that are left."""
    heaps: list[list[int]] = [[] for _ in plan.pools]
    slices: dict[str, list[int]] = {name: [] for name in MET}
    sale, lot, quantity, of_lot, of_sale = (column.append for column in slices.values())
    steps, left = plan.steps, lots["units"].to_list()
    own = pl.select(pl.repeat(0, steps.height, dtype=pl.UInt32)).to_series()
    own = own.scatter(lots["at"], pl.int_range(lots.height, dtype=pl.UInt32, eager=True))
    moves = zip(*(column.to_list() for column in (steps["code"], steps["queue"], steps["units"], own)), strict=True)
    for at, (code, queue, need, rank) in enumerate(moves):
        heap = heaps[queue]
        if code == OPEN:
            heappush(heap, rank)
            continue
        while need:
            if not heap:
                return None
            units, rest = left[first := heap[0]], 0
            if units > need:
                left[first] = rest = units - need
                units = need
            else:
                heappop(heap)
            need -= units  # noqa: PLW2901  (what the sale still needs)
            if code == SELL:
                sale(at), lot(first), quantity(units), of_lot(rest), of_sale(need)
    return pl.DataFrame(slices, schema=MET)
