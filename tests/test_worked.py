"""The worked examples of every year against a plain reference of the worksheets, and that against other engines.

The reference (`worksheets.py`) is transcribed from the forms; its numbers are the verified facts, and the returns that
hold it are worked out by other engines. Both are kept outside the project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import worksheets

from conftest import ROOT
from lotlaw.check.worked import Example, equal, examples_of, whole_returns
from lotlaw.rules import EXAMPLES, load, years
from lotlaw.source import read_yaml

SHARED = ROOT.parent / "shared"
FACTS = SHARED / "facts" / "parameters.yaml"
ORACLE = SHARED / "oracle" / "returns.json"
needs_facts = pytest.mark.skipif(not FACTS.is_file(), reason="the verified facts are not here")
YEARS = {number: load(number) for number in years(ROOT / "rules")}
TAX_FORMS = ("qdcg", "schedule_d_tax")


@cache
def amounts(number: int, status: str) -> Mapping[str, Any]:
    """The verified numbers of a year for a filing status."""
    facts = read_yaml(FACTS).value
    year, fixed = facts["years"][str(number)], facts["fixed_parameters"]
    gains = year["capital_gain_breakpoints"][status]
    return {
        "rates": facts["ordinary_rates"]["values"], "tops": year["ordinary_brackets"]["thresholds"][status],
        "zero": gains["max_zero_rate_amount"], "middle": gains["max_15_rate_amount"],
        "below_25": year["sdtw_line_19_amount"][status], "standard": year["standard_deduction"]["basic"][status],
        "aged": year["standard_deduction"]["aged_or_blind_each"][status],
        "cap": fixed["capital_loss_limit"][status], "niit": fixed["niit"]["thresholds"][status],
    }  # fmt: skip


def examples() -> Iterator[Any]:
    """Every example of every year's examples.yaml that the reference can work out."""
    for number, year in YEARS.items():
        forms = (year.forms[name] for name in ("tax", *TAX_FORMS))
        found = [example for form in forms for example in examples_of(year, form)]
        for example in (*(e for e in found if e.document is year.documents.get(EXAMPLES)), *whole_returns(year)):
            yield pytest.param(number, example, id=f"{number} {example.form}: {example.name}")


@needs_facts
@pytest.mark.parametrize(("number", "example"), list(examples()))
def test_an_example_is_what_the_worksheets_come_to(number: int, example: Example) -> None:
    given = example.said["given"]
    a = amounts(number, given["status"])
    rounding = Decimal if example.said.get("cents") else worksheets.dollars
    if example.form == "tax":
        lines: Mapping[str, Any] = {"tax": {"tax_on": worksheets.tax_on(a, Decimal(given["amount"]))}}
    elif example.form:
        lines = {example.form: worksheet(number, example.form)(a, filled(given), rounding)}
    else:
        lines = worksheets.whole_return(number, a, given, rounding)
    said = [(form, line, want, lines.get(form, {}).get(line)) for form, line, want in example.expected()]
    assert [found for found in said if not equal(found[-1], found[-2])] == []


def worksheet(number: int, form: str) -> Any:
    if form == "qdcg":
        return worksheets.qdcg_27 if number < 2020 else worksheets.qdcg_25
    return worksheets.sdtw_2018 if number == 2018 else worksheets.sdtw


def filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """What an example gives a worksheet, and zero for what it does not."""
    names = ("qualified_dividends", "distributions", "gain_28", "gain_1250", "line3", "line4", "form_4952_4g")
    zero = dict.fromkeys((*names, "net_long_term", "net_gain"), 0) | {"schedule_d_filed": False}
    return {key: value if isinstance(value, bool | str) else Decimal(value) for key, value in (zero | given).items()}


@needs_facts
@pytest.mark.skipif(not ORACLE.is_file(), reason="the returns of other engines are not here")
def test_the_reference_is_what_other_engines_come_to() -> None:
    cases = json.loads(ORACLE.read_text(encoding="utf-8"))["cases"]
    assert {case["id"]: wrong for case in cases if (wrong := apart(case))} == {}
    assert len(cases) == 163


def apart(case: Mapping[str, Any]) -> list[str]:
    """Where the reference and other engines differ on a return, in the tax and in what carries over."""
    number, a = case["tax_year"], amounts(case["tax_year"], case["filing_status"])
    said = given_by(case)
    exact = worksheets.whole_return(number, a, said, Decimal)
    whole = worksheets.whole_return(number, a, said, worksheets.dollars)
    expected = case["expected"]["form_1040"]
    carried = case["expected"]["carryover_to_next_year"] or {}
    left = whole.get("loss_carryover", {})
    pairs = {
        "tax": (exact["form_1040"]["16"], expected["tax_line_16"]),
        "rounded": (whole["form_1040"]["16"], expected["tax_line_16_rounded_each_line"]),
        "income": (exact["form_1040"]["15"], expected["taxable_income"]),
        "short": (left.get("8", 0), carried.get("short_term", 0)),
        "long": (left.get("13", 0), carried.get("long_term", 0)),
    }
    return [f"{what}: {ours} and {theirs}" for what, (ours, theirs) in pairs.items() if ours != Decimal(str(theirs))]


def given_by(case: Mapping[str, Any]) -> dict[str, Any]:
    """A return of other engines as an example gives one."""
    said: dict[str, Any] = {
        f"taxpayer.income.{name}": Decimal(str(case[name]))
        for name in ("wages", "interest", "ordinary_dividends", "qualified_dividends")
    }
    said |= {f"taxpayer.carryover.{term}": case[f"prior_carryover_{term}"] for term in ("short", "long")}
    said |= {"taxpayer.standard_deduction": True, "schedule_d.13": case["capital_gain_distributions"]}
    said["unrecaptured_1250.11"] = case["unrecaptured_1250_line18"]
    for sale in case["transactions"]:
        gain = sale["proceeds"] - sale["basis"] + sale["adjustment"]
        mark = "collectibles" if gain == case["collectibles_gain_28pct"] and sale["term"] == "long" else "box"
        total = said.setdefault(f"{mark}_{sale['box']}", dict.fromkeys("deg", Decimal(0)))
        for column, name in (("d", "proceeds"), ("e", "basis"), ("g", "adjustment")):
            total[column] += Decimal(str(sale[name]))
    return said
