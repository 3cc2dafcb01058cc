"""What formulas may say, what they mean, and what is said of those that may not."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from lotlaw.formula import Reader, parse, unknown
from lotlaw.readings import columns, exact, units
from lotlaw.source import Place, Problems

AT = Place("rule.yaml", 7, 9)


def said(call):
    with pytest.raises(Problems) as raised:
        call()
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.2 * gain", "rule.yaml:7:9: number 0.2 in a formula: make it a parameter with a citation"),
        ("gain * 2", "rule.yaml:7:16: number 2 in a formula: make it a parameter with a citation"),
        ("__import__('os').system('x')", "rule.yaml:7:9: only functions by name can be called"),
        ("gain.real", "rule.yaml:7:9: attributes are not part of formulas"),
        ("gain[0]", "rule.yaml:7:9: subscripts are not part of formulas"),
        ("gain ** gain", "rule.yaml:7:9: powers are not part of formulas"),
        ("gain / loss", "rule.yaml:7:9: division is not part of tax formulas"),
        ("f'{gain}'", "rule.yaml:7:9: formatted text is not part of formulas"),
        ("[x for x in gain]", "rule.yaml:7:9: ListComp is not part of formulas"),
        ("lambda: gain", "rule.yaml:7:9: functions cannot be made inside a formula"),
        ("min(a, b=gain)", "rule.yaml:7:9: 'min' takes its values in order, not by keyword"),
        ("'gain'", "rule.yaml:7:9: 'gain' is not part of tax formulas"),
        ("True", "rule.yaml:7:9: True is not part of tax formulas"),
        ("gain +", "rule.yaml:7:9: not a formula: invalid syntax"),
        ("(" * 60 + "0" + ")" * 60 + " + -" + "-" * 60 + "0", "rule.yaml:7:"),
        ("0 +" * 1000 + "0", "rule.yaml:7:9: a formula of 3,001 characters; at most 2,048 are read"),
    ],
)
def test_what_may_not_be_said(text, message):
    assert said(lambda: parse(text, AT))[0].startswith(message)


def test_all_that_is_wrong_is_said_at_once():
    assert len(said(lambda: parse("2 * a.b + c[0]", AT))) == 3


def both(text, **names):
    """The value in the exact reading, after checking that the columns say the same."""
    formula = parse(text, AT)
    value = Reader(exact, {name: exact.const(value) for name, value in names.items()}).read(formula)
    table = Reader(columns, {name: columns.const(value) for name, value in names.items()}).read(formula)
    if isinstance(table, columns.Scaled):
        assert Decimal(pl.select(table.at(2)).item()).scaleb(-2) == value
    else:
        assert pl.select(table).item() == value
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b - 1", 5),
        ("-a", -2),
        ("min(a, b) + max(a, b, 1)", 6),
        ("a if a > b else b", 4),
        ("a < b and not b < a", True),
        ("a > b or b > a", True),
        ("0 < a < b", True),
        ("0 < b < a", False),
        ("not a == b", True),
        ("a != b", True),
        ("a <= b >= a", True),
    ],
)
def test_what_formulas_mean(text, value):
    assert both(text, a=2, b=4) == value


def test_products_round_half_away_from_zero():
    assert both("a * r", a=Decimal("10.10"), r=Decimal("0.15")) == Decimal("1.52")
    assert both("a * r", a=Decimal("-10.10"), r=Decimal("0.15")) == Decimal("-1.52")


def test_nothing_is_called_by_default():
    formula = parse("rand()", AT)
    assert [str(p) for p in unknown(formula, [], exact.functions)] == ["rule.yaml:7:9: unknown function 'rand'"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("money * money", "cannot multiply money by money"),
        ("money + date", "cannot add money and date"),
        ("money + rate", "cannot add money and rate"),
        ("money if money else 0", "'if' needs a yes or no, not money"),
        ("money and flag", "'and' needs a yes or no, not money"),
        ("not money", "'not' needs a yes or no, not money"),
        ("money if flag else date", "cannot choose between money and date"),
        ("flag < flag", "a flag is neither more nor less than another"),
        ("-flag", "cannot take the negative of a flag"),
        ("min(money, date)", "cannot compare money and date"),
        ("min(money)", "min and max need at least two values"),
        ("day_after(money)", "day_after takes date as value 1, not money"),
        ("years_after(date)", "years_after takes 2 value(s), not 1"),
        ("date == 0", "cannot compare date and number"),
    ],
)
def test_units_that_make_no_sense(text, message):
    names = {"money": "money", "rate": "rate", "date": "date", "flag": "flag"}
    assert message in said(lambda: Reader(units, names).read(parse(text, AT)))[0]


def test_units_that_do():
    names = {"money": "money", "rate": "rate", "boxes": "count", "day": "date", "term": "years"}
    for text, unit in (
        ("money * rate + 0", "money"),
        ("boxes * money", "money"),
        ("max(0, money - 1)", "money"),
        ("years_after(day_after(day), term)", "date"),
        ("money if 0 < money else 0", "money"),
        ("day == day", "flag"),
    ):
        assert Reader(units, names).read(parse(text, AT)) == unit
