"""What the name of an option says it is on, and what is said of ways to write it that do not work."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from conftest import ROOT
from lotlaw.importers import lint
from lotlaw.importers.options import SCHEMA, contracts
from lotlaw.ledger import read
from lotlaw.source import Problems, read_yaml

SAID = read_yaml(ROOT / "rules" / "assets.yaml", text_only=True).value["options"]
JUNE = ("call", Decimal(45), date(2025, 6, 20), Decimal(100))


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        ("ACME 2025-06-20 45 C", ("ACME", *JUNE)),
        ("ACME 2025-06-20 45.00 c", ("ACME", *JUNE)),
        ("ACME  250620C00045000", ("ACME", *JUNE)),
        ("ACME250620C00045000", ("ACME", *JUNE)),
        ("-ACME250620C45", ("ACME", *JUNE)),
        ("ACME 06/20/2025 45.00 C", ("ACME", *JUNE)),
        ("ACME 6/20/2025 Call $45.00", ("ACME", *JUNE)),
        ("ACME 20JUN25 45 C", ("ACME", *JUNE)),
        ("CALL ACME 06/20/25 45.000", ("ACME", *JUNE)),
        ("ACME Jun 20 2025 45.0 Call", ("ACME", *JUNE)),
        ("ACME#F2025C045000", ("ACME", *JUNE)),
        ("ETSY#C1927D750000", ("ETSY", "call", Decimal(75), date(2027, 3, 19), Decimal(100))),
        ("ETSY#P1927D750000", ("ETSY", "put", Decimal(75), date(2027, 4, 19), Decimal(100))),
        ("BRK.B 2026-01-16 512.5 PUT", ("BRK.B", "put", Decimal("512.5"), date(2026, 1, 16), Decimal(100))),
        ("SPY   260903P00766500", ("SPY", "put", Decimal("766.5"), date(2026, 9, 3), Decimal(100))),
        ("ACME", (None,) * 5),
        ("ACME 2025-02-30 45 C", (None,) * 5),
        ("ACME 2025-06-20 45 X", (None,) * 5),
    ],
)
def test_a_name_says_what_the_option_is_on(name, contract):
    found = contracts([name], SAID)
    assert dict(found.schema) == SCHEMA
    assert found.rows() == [(name, *contract)]


def test_a_ledger_has_its_options(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(
        "time,kind,asset,asset_class,quantity,amount\n2025-01-04,option_buy_open,ACME 2025-06-20 45 C,option,1,300\n"
        "2025-01-05,option_buy_open,some warrant,option,1,300\n2025-01-05,buy,ACME,stock,1,30\n"
    )
    assert read(path).options.rows() == [
        ("ACME 2025-06-20 45 C", "ACME", *JUNE),
        ("some warrant", *(None,) * 5),
    ]


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("(?<right>C|P|CALL|PUT)$'", "(C|P|CALL|PUT)$'", "the pattern lacks the group (?<right>...)"),
        ("$'}", "($'}", "not a pattern: unclosed group"),
        ("like: ACME 2025", "like: ACME on 2025", "does not read ACME on 2025-06-20 45 C, the name it is for"),
        ("like: ACME 2025", "lyke: ACME 2025", "unknown key 'lyke' (did you mean 'like'?)"),
    ],
)
def test_ways_to_write_a_name_that_do_not_work_are_found(tmp_path, find, put, says):
    (tmp_path / "sources").mkdir()
    shutil.copy(ROOT / "rules" / "sources" / "webull_orders.yaml", tmp_path / "sources")
    text = (ROOT / "rules" / "assets.yaml").read_text()
    assert find in text
    (tmp_path / "assets.yaml").write_text(text.replace(find, put, 1))
    problems = [str(problem) for problem in lint.problems(tmp_path)]
    assert any("assets.yaml:1" in problem and says in problem for problem in problems), problems


HEADER = "time,kind,asset,asset_class,quantity,amount,account,group_id\n"


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def reads(*rows):
        (tmp_path / "ledger.csv").write_text(HEADER + "\n".join(rows) + "\n")
        return read("ledger.csv")

    return reads


def groups(ledger):
    """The lines of each group of rows."""
    found = ledger.rows.filter(ledger.rows["group_id"].is_not_null()).group_by("group_id").agg("line")
    return sorted(sorted(lines) for lines in found["line"].to_list())


def test_an_asset_named_as_an_option_is_one(ledger):
    said = ledger("2025-01-04,option_buy_open,ACME 2025-06-20 45 C,,1,300,,")
    assert said.classes["ACME 2025-06-20 45 C"] == "option"


def test_an_exercise_and_its_stock_are_one_event(ledger):
    said = ledger(
        "2025-06-20,option_exercise,ACME 2025-06-20 45 C,,1,,,",
        "2025-06-20,option_exercise,ACME 2025-06-20 45 C,,1,,,",
        "2025-06-20,option_assign,ACME 2025-06-20 50 C,,2,,,",
        "2025-06-20,option_exercise,ACME 2025-06-20 45 C,,1,,roth,",
        "2025-06-20,buy,ACME,stock,100,4600,,",
        "2025-06-20,buy,ACME,stock,100,4500,,",
        "2025-06-23,buy,ACME,stock,100,4500,,",
        "2025-06-20,buy,ACME,stock,100,4500,roth,",
        "2025-06-20,sell,ACME,stock,200,10000,,",
    )
    assert groups(said) == [[2, 7], [3, 8], [4, 10], [5, 9]]
    assert said.warnings == ()


def test_puts_go_the_other_way(ledger):
    said = ledger(
        "2025-06-20,option_exercise,ACME 2025-06-20 45 P,,1,,,",
        "2025-06-20,option_assign,ACME 2025-06-20 50 P,,1,,,",
        "2025-06-20,sell,ACME,stock,100,4500,,",
        "2025-06-20,buy,ACME,stock,100,5000,,",
    )
    assert groups(said) == [[2, 4], [3, 5]]


def test_stock_that_is_not_what_its_option_stands_for_is_said(ledger):
    said = ledger(
        "2025-06-20,option_assign,ACME 2025-06-20 45 P,,1,,,g1",
        "2025-06-20,buy,ACME,stock,100,4600,,g1",
    )
    assert groups(said) == [[2, 3]]
    assert said.warnings == (
        (
            "ledger.csv:2: 'ACME 2025-06-20 45 P' stands for 100 ACME at 4500 dollars; "
            "the stock of its group is 100 ACME at 4600"
        ),
    )


def test_an_option_expires_on_the_day_of_its_name(ledger):
    said = ledger(
        "2026-01-02,option_expire,ACME 2025-12-31 45 P,,1,,,",
        "2025-06-23T10:00:00Z,option_expire,ACME 2025-06-20 45 P,,1,,,",
        "2025-06-01,option_expire,ACME 2025-06-20 50 P,,1,,,",
    )
    assert said.rows.select("line", "date", "timestamp").rows() == [
        (4, date(2025, 6, 1), None),
        (3, date(2025, 6, 20), datetime(2025, 6, 21, 3, 59, 59, tzinfo=UTC)),
        (2, date(2025, 12, 31), None),
    ]
    assert said.warnings == (
        "ledger.csv:2: 'ACME 2025-12-31 45 P' expired on 2025-12-31, which counts; the row says 2026-01-02",
        "ledger.csv:3: 'ACME 2025-06-20 45 P' expired on 2025-06-20, which counts; the row says 2025-06-23",
        "ledger.csv:4: 'ACME 2025-06-20 50 P' expires on 2025-06-20 by its name, and the row says 2025-06-01",
    )


def test_a_short_sale_closed_at_the_end_of_a_year_should_say_when_it_settled(ledger):
    said = ledger("2025-12-30,short_close,ACME,stock,1,10,,", "2025-12-20,short_close,ACME,stock,1,10,,")
    assert said.warnings == (
        (
            "ledger.csv:2: short_close without a settle_date: a loss counts on the day the shares are delivered, "
            "which may be after 2025"
        ),
    )


def test_days_to_come_are_doubted_and_no_part_of_a_return(ledger):
    said = ledger("2152-01-04,buy,BTC,,1,300,,", "2152-01-05,buy,BTC,,1,300,,", "2025-01-05,buy,BTC,,1,300,,")
    assert said.warnings == ()
    assert said.doubts == ("ledger.csv:2: 2152-01-04 is in the future (and 1 more like it)",)
    assert said.report_text().endswith("ledger.csv:2: 2152-01-04 is in the future (and 1 more like it)\n")


# What opens and what closes, where an export says only bought or sold

WEBULL = "Name,Symbol,Side,Status,Filled,Total Qty,Price,Avg Price,Time-in-Force,Placed Time,Filled Time\n"
SERIES = "ACME250620C00045000"


def kinds(tmp_path, *orders):
    """The kinds of orders (side, units, symbol), one a day, and what is said of them."""
    path = tmp_path / "orders.csv"
    days = [f"03/{day:02}/2025 10:00:00 EDT" for day in range(11, 11 + len(orders))]
    lines = [
        f"Acme,{symbol},{side},Filled,{units},{units},@1,1.00,DAY,{day},{day}\n"
        for (side, units, symbol), day in zip(orders, days, strict=True)
    ]
    path.write_text(WEBULL + "".join(lines), encoding="utf-8")
    ledger = read(path)
    return ledger.rows["kind"].cast(str).to_list(), [text.rpartition("orders.csv:")[2] for text in ledger.warnings]


def test_an_option_sold_that_is_not_held_is_written(tmp_path):
    orders = [("Sell", 2, SERIES), ("Buy", 1, SERIES), ("Buy", 1, SERIES), ("Buy", 2, SERIES), ("Sell", 2, SERIES)]
    assert kinds(tmp_path, *orders) == (
        ["option_sell_open", "option_buy_close", "option_buy_close", "option_buy_open", "option_sell_close"],
        [
            f"2: sell of '{SERIES}' is taken as option_sell_open, as the position stood",
            f"3: buy of '{SERIES}' is taken as option_buy_close, as the position stood (and 1 more like it)",
        ],
    )


def test_shares_bought_that_are_owed_cover_the_short_sale(tmp_path):
    assert kinds(tmp_path, ("Short", 10, "BETA"), ("Buy", 10, "BETA"), ("Buy", 10, "BETA")) == (
        ["short_open", "short_close", "buy"],
        ["3: buy of 'BETA' is taken as short_close, as the position stood"],
    )


def test_a_purchase_that_closes_and_opens_is_two(tmp_path):
    with pytest.raises(Problems) as refused:
        kinds(tmp_path, ("Sell", 1, SERIES), ("Buy", 3, SERIES))
    assert [str(problem).rpartition("orders.csv:")[2] for problem in refused.value.problems] == [
        f"3: this buy of 3 '{SERIES}' closes the 1 there were and opens more; write it as two rows"
    ]


def test_shares_sold_that_are_not_held_are_no_short_sale(tmp_path):
    assert kinds(tmp_path, ("Sell", 10, "BETA")) == (["sell"], [])


def test_the_simple_ledger_means_what_it_says(tmp_path):
    path = tmp_path / "ledger.csv"
    rows = ["2025-03-05,short_open,BETA,stock,10,100", "2025-03-06,buy,BETA,,10,90"]
    path.write_text("\n".join(["time,kind,asset,asset_class,quantity,amount", *rows, ""]), encoding="utf-8")
    assert read(path).rows["kind"].cast(str).to_list() == ["short_open", "buy"]
