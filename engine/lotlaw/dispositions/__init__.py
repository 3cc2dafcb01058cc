"""From a ledger to what goes on Form 8949: lots matched to sales, income, and what is still held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.taxpayer import Taxpayer


@dataclass(frozen=True)
class Matched:
    """What a year's events come to.

    `dispositions`: rows of Form 8949 (`lotlaw.dispositions.rows.SCHEMA`), in the form's order. `income`: row, date, timestamp, account,
    kind (the income type), asset, quantity, amount (exact dollars), counted. `holdings`, if asked for: what is held on the last day that
    counts (`lotlaw.dispositions.holdings.HOLDINGS`).
    """

    dispositions: pl.DataFrame
    holdings: pl.DataFrame
    income: pl.DataFrame
    warnings: list[str]
    planning_only: bool = False


def match(
    ledger: Ledger, year: Year, taxpayer: Taxpayer, method: str | None = None, *, until: date | None = None, held: bool = False
) -> Matched:
    """Match one year's sales with lots. Rows up to `until` count (the year's last day if not given); `held` fills `holdings`.

    Raises Problems that name rows: kinds and classes the rules don't list, values that are missing, sales of more than is held.
    """
    return match_years(ledger, [year], taxpayer, method, until=until, held=held)[year.year]


def match_years(
    ledger: Ledger, years: Sequence[Year], taxpayer: Taxpayer, method: str | None = None, *,
    until: date | None = None, held: bool = False,
) -> dict[int, Matched]:  # fmt: skip
    """Several years in one pass over the ledger: each year's rows by its own forms, all lots by the rules of the last."""
    from lotlaw.dispositions.matching import matched

    return matched(ledger, years, taxpayer, method, until, held=held)
