"""`lotlaw rules prove`: claims for every possible return, and what is assumed of rounding where lines are rounded."""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Asked, change
from lotlaw.formula import Reader, parse
from lotlaw.readings import exact, ranges
from lotlaw.readings.logic import DOLLARS, Logic, Scaled
from lotlaw.readings.ranges import Range
from lotlaw.rules import forget, load
from lotlaw.source import Place, data_root

RULES = data_root() / "rules"
CAP = load(2025).parameter("capital_loss_cap", "single")
STEPS = load(2025).parameter("tax_table_rows", "single")


def test_every_claim_of_a_year_is_proved(ask: Asked) -> None:
    answer = ask("rules", "prove", 2025)
    assert (answer.code, answer.error) == (0, "")
    assert "proved  form_1040: the tax never falls when a gain rises, and never rises when a loss does\n" in answer.text
    assert "proved  schedule_d_tax: without gain at 25 or 28 percent it is the other worksheet\n" in answer.text
    assert "proved  year: no line divides, overflows or is undefined\n" in answer.text
    assert "proved  year: with the same amounts, the forms come to what those of 2024 do\n" in answer.text
    assert "NOT" not in answer.text


BROKEN = [
    ("2025/schedule_d.yaml", "is: min(-line16, capital_loss_cap)", "is: -line16", "never exceeds the cap"),
    ("2018/loss_carryover.yaml", '"max(0, line5 - line7)"', '"max(0, line5 - line4)"', "are the loss"),
    ("2019/schedule_d_tax.yaml", "{if: line1 == line32, lines", "{if: line1 != line32, lines", "the other worksheet"),
    ("2018/tax.yaml", "if amount < tax_table_ceiling", "if amount > tax_table_ceiling", "never less tax"),
]


@pytest.mark.parametrize(("file", "old", "new", "claim"), BROKEN, ids=[claim for *_, claim in BROKEN])
def test_a_broken_rule_breaks_a_claim(file: str, old: str, new: str, claim: str, rules: Path, ask: Asked) -> None:
    change(rules / file, old, new)
    answer = ask("rules", "prove", 2025, Path(file).stem, "--rules", rules, "--json")
    assert answer.code == 1
    failed = [said["claim"] for said in json.loads(answer.text) if not said["proved"]]
    assert any(claim in said for said in failed), failed


