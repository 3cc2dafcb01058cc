"""Where lots lie: transfers and what becomes of them, pools of all accounts and of one, and lots named on a sale."""

from __future__ import annotations

from pathlib import Path

import pytest
from simple_ledger import filed, held, lines, refused, warned

SENT = """
    time       | kind | asset | asset_class | quantity | amount | account  | tx_hash | to_account
    2024-05-01 | buy  | ETH   | crypto      | 2        | 4000   | coinbase |         |
"""


def test_a_transfer_carries_basis_and_date_and_old_lots_come_first(tmp_path: Path) -> None:
    text = """
        time       | kind     | asset | asset_class | quantity | amount | account  | to_account
        2019-05-01 | buy      | ETH   | crypto      | 1        | 100    | coinbase |
        2024-05-01 | buy      | ETH   | crypto      | 1        | 3000   | kraken   |
        2025-02-01 | transfer | ETH   | crypto      | 0.4      |        | coinbase | kraken
        2025-03-01 | sell     | ETH   | crypto      | 0.5      | 1500   | kraken   |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "I | 0.1 ETH | 2024-05-01 | 2025-03-01 | 300.00 | 300.00 | 0.00",
        "L | 0.4 ETH | 2019-05-01 | 2025-03-01 | 1200.00 | 40.00 | 1160.00",
    ]
    assert held(matched) == ["0.6 ETH at coinbase of 2019-05-01 for 60", "0.9 ETH at kraken of 2024-05-01 for 2700"]


@pytest.mark.parametrize(
    ("sent", "received", "more"),
    [
        ("2025-02-01T10:00:00Z", "2025-02-01T10:20:00Z", "|"),
        ("2025-02-01T10:00:00Z", "2025-02-01T09:30:00Z", "|"),
        ("2025-02-01", "2025-02-01", "|"),
        ("2025-02-01T23:30:00Z", "2025-02-01", "|"),
        ("2025-02-01", "2025-02-07T20:00:00Z", "|"),
        ("2025-01-01", "2025-02-20", "0xab |"),
    ],
    ids=["later", "a moment before", "the same day", "an instant and a day", "a day and an instant", "by hash"],
)
def test_what_is_sent_and_received_is_one_transfer(tmp_path: Path, sent: str, received: str, more: str) -> None:
    ends = [
        f"{sent} | transfer_out | ETH | | 1 | | coinbase | {more}",
        f"{received} | transfer_in | ETH | | 1 | | wallet | {more}",
    ]
    for order in (ends, ends[::-1]):
        rows = "\n".join(order)
        text = f"{SENT}{rows}\n 2025-04-01 | sell | ETH | | 1 | 3000 | wallet | |"
        matched = filed(tmp_path, text, accounts={"wallet": {"custody": "self"}})
        assert lines(matched) == ["I | 1 ETH | 2024-05-01 | 2025-04-01 | 3000.00 | 2000.00 | 1000.00"]
        assert held(matched) == ["1 ETH at coinbase of 2024-05-01 for 2000"]
        assert matched.warnings == []


def test_what_says_where_it_goes_needs_no_other_end(tmp_path: Path) -> None:
    matched = filed(tmp_path, f"{SENT} 2025-02-01 | transfer_out | ETH | | 1 | | coinbase | | wallet")
    assert held(matched) == ["1 ETH at coinbase of 2024-05-01 for 2000", "1 ETH at wallet of 2024-05-01 for 2000"]
    assert matched.warnings == []


@pytest.mark.parametrize(
    "received",
    [
        "2025-02-10 | transfer_in | ETH | | 1",
        "2025-01-31 | transfer_in | ETH | | 1",
        "2025-02-01 | transfer_in | ETH | | 0.97",
    ],
    ids=["too late", "too early", "too little"],
)
def test_what_does_not_fit_is_no_transfer(tmp_path: Path, received: str) -> None:
    ends = f"2025-02-01 | transfer_out | ETH | | 1 | | coinbase | | \n {received} | | wallet | |"
    assert len(filed(tmp_path, f"{SENT}{ends}").warnings) == 2


def test_what_is_lost_on_the_way_is_a_fee_sold_at_its_value(tmp_path: Path) -> None:
    text = f"""{SENT}
        2025-02-01 | transfer_out | ETH | | 1    | 2500 | coinbase | |
        2025-02-02 | transfer_in  | ETH | | 0.99 |      | wallet   | |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["I | 0.01 ETH | 2024-05-01 | 2025-02-01 | 25.00 | 20.00 | 5.00"]
    assert held(matched) == ["1 ETH at coinbase of 2024-05-01 for 2000", "0.99 ETH at wallet of 2024-05-01 for 1980"]


