"""`lotlaw whatif`: a year with and without sales that have not been made."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import Asked
from lotlaw.ledger import read
from lotlaw.rules import load
from lotlaw.run import compute
from lotlaw.taxpayer import read_taxpayer

HEADER = "time,kind,asset,asset_class,quantity,amount,fee,account,id\n"
LEDGER = HEADER + (
    "2025-01-06,buy,ACME,stock,100,10000,,schwab,a1\n"
    "2025-02-03,buy,ACME,stock,100,16000,,schwab,a2\n"
    "2025-03-03,buy,BTC,crypto,0.5,45000,10,coinbase,b1\n"
    "2025-06-02,sell,ACME,,40,4800,,schwab,\n"
)
SINGLE = "filing_status: single\nincome: {wages: 80_000}\n"


@pytest.fixture
def what_if(tmp_path: Path, ask: Asked):
    """The answer to `lotlaw whatif 2025 ledger.csv --sell ... --json`."""

    def asks(*sales: str, options: tuple = (), ledger: str = LEDGER, taxpayer: str = SINGLE, year: int = 2025) -> dict:
        (tmp_path / "ledger.csv").write_text(ledger)
        (tmp_path / "taxpayer.yaml").write_text(taxpayer)
        selling = [word for sale in sales for word in ("--sell", sale)]
        said = ask("whatif", year, "ledger.csv", "--taxpayer", "taxpayer.yaml", *selling, *options, "--json")
        assert (said.code, said.error) == (0, "")
        return json.loads(said.text)

    return asks


def taxes(told: dict) -> tuple[str, str]:
    return told["results"]["taxes"]["without"], told["results"]["taxes"]["with"]


def test_each_side_is_the_return_that_lotlaw_file_works_out(what_if, tmp_path: Path) -> None:
    """The sale typed into the ledger gives every line that the plan shows."""
    told = what_if("0.25 BTC@82000 from coinbase on 2025-12-20", "60 ACME@150 on 2025-12-20 fee 5")
    sold = "2025-12-20,sell,BTC,,0.25,20500,,coinbase,\n2025-12-20,sell,ACME,,60,9000,5,schwab,\n"
    (tmp_path / "sold.csv").write_text(LEDGER + sold)
    person, _ = read_taxpayer(tmp_path / "taxpayer.yaml")
    without, with_ = (compute(load(2025), read(tmp_path / name), person) for name in ("ledger.csv", "sold.csv"))
    assert taxes(told) == tuple(f"{sum(r.taxes.values()):f}" for r in (without, with_))
    for name, side in told["results"].items():
        if name in without.results:
            assert (Decimal(side["without"]), Decimal(side["with"])) == (without.results[name], with_.results[name])
    moved = {(line["form"], line["line"]) for line in told["lines"]}
    lines = {(f, i) for r in (without, with_) for f, of in r.lines.items() for i in of}
    assert moved == {(f, i) for f, i in lines if without.lines.get(f, {}).get(i) != with_.lines.get(f, {}).get(i)}


def test_first_in_first_out_or_the_lot_that_is_named(what_if) -> None:
    first = what_if("60 ACME@150 on 2025-12-20")["form_8949"]
    named = what_if("60 ACME@150 on 2025-12-20 lot a2")["form_8949"]
    assert [(row["acquired"], row["basis"], row["gain"]) for row in (*first, *named)] == [
        ("2025-01-06", "6000", "3000"),
        ("2025-02-03", "9600", "-600"),
    ]


def test_another_method_is_for_planning_only(what_if) -> None:
    told = what_if("60 ACME@150 on 2025-12-20", options=("--method", "hifo"))
    assert (told["planning_only"], told["form_8949"][0]["basis"]) == (True, "9600")
    assert "Planning only: lots chosen by a method that no record made in time supports" in told["notes"]


def test_all_sells_what_is_left(what_if) -> None:
    assert what_if("all ACME@150 on 2025-12-20")["sales"][0]["quantity"] == "160"
    told = what_if("100 ACME@150 on 2025-12-20", "all ACME@150 on 2025-12-20")
    assert [sale["quantity"] for sale in told["sales"]] == ["100", "60"]


def test_the_price_may_come_from_a_file_or_the_last_trade(what_if, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("asset,price\nBTC,82000\n")
    [coin] = what_if("0.25 BTC on 2025-12-20", options=("--prices", "prices.csv"))["sales"]
    assert (coin["price"], coin["price_from"]) == ("82000", "prices.csv")
    told = what_if("60 ACME on 2025-12-20")
    assert told["sales"][0]["price"] == "120"
    assert "ACME at 120: the price of ledger 2025-06-02" in told["notes"]


def test_sales_may_stand_in_a_file(what_if, tmp_path: Path) -> None:
    (tmp_path / "sales.txt").write_text(
        "# at year end\n0.25 BTC@82000 on 2025-12-20\n\n60 ACME@150 on 2025-12-20 # fifo\n"
    )
    told = what_if(options=("--sales", "sales.txt"))
    assert [(sale["asset"], sale["quantity"]) for sale in told["sales"]] == [("BTC", "0.25"), ("ACME", "60")]


def test_waiting_until_long_term_is_filed_too(what_if) -> None:
    """Short-term gain taxed with wages in 2025, or long-term gain in 2026, by that year's rules."""
    told = what_if("all ACME@300 on 2025-12-20")
    waiting = told["waiting"]
    assert [sale["day"] for sale in waiting["sales"]] == ["2026-02-04"], "a day after a year from the later lot"
    years = waiting["years"]
    assert [year["year"] for year in years] == [2025, 2026]
    assert years[0]["without"]["taxes"] == told["results"]["taxes"]["with"], "now"
    assert years[0]["with"]["taxes"] == told["results"]["taxes"]["without"], "waiting"
    saves = sum(Decimal(year["without"]["taxes"]) - Decimal(year["with"]["taxes"]) for year in years)
    assert Decimal(waiting["saves"]) == saves > 0


