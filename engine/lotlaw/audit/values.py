"""The values of a year as a table: written to be filled in, and read back into parameters.yaml.

A row is one value: `parameter`, `row` (of brackets and steps, counted from 1, and what of it: `3 up_to`), `status`
(empty: all), `old`, `value`, and where it was read: `source` (of year.yaml) and `at`. A row without a value is left.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotlaw.check.numbers import amounts_in
from lotlaw.formula import did_you_mean
from lotlaw.law import Year
from lotlaw.source import Document, Path_, Place, Problem, Problems, parse_yaml, refuse, shown

COLUMNS = ("parameter", "row", "status", "label", "old", "value", "source", "at")
NEEDED = ("parameter", "row", "status", "value")
LARGEST = 2**20
FEW = 5


def write_sheet(year: Year, path: Path) -> int:
    """Write the table of a year's values to fill in; gives how many there are. Raises Problems if it is there."""
    rows = list(_rows(year))
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows)
    except FileExistsError:
        raise refuse(path, "is here already; name another file") from None
    except OSError as error:
        raise refuse(path, f"cannot be written: {error.strerror}") from None
    return len(rows)


def _rows(year: Year) -> Iterator[tuple[str, ...]]:
    for parameter in year.parameters.values():
        for path, value in amounts_in(parameter.value):
            row, status = _split(path)
            said = f"{(value * 100).normalize():f}%" if "rate" in (parameter.unit, *path) else str(value)
            yield parameter.name, row, status, parameter.label, said, "", "", ""


def _split(path: tuple[Any, ...]) -> tuple[str, str]:
    """The row and the filing status in the path of an amount: `("row 3", "up_to", "single")` is `3 up_to`, `single`."""
    if path and str(path[0]).startswith("row "):
        return f"{str(path[0])[4:]} {path[1]}", str(path[2]) if path[2:] else ""
    return "", str(path[0]) if path else ""


def filled(
    text: str, document: Document, table: Path, sources: Mapping[str, Any], statuses: Mapping[str, str]
) -> tuple[str, int]:
    """The text of parameters.yaml with the values of a table, and how many. Raises Problems for rows that don't fit.

    A value that has been given is no longer unread; a parameter is read when all its values are given, but for rates of
    brackets, which stay as they are.
    """
    known = {name: _addresses(document, name) for name in document.value}
    given: dict[tuple[str, Path_], Any] = {}
    cites: dict[str, tuple[str, str]] = {}
    problems: list[Problem] = []
    for place, row in _read(table):
        try:
            path, value = _taken(place, row, known, document, statuses)
            if (row["parameter"], path) in given:
                raise refuse(place, f"{row['parameter']}, {_called(row['row'], row['status'])}: given twice")
            given[row["parameter"], path] = value
            if row.get("source"):
                cites[row["parameter"]] = _cite(place, row, sources)
        except Problems as found:
            problems += found.problems
    if problems:
        raise Problems(problems)
    edits = [(document.places[path], value) for (_, path), value in given.items()]
    text = _edited(text, edits)
    for name, addresses in known.items():
        wanted = {path for path in addresses.values() if path[-1] != "rate"}
        if wanted and wanted <= {path for parameter, path in given if parameter == name}:
            text = _changed(text, name, r'  unread: "[^"]*"\n|unread: "[^"]*", ', "")
    for name, (source, at) in cites.items():
        text = _changed(
            text,
            name,
            r"\bcite: \{[^{}]*\}",
            f'cite: {{source: {source}, at: "{at}"}}' if at else f"cite: {{source: {source}}}",
        )
    return text, len(given)


