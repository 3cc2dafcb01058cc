"""Turn the cells of an export into rows of the ledger: derive, skip, group, choose a rule for each, write what it says.

Everything is columns. A rule is chosen for all rows at once (the first whose condition holds); a field is written once
if all rules that took a row agree on it, else by rule. What nothing explains is named with its line and cells: no row
is guessed or dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.formula import Formula, did_you_mean
from lotlaw.importers.canonical import table
from lotlaw.importers.groups import grouped
from lotlaw.importers.language import TIME, Event, Rule, Values
from lotlaw.importers.problems import SHOWN, named, quoted
from lotlaw.importers.scope import Scope
from lotlaw.importers.tidying import borne_out, tidied
from lotlaw.readings.text import Value, column
from lotlaw.source import Place, Problem

RULE = "_rule"
PLAIN = {"line": pl.Int32, "part": pl.UInt16, "rule": pl.UInt16}


@dataclass(frozen=True)
class Written:
    """Rows with the fields that rules wrote, `line`, `rule` (into `rules`), `part` (of an event); what was left out."""

    rows: pl.DataFrame
    rules: tuple[Rule, ...]
    left_out: Mapping[str, pl.Series]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    def skipped(self) -> dict[str, int]:
        """How many rows were left out, by reason."""
        return {why: len(lines) for why, lines in self.left_out.items()}


def events(scope: Scope, frame: pl.DataFrame) -> Written:
    """The rows that a mapping writes for the cells of `frame`, in the order of their first line."""
    scope, frame, problems = _derived(scope, frame)
    notes, more = borne_out(scope, frame)
    frame, tidy, alone = tidied(scope, frame)
    problems += [*more, *alone]
    frame, skipped = _skipped(scope, frame)
    parts: list[pl.DataFrame] = []
    rules: list[Rule] = []
    for group in scope.importer.groups:
        found = grouped(scope, group, frame)
        chosen = _chosen(found.scope, found.rows, group.rules)
        problems += [*found.problems, *_unexplained(scope, chosen, group.rules, group.name)]
        parts += _written(found.scope, chosen, group.rules, len(rules), found.items)
        frame, rules = found.rest, [*rules, *group.rules]
    chosen = _chosen(scope, frame, scope.importer.rules)
    problems += [*_unexplained(scope, chosen, scope.importer.rules), *_unread(scope, chosen)]
    parts += _written(scope, chosen, scope.importer.rules, len(rules), {})
    return Written(
        _together(parts), (*rules, *scope.importer.rules), {**tidy, **skipped}, tuple(problems), tuple(notes)
    )


def rehearse(scope: Scope, frame: pl.DataFrame) -> None:
    """Compute every formula over the columns of an empty frame. Raises Problems at the first that does not fit them."""
    scope, frame, _ = _derived(scope, frame)
    borne_out(scope, frame)
    frame, _, _ = tidied(scope, frame)
    frame, _ = _skipped(scope, frame)
    for group in scope.importer.groups:
        found = grouped(scope, group, frame)
        _rehearse(found.scope, found.rows, group.rules, found.items)
    _rehearse(scope, frame, scope.importer.rules, {})


def _rehearse(scope: Scope, rows: pl.DataFrame, rules: Sequence[Rule], items: Mapping[str, pl.DataFrame]) -> None:
    rows = _chosen(scope, rows, rules)
    for n, rule in enumerate(rules):
        for event in rule.events:
            source = rows if event.each is None else _item_rows(rows, items[event.each])
            _fields(scope, _wanted(scope, source, {n: event}), {n: event}, 0, 0)


def _derived(scope: Scope, frame: pl.DataFrame) -> tuple[Scope, pl.DataFrame, list[Problem]]:
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
    rows, label = frame.filter(strange), scope.binding.label(values.of)
    cells = rows.head(SHOWN).select(of).to_series().to_list()
    said = [f"unknown {label} {quoted(c)}{did_you_mean(c, values.labels)}" for c in cells]
    field = scope.binding.fields.get(values.of, -1) + 1
    return frame.filter(~strange), named(scope.file, rows["line"].to_list(), said, field)


def _skipped(scope: Scope, frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """The frame without the rows that are no event, and the lines of those by reason."""
    skipped: dict[str, pl.Series] = {}
    for skip in scope.importer.skip:
        marked = scope.computed(frame, {RULE: (scope.holds(skip.when), skip.when.place)})
        frame = marked.filter(~pl.col(RULE)).drop(RULE)
        if frame.height < marked.height:
            lines = marked.filter(RULE)["line"]
            skipped[skip.why] = pl.concat([skipped[skip.why], lines]) if skip.why in skipped else lines
    return frame, skipped


def _chosen(scope: Scope, frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """The frame with the number of the first rule that takes each row, or none."""
    holds = {f"_holds{n}": (scope.holds(rule.when), rule.when.place) for n, rule in enumerate(rules)}
    frame = scope.computed(frame, holds)
    number: Any = pl.lit(None, dtype=pl.UInt16)
    taking = frame.select(pl.col(c).any() for c in holds).row(0) if holds else ()
    for n in (n for n in reversed(range(len(rules))) if taking[n]):
        number = pl.when(pl.col(f"_holds{n}")).then(pl.lit(n, dtype=pl.UInt16)).otherwise(number)
    return frame.with_columns(number.alias(RULE)).drop(holds)


def _unexplained(scope: Scope, rows: pl.DataFrame, rules: Sequence[Rule], group: str = "") -> list[Problem]:
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


def _unread(scope: Scope, rows: pl.DataFrame) -> list[Problem]:
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


def _written(
    scope: Scope, rows: pl.DataFrame, rules: Sequence[Rule], base: int, items: Mapping[str, pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """The events of the rules that took rows: the first of each rule, then the second, and so on."""
    numbers = rows[RULE]
    hits = numbers.drop_nulls().unique().sort().to_list()
    for part in range(max((len(rules[n].events) for n in hits), default=0)):
        events = {n: rules[n].events[part] for n in hits if part < len(rules[n].events)}
        for each in dict.fromkeys(event.each for event in events.values()):
            mine = {n: event for n, event in events.items() if event.each == each}
            source = rows if each is None else _item_rows(rows, items[each])
            if each is not None or len(mine) < len(hits) or numbers.null_count():
                source = source.filter(pl.col(RULE).is_in(list(mine)))
            yield _fields(scope, _wanted(scope, source, mine), mine, base, part)


def _item_rows(rows: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The rows of a leg, each with what is known of its group."""
    return items.join(rows.drop("line", "source_row"), on="_group")


