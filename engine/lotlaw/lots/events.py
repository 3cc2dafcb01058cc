"""Ledger rows as events: dollars and units as whole numbers, which legs are lots, and what cannot be read.

Whole numbers are `Int128` columns at the ledger's own 18 decimals (a `Decimal` column's physical values).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.source import Place, Problem
from lotlaw.lots.treatment import Treatment

if TYPE_CHECKING:
    from lotlaw.ledger import Ledger

PLACES = 18
DOLLAR = "USD"
AMOUNT = pl.Decimal(38, PLACES)
WHOLE = pl.Int128
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String, "account": pl.String, "to_account": pl.String, "date": pl.Date, "timestamp": pl.Datetime("us", "UTC"),
    "out_asset": pl.String, "out_qty": AMOUNT, "in_asset": pl.String, "in_qty": AMOUNT,
    "fee_asset": pl.String, "fee_qty": AMOUNT, "usd_value": AMOUNT, "fee_usd": AMOUNT, "basis_usd": AMOUNT,
    "acquired_date": pl.String, "group_id": pl.String, "tx_hash": pl.String, "lot": pl.String, "external_id": pl.String,
    "income_type": pl.String, "form_1099": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Events:
    """The rows of a ledger that count.

    `rows` has the columns of COLUMNS and `row` (its index in the ledger); `value`, `fee` and `basis` (dollars, null where unknown);
    `out_units` and `in_units` (null where that leg is money or absent); and, where a fee was paid in units, `joined`, `joined_value`
    (sold together with the rest), `withheld`, `withheld_value` (out of what was received).
    `fees`: fee units sold by themselves; `at_value`: those that leave at fair value on both sides. Both: row, asset, account, units,
    value, after (the rest of the row).
    """

    ledger: Ledger
    treatment: Treatment
    rows: pl.DataFrame
    fees: pl.DataFrame
    at_value: pl.DataFrame

    def place(self, row: int) -> Place:
        """Where a row stands in its file."""
        return place(self.ledger, row)

    def extra(self, name: str) -> pl.Expr:
        """A column that only rows with fees paid in units have; 0 without."""
        return pl.col(name) if name in self.rows.columns else pl.lit(0, WHOLE)


FEES = pl.DataFrame(
    schema={"row": pl.UInt32, "asset": pl.String, "account": pl.String, "units": WHOLE, "value": WHOLE, "after": pl.Boolean}
)


def place(ledger: Ledger, row: int) -> Place:
    """Where a row of the ledger stands in its file."""
    file, line = ledger.rows.select("file", "line").row(row)
    return Place(ledger.files[file].name, line)


def column(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A column of the ledger, null where the ledger has none of that name."""
    dtype = COLUMNS[name]
    found = pl.col(name) if name in rows.columns else pl.lit(None)
    return (found if rows.schema.get(name) == dtype else found.cast(dtype)).alias(name)


def dollars(name: str, places: int = PLACES) -> pl.Expr:
    """Whole numbers of so many decimals as a decimal column."""
    step = pl.lit(f"{1:.{places}f}" if not places else f"0.{'1':0>{places}}").str.to_decimal(scale=places)
    return pl.col(name).cast(pl.Decimal(38, 0)) * step


def of_rows(ledger: Ledger, name: str, rows: pl.Series) -> pl.Series:
    """A column of the ledger for some of its rows, null where the ledger has none of that name."""
    return ledger.rows.select("line", column(ledger.rows, name))[name].gather(rows)


def words_of(ledger: Ledger, rows: pl.Series) -> pl.Series:
    """The words that some rows give in place of a date acquired."""
    given = of_rows(ledger, "acquired_date", rows).to_frame()
    return given.select(pl.when(acquired_day().is_null()).then("acquired_date")).to_series()


def acquired_day() -> pl.Expr:
    """The date acquired that a row gives, null where it gives a word or nothing."""
    return pl.col("acquired_date").str.to_date("%Y-%m-%d", strict=False)


def class_of(ledger: Ledger, asset: str = "asset") -> pl.Expr:
    """The class of each asset by the ledger."""
    return pl.col(asset).replace_strict(ledger.classes, default=None, return_dtype=pl.String)


def unsupported(ledger: Ledger, rows: pl.DataFrame, treatment: Treatment) -> Iterator[Problem]:
    """Rows of a kind that the rules do not list."""
    known = list(treatment.kinds)
    for row, kind in rows.filter(~pl.col("kind").is_in(known)).select("row", "kind").iter_rows():
        yield Problem(place(ledger, row), f"{kind} is not supported yet; the kinds that are: {', '.join(known)}")


def money_of(ledger: Ledger, treatment: Treatment) -> frozenset[str]:
    """The assets that are money and have no lots."""
    classes = treatment.classes
    money = (a for a, c in ledger.classes.items() if c in classes and classes[c].get("lots") is False)
    return frozenset({DOLLAR, *money})


def unclassed(ledger: Ledger, rows: pl.DataFrame, treatment: Treatment) -> Iterator[Problem]:
    """Assets that have no class, or one that the rules do not list."""
    known = treatment.classes
    for leg in ("out_asset", "in_asset", "fee_asset"):
        first = rows.filter(pl.col(leg).is_not_null()).group_by(leg, maintain_order=True).agg(pl.col("row").first())
        for asset, row in first.iter_rows():
            said = ledger.classes.get(asset)
            if asset != DOLLAR and said not in known:
                what = f"has the asset class '{said}', which is none of" if said else "needs an asset_class, one of"
                yield Problem(place(ledger, row), f"{asset} {what} {', '.join(known)}")


def with_amounts(rows: pl.DataFrame, money: frozenset[str]) -> pl.DataFrame:
    """Add value, fee, basis, out_units and in_units."""
    value, fee = pl.col("usd_value"), pl.col("fee_usd")
    if rows["usd_value"].null_count():
        for leg in ("in", "out"):
            value = value.fill_null(pl.when(pl.col(f"{leg}_asset") == DOLLAR).then(pl.col(f"{leg}_qty")))
    if rows["fee_asset"].null_count() < rows.height:
        fee = fee.fill_null(pl.when(pl.col("fee_asset") == DOLLAR).then(pl.col("fee_qty")))
    return rows.with_columns(
        value.to_physical().alias("value"),
        fee.to_physical().alias("fee"),
        pl.col("basis_usd").to_physical().alias("basis"),
        *(_units(leg, money) for leg in ("out", "in")),
    )


def _units(leg: str, money: frozenset[str]) -> pl.Expr:
    has_lots = ~pl.col(f"{leg}_asset").is_in(sorted(money))
    return pl.when(has_lots).then(pl.col(f"{leg}_qty").to_physical()).alias(f"{leg}_units")
