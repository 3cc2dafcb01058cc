"""Days that a plan turns on: when losses begin to count, when it is safe to buy again, when lots turn long-term."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from lotlaw.plan.offers import Offer
from lotlaw.plan.sales import Sale

SOON = 92
"""Days ahead that the calendar looks for lots that turn long-term."""
SHOWN = 12
"""Lots that it names at most, those with the most unrealized."""


def calendar(offered: Offer, sales: Sequence[Sale], rows: pl.DataFrame | None) -> list[tuple[date, str]]:
    """The days, in their order, and what each means."""
    found = [*_windows(offered, sales, rows), *_waiting(offered), *_turning(offered, sales)]
    return sorted(dict.fromkeys(found))


def _windows(offered: Offer, sales: Sequence[Sale], rows: pl.DataFrame | None) -> Iterator[tuple[date, str]]:
    """When what is sold at a loss may be bought again."""
    lost = set(rows.filter(pl.col("proceeds") < pl.col("basis"))["asset"]) if rows is not None else set()
    for asset in sorted(lost):
        safe = offered.wash.safe_from(asset, max(sale.day for sale in sales if sale.asset == asset))
        if safe:
            yield safe, f"{asset} may be bought again without losing the loss"


def _waiting(offered: Offer) -> Iterator[tuple[date, str]]:
    """When losses that purchases take away now begin to count."""
    for asset in sorted({lot["asset"] for lot in offered.lots if lot["unrealized"] < 0}):
        counts = offered.wash.counts_from(asset, offered.held.day)
        if counts:
            yield counts, f"losses on {asset} count in full again, if none is bought until then"


def _turning(offered: Offer, sales: Sequence[Sale]) -> Iterator[tuple[date, str]]:
    """When gains that are held turn long-term, and losses do."""
    sold = {sale.place.line - 1 for sale in sales}
    left = [lot for n, lot in enumerate(offered.lots) if n not in sold and lot["turns_long"]]
    soon = [lot for lot in left if (lot["turns_long"] - offered.held.day).days <= SOON]
    largest = sorted(soon, key=lambda lot: (-abs(lot["unrealized"]), lot["turns_long"], lot["asset"]))[:SHOWN]
    for lot in largest:
        kind, amount = ("gain" if lot["unrealized"] > 0 else "loss"), f"{abs(lot['unrealized']):,.2f}"
        what = f"{lot['quantity'].normalize():f} {lot['asset']} at {lot['account']}"
        yield lot["turns_long"], f"{what}: its {kind} of {amount} turns long-term"
