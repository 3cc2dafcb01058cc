"""Measures lotlaw against its goals, prints the table and writes docs/benchmarks.md.

    python tests/benchmarks/run.py [--only WORD] [--small]

`--only` runs the benchmarks whose name holds the word (`peers`: other programs) and puts them in place of what the
page says of them; what it says of others stays, if it was measured with the same versions on the same machine.
`--small` shows in seconds that all of them run, and writes nothing. A goal is a multiple of the floor (reading, sorting
and writing the same CSV), or seconds; floor and program take turns, so that whatever else the machine does weighs on
both.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import against
import generate
from measure import Cost, once, told, typical

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "benchmarks.md"
KEPT = PAGE.with_suffix(".json")
PEERS = "peers"
LOTLAW = [sys.executable, "-m", "lotlaw"]
YEAR = 2025
SEVEN_YEARS = date(YEAR - 6, 1, 1), date(YEAR, 12, 31)
ONE_YEAR = date(YEAR, 1, 1), date(YEAR, 12, 31)
PERIODS = {"over seven years": SEVEN_YEARS, "all in the year": ONE_YEAR}
MILLION = 1_000_000
HIFO = ("--method", "hifo")


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, what it took, and how that stands to what is wanted, if anything is."""

    what: str
    cost: Cost
    measured: float = 0
    accept: float = 0
    goal: float = 0
    unit: str = ""

    @property
    def verdict(self) -> str:
        if not self.accept:
            return ""
        return "goal" if self.measured <= self.goal else "accept" if self.measured <= self.accept else "MISSED"

    def cells(self) -> list[str]:
        wanted = (self.measured, self.accept, self.goal)
        figures = [f"{n:.3g}{self.unit}" for n in wanted] if self.accept else ["", "", ""]
        took = [f"{self.cost.wall:.2f} s", f"{self.cost.cpu:.2f} s", f"{self.cost.peak / 1e6:,.0f} MB"]
        return [self.what, *took, *figures, self.verdict]


@dataclass(frozen=True)
class Bench:
    """Where to work, and by how much to shrink every size when it is only to be shown that things run."""

    folder: Path
    shrink: int
    runs: int

    def rows(self, number: int) -> int:
        return number // self.shrink

    def file(self, ledger: Path, *options: str) -> Callable[[], Cost]:
        """`lotlaw file` of one ledger in its folder, into an empty one."""
        taxpayer, out = generate.taxpayer(self.folder / "taxpayer.yaml"), self.folder / "out"
        command = [*LOTLAW, "file", str(YEAR), ledger.name, "--taxpayer", taxpayer.name, "--out", out.name, *options]
        return lambda: once(command, folder=self.folder, before=lambda: shutil.rmtree(out, ignore_errors=True))

    def floor(self, ledger: Path) -> Callable[[], Cost]:
        command = [sys.executable, str(HERE / "floor.py"), ledger.name, "sorted.csv"]
        return lambda: once(command, folder=self.folder)

    def in_turns(self, *programs: Callable[[], Cost]) -> list[Cost]:
        """The typical cost of each, after one run of each that only warms the caches."""
        rounds = [[program() for program in programs] for _ in range(self.runs + 1)][1:]
        return [typical(costs) for costs in zip(*rounds, strict=True)]


def seven_years(bench: Bench) -> Iterator[Row]:
    rows = bench.rows(MILLION)
    ledger = generate.ledger(bench.folder / "seven.csv", rows, *SEVEN_YEARS)
    floor, cost = bench.in_turns(bench.floor(ledger), bench.file(ledger))
    yield Row("the floor: polars reads, sorts and writes the same CSV", floor)
    yield Row(f"{rows:,} transactions over seven years", cost, cost.wall / floor.wall, 3, 2, " × floor")


def one_year(bench: Bench) -> Iterator[Row]:
    rows = bench.rows(MILLION)
    ledger = generate.ledger(bench.folder / "one.csv", rows, *ONE_YEAR)
    floor, cost = bench.in_turns(bench.floor(ledger), bench.file(ledger))
    yield Row(f"{rows:,} transactions, all in the year", cost, cost.wall / floor.wall, 4, 3, " × floor")


