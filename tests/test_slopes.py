"""The reading of slopes against the exact one: a return moves as it says, as far as it says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotlaw.formula import Reader, parse
from lotlaw.readings import deciding, exact, slopes
from lotlaw.readings.slopes import Held, Moving
from lotlaw.source import Place

BRACKETS = [{"rate": Decimal("0.1"), "up_to": 100}, {"rate": Decimal("0.3"), "up_to": 250}, {"rate": Decimal("0.5")}]
STEPS = [{"up_to": 10, "width": 5}, {"up_to": 100, "width": 25}]
FORMULAS = [
    "min(x, cap) - y", "max(0, x - cap)", "max(x, y, cap)", "x if x < cap else y",
    "y if not (x >= cap and y > 0) else cap", "-x + (cap if x == y else 0)", "schedule(x, brackets)",
    "schedule(row_middle(max(0, x), steps), brackets)", "whole_dollars(schedule(max(0, x - y), brackets))",
    "min(max(0, x), max(0, y)) + schedule(min(x, cap), brackets)",
]  # fmt: skip
NUMBER = st.integers(-300, 400)


@pytest.mark.parametrize("text", FORMULAS)
@settings(max_examples=60)
@given(x=NUMBER, y=NUMBER, cap=st.integers(0, 300), way=st.sampled_from([1, -1]), both=st.booleans())
def test_a_formula_moves_as_it_says(text: str, x: int, y: int, cap: int, way: int, *, both: bool) -> None:
    formula, tables = parse(text, Place("")), {"brackets": BRACKETS, "steps": STEPS}

    def value(by: int) -> Decimal:
        names = {"x": Decimal(x + way * by), "y": Decimal(y + way * by * both), "cap": Decimal(cap), **tables}
        worked: Decimal = Reader(exact, names).read(formula)
        return worked

    x_, y_ = Moving(Decimal(x), Decimal(way)), Moving(Decimal(y), Decimal(way * both))
    moving = Reader(slopes, {"x": x_, "y": y_, "cap": Moving(Decimal(cap)), **tables}).read(formula)
    assert moving.value == value(0)
    end = 400 if moving.until is None else int(moving.until)
    for by in {1, end // 2, end - 1} if end > 1 else ():
        assert value(by) == moving.value + moving.slope * by, (by, moving)


def test_a_condition_holds_until_its_sides_meet() -> None:
    names = {"a": Moving(Decimal(1), Decimal(1)), "b": Moving(Decimal(5))}
    assert Reader(slopes, names).read(parse("a < b", Place(""))) == Held(value=True, until=Decimal(4))
    assert Reader(slopes, names).read(parse("a > b", Place(""))) == Held(value=False, until=Decimal(4))
    assert Reader(slopes, names).read(parse("b < a or b > 0", Place(""))) == Held(value=True, until=Decimal(4))


# What decided


def told(text: str, **values: object) -> list[str]:
    names = {
        name: deciding.named(name, name, v if isinstance(v, bool) else Decimal(str(v))) for name, v in values.items()
    }
    why = Reader(deciding, names).read(parse(text, Place(""))).why
    return [one.said + (f" by {one.by}" if one.by else "") for one in why]


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ("min(a, b)", {"a": 3, "b": 5}, ["a decides by 2"]),
        ("min(a, b)", {"a": 3, "b": 3}, ["a and b are the same"]),
        ("max(0, a - b)", {"a": 3, "b": 5}, ["a less b is below 0 by 2"]),
        ("max(0, a - b)", {"a": 5, "b": 3}, []),
        ("min(a, b) - max(a, b)", {"a": 3, "b": 5}, ["a decides by 2", "b decides by 2"]),
        ("a if a < b else b", {"a": 3, "b": 5}, ["a is below b by 2"]),
        ("a > b", {"a": 3, "b": 5}, ["a is not above b by 2"]),
        ("a > b and b > 0 and f", {"a": 3, "b": 5, "f": True}, ["a is not above b by 2"]),
        ("b > a and f", {"a": 3, "b": 5, "f": True}, ["b is above a by 2", "f is yes"]),
        ("b > a or f", {"a": 3, "b": 5, "f": False}, ["b is above a by 2"]),
        ("not f", {"f": False}, ["f is no"]),
        ("a == b", {"a": 3, "b": 3}, ["a equals b"]),
        ("a > b or a > b or a > b or a > b", {"a": 3, "b": 5}, ["none of these holds"]),
    ],
)
def test_what_decided_is_said(text: str, values: dict[str, object], why: list[str]) -> None:
    assert told(text, **values) == why
