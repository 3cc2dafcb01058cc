"""`lotlaw holdings`: what is held on a day, by lot: worth, unrealized, and when it turns long-term."""

from __future__ import annotations

import json
import re
import stat
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import Asked
from lotlaw.plan import charts
from lotlaw.starter import DEMO

HEADER = "time,kind,asset,asset_class,quantity,amount,fee,account,to_account\n"
ACME = "2025-01-06,buy,ACME,stock,100,1000,,main,\n"
THEIRS = "which lotlaw did not write; name another folder, or add --force to write beside it"
ON = ("--as-of", "2025-12-31")


@pytest.fixture
def held(tmp_path: Path, ask: Asked):
    """`lotlaw holdings --json` of the rows of a ledger."""

    def asks(rows: str, *options: object, prices: str = "", header: str = HEADER) -> dict:
        (tmp_path / "ledger.csv").write_text(header + rows)
        (tmp_path / "prices.csv").write_text(f"asset,price\n{prices}")
        given = ["--prices", "prices.csv"] if prices else []
        said = ask("holdings", "ledger.csv", *options, *given, "--json")
        assert (said.code, said.error) == (0, "")
        return json.loads(said.text)

    return asks


def of(lots: dict, *names: str) -> list[tuple]:
    return [tuple(lot[name] for name in names) for lot in lots["lots"]]


def test_the_screen(tmp_path: Path, ask: Asked) -> None:
    """A hundred shares at ten, and a coin at a loss; long-term from the day after a year."""
    (tmp_path / "ledger.csv").write_text(HEADER + ACME + "2024-06-10,buy,BTC,crypto,0.5,40000,10,coinbase,\n")
    (tmp_path / "prices.csv").write_text("asset,price\nACME,12\nBTC,70000\n")
    said = ask("holdings", "ledger.csv", *ON, "--prices", "prices.csv")
    assert (said.code, said.error) == (0, "")
    assert said.text.splitlines() == [
        "asset  account   quantity  acquired    term   long from   days      basis      price      value  unrealized",
        "ACME   main           100  2025-01-06  short  2026-01-07     7   1,000.00      12.00   1,200.00      200.00",
        "BTC    coinbase       0.5  2024-06-10  long                     40,010.00  70,000.00  35,000.00   -5,010.00",
        "total                                                           41,010.00             36,200.00   -4,810.00",
        "",
        "by term  lots      basis      value   gains     losses  unrealized",
        "long        1  40,010.00  35,000.00    0.00  -5,010.00   -5,010.00",
        "short       1   1,000.00   1,200.00  200.00       0.00      200.00",
        "",
        "by asset  lots      basis      value   gains     losses  unrealized",
        "ACME         1   1,000.00   1,200.00  200.00       0.00      200.00",
        "BTC          1  40,010.00  35,000.00    0.00  -5,010.00   -5,010.00",
    ]


def test_without_prices_the_last_trade_counts_and_is_named(held) -> None:
    later = "2025-03-03,sell,ACME,,10,130,1,main,\n2026-02-02,buy,ACME,,1,99,,main,\n"
    told = held(ACME + later, *ON)
    assert of(told, "quantity", "price", "price_from", "unrealized") == [("90", "13", "ledger 2025-03-03", "270")]
    assert told["notes"] == ["Priced by the last trade in the ledger: ACME of 2025-03-03"]


def test_a_price_from_before_a_split_says_nothing(held) -> None:
    wide = [f"{line},{new}" for line, new in ((ACME.strip(), ""), ("2025-03-03,split,ACME,,1,,,,", "2"))]
    told = held("\n".join(wide) + "\n", *ON, header=HEADER.replace("\n", ",counter_quantity\n"))
    assert of(told, "quantity", "price", "value") == [("200", None, None)]
    assert told["notes"] == ["No price: ACME; give one with --prices (a line `ACME,123.45`)"]


def test_prices_of_a_file_go_before_trades(held) -> None:
    told = held(ACME + "2025-03-06,buy,FUNDX,etf,5,500,,main,\n", *ON, prices="ACME,12\n")
    assert of(told, "asset", "price", "price_from") == [
        ("ACME", "12", "prices.csv"),
        ("FUNDX", "100", "ledger 2025-03-06"),
    ]
    assert told["totals"]["all"]["unrealized"] == "200"


@pytest.mark.parametrize(
    ("day", "lots"),
    [
        ("2025-01-05", []),
        ("2025-01-06", [("100", "1000")]),
        ("2025-02-03", [("60", "600")]),
        ("2025-02-04", [("60", "600"), ("10", "151")]),
    ],
)
def test_a_day_is_looked_at_as_it_ends(held, day: str, lots: list[tuple[str, str]]) -> None:
    more = "2025-02-03,sell,ACME,,40,600,,main,\n2025-02-04,buy,ACME,,10,150,1,main,\n"
    assert of(held(ACME + more, "--as-of", day), "quantity", "basis") == lots


