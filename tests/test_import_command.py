"""`lotlaw import`: the report, prices that exports leave out, a person's word on single rows, --explain and --draft."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from made_mapping import HEAD, MAPPING, folder_of

from conftest import ROOT
from lotlaw.importers import lint

KRAKEN = (ROOT / "tests" / "exports" / "kraken_ledgers.csv").read_text(encoding="utf-8")
PERSON = "filing_status: single\n"
COINS = """\
time,kind,asset,quantity,amount,counter_asset,counter_quantity
2025-01-02T12:00:00Z,buy,BTC,2,1000,,
2025-01-03T12:00:00Z,income,ETH,1,,,
2025-01-04,trade,BTC,1,,ETH,20
2025-02-06,sell,ETH,1,3000,,
"""


@pytest.fixture
def say(ask, tmp_path):
    """Writes files and runs a command over them."""

    def run(*arguments, **files):
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text, encoding="utf-8")
        return ask(*arguments)

    return run


# The report


def test_the_report_says_what_was_read_left_out_and_is_open(say):
    said = say("import", "kraken.csv", kraken__csv=KRAKEN)
    assert said.code == 0
    assert said.text.splitlines() == [
        "kraken.csv: 7 rows by kraken.ledgers (version 1)",
        "          2 buy",
        "          1 trade",
        "          2 income",
        "          1 transfer_out",
        "          1 transfer_in",
        "          1 left out: pending copy of a deposit or withdrawal, or one that failed",
        "          2 left out: moved inside Kraken",
        "3 row(s) have no value in dollars; fill these lines in, and give them with --prices:",
        "  asset,date,price,for",
        "  ETH,2025-03-01T10:00:00Z,,kraken.csv:7 trade of 0.38 ETH",
        "  DOT,2025-03-09T00:30:00Z,,kraken.csv:9 income of 1.23456789 DOT",
        "  SOL,2025-03-16T00:31:00Z,,kraken.csv:10 income of 0.0012 SOL",
        "kraken.csv:14: 0.03 BTC left, and arrived in no account of these files",
    ]


def test_a_running_balance_that_does_not_follow_is_said(say, tmp_path):
    checked = MAPPING.replace(
        "rules:", "check: [{balance: more, change: units, by: [coin], says: odd balance}]\nrules:"
    )
    folder_of(tmp_path, made=checked)
    rows = "2025-01-04,in,BTC,1,,1\n2025-01-05,in,ETH,7,,7\n2025-01-06,in,BTC,2,,3\n2025-01-07,in,BTC,1,,5\n"
    said = say("import", "made.csv", "--rules", "rules", made__csv=f"{HEAD.strip()},Text,More\n{rows}")
    assert "made.csv:5: odd balance: 5 BTC, where 4 would follow" in said.text.splitlines()
    newest_first = "\n".join(reversed(rows.splitlines()))
    said = say("import", "made.csv", "--rules", "rules", made__csv=f"{HEAD.strip()},Text,More\n{newest_first}\n")
    assert "made.csv:2: odd balance: 5 BTC, where 4 would follow" in said.text.splitlines()


# Prices


def test_file_refuses_to_guess_a_value_and_says_what_to_supply(say):
    said = say("file", 2025, "l.csv", "--taxpayer", "me.yaml", l__csv=COINS, me__yaml=PERSON)
    assert said.code == 2
    assert said.error.splitlines() == [
        "l.csv:3: income of 1 ETH has no value in dollars; give it, or a line `ETH,2025-01-03,price` in --prices",
        "l.csv:4: trade of 20 ETH has no value in dollars; give it, or a line `ETH,2025-01-04,price` in --prices",
    ]


def test_prices_of_an_instant_go_before_those_of_its_day(say, tmp_path):
    prices = "asset,date,price\nETH,2025-01-03,9\nETH,2025-01-03T11:00:00Z,2000\nETH,2025-01-03T12:00:01Z,7\n"
    prices += "BTC,2025-01-04,900\n"
    files = {"l__csv": COINS, "me__yaml": PERSON, "p__csv": prices}
    said = say("import", "l.csv", "--prices", "p.csv", "--out", "t.csv", **files)
    assert said.code == 0
    header, *rows = [line.split(",") for line in (tmp_path / "t.csv").read_text().splitlines()]
    worth = [
        (row[header.index("kind")], row[header.index("usd_value")], row[header.index("value_source")]) for row in rows
    ]
    assert worth == [
        ("buy", "1000", ""),
        ("income", "2000", "price_table"),
        ("trade", "900", "price_table"),
        ("sell", "3000", ""),
    ]


def test_a_return_made_with_prices_can_be_worked_out_again(say, tmp_path):
    prices = "asset,date,price\nETH,2025-01-03,2000\nETH,2025-01-04,100\n"
    files = {"l__csv": COINS, "me__yaml": PERSON, "p__csv": prices}
    said = say("file", 2025, "l.csv", "--taxpayer", "me.yaml", "--prices", "p.csv", "--out", "out", **files)
    assert said.code == 0, said.error
    return_ = json.loads((tmp_path / "out" / "return.json").read_text())
    assert return_["inputs"]["prices"]["name"] == "p.csv"
    assert [row["proceeds"] for box in return_["form_8949"] for row in box["rows"]] == ["2000.00", "3000.00"]
    assert say("explain", "out/return.json", "schedule_d.7").code == 0
    changed = say("explain", "out/return.json", "schedule_d.7", p__csv=prices + "SOL,2025-01-03,1\n")
    assert (changed.code, "was made from p.csv, which is not here or has changed since" in changed.error) == (2, True)


NO_DATE = "is neither a date nor an instant; write it like 2025-03-31, or like 2025-03-31T14:05:00Z"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ETH,2025-13-01,1", f"p.csv:2: date '2025-13-01' {NO_DATE}"),
        ("ETH,2025-01-01T10:00:00,1", f"p.csv:2: date '2025-01-01T10:00:00' {NO_DATE}"),
        ("ETH,2025-01-01,-1", "p.csv:2: price '-1' is negative"),
        ("ETH,2025-01-01,1\nETH,2025-01-01,2", "p.csv:3: asset 'ETH' has a price already"),
    ],
)  # fmt: skip
def test_a_price_that_is_none_is_refused(say, line, says):
    said = say("import", "l.csv", "--prices", "p.csv", l__csv=COINS, p__csv=f"asset,date,price\n{line}\n")
    assert (said.code, said.error.splitlines()) == (2, [says])


# A person's word on single rows


@pytest.fixture
def made(say, tmp_path):
    """Imports rows by the made-up mapping, with overrides if they are given; gives the answer."""
    folder_of(tmp_path, made=MAPPING.replace("more: {", "what_for: {from: Why, optional: true}\n  more: {"))

    def run(rows, *arguments, overrides=""):
        files = {"made__csv": HEAD + rows, "o__yaml": overrides}
        given = ["--overrides", "o.yaml"] if overrides else []
        return say("import", "made.csv", "--rules", "rules", *given, *arguments, **files)

    return run


ROWS = "2025-01-04,in,BTC,1\n2025-01-04,in,BTC,1\n2025-01-05,out,ETH,2\n"


def ids(said):
    return [line.rpartition(", id ")[2] for line in said.text.splitlines() if ", id " in line]


def test_a_row_that_no_rule_takes_is_answered_by_its_id(made):
    explained = made(ROWS, "--explain")
    assert explained.text.splitlines()[-1].startswith("  4: no rule of made.up takes this row: When '2025-01-05'")
    row = ids(explained)[-1]
    assert row.startswith("row-")
    left = made(ROWS, overrides=f"{row}: {{skip: sent by mistake and never left}}\n")
    assert "          1 left out: sent by mistake and never left" in left.text.splitlines()
    told = made(ROWS, overrides=f"{row}: {{emit: {{kind: gift_out, date: 2025-01-05, out_asset: ETH, out_qty: 2}}}}\n")
    assert "          1 gift_out" in told.text.splitlines()


def test_an_event_is_said_otherwise_or_left_out_by_its_id(made, tmp_path):
    first, second = ids(made(ROWS.rpartition("2025-01-05")[0], "--explain"))
    assert first != second
    overrides = (
        f"{first}: {{set: {{kind: income, income_type: airdrop, usd_value: 5}}}}\n{second}: {{skip: the same twice}}\n"
    )
    said = made(ROWS.rpartition("2025-01-05")[0], "--out", "t.csv", overrides=overrides)
    assert said.text.splitlines()[:3] == [
        "made.csv: 1 rows by made.up (version 1)",
        "          1 income",
        "          1 left out: the same twice",
    ]
    assert first in (tmp_path / "t.csv").read_text()


def test_what_was_reviewed_is_not_asked_again(made, tmp_path):
    folder_of(tmp_path, made=MAPPING.replace("in_qty: units", "in_qty: units, review: look at this"))
    rows = "2025-01-04,in,BTC,1\n"
    assert "made.csv:2: look at this" in made(rows).text
    (id_,) = ids(made(rows, "--explain"))
    assert "look at this" not in made(rows, overrides=f"{id_}: {{reviewed: it is mine}}\n").text


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ("abc: {skip: for no reason}", "o.yaml:1:1: no row of these files has the id 'abc'; "),
        ("abc: {skip: no}", 'o.yaml:1:13: skip "no": why, in a few words'),
        ("abc: {set: {kin: buy}}", "o.yaml:1:13: unknown field 'kin' (did you mean 'kind'?)"),
        ("abc: {set: {in_qty: much}}", "o.yaml:1:21: in_qty cannot be 'much'"),
        ("row-1: {set: {kind: buy}}", "o.yaml:1:8: a row that no rule takes is left out (`skip`), or `emit` says "),
        ("ID: {set: {kind: gift_out}}", "o.yaml:1:33: gift_out needs out_asset"),
    ],
)  # fmt: skip
def test_an_override_that_is_none_is_refused(made, overrides, says):
    rows = "2025-01-04,in,BTC,1\n"
    (id_,) = ids(made(rows, "--explain"))
    said = made(rows, overrides=overrides.replace("ID", id_) + "\n")
    assert (said.code, says in said.error.splitlines()[0]) == (2, True)


# --explain and --draft


def test_explain_shows_which_mappings_were_tried_and_where_rows_went(say):
    said = say("import", "--explain", "kraken.csv", kraken__csv=KRAKEN)
    lines = said.text.splitlines()
    assert lines[:2] == ["kraken.csv:", "  tried kraken.ledgers: fits"]
    assert any(line.startswith("  3;4: buy, by the rule in line ") for line in lines)
    assert any(line.startswith("  11: left out, moved inside Kraken, id row-") for line in lines)


def test_a_draft_is_a_mapping_that_reads_what_its_words_say(say, tmp_path):
    text = (
        'Day,Side,Coin,Units,Cost (USD),Fee,Fee\n03/04/2025,Buy,BTC,0.5,"$50,000.00",1,x\n03/05/2025,Gift,BTC,1,0,0,x\n'
    )
    drafted = say("import", "--draft", "trades.csv", trades__csv=text)
    rules = folder_of(tmp_path, trades=drafted.text)
    assert [str(p).partition(": ")[2] for p in lint.problems(rules)] in ([], ["no rule takes k 'gift' (Gift)"])
    refused = say("import", "trades.csv", "--rules", "rules")
    assert refused.error.startswith(
        "trades.csv:3: no rule of trades.draft takes this row: Day '03/05/2025', Side 'Gift'"
    )
    bought = say("import", "trades.csv", "--rules", "rules", trades__csv=text.rpartition("03/05")[0])
    assert bought.text.splitlines() == ["trades.csv: 1 rows by trades.draft (version 1)", "          1 buy"]


def test_explain_counts_the_rows_of_tables_that_are_left_out(say):
    statement = "Statement,Header,Field Name,Field Value\nStatement,Data,BrokerName,IB\nStatement,Data,Title,Activity\n"
    paid = (
        "Dividends,Header,Currency,Date,Description,Amount\nDividends,Data,USD,2025-02-03,VTI(US1) Cash Dividend,9.10\n"
    )
    lines = say("import", "--explain", "ib.csv", ib__csv=statement + paid).text.splitlines()
    assert lines[-1] == "  2 in tables that are left out: what the statement is about"
    assert lines[-2].startswith("  5: dividend, by the rule in line ")


@pytest.mark.parametrize(
    ("rows", "drafts"),
    [
        (
            'Datum,Tijd,Product,Aantal,Totaal\n25-11-2022,14:22,VWRL,10,"-1.048,90"\n28-11-2022,09:05,VWRL,-4,"402,30"\n',
            ["read: {decimal_comma: true}", "every: {time: datum + ' ' + tijd}", "['%d-%m-%Y %H:%M']"],
        ),
        (
            "Date,Market,Side,Amount,Total,Fee,Fee Currency\n2017-06-01 11:10:19,ETH/BTC,Buy,1.5,0.12,0.002,ETH\n",
            ["base: split(market, '/', 0)", "kind: =iif(quote == 'USD', 'buy', 'trade')", "fee_asset: fee_currency"],
        ),
        (
            "When,Type,Action,Wert für Währung\n2024-01-02,Trade,Buy to Close,1\n2024-01-03,Trade,Buy,1\n",
            [
                "of: action",
                "buy_to_close: ['Buy to Close']",
                "wert_fur_wahrung: {from: 'Wert für Währung', type: decimal}",
            ],
        ),
    ],
    ids=["commas, days and hours", "pairs", "what opens and closes"],
)
def test_a_draft_tells_what_plainly_stands_in_the_cells(say, tmp_path, rows, drafts):
    drafted = say("import", "--draft", "new.csv", new__csv=rows).text
    assert [said for said in drafts if said not in drafted] == []
    assert [p for p in lint.problems(folder_of(tmp_path, made=drafted)) if "no r" not in str(p)] == []


def test_a_draft_of_every_sample_is_a_valid_mapping(say, tmp_path):
    for path in sorted((ROOT / "tests" / "exports").glob("*.csv")):
        shutil.copy(path, tmp_path)
        drafted = say("import", "--draft", path.name)
        assert drafted.code == 0, drafted.error
        problems = [str(p) for p in lint.problems(folder_of(tmp_path, made=drafted.text))]
        assert [p for p in problems if "no rule takes" not in p and "no row can reach" not in p] == []


def test_nothing_is_written_without_out(say, tmp_path):
    say("import", "kraken.csv", kraken__csv=KRAKEN)
    assert [entry.name for entry in Path(tmp_path).iterdir()] == ["kraken.csv"]


# Swaps whose legs stand in several files

OWN = "0x1111111111111111111111111111111111111111"
COINS_OF_CHAIN = (
    "Transaction Hash,Blockno,UnixTimestamp,DateTime (UTC),From,To,ContractAddress,Value_IN(ETH),Value_OUT(ETH),"
    "CurrentValue @ $2511.10/Eth,TxnFee(ETH),TxnFee(USD),Historical $Price/Eth,Status,ErrCode,Method\n"
    f"0xa1,1,1740787200,2025-03-01 00:00:00,{OWN},0x33,,0,0.25,627,0.0003,0.69,2216.55,,,Swap\n"
    f"0xa2,2,1740873600,2025-03-02 00:00:00,{OWN},0x44,,0,0,0,0.0004,0.90,2300,,,Swap\n"
    f"0xa3,3,1740960000,2025-03-03 00:00:00,{OWN},0x55,,0,0.1,1,0.0001,0.2,2400,,,Transfer\n"
)
TOKENS_OF_CHAIN = (
    "Transaction Hash,Blockno,UnixTimestamp,DateTime (UTC),From,To,TokenValue,USDValueDayOfTx,ContractAddress,"
    f"TokenName,TokenSymbol\n0xa1,1,1740787200,2025-03-01 00:00:00,0x33,{OWN},550,550.00,0xa0,USD Coin,USDC\n"
    f"0xa2,2,1740873600,2025-03-02 00:00:00,{OWN},0x44,200,200.00,0xa0,USD Coin,USDC\n"
    f"0xa2,2,1740873600,2025-03-02 00:00:00,0x44,{OWN},10,199.00,0xb0,ChainLink,LINK\n"
)


def test_legs_of_one_transaction_in_several_files_are_a_trade(say, tmp_path):
    files = {"coins__csv": COINS_OF_CHAIN, f"tokens_{OWN}__csv": TOKENS_OF_CHAIN}
    said = say("import", "coins.csv", f"tokens_{OWN}.csv", "--out", "t.csv", **files)
    assert said.code == 0, said.error
    with (tmp_path / "t.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ("kind", "out_asset", "out_qty", "in_asset", "in_qty", "usd_value", "group_id")
    legs = [tuple(row[name] for name in names) for row in rows]
    assert legs == [
        ("trade", "ETH", "0.25", "USDC", "550", "550", "0xa1"),
        ("fee", "", "", "", "", "", "0xa2"),
        ("trade", "USDC", "200", "LINK", "10", "199", "0xa2"),
        ("transfer_out", "ETH", "0.1", "", "", "240", ""),
    ]


def test_a_transaction_that_moves_more_than_two_things_is_left_to_a_person(say):
    more = TOKENS_OF_CHAIN + f"0xa1,1,1740787200,2025-03-01 00:00:00,0x33,{OWN},1,1.00,0xb0,ChainLink,LINK\n"
    files = {"coins__csv": COINS_OF_CHAIN, f"tokens_{OWN}__csv": more}
    said = say("import", "coins.csv", f"tokens_{OWN}.csv", **files)
    words = "coins.csv:2: 1 left and 2 arrived in this transaction; say what was exchanged for what (--overrides)"
    assert words in said.text.splitlines()
