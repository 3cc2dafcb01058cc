"""The ledger: the simple ledger's contract, what is refused in which words, order, overlap, the table as CSV."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import ROOT
from lotlaw.ledger import read, write_canonical
from lotlaw.source import Problems, read_yaml

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
    "case", read_yaml(ROOT / "tests/exports/kinds.yaml", text_only=True).value, ids=lambda c: c["row"]
)
def test_every_kind_becomes_its_legs(ledger, case):
    said = ledger(f"time,kind,asset,quantity,{case['columns']}\n2025-02-03,{case['row']}\n")
    assert events(said) == [{"kind": case["row"].split(",")[0], **case["becomes"]}]


def test_a_split_without_account_is_a_split_in_every_account(ledger):
    text = "time,kind,asset,quantity,counter_quantity,account\n2025-01-01,split,BTC,1,2,\n2025-01-02,split,BTC,1,2,a\n"
    assert ledger(text).rows["account"].to_list() == [None, "a"]


def test_a_split_may_say_what_was_added_in_place_of_its_ratio(ledger):
    said = ledger("time,kind,asset,quantity,in_qty\n2025-01-01,split,BTC,,5\n")
    assert events(said) == [{"kind": "split", "ref_asset": "BTC", "in_asset": "BTC", "in_qty": "5"}]


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
    rows = "2025-01-01,buy,ACME,stock,1,5\n2025-01-02,buy,ACME,,1,5\n2025-01-02,buy,BTC,,1,5\n"
    said = ledger("time,kind,asset,asset_class,quantity,amount\n" + rows)
    assert said.classes == {"ACME": "stock", "BTC": "crypto", "USD": "fiat"}


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


ORDERS = "Name,Symbol,Side,Status,Filled,Total Qty,Price,Avg Price,Time-in-Force,Placed Time,Filled Time\n"
PLACED = "GTC,03/13/2025 10:00:00 EDT"
PARTLY = f"Acme,ACME,Buy,Partially Filled,3,10,@50,50.00,{PLACED},03/13/2025 10:00:02 EDT\n"
WHOLLY = f"Acme,ACME,Buy,Filled,10,10,@50,50.00,{PLACED},03/20/2025 10:00:02 EDT\n"


@pytest.mark.parametrize("files", [(PARTLY, WHOLLY), (WHOLLY, PARTLY), (PARTLY + WHOLLY,), (WHOLLY, PARTLY, PARTLY)])
def test_an_order_exported_before_it_was_filled_counts_as_it_ended(folder, files):
    for n, rows in enumerate(files):
        (folder / f"{n}.csv").write_text(ORDERS + rows)
    said = read([f"{n}.csv" for n in range(len(files))])
    assert said.rows["in_qty"].to_list() == [10]


def test_equal_orders_of_one_second_stay_two(folder):
    (folder / "a.csv").write_text(ORDERS + WHOLLY * 2)
    assert read(["a.csv", "a.csv"]).rows["in_qty"].to_list() == [10, 10]


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

BAD = read_yaml(ROOT / "tests/bad/ledger.yaml", text_only=True).value
COLUMNS = BAD["header"] + "\n"
NEAREST = (
    "no mapping knows this header: 'time', 'kind', 'asset', 'quanity'; "
    "the nearest is simple_ledger, which needs 'quantity' (is it 'quanity'?) too"
)
OTHERWISE = "write it as a simple ledger (docs/simple-ledger.md), or a mapping for it (docs/add-an-importer.md)"


@pytest.mark.parametrize("case", BAD["rows"], ids=lambda case: case["says"].partition(": ")[2][:60])
def test_a_bad_row_is_named_with_its_place_and_what_would_be_right(refused, case):
    assert refused(COLUMNS + case["row"] + "\n") == [case["says"]]


@pytest.mark.parametrize(
    "case", read_yaml(ROOT / "tests/bad/kinds.yaml", text_only=True).value, ids=lambda case: case["name"]
)
def test_what_a_kind_lacks_is_named_with_what_would_be_right(refused, case):
    assert refused("\n".join([case["header"], *case["rows"], ""])) == case["says"]


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
        (b"time,kind\n2025,\x81\n", "ledger.csv:2: neither UTF-8 nor Windows-1252 text; save it as UTF-8"),
        (HEADER + "x" * 2_000_000, "ledger.csv:2: a line of more than 1,000,000 bytes; is this a CSV export?"),
        ("a,b,c\n1,2,3\n", f"ledger.csv:1: no mapping knows this header: 'a', 'b', 'c'; {OTHERWISE}"),
        ("time,kind,asset,quanity\n", f"ledger.csv:1: {NEAREST}"),
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
    assert stat.S_IMODE((folder / "out.csv").stat().st_mode) == 0o600


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


ROWS = ["2025-01-02,buy,BTC,1.5,100,0.5,main\n", "2025-03-04T10:00:00Z,sell,BTC,0.5,70,,main\n"]
ODD_PIECES = [
    *" ,\t-+.e0", "\n", "\r\n", '"', '""', "E-5", "1e-20", "0.12345678901234567891", "fiat", "buy", "é", "\n\n",
    ",,,,,\n", "  \n", '"a\nb"', "2025-13-01", "$", ";", "\u00a0",
]  # fmt: skip


def outcome(reads, text, **options):
    """What comes of reading a text: the ledger without ids, or the messages."""
    try:
        found = reads(text, **options)
    except Problems as error:
        return str(error)
    return found.rows.drop("event_id", strict=False).to_dicts(), found.files, found.classes, found.warnings


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(ROWS), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 160), st.sampled_from(ODD_PIECES), st.integers(0, 2)), max_size=2),
)
@example(["2025-01-02,buy,BTC,1.5,1e-20,0.5,main\n"], [])
@example(["2025-01-02,buy,BTC,1.5,0.1234567890123456785,0.5,main\n"], [])
@example(['2025-01-02,buy,BTC,1.5,100,0.5,""\n'], [])
@example(["2025-01-02,buy, BTC,1.5,100,0.5,main \n"], [])
@example(["2025-01-02,buy,BTC,1.5,100,0.5,main,\n", "\n", "2025-01-03,buy,BTC,1.5,100,0.5,main\n"], [])
@example(["2025-01-02,buy,BTC,0,-1,-0.5,main\n"], [])
def test_reading_with_ids_which_keeps_every_cell_says_the_same_as_reading_at_once(ledger, rows, changes):
    text = "".join(rows)
    for at, piece, instead in changes:
        text = text[:at] + piece + text[at + instead :]
    assert outcome(ledger, HEADER + text) == outcome(ledger, HEADER + text, ids=True)
