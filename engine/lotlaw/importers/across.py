"""What can only be seen over all files: legs of the wrong class, and days that a person should look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from lotlaw.importers.canonical import table
from lotlaw.importers.problems import SHOWN, named, quoted
from lotlaw.source import Problem

DOLLAR, MONEY = "USD", "fiat"
SHORT_CLOSE = "short_close"
WEEK = timedelta(days=7)
"""Longer than a trade takes to settle, or a broker to post what happened."""


def misfits(
    rows: pl.DataFrame, files: Sequence[str], classes: Mapping[str, str], most: int = SHOWN
) -> Iterator[Problem]:
    """Legs that must be money and are not, and the other way round, by the classes of their assets; `most` by name."""
    there = set(rows["kind"].unique().drop_nulls())
    money = [asset for asset, klass in classes.items() if klass == MONEY and asset != DOLLAR]
    for leg in ("out_asset", "in_asset", "ref_asset"):
        if leg not in rows.columns:
            continue
        paid = [kind for kind in there if leg in table().kinds[kind].money]
        cell, kind = pl.col(leg), pl.col("kind").cast(pl.String)
        if paid:
            other = rows.lazy().filter((cell != DOLLAR) & kind.is_in(paid) & ~cell.is_in(money))
            what = "{kind} is for money, and '{cell}' is none; an exchange of assets is a trade"
            yield from _said(other, files, leg, what, most)
        if money:
            held = [kind for kind in there if leg in table().kinds[kind].not_money]
            wrong = rows.lazy().filter(kind.is_in(held) & cell.is_in(money))
            yield from _said(wrong, files, leg, "'{cell}' is money, which is not what a {kind} is of", most)


def _said(rows: pl.LazyFrame, files: Sequence[str], leg: str, words: str, most: int) -> Iterator[Problem]:
    found = rows.select("file", "line", "kind", cell=leg).collect()
    for (file,), some in found.group_by("file", maintain_order=True):
        said = [
            words.format(kind=kind, cell=quoted(cell)[1:-1]) for kind, cell in some.select("kind", "cell").iter_rows()
        ]
        yield from named(files[int(str(file))], some["line"].to_list(), said, most=most)


def unsettled(rows: pl.DataFrame, files: Sequence[str]) -> Iterator[str]:
    """Short sales closed in the last days of a year, without a word on when that settled."""
    next_year = (pl.col("date") + WEEK).dt.year() > pl.col("date").dt.year()
    silent = pl.col("settle_date").is_null() if "settle_date" in rows.columns else pl.lit(value=True)
    closed = rows.filter(pl.col("kind") == SHORT_CLOSE).filter(next_year & silent)
    for file, line, day in closed.select("file", "line", "date").iter_rows():
        yield (
            f"{files[file]}:{line}: short_close without a settle_date: a loss counts on the day the shares are "
            f"delivered, which may be after {day.year}"
        )


def to_come(rows: pl.DataFrame, files: Sequence[str], today: date) -> Iterator[str]:
    """Rows of days that have not come yet, by file."""
    later = rows.lazy().filter(pl.col("date") > today).select("file", "line", "date").collect()
    for (file,), some in later.group_by("file", maintain_order=True):
        more = f" (and {some.height - 1:,} more like it)" if some.height > 1 else ""
        yield f"{files[int(str(file))]}:{some['line'][0]}: {some['date'][0]} is in the future{more}"
