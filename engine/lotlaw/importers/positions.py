"""What opens and what closes a position, where an export says only bought or sold: the position so far tells.

Selling an option that is not held writes it, buying one that was written closes it, and buying shares that were sold
short covers them, where the export has no word for that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from lotlaw.importers.choosing import plain
from lotlaw.importers.classes import OPTION
from lotlaw.importers.exercise import ASSIGN, EXERCISE
from lotlaw.importers.problems import quoted
from lotlaw.source import Place, Problem

BUY, SELL, SHORT = "buy", "sell", "short_open"
OPENING = {BUY: "option_buy_open", SELL: "option_sell_open"}
CLOSING = {BUY: "option_buy_close", SELL: "option_sell_close"}
COVERING = {BUY: "short_close"}
WHERE = ["account", "asset"]


def by_position(
    rows: pl.DataFrame, files: Sequence[str], classes: Mapping[str, str], loose: Collection[int]
) -> tuple[pl.DataFrame, list[Problem], list[str]]:
    """The rows, with purchases and sales that open or close as what they do; those that do both; what was changed.

    Only rows of the files that are `loose` with their words are changed.
    """
    if not loose or not {"in_asset", "out_asset"} <= set(rows.columns):
        return rows, [], []
    options = {asset for asset, klass in classes.items() if klass == OPTION}
    owed = set(rows.filter(pl.col("kind") == SHORT)["out_asset"].drop_nulls().cast(pl.String))
    if not options | owed:
        return rows, [], []
    legs = _legs(rows, options | owed)
    option, before, own = pl.col("asset").is_in(sorted(options)), pl.col("before"), pl.col("units")
    closes = ((before < 0) & (own > 0)) | ((before > 0) & (own < 0))
    kind = pl.col("kind").cast(pl.String)
    does = (
        pl.when(option & closes).then(kind.replace_strict(CLOSING, default=None))
        .when(option).then(kind.replace_strict(OPENING, default=None))
        .when(closes & ~(kind == COVERING[BUY]).any().over(WHERE)).then(kind.replace_strict(COVERING, default=None))
    )  # fmt: skip
    told = legs.with_columns(
        does=pl.when(pl.col("file").is_in(sorted(loose))).then(does), both=closes & (own.abs() > before.abs())
    ).filter(pl.col("does").is_not_null())
    changed = rows.with_row_index("_row").join(
        told.select("_row", "does"), on="_row", how="left", maintain_order="left"
    )
    kinds = pl.coalesce("does", pl.col("kind").cast(pl.String)).cast(rows.schema["kind"])
    problems = [_both(files, row) for row in told.filter("both").sort("_row").iter_rows(named=True)]
    return changed.with_columns(kind=kinds).drop("_row", "does"), problems, list(_said(told, files))


def _legs(rows: pl.DataFrame, assets: set[str]) -> pl.DataFrame:
    """What moves of the assets, in the order of time: units (negative when they leave), and those held `before`."""
    numbered = rows.with_row_index("_row")
    # What is exercised was held, and what is assigned was owed.
    ends = {"in": pl.lit(value=False), "out": pl.lit(value=True), "ref": pl.col("kind") == EXERCISE}
    moved = [
        part.select(
            "_row", "file", "line", "kind", "account", "date",
            pl.col("timestamp") if "timestamp" in rows.columns else pl.lit(None).alias("timestamp"),
            asset=pl.col(f"{end}_asset").cast(pl.String),
            units=pl.when(leaves).then(-pl.col(f"{end}_qty")).otherwise(pl.col(f"{end}_qty")).fill_null(0),
        )
        for end, leaves in ends.items() if {f"{end}_asset", f"{end}_qty"} <= set(rows.columns)
        for part in [numbered.filter(_moves(end, assets))]
    ]  # fmt: skip
    legs = pl.concat(moved).sort("date", "timestamp", "_row", nulls_last=False)
    return legs.with_columns(before=pl.col("units").cum_sum().over(WHERE) - pl.col("units"))


def _moves(end: str, assets: set[str]) -> pl.Expr:
    mine = pl.col(f"{end}_asset").is_in(sorted(assets))
    return mine & pl.col("kind").is_in([EXERCISE, ASSIGN]) if end == "ref" else mine


def _both(files: Sequence[str], row: Mapping[str, Any]) -> Problem:
    units, held = (plain(abs(row[name])) for name in ("units", "before"))
    what = f"this {row['kind']} of {units} {quoted(row['asset'])} closes the {held} there were and opens more"
    return Problem(Place(files[row["file"]], row["line"]), f"{what}; write it as two rows")


def _said(told: pl.DataFrame, files: Sequence[str]) -> Iterator[str]:
    """Where the first of each sort is that counts otherwise than as it was written, and how many there are."""
    turned = pl.col("does").is_in([OPENING[SELL], CLOSING[BUY], COVERING[BUY]])
    first = told.filter(turned).sort("_row").group_by("kind", "does", maintain_order=True).agg(
        pl.col("file", "line", "asset").first(), n=pl.len()
    )  # fmt: skip
    for kind, does, file, line, asset, n in first.iter_rows():
        more = f" (and {n - 1:,} more like it)" if n > 1 else ""
        yield f"{files[file]}:{line}: {kind} of {quoted(asset)} is taken as {does}, as the position stood{more}"
