"""Fair values that exports leave out, from a user's own prices: a CSV with asset and price, of a day or an instant.

The price of an instant counts from then to the end of its day, before the price of the whole day. What is received is
worth its own price, else that of what is given up. Nothing is filled in that a row says itself, and nothing is guessed:
what has no price of its day stays open, and is told in one table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.importers.clock import clock, when
from lotlaw.importers.files import read_text
from lotlaw.importers.problems import SHOWN, named, quoted, refused
from lotlaw.importers.reading import cells, head, rows_of
from lotlaw.readings.text import DECIMAL
from lotlaw.source import Problem, Problems

COLUMNS = ("asset", "price")
DAY = "date"
MONEY = "USD"
FROM_PRICES = "price_table"
WORTH: dict[str, dict[str, tuple[str, ...]]] = {
    "usd_value": {
        "trade": ("in", "out"), "spend": ("out",), "income": ("in",), "dividend": ("in",), "interest": ("in",),
        "gift_out": ("out",), "donation": ("out",),
    },
    "fmv_usd": {"gift_in": ("in",), "inheritance": ("in",)},
}  # fmt: skip
"""By column, the kinds of rows that it is filled in for, and the legs by which, in the order they are tried."""
NEEDED = ("trade", "spend", "income")
"""Kinds that no return can be worked out of without a value."""


@dataclass(frozen=True)
class Prices:
    """Prices with `asset`, `date` (null: of any day), `timestamp` (null: of the whole day) and `price`; their file."""

    name: str
    sha256: str
    rows: pl.DataFrame

    def on(self, day: date) -> pl.DataFrame:
        """`asset` and `price` of a day: the last of that day, else the one that names no day."""
        mine = self.rows.filter(pl.col(DAY).is_null() | (pl.col(DAY) == day))
        ordered = mine.sort(pl.col(DAY).is_not_null(), pl.col("timestamp").is_not_null(), "timestamp")
        return ordered.group_by("asset", maintain_order=True).last().select(COLUMNS)


def read_prices(path: Path, zone: str) -> Prices:
    """The prices of a CSV; instants count on their date in `zone`. Raises Problems."""
    text = next(part for _, part in read_text(path).parts())
    header = next(rows_of(head(text), ",", 1))
    if not set(COLUMNS) <= set(header.cells):
        found = ", ".join(header.cells)
        raise refused(text.name, f"prices have the columns {' and '.join(COLUMNS)}; found {found}", header.line)
    there = [name for name in (*COLUMNS, DAY) if name in header.cells]
    given = cells(text, header, {name: header.cells.index(name) for name in there})
    given = given.with_columns(pl.col(there).str.strip_chars())
    days = pl.when(pl.col(DAY) != "").then(pl.col(DAY)) if DAY in there else pl.lit(None, dtype=pl.String)
    given = given.with_columns(days.alias("said_day"), pl.col(COLUMNS).fill_null(""))
    dates, instants = when(given["said_day"], clock(("iso",), None, zone))
    nowhere = pl.Series("timestamp", [None] * given.height, dtype=pl.Datetime("us", "UTC"))
    priced = given.with_columns(
        dates.alias(DAY), nowhere if instants is None else instants, said="price",
        price=pl.col("price").cast(DECIMAL, strict=False),
    )  # fmt: skip
    problems = [p for words, wrong in _WRONG for p in _unpriced(text.name, words, priced.filter(wrong))]
    if problems:
        raise Problems(sorted(problems, key=lambda p: p.place.line))
    return Prices(text.name, text.digest.result(), priced.select("asset", DAY, "timestamp", "price"))


_WRONG = (
    ("price {said} is not a number; write it like 1234.50", pl.col("price").is_null()),
    ("price {said} is negative", pl.col("price") < 0),
    ("asset is empty", pl.col("asset") == ""),
    (
        "date {said_day} is neither a date nor an instant; write it like 2025-03-31, or like 2025-03-31T14:05:00Z",
        pl.col(DAY).is_null() & pl.col("said_day").is_not_null(),
    ),
    (
        "asset {asset} has a price already",
        ~pl.struct("asset", DAY, "timestamp").is_first_distinct() & (pl.col("asset") != ""),
    ),
)


def _unpriced(name: str, words: str, rows: pl.DataFrame) -> list[Problem]:
    said = [
        words.format(**{key: quoted(row[key]) for key in ("asset", "said", "said_day")})
        for row in rows.iter_rows(named=True)
    ]
    return named(name, rows["line"].to_list(), said)


def valued(rows: pl.DataFrame, prices: Prices) -> pl.DataFrame:
    """The rows of a ledger with the fair values and fees that they leave out and prices give. Raises Problems."""
    try:
        for name, kinds in WORTH.items():
            for kind, legs in kinds.items():
                rows = _filled(rows, prices, name, legs, pl.col("kind") == kind)
        return _filled(rows, prices, "fee_usd", ("fee",), pl.lit(value=True))
    except pl.exceptions.PolarsError:
        raise refused(prices.name, "a price that is too large for the quantities it is for") from None


def _filled(rows: pl.DataFrame, prices: Prices, name: str, legs: Sequence[str], where: pl.Expr) -> pl.DataFrame:
    """The rows with a column of dollars, by the first of the legs that has a price."""
    for leg in legs:
        asset, quantity = f"{leg}_asset", f"{leg}_qty"
        if {asset, quantity} - set(rows.columns):
            continue
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(None, dtype=DECIMAL).alias(name))
        lacking = pl.col(name).is_null() & pl.col(quantity).is_not_null() & (pl.col(asset) != MONEY) & where
        numbered = rows.with_row_index("_row")
        open_ = numbered.filter(lacking).with_columns(pl.col(asset).cast(pl.String).alias("asset"))
        if not open_.height:
            continue
        worth = _priced(open_, prices).select("_row", (pl.col("price") * pl.col(quantity)).alias("_worth"))
        numbered = numbered.join(worth, on="_row", how="left", maintain_order="left")
        rows = numbered.with_columns(pl.coalesce(name, "_worth").alias(name), *_source(numbered, name)).drop(
            "_row", "_worth"
        )
    return rows


def _source(rows: pl.DataFrame, name: str) -> Iterator[pl.Expr]:
    """Where the value of the row's legs comes from."""
    if name != "fee_usd":
        said = (
            pl.col("value_source").cast(pl.String) if "value_source" in rows.columns else pl.lit(None, dtype=pl.String)
        )
        from lotlaw.importers.canonical import table

        source = pl.when(pl.col("_worth").is_not_null()).then(pl.lit(FROM_PRICES)).otherwise(said)
        yield source.cast(table().dtype("value_source")).alias("value_source")


