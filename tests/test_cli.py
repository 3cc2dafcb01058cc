"""The command as a user runs it: what it prints, what it writes, and that it always writes the same."""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from made_batch import lay_tables, taxpayers

from conftest import Asked, Command
from lotlaw.cli import app
from lotlaw.source import data_root
from lotlaw.starter import DEMO

SINGLE = "filing_status: single\nincome: {wages: 80_000}\ncarryover: {short: 0, long: 0}\n"
HEADER = "time,kind,asset,asset_class,quantity,amount\n"
EXPORTS = ("coinbase.csv", "schwab.csv")
ALL = "json,csv,txt,html"


def lay(folder: Path, rows: str = "", taxpayer: str = SINGLE) -> None:
    (folder / "ledger.csv").write_text(HEADER + rows, encoding="utf-8")
    (folder / "taxpayer.yaml").write_text(taxpayer, encoding="utf-8")


def lay_demo(folder: Path) -> None:
    for name in (*EXPORTS, "taxpayer.yaml"):
        shutil.copy(DEMO / name, folder)


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def return_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "return.json").read_text(encoding="utf-8"))


FILE = ("--taxpayer", "taxpayer.yaml", "--out", "return")


# What everything started from


def test_a_short_term_loss_in_crypto_takes_a_gain_in_stock_and_then_income(tmp_path: Path, ask: Asked) -> None:
    stock = "2025-01-06,buy,ACME,stock,100,10000\n2025-05-06,sell,ACME,,100,15000\n"
    crypto = "2025-01-07,buy,BTC,,1,58000\n2025-05-07,sell,BTC,,1,50000\n"
    lay(tmp_path, stock + crypto)
    assert ask("file", 2025, "ledger.csv", *FILE).code == 0
    said = return_in(tmp_path / "return")
    lines = said["lines"]["schedule_d"]
    assert (lines["3"]["h"], lines["16"], lines["21"]) == ("-3000", "-3000", "3000")
    assert said["lines"]["form_1040"]["7"] == "-3000"
    assert said["carryover"] == {"short": "0", "long": "0"}


def test_of_a_larger_loss_the_rest_carries_over(tmp_path: Path, ask: Asked) -> None:
    stock = "2025-01-06,buy,ACME,stock,100,10000\n2025-05-06,sell,ACME,,100,15000\n"
    crypto = "2025-01-07,buy,BTC,,1,60000\n2025-05-07,sell,BTC,,1,50000\n"
    lay(tmp_path, stock + crypto)
    said = ask("file", 2025, "ledger.csv", *FILE)
    assert "Netted       short-term (5,000), long-term 0: together (5,000)" in said.text
    assert "Deducted     3,000 of the loss, from other income" in said.text
    assert "Carried on   short-term 2,000, long-term 0, to 2026" in said.text
    assert return_in(tmp_path / "return")["carryover"] == {"short": "2000", "long": "0"}


# From nothing to a return


def test_what_init_writes_files_as_it_says(tmp_path: Path, ask: Asked) -> None:
    made = ask("init")
    assert made.text.splitlines()[:2] == ["wrote taxpayer.yaml", "wrote ledger.csv"]
    following = shlex.split(made.text.splitlines()[2].removeprefix("Next: lotlaw "))
    said = ask(*following)
    assert (said.code, said.error) == (0, "")
    assert return_in(tmp_path / "return")["form_8949"]
    assert {mode(tmp_path / name) for name in ("taxpayer.yaml", "ledger.csv")} == {0o600}


def test_init_makes_its_folder_and_takes_nothing_away(tmp_path: Path, ask: Asked) -> None:
    assert ask("init", "taxes/2025").code == 0
    before = written(tmp_path)
    (tmp_path / "taxes" / "2025" / "taxpayer.yaml").unlink()
    again = ask("init", "taxes/2025")
    assert (again.code, again.error) == (2, "taxes/2025/ledger.csv: is here already; nothing was written\n")
    assert set(before) - set(written(tmp_path)) == {"taxes/2025/taxpayer.yaml"}


def test_the_demo_prints_a_whole_return(ask: Asked) -> None:
    said = ask("demo")
    assert (said.code, said.error) == (0, "")
    forms = ("Schedule D (Form 1040)", "Form 8949", "Qualified Dividends and Capital Gain Tax Worksheet")
    assert all(f"{form}, " in said.text or f"{form} | 2025" in said.text for form in forms)
    assert "Capital Loss Carryover Worksheet" in said.text
    assert said.text.splitlines()[-1].startswith("Written      nothing")


