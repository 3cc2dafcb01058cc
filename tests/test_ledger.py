"""The ledger: the simple ledger's contract, what is refused and in which words, order, files that overlap, the table as CSV."""

from __future__ import annotations

import os
import stat
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from lotlaw.ledger import read, write_canonical
from lotlaw.source import Problems

HEADER = "time,kind,asset,quantity,amount,fee,account\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ledger(folder):
    """Reads text as `ledger.csv`."""

    def reads(text, **options):
        (folder / "ledger.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read("ledger.csv", **options)

    return reads


@pytest.fixture
def refused(ledger):
    """The messages with which text is refused as `ledger.csv`."""

    def says(text, **options):
        with pytest.raises(Problems) as caught:
            ledger(text, **options)
        return str(caught.value).splitlines()

    return says


def shown(rows, *left_out):
    """Rows as a person writes them, without empty cells."""
    return [{k: written(v) for k, v in row.items() if v is not None and k not in left_out} for row in rows.to_dicts()]


def written(cell):
    return f"{cell.normalize():f}" if isinstance(cell, Decimal) else cell if isinstance(cell, int) else str(cell)


def events(ledger):
    return shown(ledger.rows, "seq", "file", "line", "date", "account", "asset_class")


# The contract


def test_a_buy_and_a_sale_have_two_legs_and_a_fee(ledger):
    rows = ledger(HEADER + "2025-01-04,buy,BTC,1.5,60000.10,12.5,coinbase\n2025-03-01,sell,BTC,0.5,30000,,\n").rows
    assert shown(rows) == [
        {
            "date": "2025-01-04", "kind": "buy", "account": "coinbase", "seq": 0, "file": 0, "line": 2,
            "out_asset": "USD", "out_qty": "60000.1", "in_asset": "BTC", "in_qty": "1.5",
            "fee_asset": "USD", "fee_qty": "12.5", "usd_value": "60000.1", "fee_usd": "12.5",
        },
        {
            "date": "2025-03-01", "kind": "sell", "account": "main", "seq": 1, "file": 0, "line": 3,
            "out_asset": "BTC", "out_qty": "0.5", "in_asset": "USD", "in_qty": "30000", "usd_value": "30000",
        },
    ]  # fmt: skip


def test_types_of_the_table(ledger):
    rows = ledger(HEADER + "2025-01-04T10:00:00Z,buy,BTC,1,2,3,a\n").rows
    assert rows.schema["date"] == pl.Date
    assert rows.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert (rows.schema["file"], rows.schema["line"]) == (pl.UInt16, pl.Int32)
    assert {rows.schema[c] for c in ("in_qty", "out_qty", "usd_value", "fee_usd", "fee_qty")} == {pl.Decimal(38, 18)}
    assert rows["timestamp"].to_list() == [datetime(2025, 1, 4, 10, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("header", "row", "event"),
    [
        ("counter_asset,counter_quantity,amount", "trade,BTC,1,ETH,20,50000", {"out_asset": "BTC", "out_qty": "1", "in_asset": "ETH", "in_qty": "20", "usd_value": "50000"}),
        ("amount", "spend,BTC,1,50000", {"out_asset": "BTC", "out_qty": "1", "usd_value": "50000"}),
        ("amount", "fee,ETH,0.01,25", {"fee_asset": "ETH", "fee_qty": "0.01", "fee_usd": "25"}),
        ("amount", "income,ETH,1,2500", {"income_type": "other", "in_asset": "ETH", "in_qty": "1", "usd_value": "2500"}),
        ("amount,income_type", "income,ETH,1,2500,staking", {"income_type": "staking", "in_asset": "ETH", "in_qty": "1", "usd_value": "2500"}),
        ("amount", "dividend,BTC,10,12.34", {"in_asset": "USD", "in_qty": "12.34", "ref_asset": "BTC", "ref_qty": "10", "usd_value": "12.34"}),
        ("amount,subkind", "dividend,BTC,10,12.34,in_kind", {"subkind": "in_kind", "in_asset": "BTC", "in_qty": "10", "usd_value": "12.34"}),
        ("memo", "interest,USD,7,bank", {"in_asset": "USD", "in_qty": "7", "usd_value": "7", "note": "bank"}),
        ("basis,acquired,fair_value", "gift_in,BTC,1,100,2012-05-01,9000", {"in_asset": "BTC", "in_qty": "1", "donor_basis_usd": "100", "donor_acquired_date": "2012-05-01", "fmv_usd": "9000"}),
        ("amount", "gift_out,BTC,1,9000", {"out_asset": "BTC", "out_qty": "1", "usd_value": "9000", "fmv_usd": "9000"}),
        ("fair_value", "inheritance,BTC,1,9000", {"in_asset": "BTC", "in_qty": "1", "date_of_death": "2025-02-03", "fmv_usd": "9000"}),
        ("fair_value", "donation,BTC,1,9000", {"out_asset": "BTC", "out_qty": "1", "fmv_usd": "9000"}),
        ("to_account", "transfer,BTC,1,cold", {"out_asset": "BTC", "out_qty": "1", "in_asset": "BTC", "in_qty": "1", "to_account": "cold"}),
        ("to_account", "transfer_out,BTC,1,cold", {"out_asset": "BTC", "out_qty": "1", "to_account": "cold"}),
        ("basis,acquired", "transfer_in,BTC,1,50,2019-01-01", {"in_asset": "BTC", "in_qty": "1", "basis_usd": "50", "acquired_date": "2019-01-01"}),
        ("basis,acquired", "opening_lot,BTC,1,50,2019-01-01", {"in_asset": "BTC", "in_qty": "1", "basis_usd": "50", "acquired_date": "2019-01-01"}),
        ("counter_quantity", "split,BTC,1,3", {"ref_asset": "BTC", "ratio_old": "1", "ratio_new": "3"}),
        ("counter_asset,counter_quantity,amount", "merger,BTC,10,ETH,5,900", {"out_asset": "BTC", "out_qty": "10", "in_asset": "ETH", "in_qty": "5", "usd_value": "900"}),
        ("counter_asset,counter_quantity,basis_fraction", "spin_off,BTC,10,ETH,5,0.2", {"ref_asset": "BTC", "ref_qty": "10", "in_asset": "ETH", "in_qty": "5", "basis_fraction": "0.2"}),
        ("amount", "return_of_capital,BTC,10,7", {"in_asset": "USD", "in_qty": "7", "ref_asset": "BTC", "ref_qty": "10", "usd_value": "7"}),
        ("amount", "cash_in_lieu,BTC,0.5,7", {"in_asset": "USD", "in_qty": "7", "ref_asset": "BTC", "ref_qty": "0.5", "usd_value": "7"}),
        ("counter_asset,counter_quantity", "rename,BTC,1,ETH,1", {"out_asset": "BTC", "out_qty": "1", "in_asset": "ETH", "in_qty": "1"}),
        ("amount", "short_open,BTC,1,70", {"out_asset": "BTC", "out_qty": "1", "in_asset": "USD", "in_qty": "70", "usd_value": "70"}),
        ("amount", "short_close,BTC,1,70", {"in_asset": "BTC", "in_qty": "1", "out_asset": "USD", "out_qty": "70", "usd_value": "70"}),
        ("amount", "option_sell_open,BTC,1,70", {"out_asset": "BTC", "out_qty": "1", "in_asset": "USD", "in_qty": "70", "usd_value": "70"}),
        ("memo", "option_expire,BTC,1,x", {"ref_asset": "BTC", "ref_qty": "1", "note": "x"}),
        ("memo", "stolen,BTC,1,x", {"out_asset": "BTC", "out_qty": "1", "note": "x"}),
        ("basis,memo", "basis_adjustment,BTC,,-5,K-1", {"ref_asset": "BTC", "basis_usd": "-5", "note": "K-1"}),
        ("amount,form_1099", "reported_sale,BTC,1,70,da_noncovered", {"out_asset": "BTC", "out_qty": "1", "proceeds_usd": "70", "tax_form": "1099-DA", "form_1099": "da_noncovered"}),
        ("amount,basis,acquired,codes,adjustment,term,form_1099", "closed_lot,BTC,,70,90,VARIOUS,W,20,short,b_covered", {"out_asset": "BTC", "proceeds_usd": "70", "basis_usd": "90", "acquired_date": "VARIOUS", "codes": "W", "adjustment_usd": "20", "term": "short", "form_1099": "b_covered"}),
        ("in_asset,in_qty", "cash_other,,,USD,5", {"in_asset": "USD", "in_qty": "5", "usd_value": "5"}),
        ("amount,lot,settle_date", "sell,BTC,1,70,a1:0.5 a2:0.5,2025-02-04", {"out_asset": "BTC", "out_qty": "1", "in_asset": "USD", "in_qty": "70", "usd_value": "70", "lot": "a1:0.5 a2:0.5", "settle_date": "2025-02-04"}),
    ],
)  # fmt: skip
def test_every_kind_becomes_its_legs(ledger, header, row, event):
    said = ledger(f"time,kind,asset,quantity,{header}\n2025-02-03,{row}\n")
    assert events(said) == [{"kind": row.split(",")[0], **event}]


def test_a_split_without_account_is_a_split_in_every_account(ledger):
    text = "time,kind,asset,quantity,counter_quantity,account\n2025-01-01,split,BTC,1,2,\n2025-01-02,split,BTC,1,2,a\n"
    assert ledger(text).rows["account"].to_list() == [None, "a"]


def test_columns_come_in_any_order_and_blanks_are_nothing(ledger):
    said = ledger("quantity , kind,time,amount,asset\n 1 ,buy , 2025-01-01,, \n".replace(",, \n", ", 5, BTC\n"))
    assert events(said) == [
        {"kind": "buy", "in_asset": "BTC", "in_qty": "1", "out_asset": "USD", "out_qty": "5", "usd_value": "5"}
    ]


def test_blank_lines_and_short_rows_are_read(ledger):
    rows = ledger(
        "time,kind,asset,quantity,amount,memo\n\n2025-01-01,buy,BTC,1,5\n  \n2025-01-02,buy,BTC,1,5,x\n\n"
    ).rows
    assert rows["line"].to_list() == [3, 5]


def test_lines_are_counted_through_cells_with_line_breaks(ledger):
    text = 'time,kind,asset,quantity,amount,memo\n2025-01-01,buy,BTC,1,5,"two\nlines"\n2025-01-02,buy,BTC,1,5,x\n'
    rows = ledger(text).rows
    assert rows["line"].to_list() == [2, 4]
    assert rows["note"].to_list() == ["two\nlines", "x"]


def test_an_instant_counts_on_its_date_in_the_taxpayers_zone(ledger):
    text = HEADER + "2025-01-01T04:59:59Z,buy,BTC,1,5,,\n2025-01-01T05:00:00Z,buy,BTC,1,5,,\n2025-01-01,buy,BTC,1,5,,\n"
    assert ledger(text).rows["date"].to_list() == [date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 1)]
    assert ledger(text, zone="America/Los_Angeles").rows["date"].to_list() == [date(2024, 12, 31)] * 2 + [
        date(2025, 1, 1)
    ]


@pytest.mark.parametrize(
    "time",
    ["2025-01-04T15:00:00Z", "2025-01-04 10:00:00-05:00", "2025-01-04T10:00-0500", "2025-01-04T15:00:00.000000+00:00"],
)
def test_offsets_are_understood(ledger, time):
    assert ledger(HEADER + f"{time},buy,BTC,1,5,,\n").rows["timestamp"].to_list() == [
        datetime(2025, 1, 4, 15, tzinfo=UTC)
    ]


# Order


def test_rows_count_by_date_then_instant_then_as_they_stand(ledger):
    times = [
        "2025-01-02T15:00:00Z",
        "2025-01-02",
        "2025-01-01",
        "2025-01-02T14:00:00Z",
        "2025-01-02",
        "2025-01-02T14:00:00Z",
    ]
    rows = ledger(HEADER + "".join(f"{time},buy,BTC,1,5,,\n" for time in times)).rows
    assert rows["line"].to_list() == [4, 3, 6, 5, 7, 2]
    assert rows["seq"].to_list() == list(range(6))


def test_files_count_in_the_order_given(folder):
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(HEADER + f"2025-01-01,buy,BTC,1,5,,{name}\n")
    assert read(["b.csv", "a.csv"]).rows["account"].to_list() == ["b", "a"]
    assert [f.name for f in read(["b.csv", "a.csv"]).files] == ["b.csv", "a.csv"]


# Asset classes


def test_classes_come_from_rows_and_from_known_symbols(ledger):
    text = "time,kind,asset,asset_class,quantity,amount\n2025-01-01,buy,ACME,stock,1,5\n2025-01-02,buy,ACME,,1,5\n2025-01-02,buy,BTC,,1,5\n"
    assert ledger(text).classes == {"ACME": "stock", "BTC": "crypto", "USD": "fiat"}


def test_one_symbol_of_two_families_is_two_assets(folder):
    header = "time,kind,asset,asset_class,quantity,amount\n"
    (folder / "stocks.csv").write_text(header + "2025-01-01,buy,LINK,stock,1,5\n")
    (folder / "coins.csv").write_text(header + "2025-01-02,buy,LINK,crypto,2,9\n")
    said = read(["stocks.csv", "coins.csv"])
    assert said.classes == {"LINK": "stock", "LINK (crypto)": "crypto", "USD": "fiat"}
    assert said.rows["in_asset"].to_list() == ["LINK", "LINK (crypto)"]
    assert said.warnings == ("coins.csv: LINK is called LINK (crypto); another file has a different LINK",)


# Overlap


def test_the_same_file_twice_counts_once(folder):
    (folder / "a.csv").write_text(HEADER + "2025-01-01,buy,BTC,1,5,,\n" * 2 + "2025-01-02,sell,BTC,1,6,,\n")
    said = read(["a.csv", "a.csv"])
    assert said.rows["line"].to_list() == [2, 3, 4]
    assert said.warnings == ("a.csv: 3 row(s) stand in a.csv too and count once",)


def test_of_equal_rows_in_overlapping_files_the_larger_count_stays(folder):
    (folder / "a.csv").write_text(HEADER + "2025-01-01,buy,BTC,1,5,,\n" * 2)
    (folder / "b.csv").write_text(HEADER + "2025-01-01,buy,BTC,1,5,,\n" * 3)
    assert read(["a.csv", "b.csv"]).rows.height == 3


def test_one_id_with_two_contents_is_refused(folder):
    (folder / "a.csv").write_text("time,kind,asset,quantity,amount,id\n2025-01-01,buy,BTC,1,5,x1\n")
    (folder / "b.csv").write_text("time,kind,asset,quantity,amount,id\n2025-01-01,buy,BTC,1,6,x1\n")
    with pytest.raises(Problems, match=r"^b\.csv:2: the same id says something else in a\.csv:2$"):
        read(["a.csv", "b.csv"])


def test_the_same_id_with_the_same_content_counts_once(folder):
    (folder / "a.csv").write_text("time,kind,asset,quantity,amount,id\n2025-01-01,buy,BTC,1,5,x1\n")
    (folder / "b.csv").write_text(
        "time,kind,asset,quantity,amount,id,memo\n2025-01-01,buy,BTC,1,5,x1,\n2025-01-01,buy,BTC,1,5,x2,\n"
    )
    assert read(["a.csv", "b.csv"]).rows["external_id"].to_list() == ["x1", "x2"]


# What is refused, and in which words

COLUMNS = "time,kind,asset,quantity,amount,fee,account,acquired,basis,counter_asset,counter_quantity,id,asset_class\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2025-01-01,byu,BTC,1,5", "ledger.csv:2:2: unknown kind 'byu' (did you mean 'buy'?)"),
        ("2025-01-01,,BTC,1,5", "ledger.csv:2:2: kind is empty"),
        ("2025-01-01,buy,BTC,-1,5", "ledger.csv:2:4: quantity '-1' is negative; write it positive, the kind says which way it goes"),
        ("2025-01-01,buy,BTC,0,5", "ledger.csv:2:4: quantity is zero; it must be more"),
        ("2025-01-01,buy,BTC,1,-5", "ledger.csv:2:5: amount '-5' is negative; write it positive, the kind says which way it goes"),
        ("2025-01-01,buy,BTC,one,5", "ledger.csv:2:4: quantity 'one' is not a number; write it like 1234.50"),
        ("2025-01-01,buy,BTC,1,$5", "ledger.csv:2:5: amount '$5' is not a number; write it like 1234.50"),
        ('2025-01-01,buy,BTC,1,"5,000"', "ledger.csv:2:5: amount '5,000' is not a number; write it like 1234.50"),
        ("2025-01-01,buy,BTC,1,99999999999999999999999", "ledger.csv:2:5: amount '99999999999999999999999' is not a number; write it like 1234.50"),
        ("2025-01-01,buy,BTC,nan,5", "ledger.csv:2:4: quantity 'nan' is not a number; write it like 1234.50"),
        ("2025-01-01,buy,BTC,0.1234567890123456789,5", "ledger.csv:2:4: quantity '0.1234567890123456789' has more than 18 decimals"),
        ("2025-01-01,buy,BTC,1e-19,5", "ledger.csv:2:4: quantity '1e-19' has more than 18 decimals"),
        ("2025-02-30,buy,BTC,1,5", "ledger.csv:2:1: time '2025-02-30' is not a date; write it like 2025-03-31, or like 2025-03-31T14:05:00Z"),
        ("0205-02-03,buy,BTC,1,5", "ledger.csv:2:1: time '0205-02-03' is not a date; write it like 2025-03-31, or like 2025-03-31T14:05:00Z"),
        ("2025-01-01T10:00:00,buy,BTC,1,5", "ledger.csv:2:1: time '2025-01-01T10:00:00' does not say its zone; end it with Z or an offset like -05:00"),
        (",buy,BTC,1,5", "ledger.csv:2:1: time is empty"),
        ("2025-01-01,buy,,1,5", "ledger.csv:2:3: buy needs asset"),
        ("2025-01-01,buy,BTC,,5", "ledger.csv:2:4: buy needs quantity"),
        ("2025-01-01,sell,BTC,1,", "ledger.csv:2:5: sell needs amount"),
        ("2025-01-01,buy,USD,1,1", "ledger.csv:2:3: asset 'USD': dollars are not what a buy is of"),
        ("2025-01-01,trade,BTC,1,5,,,,,,2", "ledger.csv:2:10: trade needs counter_asset"),
        ("2025-01-01,trade,BTC,1,5,,,,,ETH,", "ledger.csv:2:11: trade needs counter_quantity"),
        ("2025-01-01,trade,BTC,1,5,,,,,BTC,2", "ledger.csv:2:10: counter_asset and asset are both 'BTC'"),
        ("2025-01-01,transfer,BTC,1,", "ledger.csv:2: transfer needs to_account"),
        ("2025-01-01,gift_in,BTC,1,", "ledger.csv:2:9: gift_in needs basis"),
        ("2025-01-01,inheritance,BTC,1,", "ledger.csv:2: inheritance needs fair_value or amount"),
        ("2025-01-01,opening_lot,BTC,1,,,,,100", "ledger.csv:2:8: opening_lot needs acquired"),
        ("2025-01-01,opening_lot,BTC,1,,,,13/1/2020,100", "ledger.csv:2:8: acquired '13/1/2020' is not a date like 2025-03-31, nor VARIOUS, INHERITED, UNKNOWN"),
        ("2025-01-01,opening_lot,BTC,1,,,,2025-06-01,100", "ledger.csv:2:8: acquired '2025-06-01' is later than the row's own date"),
        ("2025-01-01,closed_lot,BTC,1,,,,2024-01-01,100", "ledger.csv:2:5: closed_lot needs amount"),
        ("2025-01-01,closed_lot,BTC,1,50,3,,2024-01-01,100", "ledger.csv:2:6: fee '3' says nothing about a row of kind 'closed_lot'; leave it empty"),
        ("2025-01-01,buy,BTC,1,5,,,2024-01-01", "ledger.csv:2:8: acquired '2024-01-01' says nothing about a row of kind 'buy'; leave it empty"),
        ("2025-01-01,split,BTC,1,", "ledger.csv:2:11: split needs counter_quantity or in_qty"),
        ("2025-01-01,buy,ACME,1,5", "ledger.csv:2: the class of 'ACME' is not known; say its asset_class (stock, etf, fund, bond, option, crypto, stablecoin, nft, collectible, other) on one of its rows"),
        ("2025-01-01,buy,ACME,1,5,,,,,,,,stocks", "ledger.csv:2:13: unknown asset_class 'stocks' (did you mean 'stock'?)"),
        ("2025-01-01,buy,BTC,1,5,6,7,8,9,10,11,12,13,14,15", "ledger.csv:2: more fields than the header's 13; a value with a comma in it stands in quotes"),
        ('2025-01-01,buy,BTC,1,"5', 'ledger.csv:2: a quote (") that is opened is not closed'),
        ('2025-01-01,buy,B"T"C,1,5', "ledger.csv:2: the class of 'B\"T\"C' is not known; say its asset_class (stock, etf, fund, bond, option, crypto, stablecoin, nft, collectible, other) on one of its rows"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_with_its_place_and_what_would_be_right(refused, row, message):
    assert refused(COLUMNS + row + "\n") == [message]


def test_all_bad_cells_are_named_at_once_in_the_order_of_the_file(refused):
    rows = [
        "2025-01-01,byu,BTC,1,5",
        "2025-13-01,buy,BTC,1,5",
        "2025-01-01,buy,BTC,-1,x",
        "2025-01-01,sell,BTC,1,",
        "2025-01-01,buy,BTC,1,5",
    ]
    assert refused(COLUMNS + "\n".join(rows) + "\n") == [
        "ledger.csv:2:2: unknown kind 'byu' (did you mean 'buy'?)",
        "ledger.csv:3:1: time '2025-13-01' is not a date; write it like 2025-03-31, or like 2025-03-31T14:05:00Z",
        "ledger.csv:4:4: quantity '-1' is negative; write it positive, the kind says which way it goes",
        "ledger.csv:4:5: amount 'x' is not a number; write it like 1234.50",
        "ledger.csv:5:5: sell needs amount",
    ]


def test_of_many_equal_mistakes_the_first_are_named_and_the_rest_counted(refused):
    said = refused(COLUMNS + "2025-01-01,buy,BTC,-1,5\n" * 1_000)
    assert len(said) == 11
    assert said[-1] == "ledger.csv: ... and 990 more lines like line 11"


def test_a_repeated_id_is_refused(refused):
    rows = "2025-01-01,buy,BTC,1,5,,,,,,,a1\n2025-01-01,buy,BTC,1,5\n2025-01-02,sell,BTC,1,5,,,,,,,a1\n"
    assert refused(COLUMNS + rows) == ["ledger.csv:4: id 'a1' stands in line 2 already"]


def test_two_classes_for_one_asset_are_refused(refused):
    text = (
        "time,kind,asset,asset_class,quantity,amount\n2025-01-01,buy,ACME,stock,1,5\n2025-01-02,buy,ACME,crypto,1,5\n"
    )
    assert refused(text) == [
        "ledger.csv:3: 'ACME' is of class crypto here and stock in ledger.csv:2; one asset has one class"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ledger.csv: the file is empty"),
        (" \n\n", "ledger.csv: the file is empty"),
        (b"PK\x03\x04 and so on", "ledger.csv: an Excel workbook or a zip archive: save it as CSV, or unpack it"),
        (b"%PDF-1.7", "ledger.csv: a PDF: lotlaw reads the CSV that the broker or exchange offers beside it"),
        (b"time,kind\n\x00\x01\x02", "ledger.csv:2: not a text file; lotlaw reads CSV exports"),
        (b"time,kind,asset,quantity\n2025-01-01,buy,\x81,1\n", "ledger.csv:2: neither UTF-8 nor Windows-1252 text; save it as UTF-8"),
        (HEADER + "x" * 2_000_000, "ledger.csv:2: a line of more than 1,000,000 bytes; is this a CSV export?"),
        ("a,b,c\n1,2,3\n", "ledger.csv:1: no mapping knows this header: 'a', 'b', 'c'; known are canonical, coinbase.transactions, kraken.ledgers, schwab.1099_composite, schwab.transactions, simple_ledger"),
        ("time,kind,asset,quanity\n", "ledger.csv:1: no mapping knows this header: 'time', 'kind', 'asset', 'quanity'; the nearest is simple_ledger, which needs 'quantity' (is it 'quanity'?) too"),
        (HEADER.replace("fee", "fees"), "ledger.csv:1:6: unknown column 'fees' (did you mean 'fee'?)"),
        (HEADER.replace("fee", "amount"), "ledger.csv:1:6: column 'amount' stands twice, in fields 5 and 6"),
        (HEADER + "2025-01-01,buy,BTC", "ledger.csv:2: the last line breaks off: 3 of 7 fields; is the file complete?"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_ledger_is_refused_with_one_message(refused, text, message):
    assert refused(text) == [message]


def test_a_file_that_is_not_there(folder):
    with pytest.raises(Problems, match=r"^none\.csv: no such file$"):
        read("none.csv")
    with pytest.raises(Problems, match=r": a folder; name the files in it$"):
        read(folder)


def test_problems_of_all_files_are_collected(folder):
    (folder / "a.csv").write_text(HEADER + "2025-01-01,byu,BTC,1,5,,\n")
    with pytest.raises(Problems) as caught:
        read(["a.csv", "none.csv"])
    assert str(caught.value).splitlines() == [
        "a.csv:2:2: unknown kind 'byu' (did you mean 'buy'?)",
        "none.csv: no such file",
    ]


def test_a_zone_that_is_none(refused):
    assert refused(HEADER, zone="Mars/Crater") == [
        "time zone: 'Mars/Crater' is no time zone; write one like America/New_York"
    ]


def test_a_mapping_that_is_none(refused):
    assert refused(HEADER, source="simple")[0].startswith(
        "ledger.csv: no mapping is called 'simple' (did you mean 'simple_ledger'?)"
    )


# The table as CSV

DIARY = """\
time,kind,asset,asset_class,quantity,amount,fee,counter_asset,counter_quantity,memo,id
2025-01-01,buy,ACME,stock,1.50,100,1,,,=1+1,a
2025-01-02T03:00:00.5Z,trade,ACME,,1,120,,NEWC,7,"'quoted, too",
2025-01-02,buy,ACME,stock,1,100,,,,,
2025-01-02,buy,ACME,stock,1,100,,,,,
2025-01-03,buy,NEWC,stock,1,100,,,,,
"""


def test_the_canonical_table_reads_back_as_the_same_ledger(ledger, folder):
    first = ledger(DIARY, ids=True)
    write_canonical(first, folder / "out.csv")
    again = read("out.csv", ids=True)
    assert shown(again.rows, "line", "asset_class", "counter_class") == shown(first.rows, "line", "asset_class")
    assert again.classes == first.classes
    write_canonical(again, folder / "again.csv")
    ours = ("source_file", "source_row", "mapping_id")
    assert pl.read_csv("again.csv").drop(ours).equals(pl.read_csv("out.csv").drop(ours))


def test_the_canonical_table_is_safe_in_a_spreadsheet_and_private(ledger, folder):
    write_canonical(ledger(DIARY, ids=True), folder / "out.csv")
    notes = pl.read_csv("out.csv", infer_schema=False)["note"].to_list()
    assert notes == ["'=1+1", None, None, "''quoted, too", None][:1] + notes[1:]
    assert "''quoted, too" in notes
    assert stat.S_IMODE(os.stat("out.csv").st_mode) == 0o600


def test_ids_stay_when_rows_are_added_and_tell_equal_rows_apart(ledger):
    first = ledger(DIARY, ids=True).rows["event_id"].to_list()
    more = (
        ledger(DIARY.replace("quantity", "quantity", 1) + "2024-12-31,buy,ACME,stock,9,900,,,,,\n", ids=True)
        .rows["event_id"]
        .to_list()
    )
    assert len(set(first)) == 5
    assert more[1:] == first


def test_the_report_says_what_was_read(ledger):
    assert ledger(DIARY).report_text() == (
        "ledger.csv: 5 rows by simple_ledger (version 1)\n          4 buy\n          1 trade\n"
    )
