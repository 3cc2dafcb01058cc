"""Plans as text: aligned tables, in colour on a terminal, plain otherwise."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import polars as pl

from lotlaw.rendering.amounts import REPLACEMENT, UNPRINTABLE, clean

GAP = "  "
COLOURED = 2**10
"""Rows that are shown in colour at most: nobody looks at more, and colour costs time."""
STYLES = {"title": "bold", "faint": "dim", "warning": "yellow", "gain": "green", "loss": "red", "": ""}
WIDE = 116
"""Columns that a sentence takes at most."""
CENT = Decimal("0.01")

Part = tuple[str, str]
"""Text and its style, one of STYLES."""


@dataclass(frozen=True)
class Table:
    """Texts in columns, under their titles.

    `right`: columns that are aligned there; `signed`: those whose amounts are coloured by their sign; `strong`: how
    many of the last rows are totals.
    """

    titles: Sequence[str]
    rows: pl.DataFrame
    right: frozenset[str] = frozenset()
    signed: frozenset[str] = frozenset()
    strong: int = 0

    def lines(self) -> Iterator[str]:
        """The table as aligned text."""
        yield from (line.rstrip() for line in self._aligned().select(_joined(self.rows)).to_series())

    def parts(self) -> Iterator[list[Part]]:
        """Each row as styled parts."""
        aligned = self._aligned()
        last = aligned.height - self.strong
        for n, cells in enumerate(aligned.iter_rows()):
            style = "faint" if n == 0 else "title" if n >= last else ""
            yield [
                (f"{GAP if k else ''}{cell}", self._style(name, cell) or style)
                for k, (name, cell) in enumerate(zip(aligned.columns, cells, strict=True))
            ]

    def _style(self, name: str, cell: str) -> str:
        if name not in self.signed or not any(map(str.isdigit, cell)):
            return ""
        return "loss" if cell.strip().startswith(("-", "(")) else "gain" if cell.strip(" 0.,") else ""

    def _aligned(self) -> pl.DataFrame:
        head = pl.DataFrame([self.titles], schema=dict.fromkeys(self.rows.columns, pl.String), orient="row")
        whole = pl.concat([head, self.rows]).with_columns(
            pl.all().fill_null("").str.replace_all(UNPRINTABLE, REPLACEMENT)
        )
        widths = whole.select(pl.all().str.len_chars().max()).row(0, named=True)
        return whole.select(
            pl.col(name).str.pad_start(width) if name in self.right else pl.col(name).str.pad_end(width)
            for name, width in widths.items()
        )


def _joined(rows: pl.DataFrame) -> pl.Expr:
    return pl.concat_str(rows.columns, separator=GAP)


Block = Table | list[Part] | str


def show(blocks: Iterable[Block]) -> None:
    """Print tables, lines of styled parts and plain lines; in colour where a terminal reads them."""
    if not sys.stdout.isatty():
        for block in blocks:
            sys.stdout.writelines(f"{line}\n" for line in plain(block))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for block in blocks:
        if isinstance(block, Table) and block.rows.height > COLOURED:
            sys.stdout.writelines(f"{line}\n" for line in block.lines())
            continue
        for parts in _parts(block):
            console.print(Text.assemble(*((text, STYLES[style]) for text, style in parts)))


def plain(block: Block) -> Iterator[str]:
    """A block as lines of text."""
    if isinstance(block, Table):
        yield from block.lines()
    elif isinstance(block, str):
        yield clean(block)
    else:
        yield clean("".join(text for text, _ in block)).rstrip()


def _parts(block: Block) -> Iterator[list[Part]]:
    if isinstance(block, Table):
        yield from block.parts()
    elif isinstance(block, str):
        yield [(clean(block), "")]
    else:
        yield [(clean(text), style) for text, style in block]


def wrapped(lines: Iterable[str], style: str) -> Iterator[list[Part]]:
    """Sentences, each on as many lines as it needs."""
    for line in lines:
        for n, part in enumerate(textwrap.wrap(line, WIDE - len(GAP), break_on_hyphens=False)):
            yield [(f"{GAP if n else ''}{part}", style)]


def money(column: str) -> pl.Expr:
    """Exact dollars as `-1,234.50`, to the cent; empty where unknown."""
    cents = (pl.col(column).cast(pl.Decimal(38, 18)).to_physical().cast(pl.Int128),)
    return _grouped(_to_cents(cents[0])).alias(column)


def _to_cents(units: pl.Expr) -> pl.Expr:
    """Whole numbers at 18 decimals as whole cents, half away from zero."""
    size = pl.lit(10**16, pl.Int128)
    return units.sign() * ((units.abs() * 2 + size) // (size * 2))


def _grouped(cents: pl.Expr) -> pl.Expr:
    dollars = (cents.abs() // 100).cast(pl.String)
    grouped = dollars.str.reverse().str.replace_all(r"(\d{3})", "$1,").str.strip_suffix(",").str.reverse()
    rest = (cents.abs() % 100).cast(pl.String).str.zfill(2)
    sign = pl.when(cents < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, grouped, pl.lit("."), rest)


def number(column: str) -> pl.Expr:
    """An exact decimal without trailing zeros."""
    return pl.col(column).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".").alias(column)


def dollars(amount: Decimal, *, cents: bool = True) -> str:
    """Dollars as `-1,234.50`, or `-1,234` where there are no cents and none are asked for."""
    if not cents and amount == amount.to_integral_value():
        return f"{amount.quantize(Decimal(1)) + 0:,f}"
    return f"{amount.quantize(CENT, ROUND_HALF_UP) + 0:,f}"


def said(value: Any) -> str:
    """A value as a reader writes it."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