def _read(table: Path) -> Iterator[tuple[Place, dict[str, str]]]:
    name = shown(table)
    try:
        if table.stat().st_size > LARGEST:
            raise refuse(name, f"{table.stat().st_size:,} bytes; a table of values may have {LARGEST:,}")
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lacking = [column for column in NEEDED if column not in (reader.fieldnames or ())]
            if lacking:
                raise refuse(Place(name, 1), f"no column {', '.join(lacking)}; it has {', '.join(COLUMNS)}")
            for row in reader:
                said = {key: (row.get(key) or "").strip() for key in COLUMNS}
                if said["value"]:
                    yield Place(name, reader.line_num), said
    except FileNotFoundError:
        raise refuse(name, "no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise refuse(name, "cannot be read as CSV in UTF-8") from None


def _addresses(document: Document, name: str) -> dict[tuple[str, str], Path_]:
    """The paths of a parameter's values by row and status, as the table names them."""
    found: dict[tuple[str, str], Path_] = {}
    for path, _ in amounts_in(document.value[name].get("value")):
        steps = tuple(int(step[4:]) - 1 if isinstance(step, str) and step.startswith("row ") else step for step in path)
        found[_split(path)] = (name, "value", *steps)
    return found


def _taken(
    place: Place, row: Mapping[str, str], known: Mapping[str, Any], document: Document, statuses: Mapping[str, str]
) -> tuple[Path_, str]:
    """Where a row's value goes, and how it is written there."""
    name, at = row["parameter"], (row["row"], row["status"])
    if name not in known:
        raise refuse(place, f"no parameter '{name}'{did_you_mean(name, known)}")
    if at[1] and at[1] not in statuses:
        raise refuse(place, f"no filing status '{at[1]}'{did_you_mean(at[1], statuses)}")
    if at not in known[name]:
        there = [_called(*pair) for pair in known[name]]
        more = f" and {len(there) - FEW} more" if len(there) > FEW else ""
        raise refuse(place, f"{name} has no value for {_called(*at)}; it has {', '.join(there[:FEW])}{more}")
    path = known[name][at]
    old, said = document.value, row["value"].replace("$", "").replace(",", "")
    for step in path:
        old = old[step]
    new = parse_yaml(said, str(place)).value
    if not _alike(old, new):
        raise refuse(place, f"{name}: '{row['value']}' is not like {old}, which it takes the place of")
    return path, f"{new:_}" if isinstance(new, int) and not isinstance(new, bool) else said


def _called(row: str, status: str) -> str:
    """What a value is called by its row and filing status."""
    return " ".join(word for word in (row, status) if word) or "all"


def _alike(old: Any, new: Any) -> bool:
    """Whether a value may take the place of another: a number of a number, a day of a day."""
    kinds: tuple[tuple[type, ...], ...] = ((bool,), (int, Decimal), (date,), (str,))
    return any(isinstance(old, kind) and isinstance(new, kind) for kind in kinds)


def _cite(place: Place, row: Mapping[str, str], sources: Mapping[str, Any]) -> tuple[str, str]:
    source, at = row["source"], row["at"]
    if source not in sources:
        raise refuse(place, f"source '{source}' is not listed in year.yaml{did_you_mean(source, sources)}")
    if re.search(r'[{}"\\]', at):
        raise refuse(place, f"at: '{at}' has a quote, a brace or a backslash in it")
    return source, at


def _edited(text: str, edits: list[tuple[Place, str]]) -> str:
    """The text with single values replaced, each where it stands."""
    lines = text.splitlines(keepends=True)
    for place, value in sorted(edits, reverse=True):
        line, at = lines[place.line - 1], place.column - 1
        lines[place.line - 1] = line[:at] + re.sub(r"^[^,}\s]+", value, line[at:])
    return "".join(lines)


def _changed(text: str, name: str, pattern: str, put: str) -> str:
    """The text with something replaced inside one parameter."""
    block = re.search(rf"(?m)^{name}:(?s:.*?)(?=^[a-z]|\Z)", text)
    if block is None:
        return text
    return text[: block.start()] + re.sub(pattern, lambda _: put, block[0], count=1) + text[block.end() :]
