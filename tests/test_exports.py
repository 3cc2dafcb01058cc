"""What tax programs import: TXF by its specification, CSV layouts, FDX JSON; and nothing lost that they can't say."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from jsonschema import Draft202012Validator
from made_return import ACME, BTC, EVIL, OLD, made_return
from random_ledgers import STORIES, TRADING, Row, told
from reference import Person
from simple_ledger import text_of

from conftest import ROOT, Asked
from lotlaw.ledger import read
from lotlaw.output import write
from lotlaw.rendering import files, formats
from lotlaw.rendering.exports import layout, layouts, left_out
from lotlaw.rendering.pieces import joined
from lotlaw.rendering.tables import LINE_COLUMNS, ROW_COLUMNS
from lotlaw.rules import load
from lotlaw.run import Return, compute

QUICK = settings(phases=[Phase.explicit, Phase.generate])
DAY = r"\d{2}/\d{2}/\d{4}"
AMOUNT = r"-?\d+\.\d{2}"

# TXF Spec Version 042, section X: what each reference number stands for.
REFERENCES = {
    "321": "ST gain/loss 8949 Copy A", "711": "ST gain/loss 8949 Copy B", "712": "ST gain/loss 8949 copy C",
    "323": "LT gain/loss 8949 Copy A", "713": "LT gain/loss 8949 Copy B", "714": "LT gain/loss 8949 Copy C",
}  # fmt: skip
# Section VII: a heading of V, A, D; then T, N, C, L and record format 4, or 5 with a disallowed amount.
HEADING = re.compile(rf"V042\r\nA[\x20-\x7e]+\r\nD{DAY}\r\n\^\r\n")
RECORD = re.compile(
    rf"TD\r\nN(?P<number>\d{{3}})\r\nC1\r\nL1\r\nP(?P<description>[\x20-\x7e]+)\r\nD(?P<acquired>{DAY}|)\r\n"
    rf"D(?P<sold>{DAY})\r\n\$(?P<basis>{AMOUNT})\r\n\$(?P<proceeds>{AMOUNT})\r\n(?:\$(?P<wash>{AMOUNT})\r\n)?\^\r\n"
)

ACCOUNTS = {"a": {"form_1099": "b_covered"}, "b": {"form_1099": "da_noncovered"}, "c": {}}
TAXPAYER = {"filing_status": "single", "accounts": ACCOUNTS, "digital_asset_pools_before_2025": "by_account"}
MONEY = ("proceeds", "basis", "adjustment", "gain")


def records(text: str) -> list[dict[str, str]]:
    """The records of a TXF file, of which every byte is as the specification has it."""
    heading = HEADING.match(text)
    assert heading
    found, at = [], heading.end()
    while at < len(text):
        record = RECORD.match(text, at)
        assert record, text[at : at + 200]
        found.append({name: value or "" for name, value in record.groupdict().items()})
        at = record.end()
    return found


def written(return_: Return, name: str) -> dict[str, str]:
    return {file: joined(pieces) for file, pieces in files(return_, name).items()}


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def of_row(row: dict[str, Any], names: dict[str, str]) -> dict[str, Decimal]:
    """The amounts of a row by what Form 8949 calls them; an adjustment that a layout has no word for is none."""
    amounts = {ours: Decimal(str(row.get(theirs) or 0)) for ours, theirs in names.items()}
    adjustment = amounts.pop("adjustment", Decimal(0)) + amounts.pop("wash", Decimal(0))
    gain = amounts["proceeds"] - amounts["basis"] + adjustment
    return {"proceeds": amounts["proceeds"], "basis": amounts["basis"], "adjustment": adjustment, "gain": gain}


def said_in(name: str, text: str) -> list[tuple[str, dict[str, Decimal]]]:
    """The rows of one file as (box, amounts)."""
    if name == "txf":
        boxes = {number: box for box, number in layout("txf")["boxes"].items()}
        names = {"proceeds": "proceeds", "basis": "basis", "wash": "wash"}
        return [(boxes[r["number"]], of_row(r, names)) for r in records(text)]
    if name == "fdx":
        return [row for form in json.loads(text)["forms"] for row in fdx_rows(form)]
    shows = {column["shows"]: column["name"] for column in layout(name)["columns"]}
    money = {"proceeds": "proceeds", "basis": "basis", "adjustment": "adjustment", "wash": "wash"}
    names = {ours: shows[theirs] for ours, theirs in money.items() if theirs in shows}
    if "other_adjustment" in shows:
        names["adjustment"] = shows["other_adjustment"]
    return [(row[shows["box"]], of_row(row, names)) for row in table(text)]


def fdx_rows(form: dict[str, Any]) -> list[tuple[str, dict[str, Decimal]]]:
    ((_, said),) = form.items()
    found = []
    for row in said.get("securityDetails") or said["digitalAssetDetails"]:
        others = sum((Decimal(str(code["amount"])) for code in row.get("adjustmentCodes", ())), Decimal(0))
        amounts = {**row, "proceeds": row.get("salesPrice", row.get("proceeds")), "others": others}
        names = {"proceeds": "proceeds", "basis": "costBasis", "wash": "washSaleLossDisallowed", "adjustment": "others"}
        found.append((row["checkboxOnForm8949"], of_row(amounts, names)))
    return found


def by_box(rows: list[tuple[str, dict[str, Decimal]]]) -> dict[str, dict[str, Decimal]]:
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(MONEY, Decimal(0)))
    for box, amounts in rows:
        for name in MONEY:
            sums[box][name] += amounts[name]
    return dict(sums)


def left(text: str) -> list[tuple[str, dict[str, Decimal]]]:
    return [(row["box"], {name: Decimal(row[name]) for name in MONEY}) for row in table(text)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


def filed(folder: Path, rows: list[Row]) -> Return:
    path = folder / "ledger.csv"
    path.write_text(text_of(rows), encoding="utf-8")
    return compute(load(2025), read([path]), TAXPAYER)


def some_rows(drawn: Any) -> list[Row]:
    """Stocks with their wash sales, and coins, in accounts that report in each way."""
    stories = [told(drawn[n::2], kind, TRADING, Person(universal=False)) for n, kind in enumerate(("stock", "crypto"))]
    return sorted((row for story in stories for row in story), key=lambda row: row["time"])


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_UP)


@settings(QUICK, max_examples=5)
@given(drawn=STORIES)
def test_every_format_adds_up_to_schedule_d(folder: Path, drawn: Any) -> None:
    made = filed(folder, some_rows(drawn))
    lines, form = made.lines.get("schedule_d", {}), made.year.forms["schedule_d"]
    whole = json.loads(joined(files(made, "json")["return.json"]))
    sums = {
        "json": by_box([(b["box"], {n: Decimal(r[n]) for n in MONEY}) for b in whole["form_8949"] for r in b["rows"]]),
        "csv": by_box(left(joined(files(made, "csv")["form_8949.csv"]))),
    }  # fmt: skip
    for name in layouts():
        of_layout = written(made, name)
        own = said_in(name, of_layout.pop(layout(name)["file"]))
        sums[name] = by_box([*own, *(row for text in of_layout.values() for row in left(text))])
    for line in form.lines.values():
        if line.kind == "total_of" and "boxes" in line.total_of:
            wanted = lines.get(line.id, {"d": 0, "e": 0, "g": 0})
            for name, found in sums.items():
                boxes = [found[box] for box in line.total_of["boxes"] if box in found]
                shown = {c: rounded(sum((b[n] for b in boxes), Decimal(0))) for c, n in zip("deg", MONEY, strict=False)}
                assert shown == {c: wanted[c] for c in "deg"}, (name, line.id)


@settings(QUICK, max_examples=5)
@given(drawn=STORIES)
def test_txf_is_read_back_as_it_was(folder: Path, drawn: Any) -> None:
    made = filed(folder, some_rows(drawn))
    path = folder / "form_8949.txf"
    path.write_bytes(written(made, "txf")["form_8949.txf"].encode())
    names = ["description", "acquired", "sold", *MONEY, "codes", "term", "box", "part"]
    kept = made.rows.filter(pl.col("box").is_in(list(layout("txf")["boxes"]))).select(names)
    if kept.is_empty():
        return
    again = compute(load(2025), read([path]), {"filing_status": "single"}).rows.select(names)
    assert again.rows() == kept.rows()


WASH = (
    "D", "II", "long", "ACME", "b", "5 sh. ACME", None, "VARIOUS", date(2025, 5, 1), 100_00, 250_00, "W",
    60_00, 1, 0, False,
)  # fmt: skip
COIN = (
    "H", "I", "short", "BTC", "c", "1 BTC", date(2025, 1, 4), None, date(2025, 3, 1), 7_00, 9_00, "O",
    -1_00, 3, 2, False,
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Return:
    return made_return(rows=[ACME, BTC, COIN, WASH, OLD, EVIL])


@pytest.mark.parametrize("name", ["txf", "taxact", "drake", "fdx"])
def test_a_layout_is_written_as_it_was(snapshot: Any, made: Return, name: str) -> None:
    snapshot.snapshot_dir = ROOT / "tests" / "snapshots" / "exports"
    for file, text in written(made, name).items():
        snapshot.assert_match(text.replace(made.year.digest[:12], "DIGEST").replace("\r\n", "\n"), file)


def test_txf_says_which_copy_of_the_form_a_sale_belongs_on(made: Return) -> None:
    assert set(layout("txf")["boxes"].values()) == set(REFERENCES)
    parts = {box: said["part"] for box, said in made.year.documents["form_8949"].value["boxes"].items()}
    for box, number in layout("txf")["boxes"].items():
        copy = {"A": "A", "B": "B", "C": "C", "D": "A", "E": "B", "F": "C"}[box]
        term = "ST" if parts[box] == "I" else "LT"
        assert REFERENCES[number].lower() == f"{term} gain/loss 8949 copy {copy}".lower()


def test_txf_has_what_the_specification_has_for_a_wash_sale_and_for_no_date(made: Return) -> None:
    (wash, evil) = records(written(made, "txf")["form_8949.txf"])
    assert wash == {
        "number": "323", "description": "5 sh. ACME", "acquired": "", "sold": "05/01/2025", "basis": "250.00",
        "proceeds": "100.00", "wash": "60.00",
    }  # fmt: skip
    assert evil["description"] == """=HYPERLINK("https://example.com") <script>&'?[2J??"""


