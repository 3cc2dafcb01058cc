"""From a ledger to the rows of Form 8949: what every kind of event does, and what is refused with which words."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_ledger import BY_ACCOUNT, PERSON, Row, dollars, filed, held, ledger_of, lines, plain, refused

from conftest import Asked
from lotlaw.dispositions import match, match_years
from lotlaw.rules import load

# Purchases and sales


def test_the_earliest_lots_go_first_and_each_slice_has_its_row(tmp_path: Path) -> None:
    text = """
        time       | kind | asset | asset_class | quantity | amount  | fee
        2024-01-02 | buy  | ACME  | stock       | 100      | 1000.00 | 5.00
        2024-06-03 | buy  | ACME  | stock       | 50       | 600.00  |
        2025-03-03 | sell | ACME  | stock       | 120      | 1800.00 | 6.00
        2025-03-03 | buy  | BTC   | crypto      | 1.5      | 100     |
        2025-03-04 | sell | BTC   | crypto      | 1.25     | 200     |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "C | 20 sh. ACME | 2024-06-03 | 2025-03-03 | 299.00 | 240.00 | 59.00",
        "I | 1.25 BTC | 2025-03-03 | 2025-03-04 | 200.00 | 83.33 | 116.67",
        "F | 100 sh. ACME | 2024-01-02 | 2025-03-03 | 1495.00 | 1005.00 | 490.00",
    ]
    assert held(matched) == ["30 ACME at main of 2024-06-03 for 360", "0.25 BTC at main of 2025-03-03 for 16.67"]


def test_other_years_move_lots_and_leave_no_rows(tmp_path: Path) -> None:
    text = """
        time       | kind | asset | asset_class | quantity | amount
        2023-01-02 | buy  | ACME  | stock       | 3        | 10.00
        2023-02-01 | sell | ACME  | stock       | 1        | 9.00
        2024-02-01 | sell | ACME  | stock       | 1        | 9.00
        2025-02-01 | sell | ACME  | stock       | 1        | 9.00
        2026-02-01 | sell | ACME  | stock       | 9        | 9.00
    """
    assert [lines(filed(tmp_path, text, year)) for year in (2023, 2024, 2025)] == [
        ["C | 1 sh. ACME | 2023-01-02 | 2023-02-01 | 9.00 | 3.33 | 5.67"],
        ["F | 1 sh. ACME | 2023-01-02 | 2024-02-01 | 9.00 | 3.34 | 5.66"],
        ["F | 1 sh. ACME | 2023-01-02 | 2025-02-01 | 9.00 | 3.33 | 5.67"],
    ]


def test_years_matched_together_are_the_years_one_by_one(tmp_path: Path) -> None:
    rows = [
        {
            "time": f"{2019 + n // 4}-0{1 + n % 4 * 2}-15",
            "kind": "sell" if n % 3 == 2 else "buy",
            "asset": "ACME",
            "asset_class": "stock",
            "quantity": str(1 + n % 2),
            "amount": str(100 + 7 * n),
        }
        for n in range(28)
    ]
    ledger = ledger_of(tmp_path, rows)
    together = match_years(ledger, [load(year) for year in range(2019, 2026)], PERSON)
    for year in range(2019, 2026):
        assert together[year].dispositions.equals(match(ledger, load(year), PERSON).dispositions)
    assert sum(matched.dispositions.height for matched in together.values()) > 9


def test_a_payment_is_a_sale(tmp_path: Path) -> None:
    text = """
        time       | kind  | asset | asset_class | quantity | amount | fee
        2024-12-01 | buy   | ETH   | crypto      | 2        | 4000   |
        2025-02-01 | spend | ETH   | crypto      | 0.5      | 1500   | 2.50
    """
    assert lines(filed(tmp_path, text)) == ["I | 0.5 ETH | 2024-12-01 | 2025-02-01 | 1497.50 | 1000.00 | 497.50"]


