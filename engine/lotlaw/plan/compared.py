"""Two ways of a year side by side: its results, its taxes, the lines that moved; for text, pages and programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.answers import Answer
from lotlaw.law import Line, Year
from lotlaw.plan.holdings import records
from lotlaw.plan.text import Table, money
from lotlaw.plan.whatif import Moved
from lotlaw.plan.years import Filed
from lotlaw.rendering.amounts import cell, printed, said
from lotlaw.run import Return, counted_taxes, exported_line

WAYS = ("without", "with")
HOW = {"total_of": "the rows of Form 8949", "input": "as entered"}
"""Where the amounts come from of lines that have no formula."""
TOGETHER = "Taxes together"


@dataclass(frozen=True)
class Side:
    """An amount without and with a plan."""

    name: str
    label: str
    without: Decimal
    with_: Decimal

    @property
    def change(self) -> Decimal:
        """With less without."""
        return self.with_ - self.without


def sides(before: Return, after: Return) -> Iterator[Side]:
    """The results of the year, its taxes and their sum."""
    year = before.year
    labels = {name: where for name, where in year.documents["year"].value["results"].items() if name != "tax"}
    for name, where in labels.items():
        yield Side(name, exported_line(year, where).label, before.results[name], after.results[name])
    for where in counted_taxes(year):
        yield Side(where, exported_line(year, where).label, before.taxes[where], after.taxes[where])
    yield Side("taxes", TOGETHER, *(sum(return_.taxes.values(), Decimal(0)) for return_ in (before, after)))


def sides_table(before: Return, after: Return, ways: tuple[str, str] = WAYS) -> Table:
    """Results side by side."""
    rows = [
        (side.label, *(printed(amount, whole=not before.cents) for amount in (side.without, side.with_, side.change)))
        for side in sides(before, after)
    ]
    return side_by_side(("", *ways, "change"), rows, strong=1)


def side_by_side(titles: Sequence[str], rows: Sequence[Sequence[str]], *, strong: int = 0, left: int = 1) -> Table:
    """Texts under titles, all but the first `left` columns of them aligned right."""
    names = [str(n) for n in range(len(titles))]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return Table(titles, frame, frozenset(names[left:]), strong=strong)


def moved_table(year: Year, moved: Sequence[Moved], *, cents: bool) -> Table:
    """The lines that moved: which, what they are, without, with, and the rule that makes them."""
    rows = [
        (where, line.label, before, after, line.formula.text if line.formula else HOW[line.kind])
        for line, where, before, after in _cells(year, moved, cents=cents)
    ]
    table = side_by_side(("line", "what it is", "without", "with", "how"), rows, left=2)
    return Table(table.titles, table.rows, frozenset({"2", "3"}))


def _cells(year: Year, moved: Sequence[Moved], *, cents: bool) -> Iterator[tuple[Line, str, str, str]]:
    """Each amount that moved, by its form and line; lines with columns have one for each."""
    for one in moved:
        line, form = one.line, year.forms[one.line.form]
        whole = form.round == "dollar" and not cents
        where = f"{line.form}.{line.id}"
        for column in form.columns if line.columns else [""]:
            was, is_ = (_of(answer, column) for answer in (one.before, one.after))
            if was != is_:
                called = f"{where} ({column})" if column else where
                yield line, called, cell(line, was, whole=whole), cell(line, is_, whole=whole)


def _of(answer: Answer | None, column: str) -> Any:
    return answer.get(column) if isinstance(answer, Mapping) else answer


def moved_json(moved: Sequence[Moved], year: Year, *, cents: bool) -> list[dict[str, Any]]:
    """The lines that moved, for programs."""
    return [
        {
            "form": one.line.form, "line": one.line.id, "label": one.line.label,
            "without": _json(year, one.line, one.before, cents=cents),
            "with": _json(year, one.line, one.after, cents=cents),
            "formula": one.line.formula.text if one.line.formula else None,
            "at": f"{one.line.place.file}:{one.line.place.line}", "cite": str(one.line.cite),
        }
        for one in moved
    ]  # fmt: skip


def _json(year: Year, line: Line, answer: Answer | None, *, cents: bool) -> Any:
    whole = year.forms[line.form].round == "dollar" and not cents
    return None if answer is None else said(line, answer, whole=whole)


def years_table(without: Sequence[Filed], with_: Sequence[Filed], ways: tuple[str, str] = WAYS) -> Table:
    """Year by year: taxes and losses carried on, in each of two ways."""
    rows = [
        (str(a.year), *(printed(x, whole=True) for x in (a.tax, b.tax, b.tax - a.tax, a.carried, b.carried)))
        for a, b in zip(without, with_, strict=True)
    ]
    sums = [sum((one.tax for one in way), Decimal(0)) for way in (without, with_)]
    total = ("together", *(printed(x, whole=True) for x in (*sums, sums[1] - sums[0])), "", "")
    titles = ("year", f"taxes {ways[0]}", ways[1], "change", f"carried on {ways[0]}", ways[1])
    return side_by_side(titles, [*rows, total], strong=1)


def years_json(without: Sequence[Filed], with_: Sequence[Filed]) -> list[dict[str, Any]]:
    """Year by year, for programs."""
    return [
        {"year": a.year, "without": _year_json(a), "with": _year_json(b)} for a, b in zip(without, with_, strict=True)
    ]


def _year_json(one: Filed) -> dict[str, str]:
    carried = {f"{term}_carryover": f"{one.results[f'{term}_carryover']:f}" for term in ("short", "long")}
    return {"taxes": f"{one.tax:f}", **carried}


def sides_json(before: Return, after: Return) -> dict[str, dict[str, str]]:
    """Results side by side, for programs."""
    return {
        side.name: {
            "label": side.label,
            "without": f"{side.without:f}",
            "with": f"{side.with_:f}",
            "change": f"{side.change:f}",
        }
        for side in sides(before, after)
    }


AMOUNTS = ("proceeds", "basis", "adjustment", "gain")
SOLD = (
    "asset", "account", "description", "quantity", "acquired", "acquired_text", "sold", "proceeds", "basis", "codes",
    "adjustment", "gain", "term", "box",
)  # fmt: skip
"""Columns of rows of Form 8949 that plans show to programs."""
ROW_TITLES = {
    "description": "what", "acquired": "acquired", "sold": "sold", "term": "term", "proceeds": "proceeds",
    "basis": "basis", "codes": "code", "adjustment": "adjusted", "gain": "gain",
}  # fmt: skip


def rows_table(rows: pl.DataFrame, more: Sequence[str] = ()) -> Table:
    """What sales put on Form 8949, with columns of texts besides."""
    acquired = pl.coalesce("acquired_text", pl.col("acquired").cast(pl.String)).alias("acquired")
    texts = in_dollars(rows).select(
        "description", acquired, pl.col("sold").cast(pl.String), "term", money("proceeds"), money("basis"), "codes",
        money("adjustment"), money("gain"), *more,
    )  # fmt: skip
    plain = texts.drop("codes", "adjustment") if not rows["codes"].str.len_chars().sum() else texts
    right = frozenset({"proceeds", "basis", "adjustment", "gain"})
    return Table([ROW_TITLES.get(name, name) for name in plain.columns], plain, right, frozenset({"gain"}))


def in_dollars(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of Form 8949 with their cents as dollars."""
    return rows.with_columns((pl.col(name).cast(pl.Decimal(38, 18)) / 100).alias(name) for name in AMOUNTS)


def rows_json(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """What sales put on Form 8949, for programs."""
    return records(in_dollars(rows).select(SOLD))
