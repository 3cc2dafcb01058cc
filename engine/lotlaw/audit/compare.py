"""`lotlaw rules compare`: the parameters of all years beside those of other engines, from files that they publish.

Read are Tax-Calculator's policy JSON and PolicyEngine's parameter YAML, as they are; `rules/compare.yaml` says which of
their names stand for which of ours. An indexed amount is compared in the years for which it is written out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotlaw.audit.show import said_value
from lotlaw.law import Year
from lotlaw.rules import load, years
from lotlaw.source import Place, Problem, Problems, data_root, read_yaml, refuse, shown

LARGEST = 2**25
"""Bytes of a parameter file that are read."""

NOTHING = "none of its values is one of lotlaw's; `rules/compare.yaml` says which names are read"
"""What a file that has nothing to compare is told."""

Entry = tuple[str, str, int, Any]
"""One value of another engine: the address of ours, the filing status (empty: all), the year it is from, the value."""


@dataclass(frozen=True)
class Compared:
    """A value of ours beside another engine's."""

    file: str
    year: int
    about: str
    status: str
    ours: str
    theirs: str

    @property
    def agrees(self) -> bool:
        return self.ours == self.theirs


def compare(paths: Sequence[Path], rules: Path | None = None) -> list[Compared]:
    """Every value that both have, in the order of files, addresses and years. Raises Problems for unknown files."""
    root = rules or data_root() / "rules"
    law = [load(year, root) for year in years(root)]
    known = read_yaml(data_root() / "rules" / "compare.yaml").value
    found = {path: list(_compared(path, law, list(_read(path, known)))) for path in paths}
    problems = [Problem(Place(shown(path)), NOTHING) for path, here in found.items() if not here]
    if problems:
        raise Problems(problems)
    return [item for here in found.values() for item in here]


def compare_text(found: Sequence[Compared]) -> Iterator[str]:
    """The differences as a table, and how many values agree, file by file."""
    for file in dict.fromkeys(c.file for c in found):
        here = [c for c in found if c.file == file]
        apart = [c for c in here if not c.agrees]
        yield f"{file}: {len(here) - len(apart)} values agree, {len(apart)} differ"
        if apart:
            yield from _table([("year", "value", "status", "ours", "theirs"), *(_row(c) for c in apart)])


def _row(c: Compared) -> tuple[str, ...]:
    return str(c.year), c.about, c.status or "all", c.ours, c.theirs


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:>{width}}" if n > 2 else f"{cell:<{width}}"
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells).rstrip()


def _read(path: Path, known: Mapping[str, Any]) -> Iterator[Entry]:
    if not path.is_file():
        raise refuse(path, "no such file")
    if path.stat().st_size > LARGEST:
        raise refuse(path, f"{path.stat().st_size:,} bytes; a parameter file may have {LARGEST:,}")
    if path.suffix == ".json":
        yield from _tax_calculator(path, known["tax_calculator"])
        return
    for end, addresses in known["policyengine"]["files"].items():
        if path.resolve().with_suffix("").as_posix().endswith(f"/{end}"):
            yield from _policyengine(path, addresses, known["policyengine"]["statuses"])
            return
    ends = ", ".join(f"{end}.yaml" for end in known["policyengine"]["files"])
    raise refuse(path, f"no file of parameters that lotlaw knows; of PolicyEngine it reads {ends}")


def _tax_calculator(path: Path, known: Mapping[str, Any]) -> Iterator[Entry]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        for name, address in known["values"].items():
            for entry in said[name]["value"] if name in said else ():
                yield address, known["statuses"].get(entry.get("MARS", ""), ""), int(entry["year"]), entry["value"]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise refuse(
            path, "not Tax-Calculator's policy_current_law.json, with `value: [{year, MARS, value}]`"
        ) from None


def _policyengine(path: Path, addresses: Mapping[str, str], statuses: Mapping[str, str]) -> Iterator[Entry]:
    document = read_yaml(path).value
    for keys, address in addresses.items():
        part = document
        for key in keys.split(".") if keys else ():
            part = part.get(key, {}) if isinstance(part, Mapping) else {}
        if not isinstance(part, Mapping):
            continue
        by_status = {ours: part[theirs] for theirs, ours in statuses.items() if theirs in part} or {"": part}
        for status, values in by_status.items():
            yield from ((address, status, year, value) for year, value in _dated(values))


def _dated(values: Any) -> Iterator[tuple[int, Any]]:
    """The values of a mapping from days to values; `values:` may stand around it, and around each value."""
    values = values.get("values", values) if isinstance(values, Mapping) else {}
    for day, said in values.items():
        value = said.get("value") if isinstance(said, Mapping) else said
        if day[:4].isdecimal() and isinstance(value, (int, Decimal)):
            yield int(day[:4]), value


def _compared(path: Path, law: Sequence[Year], entries: list[Entry]) -> Iterator[Compared]:
    for address, status in dict.fromkeys((address, status) for address, status, *_ in entries):
        theirs = {year: value for a, s, year, value in entries if (a, s) == (address, status)}
        for year in law:
            parameter = year.parameters.get(address.partition(".")[0])
            if parameter is None:
                continue
            rate = parameter.unit == "rate" or address.endswith(".rate")
            known = [y for y in theirs if y == year.year or (y < year.year and (rate or not parameter.indexed))]
            for each in ([status] if status else _statuses(year, address)) if known else ():
                ours = _ours(year, address, each)
                said = (said_value(Decimal(value), "rate" if rate else "money") for value in (ours, theirs[max(known)]))
                yield Compared(path.name, year.year, address, each, *said)


def _statuses(year: Year, address: str) -> list[str]:
    """The statuses for which a value without a status stands: none by name, if ours has no statuses either."""
    return [""] if _ours(year, address, "") is not None else list(year.statuses)


def _ours(year: Year, address: str, status: str) -> Any:
    """Our value at an address, for a filing status."""
    name, *rest = address.split(".")
    if not status:
        value = year.parameters[name].value
        value = value[int(rest[0]) - 1][rest[1]] if rest else value
        return None if isinstance(value, Mapping) else value
    value = year.parameter(name, status)
    return value[int(rest[0]) - 1][rest[1]] if rest else value
