"""The page of the numbers: each with its unit, status, law, readers and what it was in other years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lotlaw.audit.book import history
from lotlaw.audit.book.glossary import unit_called
from lotlaw.audit.book.links import Readers, value_said
from lotlaw.audit.book.tables import pin
from lotlaw.audit.show import said_value, status_of
from lotlaw.explain.amounts import amount
from lotlaw.law import Parameter, Year


def numbers_page(year: Year, law: list[Year], readers: Readers) -> dict[str, Any]:
    """What the page of a year's numbers shows."""
    entries = [_number(year, parameter, law, readers) for parameter in year.parameters.values()]
    facts = pin(year, "parameters")
    return {"title": "Numbers", "facts": facts, "cite": {"title": ""}, "entries": entries}


def _number(year: Year, parameter: Parameter, law: list[Year], readers: Readers) -> dict[str, Any]:
    heads, rows = _shown(year, parameter)
    return {
        "name": parameter.name, "label": parameter.label, "unit": unit_called(parameter.unit),
        "status": status_of(parameter), "heads": heads, "rows": rows, "cite": parameter.cite,
        "readers": readers.of_parameter(parameter.name),
        "place": f"{parameter.place.file}:{parameter.place.line}", "history": history.of_parameter(parameter, law),
        "changed_by": str(parameter.changed_by) if parameter.changed_by else "",
        "unread": parameter.unread, "projected": parameter.projected,
    }  # fmt: skip


def _shown(year: Year, parameter: Parameter) -> tuple[list[str], list[list[str]]]:
    """The value as a table: its heads, and its rows."""
    value, statuses = parameter.value, [s for s in year.statuses if s not in year.same_as]
    if isinstance(value, dict):
        return [year.statuses[s] for s in statuses], [[said_value(value[s], parameter.unit) for s in statuses]]
    if isinstance(value, list) and parameter.unit == "brackets":
        heads = ["Rate", *(f"{year.statuses[s]}, up to" for s in statuses)]
        return heads, [[said_value(row["rate"], "rate"), *_tops(row.get("up_to"), statuses)] for row in value]
    if isinstance(value, list):
        return ["Up to", "Width of a row"], [[amount(row["up_to"]), amount(row["width"])] for row in value]
    return [], [[value_said(year, parameter)]]


def _tops(tops: Any, statuses: list[str]) -> list[str]:
    if tops is None:
        return ["and above" for _ in statuses]
    return [amount(tops[status]) if isinstance(tops, Mapping) else amount(tops) for status in statuses]
