"""`lotlaw batch`: its options, and what it says at the end."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from lotlaw.rules_cli import RulesDir


def batch(
    year: Annotated[int, typer.Argument(help="The tax year.")],
    transactions: Annotated[
        str, typer.Option(metavar="GLOB", help="Parquet: the canonical table with a column `taxpayer`.")
    ],
    taxpayers: Annotated[str, typer.Option(metavar="GLOB", help="Parquet: the fields of taxpayer files, a row each.")],
    out: Annotated[Path, typer.Option(help="Folder for the tables and manifest.json.")],
    engine: Annotated[str, typer.Option(metavar="local|spark", help="This machine, or Spark (extra spark).")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes at work at once; as many as cores.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was ended before its end.")] = False,
    partition_rows: Annotated[
        int | None, typer.Option(min=1, help="Transactions of a part, about; fewer take less memory.")
    ] = None,
    rules: RulesDir = None,
) -> None:
    """Work out the returns of many taxpayers at once, from Parquet into Parquet.

    A taxpayer with a problem is set aside whole, and listed in the table `problems`; the others go on.

    Example: lotlaw batch 2025 --transactions 'rows-*.parquet' --taxpayers people.parquet --out returns
    """
    from lotlaw.batch import batch as run

    manifest = run(
        year, transactions, taxpayers, out, engine=engine, workers=workers, resume=resume, rules=rules,
        partition_rows=partition_rows,
    )  # fmt: skip
    who, counts, totals = manifest["taxpayers"], manifest["counts"], manifest["totals"]
    typer.echo(f"{who['worked_out']:,} returns of {year} worked out, {who['set_aside']:,} taxpayers set aside")
    typer.echo(f"Form 8949: {counts['form_8949']:,} rows, gain {Decimal(totals['gain']):,}")
    typer.echo(f"wrote {', '.join(counts)} and manifest.json into {out}")
