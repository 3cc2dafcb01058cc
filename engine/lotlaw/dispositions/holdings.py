"""What is still held: open lots with their basis, by account."""

from __future__ import annotations

import polars as pl

from lotlaw.dispositions.unknown import unknown_lots
from lotlaw.lots.book import BORROW, Book
from lotlaw.lots.events import AMOUNT, Events, Schema, cast, class_of, words_of
from lotlaw.lots.queues import OPENS, Plan, decimals
from lotlaw.lots.taking import spread

SCHEMA: Schema = {
    "asset": pl.String, "asset_class": pl.String, "account": pl.String, "quantity": AMOUNT, "acquired": pl.Date,
    "acquired_text": pl.String, "basis": AMOUNT, "lot": pl.UInt32,
}  # fmt: skip
"""An open lot a row: `basis` in exact dollars (null where unknown), `lot` the row of the ledger that opened it."""


def holdings(events: Events, plan: Plan, book: Book) -> pl.DataFrame:
    """The lots that have something left, by asset, account and date acquired."""
    left, steps = book.left, plan.steps
    for queue in list(book.pooled):
        spread(book, queue)
    moves = steps.with_row_index("at").filter(pl.col("code").is_in([*OPENS, BORROW]))["at"].to_list()
    lots = [lot for lot in (*moves, *range(steps.height, len(left))) if left[lot]]
    opened = plan.opened(book, lots)
    rows = steps["row"].gather(opened)
    frame = pl.DataFrame({
        "asset": _assets(plan, book, lots), "account": _accounts(plan, book, lots), "lot": rows,
        "quantity": plan.quantities([left[lot] for lot in lots]),
        "acquired": pl.Series([_since(book, steps, lot) for lot in lots], dtype=pl.Int32).cast(pl.Date),
        "basis": decimals([book.cost(lot) for lot in lots], plan.fine), "acquired_text": words_of(events, rows),
    })  # fmt: skip
    unknown = pl.col("lot").is_in(unknown_lots(events)["row"].implode())
    frame = frame.with_columns(asset_class=class_of(events.ledger), basis=pl.when(~unknown).then("basis"))
    return cast(frame.sort("asset", "account", "acquired", "lot"), SCHEMA)


def _since(book: Book, steps: pl.DataFrame, lot: int) -> int:
    """Since when a lot counts as held."""
    held = book.held.get(lot)
    return int(steps["day"][book.opened_by(lot)]) if held is None else held


def _assets(plan: Plan, book: Book, lots: list[int]) -> pl.Series:
    """What lots are of: as they were opened, or what became of that."""
    assets, opened = plan.places["asset"].to_list(), plan.steps["asset"].to_list()
    homes = [book.home.get(lot) for lot in lots]
    found = [
        opened[book.opened_by(lot)] if home is None or home >= len(assets) else assets[home]
        for lot, home in zip(lots, homes, strict=True)
    ]
    return pl.Series(found, dtype=pl.String)


def _accounts(plan: Plan, book: Book, lots: list[int]) -> pl.Series:
    """Where lots lie: where they were opened or moved to, or on the way; and what was opened by selling."""
    places, steps = plan.places.select("account", "short").rows(), plan.steps
    opened_at, codes = steps["account"].to_list(), steps["code"].to_list()
    sender = dict(steps.filter(pl.col("row").is_in(list(book.bags))).select("row", "account").iter_rows())
    sent = {lot: f"{sender[bag]} (sent)" for bag, inside in book.bags.items() for lot in inside}
    found = []
    for lot in lots:
        home, opened = book.home.get(lot), book.opened_by(lot)
        unplaced = home is None or home >= len(places)
        account, short = (opened_at[opened], codes[opened] == BORROW) if unplaced else places[home or 0]
        found.append(sent.get(lot) or (f"{account} (short)" if short else account))
    return pl.Series(found, dtype=pl.String)
