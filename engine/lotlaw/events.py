"""Ledger rows as events: whole-number amounts, which legs are lots, and what becomes of fees paid in units.

Amounts are `Int128` columns at the ledger's own 18 decimals (a `Decimal` column's physical values).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.source import Place, Problem
from lotlaw.treatment import Kind, Treatment

if TYPE_CHECKING:
    from lotlaw.ledger import Ledger

PLACES = 18
CENT = 10 ** (PLACES - 2)
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
    """The rows of a ledger that count, with what fees paid in units do.

    `rows`: the columns of COLUMNS, `row` (index into the ledger), `value`, `fee`, `basis` (dollars as whole numbers, null where unknown),
    `out_units`, `in_units` (null where the leg is money or absent), `joined` and `joined_value` (fee units sold with the rest),
    `withheld` and `withheld_value` (fee units out of what was received), `shown` (whether sales leave rows).
    `fees`: fee units sold by themselves: row, asset, account, units, value, after (what was received).
    `left_at_value`: fee units that leave at fair value on both sides: row, asset, units, value.
    """

    ledger: Ledger
    rows: pl.DataFrame
    fees: pl.DataFrame
    left_at_value: pl.DataFrame
    money: frozenset[str]


def place(ledger: Ledger, row: int) -> Place:
    """Where a row of the ledger stands in its file."""
    file, line = ledger.rows.select("file", "line").row(row)
    return Place(ledger.files[file].name, line)


def column(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A column of the ledger, null where the ledger has none of that name."""
    dtype = COLUMNS[name]
    return (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)


def unsupported(ledger: Ledger, rows: pl.DataFrame, treatment: Treatment) -> Iterator[Problem]:
    """Rows of a kind that the rules do not list."""
    known = ", ".join(treatment.kinds)
    for row, kind in rows.filter(~pl.col("kind").is_in(list(treatment.kinds))).select("row", "kind").iter_rows():
        yield Problem(place(ledger, row), f"{kind} is not supported yet; the kinds that are: {known}")


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


def amounts(rows: pl.DataFrame, money: frozenset[str]) -> pl.DataFrame:
    """Add value, fee, basis, out_units and in_units as whole numbers."""
    value, fee = pl.col("usd_value"), pl.col("fee_usd")
    if rows["usd_value"].null_count():
        for leg in ("in", "out"):
            value = value.fill_null(pl.when(pl.col(f"{leg}_asset") == DOLLAR).then(pl.col(f"{leg}_qty")))
    if rows["fee_asset"].null_count() < rows.height:
        fee = fee.fill_null(pl.when(pl.col("fee_asset") == DOLLAR).then(pl.col("fee_qty")))
    cash = sorted(money)
    return rows.with_columns(
        value.to_physical().alias("value"),
        fee.to_physical().alias("fee"),
        pl.col("basis_usd").to_physical().alias("basis"),
        *(
            pl.when(~pl.col(f"{leg}_asset").is_in(cash)).then(pl.col(f"{leg}_qty").to_physical()).alias(f"{leg}_units")
            for leg in ("out", "in")
        ),
    )


def without_unit_fees(ledger: Ledger, rows: pl.DataFrame, money: frozenset[str]) -> Events:
    """Events of a ledger in which every fee is money."""
    nothing = pl.lit(0, WHOLE)
    rows = rows.with_columns(
        pl.col("fee").fill_null(0),
        joined=nothing, joined_value=nothing, withheld=nothing, withheld_value=nothing,
    )  # fmt: skip
    return Events(ledger, rows, SOLD.clear(), LEFT.clear(), money)


SOLD = pl.DataFrame(
    schema={"row": pl.UInt32, "asset": pl.String, "account": pl.String, "units": WHOLE, "value": WHOLE, "after": pl.Boolean}
)
LEFT = pl.DataFrame(schema={"row": pl.UInt32, "asset": pl.String, "units": WHOLE, "value": WHOLE})


def bearing(treatment: Treatment) -> list[str]:
    """The kinds whose cost or proceeds a fee changes."""
    return [kind.name for kind in treatment.kinds.values() if Kind.bears_fees.fget(kind)]  # type: ignore[misc]
