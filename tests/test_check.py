"""`lotlaw rules check` names each mistake a rule editor can make, at its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from lotlaw.check import check
from lotlaw.source import data_root

RULES = data_root() / "rules"
CASES = yaml.safe_load((Path(__file__).parent / "bad" / "rules.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_mistake_is_named_at_its_place(case, tmp_path):
    root = tmp_path / "rules"
    shutil.copytree(RULES, root)
    path = root / case["file"]
    text = path.read_text(encoding="utf-8")
    assert case["find"] in text, "the case no longer fits the file"
    path.write_text(text.replace(case["find"], case["put"], 1), encoding="utf-8")

    found = [str(problem) for problem in check(root, int(case["file"][:4]))]

    said = [line for line in found if case["says"] in line]
    assert said, f"found only: {found}"
    place = said[0].split(": ")[0]
    assert place.startswith(f"{root}/"), place
    assert all(number.isdigit() for number in place.split(":")[1:3])


def test_the_shipped_rules_have_no_problem():
    assert check(RULES) == []


def test_a_folder_without_rules_is_said_to_be_none(tmp_path):
    with pytest.raises(Exception, match="no rules here"):
        check(tmp_path)