def test_a_loss_does_not_wait(what_if) -> None:
    assert what_if("0.25 BTC@82000 on 2025-12-20")["waiting"] is None


def test_losses_run_down_over_years(what_if) -> None:
    """A loss of 22,505 - 10,000, less 900 of gain: 3,000 a year."""
    told = what_if("0.25 BTC@40000 on 2025-12-20", options=("--years", "4"))
    ledger_gain = Decimal(800)
    lost = Decimal(22505) - Decimal(10000) - ledger_gain
    carried = [Decimal(year["with"]["short_carryover"]) for year in told["years"]]
    assert carried == [lost - 3000 * n for n in (1, 2, 3)] + [Decimal(0)]
    assert [year["without"]["short_carryover"] for year in told["years"]] == ["0"] * 4
    assert told["assumed"][0].startswith("Years to come are worked out with the same income")
    assert told["assumed"][1] == "2027, 2028: no rules yet, so those of 2026 as they stand"


def test_net_investment_income_tax_moves_too(what_if) -> None:
    told = what_if("all ACME@600 on 2025-12-20", taxpayer="filing_status: single\nincome: {wages: 195_000}\n")
    side = told["results"]["form_8960.tax"]
    assert (side["label"], side["without"]) == ("Net investment income tax", "0")
    gain = Decimal(800) + 160 * 600 - 22000
    assert Decimal(side["with"]) == ((195_000 + gain - 200_000) * Decimal("0.038")).quantize(Decimal(1))


def test_purchases_shortly_before_take_a_loss_away(what_if) -> None:
    bought = LEDGER + "2025-12-01,buy,ACME,stock,30,2700,,schwab,a3\n"
    told = what_if("60 ACME@90 on 2025-12-20", ledger=bought)
    assert [(row["codes"], row["adjustment"], row["gain"]) for row in told["form_8949"]] == [("W", "300", "-300")]
    now = "ACME: 300.00 of the loss does not count now, for what was bought: 30 ACME on 2025-12-01"
    assert told["notes"] == [
        f"{now}; with no more purchases, all of it would from 2026-01-01 on",
        "ACME: to keep the loss, buy none and nothing substantially identical, in any account, before 2026-01-20",
    ]
    coin = what_if("0.25 BTC@82000 on 2025-12-20")
    assert (
        coin["notes"][0] == "BTC: no wash sale rule under these rules (Cryptocurrency); it may be bought again at once"
    )


