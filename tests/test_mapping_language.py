"""The mapping language, construct by construct: mappings that carry their own proof, and mistakes in them."""

from __future__ import annotations

import pytest
from made_mapping import HEAD, MAPPING, folder_of, read_by, shown

from conftest import ROOT
from lotlaw.importers import lint
from lotlaw.source import read_yaml

INNER = ("seq", "file", "account", "date", "timestamp", "line")


@pytest.fixture
def reads(tmp_path, monkeypatch):
    """Reads text by a mapping that stands alone in a folder of rules."""
    monkeypatch.chdir(tmp_path)
    return lambda mapping, text, **options: read_by(tmp_path, mapping, text, **options)


@pytest.fixture
def problems(tmp_path, monkeypatch):
    """What `rules check` says of a mapping that stands alone, without its file's name."""
    monkeypatch.chdir(tmp_path)
    return lambda mapping: [
        str(p).removeprefix("rules/sources/made.yaml:") for p in lint.problems(folder_of(tmp_path, made=mapping))
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "tests/mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_construct_does_what_its_mapping_shows(problems, path):
    text = path.read_text(encoding="utf-8")
    assert "\ntests:\n" in text
    assert problems(text) == []


# Tests that a mapping carries

TEST = f"""\
tests:
  - rows: |
      {HEAD.strip()}
      2025-01-04T10:00:00Z,in,BTC,1.50
    events:
      - {{at: '2025-01-04T10:00:00Z', kind: transfer_in, in_asset: BTC, in_qty: 1.5}}
"""


@pytest.mark.parametrize("case", read_yaml(ROOT / "tests/bad/mapping_tests.yaml").value, ids=lambda case: case["find"])
def test_a_test_of_a_mapping_that_fails_is_named_with_its_place(problems, case):
    assert case["find"] in TEST
    assert problems(MAPPING + TEST.replace(case["find"], case["put"])) == case["says"]


def test_who_reads_a_file_by_a_locked_mapping_need_not_read_its_tests(reads, tmp_path):
    lint.lock(folder_of(tmp_path, made=MAPPING + TEST))
    ledger = reads(MAPPING + TEST, HEAD + "2025-01-04,in,BTC,1\n")
    assert shown(ledger, *INNER) == [{"kind": "transfer_in", "in_asset": "BTC", "in_qty": "1"}]
