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
"""An open lot a row: `acquired` since when it counts as held, `basis` in exact dollars (null where unknown), `lot` the
row of the ledger that opened it."""


def holdings(events: Events, plan: Plan, book: Book) -> pl.DataFrame:
    """The lots that have something left, by asset, account and date acquired."""
    left, steps = book.left, plan.steps
    for queue in list(book.pooled):
        spread(book, queue)
    moves = steps.with_row_index("at").filter(pl.col("code").is_in([*OPENS, BORROW]))["at"].to_list()
    lots = [lot for lot in (*moves, *range(steps.height, len(left))) if left[lot]]
    opened = plan.opened(book, lots)
    rows = steps["row"].gather(opened)
    assets, accounts = _places(plan, book, lots)
    held = pl.Series([book.held[lot] for lot in lots], dtype=pl.Int32).cast(pl.Date)
    frame = pl.DataFrame({
        "asset": assets, "account": accounts, "lot": rows,
        "quantity": plan.quantities([left[lot] for lot in lots]), "acquired": held,
        "basis": decimals([book.cost(lot) for lot in lots], plan.fine), "acquired_text": words_of(events, rows),
    })  # fmt: skip
    unknown = pl.col("lot").is_in(unknown_lots(events)["row"].implode())
    frame = frame.with_columns(asset_class=class_of(events.ledger), basis=pl.when(~unknown).then("basis"))
    return cast(frame.sort("asset", "account", "acquired", "lot"), SCHEMA)


def _places(plan: Plan, book: Book, lots: list[int]) -> tuple[pl.Series, pl.Series]:
    """What lots are of and where they lie: as opened, as they became, or on the way from an account that sent them."""
    places, opened_at = (frame.select("asset", "account").rows() for frame in (plan.places, plan.steps))
    sender = dict(plan.steps.filter(pl.col("row").is_in(list(book.bags))).select("row", "account").iter_rows())
    sent = {lot: f"{sender[bag]} (sent)" for bag, inside in book.bags.items() for lot in inside}
    borrowed = set(plan.steps.with_row_index("at").filter(pl.col("code") == BORROW)["at"])
    in_pool = plan.steps.filter(pl.col("queue") >= len(places)).select("queue", "asset").unique()
    pooled, assets, accounts = dict(in_pool.iter_rows()), [], []
    for lot in lots:
        home, opened = book.home.get(lot), book.opened_by(lot)
        was, account = opened_at[opened]
        asset, account = (pooled.get(home, was), account) if home is None or home >= len(places) else places[home]
        assets.append(asset)
        accounts.append(sent.get(lot) or (f"{account} (short)" if opened in borrowed else account))
    return pl.Series(assets, dtype=pl.String), pl.Series(accounts, dtype=pl.String)
