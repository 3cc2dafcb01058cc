"""Swaps on a chain whose legs stand in different files: what left and what arrived in one transaction is one trade.

An explorer gives a transaction's own coin, its tokens and its internal transfers in a file each; the hash is what they
share. One thing out and another in, of one account under one hash, are exchanged for each other; where more than that
moved, the rows stay as they are, and it is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

OUT, IN = "transfer_out", "transfer_in"
TRADE, FEE = "trade", "fee"
KEY = ("account", "tx_hash")


def joined(rows: pl.DataFrame, files: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """The rows of all files with such legs joined, and warnings."""
    if "tx_hash" not in rows.columns or not {"out_asset", "in_asset"} <= set(rows.columns):
        return rows, []
    kinds = rows.schema["kind"]
    ends = rows.with_row_index("_row").filter(pl.col("tx_hash").is_not_null() & pl.col("kind").is_in([OUT, IN]))
    out, in_ = pl.col("kind") == OUT, pl.col("kind") == IN
    found = ends.group_by(*KEY, maintain_order=True).agg(
        pl.col("_row").filter(out).alias("outs"), pl.col("_row").filter(in_).alias("ins"),
        pl.col("out_asset").filter(out).alias("given"), pl.col("in_asset").filter(in_).alias("got"),
    )  # fmt: skip
    both = found.filter((pl.col("outs").list.len() > 0) & (pl.col("ins").list.len() > 0))
    one = (pl.col("outs").list.len() == 1) & (pl.col("ins").list.len() == 1)
    swaps = both.filter(one & (pl.col("given").list.first() != pl.col("got").list.first()))
    said = list(_several(rows, both.filter(~one), files))
    if not swaps.height:
        return rows, said
    pairs = swaps.select(*KEY, pl.col("outs").list.first().alias("_row"), pl.col("ins").list.first().alias("_in"))
    return _traded(rows, pairs, kinds), said


def _traded(rows: pl.DataFrame, pairs: pl.DataFrame, kinds: pl.DataType) -> pl.DataFrame:
    """The rows with each pair as one trade in the place of what left, and the fees of its hash in its group."""
    from_in = {"in_asset": "in_asset", "in_qty": "in_qty", "usd_value": "usd_value", "counter_class": "asset_class"}
    taken = {name: of for name, of in from_in.items() if of in rows.columns}
    rows = rows.with_columns(
        pl.lit(None, dtype=rows.schema.get(of, pl.String())).alias(name)
        for name, of in {**taken, "group_id": ""}.items()
        if name not in rows.columns
    )
    numbered = rows.with_row_index("_row")
    got = numbered.select(pl.col("_row").alias("_in"), *(pl.col(of).alias(f"_{name}") for name, of in taken.items()))
    both = numbered.join(pairs.select("_row", "_in"), on="_row", how="left", maintain_order="left")
    both = both.join(got, on="_in", how="left", maintain_order="left")
    mine = pl.col("_in").is_not_null()
    same = pl.struct(*KEY).is_in(pairs.select(pl.struct(*KEY)).to_series().implode())
    group = pl.when(mine | ((pl.col("kind") == FEE) & same)).then(pl.coalesce("group_id", "tx_hash"))
    both = both.with_columns(
        *(pl.when(mine).then(pl.coalesce(f"_{name}", name)).otherwise(name).alias(name) for name in taken),
        group.otherwise("group_id").alias("group_id"),
        pl.when(mine).then(pl.lit(TRADE)).otherwise(pl.col("kind").cast(pl.String)).cast(kinds).alias("kind"),
        *([pl.when(~mine).then("to_account").alias("to_account")] if "to_account" in rows.columns else []),
    )
    return both.filter(~pl.col("_row").is_in(pairs["_in"].implode())).select(rows.columns)


def _several(rows: pl.DataFrame, found: pl.DataFrame, files: Sequence[str]) -> Iterator[str]:
    """Transactions in which more than one thing left or arrived."""
    for outs, ins in found.select("outs", "ins").iter_rows():
        file, line = rows.select("file", "line").row(min(*outs, *ins))
        said = f"{len(outs)} left and {len(ins)} arrived in this transaction"
        yield f"{files[file]}:{line}: {said}; say what was exchanged for what (--overrides)"
