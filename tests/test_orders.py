"""Which method is in force for a sale: orders by how narrow they are, brokers' defaults, what is asked for by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from simple_ledger import PERSON, filed, ledger_of, refused, warned

from conftest import ROOT, Asked
from lotlaw.ledger import Ledger
from lotlaw.lots.events import COLUMNS, FEES, Events, column, money_of, with_amounts
from lotlaw.lots.methods import problems_of
from lotlaw.lots.orders import Orders, orders_of
from lotlaw.lots.treatment import treatment
from lotlaw.rules import load
from lotlaw.run import own_rates
from lotlaw.source import Problems, parse_yaml
from lotlaw.taxpayer import check_against, normalised, read_taxpayer

TEXT = (ROOT / "rules" / "2018" / "dispositions.yaml").read_text(encoding="utf-8")
LEDGER = """
    time       | kind | asset | asset_class | quantity | amount | account
    2011-05-01 | sell | VTSAX | fund        | 1        | 10     | a
    2024-05-01 | sell | BTC   | crypto      | 1        | 10     | a
    2025-05-01 | sell | BTC   | crypto      | 1        | 10     | a
    2025-05-02 | sell | BTC   | crypto      | 1        | 10     | b
    2025-05-03 | sell | ETH   | crypto      | 1        | 10     | a
    2025-05-04 | sell | ETH   | crypto      | 1        | 10     | b
    2025-05-05 | sell | ACME  | stock       | 1        | 10     | a
    2025-05-06 | sell | VTI   | etf         | 1        | 10     | a
    2025-05-07 | sell | VTSAX | fund        | 1        | 10     | a
    2025-05-08 | sell | VTSAX | fund        | 1        | 10     | b
