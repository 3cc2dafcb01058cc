"""`lotlaw explain`: every line of the demo's return ends at its rule, the law, and the rows of the files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from pytest_snapshot.plugin import Snapshot

from conftest import ROOT, Asked
from lotlaw import load
from lotlaw.explain import explain
from lotlaw.explain.amounts import amount
from lotlaw.filing import file_years, recompute
from lotlaw.run import Return
from lotlaw.source import Problems
from lotlaw.starter import DEMO, demo_files

YEAR, EXPORTS, TAXPAYER = demo_files()
LINES = [f"{name}.{line}" for name, form in load(YEAR).forms.items() for line in form.lines]
PLACE = re.compile(r"^ *(?P<file>\S*\.yaml):(?P<line>\d+); (?P<law>.*)$", re.MULTILINE)
SOLD = re.compile(
    r"^ *[\d.,]+ (?:sh\. )?(?P<asset>\w+), sold (?P<day>[\d-]+): [\d(].*, from (?P<rows>.+)$", re.MULTILINE
)
RECEIVED = re.compile(r"^ *staking (?P<asset>\w+): [\d.]+, from (?P<rows>\S+)$", re.MULTILINE)

Told = Callable[[str], str]

# Lines of the demo into which transactions flow, and what of them.
FROM_SALES = (
    "schedule_d.1b", "schedule_d.2", "schedule_d.7", "schedule_d.8b", "schedule_d.9", "schedule_d.15", "schedule_d.16",
    "schedule_d.21", "form_1040.7", "form_1040.11", "form_1040.15", "form_1040.16", "qdcg.1", "qdcg.25",
    "loss_carryover.1", "loss_carryover.5", "loss_carryover.8",
)  # fmt: skip
FROM_INCOME = ("form_1040.other", "form_1040.11", "form_1040.16")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Return:
    """The demo's return, filed and read back."""
    out = tmp_path_factory.mktemp("demo") / "return"
    before = Path.cwd()
    os.chdir(DEMO)
    try:
        file_years([YEAR], EXPORTS, TAXPAYER, out=out)
    finally:
        os.chdir(before)
    return recompute(out / "return.json")


@cache
def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def row(said: str) -> str:
    """The text of a row that is named as file.csv:line."""
    name, _, line = said.rpartition(":")
    return lines_of(DEMO / name)[int(line) - 1]


@pytest.fixture(scope="module")
def told(demo: Return) -> Told:
    """What is explained of a line of the demo, worked out once."""
    return cache(lambda line: explain(demo, line))


@pytest.mark.parametrize("line", LINES)
def test_every_line_ends_at_its_rule_and_the_law(told: Told, line: str) -> None:
    said = told(line)
    form, _, id_ = line.partition(".")
    first = PLACE.search(said)
    assert first, said
    key = re.match(r"\s*([\w]+):", lines_of(Path(first["file"]))[int(first["line"]) - 1])
    assert key
    assert (Path(first["file"]).stem, key[1]) == (form, id_)
    for place in PLACE.finditer(said):
        assert lines_of(Path(place["file"]))[int(place["line"]) - 1].strip()
        assert place["law"].strip(), place[0]


@pytest.mark.parametrize("line", LINES)
def test_what_is_said_of_a_line_hangs_together(told: Told, line: str) -> None:
    """Each thing that a line rests on has a place, is blank, typed, or was said before; nothing is said twice."""
    said = told(line)
    assert said.endswith("\n")
    assert "None" not in said
    assert "Decimal" not in said
    heads = re.findall(r"^ *(\S.*, line \w+: .*)\n +[^\n]*(?<!explained above)$", said, re.MULTILINE)
    assert len(heads) == len(set(heads))


def test_sales_are_traced_to_rows_that_say_so(told: Told, demo: Return) -> None:
    found = {match[0].strip(): match for line in LINES for match in SOLD.finditer(told(line))}
    assert len(found) == demo.rows.height == 5
    for match in found.values():
        sale, *lots = match["rows"].split(", ")
        year, month, day = match["day"].split("-")
        assert match["asset"] in row(sale)
        assert match["day"] in row(sale) or f"{month}/{day}/{year}" in row(sale)
        assert re.search(r"Sell|Convert", row(sale))
        assert lots
        assert all(match["asset"] in row(lot) and re.search(r"Buy|Staking", row(lot)) for lot in lots)


def test_income_is_traced_to_rows_that_say_so(told: Told, demo: Return) -> None:
    found = {match[0].strip(): match for line in LINES for match in RECEIVED.finditer(told(line))}
    assert len(found) == 2
    assert all(match["asset"] in row(match["rows"]) and "Staking" in row(match["rows"]) for match in found.values())


@pytest.mark.parametrize("line", FROM_SALES)
def test_what_comes_from_sales_names_their_rows(told: Told, line: str) -> None:
    assert SOLD.search(told(line))


