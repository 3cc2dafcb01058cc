"""Lots of a common pool on the day they are kept by account: allocations of Rev. Proc. 2024-28, and none."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from simple_ledger import PERSON, filed, ledger_of, refused, table, warned

from conftest import Asked
from lotlaw.dispositions import match
from lotlaw.lots.allocating import unclaimed
from lotlaw.rules import load

# A coin of 2021 is sold from kraken's two, first in, first out over all accounts: coinbase then holds two coins and the
# lot of 2022, kraken one coin and two lots of 17,000.
LEDGER = """
    time       | kind | asset | quantity | amount | account  | id
    2021-01-04 | buy  | BTC   | 1        | 30000  | coinbase | a
    2022-01-04 | buy  | BTC   | 1        | 40000  | coinbase | b
    2023-01-04 | buy  | BTC   | 2        | 34000  | kraken   | c
    2024-03-01 | sell | BTC   | 1        | 60000  | kraken   |
    2025-03-01 | sell | BTC   | 1        | 90000  | kraken   |
    2025-04-01 | sell | BTC   | 1        | 90000  | coinbase |
"""
UNLIKE = (
    "ledger.csv:6: from 2025-03-01 on, lots of BTC are kept by account, and those of the common pool are not where the "
    "units are (coinbase: 2 held, lots of {}; kraken: 1 held, lots of {}); add the transfers that are missing, give "
    "the allocation you made as digital_asset_safe_harbor, or see what --allocate fifo comes to (no allocation under "
    "Rev. Proc. 2024-28)"
)
LATE = "taxpayer: the allocation was {} on {}; it had to be before {} (Rev. Proc. 2024-28)"
UNITS = [{"lot": "b", "account": "kraken", "quantity": 1}, {"lot": "c", "account": "coinbase", "quantity": 2}]
SPECIFIC = {"kind": "specific_unit", "completed_on": date(2025, 1, 10), "allocation": UNITS}


def general(order: str, *accounts: str) -> dict[str, Any]:
    """A global allocation described in time."""
    rows = [{"asset": "*", "order": order, "accounts": list(accounts)}]
    return {"kind": "global", "described_on": date(2024, 12, 20), "completed_on": date(2025, 1, 10), "allocation": rows}


@pytest.mark.parametrize(
    ("said", "sold", "kept"),
    [
        (SPECIFIC, {"kraken": 40000, "coinbase": 17000}, 17000),
        (general("fifo", "coinbase", "kraken"), {"kraken": 17000, "coinbase": 40000}, 17000),
        (general("hifo", "kraken", "coinbase"), {"kraken": 40000, "coinbase": 17000}, 17000),
        (general("lofo", "kraken", "coinbase"), {"kraken": 17000, "coinbase": 40000}, 17000),
        (general("lifo", "coinbase", "kraken"), {"kraken": 40000, "coinbase": 17000}, 17000),
        (unclaimed("fifo"), {"kraken": 17000, "coinbase": 40000}, 17000),
    ],
    ids=["unit by unit", "fifo", "hifo", "lofo", "lifo", "no safe harbor"],
)
def test_lots_go_where_the_allocation_says(
    tmp_path: Path, said: dict[str, Any], sold: dict[str, int], kept: int
) -> None:
    found = filed(tmp_path, LEDGER, digital_asset_safe_harbor=said)
    rows = found.dispositions.select("account", "basis").rows()
    assert {account: basis // 100 for account, basis in rows} == sold
    assert [(account, int(basis)) for account, basis in found.holdings.select("account", "basis").rows()] == [
        ("coinbase", kept)
    ]


DUE = "digital_asset_safe_harbor: {}; it had to be before {} (Rev. Proc. 2024-28), which is not checked"
RETURN = "the return of 2025 was due, extensions included"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (SPECIFIC, None),
        (general("fifo", "coinbase", "kraken"), None),
        (
            {**general("fifo", "coinbase", "kraken"), "completed_on": None},
            (
                "without the day on which it was completed (completed_on)",
                f"the later of 2025-03-01 and the day {RETURN}",
            ),
        ),
        (
            {**general("fifo", "coinbase", "kraken"), "completed_on": date(2026, 2, 1)},
            ("completed on 2026-02-01", f"the later of 2025-03-01 and the day {RETURN}"),
        ),
    ],
)
def test_what_depends_on_the_day_the_return_is_due_is_told(
    tmp_path: Path, said: dict[str, Any], told: tuple[str, str] | None
) -> None:
    found = warned(tmp_path, filed(tmp_path, LEDGER, digital_asset_safe_harbor=said))
    assert [warning for warning in found if "safe_harbor" in warning] == ([DUE.format(*told)] if told else [])


def test_a_coin_that_is_not_sold_keeps_the_deadline_of_the_return(tmp_path: Path) -> None:
    late = {**SPECIFIC, "completed_on": date(2026, 2, 1)}
    text = LEDGER.rsplit("2025-03-01", 1)[0] + "2025-03-01 | transfer | BTC | 0.5 | | kraken |"
    text = text.replace("| id", "| id | to_account") + " | coinbase\n"
    found = warned(tmp_path, filed(tmp_path, text, digital_asset_safe_harbor=late))
    assert [warning for warning in found if "safe_harbor" in warning] == [DUE.format("completed on 2026-02-01", RETURN)]


def test_each_coin_is_allocated_by_itself(tmp_path: Path) -> None:
    text = (
        LEDGER
        + """
        2021-02-01 | buy  | ETH | 1 | 1000 | coinbase | e
        2022-02-01 | buy  | ETH | 1 | 3000 | kraken   | f
        2024-02-01 | sell | ETH | 1 | 2000 | kraken   |
        2025-05-01 | sell | ETH | 1 | 2500 | coinbase |
    """
    )
    units = [*UNITS, {"lot": "f", "account": "coinbase", "quantity": 1}]
    found = filed(tmp_path, text, digital_asset_safe_harbor={**SPECIFIC, "allocation": units})
    assert found.dispositions.select("asset", "account", "basis").sort("asset", "account").rows() == [
        ("BTC", "coinbase", 1_700_000), ("BTC", "kraken", 4_000_000), ("ETH", "coinbase", 300_000),
    ]  # fmt: skip


def test_nothing_is_allocated_silently(tmp_path: Path) -> None:
    assert refused(tmp_path, LEDGER) == [UNLIKE.format(1, 2)]


@pytest.mark.parametrize(
    ("said", "problems"),
    [
        ({**SPECIFIC, "allocation": [UNITS[0], {**UNITS[1], "quantity": 1}]}, [UNLIKE.format(1, 1)]),
        (
            {**SPECIFIC, "completed_on": date(2025, 3, 1)},
            [LATE.format("completed", "2025-03-01", "2025-03-01")],
        ),
        ({**SPECIFIC, "completed_on": None}, ["taxpayer: completed_on: say when the allocation was completed"]),
        (
            {**general("hifo"), "described_on": date(2025, 1, 1)},
            [LATE.format("described", "2025-01-01", "2025-01-01")],
        ),
        (
            {**SPECIFIC, "allocation": [{**UNITS[0], "account": "krakn"}]},
            ["taxpayer: no account 'krakn' holds any (did you mean 'kraken'?); coinbase, kraken do"],
        ),
        (
            {**SPECIFIC, "allocation": [{**UNITS[0], "lot": "z"}]},
            ["taxpayer: no row has the id 'z'"],
        ),
        (
            {**SPECIFIC, "allocation": [{"lot": "b"}]},
            ["taxpayer: a row of the allocation has lot, account and quantity; or order, and the accounts in order"],
        ),
        (
            {**SPECIFIC, "allocation": [{"asset": "ETH", "order": "fifo"}]},
            ["taxpayer: no lots of 'ETH' are to be allocated; those of BTC are"],
        ),
    ],
    ids=["a lot forgotten", "late", "no date", "described late", "account", "lot", "half a row", "asset"],
)
def test_what_is_wrong_with_an_allocation(tmp_path: Path, said: dict[str, Any], problems: list[str]) -> None:
    assert refused(tmp_path, LEDGER, digital_asset_safe_harbor=said) == problems


def test_the_command_says_that_it_is_no_safe_harbor(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(table(LEDGER), encoding="utf-8")
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\n", encoding="utf-8")
    command = ["file", "2025", "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return", "--allocate"]
    done = ask(*command, "fifo")
    assert done.code == 0
    written = (tmp_path / "return" / "return.json").read_text(encoding="utf-8")
    assert "this is no allocation under Rev. Proc. 2024-28" in written
    assert ask("explain", "return/return.json", "schedule_d.16").code == 0
    assert ask(*command, "hifo").error == "--allocate: no order hifo; there is fifo\n"


def test_an_allocation_changes_nothing_but_where_lots_lie(tmp_path: Path) -> None:
    year, ledger = load(2024), ledger_of(tmp_path, LEDGER)
    plain, allocated = (
        match(ledger, year, {**PERSON, **said}) for said in ({}, {"digital_asset_safe_harbor": SPECIFIC})
    )
    assert plain.dispositions.equals(allocated.dispositions)
