"""The rows of Form 8949 as columns of text, and where in the taxpayer's files each comes from.

`lotlaw.run.Return.rows` has one row a slice of a lot sold, in the form's order: amounts in whole cents, dates as dates,
`sale` and `lot` as places in the ledger. What the form's columns are called, and what they show, stands in the rules
(`form_8949.yaml`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from lotlaw.exceptions import STATEMENT
from lotlaw.law import Year
from lotlaw.rendering.amounts import plain_cents

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.ledger import Ledger
    from lotlaw.run import Return

PLACE = ("file", "line", "source_row")
"""The columns of the ledger that say where a row comes from."""
BETWEEN = "\x1f"
"""Between the sources of one row, in text that is split again."""


@dataclass(frozen=True)
class Column:
    """A column of the form: its letter, its heading, the column of `rows` it shows, and whether the form adds it up.

    `kind` is `text`, `date`, `code` or `money`; no amount or total of the column is more than `largest` cents; in plain
    text it is `width` wide, and `after` stands behind digits that have no parenthesis.
    """

    letter: str
    label: str
    shows: str
    total: bool
    kind: str
    largest: int = 0
    width: int = 0
    after: str = ""


def columns_of(year: Year, rows: pl.DataFrame) -> list[Column]:
    """The columns of Form 8949 in the form's order, as its rules describe them."""
    return [_column(rows, letter, said) for letter, said in year.documents["form_8949"].value["columns"].items()]


def _column(rows: pl.DataFrame, letter: str, said: Mapping[str, Any]) -> Column:
    import polars as pl

    name = said["shows"]
    kinds = {pl.Int64: "money", pl.Date: "date"}
    kind = "code" if name == "codes" else kinds.get(rows.schema[name].base_type(), "text")
    largest = int(rows[name].abs().sum()) if kind == "money" else 0
    return Column(letter, said["label"], name, "total" in said, kind, largest)


def boxes_of(year: Year) -> Mapping[str, Mapping[str, Any]]:
    """The boxes of Form 8949 in the form's order: part, label."""
    boxes: Mapping[str, Mapping[str, Any]] = year.documents["form_8949"].value["boxes"]
    return boxes


def by_box(return_: Return, rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """`rows` of each box that has any, in the form's order; nothing is copied where they stand in it already."""
    import polars as pl

    runs = rows["box"].rle().struct.unnest()
    ranks = {box: rank for rank, box in enumerate(boxes_of(return_.year))}
    found = [ranks[box] for box in runs["value"]]
    if any(after <= before for before, after in pairwise(found)):
        rank = pl.col("box").replace_strict(ranks, return_dtype=pl.UInt32)
        return by_box(return_, rows.sort(rank, maintain_order=True))
    ends = accumulate(runs["len"])
    return [(box, rows.slice(end - n, n)) for box, n, end in zip(runs["value"], runs["len"], ends, strict=True)]


def totals_by_column(columns: list[Column], part: pl.DataFrame) -> dict[str, int]:
    """The sums, in cents, of the columns that the form adds up, by letter."""
    return {c.letter: int(part[c.shows].sum()) for c in columns if c.total}


def plain_rows(return_: Return, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as text for programs: box, part, then what the contract of return.json names, then `source` as text."""
    return rows.select("box", "part", *row_texts()).with_columns(source=source_text(return_, rows))


def iso_day(name: str) -> pl.Expr:
    """A column's dates as text."""
    import polars as pl

    return pl.col(name).cast(pl.String)


def looked_up_days(rows: pl.DataFrame) -> Callable[[str], pl.Expr]:
    """Writes dates as `iso_day` does, each day of the rows only once."""
    import polars as pl

    def written(name: str) -> pl.Expr:
        first, last = rows[name].min(), rows[name].max()
        if rows[name].null_count():
            return iso_day(name).fill_null("")
        if not isinstance(first, date) or not isinstance(last, date) or (last - first).days >= rows.height:
            return iso_day(name)
        days = pl.date_range(first, last, eager=True)
        at = pl.col(name).to_physical() - days.to_physical()[0]
        return pl.lit(days.cast(pl.String)).gather(at).alias(name)

    return written


def row_texts(day: Callable[[str], pl.Expr] = iso_day) -> list[pl.Expr]:
    """What the contract of return.json says of a row, as text, but for its source; `day` writes a column's dates."""
    import polars as pl

    return [
        pl.col("description"), acquired_text(day("acquired")).alias("acquired"), day("sold"),
        plain_cents("proceeds"), plain_cents("basis"), pl.col("codes").fill_null(""),
        plain_cents("adjustment"), plain_cents("gain"),
    ]  # fmt: skip


def acquired_text(date: pl.Expr) -> pl.Expr:
    """The date acquired, or the word that stands in its place (INHERITED, VARIOUS)."""
    import polars as pl

    word = pl.col("acquired_text")
    return pl.when(word.is_not_null() & (word != "")).then(word).otherwise(date).fill_null("")


def source_text(return_: Return, rows: pl.DataFrame) -> pl.Series:
    """By row, the lines of the files it comes from: the sale's, then its lot's, joined by BETWEEN."""
    import polars as pl

    sale, lot = sale_and_lot(return_, rows)
    both = pl.concat_str(pl.lit(sale), pl.lit(lot), separator=BETWEEN, ignore_nulls=True)
    return pl.select(both.alias("source")).to_series()


def sale_and_lot(
    return_: Return, rows: pl.DataFrame, called: Callable[[str], str] = str, between: str = BETWEEN
) -> tuple[pl.Series, pl.Series]:
    """By row, where its sale and its lot come from, as `places` says it; a row that sums up others has a statement."""
    import polars as pl

    both = places(return_.ledger, pl.concat([rows["sale"], rows["lot"]]), called, between)
    sale, lot = both.head(rows.height), both.tail(rows.height)
    if "n" in rows.columns and rows["n"].null_count():
        sums = pl.when(rows["n"].is_null()).then(pl.lit(called(STATEMENT)))
        sale = pl.select(sums.otherwise(sale).alias(sale.name)).to_series()
    return sale, lot


def sources_of(return_: Return) -> pl.Series:
    """By row of Form 8949, the list of `file:line` it comes from (List of String): the sale's, then its lot's."""
    return source_text(return_, return_.rows).str.split(BETWEEN)


def places(ledger: Ledger, index: pl.Series, called: Callable[[str], str] = str, between: str = BETWEEN) -> pl.Series:
    """`file:line` of rows of the ledger, null where the index is; a row made of several lines has each of them.

    Files are `called` what that makes of their names, and several lines stand `between` each other.
    """
    import polars as pl

    names = pl.Series([called(file.name) for file in ledger.files], dtype=pl.String)
    wanted = [name for name in PLACE if name in ledger.rows.columns]
    index = index.cast(pl.UInt32)
    # Rows of the ledger that are asked for again and again are written only once.
    every = len(index) > ledger.rows.height
    at = ledger.rows.select(wanted if every else pl.col(wanted).gather(index))
    name = pl.lit(names).gather(pl.col("file").cast(pl.UInt32))
    line = pl.concat_str(name, pl.lit(":"), pl.col("line").cast(pl.String))
    if "source_row" in wanted:
        several = pl.col("source_row").str.split(";").list.join(pl.concat_str(pl.lit(between), name, pl.lit(":")))
        line = pl.when(pl.col("source_row").is_null()).then(line).otherwise(pl.concat_str(name, pl.lit(":"), several))
    found: pl.Series = at.select(line.alias("place")).to_series()
    return found.gather(index) if every else found