def test_a_return_that_breaks_a_claim_can_be_filed(rules: Path, tmp_path: Path, ask: Asked) -> None:
    change(rules / "2025" / "schedule_d.yaml", "is: min(-line16, capital_loss_cap)", "is: -line16")
    found = json.loads(ask("rules", "prove", 2025, "schedule_d", "--rules", rules, "--json").text)
    (broken,) = [said for said in found if not said["proved"]]
    for name, text in broken["files"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    digest = load(2025, rules).digest
    (rules / "2025" / "LOCK").write_text(digest, encoding="utf-8")  # its examples fail as well
    forget()
    answer = ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--rules", rules, "--out", "out")
    assert (answer.code, answer.error) == (0, "")
    lines = json.loads((tmp_path / "out" / "return.json").read_text(encoding="utf-8"))["lines"]
    assert int(lines["schedule_d"]["21"]) == -int(lines["schedule_d"]["16"]) > CAP


def test_two_returns_that_break_a_claim_are_told(rules: Path, ask: Asked) -> None:
    change(rules / "2020" / "qdcg.yaml", "is: line20 * top_gain_rate", "is: -line20 * top_gain_rate")
    answer = ask("rules", "prove", 2025, "qdcg", "--rules", rules)
    assert answer.code == 1
    text = answer.text
    assert "NOT PROVED  qdcg: more income, and no less of it at the lower rates, is never less tax\n" in text
    assert "  taxpayer_before.yaml:\n    filing_status: " in text
    assert "  ledger_after.csv:\n    time,kind,asset," in text


UNDEFINED = [
    (
        "2025/parameters.yaml",
        "value: 3.8%",
        "value: 3.800000001%",
        "form_8960 line 17: .*: may come to .* with 13 decimals, for which a column has no room",
    ),
    ("2020/qdcg.yaml", '"max(0, line1 - line4)"', '"line1 - line4"', "tax_on may be asked about an amount below zero"),
]


@pytest.mark.parametrize(("file", "old", "new", "why"), UNDEFINED, ids=["overflows", "below zero"])
def test_a_line_without_a_value_is_told(file: str, old: str, new: str, why: str, rules: Path, ask: Asked) -> None:
    change(rules / file, old, new)
    answer = ask("rules", "prove", 2025, "year", "--rules", rules)
    assert answer.code == 1
    assert re.search(rf"NOT PROVED  year: no line divides, overflows or is undefined\n  .*\n  {why}\n", answer.text)


@settings(max_examples=40)
@given(amounts=st.lists(st.integers(-(10**15), 10**15), min_size=3, max_size=3))
def test_what_is_worked_out_lies_within_its_range(amounts: list[int]) -> None:
    text = (
        "max(a - b, schedule(max(0, c), rows)) + (a + c) * rate if a < c else row_middle(max(0, b), steps) - min(b, c)"
    )
    year, formula = load(2025), parse(text, Place("here"))
    law = {
        "rate": year.parameter("niit_rate", "single"),
        "rows": year.parameter("income_tax", "single"),
        "steps": STEPS,
    }
    spread = [(Range(min(n, 0), max(n, 0), 2), Decimal(n).scaleb(-2)) for n in amounts]
    known = {name: ranges.const(value) for name, value in law.items()}
    within = Reader(ranges, dict(zip("abc", (wide for wide, _ in spread), strict=True)) | known).read(formula)
    worked = Reader(exact, dict(zip("abc", (amount for _, amount in spread), strict=True)) | law).read(formula)
    assert within.low <= worked.scaleb(within.places) <= within.high


def test_beyond_what_form_4952_allows_gain_could_lower_the_tax_of_2019(tmp_path: Path, ask: Asked) -> None:
    """Line 4g elects 400,000 with nothing on line 4e and no dividends, which Form 4952 does not allow.

    Line 5 of the one worksheet takes all of it from the gain, line 5 of the other from the dividends alone
    (instructions for Form 1040, 2019, line 12a; for Schedule D, 2019, Schedule D Tax Worksheet). So the claim is made
    for what the form allows.
    """
    taxpayer = 'filing_status: single\ndeduction: 0\ninputs: {schedule_d_tax: {"3": 400000}}\ncarryover: {}\n'
    (tmp_path / "taxpayer.yaml").write_text(taxpayer)
    header = "time,kind,asset,asset_class,quantity,amount,acquired,basis,term\n"
    sale = f"{header}2019-06-30,closed_lot,a,stock,,1000000,VARIOUS,0,long\n"
    taxes = []
    for name, more in (("plain", ""), ("more", "2019-06-30,closed_lot,b,collectible,,1,VARIOUS,0,long\n")):
        (tmp_path / "ledger.csv").write_text(sale + more)
        assert ask("file", 2019, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", name).error == ""
        lines = json.loads((tmp_path / name / "return.json").read_text(encoding="utf-8"))["lines"]
        taxes.append(int(lines["form_1040"]["16"]))
    assert taxes[1] < taxes[0]


# Two years with the same amounts


@pytest.mark.parametrize("year", [year for year in range(2018, 2026) if year != 2019])
def test_the_forms_of_neighbouring_years_come_to_the_same(year: int, ask: Asked) -> None:
    answer = ask("rules", "diff", year, year + 1, "--witness")
    assert (answer.code, answer.error) == (0, "")
    assert answer.text.startswith(f"The forms of {year} and {year + 1}, with the amounts of {year + 1} in both: ")
    assert "  proved the same for every return, unrounded, with each line rounded, and with --cents\n" in answer.text


def test_what_is_not_compared_is_told(ask: Asked) -> None:
    text = ask("rules", "diff", 2024, 2025, "--witness").text
    assert "  not compared: sales on da_covered, da_noncovered: 2025 alone has boxes for them\n" in text
    assert "schedule_d, 2024: lines 1a to 3, 8a to 10, which 2025 has not, or numbers or words otherwise\n" in text
    found = json.loads(ask("rules", "diff", 2018, 2019, "--witness", "--json").text)
    assert (found["same"], found["returns"], found["not_decided"]) == (True, [], [])
    assert (
        found["not_compared"][0]
        == "schedule_d_tax, 2018: lines 18a to 44, which 2019 has not, or numbers or words otherwise"
    )


def test_a_return_tells_two_years_forms_apart_and_can_be_filed(tmp_path: Path, ask: Asked) -> None:
    """Form 4952 line 4g leads to the other worksheet from 2020 on, and is taken into account in another place there."""
    answer = ask("rules", "diff", 2019, 2020, "--out", "witness")
    assert (answer.code, answer.error) == (1, "")
    assert "  not compared: form form_8960: 2020 alone has it\n" in answer.text
    assert "neither proved nor refuted" not in answer.text
    (told,) = re.findall(r"\n    form_1040.16: (.*) -> (.*)\n", answer.text)
    for name, rules, tax, uses in (
        ("by_2019", ["--rules", "witness/rules"], told[0], "yes"),
        ("by_2020", [], told[1], "no"),
    ):
        files = ("witness/ledger.csv", "--taxpayer", "witness/taxpayer.yaml")
        assert ask("file", 2020, *files, "--out", name, *rules).error == ""
        lines = json.loads((tmp_path / name / "return.json").read_text(encoding="utf-8"))["lines"]["form_1040"]
        assert (lines["16"], lines["uses_qdcg"]) == (tax.replace(",", ""), uses)
    assert ask("rules", "diff", 2019, 2020, "--out", "witness").error.startswith("witness: holds ledger.csv and ")


def test_a_form_that_means_something_else_breaks_the_claim_of_its_year(rules: Path, ask: Asked) -> None:
    change(rules / "2025" / "form_1040.yaml", "is: line11 - deduction", "is: line11")
    answer = ask("rules", "prove", 2025, "year", "--rules", rules)
    assert answer.code == 1
    assert "NOT PROVED  year: with the same amounts, the forms come to what those of 2024 do\n" in answer.text
    assert "    deduction: " in answer.text


def test_law_that_several_forms_use_is_looked_into_where_years_differ_in_it(rules: Path, ask: Asked) -> None:
    law = (rules / "2018" / "tax.yaml").read_text(encoding="utf-8")
    (rules / "2025" / "tax.yaml").write_text(law.replace("amount < tax_table_ceiling", "amount < 0"), encoding="utf-8")
    text = (rules / "2025" / "year.yaml").read_text(encoding="utf-8")
    pin = re.search(r"  tax: .*", text)
    assert pin
    change(rules / "2025" / "year.yaml", pin[0], "  tax: 2025")
    answer = ask("rules", "diff", 2024, 2025, "--witness", "--rules", rules)
    assert answer.code == 1
    assert "    by the forms of 2024 -> by those of 2025:\n" in answer.text
    assert re.search(r"\n    form_1040.16: .* -> .*\n", answer.text)


def test_amounts_that_one_year_alone_has_cannot_be_set_equal(rules: Path, ask: Asked) -> None:
    change(rules / "2024" / "parameters.yaml", "capital_loss_cap:", "the_cap:")
    answer = ask("rules", "diff", 2023, 2024, "--witness", "--rules", rules)
    assert (answer.code, answer.text) == (2, "")
    assert "schedule_d of 2023 uses capital_loss_cap, of which 2024 says nothing to set equal\n" in answer.error


def test_without_the_solver_it_says_how_to_have_it(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("z3", "lotlaw.audit.prove.", "lotlaw.readings.log"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "z3", None)
    answer = ask("rules", "prove", 2025)
    assert (answer.code, answer.text) == (2, "")
    assert "proofs need the solver z3; to have it, run: pip install 'lotlaw[prove]'" in answer.error
    assert "pip install 'lotlaw[prove]'" in ask("rules", "diff", 2024, 2025, "--witness").error


# What the solver is told of rounding and of the Tax Table's rows is true of the exact reading

CENTS = st.integers(-(10**10), 10**10).map(lambda cents: Decimal(cents).scaleb(-2))


def rational(amount: Decimal) -> z3.RatNumRef:
    return z3.RealVal(str(amount))


@settings(max_examples=40)
@given(one=CENTS, other=st.one_of(CENTS, st.sampled_from([Decimal("-0.5"), Decimal("0.5"), Decimal("1.5")])))
def test_rounding_is_as_the_solver_is_told(one: Decimal, other: Decimal) -> None:
    logic, amounts = Logic(DOLLARS), (z3.Real("one"), z3.Real("other"))
    rounded = [logic.functions["whole_dollars"](Scaled(amount, 2)).term for amount in amounts]
    solver = z3.SimpleSolver()
    solver.add(*logic.facts())
    for term, result, value in zip(amounts, rounded, (one, other), strict=True):
        solver.add(term == rational(value), result == rational(exact.whole_dollars(value)))
    assert solver.check() == z3.sat


@settings(max_examples=40)
@given(one=st.integers(0, 10**7), other=st.integers(0, 10**7))
def test_rows_of_the_table_are_as_the_solver_is_told(one: int, other: int) -> None:
    logic, amounts = Logic(DOLLARS), (z3.Real("one"), z3.Real("other"))
    middles = [logic.functions["row_middle"](Scaled(amount, 2), STEPS).term for amount in amounts]
    solver = z3.SimpleSolver()
    solver.add(*logic.facts())
    for term, result, cents in zip(amounts, middles, (one, other), strict=True):
        value = Decimal(cents).scaleb(-2)
        solver.add(term == rational(value), result == rational(exact.row_middle(value, STEPS)))
    assert solver.check() == z3.sat
