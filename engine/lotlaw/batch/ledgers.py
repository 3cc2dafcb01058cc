"""Transactions of many taxpayers as one ledger: checked row by row as files are, each with names of their own.

In such a ledger an account or asset is called `coinbase␟17`: what has another owner is another thing, so that the lot
engine, which keeps lots by account and asset, never needs to know that there is more than one taxpayer. A row stands at
`␞:5`, which is its number in the partition; `Rows.said` gives messages with the names and places that a user knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from lotlaw.batch.people import Said
from lotlaw.batch.tables import KEY, transactions
from lotlaw.importers.canonical import PROVENANCE, table
from lotlaw.importers.check import breaking, valued
from lotlaw.importers.classes import ASSETS, MONEY, OPTION, Known, class_words, known
from lotlaw.importers.options import contracts
from lotlaw.importers.problems import quoted
from lotlaw.law import Year
from lotlaw.ledger import Ledger, SourceFile, across, in_order, stand_by
from lotlaw.lots.events import APART

MARK = "␞"
TOO_FINE = r"\.\d{19}"
CLASSES = ("asset_class", "counter_class")
OWNED = ("account", "to_account", "group_id", "tx_hash", *ASSETS)
"""Columns with names that are a taxpayer's own."""
MADE = frozenset(PROVENANCE) - {"date", "timestamp"}
"""Columns of the canonical table that say where a row came from, and nothing about a return."""
ALL = 2**31
KLASSES = 2**6
"""More than there are classes."""


@dataclass(frozen=True)
class Rows:
    """Transactions in the order of a ledger, typed, with `t` (the taxpayer's number), `file` and `row`."""

    frame: pl.DataFrame
    files: Sequence[str]

    def said(self, text: str) -> str:
        """A message as its reader knows names and places."""
        text = re.sub(rf"{APART}\d+", "", text)
        return re.sub(rf"{MARK}:(\d+)", lambda found: "{}:{}".format(*self.origin(int(found[1]))), text)

    def origin(self, line: int) -> tuple[str, int]:
        """The file and row of a row of the partition, by its number from 1."""
        file, row = self.frame.select("file", "row").row(line - 1)
        return self.files[file], row

    @cached_property
    def owners(self) -> list[int]:
        """By row, the number of its taxpayer."""
        return self.frame["t"].to_list()


def rows_of(raw: pl.DataFrame, names: pl.Enum, files: Sequence[str]) -> tuple[Rows, Said]:
    """The transactions with the types of the canonical table, and the cells that have none of its values."""
    wanted = {name: dtype for name, dtype in transactions().items() if name in raw.columns and name not in MADE}
    order = ["t", *(name for name in ("date", "timestamp", "file", "row") if name in raw.columns)]
    raw = raw.filter(pl.col(KEY).is_not_null())
    typed = raw.select(
        pl.col(KEY).cast(names).to_physical().cast(pl.UInt32).alias("t"), "file", "row",
        *(_cast(name, raw.schema[name], dtype) for name, dtype in wanted.items() if name != KEY),
    )  # fmt: skip
    lost = [n for n in wanted if n != KEY and typed[n].null_count() > raw[n].null_count()]
    said: Said = {}
    if lost:
        bad = typed.hstack(raw.select(pl.col(n).alias(f"raw {n}") for n in lost)).sort(order, maintain_order=True)
        for n in lost:
            odd = bad.with_row_index("line", 1).filter(pl.col(n).is_null() & pl.col(f"raw {n}").is_not_null())
            for t, line, cell in odd.select("t", "line", f"raw {n}").iter_rows():
                said.setdefault(t, []).append((line, f"{n} {quoted(cell)} is {_no_value(wanted[n])}"))
    ordered = typed if stand_by(typed, order) else typed.sort(order, nulls_last=False, maintain_order=True)
    return Rows(ordered, files), said


def _cast(name: str, given: Any, wanted: Any) -> pl.Expr:
    cell = pl.col(name)
    if given == wanted:
        return cell
    if isinstance(wanted, pl.Enum) and given != pl.String:
        cell = cell.cast(pl.String)
    if wanted.is_decimal() and given == pl.String:
        cell = pl.when(~cell.str.contains(TOO_FINE)).then(cell)
    return cell.cast(wanted, strict=False)


