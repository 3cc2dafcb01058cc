"""Importers: shipped mappings on exports read by a person, damaged exports, the mapping language and its mistakes."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_mapping import MAPPING, folder_of, read_by, shown

from conftest import ROOT
from lotlaw.importers import lint
from lotlaw.importers.mapping import checked, load
from lotlaw.ledger import read
from lotlaw.schema import shape_problems
from lotlaw.source import Problems, read_yaml

EXPORTS = ROOT / "tests" / "exports"
SOURCES = ROOT / "rules" / "sources"
NAMES = ["coinbase", "coinbase_v1", "kraken_ledgers", "schwab_transactions", "schwab_1099_composite"]


def golden(name):
    return read_yaml(EXPORTS / f"{name}.events.yaml", text_only=True).value


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def export(folder):
    """A copy of an export whose bytes went through a change."""

    def copy(name, change=lambda data: data):
        data = change((EXPORTS / f"{name}.csv").read_bytes())
        (folder / f"{name}.csv").write_bytes(data)
        return f"{name}.csv"

    return copy


def replaced(old, new):
    def change(data):
        assert old.encode() in data
        return data.replace(old.encode(), new.encode(), 1)

    return change


# Shipped mappings


@pytest.mark.parametrize("name", NAMES)
def test_an_export_says_what_a_person_reads_in_it(name):
    ledger = read(EXPORTS / f"{name}.csv")
    assert shown(ledger, "seq", "file", "account") == golden(name)
    assert ledger.rows["account"].unique().to_list() == [name.split("_")[0]]


def test_what_was_left_out_is_counted_with_its_reason():
    (file,) = read(EXPORTS / "kraken_ledgers.csv").files
    assert file.skipped == {
        "pending copy of a deposit or withdrawal, or one that failed": 1,
        "moved inside Kraken": 2,
    }


def test_what_a_person_must_confirm_is_said():
    said = read(EXPORTS / "schwab_transactions.csv").warnings
    assert [warning.partition("schwab_transactions.csv:")[2] for warning in said] == [
        " the amounts do not come to the total below them: 22290.13 in the file, 23280.06 by its 15 rows",
        "10: shares from a stock plan; their value at vest is in the Equity Awards file",
        "7: a merger for cash; check that no shares were received besides",
        "3: a split; the file says the added shares only, so the ratio must come from the holdings",
    ]


def test_krakens_own_balances_come_out():
    held = defaultdict(Decimal)
    for row in read(EXPORTS / "kraken_ledgers.csv").rows.to_dicts():
        for leg, sign in (("in", 1), ("out", -1), ("fee", -1)):
            if row[f"{leg}_asset"]:
                held[row[f"{leg}_asset"]] += sign * row[f"{leg}_qty"]
    assert held == {
        "USD": Decimal("5017.0873"), "BTC": Decimal("0.009985"), "ETH": Decimal("0.379012"),
        "SOL": Decimal("0.49602"), "DOT": Decimal("1.23456789"),
    }  # fmt: skip


def test_exports_mix_and_overlap():
    names = [EXPORTS / f"{name}.csv" for name in ("coinbase", "schwab_transactions", "coinbase")]
    ledger = read(names)
    assert [file.rows for file in ledger.files] == [9, 14, 0]
    assert ledger.rows["date"].is_sorted()
    assert ledger.classes["ACME 06/06/2025 120.00 C"] == "option"
    assert ledger.classes["USDC"] == "stablecoin"


def test_ids_do_not_change_with_the_order_or_the_columns_of_a_later_export(export):
    first = read(export("coinbase_v1"), ids=True).rows.select("event_id", "line").to_dicts()
    assert len({row["event_id"] for row in first}) == 4
    wider = export("coinbase_v1", lambda data: data.replace(b",Notes", b",Notes,Sender Address"))
    assert read(wider, ids=True).rows.select("event_id", "line").to_dicts() == first


# Damaged exports


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.decode().encode("utf-16-be").join((b"\xfe\xff", b"")),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: data.rstrip(b"\n"),
    ],
    ids=["byte-order mark", "UTF-16", "UTF-16 BE", "CRLF", "CR", "no last line end"],
)
@pytest.mark.parametrize("name", NAMES)
def test_encodings_and_line_ends_change_nothing(export, name, change):
    assert shown(read(export(name, change)), "seq", "file", "account") == golden(name)


def test_windows_1252_is_read_with_a_warning(export):
    name = export("schwab_transactions", lambda data: data.replace(b"FOOO INC", b"FOO\xc9 INC"))
    ledger = read(name)
    assert "FOOÉ INC" in ledger.rows["note"].to_list()
    assert ledger.warnings[0] == "schwab_transactions.csv:7: not UTF-8; read as Windows-1252"


@pytest.mark.parametrize("case", read_yaml(ROOT / "tests/bad/exports.yaml").value, ids=lambda case: case["find"][:30])
def test_a_damaged_export_is_refused_with_place_and_value(export, case):
    with pytest.raises(Problems) as caught:
        read(export(case["export"], replaced(case["find"], case["put"])))
    assert str(caught.value).splitlines() == case["says"]


# The mapping language

ROW = "When,What,Coin,Units,Text,More\n2025-01-04 10:00:00,in,BTC,{units},{text},{more}\n"


@pytest.fixture
def mapped(folder):
    """Reads text by a mapping that stands alone in a folder of rules."""
    return lambda mapping, text, **options: read_by(Path(), mapping, text, **options)


def field(formula, name="note"):
    """The made-up mapping with one more field."""
    quoted = formula.replace("'", "''")
    return MAPPING.replace("in_qty: units}", f"in_qty: units, {name}: '{quoted}'}}")


def row(units="1", text="", more=""):
    return ROW.format(units=units, text=text, more=more)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"$1,234.50"', "1234.5"), ("0.4995 BTC", "0.4995"), ("@55.00", "55"), ('"=""532"""', "532"),
        ("1e-8", "0.00000001"), ("+3", "3"), (" 7 ", "7"), (".5", "0.5"), ("5.", "5"),
        ("EUR 0.12649", "0.12649"),
        ("0.123456789012345678", "0.123456789012345678"), ("1.000000000000000000000", "1"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_exports_decorate_them(mapped, cell, value):
    assert shown(mapped(MAPPING, row(units=cell)))[0]["in_qty"] == value


@pytest.mark.parametrize("cell", ["-$19,629.95", "($19,629.95)", "$-19629.95", "- 19629.95"])
def test_a_minus_is_seen_however_it_is_written(mapped, cell):
    with pytest.raises(Problems, match=r"^made\.csv:2:4: Units would be '-19629\.95', below zero$"):
        mapped(MAPPING, row(units=f'"{cell}"'))


@pytest.mark.parametrize(
    "cell", ["1,00", "1 000", "--5", "(5", "five", "5%%", "12O.5", "0x10", "1.2.3", '"1,2345"', "٣"]
)
def test_what_is_no_number_is_refused(mapped, cell):
    with pytest.raises(Problems, match=r"^made\.csv:2:4: Units '.*' is not a number$"):
        mapped(MAPPING, row(units=f'"{cell.strip(chr(34))}"'))


def test_decimals_beyond_the_eighteenth_are_rounded_and_it_is_said(mapped):
    for cell, value in (
        ("0.12345678901234567850", "0.123456789012345679"),
        ("0.1234567890123456784999", "0.123456789012345678"),
    ):
        ledger = mapped(MAPPING, row(units=cell))
        assert shown(ledger)[0]["in_qty"] == value
        assert ledger.warnings == ("made.csv:2: Units has more than 18 decimals in 1 row(s); rounded",)
    with pytest.raises(Problems, match=r"^made\.csv:2:4: Units '1\.5e-18' has more than 18 decimals$"):
        mapped(MAPPING, row(units="1.5e-18"))


@pytest.mark.parametrize(
    "case", read_yaml(EXPORTS / "formulas.yaml", text_only=True).value, ids=lambda c: next(iter(c.values()))
)
def test_formulas_are_exact_and_nothing_stays_nothing(mapped, case):
    (name, formula), *_ = case.items()
    ledger = mapped(field(formula, name), row(text=case.get("text", ""), more=case.get("more", "")))
    assert shown(ledger)[0].get(name) == case.get("is")


def test_a_column_that_is_not_there_reads_as_nothing(mapped):
    text = "When,What,Coin,Units\n2025-01-04,in,BTC,1\n"
    for formula in ("upper(text)", "text", "split(text, '-', 0)", "coalesce(text, null)"):
        assert "note" not in shown(mapped(field(formula), text))[0]
    assert shown(mapped(field("coalesce(upper(text), 'none')"), text))[0]["note"] == "none"


def test_a_rule_may_write_several_rows_and_some_of_them_on_a_condition(mapped):
    emits = """\
    emit:
      - {kind: transfer_in, in_asset: coin, in_qty: units}
      - {if: more > 0, kind: fee, fee_asset: coin, fee_qty: more}
"""
    mapping = re.sub(r"    emit: .*\n", emits, MAPPING)
    text = "When,What,Coin,Units,More\n2025-01-04,in,BTC,1,0.5\n2025-01-04,in,ETH,2,\n"
    rows = shown(mapped(mapping, text), "seq", "file", "account", "date")
    assert rows == [
        {"kind": "transfer_in", "line": "2", "in_asset": "BTC", "in_qty": "1"},
        {"kind": "fee", "line": "2", "fee_asset": "BTC", "fee_qty": "0.5"},
        {"kind": "transfer_in", "line": "3", "in_asset": "ETH", "in_qty": "2"},
    ]


def test_newest_first_turns_rows_round_and_keeps_the_parts_of_one_row(mapped):
    mapping = re.sub(
        r"    emit: .*\n",
        "    emit: [{kind: transfer_in, in_asset: coin, in_qty: units}, {kind: fee, fee_asset: coin, fee_qty: more}]\n",
        MAPPING.replace("columns:", "read: {order: newest_first}\ncolumns:"),
    )
    text = "When,What,Coin,Units,More\n2025-01-05,in,BTC,1,1\n2025-01-04,in,ETH,2,1\n2025-01-04,in,SOL,2,1\n"
    rows = mapped(mapping, text).rows
    assert rows.select("line", "kind").rows() == [
        (4, "transfer_in"), (4, "fee"), (3, "transfer_in"), (3, "fee"), (2, "transfer_in"), (2, "fee"),
    ]  # fmt: skip


def test_the_text_of_a_mapping_is_text(mapped):
    mapping = MAPPING.replace("rules:", "derive: {k: {of: what, map: {moved: [NO, 1E5, in]}}}\nrules:").replace(
        "what == 'in'", "k == 'moved'"
    )
    assert mapped(mapping, "When,What,Coin,Units\n2025-01-04,NO,BTC,1\n2025-01-04,1E5,BTC,1\n").rows.height == 2


def test_two_mappings_that_fit_equally_are_an_error_unless_one_is_forced(mapped, folder):
    mapped(MAPPING, row())
    (folder / "rules/sources/other.yaml").write_text(MAPPING.replace("made.up", "other"))
    with pytest.raises(Problems, match=r"^made\.csv:1: the header fits made\.up and other; say which with --source$"):
        read("made.csv", rules="rules")
    assert read("made.csv", rules="rules", source="other").files[0].source == "other"
    (folder / "rules/sources/other.yaml").write_text(
        MAPPING.replace("made.up", "other").replace("Units]", "Units, More]")
    )
    assert read("made.csv", rules="rules").files[0].source == "other"


@pytest.mark.parametrize("case", read_yaml(ROOT / "tests/bad/mapping.yaml").value, ids=lambda case: case["put"][:40])
def test_a_mistake_in_a_mapping_is_named_with_its_place(mapped, case):
    assert case["find"] in MAPPING
    with pytest.raises(Problems) as caught:
        mapped(MAPPING.replace(case["find"], case["put"]), row())
    assert str(caught.value).splitlines() == case["says"]


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_mappings_have_the_shape_of_their_schema_and_are_locked(path):
    assert shape_problems(read_yaml(path, text_only=True), "source") == []
    assert load(path).id.replace(".", "_") == path.stem
    assert (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" in (SOURCES / "LOCK").read_text().splitlines()
    )


# Whatever a file holds

SCRAPS = [
    b'"', b'""', b",", b"\n", b"\r", b"\xff", b"\x00", b"'=", b"-", b"1e999", b"1e-99", b"9" * 40, b"  ", b"\\",
    b"\xef\xbb\xbf", b"nan", b"(", b"%", b"\t", b";", b"0000-00-00", b"-2025-01-01", b"9999-12-31", b"USD", b"buy",
    b"{", b"\x0b", b"\xe2\x80\xa8",
]  # fmt: skip


def places(path, **options):
    """The files that problems with an export are placed in, and the ledger if there are none."""
    try:
        return set(), read(path, **options)
    except Problems as refused:
        return {problem.place.file for problem in refused.problems}, None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(NAMES),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(SCRAPS)), min_size=1, max_size=6),
    ids=st.booleans(),
)
def test_a_mangled_export_is_read_or_refused_at_its_place(tmp_path, name, cuts, ids):
    data = (EXPORTS / f"{name}.csv").read_bytes()
    for share, length, scrap in cuts:
        at = int(share * len(data))
        data = data[:at] + scrap + data[at + length :]
    path = tmp_path / "mangled.csv"
    path.write_bytes(data)
    blamed, ledger = places(path, ids=ids)
    if ledger is None:
        assert blamed == {str(path)}
    else:
        assert ledger.rows["date"].is_sorted()
        assert not ledger.rows["kind"].null_count()