"""


def order(method: str, **said: Any) -> dict[str, Any]:
    return {"method": method, "from": date(2000, 1, 1), "recorded_on": date(2000, 1, 1), **said}


def events_of(ledger: Ledger, person: dict[str, Any]) -> Events:
    law = treatment(load(2025), person)
    rows = ledger.rows.with_row_index("row").select("row", *(column(ledger.rows, name) for name in COLUMNS))
    none = pl.DataFrame(schema=FEES)
    return Events(ledger, law, with_amounts(rows, money_of(ledger, law)), none, none)


def orders(folder: Path, *methods: dict[str, Any], method: str | None = None, **said: Any) -> Orders:
    person = normalised({**PERSON, "methods": list(methods), **said})
    return orders_of(events_of(ledger_of(folder, LEDGER), person), person, method)


def in_force(found: Orders) -> str:
    """The method of each sale, row by row."""
    steps = found.events.rows.select("row", "account", asset="out_asset")
    assert not found.problems
    return " ".join(found.method_of(steps))


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ([], "fifo fifo fifo fifo fifo fifo fifo fifo fifo fifo"),
        ([order("lifo")], "lifo lifo lifo lifo lifo lifo lifo lifo lifo lifo"),
        ([order("lifo", asset="*", account="*")], "lifo lifo lifo lifo lifo lifo lifo lifo lifo lifo"),
        ([order("lifo", **{"from": date(2024, 5, 1), "to": date(2025, 5, 1)})],
         "fifo lifo lifo fifo fifo fifo fifo fifo fifo fifo"),
        ([order("hifo", asset="BTC"), order("lifo", asset_class="crypto"), order("lofo", account="a")],
         "lofo hifo hifo hifo lifo lifo lofo lofo lofo fifo"),
        ([order("lofo", account="a"), order("lifo", asset="BTC"), order("hifo", asset="BTC", account="b")],
         "lofo lifo lifo hifo lofo fifo lofo lofo lofo fifo"),
        ([order("hifo", **{"from": date(2025, 1, 1)}), order("lifo")],
         "lifo lifo hifo hifo hifo hifo hifo hifo hifo hifo"),
        ([order("hifo", recorded_on=date(1999, 1, 1)), order("lifo")],
         "lifo lifo lifo lifo lifo lifo lifo lifo lifo lifo"),
        ([order("lifo"), order("hifo")], "hifo hifo hifo hifo hifo hifo hifo hifo hifo hifo"),
        ([order("fifo", recorded_on=date(2026, 1, 1)), order("lifo", recorded_on=date(1999, 1, 1))],
         "fifo fifo fifo fifo fifo fifo fifo fifo fifo fifo"),
        ([order("min-tax", asset="ETH")], "fifo fifo fifo fifo min_tax min_tax fifo fifo fifo fifo"),
        ([order("average")], "fifo fifo fifo fifo fifo fifo fifo fifo average average"),
        ([order("average", asset="VTI"), order("average", asset="ACME", account="a")],
         "fifo fifo fifo fifo fifo fifo average average fifo fifo"),
    ],
    ids=[
        "the default", "for all", "stars", "days", "an asset before a class before an account", "an account besides",
        "of two the later begun", "of two the later recorded", "of two the later written",
        "first in first out needs no record", "another spelling", "average for funds", "average by name",
    ],
)  # fmt: skip
def test_the_narrowest_order_holds(tmp_path: Path, methods: list[dict[str, Any]], expected: str) -> None:
    assert in_force(orders(tmp_path, *methods)) == expected


def test_a_broker_has_a_default_for_fund_shares(tmp_path: Path) -> None:
    """Reg. 1.1012-1(e)(2)(i): shares acquired from 2012 on."""
    accounts = {"a": {"default_method": "average"}, "b": {"default_method": "hifo"}}
    usual = "fifo fifo fifo fifo fifo fifo fifo fifo average hifo"
    assert in_force(orders(tmp_path, accounts=accounts)) == usual
    assert in_force(orders(tmp_path, order("lifo", asset="VTSAX"), accounts=accounts)) == (
        "lifo fifo fifo fifo fifo fifo fifo fifo lifo lifo"
    )


def test_a_brokers_default_that_nobody_says_is_asked_for_once(tmp_path: Path) -> None:
    said = [
        f"Fund shares at {where} are sold fifo, as the taxpayer file does not say otherwise; for shares acquired from "
        f"2012-01-01 on it is the broker's own default method (§1.1012-1(e)(2)(i)): accounts: {{{first}: "
        "{default_method: average}}"
        for where, first in (("a, b", "a"), ("b", "b"))
    ]
    assert orders(tmp_path).warnings == [said[0]]
    for answer in ({"default_method": "fifo"}, {"kind": "roth_ira"}):
        assert orders(tmp_path, accounts={"a": answer}).warnings == [said[1]]
    assert orders(tmp_path, order("fifo")).warnings == []


def test_orders_for_what_the_ledger_does_not_have(tmp_path: Path) -> None:
    found = orders(tmp_path, order("fifo", asset="VTSX"), order("fifo", account="aa"), order("fifo"))
    assert found.warnings == [
        "taxpayer: the ledger does not have the account 'aa' (did you mean 'a'?)",
        "taxpayer: the ledger does not have the asset 'VTSX' (did you mean 'VTSAX'?)",
    ]


@pytest.mark.parametrize(
    ("method", "methods", "expected", "planning"),
    [
        ("hifo", [], "hifo hifo hifo hifo hifo hifo hifo hifo hifo hifo", True),
        ("min-tax", [], "min_tax min_tax min_tax min_tax min_tax min_tax min_tax min_tax min_tax min_tax", True),
        ("fifo", [], "fifo fifo fifo fifo fifo fifo fifo fifo fifo fifo", False),
        ("hifo", [order("hifo")], "hifo hifo hifo hifo hifo hifo hifo hifo hifo hifo", False),
        ("fifo", [order("hifo")], "fifo fifo fifo fifo fifo fifo fifo fifo fifo fifo", True),
        ("hifo", [order("hifo", asset_class="crypto")], "hifo hifo hifo hifo hifo hifo hifo hifo hifo hifo", True),
        ("average", [order("lifo", account="a")],
         "lifo lifo lifo fifo lifo fifo lifo lifo average average", True),
        ("average", [order("average")], "fifo fifo fifo fifo fifo fifo fifo fifo average average", False),
    ],
)  # fmt: skip
def test_a_method_asked_for_by_hand_is_for_planning(
    tmp_path: Path, method: str, methods: list[dict[str, Any]], expected: str, planning: bool
) -> None:
    found = orders(tmp_path, *methods, method=method)
    assert (in_force(found), found.planning_only) == (expected, planning)


def test_the_methods_of_a_year(tmp_path: Path) -> None:
    found = orders(tmp_path, order("hifo", asset="BTC"), order("lifo", asset="ACME"))
    assert [found.used(year) for year in (2023, 2024, 2025)] == [["fifo"], ["hifo"], ["fifo", "hifo", "lifo"]]
    assert orders(tmp_path).used(2025) == ["fifo"]


TIMELY = """
    time                 | kind | asset | asset_class | quantity | amount | id | lot | settle_date | identified_at
    2025-01-02           | buy  | BTC   | crypto      | 9        | 10     | b  |     |             |
    2025-01-02           | buy  | ACME  | stock       | 9        | 10     | s  |     |             |
    2025-05-01T12:00:00Z | sell | BTC   |             | 1        | 10     |    | b   |    | 2025-05-01
    2025-05-01T12:00:00Z | sell | BTC   |             | 1        | 10     |    | b   |    | 2025-05-01T08:00:00-04:00
    2025-05-02           | sell | BTC   |             | 1        | 10     |    | b   |    | 2025-05-03T01:00:00Z
    2025-05-02           | sell | ACME  |             | 1        | 10     |    | s   | 2025-05-05  | 2025-05-05
    2025-05-03           | sell | BTC   |             | 1        | 10     |    | b   |             |
