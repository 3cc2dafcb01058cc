"""Which of the lots held may be sold: priced, of known basis, where sales are taxed, worth more than a sale costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.law import spellings
from lotlaw.ledger import Ledger
from lotlaw.lots.book import AVERAGE, ORDERS
from lotlaw.lots.events import column
from lotlaw.lots.treatment import Treatment
from lotlaw.plan.holdings import Holdings
from lotlaw.plan.sales import rounded
from lotlaw.taxpayer import Taxpayer

SENT = " (sent)"
SPOUSE = "spouse"
MADE = "lot-"
"""How ids begin that are made for lots without one."""
PENNY = Decimal("0.01")


@dataclass(frozen=True)
class Costs:
    """What a sale costs: dollars each, and a share of what it brings; and what it has to bring at least."""

    fee: Decimal = Decimal(0)
    rate: Decimal = Decimal(0)
    least: Decimal = Decimal(0)

    def of(self, amount: Decimal) -> Decimal:
        """The fee of a sale that brings so much before it."""
        return self.fee + rounded(amount * self.rate) if self.rate else self.fee


def sellable(held: Holdings, law: Treatment, person: Taxpayer, costs: Costs) -> pl.DataFrame:
    """The lots that may be sold, one a row.

    Columns: asset, asset_class, account, lot (row of the ledger), quantity, basis, unrealized, price, price_from,
    acquired, turns_long, whole (sold by whole units), pieces. Pieces of one purchase at one place, which no id tells
    apart, are one row.
    """
    joint = person["filing_status"] in law.said["accounts"]["spouse_on"]
    others = [name for name, said in person["accounts"].items() if said.get("owner") == SPOUSE and not joint]
    away = [*law.untaxed(person["accounts"]), *others]
    here = ~pl.col("account").is_in(away) & ~pl.col("account").str.contains(r" \((sent|short)\)$")
    known = pl.col("basis").is_not_null() & (pl.col("price") > 0) & (pl.col("quantity") > 0)
    worth = (pl.col("value") >= max(costs.least, PENNY)) & (pl.col("value") * (1 - costs.rate) > costs.fee)
    units = [name for name, said in law.classes.items() if said.get("unit")]
    return (
        held.lots.filter(here & known)
        .group_by("asset", "asset_class", "account", "lot", maintain_order=True)
        .agg(
            pl.col("quantity", "basis", "value", "unrealized").sum(),
            pl.col("price", "price_from", "acquired", "turns_long", "term").first(),
            pieces=pl.len(),
        )
        .filter(worth)
        .with_columns(whole=pl.col("asset_class").is_in(units) & (pl.col("quantity") == pl.col("quantity").floor()))
    )


def step_of(lot: Mapping[str, Any]) -> Decimal:
    """The smallest part of a lot that is sold: one of what comes whole, else the power of ten worth up to a dollar."""
    price = lot["price"]
    if lot["whole"] or price <= 1:
        return Decimal(1)
    digits = price.adjusted()
    return Decimal(1).scaleb(-(digits + (price > Decimal(1).scaleb(digits))))


def ids_of(ledger: Ledger, law: Treatment, person: Taxpayer, lots: pl.DataFrame) -> list[str | None]:
    """By lot, the id that a sale may name it by: its own, or one made for it; None where no lots of it can be named."""
    opening = [name for name, kind in law.kinds.items() if kind.opens]
    rows = ledger.rows.select(
        column(ledger.rows, "external_id"), column(ledger.rows, "in_asset"), pl.col("kind").cast(pl.String)
    ).with_row_index("lot")
    opened = rows.filter(pl.col("kind").is_in(opening))
    own = pl.when(pl.len().over("external_id", "in_asset") == 1).then("external_id")
    opened = opened.with_columns(own=pl.when(~pl.col("external_id").str.contains(r"[\s:]")).then(own))
    made = pl.format(_unlike(rows["external_id"]) + "{}", pl.col("lot") + 1)
    told = lots.select("lot", "asset", "asset_class", "account").join(
        opened.select("lot", "own", in_asset="in_asset"), on="lot", how="left", maintain_order="left"
    )
    can = (pl.col("in_asset") == pl.col("asset")).fill_null(value=False) & ~_averaged(law, person)
    named = told.with_columns(id=pl.coalesce("own", made), can=can.all().over("asset"))
    return named.select(pl.when("can").then("id")).to_series().to_list()


def _unlike(ids: pl.Series) -> str:
    """How an id begins that no row has."""
    begins = MADE
    while ids.str.starts_with(begins).any():
        begins += "-"
    return begins


def _averaged(law: Treatment, person: Taxpayer) -> pl.Expr:
    """Whether a lot may be kept at average cost, where none is sold by name."""
    names = law.said["methods"]["names"]
    words = [word for word, name in spellings(names).items() if ORDERS[names[name]["order"]] == AVERAGE]
    found = pl.lit(value=False)
    for order in person["methods"]:
        if order["method"] in words:
            asset, account = order.get("asset", "*"), order.get("account", "*")
            found = found | (pl.lit(asset == "*") | (pl.col("asset") == asset)) & (
                pl.lit(account == "*") | (pl.col("account") == account)
            )
    at = [name for name, said in person["accounts"].items() if said.get("default_method") in words]
    return found | (
        pl.col("account").is_in(at) & pl.col("asset_class").is_in(law.said["methods"]["broker_default"]["classes"])
    )