def test_a_lot_from_before_the_ledger_keeps_its_date(tmp_path: Path) -> None:
    text = """
        time       | kind        | asset | asset_class | quantity | amount | acquired   | basis
        2024-11-01 | buy         | ACME  | stock       | 10       | 100    |            |
        2024-12-01 | opening_lot | ACME  | stock       | 10       |        | 2015-05-05 | 20
        2024-12-02 | opening_lot | ACME  | stock       | 10       |        | INHERITED  | 30
        2025-02-01 | sell        | ACME  | stock       | 25       | 500    |            |
    """
    assert lines(filed(tmp_path, text)) == [
        "C | 10 sh. ACME | 2024-11-01 | 2025-02-01 | 200.00 | 100.00 | 100.00",
        "F | 10 sh. ACME | 2015-05-05 | 2025-02-01 | 200.00 | 20.00 | 180.00",
        "F | 5 sh. ACME | INHERITED | 2025-02-01 | 100.00 | 15.00 | 85.00",
    ]


@pytest.mark.parametrize(("kind", "rows", "income"), [("roth_ira", 0, 0), ("taxable", 1, 1)])
def test_what_is_sold_in_a_retirement_account_leaves_no_row(tmp_path: Path, kind: str, rows: int, income: int) -> None:
    text = """
        time       | kind   | asset | asset_class | quantity | amount | account | income_type
        2024-12-01 | buy    | ETH   | crypto      | 2        | 4000   | x       |
        2025-02-01 | sell   | ETH   | crypto      | 1        | 3000   | x       |
        2025-02-01 | income | ETH   | crypto      | 1        | 3000   | x       | staking
    """
    matched = filed(tmp_path, text, accounts={"x": {"kind": kind}})
    assert (matched.dispositions.height, matched.income.height) == (rows, income)


def test_collectibles_are_marked(tmp_path: Path) -> None:
    text = """
        time       | kind | asset      | asset_class | quantity | amount
        2020-12-01 | buy  | Krugerrand | collectible | 2        | 3000
        2025-02-01 | sell | Krugerrand | collectible | 1        | 2900
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["F | 1 Krugerrand | 2020-12-01 | 2025-02-01 | 2900.00 | 1500.00 | C 0.00 | 1400.00"]
    assert matched.dispositions["collectible"].to_list() == [True]


def test_coins_of_eighteen_decimals_are_exact(tmp_path: Path) -> None:
    text = """
        time       | kind | asset | asset_class | quantity                        | amount
        2024-01-02 | buy  | WEI   | crypto      | 123456789012.123456789012345678 | 999999.99
        2025-02-02 | sell | WEI   | crypto      | 0.000000000000000001            | 0.01
        2025-02-03 | sell | WEI   | crypto      | 123456789012.123456789012345677 | 9
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "L | 0.000000000000000001 WEI | 2024-01-02 | 2025-02-02 | 0.01 | 0.00 | 0.01",
        "L | 123456789012.123456789012345677 WEI | 2024-01-02 | 2025-02-03 | 9.00 | 999999.99 | -999990.99",
    ]
    assert held(matched) == []


# Exchanges and fees

SWAP = """
    time|kind|asset|quantity|amount|fee|fee_asset|fee_qty|fee_usd|counter_asset|counter_quantity|group_id|asset_class
    2020-01-06 | buy | TE | 1 | 0.10 | | | | | | | | crypto
    2025-01-05 | buy | TD | 11 | 5.50 | | | | | | | | crypto
    2025-01-05 | buy | BNB | 1 | 300 | | | | | | | | crypto
"""


def test_a_fee_in_dollars_lowers_the_proceeds_of_what_is_given_up(tmp_path: Path) -> None:
    """Reg. §1.1001-7(b)(5), example 4: bought for 5, exchanged for 20 at a cost of 2; proceeds of 18, a gain of 13."""
    matched = filed(tmp_path, f"{SWAP} 2025-04-01 | trade | TD | 10 | 20 | 2 | | | | TE | 10 | |")
    assert lines(matched) == ["I | 10 TD | 2025-01-05 | 2025-04-01 | 18.00 | 5.00 | 13.00"]
    assert held(matched)[-2:] == ["1 TE at main of 2020-01-06 for 0.1", "10 TE at main of 2025-04-01 for 20"]


def test_units_withheld_from_what_is_received_leave_at_their_value(tmp_path: Path) -> None:
    """Reg. §1.1001-7(b)(5), example 5: costs of 3 in all leave 17, a gain of 12; the units withheld have none.

    They come from the units just received, though older ones are held (§1.1012-1(j)(3)(iii)).
    """
    matched = filed(tmp_path, f"{SWAP} 2025-04-01 | trade | TD | 10 | 20 | | TE | 1.5 | | TE | 10 | |")
    assert lines(matched) == [
        "I | 10 TD | 2025-01-05 | 2025-04-01 | 17.00 | 5.00 | 12.00",
        "I | 1.5 TE | 2025-04-01 | 2025-04-01 | 3.00 | 3.00 | 0.00",
    ]
    assert held(matched)[-2:] == ["1 TE at main of 2020-01-06 for 0.1", "8.5 TE at main of 2025-04-01 for 17"]


