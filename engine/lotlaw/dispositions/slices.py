"""Slices of lots as rows of Form 8949 take them: what the kernel sold, and what left at fair value on both sides."""

from __future__ import annotations

import polars as pl

from lotlaw.lots.events import AMOUNT, Events, class_of, decimal, is_kind, of_rows, rare, words_of
from lotlaw.lots.kinds import YEAR_END
from lotlaw.lots.moves import cents
from lotlaw.lots.queues import Plan


def sold_slices(events: Events, plan: Plan, cut: pl.DataFrame, shown: pl.Expr) -> pl.DataFrame:
    """What was sold: `cut` has the columns of `lotlaw.lots.queues.CUT`, at least the first five."""
    steps, ledger, sale_at, lot_at = plan.steps, events.ledger, cut["sale"], cut["lot"]
    sale, lot = steps["row"].gather(sale_at), steps["row"].gather(lot_at)
    said = cut.columns
    acquired = steps["day"].gather(lot_at)
    sold = pl.DataFrame({
        "sale": sale, "lot": lot, "asset": steps["asset"].gather(sale_at), "account": steps["account"].gather(sale_at),
        "quantity": cut.select(decimal("quantity", plan.units).cast(AMOUNT)).to_series(),
        "acquired": acquired.cast(pl.Date), "acquired_text": words_of(events, lot),
        "sold": ledger.rows["date"].gather(sale), "proceeds": cut["proceeds"], "basis": cut["basis"],
        "form_1099": of_rows(ledger, "form_1099", sale),
    })  # fmt: skip
    if "adjustment" in said:
        sold = _overridden(events, sold.hstack(cut.select("long", "adjustment", own="acquired")))
        sold = _of_return(events, _on_their_day(events, sold), shown)
    return as_sold(sold, events)


def _overridden(events: Events, sold: pl.DataFrame) -> pl.DataFrame:
    """With what a slice says of itself: the day acquired, the term, a loss disallowed and its code."""
    own, code = pl.col("own").cast(pl.Date) != pl.col("acquired"), pl.lit(events.treatment.said["wash_sales"]["code"])
    return sold.with_columns(
        acquired=pl.col("own").cast(pl.Date),
        acquired_text=pl.when(~own).then("acquired_text"),
        term=pl.when("long").then(pl.lit("long")),
        codes=pl.when(pl.col("adjustment") > 0).then(code),
    )


def _on_their_day(events: Events, sold: pl.DataFrame) -> pl.DataFrame:
    """Sales that count on another day than their row's: on the year's last, or, of shorts at a loss, on delivery."""
    kinds = events.treatment.kinds
    at_end = [name for name, kind in kinds.items() if kind.sells and kind.sells.at_year_end]
    closing = [name for name, kind in kinds.items() if kind.closes]
    if not events.kinds & {*at_end, *closing}:
        return sold
    rows = events.rows.filter(is_kind([*at_end, *closing]))
    about = rows.select(
        sale="row", at_end=is_kind(at_end) if at_end else pl.lit(value=False), delivered=rare(rows, "settle_date")
    )
    last = pl.date(pl.col("sold").dt.year(), *YEAR_END)
    loss = pl.col("proceeds") < pl.col("basis")
    told = sold.join(about, on="sale", how="left", maintain_order="left")
    day = pl.when("at_end").then(last).when(loss).then("delivered")
    return told.with_columns(sold=pl.coalesce(day, "sold")).drop("at_end", "delivered")


def _of_return(events: Events, sold: pl.DataFrame, shown: pl.Expr) -> pl.DataFrame:
    """Without slices of rows that belong on no return asked for: some moves leave slices wherever they happen."""
    if sold.is_empty() or events.rows.select(shown.all()).item():
        return sold
    rows = events.rows.filter(pl.col("row").is_in(sold["sale"].unique().implode()) & shown)["row"]
    return sold.filter(pl.col("sale").is_in(rows.implode()))


def at_value(events: Events, shown: pl.Expr) -> pl.DataFrame:
    """Units withheld from what was received: sold on the spot, for what they cost and are worth."""
    if events.at_value.is_empty():
        return pl.DataFrame()
    rows = events.at_value.join(events.rows.filter(shown).select("row", "date", "form_1099"), on="row")
    worth = cents(pl.col("value"))
    sold = rows.select(
        "asset", "account", "form_1099", sale="row", lot="row", quantity=decimal("units"), acquired="date", sold="date",
        acquired_text=pl.lit(None, pl.String), proceeds=worth, basis=worth,
    )  # fmt: skip
    return as_sold(sold, events)


def as_sold(rows: pl.DataFrame, events: Events) -> pl.DataFrame:
    """Rows with every column of `lotlaw.dispositions.rows.form_rows`, in its order."""
    nothing = pl.lit(None, pl.String)
    given = {name: pl.col(name) if name in rows.columns else nothing.alias(name) for name in ("codes", "term")}
    adjustment = pl.col("adjustment") if "adjustment" in rows.columns else pl.lit(0, pl.Int64).alias("adjustment")
    return rows.select(
        "sale", "lot", "asset", class_of(events.ledger).alias("asset_class"), "account", nothing.alias("description"),
        "quantity", "acquired", "acquired_text", "sold", "proceeds", "basis", adjustment, given["codes"], given["term"],
        "form_1099",
    )  # fmt: skip
