"""Turn the cells of a mapping's columns into exact values, collecting every cell that is none.

Types: `text`, `symbol` (text under the mapping's names for assets), `decimal` (as exports decorate it: `$`, thousands,
parentheses, a unit; rounded at the last decimal that is kept, which is said), and the plain ones of hand-written
ledgers: `quantity` (more than zero), `amount` (not below zero), `signed`, `date`, `acquired` (a date, VARIOUS,
INHERITED or UNKNOWN), `flag` (yes or no). Every column is tried as it stands first; only one with odd cells is looked
at closer.
"""

from __future__ import annotations

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.importers.binding import Binding
from lotlaw.importers.language import Column, Importer
from lotlaw.importers.problems import SHOWN, named, quoted
from lotlaw.readings.text import DECIMAL, DECIMALS, NO_NUMBER, number, pointed, too_fine
from lotlaw.source import Problem

ACQUIRED = ("VARIOUS", "INHERITED", "UNKNOWN")
PLAIN = ("quantity", "amount", "signed")
POWER = r"\d[eE][-+]?\d"
COMMA = " with a decimal comma, like 1.234,50"
_FLAGS = {"yes": True, "true": True, "y": True, "1": True, "no": False, "false": False, "n": False, "0": False}


def typed(
    importer: Importer, binding: Binding, name: str, raw: pl.DataFrame
) -> tuple[pl.DataFrame, list[Problem], list[str]]:
    """The columns as values, without rows that hold a cell that is none; those cells; what was rounded."""
    aliases = [alias for alias in binding.fields if alias in raw.columns]
    said, comma = raw, importer.reading.decimal_comma
    if comma:
        raw = raw.with_columns(pointed(pl.col(a)) for a in aliases if binding.columns[a].type == "decimal")
    frame = raw.select(*_kept(raw), *(as_it_stands(binding.columns[alias], pl.col(alias)) for alias in aliases))
    frame = _emptied(frame, aliases)
    if importer.reading.escaped:
        frame = frame.with_columns(pl.col(pl.String).str.replace(r"^'([=+\-@\t\r'])", "$1"))
    fine = _too_fine(binding, aliases, raw)
    rounded = _rounded(binding, raw, fine)
    odd = [
        a
        for a in aliases
        if a in rounded or (_has_odd(binding.columns[a]) and frame[a].null_count() != raw[a].null_count())
    ]
    frame = frame.with_columns(_closer(binding.columns[alias], raw[alias]).alias(alias) for alias in odd)
    found = [_unread(binding, name, alias, said, frame, comma=comma) for alias in odd]
    found += [
        _decimals(binding, name, a, raw, [n for n in lines if n not in rounded.get(a, ())]) for a, lines in fine.items()
    ]
    found += [_wrong_sign(binding, name, a, frame, fine.get(a, [])) for a in aliases]
    found += [_empty(binding, name, alias, raw) for alias in aliases if frame[alias].null_count()]
    lines = [line for _, bad in found for line in bad]
    if lines:
        frame = frame.filter(~pl.col("line").is_in(lines))
    if importer.symbols or importer.symbol_patterns:
        frame = frame.with_columns(_symbols(importer, frame[a]) for a in aliases if binding.columns[a].type == "symbol")
    notes = [
        f"{name}:{lines[0]}: {binding.label(a)} has more than {DECIMALS} decimals in {len(lines):,} row(s); rounded"
        for a, lines in rounded.items()
    ]
    return frame, [p for problems, _ in found for p in problems], notes


def _rounded(binding: Binding, raw: pl.DataFrame, fine: dict[str, list[int]]) -> dict[str, list[int]]:
    """By column, the lines whose numbers are rounded: those of exports, where no power of ten stands behind them."""
    plain = {
        alias: raw.filter(pl.col("line").is_in(lines) & ~pl.col(alias).str.contains(POWER))["line"].to_list()
        for alias, lines in fine.items()
        if binding.columns[alias].type == "decimal"
    }
    return {alias: lines for alias, lines in plain.items() if lines}


def _has_odd(column: Column) -> bool:
    """Whether a cell of the column can fail to be a value."""
    return bool(column.values) or column.type not in ("text", "symbol")


def _kept(raw: pl.DataFrame) -> list[str]:
    return [c for c in ("line", "_cells") if c in raw.columns]


def as_it_stands(column: Column, cell: pl.Expr) -> pl.Expr:
    """A cell without decoration as a value of the column's type; empty where it is none."""
    if column.values:
        return cell.cast(pl.Enum(column.values), strict=False)
    if column.type == "decimal" or column.type in PLAIN:
        return cell.cast(DECIMAL, strict=False)
    if column.type == "date":
        return cell.str.to_date("%Y-%m-%d", strict=False)
    if column.type == "flag":
        return cell.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    if column.type == "acquired":
        word = cell.str.strip_chars().str.to_uppercase()
        day = cell.str.strip_chars().str.to_date("%Y-%m-%d", strict=False).dt.to_string("%Y-%m-%d")
        return pl.coalesce(day, pl.when(word.is_in(ACQUIRED)).then(word))
    return cell.str.strip_chars()


def _emptied(frame: pl.DataFrame, aliases: list[str]) -> pl.DataFrame:
    """Text cells that hold nothing are empty."""
    texts = [a for a in aliases if frame.schema[a] == pl.String]
    blank = frame.select((pl.col(a) == "").any() for a in texts).row(0) if texts else ()
    hollow = [a for a, found in zip(texts, blank, strict=True) if found]
    return frame.with_columns(pl.when(pl.col(a) != "").then(pl.col(a)) for a in hollow) if hollow else frame


