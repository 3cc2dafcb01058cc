"""A worked example of every kind of event, through the command: what the law makes of it, to the cent.

The examples stand in `kinds/<kind>.yaml`, each with its source and its working. What an example does not list is not
there: no other row of Form 8949, no other income, holding or warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from simple_ledger import plain, table

from conftest import ROOT, Asked
from lotlaw.importers.canonical import table as canonical
from lotlaw.plan.given import read_given
from lotlaw.plan.holdings import holdings_of

FOLDER = ROOT / "tests" / "kinds"
TERMS = {"I": "short", "II": "long"}
COLUMNS = ("description", "acquired", "sold", "proceeds", "basis", "codes", "adjustment", "gain")
TAXPAYER = {"filing_status": "single", "carryover": {"short": 0, "long": 0}}
MAIN, UNREPORTED = "main", {"form_1099": "none"}


def examples() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case['title']}")


def rows(text: str) -> list[list[str]]:
    """Lines with bars as lists of cells."""
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]


def taxpayer(case: dict[str, Any]) -> dict[str, Any]:
    """The taxpayer of an example, whose sales no broker reports unless it says so."""
    header, *events = rows(case["ledger"])
    places = [header.index(name) for name in ("account", "to_account") if name in header]
    accounts = {row[place] for row in events for place in places} - {""}
    if "account" not in header or any(not row[header.index("account")] for row in events):
        accounts.add(MAIN)
    return TAXPAYER | {"accounts": {name: {**UNREPORTED} for name in sorted(accounts)}} | case.get("taxpayer", {})


def said(made: dict[str, Any]) -> dict[str, Any]:
    """A return as the examples write it."""
    form = [[TERMS[box["part"]], *(row[name] for name in COLUMNS)] for box in made["form_8949"] for row in box["rows"]]
    income = [[i["kind"], i["asset"], i["amount"], "counted" if i["counted"] else ""] for i in made["income"]]
    return {"form_8949": form, "income": income, "warnings": made["warnings"]}


def held(folder: Path, year: int) -> list[list[str]]:
    given = read_given([folder / "ledger.csv"], folder / "taxpayer.yaml", None, None)
    lots = holdings_of(given, date(year, 12, 31)).lots
    cells = ("account", "asset", "quantity", "acquired", "basis")
    found = ({**lot, "acquired": lot["acquired_text"] or lot["acquired"]} for lot in lots.iter_rows(named=True))
    return [[plain(lot[c]) if isinstance(lot[c], Decimal) else str(lot[c]) for c in cells] for lot in found]


@pytest.mark.parametrize(("kind", "case"), list(examples()))
def test_a_worked_example_comes_out(kind: str, case: dict[str, Any], tmp_path: Path, ask: Asked) -> None:
    year = case.get("year", 2025)
    (tmp_path / "ledger.csv").write_text(table(case["ledger"]), encoding="utf-8")
    (tmp_path / "taxpayer.yaml").write_text(yaml.safe_dump(taxpayer(case)), encoding="utf-8")
    done = ask("file", year, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    assert (done.code, done.error) == (0, "")
    made = json.loads((tmp_path / "return" / "return.json").read_text(encoding="utf-8"))
    wanted = {name: rows(case.get(name, "")) for name in ("form_8949", "income")}
    assert said(made) == {**wanted, "warnings": case.get("warnings", [])}
    assert held(tmp_path, year) == rows(case.get("holdings", ""))


@pytest.mark.parametrize("kind", canonical().kinds)
def test_every_kind_has_an_example_with_its_source(kind: str) -> None:
    cases = yaml.safe_load((FOLDER / f"{kind}.yaml").read_text(encoding="utf-8"))
    assert kind in {row[1] for case in cases for row in rows(case["ledger"])}
    assert all(case["source"] for case in cases)


# The page about the ledger

PAGE = (ROOT / "docs" / "simple-ledger.md").read_text(encoding="utf-8")
LEDGERS = re.findall(r"^```csv\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", LEDGERS, ids=lambda text: text.splitlines()[2].split(",")[1])
def test_the_examples_of_the_page_are_ledgers(text: str, tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(text, encoding="utf-8")
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\n", encoding="utf-8")
    done = ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml")
    assert (done.code, done.error) == (0, "")


def test_the_page_shows_every_kind() -> None:
    shown = {line.split(",")[1] for text in LEDGERS for line in text.splitlines()[1:]}
    told = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    assert set(canonical().kinds) <= shown & told
