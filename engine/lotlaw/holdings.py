"""`lotlaw holdings`: open lots on a day, with their term and, given prices, their value and unrealized gain."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.check import checked
from lotlaw.dispositions import match
from lotlaw.dispositions.rows import term_on
from lotlaw.law import Year
from lotlaw.ledger import read
from lotlaw.rules import years
from lotlaw.source import data_root, refuse
from lotlaw.taxpayer import normalised, read_taxpayer

SHOWN = {
    "asset": "asset", "account": "account", "quantity": "quantity", "acquired": "acquired", "term": "term",
    "basis": "basis", "price": "price", "value": "value", "unrealized": "unrealized",
}  # fmt: skip
AMOUNTS = ("basis", "price", "value", "unrealized")


def holdings_table(
    files: Sequence[Path], day: date, prices: Path | None, taxpayer: Path | None, rules: Path | None
) -> pl.DataFrame:
    """Open lots at the end of `day`: asset, account, quantity, acquired, term and basis; price, value and unrealized gain
    where a price is given (null elsewhere). Amounts are exact dollars. Raises Problems.
    """
    person = read_taxpayer(taxpayer)[0] if taxpayer else normalised({"filing_status": ""})
    ledger = read(files, zone=person["timezone"], rules=rules)
    year = _year_of(day, rules)
    held = match(ledger, year, person, until=day, held=True).holdings
    held = held.with_columns(term=term_on(year, person, day))
    if prices is None:
        return held
    priced = held.join(_prices(prices), on="asset", how="left", maintain_order="left")
    valued = priced.with_columns(value=pl.col("quantity") * pl.col("price"))
    return valued.with_columns(unrealized=pl.col("value") - pl.col("basis"))


def _year_of(day: date, rules: Path | None) -> Year:
    """The rules of the day's year, or of the last year there is."""
    known = years(rules or data_root() / "rules")
    return checked(min(max(day.year, known[0]), known[-1]) if known else day.year, rules)


def _prices(path: Path) -> pl.DataFrame:
    """A CSV with the columns asset and price, as asset and exact price. Raises Problems."""
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise refuse(path, f"cannot be read as a CSV of prices: {error}".splitlines()[0]) from None
    if not {"asset", "price"} <= set(table.columns):
        raise refuse(path, f"prices have the columns asset and price; found {', '.join(table.columns)}")
    price = pl.col("price").str.strip_chars().cast(pl.Decimal(38, 18), strict=False)
    numbered = table.with_row_index("line", offset=2).select("line", "asset", price.alias("price"), text="price")
    wrong = numbered.filter(pl.col("price").is_null() | (pl.col("price") < 0) | pl.col("asset").is_duplicated())
    for row in wrong.iter_rows(named=True):
        said = "not a price in dollars" if row["price"] is None or row["price"] < 0 else "a second price for this asset"
        raise refuse(f"{path}:{row['line']}", f"{row['asset']} '{row['text']}': {said}")
    return numbered.select("asset", "price")


def print_holdings(table: pl.DataFrame) -> None:
    """Print the lots, and totals by asset where there is more than one lot of it, and of everything."""
    for line in holdings_text(table):
        sys.stdout.write(f"{line}\n")


def holdings_text(table: pl.DataFrame) -> Iterator[str]:
    """The table as aligned text."""
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
    return _dollars(table[name].sum())
