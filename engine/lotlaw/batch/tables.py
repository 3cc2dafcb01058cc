"""The tables that a batch takes and gives: columns, types, and what may stand for a type."""

from __future__ import annotations

from typing import Any

import polars as pl

from lotlaw.importers.canonical import table

KEY = "taxpayer"
AMOUNT = pl.Decimal(38, 18)
MONEY = pl.Decimal(18, 2)
Schema = dict[str, pl.DataType | type[pl.DataType]]

ORIGIN: Schema = {"file": pl.UInt32, "row": pl.Int64}
"""Where a row stands: the number of its file, and its place in it from 1."""

NEEDED = (KEY, "date", "kind", "account")
"""Columns that transactions cannot do without; the rest of the canonical table may be left out."""

INCOME = ("wages", "interest", "ordinary_dividends", "qualified_dividends", "other")
CARRYOVER = ("short", "long")
STRUCTS = {"income": INCOME, "carryover": CARRYOVER}
"""Fields of taxpayer.yaml that are columns of their own, such as `income.wages`, or one struct."""

JSON = ("inputs", "accounts", "methods", "identical", "digital_asset_safe_harbor", "floating_nav_funds", "collectibles")
"""Fields of taxpayer.yaml that stand as JSON text."""

TAXPAYERS: Schema = {
    KEY: pl.String, "filing_status": pl.String,
    **{f"{name}.{part}": MONEY for name, parts in STRUCTS.items() for part in parts},
    "deduction": MONEY, "aged_or_blind": pl.Int64, "dependent": pl.Boolean, "spouse_itemizes": pl.Boolean,
    **dict.fromkeys(JSON, pl.String), "digital_asset_pools_before_2025": pl.String, "timezone": pl.String,
    "name": pl.String,
}  # fmt: skip
NEEDED_OF_TAXPAYERS = (KEY, "filing_status")

FORM_ROWS: Schema = {
    KEY: pl.String, "box": pl.String, "part": pl.String, "term": pl.String, "description": pl.String,
    "asset": pl.String, "asset_class": pl.String, "account": pl.String, "quantity": AMOUNT,
    "acquired": pl.Date, "acquired_text": pl.String, "sold": pl.Date, "proceeds": MONEY, "basis": MONEY,
    "codes": pl.String, "adjustment": MONEY, "gain": MONEY, "collectible": pl.Boolean,
    "file": pl.String, "row": pl.Int64, "lot_file": pl.String, "lot_row": pl.Int64,
}  # fmt: skip
LINES: Schema = {KEY: pl.String, "form": pl.String, "line": pl.String, "column": pl.String, "amount": MONEY}
CARRIED: Schema = {KEY: pl.String, "short": MONEY, "long": MONEY}
INCOME_ROWS: Schema = {
    KEY: pl.String, "kind": pl.String, "asset": pl.String, "account": pl.String, "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"), "quantity": AMOUNT, "amount": AMOUNT,
    "counted": pl.Boolean, "file": pl.String, "row": pl.Int64,
}  # fmt: skip
PROBLEMS: Schema = {KEY: pl.String, "file": pl.String, "row": pl.Int64, "problem": pl.String}

OUT: dict[str, Schema] = {
    "form_8949": FORM_ROWS, "lines": LINES, "carryover": CARRIED, "income": INCOME_ROWS, "problems": PROBLEMS,
}  # fmt: skip
"""What a batch gives. Of `lines`, yes is 1 and no 0, and blank lines are absent."""


def transactions() -> Schema:
    """The canonical table with its taxpayer."""
    known = table()
    return {KEY: pl.String, **{name: known.dtype(name) for name in known.formats}}


def fits(given: Any, wanted: Any) -> bool:
    """Whether values of one type can be taken as another without loss; floats never can."""
    whole = bool(given.is_integer())
    if given == pl.Null:
        return True
    if isinstance(given, pl.Decimal) and wanted.is_decimal():
        return given.scale <= AMOUNT.scale
    if wanted.is_decimal():
        return whole or bool(given == pl.String)
    if isinstance(wanted, pl.Datetime):
        return isinstance(given, pl.Datetime) and given.time_zone is not None
    if wanted.is_integer():
        return whole
    if wanted in (pl.Date, pl.Boolean):
        return bool(given == wanted)
    return isinstance(given, pl.String | pl.Categorical | pl.Enum)


def wanted_words(wanted: Any) -> str:
    """How a type is called in a message."""
    if wanted.is_decimal():
        return "a decimal (not a float, which is not exact)"
    if isinstance(wanted, pl.Datetime):
        return "a timestamp with a time zone"
    return {pl.Date: "a date", pl.Boolean: "a boolean"}.get(wanted, "a whole number" if wanted.is_integer() else "text")
