"""What an option is on, by its name: `ACME 2025-06-20 45 C` and `ACME  250620C00045000` say the same.

The ways to write a name stand in `rules/assets.yaml`; their patterns are matched in linear time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

GROUPS = ("underlying", "expiry", "strike", "right")
AMOUNT = pl.Decimal(38, 18)
SCHEMA: dict[str, Any] = {
    "asset": pl.String, "underlying": pl.String, "right": pl.String, "strike": AMOUNT, "expiry": pl.Date,
    "multiplier": AMOUNT,
}  # fmt: skip
"""A contract a row: `right` is call or put, `strike` dollars a unit, `multiplier` the units of the underlying."""


def contracts(names: Iterable[str], said: Mapping[str, Any] | None) -> pl.DataFrame:
    """What each of the names is a contract for, as SCHEMA, in the order of the names; null where a name does not say.

    `said` is the part `options` of `rules/assets.yaml`, None where there is none.
    """
    assets = pl.DataFrame({"asset": sorted(set(names))}, schema={"asset": pl.String})
    return assets.select("asset", _contract(pl.col("asset"), said).alias("read")).unnest("read")


def named(cell: pl.Expr, said: Mapping[str, Any] | None) -> pl.Expr:
    """The name of an option as lotlaw writes it, `ACME 2025-06-20 45 C`, however a cell writes it; else null."""
    part = _contract(cell, said).struct.field
    strike = part("strike").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    right = part("right").str.head(1).str.to_uppercase()
    return pl.concat_str(part("underlying"), part("expiry").dt.to_string("%Y-%m-%d"), strike, right, separator=" ")


def detail(cell: pl.Expr, said: Mapping[str, Any] | None, name: str) -> pl.Expr:
    """One thing that a cell says of an option, by its name in SCHEMA; days as ISO text."""
    value = _contract(cell, said).struct.field(name)
    return value.dt.to_string("%Y-%m-%d") if SCHEMA[name] == pl.Date else value


def _contract(cell: pl.Expr, said: Mapping[str, Any] | None) -> pl.Expr:
    """What a cell says of an option, in the first way of writing it that takes it."""
    ways = [_read(way, said, cell) for way in said["names"]] if said else []
    nothing = pl.lit(None, pl.Struct({name: dtype for name, dtype in SCHEMA.items() if name != "asset"}))
    return pl.coalesce(*ways, nothing)


def _read(way: Mapping[str, Any], said: Mapping[str, Any], cell: pl.Expr) -> pl.Expr:
    """What a name says in one of the ways to write it, null where it is written otherwise."""
    part = cell.str.to_uppercase().str.strip_chars().str.extract_groups(way["pattern"]).struct.field
    fraction = pl.lit(f"1e-{way.get('strike_decimals', 0)}").cast(AMOUNT)
    day = part("expiry")
    if "months" in way:
        day = pl.concat_str(day.str.head(1).replace_strict(way["months"], default=None), day.str.slice(1))
    expiry = day.str.to_date(way["expiry"], strict=False)
    strike = part("strike").cast(AMOUNT, strict=False) * fraction
    right = part("right").replace_strict(said["rights"], default=None, return_dtype=pl.String)
    whole = pl.all_horizontal(value.is_not_null() for value in (part("underlying"), expiry, strike, right))
    contract = pl.struct(
        part("underlying").alias("underlying"), right.alias("right"), strike.alias("strike"), expiry.alias("expiry"),
        pl.lit(said["multiplier"]).cast(AMOUNT).alias("multiplier"),
    )  # fmt: skip
    return pl.when(whole).then(contract)
