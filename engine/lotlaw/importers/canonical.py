"""The canonical table as `schemas/ledger.schema.json` has it: columns, their types, what each kind of row needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lotlaw.source import data_root

if TYPE_CHECKING:
    import polars as pl

NUMBERS = ("quantity", "usd", "usd_signed")
PROVENANCE = (
    "event_id", "seq", "source_file", "source_row", "mapping_id", "mapping_version", "raw", "precision", "date",
    "timestamp",
)  # fmt: skip
"""Columns that are made when a file is read, and so never taken from it under their own names."""


@dataclass(frozen=True)
class Kind:
    """What a row of one kind must have, one of what it must have, may have, and which of its assets is never money."""

    needs: tuple[str, ...]
    needs_one: tuple[str, ...]
    may: frozenset[str]
    not_money: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Columns by name with their format (`enum` where a list of words is given), the words of those, and the kinds."""

    formats: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, Kind]

    @property
    def literal(self) -> frozenset[str]:
        """Columns that a mapping writes as plain text; `=` makes them a formula."""
        return frozenset(self.words) | {"subkind", "review"}

    def dtype(self, column: str) -> pl.DataType:
        """The type of a column's values."""
        import polars as pl

        form = self.formats[column]
        if form in NUMBERS:
            return pl.Decimal(38, 18)
        if form == "enum":
            return pl.Enum(self.words[column])
        simple: dict[str, Any] = {"date": pl.Date, "flag": pl.Boolean, "integer": pl.Int32}
        return pl.Datetime("us", "UTC") if form == "instant" else simple.get(form, pl.String)()


@lru_cache(maxsize=1)
def table() -> Table:
    """The canonical table."""
    said = json.loads((data_root() / "schemas" / "ledger.schema.json").read_text(encoding="utf-8"))
    formats = {name: p.get("format", "enum") for name, p in said["properties"].items()}
    words = {name: tuple(p["enum"]) for name, p in said["properties"].items() if "enum" in p}
    common = said["$defs"]["any_kind"]["enum"]
    kinds = {name: _kind(clause["then"], common) for clause in said["allOf"] for name in _names(clause)}
    return Table(formats, words, kinds)


def _names(clause: Mapping[str, Any]) -> list[str]:
    names: list[str] = clause["if"]["properties"]["kind"]["enum"]
    return names


def _kind(then: Mapping[str, Any], common: list[str]) -> Kind:
    own = [name for part in then["propertyNames"]["anyOf"] for name in part.get("enum", ())]
    one = tuple(name for choice in then.get("anyOf", ()) for name in choice["required"])
    return Kind(tuple(then.get("required", ())), one, frozenset((*common, *own)), tuple(then.get("properties", ())))
