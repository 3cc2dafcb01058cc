"""Options that are taken up or expire: which stock moved with them, and on which day.

A broker posts an exercise and the stock that it moves as two rows, and an expiry when it gets to it. The two rows are
brought into one group, and an option expires on the day that its name says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from lotlaw.importers.across import WEEK
from lotlaw.importers.canonical import table
from lotlaw.importers.choosing import plain
from lotlaw.importers.problems import quoted
from lotlaw.source import Place, Problem

EXPIRES, EXERCISE, ASSIGN = "option_expire", "option_exercise", "option_assign"
BUYS, SELLS = ("buy", "short_close"), ("sell", "short_open")
CALL = "call"
LIKE = ["account", "asset", "buys", "units", "cash"]
"""What an option and the stock that moves with it have in common."""


def expired(
    rows: pl.DataFrame, files: Sequence[str], options: pl.DataFrame, zone: str
) -> tuple[pl.DataFrame, list[str]]:
    """The rows, with expiries that were posted within a week on the day of their contract; what was changed or odd."""
    if not (rows["kind"] == EXPIRES).any():
        return rows, []
    days = pl.col("ref_asset").replace_strict(options["asset"], options["expiry"], default=None, return_dtype=pl.Date)
    rows = rows.with_columns(_expiry=pl.when(pl.col("kind") == EXPIRES).then(days))
    late = ((pl.col("date") - pl.col("_expiry")).is_between(pl.duration(days=1), WEEK)).fill_null(value=False)
    odd = rows.filter((pl.col("date") != pl.col("_expiry")).fill_null(value=False)).with_columns(_late=late)
    said = [
        f"{files[file]}:{line}: {quoted(asset)} expired on {day}, which counts; the row says {written}"
        if counts
        else f"{files[file]}:{line}: {quoted(asset)} expires on {day} by its name, and the row says {written}"
        for file, line, asset, day, written, counts in odd.select(
            "file", "line", "ref_asset", "_expiry", "date", "_late"
        ).iter_rows()
    ]
    changed = [pl.when(late).then("_expiry").otherwise("date").alias("date")]
    if "timestamp" in rows.columns:
        end = pl.col("_expiry").dt.combine(pl.time(23, 59, 59)).dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
        known = pl.col("timestamp").is_not_null()
        changed.append(
            pl.when(late & known).then(end.dt.cast_time_unit("us")).otherwise("timestamp").alias("timestamp")
        )
    return rows.with_columns(changed).drop("_expiry"), said


def taken_up(
    rows: pl.DataFrame, files: Sequence[str], options: pl.DataFrame
) -> tuple[pl.DataFrame, list[Problem], list[str]]:
    """The rows, with each exercise and its stock in one group; those without stock; those whose strike is another."""
    if not rows["kind"].is_in([EXERCISE, ASSIGN]).any():
        return rows, [], []
    numbered = rows.with_row_index("row")
    options = options.rename({"asset": "ref_asset", "underlying": "asset"})
    taken = _cells(numbered, "ref_asset", "ref_qty", "review").filter(pl.col("kind").is_in([EXERCISE, ASSIGN]))
    taken = taken.join(options, on="ref_asset", how="left", maintain_order="left").with_columns(
        units=pl.col("ref_qty") * pl.col("multiplier"),
        cash=pl.col("ref_qty") * pl.col("multiplier") * pl.col("strike"),
        buys=(pl.col("kind") == EXERCISE) == (pl.col("right") == CALL),
    )
    stock = _stock(numbered)
    pairs = _pairs(taken.filter(pl.col("group_id").is_null()), stock.filter(pl.col("group_id").is_null()))
    alone = taken.join(pairs, on="row", how="anti", maintain_order="left")
    alone = alone.join(stock, on="group_id", how="anti", maintain_order="left").filter(pl.col("review").is_null())
    problems = [Problem(Place(files[row["file"]], row["line"]), _lacking(row)) for row in alone.iter_rows(named=True)]
    return _in_groups(rows, pairs), problems, list(_at_odds(taken, stock, files))


def _cells(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Columns of the rows, empty where they have none of that name."""
    every = ("row", "file", "line", "kind", "account", "date", "group_id", *names)
    return rows.select(
        c if c in rows.columns else pl.lit(None, table().dtype(c)).alias(c) for c in dict.fromkeys(every)
    )