def test_the_demo_writes_where_it_is_told_and_can_be_explained(tmp_path: Path, ask: Asked) -> None:
    assert ask("demo", "--out", "demo").code == 0
    assert {"return.json", "forms.txt", "forms.html", "form_8949.csv"} <= set(written(tmp_path / "demo"))
    said = ask("explain", "demo/return.json", "schedule_d.16")
    assert said.code == 0
    assert "from schwab.csv:" in said.text


# The same files give the same bytes


def test_twice_the_same(tmp_path: Path, ask: Asked) -> None:
    lay_demo(tmp_path)
    for out in ("a", "b"):
        ask("file", 2025, *EXPORTS, "--taxpayer", "taxpayer.yaml", "--out", out, "--format", ALL)
    assert len(written(tmp_path / "a")) > 6
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_the_same_from_another_folder_and_in_another_process(tmp_path: Path, ask: Asked, lotlaw: Command) -> None:
    lay_demo(tmp_path)
    ask("file", 2025, *EXPORTS, *FILE, "--format", ALL)
    other = tmp_path / "other" / "place"
    other.mkdir(parents=True)
    lay_demo(other)
    done = lotlaw("file", 2025, *EXPORTS, *FILE, "--format", ALL, cwd=other)
    assert (done.returncode, done.stderr) == (0, "")
    assert written(other / "return") == written(tmp_path / "return")


def test_only_the_names_of_the_files_depend_on_where_they_lie(tmp_path: Path, ask: Asked, monkeypatch: Any) -> None:
    lay_demo(tmp_path)
    ask("file", 2025, *EXPORTS, *FILE)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ask("file", 2025, *(f"../{name}" for name in EXPORTS), "--taxpayer", "../taxpayer.yaml", "--out", "return")
    here, there = ((folder / "return" / "return.json").read_text() for folder in (tmp_path, tmp_path / "elsewhere"))
    assert there.replace("../", "") == here


def test_sales_that_stand_in_other_files_are_the_same_return(tmp_path: Path, ask: Asked) -> None:
    """Rows in two files as in one: the row that a row of the form comes from is all that differs."""
    sale = "2025-05-06,sell,ACME,,50,9000\n"
    rows = ["2025-01-06,buy,ACME,stock,100,10000\n", sale, sale.replace("9000", "9500")]
    lay(tmp_path, "".join(rows))
    ask("file", 2025, "ledger.csv", *FILE)
    whole = return_in(tmp_path / "return")
    for n, row in enumerate(rows):
        (tmp_path / f"{n}.csv").write_text(HEADER + row)
    ask("file", 2025, "0.csv", "1.csv", "2.csv", *FILE)
    assert without_sources(return_in(tmp_path / "return")) == without_sources(whole)


def without_sources(said: dict[str, Any]) -> dict[str, Any]:
    """A return without what names the rows and files that it was made of."""
    boxes = [
        {**box, "rows": [{key: value for key, value in row.items() if key != "source"} for row in box["rows"]]}
        for box in said["form_8949"]
    ]
    income = [{key: value for key, value in event.items() if key != "source"} for event in said["income"]]
    inputs = {key: value for key, value in said["inputs"].items() if key != "files"}
    return {**said, "form_8949": boxes, "income": income, "inputs": inputs}


# What is written, and where


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_written_unless_asked_for(tmp_path: Path, ask: Asked) -> None:
    lay_demo(tmp_path)
    before = written(tmp_path)
    said = ask("file", 2025, *EXPORTS, "--taxpayer", "taxpayer.yaml")
    assert said.text.splitlines()[-1] == "Written      nothing; add --out FOLDER"
    assert written(tmp_path) == before


def test_what_is_written_is_its_owners_alone(tmp_path: Path, ask: Asked) -> None:
    lay_demo(tmp_path)
    old = os.umask(0)
    try:
        ask("file", 2025, *EXPORTS, *FILE, "--format", ALL)
        ask("import", *EXPORTS, "--out", "table.csv")
    finally:
        os.umask(old)
    assert mode(tmp_path / "return") == 0o700
    assert {mode(path) for path in (tmp_path / "return").iterdir()} == {0o600}
    assert mode(tmp_path / "table.csv") == 0o600


def test_a_second_run_replaces_the_first(tmp_path: Path, ask: Asked) -> None:
    lay_demo(tmp_path)
    ask("file", 2025, *EXPORTS, *FILE, "--format", ALL)
    said = ask("file", 2025, "coinbase.csv", *FILE, "--format", "csv")
    assert said.code == 0
    names = set(written(tmp_path / "return"))
    assert "form_8949.csv" in names
    assert not names & {"forms.txt", "forms.html"}
    assert b"ACME" not in (tmp_path / "return" / "form_8949.csv").read_bytes()


