"""Columns that come once for each asset (`BTC Amount`, `ETH Amount`): a row for each that one speaks of."""

from __future__ import annotations

import polars as pl

from lotlaw.importers.binding import BETWEEN, Binding
from lotlaw.importers.language import Wide


def unpivoted(wide: Wide, binding: Binding, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows by asset, in the order of the header. A row that says something of no asset stays one, without a name.

    Nothing is said where every number is empty or zero.
    """
    made = [alias for alias in binding.fields if BETWEEN in alias]
    assets = list(dict.fromkeys(alias.split(BETWEEN, 1)[1] for alias in sorted(made, key=binding.fields.__getitem__)))
    rest = [name for name in frame.columns if name not in made]
    numbered = frame.with_row_index("_row")
    parts = [_part(wide, numbered, rest, asset, n) for n, asset in enumerate(assets)]
    told = pl.concat(parts) if parts else numbered.clear().select("_row")
    alone = numbered.filter(~pl.col("_row").is_in(told["_row"].implode())).select("_row", *rest)
    rows = pl.concat([*parts, alone], how="diagonal") if parts else _empty(wide, alone)
    return rows.sort("_row", "_asset" if "_asset" in rows.columns else "_row").drop("_row", "_asset", strict=False)


def _part(wide: Wide, frame: pl.DataFrame, rest: list[str], asset: str, number: int) -> pl.DataFrame:
    """The rows that say something of one asset."""
    schema = frame.schema
    names = {column.alias: f"{column.alias}{BETWEEN}{asset}" for column in wide.columns}
    values = [
        (pl.col(name) if name in schema else pl.lit(None, dtype=_dtype(wide, alias))).alias(alias)
        for alias, name in names.items()
    ]
    told = [pl.col(name) != (0 if schema[name].is_decimal() else "") for name in names.values() if name in schema]
    rows = frame.filter(pl.any_horizontal(told).fill_null(value=False))
    return rows.select("_row", pl.lit(number).alias("_asset"), *rest, pl.lit(asset).alias(wide.name), *values)


def _empty(wide: Wide, rows: pl.DataFrame) -> pl.DataFrame:
    names = {wide.name: pl.String(), **{column.alias: _dtype(wide, column.alias) for column in wide.columns}}
    return rows.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in names.items())


def _dtype(wide: Wide, alias: str) -> pl.DataType:
    kind = {column.alias: column.type for column in wide.columns}[alias]
    return pl.String() if kind in ("text", "symbol") else pl.Decimal(38, 18)
