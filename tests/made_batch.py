"""Made-up taxpayers of all sorts, each as the files that `lotlaw file` reads and as rows of the tables of a batch."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from simple_ledger import text_of

from lotlaw.batch.tables import KEY, STRUCTS, TAXPAYERS, transactions
from lotlaw.ledger import Ledger, canonical, read
from lotlaw.taxpayer import Taxpayer, normalised

STATUSES = ["single", "married_joint", "married_separate", "head_of_household", "qualifying_surviving_spouse"]
ASSETS = [
    ("BTC", "crypto"), ("ETH", "crypto"), ("ACME", "stock"), ("VTI", "etf"), ("EAGLE", "collectible"),
    ("VFIAX", "fund"),
]  # fmt: skip
KINDS = [
    *["buy"] * 5, *["sell"] * 7, "income", "transfer", "transfer", "spend", "trade", "gift_out", "gift_in", "split",
]  # fmt: skip
FIRST, LAST = date(2024, 2, 1), date(2025, 12, 31)


@dataclass
class Made:
    """One taxpayer: a name, what they say, and rows of a simple ledger."""

    name: str
    said: dict[str, Any]
    rows: list[dict[str, str]] = field(default_factory=list)
    known: Ledger | None = None

    @property
    def person(self) -> Taxpayer:
        return normalised(self.said)

    def ledger(self, folder: Path) -> Ledger:
        """What `lotlaw file` reads; once, since it takes longer than all the rest."""
        if self.known is None:
            path = folder / f"{self.name}.csv"
            path.write_text(text_of(self.rows), encoding="utf-8")
            self.known = read([path], zone=self.person["timezone"], ids=True)
        return self.known


def taxpayers(number: int, seed: int = 1) -> list[Made]:
    return [
        _made(random.Random(f"{seed} {n}"), f"T{n:05}")  # noqa: S311  (data is generated, not guarded)
        for n in range(number)
    ]


def _made(chance: random.Random, name: str) -> Made:
    return Made(name, _said(chance), _Story(chance).told())


def _said(chance: random.Random) -> dict[str, Any]:
    said: dict[str, Any] = {
        "filing_status": chance.choice(STATUSES),
        "income": {"wages": _cents(chance, 300_000), "ordinary_dividends": 500, "other": chance.choice([0, -500])},
    }
    orders = [{}, {"asset": "BTC"}, {"account": "a"}, {"asset_class": "crypto"}, {"asset": "ACME", "account": "b"}]
    order = {"from": "2020-01-01", "recorded_on": "2019-12-30", "told_broker": True, **chance.choice(orders)}
    some = {
        "carryover": {"short": _cents(chance, 9_000), "long": _cents(chance, 9_000)},
        "deduction": _cents(chance, 40_000),
        "aged_or_blind": chance.randint(0, 4),
        "inputs": {"schedule_d": {"13": chance.randint(0, 5_000)}},
        "methods": [{"method": chance.choice(["hifo", "lifo", "lofo", "min_tax"]), **order}],
        "identical": [["ACME", "VTI"]],
        "digital_asset_pools_before_2025": "by_account",
        "timezone": "America/Chicago",
        "accounts": {
            "a": {"form_1099": chance.choice(["none", "b_noncovered"])}, "b": chance.choice(
                [{"kind": "ira"}, {"owner": "spouse"}, {"custody": "self"}, {"default_method": "average"}]
            ),
        },
    }  # fmt: skip
    return said | {key: value for key, value in some.items() if chance.random() < 0.3}


def _cents(chance: random.Random, most: int) -> Decimal:
    return Decimal(chance.randint(0, most * 100)).scaleb(-2)


@dataclass
class _Story:
    """What somebody does from day to day; now and then they sell more than they have."""

    chance: random.Random
    held: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """What stands behind the cents of their dollars, and the decimals of their quantities."""
        self.finer = self.chance.choice(["", "", "01", "01234", "0123456789012345"])
        self.parts = self.chance.choice([1, 10, 100, 100, 10**7, 10**14])

    def told(self) -> list[dict[str, str]]:
        day = FIRST + timedelta(days=self.chance.randint(0, 400))
        mine, places = self.chance.sample(ASSETS, 2), self.chance.choice(["a", "b", "ab", "aabc"])
        for _ in range(self.chance.randint(1, 40)):
            day += timedelta(days=self.chance.choice([0, 1, 3, 7, 20, 40]))
            if day <= LAST:
                self.deed(self.chance.choice(KINDS), day, *self.chance.choice(mine), self.chance.choice(places))
        if self.chance.random() < 0.1:
            said = {"amount": "100", "basis": "80.5", "acquired": "VARIOUS", "term": "long"}
            self.row("closed_lot", LAST, "XYZ Corp", "stock", "a", 3, **said)
        return self.rows or self.deed("buy", LAST, "BTC", "crypto", "a") or self.rows

    def deed(self, kind: str, day: date, asset: str, klass: str, account: str) -> None:
        units = Decimal(self.chance.randint(1, 10_000)) / self.chance.choice([1, 10, 100])
        units += Decimal(self.chance.randint(1, 9)) / self.parts
        there = self.held.get((asset, account), Decimal(0))
        amount = str((units * self.chance.randint(1, 9)).quantize(Decimal("0.01")))
        if kind in {"buy", "income", "gift_in"}:
            self.held[asset, account] = there + units
            said = {
                "buy": {"amount": amount, "fee": self.chance.choice(["", "1.5"]), "id": f"i{len(self.rows)}"},
                "income": {"amount": f"{amount}{self.finer}", "income_type": "staking"},
                "gift_in": {"basis": amount, "acquired": "2022-02-02", "fair_value": "7.77"},
            }
            self.row(kind, day, asset, klass, account, units, **said[kind])
        elif kind == "split" and there > 0:
            for (name, place), n in self.held.items():
                self.held[name, place] = n * 2 if name == asset else n
            self.row(kind, day, asset, klass, "", 1, counter_quantity="2")
        elif there > 0:
            units = min(units, there) if self.chance.random() > 0.004 else there + 1
            self.held[asset, account] = there - units
            self.goes(kind, day, asset, klass, account, units, amount)

    def goes(self, kind: str, day: date, asset: str, klass: str, account: str, units: Decimal, amount: str) -> None:
        said = {"sell": {"amount": amount, "fee": "0.25"}, "spend": {"amount": amount}, "gift_out": {}}.get(kind, {})
        fee, left = units / 1024, self.held[asset, account]
        if kind == "sell" and klass == "crypto" and left >= fee and self.chance.random() < 0.3:
            said = {"amount": amount, "fee_asset": asset, "fee_qty": f"{fee:.18f}"}
            self.held[asset, account] = left - Decimal(said["fee_qty"])
        if kind == "transfer":
            said = {"to_account": self.chance.choice([other for other in "abc" if other != account])}
            self.held[asset, said["to_account"]] = self.held.get((asset, said["to_account"]), Decimal(0)) + units
        elif kind == "trade":
            said = {"amount": amount, "counter_asset": "SOL", "counter_quantity": "1"}
        elif kind == "sell" and self.chance.random() < 0.1 and self.rows[0]["asset"] == asset and "id" in self.rows[0]:
            said["lot"] = f"{self.rows[0]['id']}"
        self.row(kind, day, asset, klass, account, units, **said)

    def row(self, kind: str, day: date, asset: str, klass: str, account: str, units: object, **said: str) -> None:
        time = str(day) if self.chance.random() < 0.7 else f"{day}T12:{len(self.rows) + 10}:00Z"
        about = {"time": time, "kind": kind, "asset": asset, "asset_class": klass, "quantity": f"{units}"}
        self.rows.append({**about, "account": account, **said})


# Tables


def rows_of(made: Made, folder: Path) -> pl.DataFrame:
    """A taxpayer's ledger as rows of the table of transactions."""
    text, schema = canonical(made.ledger(folder)), transactions()
    said = text.select(pl.when(pl.col(c) != "").then(pl.col(c)).alias(c) for c in text.columns)
    return said.select(pl.lit(made.name).alias(KEY), *(_typed(c, schema[c]) for c in said.columns))


