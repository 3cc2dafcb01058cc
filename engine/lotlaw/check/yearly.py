"""A year's numbers beside the year before's: indexed ones rise a little, fixed ones stay unless a law changed them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lotlaw.law import Parameter, Year
from lotlaw.source import Problem

MOST_PER_CENT = 10
"""What inflation is trusted with in a year; a larger step is a misprint, or is waived with its reason."""


def yearly_problems(year: Year, before: Year) -> Iterator[Problem]:
    """Parameters that moved as their `indexed` says they do not."""
    for parameter in year.parameters.values():
        earlier = before.parameters.get(parameter.name)
        said = year.documents["parameters"].value[parameter.name]
        if earlier is None or "indexed" in (said.get("waive") or {}):
            continue
        if said.get("indexed"):
            yield from _steps(parameter, earlier, before.year)
        elif parameter.value != earlier.value and "changed_by" not in said:
            what = f"{parameter.name}: is not indexed and differs from {before.year}"
            yield Problem(parameter.place, f"{what}; cite what changed it: `changed_by: {{source: …, at: …}}`")


def _steps(parameter: Parameter, earlier: Parameter, year: int) -> Iterator[Problem]:
    old = dict(_amounts(earlier.value))
    for path, new in _amounts(parameter.value):
        was = old.get(path)
        if was is not None and not was <= new <= was + was * MOST_PER_CENT / 100:
            where = f" ({', '.join(str(step) for step in path)})" if path else ""
            said = f"{parameter.name}{where}: {new:,} after {was:,} in {year}"
            rule = f"an indexed amount rises by 0 to {MOST_PER_CENT} %"
            yield Problem(parameter.place, f"{said}; {rule}; if it is right, waive it: `waive: {{indexed: reason}}`")


def _amounts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Decimal]]:
    """Every number in a parameter's value, by the keys and rows that lead to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _amounts(item, (*path, key))
    elif isinstance(value, list):
        for n, item in enumerate(value, 1):
            yield from _amounts(item, (*path, f"row {n}"))
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield path, Decimal(value)
