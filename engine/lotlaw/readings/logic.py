"""The logic reading: terms of the solver z3 over real dollars, for what holds of every possible return.

An amount is `Scaled`: a term in dollars, and how many decimals it carries. Rounding is a function of which is known
what every rounding has: it moves an amount by half a unit at most, and never turns two amounts round. Lines are rounded
in one of three ways: to dollars, with products to cents first; to cents (`--cents`); or nothing is rounded. Law that
several forms use stands as a function too, of which is known what its own claims say.

The solver is an extra (`pip install 'lotlaw[prove]'`); this module is imported by what needs it only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import combinations, permutations
from typing import Any

import z3

CENTS, DOLLARS = 2, 0
WAYS = (None, CENTS, DOLLARS)
"""How lines are rounded: the decimals that they keep, None where nothing is rounded."""


@dataclass(frozen=True)
class Scaled:
    """A term in dollars with at most `places` decimals."""

    term: Any
    places: int


@dataclass(frozen=True)
class Twice:
    """A value of each of two returns, to be compared."""

    before: Any
    after: Any


class Logic:
    """The algebra. It remembers what was rounded and which functions were asked about what, for the facts of these."""

    def __init__(self, unit: int | None) -> None:
        self.unit = unit
        self.asked: dict[str, dict[Any, Scaled]] = {}
        self._made_by: dict[Any, str] = {}
        self._choices: dict[Any, tuple[Any, Scaled, Scaled]] = {}
        self._rows: list[tuple[Any, Any, list[dict[str, Any]]]] = []
        self._roundings: dict[tuple[str, int], dict[Any, Any]] = {}
        own: dict[str, Callable[..., Any]] = {
            "min": self._least, "max": self._most, "schedule": self._schedule, "row_middle": self._row_middle,
            "whole_dollars": self._whole_dollars,
        }  # fmt: skip
        self.functions: Mapping[str, Callable[..., Any]] = {
            **{name: self.twice(function) for name, function in own.items()}, "rise": self._rise,
        }  # fmt: skip

    def twice(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """An operation that is done to each of two returns, where it is given values of two."""

        def acted(*values: Any) -> Any:
            if not any(isinstance(value, Twice) for value in values):
                return act(*values)
            befores = (value.before if isinstance(value, Twice) else value for value in values)
            afters = (value.after if isinstance(value, Twice) else value for value in values)
            return Twice(act(*befores), act(*afters))

        return acted

    def const(self, value: Any) -> Any:
        """A number of a formula or a parameter's value; rows of brackets and steps, and terms, stay as they are."""
        if isinstance(value, bool):
            return z3.BoolVal(value)
        if not isinstance(value, (int, Decimal)):
            return value
        exponent = Decimal(value).normalize().as_tuple().exponent
        return Scaled(z3.RealVal(str(value)), max(0, -exponent) if isinstance(exponent, int) else 0)

    def add(self, a: Any, b: Any) -> Any:
        """a + b."""
        return self.twice(lambda x, y: Scaled(x.term + y.term, max(x.places, y.places)))(a, b)

    def sub(self, a: Any, b: Any) -> Any:
        """a - b."""
        return self.twice(lambda x, y: Scaled(x.term - y.term, max(x.places, y.places)))(a, b)

    def mul(self, a: Any, b: Any) -> Any:
        """a x b, to the cent."""
        return self.twice(self._product)(a, b)

    def _product(self, a: Scaled, b: Scaled) -> Scaled:
        product = Scaled(a.term * b.term, a.places + b.places)
        self._made_by[product.term] = str(a.term if z3.is_rational_value(a.term) else b.term)
        return self._to(CENTS, product)

    def neg(self, a: Any) -> Any:
        """-a."""
        return self.twice(lambda x: Scaled(-x.term, x.places))(a)

    def compare(self, sign: str, a: Any, b: Any) -> Any:
        """Whether a stands to b as `sign` says."""
        return self.twice(lambda x, y: _compared(sign, x, y))(a, b)

    def all_of(self, flags: list[Any]) -> Any:
        """Whether every flag holds."""
        return self.twice(z3.And)(*flags)

    def any_of(self, flags: list[Any]) -> Any:
        """Whether any flag holds."""
        return self.twice(z3.Or)(*flags)

    def negate(self, flag: Any) -> Any:
        """Whether the flag does not hold."""
        return self.twice(z3.Not)(flag)

    def choose(self, flag: Any, yes: Any, no: Any) -> Any:
        """`yes` where the flag holds, else `no`."""
        return self.twice(self._either)(flag, yes, no)

    def ask(self, function: str, amount: Scaled) -> Scaled:
        """What a function makes of an amount, of which no more is known than that it is one."""
        answer = z3.Function(function, z3.RealSort(), z3.RealSort())(amount.term)
        self.asked.setdefault(function, {})[amount.term] = amount
        self._made_by[answer] = function
        return Scaled(answer, CENTS)

    @property
    def places(self) -> int:
        """The decimals that an amount which is given may have."""
        return CENTS if self.unit is None else self.unit

    def facts(self) -> Iterator[Any]:
        """What is known of everything rounded so far: how near it is, and the order of what was made alike."""
        for (_, places), results in self._roundings.items():
            half = z3.Q(1, 2 * 10**places)
            for exact, result in results.items():
                yield from (result - exact <= half, exact - result <= half)
                yield from (z3.Implies(exact >= 0, result >= 0), z3.Implies(exact <= 0, result <= 0))
            for one, other in combinations(results, 2):
                yield z3.Implies(one <= other, results[one] <= results[other])
                yield z3.Implies(other <= one, results[other] <= results[one])

        for (one, first, _), (other, second, _) in permutations(self._rows, 2):
            yield z3.Implies(one <= other, first <= second)
        for amount, middle, steps in self._rows:
            yield from _near(amount, middle, steps)

    def _to(self, places: int, amount: Scaled) -> Scaled:
        """To `places` decimals, if lines are rounded and the amount may carry more."""
        if self.unit is None or amount.places <= places:
            return amount
        if amount.term in self._choices:
            flag, yes, no = self._choices[amount.term]
            return self._chosen(flag, self._to(places, yes), self._to(places, no))
        result = z3.Function(f"to {places} places", z3.RealSort(), z3.RealSort())(amount.term)
        self._roundings.setdefault((self._made_by.get(amount.term, ""), places), {})[amount.term] = result
        return Scaled(result, places)

    def _either(self, flag: Any, yes: Any, no: Any) -> Any:
        return self._chosen(flag, yes, no) if isinstance(yes, Scaled) else z3.If(flag, yes, no)

    def _chosen(self, flag: Any, yes: Scaled, no: Scaled) -> Scaled:
        chosen = Scaled(z3.If(flag, yes.term, no.term), max(yes.places, no.places))
        if yes.places != no.places:
            self._choices[chosen.term] = (flag, yes, no)
        return chosen

    def _rise(self, value: Any) -> Scaled:
        if not isinstance(value, Twice):
            return Scaled(z3.RealVal(0), 0)
        return Scaled(value.after.term - value.before.term, max(value.after.places, value.before.places))

    def _least(self, *values: Scaled) -> Scaled:
        return reduce(lambda a, b: self._chosen(a.term <= b.term, a, b), values)

    def _most(self, *values: Scaled) -> Scaled:
        return reduce(lambda a, b: self._chosen(a.term >= b.term, a, b), values)

    def _whole_dollars(self, amount: Scaled) -> Scaled:
        return self._to(0, amount)

    def _schedule(self, amount: Scaled, brackets: list[dict[str, Any]]) -> Scaled:
        """Tax on `amount` by a rate schedule, to the cent; see the exact reading."""
        zero, floor = self.const(0), self.const(0)
        parts = []
        for row in brackets:
            top, rate = self.const(row.get("up_to")), self.const(row["rate"])
            inside = amount if top is None else self._least(amount, top)
            part = self._most(zero, self.sub(inside, floor))
            parts.append(Scaled(part.term * rate.term, part.places + rate.places))
            floor = floor if top is None else top
        tax = reduce(self.add, parts)
        self._made_by[tax.term] = "schedule"
        return self._to(CENTS, tax)

    def _row_middle(self, amount: Scaled, steps: list[dict[str, Any]]) -> Scaled:
        """The middle of the table row that `amount` falls in; see the exact reading."""
        middle = z3.Function("row_middle", z3.RealSort(), z3.RealSort())(amount.term)
        self._rows.append((amount.term, middle, steps))
        return Scaled(middle, CENTS)


def _near(amount: Any, middle: Any, steps: list[dict[str, Any]]) -> Iterator[Any]:
    """The middle of a row is half its width away at most, and as far from the ends of rows of its width."""
    floors = [Decimal(0), *(Decimal(row["up_to"]) for row in steps)]
    for floor, row in zip(floors, steps, strict=False):
        half, start, top = (z3.RealVal(str(n)) for n in (Decimal(row["width"]) / 2, floor, row["up_to"]))
        inside = amount >= start if row is steps[-1] else z3.And(amount >= start, amount < top)
        near = [middle - amount <= half, amount - middle <= half, middle >= start + half]
        if (row["up_to"] - floor) % row["width"] == 0:
            near.append(z3.Implies(amount < top, middle <= top - half))
        yield z3.Implies(inside, z3.And(*near))


def _compared(sign: str, a: Any, b: Any) -> Any:
    if isinstance(a, Scaled):
        a, b = a.term, b.term
    signs: dict[str, Callable[[], Any]] = {
        "<": lambda: a < b, "<=": lambda: a <= b, ">": lambda: a > b, ">=": lambda: a >= b,
        "==": lambda: a == b, "!=": lambda: a != b,
    }  # fmt: skip
    return signs[sign]()
