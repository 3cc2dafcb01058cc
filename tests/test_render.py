"""A return as text: return.json by its contract, Form 8949 in pages, every form, tables that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from made_return import ACME, BTC, EVIL, HARM, OLD, ROWS, SSN, made_return

from conftest import ROOT
from lotlaw.rendering import files, render, sources_of
from lotlaw.rendering.amounts import clean, exact_dollars, plain, plain_cents, printed, printed_cents
from lotlaw.rendering.pieces import joined
from lotlaw.rendering.sheets import sheets
from lotlaw.rules import load
from lotlaw.run import Return
from lotlaw.source import Problems
from lotlaw.taxpayer import normalised

SCHEMA = Draft202012Validator(json.loads((ROOT / "schemas" / "return.schema.json").read_text()))


@pytest.fixture(scope="module")
def made() -> Return:
    return made_return()


def stable(text: str, return_: Return) -> str:
    """Without what changes whenever any word of the rules does."""
    return text.replace(return_.year.digest, "DIGEST").replace(return_.year.digest[:12], "DIGEST")


def saved(snapshot: Any, name: str, text: str) -> None:
    snapshot.snapshot_dir = ROOT / "tests" / "snapshots" / "render"
    snapshot.assert_match(text, name)


@pytest.mark.parametrize("format_", ["json", "txt", "html", "csv"])
def test_a_return_is_rendered_as_it_was(snapshot: Any, made: Return, format_: str) -> None:
    for name, pieces in files(made, format_).items():
        saved(snapshot, name, stable(joined(pieces), made))


# return.json


def test_keys_stand_in_the_order_of_the_contract(made: Return) -> None:
    said = json.loads(render(made, "json"))
    assert list(said) == [
        "tax_year", "filing_status", "planning_only", "rules", "engine", "inputs", "form_8949", "lines", "carryover",
        "income", "not_computed", "warnings",
    ]  # fmt: skip
    assert list(said["form_8949"][0]) == ["box", "part", "rows", "totals"]
    row = ["description", "acquired", "sold", "proceeds", "basis", "codes", "adjustment", "gain", "source"]
    assert list(said["form_8949"][0]["rows"][0]) == row
    assert list(said["income"][0]) == ["kind", "asset", "time", "amount", "counted", "source"]


def test_a_row_says_what_the_form_says_and_where_it_comes_from(made: Return) -> None:
    boxes = {box["box"]: box for box in json.loads(render(made, "json"))["form_8949"]}
    assert list(boxes) == ["A", "I", "F"]
    assert (boxes["A"]["part"], boxes["F"]["part"]) == ("I", "II")
    assert boxes["I"]["rows"][0] == {
        "description": "1.5 BTC", "acquired": "2025-01-04", "sold": "2025-03-01", "proceeds": "100.00",
        "basis": "8100.00", "codes": "", "adjustment": "0.00", "gain": "-8000.00",
        "source": ["coin base;.csv:12", "coin base;.csv:4", "coin base;.csv:5"],
    }  # fmt: skip
    assert boxes["I"]["totals"] == {"d": "100.07", "e": "1242667.89", "g": "0.00", "h": "-1242567.82"}
    assert boxes["F"]["rows"][0]["acquired"] == "INHERITED"
    assert boxes["F"]["rows"][0]["source"] == ["schwab.csv:9"]
    assert boxes["F"]["rows"][1]["description"] == HARM
    assert sources_of(made).to_list()[0] == ["schwab.csv:3", "schwab.csv:2"]


def test_lines_are_in_dollars_blank_ones_absent_signs_as_printed() -> None:
    lines = json.loads(render(made_return(), "json"))["lines"]["schedule_d"]
    assert lines["1b"] == {"d": "6000", "e": "5000", "g": "500", "h": "1500"}
    assert (lines["6"], lines["14"], lines["21"]) == ("100", "9000", "3000")
    assert (lines["7"], lines["22"]) == ("-1241168", "yes")
    assert not {"1a", "2", "4", "17", "18"} & set(lines)


def test_with_cents_lines_keep_them() -> None:
    said = json.loads(render(made_return(cents=True), "json"))
    assert said["inputs"]["cents"] is True
    assert said["lines"]["schedule_d"]["3"] == {"d": "100.07", "e": "1242667.89", "g": "0.00", "h": "-1242567.82"}
    assert said["carryover"] == {"short": "1238167.82", "long": "8999.00"}


def test_income_is_exact_and_says_whether_it_counts(made: Return) -> None:
    first, second = json.loads(render(made, "json"))["income"]
    assert first == {
        "kind": "staking", "asset": "ETH", "time": "2025-02-01T00:30:05.250Z", "amount": "12.00", "counted": True,
        "source": ["schwab.csv:3"],
    }  # fmt: skip
    assert (second["amount"], second["counted"], second["time"]) == ("3.000012", False, "2025-03-03")


@pytest.mark.parametrize("cents", [False, True])
def test_the_taxpayer_can_be_read_back(cents: bool) -> None:
    said = {
        "income": {"wages": Decimal("80000.50")},
        "deduction": 20_000,
        "aged_or_blind": 2,
        "inputs": {"schedule_d": {"13": 5}},
    }
    made = made_return(cents=cents, **said)
    inputs = json.loads(render(made, "json"))["inputs"]
    assert inputs["taxpayer"]["aged_or_blind"] == 2
    assert inputs["taxpayer"]["income"]["wages"] == "80000.50"
    assert "ssn" not in inputs["taxpayer"]
    person = normalised(inputs["taxpayer"])
    again = made_return(**{key: value for key, value in person.items() if key != "ssn"}, cents=inputs["cents"])
    assert again.lines == made.lines


@pytest.mark.parametrize("cents", [False, True])
@pytest.mark.parametrize("year", [2018, 2020, 2024, 2025, 2026])
def test_every_year_keeps_to_the_schema(year: int, cents: bool) -> None:
    rows = [row for row in ROWS if row[0] != "I"]
    text = render(made_return(year, rows, cents=cents), "json")
    assert [error.message for error in SCHEMA.iter_errors(json.loads(text))] == []


def test_an_empty_return_keeps_to_the_schema() -> None:
    nothing = made_return(rows=[], carryover={}, events=made_return().income.clear(), warnings=[])
    said = json.loads(render(nothing, "json"))
    assert [error.message for error in SCHEMA.iter_errors(said)] == []
    assert (said["form_8949"], said["income"], said["warnings"]) == ([], [], [])
    assert "schedule_d" not in said["lines"]
    assert "Form 8949, Sales" not in render(nothing, "txt")
    assert render(nothing, "csv").count("\n") == 1


def test_the_schema_finds_what_is_wrong(made: Return) -> None:
    said = json.loads(render(made, "json"))
    said["lines"]["schedule_d"]["7"] = 5000
    said["inputs"]["taxpayer"]["ssn"] = SSN
    said["form_8949"][0]["rows"][0]["gain"] = "1,500"
    assert len(list(SCHEMA.iter_errors(said))) == 3


def test_the_same_return_gives_the_same_bytes() -> None:
    for format_ in ("json", "txt", "html", "csv"):
        assert render(made_return(), format_) == render(made_return(), format_)


# Private


def test_the_number_stands_on_every_form_and_nowhere_else(made: Return) -> None:
    for format_ in ("json", "csv"):
        assert SSN not in "".join(joined(pieces) for pieces in files(made, format_).values())
    text = render(made, "txt")
    assert text.count(SSN) == text.count("Name: Ada & <Lovelace>") == text.count("=" * 100) > 5
    assert render(made, "html").count(SSN) == render(made, "html").count('<section class="sheet">')


def test_without_a_name_a_form_says_none() -> None:
    assert "Name:" not in render(made_return(name="", ssn=""), "txt")


def test_html_asks_nothing_of_the_network(made: Return) -> None:
    html = render(made, "html")
    assert "default-src 'none'" in html
    assert not re.search(r"<script|<link|<img|<iframe|\bsrc=|url\(|@import|https?://(?!example\.com)", html)


# Texts that mean harm

SIGNS = "=+-@|%\uff1d\uff0b\uff0d\uff20"
"""What a formula may begin with, full-width signs included."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def with_description(text: str) -> Return:
    return made_return(rows=[(*BTC[:5], text, *BTC[6:])])