def _wanted(scope: Scope, rows: pl.DataFrame, events: Mapping[int, Event]) -> pl.DataFrame:
    """The rows whose event has no condition, or one that holds."""
    for n, event in events.items():
        if event.only_if:
            holds = (pl.col(RULE) != n) | scope.holds(event.only_if)
            rows = scope.computed(rows, {"_if": (holds, event.only_if.place)}).filter("_if").drop("_if")
    return rows


def _fields(scope: Scope, rows: pl.DataFrame, events: Mapping[int, Event], base: int, part: int) -> pl.DataFrame:
    """One row for each of `rows`, with the fields its rule's event writes."""
    names = dict.fromkeys(name for event in events.values() for name in event.fields)
    taken = [
        a for a in scope.binding.fields if a in rows.columns and a not in {c.alias for c in scope.importer.columns}
    ]
    fields = {
        f"={n}": f
        for n in (*names, *(t for t in taken if t not in names))
        if (f := _field(scope, n, events, n in taken))
    }
    written = scope.computed(rows, fields)
    kept = [c for c in ("line", "source_row", "_cells") if c in rows.columns]
    return written.select(
        *kept, (pl.col(RULE) + base).alias("rule"), pl.lit(part, dtype=pl.UInt16).alias("part"),
        *(pl.col(f).alias(f[1:]) for f in fields),
    )  # fmt: skip


def _field(scope: Scope, name: str, events: Mapping[int, Event], taken: bool) -> tuple[pl.Expr, Place] | None:
    """A field over all rows: what the file itself says under its name, else what each row's rule says."""
    said: dict[str, tuple[Value, list[int]]] = {}
    place = Place(scope.importer.file)
    for n, event in events.items():
        given = event.fields.get(name)
        value: Value = scope.read(given) if isinstance(given, Formula) else given
        place = given.place if isinstance(given, Formula) else place
        key = "" if value is None else f"={given.text}" if isinstance(given, Formula) else f"'{given}"
        said.setdefault(key, (value, []))[1].append(n)
    dtype = pl.String() if name == TIME else table().dtype(name)
    *others, (last, _) = [(_fitting(column(value), dtype), numbers) for value, numbers in said.values()]
    whole = last
    for value, numbers in others:
        whole = pl.when(pl.col(RULE).is_in(numbers)).then(value).otherwise(whole)
    if taken:
        return pl.coalesce(pl.col(name).cast(dtype), whole), place
    return None if list(said) == [""] else (whole, place)


def _fitting(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A formula's value as a column of the table; dates may be ISO text."""
    return value.cast(pl.String).str.to_date("%Y-%m-%d") if dtype == pl.Date else value.cast(dtype)


def _together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All parts as one frame in the order of the file; several rows of one line in the order they were written."""
    parts = [part for part in parts if part.height]
    if not parts:
        return pl.DataFrame(schema=PLAIN)
    if len(parts) == 1:
        return parts[0]
    return pl.concat(parts, how="diagonal").sort("line", "part", maintain_order=True)
