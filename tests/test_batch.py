"""Batch: what many taxpayers come to at once is what each comes to alone, whatever goes wrong with others."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_batch import Made, lay_tables, people_of, taxpayers

from lotlaw.batch import batch
from lotlaw.batch.tables import OUT, transactions
from lotlaw.dispositions import match
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


# What goes wrong


def simple(number: int) -> list[Made]:
    """Taxpayers who buy twenty of something and sell fifteen, each of them alike but for the amounts."""
    return [_simple(f"S{n:04}", n) for n in range(number)]


def _simple(name: str, n: int) -> Made:
    said = {"filing_status": "single", "income": {"wages": 50_000 + n}}
    shared = {"taxpayer": name, "account": "a", "asset_class": "stock"}
    bought = {"out_asset": "USD", "out_qty": 100 + n, "in_asset": "ACME", "in_qty": 20, "external_id": "i1"}
    sold = {"out_asset": "ACME", "out_qty": 15, "in_asset": "USD", "in_qty": 200 + 3 * n, "lot": None}
    rows: list[Any] = [
        {"date": date(2024, 3, 1), "kind": "buy", **shared, **bought},
        {"date": date(2025, 4, 1), "kind": "sell", **shared, **sold},
    ]
    return Made(name, said, rows)


def lay(people: list[Made], folder: Path) -> Path:
    schema = {name: dtype for name, dtype in transactions().items() if name in {*people[0].rows[0], *people[0].rows[1]}}
    rows = pl.DataFrame([row for one in people for row in one.rows], schema=schema)
    rows.write_parquet(folder / "rows-0.parquet")
    people_of(people).write_parquet(folder / "people.parquet")
    return folder


def say(**said: Any) -> Corrupt:
    return lambda one: one.said.update(said)


def earn(**said: Any) -> Corrupt:
    return lambda one: one.said["income"].update(said)


def sell(**said: Any) -> Corrupt:
    return lambda one: one.rows[1].update(said)


def order(method: str, recorded: str) -> Corrupt:
    return say(methods=[{"method": method, "from": "2020-01-01", "recorded_on": recorded}])


def odd(one: Made) -> None:
    one.rows[0].update(in_asset="ODD", asset_class=None)
    one.rows[1].update(out_asset="ODD", asset_class=None)


Corrupt = Callable[[Made], object]
CORRUPTED: dict[str, Corrupt] = {
    "filing_status 'singel' is not one of": say(filing_status="singel"),
    "dollars, not negative": earn(wages=-5),
    "qualified_dividends are part of ordinary_dividends": earn(qualified_dividends=5),
    "no method 'best'": order("best", "2020-01-01"),
    "this order was recorded on 2025-12-01": order("hifo", "2025-12-01"),
    "the standard deduction is not worked out for this": say(dependent=True),
    "but only 20 ACME held at a": sell(out_qty=21),
    "no row has the id 'i7'": sell(lot="i7"),
    "the class of 'ODD' is not known": odd,
    "sell needs in_asset": sell(in_asset=None),
}


@pytest.fixture(scope="module")
def corrupted(tmp_path_factory) -> tuple[Path, dict[str, str], pl.DataFrame]:
    """500 taxpayers, 2 % of them corrupted in ten ways; what is wrong with each; and their lines had nothing been."""
    folder, people = tmp_path_factory.mktemp("corrupted"), simple(500)
    whole = table(run(lay(people, folder), "whole"), "lines")
    wrong = {}
    for n, (words, corrupt) in enumerate(CORRUPTED.items()):
        corrupt(people[50 * n + 7])
        wrong[people[50 * n + 7].name] = words
    return lay(people, folder), wrong, whole


def test_exactly_the_corrupted_are_set_aside_each_with_its_reason(corrupted):
    folder, wrong, whole = corrupted
    out = run(folder, partition_rows=400)
    problems = dict(table(out, "problems").select("taxpayer", "problem").unique("taxpayer").iter_rows())
    assert problems.keys() == wrong.keys()
    assert {name: words in problems[name] for name, words in wrong.items()} == dict.fromkeys(wrong, True)
    by = ["taxpayer", "form", "line", "column"]
    left = whole.filter(~pl.col("taxpayer").is_in(list(wrong)))
    assert table(out, "lines").sort(by).equals(left.sort(by))


def test_a_problem_names_file_and_row(corrupted):
    folder, wrong, _ = corrupted
    at = table(run(folder, "named"), "problems").select("taxpayer", "file", "row").sort("taxpayer").rows()
    assert at[0] == ("S0007", str(folder / "people.parquet"), 8)
    assert ("S0307", str(folder / "rows-0.parquet"), 2 * 307 + 2) in at
    assert {name for name, *_ in at} == wrong.keys()


def test_who_has_no_row_of_their_own_or_no_name_is_said(tmp_path):
    people = simple(3)
    lay(people, tmp_path)
    people_of(people[1:]).write_parquet(tmp_path / "people.parquet")
    rows = pl.read_parquet(tmp_path / "rows-0.parquet").with_row_index("n")
    rows = rows.with_columns(taxpayer=pl.when(pl.col("n") < 4).then("taxpayer")).drop("n")
    rows.write_parquet(tmp_path / "rows-0.parquet")
    problems = table(run(tmp_path), "problems").select("taxpayer", "row", "problem").rows()
    assert problems == [
        ("S0000", None, "has transactions, and no row in the table of taxpayers"),
        (None, 5, "says no taxpayer"), (None, 6, "says no taxpayer"),
    ]  # fmt: skip
    assert table(tmp_path / "out", "carryover")["taxpayer"].to_list() == ["S0001", "S0002"]


def test_a_fault_of_lotlaw_sets_aside_whom_it_befalls(tmp_path, monkeypatch):
    lay(simple(5), tmp_path)

    def faulty(ledger: Any, *given: Any, **said: Any) -> Any:
        if (ledger.rows["in_qty"] == 203).any():
            raise KeyError("ACME")
        return match(ledger, *given, **said)

    monkeypatch.setattr("lotlaw.batch.partition.match", faulty)
    problems = table(run(tmp_path), "problems").select("taxpayer", "row", "problem").rows()
    assert problems == [("S0001", 2, "lotlaw itself failed on this taxpayer, please report it: KeyError: 'ACME'")]
    assert table(tmp_path / "out", "carryover")["taxpayer"].to_list() == ["S0000", "S0002", "S0003", "S0004"]


def refused(folder: Path, **options: Any) -> list[str]:
    with pytest.raises(Problems) as found:
        run(folder, **options)
    return [str(problem).replace(f"{folder}/", "") for problem in found.value.problems]


def test_columns_are_looked_at_before_anything_is_done(tmp_path):
    lay(simple(2), tmp_path)
    rows = pl.read_parquet(tmp_path / "rows-0.parquet")
    rows.drop("kind").with_columns(pl.col("in_qty").cast(pl.Float64), amuont=1).write_parquet(
        tmp_path / "rows-0.parquet"
    )
    assert refused(tmp_path) == [
        "rows-0.parquet: no column kind, which the canonical table needs",
        "rows-0.parquet: column in_qty is Float64; it has to be a decimal (not a float, which is not exact)",
        "rows-0.parquet: unknown column amuont (did you mean 'account'?); the canonical table has none of that name",
    ]
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    lay(simple(2), tmp_path)
    (tmp_path / "rows-1.parquet").write_bytes(b"PAR1 but not really")
    (said,) = refused(tmp_path)
    assert said.startswith("rows-1.parquet: cannot be read as Parquet (")
    assert refused(tmp_path / "nowhere") == ["--transactions: no file is named like rows-*.parquet"]


def test_a_taxpayer_who_stands_twice_is_refused_and_what_was_split_is_kept(tmp_path):
    people = simple(3)
    lay([*people, people[1]], tmp_path)
    said = "people.parquet:4: taxpayer 'S0001' stands here and in people.parquet:2; give one row"
    assert refused(tmp_path) == [said]


# Runs that are ended before their end


def contents(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_the_same_bytes_with_any_number_of_workers(corrupted, tmp_path):
    folder, _, _ = corrupted
    given = (YEAR, str(folder / "rows-*.parquet"), str(folder / "people.parquet"))
    for workers in (1, 2):
        batch(*given, tmp_path / str(workers), workers=workers, partition_rows=200)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


@pytest.fixture(scope="module")
def unbroken(corrupted) -> Path:
    return run(corrupted[0], "unbroken", partition_rows=50)


def test_killed_twenty_times_it_ends_with_the_same_bytes(corrupted, unbroken):
    folder, chance = corrupted[0], random.Random(8)  # noqa: S311  (moments)
    out, ended = folder / "killed", []
    child = subprocess.Popen(
        [sys.executable, "-c", AGAIN, str(folder), str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for _ in range(20):
        child.stdin.write("go\n")
        child.stdin.flush()
        begun = int(child.stdout.readline())
        time.sleep(chance.random() / 3)
        os.kill(begun, signal.SIGKILL)
        ended.append(int(child.stdout.readline()))
    child.communicate()
    assert ended.count(-signal.SIGKILL) > 10
    run(folder, "killed", resume=True)
    assert contents(out) == contents(unbroken)


AGAIN = """
import os, sys
from pathlib import Path
import lotlaw.batch.local
from lotlaw.batch import batch
folder, out = map(Path, sys.argv[1:])
for _ in sys.stdin:
    child = os.fork()  # nothing but imports has happened: there is no thread that could hold a lock
    if not child:
        rows, people = f"{folder}/rows-*.parquet", f"{folder}/people.parquet"
        batch(2025, rows, people, out, workers=1, resume=True, partition_rows=50)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


