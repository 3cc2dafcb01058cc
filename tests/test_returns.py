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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_return_in_whole_dollars(case: Path, tmp_path: Path) -> None:
    expected = read_yaml(case / "expected.yaml").value
    agrees(filed(case, expected["year"], tmp_path / "out"), expected, expected["form_1040"]["16"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_return_with_cents_and_its_worksheet(case: Path, tmp_path: Path) -> None:
    expected = read_yaml(case / "expected.yaml").value
    said = filed(case, expected["year"], tmp_path / "out", "--cents")
    agrees(said, expected, expected["tax_with_cents"])
    if "worksheet_with_cents" in expected:
        form, lines = expected["worksheet_with_cents"].values()
        filled = {line: amount for line, amount in lines.items() if line in said["lines"][form]}  # others are skipped
        assert differences(filled, said["lines"][form]) == []
        assert list(lines)[-1] in filled


def agrees(said: dict[str, Any], expected: dict[str, Any], tax: Any) -> None:
    """Fails unless a return says what is expected on Schedule D, Form 1040 and for next year."""
    lines = said["lines"]
    if expected["schedule_d"] == "blank":
        assert "schedule_d" not in lines
    else:
        assert differences(dict.fromkeys(SCHEDULE_D, 0) | expected["schedule_d"], lines["schedule_d"]) == []
    signed = {name: expected[name] for name in ("taxable_income_signed",) if name in expected}
    assert differences(expected["form_1040"] | signed | {"16": tax}, lines["form_1040"]) == []
    assert {term: Decimal(amount) for term, amount in said["carryover"].items()} == expected["carryover"]


def test_all_cases_are_here() -> None:
    assert len(CASES) == 163
