"""`lotlaw rules check` names each mistake a rule editor can make, at its place."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, Asked
from lotlaw.check import check
from lotlaw.check.quotes import missing_in
from lotlaw.source import data_root

RULES = data_root() / "rules"
CASES = yaml.safe_load((Path(__file__).parent / "bad" / "rules.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_mistake_is_named_at_its_place(case, tmp_path):
    root, of_forms = tmp_path / "rules", case["file"].startswith("../forms")
    if of_forms:
        shutil.copytree(RULES.parent / "forms", tmp_path / "forms")
    one = of_forms and "all" in case  # whatever the years: one that pins no other will do
    shutil.copytree(RULES / "2018" if one else RULES, root / "2018" if one else root)
    path = root / case["file"]
    text = path.read_text(encoding="utf-8")
    assert case["find"] in text, "the case no longer fits the file"
    path.write_text(text.replace(case["find"], case["put"], 1), encoding="utf-8")

    found = [
        str(problem) for problem in check(root, None if "all" in case else case.get("year") or int(case["file"][:4]))
    ]

    said = [line for line in found if case["says"] in line]
    assert said, f"found only: {found}"
    place = said[0].split(": ")[0]
    assert place.startswith(f"{tmp_path}/"), place
    assert all(number.isdigit() for number in place.split(":")[1:3])


MODULES = (
    "check/*.py", "lots/treatment.py", "lots/methods.py", "readings/units.py", "formula.py", "rules.py", "law.py",
)  # fmt: skip
ELSEWHERE = {
    "nested more than", "characters; at most", "cannot be worked out:",  # formulas that no person writes: test_formula
    "say one of `is`, `yes_if`, `total_of`, `input`",  # the schema says it first
    "name a line too, such as", "has no lines that are worked out",  # lotlaw explain: test_explain
}  # fmt: skip


def test_each_text_of_check_is_held_by_a_pair() -> None:
    """The longest fixed part of each message of the checks, in some case's answer."""
    inputs = (Path(__file__).parent / "bad" / "inputs").glob("*.yaml")
    held = " ".join((" ".join(case["says"] for case in CASES) + "".join(p.read_text() for p in inputs)).split())
    paths = [path for pattern in MODULES for path in sorted((ROOT / "engine" / "lotlaw").glob(pattern))]
    texts = {text for path in paths for text in fixed_texts(ast.parse(path.read_text(encoding="utf-8")))}
    assert len(texts) > 100
    assert sorted(text for text in texts if text not in held and not any(known in text for known in ELSEWHERE)) == []