def test_a_network_fee_is_sold_before_the_rest_moves(tmp_path: Path) -> None:
    text = """
        time | kind | asset | asset_class | quantity | amount | account | to_account | fee_asset | fee_qty | fee_usd
        2019-05-01 | buy | ETH | crypto | 1 | 100 | coinbase | | | |
        2025-02-01 | transfer | ETH | crypto | 0.9 | | coinbase | kraken | ETH | 0.01 | 30
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["L | 0.01 ETH | 2019-05-01 | 2025-02-01 | 30.00 | 1.00 | 29.00"]
    assert held(matched) == ["0.09 ETH at coinbase of 2019-05-01 for 9", "0.9 ETH at kraken of 2019-05-01 for 90"]


def test_what_nobody_answers_is_told_and_set_aside(tmp_path: Path) -> None:
    text = f"""{SENT}
        2025-02-01 | transfer_out | ETH | | 0.5  |  | coinbase | |
        2025-02-05 | transfer_out | ETH | | 0.25 |  | coinbase | |
        2025-06-02 | transfer_in  | ETH | | 0.5  |  | wallet   | |
    """
    matched = filed(tmp_path, text)
    assert held(matched) == [
        "1.25 ETH at coinbase of 2024-05-01 for 2500",
        "0.5 ETH at coinbase (sent) of 2024-05-01 for 1000",
        "0.25 ETH at coinbase (sent) of 2024-05-01 for 500",
        "0.5 ETH at wallet of 2025-06-02 for ?",
    ]
    assert warned(tmp_path, matched) == [
        (
            "ledger.csv:3: 0.75 ETH left coinbase, in 2 transfers from here on, and arrived nowhere in these files; "
            "their lots are set aside. Give to_account or the other account's file; if it was a sale, a payment or a "
            "gift, enter it as one"
        ),
        (
            "ledger.csv:5: 0.5 ETH came to wallet from nowhere in these files; their basis is unknown unless the row "
            "gives it. Give the other account's file, or enter them as what they were"
        ),
    ]


def test_coins_that_come_with_basis_and_date_are_known(tmp_path: Path) -> None:
    text = """
        time       | kind        | asset | asset_class | quantity | amount | acquired   | basis
        2025-01-02 | transfer_in | BTC   | crypto      | 1        |        | 2020-01-02 | 7000
        2025-02-02 | sell        | BTC   | crypto      | 0.5      | 50000  |            |
    """
    assert lines(filed(tmp_path, text)) == ["L | 0.5 BTC | 2020-01-02 | 2025-02-02 | 50000.00 | 3500.00 | 46500.00"]


def test_what_two_accounts_may_have_sent_is_told(tmp_path: Path) -> None:
    text = f"""{SENT}
        2024-06-01 | buy          | ETH | | 1 | 5000 | kraken   | |
        2025-02-01 | transfer_out | ETH | | 1 |      | coinbase | |
        2025-02-02 | transfer_out | ETH | | 1 |      | kraken   | |
        2025-02-03 | transfer_in  | ETH | | 1 |      | wallet   | |
    """
    told = warned(tmp_path, filed(tmp_path, text))
    assert told[-1] == "ledger.csv:6: taken as sent by ledger.csv:4; ledger.csv:5 fits as well"


@pytest.mark.parametrize(
    ("received", "quantity", "said"),
    [("2025-02-01", "1", "arrives before it is sent"), ("2025-02-04", "1.5", "brings more than is sent")],
)
def test_a_transfer_that_cannot_be_is_refused(tmp_path: Path, received: str, quantity: str, said: str) -> None:
    text = f"""{SENT}
        2025-02-03 | transfer_out | ETH | | 1          | | coinbase | 0xab |
        {received} | transfer_in  | ETH | | {quantity} | | wallet   | 0xab |
    """
    what = "mend the time, the quantity, or the hash or group they share"
    assert refused(tmp_path, text) == [f"ledger.csv:4: this transfer {said} (ledger.csv:3); {what}"]


# Pools

POOLED = """
    time       | kind | asset | asset_class | quantity | amount | account
    2021-01-01 | buy  | BTC   | crypto      | 2        | 20000  | coinbase
    2022-01-01 | buy  | BTC   | crypto      | 2        | 80000  | kraken
    2023-01-01 | sell | BTC   | crypto      | 1        | 50000  | kraken
