"""What stands in each field of the official forms: Form 8949 page by page, Schedule D line by line.

A sheet is a page as it is printed; `cells` has a row a field with columns sheet (from 0), field and text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from lotlaw.blanks import FieldMap
from lotlaw.rendering.amounts import cell, clean, in_dollars, printed, printed_cents
from lotlaw.rendering.form_8949 import printed_cell
from lotlaw.rendering.rows import Column, boxes_of, columns_of

if TYPE_CHECKING:
    from lotlaw.rendering.pdf.paper import Paper
    from lotlaw.run import Return

CELLS = ("sheet", "field", "text", "where")
PLAIN_ROW = "form_8949_row.txt.j2"


@dataclass(frozen=True)
class Contents:
    """The sheets of a form: what each field shows and where it is on the form, and which boxes are checked.

    `pages` says which page of the blank each sheet is printed on.
    """

    cells: pl.DataFrame
    checks: list[tuple[int, str]]
    pages: list[int]


def form_8949(return_: Return, map_: FieldMap, paper: Paper) -> Contents:
    """Form 8949: each box on sheets of its own, those with a code that goes first in front of all others."""
    parts, columns = map_.said["parts"], columns_of(return_.year, return_.laid.rows)
    rows = _on_sheets(return_)
    money = [column for column in columns if column.total]
    totals = rows.group_by("sheet", maintain_order=True).agg(
        pl.col("part", "box").first(), pl.col([column.shows for column in money]).sum()
    )
    texts = rows.select("sheet", "part", "slot", *(printed_cell(column, PLAIN_ROW) for column in columns))
    sums = totals.select("sheet", "part", *(printed_cents(c.shows, c.largest).alias(c.letter) for c in money))
    where = _fields(parts, columns)
    cells = pl.concat([
        _header(return_, totals.select("sheet", "part"), parts),
        _in_fields(texts, ["sheet", "part", "slot"], where),
        _in_fields(sums.with_columns(slot=pl.lit(-1, pl.Int64)), ["sheet", "part", "slot"], where),
    ])  # fmt: skip
    sheets, pages = list(totals.select("sheet", "part", "box").iter_rows()), paper.pages
    return Contents(
        cells.filter(pl.col("text") != ""),
        [(sheet, parts[part]["boxes"][box]) for sheet, part, box in sheets],
        [pages[parts[part]["name"]] for _, part, _ in sheets],
    )


def _on_sheets(return_: Return) -> pl.DataFrame:
    """The rows with their sheet and their slot on it, in the order of the sheets."""
    said = return_.year.documents["form_8949"].value
    a_page = int(said["rows_a_page"]["value"])
    ranks = {box: rank for rank, box in enumerate(boxes_of(return_.year))}
    goes_first = [code for code, about in said["codes"].items() if about.get("first")]
    codes = pl.col("codes").fill_null("")
    first = pl.any_horizontal(pl.lit(value=False), *(codes.str.contains(code, literal=True) for code in goes_first))
    rows = return_.laid.rows.with_columns(rank=pl.col("box").replace_strict(ranks, return_dtype=pl.UInt32), last=~first)
    rows = rows.sort("rank", "last", maintain_order=True)
    rows = rows.with_columns(number=pl.int_range(pl.len()).over("rank"))
    rows = rows.with_columns(page=pl.col("number") // a_page, slot=pl.col("number") % a_page)
    rows = rows.with_columns(last=pl.col("last").all().over("rank", "page"))
    rows = rows.sort("last", "rank", "page", maintain_order=True)
    return rows.with_columns(sheet=pl.struct("rank", "page").rle_id())


def _fields(parts: Mapping[str, Any], columns: list[Column]) -> pl.DataFrame:
    """The field of each part, slot (-1: the totals) and column, and what it is called."""
    letters = [column.letter for column in columns]
    table = [
        (part, slot, letter, row[letter], f"row {slot + 1}, column ({letter})" if slot >= 0 else f"total ({letter})")
        for part, said in parts.items()
        for slot, row in [*enumerate(said["rows"]), (-1, said["totals"])]
        for letter in letters
        if letter in row
    ]
    schema = {"part": pl.String, "slot": pl.Int64, "letter": pl.String, "field": pl.String, "where": pl.String}
    return pl.DataFrame(table, schema=schema, orient="row")


def _in_fields(texts: pl.DataFrame, keys: list[str], fields: pl.DataFrame) -> pl.DataFrame:
    """A row a field, from a column a letter."""
    long = texts.unpivot(index=keys, variable_name="letter", value_name="text")
    found = long.join(fields, ["part", "slot", "letter"], "left", maintain_order="left")
    return found.sort("sheet", "slot", maintain_order=True).select(CELLS)


def _header(return_: Return, sheets: pl.DataFrame, parts: Mapping[str, Any]) -> pl.DataFrame:
    taxpayer = return_.taxpayer
    each = [
        sheets.select(
            "sheet",
            field=pl.col("part").replace_strict({part: said[key] for part, said in parts.items()}),
            text=pl.lit(clean(taxpayer[key])),
            where=pl.lit(key),
        )
        for key in ("name", "ssn")
    ]
    return pl.concat(each).select(CELLS)


def lines_of(return_: Return, map_: FieldMap, paper: Paper) -> Contents:
    """A form with a field for each line or column: all pages of it, once."""
    said, name, pages = map_.said, map_.form, paper.pages
    taxpayer = return_.taxpayer
    rows = [(said[key], clean(taxpayer[key]), key) for key in ("name", "ssn")]
    amounts = list(_amounts(return_, said["lines"], name))
    rows += [(field, text, where) for field, text, where in amounts if text]
    cells = pl.DataFrame([row for row in rows if row[1]], schema=["field", "text", "where"], orient="row")
    cells = cells.with_columns(sheet=pl.col("field").replace_strict(pages, return_dtype=pl.UInt32))
    checks = [(pages[field], field) for field, text, _ in amounts if not text]
    return Contents(cells.select(CELLS), checks, sorted(set(pages.values())))


def _amounts(return_: Return, lines: Mapping[str, Any], name: str) -> Iterator[tuple[str, str, str]]:
    """Each field that shows something: its text (none: a box to check), and the line it belongs to."""
    form, answers = return_.year.forms[name], return_.lines[name]
    whole = in_dollars(form, cents=return_.cents)
    for id_, fields in lines.items():
        line, answer = form.lines[id_], answers.get(id_)
        if isinstance(answer, bool):
            yield fields["yes" if answer else "no"], "", ""
        elif isinstance(answer, dict):
            for column, field in fields.items():
                if column in answer:
                    yield field, printed(answer[column], whole=whole), f"line {id_}, column ({column})"
        elif answer is not None and line.parentheses:
            yield fields, printed(abs(answer), whole=whole), f"line {id_}"  # the form has the parentheses
        elif answer is not None:
            yield fields, cell(line, answer, whole=whole), f"line {id_}"
