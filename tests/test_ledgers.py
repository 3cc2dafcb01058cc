"""Ledgers worked out by other programs, each through the command: what Form 8949 adds up to, part by part.

A case is a file of `ledgers/`: the ledger, the year and method it is filed for, and what is expected, with its source.
`within` is a cent for every slice of a lot that is sold in the year: the witnesses round where they like.
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

CASES = sorted((Path(__file__).parent / "ledgers").glob("*.yaml"))
COLUMNS = ("d", "e", "g", "h")


def filed(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What `lotlaw file` says of a case for a person with nothing else on the return."""
    ledger, taxpayer, out = folder / "ledger.csv", folder / "taxpayer.yaml", folder / "out"
    ledger.write_text(case["ledger"], encoding="utf-8")
    taxpayer.write_text("filing_status: single\n", encoding="utf-8")
    arguments = ("file", case["year"], ledger, "--taxpayer", taxpayer, "--method", case["method"], "--out", out)
    ran = CliRunner().invoke(app, [*map(str, arguments), "--format", "json"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    said: dict[str, Any] = json.loads((out / "return.json").read_text(encoding="utf-8"))
    return said


def total(amounts: list[str]) -> Decimal:
    return sum(map(Decimal, amounts), Decimal(0))


def summed(said: dict[str, Any]) -> dict[str, Any]:
    """A return as the cases tell it."""
    boxes = said["form_8949"]
    rows = [row for box in boxes for row in box["rows"]]
    parts = {
        part: {name: total([box["totals"][name] for box in boxes if box["part"] == part]) for name in COLUMNS}
        for part in ("I", "II")
    }
    return {
        **parts,
        "wash_disallowed": total([row["adjustment"] for row in rows if "W" in row["codes"]]),
        "income": total([income["amount"] for income in said["income"]]),
        "rows": len(rows),
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_ledger(path: Path, tmp_path: Path) -> None:
    case = read_yaml(path).value
    expected, within, said = case["expected"], case["within"], summed(filed(case, tmp_path))
    differences = {
        f"{part} {name}": (said[part][name], want)
        for part in ("I", "II")
        for name, want in expected[part].items()
        if abs(said[part][name] - want) > within
    }
    assert differences == {}
    assert abs(said["wash_disallowed"] - expected["wash_disallowed"]) <= within
    assert said["income"] == expected["income"]
    assert said["rows"] >= expected["rows_at_least"]
