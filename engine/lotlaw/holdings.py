"""`lotlaw holdings`: open lots on a day, with their term and, given prices, their value and unrealized gain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.check import checked
from lotlaw.dispositions import match
from lotlaw.dispositions.rows import term_on
from lotlaw.importers.prices import read_prices
from lotlaw.law import Year
from lotlaw.ledger import read
from lotlaw.rules import years
from lotlaw.run import rates_of
from lotlaw.source import Problems, data_root
from lotlaw.taxpayer import method_problems, normalised, read_taxpayer

SHOWN = {
    "asset": "asset", "account": "account", "quantity": "quantity", "acquired": "acquired", "term": "term",
    "basis": "basis", "price": "price", "value": "value", "unrealized": "unrealized",
}  # fmt: skip
AMOUNTS = ("basis", "price", "value", "unrealized")


def holdings_table(
    files: Sequence[Path],
    day: date,
    prices: Path | None,
    taxpayer: Path | None,
    rules: Path | None,
    overrides: Path | None = None,
) -> pl.DataFrame:
    """Open lots at the end of `day`: asset, account, quantity, acquired, term and basis.

    With prices also price, value and unrealized gain, null where none is given. Amounts are exact dollars. Raises
    Problems.
    """
    person, document = read_taxpayer(taxpayer) if taxpayer else (normalised({"filing_status": ""}), None)
    known = read_prices(prices, person["timezone"]) if prices else None
    ledger = read(
        files, zone=person["timezone"], rules=rules, answers=person["imports"], prices=known, overrides=overrides
    )
    year = _year_of(day, rules)
    wrong = list(method_problems(year, person, document)) if document else []
    if wrong:
        raise Problems(wrong)
    rates = rates_of(year, ledger, person) if taxpayer else None
    held = match(ledger, year, person, until=day, held=True, rates=rates, document=document).holdings
    held = held.with_columns(term=term_on(year, person, day))
    if known is None:
        return held
    priced = held.join(known.on(day), on="asset", how="left", maintain_order="left")
    valued = priced.with_columns(value=pl.col("quantity") * pl.col("price"))
    return valued.with_columns(unrealized=pl.col("value") - pl.col("basis"))


def _year_of(day: date, rules: Path | None) -> Year:
    """The rules of the day's year, or of the last year there is."""
    known = years(rules or data_root() / "rules")
    return checked(min(max(day.year, known[0]), known[-1]) if known else day.year, rules)


def holdings_text(table: pl.DataFrame) -> Iterator[str]:
    """The table as lines of aligned text, with totals where all amounts are known."""
    if table.is_empty():
        yield "nothing held"
        return
    shown = {name: title for name, title in SHOWN.items() if name in table.columns}
    rows = [list(shown.values())] + [[_said(name, row[name]) for name in shown] for row in table.iter_rows(named=True)]
    rows.append(["total", *(_total(table, name) for name in list(shown)[1:])])
    widths = [max(len(row[n]) for row in rows) for n in range(len(shown))]
    right = [n >= list(shown).index("basis") or name == "quantity" for n, name in enumerate(shown)]
    for row in rows:
        cells = (cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True))
        yield "  ".join(cells).rstrip()


def _said(name: str, value: Any) -> str:
    if value is None:
        return "unknown" if name == "basis" else ""
    if name in AMOUNTS:
        return _dollars(value)
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _dollars(value: Decimal) -> str:
    cents = value.quantize(Decimal("0.01")) if value == value.quantize(Decimal("0.01")) else value.normalize()
    return f"{cents:,f}"


def _total(table: pl.DataFrame, name: str) -> str:
    if name not in AMOUNTS or name == "price" or table[name].null_count():
        return ""
    return _dollars(Decimal(table[name].sum()))
