"""Sales that others worked out: closed lots, which go to Form 8949 as they stand, and a broker's own list of sales.

A broker's list is there to compare with. A sale on it becomes a row only if the ledger has no sale of its own that it
could be: of the same account and day, and of the same asset or, since lists name assets in their own way, of as many
units for nearly the same proceeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lotlaw.lots.events import AMOUNT, WHOLE, Events, Schema, acquired_day, class_of, column, is_kind
from lotlaw.lots.moves import cents, too_large
from lotlaw.source import Problem

AS_IT_STANDS, UNLESS_COMPUTED = "as_it_stands", "unless_computed"
FACTS: Schema = {
    "proceeds_usd": AMOUNT, "adjustment_usd": AMOUNT, "wash_disallowed_usd": AMOUNT, "codes": pl.String,
    "term": pl.String, "tax_form": pl.String, "basis_reported": pl.Boolean, "collectible": pl.Boolean,
    "asset_class": pl.String,
}  # fmt: skip
AMOUNTS = ("proceeds_usd", "basis_usd", "adjustment_usd", "wash_disallowed_usd")
TERMS = ("short", "long")
SOLD = (
    "sale", "lot", "asset", "asset_class", "account", "description", "quantity", "acquired", "acquired_text", "sold",
    "proceeds", "basis", "adjustment", "codes", "term", "form_1099",
)  # fmt: skip


@dataclass(frozen=True)
class Reported:
    """`rows`: as `lotlaw.dispositions.rows.form_rows` takes them."""

    rows: pl.DataFrame
    warnings: list[str]
    problems: list[Problem]


def reported(events: Events, shown: pl.Expr, computed: Callable[[], pl.DataFrame]) -> Reported:
    """The rows that others worked out, of the rows `shown`.

    `computed` gives the ledger's own sales, if they are needed: account, date, asset, units, proceeds in cents.
    """
    that = events.treatment.that
    listed = is_kind([*that(row=AS_IT_STANDS), *that(row=UNLESS_COMPUTED)])
    rows = _with_facts(events, events.rows.filter(listed & shown))
    large = list(too_large(events, rows, AMOUNTS))
    rows = rows.clear() if large else rows
    closed = rows.filter(is_kind(that(row=AS_IT_STANDS)))
    stated = rows.filter(is_kind(that(row=UNLESS_COMPUTED)))
    alone = _unmatched(events, stated, computed()) if stated.height else stated
    made = pl.concat([_as_rows(events, closed, stated=False), _as_rows(events, alone, stated=True)])
    problems = [*large, *_problems(events, pl.concat([closed, alone]))]
    return Reported(made, list(_warnings(events, stated, alone)), problems)


def _with_facts(events: Events, rows: pl.DataFrame) -> pl.DataFrame:
    """Add what only these rows have, from the ledger."""
    there = events.ledger.rows[rows["row"]]
    return rows.with_columns(there.select("line", *(column(there, *fact) for fact in FACTS.items())).drop("line"))


def _unmatched(events: Events, stated: pl.DataFrame, computed: pl.DataFrame) -> pl.DataFrame:
    """Sales on a statement that no sale of the ledger can be."""
    within = int(events.treatment.said["reported"]["proceeds_within"] * 100)
    own = computed.select("account", "date", "proceeds", out_asset="asset", out_units="units")
    left = stated.join(own, on=["account", "date", "out_asset"], how="anti", maintain_order="left")
    near = left.join(own.drop("out_asset"), on=["account", "date", "out_units"])
    same = near.filter((pl.col("proceeds") - cents(pl.col("proceeds_usd").to_physical())).abs() <= within)
    return left.join(same, on="row", how="anti", maintain_order="left")


def _as_rows(events: Events, rows: pl.DataFrame, *, stated: bool) -> pl.DataFrame:
    """Rows as Form 8949 takes them; a statement's wash sales and what it reports are in its own words."""
    said = events.treatment.said["reported"]
    washed = pl.col("wash_disallowed_usd").fill_null(0).to_physical() if stated else pl.lit(0, WHOLE)
    code = pl.when(washed > 0).then(pl.lit(said["wash_sale"])) if stated else pl.lit(None, pl.String)
    mark = pl.when(pl.col("collectible").fill_null(value=False)).then(pl.lit("".join(events.treatment.marks[:1])))
    words = _words(said) if stated else pl.lit(None, pl.String)
    made = pl.col("out_qty").is_not_null() if stated else pl.lit(value=False)
    return rows.select(
        "account", sale="row", lot=pl.lit(None, pl.UInt32), asset="out_asset", sold="date",
        description=pl.when(~made).then("out_asset"),
        asset_class=pl.coalesce("asset_class", class_of(events.ledger, "out_asset")), quantity="out_qty",
        acquired=acquired_day(), acquired_text=pl.when(acquired_day().is_null()).then("acquired_date"),
        proceeds=cents(pl.col("proceeds_usd").to_physical()), basis=cents(pl.col("basis_usd").to_physical()),
        adjustment=cents(pl.col("adjustment_usd").fill_null(0).to_physical() + washed),
        codes=pl.concat_str(pl.coalesce("codes", code), mark, ignore_nulls=True),
        term=pl.when(pl.col("term").is_in(TERMS)).then("term"), form_1099=pl.coalesce("form_1099", words),
    ).select(SOLD)  # fmt: skip


def _words(said: Mapping[str, Any]) -> pl.Expr:
    """What a statement reports, in the words of the boxes."""
    forms = {form: words for form, words in said.items() if isinstance(words, Mapping) and "basis_reported" in words}
    shown, not_shown = (
        pl.col("tax_form").replace_strict(
            {form: words[key] for form, words in forms.items()}, default=None, return_dtype=pl.String
        )
        for key in ("basis_reported", "basis_not_reported")
    )
    return pl.when(pl.col("basis_reported").fill_null(value=False)).then(shown).otherwise(not_shown)


def _warnings(events: Events, stated: pl.DataFrame, alone: pl.DataFrame) -> Iterator[str]:
    matched = stated.join(alone, on="row", how="anti", maintain_order="left")
    if matched.height:
        said = f"{_sales(matched.height)} the ledger's own, which count as they were worked out"
        yield f"{events.place(matched['row'][0])}: {said}"
    if alone.height:
        said = f"{_sales(alone.height)} nowhere else in these files, and taken as stated"
        yield f"{events.place(alone['row'][0])}: {said}"


def _sales(n: int) -> str:
    return "1 sale listed from here on is" if n == 1 else f"{n} sales listed from here on are"


def _problems(events: Events, rows: pl.DataFrame) -> Iterator[Problem]:
    for name, said in (("proceeds_usd", "proceeds"), ("basis_usd", "basis")):
        for row, asset in rows.filter(pl.col(name).is_null()).select("row", "out_asset").iter_rows():
            yield Problem(events.place(row), f"this sale of {asset} has no {said}; unknown is not zero, so give it")
