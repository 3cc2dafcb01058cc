"""A new tax year is data only: docs/update-a-year.md, followed to the letter in a copy of the rules, files a return.

The numbers, the box and the line are those of the document's own examples. Nothing of the engine changes.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Asked
from lotlaw.source import data_root

DOCUMENT = ROOT / "docs" / "update-a-year.md"
YEAR = 2027
LEDGER = """\
time,kind,asset,asset_class,quantity,amount,account
2026-02-02,buy,FUNDX,etf,100,20000,desk
2026-02-02,buy,BTC,crypto,1,50000,desk
2027-01-15,sell,FUNDX,,100,8000,desk
2027-01-16,sell,BTC,,1,51000,desk
"""
TAXPAYER = """\
filing_status: single
income: {wages: 80_000}
carryover: {short: 0, long: 0}
accounts: {desk: {form_1099: da_covered}}
"""


def snippets() -> dict[str, str]:
    """The entries that the document's YAML shows, by key."""
    shown = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return {key: entry for block in shown for key, entry in entries(block)}


def entries(block: str) -> list[tuple[str, str]]:
    """The entries of a piece of YAML at its outermost level, each with all that is indented below it."""
    text = "".join(line for line in block.splitlines(keepends=True) if not line.startswith("#"))
    margin = re.match(r" *", text)[0]
    found = re.split(rf"(?m)^(?={margin}[\w-])", text)
    return [(part.strip().partition(":")[0], part) for part in found if part.strip()]


