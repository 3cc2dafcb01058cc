"""`lotlaw rules coverage`: what of a year's law its worked examples exercise, and what none of them shows.

Counted are lines that an example fills in; both sides of every condition and of every part of one, and each argument of
`min` and `max` as the one that decides; every number by filing status; every row of brackets and of the Tax Table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotlaw.audit.reasons import LACKS, Reasons, reasons
from lotlaw.audit.watching import Number, Side, Watch, sides_of
from lotlaw.check.worked import Example, examples_of, whole_returns
from lotlaw.formula import Formula
from lotlaw.law import Form, Year, names_of
from lotlaw.rules import PUBLISHED, load, years
from lotlaw.source import Place, Problem, data_root

KINDS = ("lines", "sides", "numbers", "rows")


@dataclass(frozen=True)
class Item:
    """Something that an example can exercise: its kind, where it stands, what it is about, and what nothing shows."""

    kind: str
    place: Place
    about: str
    lacks: str


@dataclass(frozen=True)
class Coverage:
    """A year: how many things of each kind there are, and those that no example exercises."""

    year: int
    counts: Mapping[str, int]
    missing: tuple[Item, ...]
    explained: tuple[tuple[Item, str], ...] = ()

    def exercised(self, kind: str) -> int:
        return self.counts[kind] - sum(item.kind == kind for item in self.missing)


def coverage(rules: Path | None = None, only: int | None = None) -> tuple[list[Coverage], list[Problem]]:
    """Of a year, or of each published year; and reasons that explain nothing."""
    root = rules or data_root() / "rules"
    law = [load(number, root) for number in ([only] if only else years(root))]
    given = reasons(root, LACKS)
    found = [of_year(year, given) for year in law if only or year.status == PUBLISHED]
    keys = (given.key(item.about, item.lacks, item.place) for of in found for item, _ in of.explained)
    return found, [] if only else list(given.idle(key for key in keys if key))


def of_year(year: Year, given: Reasons) -> Coverage:
    """What the examples that hold in a year exercise of it; what no example can is left out of what there is."""
    watch = Watch(year)
    for example in examples_in_force(year):
        watch.example(example)
    items = {**_lines(year), **_sides(year), **_numbers(year)}
    seen = {*watch.seen, *watch.filled}
    unseen = [item for key, item in items.items() if key not in seen]
    keyed = [(item, given.key(item.about, item.lacks, item.place)) for item in unseen]
    explained = tuple((item, given.said[key][0]) for item, key in keyed if key)
    counts = {kind: sum(item.kind == kind for item in items.values()) for kind in KINDS}
    for item, _ in explained:
        counts[item.kind] -= 1
    return Coverage(year.year, counts, tuple(item for item, key in keyed if key is None), explained)


def examples_in_force(year: Year) -> Iterator[Example]:
    """The examples that are meant for a year, and those of a pinned file, if all numbers that it reads are the same."""
    for form in year.forms.values():
        yield from form_examples(year, form)
    yield from whole_returns(year)


def form_examples(year: Year, form: Form) -> Iterator[Example]:
    """The examples of one form that hold in a year."""
    origin = year.origins[form.name]
    if origin != year.year and _same_numbers(year, load(origin, year.root), form):
        own = enumerate(form.examples)
        yield from (Example(form.name, said, form.document, ("examples", n)) for n, said in own)
    yield from examples_of(year, form)


def _same_numbers(year: Year, other: Year, form: Form) -> bool:
    names = {name for name in form.uses if name in year.parameters}
    names |= {read for name in form.uses if name in year.functions for read in year.functions[name].uses}
    return all(
        name in other.parameters and year.parameters[name].value == other.parameters[name].value for name in names
    )


def _lines(year: Year) -> dict[Any, Item]:
    return {
        (form.name, line.id): Item("lines", line.place, f"{form.name} line {line.id}", "no example fills it in")
        for form in year.forms.values()
        for line in form.lines.values()
    }


def _sides(year: Year) -> dict[Any, Item]:
    found: dict[Any, Item] = {}
    for form in year.forms.values():
        flags = frozenset(name for name, unit in names_of(year, form).items() if unit == "flag")
        for about, formula in formulas_of(form):
            found |= dict(_sides_of(f"{form.name} {about}", formula, flags))
    for function in year.functions.values():
        flags = frozenset(name for name, unit in function.arguments.items() if unit == "flag")
        found |= dict(_sides_of(function.name, function.formula, flags))
    return found


def _sides_of(about: str, formula: Formula, flags: frozenset[str]) -> Iterator[tuple[Side, Item]]:
    for side, does in sides_of(formula, flags):
        yield side, Item("sides", formula.place.right(side.at), about, f"no example in which {does}")


def formulas_of(form: Form) -> Iterator[tuple[str, Formula]]:
    """The formulas of a form's own lines and conditions, each with what it is about."""
    if form.only_if:
        yield "(whether it applies)", form.only_if
    for line in form.lines.values():
        yield from ((f"line {line.id}", formula) for formula in (line.formula, line.only_if) if formula)
    yield from (("(a skip)", skip) for skip in form.skips)


def _numbers(year: Year) -> dict[Any, Item]:
    """The values of the parameters that forms read, and the rows of their tables."""
    read = {name for form in year.forms.values() for name in form.uses}
    found: dict[Any, Item] = {}
    for parameter in year.parameters.values():
        if parameter.name not in read:
            continue
        statuses = [status for status in year.statuses if status not in year.same_as]
        table = isinstance(parameter.value, list)
        for row in range(1, len(parameter.value) + 1) if table else (0,):
            for status in statuses if isinstance(parameter.value, dict) or parameter.unit == "brackets" else ("",):
                which = ", ".join(part for part in (f"row {row}" if row else "", status) if part)
                about = f"{parameter.name} ({which})" if which else parameter.name
                kind, lacks = ("rows", "reaches it") if table else ("numbers", "reads it")
                found[Number(parameter.name, row, status)] = Item(kind, parameter.place, about, f"no example {lacks}")
    return found


def coverage_text(found: Sequence[Coverage], idle: Sequence[Problem]) -> Iterator[str]:
    """What is missing, by place, with the years in which it is; then the counts of each year."""
    missing: dict[str, list[int]] = {}
    for of in found:
        for item in of.missing:
            missing.setdefault(f"{item.place}: {item.about}: {item.lacks}", []).append(of.year)
    for said, in_years in missing.items():
        yield f"{said} ({', '.join(map(str, in_years))})"
    yield from map(str, idle)
    widths = {kind: max(len(str(of.counts[kind])) for of in found) for kind in KINDS} if found else {}
    for of in found:
        counts = (f"{kind} {of.exercised(kind):>{w}} of {of.counts[kind]:>{w}}" for kind, w in widths.items())
        rest = f"  {len(of.explained)} cannot be shown" if of.explained else ""
        yield f"{of.year}  {'  '.join(counts)}{rest}{'' if of.missing else '  complete'}"


def coverage_facts(found: Sequence[Coverage]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "year": of.year,
            **{kind: {"all": of.counts[kind], "exercised": of.exercised(kind)} for kind in KINDS},
            "missing": [
                {"kind": i.kind, **i.place._asdict(), "about": i.about, "message": i.lacks} for i in of.missing
            ],
            "explained": [{"about": i.about, "message": i.lacks, "reason": reason} for i, reason in of.explained],
        }
        for of in found
    ]
