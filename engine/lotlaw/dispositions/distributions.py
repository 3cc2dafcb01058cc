"""Losses on fund shares that were held briefly: long-term up to the capital gains that they distributed, §852(b)(4).

A loss of which a part is long-term becomes two sales: that part, and the rest with whatever is adjusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lotlaw.lots.events import AMOUNT, PLACES, WHOLE, Events, rare
from lotlaw.lots.moves import cents
from lotlaw.lots.rare import GAINS, LOSES

LONG = "long"
HOLDING = ["asset", "account"]
SHORT, FINE = 10 ** (PLACES - 3), 10 ** (PLACES - 9)
"""Thousandths of a share, as they are written; and billionths, so that products with cents fit 128 bits."""
Said = Mapping[str, Any]


def with_distributions(events: Events, steps: pl.DataFrame, sold: pl.DataFrame) -> pl.DataFrame:
    """What was sold, as `lotlaw.dispositions.slices` has it, with the part of such losses apart that is long-term."""
    said: Said = events.treatment.said["fund_losses"]
    if "subkind" not in events.rows.columns or sold.is_empty():
        return sold
    paid = _paid(events, steps, said)
    if paid.is_empty():
        return sold
    sold = sold.with_row_index("slice")
    long = _long(sold, paid, said)
    if long.is_empty():
        return sold.drop("slice")
    told = sold.join(long, on="slice", how="left", maintain_order="left")
    loss, share = pl.col("basis") - pl.col("proceeds"), pl.col("share")
    first = told.filter(share > 0).with_columns(
        quantity=_quantity(_part(pl.col("quantity").to_physical(), share, loss)),
        proceeds=_part(pl.col("proceeds"), share, loss).cast(pl.Int64),
    )
    first = first.with_columns(basis=pl.col("proceeds") + share, adjustment=0, codes=None, term=pl.lit(LONG))
    off = first.select("slice", q="quantity", p="proceeds", b="basis")
    rest = told.join(off, on="slice", how="left", maintain_order="left").with_columns(
        pl.col("quantity") - pl.col("q").fill_null(0), pl.col("proceeds") - pl.col("p").fill_null(0),
        pl.col("basis") - pl.col("b").fill_null(0),
    )  # fmt: skip
    rest = rest.filter(pl.col("quantity") > 0)
    columns = ["slice", *sold.columns[1:]]
    both = pl.concat([first.select(columns), rest.select(columns)], how="vertical_relaxed")
    return both.sort("slice", maintain_order=True).drop("slice").cast(dict(sold.drop("slice").schema))  # type: ignore[arg-type]


def _paid(events: Events, steps: pl.DataFrame, said: Said) -> pl.DataFrame:
    """Distributions: asset, account, row, cents, and the units that they were paid on."""
    rows = events.rows.filter(rare(events.rows, "subkind").is_in(said["subkinds"]) & pl.col("value").is_not_null())
    found = rows.select(
        "account", "row", asset=rare(rows, "ref_asset"), paid=cents(pl.col("value")),
        on=rare(rows, "ref_qty").to_physical().cast(WHOLE),
    ).drop_nulls("asset")  # fmt: skip
    if found.is_empty() or not found["on"].null_count():
        return found
    comes, goes = (pl.when(pl.col("code").is_in(codes)).then("units").otherwise(0) for codes in (GAINS, LOSES))
    moved = steps.filter(pl.col("asset").is_in(found["asset"].implode())).select(*HOLDING, "row", units=comes - goes)
    line = pl.concat([moved, found.select(*HOLDING, "row", units=pl.lit(0, WHOLE))], how="vertical_relaxed")
    held = line.sort("row", maintain_order=True).with_columns(held=pl.col("units").cum_sum().over(HOLDING))
    held = held.group_by(*HOLDING, "row").agg(pl.col("held").last())
    return found.join(held, on=[*HOLDING, "row"], how="left").with_columns(on=pl.coalesce("on", "held")).drop("held")


def _long(sold: pl.DataFrame, paid: pl.DataFrame, said: Said) -> pl.DataFrame:
    """By slice, the cents of its loss that are long-term: slice, share."""
    loss = pl.col("basis") - pl.col("proceeds") - pl.col("adjustment")
    day = pl.col("acquired").dt.offset_by("1d")
    after = day.dt.offset_by(f"{said['months']}mo")
    until = pl.when(after.dt.day() == day.dt.day()).then(after).otherwise(after.dt.offset_by("1d"))
    brief = pl.col("acquired_text").is_null() & pl.col("term").is_null() & (pl.col("sold") < until)
    lost = sold.filter((loss > 0) & brief)
    met = lost.with_columns(loss=loss).join(paid, on=HOLDING)
    met = met.filter((pl.col("row") > pl.col("lot")) & (pl.col("row") < pl.col("sale")) & (pl.col("on") >= FINE))
    got = _part(pl.col("paid"), pl.col("quantity").to_physical() // FINE, pl.col("on") // FINE)
    sums = met.with_columns(got=got).group_by("slice", "loss").agg(pl.col("got").sum())
    return sums.select("slice", share=pl.min_horizontal("got", "loss").cast(pl.Int64)).filter(pl.col("share") > 0)


def _part(whole: pl.Expr, part: pl.Expr, of: pl.Expr) -> pl.Expr:
    """A part of a whole number, rounded half up."""
    return (2 * whole.cast(WHOLE) * part.cast(WHOLE) + of.cast(WHOLE)) // (2 * of.cast(WHOLE))


def _quantity(whole: pl.Expr) -> pl.Expr:
    """Units as people write them, since how many of them a part of a loss stands for is nobody's number."""
    few = whole // SHORT * SHORT
    return pl.when(few > 0).then(few).otherwise(whole).reinterpret(dtype=AMOUNT)