"""


def test_identifications_in_time(tmp_path: Path) -> None:
    """On the day, at the instant, by the taxpayer's own clock; stock until it settles; nothing said is in time."""
    assert orders_of(events_of(ledger_of(tmp_path, TIMELY), PERSON), PERSON, None).problems == []


SOONER = (
    "the lots of this sale were identified on {}, after it and before it settled; that counts until the time that Rule "
    "15c6-1 has for its settlement, if that is earlier (§1.1012-1(c)(8)), which is not checked"
)


def test_what_comes_between_sale_and_settlement_is_told(tmp_path: Path) -> None:
    """§1.1012-1(c)(8): the settlement date, or the time of Rule 15c6-1, whichever is earlier."""
    found = warned(tmp_path, filed(tmp_path, TIMELY))
    assert [said for said in found if "identified" in said] == [f"ledger.csv:7: {SOONER.format('2025-05-05')}"]


def test_an_order_is_in_time_until_stock_settles(tmp_path: Path) -> None:
    text = """
        time       | kind | asset | asset_class | quantity | amount | settle_date
        2025-01-02 | buy  | ACME  | stock       | 9        | 10     |
        2025-05-01 | sell | ACME  |             | 1        | 10     | 2025-05-02
    """
    days = {"from": date(2025, 5, 1), "recorded_on": date(2025, 5, 2)}
    person = normalised({**PERSON, "methods": [order("hifo", **days)]})
    found = orders_of(events_of(ledger_of(tmp_path, text), person), person, None)
    assert in_force(found) == "fifo hifo"
    told = warned(tmp_path, filed(tmp_path, text, methods=person["methods"]))
    assert told == [f"ledger.csv:3: {SOONER.format('2025-05-02')}"]


@pytest.mark.parametrize(
    ("said", "account", "refused"),
    [({}, {}, 1), ({"told_broker": True}, {}, 0), ({}, {"custody": "self"}, 0), ({}, {"custody": "broker"}, 1)],
)
def test_what_the_relief_of_2025_ends_for(
    tmp_path: Path, said: dict[str, Any], account: dict[str, Any], refused: int
) -> None:
    """Notice 2025-7: after it, one's own books identify what one holds oneself; a broker must be told of the rest."""
    year = load(2025)
    ended = parse_yaml(TEXT.replace("to: 2026-12-31", "to: 2025-04-30"), "dispositions.yaml")
    methods = [order("hifo", asset_class="crypto", **said)]
    person = normalised({**PERSON, "accounts": dict.fromkeys("ab", account), "methods": methods})
    law = treatment(replace(year, documents={**year.documents, "dispositions": ended}), person)
    for treated, problems in ((treatment(year, person), 0), (law, refused)):
        events = replace(events_of(ledger_of(tmp_path, LEDGER), person), treatment=treated)
        assert len(orders_of(events, person, None).problems) == problems