def growth(bench: Bench) -> Iterator[Row]:
    """From ten thousand rows up: time for ten times the rows, and memory as a multiple of the CSV."""
    for rows, ledger, cost, times in _ten_times(bench, generate.ledger, (10_000, 100_000, MILLION, 10 * MILLION)):
        yield Row(f"growth to {rows:,} rows", cost, times, 11, 11, " × for 10 ×")
        if rows >= bench.rows(MILLION):  # below, it is what a process takes that does nothing
            yield Row(f"peak memory, {rows:,} rows", cost, cost.peak / ledger.stat().st_size, 16, 10, " × CSV")


def _ten_times(
    bench: Bench, made: Callable[[Path, int, date, date], Path], sizes: Sequence[int], *options: str
) -> Iterator[tuple[int, Path, Cost, float]]:
    """Each size but the first: rows, ledger, cost, and that as a multiple of the cost of the size before."""
    before: Cost | None = None
    for rows in map(bench.rows, sizes):
        ledger = made(bench.folder / "growth.csv", rows, *SEVEN_YEARS)
        (cost,) = bench.in_turns(bench.file(ledger, *options))
        if before:
            yield rows, ledger, cost, cost.wall / before.wall
        before = cost


def hifo(bench: Bench) -> Iterator[Row]:
    """The same trades by another method than the default."""
    rows = bench.rows(MILLION)
    for said, days in PERIODS.items():
        ledger = generate.ledger(bench.folder / "trades.csv", rows, *days)
        fifo, cost = bench.in_turns(bench.file(ledger), bench.file(ledger, *HIFO))
        yield Row(f"{rows:,} transactions {said}, by hifo", cost, cost.wall / fifo.wall, 2, 1.3, " × fifo")


def wash_sales(bench: Bench) -> Iterator[Row]:
    """The same trades of what wash sales are looked for in, and of what they are not."""
    rows = bench.rows(MILLION)
    for said, days in PERIODS.items():
        without = generate.round_lots(bench.folder / "crypto.csv", rows, *days, "crypto")
        ledger = generate.round_lots(bench.folder / "stocks.csv", rows, *days, "stock")
        off, cost = bench.in_turns(bench.file(without), bench.file(ledger))
        yield Row(f"{rows:,} transactions {said}, with wash sales", cost, cost.wall / off.wall, 3, 2, " × without")


def growth_of_lots(bench: Bench) -> Iterator[Row]:
    """From ten thousand rows up: many assets in two accounts, and one asset with half of all lots open."""
    cases: list[tuple[str, Callable[[Path, int, date, date], Path], Sequence[str]]] = [
        ("hifo", generate.ledger, HIFO),
        ("hifo, half of one asset's lots open", functools.partial(generate.hoard, asset=("BTC", "crypto")), HIFO),
        ("wash sales", functools.partial(generate.round_lots, kind="stock"), ()),
        ("wash sales, half of one asset's lots open", functools.partial(generate.hoard, asset=("VTI", "etf")), ()),
    ]
    for what, made, options in cases:
        for rows, _, cost, times in _ten_times(bench, made, (10_000, 100_000, MILLION), *options):
            yield Row(f"growth to {rows:,} rows: {what}", cost, times, 11, 11, " × for 10 ×")


