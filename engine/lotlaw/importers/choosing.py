"""Which rule takes each row: derive columns, leave out what is no event, choose the first rule whose condition holds.

A value that no table has, a row that no rule takes and a cell that its rule does not read are named with line and
cells: no row is guessed or dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.formula import Formula, did_you_mean
from lotlaw.importers.language import Rule, Values
from lotlaw.importers.problems import SHOWN, named, quoted
from lotlaw.importers.scope import Scope
from lotlaw.readings.text import Value, column
from lotlaw.source import Place, Problem

RULE = "_rule"


def derived(scope: Scope, frame: pl.DataFrame) -> tuple[Scope, pl.DataFrame, list[Problem]]:
    """The frame with the mapping's derived columns; rows with a value that no table has are named and left out."""
    problems: list[Problem] = []
    for name, derived in scope.importer.derive.items():
        if isinstance(derived, Values):
            value: Value = None
            if isinstance(scope.names[derived.of], pl.Expr):
                value = _label(scope.names[derived.of], derived)
        else:
            value = scope.read(derived)
        if isinstance(value, pl.Expr):
            place = derived.place if isinstance(derived, Formula) else Place(scope.importer.file)
            frame = scope.computed(frame, {name: (value, place)})
            value = pl.col(name)
        scope = scope.seeing({name: value})
        if isinstance(derived, Values) and value is not None:
            frame, more = _known(scope, frame, derived, name)
            problems += more
    return scope, frame, problems


def _label(of: Value, values: Values) -> pl.Expr:
    """The label of each cell; of several beginnings that a cell has, the longest one's. '' stands for an empty cell."""
    labels, cell = values.labels, column(of)
    if values.by_prefix:
        label: Any = pl.lit(None, dtype=pl.String)
        for prefix in sorted((p for p in labels if p), key=len):
            label = pl.when(cell.str.starts_with(prefix)).then(pl.lit(labels[prefix])).otherwise(label)
    else:
        label = cell.replace_strict(list(labels), list(labels.values()), default=None, return_dtype=pl.String)
    return pl.when(cell.is_null()).then(pl.lit(labels[""])).otherwise(label) if "" in labels else label


def _known(scope: Scope, frame: pl.DataFrame, values: Values, name: str) -> tuple[pl.DataFrame, list[Problem]]:
    of = column(scope.names[values.of])
    strange = frame.select((pl.col(name).is_null() & of.is_not_null()).alias("strange")).to_series()
    if not strange.any():
        return frame, []
    rows, told = frame.filter(strange), _column_of(scope, values.of)
    shown = rows.head(SHOWN).select(of.alias("cell"), column(scope.names[told]).alias("told"))
    label = scope.binding.label(told)
    said = [f"unknown {label} {quoted(told)}{did_you_mean(cell, values.labels)}" for cell, told in shown.iter_rows()]
    field = scope.binding.fields.get(told, -1) + 1
    return frame.filter(~strange), named(scope.file, rows["line"].to_list(), said, field)


def _column_of(scope: Scope, name: str) -> str:
    """The column of the file that a derived one is made of, where that is one."""
    formula = scope.importer.derive.get(name)
    of = formula.names if isinstance(formula, Formula) else ()
    return next(iter(of)) if len(of) == 1 and set(of) <= set(scope.binding.fields) else name


def without_skipped(scope: Scope, frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """The frame without the rows that are no event, and the lines of those by reason."""
    skipped: dict[str, pl.Series] = {}
    for skip in scope.importer.skip:
        marked = scope.computed(frame, {RULE: (scope.holds(skip.when), skip.when.place)})
        frame = marked.filter(~pl.col(RULE)).drop(RULE)
        if frame.height < marked.height:
            lines = marked.filter(RULE)["line"]
            skipped[skip.why] = pl.concat([skipped[skip.why], lines]) if skip.why in skipped else lines
    return frame, skipped


def with_rules(scope: Scope, frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """The frame with the number of the first rule that takes each row, or none."""
    holds = {f"_holds{n}": (scope.holds(rule.when), rule.when.place) for n, rule in enumerate(rules)}
    frame = scope.computed(frame, holds)
    number: Any = pl.lit(None, dtype=pl.UInt16)
    taking = frame.select(pl.col(c).any() for c in holds).row(0) if holds else ()
    for n in (n for n in reversed(range(len(rules))) if taking[n]):
        number = pl.when(pl.col(f"_holds{n}")).then(pl.lit(n, dtype=pl.UInt16)).otherwise(number)
    return frame.with_columns(number.alias(RULE)).drop(holds)


def unexplained(scope: Scope, rows: pl.DataFrame, rules: Sequence[Rule], group: str = "") -> list[Problem]:
    """The rows that no rule took, with their cells."""
    if not rows[RULE].null_count():
        return []
    strange = rows.filter(pl.col(RULE).is_null())
    lines = [str(rule.place.line) for rule in rules]
    tried = (
        f"line {lines[0]}"
        if len(lines) == 1
        else f"{len(lines)} rules, lines {lines[0]} to {lines[-1]}"
        if lines
        else "no rules"
    )
    what = f"no rule of {scope.importer.id}{f', {group},' if group else ''} takes this row"
    said = [
        f"{what}: {_cells(scope, row)} (tried: {Path(scope.importer.file).name}, {tried})" for row in _shown(strange)
    ]
    return named(scope.file, strange["line"].to_list(), said)


def _shown(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    return rows.head(SHOWN).iter_rows(named=True)


def _cells(scope: Scope, row: Mapping[str, Any]) -> str:
    aliases = [a for a in scope.importer.show or scope.binding.fields if row.get(a) is not None]
    return ", ".join(f"{scope.binding.label(a)} {quoted(plain(row[a]))}" for a in aliases) or "its cells are empty"


def plain(cell: Any) -> str:
    """A value as a person writes it."""
    return f"{cell.normalize():f}" if isinstance(cell, Decimal) else str(cell)


def unread(scope: Scope, rows: pl.DataFrame) -> list[Problem]:
    """In a strict mapping, the cells that the rule of their row does not read: they would be lost in silence."""
    if not scope.importer.reading.strict:
        return []
    reads = {n: _reads(scope, scope.importer.rules[n]) for n in rows[RULE].drop_nulls().unique().to_list()}
    problems: list[Problem] = []
    for alias in (c.alias for c in scope.importer.columns if c.alias in rows.columns):
        deaf = [n for n, names in reads.items() if alias not in names]
        lost = rows.filter(pl.col(alias).is_not_null() & pl.col(RULE).is_in(deaf)) if deaf else rows.clear()
        said = [
            f"{scope.binding.label(alias)} {quoted(plain(row[alias]))} says nothing about a row of kind "
            f"'{row['kind']}'; leave it empty"
            for row in _shown(lost)
        ]
        problems += named(scope.file, lost["line"].to_list(), said, scope.binding.fields[alias] + 1)
    return problems


def _reads(scope: Scope, rule: Rule) -> set[str]:
    """The names that a rule and its events read, through derived columns."""
    formulas = [rule.when, *(f for e in rule.events for f in (*e.fields.values(), e.only_if) if isinstance(f, Formula))]
    names = {name for formula in formulas for name in formula.names}
    for derived in reversed(list(scope.importer.derive)):
        if derived in names:
            of = scope.importer.derive[derived]
            names |= {of.of} if isinstance(of, Values) else of.names
    return names
