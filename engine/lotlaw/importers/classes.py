"""Which class each asset is of: as a row says, else as `rules/assets.yaml` knows, else as the mapping assumes of its export.

What a mapping assumes gives way to what a row says within one family (a stock may turn out to be a fund). Two families under one
symbol are two assets (Chainlink and Interlink are both LINK): the digital one is then called `LINK (crypto)` in the files that mean it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import polars as pl

from lotlaw.importers import Imported
from lotlaw.importers.problems import quoted
from lotlaw.source import Place, Problem, read_yaml

MONEY = "USD"
ASSETS = ("out_asset", "in_asset", "ref_asset", "fee_asset")
RENAMED = "digital"
"""The family whose assets are renamed where another one has the same symbol."""


@dataclass(frozen=True)
class Known:
    """`rules/assets.yaml`: the family of each class, and the class of well-known symbols."""

    families: Mapping[str, str]
    classes: Mapping[str, str]


@dataclass(frozen=True)
class Statement:
    """What a file says or assumes of an asset."""

    asset: str
    file: int
    line: int
    klass: str | None
    stated: bool


@lru_cache(maxsize=8)
def known(path: Path) -> Known:
    """The file of known assets. Raises Problems."""
    said = read_yaml(path, text_only=True).value
    families = {klass: family for family, classes in said["families"].items() for klass in classes}
    return Known(families, {symbol: klass for klass, symbols in said["assets"].items() for symbol in symbols})


def classified(files: Sequence[Imported], known: Known) -> tuple[list[Imported], dict[str, str], list[Problem]]:
    """The files, with assets of one symbol and two families told apart; the class of every asset; what cannot be settled."""
    settled, problems = _settled([s for n, file in enumerate(files) for s in _statements(n, file, known)], files, known)
    shared = _shared(settled, known)
    renamed = [_renamed(file, {a: f"{a} ({k})" for a, k in shared.get(n, {}).items()}) for n, file in enumerate(files)]
    classes: dict[str, str] = {}
    for statement in sorted(settled, key=lambda s: not s.stated):
        klass = statement.klass or ""
        name = f"{statement.asset} ({klass})" if statement.asset in shared.get(statement.file, {}) else statement.asset
        classes.setdefault(name, klass)
    return renamed, dict(sorted(classes.items())), problems


def _statements(number: int, file: Imported, known: Known) -> Iterator[Statement]:
    """Every asset of a file with the class that its rows, the known assets or the mapping give it."""
    rows = file.rows
    columns = [c for c in (*ASSETS, "asset_class") if c in rows.columns]
    if not columns:
        return
    combined = rows.group_by(columns).agg(pl.col("line").min()).sort("line", *columns)
    stated: dict[tuple[str, str], int] = {}
    seen: dict[str, int] = {}
    for row in combined.iter_rows(named=True):
        assets = [row[c] for c in columns if c != "asset_class" and row[c] is not None]
        principal = next((a for a in assets if a != MONEY), None)
        if principal and row.get("asset_class"):
            stated.setdefault((principal, row["asset_class"]), row["line"])
        for asset in assets:
            seen.setdefault(asset, row["line"])
    for (asset, klass), line in stated.items():
        yield Statement(asset, number, line, klass, stated=True)
    for asset in [a for a in seen if a not in {asset for asset, _ in stated}]:
        look_up = asset == MONEY or file.importer.known_assets
        klass = (known.classes.get(asset) if look_up else None) or file.importer.asset_class
        yield Statement(asset, number, seen[asset], klass, stated=False)


def _settled(statements: Sequence[Statement], files: Sequence[Imported], known: Known) -> tuple[list[Statement], list[Problem]]:
    """The statements, each with a class; assets of no class, and of two classes in one family or file."""
    settled: list[Statement] = []
    problems: list[Problem] = []
    for asset in dict.fromkeys(s.asset for s in statements):
        said = [s for s in statements if s.asset == asset]
        stated = sorted((s for s in said if s.stated), key=lambda s: (s.file, s.line))
        said = [replace(s, klass=stated[0].klass) if s.klass is None and stated else s for s in said]
        nameless = [s for s in said if s.klass is None]
        words = f"the class of {quoted(asset)} is not known; say its asset_class ({', '.join(known.families)}) on one of its rows"
        problems += [Problem(_place(files, s), words) for s in nameless[:1]]
        problems += _at_odds(stated, files, known)
        settled += [s for s in said if s.klass is not None]
    return settled, problems


def _at_odds(stated: Sequence[Statement], files: Sequence[Imported], known: Known) -> Iterator[Problem]:
    """Of the classes that rows give an asset, those that differ from an earlier one of the same family or file."""
    for n, later in enumerate(stated):
        for earlier in stated[:n]:
            related = later.file == earlier.file or known.families.get(later.klass or "") == known.families.get(earlier.klass or "")
            if later.klass != earlier.klass and related:
                said = f"{quoted(later.asset)} is of class {later.klass} here and {earlier.klass} in {_place(files, earlier)}"
                yield Problem(_place(files, later), f"{said}; one asset has one class")
                break


def _place(files: Sequence[Imported], statement: Statement) -> Place:
    return Place(files[statement.file].name, statement.line)


def _shared(settled: Sequence[Statement], known: Known) -> dict[int, dict[str, str]]:
    """By file, the digital assets whose symbol is something else in another file, with their class."""
    families: dict[str, set[str]] = {}
    for s in settled:
        families.setdefault(s.asset, set()).add(known.families.get(s.klass or "", ""))
    shared: dict[int, dict[str, str]] = {}
    for s in settled:
        if len(families[s.asset]) > 1 and known.families.get(s.klass or "") == RENAMED:
            shared.setdefault(s.file, {})[s.asset] = s.klass or ""
    return shared


def _renamed(file: Imported, names: Mapping[str, str]) -> Imported:
    if not names:
        return file
    columns = [c for c in ASSETS if c in file.rows.columns]
    notes = [f"{file.name}: {old} is called {new}; another file has a different {old}" for old, new in names.items()]
    rows = file.rows.with_columns(pl.col(columns).replace(dict(names)))
    return replace(file, rows=rows, notes=(*file.notes, *notes))