def test_somebodys_folder_is_let_be_but_for_force(tmp_path: Path, ask: Asked) -> None:
    lay(tmp_path)
    (tmp_path / "return").mkdir()
    (tmp_path / "return" / "notes.txt").write_text("mine")
    assert ask("file", 2025, "ledger.csv", *FILE).code == 2
    assert list(written(tmp_path / "return")) == ["notes.txt"]
    assert ask("file", 2025, "ledger.csv", *FILE, "--force").code == 0
    assert list(written(tmp_path / "return")) == ["notes.txt", "return.json"]
    assert (tmp_path / "return" / "notes.txt").read_text() == "mine"


def test_cents_are_kept_where_asked_for(tmp_path: Path, ask: Asked) -> None:
    lay(tmp_path, "2025-01-06,buy,ACME,stock,1,100.10\n2025-05-06,sell,ACME,,1,350.55\n")
    ask("file", 2025, "ledger.csv", *FILE)
    assert return_in(tmp_path / "return")["lines"]["schedule_d"]["16"] == "251"
    ask("file", 2025, "ledger.csv", *FILE, "--cents")
    assert return_in(tmp_path / "return")["lines"]["schedule_d"]["16"] == "250.45"
    assert "= line7 + line15" in ask("explain", "return/return.json", "schedule_d.16").text


# Several years


def test_a_loss_carries_from_year_to_year(tmp_path: Path, ask: Asked) -> None:
    first = "2024-01-06,buy,ACME,stock,100,20000\n2024-05-06,sell,ACME,,100,10000\n"
    lay(tmp_path, first + "2025-01-06,buy,ACME,,10,1000\n2025-06-06,sell,ACME,,10,2500\n")
    said = ask("file", "2024..2025", "ledger.csv", *FILE)
    assert (said.code, said.error) == (0, "")
    assert [line[:4] for line in said.text.splitlines() if ", Single, fifo lots" in line] == ["2024", "2025"]
    one, two = (return_in(tmp_path / "return" / str(year)) for year in (2024, 2025))
    assert (one["carryover"], one["lines"]["schedule_d"]["21"]) == ({"short": "7000", "long": "0"}, "3000")
    assert two["inputs"]["taxpayer"]["carryover"] == one["carryover"]
    assert [two["lines"]["schedule_d"][line] for line in ("6", "7", "16", "21")] == ["7000", "-5500", "-5500", "3000"]
    assert two["carryover"] == {"short": "2500", "long": "0"}
    again = ask("explain", "return/2025/return.json", "schedule_d.6")
    assert again.text.startswith("Schedule D (Form 1040), line 6: Short-term loss carryover\n  7,000 = short_carryover")


def test_a_range_is_what_its_years_are_one_by_one(tmp_path: Path, ask: Asked) -> None:
    lay(tmp_path, "2024-01-06,buy,ACME,stock,100,20000\n2024-05-06,sell,ACME,,100,10000\n")
    ask("file", "2024..2025", "ledger.csv", *FILE)
    (tmp_path / "taxpayer.yaml").write_text(SINGLE.replace("short: 0", "short: 7_000"))
    ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "one")
    assert written(tmp_path / "one") == written(tmp_path / "return" / "2025")


# The canonical table


def test_a_return_from_the_canonical_table_is_that_from_the_exports(tmp_path: Path, ask: Asked) -> None:
    lay_demo(tmp_path)
    report = ask("import", *EXPORTS, "--out", "table.csv")
    assert report.code == 0
    assert report.text.endswith("wrote table.csv\n")
    assert "coinbase.csv: 9 rows by coinbase.transactions" in report.text
    ask("file", 2025, *EXPORTS, *FILE)
    direct = return_in(tmp_path / "return")
    ask("file", 2025, "table.csv", *FILE)
    assert without_sources(return_in(tmp_path / "return")) == without_sources(direct)


# Text in whatever shape it comes

PLAIN = "2025-01-06,buy,Café,stock,2,200\n2025-05-06,sell,Café,,2,350\n"


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="a byte-order mark"),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(lambda text: text.encode("cp1252"), id="Windows-1252"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(lambda text: text.replace("\n", "\r").encode(), id="old Mac line ends"),
        pytest.param(lambda text: text.removesuffix("\n").encode(), id="no line end at the end"),
        pytest.param(lambda text: text.replace("\n", "\n\n").encode(), id="blank lines"),
        pytest.param(lambda text: text.replace(",", ";").encode(), id="semicolons"),
        pytest.param(lambda text: text.replace(",", "\t").encode(), id="tabs"),
        pytest.param(lambda text: text.replace("Café", '"Café"').encode(), id="quotes"),
    ],
)
def test_text_is_read_however_it_was_saved(encoded: Any, tmp_path: Path, ask: Asked) -> None:
    lay(tmp_path, PLAIN)
    ask("file", 2025, "ledger.csv", *FILE)
    expected = return_in(tmp_path / "return")
    (tmp_path / "ledger.csv").write_bytes(encoded(HEADER + PLAIN))
    said = ask("file", 2025, "ledger.csv", *FILE)
    assert (said.code, said.error) == (0, "")
    got = without_sources(return_in(tmp_path / "return"))
    assert {**got, "warnings": []} == without_sources(expected)
    assert got["form_8949"][0]["rows"][0]["description"] == "2 sh. Café"


