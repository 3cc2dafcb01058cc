"""Importers: exports of exchanges and brokers become rows of the ledger, by mappings that are data.

A mapping stands in `rules/sources/<name>.yaml`. The way is always the same: detect, read, columns, derive, skip, group,
rules, write, check. All of it is columns; the mapping's formulas are read by the one formula reader in its text
reading. A file is imported whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotlaw.importers.language import ACCOUNT
from lotlaw.source import Problem, Problems

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.importers.clock import Clock
    from lotlaw.importers.detect import Signature
    from lotlaw.importers.files import Text
    from lotlaw.importers.language import Importer
    from lotlaw.importers.overrides import Overrides
    from lotlaw.importers.tables import Table, Tables

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

    @property
    def loose(self) -> bool:
        """Whether its kinds are words of a broker's: the tables of lotlaw's own mean what they say."""
        return not self.importer.reading.canonical


@dataclass(frozen=True)
class Request:
    """How files are to be read.

    Instants count on their date in `zone`, `source` forces a mapping, `answers` are the user's
    (`lotlaw.importers.answers`), `identified` adds `_cells`, `overrides` have the last word on single rows, `explain`
    keeps the ids of rows.
    """

    zone: str = HOME
    source: str | None = None
    answers: Answers = field(default_factory=dict)
    identified: bool = False
    overrides: Overrides | None = None
    explain: bool = False


def imported(path: str | Path, known: Sequence[Signature], request: Request) -> Imported:
    """The rows of a file, by the mapping that knows its header. Raises Problems, all that the file has."""
    from lotlaw.importers.files import read_text

    return imported_text(partial(read_text, path), known, request)


def imported_text(read: Callable[[], Text], known: Sequence[Signature], request: Request) -> Imported:
    """The rows of a file that `read` gives."""
    # A caller's other thread may import, while this one reads, what both need: reading comes first.
    file, inside = _opened(read(), known, request)
    from lotlaw.importers import answers
    from lotlaw.importers.clock import clock
    from lotlaw.importers.tables import parts

    importer = file.importer
    given = answers.answered(importer, file.name, request.answers)
    time = clock(answers.formats(importer, given), answers.zone(importer, given), request.zone)
    problems = inside.problems
    done = [_rows(table, file.name, time, given, request, problems) for table in parts(inside)]
    if problems:
        raise Problems(sorted(problems, key=lambda p: (p.place.line == 0, p.place.line, p.place.column)))
    rows = _in_order(_one_table([rows for rows, _, _ in done]), importer.reading.order)
    skipped = Counter(file.skipped)
    for _, left_out, _ in done:
        skipped.update(left_out)
    notes = (*file.notes, *(note for _, _, more in done for note in more))
    return replace(file, rows=rows, skipped=dict(skipped), notes=notes)


def _opened(text: Text, known: Sequence[Signature], request: Request) -> tuple[Imported, Tables]:
    """What is known of a file, and the tables in it; its text is let go of."""
    import polars as pl

    from lotlaw.importers.detect import recognise
    from lotlaw.importers.mapping import load
    from lotlaw.importers.tables import tables

    found = recognise(text, known, request.source)
    text = found.text
    importer = load(found.signature.path)
    inside = tables(text, importer, found.header, request)
    return Imported(text.name, text.digest.result(), importer, pl.DataFrame(), inside.skipped, text.notes), inside


def _rows(
    table: Table, name: str, time: Clock, given: Mapping[str, Any], request: Request, problems: list[Problem]
) -> tuple[pl.DataFrame, Mapping[str, int], list[str]]:
    """The canonical rows of a table, what was left out of it, and what is to be said; adds to `problems`."""
    from lotlaw.importers.check import finished
    from lotlaw.importers.events import events
    from lotlaw.importers.scope import scope

    seen = scope(table.importer, table.binding, name, time, {**table.said, **given})
    written = events(seen, table.let_go())
    rows, more = finished(seen, written)
    problems += [*table.problems, *written.problems, *more]
    if request.overrides and table.emitted.height:
        from lotlaw.importers.overrides import emitted

        account = given.get(ACCOUNT, table.importer.account)
        rows = _one_table([rows, emitted(request.overrides, account, table.emitted, request.zone)])
    return rows, Counter(table.skipped) + Counter(written.skipped()), [*table.notes, *written.notes]


def _one_table(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all tables in the order of the file."""
    import polars as pl

    full = [table for table in tables if table.height] or [*tables[:1]]
    if len(full) == 1:
        return full[0]
    return pl.concat(full, how="diagonal").sort("line", "part", maintain_order=True) if full else pl.DataFrame()


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