def _no_value(wanted: Any) -> str:
    if isinstance(wanted, pl.Enum):
        return f"none of {', '.join(wanted.categories)}"
    return "no number of this size" if wanted.is_decimal() else "not what the column holds"


def broken(rows: Rows) -> Said:
    """The rows that break a rule of the canonical table."""
    said: Said = {}
    own = rows.frame.drop("t", "file", "row").with_row_index("line", 1)
    own = own.select(c for c in own.columns if own[c].null_count() < own.height)
    for row, words in breaking(own) if own.height else ():
        said.setdefault(rows.owners[row["line"] - 1], []).append((row["line"], words))
    for name in ("kind", "date"):
        for line in own.filter(pl.col(name).is_null() if name in own.columns else pl.lit(value=True))["line"]:
            said.setdefault(rows.owners[line - 1], []).append((line, f"{name} is empty"))
    for name in (name for name in OWNED if name in own.columns and _odd_names(own[name].unique())):
        for line in own.filter(pl.col(name).str.contains(APART, literal=True))["line"]:
            said.setdefault(rows.owners[line - 1], []).append((line, f"{name}: {APART} may not stand in a name"))
    return said


def _odd_names(names: pl.Series) -> bool:
    return bool(names.str.contains(APART, literal=True).any())


# Classes


def classes_of(rows: Rows, year: Year) -> tuple[pl.DataFrame, Said]:
    """Every asset of every taxpayer (t, asset) with its class (klass), and those that have none, or two."""
    assets, legs = known(year.root / "assets.yaml"), [leg for leg in ASSETS if leg in rows.frame.columns]
    names = pl.concat([pl.Series(dtype=pl.String), *(rows.frame[leg].unique() for leg in legs)])
    names = names.filter(names != MONEY).unique().sort()
    numbers = _numbers(rows.frame, legs, names)
    every = pl.concat([pl.Series(dtype=pl.UInt64), *(numbers[leg].drop_nulls() for leg in legs)]).unique().sort()
    told = _named(every.to_frame("number"), names)
    # The classes that are said of an asset stand one below the other; nothing said stands before them.
    last = (pl.col("t") != pl.col("t").shift(-1)) | (pl.col("asset") != pl.col("asset").shift(-1))
    by_name = {**_options(names.filter(~names.is_in(list(assets.classes))), assets), **assets.classes}
    own = pl.col("asset").replace_strict(by_name, default=None, return_dtype=pl.String)
    found = told.filter(last.fill_null(value=True)).with_columns(klass=pl.coalesce("klass", own))
    twice = told.filter(pl.col("klass").is_not_null() & ~last)
    both = _stated(numbers, names, twice) if twice.height else told.clear().with_columns(line=0)
    return found, _unclassed(rows, found, both, assets)


def _numbers(rows: pl.DataFrame, legs: Sequence[str], names: pl.Series) -> pl.DataFrame:
    """By leg, a taxpayer's asset and the class that the row gives it (0: none) as one number, null for money.

    Numbers are compared far sooner than three columns.
    """
    assets = {leg: pl.col(leg).cast(pl.Enum(names), strict=False).to_physical() for leg in legs}
    said = [(pl.col(c).to_physical().cast(pl.UInt64) + 1) if c in rows.columns else pl.lit(None) for c in CLASSES]
    nth: pl.Expr = pl.lit(0, pl.UInt8)
    numbers = []
    for leg in legs:
        mine = pl.col("t").cast(pl.UInt64) * len(names) + pl.col(leg)
        klass = pl.when(nth == 0).then(said[0]).when(nth == 1).then(said[1])
        numbers.append((mine * KLASSES + klass.fill_null(0)).alias(leg))
        nth = nth + pl.col(leg).is_not_null().cast(pl.UInt8)
    there = [name for name in CLASSES if name in rows.columns]
    return rows.select("t", *there, **assets).select("t", *numbers)


