"""The own rates of many taxpayers at once (`lotlaw.run.own_rates` as columns), where lots are chosen by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import polars as pl

from lotlaw.dispositions import Rates
from lotlaw.law import Year
from lotlaw.readings.columns import MONEY
from lotlaw.returns import group_name, work_out_columns
from lotlaw.rules import load
from lotlaw.run import TERMS, counted_taxes, exported_line, one_gain, rules_of

OUTSIDE = r"^(t|filing_status|taxpayer\.(income\..*|deduction|standard_deduction|aged_or_blind))$"


def by_rates_of(year: Year, facts: pl.DataFrame, sold: Sequence[int]) -> list[tuple[list[int], Rates]]:
    """Taxpayers by `group` and by their rates in the years of sale.

    `facts` has t, group, and what `lotlaw.returns` takes.
    """
    said = facts.select(pl.col(OUTSIDE))
    rules = rules_of(year, sold)
    taxed = {known: _taxed(load(known, year.root), said) for known in sorted(set(rules.values()))}
    every = facts.select("t", "group").hstack(
        [of[term].alias(f"{known} {term}") for known, of in taxed.items() for term in TERMS]
    )
    found: list[tuple[list[int], Rates]] = []
    for _, some in every.group_by(every.columns[1:], maintain_order=True):
        first = some.row(0, named=True)
        rates = {n: _rates(load(known, year.root), first, known) for n, known in rules.items()}
        found.append((some["t"].to_list(), rates))
    return found


def _taxed(year: Year, said: pl.DataFrame) -> Mapping[str, pl.Series]:
    """By term, the tax on the first dollars of gain, in cents."""
    without = _taxes(year, said.with_columns(pl.lit(value=False).alias("ledger.dispositions")))
    more = {}
    for term in TERMS:
        gain = one_gain(year, term, Decimal(_probe(year)))
        sums = {f"total.{group_name(gain.group)}.{letter}": amount for letter, amount in gain.sums.items()}
        cents = (pl.lit(int(amount.scaleb(MONEY)), pl.Int64).alias(name) for name, amount in sums.items())
        more[term] = _taxes(year, said.with_columns(*cents, pl.lit(value=True).alias("ledger.dispositions"))) - without
    return more


def _taxes(year: Year, frame: pl.DataFrame) -> pl.Series:
    """The taxes that count for own rates, together, in cents."""
    lines = [exported_line(year, where) for where in counted_taxes(year)]
    worked = work_out_columns(year, frame.drop("t"), {line.form for line in lines})
    return worked.select(pl.sum_horizontal(pl.col(f"{line.form}.{line.id}").fill_null(0) for line in lines)).to_series()


def _rates(year: Year, first: Mapping[str, int], known: int) -> tuple[Fraction, Fraction]:
    short, long = (Fraction(first[f"{known} {term}"], 10**MONEY * _probe(year)) for term in TERMS)
    return short, long


def _probe(year: Year) -> int:
    return int(year.documents["dispositions"].value["methods"]["own_rates"]["probe"])
