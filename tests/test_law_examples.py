"""Worked examples of the law, from the regulations, the publications and the Code, down to the rows of the form."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from mutate_lots import changes, unnoticed
from simple_ledger import PERSON, held, ledger_of, lines, warned, worked

from conftest import ROOT
from lotlaw.dispositions import match
from lotlaw.rules import load
from lotlaw.source import Problems, read_yaml

EXAMPLES, EDGES = (read_yaml(Path(__file__).with_name(name)).value for name in ("law_examples.yaml", "law_edges.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_an_example_of_the_law(example: dict[str, Any], tmp_path: Path) -> None:
    ledger, year = ledger_of(tmp_path, example["ledger"]), load(example.get("year", 2025))
    assert lines(worked(ledger, year, example)) == example["rows"]
    if "held" in example:
        assert held(worked(ledger, year, example, held=True)) == example["held"]


@pytest.mark.parametrize("example", EDGES, ids=lambda example: example["name"])
def test_an_edge_of_the_law(example: dict[str, Any], tmp_path: Path) -> None:
    ledger, year = ledger_of(tmp_path, example["ledger"]), load(example.get("year", 2025))
    if "refused" in example:
        with pytest.raises(Problems) as found:
            worked(ledger, year, example)
        assert [str(problem).replace(f"{tmp_path}/", "") for problem in found.value.problems] == example["refused"]
        return
    matched = worked(ledger, year, example, held=True)
    assert (lines(matched), warned(tmp_path, matched)) == (example["rows"], example.get("warnings", []))
    if "held" in example:
        assert held(matched) == example["held"]


def test_every_example_has_a_source() -> None:
    assert [example["name"] for example in (*EXAMPLES, *EDGES) if not example.get("source")] == []


# Slips of the pen in the law of lots (`make mutate` makes all of them)

ALTERED = {f"{change.about}: {change.what}": change for change in changes(load(2018).documents["dispositions"].value)}


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ("methods identified securities by: settlement -> sale", True),
        ("asset_classes fiat pool: securities -> digital_assets", False),
    ],
)
def test_a_slip_of_the_pen_is_noticed(change: str, noticed: bool) -> None:
    assert unnoticed(ALTERED[change]) is not noticed


@pytest.mark.parametrize(
    ("page", "said"),
    [("README.md", "Of {:,} changes of the law of lots"), ("docs/audit-a-year.md", "the law of lots: {:,} changes")],
)
def test_the_pages_tell_how_many_changes_of_the_law_of_lots_are_made(page: str, said: str) -> None:
    assert said.format(len(ALTERED)) in (ROOT / page).read_text(encoding="utf-8")


# A year's law of wash sales is the year's file alone

WASHED = """
    time       | kind | asset | asset_class | quantity | amount
    2025-01-02 | buy  | BTC   | crypto      | 3        | 3000
    2025-01-02 | buy  | ACME  | stock       | 3        | 3000
    2025-03-03 | sell | BTC   | crypto      | 1        | 700
    2025-04-03 | buy  | BTC   | crypto      | 1        | 800
    2025-04-03 | buy  | ACME  | stock       | 1        | 800
    2026-03-03 | sell | BTC   | crypto      | 1        | 700
    2026-03-03 | sell | ACME  | stock       | 1        | 700
    2026-04-03 | buy  | BTC   | crypto      | 1        | 800
    2026-04-03 | buy  | ACME  | stock       | 1        | 800
"""
COIN, SHARE = "L | 1 BTC | 2025-01-02 | 2026-03-03", "F | 1 sh. ACME | 2025-01-02 | 2026-03-03"
ALLOWED, WASHED_AWAY = "700.00 | 1000.00 | -300.00", "700.00 | 1000.00 | W 300.00 | 0.00"


@pytest.mark.parametrize(
    ("changes", "coin", "share"),
    [
        ({}, ALLOWED, ALLOWED),
        ({"days_after: 30": "days_after: 31"}, ALLOWED, WASHED_AWAY),
        ({"classes: [stock": "classes: [crypto, stock"}, ALLOWED, ALLOWED),
        ({"days_after: 30": "days_after: 31", "classes: [stock": "classes: [crypto, stock"}, WASHED_AWAY, WASHED_AWAY),
    ],
    ids=["as it is", "a longer window", "coins too", "both"],
)
def test_a_year_may_change_the_window_and_what_it_is_for(
    changes: dict[str, str], coin: str, share: str, tmp_path: Path
) -> None:
    rules = shutil.copytree(ROOT / "rules", tmp_path / "rules")
    law, contents = rules / "2018" / "dispositions.yaml", rules / "2026" / "year.yaml"
    before, block = law.read_text(encoding="utf-8").split("\nwash_sales:\n")
    for old, new in changes.items():
        assert old in block
        block = block.replace(old, new, 1)
    (rules / "2026" / law.name).write_text(f"{before}\nwash_sales:\n{block}", encoding="utf-8")
    own = re.sub(r"(?m)^  dispositions: .*$", "  dispositions: 2026", contents.read_text(encoding="utf-8"))
    contents.write_text(own, encoding="utf-8")
    assert lines(match(ledger_of(tmp_path, WASHED), load(2026, rules), PERSON)) == [
        f"{SHARE} | {share}",
        f"{COIN} | {coin}",
    ]
    assert lines(match(ledger_of(tmp_path, WASHED), load(2025, rules), PERSON)) == [
        "I | 1 BTC | 2025-01-02 | 2025-03-03 | 700.00 | 1000.00 | -300.00"
    ]


# A ledger whose wash sales would cut lots without end

DENSE = """
    time       | kind | asset | asset_class | quantity | amount
    2025-01-02 | buy  | ACME  | stock       | 10       | 1000
    2025-03-03 | sell | ACME  | stock       | 3        | 240
    2025-03-10 | buy  | ACME  | stock       | 9        | 720
"""


def test_lots_that_are_cut_no_more_take_on_losses_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = ledger_of(tmp_path, DENSE)
    assert match(ledger, load(2025), PERSON).warnings == []
    assert held(match(ledger, load(2025), PERSON, held=True))[1:] == [
        "3 ACME at main of 2025-01-09 for 300", "6 ACME at main of 2025-03-10 for 480",
    ]  # fmt: skip
    monkeypatch.setattr("lotlaw.lots.windows.ROOM", 0)
    full = match(ledger, load(2025), PERSON, held=True)
    assert held(full)[1:] == ["9 ACME at main of 2025-02-18 for 780"]
    (warning,) = match(ledger, load(2025), PERSON).warnings
    assert warning.startswith("wash sales would cut lots into more than 0 parts: beyond these, a lot of which a part ")
