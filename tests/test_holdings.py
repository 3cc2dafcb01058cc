"""`lotlaw holdings`: what is held on a day, by lot; with prices, what it is worth and what is unrealized."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from conftest import Asked
from lotlaw.starter import DEMO

HEADER = "time,kind,asset,asset_class,quantity,amount,fee,account,to_account\n"
ACME = "2025-01-06,buy,ACME,stock,100,1000,,main,\n"


@pytest.fixture
def held(tmp_path: Path, ask: Asked):
    """The lines of `lotlaw holdings` for rows of a ledger, each split at its columns."""

    def asks(rows: str, *options: object, prices: str = "") -> list[list[str]]:
        (tmp_path / "ledger.csv").write_text(HEADER + rows)
        (tmp_path / "prices.csv").write_text(f"asset,price\n{prices}")
        said = ask("holdings", "ledger.csv", *options, *(["--prices", "prices.csv"] if prices else []))
        assert (said.code, said.error) == (0, "")
        return [line.split() for line in said.text.splitlines()]

    return asks


ON = ("--as-of", "2025-12-31")


@pytest.mark.parametrize(("price", "value", "unrealized"), [("12", "1,200.00", "200.00"), ("8", "800.00", "-200.00")])
def test_a_hundred_shares_at_ten(held, price: str, value: str, unrealized: str) -> None:
    table = held(ACME, *ON, prices=f"ACME,{price}\n")
    assert table == [
        ["asset", "account", "quantity", "acquired", "term", "basis", "price", "value", "unrealized"],
        ["ACME", "main", "100", "2025-01-06", "short", "1,000.00", f"{price}.00", value, unrealized],
        ["total", "1,000.00", value, unrealized],
    ]


def test_without_prices_there_is_basis_only(held) -> None:
    assert held(ACME, *ON) == [
        ["asset", "account", "quantity", "acquired", "term", "basis"],
        ["ACME", "main", "100", "2025-01-06", "short", "1,000.00"],
        ["total", "1,000.00"],
    ]


@pytest.mark.parametrize(
    ("day", "rows"),
    [
        ("2025-01-05", []),
        ("2025-01-06", [["100", "1,000.00"]]),
        ("2025-02-03", [["60", "600.00"]]),
        ("2025-02-04", [["60", "600.00"], ["10", "151.00"]]),
    ],
)
def test_a_day_is_looked_at_as_it_ends(held, day: str, rows: list[list[str]]) -> None:
    more = "2025-02-03,sell,ACME,,40,600,,main,\n2025-02-04,buy,ACME,,10,150,1,main,\n"
    table = held(ACME + more, "--as-of", day)
    lots = [[row[2], row[5]] for row in table if row[0] == "ACME"]
    assert lots == rows
    assert lots or table == [["nothing", "held"]]


@pytest.mark.parametrize(
    ("bought", "day", "term"),
    [
        ("2024-06-10", "2025-06-10", "short"),
        ("2024-06-10", "2025-06-11", "long"),
        ("2024-02-29", "2025-02-28", "short"),
        ("2024-02-29", "2025-03-01", "long"),
    ],
)
def test_the_term_is_that_of_a_sale_on_the_day(held, bought: str, day: str, term: str) -> None:
    assert held(ACME.replace("2025-01-06", bought), "--as-of", day)[1][4] == term


def test_amounts_are_exact_to_the_last_digit(held) -> None:
    coins = "2025-01-06,buy,BTC,crypto,0.30000001,10000.01,,main,\n2025-02-06,sell,BTC,,0.1,5000,,main,\n"
    coin = held(coins, *ON, prices="BTC,98765.4321\n")[1]
    quantity, basis, price, value, unrealized = (Decimal(coin[n].replace(",", "")) for n in (2, 5, 6, 7, 8))
    assert (quantity, price) == (Decimal("0.20000001"), Decimal("98765.4321"))
    assert value == quantity * price
    assert unrealized == value - basis
    sold = Decimal("10000.01") - basis
    assert abs(sold - Decimal("10000.01") * Decimal("0.1") / Decimal("0.30000001")) < Decimal("0.01")


def test_lots_stand_where_they_were_moved_to(held) -> None:
    moved = "2025-02-06,transfer,ACME,,30,,,main,vault\n"
    assert [row[:4] for row in held(ACME + moved, *ON)[1:-1]] == [
        ["ACME", "main", "70", "2025-01-06"],
        ["ACME", "vault", "30", "2025-01-06"],
    ]


def test_an_asset_without_a_price_leaves_the_total_open(held) -> None:
    other = "2025-03-06,buy,FUNDX,etf,5,500,,main,\n"
    table = held(ACME + other, *ON, prices="ACME,12\n")
    assert table[2] == ["FUNDX", "main", "5", "2025-03-06", "short", "500.00"]
    assert table[3] == ["total", "1,500.00"]


def test_a_basis_that_nobody_knows_is_called_unknown(held) -> None:
    table = held(ACME + "2025-03-06,transfer_in,BTC,crypto,1,,,vault,\n", *ON, prices="ACME,12\nBTC,90000\n")
    assert table[2][:3] == ["BTC", "vault", "1"]
    assert table[2][-3:] == ["unknown", "90,000.00", "90,000.00"]
    assert table[3] == ["total", "91,200.00"]


def test_prices_are_read_like_any_export(held, tmp_path: Path, ask: Asked) -> None:
    held(ACME, *ON)
    (tmp_path / "prices.csv").write_bytes('﻿price;note;asset\r\n12;"today\'s";ACME\r\n\r\n'.replace(";", ",").encode())
    said = ask("holdings", "ledger.csv", *ON, "--prices", "prices.csv")
    assert said.text.splitlines()[1].endswith("12.00  1,200.00      200.00")


def test_the_time_zone_of_the_taxpayer_decides_the_day(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(HEADER + "2025-01-06T03:00:00Z,buy,ACME,stock,100,1000,,main,\n")
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\ntimezone: Asia/Tokyo\n")
    assert "2025-01-05" in ask("holdings", "ledger.csv", *ON).text
    assert "2025-01-06" in ask("holdings", "ledger.csv", *ON, "--taxpayer", "taxpayer.yaml").text


def test_a_ledger_that_does_not_add_up_is_refused(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(HEADER + ACME + "2025-02-03,sell,ACME,,140,600,,main,\n")
    said = ask("holdings", "ledger.csv", *ON)
    assert (said.code, said.text) == (2, "")
    assert said.error.startswith("ledger.csv:3: sell of 140 ACME, but only 100 ACME held at main; ")


def test_the_demo_is_held_as_its_exports_say(tmp_path: Path, ask: Asked) -> None:
    """Bought less sold, by hand: 0.25 - 0.02 BTC, 3 - 1 ETH and the staked, 60 - 20 VTI, 200 - 100 ACME, ..."""
    said = ask("holdings", *(DEMO / name for name in ("coinbase.csv", "schwab.csv")), *ON)
    held: dict[str, Decimal] = {}
    for line in said.text.splitlines()[1:-1]:
        asset, _, quantity = line.split()[:3]
        held[asset] = held.get(asset, Decimal(0)) + Decimal(quantity)
    assert held == {
        "BTC": Decimal("0.23"), "ETH": Decimal("2.004123456789"), "SOL": Decimal("40.25"), "XRP": Decimal("780.25"),
        "VTI": Decimal(40), "ACME": Decimal(100), "BNDX": Decimal("40.4012"),
    }  # fmt: skip