class Cells(HTMLParser):
    """The texts of table cells, and the elements a document is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 (the parser's signature)
        self.elements.add(tag)
        if tag in {"td", "th"}:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


@settings(max_examples=40, deadline=None)
@given(texts)
@example(HARM)
@example("\ue0000\ue001")
@example("{{ 7 * 7 }}{% raw %}")
@example('"\\\x00\x7f\u2028')
def test_any_text_arrives_as_it_is(text: str) -> None:
    return_ = with_description(text)
    assert json.loads(render(return_, "json"))["form_8949"][0]["rows"][0]["description"] == text
    cells = Cells(render(return_, "html"))
    assert clean(text) in cells.texts
    assert cells.elements == Cells(render(with_description("1.5 BTC"), "html")).elements
    assert clean(text) in render(return_, "txt")


@settings(max_examples=60, deadline=None)
@given(st.one_of(texts, st.builds(str.__add__, st.sampled_from(SIGNS), texts)))
@example(HARM)
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(render(with_description(text), "csv")))
    assert row["description"] in (clean(text), f"'{clean(text)}")
    assert row["description"][:1] not in set(SIGNS) or re.fullmatch(r"[+-]?\d+(\.\d+)?", row["description"])
    assert row["gain"] == "-8000.00"


def test_a_number_is_no_formula() -> None:
    descriptions = {"-5": "-5", "+1.50": "+1.50", "-5 ACME": "'-5 ACME", "=5": "'=5", "- 5": "'- 5"}
    for said, written in descriptions.items():
        assert table(with_description(said), "form_8949.csv")[0]["description"] == written


def test_plain_text_moves_no_cursor(made: Return) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", render(made, "txt") + render(made, "csv"))


# Amounts


@settings(max_examples=60)
@given(st.lists(st.integers(-(10**15), 10**15), min_size=1))
@example([0, -1, 99, 100, -99_999, 100_000, 99_999_999, -100_000_000])
def test_columns_print_amounts_like_single_ones(cents: list[int]) -> None:
    frame = pl.DataFrame({"c": cents})
    largest = max(map(abs, cents))
    both = frame.select(plain=plain_cents("c"), printed=printed_cents("c", largest))
    amounts = [Decimal(n).scaleb(-2) for n in cents]
    assert both["plain"].to_list() == [plain(amount, whole=False) for amount in amounts]
    assert both["printed"].to_list() == [printed(amount, whole=False) for amount in amounts]


@pytest.mark.parametrize(
    ("amount", "whole", "text"),
    [
        ("-8000", True, "(8,000)"), ("0", True, "0"), ("-0", True, "0"), ("1234567.5", False, "1,234,567.50"),
        ("-0.005", False, "(0.01)"), ("0.005", False, "0.01"), ("12.5", True, "12.50"),
    ],
)  # fmt: skip
def test_an_amount_as_a_form_prints_it(amount: str, whole: bool, text: str) -> None:
    assert printed(Decimal(amount), whole=whole) == text


def test_exact_dollars_keep_every_digit() -> None:
    amounts = [Decimal(12), Decimal("0.000000000000000001"), Decimal("-1.5"), Decimal("10.10"), Decimal("100.001")]
    frame = pl.DataFrame({"a": amounts}, schema={"a": pl.Decimal(38, 18)})
    assert frame.select(exact_dollars("a"))["a"].to_list() == [
        "12.00",
        "0.000000000000000001",
        "-1.50",
        "10.10",
        "100.001",
    ]


# Form 8949 in pages


def many(count: int, year: int = 2025) -> Return:
    sold = date(year, 3, 1)
    rows = [
        (*ACME[:5], f"{n} sh. ACME", date(year, 1, 4), None, sold, 100 * n, 50 * n, "", 0, *ACME[13:])
        for n in range(count)
    ]
    return made_return(year, [*rows, (*OLD[:8], sold, *OLD[9:])])


def pages(return_: Return) -> list[str]:
    return [page for page in render(return_, "txt").split("=" * 100 + "\n") if page.startswith("Form 8949,")]


def dollars(text: str) -> Decimal:
    digits = Decimal(re.sub(r"[(),]", "", text))
    return -digits if text.startswith("(") else digits


@pytest.mark.parametrize(("year", "expected"), [(2024, [14, 14, 5, 1]), (2025, [11, 11, 11, 1])])
def test_a_page_has_the_rows_of_the_year(year: int, expected: list[int]) -> None:
    found = pages(many(33, year))
    assert [len(re.findall(r"sh\. ACME|^Land", page, re.MULTILINE)) for page in found] == expected
    assert [f"page {n} of 4" in page for n, page in enumerate(found, 1)] == [True] * 4
    html = render(many(33, year), "html")
    bodies = re.findall(r'<table class="rows">.*?<tbody>(.*?)</tbody>', html, re.DOTALL)
    assert [body.count("<tr>") for body in bodies] == [
        load(year).documents["form_8949"].value["rows_a_page"]["value"]
    ] * 4


def test_totals_of_pages_add_up_to_the_box(made: Return) -> None:
    found = [page for page in pages(many(33)) if "[x] A" in page]
    sums = [dollars(re.search(r"Totals of this page +([\d,.()]+)", page)[1]) for page in found]  # type: ignore[index]
    assert len(found) == 3
    assert sum(sums) == Decimal(sum(range(33)))
    assert [("Totals of box A" in page) for page in found] == [False, False, True]
    assert re.search(r"Totals of box A +528\.00 +264\.00 +0\.00 +264\.00\n", found[2])


def test_exactly_the_box_of_the_rows_is_checked(made: Return) -> None:
    checked = [re.findall(r"^\[x\] (\w)", page, re.MULTILINE) for page in pages(made)]
    assert checked == [["A"], ["I"], ["F"]]
    assert [re.findall(r"^\[ \] (\w)", page, re.MULTILINE) for page in pages(made)][2] == ["D", "E", "J", "K", "L"]


def test_boxes_stand_in_the_order_of_the_form_whatever_that_of_the_rows() -> None:
    shuffled = made_return(rows=[EVIL, BTC, ACME])
    assert [re.findall(r"^\[x\] (\w)", page, re.MULTILINE) for page in pages(shuffled)] == [["A"], ["I"], ["F"]]


def test_a_row_as_the_form_prints_it(made: Return) -> None:
    first, second, third = pages(made)
    assert re.search(
        r"^100 sh\. ACME +01/04/2025  03/01/2025 +6,000\.00 +5,000\.00 +BW +500\.00 +1,500\.00$", first, re.MULTILINE
    )
    assert re.search(r"^1\.5 BTC +01/04/2025  03/01/2025 +100\.00 +8,100\.00 +\(8,000\.00\)$", second, re.MULTILINE)
    assert re.search(r"^Land +INHERITED +04/01/2025 +0\.05 +0\.00 +\(0\.05\) +0\.00$", third, re.MULTILINE)


def test_digits_line_up_with_and_without_parentheses() -> None:
    (page,) = pages(made_return(rows=[ACME, (*ACME[:12], -70_000, *ACME[13:]), (*ACME[:9], -1, *ACME[10:])]))
    rows = [line for line in page.splitlines() if re.search(r"\d\.\d\d\)?$", line)]
    assert "(700.00)" in rows[1]
    assert "(0.01)" in rows[2]
    assert len({tuple(point.start() for point in re.finditer(r"\.\d\d", row)) for row in rows}) == 1
    assert len(rows) == 5


def test_a_long_description_stands_on_a_line_of_its_own() -> None:
    page = pages(with_description("long " * 20))[0]
    assert ("long " * 20).rstrip() in page
    assert re.search(r"^ {40}  01/04/2025  03/01/2025 +100\.00", page, re.MULTILINE)


# Every page


@pytest.mark.parametrize(("year", "draft"), [(2025, False), (2026, True)])
@pytest.mark.parametrize("planning", [False, True])
def test_every_page_says_what_kind_of_return_it_is(year: int, draft: bool, planning: bool) -> None:
    return_ = made_return(year, planning_only=planning)
    text, html = render(return_, "txt"), render(return_, "html")
    count, sections = text.count("=" * 100), html.count('<section class="sheet">')
    assert count == sections > 5
    assert text.count("PLANNING ONLY: lots chosen by hifo") == html.count("Planning only.") == count * planning
    assert text.count("DRAFT RULES") == html.count("Draft rules.") == count * draft
    assert text.count(f", {return_.year.digest[:12]}\n") == count


def test_forms_stand_as_they_are_attached(made: Return) -> None:
    titles = re.findall(r"^=+\n(.*?) \| ", render(made, "txt"), re.MULTILINE)
    assert titles[0].startswith("Schedule D")
    assert titles[1].startswith("Form 8949")
    assert titles[-1].startswith("Form 1040, the digital-asset question")
    backwards = replace(made, year=replace(made.year, forms=dict(reversed(made.year.forms.items()))))
    assert re.findall(r"^=+\n(.*?) \| ", render(backwards, "txt"), re.MULTILINE)[:4] == titles[:4]


# Forms and worksheets


def test_every_line_of_every_form_has_its_label_and_its_amount(made: Return) -> None:
    text = re.sub(r"\s+", " ", render(made, "txt"))
    for sheet in sheets(made):
        for entry in (e for section in sheet.sections for e in section.entries):
            note = f" [to {entry.note}]" if entry.note else ""
            begin = f"{entry.id} {entry.label}{note}".strip()
            amounts = " ".join(cell for cell in entry.cells if cell)
            assert re.search(re.escape(begin) + r" \.+ ?" + re.escape(amounts), text), (sheet.name, entry)


def lines_of(return_: Return, form: str) -> dict[str, tuple[str | None, ...]]:
    (sheet,) = (s for s in sheets(return_) if s.name == form)
    return {entry.id: entry.cells for section in sheet.sections for entry in section.entries}


def test_blank_lines_are_printed_with_empty_cells_and_no_cell_where_the_form_has_none(made: Return) -> None:
    lines = lines_of(made, "schedule_d")
    assert lines["1a"] == ("", "", None, "")
    assert lines["2"] == ("", "", "", "")
    assert lines["4"] == (None, None, None, "")
    assert lines["18"] == (None, None, None, "")


def test_parentheses_signs_and_answers_as_printed(made: Return) -> None:
    lines = lines_of(made, "schedule_d")
    assert (lines["6"][-1], lines["14"][-1], lines["21"][-1]) == ("(100)", "(9,000)", "(3,000)")
    assert (lines["7"][-1], lines["22"][-1]) == ("(1,241,168)", "Yes")
    assert lines_of(made_return(inputs={"schedule_d": {"1a": {"d": 5, "e": 7}}}), "schedule_d")["1a"] == (
        "5",
        "7",
        None,
        "(2)",
    )


def test_the_largest_amounts_have_room() -> None:
    most = 10**15
    rows = [(*BTC[:9], most, most, "", -most, *BTC[13:])]
    text = render(made_return(rows=rows, cents=True, carryover={"short": 10**13}), "txt")
    amount = r"10,000,000,000,000\.00"
    assert re.search(
        rf" 3  Form 8949 with box C or I checked \.\. +{amount} +{amount} +\({amount}\) +\({amount}\)", text
    )
    assert re.search(rf"^1\.5 BTC  .* {amount} +{amount} +\({amount}\)  \({amount}\)$", text, re.MULTILINE)


def test_the_numbers_are_those_of_the_years_form(made: Return) -> None:
    assert "7a" in lines_of(made, "form_1040")
    assert "Schedule 1, line 13" in lines_of(made_return(2018, [ACME]), "form_1040")
    assert "filed" not in lines_of(made, "schedule_d")


def test_labels_columns_and_pages_are_data(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    for name, before, after in [
        ("schedule_d", "Net short-term gain or (loss)", "What short-term trading brought"),
        ("form_8949", "Date acquired", "Bought & paid"),
        ("form_8949", "rows_a_page: {value: 11", "rows_a_page: {value: 2"),
    ]:
        path = tmp_path / "rules" / "2025" / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
    (tmp_path / "rules" / "2025" / "LOCK").unlink(missing_ok=True)
    other = made_return(load(2025, tmp_path / "rules"), rows=[ACME] * 5)
    assert "What short-term trading brought" in render(other, "txt")
    assert "page 3 of 3" in render(other, "txt")
    assert "<b>(b)</b> Bought &amp; paid" in render(other, "html")


# Tables


def table(return_: Return, name: str) -> list[dict[str, str]]:
    text = "".join(files(return_, "csv")[name])
    assert text.endswith("\n")
    assert "\r" not in text
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_of_rows(made: Return) -> None:
    rows = table(made, "form_8949.csv")
    assert rows[1] == {
        "box": "I", "part": "I", "description": "1.5 BTC", "acquired": "2025-01-04", "sold": "2025-03-01",
        "proceeds": "100.00", "basis": "8100.00", "codes": "", "adjustment": "0.00", "gain": "-8000.00",
        "term": "short", "asset": "BTC", "account": "coinbase",
        "source": "coin base;.csv:12; coin base;.csv:4; coin base;.csv:5",
    }  # fmt: skip
    assert (rows[4]["asset"], rows[4]["account"]) == ("'=1+1", "'@main")
    assert rows[4]["description"].startswith("'=HYPERLINK")


def test_the_table_of_a_form(made: Return) -> None:
    rows = {(row["line"], row["column"]): row["amount"] for row in table(made, "schedule_d.csv")}
    assert (rows["1b", "h"], rows["3", "d"], rows["1a", "d"]) == ("1500", "100", "")
    assert (rows["7", ""], rows["21", ""], rows["22", ""], rows["17", ""]) == ("-1241168", "3000", "yes", "")
    assert ("1a", "g") not in rows
    assert set(files(made, "csv")) == {"form_8949.csv", *(f"{form}.csv" for form in made.lines)}


def test_a_format_that_there_is_not(made: Return) -> None:
    with pytest.raises(Problems) as error:
        render(made, "docx")
    assert (
        str(error.value) == "--format: no format 'docx'; there are json, csv, txt, html, pdf, drake, fdx, taxact, txf"
    )