def _stock(rows: pl.DataFrame) -> pl.DataFrame:
    """Purchases and sales for money: asset, units, cash, and whether something was bought."""
    traded = _cells(rows, "in_asset", "in_qty", "out_asset", "out_qty").filter(pl.col("kind").is_in([*BUYS, *SELLS]))
    buys = pl.col("kind").is_in(BUYS)
    return traded.select(
        "row", "account", "date", "group_id", buys.alias("buys"),
        asset=pl.when(buys).then("in_asset").otherwise("out_asset"),
        units=pl.when(buys).then("in_qty").otherwise("out_qty"),
        cash=pl.when(buys).then("out_qty").otherwise("in_qty"),
    )  # fmt: skip


def _pairs(taken: pl.DataFrame, stock: pl.DataFrame) -> pl.DataFrame:
    """Each exercise's row and its stock's, one to one: of the same day if there is such, else within a week."""
    same_day = _joined(taken, stock, [*LIKE, "date"])
    rest = taken.join(same_day, on="row", how="anti", maintain_order="left")
    left = stock.join(same_day, left_on="row", right_on="stock", how="anti", maintain_order="left")
    near = _joined(rest, left, LIKE).filter((pl.col("date") - pl.col("of_stock")).abs() <= WEEK)
    return pl.concat(pairs.select("row", "stock", "group") for pairs in (same_day, near))


def _joined(taken: pl.DataFrame, stock: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The first of the exercises that are alike with the first stock like them, the second with the second."""
    nth = pl.int_range(pl.len()).over(keys).alias("_nth")
    bought = stock.select(*keys, nth, pl.col("row").alias("stock"), pl.col("date").alias("of_stock"))
    group = pl.concat_str("account", "date", "ref_asset", separator=" ")
    return taken.with_columns(nth, group=group).join(bought, on=[*keys, "_nth"], maintain_order="left")


def _in_groups(rows: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    if pairs.is_empty():
        return rows
    nth = pl.int_range(pl.len()).over("group").cast(pl.String)
    names = pairs.select(
        pl.concat_list("row", "stock").alias("_row"), pl.concat_str("group", nth, separator=" ").alias("_group")
    )
    names = names.explode("_row")
    known = [pl.col("group_id")] if "group_id" in rows.columns else []
    found = rows.with_row_index("_row").join(names, on="_row", how="left", maintain_order="left")
    return found.with_columns(group_id=pl.coalesce(*known, "_group")).drop("_row", "_group")


def _lacking(row: dict[str, object]) -> str:
    what = f"{row['kind']} of {quoted(row['ref_asset'])} lacks the row of its stock"
    if row["asset"] is None:
        return f"{what}; give it, and give both one group_id"
    sort = f"a {BUYS[0] if row['buys'] else SELLS[0]} of {plain(row['units'])} {row['asset']} for {plain(row['cash'])}"
    return f"{what}: {sort} dollars in the same account within a week, or one that shares its group_id"


def _at_odds(taken: pl.DataFrame, stock: pl.DataFrame, files: Sequence[str]) -> Iterator[str]:
    """Groups whose stock is not what their options come to."""
    sums = [pl.col(name).sum() for name in ("units", "cash")]
    wanted = taken.filter(pl.col("strike").is_not_null()).group_by("group_id", "asset", "buys", maintain_order=True)
    given = stock.group_by("group_id", "asset", "buys").agg(sums)
    both = wanted.agg(*sums, pl.col("file", "line", "ref_asset").first()).join(
        given, on=["group_id"], suffix="_given", maintain_order="left"
    )
    same = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_given") for name in ("asset", "buys", "units", "cash"))
    for row in both.filter(~same).iter_rows(named=True):
        yield (
            f"{files[row['file']]}:{row['line']}: {quoted(row['ref_asset'])} stands for {plain(row['units'])} "
            f"{row['asset']} at {plain(row['cash'])} dollars; the stock of its group is {plain(row['units_given'])} "
            f"{row['asset_given']} at {plain(row['cash_given'])}"
        )
