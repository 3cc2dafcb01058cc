"""Recognise an export by the names in its header, whatever the file is called and whatever stands above the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from lotlaw.formula import did_you_mean
from lotlaw.importers.files import Text
from lotlaw.importers.mapping import load
from lotlaw.importers.problems import refused
from lotlaw.importers.reading import Header, folded, head, rows_of
from lotlaw.source import Problems, parse_yaml, shown

BODY = re.compile(r"^(?:columns|sections):", re.MULTILINE)
"""Where the part of a mapping begins that recognising a file has no use for."""
WITHIN = 25
"""Lines in which a header is looked for, unless a mapping says otherwise."""
ABOVE = 5
"""Lines above a header among which the title of its section stands."""
OTHERWISE = "write it as a simple ledger (docs/simple-ledger.md), or a mapping for it (docs/add-an-importer.md)"
"""What to do with a file that no mapping is even near."""
NEAR = 1 / 3
"""Share of a mapping's names that a header has, beyond which it may be meant."""
SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Signature:
    """What a mapping is recognised by: names that its header must have and must not have, and the title above it.

    Of `any_of` the header must have one set in full.
    """

    path: Path
    id: str
    title: str
    header: frozenset[str]
    any_of: tuple[frozenset[str], ...]
    without: frozenset[str]
    under: str | None
    within: int
    any_case: bool
    sheet: str | None

    def fit(self, cells: Iterable[str]) -> int:
        """How many of the names that the mapping asks for are there; 0 if the header is not its own."""
        lacking, names = self.lacking(cells), self.names(cells)
        if lacking or self.without & names:
            return 0
        return len(self.header) + max((len(choice) for choice in self.any_of if choice <= names), default=0)

    def lacking(self, cells: Iterable[str]) -> frozenset[str]:
        """The names that are not there; of `any_of`, those of the nearest set."""
        names = self.names(cells)
        choices = [choice - names for choice in self.any_of]
        return (self.header - names) | min(choices, key=len, default=frozenset())

    def there(self, cells: Iterable[str]) -> float:
        """Which share of the names is there."""
        wanted = len(self.header) + min(map(len, self.any_of), default=0)
        return max(wanted - len(self.lacking(cells)), 0) / wanted

    def names(self, cells: Iterable[str]) -> set[str]:
        """A header's cells as they are compared."""
        return {folded(cell, self.any_case) for cell in cells}


@dataclass(frozen=True)
class Found:
    """A mapping, the header it was recognised by, and the text that it stands in, or sheet of a workbook."""

    signature: Signature
    header: Header
    text: Text


def signatures(folder: Path) -> tuple[Signature, ...]:
    """The signatures of a folder's mappings, of which only what stands above `columns:` is read. Raises Problems."""
    inside = Path(shown(folder))
    return tuple(signature(path, str(inside / path.name)) for path in sorted(folder.glob("*.yaml")))


def signature(path: Path, name: str = "") -> Signature:
    """The signature of one mapping, known to the reader as `name`. Raises Problems."""
    name = name or shown(path)
    try:
        return _signature(path, name, BODY.split(path.read_text(encoding="utf-8-sig"), maxsplit=1)[0])
    except (OSError, UnicodeDecodeError, LookupError, TypeError, ValueError, Problems):
        load(path)
        raise refused(name, "id, title and detect must stand above `columns:`") from None


@lru_cache(maxsize=256)
def _signature(path: Path, name: str, text: str) -> Signature:
    """The signature of a mapping that begins with this."""
    said: Any = parse_yaml(text, name, text_only=True).value
    detect = said["detect"]
    any_case = str(detect.get("any_case")).lower() in ("true", "yes")
    names = partial(_names, any_case=any_case)
    return Signature(
        path, said["id"], said["title"], names(detect.get("header", ())),
        tuple(names(choice) for choice in detect.get("any_of", ())), names(detect.get("without", ())),
        detect.get("under"), int(detect.get("within", WITHIN)), any_case,
        said.get("read", {}).get("sheet"),
    )  # fmt: skip


def _names(said: Iterable[str], *, any_case: bool) -> frozenset[str]:
    return frozenset(folded(name, any_case) for name in said)