def test_units_withheld_from_what_is_given_up_are_sold_with_it(tmp_path: Path) -> None:
    matched = filed(tmp_path, f"{SWAP} 2025-04-01 | trade | TD | 10 | 20 | | TD | 1 | | TE | 10 | |")
    assert lines(matched) == ["I | 11 TD | 2025-01-05 | 2025-04-01 | 20.00 | 5.50 | 14.50"]


@pytest.mark.parametrize(
    "rows",
    [
        "2025-04-01 | trade | TD | 10 | 20 | | BNB | 0.01 | 4 | TE | 10 | |",
        "2025-04-01|trade|TD|10|20|||||TE|10|g|\n 2025-04-01|fee|BNB|0.01|4|||||||g|",
        "2025-04-01|fee|BNB|0.01|4|||||||g|\n 2025-04-01|trade|TD|10|20|||||TE|10|g|",
    ],
    ids=["on its row", "on a row after it, in its group", "on a row before it"],
)
def test_a_fee_in_a_third_asset_is_a_sale_of_its_own(tmp_path: Path, rows: str) -> None:
    assert sorted(lines(filed(tmp_path, f"{SWAP}{rows}"))) == [
        "I | 0.01 BNB | 2025-01-05 | 2025-04-01 | 4.00 | 3.00 | 1.00",
        "I | 10 TD | 2025-01-05 | 2025-04-01 | 16.00 | 5.00 | 11.00",
    ]


def test_a_fee_by_itself_is_a_sale_and_nobodys_cost(tmp_path: Path) -> None:
    matched = filed(tmp_path, f"{SWAP} 2025-04-01 | fee | BNB | 0.01 | 4 | | | | | | | |")
    assert lines(matched) == ["I | 0.01 BNB | 2025-01-05 | 2025-04-01 | 4.00 | 3.00 | 1.00"]


def test_a_coin_fee_of_a_purchase_is_part_of_its_basis_and_sold(tmp_path: Path) -> None:
    matched = filed(tmp_path, f"{SWAP} 2025-04-01 | buy | TX | 10 | 20 | | BNB | 0.01 | 4 | | | | crypto")
    assert lines(matched) == ["I | 0.01 BNB | 2025-01-05 | 2025-04-01 | 4.00 | 3.00 | 1.00"]
    assert held(matched)[-1] == "10 TX at main of 2025-04-01 for 24"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "2025-04-01 | trade | TD | 10 | 20 | | BNB | 0.01 | | TE | 10 | |",
            "ledger.csv:5: the fee of 0.01 BNB has no dollar value; give its fair value in fee_usd",
        ),
        (
            "2025-04-01 | trade | TD | 10 | 20 | | TE | 11 | | TE | 10 | |",
            "ledger.csv:5: trade: the fee is more than what was received",
        ),
        (
            "2025-04-01|sell|TD|1|2|||||||g|\n 2025-04-01|sell|TD|2|4|||||||g|\n 2025-04-01|fee|BNB|0.01|4|||||||g|",
            "ledger.csv:7: this fee may belong to any of 2 events of its group 'g'; give each its own",
        ),
    ],
    ids=["no value", "too much", "whose"],
)
def test_fees_that_are_refused(tmp_path: Path, rows: str, said: str) -> None:
    assert refused(tmp_path, f"{SWAP}{rows}") == [said]


# Income