@pytest.mark.parametrize("line", FROM_INCOME)
def test_what_comes_from_income_names_its_rows(told: Told, line: str) -> None:
    assert RECEIVED.search(told(line))


def test_a_loss_down_to_its_rows(demo: Return, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = ROOT / "tests" / "snapshots" / "explain"
    said = re.sub(r"yaml:[\d, ]+", "yaml:n", anywhere(explain(demo, "schedule_d.21")))
    snapshot.assert_match(said, "schedule_d.21.txt")


def test_a_tax_down_to_its_rates_and_what_would_change_it(tmp_path: Path, ask: Asked, snapshot: Snapshot) -> None:
    """A gain that takes up what is left at nothing and reaches into the middle rate."""
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\nincome: {wages: 60_000, qualified_dividends: 0}\n")
    sale = "2025-03-01,closed_lot,ACME,stock,1,30000,2020-01-02,10000,b_covered"
    head = "time,kind,asset,asset_class,quantity,amount,acquired,basis,form_1099"
    (tmp_path / "ledger.csv").write_text(f"{head}\n{sale}\n")
    ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    snapshot.snapshot_dir = ROOT / "tests" / "snapshots" / "explain"
    said = re.sub(r"yaml:[\d, ]+", "yaml:n", anywhere(ask("explain", "return/return.json", "qdcg.17").text))
    snapshot.assert_match(said, "qdcg.17.txt")


# What would change it


@pytest.mark.parametrize("line", ["schedule_d.21", "form_1040.16", "loss_carryover.8"])
def test_what_is_said_to_change_a_line_does(line: str, demo: Return, tmp_path: Path, ask: Asked) -> None:
    """Each half of each sentence, tried with a sale more in the ledger."""
    sentences = explain(demo, line).partition("What would change ")[2].splitlines()[1:]
    gains = [s for s in sentences if s.strip().lower().startswith(("short-term", "long-term"))]
    assert gains
    for sentence in gains:
        term = "short" if "short-term gain" in sentence.lower() else "long"
        tried(line, sentence.partition(": ")[2].split("; "), term, tmp_path, ask)


def tried(line: str, halves: list[str], term: str, folder: Path, ask: Asked) -> None:
    before = with_gain(line, term, 0, folder, ask)
    for half in halves:
        way = -1 if " less" in half else 1
        if found := re.search(r"([\d,]+) (?:more|less) and it stays at (\S+), ([\d,]+) and it is ([^;.]+)", half):
            stays, after = (int(found[n].replace(",", "")) for n in (1, 3))
            assert with_gain(line, term, way * stays, folder, ask) == before == found[2]
            assert with_gain(line, term, way * after, folder, ask) == found[4]
        elif found := re.search(r"each dollar (?:more|less) (adds|takes off) (\S+)(?: for the next ([\d,]+))?", half):
            steps = min(int((found[3] or "1000").rstrip(".").replace(",", "")), 1000)
            moved = steps * float(found[2].rstrip(".")) * (1 if found[1] == "adds" else -1)
            assert abs(number(with_gain(line, term, way * steps, folder, ask)) - number(before) - moved) <= 1
        elif "however much" in half:
            assert {with_gain(line, term, way * much, folder, ask) for much in (1, 999, 10**7)} == {before}
        else:
            assert with_gain(line, term, way, folder, ask) == half.rpartition(" is ")[2].rstrip(".")


def number(said: str) -> float:
    return 0 if said == "blank" else float(said.replace(",", "").replace("(", "-").replace(")", ""))


def with_gain(line: str, term: str, gain: int, folder: Path, ask: Asked) -> str:
    """What a line of the demo says with one sale more."""
    acquired = "2025-01-02" if term == "short" else "2019-01-02"
    proceeds, basis = max(gain, 0), max(-gain, 0)
    row = f"2025-03-01,closed_lot,ZZ,stock,1,{proceeds},{acquired},{basis},none\n"
    (folder / "more.csv").write_text(f"time,kind,asset,asset_class,quantity,amount,acquired,basis,form_1099\n{row}")
    exports = [*(DEMO / export for export in EXPORTS), folder / "more.csv"]
    made = ask("file", YEAR, *exports, "--taxpayer", DEMO / "taxpayer.yaml", "--out", folder / "again", "--force")
    assert made.code == 0, made.error
    form, _, id_ = line.partition(".")
    said = json.loads((folder / "again" / "return.json").read_text())["lines"].get(form, {}).get(id_)
    return said if said in ("yes", "no") else amount(None if said is None else Decimal(said))


def anywhere(said: str) -> str:
    """The text without the folder that the rules lie in."""
    return re.sub(r"[^\s(]*rules/", "rules/", said)


def test_a_line_that_is_typed_says_where(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "taxpayer.yaml").write_text('filing_status: single\ninputs: {schedule_d: {"12": 250.40}}\n')
    (tmp_path / "ledger.csv").write_text("time,kind,asset,quantity\n")
    ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    given, blank = (ask("explain", "return/return.json", f"schedule_d.{line}").text for line in ("12", "5"))
    assert given.splitlines()[1] == "  250"
    assert given.splitlines()[3] == "  given in the taxpayer file: inputs, schedule_d, 12"
    assert blank.splitlines()[1] == "  blank"
    assert blank.splitlines()[3] == "  not given in the taxpayer file: inputs, schedule_d, 5"


def test_an_amount_of_a_form_that_is_left_out_is_traced_too(tmp_path: Path, ask: Asked) -> None:
    """Distributions alone go to Form 1040 without Schedule D."""
    (tmp_path / "taxpayer.yaml").write_text('filing_status: single\ninputs: {schedule_d: {"13": 250.40}}\n')
    (tmp_path / "ledger.csv").write_text("time,kind,asset,quantity\n")
    ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    said = ask("explain", "return/return.json", "form_1040.7").text
    assert said.splitlines()[1].startswith("  250 = ")
    assert "\n  Schedule D (Form 1040), line 13: Capital gain distributions\n    250\n" in said
    assert "\n    given in the taxpayer file: inputs, schedule_d, 13\n" in said
    assert "\n    the form itself is left out; it applies only if sales or " in said


def test_of_many_rows_the_first_are_named_and_the_rest_counted(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\n")
    sales = "".join(f"2025-03-{day:02},sell,BTC,0.1,7000\n" for day in range(1, 10))
    (tmp_path / "ledger.csv").write_text(f"time,kind,asset,quantity,amount\n2025-01-04,buy,BTC,1,60000\n{sales}")
    ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    said = ask("explain", "return/return.json", "schedule_d.3").text
    assert len(SOLD.findall(said)) == 5
    assert said.endswith("  and 4 more rows of Form 8949\n")


# The same words wherever it is asked from


def test_it_says_the_same_in_another_process(demo: Return) -> None:
    code = (
        "import sys; from lotlaw.explain import explain; from lotlaw.filing import *; from lotlaw.starter import *\n"
        "year, exports, taxpayer = demo_files()\n"
        "(demo,) = file_years([year], exports, taxpayer)\n"
        "sys.stdout.write(explain(demo, 'form_1040.16'))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=DEMO, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
            text=True, encoding="utf-8", check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert {anywhere(text) for text in said} == {anywhere(explain(demo, "form_1040.16"))}
    assert len(said) == 1


def project(folder: Path, names: list[str]) -> None:
    """A folder with the demo's files under other names, and return/return.json made of them."""
    for name, export in zip(names, EXPORTS, strict=True):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(DEMO / export, folder / name)
    shutil.copy(DEMO / "taxpayer.yaml", folder)


@pytest.mark.parametrize("names", [["a.csv", "b.csv"], ["exports/a.csv", "exports/b.csv"]])
@pytest.mark.parametrize("year", ["2025", "2024..2025"])
def test_a_return_that_moved_with_its_files_is_explained(
    names: list[str], year: str, tmp_path: Path, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    project(old, names)
    monkeypatch.chdir(old)
    assert ask("file", year, *names, "--taxpayer", "taxpayer.yaml", "--out", "return").code == 0
    where = "return/return.json" if year == "2025" else "return/2025/return.json"
    before = ask("explain", where, "schedule_d.16")
    shutil.move(old, new)
    monkeypatch.chdir(tmp_path)
    after = ask("explain", new / where, "schedule_d.16")
    assert (after.code, after.text) == (0, before.text)
    assert f"from {names[1]}:3" in after.text


def test_it_is_explained_beside_its_files_too(tmp_path: Path, ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, ["a.csv", "b.csv"])
    ask("file", 2025, "a.csv", "b.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    (tmp_path / "beside").mkdir()
    for name in ("a.csv", "b.csv", "return/return.json"):
        shutil.move(tmp_path / name, tmp_path / "beside")
    assert ask("explain", "beside/return.json", "schedule_d.16").code == 0


def test_a_return_that_was_changed_by_hand_is_worked_out_again(tmp_path: Path, ask: Asked) -> None:
    """What is explained is the inputs, so that no number can be slipped in between."""
    project(tmp_path, ["a.csv", "b.csv"])
    ask("file", 2025, "a.csv", "b.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    path = tmp_path / "return" / "return.json"
    said = json.loads(path.read_text())
    said["lines"]["schedule_d"]["16"] = "1000000"
    path.write_text(json.dumps(said))
    assert ask("explain", path, "schedule_d.16").text.splitlines()[1] == "  (3,220) = line7 + line15"


def test_an_unknown_line_has_no_explanation(demo: Return) -> None:
    with pytest.raises(Problems, match=r"^schedule_d\.16a: no line '16a' on schedule_d; it has 1a, 1b, "):
        explain(demo, "schedule_d.16a")
    with pytest.raises(
        Problems, match=r"^form_8949: form_8949 has no lines that are worked out; name a line that reads"
    ):
        explain(demo, "form_8949")
