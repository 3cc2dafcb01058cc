"""Work through the lines of a year's forms in one reading: order, blanks, rounding, totals and columns of lines.

The same walk serves the exact and the column reading. What differs is handed in: the algebra, where values from outside
come from (`supply`), and how a finished amount is kept (`keep`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lotlaw.formula import Algebra, Formula, Reader
from lotlaw.law import Form, Function, Line, Year, exported


class Supply(Protocol):
    """Values from outside the forms, in the reading's own terms."""

    def parameter(self, name: str) -> Any:
        """A parameter's value for the filing status."""

    def origin(self, origin: str, unit: str) -> Any:
        """What `taxpayer.…` or `ledger.…` stands for."""

    def typed(self, line: Line, column: str) -> tuple[Any, Any]:
        """An `input` line's amount (of a column), and whether it is given (not blank)."""

    def total(self, line: Line) -> tuple[Mapping[str, Any], Any]:
        """The Form 8949 totals of a `total_of` line by column, and whether any row is behind them."""


Keep = Callable[[Line, str, Any, Any], Any]
"""Stores the value of a line or column, and the flag that it is not blank (None: never); gives what others read."""


@dataclass
class Sheet:
    """One walk over a year's lines. `functions` may replace some of the algebra's own; `reader` reads the formulas."""

    year: Year
    algebra: Algebra
    supply: Supply
    keep: Keep
    cents: bool = False
    names: dict[str, dict[str, Any]] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    reader: Callable[..., Reader] = Reader
    _readers: dict[str, Reader] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.functions |= {name: self._function(f) for name, f in self.year.functions.items()}

    def fill(self, lines: tuple[Line, ...]) -> None:
        """Work out `lines`, given in an order in which each follows what it reads."""
        for line in lines:
            self._line(self.year.forms[line.form], line)

    def read(self, form: Form, formula: Formula) -> Any:
        """A formula's value on a form."""
        names = self.names.setdefault(form.name, {})
        for name in sorted(formula.names - names.keys()):
            names[name] = self.outside(form, name)
        if form.name not in self._readers:
            self._readers[form.name] = self.reader(self.algebra, names, self.functions)
        return self._readers[form.name].read(formula)

    def _line(self, form: Form, line: Line) -> None:
        names = self.names.setdefault(form.name, {})
        if line.columns:
            amounts, present = self._columns(form, line)
            for column, amount in amounts.items():
                names[f"{line.name}_{column}"] = self.keep(line, column, amount, present)
            names[line.name] = names[f"{line.name}_{list(form.columns)[-1]}"]
            return
        amount, present = self._amount(form, line)
        names[line.name] = self.keep(line, "", self._round(form, line, amount), present)

    def _amount(self, form: Form, line: Line) -> tuple[Any, Any]:
        if line.kind == "input":
            return self.supply.typed(line, "")
        present = self._present(form, line)
        if line.kind == "total_of":
            totals, any_rows = self.supply.total(line)
            flags = [flag for flag in (any_rows, present) if flag is not None]
            return totals[line.total_of["column"]], self.algebra.all_of(flags)
        return (self.read(form, line.formula) if line.formula else None), present

    def _columns(self, form: Form, line: Line) -> tuple[dict[str, Any], Any]:
        """Each column rounded by itself, then the form's own column formulas over the rounded ones."""
        given: Mapping[str, Any]
        if line.kind == "total_of":
            given, present = self.supply.total(line)
            extra = self._present(form, line)
            present = present if extra is None else self.algebra.all_of([present, extra])
        else:
            typed = {column: self.supply.typed(line, column) for column in line.columns}
            given = {column: amount for column, (amount, _) in typed.items()}
            present = self.algebra.any_of([flag for _, flag in typed.values()])
        plain = {
            c: self._round(form, line, given[c]) for c in form.columns if c in given and c not in form.column_formulas
        }
        zero = self.algebra.const(0)
        for column, formula in form.column_formulas.items():
            reader = self.reader(self.algebra, {name: plain.get(name, zero) for name in formula.names})
            plain[column] = reader.read(formula)
        return plain, present

    def _present(self, form: Form, line: Line) -> Any:
        """The flag that a line is not blank, or None if it never is."""
        whole_form = None if line.from_outside else form.only_if
        flags = [self.read(form, f) for f in (whole_form, line.only_if) if f]
        flags += [self.algebra.negate(self.read(form, skip)) for skip in line.skips]
        return self.algebra.all_of(flags) if flags else None

    def _round(self, form: Form, line: Line, amount: Any) -> Any:
        if line.unit != "money" or form.round != "dollar" or self.cents:
            return amount
        return self._own("whole_dollars")(amount)

    def _own(self, name: str) -> Callable[..., Any]:
        return self.functions.get(name) or self.algebra.functions[name]

    def outside(self, form: Form, name: str) -> Any:
        """What a name stands for that is none of the form's own lines: a parameter, or an input."""
        source = form.inputs.get(name)
        if source is None:
            return self.supply.parameter(name)
        line = next(exported(source, self.year.forms), None)
        if line is not None:
            return self.names[line.form][line.name]
        if source.origin.partition(".")[0] in self.year.not_verified:
            return self.algebra.const(0)
        return self.supply.origin(source.origin, source.unit)

    def _function(self, function: Function) -> Callable[..., Any]:
        parameters: dict[str, Any] = {}

        def call(*values: Any) -> Any:
            parameters.update({name: self.supply.parameter(name) for name in function.uses if name not in parameters})
            given = dict(zip(function.arguments, values, strict=True))
            return self.reader(self.algebra, {**parameters, **given}, self.functions).read(function.formula)

        return call
