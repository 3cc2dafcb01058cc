"""A million made-up returns, a row each, worked out as columns; prints what the work alone took.

python tests/benchmarks/columns.py YEAR RETURNS FORM...
"""

from __future__ import annotations

import json
import resource
import sys
import time

import polars as pl

from lotlaw.returns import group_name, work_out_columns
from lotlaw.rules import load

STATUSES = ["single", "married_joint", "married_separate", "head_of_household"]
PRIME = 2**31 - 1
GROUPS = [
    {"box": box, "part": part, "collectible": False} for box, part in [("A", "I"), ("G", "I"), ("D", "II"), ("J", "II")]
]


def spread(salt: int, least: int, most: int) -> pl.Expr:
    """Whole numbers that look random and are the same everywhere."""
    mixed = (pl.int_range(pl.len(), dtype=pl.Int64) + salt * 1_000_003) * 48_271 % PRIME
    for _ in range(2):
        mixed = (mixed * mixed + salt) % PRIME
    return least + mixed % (most - least)


def returns(number: int) -> pl.DataFrame:
    """In cents: wages up to 400,000 dollars, gains and losses up to 50,000 in four boxes, carryovers up to 9,000."""
    frame = pl.select(pl.int_range(number).alias("row"))
    statuses = pl.Series(STATUSES)
    outside = [
        spread(1, 0, 40_000_000).alias("taxpayer.income.wages"),
        spread(2, 0, 900_000).alias("taxpayer.carryover.short"),
        spread(3, 0, 900_000).alias("taxpayer.carryover.long"),
        pl.lit(value=True).alias("taxpayer.standard_deduction"),
        pl.lit(value=True).alias("ledger.dispositions"),
    ]
    frame = frame.select(
        pl.lit(statuses).gather(pl.int_range(pl.len()) % len(STATUSES)).alias("filing_status"),
        *outside,
        *(amount for salt, group in enumerate(GROUPS, 10) for amount in box(salt, f"total.{group_name(group)}")),
    )
    return frame.with_columns(
        (pl.col(f"{name}.d") - pl.col(f"{name}.e")).alias(f"{name}.h")
        for name in (f"total.{group_name(group)}" for group in GROUPS)
    )


def box(salt: int, name: str) -> list[pl.Expr]:
    proceeds, basis = spread(salt, 0, 5_000_000), spread(salt + 100, 0, 5_000_000)
    return [proceeds.alias(f"{name}.d"), basis.alias(f"{name}.e"), pl.lit(0, pl.Int64).alias(f"{name}.g")]


def main() -> None:
    year, number, forms = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    law, frame = load(year), returns(number)
    work_out_columns(law, frame.head(1000), forms)
    start, cpu = time.perf_counter(), time.process_time()
    work_out_columns(law, frame, forms)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))


if __name__ == "__main__":
    main()
