"""What statements say of sales beside what was computed: one table, and the warnings that it gives cause for."""

from __future__ import annotations

import polars as pl

from lotlaw.dispositions.reconcile import Said, wash_of, within, wrong_term
from lotlaw.dispositions.statements import KEYS, Pairs
from lotlaw.lots.events import AMOUNT, Schema, cast, decimal

COMPARED: Schema = {
    "account": pl.String, "asset": pl.String, "sold": pl.Date, "differs": pl.List(pl.String),
    "stated_quantity": AMOUNT, "stated_proceeds": pl.Int64, "stated_basis": pl.Int64, "stated_term": pl.String,
    "stated_wash": pl.Int64, "quantity": AMOUNT, "proceeds": pl.Int64, "basis": pl.Int64, "term": pl.String,
    "wash": pl.Int64, "rows": pl.List(pl.UInt32), "sales": pl.List(pl.UInt32),
}  # fmt: skip
"""Sales on statements beside the ledger's own: amounts in cents, null where unknown, and all of a side that is missing.

`differs` names what does not agree (DIFFERENCES); `rows` are the statement's and `sales` the ledger's, as rows of it.
"""

QUANTITY, UNSOLD, UNSTATED = "quantity", "not_in_ledger", "not_on_statement"
DIFFERENCES = {
    QUANTITY: "the quantity", "proceeds": "the proceeds", "costs": "costs that the statement leaves out",
    "basis": "the basis", "term": "the term", "wash_sale": "the loss of a wash sale",
    UNSOLD: "not in the ledger", UNSTATED: "not on the statement",
}  # fmt: skip


def compared(cut: pl.DataFrame, pairs: Pairs, said: Said) -> pl.DataFrame:
    """Every sale on a statement beside the ledger's, and the ledger's others of accounts and years with statements."""
    parts = [_paired(cut, said), _unpaired(pairs, said)]
    every = pl.concat([cast(part, COMPARED) for part in parts])
    return every.sort("sold", "account", "asset", pl.col("rows").list.first(), nulls_last=True, maintain_order=True)


def _paired(cut: pl.DataFrame, said: Said) -> pl.DataFrame:
    sums = cut.group_by("row", maintain_order=True).agg(
        pl.col(*KEYS, "left_out", "stated_term").first(),
        wrong_term().any().alias("wrong_term"),
        _sum("stated_basis"),
        pl.when(~pl.col("unknown").any()).then(pl.col("basis").sum()).alias("basis"),
        _terms("held").alias("term"),
        pl.col("stated_proceeds", "stated_wash", "quantity", "proceeds", "wash").sum(),
        pl.col("sale").unique().sort().alias("sales"),
    )
    off = (pl.col("stated_proceeds") - pl.col("proceeds")).abs() > within(said)
    tests = {
        "proceeds": off & ~pl.col("left_out"), "costs": pl.col("left_out"), "term": pl.col("wrong_term"),
        "basis": pl.col("stated_basis").is_not_null() & pl.col("stated_basis").ne_missing(pl.col("basis")),
        "wash_sale": pl.col("stated_wash") != pl.col("wash"),
    }  # fmt: skip
    found = [pl.when(tests[name]).then(pl.lit(name)) for name in DIFFERENCES if name in tests]
    return sums.with_columns(
        differs=pl.concat_list(found).list.drop_nulls(), stated_quantity="quantity", rows=pl.concat_list("row")
    )


def _unpaired(pairs: Pairs, said: Said) -> pl.DataFrame:
    """What is left over on either side, or on both."""
    theirs = pairs.rows.group_by(KEYS, maintain_order=True).agg(
        pl.col("units").sum().alias("stated_quantity"),
        pl.col("proceeds", "wash").sum().name.prefix("stated_"),
        _sum("basis").alias("stated_basis"),
        _terms("term").alias("stated_term"),
        pl.col("row").sort().alias("rows"),
    )
    slices = pairs.slices.with_columns(wash_of(said))
    own = slices.group_by(KEYS, maintain_order=True).agg(
        pl.col("units").sum().alias("quantity"), pl.col("proceeds", "wash").sum(), _sum("basis"),
        _terms("held").alias("term"), pl.col("sale").unique().sort().alias("sales"), pl.col("principal").any(),
    )  # fmt: skip
    both = theirs.join(own, on=KEYS, how="full", coalesce=True, maintain_order="left_right")
    both = both.filter(pl.col("rows").is_not_null() | pl.col("principal")).with_columns(
        decimal(name).cast(AMOUNT) for name in ("stated_quantity", "quantity")
    )
    missing = (
        pl.when(pl.col("sales").is_null()).then(pl.lit(UNSOLD)).when(pl.col("rows").is_null()).then(pl.lit(UNSTATED))
    )
    return both.with_columns(differs=pl.concat_list(missing.otherwise(pl.lit(QUANTITY))))


def _sum(name: str) -> pl.Expr:
    """A sum that is unknown if a part of it is."""
    return pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)


def _terms(name: str) -> pl.Expr:
    return pl.col(name).drop_nulls().unique().sort().str.join(" and ").replace("", None)
