"""Bad input: what is wrong, where, and what would be right; exit code 2, nothing written, no stack trace.

The cases in `bad/inputs/` give the files, the command and all that it answers: the texts are part of what lotlaw
promises. A case changes only what it is about; the rest is a taxpayer and a ledger with which all is well.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import ROOT, Asked
from lotlaw.source import data_root

WELL = {
    "taxpayer.yaml": "filing_status: single\n",
    "ledger.csv": "time,kind,asset,quantity,amount\n2025-01-04,buy,BTC,1,60000\n2025-03-01,sell,BTC,0.5,40000\n",
}
FILE = "file 2025 ledger.csv --taxpayer taxpayer.yaml --out return"


def cases() -> Iterator[Any]:
    for path in sorted((ROOT / "tests" / "bad" / "inputs").glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def laid_out(folder: Path, case: dict[str, Any]) -> None:
    """The case's files: text by name, bytes as `hex`, an empty `folder`, a copy of the `rules` with one change."""
    for name, text in {**WELL, **{name: text for name, text in case.items() if is_file(name)}}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name, digits in case.get("hex", {}).items():
        (folder / name).write_bytes(bytes.fromhex(digits))
    if "folder" in case:
        (folder / case["folder"]).mkdir()
    if "rules" in case:
        shutil.copytree(data_root() / "rules", folder / "rules")
        if case["rules"]:
            change(folder / "rules" / case["rules"]["file"], case["rules"])


def is_file(name: str) -> bool:
    return "." in name or name == "return"


def change(path: Path, said: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    assert said["find"] in text, "the case no longer fits the file"
    path.write_text(text.replace(said["find"], said["put"], 1), encoding="utf-8")


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")}


def command_of(case: dict[str, Any], folder: Path) -> list[str]:
    said = case.get("run", FILE + " --rules {rules}" * ("rules" in case))
    return [word.replace("{rules}", str(folder / "rules")) for word in shlex.split(said)]


@pytest.mark.parametrize("case", list(cases()))
def test_a_mistake_is_said_clearly_and_nothing_is_written(case: dict[str, Any], tmp_path: Path, ask: Asked) -> None:
    laid_out(tmp_path, case)
    if "before" in case:
        assert ask(*shlex.split(case["before"])).code == 0
    for name, text in case.get("changes", {}).items():
        (tmp_path / name).write_text(text)
    before = everything(tmp_path)
    said = ask(*command_of(case, tmp_path))
    assert said.error.replace(str(data_root()), "{lotlaw}") == case["says"]
    assert (said.code, said.text) == (2, "")
    assert everything(tmp_path) == before


PEAK = """\
import sys
from lotlaw.cli import main
try:
    main()
finally:
    print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_an_endless_line_is_refused_without_reading_it(tmp_path: Path) -> None:
    laid_out(tmp_path, {})
    with (tmp_path / "ledger.csv").open("ab") as file:
        for _ in range(200):
            file.write(b"9" * 1_000_000)
    command = [sys.executable, "-c", PEAK, *shlex.split(FILE)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=20)
    (tmp_path / "ledger.csv").unlink()
    assert done.returncode == 2
    assert done.stderr == "ledger.csv:4: a line of more than 1,000,000 bytes; is this a CSV export?\n"
    assert int(done.stdout) < 150_000, "kilobytes at the peak, of a line of 200,000"
    assert sorted(everything(tmp_path)) == ["taxpayer.yaml"]


def test_words_of_a_file_move_no_cursor(tmp_path: Path, ask: Asked) -> None:
    header = "time,kind,asset,asset_class,quantity,amount\n"
    laid_out(tmp_path, {"ledger.csv": header + "2025-01-04,sell,\x1b[2J\u202eX,stock,1,5\n"})
    said = ask(*shlex.split(FILE))
    assert said.code == 2
    assert said.error.startswith("ledger.csv:2: sell of 1 \ufffd[2J\ufffdX, but only 0 ")
    assert said.error.count("\n") == 1


def test_a_header_alone_is_a_year_without_sales(tmp_path: Path, ask: Asked) -> None:
    laid_out(tmp_path, {"ledger.csv": "time,kind,asset,quantity,amount\n"})
    said = ask(*shlex.split(FILE))
    assert (said.code, said.error) == (0, "")
    assert "Sales        none this year" in said.text
    assert '"form_8949": []' in (tmp_path / "return" / "return.json").read_text()


# Whatever stands in the files

LEDGER = """\
time,kind,asset,asset_class,quantity,amount,fee,account,to_account,acquired,basis,form_1099,codes,adjustment,term,id,lot
2024-01-06,buy,ACME,stock,100,1000,1,main,,,,,,,,a,
2025-02-06,sell,ACME,,40,600,1,main,,,,b_covered,,,,,a:10
2025-02-07T10:00:00Z,buy,BTC,,1,50000,1,main,,,,,,,,b,
2025-02-08,transfer,BTC,,0.5,,,main,vault,,,,,,,,
2025-02-09,income,BTC,,0.1,5000,,vault,,,,,,,,,
2025-02-10,closed_lot,100 sh. X,stock,,900,,main,,VARIOUS,1000,b_covered,W,50,long,,
2025-02-11,opening_lot,SOL,,5,,,main,,2020-02-02,100,,,,,,
"""
TAXPAYER = """\
filing_status: single
income: {wages: 80_000, interest: 5}
carryover: {short: 10, long: 0}
inputs: {schedule_d: {"13": 5, 1a: {d: 1, e: 2}}}
accounts: {main: {form_1099: none}}
timezone: America/New_York
"""
ODD = [
    "", '"', "-1", "0", "1e5", "NaN", "99999999999999999999", "0.0000000000000000001", "2025-02-30", "2199-12-31",
    "VARIOUS", "USD", "=1+1", "\x00", "\ufeff", "é", "buy", "sell", "transfer_in", "gift_in", "split", "da_covered",
    "a:1 b:2", "{", "]", "*a", "- ", ": ", "!!x", "null", "yes", "12:30", "\t", "\n", "\r",
]  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 20), st.sampled_from(ODD)), min_size=1, max_size=3)


def edited(text: str, between: str, edits: list[tuple[int, int, str]]) -> str:
    """The text with a cell, or what stands between two marks, replaced by something odd."""
    lines = text.splitlines()
    for line, cell, odd in edits:
        cells = lines[line % len(lines)].split(between)
        cells[cell % len(cells)] = odd
        lines[line % len(lines)] = between.join(cells)
    return "\n".join(lines) + "\n"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ledger=EDITS, taxpayer=EDITS, which=st.integers(0, 2))
def test_whatever_stands_in_the_files_there_is_an_answer(
    ledger: Any, taxpayer: Any, which: int, tmp_path: Path, ask: Asked
) -> None:
    (tmp_path / "ledger.csv").write_text(edited(LEDGER, ",", ledger if which != 1 else []), encoding="utf-8")
    (tmp_path / "taxpayer.yaml").write_text(edited(TAXPAYER, " ", taxpayer if which else []), encoding="utf-8")
    said = ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml")
    assert said.code in (0, 2)
    if said.code == 2:
        assert said.text == ""
        assert said.error
        assert all(line.startswith(("ledger.csv:", "taxpayer.yaml:")) for line in said.error.splitlines()), said.error
