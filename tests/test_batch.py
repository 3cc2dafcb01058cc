"""Batch: what many taxpayers come to at once is what each comes to alone, whatever goes wrong with others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_batch import Made, lay_tables, taxpayers

from lotlaw.batch import batch
from lotlaw.rules import load
from lotlaw.run import Return, compute
from lotlaw.source import Problems

YEAR = 2025
ROW = ("box", "part", "term", "description", "asset", "account", "quantity", "acquired", "acquired_text", "sold",
       "codes", "collectible")  # fmt: skip
AMOUNTS = ("proceeds", "basis", "adjustment", "gain")


def table(out: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(out / name / "*.parquet")


def by_taxpayer(out: Path, name: str) -> Iterator[tuple[str, pl.DataFrame]]:
    yield from ((str(key), rows) for (key,), rows in table(out, name).partition_by("taxpayer", as_dict=True).items())


def run(folder: Path, out: str = "out", **options: Any) -> Path:
    batch(YEAR, str(folder / "rows-*.parquet"), str(folder / "people.parquet"), folder / out, workers=1, **options)
    return folder / out


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return taxpayers(60)


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory) -> Path:
    return lay_tables(made, tmp_path_factory.mktemp("batch"), files=3)


@pytest.fixture(scope="module")
def out(folder) -> Path:
    return run(folder, partition_rows=300)


@pytest.fixture(scope="module")
def alone(made, folder) -> dict[str, Return | list[str]]:
    """By name, the return that `lotlaw file` makes, or what it says is wrong."""
    found: dict[str, Return | list[str]] = {}
    for one in made:
        try:
            found[one.name] = compute(load(YEAR), one.ledger(folder), one.said)
        except Problems as refused:
            found[one.name] = [problem.message for problem in refused.problems]
    return found


def lines_of(return_: Return) -> set[tuple[str, str, str, Decimal]]:
    found = set()
    for form, lines in return_.lines.items():
        for id_, answer in lines.items():
            if return_.year.forms[form].lines[id_].printed:
                columns = answer.items() if isinstance(answer, dict) else [("", answer)]
                found |= {(form, id_, column, Decimal(amount).normalize()) for column, amount in columns}
    return found


def rows_of(frame: pl.DataFrame) -> list[Any]:
    amounts = [pl.col(c).to_physical().cast(pl.Int64) for c in AMOUNTS]
    return frame.select(*ROW, *amounts).rows()


def test_every_line_is_what_the_taxpayer_alone_gets(out, alone):
    got: dict[str, set[Any]] = {}
    for name, *said, amount in table(out, "lines").iter_rows():
        got.setdefault(name, set()).add((*said, amount.normalize()))
    want = {name: lines_of(return_) for name, return_ in alone.items() if isinstance(return_, Return)}
    assert got == want
    assert len(want) > 40


def test_every_row_stands_in_its_order_on_the_form(out, alone):
    got = {name: rows_of(rows) for name, rows in by_taxpayer(out, "form_8949")}
    want = {name: rows_of(r.rows) for name, r in alone.items() if isinstance(r, Return) and r.rows.height}
    assert got == want
    assert sum(map(len, want.values())) > 100


def test_what_carries_over_and_income_are_the_same(out, alone):
    returns = {name: r for name, r in alone.items() if isinstance(r, Return)}
    carried = {name: {"short": short, "long": long} for name, short, long in table(out, "carryover").iter_rows()}
    assert carried == {name: return_.carryover for name, return_ in returns.items()}
    said = ("kind", "asset", "account", "date", "timestamp", "quantity", "amount", "counted")
    income = {name: rows.select(said).rows() for name, rows in by_taxpayer(out, "income")}
    assert income == {name: r.income.select(said).rows() for name, r in returns.items() if r.income.height}


def test_a_taxpayer_with_a_problem_is_set_aside_whole_with_the_words_of_file(out, alone):
    problems = table(out, "problems")
    got: dict[str, list[str]] = {}
    for name, said in problems.select("taxpayer", "problem").iter_rows():
        got.setdefault(name, []).append(bare(said))
    assert got == {name: list(map(bare, said)) for name, said in alone.items() if isinstance(said, list)}
    for name in ("form_8949", "lines", "carryover", "income"):
        assert not set(table(out, name)["taxpayer"]) & set(got)


def bare(text: str) -> str:
    """A message without the places it names."""
    return re.sub(r"\S+\.(csv|parquet):\d+", "@", text)


def test_the_manifest_says_what_was_done(out, alone):
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    returns = [r for r in alone.values() if isinstance(r, Return)]
    assert manifest["taxpayers"] == {"worked_out": len(returns), "set_aside": len(alone) - len(returns)}
    assert manifest["totals"]["gain"] == str(Decimal(sum(r.rows["gain"].sum() for r in returns)).scaleb(-2))
    assert manifest["rules"]["digest"] == load(YEAR).digest
    assert manifest["counts"] == {name: table(out, name).height for name in manifest["counts"]}
    assert [entry["name"].rpartition("/")[2] for entry in manifest["files"]["transactions"]] == [
        "rows-0.parquet", "rows-1.parquet", "rows-2.parquet",
    ]  # fmt: skip
