"""Returns of whole customer bases: the pipeline of `lotlaw file` over Parquet tables of many taxpayers at once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lotlaw.source import refuse

ENGINES = ("local", "spark")
PAUSE = 10
"""Seconds between two lines of progress where they do not overwrite each other."""


def batch(
    year: int, transactions: str, taxpayers: str, out: Path, *, engine: str = "local", workers: int | None = None,
    resume: bool = False, rules: Path | None = None, partition_rows: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Work out the returns of all taxpayers into tables in a folder, and give their manifest. Raises Problems."""
    if engine not in ENGINES:
        raise refuse("--engine", f"no engine '{engine}'; there are {' and '.join(ENGINES)}")
    from lotlaw.batch.folder import plan_of
    from lotlaw.batch.sources import check_taxpayers, check_transactions, sources
    from lotlaw.batch.split import parts_of
    from lotlaw.check import checked

    law = checked(year, rules)
    rows = sources(transactions, "--transactions", 0)
    people = sources(taxpayers, "--taxpayers", len(rows))
    check_transactions(rows)
    check_taxpayers(people)
    given = {"transactions": rows, "taxpayers": people}
    plan = plan_of(law, rules, given, parts_of(sum(source.rows for source in rows), partition_rows))
    if engine == "spark":
        from lotlaw.batch import spark

        return spark.run(plan, given, out, workers=workers, resume=resume)
    from lotlaw.batch import local

    return local.run(plan, given, out, workers=workers or os.cpu_count() or 1, resume=resume, tell=progress())


def progress() -> Callable[[int, int], None]:
    """What tells how far a run is: one line that changes on a terminal, else a line now and then."""
    started, before, shown = time.monotonic(), -1, 0.0
    terminal = sys.stderr.isatty()

    def tell(done: int, of: int) -> None:
        nonlocal before, shown
        now = time.monotonic()
        if before < 0:
            before = done
            return
        if not terminal and (now - shown < PAUSE or now - started < PAUSE):
            return
        shown, rate = now, (done - before) / max(now - started, 1e-9)
        left = f"{(of - done) / rate:,.0f} s left" if rate and done < of else "done"
        text = f"{done:,} of {of:,} transactions, {rate:,.0f} a second, {left}"
        sys.stderr.write(f"\r{text:<78}" + "\n" * (done == of) if terminal else f"{text}\n")
        sys.stderr.flush()

    return tell
