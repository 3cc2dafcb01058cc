"""The ledger: every event of every file in one table, in the order things happened, and that table as a CSV.

Rows count in the order of their date, then instant (a date without a time before the instants of that date), then as
they stand in the files as given. Every row keeps its file and line. Amounts and quantities are exact decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from lotlaw.importers import HOME, Answers, Imported, Request
from lotlaw.importers.problems import SHOWN
from lotlaw.importers.together import together
from lotlaw.source import Problems, data_root

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.importers.prices import Prices


ASSETS = ("out_asset", "ref_asset", "in_asset", "fee_asset")
MONEY = "USD"
OWNER = "t"
"""The column of a ledger of several taxpayers that says whose a row is; there, rows stand by owner first."""
INNER = ("rule", "part", "_cells")


@dataclass(frozen=True)
class SourceFile:
    """A file as it was given, its digest, and how it was read: the mapping, rows written, rows left out by reason."""

    name: str
    sha256: str
    source: str = ""
    version: int = 0
    rows: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)


def _no_options() -> pl.DataFrame:
    from lotlaw.importers.options import contracts

    return contracts((), None)


@dataclass(frozen=True)
class Ledger:
    """The canonical table (`schemas/ledger.schema.json`; only columns that occur), its files, and each asset's class.

    `doubts` are what a person should look at today, and no part of a return (rows dated in the future).
    `options` has what each option is on (`lotlaw.importers.options.SCHEMA`), null where its name does not say.

    Always there: `kind` (Enum), `account`, `date` (Date, in the taxpayer's zone), `seq` (0, 1, ...), `file` (UInt16,
    into `files`), `line` (Int32). Quantities and dollars are Decimal(38, 18); `timestamp` is UTC, empty for a date
    without a time; `source_row` holds the lines ("4;5") of a row that comes from several.
    """

    rows: pl.DataFrame
    files: tuple[SourceFile, ...]
    classes: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    options: pl.DataFrame = field(default_factory=_no_options)
    prices: SourceFile | None = None
    overrides: SourceFile | None = None

    @cached_property
    def classed(self) -> tuple[pl.Series, pl.Series]:
        """The assets and the class of each, as columns."""
        import polars as pl

        return pl.Series(self.classes.keys(), dtype=pl.String), pl.Series(self.classes.values(), dtype=pl.String)

    def report_text(self) -> str:
        """What was read, for a person: rows by file and kind, rows left out and why, what needs a word."""
        return "".join(f"{line}\n" for line in (*_said_of_files(self), *self.warnings, *self.doubts))


def read(
    paths: str | Path | Iterable[str | Path], zone: str = HOME, rules: str | Path | None = None,
    source: str | None = None, *, answers: Answers | None = None, prices: str | Path | Prices | None = None,
    overrides: str | Path | None = None, ids: bool = False,
) -> Ledger:  # fmt: skip
    """Read exports and simple ledgers, mixed, into one ledger; instants count on their date in `zone`.

    `rules` is the folder of rules (default: those that come with lotlaw), `source` forces a mapping on every file,
    `answers` are what mappings ask the user (`imports` of taxpayer.yaml), `prices` a CSV of fair values that exports
    leave out, `overrides` a YAML file with the last word on single rows; `ids` adds the stable `event_id`. Files that
    overlap count each event once. Raises Problems, all of all files at once.
    """
    import polars as pl

    from lotlaw.importers.overrides import read_overrides
    from lotlaw.importers.prices import read_prices, valued

    folder = Path(rules) if rules else data_root() / "rules"
    words = read_overrides(Path(overrides)) if overrides else None
    given = read_prices(Path(prices), zone) if isinstance(prices, (str, Path)) else prices
    request = Request(zone, source, answers or {}, identified=ids or words is not None, overrides=words)
    files, notes = together([paths] if isinstance(paths, (str, Path)) else list(paths), folder / "sources", request)
    from lotlaw.importers.classes import OPTION, classified, known
    from lotlaw.importers.options import contracts
    from lotlaw.importers.positions import by_position

    assets = known(folder / "assets.yaml")
    files, classes, problems = classified(files, assets)
    if problems:
        raise Problems(problems)
    options = contracts((asset for asset, klass in classes.items() if klass == OPTION), assets.options)
    frames = [f.rows.with_columns(pl.lit(n, dtype=pl.UInt16).alias("file")) for n, f in enumerate(files)]
    every = pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]
    names = [file.name for file in files]
    every, problems, told = by_position(every, names, classes, {n for n, f in enumerate(files) if f.loose})
    if problems:
        raise Problems(problems)
    rows, warnings, doubts = across(every, names, classes, options, zone)
    warnings = [*notes, *(note for file in files for note in (*file.notes, *_reviews(file))), *told, *warnings]
    rows = in_order(valued(rows, given) if given else rows, ids=ids)
    besides = [SourceFile(file.name, file.sha256) if file else None for file in (given, words)]
    return Ledger(rows, tuple(map(_source_file, files)), classes, tuple(warnings), tuple(doubts), options, *besides)


def across(
    rows: pl.DataFrame, names: Sequence[str], classes: Mapping[str, str], options: pl.DataFrame, zone: str,
    most: int = SHOWN,
) -> tuple[pl.DataFrame, list[str], list[str]]:  # fmt: skip
    """All files' rows, with what can only be seen over all of them put right, said, or left to doubt.

    `names` are the files', `most` how many problems of a sort to say. Raises Problems.
    """
    from lotlaw.importers.across import misfits, to_come, unsettled
    from lotlaw.importers.exercise import expired, taken_up
    from lotlaw.importers.swaps import joined

    rows, moved = joined(rows, names)
    rows, late = expired(rows, names, options, zone)
    rows, alone, odd = taken_up(rows, names, options)
    problems = [*misfits(rows, names, classes, most), *alone]
    if problems:
        raise Problems(problems)
    return (
        rows,
        [*moved, *late, *odd, *unsettled(rows, names)],
        list(to_come(rows, names, datetime.now(ZoneInfo(zone)).date())),
    )


def _said_of_files(ledger: Ledger) -> Iterator[str]:
    kinds = ledger.rows.group_by("file", "kind").len().sort("file", "kind").rows()
    for number, file in enumerate(ledger.files):
        yield f"{file.name}: {file.rows:,} rows by {file.source} (version {file.version})"
        yield from (f"  {count:>9,} {kind}" for of, kind, count in kinds if of == number)
        yield from (f"  {count:>9,} left out: {why}" for why, count in file.skipped.items())


def in_order(rows: pl.DataFrame, *, ids: bool = False) -> pl.DataFrame:
    """One table of all files' rows, in ledger order."""
    import polars as pl

    rows = rows.drop(*INNER, *(() if ids else ("event_id",)), strict=False)
    keys = [key for key in (OWNER, "date", "timestamp") if key in rows.columns]
    if not stand_by(rows, keys):
        rows = rows.sort(keys, nulls_last=False, maintain_order=True)
    if ids:
        from lotlaw.importers.identity import short

        rows = rows.with_columns(pl.Series("event_id", map(short, rows["event_id"].to_list()), dtype=pl.String))
    first = ["date", "kind", "account", *(["timestamp"] if "timestamp" in rows.columns else [])]
    return rows.select(
        *first, pl.int_range(pl.len(), dtype=pl.UInt32).alias("seq"), "file", "line", pl.exclude(*first, "file", "line")
    )


