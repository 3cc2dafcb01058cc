"""Too many rows: what goes straight to Schedule D, one row for many with a statement, and totals that stay the same."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pypdf import PdfReader

from conftest import ROOT, Asked
from lotlaw import compute, load, read
from lotlaw.blanks import blanks_of
from lotlaw.rendering import render
from lotlaw.rendering.pdf import pdf_files
from lotlaw.rendering.pieces import joined
from lotlaw.rendering.return_json import return_json
from lotlaw.run import Return

BLANKS = ROOT.parent / "shared" / "irs-forms"
TABLE = "topmostSubform[0].Page1[0].Table_Line1_Part1[0]"
SCHEDULE = "topmostSubform[0].Page1[0].Table_PartI[0]"
HEAD = "time,kind,asset,asset_class,quantity,amount,basis,acquired,account,form_1099,codes,adjustment\n"
KINDS = ("b_covered", "b_noncovered", "da_covered", "da_noncovered", "none")
ACCOUNTS = {"schwab": {"broker": "Charles Schwab & Co., Inc."}, "schwab_2": {"broker": "Charles Schwab & Co., Inc."}}


def lot(n: int, kind: str = "b_covered", codes: str = "", adjustment: str = "", **said: Any) -> dict[str, Any]:
    asset, of_class = (f"{n} BTC", "crypto") if kind.startswith("da") else (f"{n} sh. ACME", "stock")
    row = {
        "time": f"2025-{n % 12 + 1:02}-15", "kind": "closed_lot", "asset": asset, "asset_class": of_class,
        "amount": f"{1000 + n}.{n % 100:02}",
        "basis": f"{900 + n}.50", "acquired": "2024-12-20", "account": "schwab", "form_1099": kind, "codes": codes,
        "adjustment": adjustment,
    }  # fmt: skip
    return {**row, **said}


def filed(rows: list[dict[str, Any]], folder: Path, year: int = 2025, **options: bool) -> Return:
    lines = io.StringIO()
    table = csv.DictWriter(lines, HEAD.strip().split(","), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    (folder / "ledger.csv").write_text(lines.getvalue())
    person = {"filing_status": "single", "name": "Ada", "income": {"wages": 80_000}, "accounts": ACCOUNTS}
    return compute(load(year), read([folder / "ledger.csv"]), person, cents=True, **options)


def said(return_: Return) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(joined(return_json(return_)))
    return found


MANY = [
    *(lot(n) for n in range(5)),
    lot(5, codes="W", adjustment="10.00"),
    lot(6, codes="B", adjustment="-5.00", account="schwab_2"),
    lot(7, "b_noncovered"), lot(8, "b_noncovered", account="fidelity"), lot(9, "b_noncovered", account="fidelity"),
    lot(10, "none", acquired="2020-01-01"),
    lot(11, "none", acquired="2020-01-01", codes="Z", adjustment="-50.00"),
    lot(12, "none", acquired="2020-01-01", codes="Z", adjustment="-50.00"),
    lot(13, "none", acquired="2020-01-01"),
]  # fmt: skip


def test_covered_sales_with_nothing_to_adjust_go_straight_to_schedule_d(tmp_path: Path) -> None:
    plain, direct = filed(MANY, tmp_path), filed(MANY, tmp_path, aggregate_covered=True)
    assert [row["description"] for row in said(direct)["form_8949"][0]["rows"]] == ["5 sh. ACME", "6 sh. ACME"]
    (lines,) = said(direct)["aggregated"]
    assert (lines["line"], lines["box"], len(lines["rows"])) == ("schedule_d.1a", "A", 5)
    assert said(direct)["lines"]["schedule_d"]["1a"] == {"d": "5010.10", "e": "4512.50", "h": "497.60"}
    assert lines["totals"] == {"d": "5010.10", "e": "4512.50", "g": "0.00", "h": "497.60"}
    assert direct.results == plain.results
    assert direct.tax_without_losses == plain.tax_without_losses


def test_typed_amounts_of_the_line_are_added_to(tmp_path: Path) -> None:
    return_ = filed([lot(0), lot(1)], tmp_path)
    person = {**return_.taxpayer, "inputs": {"schedule_d": {"1a": {"d": 100, "e": 30}}}}
    again = compute(return_.year, return_.ledger, person, cents=True, aggregate_covered=True)
    assert again.lines["schedule_d"]["1a"] == {"d": Decimal("2101.01"), "e": Decimal("1832.00"), "h": Decimal("269.01")}
    assert "1b" not in again.lines["schedule_d"]


@pytest.mark.parametrize("codes", ["B", "C", "D", "T", "W", "O"])
def test_no_sale_with_a_code_goes_straight_to_schedule_d(codes: str, tmp_path: Path) -> None:
    adjustment = "" if codes in "CT" else "-5.00" if codes == "D" else "5.00"
    return_ = filed([lot(1, codes=codes, adjustment=adjustment)], tmp_path, aggregate_covered=True)
    assert (return_.laid.direct.height, return_.laid.rows.height) == (0, 1)


def test_one_row_stands_for_a_broker_and_box_with_all_codes(tmp_path: Path) -> None:
    return_ = filed(MANY, tmp_path, summarize=True)
    rows = {box["box"]: box["rows"] for box in said(return_)["form_8949"]}
    assert [(row["description"], row["codes"], row["acquired"], row["sold"]) for row in rows["A"]] == [
        ("Charles Schwab & Co., Inc. - see attached statement", "BMW", "", "")
    ]
    assert (rows["A"][0]["proceeds"], rows["A"][0]["adjustment"], rows["A"][0]["gain"]) == ("7021.21", "5.00", "701.71")
    assert [(row["description"], row["codes"]) for row in rows["B"]] == [
        ("fidelity - see attached statement", "M"), ("7 sh. ACME", ""),
    ]  # fmt: skip
    assert [(row["description"], row["codes"]) for row in rows["F"]] == [
        ("Charles Schwab & Co., Inc. - see attached statement", "M"), ("12 sh. ACME", "Z"), ("11 sh. ACME", "Z"),
    ]  # fmt: skip
    assert rows["A"][0]["source"] == ["form_8949_statement.csv"]
    statements = [(s["broker"], s["box"], len(s["rows"])) for s in said(return_)["statements"]]
    schwab = "Charles Schwab & Co., Inc."
    assert statements == [(schwab, "A", 7), ("fidelity", "B", 2), (schwab, "F", 2)]
    assert "Form 8453" in said(return_)["warnings"][-1]


def test_every_sale_stands_in_exactly_one_place(tmp_path: Path) -> None:
    return_ = filed(MANY, tmp_path, summarize=True, aggregate_covered=True)
    places = Counter(
        row["description"]
        for group in ("form_8949", "aggregated", "statements")
        for box in said(return_)[group]
        for row in box["rows"]
        if "see attached" not in row["description"]
    )
    assert places == Counter(f"{n} sh. ACME" for n in range(14))
    schema = json.loads((ROOT / "schemas" / "return.schema.json").read_text())
    Draft202012Validator(schema).validate(said(return_))


@settings(max_examples=6)
@given(
    rows=st.lists(
        st.builds(
            lambda n, kind, account, code: lot(n, kind, *code, account=account),
            st.integers(0, 10**4), st.sampled_from(KINDS), st.sampled_from(["schwab", "schwab_2", "fidelity"]),
            st.sampled_from([("", ""), ("", ""), ("W", "3.10"), ("O", "-7.77")]),
        ),
        min_size=1, max_size=20,
    ),
    aggregate=st.booleans(), summarize=st.booleans(),
)  # fmt: skip
def test_no_choice_changes_a_total(
    rows: list[dict[str, Any]], aggregate: bool, summarize: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """To the cent, in JSON, in tables and in text: what Form 8949 and its lines come to, together."""
    folder = tmp_path_factory.mktemp("ledger")
    plain = filed(rows, folder)
    return_ = filed(rows, folder, aggregate_covered=aggregate, summarize=summarize)
    assert return_.results == plain.results
    lines, of_plain = said(return_)["lines"]["schedule_d"], said(plain)["lines"]["schedule_d"]
    for direct, first, others in (("1a", "1b", ("2", "3")), ("8a", "8b", ("9", "10"))):
        both = [lines.get(line, {}) for line in (direct, first)]
        for c in "degh":
            total = sum(Decimal(line.get(c, 0)) for line in both)
            assert total == Decimal(of_plain.get(first, {}).get(c, 0))
        assert [lines.get(line) for line in others] == [of_plain.get(line) for line in others]
    boxes = {box["box"]: box["totals"] for box in said(return_)["form_8949"]}
    table = pl.read_csv(io.StringIO(str(render(return_, "csv"))), infer_schema=False)
    for (box,), part in table.group_by("box"):
        sums = part.select(pl.col("proceeds", "basis", "adjustment", "gain").cast(pl.Decimal(38, 2)).sum()).row(0)
        assert list(boxes[str(box)].values()) == [str(total) for total in sums]
    assert len(boxes) == table["box"].n_unique()


def test_the_statement_is_written_as_a_table_and_to_print(tmp_path: Path, ask: Asked) -> None:
    filed(MANY, tmp_path)
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\nname: Ada Lovelace\nssn: 000-12-3456\n")
    command = ("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return")
    assert ask(*command, "--format", "csv,txt", "--summarize", "--aggregate-covered").code == 0
    out = tmp_path / "return"
    statement, direct = (pl.read_csv(out / name) for name in ("form_8949_statement.csv", "aggregated.csv"))
    assert statement["description"].to_list() == [f"{n} sh. ACME" for n in (8, 9, 13, 10)]
    assert direct.height == 5
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(out / "form_8949_statement.pdf")]
    assert len(pages) == 2
    first = " ".join(pages[0].split())
    assert "Statement to Form 8949, box B: fidelity | 2025 | page 1 of 2 Name: Ada Lovelace" in first
    assert "8 sh. ACME 12/20/2024 09/15/2025 1,008.08 908.50 99.58" in first
    assert "Totals of the statement" in first
    assert "Statement to Form 8949, box B: fidelity | 2025 | page 1 of 2" in (out / "forms.txt").read_text()
    assert ask("explain", "return/return.json", "schedule_d.1a").text.count("sh. ACME") == 5
    assert ask("rules", "verify", "return/return.json").code == 0
    assert ask(*command).code == 0
    assert sorted(path.name for path in out.iterdir()) == ["return.json"]


def test_rules_without_exceptions_say_so(tmp_path: Path) -> None:
    return_ = filed([lot(1)], tmp_path)
    documents = dict(return_.year.documents)
    form = documents["form_8949"]
    bare = {key: value for key, value in form.value.items() if key != "exceptions"}
    year = replace(return_.year, documents={**documents, "form_8949": replace(form, value=bare)})
    with pytest.raises(Exception, match="the rules of 2025 have no `exceptions`"):
        compute(year, return_.ledger, return_.taxpayer, summarize=True)


@pytest.mark.skipif(not BLANKS.is_dir(), reason="the IRS's blanks are not here")
def test_official_forms_show_both(tmp_path: Path) -> None:
    return_ = filed(MANY, tmp_path, summarize=True, aggregate_covered=True)
    made = pdf_files(return_, blanks_of(return_.year, BLANKS))
    readers = {name: PdfReader(io.BytesIO(data)) for name, data in made.items()}
    fields = {name: reader.get_form_text_fields(full_qualified_name=True) for name, reader in readers.items()}
    row = [fields["form_8949.pdf"][f"{TABLE}.Row1[0].f1_{n:02}[0]"] for n in range(3, 11)]
    schwab = "Charles Schwab & Co., Inc. - see attached statement"
    assert row == [schwab, None, None, "2,011.11", "1,812.00", "BMW", "5.00", "204.11"]
    line = [fields["schedule_d.pdf"][f"{SCHEDULE}.Row1a[0].f1_{n}[0]"] for n in (3, 4, 6)]
    assert line == ["5,010.10", "4,512.50", "497.60"]
