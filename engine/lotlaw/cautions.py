"""What a return says of its rules, its ledger and its taxpayer that somebody ought to look at."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.law import Year
from lotlaw.ledger import Ledger
from lotlaw.taxpayer import Taxpayer

DRAFT = "draft"


def cautions(year: Year, ledger: Ledger, taxpayer: Taxpayer) -> Iterator[str]:
    """A sentence for each."""
    yield from _drafts(year)
    yield from _earlier(year, ledger, taxpayer)
    yield from _strangers(ledger, taxpayer)


def _drafts(year: Year) -> list[str]:
    if year.status == DRAFT:
        return [f"The rules of {year.year} are a draft: the final forms have not been checked against them"]
    return []


def _earlier(year: Year, ledger: Ledger, taxpayer: Taxpayer) -> list[str]:
    """Sales of earlier years, and no word about losses they may have left."""
    if taxpayer["carryover_given"]:
        return []
    kinds = year.documents["dispositions"].value["kinds"]
    sales = [kind for kind, said in kinds.items() if "sells" in said or "row" in said]
    sold = ledger.rows.lazy().filter(pl.col("kind").is_in(sales) & (pl.col("date").dt.year() < year.year))
    first = sold.select(pl.col("date").dt.year().min()).collect().item()
    if first is None:
        return []
    said = f"The ledger has sales before {year.year}, and the taxpayer file gives no `carryover`"
    return [f"{said}: losses of earlier years are not counted (lotlaw file {first}..{year.year} works them out)"]


def _strangers(ledger: Ledger, taxpayer: Taxpayer) -> list[str]:
    """Accounts that the taxpayer describes and the ledger does not have: most likely another spelling."""
    places = [name for name in ("account", "to_account") if name in ledger.rows.columns and taxpayer["accounts"]]
    known = sorted({account for name in places for account in ledger.rows[name].unique().drop_nulls()})
    return [
        f"The taxpayer file describes the account '{name}', which the ledger does not have{did_you_mean(name, known)}; "
        f"its accounts are {', '.join(known)}"
        for name in taxpayer["accounts"]
        if known and name not in known
    ]
