"""What a mapping is made of: columns, formulas, value tables, skips, groups, rules and the rows they write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lotlaw.formula import Formula
from lotlaw.source import Place

NEWEST_FIRST = "newest_first"
ORDERS = ("oldest_first", NEWEST_FIRST, "auto")
ACCOUNT = "account"
"""The answer that any mapping takes: what the account is called whose export a file is."""
LINE = "line"
"""The number of a row's line, as formulas see it."""
TITLE = "title"
"""What the title above a table says, as formulas see it."""
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
    """Rows that are one event together: they agree in `by`, and follow each other `within` so many seconds."""

    name: str
    when: Formula
    by: tuple[Formula, ...]
    legs: Mapping[str, Leg]
    rules: tuple[Rule, ...]
    within: Within | None = None
    allocate: Mapping[str, Allocation] = field(default_factory=dict)


@dataclass(frozen=True)
class Within:
    """How many seconds may lie between a row and the next one of its group, and the time that they are counted by."""

    seconds: int
    of: Formula


@dataclass(frozen=True)
class Allocation:
    """An amount of a group, divided over the rows of a leg in proportion to a weight, without remainder."""

    of: Formula
    over: str
    by: Formula
    place: Place


@dataclass(frozen=True)
class Skip:
    """Rows that are no event, and why."""

    when: Formula
    why: str


@dataclass(frozen=True)
class Tagged:
    """Files whose rows say which table they are of, in field `by` (from 1).

    Field `row` says `header` or `data`, other rows being totals; without it a tag's first row is its header. `leave`:
    tags that are no events, with why.
    """

    by: int
    row: int | None
    header: str
    data: str
    leave: Mapping[str, str]


@dataclass(frozen=True)
class Marked:
    """Tables between a line like `start`, whose group is the tag, and one like `end`; `leave`: tags with no events."""

    start: str
    end: str
    leave: Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """How the file is read: lines above the header, where the table ends, order, and how strict to be.

    `preamble`, `footer` and `filename` name what patterns find above the header, below it and in the file's name. The
    table ends at the first line that matches `stop_at`, is blank (`stop_at_blank`) or has fewer than `min_fields`
    fields. An empty cell of `fill_down` says what the cell above says; where `pair_rows` is empty, a row goes on with
    the one above. `stacked`: one table stands after the other, each begun by a header with the same first name.
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
    tagged: Tagged | None = None
    marked: Marked | None = None
    stacked: bool = False
    fill_down: tuple[str, ...] = ()
    pair_rows: str | None = None
    footer: Mapping[str, str] = field(default_factory=dict)
    decimal_comma: bool = False

    @property
    def ends(self) -> bool:
        """Whether the table may end before its file does."""
        return bool(self.stop_at or self.stop_at_blank or self.min_fields)


@dataclass(frozen=True)
class Importer:
    """One mapping. `assets`: the file of known assets beside it. `key`: the fields that an event's id is made of.

    `show`: the columns that a message shows. `zone` may be `=name`: the answer to that question. `exclusive_with`:
    mappings of files that say the same. `identity`: the columns that tell rows without an id apart, else those with the
    names in `header`. `account`: its name, if rows do not say it.
    """

    id: str
    version: int
    title: str
    file: str
    assets: str
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
    sections: tuple[Section, ...] = ()
    wide: Wide | None = None
    cancels: tuple[Cancel, ...] = ()
    latest: Latest | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Section:
    """One of several tables of a file, read by an importer of its own, and what it is known by."""

    name: str
    tags: tuple[str, ...]
    under: str | None
    header: frozenset[str]
    without: frozenset[str]
    importer: Importer

    def takes(self, cells: tuple[str, ...]) -> bool:
        """Whether a table with this header is of the section."""
        return self.header <= set(cells) and not self.without & set(cells)


@dataclass(frozen=True)
class Wide:
    """Columns that come once for each asset: each row becomes one for every asset that it says something of.

    `name` is the column that the asset's name goes into; `columns` have a pattern whose group catches that name.
    """

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Cancel:
    """Rows that take back an earlier row which agrees with them in `same`, at most `days` before."""

    when: Formula
    of: Formula
    same: tuple[Formula, ...]
    time: Formula
    days: int
    why: str


@dataclass(frozen=True)
class Latest:
    """Rows that are the same event at several times: of those that agree in `by`, the one with the most of `most`."""

    by: tuple[Formula, ...]
    most: Formula
    why: str


@dataclass(frozen=True)
class Check:
    """What the rows of a file must bear out, and the words where they don't.

    `balance` is what stands after a row, `change` what the row adds to it, for each of `by`, and `within` how far it
    may be off. `sum` over all rows is what the file says it `equals`. Otherwise `that` holds where it has an answer.
    """

    says: str
    place: Place
    that: Formula | None = None
    balance: Formula | None = None
    change: Formula | None = None
    within: Decimal = Decimal(0)
    sum: Formula | None = None
    equals: Formula | None = None
    by: tuple[Formula, ...] = ()
    strict: bool = False