def put(path: Path, key: str, entry: str, after: str | None = None) -> None:
    """Put an entry in the place of the one with its key, or behind the entry `after`."""
    text = path.read_text(encoding="utf-8")
    margin = re.match(r" *", entry)[0]
    old = re.search(rf"(?m)^{margin}{after or key}:.*\n(?:{margin} +.*\n)*", text)
    assert old, f"no entry {after or key} in {path.name}"
    path.write_text(text[: old.start()] + (old[0] if after else "") + entry + text[old.end() :], encoding="utf-8")


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the rules with the made-up year."""
    root = tmp_path / "rules"
    shutil.copytree(data_root() / "rules", root)
    new, shown = root / str(YEAR), snippets()
    new.mkdir()
    for name in ("year.yaml", "parameters.yaml"):
        shutil.copy(root / "2026" / name, new)
    for name in ("form_8949.yaml", "schedule_d.yaml"):
        shutil.copy(root / "2025" / name, new)
    copied = (new / "parameters.yaml").read_text(encoding="utf-8")
    (new / "parameters.yaml").write_text(re.sub(r"(?m)^  waive: \{together.*\n", "", copied), encoding="utf-8")
    put(new / "year.yaml", "year", shown["year"])
    put(new / "year.yaml", "status", shown["status"])
    put(new / "year.yaml", "irc", '  rp-26: {title: "Rev. Proc. 2026-32", url: "https://www.irs.gov/pub/"}\n', "irc")
    for name in ("parameters", "form_8949", "schedule_d"):
        put(new / "year.yaml", name, f"  {name}: {YEAR}\n")
    for name in ("zero_rate_top", "capital_loss_cap"):
        put(new / "parameters.yaml", name, shown[name])
    put(new / "form_8949.yaml", "G", shown["G"])
    put(new / "form_8949.yaml", "M", shown["M"], after="G")
    put(new / "schedule_d.yaml", "3a", shown["3a"], after="3")
    put(new / "schedule_d.yaml", "7", shown["7"])
    swap(new / "schedule_d.yaml", "examples:\n", "examples:\n" + shown["- name"])
    swap(new / "schedule_d.yaml", "21: 1_500", "21: 2_500")
    swap(new / "schedule_d.yaml", "21: 3_000", "21: 4_000")
    (tmp_path / "ledger.csv").write_text(LEDGER)
    (tmp_path / "taxpayer.yaml").write_text(TAXPAYER)
    return root


@pytest.fixture
def filed(tmp_path: Path, rules: Path, ask: Asked):
    """Files the made-up year with the rules as they are now, and gives its return.json."""

    def files() -> dict[str, Any]:
        to = ("--taxpayer", "taxpayer.yaml", "--out", "return", "--format", "csv,txt")
        done = ask("file", YEAR, "ledger.csv", *to, "--rules", rules)
        assert (done.code, done.error) == (0, "")
        return json.loads((tmp_path / "return" / "return.json").read_text(encoding="utf-8"))

    return files


def test_no_year_has_a_problem(rules: Path, ask: Asked) -> None:
    found = ask("rules", "check", "--rules", rules)
    assert found.text.endswith("2026, 2027: no problems found\n"), found.text
    assert (found.code, found.error) == (0, "")


def test_it_files(filed, tmp_path: Path) -> None:
    return_ = filed()
    assert [box["box"] for box in return_["form_8949"]] == ["G", "M"]
    lines = return_["lines"]["schedule_d"]
    assert lines["1b"]["h"] == "1000"
    assert lines["3a"] == {"d": "8000", "e": "20000", "g": "0", "h": "-12000"}
    assert "3" not in lines
    assert (lines["7"], lines["16"], lines["21"]) == ("-11000", "-11000", "5000")
    assert return_["carryover"] == {"short": "6000", "long": "0"}
    assert return_["lines"]["form_1040"]["7"] == "-5000"
    assert return_["rules"]["year"] == YEAR
    assert "The rules of 2027 are a draft" in return_["warnings"][0]


def test_the_forms_show_it(filed, tmp_path: Path) -> None:
    filed()
    text = (tmp_path / "return" / "forms.txt").read_text(encoding="utf-8")
    assert "Short-term, other than digital assets, on Form 1099-DA" in text
    assert re.search(r"\n3a\s+Form 8949 with box M checked", text)
    order = list(dict.fromkeys(row["line"] for row in table(tmp_path / "return" / "schedule_d.csv")))
    assert order[:6] == ["1a", "1b", "2", "3", "3a", "4"]
    assert [row["box"] for row in table(tmp_path / "return" / "form_8949.csv")] == ["G", "M"]


def test_it_is_explained(filed, rules: Path, ask: Asked) -> None:
    filed()
    said = ask("explain", "return/return.json", "schedule_d.21", "--rules", rules)
    assert said.code == 0
    assert "5,000 = min(-line16, capital_loss_cap)" in said.text
    assert re.search(r"rules/2027/schedule_d\.yaml:\d+; ", said.text)
    assert re.search(r"rules/2027/parameters\.yaml:\d+; 26 USC \(Internal Revenue Code\), §1211\(b\)", said.text)
    assert "100 sh. FUNDX, sold 2027-01-15: (12,000.00), from ledger.csv:4, ledger.csv:2" in said.text


def test_a_longer_holding_period_moves_a_row_to_part_one(filed, rules: Path, tmp_path: Path) -> None:
    swap(tmp_path / "ledger.csv", "2026-02-02,buy,FUNDX", "2025-06-02,buy,FUNDX")
    swap(
        rules / str(YEAR) / "parameters.yaml",
        "unit: years\n  indexed: no\n  value: 1",
        'unit: years\n  indexed: no\n  value: 2\n  changed_by: {source: irc, at: "made up"}',
    )
    return_ = filed()
    assert [box["box"] for box in return_["form_8949"]] == ["G", "M"]
    assert return_["carryover"] == {"short": "6000", "long": "0"}


def test_with_the_holding_period_of_the_law_it_stands_in_part_two(filed, tmp_path: Path) -> None:
    swap(tmp_path / "ledger.csv", "2026-02-02,buy,FUNDX", "2025-06-02,buy,FUNDX")
    return_ = filed()
    assert [(box["box"], box["part"]) for box in return_["form_8949"]] == [("G", "I"), ("J", "II")]
    assert return_["carryover"] == {"short": "0", "long": "6000"}


@pytest.mark.parametrize(("rows", "pages"), [(11, 1), (3, 2), (1, 4)])
def test_rows_a_page_are_the_rules_own(rows: int, pages: int, filed, rules: Path, tmp_path: Path) -> None:
    swap(
        tmp_path / "ledger.csv",
        "2026-02-02,buy,FUNDX,etf,100,20000,desk\n",
        "2026-02-02,buy,FUNDX,etf,25,5000,desk\n" * 4,
    )
    swap(rules / str(YEAR) / "form_8949.yaml", "rows_a_page: {value: 11,", f"rows_a_page: {{value: {rows},")
    filed()
    text = (tmp_path / "return" / "forms.txt").read_text(encoding="utf-8")
    assert f"| page 1 of {1 + pages}\n" in text
    assert len(re.findall(r"\[x\] M ", text)) == pages


def test_it_is_published(filed, rules: Path, ask: Asked) -> None:
    """Every pin checked, the status changed, the year locked: it warns no more, and no value changes unseen."""
    contents = rules / str(YEAR) / "year.yaml"
    checked = 'checked: 2028-01-15, by: "two who read it", against: {source: f1040sd}'
    contents.write_text(re.sub(r'unchecked: "[^"]*"', checked, contents.read_text(encoding="utf-8")), encoding="utf-8")
    swap(contents, "status: draft", "status: published")
    assert ask("rules", "lock", YEAR, "--rules", rules).code == 0
    assert ask("rules", "check", YEAR, "--rules", rules).text == "2027: no problems found\n"
    return_ = filed()
    covered = "desk has 2 covered sales that no statement among these files lists"
    warnings = [f"{covered}: the amounts reported are taken to be the computed ones"]
    assert (return_["rules"]["status"], return_["warnings"]) == ("published", warnings)


def test_a_published_year_is_not_changed_unseen(rules: Path, ask: Asked) -> None:
    swap(rules / "2025" / "schedule_d.yaml", "label: Allowed loss", "label: The allowed loss")
    found = ask("rules", "check", 2025, "--rules", rules)
    said = "2025 is published, and its LOCK is not that of what it says now; if the change is meant, lock it again"
    assert found.code == 1
    assert found.text == f"rules/2025/year.yaml:4:9: {said}: lotlaw rules lock 2025 [locked]\n2025: 1 problem found\n"
