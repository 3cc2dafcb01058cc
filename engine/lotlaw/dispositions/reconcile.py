"""Sales that stand on a statement as well as in the ledger, as rows of Form 8949: what is reported, put right.

The IRS has the statement. So column (d) is what it reports, column (e) too where it tells the basis, and what is wrong
with either goes into column (g) under a code; which does what stands in `dispositions.yaml`, under `reported`. The gain
is the ledger's in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lotlaw.lots.events import AMOUNT, decimal

TERMS = ("short", "long")
ROUNDING = 1
"""By how many cents a share of a sale may be off because it is rounded; that much more was not received."""
ROOM = 2**62
"""What weights are kept below, so that their products with amounts fit 128 bits."""

Said = Mapping[str, Any]
"""What the rules say of statements: `reported` in `dispositions.yaml`."""


def pieces_of(pairs: pl.DataFrame, sold: pl.DataFrame, stated: pl.DataFrame, said: Said) -> pl.DataFrame:
    """Where slices and a statement's rows meet: the slice's columns, the row's as `stated_...`, amounts shared out.

    `pairs` has slice, row and units. Of the result, `wash` is the part of the adjustment that is for a wash sale,
    `left_out` says whether the proceeds stated leave out the costs, `unknown` whether the ledger has no basis.
    """
    theirs = stated.select("row", pl.all().exclude("row", "units", "asset", "account", "sold").name.prefix("stated_"))
    cut = pairs.join(sold.drop("units"), on="slice").join(theirs, on="row").sort("slice", "row")
    cut = shared(cut, "slice", dict.fromkeys(("proceeds", "basis", "adjustment", "costs"), weight(cut["units"])))
    cut = cut.with_columns(wash_of(said), quantity=decimal("units").cast(AMOUNT))
    by = {"proceeds": "proceeds", "basis": "basis", "wash": "wash", "adjustment": "basis", "discount": "basis"}
    cut = shared(cut, "row", {f"stated_{name}": pl.col(own).fill_null(0).abs() for name, own in by.items()})
    cut = cut.sort("slice", "row")
    return _known(cut).with_columns(_left_out(said))


def weight(units: pl.Series) -> pl.Expr:
    """Units as numbers that are small enough to multiply amounts with."""
    digits = len(str(units.sum() or 0)) - len(str(ROOM)) + 1
    return pl.col("units") // int(10 ** max(0, digits))


def shared(pieces: pl.DataFrame, of: str | list[str], weights: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The pieces in the order of what they are pieces `of`, its amounts shared out among them by weight.

    In whole cents: what is reached at a piece's end, less what is at its start. Where nothing weighs anything, the last
    piece has it all.
    """
    pieces = pieces.sort(of, maintain_order=True)
    whose = pl.struct(of).rle_id()
    first, last = ((whose != whose.shift(step)).fill_null(value=True) for step in (1, -1))
    return pieces.with_columns(_share(name, weight, first, last) for name, weight in weights.items())


def _share(amount: str, weight: pl.Expr, first: pl.Expr, last: pl.Expr) -> pl.Expr:
    weight, money = weight.cast(pl.Int128), pl.col(amount).cast(pl.Int128)
    so_far = weight.cum_sum()
    start = pl.when(first).then(so_far - weight).forward_fill()
    end = pl.when(last).then(so_far).backward_fill()
    whole = pl.when(end > start).then(end - start)
    reached, before = (
        (2 * money * up_to + whole) // (2 * whole) for up_to in (so_far - start, so_far - weight - start)
    )
    all_or_none = pl.when(last).then(money).otherwise(0)
    return pl.when(whole.is_null()).then(all_or_none).otherwise(reached - before).cast(pl.Int64).alias(amount)


def wash_of(said: Said) -> pl.Expr:
    """The part of an adjustment that is for a wash sale."""
    washed = pl.col("codes").fill_null("").str.contains(said["wash_sale"], literal=True)
    return pl.when(washed).then("adjustment").otherwise(0).alias("wash")


def _known(cut: pl.DataFrame) -> pl.DataFrame:
    """Where the ledger does not know a lot's basis or date acquired, they are the statement's, if it gives them."""
    dated = pl.col("stated_acquired").is_not_null()
    told = pl.col("undated") & (dated | pl.col("stated_term").is_in(TERMS))
    return cut.with_columns(
        acquired=pl.when(told).then("stated_acquired").otherwise("acquired"),
        acquired_text=pl.when(told).then("stated_acquired_text").otherwise("acquired_text"),
        held=pl.when("undated").then("stated_held").otherwise("held"),
        term=pl.when(told & ~dated).then("stated_term").otherwise("term"),
        undated=pl.col("undated") & ~told,
        unknown=pl.col("basis").is_null(),
        basis=pl.coalesce("basis", "stated_basis"),
    )


def _left_out(said: Said) -> pl.Expr:
    """Whether a row's proceeds are nearer to the ledger's before costs than after, and are not said to be net."""
    stated, own, costs = (pl.col(name).sum().over("row") for name in ("stated_proceeds", "proceeds", "costs"))
    off = (stated - own - costs).abs()
    net = pl.col("stated_net").fill_null(value=False)
    return ((off <= within(said)) & (off < (stated - own).abs()) & ~net).alias("left_out")


def within(said: Said) -> int:
    """By how many cents proceeds may differ."""
    return int(said["proceeds_within"] * 100)


def wrong_term() -> pl.Expr:
    """Whether the statement says another term than the dates do."""
    known = pl.col("held").is_in(TERMS) & pl.col("stated_term").is_in(TERMS)
    return known & (pl.col("held") != pl.col("stated_term"))


def as_rows(cut: pl.DataFrame, said: Said) -> pl.DataFrame:
    """The pieces as rows of Form 8949, with `stated` the statement's row."""
    reported = pl.col("stated_words").is_in(said["as_reported"]) & pl.col("stated_basis").is_not_null()
    basis = pl.when(reported).then("stated_basis").otherwise("basis")
    short = pl.col("proceeds").sum().over("row") - pl.col("stated_proceeds").sum().over("row") > ROUNDING
    proceeds = pl.when(short).then("proceeds").otherwise("stated_proceeds")
    costs = pl.when("left_out").then(pl.col("proceeds") - proceeds).otherwise(0)
    coded = {
        "wrong_basis": pl.col("stated_basis") != pl.col("basis"), "costs_left_out": costs != 0,
        "wrong_term": wrong_term(), "wash_sale": pl.col("stated_wash") != 0,
    }  # fmt: skip
    letters = (pl.when(is_so.fill_null(value=False)).then(pl.lit(said[name])) for name, is_so in coded.items())
    return cut.with_columns(
        proceeds=proceeds, basis=basis, codes=pl.concat_str("codes", "stated_codes", *letters, ignore_nulls=True),
        adjustment=pl.col("adjustment") + pl.col("stated_adjustment") + basis - pl.col("basis") + costs,
        form_1099="stated_words", stated="row",
        **{name: f"stated_{name}" for name in ("discount", "no_loss", "ordinary", "qof")},
    )  # fmt: skip
