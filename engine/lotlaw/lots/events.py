"""Ledger rows as events: dollars and units as whole numbers, which legs are lots, and what cannot be read.

Whole numbers are `Int128` columns at the ledger's own 18 decimals (the physical values of a `Decimal` column).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.lots.treatment import Treatment
from lotlaw.source import Place, Problem

if TYPE_CHECKING:
    from lotlaw.ledger import Ledger

PLACES = 18
NEVER = 2**32 - 1
"""No row of any ledger."""
DOLLAR = "USD"
APART = "␟"
"""Stands between a name (of an asset, an account) and its owner's number, where a ledger is of several taxpayers."""
AMOUNT = pl.Decimal(38, PLACES)
WHOLE = pl.Int128

Schema = dict[str, pl.DataType | type[pl.DataType]]

COLUMNS: Schema = {
    "kind": pl.String, "account": pl.String, "to_account": pl.String, "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"), "out_asset": pl.String, "out_qty": AMOUNT, "in_asset": pl.String,
    "in_qty": AMOUNT, "fee_asset": pl.String, "fee_qty": AMOUNT, "usd_value": AMOUNT, "fee_usd": AMOUNT,
    "basis_usd": AMOUNT, "acquired_date": pl.String, "group_id": pl.String, "tx_hash": pl.String, "lot": pl.String,
    "external_id": pl.String, "income_type": pl.String, "form_1099": pl.String,
    "settle_date": pl.Date, "identified_at": pl.String, "told_broker": pl.Boolean,
}  # fmt: skip
RARE: Schema = {
    "subkind": pl.String, "ref_asset": pl.String, "ref_qty": AMOUNT, "donor_basis_usd": AMOUNT,
    "donor_acquired_date": pl.Date, "fmv_usd": AMOUNT, "gift_tax_usd": AMOUNT, "ratio_new": AMOUNT, "ratio_old": AMOUNT,
    "basis_fraction": AMOUNT, "boot_usd": AMOUNT, "taxable": pl.String,
}  # fmt: skip
"""Columns that only rare kinds need; rows have those of them that the ledger has."""
GIVEN_AMOUNTS = {
    "fair_value": "fmv_usd",
    "donor_basis": "donor_basis_usd",
    "gift_tax": "gift_tax_usd",
    "boot": "boot_usd",
}
NOTHING_IF_EMPTY = ("gift_tax", "boot")
FEES: Schema = {
    "row": pl.UInt32, "asset": pl.String, "account": pl.String, "units": WHOLE, "value": WHOLE, "after": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True)
class Events:
    """The rows of a ledger that count.

    `rows` has COLUMNS, those of RARE that the ledger has, and `row` (its index in the ledger); `value`, `fee` and
    `basis` (dollars, null where unknown); `out_units` and `in_units` (null where that leg is money or absent); and,
    only where fees were paid in units, `joined` and `joined_value` (units sold together with the rest), `withheld` and
    `withheld_value` (units out of what was received). `fees` has fee units sold by themselves, `at_value` those that
    leave at fair value on both sides; both have FEES, where `after` says that they leave after the rest of their row
    has happened.
    """

    ledger: Ledger
    treatment: Treatment
    rows: pl.DataFrame
    fees: pl.DataFrame
    at_value: pl.DataFrame

    def place(self, row: int) -> Place:
        """Where a row stands in its file."""
        return place(self.ledger, row)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds that rows are of."""
        return frozenset(self.rows["kind"].unique())

    def of_fees(self, name: str) -> pl.Expr:
        """A column that only rows with fees paid in units have; 0 without."""
        return pl.col(name) if name in self.rows.columns else pl.lit(0, WHOLE)


def owner(name: str | None) -> str:
    """Whose an asset or account is; nobody's by name where a ledger is of one taxpayer."""
    return (name or "").partition(APART)[2]


