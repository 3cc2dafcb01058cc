"""Watch formulas while examples are worked out: which conditions held, which argument decided, which numbers were read.

What is read for a line that stays blank is not seen to do anything, but for what makes it blank.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from lotlaw.check.worked import Example, Ran, run
from lotlaw.formula import Formula, Reader
from lotlaw.law import Line, Year
from lotlaw.source import Place

HOLDS, FAILS = "holds", "does not hold"
DECIDING = ("min", "max")


class Side(NamedTuple):
    """Something a part of a formula can do: a condition holds or not, an argument of min or max decides."""

    place: Place
    at: int
    end: int
    does: str


class Number(NamedTuple):
    """A value of a parameter: its row (of brackets and steps, counted from 1; else 0), and the filing status."""

    name: str
    row: int
    status: str


Seen = Side | Number


def sides_of(formula: Formula, flags: frozenset[str]) -> Iterator[tuple[Side, str]]:
    """All that the parts of a formula can do, each with the part in question; `flags` are names that are yes or no."""
    for node in ast.walk(formula.tree):
        if _is_condition(node, flags):
            for does in (HOLDS, FAILS):
                yield _side(formula, node, does), f"`{ast.unparse(node)}` {does}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DECIDING:
            for n, value in enumerate(node.args):
                yield _side(formula, node, str(n)), f"`{ast.unparse(value)}` decides in `{ast.unparse(node)}`"


def _is_condition(node: ast.AST, flags: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in flags
    negation = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return negation or isinstance(node, ast.Compare | ast.BoolOp)


def _side(formula: Formula, node: ast.AST, does: str) -> Side:
    return Side(formula.place, getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0) or 0, does)


@dataclass
class Watch:
    """What was seen of a year's formulas while examples were worked out, and which lines were not blank."""

    year: Year
    seen: set[Seen] = field(default_factory=set)
    filled: set[tuple[str, str]] = field(default_factory=set)
    _pending: list[tuple[Place, Seen]] = field(default_factory=list)
    _status: str = ""

    def example(self, example: Example) -> Ran:
        """Work an example out, and see what it does."""
        status = example.said["given"].get("status", next(iter(self.year.statuses)))
        self._status = self.year.same_as.get(status, status)
        ran = run(self.year, example, self._reader, self._finished)
        self.seen |= {seen for _, seen in self._pending}
        self._pending.clear()
        self.filled |= set(ran.found)
        return ran

    def note(self, place: Place, seen: Seen) -> None:
        """Something that a formula did, in the course of the line that is being worked out."""
        self._pending.append((place, seen))

    def number(self, place: Place, name: str, row: int = 0) -> None:
        """A parameter that was read, or a row of it that an amount reached."""
        parameter = self.year.parameters[name]
        differs = isinstance(parameter.value, Mapping) or parameter.unit == "brackets"
        self.note(place, Number(name, row, self._status if differs else ""))

    def _reader(self, *arguments: Any) -> Reader:
        return _Watching(self, *arguments)

    def _finished(self, line: Line, present: Any) -> None:
        """A line is worked out: keep what was seen, of a blank line only what makes it blank."""
        whole = self.year.forms[line.form].only_if
        if present is not None and not present:
            out = whole is not None and any(seen == _top(whole, FAILS) for _, seen in self._pending)
            causes = [whole] if out else [whole, line.only_if, *line.skips]
            places = {formula.place for formula in causes if formula}
            self.seen |= {seen for place, seen in self._pending if place in places}
        else:
            self.seen |= {seen for _, seen in self._pending}
        self._pending.clear()


def _top(formula: Formula, does: str) -> Side:
    return _side(formula, formula.tree, does)


class _Watching(Reader):
    """Reads as `Reader` does, and tells a Watch."""

    def __init__(
        self, watch: Watch, algebra: Any, names: Mapping[str, Any], functions: Mapping[str, Any] | None = None
    ) -> None:
        watched = {"min": self._bound(min), "max": self._bound(max)}
        tables = {name: self._table(algebra.functions[name], _ROWS[name]) for name in _ROWS}
        super().__init__(algebra, names, {**(functions or {}), **watched, **tables})
        self.watch = watch
        self.formula: Formula | None = None
        self.calls: list[ast.Call] = []

    def read(self, formula: Formula) -> Any:
        self.formula = formula
        return super().read(formula)

    def _eval(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Call):
            self.calls.append(node)
        value = super()._eval(node)
        if isinstance(node, ast.Call):
            self.calls.pop()
        if isinstance(value, bool):
            self._note(node, HOLDS if value else FAILS)
        elif isinstance(node, ast.Name) and node.id in self.watch.year.parameters and not isinstance(value, list):
            self.watch.number(self._place, node.id)
        return value

    @property
    def _place(self) -> Place:
        return self.formula.place if self.formula else Place("")

    def _note(self, node: ast.AST, does: str) -> None:
        if self.formula:
            self.watch.note(self._place, _side(self.formula, node, does))

    def _bound(self, act: Callable[..., Decimal]) -> Callable[..., Decimal]:
        def bound(*values: Decimal) -> Decimal:
            decided = act(values)
            if values.count(decided) == 1:
                self._note(self.calls[-1], str(values.index(decided)))
            return decided

        return bound

    def _table(self, act: Callable[..., Decimal], reached: Callable[..., Iterator[int]]) -> Callable[..., Decimal]:
        def looked_up(amount: Decimal, rows: Sequence[Mapping[str, Any]]) -> Decimal:
            table = self.calls[-1].args[1]
            if isinstance(table, ast.Name):
                for row in reached(amount, rows):
                    self.watch.number(self._place, table.id, row)
            return act(amount, rows)

        return looked_up


def _brackets(amount: Decimal, rows: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """The rows of a rate schedule that an amount reaches into."""
    floors = [Decimal(0), *(Decimal(row["up_to"]) for row in rows[:-1])]
    yield from (n for n, floor in enumerate(floors, 1) if amount > floor)


def _steps(amount: Decimal, rows: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """The row of steps that an amount stands in."""
    yield next((n for n, row in enumerate(rows, 1) if amount < row["up_to"]), len(rows))


_ROWS = {"schedule": _brackets, "row_middle": _steps}