def test_average_cost_has_no_place_for_a_gift_of_two_bases(tmp_path: Path) -> None:
    text = """
        time       | kind    | asset | asset_class | quantity | amount | acquired   | basis | fair_value | account
        2024-01-02 | buy     | FUND  | fund        | 100      | 5000   |            |       |            | vg
        2024-02-02 | gift_in | FUND  |             | 100      |        | 2020-01-01 | 10000 | {}         | vg
        2025-03-03 | sell    | FUND  |             | 150      | 6000   |            |       |            | vg
    """
    average = {"accounts": {"vg": {"default_method": "average"}}}
    why = "FUND at vg is sold at average cost, and this gift has two bases"
    how = "give it the one that you chose as basis and as fair_value, or sell by another method"
    assert refused(tmp_path, text.format(8000), **average) == [f"ledger.csv:3: {why}; {how}"]
    assert filed(tmp_path, text.format(12000), **average).dispositions["basis"].sum() == 1_125_000


# The taxpayer's own rates


@pytest.mark.parametrize(
    ("status", "wages", "year", "short", "long"),
    [
        ("single", 0, 2025, "0", "0"),                             # less than the standard deduction
        ("single", 30_000, 2025, "0.12", "0"),
        ("single", 80_000, 2025, "0.22", "0.15"),
        ("married_joint", 300_000, 2025, "0.278", "0.188"),        # 24 and 15 percent, and 3.8 of §1411
        ("single", 700_000, 2025, "0.408", "0.238"),
        ("single", 700_000, 2018, "0.37", "0.2"),                  # Form 8960 of 2018 is not verified
    ],
)  # fmt: skip
def test_the_taxpayers_own_rates(status: str, wages: int, year: int, short: str, long: str) -> None:
    said = {"filing_status": status, "income": {"wages": wages}}
    assert own_rates(load(year), normalised(said)) == (Fraction(short), Fraction(long))
    more = {"carryover": {"short": 5_000, "long": 5_000}, "inputs": {"schedule_d": {"5": -9_000}}}
    assert own_rates(load(year), normalised({**said, **more})) == (Fraction(short), Fraction(long))


# Rules, and returns worked out again


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("default: fifo ", "default: fif ", "no method 'fif' (did you mean 'fifo'?)"),
        ("        fund:  {from", "        funds: {from", "no class 'funds' (did you mean 'fund'?)"),
        ("classes: [fund]", "classes: [trust]", "no class 'trust'"),
        ("    securities:\n      by", "    paper:\n      by", "identified: says nothing of the pool 'securities'"),
        ("        from: digital_assets_by", "        from: digital", "no parameter in `uses` 'digital"),
        ("form_8960.tax]", "form_8960.due]", "no tax 'form_8960.due'; a form of the year and one of its exports"),
    ],
)
def test_methods_that_make_no_sense(old: str, new: str, said: str) -> None:
    year = load(2025)
    document = parse_yaml(TEXT.replace(old, new, 1), "dispositions.yaml")
    problems = list(problems_of(replace(year, documents={**year.documents, "dispositions": document})))
    assert problems[0].message.startswith(said)
    assert problems[0].place.line > 1


