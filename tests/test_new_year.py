"""A new tax year is data only: docs/update-a-year.md, followed to the letter in a copy of the rules, files a return.

Its commands are run in order and held to the output that it shows; its tables and pieces of YAML are put where it says.
Nothing of the engine changes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from markdown_it import MarkdownIt

from conftest import ROOT, Asked
from lotlaw.cli import main
from lotlaw.rules import forget
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


# The document


class Block(NamedTuple):
    chapter: str
    about: list[str]
    text: str


def blocks() -> Iterator[Block]:
    """The document's code, each piece with the words after its fence: its language, its file, what to do with it."""
    chapter = ""
    tokens = MarkdownIt().parse(DOCUMENT.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "inline" and before.type == "heading_open":
            chapter = token.content
        if token.type == "fence":
            yield Block(chapter, token.info.split(), token.content)


def follow(folder: Path, chapters: str) -> None:
    """Do what the document says in some of its chapters, and hold its commands to what it shows."""
    for block in blocks():
        if block.chapter[0] not in chapters:
            continue
        language, *about = block.about
        if language == "console":
            for command, shown in commands(block.text):
                assert re.fullmatch(shown, run(folder, command)), command
        elif language == "csv":
            fill_in(folder / about[0], block.text)
        else:
            edit(folder / about[0], block.text, *about[1:])


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console, each with a pattern of what it prints; places and counts may move on."""
    for part in re.split(r"(?m)^\$ ", text)[1:]:
        command, _, shown = part.partition("\n")
        pattern = re.escape(shown).replace(re.escape("...\n"), "(?s:.*)").replace(re.escape("..."), ".*")
        pattern = re.sub(r"(yaml:)\d+(:\d+)?", r"\1[0-9:]+", pattern)
        yield command, re.sub(r"\d+(?=\\ (things|values))", r"\\d+", pattern)


def run(folder: Path, command: str) -> str:
    """What a command prints in a folder."""
    program, *arguments = shlex.split(command)
    if program == "cp":
        *files, to = arguments
        for file in files:
            shutil.copy(folder / file, folder / to)
        return ""
    forget()
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, contextlib.chdir(folder), contextlib.redirect_stdout(said):
        patched.setattr(sys, "argv", [program, *arguments])
        with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
            main()
    return said.getvalue()


def fill_in(path: Path, shown: str) -> None:
    """Write values into the table as the document says; the rows that it shows are among them."""
    rows = table(path)
    shown_rows = list(csv.DictReader(io.StringIO(shown)))
    cited = {row["parameter"]: (row["source"], row["at"]) for row in shown_rows}
    for row in rows:
        rises = row["parameter"] in INDEXED and "rate" not in row["row"]
        row["value"] = risen(row["old"]) if rises else row["old"]
        row["source"], row["at"] = cited.get(row["parameter"], ("rp-26", "§4") if rises else ("", ""))
        if row["parameter"] == "capital_loss_cap":
            row["value"] = "2500" if row["status"] == "married_separate" else "5000"
    assert all(row in rows for row in shown_rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


INDEXED = (
    "zero_rate_top", "middle_rate_top", "below_25_top", "income_tax", "standard_deduction", "aged_or_blind_addition",
)  # fmt: skip


def risen(old: str) -> str:
    """Two per cent more, rounded down to 50 dollars, or to 25 where the old amount was no multiple of 50."""
    step = 50 if int(old) % 50 == 0 else 25
    return str(int(old) * 102 // 100 // step * step)


def edit(path: Path, text: str, where: str = "") -> None:
    """Put a piece of YAML where it belongs: behind a key, in the place of what it is like, or entry by entry."""
    if not path.exists():
        path.write_text(text, encoding="utf-8")
    elif where in ("sources", "examples"):
        swap(path, f"\n{where}:\n", f"\n{where}:\n{text}")
    elif where == "unchecked":
        path.write_text(re.sub(r'unchecked: "[^"]*"', text.strip(), path.read_text(encoding="utf-8")), encoding="utf-8")
    elif where == "erratum":
        was = path.with_name("LOCK").read_text(encoding="utf-8")[:12]
        path.write_text(path.read_text(encoding="utf-8") + text.replace("DIGEST", was), encoding="utf-8")
    elif where == "expect":
        for line in text.splitlines():
            old = re.sub(r"21:\\ [\d_]+", r"21: [\\d_]+", re.escape(line))
            found = re.findall(old, path.read_text(encoding="utf-8"))
            assert len(found) == 1, line
            swap(path, found[0], line)
    else:
        before = ""
        for key, entry in entries(text):
            put(path, key, entry, before or key.rstrip("abcdefghijklmnopqrstuvwxyz"), where)
            before = key


def entries(block: str) -> list[tuple[str, str]]:
    """The entries of a piece of YAML at its outermost level, each with all that is indented below it."""
    margin = re.match(r" *", block)[0]
    found = re.split(rf"(?m)^(?={margin}[\w-])", block)
    return [(part.strip().partition(":")[0], part) for part in found if part.strip()]


def put(path: Path, key: str, entry: str, after: str, part: str = "") -> None:
    """Put an entry in the place of the one with its key; if there is none (in a part of the file), behind another."""
    whole = path.read_text(encoding="utf-8")
    text = re.search(rf"(?m)^{part}:\n(?:(?: .*)?\n)*", whole)[0] if part else whole
    margin = re.match(r" *", entry)[0]
    there, behind = (re.search(rf"(?m)^{margin}{k}:.*\n(?:{margin} +.*\n)*", text) for k in (key, after))
    old = there or behind
    assert old, f"no entry {key} or {after} in {path.name}"
    new = text[: old.start()] + ("" if there else old[0]) + entry + text[old.end() :]
    path.write_text(whole.replace(text, new), encoding="utf-8")


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# The year that it makes


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the document's chapters up to the forms were followed."""
    folder = tmp_path_factory.mktemp("followed")
    shutil.copytree(data_root() / "rules", folder / "rules")
    (folder / "ledger.csv").write_text(LEDGER)
    (folder / "taxpayer.yaml").write_text(TAXPAYER)
    follow(folder, "123")
    return folder


@pytest.fixture
def rules(tmp_path: Path, followed: Path) -> Path:
    """A copy of the rules with the made-up year."""
    shutil.copytree(followed, tmp_path, dirs_exist_ok=True)
    forget()
    return tmp_path / "rules"


def test_the_document_is_true_to_its_end(rules: Path, tmp_path: Path) -> None:
    follow(tmp_path, "456")
    assert run(tmp_path, "lotlaw rules check --rules rules").endswith("2027: no problems found\n")


def test_it_touches_no_code() -> None:
    touched = {block.about[1].split("/")[0] for block in blocks() if block.about[0] != "console"}
    assert touched == {"rules", "values.csv"}


@pytest.fixture
def filed(tmp_path: Path, rules: Path, ask: Asked):
    """Files the made-up year with the rules as they are now, and gives its return.json."""

    def files() -> dict[str, Any]:
        forget()
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


def test_it_is_published(filed, rules: Path, tmp_path: Path) -> None:
    """Every pin checked, the status changed, the year locked: it warns no more, and no value changes unseen."""
    follow(tmp_path, "45")
    shutil.rmtree(tmp_path / "return")
    return_ = filed()
    covered = "desk has 2 covered sales that no statement among these files lists"
    warnings = [f"{covered}: the amounts reported are taken to be the computed ones"]
    assert (return_["rules"]["status"], return_["warnings"]) == ("published", warnings)


def test_a_published_year_is_not_changed_unseen(rules: Path, ask: Asked) -> None:
    swap(rules / "2025" / "schedule_d.yaml", "label: Allowed loss", "label: The allowed loss")
    forget()
    found = ask("rules", "check", 2025, "--rules", rules)
    said = "2025 is published, and its LOCK is not that of what it says now; if the change is meant, lock it again"
    assert found.code == 1
    assert found.text == f"rules/2025/year.yaml:4:9: {said}: lotlaw rules lock 2025 [locked]\n2025: 1 problem found\n"
