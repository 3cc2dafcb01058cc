"""Why an export is read as it is: which mappings were tried, and where each row went, by which rule, under which id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from lotlaw.importers import Imported, Request, answers
from lotlaw.importers.check import finished
from lotlaw.importers.clock import clock
from lotlaw.importers.detect import SEPARATORS, Signature, recognise
from lotlaw.importers.events import Written, events
from lotlaw.importers.files import Text, read_text
from lotlaw.importers.identity import EVENT, identified, short
from lotlaw.importers.mapping import load
from lotlaw.importers.reading import head, rows_of
from lotlaw.importers.scope import scope
from lotlaw.importers.tables import Table, tables
from lotlaw.source import Problem, Problems

TRIED = 5
"""Mappings that are named: those that come nearest."""
MOST = 200
"""Lines in which headers are looked for."""
LACKS = 4
"""Names that are said to be lacking; the rest are counted."""


def explained(path: Path, known: Sequence[Signature], request: Request) -> Iterator[str]:
    """The lines of an explanation of one file. What is wrong with it is part of that."""
    text = read_text(path)
    yield f"{text.name}:"
    yield from (f"  {line}" for _, part in text.parts() for line in _tried(part, known))
    try:
        found = recognise(text, known, request.source)
        importer = load(found.signature.path)
        given = answers.answered(importer, text.name, request.answers)
        time = clock(answers.formats(importer, given), answers.zone(importer, given), request.zone)
        inside = tables(found.text, importer, found.header, request)
    except Problems as refused:
        yield from (f"  {problem}" for problem in refused.problems)
        return
    yield f"  read by {importer.id} version {importer.version}, {importer.file}; header in line {found.header.line}"
    for table in inside.tables:
        ids = {} if table.ids is None else dict(table.ids.iter_rows())
        seen = scope(table.importer, table.binding, text.name, time, {**table.said, **given})
        written = events(seen, table.let_go())
        rows, more = finished(seen, written)
        told = _went(text, table, rows, written, ids)
        told += _wrong([*table.problems, *written.problems, *more], ids)
        yield from (f"  {line}" for _, line in sorted(told, key=lambda one: one[0]))
    yield from (f"  {rows} in tables that are left out: {why}" for why, rows in inside.skipped.items())
    yield from (f"  {problem}" for problem in inside.problems)


def _tried(text: Text, known: Sequence[Signature]) -> Iterator[str]:
    """The mappings that come nearest, each with what it lacks."""
    start = head(text)
    rows = [row.cells for separator in SEPARATORS if separator in start for row in rows_of(start, separator, MOST)]
    best = {signature.id: _nearest(signature, rows) for signature in known}
    for signature in sorted(known, key=lambda s: _rank(s, best[s.id]), reverse=True)[:TRIED]:
        cells = best[signature.id]
        lacking, barred = sorted(signature.lacking(cells)), sorted(signature.without & signature.names(cells))
        more = f" and {len(lacking) - LACKS} more" if len(lacking) > LACKS else ""
        said = (
            f"lacks {', '.join(lacking[:LACKS])}{more}" if lacking else f"has {', '.join(barred)}" if barred else "fits"
        )
        yield f"tried {signature.id}: {said}"


def _nearest(signature: Signature, rows: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The row that comes nearest to being a mapping's header."""
    return max(rows, key=lambda cells: _rank(signature, cells), default=())


def _rank(signature: Signature, cells: Sequence[str]) -> tuple[float, float]:
    return signature.fit(cells), signature.there(cells)


def _went(
    text: Text, table: Table, rows: pl.DataFrame, written: Written, ids: Mapping[int, str]
) -> list[tuple[int, str]]:
    """Where rows went: the event that each became and its rule, or why it was left out."""
    importer = table.importer
    mine = identified(Imported(text.name, "", importer, rows, {}, ()))
    several = "source_row" if "source_row" in rows.columns else "line"
    told: list[tuple[int, str]] = []
    for row in mine.rows.with_columns(pl.col(several).alias("_lines")).iter_rows(named=True):
        rule, event = written.rules[row["rule"]].place.line, short(row[EVENT] or "")
        what = f"{row['_lines'] or row['line']}: {row['kind']}, by the rule in line {rule}, id {event}"
        told.append((row["line"], what))
    told += [
        (line, f"{line}: left out, {why}, id {ids.get(line, '')}")
        for why, left in written.left_out.items()
        for line in left
    ]
    return told


def _wrong(problems: Sequence[Problem], ids: Mapping[int, str]) -> list[tuple[int, str]]:
    """What is wrong, each with the id by which an overrides file may speak of the row."""
    return [
        (p.place.line, f"{p.place.line}: {p.message}{f', id {ids[p.place.line]}' if p.place.line in ids else ''}")
        for p in problems
    ]