def fixed_texts(code: ast.Module) -> Iterator[str]:
    """The longest fixed part of every text of some words in a module that is not a docstring."""
    docs = {id(node.value) for node in ast.walk(code) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in ast.walk(code) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(code):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        said = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if said and id(node) not in docs | inner and " " in (text := max(said, key=len).strip()) and len(text) >= 8:
            yield " ".join(text.split())


def test_the_shipped_rules_have_no_problem():
    assert check(RULES) == []


def test_a_folder_without_rules_is_said_to_be_none(tmp_path):
    with pytest.raises(Exception, match="no rules here"):
        check(tmp_path)


def copied(tmp_path: Path, file: str, find: str, put: str) -> Path:
    """A copy of the rules with one change."""
    root = tmp_path / "rules"
    shutil.copytree(RULES, root)
    text = (root / file).read_text(encoding="utf-8")
    assert find in text
    (root / file).write_text(text.replace(find, put, 1), encoding="utf-8")
    return root


CAP = "value: {single: 3_000, married_joint: 3_000, married_separate: 1_500"


def test_what_a_file_waives_is_not_found(tmp_path: Path, ask: Asked) -> None:
    waived = 'waive: {half: "made up", quote: "made up", fixed: "made up"}'
    root = copied(tmp_path, "2026/parameters.yaml", CAP, f"{waived}\n  {CAP.replace('1_500', '1_700')}")
    assert [str(problem) for problem in check(root)] == []
    assert ask("rules", "lock", 2026, "--rules", root).code == 0


def test_a_draft_computes_while_a_finding_is_open(tmp_path: Path, ask: Asked) -> None:
    root = copied(tmp_path, "2026/parameters.yaml", CAP, CAP.replace("1_500", "1_700"))
    (tmp_path / "ledger.csv").write_text("time,kind,asset,asset_class,quantity,amount\n")
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\n")
    assert ask("file", 2026, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--rules", root).code == 0
    assert ask("rules", "lock", 2026, "--rules", root).code == 2


def test_a_published_year_does_not(tmp_path: Path, ask: Asked) -> None:
    root = copied(tmp_path, "2025/parameters.yaml", CAP, CAP.replace("1_500", "1_700"))
    (tmp_path / "ledger.csv").write_text("time,kind,asset,asset_class,quantity,amount\n")
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\n")
    said = ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--rules", root)
    assert (said.code, "[half]" in said.error, "[fixed]" in said.error) == (2, True, True)


def test_programs_get_each_problem_with_its_check_and_place(tmp_path: Path, ask: Asked) -> None:
    root = copied(tmp_path, "2026/parameters.yaml", CAP, CAP.replace("1_500", "1_700"))
    said = ask("rules", "check", 2026, "--rules", root, "--json")
    answer = json.loads(said.text)
    assert (said.code, answer["years"]) == (1, [2026])
    assert [problem["check"] for problem in answer["problems"]] == ["half", "quote", "fixed"]
    first = answer["problems"][0]
    assert (first["file"], first["line"], first["column"]) == ("rules/2026/parameters.yaml", 10, 1)


def test_templates_beside_the_rules_are_looked_at(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    (tmp_path / "forms" / "inner").mkdir(parents=True)
    (tmp_path / "forms" / "inner" / "sum.html.j2").write_text("<p>\n{{ a + b }}")
    (tmp_path / "forms" / "torn.html.j2").write_text("{% if %}")
    said = [str(problem).replace(str(tmp_path), "") for problem in check(tmp_path / "rules")]
    assert said == [
        "/forms/inner/sum.html.j2:2: Add in a template: it shows what it is given, and computes nothing [templates]",
        "/forms/torn.html.j2:1: not a template: Expected an expression, got 'end of statement block' [templates]",
    ]


def test_layouts_of_tax_software_beside_the_rules_are_looked_at(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    shutil.copytree(RULES.parent / "forms" / "exports", tmp_path / "forms" / "exports")
    for name, right, wrong in (
        ("txf", "boxes: {A", "boxes: {S: '1', A"), ("txf", "[W]", "[W, A]"), ("drake", "kind: table", "kind: sheet"),
        ("taxact", "title:", "titel:"), ("fdx", "boxes: [A, B", "boxes: [A, C"),
    ):  # fmt: skip
        path = tmp_path / "forms" / "exports" / f"{name}.yaml"
        path.write_text(path.read_text().replace(right, wrong, 1))
    kinds = "records: by the template <layout>_record.txt.j2; table: CSV; forms: JSON"
    said = [str(problem).replace(f"{tmp_path}/forms/exports/", "") for problem in check(tmp_path / "rules")]
    assert said == [
        f'drake.yaml:5:7: kind "sheet": {kinds} [exports]',
        "fdx.yaml:18:16: box C is not among `boxes` [exports]",
        "taxact.yaml:4:1: unknown key 'titel' (did you mean 'title'?) [exports]",
        "taxact.yaml:4:1: 'title' is missing: what the format is called [exports]",
        "txf.yaml:8:9: no year's Form 8949 has a box S [exports]",
        "txf.yaml:9:12: no year's Form 8949 has a code A [exports]",
    ]


@pytest.mark.parametrize(
    ("quote", "unit", "value", "held"),
    [
        ("$3,000 ($1,500 if separate)", "money", 1500, True),
        ("$3,000", "money", 300, False),
        ("a tax of 3.8 percent", "rate", Decimal("0.038"), True),
        ("held for more than one year", "years", 1, True),
        ("on or after January 1, 2025", "date", date(2025, 1, 1), True),
        ("on or after January 10, 2025", "date", date(2025, 1, 1), False),
    ],
)
def test_a_quote_is_read_as_a_person_reads_it(quote: str, unit: str, value: object, held: bool) -> None:
    assert (missing_in(quote, unit, [value]) == []) is held
