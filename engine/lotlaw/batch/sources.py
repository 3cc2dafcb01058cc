"""The Parquet files of a batch: found, looked at before anything is done, and named by number."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.batch.tables import (
    NEEDED,
    NEEDED_OF_TAXPAYERS,
    STRUCTS,
    TAXPAYERS,
    Schema,
    fits,
    transactions,
    wanted_words,
)
from lotlaw.formula import did_you_mean
from lotlaw.source import Place, Problem, Problems, refuse, shown

UNREAD = "ssn"
"""A column of taxpayers that may be there and is never read: no table of a batch has it."""


@dataclass(frozen=True)
class Source:
    """One Parquet file: its name as given, number among the batch's files, rows and columns."""

    path: Path
    number: int
    rows: int
    columns: dict[str, Any]

    @property
    def name(self) -> str:
        return shown(self.path)

    def digest(self) -> str:
        """The sha256 of its bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def scan(self, schema: Schema) -> pl.LazyFrame:
        """Its rows, with `file` and `row`, and structs of taxpayer fields as columns; only what the schema has."""
        lazy = pl.scan_parquet(self.path, row_index_name="row", row_index_offset=1, glob=False, hive_partitioning=False)
        flat = [
            pl.col(name).struct.field(part).alias(f"{name}.{part}") for name, parts in self.structs() for part in parts
        ]
        lazy = lazy.with_columns(*flat, pl.lit(self.number, pl.UInt32).alias("file"), pl.col("row").cast(pl.Int64))
        there = {*self.columns, *(expr.meta.output_name() for expr in flat)}
        return lazy.select("file", "row", *(name for name in schema if name in there))

    def structs(self) -> Iterator[tuple[str, list[str]]]:
        """The structs of taxpayer fields that it has, with their parts."""
        for name in STRUCTS:
            if isinstance(self.columns.get(name), pl.Struct):
                yield name, [field.name for field in self.columns[name].fields]


def sources(said: str, option: str, first: int) -> list[Source]:
    """The files that a pattern names, in the order of their names, numbered from `first`. Raises Problems."""
    paths = sorted(Path(name) for name in glob.glob(said, recursive=True))  # noqa: PTH207  (the pattern may be absolute)
    paths = [path for path in paths if path.is_file()]
    if not paths:
        raise refuse(option, f"no file is named like {said}")
    found, problems = [], []
    for number, path in enumerate(paths, first):
        try:
            lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
            columns = dict(lazy.collect_schema())
            found.append(Source(path, number, lazy.select(pl.len()).collect().item(), columns))
        except (OSError, pl.exceptions.PolarsError) as error:
            reason = str(error).strip().splitlines()[0]
            problems.append(Problem(Place(shown(path)), f"cannot be read as Parquet ({reason})"))
    if problems:
        raise Problems(problems)
    return found


def check_transactions(found: Sequence[Source]) -> None:
    """Raise Problems for columns that are missing, unknown, or of a type that loses digits."""
    _check(found, transactions(), NEEDED, "the canonical table")


def check_taxpayers(found: Sequence[Source]) -> None:
    """The same for the table of taxpayers."""
    _check(found, TAXPAYERS, NEEDED_OF_TAXPAYERS, "the table of taxpayers")


def _check(found: Sequence[Source], schema: Schema, needed: Sequence[str], table: str) -> None:
    problems = [
        Problem(Place(source.name), said) for source in found for said in _wrong_columns(source, schema, needed, table)
    ]
    if problems:
        raise Problems(problems)


def _wrong_columns(source: Source, schema: Schema, needed: Sequence[str], table: str) -> Iterator[str]:
    structs = dict(source.structs())
    given = {name: dtype for name, dtype in source.columns.items() if name not in {*structs, UNREAD}}
    given |= dict.fromkeys((f"{name}.{part}" for name, parts in structs.items() for part in parts), pl.Null())
    for name in needed:
        if name not in given:
            yield f"no column {name}, which {table} needs{did_you_mean(name, list(given))}"
    for name, dtype in given.items():
        if name not in schema:
            yield f"unknown column {name}{did_you_mean(name, schema)}; {table} has none of that name"
        elif not fits(dtype, schema[name]):
            yield f"column {name} is {dtype}; it has to be {wanted_words(schema[name])}"
