"""Importers: exports of exchanges and brokers become rows of the ledger, by mappings that are data.

A mapping stands in `rules/sources/<name>.yaml`. The way is always the same: detect, read, columns, derive, skip, group,
rules, write, check. All of it is columns; the mapping's formulas are read by the one formula reader in its text
reading. A file is imported whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.source import Problems

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.importers.detect import Found, Signature
    from lotlaw.importers.language import Importer
    from lotlaw.importers.reading import Text


@dataclass(frozen=True)
class Imported:
    """One file's canonical rows in the order things happened, with `line` (and `source_row` where there are several).

    `cells` identifies rows that have no id of their own, if it was asked for: what the source's cells say, and which of
    several equal rows it is.
    """

    name: str
    sha256: str
    importer: Importer
    rows: pl.DataFrame
    skipped: Mapping[str, int]
    notes: tuple[str, ...]


def recognised(path: str | Path, known: tuple[Signature, ...], source: str | None = None) -> tuple[Text, Found]:
    """The file's text and the mapping that knows it, or the one that is called for. Raises Problems."""
    from lotlaw.importers.detect import recognise
    from lotlaw.importers.reading import read_text

    text = read_text(path)
    return text, recognise(text, known, source)


def imported(text: Text, found: Found, zone: str, *, identified: bool = False) -> Imported:
    """The rows of a recognised file; instants count on their date in `zone`. Raises all of its Problems at once."""
    from lotlaw.importers.check import finished
    from lotlaw.importers.clock import clock
    from lotlaw.importers.columns import bind, typed
    from lotlaw.importers.events import events
    from lotlaw.importers.mapping import load
    from lotlaw.importers.reading import above, cells
    from lotlaw.importers.scope import scope

    importer = load(found.signature.path)
    binding = bind(importer, text.name, found.header)
    raw = cells(text, found.header, dict(binding.fields), importer.reading.stop_at)
    if identified:
        raw = raw.with_columns(_cells())
    frame, problems, notes = typed(importer, binding, text.name, raw)
    seen = scope(
        importer,
        binding,
        text.name,
        clock(importer.formats, importer.zone, zone),
        above(text, found.header, importer.reading.preamble),
    )
    written = events(seen, frame)
    rows, more = finished(seen, written)
    problems += [*written.problems, *more]
    if problems:
        raise Problems(sorted(problems, key=lambda p: (p.place.line == 0, p.place.line, p.place.column)))
    rows = _in_order(rows, importer.reading.order)
    return Imported(text.name, text.digest.result(), importer, rows, written.skipped, (*text.notes, *notes))


def _cells() -> pl.Expr:
    """What a row's cells say, as one text."""
    import polars as pl

    return pl.concat_str(pl.exclude("line").str.strip_chars().fill_null(""), separator="\x1f").alias("_cells")


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