def _named(numbers: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """The frame with `t`, `asset` and `klass` in place of the one number."""
    mine, said = pl.col("number") // KLASSES, pl.col("number") % KLASSES
    klasses: Any = table().dtype(CLASSES[0])
    words = pl.Series([None, *klasses.categories], dtype=pl.String)
    return numbers.select(
        (mine // max(len(names), 1)).cast(pl.UInt32).alias("t"),
        pl.lit(names).gather(mine % max(len(names), 1)).alias("asset"),
        pl.lit(words).gather(said).alias("klass"), pl.exclude("number"),
    )  # fmt: skip


def _stated(numbers: pl.DataFrame, names: pl.Series, of: pl.DataFrame) -> pl.DataFrame:
    """What rows say of some assets: t, asset, klass, and the first line that says it, in the order of lines."""
    theirs = numbers.with_row_index("line", 1).filter(pl.col("t").is_in(of["t"].implode()))
    said = theirs.drop("t").unpivot(index="line", value_name="number").drop_nulls("number")
    said = said.filter(pl.col("number") % KLASSES > 0).group_by("number").agg(pl.col("line").min())
    return _named(said, names).join(of, on=["t", "asset"], how="semi").sort("line", "asset")


def _options(assets: pl.Series, known: Known) -> dict[str, str]:
    read = contracts(assets, known.options).filter(pl.col("underlying").is_not_null())
    return dict.fromkeys(read["asset"], OPTION)


def _unclassed(rows: Rows, found: pl.DataFrame, stated: pl.DataFrame, assets: Known) -> Said:
    """Assets of no class, and of two."""
    said: Said = {}
    lacking = found.filter(pl.col("klass").is_null()).select("t", "asset")
    legs = [leg for leg in ASSETS if leg in rows.frame.columns]
    theirs = rows.frame.with_row_index("line", 1).filter(pl.col("t").is_in(lacking["t"].implode()))
    at = theirs.unpivot(legs, index=["line", "t"], value_name="asset").join(lacking, on=["t", "asset"])
    for t, asset, line in at.group_by("t", "asset").agg(pl.col("line").min()).sort("line", "asset").iter_rows():
        said.setdefault(t, []).append((line, class_words(asset, assets)))
    earlier: dict[tuple[int, str], tuple[str, int]] = {}
    for t, asset, klass, line in stated.select("t", "asset", "klass", "line").iter_rows():
        before = earlier.setdefault((t, asset), (klass, line))
        if before[1] != line:
            words = f"{quoted(asset)} is of class {klass} here and {before[0]} in {MARK}:{before[1]}"
            said.setdefault(t, []).append((line, f"{words}; one asset has one class"))
    return said


# Ledgers


def ledger_of(mine: pl.DataFrame, classes: pl.DataFrame, year: Year, zone: str, *, alone: bool) -> Ledger:
    """Some rows (with `line`, their number in the partition) as one ledger, by taxpayers apart. Raises Problems."""
    suffix = [] if alone else [pl.lit(APART), pl.col("t").cast(pl.String)]
    own = mine.drop("file", "row").select(c for c in mine.columns if c not in ("file", "row") and _says(mine, c))
    own = valued(own.with_columns(file=pl.lit(0, pl.UInt16)))
    named = [name for name in OWNED if name in own.columns and not (own[name] == MONEY).all()]
    own = own.with_columns(_owned(name, suffix) for name in named if suffix)
    by_asset = classes.select(_owned("asset", suffix) if suffix else pl.col("asset"), "klass")
    assets = known(year.root / "assets.yaml")
    options = _contracts(classes.filter(pl.col("klass") == OPTION), suffix, assets)
    told = dict(zip(by_asset["asset"].to_list(), by_asset["klass"].to_list(), strict=True))
    told[MONEY] = assets.classes[MONEY]
    own, _, _ = across(own, [MARK], told, options, zone, ALL)
    return Ledger(in_order(own), (SourceFile(MARK, ""),), told, options=options)


def _says(frame: pl.DataFrame, name: str) -> bool:
    return name in ("kind", "account", "date", "t", "line") or frame[name].null_count() < frame.height


def _owned(name: str, suffix: list[pl.Expr]) -> pl.Expr:
    """A name with its owner's number; dollars are everybody's."""
    apart = pl.concat_str(name, *suffix)
    return (
        pl.when(pl.col(name) == MONEY).then(pl.col(name)).otherwise(apart) if name in (*ASSETS, "asset") else apart
    ).alias(name)


def _contracts(options: pl.DataFrame, suffix: list[pl.Expr], assets: Known) -> pl.DataFrame:
    read = contracts(options["asset"], assets.options)
    if not suffix or options.is_empty():
        return read
    every = options.select("t", "asset").join(read, on="asset", how="left", maintain_order="left")
    return every.with_columns(_owned(name, suffix) for name in ("asset", "underlying")).select(read.columns)
