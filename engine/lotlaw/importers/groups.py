"""Rows that are one event together: found by a condition, joined by keys, divided into legs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import polars as pl

from lotlaw.formula import Formula
from lotlaw.importers.clock import when
from lotlaw.importers.language import Allocation, Group, Leg, Within
from lotlaw.importers.problems import named
from lotlaw.importers.scope import Scope
from lotlaw.readings.text import DECIMAL, DECIMALS, Value, column
from lotlaw.source import Problem, Problems

KEY = "_group"
DIGITS = 60
"""More than the largest amount has."""


@dataclass(frozen=True)
class Grouped:
    """One row for each group, what formulas see of it, the rows of legs that are written singly, and the other rows."""

    scope: Scope
    rows: pl.DataFrame
    items: Mapping[str, pl.DataFrame]
    rest: pl.DataFrame
    problems: list[Problem]


def grouped(scope: Scope, group: Group, frame: pl.DataFrame) -> Grouped:
    """Join the rows that a group takes. A row with an empty key is left to the other rules."""
    key = pl.concat_str([column(scope.read(by)).cast(pl.String) for by in group.by], separator="\x1f")
    place = group.when.place
    marked = scope.computed(frame, {KEY: (pl.when(scope.holds(group.when)).then(key), place)})
    mine, rest = marked.filter(pl.col(KEY).is_not_null()), marked.filter(pl.col(KEY).is_null()).drop(KEY)
    if group.within:
        mine = _near(scope, group.within, mine)
    for name, leg in group.legs.items():
        mine = scope.computed(mine, {f"_in.{name}": (scope.holds(leg.where), leg.where.place)})
    wanted = _wanted(group)
    whole = _whole(scope, group, mine, wanted, frame.columns)
    problems = [p for name, leg in group.legs.items() for p in _mixed(scope, group, name, leg, whole)]
    seen = _seeing(scope, group, wanted)
    items = {name: _items(mine, name, leg) for name, leg in group.legs.items() if name in _each(group)}
    for name, allocation in group.allocate.items():
        if allocation.over in items:
            items[allocation.over] = _allocated(seen, name, allocation, whole, items[allocation.over])
    return Grouped(seen, whole, items, rest, problems)


def _near(scope: Scope, within: Within, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with a key that tells those apart which are further than some seconds from the one before."""
    rows = scope.computed(rows, {"_at": (column(scope.read(within.of)).cast(pl.String), within.of.place)})
    date, instant = when(rows["_at"], scope.clock)
    time = date.cast(pl.Datetime("us", "UTC")) if instant is None else instant
    rows = (
        rows.drop("_at").with_columns(time.alias("_time"), pl.int_range(pl.len()).alias("_n")).sort(KEY, "_time", "_n")
    )
    far = (pl.col("_time").diff() > pl.duration(seconds=within.seconds)).fill_null(value=True)
    run = far.cum_sum().over(KEY).cast(pl.String)
    return rows.with_columns(pl.concat_str(KEY, run, separator="\x1f")).sort("_n").drop("_n", "_time")


def _formulas(group: Group) -> Iterator[Formula]:
    yield from (allocation.of for allocation in group.allocate.values())
    for rule in group.rules:
        yield rule.when
        for event in rule.events:
            yield from (f for f in (*event.fields.values(), event.only_if) if isinstance(f, Formula))


def _wanted(group: Group) -> set[str]:
    """The fields of legs that the group's rules read: `leg.field`."""
    return {name for formula in _formulas(group) for name in formula.names if "." in name}


def _each(group: Group) -> set[str]:
    return {event.each for rule in group.rules for event in rule.events if event.each}


def _whole(scope: Scope, group: Group, rows: pl.DataFrame, wanted: set[str], columns: list[str]) -> pl.DataFrame:
    """One row for each group: of a column that belongs to no leg the first row's cell, and what is read of the legs."""
    legs = [expr for name, leg in group.legs.items() for expr in _leg(scope, name, leg, wanted)]
    cells = [pl.col("_cells").str.join("\x1e")] if "_cells" in columns else []
    first = pl.col([c for c in columns if c != "_cells"]).first()
    try:
        return rows.group_by(KEY, maintain_order=True).agg(first, *cells, _lines(), *legs)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise Problems(
            [Problem(group.when.place, f"{group.name}: its legs do not fit their columns: {reason}")]
        ) from None


