"""The mapping language, construct by construct: mappings that carry their own proof, and mistakes in them."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path
from time import monotonic

import pytest
from made_mapping import HEAD, MAPPING, folder_of, read_by, shown

from conftest import ROOT
from lotlaw.importers import lint
from lotlaw.ledger import read
from lotlaw.source import Problems, read_yaml

INNER = ("seq", "file", "account", "date", "timestamp", "line")


@pytest.fixture
def reads(tmp_path, monkeypatch):
    """Reads text by a mapping that stands alone in a folder of rules."""
    monkeypatch.chdir(tmp_path)
    return lambda mapping, text, **options: read_by(tmp_path, mapping, text, **options)


@pytest.fixture
def problems(tmp_path, monkeypatch):
    """What `rules check` says of a mapping that stands alone, without its file's name."""
    monkeypatch.chdir(tmp_path)
    return lambda mapping: [
        str(p).removeprefix("rules/sources/made.yaml:") for p in lint.problems(folder_of(tmp_path, made=mapping))
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "tests/mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_construct_does_what_its_mapping_shows(problems, path):
    text = path.read_text(encoding="utf-8")
    assert "\ntests:\n" in text
    assert problems(text) == []


# Tests that a mapping carries

TEST = f"""\
tests:
  - rows: |
      {HEAD.strip()}
      2025-01-04T10:00:00Z,in,BTC,1.50
    events:
      - {{at: '2025-01-04T10:00:00Z', kind: transfer_in, in_asset: BTC, in_qty: 1.5}}
"""


@pytest.mark.parametrize("case", read_yaml(ROOT / "tests/bad/mapping_tests.yaml").value, ids=lambda case: case["find"])
def test_a_test_of_a_mapping_that_fails_is_named_with_its_place(problems, case):
    assert case["find"] in TEST
    assert problems(MAPPING + TEST.replace(case["find"], case["put"])) == case["says"]


def test_who_reads_a_file_by_a_locked_mapping_need_not_read_its_tests(reads, tmp_path):
    lint.lock(folder_of(tmp_path, made=MAPPING + TEST))
    ledger = reads(MAPPING + TEST, HEAD + "2025-01-04,in,BTC,1\n")
    assert shown(ledger, *INNER) == [{"kind": "transfer_in", "in_asset": "BTC", "in_qty": "1"}]


# Bounds


def test_no_pattern_takes_longer_than_the_text_it_is_matched_with(reads):
    mapping = MAPPING.replace("what == 'in'", "what == 'in' and not match(text, '^(a+)+(a|a)*$')")
    text = f"{HEAD.strip()},Text\n2025-01-04,in,BTC,1,{'a' * 200_000}b\n"
    start = monotonic()
    assert reads(mapping, text).rows.height == 1
    assert monotonic() - start < 5


# Several files


def test_files_that_say_the_same_are_refused_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = MAPPING.replace("made.up", "made.orders").replace("[When,", "[Extra, When,")
    rules = folder_of(tmp_path, made=MAPPING + "exclusive_with: [made.orders]\n", orders=other)
    Path("a.csv").write_text(HEAD + "2025-01-04,in,BTC,1\n2025-01-06,in,BTC,1\n")
    Path("b.csv").write_text("Extra," + HEAD + ",2025-01-05,in,BTC,1\n")
    Path("c.csv").write_text("Extra," + HEAD + ",2025-01-07,in,BTC,1\n")
    said = r"^a\.csv: b\.csv \(made\.orders\) says the same as this file \(made\.up\) for the same account and days"
    with pytest.raises(Problems, match=said):
        read(["b.csv", "a.csv"], rules=rules)
    assert read(["c.csv", "a.csv"], rules=rules).rows.height == 3
    assert read(["b.csv", "a.csv"], rules=rules, answers={"b.csv": {"account": "mine"}}).rows.height == 3


def test_answers_for_what_is_not_there_are_not_lost_in_silence(reads):
    ledger = reads(MAPPING, HEAD + "2025-01-04,in,BTC,1\n", answers={"made.csv": {"account": "x"}, "maid.csv": {}})
    assert ledger.rows["account"].to_list() == ["x"]
    (said,) = ledger.warnings
    assert said.startswith("answers for 'maid.csv', which is neither a file that is read nor a mapping (did you mean")


def test_ids_stay_when_a_mapping_is_corrected(reads):
    text = HEAD + "2025-01-04,in,BTC,1\n2025-01-04,in,BTC,1\n2025-01-05,in,ETH,2\n"
    ids = reads(MAPPING, text, ids=True).rows["event_id"].to_list()
    corrected = MAPPING.replace("kind: transfer_in", "kind: income, income_type: staking").replace(
        "  text: ", "  also: {from: Coin, type: symbol}\n  text: "
    )
    assert len(set(ids)) == 3
    assert reads(corrected, text, ids=True).rows["event_id"].to_list() == ids


# Workbooks


@pytest.fixture
def workbook(tmp_path):
    """Writes a workbook with sheets of rows, and gives its path."""
    openpyxl = pytest.importorskip("openpyxl")

    def write(**sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "made.xlsx")
        return tmp_path / "made.xlsx"

    return write


TABLE = [
    ["Made for you"],
    [],
    ["When", "What", "Coin", "Units"],
    [datetime(2025, 1, 4, 10, 0, 5), "in", "BTC", 0.1],  # noqa: DTZ001
    ["2025-01-05", "in", "Dog\ncoin", "0.1234567890123458"],
    [date(2025, 1, 6), "in", "BTC", 123456789012345],
    ["2025-01-07", "in", "BTC", 1e-8],
]


def test_a_sheet_of_a_workbook_is_read_like_a_csv(tmp_path, workbook):
    path = workbook(About=[["nothing"]], Trades=TABLE)
    rows = shown(read(path, rules=folder_of(tmp_path, made=MAPPING)), "seq", "file", "account", "date", "kind")
    assert rows == [
        {"at": "2025-01-04 10:00:05Z", "line": "4", "in_asset": "BTC", "in_qty": "0.1"},
        {"line": "5", "in_asset": "Dog coin", "in_qty": "0.1234567890123458"},
        {"line": "6", "in_asset": "BTC", "in_qty": "123456789012345"},
        {"line": "7", "in_asset": "BTC", "in_qty": "0.00000001"},
    ]


def test_what_is_wrong_in_a_workbook_is_named_by_row(tmp_path, workbook):
    path = workbook(Trades=[*TABLE, ["2025-01-08", "in", "BTC", "=1+1"]])
    with pytest.raises(Problems, match=r"made\.xlsx:8:4: Units '=1\+1' is not a number$"):
        read(path, rules=folder_of(tmp_path, made=MAPPING))


def test_a_mapping_may_name_its_sheet(tmp_path, workbook):
    path = workbook(Old=TABLE, New=TABLE[:4])
    named = MAPPING.replace("columns:", "read: {sheet: New}\ncolumns:", 1)
    assert read(path, rules=folder_of(tmp_path, made=named)).rows.height == 1


def test_a_workbook_that_is_none_is_refused(tmp_path):
    for text, said in (
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "a workbook that defines entities, which Excel never does"),
        ("<nothing/>", "an Excel workbook that cannot be read"),
    ):
        with zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as book:
            book.writestr("xl/workbook.xml", text)
        with pytest.raises(Problems, match=rf"bad\.xlsx: {said}; save it as CSV$"):
            read(tmp_path / "bad.xlsx")