def test_income_is_exact_and_some_of_it_counts(tmp_path: Path) -> None:
    text = """
        time       | kind     | asset | asset_class | quantity | amount | income_type | fee_asset | fee_qty
        2025-01-05 | income   | SOL   | crypto      | 0.01     | 0.004  | staking     |           |
        2025-01-06 | income   | SOL   | crypto      | 1        | 10     | referral    | SOL       | 0.1
        2025-01-07 | interest | SOL   | crypto      | 1        | 7      |             |           |
        2025-01-08 | dividend | ACME  | stock       | 100      | 50     |             |           |
        2025-01-09 | income   | SOL   | crypto      | 1        | 9      | business    |           |
        2024-12-31 | income   | SOL   | crypto      | 1        | 9      | staking     |           |
    """
    matched = filed(tmp_path, text)
    rows = matched.income.iter_rows(named=True)
    assert [(row["kind"], row["asset"], plain(row["amount"]), row["counted"]) for row in rows] == [
        ("staking", "SOL", "0.004", True),
        ("referral", "SOL", "9", True),
        ("interest", "SOL", "7", False),
        ("dividend", "USD", "50", False),
        ("business", "SOL", "9", False),
    ]
    assert held(matched)[2] == "0.9 SOL at main of 2025-01-06 for 9"


def test_fractions_of_a_cent_are_not_lost(tmp_path: Path) -> None:
    rewards = "\n".join(f"2025-01-{day:02} | income | SOL | crypto | 0.01 | 0.004 | staking" for day in range(1, 11))
    text = f"""
        time       | kind   | asset | asset_class | quantity | amount | income_type
        {rewards}
        2025-02-01 | sell   | SOL   | crypto      | 0.1      | 1      |
    """
    matched = filed(tmp_path, text)
    assert matched.dispositions["basis"].to_list() == [0, 1, 0, 1, 0, 0, 1, 0, 1, 0]
    assert matched.income["amount"].sum() == Decimal("0.04")


# What others worked out

CLOSED = (
    "time | kind | asset | asset_class | quantity | amount | acquired | basis | form_1099 | codes | adjustment | term"
)


