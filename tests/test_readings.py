"""One formula, many readings: the exact reading of a return and the column reading of many agree, line by line."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotlaw.answers import Facts, Total, work_out
from lotlaw.formula import Reader, parse
from lotlaw.readings import columns, exact
from lotlaw.returns import group_name, work_out_columns
from lotlaw.rules import load, years
from lotlaw.source import Place, data_root

YEARS = years(data_root() / "rules")

# Cents; ends of brackets and of table rows are near whole fifties, so amounts crowd there.
AMOUNT = st.one_of(
    st.just(0),
    st.integers(0, 80_000_000),
    st.integers(0, 12_000).map(lambda n: n * 5_000),
    st.integers(0, 12_000).flatmap(lambda n: st.integers(-1, 1).map(lambda k: max(0, n * 5_000 + k))),
)
SIGNED = st.one_of(AMOUNT, AMOUNT.map(lambda n: -n))
OUTSIDE = {
    "taxpayer.income.wages": AMOUNT,
    "taxpayer.income.interest": AMOUNT,
    "taxpayer.income.ordinary_dividends": AMOUNT,
    "taxpayer.income.qualified_dividends": AMOUNT,
    "taxpayer.income.other": SIGNED,
    "taxpayer.carryover.short": AMOUNT,
    "taxpayer.carryover.long": AMOUNT,
    "taxpayer.deduction": AMOUNT,
    "ledger.counted_income": AMOUNT,
}
FLAGS = ("taxpayer.standard_deduction", "ledger.dispositions")
TYPED = (
    ("schedule_d", "13"),
    ("schedule_d", "4"),
    ("unrecaptured_1250", "11"),
    ("rate_28", "2"),
    ("schedule_d_tax", "3"),
)
GROUPS = ({"box": "A"}, {"box": "D"}, {"box": "F"}, {"part": "II", "collectible": True})


@st.composite
def a_return(draw, statuses):
    amounts = {name: draw(amount) for name, amount in OUTSIDE.items()}
    flags = {name: draw(st.booleans()) for name in FLAGS}
    typed = {f"typed.{form}.{line}": draw(st.one_of(st.just(0), AMOUNT)) for form, line in TYPED}
    totals = {}
    for group in GROUPS:
        present = draw(st.booleans())
        for column in "degh":
            totals[f"total.{group_name(group)}.{column}"] = draw(SIGNED) if present else None
    status, boxes = draw(st.sampled_from(statuses)), draw(st.integers(0, 4))
    return {"filing_status": status, "taxpayer.aged_or_blind": boxes} | amounts | flags | typed | totals


def dollars(cents):
    return Decimal(cents).scaleb(-2)


def exactly(year, row, *, cents):
    outside = {name: dollars(row[name]) for name in OUTSIDE} | {name: row[name] for name in FLAGS}
    outside["taxpayer.aged_or_blind"] = row["taxpayer.aged_or_blind"]
    typed = {}
    for form, line in TYPED:
        typed.setdefault(form, {})[line] = dollars(row[f"typed.{form}.{line}"])
    totals = [
        Total(group, {column: dollars(row[f"total.{group_name(group)}.{column}"]) for column in "degh"})
        for group in GROUPS
        if row[f"total.{group_name(group)}.h"] is not None
    ]
    return work_out(year, row["filing_status"], Facts(outside, typed, totals), cents=cents)


@pytest.mark.parametrize("year", YEARS)
@settings(max_examples=12, deadline=None)
@given(data=st.data(), cents=st.booleans())
def test_exact_and_columns_agree_on_every_line(year, data, cents):
    rules = load(year)
    rows = data.draw(st.lists(a_return(list(rules.statuses)), min_size=1, max_size=5))
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("^(typed|total|taxpayer.[ic]).*$").cast(pl.Int64)
    )
    forms = [name for name, form in rules.forms.items() if form.lines]
    table = work_out_columns(rules, frame, forms, cents=cents)
    for row, said in zip(rows, table.iter_rows(named=True), strict=True):
        answers = exactly(rules, row, cents=cents).answers
        for form in answers:
            for line, answer in answers[form].items():
                by_column = answer if isinstance(answer, dict) else {"": answer}
                for column, value in by_column.items():
                    name = f"{form}.{line}" + (f".{column}" if column else "")
                    wanted = value if isinstance(value, bool) else int(value.scaleb(2))
                    assert said[name] == wanted, f"{year} {name}"
        for name, value in said.items():
            form, line = name.split(".")[:2]
            if value is not None and not rules.forms[form].lines[line].from_outside:
                assert line in answers.get(form, {}), f"{year} {name} is not blank as columns"


@given(cents=st.integers(-(10**12), 10**12), thousandths=st.integers(0, 1000))
def test_a_product_rounds_half_away_from_zero_in_both(cents, thousandths):
    amount, rate = dollars(cents), Decimal(thousandths).scaleb(-3)
    product = columns.mul(columns.money(pl.lit(cents)), columns.const(rate))
    assert pl.select(product.at(2)).item() == int(exact.mul(amount, rate).scaleb(2))
    whole = columns.whole_dollars(columns.money(pl.lit(cents)))
    assert pl.select(whole.at(2)).item() == int(exact.whole_dollars(amount).scaleb(2))


@given(start=st.dates(date(1990, 1, 1), date(2060, 1, 1)), days=st.integers(0, 800))
def test_the_holding_period_is_the_same_in_both(start, days):
    text = "sold >= years_after(day_after(acquired), term)"
    formula, sold = parse(text, Place("rule")), start + timedelta(days=days)
    exactly_ = Reader(exact, {"sold": sold, "acquired": start, "term": exact.const(1)}).read(formula)
    names = {"sold": pl.lit(sold), "acquired": pl.lit(start), "term": columns.const(1)}
    assert pl.select(Reader(columns, names).read(formula)).item() == exactly_


def test_a_form_by_itself_says_what_it_says_among_all():
    rules, frame = load(2025), pl.DataFrame({"filing_status": ["single"], "taxpayer.income.wages": [5_000_000]})
    every = work_out_columns(rules, frame, rules.forms)
    for form in rules.forms:
        alone = work_out_columns(rules, frame, [form])
        assert alone.equals(every.select(alone.columns)), form


def test_amounts_out_of_bounds_are_refused():
    frame = pl.DataFrame({"filing_status": ["single"], "taxpayer.income.wages": [10**16]})
    with pytest.raises(ValueError, match=r"taxpayer\.income\.wages: an amount of 10,000,000,000,000,000 cents"):
        work_out_columns(load(2025), frame, ["form_1040"])