def test_line_breaks_in_cells_do_not_shift_the_lines_that_are_named(tmp_path: Path, ask: Asked) -> None:
    lay(tmp_path)
    rows = '2025-01-06,buy,ACME,stock,1,100,"one\ntwo\nthree"\n2025-05-06,sell,ACME,,1,350,"so ""it"" is"\n'
    (tmp_path / "ledger.csv").write_text(HEADER.replace("\n", ",memo\n") + rows)
    assert ask("file", 2025, "ledger.csv", *FILE).code == 0
    assert return_in(tmp_path / "return")["form_8949"][0]["rows"][0]["source"] == ["ledger.csv:5", "ledger.csv:2"]


def test_a_formula_in_a_cell_stays_text(tmp_path: Path, ask: Asked) -> None:
    evil = "=HYPERLINK(1)"
    lay(tmp_path)
    sales = "".join(f"2025-03-01,closed_lot,{asset},stock,1,5,2025-01-01,4\n" for asset in (evil, "<script>x"))
    (tmp_path / "ledger.csv").write_text(HEADER.replace("\n", ",acquired,basis\n") + sales)
    assert ask("file", 2025, "ledger.csv", *FILE, "--format", ALL).code == 0
    assert ask("import", "ledger.csv", "--out", "table.csv").code == 0
    cells = [cell for path in tmp_path.rglob("*.csv") if path.name != "ledger.csv" for cell in all_cells(path)]
    assert any(evil in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert "<script>x" not in (tmp_path / "return" / "forms.html").read_text()


def all_cells(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            yield from row


# Help


def commands() -> Iterator[Any]:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        inner = getattr(command, "commands", {})
        yield from (pytest.param((name, sub), each, id=f"{name} {sub}") for sub, each in inner.items())
        if not inner:
            yield pytest.param((name,), command, id=name)


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_help_says_what_a_command_does_and_gives_an_example_that_works(
    name: tuple[str, ...], command: Any, tmp_path: Path, ask: Asked
) -> None:
    said = ask(*name, "--help")
    assert (said.code, said.error) == (0, "")
    assert f"Usage: lotlaw {' '.join(name)}" in said.text
    assert all(parameter.help for parameter in command.params if parameter.name != "help")
    example = command.help.rpartition("Example: lotlaw ")[2].strip()
    assert example.startswith(" ".join(name))
    if name == ("forms", "get"):
        return  # it asks the IRS; test_blanks asks a server of its own
    lay_demo(tmp_path)
    (tmp_path / "prices.csv").write_text("asset,price\nBTC,90000\n")
    (tmp_path / "policy_current_law.json").write_text('{"II_rt1": {"value": [{"year": 2013, "value": 0.1}]}}')
    shutil.copytree(data_root() / "rules", tmp_path / "my-rules")
    ask("file", 2025, *EXPORTS, *FILE)
    shutil.rmtree(tmp_path / "return") if name == ("file",) else None
    lay_tables(taxpayers(2), tmp_path) if name == ("batch",) else None
    locked = ["--rules", tmp_path / "my-rules"] if name == ("rules", "lock") else []
    done = ask(*shlex.split(example), *locked)
    finds = name in (("rules", "new"), ("rules", "diff"))  # what nobody has read yet; what two years say differently
    assert (done.code, done.error) == (int(finds), "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fiel"], "No such command 'fiel'. Did you mean 'file'?"),
        (["file", "2025", "ledger.csv"], "Missing option '--taxpayer'"),
        (["file", "2025", "ledger.csv", "--taxpayer", "taxpayer.yaml", "--ot", "x"], "No such option: --ot"),
        (["file", "2025", "--taxpayer", "taxpayer.yaml"], "Missing argument 'files"),
        (["rules", "show", "this"], "Invalid value for 'year'"),
    ],
)
def test_a_slip_in_the_command_itself(arguments: list[str], says: str, ask: Asked) -> None:
    said = ask(*arguments)
    assert (said.code, said.text) == (2, "")
    assert says.lower() in said.error.lower()


def test_alone_it_shows_what_there_is(lotlaw: Command) -> None:
    said = lotlaw()
    text = said.stdout + said.stderr
    assert all(f"│ {name} " in text for name in ("init", "demo", "file", "explain", "import", "holdings", "rules"))


def test_a_reader_that_stops_reading_is_no_mistake(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lotlaw", "demo"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()
