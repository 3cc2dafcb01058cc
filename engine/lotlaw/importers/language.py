"""What a mapping is made of: columns, formulas, value tables, skips, groups, rules and the rows they write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotlaw.formula import Formula
from lotlaw.source import Place

ORDERS = ("oldest_first", "newest_first", "auto")
TIME = "time"
"""The field that the date and instant of a row are read from."""


@dataclass(frozen=True)
class Column:
    """A column of the file: names (or `/pattern/`) it goes by, type, and the words it may hold if they are a list."""

    alias: str
    names: tuple[str, ...]
    type: str = "text"
    optional: bool = False
    values: tuple[str, ...] = ()
    rounds: bool = False


@dataclass(frozen=True)
class Values:
    """A value table: the label of every cell that may stand in a column."""

    of: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Event:
    """One row to write: fields as formulas or words, and on what condition or for each item of which leg."""

    fields: Mapping[str, Formula | str]
    only_if: Formula | None = None
    each: str | None = None


@dataclass(frozen=True)
class Rule:
    """The first rule whose condition holds takes a row."""

    when: Formula
    events: tuple[Event, ...]
    place: Place


@dataclass(frozen=True)
class Leg:
    """Some rows of a group: added up (`sum`), with columns that must agree (`same`), or a slice of them."""

    where: Formula
    sum: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    take: int | None = None
    skip: int = 0


@dataclass(frozen=True)
class Group:
    """Rows that are one event together."""

    name: str
    when: Formula
    by: tuple[Formula, ...]
    legs: Mapping[str, Leg]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Skip:
    """Rows that are no event, and why."""

    when: Formula
    why: str


@dataclass(frozen=True)
class Reading:
    """How the file is read: lines above the header, where the table ends, order, and how strict to be."""

    preamble: Mapping[str, str] = field(default_factory=dict)
    stop_at: str | None = None
    order: str = "oldest_first"
    strict: bool = False
    canonical: bool = False
    escaped: bool = False


@dataclass(frozen=True)
class Importer:
    """One mapping. `key`: the fields that an event's id is made of; `show`: the columns that a message shows."""

    id: str
    version: int
    title: str
    file: str
    reading: Reading
    columns: tuple[Column, ...]
    formats: tuple[str, ...]
    zone: str | None
    derive: Mapping[str, Formula | Values]
    skip: tuple[Skip, ...]
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]
    symbols: Mapping[str, str]
    symbol_patterns: tuple[tuple[str, str], ...]
    asset_class: str | None
    known_assets: bool
    key: tuple[str, ...]
    show: tuple[str, ...]
