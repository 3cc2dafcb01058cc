"""Which rows are the same event: within a file none may be, and over overlapping files each counts once.

A row with an id of the source is known by it (and by kind and part, where one id gives several rows). Any other row is
known by what its cells say, and which it is of those that say the same: two equal purchases of one day stay two, also
when files overlap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from lotlaw.importers import Imported
from lotlaw.importers.problems import SHOWN, named, quoted
from lotlaw.source import Problem

EVENT = "event_id"
KIND = "kind"
"""Tells rows of one id of the source apart, but is no part of an event's id: a corrected mapping may change it."""
NOT_CONTENT = ("line", "rule", "part", "source_row", "_cells", EVENT)


def repeated(file: Imported) -> list[Problem]:
    """Rows of one file that carry the same id."""
    rows, first, keys = file.rows, file.importer.key[0], _keys(file)
    if first not in rows.columns or not rows.height:
        return []
    known = rows.filter(pl.col(first).is_not_null()).sort("line")
    later = known.filter(~pl.struct(keys).is_first_distinct())
    if not later.height:
        return []
    said = [
        f"id {quoted(row[first])} stands in line {_line(known, row, keys)} already"
        for row in later.head(SHOWN).to_dicts()
    ]
    return named(file.name, later["line"].to_list(), said)


def _keys(file: Imported) -> list[str]:
    """The columns of a native id; the part of an event stands in for `sub`."""
    keys = [key for key in file.importer.key if key in file.rows.columns]
    return keys if "sub" in keys or len(file.importer.key) == 1 else [*keys, "part"]


def _line(rows: pl.DataFrame, row: dict[str, object], keys: list[str]) -> int:
    same = pl.all_horizontal([pl.col(key).eq_missing(pl.lit(row[key], dtype=rows.schema[key])) for key in keys])
    return int(rows.filter(same)["line"][0])


def overlapping(files: Sequence[Imported]) -> set[int]:
    """The files, by number, that were read by one mapping and share a day with another of it, or may share orders."""
    found = set()
    for n, file in enumerate(files):
        for m, other in enumerate(files[:n]):
            alike = file.importer.id == other.importer.id
            if alike and (file.importer.latest or share_a_day(file.rows, other.rows)):
                found |= {n, m}
    return found


def share_a_day(a: pl.DataFrame, b: pl.DataFrame) -> bool:
    """Whether a row of `b` stands between the first and the last day of `a`."""
    if not a.height or not b.height:
        return False
    first, last = a["date"].min(), a["date"].max()
    return (
        bool(b["date"].is_between(pl.lit(first), pl.lit(last)).any())
        if first is not None and last is not None
        else False
    )


def identified(file: Imported) -> Imported:
    """The file with `event_id`: text that tells its rows apart and stays the same when it is imported again."""
    rows, first = file.rows, file.importer.key[0]
    if first == EVENT and EVENT in rows.columns:
        return file
    if not rows.height:
        return replace(file, rows=rows.with_columns(pl.lit(None, dtype=pl.String).alias(EVENT)))
    number = pl.int_range(pl.len()).over("_cells", "part").cast(pl.String)
    event = pl.concat_str([pl.lit("cells"), "_cells", pl.col("part").cast(pl.String), number], separator="\x1f")
    if first in rows.columns:
        named = [key for key in _keys(file) if key != KIND]
        keys = [pl.col(key).cast(pl.String).fill_null("") for key in named]
        native = pl.concat_str(
            [pl.lit("id"), *keys, pl.int_range(pl.len()).over(named).cast(pl.String)], separator="\x1f"
        )
        event = pl.when(pl.col(first).is_not_null()).then(native).otherwise(event)
    whole = pl.concat_str([pl.lit(file.importer.id), pl.col("account").fill_null(""), event], separator="\x1f")
    return replace(file, rows=rows.with_columns(whole.alias(EVENT)))


def short(key: str) -> str:
    """An id short enough for a person to copy, the same on every machine and with every version of polars."""
    return key if key.isalnum() else hashlib.sha256(key.encode()).hexdigest()[:24]


def once(files: Sequence[Imported], shared: set[int]) -> tuple[list[Imported], list[Problem]]:
    """The files without rows that an earlier one of the same mapping has; rows that it has otherwise are problems."""
    kept: list[Imported] = []
    problems: list[Problem] = []
    for n, file in enumerate(files):
        rest = file
        for m in [m for m, k in enumerate(kept) if {n, m} <= shared and k.importer.id == file.importer.id]:
            rest, kept[m], more = _between(rest, kept[m])
            problems += more
        kept.append(rest)
    return kept, problems


def _between(file: Imported, other: Imported) -> tuple[Imported, Imported, list[Problem]]:
    """Two files, each row in one of them, and the rows that they have otherwise.

    Where the mapping says that an event may be exported again when there is more of it (`latest`), the most counts.
    """
    theirs = other.rows.select(EVENT, _content(other, file), pl.col("line").alias("_line"), _size(other).alias("_size"))
    both = file.rows.join(theirs, on=EVENT)
    if not both.height:
        return file, other, []
    told = both.filter(pl.col("_content") != _content(file, other))
    if file.importer.latest:
        more = told.filter(_size(file) > pl.col("_size"))[EVENT]
        told = told.filter(_size(file) == pl.col("_size"))
        if len(more):
            note = f"{other.name}: {len(more):,} row(s) count as {file.name} has them ({file.importer.latest.why})"
            other, both = replace(other, rows=_but(other.rows, more), notes=(*other.notes, note)), _but(both, more)
    said = [f"the same id says something else in {other.name}:{line}" for line in told["_line"].to_list()]
    note = f"{file.name}: {both.height:,} row(s) stand in {other.name} too and count once"
    rest = replace(file, rows=_but(file.rows, both[EVENT]), notes=(*file.notes, *([note] if both.height else [])))
    return rest, other, named(file.name, told["line"].to_list(), said)


def _but(rows: pl.DataFrame, events: pl.Series) -> pl.DataFrame:
    return rows.filter(~pl.col(EVENT).is_in(events.implode()))


def _size(file: Imported) -> pl.Expr:
    """How much a row moves, of whatever it moves."""
    legs = [leg for leg in ("in_qty", "out_qty") if leg in file.rows.columns]
    return pl.sum_horizontal(legs) if legs else pl.lit(0)


def _content(file: Imported, other: Imported) -> pl.Expr:
    """Everything a row says, in columns that two files have between them."""
    columns = sorted({*file.rows.columns, *other.rows.columns} - set(NOT_CONTENT))
    said = [pl.col(c).cast(pl.String).fill_null("") if c in file.rows.columns else pl.lit("") for c in columns]
    return pl.concat_str(said, separator="\x1f").alias("_content")