@pytest.fixture
def rules(tmp_path):
    """A folder of rules with the shipped assets and one made-up mapping."""
    return lambda mapping, name="made": folder_of(tmp_path, **{name: mapping})


def test_nothing_is_wrong_with_the_shipped_mappings():
    assert lint.problems(ROOT / "rules") == []


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        (
            "what == 'in'",
            "abs(what) == 1",
            ":18:11: the formula does not fit its columns: `abs` operation not supported",
        ),
        ("what == 'in'", "what + 1 == 2", ":18:11: the formula does not fit its columns: "),
        ("what == 'in'", "what", ":18:11: the formula does not fit its columns: "),
        ("in_qty: units", "in_qty: units and what", ":19:55: the formula does not fit its columns: "),
        ("in_qty: units", "in_qty: 'round(units, 99)'", ":19:55: the number must be written out, from 0 to 18"),
        ("formats: [iso]", "formats: [iso", ":13:32: not readable as YAML: "),
    ],
)
def test_a_formula_that_does_not_fit_its_columns_is_found_before_a_file_is_read(rules, find, put, says):
    (problem,) = lint.problems(rules(MAPPING.replace(find, put)))
    assert says in str(problem)


def test_an_id_belongs_to_one_mapping(rules):
    rules(MAPPING)
    (problem,) = lint.problems(rules(MAPPING, "twin"))
    assert str(problem).endswith("twin.yaml:1:5: 'made.up' is the id of made.yaml already")