def test_a_return_keeps_its_orders(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(
        "time,kind,asset,quantity,amount\n2025-01-04,buy,BTC,1,60000\n2025-03-01,sell,BTC,0.5,40000\n"
    )
    (tmp_path / "taxpayer.yaml").write_text(
        "filing_status: single\nmethods: [{method: fifo, from: 2025-01-01, to: 2025-12-31, recorded_on: 2025-06-01}]\n"
    )
    assert ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return").code == 0
    said = json.loads((tmp_path / "return" / "return.json").read_text())
    assert (said["planning_only"], said["inputs"]["method"]) == (False, None)
    assert said["inputs"]["taxpayer"]["methods"][0]["recorded_on"] == "2025-06-01"
    explained = ask("explain", "return/return.json", "schedule_d.16")
    assert (explained.code, explained.error) == (0, "")


def test_a_method_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(Problems, match=r"--method: no method best; there are fifo, lifo, hifo, lofo, min_tax, average"):
        orders(tmp_path, method="best")


def test_the_example_of_the_docs_is_a_taxpayer_file(tmp_path: Path) -> None:
    path = tmp_path / "taxpayer.yaml"
    path.write_text((ROOT / "docs" / "taxpayer.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0])
    said, document = read_taxpayer(path)
    assert check_against(load(2025), said, document) == []
    assert [one["method"] for one in said["methods"]] == ["hifo", "lifo"]


# Through the command


LOTS = """\
time,kind,asset,asset_class,quantity,amount,id,lot
2023-01-04,buy,BTC,crypto,1,20000,old,
2025-01-04,buy,BTC,crypto,1,{dearer},new,
2025-02-01,sell,BTC,,1,60000,,{lot}
"""


def written(folder: Path, ask: Asked, *more: str, lot: str = "", dearer: int = 39_000, methods: str = "[]") -> Any:
    """The return.json of one sale of two lots, and what was printed of it."""
    (folder / "ledger.csv").write_text(LOTS.format(lot=lot, dearer=dearer))
    (folder / "taxpayer.yaml").write_text(f"filing_status: single\nincome: {{wages: 250_000}}\nmethods: {methods}\n")
    said = ask(
        "file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return", "--format", "txt,html", *more
    )
    assert (said.code, said.error) == (0, "")
    return json.loads((folder / "return" / "return.json").read_text()), said.text


def bought(said: Any) -> list[str]:
    return [row["acquired"] for box in said["form_8949"] for row in box["rows"]]


def test_a_method_by_hand_is_marked_on_every_page_and_an_order_is_not(tmp_path: Path, ask: Asked) -> None:
    for more, methods, planning in (
        (["--method", "hifo"], "[]", True),
        (["--method", "hifo"], "[{method: hifo, from: 2025-01-01, recorded_on: 2024-12-30}]", False),
        ([], "[{method: hifo, from: 2025-01-01, recorded_on: 2024-12-30}]", False),
    ):
        said, screen = written(tmp_path, ask, *more, methods=methods)
        assert (bought(said), said["planning_only"]) == (["2025-01-04"], planning)
        assert ("PLANNING ONLY: lots chosen by hifo" in screen) is planning
        text, html = ((tmp_path / "return" / f"forms.{kind}").read_text() for kind in ("txt", "html"))
        pages = html.count('<section class="sheet">')
        assert pages > 2
        assert text.count("PLANNING ONLY: lots chosen by hifo") == html.count("Planning only.") == pages * planning
        explained = ask("explain", "return/return.json", "schedule_d.16")
        assert (explained.code, explained.error) == (0, "")


def test_lots_that_a_sale_names_go_before_any_method(tmp_path: Path, ask: Asked) -> None:
    methods = "[{method: hifo, from: 2025-01-01, recorded_on: 2024-12-30}]"
    for more in ([], ["--method", "lifo"]):
        said, _ = written(tmp_path, ask, *more, lot="old", methods=methods)
        assert (bought(said), said["planning_only"]) == (["2023-01-04"], False)


@pytest.mark.parametrize(
    ("dearer", "expected"),
    [
        (39_000, "2025-01-04"),     # 35.8 % of 21,000 is 7,518; 18.8 % of 40,000 is 7,520
        (38_990, "2023-01-04"),     # 35.8 % of 21,010 is 7,522
        (70_000, "2025-01-04"),     # a loss saves
    ],
)  # fmt: skip
def test_the_least_tax_at_the_taxpayers_own_rates(tmp_path: Path, ask: Asked, dearer: int, expected: str) -> None:
    methods = "[{method: min-tax, asset: BTC, from: 2025-01-01, recorded_on: 2024-12-30}]"
    said, screen = written(tmp_path, ask, dearer=dearer, methods=methods)
    assert (bought(said), said["planning_only"]) == ([expected], False)
    assert "Least tax    of the lots open, at your own 35.8% short-term and 18.8% long-term\n" in screen