"""


def test_before_2025_coins_are_sold_from_all_accounts_or_from_their_own(tmp_path: Path) -> None:
    universal = filed(tmp_path, POOLED, 2023)
    assert lines(universal) == ["F | 1 BTC | 2021-01-01 | 2023-01-01 | 50000.00 | 10000.00 | 40000.00"]
    by_account = filed(tmp_path, POOLED, 2023, digital_asset_pools_before_2025="by_account")
    assert lines(by_account) == ["C | 1 BTC | 2022-01-01 | 2023-01-01 | 50000.00 | 40000.00 | 10000.00"]


def test_stock_is_always_sold_by_account(tmp_path: Path) -> None:
    stock = filed(tmp_path, POOLED.replace("BTC   | crypto", "ACME | stock"), 2023)
    assert lines(stock) == ["C | 1 sh. ACME | 2022-01-01 | 2023-01-01 | 50000.00 | 40000.00 | 10000.00"]


def test_lots_go_where_all_units_are(tmp_path: Path) -> None:
    """What kraken sold in 2023 was coinbase's lot. All that is left is at coinbase in 2025, so the lots are too."""
    text = f"""{POOLED}
        2024-01-01 | sell | BTC | crypto | 1 | 50000 | kraken
        2025-01-01 | sell | BTC | crypto | 1 | 90000 | coinbase
    """
    assert lines(filed(tmp_path, text)) == ["L | 1 BTC | 2022-01-01 | 2025-01-01 | 90000.00 | 40000.00 | 50000.00"]


def test_lots_that_lie_where_the_units_do_stay_there(tmp_path: Path) -> None:
    text = f"""{POOLED.replace("50000  | kraken", "50000 | coinbase")}
        2025-01-01 | sell | BTC | crypto | 1 | 90000 | kraken
        2025-02-01 | sell | BTC | crypto | 1 | 90000 | coinbase
    """
    assert [line.split(" | ")[2] for line in lines(filed(tmp_path, text))] == ["2022-01-01", "2021-01-01"]


def test_lots_that_lie_elsewhere_are_refused_with_the_list(tmp_path: Path) -> None:
    assert refused(tmp_path, f"{POOLED} 2025-03-01 | sell | BTC | crypto | 1 | 90000 | coinbase") == [
        (
            "ledger.csv:5: from 2025-03-01 on, lots of BTC are kept by account, and those of the common pool are not "
            "where the units are (coinbase: 2 held, lots of 1; kraken: 1 held, lots of 2); add the transfers that are "
            "missing, give the allocation you made as digital_asset_safe_harbor, or see what --allocate fifo comes to "
            "(no allocation under Rev. Proc. 2024-28)"
        )
    ]


def test_a_pool_that_nothing_is_taken_from_is_not_divided(tmp_path: Path) -> None:
    assert lines(filed(tmp_path, f"{POOLED} 2025-03-01 | buy | BTC | crypto | 1 | 90000 | coinbase")) == []


