"""What the formulas of one file can see, and how they are computed over its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from lotlaw.formula import Formula, Mistake, Reader
from lotlaw.importers import options
from lotlaw.importers.binding import Binding
from lotlaw.importers.classes import known
from lotlaw.importers.clock import Clock, day
from lotlaw.importers.language import LINE, TITLE, Importer
from lotlaw.importers.problems import refused
from lotlaw.readings import text
from lotlaw.readings.text import Value, column, flag, number, pointed
from lotlaw.source import Place, Problem, Problems


@dataclass(frozen=True)
class Scope:
    """The mapping, where its columns stand in the file, the clock, and names with their values."""

    importer: Importer
    binding: Binding
    file: str
    clock: Clock
    names: Mapping[str, Value]

    def read(self, formula: Formula) -> Value:
        """A formula's value over the rows. Raises Problems if a function is given what it cannot take."""
        own: dict[str, Callable[..., Value]] = {"date_of": self.date_of, "option": self.option}
        if self.importer.reading.decimal_comma:
            own["num"] = self.num
        value: Value = Reader(text, self.names, own).read(formula)
        return value

    def num(self, cell: Value) -> Value:
        """The number in a text with a decimal comma."""
        return None if cell is None else number(pointed(column(cell).cast(pl.String)))

    def date_of(self, cell: Value) -> Value:
        """The date of a cell, by the mapping's formats."""
        return None if cell is None else day(column(cell), self.clock)

    def option(self, cell: Value, detail: Value = None) -> Value:
        """The name of the option that a cell speaks of, or one thing that it says of it."""
        if detail is not None and detail not in options.SCHEMA:
            raise Mistake(f"an option has {', '.join(list(options.SCHEMA)[1:])}")
        if cell is None:
            return None
        said = known(Path(self.importer.assets)).options
        name = column(cell).cast(pl.String)
        return options.named(name, said) if detail is None else options.detail(name, said, str(detail))

    def holds(self, formula: Formula) -> pl.Expr:
        """Where a condition holds; one that has no answer does not."""
        return (flag(self.read(formula)) & pl.lit(value=True)).fill_null(value=False)

    def seeing(self, names: Mapping[str, Value]) -> Scope:
        """The scope with more names."""
        return replace(self, names={**self.names, **names})

    def computed(self, frame: pl.DataFrame, columns: Mapping[str, tuple[pl.Expr, Place]]) -> pl.DataFrame:
        """The frame with columns computed. Raises Problems at the first formula that these rows give no value for."""
        try:
            return frame.with_columns(expr.alias(name) for name, (expr, _) in columns.items())
        except pl.exceptions.PolarsError:
            for expr, place in columns.values():
                self._tried(frame, expr, place)
            raise

    def _tried(self, frame: pl.DataFrame, expr: pl.Expr, place: Place) -> None:
        try:
            frame.select(expr)
        except pl.exceptions.PolarsError as error:
            if "overflow" in str(error):
                raise refused(self.file, f"numbers too large for the formula at {place}") from None
            reason = str(error).splitlines()[0]
            raise Problems([Problem(place, f"the formula does not fit its columns: {reason}")]) from None


def scope(importer: Importer, binding: Binding, file: str, clock: Clock, said: Mapping[str, Value]) -> Scope:
    """The scope of a file: its columns, and what the header, the lines above it, the name and the user say."""
    reading = importer.reading
    outside = (*reading.preamble, *reading.filename, *reading.footer, TITLE)
    fixed: dict[str, Value] = {"null": None, **dict.fromkeys(outside), **said}
    for col in binding.columns.values():
        fixed[col.alias] = pl.col(col.alias) if col.alias in binding.fields else None
        fixed[f"{col.alias}_hdr"] = binding.caught.get(f"{col.alias}_hdr")
    if importer.wide:
        fixed |= {name: pl.col(name) for name in (importer.wide.name, *(c.alias for c in importer.wide.columns))}
    return Scope(importer, binding, file, clock, {**fixed, LINE: pl.col(LINE).cast(pl.String)})