def test_what_is_not_figured_again_stands_beside_the_answer(what_if) -> None:
    told = what_if("60 ACME@150 on 2025-12-20")
    assert told["not_computed"] == list(load(2025).not_computed)
    assert all(any(item in line for line in told["care"]) for item in told["not_computed"])
    assert "This is arithmetic under the cited rules, on what was entered. It is not advice." in told["care"]
    assert any("draft" in line for line in what_if("60 ACME@150 on 2026-12-20", year=2026)["care"])


@pytest.mark.parametrize(
    ("sale", "error"),
    [
        ("BTC", "--sell: 'BTC' is no sale; write it like `1.5 BTC@95000 from coinbase on DATE`"),
        ("0 BTC@1", "--sell: a sale of nothing"),
        ("1 BTC@82000 on 2025-12-20", "--sell: 1 BTC are more than the 0.5 at coinbase"),
        ("1 BTCC@82000 on 2025-12-20", "--sell: no BTCC is held on 2025-12-20 (did you mean BTC?)"),
        ("1 BTC@8 from binance on 2025-12-20", "--sell: none at binance; BTC is held at coinbase"),
        (
            "0.1 BTC@82000 on 2027-12-20",
            "--sell: 2027-12-20 is not in 2025, the year that is filed; give a day of it",
        ),
        ("0.1 BTC@82000 on soon", "--sell: 'soon' is not a date such as 2025-12-20"),
        ("1 BTC@9999999999999", "--sell: price 9999999999999 is too large, or has more than 18 decimals"),
        ("0.1 BTC@5 on 2025-12-20 fee 6", "--sell: the fee 6 is more than the sale brings"),
        ("1 ACME@5 on 2025-12-20 lot a9", "--sell: no row has the id 'a9' that this sale names"),
    ],
)  # fmt: skip
def test_what_is_no_sale_is_refused(sale: str, error: str, tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(LEDGER)
    (tmp_path / "taxpayer.yaml").write_text(SINGLE)
    said = ask("whatif", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--sell", sale)
    assert (said.code, said.text) == (2, "")
    assert said.error.replace("'", "").splitlines() == [error.replace("'", "")]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(LEDGER)
    (tmp_path / "taxpayer.yaml").write_text(SINGLE)
    (tmp_path / "sales.txt").write_text("1 BTC@\n0.1 BTC@5 on 2025-13-01\n")
    said = ask("whatif", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--sell", "", "--sales", "sales.txt")
    assert [line.partition(": ")[0] for line in said.error.splitlines()] == ["--sell", "sales.txt:1", "sales.txt:2"]
    said = ask("whatif", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml")
    assert said.error.startswith("--sell: nothing to sell; write it like")


def test_the_screen_and_the_files(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(LEDGER)
    (tmp_path / "taxpayer.yaml").write_text(SINGLE)
    sale = "0.25 BTC@82000 from coinbase on 2025-12-20"
    said = ask(
        "whatif", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--sell", sale, "--out", "o", "--format", "all"
    )
    assert said.code == 0
    lines = said.text.splitlines()
    assert lines[0] == f"2025, Single, fifo lots: selling {sale}"
    assert "0.25 BTC  2025-03-03  2025-12-20  short  20,500.00  22,505.00  -2,005.00" in lines
    assert next(line.split() for line in lines if line.startswith("Taxes together")) == [
        "Taxes", "together", "9,231", "8,780", "(451)",
    ]  # fmt: skip
    assert next(line for line in lines if line.startswith("schedule_d.16")).endswith("line7 + line15")
    page = (tmp_path / "o" / "whatif.html").read_text()
    assert all(word in page for word in ("Lines that moved", "Before you act on this", "form_1040.16"))
    assert (tmp_path / "o" / "whatif.csv").read_text().startswith("form,line,column,label,without,with\n")
    assert json.loads((tmp_path / "o" / "whatif.json").read_text())["plan"] == "whatif"
