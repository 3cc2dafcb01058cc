"""What a mapping is made of: columns, formulas, value tables, skips, groups, rules and the rows they write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotlaw.formula import Formula
from lotlaw.source import Place

ORDERS = ("oldest_first", "newest_first", "auto")
ACCOUNT = "account"
"""The answer that any mapping takes: what the account is called whose export a file is."""
TIME = "time"
"""The field that the date and instant of a row are read from."""


@dataclass(frozen=True)
class Column:
    """A column of the file: names (or `/pattern/`) it goes by, type, and the words it may hold if they are a list.

    `nth` says which of several columns of one name it is, from 1; 0: there must not be several.
    """

    alias: str
    names: tuple[str, ...]
    type: str = "text"
    optional: bool = False
    values: tuple[str, ...] = ()
    nth: int = 0


@dataclass(frozen=True)
class Values:
    """A value table: the label of every cell that may stand in a column, or of every beginning that a cell may have."""

    of: str
    labels: Mapping[str, str]
    by_prefix: bool = False


@dataclass(frozen=True)
class Param:
    """What the user must say because no file does: the question, the answers it takes, and what holds without one."""

    name: str
    ask: str
    values: tuple[str, ...] = ()
    default: str | None = None
    many: bool = False


@dataclass(frozen=True)
class ByParam:
    """What depends on an answer of the user."""

    param: str
    choices: Mapping[str, tuple[str, ...]]


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
    """How the file is read: lines above the header, where the table ends, order, and how strict to be.

    `preamble` and `filename` name what patterns find above the header and in the file's name. The table ends at the
    first line that matches `stop_at`, is blank (`stop_at_blank`) or has fewer than `min_fields` fields.
    """

    preamble: Mapping[str, str] = field(default_factory=dict)
    filename: Mapping[str, str] = field(default_factory=dict)
    stop_at: str | None = None
    stop_at_blank: bool = False
    min_fields: int = 0
    any_case: bool = False
    order: str = "oldest_first"
    strict: bool = False
    canonical: bool = False
    escaped: bool = False

    @property
    def ends(self) -> bool:
        """Whether the table may end before its file does."""
        return bool(self.stop_at or self.stop_at_blank or self.min_fields)


@dataclass(frozen=True)
class Importer:
    """One mapping. `key`: the fields that an event's id is made of; `show`: the columns that a message shows.

    `zone` may be `=name`: the answer to that question. `exclusive_with`: mappings of files that say the same.
    `identity`: the columns that tell rows without an id apart, else those with the names in `header`. `account`: its
    name, if rows do not say it.
    """

    id: str
    version: int
    title: str
    file: str
    reading: Reading
    columns: tuple[Column, ...]
    params: tuple[Param, ...]
    formats: tuple[str, ...] | ByParam
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
    exclusive_with: tuple[str, ...]
    identity: tuple[str, ...]
    header: tuple[str, ...]
    account: str | None
