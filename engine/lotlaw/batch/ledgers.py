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
from lotlaw.importers.canonical import PROVENANCE
from lotlaw.importers.check import breaking, valued
from lotlaw.importers.classes import ASSETS, MONEY, OPTION, Known, class_words, known
from lotlaw.importers.options import contracts
from lotlaw.importers.problems import quoted
from lotlaw.law import Year
from lotlaw.ledger import Ledger, SourceFile, across, in_order
from lotlaw.lots.events import APART

MARK = "␞"
TOO_FINE = r"\.\d{19}"
CLASSES = ("asset_class", "counter_class")
OWNED = ("account", "to_account", "group_id", "tx_hash", *ASSETS)
"""Columns with names that are a taxpayer's own."""
MADE = frozenset(PROVENANCE) - {"date", "timestamp"}
"""Columns of the canonical table that say where a row came from, and nothing about a return."""
ALL = 2**31


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
    order = [name for name in ("date", "timestamp", "file", "row") if name in raw.columns]
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
    return Rows(typed.sort(order, nulls_last=False, maintain_order=True), files), said


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
    for name in (name for name in OWNED if name in own.columns):
        for line in own.filter(pl.col(name).str.contains(APART, literal=True))["line"]:
            said.setdefault(rows.owners[line - 1], []).append((line, f"{name}: {APART} may not stand in a name"))
    return said


# Classes


def classes_of(rows: Rows, year: Year) -> tuple[pl.DataFrame, Said]:
    """Every asset of every taxpayer (t, asset) with its class (klass), and those that have none, or two."""
    assets, legs = known(year.root / "assets.yaml"), [leg for leg in ASSETS if leg in rows.frame.columns]
    names = pl.concat([pl.Series(dtype=pl.String), *(rows.frame[leg].unique() for leg in legs)])
    names = names.drop_nulls().unique().sort()
    classes = [pl.col(c) if c in rows.frame.columns else pl.lit(None, pl.String).alias(c) for c in CLASSES]
    coded = rows.frame.select("t", *classes, *(_coded(leg, names) for leg in legs))
    seen = pl.concat([pl.DataFrame(schema={"mine": pl.UInt64}), *(coded.select(mine=leg).drop_nulls() for leg in legs)])
    stated = _stated(coded, legs, names)
    first = stated.sort("line").unique("mine", keep="first")
    found = _named(seen.unique().sort("mine").join(first, on="mine", how="left", maintain_order="left"), names)
    by_name = {**_options(names, assets), **assets.classes}
    own = pl.col("asset").replace_strict(by_name, default=None, return_dtype=pl.String)
    found = found.select("t", "asset", klass=pl.coalesce("klass", own))
    return found, _unclassed(rows, found, _named(stated, names), assets)


def _coded(leg: str, names: pl.Series) -> pl.Expr:
    """A taxpayer's asset as one number, which is compared far sooner than two columns."""
    return (pl.col("t").cast(pl.UInt64) * len(names) + pl.col(leg).cast(pl.Enum(names)).to_physical()).alias(leg)


def _named(frame: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """The frame with `t` and `asset` in place of the one number."""
    t, asset = pl.col("mine") // max(len(names), 1), pl.lit(names).gather(pl.col("mine") % max(len(names), 1))
    return frame.select(t.cast(pl.UInt32).alias("t"), asset.alias("asset"), pl.exclude("mine"))


def _stated(rows: pl.DataFrame, legs: Sequence[str], names: pl.Series) -> pl.DataFrame:
    """What rows say of their assets: mine, klass, and the first line that says it."""
    money = pl.col("t").cast(pl.UInt64) * len(names) + names.index_of(MONEY)
    mine: list[pl.Expr] = [
        pl.when(pl.col(leg) != money).then(pl.col(leg)) if MONEY in names else pl.col(leg) for leg in legs
    ]
    second = [
        pl.when(pl.any_horizontal(other.is_not_null() for other in mine[:n])).then(leg)
        for n, leg in enumerate(mine)
        if n
    ]
    parts = [pl.DataFrame(schema={"mine": pl.UInt64, "klass": pl.String, "line": pl.UInt32})]
    pairs: list[tuple[str, list[Any]]] = list(zip(CLASSES, (mine, second), strict=True))
    for word, found in pairs:
        if found and rows[word].null_count() < rows.height:
            said = rows.with_row_index("line", 1).select(mine=pl.coalesce(found), klass=word, line="line").drop_nulls()
            said = said.group_by("mine", "klass").agg(pl.col("line").min())
            parts.append(said.with_columns(pl.col("klass").cast(pl.String)))
    return pl.concat(parts).group_by("mine", "klass").agg(pl.col("line").min())


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
    both = stated.filter(pl.len().over("t", "asset") > 1).select("t", "asset", "klass", "line").sort("line")
    earlier: dict[tuple[int, str], tuple[str, int]] = {}
    for t, asset, klass, line in both.iter_rows():
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
    options = _contracts(classes.filter(pl.col("klass") == OPTION), suffix, known(year.root / "assets.yaml"))
    told = dict(by_asset.iter_rows())
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
