"""Run every value of every value table through the rules: what no rule can take, and rules that nothing can reach.

A row is imagined for each value, of which only that column is known. A rule may take it if its condition is not surely
false, and surely takes it if the condition holds whatever else the row says; then no later rule sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lotlaw.formula import Formula, Reader
from lotlaw.importers.language import Importer, Values
from lotlaw.readings import possible
from lotlaw.readings.possible import UNKNOWN
from lotlaw.source import Document, Path_, Place, Problem


class _Names(dict[str, Any]):
    """Names with their values; any other name is of a value that is not known."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return UNKNOWN


Row = tuple[Path_, str, dict[str, Any]]
"""An imagined row: where its value stands in the mapping, how to speak of it, and the names that it makes known."""


def unreached(importer: Importer, document: Document, base: Path_ = ()) -> Iterator[Problem]:
    """Values that no rule takes, and rules that no row reaches: for some table, whatever its value is."""
    reached: list[set[Place]] = []
    for rows in _tables(importer, base):
        reached.append(set())
        for path, said, names in rows:
            places = set(_takers(importer, _derived(importer, names)))
            if path and not places:
                yield Problem(document.place(*path), f"no rule takes {said}")
            reached[-1] |= places
    for place in [when.place for when in _conditions(importer)]:
        if not all(place in places for places in reached):
            yield Problem(
                place, "no row can reach this condition: it never holds, or what stands above takes every row"
            )


def _tables(importer: Importer, base: Path_) -> Iterator[list[Row]]:
    """The rows of each value table and of each column of a few words; one row of which nothing is known without any."""
    tables = [
        *(_of_table(name, values, base) for name, values in importer.derive.items() if isinstance(values, Values)),
        *([_of_words(c.alias, c.values, base) for c in importer.columns if c.values and not c.optional]),
    ]
    yield from tables or [[((), "", {})]]


def _of_table(name: str, values: Values, base: Path_) -> list[Row]:
    rows: list[Row] = [] if "" in values.labels else [((), "", {name: None, values.of: None})]
    count: dict[str, int] = {}
    for cell, label in values.labels.items():
        count[label] = count.get(label, -1) + 1
        path = (*base, "derive", name, "map", label, count[label])
        known = None if cell == "" else UNKNOWN if values.by_prefix else cell
        rows.append((path, f"{name} '{label}' ({cell or 'an empty cell'})", {name: label, values.of: known}))
    return rows


def _of_words(alias: str, words: tuple[str, ...], base: Path_) -> list[Row]:
    paths = [(*base, "columns", alias, "values", n) for n in range(len(words))]
    return [(path, f"{alias} '{word}'", {alias: word}) for path, word in zip(paths, words, strict=True)]


def _derived(importer: Importer, names: Mapping[str, Any]) -> _Names:
    """The names with what follows from them."""
    known = _Names(null=None, **names)
    for name, derived in importer.derive.items():
        if name not in dict(known):
            known[name] = _label(derived, known[derived.of]) if isinstance(derived, Values) else _read(derived, known)
    return known


def _label(values: Values, cell: Any) -> Any:
    if cell is UNKNOWN:
        return UNKNOWN
    if not values.by_prefix or cell is None:
        return values.labels.get(cell or "")
    return next(
        (values.labels[p] for p in sorted(values.labels, key=len, reverse=True) if p and cell.startswith(p)), None
    )


def _read(formula: Formula, names: _Names) -> Any:
    return Reader(possible, names).read(formula)


def _conditions(importer: Importer) -> list[Formula]:
    """Every condition that a row meets, in order."""
    parts = (importer.cancels, importer.skip, importer.groups, importer.rules)
    return [one.when for part in parts for one in part]


def _takers(importer: Importer, names: _Names) -> Iterator[Place]:
    """The conditions that a row may meet and that may take it, up to the first that surely does."""
    taken_back = [cancel.of for cancel in importer.cancels]
    for when in (*taken_back, *_conditions(importer)):
        holds = _read(when, names)
        if holds is UNKNOWN or holds is True:
            yield when.place
        if holds is True and when not in taken_back:
            return
