"""From a ledger to what goes on Form 8949: lots matched to sales, income, and what is still held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.source import Document
    from lotlaw.taxpayer import Taxpayer

Rates = Mapping[int, tuple[Fraction, Fraction]]
"""By year of sale, the taxpayer's own rates on another dollar of short-term and of long-term gain."""


@dataclass(frozen=True)
class Matched:
    """What a year's events come to.

    dispositions: rows of Form 8949, in its order (`lotlaw.dispositions.rows.SCHEMA`).
    holdings: what is held at the end, if asked for (`lotlaw.dispositions.holdings.SCHEMA`).
    income: row, date, timestamp, account, kind (the income type), asset, quantity, amount (exact dollars), counted.
    compared: sales on brokers' statements beside the ledger's own (`lotlaw.dispositions.compare.COMPARED`).
    methods: those that sales of the year went by where they named no lots.
    planning_only: some sale went by a method that no record made in time supports.
    """

    dispositions: pl.DataFrame
    holdings: pl.DataFrame
    income: pl.DataFrame
    warnings: list[str]
    compared: pl.DataFrame
    methods: list[str]
    planning_only: bool


def match(
    ledger: Ledger, year: Year, taxpayer: Taxpayer, method: str | None = None, *,
    until: date | None = None, held: bool = False, allow_unknown: bool = False, rates: Rates | None = None,
    document: Document | None = None, quiet: bool = False,
) -> Matched:  # fmt: skip
    """Match one year's sales with lots. Rows up to `until` (the year's end) count; `held` asks for the holdings.

    `allow_unknown`: a basis that nobody gives counts as zero, with a warning, instead of being refused. `method` takes
    the place of the methods in force, to compare. `rates` are what min_tax goes by; `document` is the taxpayer file,
    for the places of its mistakes; `quiet` leaves out the warnings. Raises Problems that name rows: kinds and classes
    that the rules do not list, values that are missing, sales of more than is held.
    """
    found = match_years(
        ledger, [year], taxpayer, method, until=until, held=held, allow_unknown=allow_unknown, rates=rates,
        document=document, quiet=quiet,
    )  # fmt: skip
    return found[year.year]


def match_years(
    ledger: Ledger, years: Sequence[Year], taxpayer: Taxpayer, method: str | None = None, *,
    until: date | None = None, held: bool = False, allow_unknown: bool = False, rates: Rates | None = None,
    document: Document | None = None, quiet: bool = False,
) -> dict[int, Matched]:  # fmt: skip
    """Several years in one pass over the ledger: rows by each year's own form, lots by the rules of the last year."""
    from lotlaw.dispositions.matching import matched

    return matched(
        ledger, years, taxpayer, method, until, held=held, allow_unknown=allow_unknown, rates=rates, document=document,
        quiet=quiet,
    )  # fmt: skip