@pytest.mark.parametrize(
    ("name", "unsaid"),
    [
        ("txf", ["code BW", "box I", "box H; code O", "acquired INHERITED"]),
        ("taxact", ["box I", "box H", "acquired VARIOUS", "acquired INHERITED", "acquired VARIOUS"]),
        ("drake", ["code BW", "box I", "box H"]),
        ("fdx", ["code BW", "box I", "box F; acquired INHERITED", "box F"]),
    ],
)
def test_what_a_layout_cannot_say_is_said_beside_it(made: Return, name: str, unsaid: list[str]) -> None:
    of_layout = written(made, name)
    assert [row["why"] for row in table(of_layout[f"not_in_{name}.csv"])] == unsaid
    assert len(said_in(name, of_layout[layout(name)["file"]])) == len(made.rows) - len(unsaid)


def test_what_all_can_be_said_has_no_list_beside_it() -> None:
    said = made_return(rows=[WASH])
    assert list(written(said, "txf")) == ["form_8949.txf"]
    told = "rows that the format can't say: 1 of taxact.csv; enter them by hand, from not_in_taxact.csv"
    assert left_out(said, formats()) == told
    assert left_out(said, ["txf", "json"]) == ""


def test_nothing_of_a_return_for_planning_is_for_tax_software() -> None:
    planned = made_return(rows=[WASH], planning_only=True)
    for name in layouts():
        of_layout = written(planned, name)
        assert said_in(name, of_layout[layout(name)["file"]]) == []
        (row,) = table(of_layout[f"not_in_{name}.csv"])
        assert row["why"].endswith("a return for planning only, not to be filed")