def _lines() -> pl.Expr:
    """The lines that a group comes from, where they are several."""
    lines = pl.col("line").unique(maintain_order=True)
    return pl.when(lines.len() > 1).then(lines.cast(pl.String).str.join(";")).alias("source_row")


def _leg(scope: Scope, name: str, leg: Leg, wanted: set[str]) -> Iterator[pl.Expr]:
    inside = pl.col(f"_in.{name}")
    yield inside.sum().cast(DECIMAL).alias(f"{name}.n")
    for alias in leg.same:
        yield column(scope.names[alias]).filter(inside).n_unique().alias(f"_same.{name}.{alias}")
    for full in sorted(wanted):
        owner, _, alias = full.partition(".")
        if owner == name and alias != "n":
            cells = column(scope.names[alias]).filter(inside)
            yield (cells.sum() if alias in leg.sum else cells.slice(leg.skip, leg.take).first()).alias(full)


def _mixed(scope: Scope, group: Group, name: str, leg: Leg, rows: pl.DataFrame) -> list[Problem]:
    """Groups with a leg that holds two different values where there must be one: they cannot be added up."""
    problems: list[Problem] = []
    for alias in leg.same:
        bad = rows.filter(pl.col(f"_same.{name}.{alias}") > 1)
        said = f"{group.name}: several values of {scope.binding.label(alias)} in leg '{name}', which must agree"
        problems += named(scope.file, bad["line"].to_list(), said)
    return problems


def _items(rows: pl.DataFrame, name: str, leg: Leg) -> pl.DataFrame:
    """The rows of a leg that are written one by one, under `it.`, with the key of their group."""
    inside = pl.col(f"_in.{name}")
    number = inside.cum_sum().over(KEY) - 1
    kept = inside & (number >= leg.skip)
    if leg.take is not None:
        kept = kept & (number < leg.skip + leg.take)
    return rows.filter(kept).select(KEY, "line", pl.exclude(KEY).name.prefix("it."))


def _seeing(scope: Scope, group: Group, wanted: set[str]) -> Scope:
    names: dict[str, Value] = {f"{leg}.n": pl.col(f"{leg}.n") for leg in group.legs}
    names |= {full: pl.col(full) for full in wanted if not full.startswith("it.")}
    names |= {f"it.{name}": pl.col(f"it.{name}") for name in group.allocate}
    names |= {f"it.{a}": pl.col(f"it.{a}") if isinstance(v, pl.Expr) else v for a, v in scope.names.items()}
    return scope.seeing(names)


def _allocated(
    scope: Scope, name: str, allocation: Allocation, rows: pl.DataFrame, items: pl.DataFrame
) -> pl.DataFrame:
    """The items of a leg with their part of an amount; parts are rounded down, and the last has what is left over."""
    of = scope.computed(rows, {"_of": (column(scope.read(allocation.of)).cast(DECIMAL), allocation.of.place)})
    joined = items.join(of.select(KEY, "_of"), on=KEY, how="left", maintain_order="left")
    joined = scope.computed(joined, {"_by": (column(scope.read(allocation.by)).cast(DECIMAL), allocation.by.place)})
    parts = joined.group_by(KEY, maintain_order=True).agg("_of", "_by")
    by_key = {key: _parts(of[0], by) for key, of, by in parts.rows()}
    taken = dict.fromkeys(by_key, 0)
    values: list[Decimal | None] = []
    for key in joined[KEY].to_list():
        values.append(by_key[key][taken[key]])
        taken[key] += 1
    return joined.drop("_of", "_by").with_columns(pl.Series(f"it.{name}", values, dtype=DECIMAL))


def _parts(amount: Decimal | None, weights: Sequence[Decimal | None]) -> list[Decimal | None]:
    """An amount in proportion to weights, exact to the last decimal; nothing where it or a weight is not known."""
    known = [weight for weight in weights if weight is not None]
    if amount is None or len(known) < len(weights) or not sum(known):
        return [None] * len(weights)
    with localcontext(prec=DIGITS):
        scaled = [int(weight.scaleb(DECIMALS)) for weight in known]
        units = int(amount.scaleb(DECIMALS))
        parts = [units * weight // sum(scaled) for weight in scaled[:-1]]
        return [Decimal(part).scaleb(-DECIMALS) for part in (*parts, units - sum(parts))]
