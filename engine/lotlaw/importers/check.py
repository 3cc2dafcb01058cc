"""Finish the rows that rules wrote: dates, dollar values that follow from the legs, and what each kind of row needs.

Legs are gross and positive; a fee is always besides them. `usd_value` is the value of what moves before the fee,
`fee_usd` that of the fee.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lotlaw.formula import Formula
from lotlaw.importers.canonical import NUMBERS, Case, Choice, table
from lotlaw.importers.choosing import plain
from lotlaw.importers.clock import when
from lotlaw.importers.events import Written
from lotlaw.importers.language import ACCOUNT, TIME, Rule
from lotlaw.importers.problems import SHOWN, named, quoted
from lotlaw.importers.scope import Scope
from lotlaw.source import Problem

OWN = ("line", "rule", "part", "source_row", "_cells", TIME, "date", "timestamp")
ALWAYS = ("kind", "account")
USD = "USD"
REVIEW = "review"
INHERITED, LONG = "INHERITED", "long"
EARLIER = ("acquired_date", "donor_acquired_date", "date_of_death", "transferred_in_date")
"""Columns with a day that comes before the row's own."""

CENT = pl.lit("0.01").cast(pl.Decimal(38, 18))
"""As a text that is cast: a `Decimal` makes polars import numpy where there is one."""
EVERYWHERE = ("split",)
"""Kinds that happen in every account where the row names none."""


@dataclass(frozen=True)
class Check:
    """What breaks a rule of the table, and the words for it; `{column}` stands for the file's name of a column."""

    breaks: pl.Expr
    words: str
    about: str


def finished(scope: Scope, written: Written) -> tuple[pl.DataFrame, list[Problem]]:
    """The canonical rows, without columns that are empty throughout, and every row that breaks a rule of the table."""
    rows, problems = _dated(scope, written)
    rows = valued(_called(scope, rows))
    rows = rows.select(c for c in rows.columns if c in OWN or rows[c].null_count() < rows.height)
    rows = rows.with_columns(pl.lit(None, dtype=table().dtype(c)).alias(c) for c in ALWAYS if c not in rows.columns)
    for check in _failing(rows):
        problems += _said(scope, written.rules, rows.filter(check.breaks), check)
    return rows, problems


def _failing(rows: pl.DataFrame) -> Iterator[Check]:
    """The rules of the table that a row breaks."""
    kinds = rows["kind"].unique().drop_nulls().to_list()
    checks = [*(c for kind in sorted(kinds) for c in _of_kind(kind, set(rows.columns))), *_of_all(set(rows.columns))]
    bad = rows.select(c.breaks.any().alias(str(n)) for n, c in enumerate(checks)).row(0) if checks else ()
    yield from (check for check, breaks in zip(checks, bad, strict=True) if breaks)


def broken(row: pl.DataFrame) -> Iterator[str]:
    """What is wrong with one canonical row that a person wrote, in words."""
    if "kind" not in row.columns or row["kind"].null_count():
        yield "kind is empty"
        return
    full = row.select(c for c in row.columns if not c.startswith("_") and row[c].null_count() < row.height)
    yield from (said for _, said in breaking(full))


def breaking(rows: pl.DataFrame) -> Iterator[tuple[dict[str, Any], str]]:
    """Every row of a canonical table that breaks one of its rules, and what is wrong with it, in the table's words."""
    labels = {name: name for name in table().formats}
    for check in _failing(rows):
        for row in rows.filter(check.breaks).iter_rows(named=True):
            yield row, check.words.format(**labels, value=quoted(plain(row.get(check.about))))


def _dated(scope: Scope, written: Written) -> tuple[pl.DataFrame, list[Problem]]:
    """The rows with date and, where known, instant."""
    rows = written.rows
    if TIME not in rows.columns:
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(TIME))
    date, instant = when(rows[TIME], scope.clock)
    rows = rows.with_columns([date] if instant is None else [date, instant])
    if not date.null_count():
        return rows.drop(TIME), []
    bad = rows.filter(pl.col("date").is_null())
    label = _label(scope, written.rules[bad["rule"][0]].events[bad["part"][0]].fields.get(TIME), TIME)
    said = [_bad_time(scope, label, cell) for cell in bad[TIME].head(SHOWN).to_list()]
    lines = bad["line"].to_list()
    return rows.drop(TIME), named(scope.file, lines, said, _field(scope, bad, written.rules, TIME))