def _typed(name: str, dtype: Any) -> pl.Expr:
    cell = pl.col(name)
    if dtype == pl.Date:
        return cell.str.to_date()
    if dtype == pl.Boolean:
        return cell == "true"
    return cell.str.to_datetime(time_unit="us", time_zone="UTC") if name == "timestamp" else cell.cast(dtype)


def people_of(made: list[Made]) -> pl.DataFrame:
    """The table of taxpayers."""
    rows = []
    for one in made:
        row: dict[str, Any] = {KEY: one.name}
        for name, said in one.said.items():
            if name in STRUCTS:
                row |= {f"{name}.{part}": amount for part, amount in said.items()}
            else:
                row[name] = json.dumps(said) if isinstance(said, (list, dict)) else said
        rows.append(row)
    names = set().union(*rows)
    return pl.DataFrame(rows, schema={name: dtype for name, dtype in TAXPAYERS.items() if name in names})


def lay_tables(made: list[Made], folder: Path, *, files: int = 1) -> Path:
    """Both tables as Parquet: `rows-*.parquet`, taxpayers mixed, and `people.parquet`."""
    rows = pl.concat([rows_of(one, folder) for one in made], how="diagonal").sort("date", maintain_order=True)
    size = -(-rows.height // files)
    for n in range(files):
        rows.slice(n * size, size).write_parquet(folder / f"rows-{n}.parquet")
    people_of(made).write_parquet(folder / "people.parquet")
    return folder
