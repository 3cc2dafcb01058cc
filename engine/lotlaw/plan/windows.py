"""The days that wash sales turn on: what was bought too lately for a loss to count, and when it is safe to buy again.

Which assets, which days and which events count is rule data; what of a loss is disallowed, the return itself says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from lotlaw.law import Year
from lotlaw.ledger import Ledger
from lotlaw.lots.events import column
from lotlaw.lots.treatment import Treatment, treatment
from lotlaw.taxpayer import Taxpayer


@dataclass(frozen=True)
class Windows:
    """Wash sales of one ledger and year: `families` has, by asset, all that counts as the same."""

    law: Treatment
    bought: pl.DataFrame
    families: Mapping[str, frozenset[str]]
    watched: frozenset[str]

    def replaced(self, asset: str, day: date) -> pl.DataFrame:
        """What was or is bought so near to a day that it takes a loss of an asset away: date, asset, quantity."""
        if asset not in self.watched:
            return self.bought.clear()
        said = self.law.said["wash_sales"]
        near = pl.col("date").is_between(self.earliest(day), day + timedelta(days=said["days_after"]))
        return self.bought.filter(near & pl.col("asset").is_in(sorted(self.families.get(asset, {asset}))))

    def earliest(self, day: date) -> date:
        """The first day on which what is bought takes away a loss made on `day`."""
        return day - timedelta(days=self.law.said["wash_sales"]["days_before"])

    def counts_from(self, asset: str, day: date) -> date | None:
        """The first day on which nothing bought until `day` takes a loss away any more; None: it counts today."""
        last = self.replaced(asset, day).filter(pl.col("date") <= day)["date"].max()
        if not isinstance(last, date):
            return None
        return last + timedelta(days=self.law.said["wash_sales"]["days_before"] + 1)

    def safe_from(self, asset: str, day: date) -> date | None:
        """The first day to buy again without losing a loss made on `day`; None: any day is, by this year's rules."""
        if asset not in self.watched:
            return None
        return day + timedelta(days=self.law.said["wash_sales"]["days_after"] + 1)


def windows(ledger: Ledger, year: Year, taxpayer: Taxpayer) -> Windows:
    """The wash sale rule of a year over a ledger."""
    law = treatment(year, taxpayer)
    watched = law.watched(ledger.classes)
    by = law.said["wash_sales"]["acquired_by"]
    rows = ledger.rows.select(
        "date", pl.col("kind").cast(pl.String), *(column(ledger.rows, name) for name in ("in_asset", "in_qty"))
    )
    counting = [*by["kinds"], *law.that(income=True)]
    bought = rows.filter(pl.col("kind").is_in(counting) & pl.col("in_asset").is_in(sorted(watched)))
    bought = bought.select("date", asset="in_asset", quantity="in_qty")
    return Windows(law, bought, _families(ledger, taxpayer["identical"], watched), frozenset(watched))


def _families(ledger: Ledger, identical: Sequence[Sequence[str]], watched: set[str]) -> dict[str, frozenset[str]]:
    """What counts as the same: by the taxpayer's own word, and options with what they are on."""
    of: dict[str, frozenset[str]] = {asset: frozenset({asset}) for asset in watched}
    for pair in (*identical, *_options(ledger)):
        joined = frozenset().union(*(of.get(asset, frozenset({asset})) for asset in pair))
        of |= dict.fromkeys(joined, joined)
    return of


def _options(ledger: Ledger) -> Iterator[Sequence[str]]:
    options = ledger.options
    yield from options.filter(pl.col("underlying").is_not_null()).select("asset", "underlying").iter_rows()
