"""Years to come: the same return again and again, each starting from what the one before it carries on.

Stated assumptions, not forecasts: income, deductions and filing status stay as they are, amounts from other forms come
once, and a year without rules of its own goes by those of the last year there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from lotlaw.cautions import DRAFT
from lotlaw.law import Year
from lotlaw.ledger import Ledger
from lotlaw.plan.given import Given
from lotlaw.rules import load, years
from lotlaw.run import Return, compute

ASSUMED = (
    "Years to come are worked out with the same income, deductions and filing status, no further sales, amounts from "
    "other forms in the first year only"
)


@dataclass(frozen=True)
class Filed:
    """One year of a plan: its taxes by the export that says each, in dollars, and the losses it carries on."""

    year: int
    results: dict[str, Decimal]
    taxes: dict[str, Decimal]

    @property
    def tax(self) -> Decimal:
        """All taxes that a plan counts."""
        return sum(self.taxes.values(), Decimal(0))

    @property
    def carried(self) -> Decimal:
        """The losses carried on."""
        return self.results["short_carryover"] + self.results["long_carryover"]


def filed(return_: Return) -> Filed:
    """What a plan compares of a return."""
    return Filed(return_.year.year, dict(return_.results), return_.taxes)


def projected(given: Given, first: Year, count: int) -> list[Year]:
    """The rules of the first year and of those after it; a year that has none takes the last there are."""
    return [first, *(_rules_of(first, first.year + n, given.rules) for n in range(1, count))]


def _rules_of(first: Year, number: int, rules: Path | None) -> Year:
    there = years(first.root)
    year = load(min(number, there[-1]), rules)
    return year if year.year == number else replace(year, year=number)


def chain(given: Given, rules: Sequence[Year], ledger: Ledger, method: str | None, **options: bool) -> Iterator[Return]:
    """The returns of years in turn, losses carried from each to the next."""
    person = given.person
    for year in rules:
        mine = ledger if _has_rows(ledger, year.year) else replace(ledger, rows=ledger.rows.clear())
        return_ = compute(year, mine, person, method, document=given.document, **options)
        yield return_
        person = {**person, "carryover": return_.carryover, "carryover_given": True, "inputs": {}}


def _has_rows(ledger: Ledger, year: int) -> bool:
    """Whether anything happens in a year: else no lots have to be matched."""
    return bool((ledger.rows["date"].dt.year() == year).any())


def assumptions(rules: Sequence[Year]) -> list[str]:
    """What is assumed of the years after the first, in words; nothing if there are none."""
    if len(rules) < 2:
        return []
    borrowed = [f"{year.year}" for year in rules if _own(year) != year.year]
    said = f"{', '.join(borrowed)}: no rules yet, so those of {_own(rules[-1])} as they stand"
    drafts = dict.fromkeys(_own(year) for year in rules[1:] if year.status == DRAFT)
    drawn = [f"The rules of {number} are a draft" for number in drafts]
    return [ASSUMED, *([said] if borrowed else []), *drawn]


def _own(year: Year) -> int:
    """The year that rules were written for."""
    number: int = year.documents["year"].value["year"]
    return number
