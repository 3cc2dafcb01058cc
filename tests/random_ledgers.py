"""Random ledgers for property tests: several assets a ledger, each with a story of its own.

A story is drawn as numbers and told as rows of a simple ledger. The reference keeps its books, so that nobody sells,
moves or names what is not there. Amounts are whole cents, and prices wander enough for losses and purchases to fall
within days of each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from reference import Person, Reference

Row = dict[str, str]

START, END = date(2024, 10, 1), date(2026, 11, 30)
ACCOUNTS = ("a", "b", "c")
RATIOS = (("2", "1"), ("3", "2"), ("1", "2"))

TRADING = ("buy", "buy", "buy", "sell", "sell", "sell named")
RECEIVING = ("gift_in", "inheritance", "opening_lot")
LEAVING = ("gift_out", "donation")
CHANGING = ("split", "return_of_capital")
PAYING = ("spend", "income", "trade")

deed = st.tuples(
    st.integers(0, 10**6), st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS), st.integers(1, 400),
    st.integers(500, 3_000), st.sampled_from((0, 1, 3, 7, 16, 29, 30, 31, 90, 200)),
)  # fmt: skip


STORIES = st.lists(st.lists(deed, min_size=2, max_size=12), min_size=4, max_size=14)


def told(
    drawn: list[list[Any]], asset_class: str, kinds: tuple[str, ...], person: Person, start: date = START,
    end: date = END,
) -> list[Row]:  # fmt: skip
    """The rows of all stories, in order of their days."""
    rows: list[Row] = []
    for n, deeds in enumerate(drawn):
        story = Story(f"{asset_class.upper()}{n}", asset_class, Reference(person), start, end, instants=n % 2 > 0)
        for at, (choice, *said) in enumerate(deeds):
            story.happens(kinds[choice % len(kinds)] if at else "buy", *said)
        rows += story.rows
    return sorted(rows, key=lambda row: row["time"])


def money(cents: Fraction | int) -> str:
    return str(Decimal(int(cents)).scaleb(-2))


def plain(units: Fraction) -> str:
    return f"{(Decimal(units.numerator) / Decimal(units.denominator)).normalize():f}"


@dataclass
class Story:
    """One asset, told deed by deed, by days or by instants of days."""

    asset: str
    asset_class: str
    books: Reference
    day: date
    end: date
    instants: bool = False
    rows: list[Row] = field(default_factory=list)

    def happens(self, kind: str, account: str, other: str, size: int, price: int, days: int) -> None:
        """One deed; nothing where there is nothing to do it with. Sizes in hundredths of a unit, prices in cents."""
        self.day += timedelta(days=days)
        there, units = self.books.units[self.asset, account], Fraction(size, 100)
        if self.day > self.end:
            return
        if kind in ("buy", "income", *RECEIVING):
            self.comes(kind, account, units, price)
        elif there and kind in CHANGING:
            self.changes(kind, account, there, size)
        elif there:
            self.goes(kind, account, min(units, there), price, other)

    def comes(self, kind: str, account: str, units: Fraction, price: int) -> None:
        amount, before = money(units * price + 1), (self.day - timedelta(days=price % 700)).isoformat()
        value = money(units * price * (price % 3 + 1) / 2 + 1)
        said: dict[str, Row] = {
            "buy": {"amount": amount, "fee": money(price % 5), "id": f"{self.asset}.{len(self.rows)}"},
            "income": {"amount": amount, "income_type": "staking"},
            "opening_lot": {"acquired": before, "basis": amount},
            "gift_in": {"acquired": before, "basis": amount, "fair_value": value},
            "inheritance": {"fair_value": value},
        }
        self.row(kind, account, plain(units), said[kind])

    def changes(self, kind: str, account: str, there: Fraction, size: int) -> None:
        if kind == "return_of_capital":
            self.row(kind, account, plain(there), {"amount": money(there + 1)})
        else:
            new, old = RATIOS[size % len(RATIOS)]
            self.row(kind, "", old, {"counter_quantity": new})

    def goes(self, kind: str, account: str, units: Fraction, price: int, other: str) -> None:
        sale = {"amount": money(units * price + 10), "fee": money(price % 7)}
        said: dict[str, Row] = {
            "sell": sale,
            "spend": sale,
            "trade": {**sale, "counter_asset": "ETH", "counter_quantity": plain(units * 3)},
            "transfer": {"to_account": other},
        }
        if kind == "sell named":
            units, name = self.named(account, units, price)
            said["sell"] |= {"lot": name} if name else {}
            kind = "sell"
        if kind != "transfer" or other != account:
            self.row(kind, account, plain(units), said.get(kind, {}))

    def named(self, account: str, units: Fraction, price: int) -> tuple[Fraction, str]:
        """A purchase of which something is there, and no more units than that."""
        ids = {number: name for name, number in self.books.lots.items()}
        pieces = [p for p in self.books.here(self.asset, account) if p.lot in ids]
        if not pieces:
            return units, ""
        lot = pieces[price % len(pieces)].lot
        return min(units, sum((p.quantity for p in pieces if p.lot == lot), Fraction(0))), ids[lot]

    def row(self, kind: str, account: str, quantity: str, said: Row) -> None:
        time = f"{self.day}T12:00:{len(self.rows):02}Z" if self.instants else f"{self.day}"
        about = {"time": time, "kind": kind, "asset": self.asset, "asset_class": self.asset_class}
        row = {**about, "account": account, "quantity": quantity, **said}
        number = len(self.rows)
        self.rows.append(row)
        self.books.know(number, row)
        self.books.carry_out(number, row, self.day)