def test_transfers_within_a_pool_carry_lots_to_where_they_are_sold_later(tmp_path: Path) -> None:
    text = """
        time       | kind     | asset | asset_class | quantity | amount | account  | to_account
        2021-01-01 | buy      | BTC   | crypto      | 2        | 20000  | coinbase |
        2022-01-01 | buy      | BTC   | crypto      | 2        | 80000  | coinbase |
        2022-06-01 | transfer | BTC   | crypto      | 3        |        | coinbase | wallet
        2023-01-01 | sell     | BTC   | crypto      | 2        | 50000  | wallet   |
        2025-03-01 | sell     | BTC   | crypto      | 1        | 90000  | coinbase |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["L | 1 BTC | 2022-01-01 | 2025-03-01 | 90000.00 | 40000.00 | 50000.00"]
    assert held(matched) == ["1 BTC at wallet of 2022-01-01 for 40000"]


# Lots by name

NAMED = """
    time       | kind | asset | asset_class | quantity | amount | id | lot | account
    2024-01-02 | buy  | BTC   | crypto      | 1        | 100    | a  |     |
    2024-02-02 | buy  | BTC   | crypto      | 1        | 200    | b  |     |
    2024-03-02 | buy  | BTC   | crypto      | 1        | 300    | c  |     |
    2024-03-02 | buy  | ETH   | crypto      | 1        | 300    | e  |     |
    2024-03-03 | buy  | BTC   | crypto      | 1        | 300    | f  |     | other
"""


def test_a_sale_takes_the_lots_it_names_first(tmp_path: Path) -> None:
    text = f"""{NAMED}
        2025-04-01 | sell | BTC | | 1.5 | 1500 | | c:1 b:0.25 |
        2025-05-01 | sell | BTC | | 0.5 | 500  | | b          |
    """
    assert [line.split(" | ", 2)[1:] for line in lines(filed(tmp_path, text))] == [
        ["0.25 BTC", "2024-01-02 | 2025-04-01 | 250.00 | 25.00 | 225.00"],
        ["0.25 BTC", "2024-02-02 | 2025-04-01 | 250.00 | 50.00 | 200.00"],
        ["1 BTC", "2024-03-02 | 2025-04-01 | 1000.00 | 300.00 | 700.00"],
        ["0.5 BTC", "2024-02-02 | 2025-05-01 | 500.00 | 100.00 | 400.00"],
    ]


def test_a_lot_keeps_its_name_where_it_goes(tmp_path: Path) -> None:
    text = f"""{NAMED.replace("account", "account | to_account")}
        2025-03-01 | transfer | BTC | | 1.5 | | | | main | other
        2025-04-01 | sell | BTC | | 0.5 | 500 | | b | other |
    """
    assert lines(filed(tmp_path, text, digital_asset_pools_before_2025="by_account")) == [
        "L | 0.5 BTC | 2024-02-02 | 2025-04-01 | 500.00 | 100.00 | 400.00"
    ]


@pytest.mark.parametrize(
    ("lot", "said"),
    [
        ("bb", "no row has the id 'bb' that this sale names (did you mean 'b'?)"),
        ("e", "the row with the id 'e' opens no lot of BTC"),
        ("a:x", "lot 'a:x': 'x' is not a quantity; write id, or id:quantity id:quantity"),
        ("a", "lot 'a' (ledger.csv:2) lacks 0.5 BTC for this sale at main; name more lots, as id:quantity id:quantity"),
        ("f:1", "lot 'f' (ledger.csv:6) lacks 1 BTC for this sale at main; name more lots, as id:quantity id:quantity"),
        ("g:1", "lot 'g' (ledger.csv:8) lacks 1 BTC for this sale at main; name more lots, as id:quantity id:quantity"),
    ],
    ids=["unknown", "another asset", "no quantity", "too little", "another account", "bought later"],
)
def test_lots_that_cannot_be_named(tmp_path: Path, lot: str, said: str) -> None:
    rows = f"2025-04-01 | sell | BTC | | 1.5 | 1500 | | {lot} |\n 2025-05-01 | buy | BTC | | 1 | 1 | g | |"
    assert refused(tmp_path, NAMED + rows) == [f"ledger.csv:7: {said}"]