def stand_by(rows: pl.DataFrame, keys: Sequence[str]) -> bool:
    """Whether rows stand in the order of columns, empty cells before others."""
    import polars as pl

    wrong = pl.lit(value=False)
    for key in map(pl.col, reversed(keys)):
        before = key.shift()
        wrong = (key < before) | (key.is_null() & before.is_not_null()) | (key.eq_missing(before) & wrong)
    return not rows.select(wrong.any()).item()


def _source_file(file: Imported) -> SourceFile:
    return SourceFile(
        file.name, file.sha256, file.importer.id, file.importer.version, file.rows.height, dict(file.skipped)
    )


def _reviews(file: Imported) -> list[str]:
    """What a person must confirm, one line for each sort."""
    import polars as pl

    if "review" not in file.rows.columns:
        return []
    found = file.rows.group_by("review", maintain_order=True).agg(pl.col("line").sort())
    said = found.filter(pl.col("review").is_not_null()).rows()
    return [f"{file.name}:{lines[0]}: {review}{_and_more(lines)}" for review, lines in said]


def _and_more(lines: Sequence[int]) -> str:
    return f" (and {len(lines) - 1:,} more like it)" if len(lines) > 1 else ""


ALWAYS = (
    "event_id", "seq", "source_file", "source_row", "mapping_id", "account", "date", "kind", "out_asset", "out_qty",
    "in_asset", "in_qty",
)  # fmt: skip
"""Columns that the canonical CSV has even where they are empty."""