def imports(bench: Bench) -> Iterator[Row]:
    """An exchange's export, of which two rows are one trade, into the canonical table."""
    rows = bench.rows(MILLION // 5)
    export = generate.kraken(bench.folder / "kraken.csv", rows, *SEVEN_YEARS)
    command = [*LOTLAW, "import", export.name, "--out", "table.csv"]
    (cost,) = bench.in_turns(lambda: once(command, folder=bench.folder))
    yield Row(f"`lotlaw import`, {rows:,} rows of Kraken's ledgers", cost, cost.wall, 2, 1.5, " s")


def columns(bench: Bench) -> Iterator[Row]:
    """A million returns at once, without the start of the process: the work of a function."""
    rows = bench.rows(MILLION)
    wanted = [
        ("Schedule D and carryover", ["schedule_d", "loss_carryover"], 0.5, 0.2),
        ("and tax", ["schedule_d", "loss_carryover", "form_1040"], 4, 2),
    ]
    for what, forms, accept, goal in wanted:
        command = [sys.executable, str(HERE / "columns.py"), str(YEAR), str(rows), *forms]
        (cost,) = bench.in_turns(functools.partial(told, command))
        yield Row(f"{rows:,} returns as columns: {what}", cost, cost.wall, accept, goal, " s")


def planning(bench: Bench) -> Iterator[Row]:
    """A hundred thousand open lots: what they are worth, and which to sell for each goal."""
    rows, folder = bench.rows(MILLION // 10), bench.folder
    ledger = generate.open_lots(folder / "open.csv", rows, SEVEN_YEARS[0], date(YEAR, 11, 15))
    prices, taxpayer = generate.prices(folder / "prices.csv"), generate.taxpayer(folder / "taxpayer.yaml")
    given = [ledger.name, "--taxpayer", taxpayer.name, "--prices", prices.name]
    commands = [
        ("holdings", ["holdings", *given, "--as-of", f"{YEAR}-12-20"], 2, 1),
        ("harvest", ["harvest", str(YEAR), *given, "--on", f"{YEAR}-12-20", "--cash", "5000"], 10, 5),
    ]
    for name, command, accept, goal in commands:
        (cost,) = bench.in_turns(functools.partial(once, [*LOTLAW, *command], folder=folder))
        yield Row(f"`lotlaw {name}`, {rows:,} open lots", cost, cost.wall, accept, goal, " s")


def customers(bench: Bench) -> Iterator[Row]:
    """A whole customer base, from Parquet into Parquet, beside reading, sorting and writing the same tables."""
    number, folder = bench.rows(MILLION), bench.folder / "customers"
    folder.mkdir()
    once([sys.executable, str(HERE / "customers.py"), str(folder), str(number), "20"])
    rows, people, out = f"{folder}/rows-*.parquet", f"{folder}/people-*.parquet", bench.folder / "returns"
    sort = [sys.executable, str(HERE / "floor.py"), rows, str(bench.folder / "sorted.parquet")]
    batch = [*LOTLAW, "batch", str(YEAR), "--transactions", rows, "--taxpayers", people, "--out", str(out)]
    floor, cost = bench.in_turns(
        lambda: once(sort),
        lambda: once(batch, before=lambda: shutil.rmtree(out, ignore_errors=True), all_of_it=True),
    )
    yield Row(f"the floor: polars reads, sorts and writes {20 * number:,} rows of Parquet", floor)
    what = f"{number:,} taxpayers with 20 transactions each (memory: of all processes)"
    yield Row(what, cost, cost.wall / floor.wall, 4, 3, " × floor")


def small_return(bench: Bench) -> Iterator[Row]:
    ledger = generate.ledger(bench.folder / "small.csv", 50, *SEVEN_YEARS)
    cost = typical([bench.file(ledger)() for _ in range(11)][1:])
    yield Row("`lotlaw file`, 50 rows", cost, cost.wall, 0.8, 0.5, " s")


def rules_check(bench: Bench) -> Iterator[Row]:
    (cost,) = bench.in_turns(lambda: once([*LOTLAW, "rules", "check"]))
    yield Row("`lotlaw rules check`, all years", cost, cost.wall, 2, 1.5, " s")


BENCHMARKS = [
    seven_years, one_year, growth, hifo, wash_sales, growth_of_lots, imports, columns, planning, customers,
    small_return, rules_check,
]  # fmt: skip
HEADINGS = ["what", "clock", "all cores", "peak memory", "measured", "accept", "goal", "meets"]


def table(rows: list[Row]) -> str:
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cpu = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.processor()
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


PAGE_TEXT = """\
# Benchmarks

`make bench` measured this on {day}: lotlaw {lotlaw}, Python {python}, polars {polars}, on {machine}.

Every figure is the median of {runs} whole processes, from the start of the interpreter to the last file written, with
caches warm. The floor is polars reading, sorting by time and writing the same CSV
([floor.py](../tests/benchmarks/floor.py)); it and lotlaw took turns. "Measured" is by the clock, "all cores" the
processor time. Ledgers are generated ([generate.py](../tests/benchmarks/generate.py)): five coins, which no wash
sales are looked for in, but for the figures with wash sales. These have five hundred stocks in round lots, compared
with the same trades as crypto. `lotlaw file` writes `return.json` of {year}, with every row of Form 8949 and every
line. Returns as columns ([columns.py](../tests/benchmarks/columns.py)) are measured without the start of the process.

{table}{beside}"""

BESIDE = """
## Beside other programs

The same ledgers of {year}, of which a fifth of all lots stay open ([against.py](../tests/benchmarks/against.py)),
given to other programs that book lots, from PyPI in an environment of their own: {versions}. They and lotlaw took
turns; their gains agree to the cent. Figures are medians, but of one run at {once} transactions, and of what takes
longer than {long} seconds. A program gets {patience} seconds; one that would take longer even if its time grew no
faster than the rows is not begun.

![Processor seconds by program and transactions](benchmarks.svg)

{table}
What each does: **lotlaw** reads the CSV, checks it, matches lots, fills in Form 8949, Schedule D and the worksheets,
and writes `return.json`. **coinbasis** matches lots in memory and gives gains by lot with their term; it is given the
rows by Python's csv module. **rp2** is measured without its spreadsheets and reports: its tax engine alone, fed by the
csv module; it gives gains by lot with their term. **beancount** reads the ledger in its own language, books reductions
first in, first out, balances every transaction, and knows nothing of taxes. None of them fills in a form, finds a wash
sale, or holds the law of several years.
"""


VERSIONS = """
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""


def beside(took: against.Took) -> str:
    """What the page says of other programs, and the picture it shows; nothing where there are none."""
    if not took:
        return ""
    PAGE.with_suffix(".svg").write_text(against.picture(took), encoding="utf-8")
    asked = [str(against.PEERS), "-c", VERSIONS, *against.NAMES]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    about = {"versions": found, "patience": against.PATIENCE, "long": against.LONG, "once": f"{against.ONCE:,}"}
    return BESIDE.format(year=YEAR, table=against.table(took), **about)


# What was measured before, part by part


def about() -> dict[str, str]:
    """What has to be the same for figures to stand on one page."""
    versions = {name: version(name) for name in ("lotlaw", "polars")}
    return {"machine": machine(), "python": platform.python_version(), **versions}


def known() -> dict[str, Any]:
    """By benchmark, what the page has of it: its day and its rows (of `peers`: what each program took)."""
    try:
        kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return kept["parts"] if kept["about"] == about() else {}


def keep(parts: dict[str, Any]) -> None:
    KEPT.write_text(json.dumps({"about": about(), "parts": parts}, indent=1) + "\n", encoding="utf-8")


def rows_of(parts: dict[str, Any]) -> list[Row]:
    names = [benchmark.__name__ for benchmark in BENCHMARKS if benchmark.__name__ in parts]
    return [Row(**{**row, "cost": Cost(**row["cost"])}) for name in names for row in parts[name]["rows"]]


def took_of(parts: dict[str, Any]) -> against.Took:
    told = parts.get(PEERS, {"rows": {}})["rows"]
    return {int(n): {name: Cost(**c) if c else None for name, c in costs.items()} for n, costs in told.items()}


def write_page(parts: dict[str, Any], runs: int) -> None:
    days = " and ".join(sorted({part["day"] for part in parts.values()}))
    said = {"day": days, "runs": runs, "year": YEAR, "table": table(rows_of(parts)), "beside": beside(took_of(parts))}
    PAGE.write_text(PAGE_TEXT.format(**about(), **said), encoding="utf-8")


def measured(bench: Bench, word: str) -> Iterator[tuple[str, Any]]:
    """The benchmarks whose name holds a word, each as it is kept."""
    day = str(datetime.now(UTC).date())
    for benchmark in BENCHMARKS:
        if word in benchmark.__name__:
            print(f"{benchmark.__name__} ...", file=sys.stderr, flush=True)
            yield benchmark.__name__, {"day": day, "rows": [asdict(row) for row in benchmark(bench)]}
    if word in PEERS:
        print(f"{PEERS} ...", file=sys.stderr, flush=True)
        sizes = [max(10, size // bench.shrink) for size in (*against.SIZES, against.ONCE)]
        took = against.measured(bench.folder, bench.file, sizes, bench.runs)
        told = {str(n): {name: asdict(c) if c else None for name, c in costs.items()} for n, costs in took.items()}
        yield PEERS, {"day": day, "rows": told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--small", action="store_true")
    wanted = parser.parse_args()
    parts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="lotlaw-bench-") as folder:
        bench = Bench(Path(folder), shrink=1000 if wanted.small else 1, runs=1 if wanted.small else 3)
        for name, part in measured(bench, wanted.only):
            parts[name] = part
            if not wanted.small:
                keep(every := known() | {name: part})
                write_page(every, bench.runs)
    print(table(rows_of(parts)), against.table(took_of(parts)), sep="\n", end="")
    if not wanted.small and any(row.verdict == "MISSED" for row in rows_of(parts)):
        sys.exit("a goal was missed")


if __name__ == "__main__":
    main()
