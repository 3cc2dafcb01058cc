"""Before rules see them: rows taken back, the latest of several states of an event, and the file's own sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from lotlaw.formula import Formula
from lotlaw.importers.clock import when
from lotlaw.importers.language import Cancel, Check, Latest
from lotlaw.importers.problems import SHOWN, named, refused
from lotlaw.importers.scope import Scope
from lotlaw.readings.text import DECIMAL, ZERO, column
from lotlaw.source import Problem

KEY = "_key"


def tidied(scope: Scope, frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series], list[Problem]]:
    """The rows that count, the lines of those left out by reason, and rows that take back what is not there."""
    skipped: dict[str, pl.Series] = {}
    problems: list[Problem] = []
    for cancel in scope.importer.cancels:
        frame, gone, more = _cancelled(scope, frame, cancel)
        problems += more
        skipped |= {cancel.why: gone} if len(gone) else {}
    if scope.importer.latest:
        kept = _latest(scope, frame, scope.importer.latest)
        gone = frame.filter(~pl.col("line").is_in(kept["line"].implode()))["line"]
        skipped |= {scope.importer.latest.why: gone} if len(gone) else {}
        frame = kept
    return frame, skipped, problems


def _keyed(scope: Scope, frame: pl.DataFrame, by: Sequence[Formula]) -> pl.DataFrame:
    """The frame with what rows agree in, as one text; null where a part of it is empty."""
    key = pl.concat_str([column(scope.read(part)).cast(pl.String) for part in by], separator="\x1f")
    return scope.computed(frame, {KEY: (key, by[0].place)})


def _cancelled(scope: Scope, frame: pl.DataFrame, cancel: Cancel) -> tuple[pl.DataFrame, pl.Series, list[Problem]]:
    """The frame without rows that take back another, and without those; each takes back the last one before it."""
    flags = {
        "_back": (scope.holds(cancel.when), cancel.when.place), "_of": (scope.holds(cancel.of), cancel.of.place),
        "_when": (column(scope.read(cancel.time)).cast(pl.String), cancel.time.place),
    }  # fmt: skip
    marked = _keyed(scope, scope.computed(frame, flags), cancel.same)
    if not marked["_back"].any():
        return frame, pl.Series(dtype=pl.Int32), []
    dates, _ = when(marked["_when"], scope.clock)
    rows = marked.with_columns(dates.alias("_day")).select("line", "_back", "_of", KEY, "_day").rows()
    gone: set[int] = set()
    alone: list[int] = []
    for line, _, _, key, day in (row for row in rows if row[1]):
        earlier = [
            (then, other) for other, back, of, same, then in rows
            if of and not back and key is not None and same == key and other not in gone
            and day and then and 0 <= (day - then).days <= cancel.days
        ]  # fmt: skip
        if earlier:
            gone |= {line, max(earlier)[1]}
        else:
            alone.append(line)
    kept = frame.filter(~pl.col("line").is_in(sorted({*gone, *alone})))
    return (
        kept,
        pl.Series(sorted(gone), dtype=pl.Int32),
        named(scope.file, alone, f"takes back a row that is not there ({cancel.why})"),
    )


def _latest(scope: Scope, frame: pl.DataFrame, latest: Latest) -> pl.DataFrame:
    """Of rows that are one event, those with the most; rows without a key all stay."""
    most = column(scope.read(latest.most)).cast(DECIMAL)
    marked = _keyed(scope, scope.computed(frame, {"_most": (most, latest.most.place)}), latest.by)
    best = (pl.col("_most") == pl.col("_most").max().over(KEY)).fill_null(value=False)
    return marked.filter(pl.col(KEY).is_null() | best).drop("_most", KEY)


def borne_out(scope: Scope, frame: pl.DataFrame) -> tuple[list[str], list[Problem]]:
    """What the file's own numbers do not bear out: as warnings, or as problems where the mapping says `strict`."""
    notes: list[str] = []
    problems: list[Problem] = []
    for check in scope.importer.checks:
        said = _breaks(scope, frame, check)
        if check.strict:
            problems += said
        else:
            notes += [str(problem) for problem in said]
    return notes, problems


def _breaks(scope: Scope, frame: pl.DataFrame, check: Check) -> list[Problem]:
    """The lines at which a check fails, with the words for it."""
    found: list[Problem] = []
    if check.that:
        broken = scope.computed(frame, {KEY: (column(scope.read(check.that)).cast(pl.Boolean), check.that.place)})
        lines = broken.filter(~pl.col(KEY).fill_null(value=True))["line"].to_list()
        found += named(scope.file, lines, check.says)
    if check.balance and check.change:
        found += _jumps(scope, frame, check, check.balance, check.change)
    if check.sum and check.equals:
        found += _off(scope, frame, check, check.sum, check.equals)
    return found


def _off(scope: Scope, frame: pl.DataFrame, check: Check, summed: Formula, equals: Formula) -> list[Problem]:
    """Whether the rows do not come to what the file says they do; nothing if it does not say."""
    columns = {
        "_part": (column(scope.read(summed)).cast(DECIMAL), summed.place),
        "_whole": (column(scope.read(equals)).cast(DECIMAL), equals.place),
    }
    wanted = scope.computed(frame.clear(1), columns)["_whole"].drop_nulls()
    rows = scope.computed(frame, columns)["_part"].sum() or ZERO
    if not len(wanted) or rows == wanted[0]:
        return []
    said = f"{check.says}: {_plain(wanted[0])} in the file, {_plain(rows)} by its {frame.height:,} rows"
    return refused(scope.file, said).problems


def _jumps(scope: Scope, frame: pl.DataFrame, check: Check, balance: Formula, change: Formula) -> list[Problem]:
    """The lines at which a running balance is not the one before with the row's own change.

    Files stand oldest or newest first: the way round that has fewer jumps is the right one.
    """
    numbers = {
        "_balance": (column(scope.read(balance)).cast(DECIMAL), balance.place),
        "_change": (column(scope.read(change)).cast(DECIMAL), change.place),
    }
    rows = scope.computed(frame, numbers)
    rows = _keyed(scope, rows, check.by) if check.by else rows.with_columns(pl.lit("").alias(KEY))
    rows = rows.select("line", KEY, "_balance", "_change").drop_nulls()
    wanted = pl.col("_balance").shift().over(KEY) + pl.col("_change")
    ways = [way.with_columns(wanted.alias("_wanted")) for way in (rows, rows.reverse())]
    off = (pl.col("_wanted") - pl.col("_balance")).abs() > check.within
    wrong = min((way.filter(off) for way in ways), key=len).sort("line")
    said = [
        f"{check.says}: {_number(row, '_balance')} {row[KEY]}".replace("\x1f", " ").strip()
        + f", where {_number(row, '_wanted')} would follow"
        for row in wrong.head(SHOWN).iter_rows(named=True)
    ]
    return named(scope.file, wrong["line"].to_list(), said)


def _number(row: Mapping[str, object], name: str) -> str:
    return _plain(row[name])


def _plain(number: object) -> str:
    return f"{number:f}".rstrip("0").rstrip(".")
