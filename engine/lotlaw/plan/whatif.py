"""`lotlaw whatif`: a year filed with and without sales that have not been made, and what moved.

Both returns are worked out by `lotlaw.run.compute`, as `lotlaw file` does it. Where a sale is short-term, a third is
filed in which it waits for the first day on which it is long-term.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import polars as pl

from lotlaw.answers import Answer
from lotlaw.law import Line, Year
from lotlaw.ledger import Ledger
from lotlaw.lots.treatment import treatment, turns_long
from lotlaw.plan.given import Given
from lotlaw.plan.sales import Sale, rows_of_sales, with_sales
from lotlaw.plan.windows import Windows, windows
from lotlaw.plan.years import Filed, assumptions, chain, filed, projected
from lotlaw.run import Return

SHOWN = ("description", "acquired", "sold", "proceeds", "basis", "codes", "adjustment", "gain", "term")


@dataclass(frozen=True)
class Moved:
    """A line that is not the same with the sales; `before` and `after` are None where it is blank."""

    line: Line
    before: Answer | None
    after: Answer | None


@dataclass(frozen=True)
class Waiting:
    """The same sales, each short-term one put off until it is long-term: the sales, and the years filed so."""

    sales: tuple[Sale, ...]
    now: tuple[Filed, ...]
    later: tuple[Filed, ...]

    @property
    def saves(self) -> Decimal:
        """How much less tax there is over those years if the sales wait; below zero if there is more."""
        return sum((now.tax - later.tax for now, later in zip(self.now, self.later, strict=True)), Decimal(0))


@dataclass(frozen=True)
class WhatIf:
    """The answer: `before` without the sales and `after` with them, year by year where several were asked for."""

    sales: tuple[Sale, ...]
    before: tuple[Return, ...]
    after: tuple[Return, ...]
    moved: tuple[Moved, ...]
    waiting: Waiting | None
    notes: tuple[str, ...]
    assumed: tuple[str, ...]

    @property
    def year(self) -> Year:
        """The year that was asked about."""
        return self.before[0].year

    @property
    def rows(self) -> pl.DataFrame:
        """What the sales put on Form 8949, with `n`, the sale's number."""
        return rows_of_sales(self.after[0].ledger, self.after[0].rows, self.sales)


def what_if(given: Given, year: Year, sales: Sequence[Sale], method: str | None = None, count: int = 1) -> WhatIf:
    """File `count` years from `year` with and without the sales. Raises Problems that name the sale."""
    rules = projected(given, year, count)
    before = tuple(chain(given, rules, given.ledger, method))
    after = tuple(chain(given, rules, with_sales(given.ledger, sales), method))
    waiting = _waiting(given, after[0], sales, method)
    notes = tuple(_notes(given, year, sales, after[0]))
    assumed = assumptions(rules if count > 1 else projected(given, year, len(waiting.now) if waiting else 1))
    return WhatIf(tuple(sales), before, after, tuple(moved(before[0], after[0])), waiting, notes, tuple(assumed))


def moved(before: Return, after: Return) -> Iterator[Moved]:
    """The lines that differ, in the order of the forms."""
    for name, form in after.year.forms.items():
        for id_, line in form.lines.items():
            was, is_ = (return_.lines.get(name, {}).get(id_) for return_ in (before, after))
            if was != is_:
                yield Moved(line, was, is_)


def _waiting(given: Given, after: Return, sales: Sequence[Sale], method: str | None) -> Waiting | None:
    """The sales put off until they are long-term, and both ways filed over the years that this takes."""
    days = _long_days(given, after, sales)
    if not days:
        return None
    later = tuple(replace(sale, day=days.get(n, sale.day)) for n, sale in enumerate(sales))
    rules = projected(given, after.year, max(sale.day.year for sale in later) - after.year.year + 1)
    ways = (chain(given, rules, with_sales(given.ledger, made), method) for made in (sales, later))
    now, then = (tuple(filed(return_) for return_ in way) for way in ways)
    return Waiting(later, now, then)


def _long_days(given: Given, after: Return, sales: Sequence[Sale]) -> dict[int, date]:
    """By sale with a short-term gain, the first day on which all of it is long-term."""
    turns = turns_long(treatment(after.year, given.person))
    rows = rows_of_sales(after.ledger, after.rows, sales).filter((pl.col("term") == "short") & (pl.col("gain") > 0))
    last = rows.group_by("n").agg(pl.col("acquired").max()).sort("n")
    return {n: turns(acquired) for n, acquired in last.iter_rows()}


def _notes(given: Given, year: Year, sales: Sequence[Sale], after: Return) -> Iterator[str]:
    """What the sales mean beyond their numbers: losses that do not count, days to keep clear of, prices by trades."""
    wash, rows = windows(given.ledger, year, given.person), rows_of_sales(after.ledger, after.rows, sales)
    for n, sale in enumerate(sales):
        mine = rows.filter(pl.col("n") == n)
        yield from _of_price(sale)
        if (mine["proceeds"] < mine["basis"]).any():
            lost = int(mine.filter(pl.col("gain") <= 0)["adjustment"].clip(0).sum())
            yield from wash_notes(given.ledger, wash, sale, Decimal(lost).scaleb(-2))


def _of_price(sale: Sale) -> Iterator[str]:
    if sale.price_from:
        yield f"{sale.asset} at {sale.price.normalize():f}: the price of {sale.price_from}"


def wash_notes(ledger: Ledger, wash: Windows, sale: Sale, lost: Decimal) -> Iterator[str]:
    """What a sale at a loss means for buying: how much does not count and until when, and when it is safe again."""
    safe, counts = wash.safe_from(sale.asset, sale.day), wash.counts_from(sale.asset, sale.day)
    if safe is None:
        label = wash.law.classes[ledger.classes[sale.asset]]["label"]
        yield f"{sale.asset}: no wash sale rule under these rules ({label}); it may be bought again at once"
        return
    if lost and counts:
        near = wash.replaced(sale.asset, sale.day).iter_rows()
        bought = ", ".join(f"{quantity.normalize():f} {asset} on {day}" for day, asset, quantity in near)
        said = f"{sale.asset}: {lost:,.2f} of the loss does not count now, for what was bought: {bought}"
        yield f"{said}; with no more purchases, all of it would from {counts} on"
    yield f"{sale.asset}: to keep the loss, buy none and nothing substantially identical, in any account, before {safe}"