# Spark


@pytest.mark.slow
def test_spark_gives_the_same_rows(folder, out, tmp_path):
    pytest.importorskip("pyspark")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java")
    given = [str(folder / "rows-*.parquet"), str(folder / "people.parquet"), str(tmp_path / "spark")]
    done = subprocess.run([sys.executable, "-c", BY_SPARK, *given], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in OUT:
        assert sorted(table(tmp_path / "spark", name).rows(), key=repr) == sorted(table(out, name).rows(), key=repr)
    whole, parts = (json.loads((path / "manifest.json").read_text()) for path in (tmp_path / "spark", out))
    assert [whole[key] for key in ("taxpayers", "counts", "totals")] == [
        parts[key] for key in ("taxpayers", "counts", "totals")
    ]


BY_SPARK = """
import sys
from pathlib import Path
from lotlaw.batch import batch
batch(2025, *sys.argv[1:3], Path(sys.argv[3]), engine="spark", workers=2, partition_rows=1000)
"""


def test_spark_says_what_it_lacks(corrupted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    given = (YEAR, str(corrupted[0] / "rows-*.parquet"), str(corrupted[0] / "people.parquet"))
    with pytest.raises(Problems, match=r"--engine spark: needs the extra spark: pip install 'lotlaw\[spark\]'"):
        batch(*given, tmp_path / "out", engine="spark")
    with pytest.raises(Problems, match="--engine: no engine 'dask'; there are local and spark"):
        batch(*given, tmp_path / "out", engine="dask")
    assert not (tmp_path / "out").exists()


# The disk


def test_a_full_disk_ends_in_one_message_and_what_was_finished_is_kept(corrupted, unbroken, tmp_path):
    folder, out = corrupted[0], tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder), str(out)], capture_output=True, text=True, check=False
    )
    said = "File too large; what was finished is kept: put that right, and go on with --resume"
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (2, [f"{out}: {said}"]), done.stderr
    kept = contents(out)
    assert 0 < sum("/part-" in name for name in kept) < sum("/part-" in name for name in contents(unbroken))
    assert not [name for name in kept if name.endswith(".tmp") or name == "manifest.json"]
    batch(YEAR, f"{folder}/rows-*.parquet", f"{folder}/people.parquet", out, workers=1, resume=True)
    assert contents(out) == contents(unbroken)


FULL = """
import resource, signal, sys
from pathlib import Path
from lotlaw.batch import batch, folder as work
from lotlaw.source import Problems
folder, out = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
written, write = 0, work.write
def filling(path, data):
    global written
    written += len(data)
    if written > 300_000:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    write(path, data)
work.write = filling
try:
    batch(2025, f"{folder}/rows-*.parquet", f"{folder}/people.parquet", Path(out), workers=1, partition_rows=50)
except Problems as problems:
    print(problems, file=sys.stderr)
    sys.exit(2)
"""
