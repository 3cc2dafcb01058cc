"""Importers: exports of exchanges and brokers become rows of the ledger, by mappings that are data.

A mapping stands in `rules/sources/<name>.yaml`. The way is always the same: detect, read, columns, derive, skip, group,
rules, write, check. All of it is columns; the mapping's formulas are read by the one formula reader in its text
reading. A file is imported whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotlaw.source import Problem, Problems

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.importers.binding import Binding
    from lotlaw.importers.detect import Signature
    from lotlaw.importers.files import Text
    from lotlaw.importers.language import Importer

HOME = "America/New_York"
"""The zone whose date counts where a taxpayer names none."""

Answers = Mapping[str, Mapping[str, Any]]
"""By file name or mapping id: the user's answers by name, each a text, or a list of them."""


@dataclass(frozen=True)
class Imported:
    """One file's canonical rows in the order things happened, with `line` (and `source_row` where there are several).

    `_cells`, if it was asked for, is what the source's cells say: it tells apart rows that have no id of their own.
    """

    name: str
    sha256: str
    importer: Importer
    rows: pl.DataFrame
    skipped: Mapping[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """How a recognised file is read and where its values stand, and the problems of its cells."""

    name: str
    sha256: str
    notes: tuple[str, ...]
    importer: Importer
    binding: Binding
    said: Mapping[str, str]
    problems: list[Problem]


@dataclass(frozen=True)
class Request:
    """How files are to be read.

    Instants count on their date in `zone`, `source` forces a mapping, `answers` are the user's
    (`lotlaw.importers.answers`), `identified` adds `_cells`.
    """

    zone: str = HOME
    source: str | None = None
    answers: Answers = field(default_factory=dict)
    identified: bool = False


def imported(path: str | Path, known: Sequence[Signature], request: Request) -> Imported:
    """The rows of a file, by the mapping that knows its header. Raises Problems, all that the file has."""
    from lotlaw.importers.files import read_text

    return imported_text(partial(read_text, path), known, request)


def imported_text(read: Callable[[], Text], known: Sequence[Signature], request: Request) -> Imported:
    """The rows of a file that `read` gives."""
    from lotlaw.importers import answers
    from lotlaw.importers.check import finished
    from lotlaw.importers.clock import clock
    from lotlaw.importers.events import events
    from lotlaw.importers.scope import scope

    table, frame = _table(read, known, request)
    importer = table.importer
    given = answers.answered(importer, table.name, request.answers)
    time = clock(answers.formats(importer, given), answers.zone(importer, given), request.zone)
    seen = scope(importer, table.binding, table.name, time, {**table.said, **given})
    written = events(seen, frame)
    del frame
    rows, more = finished(seen, written)
    problems = [*table.problems, *written.problems, *more]
    if problems:
        raise Problems(sorted(problems, key=lambda p: (p.place.line == 0, p.place.line, p.place.column)))
    rows = _in_order(rows, importer.reading.order)
    return Imported(table.name, table.sha256, importer, rows, written.skipped, table.notes)


def _table(read: Callable[[], Text], known: Sequence[Signature], request: Request) -> tuple[_Table, pl.DataFrame]:
    """A file's values, and what else is known of it; its text is let go of."""
    from lotlaw.importers.binding import bind
    from lotlaw.importers.detect import recognise
    from lotlaw.importers.mapping import load
    from lotlaw.importers.reading import above, named

    text = read()
    found = recognise(text, known, request.source)
    importer = load(found.signature.path)
    binding = bind(importer, text.name, found.header)
    values, problems, notes = _values(text, importer, binding, identified=request.identified)
    reading = importer.reading
    said = {**above(text, found.header, reading.preamble), **named(text, reading.filename)}
    notes = [*text.notes, *notes]
    return _Table(text.name, text.digest.result(), tuple(notes), importer, binding, said, problems), values


def _values(
    text: Text, importer: Importer, binding: Binding, *, identified: bool
) -> tuple[pl.DataFrame, list[Problem], list[str]]:
    """The cells as values; cells that are none; what was rounded."""
    from lotlaw.importers.binding import telling
    from lotlaw.importers.columns import typed
    from lotlaw.importers.plain import plain
    from lotlaw.importers.reading import cells

    frame = None if identified else plain(text, importer, binding)
    if frame is not None:
        return frame, [], []
    apart = {f"_{n}": n for n in telling(importer, binding)} if identified else {}
    raw = cells(text, binding.header, {**binding.fields, **apart}, importer.reading)
    return typed(importer, binding, text.name, raw.with_columns(_cells(apart)).drop(apart) if identified else raw)


def _cells(apart: Iterable[str]) -> pl.Expr:
    """What tells a row from others, as one text."""
    import polars as pl

    return pl.concat_str(pl.col(*apart).str.strip_chars().fill_null(""), separator="\x1f").alias("_cells")


def _in_order(rows: pl.DataFrame, order: str) -> pl.DataFrame:
    """The rows oldest first. Where an order is to be found out, first and last row tell it."""
    if not rows.height or order == "oldest_first":
        return rows
    if order == "auto":
        when = "timestamp" if "timestamp" in rows.columns and not rows["timestamp"].null_count() else "date"
        if rows[when][0] <= rows[when][-1]:
            return rows
    if rows["part"].max():
        return rows.sort("line", "part", descending=[True, False], maintain_order=True)
    return rows.reverse()
