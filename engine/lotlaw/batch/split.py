"""Files split into parts by a hash of the taxpayer, in one pass that keeps little in memory.

All rows of a taxpayer come into one part, in the order of the files.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.batch.folder import SIDES, WORK, Given, Plan, names_of, write
from lotlaw.batch.tables import KEY, ORIGIN, TAXPAYERS, transactions
from lotlaw.source import Place, Problem, Problems

ROWS = 2**19
"""Transactions of a part: enough to keep columns busy, few enough for several to fit into memory at once."""
FEWEST, CORES = 2**16, 8
"""Fewer transactions make smaller parts, down to so many, as long as there are not so many parts."""
MADE = "split.json"
SHOWN = 10


def parts_of(rows: int, most: int | None) -> int:
    """How many parts so many transactions make; it does not depend on the machine."""
    return max(1, -(-rows // (most or ROWS)), 0 if most else min(CORES, rows // FEWEST))


def split(plan: Plan, given: Given, out: Path) -> None:
    """Both tables by part, once. Raises OSError, and Problems for taxpayers who stand twice in their table."""
    work = out / WORK
    if (work / MADE).is_file():
        return
    for side, schema in zip(SIDES, (transactions(), TAXPAYERS), strict=True):
        shutil.rmtree(work / side, ignore_errors=True)
        every = pl.concat([source.scan(schema) for source in given[side]], how="diagonal_relaxed")
        number = (pl.col(KEY).cast(pl.String).hash(0) % plan["parts"]).alias("part")
        parts = pl.PartitionBy(work / side, key=number, include_key=False, file_path_provider=_named)
        try:
            every.sink_parquet(parts, compression="lz4", statistics=False, mkdir=True)
        except pl.exceptions.PolarsError as error:
            raise OSError(str(error).strip().splitlines()[0]) from None
    _refuse_twins(plan, out)
    write(work / MADE, b"{}\n")


def _named(given: Any) -> str:
    return f"{given.partition_keys['part'].item()}-{given.index_in_partition}.parquet"


def part_of(out: Path, side: str, part: int) -> pl.DataFrame:
    """The rows of one part."""
    files = sorted((out / WORK / side).glob(f"{part}-*.parquet"), key=lambda path: int(path.stem.partition("-")[2]))
    empty = pl.DataFrame(
        schema={**ORIGIN, KEY: pl.String, **({} if side == SIDES[0] else {"filing_status": pl.String})}
    )
    return pl.concat(map(pl.read_parquet, files)) if files else empty


def _refuse_twins(plan: Plan, out: Path) -> None:
    names = names_of(plan)
    problems: list[Problem] = []
    for part in range(plan["parts"]):
        people = part_of(out, "taxpayers", part).select(*ORIGIN, KEY).drop_nulls(KEY)
        twins = people.filter(pl.len().over(KEY) > 1).sort("file", "row")
        for _, some in twins.group_by(KEY, maintain_order=True):
            at = [(names[file], row) for file, row, _ in some.head(2).iter_rows()]
            problems.append(twice(some[KEY][0], *at))
    if problems:
        raise Problems(sorted(problems, key=lambda p: (p.place.file, p.place.line))[:SHOWN])


def twice(name: str, first: tuple[str, int], again: tuple[str, int]) -> Problem:
    """A taxpayer who has two rows, each by file and row."""
    return Problem(Place(*again), f"taxpayer '{name}' stands here and in {first[0]}:{first[1]}; give one row")
