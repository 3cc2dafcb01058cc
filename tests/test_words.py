"""A formula in words: what a tax professional reads who has never seen one."""

from __future__ import annotations

import pytest

from conftest import ROOT
from lotlaw.formula import Reader, parse
from lotlaw.law import names_of
from lotlaw.readings import words
from lotlaw.readings.words import Name, named
from lotlaw.rules import load, years
from lotlaw.source import Place

NAMES = {f"line{n}": named(f"line{n}", f"line {n}") for n in range(1, 8)}
NAMES |= {"cap": named("cap", "the cap"), "rate": named("rate", "the rate"), "steps": named("steps", "the table")}
NAMES |= {"filed": named("filed", "Schedule D filed", flag=True), "brackets": named("brackets", "the schedule")}
NAMES |= {"bought": named("bought", "the purchase"), "term": named("term", "the term")}


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("line1 + line2", "line 1 plus line 2"),
        ("line1 + line2 + line3 - line4", "the sum of line 1, line 2 and line 3, less line 4"),
        ("line1 - line2 - line3", "line 1 less line 2 and line 3"),
        ("line1 - (line2 - line3)", "line 1 plus line 3 less line 2"),
        ("0 - line1", "0 less line 1"),
        ("-line1 - line2", "line 1 with its sign changed less line 2"),
        ("-(line1 + line2)", "(line 1 plus line 2) with its sign changed"),
        ("min(-line1, cap)", "the smaller of line 1 with its sign changed and the cap"),
        ("max(line1, line2, line3)", "the largest of line 1, line 2 and line 3"),
        ("max(0, line1 - line2)", "line 1 less line 2, but not below 0"),
        ("line1 * rate", "line 1 times the rate"),
        ("(line1 + line2) * rate", "(line 1 plus line 2) times the rate"),
        ("line1 if filed else line2", "if Schedule D filed is yes, line 1; otherwise line 2"),
        ("line1 if line3 < 0 else line2 if not filed else 0",
         "if line 3 is below 0, line 1; otherwise if Schedule D filed is no, line 2; otherwise 0"),
        ("line1 > 0 and (filed or line2 >= line3)",
         "line 1 is above 0 and (Schedule D filed is yes or line 2 is at least line 3)"),
        ("not line1 > 0", "line 1 is not above 0"),
        ("not (filed and line1 == 0)", "it is not so that (Schedule D filed is yes and line 1 equals 0)"),
        ("0 < line1 <= line2", "0 is below line 1 and line 1 is at most line 2"),
        ("schedule(row_middle(line1, steps), brackets)",
         "the tax on (the middle of the row that line 1 falls in by the table) by the schedule"),
        ("whole_dollars(line1 * rate)", "(line 1 times the rate) rounded to the dollar"),
        ("years_after(day_after(bought), term)", "the same day as (the day after the purchase), but the term later"),
    ],
)  # fmt: skip
def test_a_formula_in_words(formula: str, said: str) -> None:
    assert str(Reader(words, NAMES).read(parse(formula, Place("")))) == said


def test_names_can_be_told_from_words() -> None:
    phrase = Reader(words, NAMES, {"tax_on": words.function("tax_on", 1)}).read(parse("tax_on(line1)", Place("")))
    assert str(phrase) == "tax on line 1"
    assert [piece.name for piece in phrase.pieces if isinstance(piece, Name)] == ["tax_on", "line1"]


@pytest.mark.parametrize("number", years(ROOT / "rules"))
def test_every_formula_of_every_year_can_be_said(number: int) -> None:
    year = load(number)
    functions = {name: words.function(name, len(f.arguments)) for name, f in year.functions.items()}
    for form in year.forms.values():
        names = {name: named(name, name, flag=unit == "flag") for name, unit in names_of(year, form).items()}
        for line in form.lines.values():
            for formula in (line.formula, line.only_if, *line.skips):
                assert formula is None or str(Reader(words, names, functions).read(formula))
