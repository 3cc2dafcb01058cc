"""Ledgers for tests, written as a person would, read and matched as the command does, shown as a reader sees them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lotlaw.dispositions import Matched, match
from lotlaw.law import Year
from lotlaw.ledger import Ledger, read
from lotlaw.rules import load
from lotlaw.run import by_rates, own_rates
from lotlaw.source import Problems
from lotlaw.taxpayer import normalised

PERSON = normalised({"filing_status": "single"})
BY_ACCOUNT = {**PERSON, "digital_asset_pools_before_2025": "by_account"}

Row = dict[str, str]


def table(text: str) -> str:
    """A CSV that is written with bars and blanks, for reading: `time | kind | asset`."""
    lines = (line for line in text.splitlines() if line.strip())
    return "".join(",".join(cell.strip() for cell in line.split("|")) + "\n" for line in lines)


def text_of(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def ledger_of(folder: Path, rows: list[Row] | str) -> Ledger:
    """A simple ledger, as rows or with bars, read from a file."""
    path = folder / "ledger.csv"
    path.write_text(table(rows) if isinstance(rows, str) else text_of(rows), encoding="utf-8")
    return read([path])


def filed(folder: Path, text: str, year: int = 2025, **said: Any) -> Matched:
    """The year matched, everything held asked for; `said` is what the taxpayer says besides."""
    return match(ledger_of(folder, text), load(year), {**PERSON, **said}, held=True)


def worked(ledger: Ledger, year: Year, example: Mapping[str, Any], *, held: bool = False) -> Matched:
    """A worked example matched as the command does: its taxpayer, method, last day, and rates if lots go by them."""
    person = normalised({"filing_status": "single", **example.get("taxpayer", {})})
    method, until = example.get("method"), example.get("until")
    rates = {}
    if by_rates(year, [method, *(order["method"] for order in person["methods"])]):
        rates = dict.fromkeys(ledger.rows["date"].dt.year().unique(), own_rates(year, person))
    return match(ledger, year, person, method, until=until, held=held, rates=rates)


def refused(folder: Path, text: str, year: int = 2025, **said: Any) -> list[str]:
    """The problems of a year, without the folder of its file."""
    ledger = ledger_of(folder, text)
    with pytest.raises(Problems) as found:
        match(ledger, load(year), {**PERSON, **said})
    return [str(p).replace(f"{folder}/", "") for p in found.value.problems]


def warned(folder: Path, matched: Matched) -> list[str]:
    return [warning.replace(f"{folder}/", "") for warning in matched.warnings]


def lines(matched: Matched) -> list[str]:
    """The rows of the form: box, description, acquired, sold, proceeds, basis, codes with adjustment if any, gain."""
    found = []
    for row in matched.dispositions.iter_rows(named=True):
        acquired = row["acquired_text"] or row["acquired"]
        said = (row["box"], row["description"], acquired, row["sold"], dollars(row["proceeds"]), dollars(row["basis"]))
        adjusted = (f"{row['codes']} {dollars(row['adjustment'])}",) if row["codes"] else ()
        found.append(" | ".join(map(str, (*said, *adjusted, dollars(row["gain"])))))
    return found


def held(matched: Matched) -> list[str]:
    """Open lots as `0.5 BTC at kraken of 2024-01-02 for 50`; `?` where the basis is unknown."""
    rows = matched.holdings.iter_rows(named=True)
    return [
        f"{plain(r['quantity'])} {r['asset']} at {r['account']} of {r['acquired']} for {plain(r['basis'])}"
        for r in rows
    ]


def dollars(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2))


def plain(amount: Decimal | None) -> str:
    return "?" if amount is None else f"{amount.normalize():f}"
