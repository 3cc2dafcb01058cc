"""The engine against a plain reference of the law, and what holds for every ledger: nothing made, nothing lost."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_ledgers import ACCOUNTS, CHANGING, LEAVING, PAYING, RECEIVING, STORIES, TRADING, Row, told
from reference import Person, Reference, carried_out
from simple_ledger import PERSON, ledger_of

import lotlaw
from lotlaw.dispositions import Matched, match_years
from lotlaw.ledger import Ledger
from lotlaw.rules import load

YEARS = (2024, 2025, 2026)
RATES = (Fraction(24, 100), Fraction(15, 100))
IRA = "c"
SECURITIES = (*TRADING, *TRADING, "transfer", *RECEIVING, *LEAVING, *CHANGING)
COINS = (*TRADING, *PAYING, *RECEIVING, *LEAVING, "transfer")
CLASSES = {"stock": SECURITIES, "crypto": COINS}

ROUNDED = Fraction(6, 100)
"""Dollars by which amounts of one lot may differ: the engine rounds each slice to the cent, the reference nothing."""

QUICK = settings(phases=[Phase.explicit, Phase.generate])
"""A ledger that fails is told asset by asset, which is shorter than anything found by minutes of shrinking."""

Sold = dict[tuple[int, int, bool], "Amounts"]
Held = dict[tuple[str, str, int], "Amounts"]


@dataclass
class Amounts:
    """Of one lot, in one sale or still held."""

    quantity: Fraction = Fraction(0)
    basis: Fraction = Fraction(0)
    proceeds: Fraction = Fraction(0)
    disallowed: Fraction = Fraction(0)

    def add(self, quantity: Any, basis: Any, proceeds: Any = 0, disallowed: Any = 0) -> None:
        self.quantity += Fraction(quantity)
        self.basis += Fraction(basis)
        self.proceeds += Fraction(proceeds)
        self.disallowed += Fraction(disallowed)

    def near(self, other: Amounts) -> bool:
        amounts = ((self.basis, other.basis), (self.proceeds, other.proceeds), (self.disallowed, other.disallowed))
        return self.quantity == other.quantity and all(abs(a - b) <= ROUNDED for a, b in amounts)


@dataclass
class Filed:
    """A ledger matched by the engine: what was sold by sale, lot and term, and what is held by account and lot."""

    ledger: Ledger
    years: dict[int, Matched]
    holdings: pl.DataFrame

    def line(self, row: int) -> int:
        return int(self.ledger.rows["line"][row]) - 2

    @property
    def sold(self) -> Sold:
        found: Sold = defaultdict(Amounts)
        for year in self.years.values():
            for row in year.dispositions.iter_rows(named=True):
                cents = (Fraction(row[name], 100) for name in ("basis", "proceeds", "adjustment"))
                key = self.line(row["sale"]), self.line(row["lot"]), row["term"] == "long"
                found[key].add(row["quantity"], *cents)
        return found

    @property
    def held(self) -> Held:
        found: Held = defaultdict(Amounts)
        for row in self.holdings.iter_rows(named=True):
            found[row["asset"], row["account"], self.line(row["lot"])].add(row["quantity"], row["basis"])
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledgers")


def filed(folder: Path, rows: list[Row], person: Person, years: Iterable[int] = YEARS) -> Filed:
    always = {"asset": "*", "account": "*", "from": date(2000, 1, 1), "recorded_on": date(2000, 1, 1)}
    said = {
        **PERSON,
        "methods": [{"method": person.method, **always}],
        "accounts": {name: {"kind": "ira"} for name in person.untaxed},
        "digital_asset_pools_before_2025": "universal" if person.universal else "by_account",
    }
    rates = dict.fromkeys(years, person.rates)
    ledger, law = ledger_of(folder, rows), [load(year) for year in years]
    shown, kept = (match_years(ledger, law, said, held=held, rates=rates) for held in (False, True))
    for year in shown:
        assert shown[year].dispositions.equals(kept[year].dispositions)
    return Filed(ledger, shown, kept[law[-1].year].holdings)


def sold_by(reference: Reference) -> Sold:
    found: Sold = defaultdict(Amounts)
    for s in reference.slices:
        found[s.sale, s.lot, s.long].add(s.quantity, s.basis, s.proceeds, s.disallowed)
    return found


def held_by(reference: Reference) -> Held:
    found: Held = defaultdict(Amounts)
    for p in reference.pieces:
        found[p.asset, p.account, p.lot].add(p.quantity, p.basis)
    return found


def by_account(held: Held) -> dict[tuple[str, str], Amounts]:
    found: dict[tuple[str, str], Amounts] = defaultdict(Amounts)
    for (asset, account, _), amounts in held.items():
        found[asset, account].add(amounts.quantity, amounts.basis)
    return found


def differences(got: Any, wanted: Any) -> dict[Any, Any]:
    return {
        key: (got.get(key), wanted.get(key))
        for key in {*got, *wanted}
        if key not in got or key not in wanted or not got[key].near(wanted[key])
    }


# The same as a plain reference


def agree(folder: Path, rows: list[Row], person: Person) -> None:
    """Fails unless engine and reference sell the same units of the same lots, and hold the same."""
    engine, reference = filed(folder, rows, person), carried_out(rows, person)
    sold = differences(engine.sold, sold_by(reference))
    held = differences(engine.held, held_by(reference))
    about = {rows[sale]["asset"] for sale, _, _ in sold} | {asset for asset, _, _ in held}
    assert (sold, held) == ({}, {}), "\n".join(str(row) for row in rows if row["asset"] in about)


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "lofo", "min_tax"])
@pytest.mark.parametrize("asset_class", CLASSES)
@settings(QUICK, max_examples=15)
@given(STORIES, st.booleans())
def test_the_engine_is_the_reference(folder: Path, asset_class: str, method: str, drawn: Any, ira: bool) -> None:
    person = Person(method, RATES, universal=False, untaxed=frozenset({IRA} if ira else ()))
    agree(folder, told(drawn, asset_class, CLASSES[asset_class], person), person)


@settings(QUICK, max_examples=10)
@given(STORIES)
def test_gifts_of_two_bases_are_chosen_by_the_tax_they_leave(folder: Path, drawn: Any) -> None:
    person = Person("min_tax", RATES)
    drawn = [[(n, "a", "a", size, price, days) for n, _, _, size, price, days in deeds] for deeds in drawn]
    agree(folder, told(drawn, "stock", ("buy", "gift_in", "gift_in", "sell", "sell"), person), person)


@settings(QUICK, max_examples=10)
@given(STORIES)
def test_average_cost_is_the_references(folder: Path, drawn: Any) -> None:
    kinds = ("buy", "buy", "sell", "sell", "split", "return_of_capital")
    person = Person("average")
    rows = told(drawn, "fund", kinds, person)
    engine, reference = filed(folder, rows, person), carried_out(rows, person)
    assert differences(engine.sold, sold_by(reference)) == {}
    # What was bought after the last sale shares in the average only when the next is made: together they are the same.
    assert differences(by_account(engine.held), by_account(held_by(reference))) == {}


@pytest.mark.parametrize(("method", "costs"), [("hifo", 900), ("lofo", 500)])
def test_costs_are_told_apart_however_many_units_a_cent_buys(folder: Path, method: str, costs: int) -> None:
    coin = {"asset": "SHIB", "asset_class": "crypto", "quantity": "50000000.000000000000000001"}
    amounts = {"2024-01-02": "500", "2024-02-01": "900", "2024-03-01": "700"}
    bought = [{"time": day, "kind": "buy", "amount": amount, **coin} for day, amount in amounts.items()]
    sold = {"time": "2025-02-03", "kind": "sell", "amount": "800", **coin}
    (row,) = filed(folder, [*bought, sold], Person(method)).years[2025].dispositions.iter_rows(named=True)
    assert row["basis"] == 100 * costs


# Pools

PAST = (2023, 2024)


def past(drawn: Any, asset_class: str, accounts: int, person: Person) -> list[Row]:
    """A ledger of the years in which coins could be kept in one pool."""
    here = ACCOUNTS[:accounts]
    drawn = [
        [(n, here[size % accounts], here[price % accounts], size, price, days) for n, _, _, size, price, days in deeds]
        for deeds in drawn
    ]
    return told(drawn, asset_class, (*TRADING, "transfer"), person, date(2023, 1, 1), date(2024, 12, 31))


@pytest.mark.parametrize("universal", [True, False])
@settings(QUICK, max_examples=10)
@given(STORIES)
def test_before_2025_coins_are_sold_as_they_were_kept(folder: Path, universal: bool, drawn: Any) -> None:
    person = Person(universal=universal)
    rows = past(drawn, "crypto", 3, person)
    assert differences(filed(folder, rows, person, PAST).sold, sold_by(carried_out(rows, person))) == {}


@pytest.mark.parametrize(("asset_class", "accounts"), [("stock", 3), ("crypto", 1)])
@settings(QUICK, max_examples=10)
@given(STORIES)
def test_a_pool_matters_for_coins_in_several_accounts_only(
    folder: Path, asset_class: str, accounts: int, drawn: Any
) -> None:
    rows = past(drawn, asset_class, accounts, Person(universal=False))
    pooled, by_account = (filed(folder, rows, Person(universal=universal), PAST) for universal in (True, False))
    assert pooled.sold == by_account.sold
    assert pooled.held == by_account.held


# Nothing is made, nothing is lost

PAID = {
    "buy": ("amount", "fee"), "income": ("amount",), "trade": ("amount",), "opening_lot": ("basis",),
    "inheritance": ("fair_value",),
}  # fmt: skip
"""What is paid for lots, by kind."""


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "lofo"])
@settings(QUICK, max_examples=8)
@given(STORIES)
def test_units_and_cents_go_out_as_they_came_in(folder: Path, method: str, drawn: Any) -> None:
    """What is disallowed of a loss is basis again."""
    person = Person(method, universal=False)
    rows = [
        *told(drawn, "stock", (*TRADING, "inheritance", "opening_lot", *CHANGING, "transfer"), person),
        *told(drawn, "crypto", (*TRADING, *PAYING, "opening_lot"), person),
    ]
    engine = filed(folder, rows, person)
    sold, held = list(engine.sold.values()), list(engine.held.values())
    paid = sum(Fraction(row[name]) for row in rows for name in PAID.get(row["kind"], ()))
    paid -= sum(Fraction(row["amount"]) for row in rows if row["kind"] == "return_of_capital")
    assert sum(s.basis - s.disallowed for s in sold) + sum(h.basis for h in held) == paid
    gotten = [Fraction(r["amount"]) - Fraction(r["fee"]) for r in rows if r["kind"] in ("sell", "spend", "trade")]
    assert sum(s.proceeds for s in sold) == sum(gotten)
    left = defaultdict[tuple[str, str], Fraction](Fraction)
    for (asset, account, _), amounts in engine.held.items():
        left[asset, account] += amounts.quantity
    assert dict(left) == {place: units for place, units in carried_out(rows, person).units.items() if units}


@settings(QUICK, max_examples=8)
@given(STORIES)
def test_a_loss_that_nobody_gets_back_is_told(folder: Path, drawn: Any) -> None:
    person = Person(untaxed=frozenset({IRA}))
    rows = told(drawn, "stock", (*TRADING, *TRADING, "transfer"), person)
    lost = [s.lost for s in carried_out(rows, person).slices if s.lost]
    told_ = [warning for year in filed(folder, rows, person).years.values() for warning in year.warnings]
    gone = [Fraction(n) for warning in sorted(set(told_)) for n in re.findall(r"([\d.]+) dollars of the loss", warning)]
    assert abs(sum(gone) - sum(lost)) <= ROUNDED * len(lost)


# The order of the file


@settings(QUICK, max_examples=10)
@given(STORIES, st.randoms(use_true_random=False), st.sampled_from(["fifo", "hifo"]))
def test_rows_in_another_order_give_the_same_return(folder: Path, drawn: Any, random: Any, method: str) -> None:
    rows = told(drawn, "stock", SECURITIES, Person(method))
    mixed = rows.copy()
    random.shuffle(mixed)
    # Rows of one day count as they stand: they keep their turn.
    turns = {day: iter([row for row in rows if row["time"] == day]) for day in {row["time"] for row in rows}}
    mixed = [next(turns[row["time"]]) for row in mixed]
    assert said(folder, rows, method) == said(folder, mixed, method)


def said(folder: Path, rows: list[Row], method: str) -> tuple[str, str]:
    """The return as text, and as JSON without the lines of files it came from."""
    return_ = lotlaw.compute(load(2025), ledger_of(folder, rows), PERSON, method)
    told = json.loads(str(lotlaw.render(return_, "json")))
    del told["inputs"]["files"]
    for part in (*told["form_8949"], {"rows": told["income"]}):
        for row in part["rows"]:
            del row["source"]
    return str(lotlaw.render(return_, "txt")), json.dumps(told)


# Accounts, and assets that have nothing to do with each other


@settings(QUICK, max_examples=8)
@given(STORIES, st.sampled_from(["fifo", "hifo"]))
def test_accounts_one_by_one_add_up_to_the_whole(folder: Path, drawn: Any, method: str) -> None:
    """From 2025, where nothing moves between accounts and no wash sale looks across them."""
    person = Person(method)
    rows = told(drawn, "crypto", (*TRADING, *PAYING, *RECEIVING, *LEAVING), person, date(2025, 1, 1))
    rows = [
        {**row, "amount": row["amount"] + "4" * (row["kind"] == "income")} if "amount" in row else row for row in rows
    ]
    accounts = sorted({row["account"] for row in rows})
    parts = [[row for row in rows if row["account"] == account] for account in accounts]
    whole = shown(filed(folder, rows, person, (2025, 2026)))
    single = [row for part in parts for row in shown(filed(folder, part, person, (2025, 2026)))]
    assert sorted(single, key=str) == sorted(whole, key=str)


@pytest.mark.parametrize("method", ["hifo", "average"])
@settings(QUICK, max_examples=4)
@given(STORIES)
def test_an_amount_finer_than_a_cent_changes_nothing_of_other_assets(folder: Path, method: str, drawn: Any) -> None:
    person = Person(method)
    kinds = ("buy", "sell", "split", "return_of_capital") if method == "average" else SECURITIES
    rows = told(drawn, "fund", kinds, person)
    other = {"time": "2024-09-30", "asset": "OTHER", "asset_class": "fund", "account": "a"}
    fine = {**other, "kind": "buy", "quantity": "1", "amount": "10.0000000001"}
    tripled = {**other, "kind": "split", "quantity": "1", "counter_quantity": "3"}
    with_other = [row for row in shown(filed(folder, [fine, tripled, *rows], person)) if "OTHER" not in row]
    assert with_other == shown(filed(folder, rows, person))


def shown(filed: Filed) -> list[Any]:
    """The rows of the years' forms, and what is held in the end."""
    names = ("account", "description", "acquired", "sold", "proceeds", "basis", "adjustment", "gain", "term", "box")
    held = filed.holdings.drop("lot").rows()
    return [row for year in filed.years.values() for row in year.dispositions.select(names).rows()] + held