def _bad_time(scope: Scope, label: str, cell: str | None) -> str:
    if cell is None:
        return f"{label} is empty"
    if "%Y-%m-%d" not in scope.clock.formats:
        return f"{label} {quoted(cell)} is not a date of this export"
    if (
        scope.clock.zone is None
        and pl.Series([cell]).str.contains(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$").item()
    ):
        return f"{label} {quoted(cell)} does not say its zone; end it with Z or an offset like -05:00"
    return f"{label} {quoted(cell)} is not a date; write it like 2025-03-31, or like 2025-03-31T14:05:00Z"


def _called(scope: Scope, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the user's name for the account, if there is one."""
    name = scope.names.get(ACCOUNT)
    if not isinstance(name, str) or ACCOUNT not in rows.columns:
        return rows
    return rows.with_columns(pl.when(pl.col(ACCOUNT).is_not_null()).then(pl.lit(name)).alias(ACCOUNT))


def valued(rows: pl.DataFrame) -> pl.DataFrame:
    """Fees of nothing are no fees; dollars are worth what they say."""
    there = set(rows.columns)
    if "fee_qty" not in there:
        rows = rows.drop("fee_asset", strict=False)
    elif "fee_asset" in there:
        paid = pl.col("fee_qty") != 0
        if not rows.select(paid.fill_null(value=False).all()).item():
            rows = rows.with_columns(pl.when(paid).then(pl.col(c)) for c in ("fee_asset", "fee_qty"))
        dollars = pl.when(pl.col("fee_asset") == USD).then(pl.col("fee_qty"))
        rows = rows.with_columns((pl.coalesce("fee_usd", dollars) if "fee_usd" in there else dollars).alias("fee_usd"))
    legs = [
        pl.when(pl.col(f"{leg}_asset") == USD).then(pl.col(f"{leg}_qty"))
        for leg in ("out", "in")
        if {f"{leg}_asset", f"{leg}_qty"} <= there
    ]
    if legs and ("usd_value" not in there or rows["usd_value"].null_count()):
        known = [pl.col("usd_value")] if "usd_value" in there else []
        rows = rows.with_columns(pl.coalesce([*known, *legs]).alias("usd_value"))
    return rows


def _of_kind(kind: str, there: set[str]) -> Iterator[Check]:
    """What rows of a kind must have, must not have, and may not be about."""
    needs, mine = table().kinds[kind], pl.col("kind") == kind
    for name, why in {**needs.needs, **({} if kind in EVERYWHERE else {"account": ""})}.items():
        words = f"{kind} needs {{{name}}}{': ' + why if why else ''}"
        yield Check(mine & pl.col(name).is_null() if name in there else mine, words, name)
    yield from (_one_of(kind, choice, there) for choice in needs.choices)
    yield from (check for case in needs.cases if case.column in there for check in _in_case(kind, case, there))
    for name in sorted(there - needs.may - set(OWN)):
        words = f"{{{name}}} {{value}} says nothing about a row of kind '{kind}'; leave it empty"
        yield Check(mine & pl.col(name).is_not_null(), words, name)
    for name in needs.not_money:
        if name in there:
            yield Check(
                mine & (pl.col(name) == USD), f"{{{name}}} {{value}}: dollars are not what a {kind} is of", name
            )


def _one_of(kind: str, choice: Choice, there: set[str]) -> Check:
    """A row of a kind that has nothing of what it must have one of."""
    whole = [[_said_in(name, choice) for name in names] for names in choice.any_of if there.issuperset(names)]
    lacks = [~pl.all_horizontal(names) for names in whole]
    wanted = [names for names in choice.any_of if names != (REVIEW,) and not choice.only.keys() & names]
    several = any(len(names) > 1 for names in wanted)
    words = (", or " if several else " or ").join(" and ".join(f"{{{name}}}" for name in names) for names in wanted)
    first = wanted[0][0]
    return Check(pl.all_horizontal(pl.col("kind") == kind, *lacks), f"{kind} needs {words}: {choice.why}", first)


def _said_in(name: str, choice: Choice) -> pl.Expr:
    """Whether a row says what a choice asks of a column."""
    said = pl.col(name).is_not_null()
    return (pl.col(name).cast(pl.String) == choice.only[name]) & said if name in choice.only else said


def _in_case(kind: str, case: Case, there: set[str]) -> Iterator[Check]:
    """Rows of a kind that say a word, and lack what goes with it."""
    says = (pl.col("kind") == kind) & pl.col(case.column).cast(pl.String).is_in(case.words)
    for name in case.needs:
        lacks = pl.col(name).is_null() if name in there else pl.lit(value=True)
        words = f"{kind} with {{{case.column}}} {' or '.join(case.words)} needs {{{name}}}: {case.why}"
        yield Check(says & lacks, words, name)


def _of_all(there: set[str]) -> Iterator[Check]:
    """What holds for every row: quantities are positive, the legs whole and unlike, and days in their order."""
    for name in sorted(n for n in there if table().formats.get(n) in NUMBERS):
        below, may = pl.col(name) < 0, [kind for kind, needs in table().kinds.items() if name in needs.any_sign]
        yield Check(
            below & ~pl.col("kind").is_in(may) if may else below, f"{{{name}}} would be {{value}}, below zero", name
        )
    for name in sorted(there.intersection(table().most)):
        most = table().most[name]
        yield Check(pl.col(name) > most, f"{{{name}}} {{value}} is more than {most}", name)
    for leg in ("in", "out", "fee"):
        if f"{leg}_qty" in there:
            yield from _of_leg(leg, there)
    if {"in_asset", "out_asset"} <= there:
        same = (
            (pl.col("in_asset") == pl.col("out_asset")) & (pl.col("in_asset") != USD) & (pl.col("kind") != "transfer")
        )
        yield Check(same, "{in_asset} and {out_asset} are both {value}", "in_asset")
    yield from _of_days(there)


def _of_leg(leg: str, there: set[str]) -> Iterator[Check]:
    """A leg has an asset and more than nothing of it; one in dollars is worth what it says."""
    asset, quantity = f"{leg}_asset", f"{leg}_qty"
    yield Check(pl.col(quantity) == 0, f"{{{quantity}}} is zero", quantity)
    needing = [kind for kind, needs in table().kinds.items() if asset in needs.needs]
    nameless = pl.col(asset).is_null() if asset in there else pl.lit(value=True)
    yield Check(
        pl.col(quantity).is_not_null() & nameless & ~pl.col("kind").is_in(needing), f"{{{asset}}} is empty", asset
    )
    value = "fee_usd" if leg == "fee" else "usd_value"
    if {asset, value} <= there:
        apart = (pl.col(quantity) - pl.col(value)).abs() > CENT
        words = f"{{{value}}} {{value}} is not what the row's dollars come to; leave it empty"
        yield Check((pl.col(asset) == USD) & apart, words, value)


def _of_days(there: set[str]) -> Iterator[Check]:
    """What is acquired before it is sold, and settles after; what is inherited is held long."""
    for name in sorted(there.intersection(EARLIER)):
        day = pl.col(name)
        if table().formats[name] == "acquired":
            day = day.str.to_date("%Y-%m-%d", strict=False)
        yield Check(day > pl.col("date"), f"{{{name}}} {{value}} is later than the row's own date", name)
    if "settle_date" in there:
        words = "{settle_date} {value} is earlier than the row's own date"
        yield Check(pl.col("settle_date") < pl.col("date"), words, "settle_date")
    if {"acquired_date", "term"} <= there:
        short = (pl.col("acquired_date") == INHERITED) & (pl.col("term").cast(pl.String) != LONG)
        yield Check(short, f"{{term}} {{value}}: what is inherited is held {LONG}, however soon it is sold", "term")


def _said(scope: Scope, rules: Sequence[Rule], bad: pl.DataFrame, check: Check) -> list[Problem]:
    words = []
    for row in bad.head(SHOWN).iter_rows(named=True):
        fields = rules[row["rule"]].events[row["part"]].fields
        labels = {name: _label(scope, fields.get(name), name) for name in table().formats}
        words.append(check.words.format(**labels, value=quoted(plain(row.get(check.about)))))
    return named(scope.file, bad["line"].to_list(), words, _field(scope, bad, rules, check.about))


def _field(scope: Scope, bad: pl.DataFrame, rules: Sequence[Rule], name: str) -> int:
    """The number of the field that a column is taken from, 0 where it is not taken from one as it stands."""
    if _taken(scope, name):
        return scope.binding.fields[name] + 1
    given = rules[bad["rule"][0]].events[bad["part"][0]].fields.get(name)
    return scope.binding.fields.get(given.text, -1) + 1 if isinstance(given, Formula) else 0


def _taken(scope: Scope, name: str) -> bool:
    """Whether the file has a column of the canonical table under its own name."""
    return name in scope.binding.fields and all(column.alias != name for column in scope.importer.columns)


def _label(scope: Scope, given: Formula | str | None, name: str) -> str:
    """The file's own name for a column, where it is there, or a rule takes it from another as it stands."""
    if _taken(scope, name):
        return name
    column = scope.binding.columns.get(given.text) if isinstance(given, Formula) else None
    if column is None:
        return name
    return scope.binding.label(column.alias) if column.alias in scope.binding.fields else column.names[0]
