"""`lotlaw rules prove`: claims for every possible return, and what is assumed of rounding where lines are rounded."""

from __future__ import annotations

import json
import shutil
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Asked
from lotlaw.readings import exact
from lotlaw.readings.logic import Logic, Scaled
from lotlaw.rules import forget, load
from lotlaw.source import data_root

RULES = data_root() / "rules"
CAP = load(2025).parameter("capital_loss_cap", "single")
STEPS = load(2025).parameter("tax_table_rows", "single")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the rules to change."""
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    forget()


def test_every_claim_of_a_year_is_proved(ask: Asked) -> None:
    answer = ask("rules", "prove", 2025)
    assert (answer.code, answer.error) == (0, "")
    assert "proved  form_1040: the tax never falls when a gain rises, and never rises when a loss does\n" in answer.text
    assert "proved  schedule_d_tax: without gain at 25 or 28 percent it is the other worksheet\n" in answer.text
    assert "NOT" not in answer.text


BROKEN = [
    ("2025/schedule_d.yaml", "is: min(-line16, capital_loss_cap)", "is: -line16", "never exceeds the cap"),
    ("2018/loss_carryover.yaml", '"max(0, line5 - line7)"', '"max(0, line5 - line4)"', "are the loss"),
    ("2019/schedule_d_tax.yaml", "{if: line1 == line32, lines", "{if: line1 != line32, lines", "the other worksheet"),
    ("2020/qdcg.yaml", "is: line20 * top_gain_rate", "is: -line20 * top_gain_rate", "is never less tax"),
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
    text = ask("rules", "prove", 2025, "qdcg", "--rules", rules).text
    assert "NOT PROVED  qdcg: more income, and no less of it at the lower rates, is never less tax\n" in text
    assert "  taxpayer_before.yaml:\n    filing_status: " in text
    assert "  ledger_after.csv:\n    time,kind,asset," in text


def test_without_the_solver_it_says_how_to_have_it(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("z3", "lotlaw.audit.prove.", "lotlaw.readings.log"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "z3", None)
    answer = ask("rules", "prove", 2025)
    assert (answer.code, answer.text) == (2, "")
    assert "proofs need the solver z3; to have it, run: pip install 'lotlaw[prove]'" in answer.error


# What the solver is told of rounding and of the Tax Table's rows is true of the exact reading

CENTS = st.integers(-(10**10), 10**10).map(lambda cents: Decimal(cents).scaleb(-2))


def rational(amount: Decimal) -> z3.RatNumRef:
    return z3.RealVal(str(amount))


@settings(max_examples=40)
@given(one=CENTS, other=st.one_of(CENTS, st.sampled_from([Decimal("-0.5"), Decimal("0.5"), Decimal("1.5")])))
def test_rounding_is_as_the_solver_is_told(one: Decimal, other: Decimal) -> None:
    logic, amounts = Logic(rounded=True), (z3.Real("one"), z3.Real("other"))
    rounded = [logic.functions["whole_dollars"](Scaled(amount, 2)).term for amount in amounts]
    solver = z3.SimpleSolver()
    solver.add(*logic.facts())
    for term, result, value in zip(amounts, rounded, (one, other), strict=True):
        solver.add(term == rational(value), result == rational(exact.whole_dollars(value)))
    assert solver.check() == z3.sat


@settings(max_examples=40)
@given(one=st.integers(0, 10**7), other=st.integers(0, 10**7))
def test_rows_of_the_table_are_as_the_solver_is_told(one: int, other: int) -> None:
    logic, amounts = Logic(rounded=True), (z3.Real("one"), z3.Real("other"))
    middles = [logic.functions["row_middle"](Scaled(amount, 2), STEPS).term for amount in amounts]
    solver = z3.SimpleSolver()
    solver.add(*logic.facts())
    for term, result, cents in zip(amounts, middles, (one, other), strict=True):
        value = Decimal(cents).scaleb(-2)
        solver.add(term == rational(value), result == rational(exact.row_middle(value, STEPS)))
    assert solver.check() == z3.sat
