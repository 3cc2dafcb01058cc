"""What is still held: open lots with their basis, by account."""

from __future__ import annotations

import polars as pl

from lotlaw.dispositions.mistakes import unknown_lots
from lotlaw.lots.events import Events, class_of, words_of
from lotlaw.lots.kernel import Book
from lotlaw.lots.queues import OPENS, Plan, decimals

SCHEMA = {
    "asset": pl.String, "asset_class": pl.String, "account": pl.String, "quantity": pl.Decimal(38, 18), "acquired": pl.Date,
    "acquired_text": pl.String, "basis": pl.Decimal(38, 18), "lot": pl.UInt32,
}  # fmt: skip
HOLDINGS = pl.DataFrame(schema=SCHEMA)
"""An open lot a row: `basis` in exact dollars (null where unknown), `lot` the row of the ledger that opened it."""


def holdings(events: Events, plan: Plan, book: Book) -> pl.DataFrame:
    """The lots that have something left, by asset, account and date acquired."""
    opening = plan.steps.with_row_index("at").filter(pl.col("code").is_in(OPENS))["at"].to_list()
    left = book.left
    lots = [lot for lot in (*opening, *range(book.moves, len(left))) if left[lot]]
    opened = plan.opened(book, lots)
    rows = plan.steps["row"].gather(opened)
    frame = pl.DataFrame({
        "asset": plan.steps["asset"].gather(opened), "account": _accounts(plan, book, lots),
        "quantity": plan.quantities([left[lot] for lot in lots]), "acquired": plan.steps["day"].gather(opened).cast(pl.Date),
        "basis": decimals([book.basis[lot] for lot in lots], plan.fine), "lot": rows,
    })  # fmt: skip
    unknown = unknown_lots(events)["row"].implode()
    return (
        frame.with_columns(
            class_of(events.ledger).alias("asset_class"), words_of(events.ledger, rows).alias("acquired_text"),
            pl.when(~pl.col("lot").is_in(unknown)).then("basis").alias("basis"),
        )
        .sort("asset", "account", "acquired", "lot")
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )  # fmt: skip


def _accounts(plan: Plan, book: Book, lots: list[int]) -> pl.Series:
    """Where lots lie: where they were opened or moved to, or on the way from an account that sent them."""
    by_place, at_move = plan.places["account"].to_list(), plan.steps["account"].to_list()
    bags = {lot: f"{_sender(plan, bag)} (sent)" for bag, inside in book.bags.items() for lot in inside}
    found = []
    for lot in lots:
        home = book.home.get(lot)
        found.append(bags.get(lot) or (by_place[home] if home is not None else at_move[book.opened_by(lot)]))
    return pl.Series(found, dtype=pl.String)


def _sender(plan: Plan, row: int) -> str:
    return str(plan.steps.filter(pl.col("row") == row)["account"][0])
