"""The column reading of the rules: the lines of many returns at once, from a frame with one row a return.

Column names of the frame: `filing_status`; what comes from outside by its origin (`taxpayer.carryover.short`, `ledger.dispositions`);
typed lines as `typed.<form>.<line>` (`…​.<column>`); totals of Form 8949 as `total.box=A.d`, or `total.collectible=true,part=II.h`, null where no
row is behind them. Money is whole cents (Int64), flags are Boolean; a column that is not there counts as not given. The answer has a
column `<form>.<line>` (`…​.<column>`) for each line asked for, in cents, null where the line is blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lotlaw.answers import matches
from lotlaw.law import Line, Year, reads
from lotlaw.readings import columns
from lotlaw.sheet import Sheet

ROWS_AT_ONCE = 100_000


def work_out_columns(year: Year, frame: pl.DataFrame, forms: Iterable[str], *, cents: bool = False) -> pl.DataFrame:
    """The lines of `forms` for every row of `frame`, in its order. Raises ValueError for an amount beyond the bounds."""
    _check_bounds(frame)
    lines = _needed(year, list(forms))
    wanted = [line for line in lines if line.form in set(forms)]
    numbered = frame.with_row_index("row")
    parts = []
    for (status,), part in numbered.group_by("filing_status", maintain_order=True):
        plan = _Plan(year, str(status), frame.schema, lines, cents)
        for start in range(0, part.height, ROWS_AT_ONCE):
            parts.append(plan.run(part.slice(start, ROWS_AT_ONCE), wanted))
    return pl.concat(parts).sort("row").drop("row")


def group_name(group: Mapping[str, Any]) -> str:
    """How a group of Form 8949 rows is called in column names: `box=A`, `collectible=true,part=II`."""
    return ",".join(
        f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in sorted(group.items())
    )


def _check_bounds(frame: pl.DataFrame) -> None:
    amounts = frame.select(pl.col(pl.Int64).abs().max())
    for name in amounts.columns:
        largest = amounts[name][0]
        if largest is not None and largest > columns.LARGEST * 10**columns.MONEY:
            message = f"{name}: an amount of {largest:,} cents; at most {columns.LARGEST:,} dollars can be worked with"
            raise ValueError(message)


def _needed(year: Year, forms: list[str]) -> list[Line]:
    """The lines of `forms` and all lines they read, in order."""
    wanted: set[tuple[str, str]] = set()

    def visit(line: Line) -> None:
        if (line.form, line.id) not in wanted:
            wanted.add((line.form, line.id))
            for other in reads(year.forms[line.form], line, year.forms):
                visit(other)

    for form in forms:
        for line in year.forms[form].lines.values():
            visit(line)
    return [line for line in year.order if (line.form, line.id) in wanted]


@dataclass
class _Plan:
    """The expressions of one filing status, in layers that only read the layers before."""

    year: Year
    status: str
    schema: Mapping[str, pl.DataType]
    lines: list[Line]
    cents: bool
    layers: list[list[pl.Expr]] = field(default_factory=list)
    depth: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sheet = Sheet(self.year, self.status, columns, self, self._keep, self.cents)
        sheet.fill(tuple(self.lines))

    def run(self, frame: pl.DataFrame, wanted: list[Line]) -> pl.DataFrame:
        for layer in self.layers:
            frame = frame.with_columns(layer)
        names = [name for line in wanted for name in _column_names(self.year, line) if name in frame.columns]
        return frame.select("row", *names)

    def _keep(self, line: Line, column: str, value: Any, present: Any) -> Any:
        name = f"{line.form}.{line.id}" + (f".{column}" if column else "")
        amount = isinstance(value, columns.Scaled)
        expr = value.at(columns.MONEY) if amount else value
        if present is not None:
            expr = pl.when(present).then(expr)
        depth = 1 + max((self.depth.get(read, -1) for read in expr.meta.root_names()), default=-1)
        self.depth[name] = depth
        while len(self.layers) <= depth:
            self.layers.append([])
        self.layers[depth].append(expr.alias(name))
        kept = pl.col(name) if present is None else pl.col(name).fill_null(0 if amount else False)
        return columns.money(kept) if amount else kept

    def origin(self, origin: str, unit: str) -> Any:
        if unit == "flag":
            return pl.col(origin) if origin in self.schema else pl.lit(False)
        if origin not in self.schema:
            return columns.const(0)
        return columns.money(pl.col(origin)) if unit == "money" else columns.Scaled(pl.col(origin), 0)

    def typed(self, line: Line, column: str) -> tuple[Any, Any]:
        name = f"typed.{line.form}.{line.id}" + (f".{column}" if column else "")
        if name not in self.schema:
            return columns.const(0), pl.lit(False)
        given = pl.col(name).fill_null(0)
        return columns.money(given), given != 0

    def total(self, line: Line) -> tuple[Mapping[str, Any], Any]:
        letters = line.columns or (line.total_of["column"],)
        groups = sorted({name[: name.rindex(".")] for name in self.schema if name.startswith("total.")})
        chosen = [name for name in groups if matches(line.total_of, _group(name))]
        if not chosen:
            return {c: columns.const(0) for c in letters}, pl.lit(False)
        sums = {
            c: columns.money(pl.sum_horizontal(f"{g}.{c}" for g in chosen if f"{g}.{c}" in self.schema))
            for c in letters
        }
        return sums, pl.any_horizontal(pl.col(f"{g}.{letters[-1]}").is_not_null() for g in chosen)


def _group(name: str) -> dict[str, Any]:
    pairs = (pair.split("=") for pair in name.removeprefix("total.").split(","))
    words = {"true": True, "false": False}
    return {key: words.get(value, value) for key, value in pairs}


def _column_names(year: Year, line: Line) -> list[str]:
    name = f"{line.form}.{line.id}"
    return [f"{name}.{column}" for column in year.forms[line.form].columns] if line.columns else [name]
