"""163 returns worked out by other programs, each through the command: Schedule D, the tax, what carries over.

A case is a folder of `returns/`: the ledger and the taxpayer file that go in, and `expected.yaml`, which names its
source. Amounts stand as the form prints them (lines 6, 14 and 21 positive). A line that is not named, or 0, may be
printed as 0 or blank.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lotlaw.cli import app
from lotlaw.source import read_yaml

CASES = sorted(path.parent for path in (Path(__file__).parent / "returns").glob("*/expected.yaml"))
WITH_WORKSHEET = [case for case in CASES if "worksheet_with_cents" in read_yaml(case / "expected.yaml").value]
SCHEDULE_D = ["1a", "1b", *map(str, range(2, 8)), "8a", "8b", *map(str, range(9, 23))]


def filed(case: Path, year: int, out: Path, *options: str) -> dict[str, Any]:
    """What `lotlaw file` says of a case."""
    arguments = [
        "file",
        year,
        case / "ledger.csv",
        "--taxpayer",
        case / "taxpayer.yaml",
        "--out",
        out,
        "--format",
        "json",
    ]
    ran = CliRunner().invoke(app, [*map(str, arguments), *options], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    said: dict[str, Any] = json.loads((out / "return.json").read_text(encoding="utf-8"))
    return said


def differences(expected: dict[str, Any], said: dict[str, Any]) -> list[str]:
    return [
        f"{line}: {said.get(line)} instead of {want}"
        for line, want in expected.items()
        if not same(said.get(line), want)
    ]


def same(said: Any, expected: Any) -> bool:
    """Whether a line of return.json says what is expected of it."""
    if expected == "blank":
        return said is None
    if isinstance(expected, bool):
        return bool(said == ("yes" if expected else "no"))
    if isinstance(expected, dict):
        return all(same((said or {}).get(column), amount) for column, amount in expected.items())
    if isinstance(said, dict):
        return all(Decimal(amount) == expected for amount in said.values())
    return said not in ("yes", "no") and Decimal(said or 0) == expected


@pytest.mark.parametrize("rounding", ["dollars", "cents"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_return_is_worked_out_as_elsewhere(case: Path, rounding: str, tmp_path: Path) -> None:
    expected = read_yaml(case / "expected.yaml").value
    said = filed(case, expected["year"], tmp_path / "out", *(["--cents"] if rounding == "cents" else []))
    lines = said["lines"]

    if expected["schedule_d"] == "blank":
        assert "schedule_d" not in lines
    else:
        assert differences(dict.fromkeys(SCHEDULE_D, 0) | expected["schedule_d"], lines["schedule_d"]) == []

    of_1040 = dict(expected["form_1040"])
    if rounding == "cents":
        of_1040["16"] = expected["tax_with_cents"]
    if "taxable_income_signed" in expected:
        of_1040["taxable_income_signed"] = expected["taxable_income_signed"]
    assert differences(of_1040, lines["form_1040"]) == []

    assert {term: Decimal(amount) for term, amount in said["carryover"].items()} == expected["carryover"]


@pytest.mark.parametrize("case", WITH_WORKSHEET, ids=lambda case: case.name)
def test_a_worksheet_agrees_line_by_line(case: Path, tmp_path: Path) -> None:
    expected = read_yaml(case / "expected.yaml").value
    worksheet = expected["worksheet_with_cents"]
    said = filed(case, expected["year"], tmp_path / "out", "--cents")["lines"][worksheet["form"]]

    filled = {line: amount for line, amount in worksheet["lines"].items() if line in said}
    assert differences(filled, said) == []
    assert list(worksheet["lines"])[-1] in filled


def test_all_cases_are_here() -> None:
    assert len(CASES) == 163
