"""What is plainly right is let through without jsonschema, and nothing else is."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lotlaw.schema import shape_problems
from lotlaw.source import Document, read_yaml

ROOT = Path(__file__).resolve().parents[1]
READ = """\
import sys
from pathlib import Path
from lotlaw.source import Problems
from lotlaw.taxpayer import read_taxpayer
try:
    read_taxpayer(Path("taxpayer.yaml"))
except Problems:
    pass
print("jsonschema" in sys.modules)
"""
FULL: dict[str, Any] = {
    "name": "A. Filer", "ssn": "123-45-6789", "filing_status": "single", "income": {"wages": 90_000, "other": -5},
    "deduction": "standard", "aged_or_blind": 1, "dependent": False, "carryover": {"short": 0, "long": Decimal("1.5")},
    "inputs": {"form": {"13": 250, "1a": {"d": 5, "e": Decimal("2.50")}}}, "timezone": "America/New_York",
    "accounts": {"schwab": {"owner": "self", "kind": "hsa", "form_1099": "b_covered", "custody": "broker"}},
    "methods": [{"method": "fifo", "from": "2025-01-01", "recorded_on": "2024-12-30"}], "identical": [["VOO", "IVV"]],
    "digital_asset_pools_before_2025": "universal", "digital_asset_safe_harbor": {"kind": "global"},
}  # fmt: skip
RULES = {
    "year": ROOT / "rules" / "2025" / "year.yaml",
    "parameters": ROOT / "rules" / "2025" / "parameters.yaml",
    "form": ROOT / "rules" / "2025" / "schedule_d.yaml",
    "dispositions": ROOT / "rules" / "2018" / "dispositions.yaml",
    "examples": ROOT / "rules" / "2025" / "examples.yaml",
    "source": ROOT / "rules" / "sources" / "kraken_ledgers.yaml",
}
ODD = (None, True, 1, -1, Decimal(2), Decimal("0.5"), 10**14, "fifo", "standard", "1" * 21, [], ["A"], {}, {"d": "x"})


def as_json(value: Any) -> Any:
    """A value with its dates as text."""
    if isinstance(value, dict | list):
        return {k: as_json(v) for k, v in value.items()} if isinstance(value, dict) else [as_json(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


@cache
def right(schema: str) -> tuple[Any, Draft202012Validator]:
    """A file that has a shape, and what says so."""
    shape = json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    value = read_yaml(RULES[schema], text_only=schema == "source").value if schema in RULES else FULL
    return as_json(value), Draft202012Validator(shape)


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[str, Any]:
    """A schema, and a file of its shape with up to two of its values taken out, added or made another."""
    schema = draw(st.sampled_from(["taxpayer", *RULES]))
    value = copy.deepcopy(right(schema)[0])
    for _ in range(draw(st.integers(0, 2))):
        node: Any = value
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = draw(st.sampled_from([*keys, "wages"] if isinstance(node, dict) else keys or [None]))
            inner = node[key] if key in keys else None
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                break
            node = inner
        if isinstance(node, dict) and draw(st.booleans()):
            node.pop(key, None)
        elif key is not None:
            node[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return schema, value


@pytest.mark.parametrize("schema", ["taxpayer", *RULES])
def test_what_the_tests_begin_with_is_right(schema: str) -> None:
    value, valid = right(schema)
    assert valid.is_valid(value)


@given(nearly_right())
def test_a_shape_is_right_exactly_where_jsonschema_says_so(case: tuple[str, Any]) -> None:
    schema, value = case
    assert (not shape_problems(Document("file.yaml", value), schema)) == right(schema)[1].is_valid(value)


@pytest.mark.parametrize(("line", "asked"), [("filing_status: single", False), ("status: single", True)])
def test_jsonschema_is_asked_only_about_what_is_not_plainly_right(line: str, asked: bool, tmp_path: Path) -> None:
    (tmp_path / "taxpayer.yaml").write_text(f"{line}\n")
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, check=True, text=True, cwd=tmp_path)
    assert done.stdout == f"{asked}\n"