def recognise(text: Text, known: Sequence[Signature], forced: str | None = None) -> Found:
    """The mapping whose required names the file's header has the most of. Raises Problems where none or two fit."""
    tried = [s for s in known if forced in (None, s.id)]
    if not tried:
        hint = did_you_mean(str(forced), [s.id for s in known])
        said = f"no mapping is called '{forced}'{hint or f'; there are {len(known)}, one a file of rules/sources'}"
        raise refused(text.name, said if known else "there are no mappings to read it with in the folder of rules")
    found = [f for sheet, part in text.parts() for f in _in(part, tried) if f.signature.sheet in (None, sheet)]
    most = max((f.signature.fit(f.header.cells) for f in found), default=0)
    best = [f for f in found if f.signature.fit(f.header.cells) == most]
    fitting = {f.signature.id: f for f in reversed(best)}
    if len(fitting) > 1:
        both = " and ".join(sorted(fitting))
        raise refused(text.name, f"the header fits {both}; say which with --source", best[0].header.line)
    if not fitting:
        part = max((part for _, part in text.parts()), key=lambda part: len(part.data))
        raise _unknown(part, head(part), tried)
    return next(iter(fitting.values()))


def _in(text: Text, tried: Sequence[Signature]) -> Iterator[Found]:
    start = head(text)
    for separator in SEPARATORS:
        if separator in start:
            yield from _found(text, start, separator, tried)


def _found(text: Text, start: str, separator: str, tried: Iterable[Signature]) -> Iterator[Found]:
    """Every row that is the header of a signature, among the lines in which it is looked for."""
    lines = start.split("\n")
    under = {s.id: _below(s.under, lines[: s.within]) for s in tried if s.under}
    possible = [s for s in tried if s.id not in under or under[s.id]]
    wanted = {name for s in possible for names in (s.header, *s.any_of) for name in names}
    for row in rows_of(start, separator, max((s.within for s in possible), default=0)):
        if wanted.isdisjoint(row.cells) and wanted.isdisjoint([cell.casefold() for cell in row.cells]):
            continue
        for signature in possible:
            placed = row.line <= signature.within and (signature.id not in under or row.line in under[signature.id])
            if placed and signature.fit(row.cells):
                yield Found(signature, row, text)


def _below(title: str, lines: list[str]) -> set[int]:
    """The numbers of the lines that stand close below one that matches a title."""
    import polars as pl

    titles = pl.Series(lines, dtype=pl.String).str.contains(title).arg_true().to_list()
    return {number + 1 + below for number in titles for below in range(1, ABOVE + 1)}


def _unknown(text: Text, start: str, tried: Sequence[Signature]) -> Problems:
    """What was found instead of a known header, and what the nearest mapping lacks."""
    rows = [row for separator in SEPARATORS for row in rows_of(start, separator, WITHIN)]
    if not rows:
        return refused(text.name, "no header in its first lines; is this a CSV export?")
    pairs = [(s.there(row.cells), -n, row, s) for row in rows for n, s in enumerate(tried)]
    share, _, row, nearest = max(pairs, key=lambda pair: pair[:2])
    near = share > (NEAR if len(tried) > 1 else 0)
    if not near:
        row = max(rows, key=lambda row: sum(map(bool, row.cells)))
    said = f"no mapping knows this header: {_listed(row.cells)}"
    if not near:
        return refused(text.name, f"{said}; {OTHERWISE}", row.line)
    return refused(text.name, f"{said}; the nearest is {nearest.id}, {_why_not(row, nearest)}", row.line)


def _why_not(row: Header, nearest: Signature) -> str:
    """What keeps a header from being a mapping's."""
    lacking = [f"'{name}'{_instead(name, row, nearest)}" for name in sorted(nearest.lacking(row.cells))]
    if lacking:
        return f"which needs {', '.join(lacking)} too"
    if nearest.without & nearest.names(row.cells):
        return f"which has no {_listed(sorted(nearest.without & nearest.names(row.cells)))}"
    if nearest.under:
        return f"which stands under a line that matches '{nearest.under}'"
    return f"which is looked for in the first {nearest.within} lines"


def _instead(name: str, row: Header, nearest: Signature) -> str:
    """The name that stands there in place of the one that is missing."""
    hint = did_you_mean(name, [cell for cell in row.cells if cell and cell not in nearest.header])
    return hint.replace("did you mean", "is it")


def _listed(names: Iterable[str]) -> str:
    text = ", ".join(f"'{name}'" for name in names if name)
    return text if len(text) <= 300 else text[:300] + " ..."
