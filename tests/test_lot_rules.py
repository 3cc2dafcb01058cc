"""The law of lots in `dispositions.yaml`: it holds its examples, makes sense, and can be changed without a program."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_ledger import PERSON, ledger_of, lines

from conftest import ROOT
from lotlaw.dispositions import match
from lotlaw.dispositions.rows import term_on
from lotlaw.lots.treatment import problems_of, term_of
from lotlaw.rules import load
from lotlaw.source import parse_yaml

TEXT = (ROOT / "rules" / "2018" / "dispositions.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("year", range(2018, 2027))
def test_every_year_holds_its_examples(year: int) -> None:
    assert list(problems_of(load(year))) == []


@given(st.dates(date(2016, 1, 1), date(2030, 12, 31)), st.integers(360, 370))
def test_the_term_of_a_column_is_that_of_a_lot(acquired: date, days: int) -> None:
    year, sold = load(2025), acquired + timedelta(days=days)
    lot = pl.DataFrame({"acquired": [acquired], "acquired_text": [None]}, schema_overrides={"acquired_text": pl.String})
    assert lot.select(term_on(year, PERSON, sold)).item() == term_of(year, acquired, sold)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value - fee}", "value - fees}", "sell sells proceeds: unknown name 'fees' (did you mean 'fee'?)"),
        ("value - fee}", "value * value}", "sell sells proceeds: cannot multiply money by money"),
        ("long_from: years_after(day_after(acquired), long_term_after)", "long_from: acquired + acquired",
         "long_from: cannot add date and date"),
        ("pool: securities,     digital: no,  collectible: C", "pool: security, digital: no, collectible: C",
         "no pool 'security' (did you mean 'securities'?)"),
        ("collectible: C", "collectible: I", "no code 'I'"),
        ("uses: [long_term_after,", "uses: [long_term_aftr,", "no parameter 'long_term_aftr' (did you mean"),
        ("from: digital_assets_by_account_from", "from: digital", "no parameter in `uses` 'digital'"),
        ("2025-06-17}, expect: short", "2025-06-17}, expect: long",
         "term: acquired 2024-06-17 and sold 2025-06-17 should be long and is short"),
    ],
    ids=["name", "unit of money", "unit of dates", "pool", "code", "parameter", "unused parameter", "example"],
)  # fmt: skip
def test_rules_that_make_no_sense(old: str, new: str, said: str) -> None:
    year = load(2018)
    document = parse_yaml(TEXT.replace(old, new, 1), "dispositions.yaml")
    problems = list(problems_of(replace(year, documents={**year.documents, "dispositions": document})))
    assert problems[0].message.startswith(said)
    assert problems[0].place.line > 1


def test_a_year_with_other_rules_needs_no_other_program(tmp_path: Path) -> None:
    """Made-up rules: stock is pooled too, marked, and told in `units of`; fees count twice; two years are long-term."""
    changes = {
        "^  stock: .*": "  stock: {label: Stock, pool: digital_assets, digital: no, collectible: Q, unit: units of}",
        "long_term_after\\)$": "long_term_after + long_term_after)",
        "proceeds: value - fee}": "proceeds: value - fee - fee}",
        "  examples:\n(    - .*\n)+": "  examples: []\n",
    }
    text = TEXT
    for old, new in changes.items():
        text, n = re.subn(old, new, text, flags=re.MULTILINE)
        assert n
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    (tmp_path / "rules" / "2018" / "dispositions.yaml").write_text(text)
    rows = """
        time       | kind | asset | asset_class | quantity | amount | fee | account
        2021-01-02 | buy  | ACME  | stock       | 1        | 100    |     | a
        2022-01-01 | buy  | ACME  | stock       | 2        | 800    |     | b
        2023-01-02 | sell | ACME  | stock       | 2        | 900    | 5   | b
    """
    assert lines(match(ledger_of(tmp_path, rows), load(2023, tmp_path / "rules"), PERSON)) == [
        "C | 1 units of ACME | 2021-01-02 | 2023-01-02 | 445.00 | 100.00 | Q 0.00 | 345.00",
        "C | 1 units of ACME | 2022-01-01 | 2023-01-02 | 445.00 | 400.00 | Q 0.00 | 45.00",
    ]
