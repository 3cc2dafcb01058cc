"""Find a mapping's columns in the header of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.importers.canonical import PROVENANCE, table
from lotlaw.importers.language import Column, Importer
from lotlaw.importers.problems import quoted
from lotlaw.importers.reading import Header, folded
from lotlaw.source import Place, Problem, Problems

_TYPES = {
    "quantity": "quantity",
    "usd": "amount",
    "usd_signed": "signed",
    "date": "date",
    "acquired": "acquired",
    "flag": "flag",
}

BETWEEN = "|"
"""What stands between a column's name and the asset's, where one column comes once for each asset."""

Where = tuple[int, str]
"""The number of a field, from 0, and what a pattern caught of its name."""


@dataclass(frozen=True)
class Binding:
    """Where a mapping's columns stand in one header: field numbers from 0, and what patterns caught of the names."""

    columns: Mapping[str, Column]
    fields: Mapping[str, int]
    caught: Mapping[str, str]
    header: Header

    def label(self, alias: str) -> str:
        """The name that the file gives a column."""
        return self.header.cells[self.fields[alias]] if alias in self.fields else alias


def bind(importer: Importer, name: str, header: Header) -> Binding:
    """Find the columns. Raises Problems where one is missing, stands twice or (in a strict mapping) is unknown."""
    columns = {column.alias: column for column in importer.columns}
    found = {column.alias: _where(column, header.cells, importer.reading.any_case) for column in importer.columns}
    if importer.reading.canonical:
        taken = {header.cells[place[0]] for place in found.values() if place}
        for column in _canonical(header, taken | set(columns)):
            columns[column.alias], found[column.alias] = column, (header.cells.index(column.names[0]), "")
    problems = [*_missing(importer, name, header, found), *_twice(importer, name, header, found)]
    if importer.reading.strict:
        problems += _strangers(importer, name, header, found)
    if problems:
        raise Problems(problems)
    for column in importer.wide.columns if importer.wide else ():
        for field, asset in _matching(column.names[0], header.cells, importer.reading.any_case):
            alias = f"{column.alias}{BETWEEN}{asset}"
            columns[alias], found[alias] = replace(column, alias=alias), (field, "")
    caught = {f"{alias}_hdr": place[1] for alias, place in found.items() if place and place[1]}
    return Binding(columns, {alias: place[0] for alias, place in found.items() if place}, caught, header)


def telling(importer: Importer, binding: Binding) -> list[int]:
    """The fields that tell a row from others: of the columns that the mapping names, else of those it is known by.

    A canonical mapping takes whatever the header has, a section may be known by its tag alone: there every field tells.
    """
    if importer.identity:
        return [binding.fields[alias] for alias in importer.identity if alias in binding.fields]
    if importer.reading.canonical or not importer.header:
        return list(binding.fields.values())
    any_case = importer.reading.any_case
    places = [_matching(name, binding.header.cells, any_case) for name in importer.header]
    return [found[0][0] for found in places if found]


def _where(column: Column, cells: tuple[str, ...], any_case: bool) -> Where | None:
    """The first of the column's names that the header has: its field, and what a pattern caught of the name."""
    for name in column.names:
        places = _matching(name, cells, any_case)
        if len(places) >= max(column.nth, 1):
            return places[max(column.nth, 1) - 1]
    return None


def _matching(name: str, cells: tuple[str, ...], any_case: bool) -> list[Where]:
    if not name.startswith("/"):
        return [(n, "") for n, cell in enumerate(cells) if folded(cell, any_case) == folded(name, any_case)]
    pattern, names = f"{'(?i)' if any_case else ''}^(?:{name.strip('/')})$", pl.Series(cells)
    caught = names.str.extract(pattern, 1).to_list()
    return [(n, caught[n] or "") for n in names.str.contains(pattern).arg_true()]


def _canonical(header: Header, taken: set[str]) -> Iterator[Column]:
    """The header's columns that the canonical table has too, to be taken under their own names."""
    known = table()
    for cell in dict.fromkeys(header.cells):
        if cell in known.formats and cell not in taken and cell not in PROVENANCE:
            yield Column(cell, (cell,), _TYPES.get(known.formats[cell], "text"), True, known.words.get(cell, ()))


def _missing(importer: Importer, name: str, header: Header, found: Mapping[str, Where | None]) -> Iterator[Problem]:
    for column in importer.columns:
        if found[column.alias] is None and not column.optional:
            names = " or ".join(quoted(n) for n in column.names)
            which = f", number {column.nth}," if column.nth > 1 else ""
            yield Problem(Place(name, header.line), f"no column {names}{which or ','} which {importer.id} needs")


def _twice(importer: Importer, name: str, header: Header, found: Mapping[str, Where | None]) -> Iterator[Problem]:
    columns = {column.alias: column for column in importer.columns}
    used = {header.cells[place[0]] for a, place in found.items() if place and not (a in columns and columns[a].nth)}
    for cell in dict.fromkeys(c for c in header.cells if c and (c in used or importer.reading.strict)):
        fields = [n for n, other in enumerate(header.cells, 1) if other == cell]
        if len(fields) > 1:
            numbers = " and ".join(map(str, fields))
            yield Problem(
                Place(name, header.line, fields[1]), f"column {quoted(cell)} stands twice, in fields {numbers}"
            )


def _strangers(importer: Importer, name: str, header: Header, found: Mapping[str, Where | None]) -> Iterator[Problem]:
    taken = {place[0] for place in found.values() if place}
    known = [n for column in importer.columns for n in column.names]
    if importer.reading.canonical:
        known += [n for n in table().formats if n not in PROVENANCE]
    for n, cell in enumerate(header.cells):
        if (
            cell
            and n not in taken
            and not (importer.reading.canonical and cell in PROVENANCE)
            and cell not in header.cells[:n]
        ):
            hint = did_you_mean(cell, known) or f"; {importer.id} knows {', '.join(dict.fromkeys(known))}"
            yield Problem(Place(name, header.line, n + 1), f"unknown column {quoted(cell)}{hint}")
