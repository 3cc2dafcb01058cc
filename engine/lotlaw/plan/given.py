"""What every plan starts from: the ledger, the taxpayer, prices, and the rules of a day or year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.check import checked
from lotlaw.importers.prices import Prices, read_prices
from lotlaw.law import Year
from lotlaw.ledger import Ledger, read
from lotlaw.rules import years
from lotlaw.source import Document, Problems, data_root
from lotlaw.taxpayer import Taxpayer, method_problems, normalised, read_taxpayer

if TYPE_CHECKING:
    import polars as pl

NOBODY: Taxpayer = {"filing_status": ""}


@dataclass(frozen=True)
class Given:
    """The inputs of a plan, read. `document` is the taxpayer file (None: nobody said who it is about)."""

    ledger: Ledger
    person: Taxpayer
    document: Document | None
    prices: Prices | None
    rules: Path | None = None

    def priced(self, day: date) -> pl.DataFrame:
        """What a unit of each asset is worth on a day, as `lotlaw.plan.prices.SCHEMA`."""
        from lotlaw.plan.prices import prices_on

        return prices_on(self.ledger, day, self.prices)


def read_given(
    files: Sequence[Path], taxpayer: Path | None, prices: Path | None, rules: Path | None, overrides: Path | None = None
) -> Given:
    """Read the inputs. Prices fill in what the ledger leaves out too, as they do for a return. Raises Problems."""
    person, document = read_taxpayer(taxpayer) if taxpayer else (normalised(NOBODY), None)
    known = read_prices(prices, person["timezone"]) if prices else None
    ledger = read(
        files, zone=person["timezone"], rules=rules, answers=person["imports"], prices=known, overrides=overrides
    )
    return Given(ledger, person, document, known, rules)


def year_of(day: date, rules: Path | None) -> Year:
    """The rules of the day's year, or of the last year there is."""
    known = years(rules or data_root() / "rules")
    return checked(min(max(day.year, known[0]), known[-1]) if known else day.year, rules)


def refuse_methods(given: Given, year: Year) -> None:
    """Raise Problems for standing orders that a year's rules do not know."""
    wrong = list(method_problems(year, given.person, given.document)) if given.document else []
    if wrong:
        raise Problems(wrong)
