"""What is held, as a page: gains and losses by asset, when lots turn long-term, and every lot."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lotlaw.plan.charts import DAYS, GAIN_AND_LOSS, Chart, field, on_day, tooltip
from lotlaw.plan.holdings import Holdings
from lotlaw.plan.holdings_text import lots_table, totals_table
from lotlaw.plan.pages import Part, of_chart, page
from lotlaw.plan.text import money

SHOWN = 40
"""Assets that a chart has room for; the tables have all."""
DOTS = 1024
WORDS = {"short": "Short-term", "long": "Long-term"}


def holdings_page(held: Holdings) -> str:
    """The page. Raises Problems where charts cannot be drawn."""
    sums = held.totals().select(money("value"), money("gains"), money("losses"), money("unrealized")).row(0)
    figures = dict(zip(("Worth", "Gains not realized", "Losses not realized", "Together"), sums, strict=True))
    known = {name: said for name, said in figures.items() if said}
    lede = f"{held.lots.height:,} open lots at the end of {held.day}. " + ". ".join(held.notes)
    return page(f"Holdings on {held.day}", lede, list(_parts(held)), held.year, figures=known)


def _parts(held: Holdings) -> Iterator[Part]:
    valued = held.lots.filter(pl.col("unrealized").is_not_null())
    if valued.height:
        yield of_chart("Gains and losses by asset", _by_asset(valued))
    turning = valued.filter(pl.col("days_to_go").is_not_null())
    if turning.height:
        yield of_chart("When lots turn long-term", _turning(turning))
    if valued.height:
        yield Part("By term", totals_table(held, "term", "term"))
        yield Part("By asset", totals_table(held, "asset", "asset"))
    yield Part("Every lot", lots_table(held))


def _by_asset(lots: pl.DataFrame) -> Chart:
    """A bar an asset and term."""
    size = pl.col("unrealized").abs().sum()
    largest = lots.group_by("asset").agg(size).sort("unrealized", "asset", descending=[True, False]).head(SHOWN)
    kept = lots.filter(pl.col("asset").is_in(largest["asset"].implode()))
    sums = kept.group_by("asset", "term").agg(pl.col("unrealized").sum()).sort("asset", "term")
    rows = sums.select("asset", pl.col("term").replace(WORDS).fill_null("-"), pl.col("unrealized").cast(pl.String))
    columns, kinds = {"asset": "asset", "term": "term", "amount": "unrealized"}, {"amount": "number"}
    drawing = {
        "mark": "bar", "height": {"step": 26},
        "encoding": {
            "y": field("asset", "nominal", None, sort="-x"),
            "x": field("amount", "quantitative", "unrealized gain or loss, dollars", axis={"format": "~s"}),
            "color": field("term", "nominal", None, scale={"domain": list(WORDS.values())}),
            "tooltip": tooltip(columns, kinds),
        },
    }  # fmt: skip
    about = "What a sale on the day would realize, before fees: gains to the right, losses to the left."
    return Chart("by-asset", "", about, drawing, columns, kinds, rows.rows(), _in_dollars(sums, rows))


def _in_dollars(sums: pl.DataFrame, rows: pl.DataFrame) -> list[tuple[str, ...]]:
    """The rows with their amount to the cent, for reading."""
    return rows.with_columns(sums.select(money("unrealized")).to_series()).rows()


def _turning(lots: pl.DataFrame) -> Chart:
    """A dot a day and asset, as large as what is unrealized."""
    by_day = lots.group_by("turns_long", "asset").agg(pl.col("unrealized", "value").sum(), pl.col("days_to_go").min())
    kept = by_day.sort(pl.col("unrealized").abs(), descending=True).head(DOTS).sort("turns_long", "asset")
    day, days = pl.col("turns_long").cast(pl.String), pl.col("days_to_go").cast(pl.String)
    kind = pl.when(pl.col("unrealized") < 0).then(pl.lit("Loss")).otherwise(pl.lit("Gain"))
    texts = kept.select(day, "asset", kind.alias("kind"), days, pl.col("unrealized").cast(pl.String))
    columns = {"day": "long from", "asset": "asset", "kind": "", "days": "days to go", "amount": "unrealized"}
    kinds = {"amount": "number"}
    drawing = {
        "mark": {"type": "circle", "opacity": 0.85}, "height": {"step": 26},
        "transform": [{"calculate": "abs(datum.amount)", "as": "size"}, on_day("day")],
        "encoding": {
            "x": field("day at", "temporal", "first day on which a sale is long-term", **DAYS),
            "y": field("asset", "nominal", None),
            "size": field("size", "quantitative", None, legend=None, scale={"range": [40, 700]}),
            "color": field("kind", "nominal", None, scale=GAIN_AND_LOSS),
            "tooltip": tooltip(columns, kinds),
        },
    }  # fmt: skip
    about = "The larger the dot, the more is unrealized. Losses are worth more before that day, gains after it."
    return Chart("turning", "", about, drawing, columns, kinds, texts.rows(), _in_dollars(kept, texts))
