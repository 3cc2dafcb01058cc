"""Which class each asset is of: as a row says, else as `rules/assets.yaml` knows, else as the mapping assumes.

An asset that is named as options are is one, where no row says otherwise.

What a mapping assumes gives way to what a row says within one family (a stock may turn out to be a fund). Two families
under one symbol are two assets (Chainlink and Interlink are both LINK): the digital one is then called `LINK (crypto)`
in the files that mean it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.importers import Imported
from lotlaw.importers.options import contracts
from lotlaw.importers.problems import quoted
from lotlaw.source import Place, Problem, read_yaml

MONEY, OPTION = "USD", "option"
ASSETS = ("out_asset", "ref_asset", "in_asset", "fee_asset")
"""What a row may be about: `asset_class` is of the first that is no money, `counter_class` of the second."""
RENAMED = "digital"
"""The family whose assets are renamed where another one has the same symbol."""


@dataclass(frozen=True)
class Known:
    """`rules/assets.yaml`: the family of each class, the class of well-known symbols, how options are named."""

    families: Mapping[str, str]
    classes: Mapping[str, str]
    options: Mapping[str, Any] | None


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
    classes = {symbol: klass for klass, symbols in said["assets"].items() for symbol in symbols}
    return Known(families, classes, said.get("options"))


def classified(files: Sequence[Imported], known: Known) -> tuple[list[Imported], dict[str, str], list[Problem]]:
    """The files, with assets of one symbol and two families told apart; every asset's class; what stays open."""
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
    stated: dict[tuple[str, str], int] = {}
    seen: dict[str, int] = {}
    for row in _combinations(file.rows):
        assets = [row[c] for c in ASSETS if row.get(c) is not None]
        classes = (row.get("asset_class"), row.get("counter_class"))
        for asset, klass in zip((a for a in assets if a != MONEY), classes, strict=False):
            if klass:
                stated.setdefault((asset, klass), row["line"])
        for asset in assets:
            seen.setdefault(asset, row["line"])
    for (asset, klass), line in stated.items():
        yield Statement(asset, number, line, klass, stated=True)
    silent = [asset for asset in seen if asset not in {asset for asset, _ in stated}]
    options = _options([a for a in silent if a not in known.classes] if file.importer.known_assets else [], known)
    for asset in silent:
        look_up = asset == MONEY or file.importer.known_assets
        klass = (known.classes.get(asset) if look_up else None) or options.get(asset) or file.importer.asset_class
        yield Statement(asset, number, seen[asset], klass, stated=False)


def _options(assets: Sequence[str], known: Known) -> dict[str, str]:
    """The assets that are named as options are."""
    read = contracts(assets, known.options).filter(pl.col("underlying").is_not_null())
    return dict.fromkeys(read["asset"], OPTION)


def _combinations(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Every combination of assets and classes that stands in a row, with the first line it stands in."""
    there = [c for c in (*ASSETS, "asset_class", "counter_class") if c in rows.columns]
    fees = rows["fee_asset"] if "fee_asset" in there else pl.Series(dtype=pl.String)
    dollars = fees.null_count() < len(fees) and bool((fees == MONEY).all())
    columns = [c for c in there if c != "fee_asset" or not dollars]
    if dollars:
        yield {"fee_asset": MONEY, "line": int(rows["line"][0])}
    if columns:
        found = rows.lazy().group_by(columns).agg(pl.col("line").min()).collect(engine="streaming")
        yield from found.sort("line", *columns).iter_rows(named=True)


def _settled(
    statements: Sequence[Statement], files: Sequence[Imported], known: Known
) -> tuple[list[Statement], list[Problem]]:
    """The statements, each with a class; assets of no class, and of two classes in one family or file."""
    settled: list[Statement] = []
    problems: list[Problem] = []
    for asset in dict.fromkeys(s.asset for s in statements):
        said = [s for s in statements if s.asset == asset]
        stated = sorted((s for s in said if s.stated), key=lambda s: (s.file, s.line))
        said = [replace(s, klass=stated[0].klass) if s.klass is None and stated else s for s in said]
        nameless = [s for s in said if s.klass is None]
        problems += [Problem(_place(files, s), class_words(asset, known)) for s in nameless[:1]]
        problems += _at_odds(stated, files, known)
        settled += [s for s in said if s.klass is not None]
    return settled, problems


def class_words(asset: str, known: Known) -> str:
    """What is said of an asset of no class."""
    choice = ", ".join(klass for klass, family in known.families.items() if family != "money")
    return f"the class of {quoted(asset)} is not known; say its asset_class ({choice}) on one of its rows"


def _at_odds(stated: Sequence[Statement], files: Sequence[Imported], known: Known) -> Iterator[Problem]:
    """Of the classes that rows give an asset, those that differ from an earlier one of the same family or file."""
    for n, later in enumerate(stated):
        for earlier in stated[:n]:
            related = later.file == earlier.file or known.families.get(later.klass or "") == known.families.get(
                earlier.klass or ""
            )
            if later.klass != earlier.klass and related:
                there = f"{earlier.klass} in {_place(files, earlier)}"
                said = f"{quoted(later.asset)} is of class {later.klass} here and {there}; one asset has one class"
                yield Problem(_place(files, later), said)
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
