"""Errors that stood in published engines, some for years, planted into a copy of the rules: each is caught, by name.

Where the number stands in one place of another engine's file, it is put into the same place here. What catches it is a
named check of `lotlaw rules check`; of a number of the law, an example and what the numbers say of each other.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from lotlaw.check import check
from lotlaw.rules import forget
from lotlaw.source import data_root

RULES = data_root() / "rules"


@dataclass(frozen=True)
class Planted:
    """An error: what it was and where, the edit that plants it, and the checks that name it."""

    error: str
    file: str
    edits: tuple[tuple[str, str], ...]
    caught_by: tuple[str, ...]


ROW_6_OF_2023 = "up_to: {single: 578_125, married_joint: 693_750, married_separate: 346_875"
SKIP = "{if: line1 == line32, lines: [33, 43]"
PLANTED = [
    Planted(
        "Tax-Calculator, 2023: the top of the 35 percent bracket of separate filers is that of single ones, 578,125",
        "2023/parameters.yaml",
        ((ROW_6_OF_2023, ROW_6_OF_2023.replace("346_875", "578_125")),),
        ("example", "half", "indexed", "together"),
    ),
    Planted(
        "PolicyEngine, 2022: 539,000 for 539,900 as the top of the 35 percent bracket",
        "2022/parameters.yaml",
        (("single: 539_900", "single: 539_000"),),
        ("example", "together"),
    ),
    Planted(
        "OpenTaxSolver, 2024: 731,201 for 731,200",
        "2024/parameters.yaml",
        (("married_joint: 731_200", "married_joint: 731_201"),),
        ("example", "multiple"),
    ),
    Planted(
        "OpenTaxSolver as tenforty carries it, 2024: 191,150 for 191,950 as the top of the 24 percent bracket",
        "2024/parameters.yaml",
        (("head_of_household: 191_950}}", "head_of_household: 191_150}}"),),
        ("example", "together"),
    ),
    Planted(
        "OpenTaxSolver, 2023: 58,750 for 59,750 as the zero-rate ceiling of a head of household",
        "2023/parameters.yaml",
        (("head_of_household: 59_750}\n", "head_of_household: 58_750}\n"),),
        ("example", "together"),
    ),
    Planted(
        "OpenTaxSolver, 2025: 197,390 for 197,300 on line 19 of the Schedule D Tax Worksheet",
        "2025/parameters.yaml",
        (("value: {single: 197_300, married_joint: 394_600", "value: {single: 197_390, married_joint: 394_600"),),
        ("example", "multiple", "together"),
    ),
    Planted(
        "OpenTaxSolver, 2026: line 19 still has the amounts of 2025",
        "2026/parameters.yaml",
        (
            ("value: {single: 201_775, married_joint: 403_550", "value: {single: 197_300, married_joint: 394_600"),
            ("201_775, head_of_household: 201_750}\n", "197_300, head_of_household: 197_300}\n"),
        ),
        ("together",),
    ),
    Planted(
        "a third engine, 2022 to 2024: the ceilings of 2021",
        "2022/parameters.yaml",
        (
            ("single: 41_675, married_joint: 83_350, married_separate: 41_675, head_of_household: 55_800",
             "single: 40_400, married_joint: 80_800, married_separate: 40_400, head_of_household: 54_100"),
            ("single: 459_750, married_joint: 517_200, married_separate: 258_600, head_of_household: 488_500",
             "single: 445_850, married_joint: 501_600, married_separate: 250_800, head_of_household: 473_750"),
        ),
        ("example", "together"),
    ),
    Planted(
        "OpenTaxSolver, 2022 to 2026: the condition before line 33 of the Schedule D Tax Worksheet is inverted",
        "2019/schedule_d_tax.yaml",
        ((SKIP, SKIP.replace("==", "!=")),),
        ("example",),
    ),
    Planted(
        "OpenTaxSolver, 2018: the worksheet before its correction, without the 24 percent bracket",
        "2018/schedule_d_tax.yaml",
        (('is: "min(line1, below_25_top)"', "is: line1"),),
        ("example", "unused"),
    ),
    Planted(
        "the carryover from taxable income that stops at zero",
        "2018/loss_carryover.yaml",
        (("is: taxable_income_signed}", 'is: "max(0, taxable_income_signed)"}'),),
        ("example",),
    ),
    Planted(
        "the carryover from taxable income as it stands on the form, where it stops at zero",
        "2018/loss_carryover.yaml",
        (("from: form_1040.taxable_income_signed", "from: form_1040.taxable_income"),),
        ("example",),
    ),
    Planted(
        "a holding period of more than so many days, added to the day of the purchase",
        "2018/dispositions.yaml",
        (("long_from: years_after(day_after(acquired), long_term_after)",
          "long_from: acquired + long_term_after"),),
        ("dispositions",),
    ),
    Planted(
        "a holding period of 366 days",
        "2025/parameters.yaml",
        (("  unit: years\n  indexed: no\n  value: 1\n", "  unit: days\n  indexed: no\n  value: 366\n"),),
        ("dispositions", "fixed", "quote"),
    ),
    Planted(
        "a holding period that is counted from the day of the purchase",
        "2018/dispositions.yaml",
        (("long_from: years_after(day_after(acquired), long_term_after)",
          "long_from: day_after(years_after(acquired, long_term_after))"),),
        ("dispositions",),
    ),
    Planted(
        "of two boxes on one line, the second overwrites the first",
        "2025/schedule_d.yaml",
        (("total_of: {boxes: [A, G]}", "total_of: {boxes: [G]}"),),
        ("boxes",),
    ),
]  # fmt: skip


def plant(root: Path, file: str, edits: tuple[tuple[str, str], ...]) -> None:
    """Make a copy of the rules with some text replaced."""
    shutil.copytree(RULES, root)
    text = (root / file).read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, f"{file} has no {old}"
        text = text.replace(old, new, 1)
    (root / file).write_text(text, encoding="utf-8")
    forget()


@pytest.mark.parametrize("planted", PLANTED, ids=[planted.error for planted in PLANTED])
def test_an_error_of_another_engine_is_caught_by_name(planted: Planted, tmp_path: Path) -> None:
    plant(tmp_path / "rules", planted.file, planted.edits)
    year = int(planted.file[:4])
    found = check(tmp_path / "rules", year)
    assert tuple(sorted({problem.check for problem in found} - {"locked"})) == planted.caught_by