def write_canonical(ledger: Ledger, path: Path) -> None:
    """Write a ledger that was read with `ids` as canonical CSV: for its owner only, and safe in a spreadsheet."""
    import os
    import tempfile

    data = canonical(ledger).write_csv().encode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def is_canonical(path: Path) -> bool:
    """Whether a file begins as `write_canonical` begins it."""
    with path.open("rb") as file:
        return file.read(len(ALWAYS[0]) + 1) == f"{ALWAYS[0]},".encode()


def canonical(ledger: Ledger) -> pl.DataFrame:
    """The canonical table as text in its schema's order; nothing in it would run in a spreadsheet."""
    import polars as pl

    from lotlaw.importers.canonical import table

    origin = pl.DataFrame(
        {
            "file": range(len(ledger.files)), "source_file": [f.sha256 for f in ledger.files],
            "mapping_id": [f.source for f in ledger.files], "mapping_version": [f.version for f in ledger.files],
        },
        schema_overrides={"file": pl.UInt16},
    )  # fmt: skip
    rows = _classes_said(ledger).join(origin, on="file", how="left", maintain_order="left")
    several = [pl.col("source_row")] if "source_row" in rows.columns else []
    rows = rows.with_columns(pl.coalesce(*several, pl.col("line").cast(pl.String)).alias("source_row"))
    columns = [c for c in table().formats if c in rows.columns or c in ALWAYS]
    return rows.select(
        _written(pl.col(c) if c in rows.columns else pl.lit(None), rows.schema.get(c)).alias(c) for c in columns
    )


def _classes_said(ledger: Ledger) -> pl.DataFrame:
    """The rows with the class of every asset they move, so that the table stands by itself."""
    import polars as pl

    rows = ledger.rows
    out, ref, in_, fee = (
        pl.when(pl.col(c) != MONEY).then(pl.col(c)) if c in rows.columns else pl.lit(None, pl.String) for c in ASSETS
    )
    said = {
        "asset_class": pl.coalesce(out, ref, in_, fee),
        "counter_class": pl.when(~(out.is_null() & ref.is_null())).then(in_),
    }
    return rows.with_columns(
        asset.cast(pl.String).replace_strict(dict(ledger.classes), default=None, return_dtype=pl.String).alias(name)
        for name, asset in said.items()
    )


def _written(cell: pl.Expr, dtype: Any) -> pl.Expr:
    import polars as pl

    if isinstance(dtype, pl.Decimal):
        return cell.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    if isinstance(dtype, pl.Datetime):
        return cell.dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
    text = cell.cast(pl.String)
    return text.str.replace(r"^([=+\-@\t\r'])", "'$1") if dtype in (pl.String, None) else text