def test_a_symbol_has_one_class(rules):
    folder = rules(MAPPING)
    (folder / "assets.yaml").write_text("families: {digital: [crypto, nft]}\nassets:\n  crypto: [A]\n  nft: [B, A]\n")
    (problem,) = lint.problems(folder)
    assert str(problem).endswith("assets.yaml:4:12: 'A' stands under crypto already")


def test_a_lock_spares_checking_the_shape_again_until_the_mapping_changes(rules):
    folder = rules(MAPPING)
    assert lint.lock(folder).endswith("sources/LOCK: 1 mappings")
    path = folder / "sources" / "made.yaml"
    assert checked(path)
    path.write_text(MAPPING + "# changed\n")
    assert not checked(path)
    path.write_text(MAPPING.replace("rules:", "rulez:"))
    with pytest.raises(Problems, match="'rules' is missing"):
        lint.lock(folder)


def test_the_mapping_of_the_docs_works(rules, folder):
    page = (ROOT / "docs" / "add-an-importer.md").read_text(encoding="utf-8")
    made = rules(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    assert lint.problems(made) == []
    text = "Trades for me\nDate,Type,Coin,Amount,USD Cost\n04.01.2025 10:00:00,Buy,XBT.S,-0.5,$100\nTotal,,,,\n"
    (folder / "e.csv").write_text(text)
    (event,) = shown(read("e.csv", rules=made), "seq", "file", "line", "date", "timestamp")
    assert event == {
        "kind": "buy", "account": "example", "in_asset": "BTC", "in_qty": "0.5", "out_asset": "USD", "out_qty": "100",
        "usd_value": "100",
    }  # fmt: skip
