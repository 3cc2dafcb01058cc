"""The checks of a year's numbers: `alias`, `rising`, `half`, `quote`, `multiple`, `indexed`, `together` and `fixed`.

Each would have caught a number that stood wrong in a published engine for years; tests/test_planted.py plants them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from lotlaw.check.findings import Finding
from lotlaw.check.quotes import missing_in
from lotlaw.formula import did_you_mean
from lotlaw.law import Parameter, Year
from lotlaw.source import Problem

HALF_WITHIN = 50
"""Rounding of indexed amounts may part half of the joint amount from the separate one by this many dollars."""
MOST_PER_CENT = 10
"""What inflation is trusted with in a year; a larger step is a misprint, or is waived with its reason."""
MULTIPLE = 25
"""Indexed amounts are rounded to multiples of this, or of a multiple of it."""
ROUNDED = 50
"""By how many dollars rounding may move an indexed amount."""

Path = tuple[Any, ...]


def number_problems(year: Year) -> Iterator[Problem]:
    """What no waiver can mend: amounts of statuses that are missing, unknown, or said a second time."""
    for parameter in year.parameters.values():
        for amounts in _by_status(parameter.value):
            yield from _statuses(year, parameter, amounts)


def number_findings(year: Year, before: Year | None) -> Iterator[Finding]:
    """What the named checks find in the parameters of a year, by themselves and beside the year before's."""
    for parameter in year.parameters.values():
        for check, message in _alone(year, parameter):
            yield _finding(year, parameter, check, message)
    if before:
        for parameter in year.parameters.values():
            if parameter.name in before.parameters:
                for check, message in _since(parameter, before.parameters[parameter.name], before.year):
                    yield _finding(year, parameter, check, message)
        yield from _together(year, before)


def _finding(year: Year, parameter: Parameter, check: str, message: str) -> Finding:
    document = year.documents["parameters"]
    return Finding(check, document, (parameter.name,), parameter.place, f"{parameter.name}{message}")


def amounts_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every single value in a parameter's value, by the keys and rows that lead to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from amounts_in(item, (*path, key))
    elif isinstance(value, list):
        for n, item in enumerate(value, 1):
            yield from amounts_in(item, (*path, f"row {n}"))
    else:
        yield path, value


def _alone(year: Year, parameter: Parameter) -> Iterator[tuple[str, str]]:
    for amounts in _by_status(parameter.value):
        if parameter.half_for:
            yield from _half(year, amounts, parameter.half_for)
    if parameter.unit == "brackets":
        yield from _rising(year, parameter)
    if parameter.indexed:
        yield from _multiples(parameter)
    if parameter.cite.quote:
        lacking = missing_in(parameter.cite.quote, parameter.unit, [value for _, value in amounts_in(parameter.value)])
        if lacking:
            yield "quote", f": the quote of its citation does not hold {', '.join(lacking)}"