def test_nothing_held_is_said(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(HEADER + ACME)
    assert ask("holdings", "ledger.csv", "--as-of", "2024-12-31").text == "nothing held\n"


@pytest.mark.parametrize(
    ("bought", "day", "said"),
    [
        ("2024-06-10", "2025-06-10", ("short", "2025-06-11", 1)),
        ("2024-06-10", "2025-06-11", ("long", None, None)),
        ("2024-02-29", "2025-02-28", ("short", "2025-03-01", 1)),
        ("2024-02-29", "2025-03-01", ("long", None, None)),
    ],
)
def test_the_term_is_that_of_a_sale_on_the_day(held, bought: str, day: str, said: tuple) -> None:
    told = held(ACME.replace("2025-01-06", bought), "--as-of", day)
    assert of(told, "term", "turns_long", "days_to_go") == [said]


def test_what_was_inherited_is_long_term_at_once(held) -> None:
    wide = "2025-12-01,inheritance,ACME,stock,10,,,main,,900\n"
    told = held(wide, *ON, header=HEADER.replace("\n", ",fair_value\n"))
    assert of(told, "acquired_text", "term", "turns_long") == [("INHERITED", "long", None)]


def test_what_was_sold_short_is_owed(held) -> None:
    told = held("2025-07-01,short_open,TSLA,stock,5,1500,,main,\n", *ON, prices="TSLA,310\n")
    assert of(told, "account", "quantity", "basis", "value", "unrealized", "term") == [
        ("main (short)", "-5", "-1500", "-1550", "-50", None)
    ]


def test_amounts_are_exact_to_the_last_digit(held) -> None:
    coins = "2025-01-06,buy,BTC,crypto,0.30000001,10000.01,,main,\n2025-02-06,sell,BTC,,0.1,5000,,main,\n"
    [coin] = held(coins, *ON, prices="BTC,98765.4321\n")["lots"]
    quantity, basis, price, value, unrealized = (
        Decimal(coin[name]) for name in ("quantity", "basis", "price", "value", "unrealized")
    )
    assert (quantity, price) == (Decimal("0.20000001"), Decimal("98765.4321"))
    assert (value, unrealized) == (quantity * price, quantity * price - basis)
    sold = Decimal("10000.01") - basis
    assert abs(sold - Decimal("10000.01") * Decimal("0.1") / Decimal("0.30000001")) < Decimal("0.01")


def test_lots_stand_where_they_were_moved_to(held) -> None:
    told = held(ACME + "2025-02-06,transfer,ACME,,30,,,main,vault\n", *ON)
    assert of(told, "account", "quantity", "acquired") == [("main", "70", "2025-01-06"), ("vault", "30", "2025-01-06")]


def test_a_basis_that_nobody_knows_is_called_unknown(held, ask: Asked) -> None:
    rows = ACME + "2025-03-06,transfer_in,BTC,crypto,1,,,vault,\n"
    told = held(rows, *ON, prices="ACME,12\nBTC,90000\n")
    assert of(told, "asset", "basis", "value", "unrealized")[1] == ("BTC", None, "90000", None)
    assert {name: told["totals"]["all"][name] for name in ("basis", "value", "unrealized")} == {
        "basis": None, "value": "91200", "unrealized": None,
    }  # fmt: skip
    text = ask("holdings", "ledger.csv", *ON, "--prices", "prices.csv").text
    assert "unknown" in text
    assert "Basis unknown, so what is unrealized is too: BTC\n" in text


def test_prices_are_read_like_any_export(held, tmp_path: Path, ask: Asked) -> None:
    held(ACME, *ON)
    (tmp_path / "prices.csv").write_bytes(
        '\ufeffprice;note;asset\r\n12;"today\'s";ACME\r\n\r\n'.replace(";", ",").encode()
    )
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


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--as-of", "soon"], "--as-of: 'soon' is not a date such as 2025-12-31\n"),
        (["--out", "o", "--format", "pdf"], "--format: no format 'pdf'; there are csv, json, html\n"),
        (["--out", "theirs"], f"theirs: holds note.txt, {THEIRS}\n"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options: list[str], error: str, tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(HEADER + ACME)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "note.txt").write_text("mine")
    said = ask("holdings", "ledger.csv", *options)
    assert (said.code, said.text, said.error) == (2, "", error)


def test_files_are_private_and_the_page_asks_for_nothing(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(HEADER + ACME.replace("ACME", "=A</script>\u202e"))
    said = ask("holdings", "ledger.csv", *ON, "--out", "out", "--format", "all")
    assert said.code == 0
    out = tmp_path / "out"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == dict.fromkeys(
        ("holdings.csv", "holdings.json", "holdings.html"), 0o600
    )
    assert (out / "holdings.csv").read_text().splitlines()[1].startswith("'=A</script>\ufffd,stock,main,100,")
    page = (out / "holdings.html").read_text()
    assert "default-src 'none'" in page
    ours = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"<(?:link|img|iframe|object)|\ssrc=|https?:", ours)
    assert "=A</script>" not in page
    assert "\u202e" not in page
    assert ours.count("<table>") == 5, "a table behind each of two charts, and three by themselves"
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    ask("holdings", "ledger.csv", *ON, "--out", "out", "--format", "all")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_without_the_charts_extra_a_page_is_refused(
    tmp_path: Path, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    charts.library.cache_clear()
    (tmp_path / "ledger.csv").write_text(HEADER + ACME)
    said = ask("holdings", "ledger.csv", *ON, "--out", "out")
    what = "charts are drawn by vl-convert-python, which is not here: pip install 'lotlaw[charts]'"
    assert (said.code, said.error) == (2, f"--format html: {what}\n")
    assert not (tmp_path / "out").exists()


def test_the_demo_is_held_as_its_exports_say(ask: Asked) -> None:
    """Bought less sold, by hand: 0.25 - 0.02 BTC, 3 - 1 ETH and the staked, 60 - 20 VTI, 200 - 100 ACME, ..."""
    said = ask("holdings", *(DEMO / name for name in ("coinbase.csv", "schwab.csv")), *ON, "--json")
    held: dict[str, Decimal] = {}
    for lot in json.loads(said.text)["lots"]:
        held[lot["asset"]] = held.get(lot["asset"], Decimal(0)) + Decimal(lot["quantity"])
    assert held == {
        "BTC": Decimal("0.23"), "ETH": Decimal("2.004123456789"), "SOL": Decimal("40.25"), "XRP": Decimal("780.25"),
        "VTI": Decimal(40), "ACME": Decimal(100), "BNDX": Decimal("40.4012"),
    }  # fmt: skip