def test_a_closed_lot_stands_as_it_is(tmp_path: Path) -> None:
    text = f"""{CLOSED}
        2025-03-01 | closed_lot | 100 sh. ACME | stock |  | 100 | 2024-03-01 | 50 | b_covered | | |
        2025-03-01 | closed_lot | A coin | collectible | 1 | 100 | VARIOUS | 50 | | | | long
        2025-03-02 | closed_lot | Old stock | stock | | 100 | INHERITED | 150 | b_noncovered | W | 20 |
        2025-03-03 | closed_lot | Some token | crypto | | 100.005 | 2023-03-01 | 50 | da_covered | W | 20.004 | short
        2025-03-04 | closed_lot | A stamp | other | | 9 | 2023-03-01 | 5 | | WC | 20 |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "A | 100 sh. ACME | 2024-03-01 | 2025-03-01 | 100.00 | 50.00 | 50.00",
        "G | Some token | 2023-03-01 | 2025-03-03 | 100.01 | 50.00 | W 20.00 | 70.01",
        "E | Old stock | INHERITED | 2025-03-02 | 100.00 | 150.00 | W 20.00 | -30.00",
        "F | A coin | VARIOUS | 2025-03-01 | 100.00 | 50.00 | C 0.00 | 50.00",
        "F | A stamp | 2023-03-01 | 2025-03-04 | 9.00 | 5.00 | CW 20.00 | 24.00",
    ]
    assert matched.dispositions["collectible"].to_list() == [False, False, False, True, True]


def test_closed_lots_that_the_form_cannot_take(tmp_path: Path) -> None:
    text = f"""{CLOSED}
        2018-03-01 | closed_lot | V | stock  |  | 100 | VARIOUS    | 50 |            |   |    |
        2018-03-01 | closed_lot | Y | stock  |  | 100 | 2017-01-01 | 50 |            | Y | 1  |
        2018-03-01 | closed_lot | Z | stock  |  | 100 | 2017-01-01 | 50 |            |   | 1  |
        2018-03-01 | closed_lot | W | stock  |  | 100 | 2017-01-01 | 50 |            | W | -1 |
        2018-03-01 | closed_lot | D | crypto |  | 100 | 2017-01-01 | 50 | da_covered |   |    |
    """
    box = "no box of the 2018 Form 8949 takes form_1099 'da_covered' for D, a digital asset"
    assert refused(tmp_path, text, 2018) == [
        "ledger.csv:2: acquired VARIOUS, and nothing says how long it was held; give term, short or long",
        "ledger.csv:3: the 2018 Form 8949 has no code Y; its codes are B, C, D, E, H, L, M, N, O, Q, R, S, T, W, X, Z",
        "ledger.csv:4: an adjustment needs a code that says what it is for",
        "ledger.csv:5: an adjustment of -1.00 does not go with code W: mind its sign",
        f"ledger.csv:6: {box}; it may be b_covered, b_noncovered, none",
    ]


# Boxes


@pytest.mark.parametrize(
    ("year", "asset_class", "boxes"),
    [(2024, "stock", "ABC"), (2024, "crypto", "ABC"), (2025, "stock", "ABCGH"), (2025, "crypto", "ABIGH")],
)
def test_the_box_is_found_by_term_report_and_class(tmp_path: Path, year: int, asset_class: str, boxes: str) -> None:
    reports = ["b_covered", "b_noncovered", "none", "da_covered", "da_noncovered"][: len(boxes)]
    sales = "\n".join(f"{year}-03-01 | sell | X | {asset_class} | 1 | 9 | {report}" for report in reports)
    form = load(year).documents["form_8949"].value["boxes"]
    for bought, part in ((f"{year}-01-02", "I"), ("2018-01-02", "II")):
        buy = f"{bought} | buy | X | {asset_class} | 9 | 9 |"
        rows = filed(
            tmp_path, f"time|kind|asset|asset_class|quantity|amount|form_1099\n{buy}\n{sales}", year
        ).dispositions
        found = dict(zip(rows["form_1099"], rows["box"], strict=True))
        wanted = boxes if part == "I" else boxes.translate(str.maketrans("ABCGHI", "DEFJKL"))
        assert [found[report] for report in reports] == list(wanted)
        assert rows["box"].to_list() == [box for box in form if box in wanted]
        assert rows["part"].unique().to_list() == [part]


def test_what_the_broker_reports_stands_on_the_row_or_with_the_account(tmp_path: Path) -> None:
    text = """
        time       | kind | asset | asset_class | quantity | amount | account | form_1099
        2025-01-02 | buy  | BTC   | crypto      | 3        | 300    | kraken  |
        2025-02-02 | sell | BTC   | crypto      | 1        | 100    | kraken  |
        2025-02-03 | sell | BTC   | crypto      | 1        | 100    | kraken  | none
    """
    matched = filed(tmp_path, text, accounts={"kraken": {"form_1099": "da_noncovered"}})
    assert matched.dispositions["box"].to_list() == ["H", "I"]


# What is refused

BEFORE = "; add what was acquired before, or an opening_lot"
OPTION = "or count it as zero with --allow-unknown-basis"
THERE = f"; give acquired and basis there, or the file of the account they came from, {OPTION}"
WORTH = "; give the dollar value of what was sent in usd_value, or the fee in fee_asset, fee_qty and fee_usd"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "2024-01-02 | buy | BTC | crypto | 2 | 9 | a |\n 2025-01-02 | sell | BTC | crypto | 3 | 9 | a |",
            f"3: sell of 3 BTC, but only 2 BTC held at a{BEFORE}",
        ),
        (
            "2024-01-02 | buy | BTC | crypto | 2 | 9 | a |\n 2024-01-02 | sell | BTC | crypto | 2.5 | 9 | b |",
            f"3: sell of 2.5 BTC, but only 2 BTC held in all accounts together{BEFORE}",
        ),
        (
            "2024-01-02 | buy | ETH | crypto | 2 | 9 | a |\n 2025-01-02 | transfer | ETH | crypto | 3 | 9 | a | b",
            f"3: transfer of 3 ETH, but only 2 ETH held at a{BEFORE}",
        ),
        (
            "2025-01-02 | gift_out | ACME | stock | 1 | | a |",
            f"2: gift_out of 1 ACME, but only 0 ACME held at a{BEFORE}",
        ),
        (
            "2025-01-02 | income | ETH | crypto | 1 | | a |",
            "2: income of ETH has no dollar value; give its fair value in dollars (amount, or usd_value)",
        ),
        (
            "2025-01-02 | transfer_in | ETH | crypto | 1 | | a |\n 2025-01-03 | sell | ETH | crypto | 0.25 | 9 | a |",
            f"3: 0.25 ETH of this sale came with ledger.csv:2, and their basis and date acquired are unknown{THERE}",
        ),
        (
            "2024-01-02|buy|ETH|crypto|2|9|a|\n2025-01-02|transfer_out|ETH||1||a|\n2025-01-03|transfer_in|ETH||0.99||b|",
            f"3: 0.01 ETH of this transfer did not arrive, a fee that is sold at fair value{WORTH}",
        ),
    ],
    ids=[
        "more than held",
        "more than all hold",
        "a transfer of more",
        "a gift of more",
        "no value",
        "unknown basis",
        "lost, and worth unknown",
    ],
)
def test_what_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    head = "time | kind | asset | asset_class | quantity | amount | account | to_account"
    assert refused(tmp_path, f"{head}\n{rows}") == [f"ledger.csv:{said}"]


@pytest.mark.parametrize(
    ("kind", "legs", "of"),
    [
        ("return_of_capital", "||EUR|9|ACME|", "EUR"),
        ("cash_in_lieu", "||EUR|9|ACME|1", "ACME"),
        ("short_open", "ACME|1|EUR|9||", "ACME"),
        ("short_close", "EUR|9|ACME|1||", "ACME"),
    ],
)
def test_what_is_paid_in_another_currency_needs_its_value(tmp_path: Path, kind: str, legs: str, of: str) -> None:
    head = "event_id|date|kind|account|out_asset|out_qty|in_asset|in_qty|ref_asset|ref_qty|asset_class"
    rows = f"1|2025-01-02|short_open|a|ACME|1|USD|9|||stock\n2|2025-01-03|{kind}|a|{legs}|"
    said = f"{kind} of {of} has no dollar value; give its fair value in dollars (amount, or usd_value)"
    assert refused(tmp_path, f"{head}\n{rows}") == [f"ledger.csv:3: {said}"]


def test_gift_tax_raises_no_basis_above_what_the_gift_was_worth(tmp_path: Path) -> None:
    text = """
        time       | kind    | asset | asset_class | quantity | acquired   | basis | fair_value | gift_tax_usd
        2025-01-02 | gift_in | ACME  | stock       | 1        | 2020-03-02 | 100   | 120        | 20
        2025-01-03 | gift_in | ACME  | stock       | 1        | 2020-03-02 | 100   | 120        | 20.01
    """
    what = (
        "gift_tax_usd raises the donor's basis above what the gift was worth; only the tax on what it was worth above"
    )
    law = "§1015(a), (d) and (e); §1041(b); §1223(2)"
    assert refused(tmp_path, text) == [f"ledger.csv:3: {what} that basis is added ({law})"]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
        time       | kind   | asset | asset_class | quantity | amount | account
        2025-01-02 | income | ETH   | crypto      | 1        |        | a
        2025-01-03 | spend  | ETH   | crypto      | 1        |        | a
    """
    assert [problem.split(":")[1] for problem in refused(tmp_path, text)] == ["2", "3"]