def _by_status(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping by filing status in a parameter's value."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        yield from (row["up_to"] for row in value if isinstance(row, dict) and isinstance(row.get("up_to"), dict))


def _statuses(year: Year, parameter: Parameter, amounts: Mapping[str, Any]) -> Iterator[Problem]:
    for status in amounts:
        if status in year.same_as:
            said = f"{parameter.name}: {status} is the same as {year.same_as[status]}; that is said once, in year.yaml"
            yield Problem(parameter.place, said, "alias")
        elif status not in year.statuses:
            hint = did_you_mean(status, year.statuses)
            yield Problem(parameter.place, f"{parameter.name}: no filing status '{status}'{hint}", "statuses")
    for status in year.statuses:
        if status not in amounts and status not in year.same_as:
            yield Problem(parameter.place, f"{parameter.name}: no amount for {status}", "statuses")


def _half(year: Year, amounts: Mapping[str, Any], part: str) -> Iterator[tuple[str, str]]:
    whole = year.documents["year"].value["half_of"].get(part)
    if whole not in amounts or part not in amounts:
        return
    if abs(amounts[part] * 2 - amounts[whole]) > 2 * HALF_WITHIN:
        yield "half", f": {part} {amounts[part]:,} is not half of {whole} {amounts[whole]:,}"


def _rising(year: Year, parameter: Parameter) -> Iterator[tuple[str, str]]:
    statuses = [status for status in year.statuses if status not in year.same_as]
    if any(set(amounts) != set(statuses) for amounts in _by_status(parameter.value)):
        return
    for status in statuses:
        rows = year.parameter(parameter.name, status)
        tops, rates = [row.get("up_to") for row in rows], [row["rate"] for row in rows]
        if tops[-1] is not None or None in tops[:-1]:
            yield "rising", ": the last bracket, and no other, has no `up_to`"
        elif any(b <= a for a, b in [*pairwise(tops[:-1]), *pairwise(rates)]):
            yield "rising", f": brackets don't rise for {status}"


def _multiples(parameter: Parameter) -> Iterator[tuple[str, str]]:
    for path, amount in _dollars(parameter):
        if amount % MULTIPLE:
            yield "multiple", f"{_at(path)}: {amount:,} is no multiple of {MULTIPLE}, as indexed amounts are"


def _dollars(parameter: Parameter) -> Iterator[tuple[Path, Any]]:
    """The amounts of an indexed parameter that are indexed: of brackets, the tops."""
    if parameter.unit in ("money", "brackets"):
        yield from ((path, amount) for path, amount in amounts_in(parameter.value) if "rate" not in path)


def _since(parameter: Parameter, earlier: Parameter, year: int) -> Iterator[tuple[str, str]]:
    """Values that moved as their `indexed` says they do not."""
    if parameter.changed_by:
        return
    if not parameter.indexed:
        if parameter.value != earlier.value:
            law = "cite what changed it: `changed_by: {source: …, at: …}`"
            yield "fixed", f": is not indexed and differs from {year}; {law}"
        return
    for path, was, new in _moves(parameter, earlier):
        if not was <= new <= was + was * MOST_PER_CENT / 100:
            rule = f"an indexed amount rises by 0 to {MOST_PER_CENT} %"
            yield "indexed", f"{_at(path)}: {new:,} after {was:,} in {year}; {rule}"


def _moves(parameter: Parameter, earlier: Parameter) -> Iterator[tuple[Path, Any, Any]]:
    old = dict(_dollars(earlier))
    yield from ((path, old[path], new) for path, new in _dollars(parameter) if old.get(path))


def _together(year: Year, before: Year) -> Iterator[Finding]:
    """All amounts are indexed by one figure: one that rises otherwise than the most is a misprint, or old.

    What an amount may have risen by is known within its rounding. Where most of these spans meet, the figure is.
    """
    spans = [
        (parameter, path, was, new, Fraction(new, was + ROUNDED), Fraction(new + ROUNDED, was))
        for parameter in year.parameters.values()
        if parameter.indexed and not parameter.changed_by and parameter.name in before.parameters
        for path, was, new in _moves(parameter, before.parameters[parameter.name])
    ]
    meeting = max((low for *_, low, _ in spans), key=lambda at: sum(a <= at <= b for *_, a, b in spans), default=None)
    if meeting is None:
        return
    least = max(low for *_, low, high in spans if low <= meeting <= high)
    most = min(high for *_, low, high in spans if low <= meeting <= high)
    apart: dict[str, list[tuple[Path, Any, Any]]] = {}
    for parameter, path, was, new, low, high in spans:
        if high < least or low > most:
            apart.setdefault(parameter.name, []).append((path, was, new))
    for name, moves in apart.items():
        path, was, new = moves[0]
        more = f" (and {len(moves) - 1} more)" if moves[1:] else ""
        said = f"{_at(path)}: {new:,} after {was:,} in {before.year} is {_per_cent(Fraction(new, was))}{more}"
        rest = f"the indexed amounts of {year.year} rise by {_per_cent(least)} together"
        yield _finding(year, year.parameters[name], "together", f"{said}; {rest}")


def _per_cent(ratio: Fraction) -> str:
    return f"{Decimal(ratio.numerator) / Decimal(ratio.denominator) * 100 - 100:.2f} %"


def _at(path: Path) -> str:
    return f" ({', '.join(str(step) for step in path)})" if path else ""
