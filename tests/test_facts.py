"""Every number, box and line of the rule files against the verified facts, which are kept outside the project."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from conftest import ROOT
from lotlaw.check.worked import run_example
from lotlaw.readings import exact
from lotlaw.rules import load, years
from lotlaw.source import read_yaml

YEARS = {number: load(number) for number in years(ROOT / "rules")}
LAST_VERIFIED = 2025
STATUSES = {"S": "single", "J": "married_joint", "M": "married_separate", "H": "head_of_household"}
"""As the verified vectors write them."""

FACTS = ROOT.parent / "shared" / "facts"
pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="the verified facts are not here")


@cache
def facts(name: str) -> Any:
    return read_yaml(FACTS / f"{name}.yaml").value


@pytest.mark.parametrize("number", YEARS)
def test_amounts_of_a_year(number: int) -> None:
    year, said = YEARS[number], facts("parameters")["years"][str(number)]
    for status in year.statuses:
        gains = said["capital_gain_breakpoints"][status]
        rows = year.parameter("income_tax", status)
        assert [row.get("up_to") for row in rows] == [*said["ordinary_brackets"]["thresholds"][status], None]
        assert [row["rate"] for row in rows] == facts("parameters")["ordinary_rates"]["values"]
        assert year.parameter("zero_rate_top", status) == gains["max_zero_rate_amount"]
        assert year.parameter("middle_rate_top", status) == gains["max_15_rate_amount"]
        assert year.parameter("standard_deduction", status) == said["standard_deduction"]["basic"][status]
        assert (
            year.parameter("aged_or_blind_addition", status) == said["standard_deduction"]["aged_or_blind_each"][status]
        )
        assert year.parameter("below_25_top", status) == said["sdtw_line_19_amount"][status]
        assert year.parameter("below_25_top", status) == rows[3]["up_to"], "the top of the 24-percent bracket"


@pytest.mark.parametrize("number", YEARS)
def test_amounts_fixed_by_law(number: int) -> None:
    year, said = YEARS[number], facts("parameters")["fixed_parameters"]
    for status in year.statuses:
        assert year.parameter("capital_loss_cap", status) == said["capital_loss_limit"][status]
        assert year.parameter("niit_threshold", status) == said["niit"]["thresholds"][status]
    rates = ["middle_gain_rate", "top_gain_rate", "collectibles_rate", "unrecaptured_1250_rate", "niit_rate"]
    assert [year.parameter(rate, "single") for rate in rates] == [
        *said["capital_gain_rates"]["values"][1:],
        said["collectibles_and_section_1202_max_rate"]["value"],
        said["unrecaptured_section_1250_max_rate"]["value"],
        said["niit"]["rate"],
    ]
    table = {row["to"]: row["width"] for row in said["tax_table"]["rows"]}
    steps = {row["up_to"]: row["width"] for row in year.parameter("tax_table_rows", "single")}
    assert steps == {top: width for top, width in table.items() if top != 15}
    assert year.parameter("tax_table_ceiling", "single") == said["tax_table"]["ceiling"]


def spanning(by_years: Mapping[str, Any], number: int) -> Any:
    """The entry whose years (`2018-2024`, `2025`) hold a year; a draft takes the last."""
    for span, value in by_years.items():
        first, _, last = span.partition("-")
        if first.isdigit() and int(first) <= min(number, LAST_VERIFIED) <= int(last or first):
            return value
    raise AssertionError(number)


@pytest.mark.parametrize("number", YEARS)
def test_boxes_codes_and_lines_of_a_year(number: int) -> None:
    said, year = facts("forms"), YEARS[number]
    form, schedule = year.documents["form_8949"].value, year.forms["schedule_d"]

    boxes = spanning(said["form_8949"]["boxes"], number)
    assert {box: form["boxes"][box]["part"] for box in form["boxes"]} == {
        b: v["part"] for b, v in boxes.items() if b != "rule"
    }
    feeds = {box: line.id for line in schedule.lines.values() for box in line.total_of.get("boxes", ())}
    assert feeds == spanning(said["form_8949"]["feeds_schedule_d"], number)
    rows = said["form_8949"]["rows_per_page_per_part"][str(min(number, LAST_VERIFIED))]
    assert form["rows_a_page"]["value"] == rows

    codes = {c: v for c, v in said["form_8949"]["adjustment_codes"].items() if len(c) == 1}
    valid = {c for c, v in codes.items() if int(v["years"][:4]) <= number}
    assert set(form["codes"]) == valid
    assert list(form["codes"]) == sorted(form["codes"])
    signs = {"either": "either", "0": "zero", "-": "minus", "+": "plus", "opposite of gain": "opposite"}
    for code in valid:
        assert form["codes"][code]["sign"] == signs.get(codes[code]["sign"], "either"), code

    assert [id_ for id_ in schedule.lines if id_ != "filed"] == list(said["schedule_d"]["lines"])
    asked = said["schedule_d"]["page1_question_qof"][str(min(number, LAST_VERIFIED))] == "present"
    assert bool(schedule.asks) == asked
    about_4952 = "form_4952_4g" in schedule.lines["20"].formula.names  # type: ignore[union-attr]
    assert about_4952 == said["schedule_d"]["line_20_form_4952_condition"][str(min(number, LAST_VERIFIED))].startswith(
        "on the form"
    )
    assert ("digital_asset_question" in year.forms) == (number > 2018)


def test_where_form_1040_prints_its_lines() -> None:
    said = facts("forms")["schedule_d"]["related_1040_lines"]
    for number, year in YEARS.items():
        lines = year.forms["form_1040"].lines
        for id_, what in (("15", "taxable_income"), ("16", "tax"), ("qualified_dividends", "qualified_dividends")):
            printed = str(said[what][str(min(number, LAST_VERIFIED))]).removeprefix("1040 line ")
            assert lines[id_].on_form == f"line {printed}"
        destination = facts("forms")["schedule_d"]["destination_of_line_16_or_21"][str(min(number, LAST_VERIFIED))]
        assert lines["7"].on_form.split()[-1] in destination
        assert year.forms["schedule_d"].lines["21"].to.endswith(lines["7"].on_form.split(", ")[-1])


@pytest.mark.parametrize("n", range(10))
def test_tax_vectors(n: int) -> None:
    said = facts("worksheets")["test_vectors_computed"]["vectors"][n]
    name = {"QDCGT": "qdcg", "SDTW": "schedule_d_tax"}[said["worksheet"]]
    given_ = {
        "status": STATUSES[said["status"]], "needed": True, "schedule_d_filed": True,
        "net_long_term": said["sd15"], "net_gain": said["sd16"],
        "taxable_income": said["taxable_income"], "qualified_dividends": said["qualified_dividends"],
        "gain_28": said["sd18"], "gain_1250": said["sd19"],
    }  # fmt: skip
    form = YEARS[said["year"]].forms[name]
    answers = run_example(YEARS[said["year"]], form, {"given": given_, "expect": {}, "cents": True})
    ordinary, last = list(form.lines)[-2:]
    assert (answers[last], answers[ordinary]) == (said["tax"], said["tax_all_ordinary"])


@pytest.mark.parametrize("n", range(4))
def test_carryover_examples(n: int) -> None:
    said = facts("worksheets")["capital_loss_carryover_worksheet"]["examples"][n]
    given_ = {
        "net_short_term": said["prior_SD7"], "net_long_term": said["prior_SD15"], "net_gain": said["prior_SD16"],
        "allowed_loss": -said["prior_SD21"], "taxable_income_signed": said["prior_TI"],
    }  # fmt: skip
    answers = run_example(YEARS[2024], YEARS[2024].forms["loss_carryover"], {"given": given_, "expect": {}})
    assert (answers.get("8", 0), answers.get("13", 0)) == (said["L8"], said["L13"])


def test_rows_of_the_tax_table() -> None:
    for amount, tax in facts("worksheets")["test_vectors_computed"]["tax_table_spot_checks_2024_single"].items():
        example = {"given": {"status": "single", "amount": int(amount)}, "expect": {"tax_on": None}}
        answers = run_example(YEARS[2024], YEARS[2024].forms["tax"], example)
        assert exact.whole_dollars(answers["tax_on"]) == tax  # type: ignore[arg-type]
