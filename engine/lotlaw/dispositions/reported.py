"""Sales that others worked out: closed lots, which go to Form 8949 as they stand, and a broker's own list of sales.

A broker's list is there to compare with. A sale on it becomes a row only if the ledger has no sale of its own that it could be: of the
same account and day, and of the same asset or of as many units for nearly the same proceeds (lists name assets in their own way).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lotlaw.lots.events import AMOUNT, Events, acquired_day, class_of
from lotlaw.lots.moves import cents
from lotlaw.source import Problem

AS_IT_STANDS, UNLESS_COMPUTED = "as_it_stands", "unless_computed"
FACTS = {
    "proceeds_usd": AMOUNT, "adjustment_usd": AMOUNT, "wash_disallowed_usd": AMOUNT, "codes": pl.String, "term": pl.String,
    "tax_form": pl.String, "basis_reported": pl.Boolean, "asset_class": pl.String,
}  # fmt: skip
TERMS = ("short", "long")


@dataclass(frozen=True)
class Reported:
    """`rows`: as `lotlaw.dispositions.rows.form_rows` takes them."""

    rows: pl.DataFrame
    warnings: list[str]
    problems: list[Problem]


def reported(events: Events, shown: pl.Expr, computed: Callable[[], pl.DataFrame]) -> Reported:
    """The rows that others worked out, of the rows `shown`. `computed` gives the ledger's own sales, if they are needed: account, date,
    asset, units, proceeds in cents.
    """
    kinds = {word: [k.name for k in events.treatment.kinds.values() if k.row == word] for word in (AS_IT_STANDS, UNLESS_COMPUTED)}
    rows = events.rows.filter(pl.col("kind").is_in([name for names in kinds.values() for name in names]) & shown)
    if rows.is_empty():
        return Reported(_row_frame(events, rows, stated=False), [], [])
    rows = _with_facts(events, rows)
    stated = rows.filter(pl.col("kind").is_in(kinds[UNLESS_COMPUTED]))
    alone = _unmatched(events, stated, computed()) if stated.height else stated
    closed = rows.filter(pl.col("kind").is_in(kinds[AS_IT_STANDS]))
    made = pl.concat([_row_frame(events, closed, stated=False), _row_frame(events, alone, stated=True)])
    return Reported(made, list(_warnings(events, stated, alone)), list(_problems(events, pl.concat([closed, alone]))))


def _with_facts(events: Events, rows: pl.DataFrame) -> pl.DataFrame:
    """Add what only these rows have, from the ledger."""
    ledger = events.ledger.rows
    picked = ledger[rows["row"]]
    facts = picked.select(
        (pl.col(name) if name in ledger.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in FACTS.items()
    )
    return pl.concat([rows, facts], how="horizontal")


def _unmatched(events: Events, stated: pl.DataFrame, computed: pl.DataFrame) -> pl.DataFrame:
    within = int(events.treatment.said["reported"]["proceeds_within"] * 100)
    stated = stated.with_columns(stated_cents=cents(pl.col("proceeds_usd").to_physical()).cast(pl.Int64))
    own = computed.select("account", "date", out_asset="asset", out_units="units", proceeds="proceeds")
    left = stated.join(own, on=["account", "date", "out_asset"], how="anti")
    near = left.join(own.drop("out_asset"), on=["account", "date", "out_units"], how="inner")
    same = near.filter((pl.col("proceeds") - pl.col("stated_cents")).abs() <= within)
    return left.join(same, on="row", how="anti").drop("stated_cents")


def _row_frame(events: Events, rows: pl.DataFrame, *, stated: bool) -> pl.DataFrame:
    """Rows as Form 8949 takes them. A statement's wash sales and box are in its own words."""
    if "tax_form" not in rows.columns:
        rows = _with_facts(events, rows)
    said = events.treatment.said["reported"]
    washed = pl.col("wash_disallowed_usd").fill_null(0).to_physical() if stated else pl.lit(0, pl.Int128)
    adjustment = pl.col("adjustment_usd").fill_null(0).to_physical() + washed
    codes = pl.when(washed > 0).then(pl.lit(said["wash_sale"])) if stated else pl.lit(None, pl.String)
    box = _box(said) if stated else pl.lit(None, pl.String)
    known = pl.col("term").is_in(TERMS)
    return rows.select(
        pl.col("row").alias("sale"), pl.lit(None, pl.UInt32).alias("lot"), pl.col("out_asset").alias("asset"),
        pl.coalesce("asset_class", class_of(events.ledger, "out_asset")).alias("asset_class"), "account",
        pl.col("out_asset").alias("description"), pl.col("out_qty").alias("quantity"), acquired_day().alias("acquired"),
        pl.when(acquired_day().is_null()).then("acquired_date").alias("acquired_text"), pl.col("date").alias("sold"),
        cents(pl.col("proceeds_usd").to_physical()).cast(pl.Int64).alias("proceeds"),
        cents(pl.col("basis_usd").to_physical()).cast(pl.Int64).alias("basis"),
        cents(adjustment).cast(pl.Int64).alias("adjustment"), pl.coalesce("codes", codes).alias("codes"),
        pl.when(known).then("term").alias("term"), pl.coalesce("form_1099", box).alias("form_1099"),
    )  # fmt: skip


def _box(said: Mapping[str, Any]) -> pl.Expr:
    """What a statement reports, in the words of the boxes."""
    forms = {form: words for form, words in said.items() if isinstance(words, dict) and "basis_reported" in words}
    shown, not_shown = (
        pl.col("tax_form").replace_strict({f: words[key] for f, words in forms.items()}, default=None, return_dtype=pl.String)
        for key in ("basis_reported", "basis_not_reported")
    )
    return pl.when(pl.col("basis_reported").fill_null(value=False)).then(shown).otherwise(not_shown)


def _warnings(events: Events, stated: pl.DataFrame, alone: pl.DataFrame) -> Iterator[str]:
    matched = stated.height - alone.height
    if matched:
        first = stated.join(alone.select("row"), on="row", how="anti")["row"][0]
        yield f"{events.place(first)}: the ledger's own sales count, not the {matched} that a statement lists from here on"
    if alone.height:
        what = f"{alone.height} sales on a statement are" if alone.height > 1 else "a sale on a statement is"
        yield f"{events.place(alone['row'][0])}: {what} in the ledger nowhere else; taken as stated, with the dates and basis given there"


def _problems(events: Events, rows: pl.DataFrame) -> Iterator[Problem]:
    for name, said in (("proceeds_usd", "proceeds"), ("basis_usd", "basis")):
        for row, asset in rows.filter(pl.col(name).is_null()).select("row", "out_asset").iter_rows():
            yield Problem(events.place(row), f"the {said} of this sale of {asset} is not given; unknown is not zero")