def own_name(column: str) -> pl.Expr:
    """What the owner of an asset or account calls it."""
    return pl.col(column).str.split_exact(APART, 1).struct.field("field_0")


def rare(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A column of RARE, null where the ledger has none of that name."""
    return pl.col(name) if name in rows.columns else pl.lit(None, (COLUMNS | RARE)[name]).alias(name)


def first_rows(events: Events, day: date | None) -> dict[str, int]:
    """By owner, the first row of the ledger on or after a day."""
    rows = events.rows
    later = rows.clear() if day is None else rows.filter(pl.col("date") >= day)
    if later.is_empty() or not owner(later["account"].drop_nulls().first()):  # type: ignore[arg-type]
        return {"": int(later["row"][0])} if later.height else {}
    firsts = later.group_by(
        pl.coalesce("account", "out_asset", "in_asset", rare(later, "ref_asset")).alias("whose")
    ).agg(pl.col("row").min())
    found: dict[str, int] = {}
    for whose, row in firsts.iter_rows():
        found[owner(whose)] = min(row, found.get(owner(whose), NEVER))
    return found


def said_dollars(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Dollars that a formula of a kind reads by name, as whole numbers, null where the row does not give them."""
    if name not in GIVEN_AMOUNTS:
        return pl.col(name)
    given = rare(rows, GIVEN_AMOUNTS[name]).to_physical().cast(WHOLE)
    if name in NOTHING_IF_EMPTY:
        return given.fill_null(0)
    return pl.coalesce(given, "value") if name == "fair_value" else given


def cast(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The columns of a schema, in its order and types."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def place(ledger: Ledger, row: int) -> Place:
    """Where a row of the ledger stands in its file."""
    file, line = ledger.rows.slice(row, 1).select("file", "line").row(0)
    return Place(ledger.files[file].name, line)


def column(rows: pl.DataFrame, name: str, dtype: pl.DataType | type[pl.DataType] | None = None) -> pl.Expr:
    """A column of the ledger in its type, null where the ledger has none of that name."""
    wanted = dtype or (COLUMNS | RARE)[name]
    found = pl.col(name) if name in rows.columns else pl.lit(None)
    return (found if rows.schema.get(name) == wanted else found.cast(wanted)).alias(name)


def of_rows(ledger: Ledger, name: str, rows: pl.Series) -> pl.Series:
    """A column of the ledger for some of its rows, null where the ledger has none of that name."""
    if name not in ledger.rows.columns:
        return pl.Series(name, [None], COLUMNS[name]).new_from_index(0, len(rows))
    return ledger.rows.select(column(ledger.rows, name)).to_series().gather(rows)


def acquired_day() -> pl.Expr:
    """The date acquired that a row gives, null where it gives a word or nothing."""
    return pl.col("acquired_date").str.to_date("%Y-%m-%d", strict=False)


def words_of(events: Events, rows: pl.Series) -> pl.Series:
    """The words that rows, or their kinds, give in place of a date acquired."""
    given = of_rows(events.ledger, "acquired_date", rows).to_frame()
    words = {name: kind.opens.word for name, kind in events.treatment.kinds.items() if kind.opens and kind.opens.word}
    kinds = events.ledger.rows["kind"]
    if words and kinds.is_in(list(words)).any():
        by_kind = kinds.gather(rows).replace_strict(words, default=None, return_dtype=pl.String)
        given = given.select(pl.coalesce("acquired_date", pl.lit(by_kind)))
    return given.select(pl.when(acquired_day().is_null()).then("acquired_date")).to_series()


def class_of(ledger: Ledger, asset: str = "asset") -> pl.Expr:
    """The class of each asset by the ledger."""
    names, classes = ledger.classed
    return pl.col(asset).replace_strict(names, classes, default=None, return_dtype=pl.String)


def decimal(name: str, places: int = PLACES) -> pl.Expr:
    """Whole numbers at so many decimals as an exact decimal column."""
    return pl.col(name).cast(WHOLE).reinterpret(dtype=pl.Decimal(38, places))


def said_amount(name: str) -> pl.Expr:
    """Whole numbers at the ledger's decimals as a reader writes them, without trailing zeros."""
    return decimal(name).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def is_kind(kinds: list[str]) -> pl.Expr:
    """Whether a row is of one of these kinds."""
    return pl.col("kind") == kinds[0] if len(kinds) == 1 else pl.col("kind").is_in(kinds)


def unsupported(ledger: Ledger, rows: pl.DataFrame, treatment: Treatment) -> Iterator[Problem]:
    """The kinds that the rules do not list, each at its first row."""
    known = list(treatment.kinds)
    unknown = rows.filter(~pl.col("kind").is_in(known)).group_by("kind").agg(pl.col("row").min(), n=pl.len())
    for kind, row, n in unknown.sort("row").iter_rows():
        many = f" (here and in {n - 1} more rows)" if n > 1 else ""
        yield Problem(place(ledger, row), f"{kind} is not supported yet{many}; the kinds that are: {', '.join(known)}")


def unclassed(events: Events, steps: pl.DataFrame, assets: pl.Series) -> Iterator[Problem]:
    """Of the assets that moves are about, those that have no class, or one that the rules do not list."""
    known, classes = events.treatment.classes, events.ledger.classes
    if classes.keys() >= set(assets.to_list()) and known.keys() >= set(classes.values()):
        return
    lacking = [asset for asset in assets.to_list() if classes.get(asset) not in known]
    first = steps.filter(pl.col("asset").is_in(lacking)).group_by("asset").agg(pl.col("row").min()).sort("row")
    for asset, row in first.iter_rows():
        said = classes.get(asset)
        what = f"has the asset class '{said}', which is none of" if said else "needs an asset_class, one of"
        yield Problem(events.place(row), f"{asset} {what} {', '.join(known)}")


def money_of(ledger: Ledger, treatment: Treatment) -> frozenset[str]:
    """The assets that are money and have no lots."""
    without_lots = {name for name, said in treatment.classes.items() if said.get("lots") is False}
    return frozenset({DOLLAR, *(asset for asset, name in ledger.classes.items() if name in without_lots)})


def treated(rows: pl.DataFrame, treatment: Treatment) -> pl.DataFrame:
    """Rows with the kind that each is treated as, by what another column says."""
    there = set(rows["kind"].unique())
    for name, kind in treatment.kinds.items():
        for by, words in kind.treated_as.items() if name in there else ():
            said = column(rows, by).replace_strict(words, default=None, return_dtype=pl.String)
            other = pl.when(pl.col("kind") == name).then(said)
            rows = rows.with_columns(kind=pl.coalesce(other, "kind"))
    return rows


def with_amounts(rows: pl.DataFrame, money: frozenset[str]) -> pl.DataFrame:
    """Add value, fee, basis, out_units and in_units."""
    value, fee = pl.col("usd_value"), pl.col("fee_usd")
    if rows["usd_value"].null_count():
        for leg in ("in", "out"):
            value = value.fill_null(pl.when(pl.col(f"{leg}_asset") == DOLLAR).then(pl.col(f"{leg}_qty")))
    if rows["fee_asset"].null_count() < rows.height:
        fee = fee.fill_null(pl.when(pl.col("fee_asset") == DOLLAR).then(pl.col("fee_qty")))
    return rows.with_columns(
        value.to_physical().alias("value"),
        fee.to_physical().alias("fee"),
        pl.col("basis_usd").to_physical().alias("basis"),
        *(_units(leg, money) for leg in ("out", "in")),
    )


def _units(leg: str, money: frozenset[str]) -> pl.Expr:
    has_lots = ~pl.col(f"{leg}_asset").is_in(sorted(money))
    return pl.when(has_lots).then(pl.col(f"{leg}_qty").to_physical()).alias(f"{leg}_units")
