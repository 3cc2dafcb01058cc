"""Sales on a statement found again among the ledger's own: which slices of lots each of a statement's rows is about.

A broker lists a row for each lot, or one for several, and names assets in its own way. Sales are compared by account,
day and asset. Rows that agree with a lot in date and quantity are its; then those that agree with a whole sale; what is
left of both sides is put in line, the earliest acquired first, if both come to the same quantity.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

KEYS = ["account", "sold", "asset"]


@dataclass(frozen=True)
class Pairs:
    """`pieces`: slice, row, units. What no counterpart was found for: `slices` of sales, and `rows` of statements.

    Slices and rows of one account, day and asset are left over together where their quantities differ.
    """

    pieces: pl.DataFrame
    slices: pl.DataFrame
    rows: pl.DataFrame


def paired(stated: pl.DataFrame, sold: pl.DataFrame, within: int) -> Pairs:
    """Find the rows `stated` among the slices `sold`; amounts are near that are `within` so many cents.

    Both have account, sold (the day), asset, units, proceeds, acquired and held (long, short or null), and slices their
    sale and costs; they go by `row` and by `slice`.
    """
    stated = _called(stated, sold, within)
    left, found = (sold, stated), []
    for by in (_lots, _sales, _in_line):
        pieces = by(*left)
        found.append(pieces)
        left = left[0].join(pieces, on="slice", how="anti"), left[1].join(pieces, on="row", how="anti")
    return Pairs(pl.concat(found).sort("slice", "row"), *left)


def _called(stated: pl.DataFrame, sold: pl.DataFrame, within: int) -> pl.DataFrame:
    """The rows by the ledger's names of assets.

    Where the ledger sold nothing of that name, it is what was sold in the same quantity for nearly the same proceeds;
    or what that name has meant on other days of the account.
    """
    own = sold.group_by(KEYS).agg(pl.col("units", "proceeds", "costs").sum())
    theirs = stated.group_by(KEYS).agg(pl.col("units", "proceeds").sum())
    free = own.join(theirs, on=KEYS, how="anti").rename({"asset": "own"})
    strange = theirs.join(own, on=KEYS, how="anti")
    off = pl.col("proceeds") - pl.col("proceeds_right")
    near = strange.join(free, on=["account", "sold", "units"]).with_columns(
        off=pl.min_horizontal(off.abs(), (off - pl.col("costs")).abs())
    )
    near = near.filter(pl.col("off") <= within).sort("off", *KEYS, "own")
    near = near.unique(KEYS, keep="first", maintain_order=True)
    near = near.unique(["account", "sold", "own"], keep="first", maintain_order=True).select(*KEYS, "own")
    meant = near.select("account", "asset", "own").unique()
    meant = meant.filter(pl.len().over("account", "asset") == 1)
    rest = strange.join(near, on=KEYS, how="anti").join(meant, on=["account", "asset"])
    rest = rest.join(free, on=["account", "sold", "own"], how="semi").select(*KEYS, "own")
    names = pl.concat([near, rest])
    called = stated.join(names, on=KEYS, how="left", maintain_order="left")
    return called.with_columns(asset=pl.coalesce("own", "asset")).drop("own")


def _lots(sold: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Rows that are one slice: acquired on the same day, of the same quantity."""
    by = [*KEYS, "acquired", "units"]
    return _nth(sold, by).join(_nth(stated, by), on=[*by, "nth"], nulls_equal=True).select("slice", "row", "units")


def _sales(sold: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Rows that are a whole sale, of however many slices."""
    sales = sold.group_by(*KEYS, "sale").agg(pl.col("units", "proceeds").sum(), pl.col("slice").min())
    by = [*KEYS, "units"]
    found = _nth(sales, by).join(_nth(stated, by), on=[*by, "nth"]).select(*KEYS, "sale", "row")
    return sold.join(found, on=[*KEYS, "sale"]).select("slice", "row", "units")


def _nth(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The rows that are alike by some columns numbered, the one that brought the least first."""
    order = [name for name in ("proceeds", "slice", "row") if name in frame.columns]
    return frame.sort(order).with_columns(nth=pl.int_range(pl.len()).over(by))


def _in_line(sold: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Slices and rows side by side, cut where either ends, in groups that come to the same quantity."""
    sums = [side.group_by(KEYS).agg(pl.col("units").sum()) for side in (sold, stated)]
    alike = sums[0].join(sums[1], on=[*KEYS, "units"])
    ends = [_ends(side.join(alike, on=KEYS, how="semi"), name) for side, name in ((sold, "slice"), (stated, "row"))]
    line = pl.concat(ends, how="diagonal").sort(*KEYS, "end", maintain_order=True)
    met = line.with_columns(
        pl.col("slice", "row").backward_fill().over(KEYS),
        units=pl.col("end") - pl.col("end").shift().over(KEYS).fill_null(0),
    )
    return met.filter(pl.col("units") > 0).select("slice", "row", "units")


def _ends(side: pl.DataFrame, name: str) -> pl.DataFrame:
    """How far along the line of its group each of them reaches: long before short, the earliest acquired first."""
    rank = pl.col("held").replace_strict({"long": 0, "short": 2}, default=1, return_dtype=pl.Int8)
    line = side.with_columns(rank=rank).sort("rank", "acquired", name, nulls_last=True)
    return line.select(*KEYS, name, end=pl.col("units").cum_sum().over(KEYS))
