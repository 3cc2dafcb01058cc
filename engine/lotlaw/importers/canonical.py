"""The canonical table as `schemas/ledger.schema.json` has it: columns, their types, what each kind of row needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
class Choice:
    """What a row must have one of: lists of columns, of which one is there throughout.

    `only` are words that a column must hold for its list to count; `why` says what is asked for.
    """

    any_of: tuple[tuple[str, ...], ...]
    only: Mapping[str, str]
    why: str


@dataclass(frozen=True)
class Case:
    """What a row needs besides where a column holds one of some words, and why."""

    column: str
    words: tuple[str, ...]
    needs: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Kind:
    """What a row of one kind must have and why, one of what it must have, has to have in a case, and may have.

    `not_money` and `money` are its assets that never are money, or always; `any_sign` its dollars that may be below
    zero.
    """

    needs: Mapping[str, str]
    choices: tuple[Choice, ...]
    cases: tuple[Case, ...]
    may: frozenset[str]
    not_money: tuple[str, ...]
    money: tuple[str, ...]
    any_sign: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Columns by name with their format (`enum` where a list of words is given), the words of those, and the kinds.

    `most` is the largest number of columns that have one.
    """

    formats: Mapping[str, str]
    most: Mapping[str, int]
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
    kinds = {
        name: _kind(clause["then"], common, _cases(said["allOf"], name))
        for clause in said["allOf"]
        for name in _if(clause)["kind"]
        if len(_if(clause)) == 1
    }
    most = {name: p["maximum"] for name, p in said["properties"].items() if "maximum" in p}
    return Table(formats, most, words, kinds)


def _if(clause: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The columns that a clause looks at, and the words for which it holds."""
    return {name: tuple(said["enum"]) for name, said in clause["if"]["properties"].items()}


def _cases(clauses: Sequence[Mapping[str, Any]], kind: str) -> tuple[Case, ...]:
    found = [(_if(clause), clause["then"]) for clause in clauses]
    return tuple(
        Case(column, words, tuple(then["required"]), then["description"])
        for looks, then in found
        if kind in looks["kind"]
        for column, words in looks.items()
        if column != "kind"
    )


def _kind(then: Mapping[str, Any], common: list[str], cases: tuple[Case, ...]) -> Kind:
    own = [name for part in then["propertyNames"]["anyOf"] for name in part.get("enum", ())]
    choices = tuple(_choice(said) for said in then.get("allOf", ()))
    properties = then.get("properties", {})
    is_ = {name: said.get("$ref", "").rpartition("/")[2] for name, said in properties.items()}
    not_money, money, any_sign = (
        tuple(name for name, said in is_.items() if said == what) for what in ("not_money", "money", "any_sign")
    )
    why = {name: said["description"] for name, said in properties.items() if "description" in said}
    needs = {name: why.get(name, "") for name in then.get("required", ())}
    return Kind(needs, choices, cases, frozenset((*common, *own)), not_money, money, any_sign)


def _choice(said: Mapping[str, Any]) -> Choice:
    only = {name: is_["const"] for choice in said["anyOf"] for name, is_ in choice.get("properties", {}).items()}
    return Choice(tuple(tuple(choice["required"]) for choice in said["anyOf"]), only, said["description"])