def test_fdx_keeps_to_its_schema(made: Return) -> None:
    schema = json.loads((ROOT / "schemas" / "fdx.schema.json").read_text())
    said = json.loads(written(made, "fdx")["fdx.json"])
    assert [error.message for error in Draft202012Validator(schema).iter_errors(said)] == []
    assert [list(form) for form in said["forms"]] == [["tax1099B"], ["tax1099Da"]]
    for form in layout("fdx")["forms"]:
        known = schema["$defs"][form["rows"]]["properties"]
        assert {field["name"] for field in form["fields"]} == set(known)


def test_no_spreadsheet_runs_a_layout(made: Return) -> None:
    rows = table(written(made, "drake")["drake.csv"])
    assert rows[-1]["Desc"].startswith("'=HYPERLINK(")


def test_layouts_are_known_again_and_replaced(made: Return, tmp_path: Path) -> None:
    write(made, tmp_path / "out", layouts())
    assert "not_in_txf.csv" in {path.name for path in (tmp_path / "out").iterdir()}
    write(made_return(rows=[]), tmp_path / "out", ["txf"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["form_8949.txf", "return.json"]


def test_all_formats_are_written_and_what_is_left_out_is_told(
    ask: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nothing kept"))
    ask("init")
    answer = ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return", "--format", "all")
    assert answer.code == 0
    there = {path.name for path in (tmp_path / "return").iterdir()}
    assert {"return.json", "forms.txt", "forms.html", "form_8949.csv", *(layout(n)["file"] for n in layouts())} <= there
    assert "Left out     the PDFs, which need the blank forms: lotlaw forms get 2025" in answer.text
    assert ("can't say" in answer.text) == any(name.startswith("not_in_") for name in there)


def cells(heading: str) -> list[str]:
    """The first cells of the table under a heading of docs/outputs.md, or after a line of it."""
    text = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8").partition(heading)[2].lstrip("\n")
    rows = re.findall(r"^\|(.*?)\|", text.partition("\n\n| ")[2].partition("\n\n")[0], re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def test_formats_and_tables_are_documented_with_their_columns_in_order() -> None:
    assert sorted(cells("# What a return is written as")) == sorted(formats())
    assert tuple(cells("`form_8949.csv`, a row")) == ROW_COLUMNS
    assert tuple(cells("`<form>.csv`, a row")) == LINE_COLUMNS
