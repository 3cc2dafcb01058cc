"""What is held, as text: a row a lot, then totals by term and by asset."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lotlaw.plan.holdings import Holdings
from lotlaw.plan.text import Block, Table, money, number

TITLES = {
    "asset": "asset", "account": "account", "quantity": "quantity", "acquired": "acquired", "term": "term",
    "turns_long": "long from", "days_to_go": "days", "basis": "basis", "price": "price", "value": "value",
    "unrealized": "unrealized",
}  # fmt: skip
SUMS = {
    "lots": "lots",
    "basis": "basis",
    "value": "value",
    "gains": "gains",
    "losses": "losses",
    "unrealized": "unrealized",
}
OFTEN_EMPTY = ("price", "value", "unrealized", "turns_long", "days_to_go")
MONEY = ("basis", "value", "gains", "losses", "unrealized")
SIGNED = frozenset({"gains", "losses", "unrealized"})


def holdings_text(held: Holdings) -> Iterator[Block]:
    """The lots and their totals, then what a reader has to know of them."""
    if held.lots.is_empty():
        yield "nothing held"
        return
    yield lots_table(held)
    if held.lots["price"].null_count() < held.lots.height:
        for by, title in (("term", "by term"), ("asset", "by asset")):
            yield ""
            yield totals_table(held, by, title)
    if held.notes:
        yield ""
    yield from ([(note, "warning")] for note in held.notes)


def lots_table(held: Holdings) -> Table:
    """A row a lot, and the total; columns of which nothing is known are left out."""
    unknown = pl.when(pl.col("basis").is_null()).then(pl.lit("unknown"))
    acquired = pl.coalesce("acquired_text", pl.col("acquired").cast(pl.String)).alias("acquired")
    texts = held.lots.select(
        "asset", "account", number("quantity"), acquired, "term", pl.col("turns_long", "days_to_go").cast(pl.String),
        pl.coalesce(unknown, money("basis")).alias("basis"), _price(), money("value"), money("unrealized"),
    )  # fmt: skip
    sums = held.totals().select(money(name) for name in MONEY)
    total = pl.DataFrame(
        {name: sums[name] if name in sums.columns else [None] for name in TITLES}, dict.fromkeys(TITLES, pl.String)
    )
    rows = pl.concat([texts, total.with_columns(pl.lit("total").alias("asset"))])
    rows = rows.drop(name for name in OFTEN_EMPTY if _is_empty(texts[name]))
    right = frozenset(rows.columns) - {"asset", "account", "acquired", "term", "turns_long"}
    return Table([TITLES[name] for name in rows.columns], rows, right, SIGNED, strong=1)


def _is_empty(texts: pl.Series) -> bool:
    return texts.null_count() == len(texts)


def _price() -> pl.Expr:
    """A price to the cent, or as many digits as it has."""
    whole = number("price")
    longer = whole.str.contains(r"\.\d{3,}$")
    return pl.when(longer).then(whole).otherwise(money("price")).alias("price")


def totals_table(held: Holdings, by: str, title: str) -> Table:
    """A row for each value of a column, under the title."""
    parts = held.totals(by).with_columns(pl.col(by).fill_null("open short"))
    rows = parts.select(by, pl.col("lots").cast(pl.String), *(money(name) for name in MONEY))
    return Table([title, *SUMS.values()], rows, frozenset(SUMS), SIGNED)