def _priced(rows: pl.DataFrame, prices: Prices) -> pl.DataFrame:
    """The rows with the price of `asset` at their instant or, failing that, on their day."""
    daily = prices.rows.filter(pl.col("timestamp").is_null() & pl.col(DAY).is_not_null())
    rows = rows.join(daily.select("asset", DAY, "price"), on=["asset", DAY], how="left", maintain_order="left")
    moments = prices.rows.filter(pl.col("timestamp").is_not_null()).sort("timestamp")
    if not moments.height or "timestamp" not in rows.columns:
        return rows
    exact = moments.select("asset", DAY, "timestamp", pl.col("price").alias("_price"))
    dated = rows.filter(pl.col("timestamp").is_not_null()).sort("timestamp")
    found = dated.join_asof(exact, on="timestamp", by=["asset", DAY], strategy="backward", check_sortedness=False)
    rows = rows.join(found.select("_row", "_price"), on="_row", how="left", maintain_order="left")
    return rows.with_columns(pl.coalesce("_price", "price").alias("price"))


def unpriced(rows: pl.DataFrame, until: date | None = None, *, fees: bool = True) -> pl.DataFrame:
    """The rows whose value is needed, up to a day: `file`, `line`, `date`, `timestamp`, `kind`, `asset`, `quantity`."""
    none = pl.lit(None)
    there = [pl.col(name) if name in rows.columns else none.alias(name) for name in _READ]
    needed = pl.col("kind").cast(pl.String).is_in(NEEDED) & pl.col("usd_value").is_null()
    fee = pl.col("fee_asset").is_not_null() & (pl.col("fee_asset") != MONEY) & pl.col("fee_usd").is_null()
    own = (pl.col("fee_asset") == pl.col("in_asset")) | (pl.col("fee_asset") == pl.col("out_asset"))
    taken = pl.when(pl.col("kind") == "spend").then("out_asset").otherwise("in_asset")
    small = rows.lazy().select(there).filter(pl.col(DAY) <= until) if until else rows.lazy().select(there)
    events = small.filter(needed).select(*_SHOWN, "kind", taken.alias("asset"), _of_leg("qty").alias("quantity"))
    if not fees:
        return events.sort("file", "line", maintain_order=True).collect()
    paid = small.filter(fee & ~own.fill_null(value=False)).select(
        *_SHOWN, pl.lit("fee").alias("kind"), pl.col("fee_asset").alias("asset"), pl.col("fee_qty").alias("quantity")
    )
    both = pl.concat([events.with_columns(pl.col("kind").cast(pl.String)), paid], how="diagonal_relaxed")
    return both.sort("file", "line", maintain_order=True).collect()


def _of_leg(what: str) -> pl.Expr:
    return pl.when(pl.col("kind") == "spend").then(f"out_{what}").otherwise(f"in_{what}")


_SHOWN = ("file", "line", DAY, "timestamp")
_READ = (*_SHOWN, "kind", "in_asset", "in_qty", "out_asset", "out_qty", "fee_asset", "fee_qty", "usd_value", "fee_usd")


def wanted(found: pl.DataFrame, files: Sequence[str]) -> Iterator[str]:
    """What is still missing, as the lines of a price file to fill in, each with the rows that it is for."""
    lines: dict[tuple[str, str], list[str]] = {}
    for row in found.iter_rows(named=True):
        at = row["timestamp"].isoformat().replace("+00:00", "Z") if row["timestamp"] else row[DAY].isoformat()
        lines.setdefault((row["asset"], at), []).append(f"{files[row['file']]}:{row['line']} {_said(row)}")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [("asset", DAY, "price", "for"), *((asset, at, "", "; ".join(of)) for (asset, at), of in lines.items())]
    )
    yield from text.getvalue().splitlines()


def refusals(found: pl.DataFrame, files: Sequence[str], most: int = SHOWN) -> list[Problem]:
    """What is still missing, as problems of the rows, `most` of them by name."""
    problems: list[Problem] = []
    for (file,), some in found.group_by("file", maintain_order=True):
        said = [
            f"{_said(row)} has no value in dollars; give it, or a line `{row['asset']},{row[DAY]},price` in --prices"
            for row in some.iter_rows(named=True)
        ]
        problems += named(files[int(str(file))], some["line"].to_list(), said, most=most)
    return problems


def _said(row: dict[str, Any]) -> str:
    quantity = f"{row['quantity'].normalize():f}" if row["quantity"] is not None else ""
    return f"{row['kind']} of {quantity} {row['asset']}".replace("  ", " ")
