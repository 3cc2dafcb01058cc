"""What a unit of each asset is worth on a day: by the user's prices, else by its last trade in the ledger, said so."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.lots.events import Schema, column

if TYPE_CHECKING:
    from lotlaw.importers.prices import Prices
    from lotlaw.ledger import Ledger

PRICE = pl.Decimal(38, 18)
DIGITS = Decimal("1e-12")
ROOMY = 60
"""Digits that a quotient of two amounts of the ledger is worked out with."""
LEGS = {
    "buy": "in", "income": "in", "sell": "out", "spend": "out", "trade": "out", "short_open": "out",
    "short_close": "in",
}  # fmt: skip
"""Kinds whose dollar value is the price of what they move, and the leg that moves it."""
NEW_UNITS = ("split", "merger", "spin_off", "rename")
"""Kinds after which a unit is no longer what it was: an earlier price says nothing."""
SCHEMA: Schema = {"asset": pl.String, "price": PRICE, "price_from": pl.String}


def prices_on(ledger: Ledger, day: date, given: Prices | None) -> pl.DataFrame:
    """By asset, its `price` in dollars on a day and `price_from`: a file's name, or `ledger` and the day of a trade."""
    last = last_trades(ledger, day)
    if given is None:
        return last
    said = given.on(day).select("asset", pl.col("price").cast(PRICE), price_from=pl.lit(given.name))
    return pl.concat([said, last.join(said, on="asset", how="anti")])


def last_trades(ledger: Ledger, day: date) -> pl.DataFrame:
    """The prices of the last trade of each asset up to a day, as SCHEMA; none from before a split or the like."""
    there = ledger.rows.with_row_index("row").filter(pl.col("date") <= day)
    names = ("out_asset", "out_qty", "in_asset", "in_qty", "ref_asset", "usd_value")
    rows = there.select("row", "date", pl.col("kind").cast(pl.String), *(column(there, name) for name in names))
    parts = [
        rows.filter(pl.col("kind") == kind).select(
            "row", "date", _worth(leg), asset=f"{leg}_asset", quantity=f"{leg}_qty"
        )
        for kind, leg in LEGS.items()
    ]
    told = pl.concat(parts).filter((pl.col("worth") > 0) & (pl.col("quantity") > 0))
    last = told.sort("row").group_by("asset", maintain_order=True).last()
    changed = _changed(rows)
    stale = (asset for asset, row in last.select("asset", "row").iter_rows() if changed.get(asset, -1) > row)
    last = last.filter(~pl.col("asset").is_in(list(stale)))
    found = [
        (asset, _quotient(worth, quantity), f"ledger {on}")
        for asset, worth, quantity, on in last.select("asset", "worth", "quantity", "date").iter_rows()
    ]
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def _worth(leg: str) -> pl.Expr:
    """The dollars of a row: as it says, else the money on its other leg."""
    other = "in" if leg == "out" else "out"
    money = pl.when(pl.col(f"{other}_asset") == "USD").then(f"{other}_qty")
    return pl.coalesce("usd_value", money).alias("worth")


def _changed(rows: pl.DataFrame) -> dict[str, int]:
    """By asset, the last row after which its units were others."""
    changes = rows.filter(pl.col("kind").is_in(NEW_UNITS))
    parts = [changes.select("row", asset=name) for name in ("out_asset", "in_asset", "ref_asset")]
    last = pl.concat(parts).drop_nulls().group_by("asset").agg(pl.col("row").max())
    return dict(last.iter_rows())


def _quotient(worth: Decimal, quantity: Decimal) -> Decimal:
    with localcontext(prec=ROOMY):
        return (worth / quantity).quantize(DIGITS, ROUND_HALF_UP)
