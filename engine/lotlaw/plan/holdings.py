"""`lotlaw holdings`: open lots on a day, what they are worth, what is unrealized, and when each turns long-term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.dispositions import match
from lotlaw.dispositions.rows import term_on, turns_long_on
from lotlaw.law import Year
from lotlaw.plan.given import Given, refuse_methods, year_of
from lotlaw.run import rates_of

SHORT = " (short)"
"""How the account of a position that was opened by selling ends: what it is worth is owed."""
OWED = pl.col("account").str.ends_with(SHORT)
CASH = pl.Decimal(38, 18)
NAMED = 8
"""Assets that a note calls by name at most."""
COLUMNS = (
    "asset", "asset_class", "account", "quantity", "acquired", "acquired_text", "term", "turns_long", "days_to_go",
    "basis", "price", "price_from", "value", "unrealized", "lot",
)  # fmt: skip


@dataclass(frozen=True)
class Holdings:
    """Open lots at the end of a day, with COLUMNS.

    Amounts are exact dollars, null where unknown; a position opened by selling counts below zero. `turns_long` is the
    first day on which a sale would be long-term and `days_to_go` how far off, null once it is; `price_from` a file's
    name, or `ledger` and the day of the trade that the price is from; `lot` the row of the ledger.
    """

    day: date
    year: Year
    lots: pl.DataFrame
    notes: tuple[str, ...]

    def totals(self, *by: str) -> pl.DataFrame:
        """The columns `by`, and of each of their combinations lots, basis, value, gains, losses and unrealized."""
        sums = [_sum(name).alias(name) for name in ("basis", "value", "unrealized")]
        up, down = (pl.when(side).then("unrealized") for side in (pl.col("unrealized") > 0, pl.col("unrealized") < 0))
        split = [pl.len().alias("lots"), *sums, up.sum().alias("gains"), down.sum().alias("losses")]
        order = [*by, "lots", "basis", "value", "gains", "losses", "unrealized"]
        table = self.lots.group_by(by).agg(split).sort(by) if by else self.lots.select(split)
        return table.select(order)


def _sum(name: str) -> pl.Expr:
    """A column's sum, null where an amount is unknown."""
    return pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum())


def holdings_of(given: Given, day: date) -> Holdings:
    """What is held at the end of a day. Raises Problems."""
    year = year_of(day, given.rules)
    refuse_methods(given, year)
    rates = rates_of(year, given.ledger, given.person) if given.document else None
    document = given.document
    held = match(given.ledger, year, given.person, until=day, held=True, rates=rates, document=document).holdings
    priced = held.join(given.priced(day), on="asset", how="left", maintain_order="left")
    terms = (term_on(year, given.person, day), turns_long_on(year, given.person))
    lots = priced.with_columns(*(pl.when(~OWED).then(term) for term in terms), *_signed("quantity", "basis"))
    left = (pl.col("turns_long") - pl.lit(day)).dt.total_days()
    lots = lots.with_columns(
        pl.when(left > 0).then("turns_long"), value=(pl.col("quantity") * pl.col("price")).cast(CASH)
    ).with_columns(unrealized=pl.col("value") - pl.col("basis"), days_to_go=pl.when(left > 0).then(left))
    return Holdings(day, year, lots.select(COLUMNS), tuple(_notes(lots)))


def _signed(*names: str) -> list[pl.Expr]:
    return [pl.when(OWED).then(-pl.col(name)).otherwise(name).alias(name) for name in names]


def _notes(lots: pl.DataFrame) -> list[str]:
    """What a reader has to know of the amounts: where prices come from, and what is missing."""
    dated = pl.concat_str("asset", pl.lit(" of "), pl.col("price_from").str.strip_prefix("ledger "))
    traded = lots.filter(pl.col("price_from").str.starts_with("ledger"))
    by_trade = traded.select(dated.unique().sort()).to_series().to_list()
    lacking = lots.filter(pl.col("price").is_null())["asset"].unique().sort().to_list()
    unknown = lots.filter(pl.col("basis").is_null())["asset"].unique().sort().to_list()
    said = []
    if by_trade:
        said.append(f"Priced by the last trade in the ledger: {_some(by_trade)}")
    if lacking:
        said.append(f"No price: {_some(lacking)}; give one with --prices (a line `{lacking[0]},123.45`)")
    if unknown:
        said.append(f"Basis unknown, so what is unrealized is too: {_some(unknown)}")
    return said


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def holdings_json(held: Holdings) -> dict[str, Any]:
    """What is held, for programs: amounts and quantities are decimal strings, days ISO dates, unknowns null."""
    return {
        "plan": "holdings",
        "as_of": held.day.isoformat(),
        "rules": {"year": held.year.year, "digest": held.year.digest},
        "lots": records(held.lots.drop("lot")),
        "totals": {
            "by_term": records(held.totals("term")),
            "by_asset": records(held.totals("asset")),
            "all": records(held.totals())[0],
        },
        "notes": list(held.notes),
    }


def records(table: pl.DataFrame) -> list[dict[str, Any]]:
    """A table as JSON objects."""
    return [{name: _json(value) for name, value in row.items()} for row in table.iter_rows(named=True)]


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in value.items()}
    return value
