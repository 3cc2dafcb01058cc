"""A person's word on single rows, keyed by id: left out, said otherwise, or looked at and found right.

An event is known by its `event_id`, as the canonical table has it. A row that no rule takes is known by its row id,
which `lotlaw import --explain` shows: it is left out, or `emit` says what it is. Ids survive later exports and
corrected mappings; one that is met by no row is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.importers import Imported
from lotlaw.importers.canonical import PROVENANCE, table
from lotlaw.importers.check import broken
from lotlaw.importers.identity import EVENT, short
from lotlaw.source import Document, Place, Problem, Problems, read_yaml

ROW = "row-"
AT = "at"
"""The name of an instant, as a person writes it."""


@dataclass(frozen=True)
class Overrides:
    """What a person says, by id; the file it stands in; and which ids were met so far."""

    name: str
    sha256: str
    said: Mapping[str, Mapping[str, Any]]
    document: Document
    met: set[str] = field(default_factory=set)

    def place(self, *path: str | int) -> Place:
        return self.document.place(*path)

    def unmet(self) -> Iterator[Problem]:
        """Ids that no row of the files has."""
        for id_ in self.said:
            if id_ not in self.met:
                said = f"no row of these files has the id '{id_}'; `lotlaw import --explain FILE` shows ids"
                yield Problem(self.document.key(id_), said)


def read_overrides(path: Path) -> Overrides:
    """The overrides of a YAML file, each field one of the canonical table and a value of it. Raises Problems."""
    from lotlaw.schema import shape_problems

    document = read_yaml(path, text_only=True)
    problems = shape_problems(document, "overrides")
    if not problems:
        problems = [p for id_, word in document.value.items() for p in _unknown(document, id_, word)]
    if problems:
        raise Problems(problems)
    return Overrides(document.file, hashlib.sha256(path.read_bytes()).hexdigest(), document.value, document)


def _unknown(document: Document, id_: str, word: Mapping[str, Any]) -> Iterator[Problem]:
    """Fields that are none, and values that are none of theirs."""
    if id_.startswith(ROW) and not {"skip", "emit"} & set(word):
        yield Problem(document.place(id_), "a row that no rule takes is left out (`skip`), or `emit` says what it is")
    for path, fields in _fields(id_, word):
        for name, text in fields.items():
            if name != AT and (name not in table().formats or name in _NOT_SAID):
                known = [AT, *(n for n in table().formats if n not in _NOT_SAID)]
                yield Problem(document.key(*path, name), f"unknown field '{name}'{did_you_mean(name, known)}")
            elif _is_text(text) and _values([text], name).null_count():
                yield Problem(document.place(*path, name), f"{name} cannot be '{text}'")


_NOT_SAID = frozenset(PROVENANCE) - {"date"}


def _is_text(text: str | None) -> bool:
    return text is not None and text not in ("null", "~", "")


def _fields(id_: str, word: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, str | None]]]:
    """The fields of each row that a word gives, and where they stand."""
    if "set" in word:
        yield (id_, "set"), word["set"]
    emit = word.get("emit", ())
    if isinstance(emit, dict):
        yield (id_, "emit"), emit
    else:
        yield from (((id_, "emit", n), one) for n, one in enumerate(emit))


def _values(texts: Sequence[str | None], name: str) -> pl.Series:
    """Texts as values of a column; null where they are none."""
    text = pl.Series(name, [t if _is_text(t) else None for t in texts], dtype=pl.String)
    if name == AT:
        return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)
    dtype = table().dtype(name)
    if dtype == pl.Date:
        return text.str.to_date("%Y-%m-%d", strict=False)
    if dtype == pl.Boolean:
        return text.replace_strict({"yes": True, "true": True, "no": False, "false": False}, default=None)
    return text.cast(dtype, strict=False)


# Rows of a file, before any rule


def row_ids(mapping: str, raw: pl.DataFrame, *, newest_first: bool) -> pl.Series:
    """An id for every row of a file, from what tells it from others (`_cells`) and which of equal rows it is."""
    count = pl.int_range(pl.len(), 0, -1) if newest_first else pl.int_range(1, pl.len() + 1)
    keys = raw.select(pl.concat_str(pl.lit(mapping), "_cells", count.over("_cells"), separator="\x1f")).to_series()
    return pl.Series("_row_id", [ROW + _digest(key)[:16] for key in keys.to_list()], dtype=pl.String)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def without_answered(
    overrides: Overrides, mapping: str, raw: pl.DataFrame, *, newest_first: bool
) -> tuple[pl.DataFrame, dict[str, int], pl.DataFrame]:
    """The rows that nobody spoke of, how many were left out and why, and `line` and `_row_id` of those to emit."""
    marked = raw.with_columns(row_ids(mapping, raw, newest_first=newest_first))
    mine = marked.filter(pl.col("_row_id").is_in([id_ for id_ in overrides.said if id_.startswith(ROW)]))
    overrides.met.update(mine["_row_id"].to_list())
    skipped: dict[str, int] = {}
    emitted = []
    for id_ in mine["_row_id"].to_list():
        word = overrides.said[id_]
        if "emit" in word:
            emitted.append(id_)
        else:
            skipped[word["skip"]] = skipped.get(word["skip"], 0) + 1
    rest = marked.filter(~pl.col("_row_id").is_in(mine["_row_id"].implode())).drop("_row_id")
    return rest, skipped, mine.filter(pl.col("_row_id").is_in(emitted)).select("line", "_row_id", "_cells")


def emitted(overrides: Overrides, account: str | None, rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """The canonical rows that a person says rows of a file are. Raises Problems."""
    made = []
    for line, id_, cells in rows.select("line", "_row_id", "_cells").iter_rows():
        for part, (path, fields) in enumerate(_fields(id_, overrides.said[id_])):
            one = _row({"account": account, **fields}, zone).with_columns(
                pl.lit(line, dtype=pl.Int32).alias("line"), pl.lit(part, dtype=pl.UInt16).alias("part"),
                pl.lit(0, dtype=pl.UInt16).alias("rule"), pl.lit(cells).alias("_cells"),
            )  # fmt: skip
            _refuse_broken(overrides, path, one)
            made.append(one)
    return pl.concat(made, how="diagonal") if made else pl.DataFrame()


def _row(fields: Mapping[str, str | None], zone: str) -> pl.DataFrame:
    row = pl.DataFrame([_values([text], name) for name, text in fields.items() if _is_text(text)])
    if AT in row.columns:
        day = pl.col(AT).dt.convert_time_zone(zone).dt.date()
        row = row.with_columns(day.alias("date")).rename({AT: "timestamp"})
    return row


def _refuse_broken(overrides: Overrides, path: Sequence[str | int], row: pl.DataFrame) -> None:
    said = ["date is empty; say `date`, or `at` for an instant"] if "date" not in row.columns else list(broken(row))
    if said:
        raise Problems([Problem(overrides.place(*path), words) for words in said])


# Events


def answered(file: Imported, overrides: Overrides, zone: str) -> Imported:
    """A file (with `event_id`) as a person has the last word on it. Raises Problems where that breaks a rule."""
    ids = pl.Series("_id", [short(key) for key in file.rows[EVENT].to_list()], dtype=pl.String)
    words = {id_: overrides.said[id_] for id_ in ids.to_list() if id_ in overrides.said}
    if not words:
        return file
    overrides.met.update(words)
    rows, skipped = file.rows.with_columns(ids), dict(file.skipped)
    for id_, word in words.items():
        if "skip" in word:
            skipped[word["skip"]] = skipped.get(word["skip"], 0) + 1
            rows = rows.filter(pl.col("_id") != id_)
        if "reviewed" in word and "review" in rows.columns:
            rows = rows.with_columns(pl.when(pl.col("_id") != id_).then(pl.col("review")).alias("review"))
        for path, fields in _fields(id_, word):
            rows = _changed(rows, id_, fields, zone)
            _refuse_broken(overrides, path, rows.filter(pl.col("_id") == id_))
    return replace(file, rows=rows.drop("_id"), skipped=skipped)


def _changed(rows: pl.DataFrame, id_: str, fields: Mapping[str, str | None], zone: str) -> pl.DataFrame:
    """The rows, of which one says some fields otherwise."""
    new = _row(fields, zone)
    empty = [name for name, text in fields.items() if not _is_text(text) and name in rows.columns]
    mine = pl.col("_id") == id_
    for name in (*new.columns, *empty):
        value = pl.lit(new[name][0], dtype=new.schema[name]) if name in new.columns else pl.lit(None)
        old = pl.col(name) if name in rows.columns else pl.lit(None, dtype=new.schema[name])
        rows = rows.with_columns(pl.when(mine).then(value).otherwise(old).alias(name))
    return rows
