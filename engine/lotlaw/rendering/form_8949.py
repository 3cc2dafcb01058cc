"""Form 8949 as text or HTML: for each box in the form's order, as many pages as its rows need, each with its totals.

A box may have a hundred thousand rows, so rows and pages are filled as columns (`templates.fill_columns`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lotlaw.rendering.amounts import clean, printed_cents
from lotlaw.rendering.rows import Column, acquired_text, boxes_of, by_box, columns_of
from lotlaw.rendering.templates import fill, fill_columns, safe, shown
from lotlaw.rendering.text import aligned, heading, in_widths

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.law import Year
    from lotlaw.run import Return

DATE = "%m/%d/%Y"
A_PAGE = 24
"""How many rows a page of a statement holds."""


@dataclass(frozen=True)
class _Look:
    """What all pages share: the kind of text (`txt`, `html`), the form's columns, and what stands around every page.

    `folder` has the templates, `a_page` is how many rows a page holds.
    """

    year: Year
    kind: str
    columns: list[Column]
    frame: Mapping[str, Any]
    folder: str
    a_page: int

    @property
    def said(self) -> Mapping[str, Any]:
        """What the rules say of the form."""
        value: Mapping[str, Any] = self.year.documents["form_8949"].value
        return value

    @property
    def letters(self) -> list[str]:
        return [column.letter for column in self.columns]

    @property
    def money(self) -> list[str]:
        return [column.shows for column in self.columns if column.kind == "money"]

    def template(self, name: str) -> str:
        return f"{self.folder}{name}.{self.kind}.j2"


def form_8949(
    return_: Return, kind: str, frame: Mapping[str, Any], folder: str = ""
) -> Iterator[tuple[str, Iterator[str]]]:
    """The pages of each box that has rows, as (box, pieces of text); `frame` is what each page says around it.

    Templates of another `folder` may show `n` of a row besides the form's columns: the sale's place in the return.
    """
    said, rows = return_.year.documents["form_8949"].value, return_.laid.rows
    look = _Look(return_.year, kind, columns_of(return_.year, rows), frame, folder, int(said["rows_a_page"]["value"]))
    look, cells = _cells(look, rows)
    boxes = by_box(return_, cells)
    counts = [-(-part.height // look.a_page) for _, part in boxes]
    for n, (box, part) in enumerate(boxes):
        around: dict[str, Any] = {
            "before": sum(counts[:n]),
            "pages": sum(counts),
            "title": said["title"],
            "of": f"box {box}",
        }
        yield box, _box(look, box, part, **around)


def statements(return_: Return, kind: str, frame: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[str]]]:
    """The statements behind rows of Form 8949 that sum up others, as (title, pages in pieces of text)."""
    import polars as pl

    rows, form = return_.laid.attached.with_columns(n=pl.lit(None)), return_.year.documents["form_8949"].value["title"]
    look = _Look(return_.year, kind, columns_of(return_.year, rows), frame, "", A_PAGE)
    look, cells = _cells(look, rows)
    groups = cells.with_columns(rows["broker"]).group_by("box", "broker", maintain_order=True)
    parts = [(str(box), str(broker), part) for (box, broker), part in groups]
    counts = [-(-part.height // A_PAGE) for _, _, part in parts]
    for n, (box, broker, part) in enumerate(parts):
        title = f"Statement to {form.partition(',')[0]}, box {box}: {clean(broker)}"
        around: dict[str, Any] = {
            "before": sum(counts[:n]),
            "pages": sum(counts),
            "title": title,
            "of": "the statement",
        }
        yield title, _box(look, box, part, **around)


def _cells(look: _Look, rows: pl.DataFrame) -> tuple[_Look, pl.DataFrame]:
    """What stands in the columns of rows, and how wide plain text makes these."""
    import polars as pl

    shown = (printed_cell(column, look.template("form_8949_row")) for column in look.columns)
    cells = rows.select("box", "part", *look.money, *shown, pl.col("n").cast(pl.String).fill_null(""))
    if look.kind == "txt":
        look = replace(look, columns=in_widths(look.columns, cells))
        cells = cells.with_columns(aligned(column) for column in look.columns)
    return look, cells


def printed_cell(column: Column, row: str) -> pl.Expr:
    """A column as the template `row` prints it; no adjustment and no code leave both cells empty."""
    import polars as pl

    if column.kind == "money":
        text = printed_cents(column.shows, column.largest)
        none = (pl.col(column.shows) == 0) & (pl.col("codes").fill_null("") == "")
        text = pl.when(none).then(pl.lit("")).otherwise(text) if column.shows == "adjustment" else text
    elif column.kind == "date":
        date = pl.col(column.shows).dt.strftime(DATE).fill_null("")
        text = shown(acquired_text(date), row) if column.shows == "acquired" else date
    else:
        text = shown(pl.col(column.shows).fill_null(""), row)
    return text.alias(column.letter)


def _box(look: _Look, box: str, part: pl.DataFrame, *, before: int, pages: int, title: str, of: str) -> Iterator[str]:
    """All pages `of` one box or statement; `before` others stand in front of them, `pages` are there in all."""
    import polars as pl

    of_box = part.select(pl.col(look.money).sum()).select(_total(look, c, f"Totals of {of}") for c in look.columns)
    values = {
        **look.frame, "title": title, "columns": look.columns, "heading": heading(look.columns),
        "part": look.said["parts"][part["part"][0]]["label"], "boxes": _ticks(look, box), "pages": pages, "box": box,
        "box_totals": {letter: safe(text) for letter, text in of_box.row(0, named=True).items()},
    }  # fmt: skip
    rows = _pages(look, part)
    number = (pl.col("page") + before + 1).cast(pl.String)
    cells = rows.select("rows", number, *(_total(look, c, "Totals of this page") for c in look.columns))
    most, last = (
        fill_columns(look.template("form_8949"), cells.columns, is_last=is_last, **values) for is_last in (False, True)
    )
    yield from cells.head(-1).select(most.str.join("")).to_series()
    yield from cells.tail(1).select(last).to_series()


def _ticks(look: _Look, box: str) -> list[dict[str, Any]]:
    """The boxes of the part that `box` stands in, with the one that is checked."""
    boxes = boxes_of(look.year)
    part = boxes[box]["part"]
    return [
        {"letter": letter, "label": b["label"], "checked": letter == box}
        for letter, b in boxes.items()
        if b["part"] == part
    ]


def _pages(look: _Look, part: pl.DataFrame) -> pl.DataFrame:
    """One row a page: its number from 0, its rows as one text, and the sums of its amounts in cents."""
    import polars as pl

    template, money, names = look.template("form_8949_row"), pl.col(look.money), [*look.letters, "n"]
    rows = part.select(
        money,
        page=pl.int_range(pl.len()) // look.a_page,
        rows=fill_columns(template, names, columns=look.columns),
    )
    pages = rows.group_by("page", maintain_order=True).agg(money.sum(), pl.col("rows").str.join(""), pl.len())
    if look.kind == "txt":
        return pages
    blank = fill(template, cells=dict.fromkeys(names, ""), columns=look.columns)
    blanks = pl.lit(blank).repeat_by(look.a_page - pl.col("len")).list.join("")
    return pages.with_columns(rows=pl.concat_str("rows", blanks))


def _total(look: _Look, column: Column, label: str) -> pl.Expr:
    """A cell of a row of totals, whose first says what it totals; over a frame of sums in cents."""
    import polars as pl

    said = shown(pl.lit(label if column is look.columns[0] else ""), look.template("form_8949"))
    text = printed_cents(column.shows, column.largest) if column.total else said
    return (aligned(column, text) if look.kind == "txt" else text).alias(column.letter)
