"""Ledgers to measure with: the same rows on every machine, for any number of them.

Two accounts trade five coins, or five hundred assets. Buys and sales alternate at random; no account ever sells more
than it holds. What is traded in a `ledger` is nearly all sold by the end; of a `hoard`, half of what was bought stays.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

CRYPTO = [(asset, "crypto") for asset in ("ADA", "BTC", "DOT", "ETH", "SOL")]
SYMBOLS = [f"T{number:03}" for number in range(500)]
ROUND = 100_000
"""Round lots, of ten units: a wash sale splits what replaces it, and pieces of odd sizes would split without end."""
ACCOUNTS = ["coinbase", "schwab"]
YEAR_END = 1231
HEADER = "time,kind,asset,asset_class,quantity,amount,fee,account\n"
KRAKEN = '"txid","refid","time","type","subtype","aclass","asset","amount","fee","balance"\n'
CODES = ["ADA", "SOL", "XETH", "XXBT"]
TAXPAYER = """\
filing_status: single
income: {wages: 90_000, ordinary_dividends: 1_000, qualified_dividends: 800}
carryover: {short: 0, long: 0}
digital_asset_pools_before_2025: by_account
"""

Asset = tuple[str, str]
Held = dict[tuple[str, str], int]


def ledger(path: Path, rows: int, first: date, last: date, assets: Sequence[Asset] = CRYPTO, step: int = 1) -> Path:
    """Write `rows` transactions, evenly spread over the days from `first` to `last`, of multiples of `step`."""
    chance = random.Random(rows)
    held = {(asset, account): 0 for asset, _ in assets for account in ACCOUNTS}
    days = _days(rows, first, last)
    picked = ((day, chance.choice(assets), chance.choice(ACCOUNTS)) for day in days)
    return _written(path, (_line(chance, held, *pick, step) for pick in picked))


def round_lots(path: Path, rows: int, first: date, last: date, kind: str) -> Path:
    """Write a ledger of five hundred assets of a kind, in round lots: the same trades, whatever the kind."""
    return ledger(path, rows, first, last, [(symbol, kind) for symbol in SYMBOLS], ROUND)


def hoard(path: Path, rows: int, first: date, last: date, asset: Asset) -> Path:
    """Write `rows` transactions of one asset in one account: bought at first, and traded from half-way on."""
    chance = random.Random(rows)
    account = ACCOUNTS[0]
    held = {(asset[0], account): 0}
    days = enumerate(_days(rows, first, last))
    return _written(path, (_line(chance, held, day, asset, account, ROUND, sells=2 * row >= rows) for row, day in days))


def open_lots(path: Path, rows: int, first: date, last: date) -> Path:
    """Write `rows` purchases of five hundred stocks and five coins, nothing of which is sold."""
    chance, assets = random.Random(rows), [*CRYPTO, *((symbol, "stock") for symbol in SYMBOLS)]
    nothing = {(asset, account): 0 for asset, _ in assets for account in ACCOUNTS}
    picked = ((day, chance.choice(assets), chance.choice(ACCOUNTS)) for day in _days(rows, first, last))
    return _written(path, (_line(chance, nothing, *pick, 1, sells=False) for pick in picked))


def kraken(path: Path, rows: int, first: date, last: date) -> Path:
    """Write an export of Kraken's ledgers: dollars for coins and coins for dollars, two rows a trade, with balances."""
    chance, held = random.Random(rows), dict.fromkeys(["ZUSD", *CODES], 0)
    days = enumerate(_days(rows // 2, first, last))
    return _written(path, (_trade(chance, held, number, day) for number, day in days), KRAKEN)


def _trade(chance: random.Random, held: dict[str, int], number: int, day: date) -> str:
    """The two rows of a trade, in ten-thousandths: coins are sold once there are many."""
    coin, dollars = chance.choice(CODES), chance.randint(10_000, 1_000_000)
    sign = -1 if held[coin] > 2_000_000 else 1
    legs = [
        ("ZUSD", -sign * dollars, dollars * 26 // 10_000),
        (coin, sign * dollars * chance.randint(90, 110) // 100, 0),
    ]
    rows = []
    for leg, (asset, amount, fee) in enumerate(legs):
        held[asset] += amount - fee
        cells = ",".join(f"{cell / 10_000:.4f}" for cell in (amount, fee, held[asset]))
        time = f"{day} {number % 24:02}:{number % 60:02}:00"
        rows.append(f'"L{2 * number + leg:017}","T{number:017}","{time}","trade","","currency","{asset}",{cells}\n')
    return "".join(rows)


def prices(path: Path) -> Path:
    """Write a price of each of these, of 0.80 to 1.20 dollars."""
    chance = random.Random(YEAR_END)
    names = [asset for asset, _ in CRYPTO] + SYMBOLS
    path.write_text("asset,price\n" + "".join(f"{name},{chance.randint(80, 120) / 100}\n" for name in names))
    return path


def _days(rows: int, first: date, last: date) -> Iterator[date]:
    days = (last - first).days + 1
    return (first + timedelta(days=row * days // rows) for row in range(rows))


def _written(path: Path, lines: Iterator[str], header: str = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(header)
        file.writelines(lines)
    return path


def taxpayer(path: Path) -> Path:
    path.write_text(TAXPAYER, encoding="utf-8")
    return path


def _line(
    chance: random.Random, held: Held, day: date, asset: Asset, account: str, step: int, *, sells: bool = True
) -> str:
    """A buy or a sale: quantities to four places, prices of 0.90 to 1.10 dollars a unit, fees below half a percent."""
    name, kind = asset
    quantity = -(-chance.randint(10_000, 1_000_000) // step) * step
    selling = sells and held[name, account] > quantity and chance.random() < 0.5
    held[name, account] += -quantity if selling else quantity
    cents = quantity * chance.randint(90, 110) // 10_000
    fee = cents * chance.randint(0, 50) // 10_000
    return (
        f"{day},{'sell' if selling else 'buy'},{name},{kind},{quantity / 10_000:.4f},"
        f"{cents / 100:.2f},{fee / 100:.2f},{account}\n"
    )
