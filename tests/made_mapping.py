"""A made-up mapping for tests of the mapping language, and a way to read text by it."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

from conftest import ROOT
from lotlaw.ledger import Ledger, read

MAPPING = """\
id: made.up
version: 1
title: A made-up export
detect:
  header: [When, What, Coin, Units]
columns:
  ts: When
  what: What
  coin: Coin
  units: {from: Units, type: decimal}
  text: {from: Text, optional: true}
  more: {from: More, type: decimal, optional: true}
time: {formats: [iso], zone: UTC}
classes: {otherwise: crypto}
const: {account: made}
every: {time: ts}
rules:
  - when: what == 'in'
    emit: {kind: transfer_in, in_asset: coin, in_qty: units}
"""
HEAD = "When,What,Coin,Units\n"


def changed(*changes: tuple[str, str]) -> str:
    """The mapping with each `find` replaced by its `put`."""
    mapping = MAPPING
    for find, put in changes:
        assert find in mapping
        mapping = mapping.replace(find, put)
    return mapping


def with_rules(rules: str, *changes: tuple[str, str]) -> str:
    """The mapping with other rules, and with what stands before them."""
    return re.sub(r"rules:\n.*", "", changed(*changes), flags=re.DOTALL) + rules


def folder_of(folder: Path, **mappings: str) -> Path:
    """A folder of rules that has these mappings alone, by name of file."""
    sources = folder / "rules" / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "rules" / "assets.yaml", sources.parent)
    for name, mapping in mappings.items():
        (sources / f"{name}.yaml").write_text(mapping, encoding="utf-8")
    return sources.parent


def read_by(folder: Path, mapping: str, text: str, name: str = "made.csv", **options: Any) -> Ledger:
    """The ledger of `text`, in a file called `name`, by the mapping."""
    rules = folder_of(folder, made=mapping)
    (folder / name).write_text(text, encoding="utf-8")
    return read(folder / name, rules=rules, **options)


def shown(ledger: Ledger, *left_out: str) -> list[dict[str, str]]:
    """Rows as a person writes them, without empty cells; instants as `at`."""
    return [
        {"at" if k == "timestamp" else k: written(v) for k, v in row.items() if v is not None and k not in left_out}
        for row in ledger.rows.to_dicts()
    ]


def written(cell: Any) -> str:
    return f"{cell.normalize():f}" if isinstance(cell, Decimal) else str(cell).replace("+00:00", "Z")