@pytest.mark.parametrize(
    "row",
    [
        "2025-01-02 | buy | BTC | crypto | 1 | 10000000000000.01 | | ",
        "2025-01-02 | closed_lot | BTC | crypto | 1 | 99999999999999999 | 2024-01-02 | 5",
    ],
)
def test_an_amount_that_no_form_has_room_for_is_refused(tmp_path: Path, row: str) -> None:
    text = f"time | kind | asset | asset_class | quantity | amount | acquired | basis\n {row}"
    assert refused(tmp_path, text) == ["ledger.csv:2: an amount of more than 10,000,000,000,000 dollars"]


# What holds for every ledger

CLASSES = {"ACME": "stock", "BTC": "crypto", "ETH": "crypto"}
deeds = st.tuples(
    st.sampled_from(["buy", "buy", "income", "sell", "spend", "trade", "transfer"]),
    st.sampled_from(list(CLASSES)),
    st.sampled_from(["a", "b"]),
    st.integers(1, 40),
    st.integers(1, 5_000),
    st.integers(0, 90),
    st.integers(0, 99),
)


def made(script: list[tuple[str, str, str, int, int, int, int]]) -> list[Row]:
    """A ledger of events that can all happen: nothing is sold that is not held. No two are of one instant."""
    held_units, rows, day = Counter[tuple[str, str]](), list[Row](), date(2023, 1, 1)
    for n, (kind, asset, account, tenths, cents, gap, fee) in enumerate(script):
        day += timedelta(days=gap)
        gives = kind in ("sell", "spend", "trade", "transfer")
        units = min(tenths, held_units[asset, account]) if gives else tenths
        if not units:
            continue
        held_units[asset, account] += -units if gives else units
        row = {"time": f"{day}T12:00:{n:02}Z", "kind": kind, "asset": asset, "account": account}
        row |= {"asset_class": CLASSES[asset], "quantity": str(Decimal(units) / 10), "amount": dollars(cents)}
        if kind == "transfer":
            row["to_account"] = "b" if account == "a" else "a"
            held_units[asset, row["to_account"]] += units
        elif kind == "trade":
            row |= {"counter_asset": "ETH" if asset == "BTC" else "BTC", "counter_quantity": str(Decimal(tenths) / 10)}
            held_units[row["counter_asset"], account] += tenths
        rows.append(row | ({"fee": dollars(fee)} if kind in ("buy", "sell", "trade") else {}))
    first = [("ACME", "0.1", "1"), ("BTC", "0.1", "1"), ("ETH", "0.1", "1")]
    names = ("asset", "quantity", "amount")
    before = {"time": "2022-12-31", "kind": "buy", "account": "c"}
    return [before | dict(zip(names, said, strict=True)) | {"asset_class": CLASSES[said[0]]} for said in first] + rows


