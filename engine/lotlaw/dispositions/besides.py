"""What statements say of sales besides dates and amounts, and rows of theirs that are no sales.

Accrued market discount is interest: it lowers a gain, as far as there is one. A loss that the statement says is not
allowed does not count. Both have their codes in `dispositions.yaml`, under `reported`; a row that has the code already
is left as it is. What rows cannot tell is told to the reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.lots.events import AMOUNT, Events, Schema, place, rare
from lotlaw.lots.moves import cents
from lotlaw.source import Problem

FACTS: Schema = {"market_discount_usd": AMOUNT, "loss_not_allowed": pl.Boolean, "qof": pl.Boolean}
TOLD: Schema = {
    "stated": pl.UInt32, "sold": pl.Date, "interest": pl.Int64, "refused": pl.Int64, "ordinary": pl.Boolean,
    "qof": pl.Boolean,
}  # fmt: skip
"""What there is to tell of a statement's row: cents of interest, and of loss that is not allowed."""
ORDINARY = "ordinary"

Said = Mapping[str, Any]


def facts() -> dict[str, pl.Expr]:
    """What a statement's row says besides: discount (cents), no_loss, and what its own codes have not dealt with."""
    uncoded = pl.col("codes").fill_null("") == ""
    return {
        "discount": cents(pl.col("market_discount_usd").fill_null(0).to_physical()),
        "no_loss": pl.col("loss_not_allowed").fill_null(value=False),
        "ordinary": uncoded & (pl.col("term") == ORDINARY).fill_null(value=False),
        "qof": uncoded & pl.col("qof").fill_null(value=False),
    }


def put_right(rows: pl.DataFrame, said: Said) -> pl.DataFrame:
    """Rows of Form 8949 with `discount` and `no_loss`, adjusted for these; adds interest and refused (cents)."""
    gain = pl.col("proceeds") - pl.col("basis").fill_null(0) + pl.col("adjustment")
    amounts = {
        "interest": ("market_discount", pl.min_horizontal(gain.clip(lower_bound=0), "discount")),
        "refused": ("loss_not_allowed", pl.when("no_loss").then((-gain).clip(lower_bound=0)).otherwise(0)),
    }
    codes = pl.col("codes").fill_null("")
    rows = rows.with_columns(
        pl.when(codes.str.contains(said[name], literal=True)).then(0).otherwise(amount).alias(column)
        for column, (name, amount) in amounts.items()
    )
    letters = (pl.when(pl.col(column) > 0).then(pl.lit(said[name])) for column, (name, _) in amounts.items())
    return rows.with_columns(
        adjustment=pl.col("adjustment") - pl.col("interest") + pl.col("refused"),
        codes=pl.concat_str("codes", *letters, ignore_nulls=True),
    )


def told_of(rows: pl.DataFrame) -> pl.DataFrame:
    """What there is to tell of rows that are put right, as TOLD."""
    sums = rows.group_by("stated", maintain_order=True).agg(
        pl.col("sold").first(), pl.col("interest", "refused").sum(), pl.col("ordinary", "qof").any()
    )
    return sums.select(pl.col(name).cast(dtype) for name, dtype in TOLD.items())


def cautions(events: Events, told: pl.DataFrame, said: Said) -> Iterator[str]:
    """What a person should do about a year's rows of statements; `told` has TOLD."""
    for column, what in {
        "interest": "of accrued market discount lower the gain (code {market_discount}), and are interest: "
        "add them to income in the taxpayer file",
        "refused": "of loss do not count (code {loss_not_allowed}), since the statement says that it is not allowed",
    }.items():
        rows = told.filter(pl.col(column) > 0)
        if rows.height:
            amount = Decimal(int(rows[column].sum())).scaleb(-2)
            yield f"{place(events.ledger, int(rows['stated'].min()))}: {amount:,} dollars {what.format(**said)}"  # type: ignore[arg-type]
    for column, what in {
        "ordinary": "the statement says that this gain or loss is ordinary, and all of it counts as capital",
        "qof": "the statement tells of a qualified opportunity fund, and no gain is put off or taken up for it",
    }.items():
        for row in told.filter(pl.col(column))["stated"].sort():
            yield f"{events.place(row)}: {what}: if that is wrong, give the row codes and adjustment"


# Aggregates


def is_aggregate(events: Events, said: Said) -> pl.Expr:
    """Whether a row sums up sales that its statement does not list."""
    subkind: str = said["aggregates"]["subkind"]
    return (rare(events.rows, "subkind") == subkind).fill_null(value=False)


def of_aggregates(
    events: Events, rows: pl.DataFrame, sold: pl.DataFrame, said: Said
) -> tuple[list[Problem], pl.DataFrame]:
    """Aggregates of sales that the ledger has none of; and of each what to say: sold (the day), text.

    `rows` have row, account, out_asset, date, tax_form and proceeds_usd.
    """
    problems: list[Problem] = []
    told: list[tuple[Any, str]] = []
    for row in rows.iter_rows(named=True):
        where, stated = events.place(row["row"]), f"{row['proceeds_usd'].normalize():,f} dollars"
        elsewhere = said["aggregates"]["elsewhere"].get(row["tax_form"])
        if elsewhere:
            told.append((row["date"], f"{where}: an aggregate is no sale; what comes of it goes to {elsewhere} first"))
            continue
        of_year = (pl.col("asset") == row["out_asset"]) & (pl.col("account") == row["account"])
        own = sold.filter(of_year & (pl.col("sold").dt.year() == row["date"].year))
        if own.is_empty():
            what = f"an aggregate of {stated} of {row['out_asset']}, and no sale of it at {row['account']} that year"
            problems.append(Problem(where, f"{what}; give the sales that it sums up"))
            continue
        computed = Decimal(int(own["proceeds"].sum())).scaleb(-2)
        if abs(computed - row["proceeds_usd"]) > said["proceeds_within"]:
            what = f"the aggregate of {stated} is {computed:,} by the ledger's own sales of {row['out_asset']}"
            told.append((row["date"], f"{where}: {what}, which count"))
    return problems, pl.DataFrame(told, schema={"sold": pl.Date, "text": pl.String}, orient="row")