# Values that no rule takes, and rules that no row reaches

TABLE_OF_KINDS = "derive: {k: {of: what, map: {come: [in, received], gone: [out]}}}\n"
COME = "  - when: k == 'come'\n    emit: {kind: transfer_in, in_asset: coin, in_qty: units}\n"
GONE = "  - when: k == 'gone'\n    emit: {kind: transfer_out, out_asset: coin, out_qty: units}\n"
NEVER = "no row can reach this condition: it never holds, or what stands above takes every row"


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (COME + GONE, []),
        (COME, ["17:59: no rule takes k 'gone' (out)"]),
        (COME.replace("'come'", "'came'") + GONE, [
            "17:37: no rule takes k 'come' (in)", "17:41: no rule takes k 'come' (received)", f"19:11: {NEVER}",
        ]),
        (COME + COME.replace("'come'", "'come' and units > 1") + GONE, [f"21:11: {NEVER}"]),
        (COME.replace("'come'", "'come' and units > 1") + COME + GONE, []),
        (COME.replace("'come'", "'come' and what == 'in'") + GONE, ["17:41: no rule takes k 'come' (received)"]),
        (COME.replace("'come'", "'come' or starts(what, 'o')") + GONE, [f"21:11: {NEVER}"]),
        (COME.replace("k == 'come'", "k is not null") , []),
        (COME.replace("k == 'come'", "more > 1 or not (k in (''gone'', ''x''))".replace("''", "'")) + GONE, []),
    ],
)  # fmt: skip
def test_every_value_of_a_table_is_run_through_the_rules(problems, rules, says):
    mapping = MAPPING[: MAPPING.index("rules:")] + TABLE_OF_KINDS + "rules:\n" + rules
    assert problems(mapping) == says


def test_a_value_by_its_beginning_and_a_row_that_is_skipped_count_too(problems):
    table = "derive: {k: {of: what, match: prefix, map: {come: [in], none: [x], empty: ['']}}}\n"
    skip = "skip: [{when: k == 'none', why: not an event}]\n"
    mapping = MAPPING[: MAPPING.index("rules:")] + table + skip + "rules:\n" + COME
    assert problems(mapping) == ["17:76: no rule takes k 'empty' (an empty cell)"]