@settings(max_examples=30)
@given(st.lists(deeds, max_size=30), st.booleans())
def test_nothing_is_made_or_lost(tmp_path_factory: pytest.TempPathFactory, script: list[Any], by_account: bool) -> None:
    years = [load(year) for year in range(2022, 2027 if by_account else 2025)]
    rows = [row for row in made(script) if int(row["time"][:4]) <= years[-1].year]
    ledger = ledger_of(tmp_path_factory.getbasetemp(), rows)
    matched = match_years(ledger, years, BY_ACCOUNT if by_account else PERSON, held=True)
    came, went, paid, gotten = balances(rows)
    sold, left = pl.concat([m.dispositions for m in matched.values()]), matched[years[-1].year].holdings
    assert total(sold) == went
    assert total(left) == {asset: n - went.get(asset, 0) for asset, n in came.items() if n != went.get(asset, 0)}
    # A loss that a wash sale disallows goes into the basis of what replaces it.
    basis, disallowed = (Decimal(int(sold[name].sum())).scaleb(-2) for name in ("basis", "adjustment"))
    assert basis + (left["basis"].sum() or 0) == paid + disallowed
    assert Decimal(int(sold["proceeds"].sum())).scaleb(-2) == gotten
    assert (sold["gain"] == sold["proceeds"] - sold["basis"] + sold["adjustment"]).all()


def balances(rows: list[Row]) -> tuple[dict[str, Decimal], dict[str, Decimal], Decimal, Decimal]:
    """Units that came and went by asset, and dollars paid and gotten, by the rows alone."""
    came, went = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    paid = gotten = Decimal(0)
    for row in rows:
        quantity, amount, fee = (Decimal(row.get(name) or 0) for name in ("quantity", "amount", "fee"))
        if row["kind"] in ("buy", "income"):
            came[row["asset"]] += quantity
            paid += amount + fee
        if row["kind"] in ("sell", "spend", "trade"):
            went[row["asset"]] += quantity
            gotten += amount - fee
        if row["kind"] == "trade":
            came[row["counter_asset"]] += Decimal(row["counter_quantity"])
            paid += amount
    return came, went, paid, gotten


def total(rows: pl.DataFrame) -> dict[str, Decimal]:
    sums = rows.group_by("asset").agg(pl.col("quantity").sum())
    return {asset: Decimal(units) for asset, units in sums.iter_rows()}


def test_what_an_accounts_broker_sends_holds_in_years_that_have_such_a_form(ask: Asked, tmp_path: Path) -> None:
    (tmp_path / "ledger.csv").write_text(
        "time,kind,asset,quantity,amount,account\n2024-01-02,buy,BTC,2,2,coinbase\n"
        "2024-02-02,sell,BTC,1,2,coinbase\n2025-02-02,sell,BTC,1,2,coinbase\n"
    )
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\naccounts: {coinbase: {form_1099: da_noncovered}}\n")
    done = ask("file", "2024..2025", "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "out")
    assert (done.code, done.error) == (0, "")
    boxes = [
        json.loads((tmp_path / "out" / year / "return.json").read_text())["form_8949"] for year in ("2024", "2025")
    ]
    assert [[box["box"] for box in of_year] for of_year in boxes] == [["C"], ["K"]]
