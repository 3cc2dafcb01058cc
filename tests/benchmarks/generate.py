"""Ledgers to measure with: the same rows on every machine, for any number of them.

Two accounts trade two securities and three coins. Buys and sales alternate at random; no account ever sells more than
it holds, and nearly all that was bought is sold by the end.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

ASSETS = [("ACME", "stock"), ("VTI", "etf"), ("BTC", "crypto"), ("ETH", "crypto"), ("SOL", "crypto")]
ACCOUNTS = ["coinbase", "schwab"]
HEADER = "time,kind,asset,asset_class,quantity,amount,fee,account\n"
TAXPAYER = """\
filing_status: single
income: {wages: 90_000, ordinary_dividends: 1_000, qualified_dividends: 800}
carryover: {short: 0, long: 0}
digital_asset_pools_before_2025: by_account
"""


def ledger(path: Path, rows: int, first: date, last: date) -> Path:
    """Write `rows` transactions, evenly spread over the days from `first` to `last`."""
    chance = random.Random(rows)
    held = {(asset, account): 0 for asset, _ in ASSETS for account in ACCOUNTS}
    days = (last - first).days + 1
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER)
        for row in range(rows):
            day = first + timedelta(days=row * days // rows)
            file.write(_transaction(chance, held, day))
    return path


def taxpayer(path: Path) -> Path:
    path.write_text(TAXPAYER, encoding="utf-8")
    return path


def _transaction(chance: random.Random, held: dict[tuple[str, str], int], day: date) -> str:
    """One line: quantities to four places, prices of 0.90 to 1.10 dollars a unit, fees below half a percent."""
    asset, kind = chance.choice(ASSETS)
    account = chance.choice(ACCOUNTS)
    quantity = chance.randint(10_000, 1_000_000)
    selling = held[asset, account] > quantity and chance.random() < 0.5
    held[asset, account] += -quantity if selling else quantity
    cents = quantity * chance.randint(90, 110) // 10_000
    fee = cents * chance.randint(0, 50) // 10_000
    return (
        f"{day},{'sell' if selling else 'buy'},{asset},{kind},{quantity / 10_000:.4f},"
        f"{cents / 100:.2f},{fee / 100:.2f},{account}\n"
    )