def _closer(column: Column, raw: pl.Series) -> pl.Series:
    """A column with cells that are no values as they stand: blanks, and the decorations of its type, taken off."""
    frame = raw.rename(column.alias).to_frame()
    cell = pl.col(column.alias).str.strip_chars()
    if column.type == "decimal":
        cell = cell.str.replace(r"(\.\d{18})[0-4]\d*", "$1").str.replace(r"(\.\d{18})[5-9]\d*", "${1}9")
        return frame.select(number(cell)).to_series()
    if column.type == "flag":
        cell = cell.str.to_lowercase()
    return frame.select(cell).select(as_it_stands(column, pl.col(column.alias))).to_series()


Found = tuple[list[Problem], list[int]]
"""Problems to show, and all lines that have one."""


def _unread(binding: Binding, name: str, alias: str, raw: pl.DataFrame, frame: pl.DataFrame, *, comma: bool) -> Found:
    """The cells of a column that are no value of its type."""
    column, cell = binding.columns[alias], raw[alias].str.strip_chars()
    nothing = cell.is_in(["", *(NO_NUMBER if column.type == "decimal" else ())])
    bad = frame[alias].is_null() & cell.is_not_null() & ~nothing
    lines, cells = raw["line"].filter(bad).to_list(), cell.filter(bad).head(SHOWN).to_list()
    said = [_not_a(column, binding.label(alias), c, COMMA if comma else "") for c in cells]
    return named(name, lines, said, binding.fields[alias] + 1), lines


def _not_a(column: Column, label: str, cell: str, comma: str) -> str:
    if column.values:
        hint = did_you_mean(cell, column.values) or f"; it is one of {', '.join(column.values)}"
        return f"unknown {label} {quoted(cell)}{hint}"
    right = {
        "date": "a date; write it like 2025-03-31", "flag": "yes or no", "decimal": f"a number{comma}",
        "acquired": f"a date like 2025-03-31, nor {', '.join(ACQUIRED)}",
    }.get(column.type, "a number; write it like 1234.50")  # fmt: skip
    return f"{label} {quoted(cell)} is not {right}"


def _too_fine(binding: Binding, aliases: list[str], raw: pl.DataFrame) -> dict[str, list[int]]:
    """By column, the lines whose numbers have more decimals than are kept."""
    numbers = [a for a in aliases if binding.columns[a].type in (*PLAIN, "decimal")]
    cell = pl.col(numbers)
    longest = raw.select(cell.str.len_bytes().max()).row(0) if numbers else ()
    powers = raw.select(cell.str.contains("[eE]").any()).row(0) if numbers else ()
    suspect = [(size or 0) > DECIMALS + 1 or power for size, power in zip(longest, powers, strict=True)]
    found = {
        a: raw["line"].filter(raw.select(too_fine(pl.col(a))).to_series().fill_null(value=False)).to_list()
        for a, there in zip(numbers, suspect, strict=True)
        if there
    }
    return {alias: lines for alias, lines in found.items() if lines}


def _decimals(binding: Binding, name: str, alias: str, raw: pl.DataFrame, lines: list[int]) -> Found:
    cells = raw.filter(pl.col("line").is_in(lines[:SHOWN]))[alias].to_list()
    said = [f"{binding.label(alias)} {quoted(c)} has more than 18 decimals" for c in cells]
    return named(name, lines, said, binding.fields[alias] + 1), lines


def _empty(binding: Binding, name: str, alias: str, raw: pl.DataFrame) -> Found:
    """The empty cells of a column that says one of a few words on every row."""
    column = binding.columns[alias]
    if column.optional or not column.values:
        return [], []
    lines = raw["line"].filter(raw[alias].is_null() | (raw[alias].str.strip_chars() == "")).to_list()
    return named(name, lines, f"{binding.label(alias)} is empty", binding.fields[alias] + 1), lines


def _wrong_sign(binding: Binding, name: str, alias: str, frame: pl.DataFrame, known: list[int]) -> Found:
    kind = binding.columns[alias].type
    if kind not in ("quantity", "amount"):
        return [], []
    bad = frame[alias] <= 0 if kind == "quantity" else frame[alias] < 0
    if not bad.any():
        return [], []
    rows = frame.filter(bad & ~frame["line"].is_in(known))
    said = [_sign_words(binding.label(alias), f"{cell.normalize():f}") for cell in rows[alias].head(SHOWN).to_list()]
    lines = rows["line"].to_list()
    return named(name, lines, said, binding.fields[alias] + 1), lines


def _sign_words(label: str, cell: str) -> str:
    if not cell.startswith("-"):
        return f"{label} is zero; it must be more"
    return f"{label} '{cell}' is negative; write it positive, the kind says which way it goes"


def _symbols(importer: Importer, cells: pl.Series) -> pl.Series:
    """Assets under the names that the mapping gives them: patterns first, then the table."""
    old = cells.drop_nulls().unique().to_frame("old")
    name = pl.col("old")
    for pattern, text in importer.symbol_patterns:
        name = name.str.replace(pattern, text)
    names = old.with_columns(name.replace(dict(importer.symbols)).alias("new"))
    return cells.replace(names["old"], names["new"])
