"""The column reading of the rules: the lines of many returns at once, from a frame with one row a return.

Columns of the frame: `filing_status`; what comes from outside by its origin (`taxpayer.carryover.short`,
`ledger.dispositions`); typed lines as `typed.<form>.<line>` (and `.<column>`); totals of Form 8949 by group and
column, as `total.box=A.d` or `total.collectible=true,part=II.h`, null where no row is behind them. Money is whole
cents (Int64), flags are Boolean; a column that is not there counts as not given. An amount from outside may be finer
than cents, as a Decimal of up to 18 digits. The answer has a column `<form>.<line>` (and `.<column>`) for each line
asked for, in cents, null where the line is blank or its form does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import polars as pl

from lotlaw.answers import matches
from lotlaw.law import Line, Year, needed
from lotlaw.readings import columns
from lotlaw.sheet import Sheet

SIMPLE = 4
"""How many columns an expression may read before it gets one of its own, not to be worked out many times."""


def work_out_columns(year: Year, frame: pl.DataFrame, forms: Iterable[str], *, cents: bool = False) -> pl.DataFrame:
    """The lines of `forms` for every row of `frame`, in its order. Raises ValueError for amounts out of bounds."""
    _check_bounds(frame)
    plan, wanted = _planned(year, tuple(frame.schema.items()), frozenset(forms), cents=cents)
    return plan.run(frame, wanted)


@lru_cache(maxsize=64)
def _planned(year: Year, schema: tuple[Any, ...], asked: frozenset[str], *, cents: bool) -> tuple[_Plan, list[str]]:
    """The plan for frames that are alike, and the columns wanted of it."""
    lines = [line for form in year.forms if form in asked for line in year.forms[form].lines.values()]
    plan = _Plan(year, dict(schema), needed(year, lines), cents)
    names = (name for line in plan.lines if line.form in asked for name in _column_names(year, line))
    return plan, [name for name in names if name in plan.depth]


def group_name(group: Mapping[str, Any]) -> str:
    """How a group of Form 8949 rows is called in column names: `box=A`, `collectible=true,part=II`."""
    return ",".join(
        f"{key}={str(value).lower() if value in (True, False) else value}" for key, value in sorted(group.items())
    )


def _check_bounds(frame: pl.DataFrame) -> None:
    amounts = frame.select(pl.col(pl.Int64).abs().max())
    for name in amounts.columns:
        largest = amounts[name][0]
        if largest is not None and largest > columns.LARGEST * 10**columns.MONEY:
            message = f"{name}: an amount of {largest:,} cents; at most {columns.LARGEST:,} dollars can be worked with"
            raise ValueError(message)


@dataclass
class _Plan:
    """The expressions of a year's lines, in layers that only read the layers before."""

    year: Year
    schema: Mapping[str, Any]
    lines: list[Line]
    cents: bool
    layers: list[list[pl.Expr]] = field(default_factory=list)
    depth: dict[str, int] = field(default_factory=dict)
    applies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stored = {name: self._stored(columns.functions[name]) for name in ("schedule", "row_middle", "whole_dollars")}
        self._add("status", pl.col("filing_status").cast(pl.Enum(list(self.year.statuses))).to_physical())
        sheet = Sheet(self.year, columns, self, self._keep, self.cents, functions=stored)
        sheet.fill(tuple(self.lines))
        worked = dict.fromkeys(line.form for line in self.lines if not line.from_outside)
        for form in (self.year.forms[name] for name in worked):
            if form.only_if:
                self.applies[form.name] = f"{form.name} applies"
                self._add(self.applies[form.name], sheet.read(form, form.only_if))

    def run(self, frame: pl.DataFrame, wanted: list[str]) -> pl.DataFrame:
        """The wanted columns, in the frame's order; of all others, the engine keeps a few rows at a time."""
        lazy = frame.lazy()
        for layer in self.layers:
            lazy = lazy.with_columns(layer)
        return lazy.select(map(self._shown, wanted)).collect(engine="streaming")

    def _shown(self, name: str) -> pl.Expr:
        """A line, blank where its form does not apply: what others read of it is not."""
        flag = self.applies.get(name.partition(".")[0])
        return pl.when(flag).then(pl.col(name)).alias(name) if flag else pl.col(name)

    def _add(self, name: str, expr: pl.Expr) -> pl.Expr:
        """Put a column into the first layer that comes after all it reads."""
        depth = 1 + max((self.depth.get(read, -1) for read in expr.meta.root_names()), default=-1)
        self.depth[name] = depth
        if len(self.layers) <= depth:
            self.layers.append([])
        self.layers[depth].append(expr.alias(name))
        return pl.col(name)

    def _keep(self, line: Line, column: str, value: Any, present: Any) -> Any:
        amount = isinstance(value, columns.Scaled)
        expr = value.at(columns.MONEY) if amount else value
        kept = self._add(_column_name(line, column), expr if present is None else pl.when(present).then(expr))
        if present is not None:
            kept = kept.fill_null(0 if amount else False)
        return columns.money(kept) if amount else kept

    def _stored(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose amount gets a column of its own first: it is read many times over."""

        def call(amount: columns.Scaled, *rest: Any) -> Any:
            if len(amount.whole.meta.root_names()) > SIMPLE:
                amount = columns.Scaled(self._add(f"amount {len(self.depth)}", amount.whole), amount.places)
            return function(amount, *rest)

        return call

    def parameter(self, name: str) -> Any:
        """A parameter: a constant, or a column looked up by filing status where it differs."""
        by_status = [self.year.parameter(name, status) for status in self.year.statuses]
        if not isinstance(by_status[0], list):
            return columns.const(self._by_status(name, by_status))
        rows = zip(*by_status, strict=True)
        return [
            {key: self._by_status(f"{name} {n} {key}", [row[key] for row in row_by_status]) for key in row_by_status[0]}
            for n, row_by_status in enumerate(rows)
        ]

    def _by_status(self, name: str, values: list[Any]) -> Any:
        if all(value == values[0] for value in values):
            return values[0]
        if name not in self.depth:
            cents = pl.Series([int(Decimal(value).scaleb(columns.MONEY)) for value in values], dtype=pl.Int64)
            self._add(name, pl.lit(cents).gather(pl.col("status")))
        return columns.money(pl.col(name))

    def origin(self, origin: str, unit: str) -> Any:
        """What a column of the frame holds, or zero or no."""
        if unit == "flag":
            return pl.col(origin) if origin in self.schema else pl.lit(False)
        if origin not in self.schema:
            return columns.const(0)
        finer = self.schema[origin]
        if isinstance(finer, pl.Decimal):
            return columns.Scaled(pl.col(origin).to_physical().cast(pl.Int64), finer.scale)
        return columns.money(pl.col(origin)) if unit == "money" else columns.Scaled(pl.col(origin), 0)

    def typed(self, line: Line, column: str) -> tuple[Any, Any]:
        """A typed amount, blank where it is null or zero."""
        name = "typed." + _column_name(line, column)
        if name not in self.schema:
            return columns.const(0), pl.lit(False)
        given = pl.col(name).fill_null(0)
        return columns.money(given), given != 0

    def total(self, line: Line) -> tuple[Mapping[str, Any], Any]:
        """The sums of the groups that a line takes, blank where no row is behind any of them."""
        letters = line.columns or (line.total_of["column"],)
        groups = sorted({name[: name.rindex(".")] for name in self.schema if name.startswith("total.")})
        chosen = [name for name in groups if matches(line.total_of, _group(name))]
        if not chosen:
            return {letter: columns.const(0) for letter in letters}, pl.lit(False)
        sums = {
            letter: columns.money(pl.sum_horizontal(f"{g}.{letter}" for g in chosen if f"{g}.{letter}" in self.schema))
            for letter in letters
        }
        return sums, pl.any_horizontal(pl.col(f"{group}.{letters[-1]}").is_not_null() for group in chosen)


def _group(name: str) -> dict[str, Any]:
    pairs = (pair.split("=") for pair in name.removeprefix("total.").split(","))
    return {key: {"true": True, "false": False}.get(value, value) for key, value in pairs}


def _column_name(line: Line, column: str) -> str:
    return f"{line.form}.{line.id}" + (f".{column}" if column else "")


def _column_names(year: Year, line: Line) -> list[str]:
    return [_column_name(line, column) for column in (year.forms[line.form].columns if line.columns else ("",))]
