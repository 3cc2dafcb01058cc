"""From the text of a recognised file to the tables in it, each with its values and all cells that are none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lotlaw.importers import Request
from lotlaw.importers.binding import Binding, bind, telling
from lotlaw.importers.columns import typed
from lotlaw.importers.files import Text
from lotlaw.importers.language import NEWEST_FIRST, TITLE, Importer, Reading
from lotlaw.importers.overrides import row_ids, without_answered
from lotlaw.importers.plain import plain
from lotlaw.importers.reading import Header, above, below, caught, cells
from lotlaw.importers.sections import blocks
from lotlaw.importers.wide import unpivoted
from lotlaw.source import Problem, Problems


@dataclass
class Table:
    """A table of a file: the importer that reads it, where its columns stand, its values, and what is known besides.

    `skipped` and `emitted` are what a person said of rows; `ids` has `line` and the id of each row, if asked for.
    """

    importer: Importer
    binding: Binding
    said: Mapping[str, str]
    frame: pl.DataFrame
    problems: list[Problem]
    notes: list[str]
    skipped: Mapping[str, int] = field(default_factory=dict)
    emitted: pl.DataFrame = field(default_factory=pl.DataFrame)
    ids: pl.DataFrame | None = None

    def let_go(self) -> pl.DataFrame:
        """The values, which the table then has no more."""
        frame, self.frame = self.frame, pl.DataFrame()
        return frame


@dataclass
class Tables:
    """The tables of a file, rows that are left out by reason, and what is wrong outside of tables."""

    tables: list[Table]
    skipped: dict[str, int]
    problems: list[Problem]


def tables(text: Text, importer: Importer, header: Header, request: Request) -> Tables:
    """Every table of a file. Raises Problems where a column is missing, or the text is no table."""
    identified = request.identified
    reading = importer.reading
    said = {**above(text, header, reading), **caught([Path(text.name).name], reading.filename)}
    if not importer.sections:
        binding = bind(importer, text.name, header)
        frame = None if identified else plain(text, importer, binding)
        if frame is not None:
            return Tables([Table(importer, binding, said, frame, [], [])], {}, [])
        fields = _fields(importer, binding, identified=identified)
        raw = cells(text, header, fields, reading)
        return Tables([_table(text, importer, binding, raw, {**said, **below(text, header, reading)}, request)], {}, [])
    found = blocks(text, importer, header)
    done = Tables([], found.skipped, found.problems)
    for block in found.blocks:
        try:
            mine = block.section.importer
            binding = bind(mine, text.name, block.header)
            fields = _fields(mine, binding, identified=identified)
            raw = block.frame.select("line", *(pl.col(str(n)).alias(alias) for alias, n in fields.items()))
            title = {TITLE: block.title} if block.title else {}
            around = {**said, **title, **below(block.text, block.header, mine.reading)}
            done.tables.append(_table(text, mine, binding, raw, around, request))
        except Problems as refused:
            done.problems += refused.problems
    return done


def _fields(importer: Importer, binding: Binding, *, identified: bool) -> dict[str, int]:
    """The fields to read, and, under names of their own, those that tell rows apart."""
    return {**binding.fields, **({f"_{n}": n for n in telling(importer, binding)} if identified else {})}


def _table(
    text: Text, importer: Importer, binding: Binding, raw: pl.DataFrame, said: Mapping[str, str], request: Request
) -> Table:
    skipped: Mapping[str, int] = {}
    raw, emitted = _mended(raw, importer.reading), pl.DataFrame()
    if request.identified:
        apart = [name for name in raw.columns if name.startswith("_")]
        raw = raw.with_columns(_cells(apart)).drop(apart)
    newest_first, ids = importer.reading.order == NEWEST_FIRST, None
    if request.explain:
        ids = raw.select("line").with_columns(row_ids(importer.id, raw, newest_first=newest_first))
    if request.overrides:
        raw, skipped, emitted = without_answered(request.overrides, importer.id, raw, newest_first=newest_first)
    frame, problems, notes = values(importer, binding, text.name, raw)
    if problems or skipped or emitted.height:
        # What the file says of all its rows holds of no other number of them.
        said = {name: text for name, text in said.items() if name not in importer.reading.footer}
    return Table(importer, binding, said, frame, problems, notes, skipped, emitted, ids)


def values(
    importer: Importer, binding: Binding, name: str, raw: pl.DataFrame
) -> tuple[pl.DataFrame, list[Problem], list[str]]:
    """Cells as values, cells that are none, and what was rounded."""
    frame, problems, notes = typed(importer, binding, name, raw)
    return unpivoted(importer.wide, binding, frame) if importer.wide else frame, problems, notes


def _cells(apart: Sequence[str]) -> pl.Expr:
    """What tells a row from others, as one text: nothing, of a table whose rows are all left out."""
    if not apart:
        return pl.lit("").alias("_cells")
    return pl.concat_str(pl.col(*apart).str.strip_chars().fill_null(""), separator="\x1f").alias("_cells")


def _mended(raw: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Rows of two lines as one, and cells that say what the one above says."""
    if reading.pair_rows:
        raw = _paired(raw, reading.pair_rows)
    down = [alias for alias in reading.fill_down if alias in raw.columns]
    return raw.with_columns(_hollow(down).forward_fill()) if down else raw


def _hollow(names: Iterable[str]) -> pl.Expr:
    """Cells, null where they hold nothing."""
    cell = pl.col(*names)
    return pl.when(cell.str.strip_chars() != "").then(cell)


def _paired(raw: pl.DataFrame, mark: str) -> pl.DataFrame:
    """Each row whose `mark` is empty, with the cells of the last one that has it; that one is not kept for itself."""
    texts = [name for name in raw.columns if name != "line"]
    rows = raw.with_columns(_hollow(texts))
    main = pl.col(mark).is_not_null()
    rows = rows.with_columns(main.alias("_main"), main.cum_sum().alias("_record"))
    gone_on = ~rows["_main"] & (rows["_record"] > 0)
    first = rows.filter("_main").select("_record", *(pl.col(name).alias(f"main.{name}") for name in texts))
    both = rows.join(first, on="_record", how="left", maintain_order="left")
    both = both.with_columns(pl.coalesce(name, f"main.{name}").alias(name) for name in texts)
    has_more = pl.col("_record").is_in(rows.filter(gone_on)["_record"].implode())
    return both.filter(~(pl.col("_main") & has_more)).select(raw.columns)


def parts(found: Tables) -> Iterator[Table]:
    """The tables one by one, each let go of as it is given away."""
    while found.tables:
        yield found.tables.pop(0)
