"""Turn the cells of an export into rows of the ledger: derive, skip, group, choose a rule for each, write what it says.

Everything is columns. A rule is chosen for all rows at once (the first whose condition holds); a field is written once
if all rules that took a row agree on it, else by rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lotlaw.formula import Formula
from lotlaw.importers.canonical import table
from lotlaw.importers.choosing import RULE, derived, unexplained, unread, with_rules, without_skipped
from lotlaw.importers.groups import grouped
from lotlaw.importers.language import TIME, Event, Rule
from lotlaw.importers.problems import named, quoted
from lotlaw.importers.scope import Scope
from lotlaw.importers.tidying import borne_out, tidied
from lotlaw.readings.text import Value, column
from lotlaw.source import Place, Problem, Problems

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
    scope, frame, problems = derived(scope, frame)
    notes, more = borne_out(scope, frame)
    frame, tidy, alone = tidied(scope, frame)
    problems += [*more, *alone]
    frame, skipped = without_skipped(scope, frame)
    parts: list[pl.DataFrame] = []
    rules: list[Rule] = []
    for group in scope.importer.groups:
        found = grouped(scope, group, frame)
        chosen = with_rules(found.scope, found.rows, group.rules)
        problems += [*found.problems, *unexplained(scope, chosen, group.rules, group.name)]
        parts += _written(found.scope, chosen, group.rules, len(rules), found.items)
        frame, rules = found.rest, [*rules, *group.rules]
    chosen = with_rules(scope, frame, scope.importer.rules)
    problems += [*unexplained(scope, chosen, scope.importer.rules), *unread(scope, chosen)]
    parts += _written(scope, chosen, scope.importer.rules, len(rules), {})
    return Written(
        _together(parts), (*rules, *scope.importer.rules), {**tidy, **skipped}, tuple(problems), tuple(notes)
    )


def rehearse(scope: Scope, frame: pl.DataFrame) -> None:
    """Compute every formula over the columns of an empty frame. Raises Problems at the first that does not fit them."""
    scope, frame, _ = derived(scope, frame)
    borne_out(scope, frame)
    frame, _, _ = tidied(scope, frame)
    frame, _ = without_skipped(scope, frame)
    for group in scope.importer.groups:
        found = grouped(scope, group, frame)
        _rehearse(found.scope, found.rows, group.rules, found.items)
    _rehearse(scope, frame, scope.importer.rules, {})


def _rehearse(scope: Scope, rows: pl.DataFrame, rules: Sequence[Rule], items: Mapping[str, pl.DataFrame]) -> None:
    rows = with_rules(scope, rows, rules)
    for n, rule in enumerate(rules):
        for event in rule.events:
            source = rows if event.each is None else _item_rows(rows, items[event.each])
            _fields(scope, _wanted(scope, source, {n: event}), {n: event}, 0, 0)


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
    try:
        written = scope.computed(rows, fields)
    except Problems:
        said = {name: name in taken for name in (field[1:] for field in fields) if name != TIME}
        unknown = list(_unknown(scope, rows, events, said))
        if unknown:
            raise Problems(unknown) from None
        raise
    kept = [c for c in ("line", "source_row", "_cells") if c in rows.columns]
    return written.select(
        *kept, (pl.col(RULE) + base).alias("rule"), pl.lit(part, dtype=pl.UInt16).alias("part"),
        *(pl.col(f).alias(f[1:]) for f in fields),
    )  # fmt: skip


def _unknown(
    scope: Scope, rows: pl.DataFrame, events: Mapping[int, Event], said: Mapping[str, bool]
) -> Iterator[Problem]:
    """Cells of the file that a field takes as they are, and that are none of its words, or no whole number."""
    for name, taken in said.items():
        dtype = table().dtype(name)
        field = _field(scope, name, events, taken, pl.String()) if isinstance(dtype, (pl.Enum, pl.Int32)) else None
        if field:
            told = rows.select("line", word=field[0]).filter(pl.col("word").cast(dtype, strict=False).is_null())
            told = told.drop_nulls("word")
            words = (
                f"; it is one of {', '.join(dtype.categories)}"
                if isinstance(dtype, pl.Enum)
                else "; it is a whole number"
            )
            yield from named(
                scope.file, told["line"].to_list(), [f"unknown {name} {quoted(w)}{words}" for w in told["word"]]
            )


def _field(
    scope: Scope, name: str, events: Mapping[int, Event], taken: bool, dtype: pl.DataType | None = None
) -> tuple[pl.Expr, Place] | None:
    """A field over all rows: what the file itself says under its name, else what each row's rule says."""
    said: dict[str, tuple[Value, list[int]]] = {}
    place = Place(scope.importer.file)
    for n, event in events.items():
        given = event.fields.get(name)
        value: Value = scope.read(given) if isinstance(given, Formula) else given
        place = given.place if isinstance(given, Formula) else place
        key = "" if value is None else f"={given.text}" if isinstance(given, Formula) else f"'{given}"
        said.setdefault(key, (value, []))[1].append(n)
    dtype = dtype or (pl.String() if name == TIME else table().dtype(name))
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
