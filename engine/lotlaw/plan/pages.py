"""Plans as a page to look at: headings, figures, charts with a table behind each, and words of care; one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from lotlaw import __version__
from lotlaw.plan.charts import Chart, script_of
from lotlaw.plan.text import Table
from lotlaw.rendering.amounts import clean
from lotlaw.rendering.templates import fill, fill_columns, safe, shown

if TYPE_CHECKING:
    from lotlaw.law import Year

PAGE, ROW = "plan/page.html.j2", "plan/row.html.j2"
STYLE = "row style"


@dataclass(frozen=True)
class Part:
    """A section of a page: a table, a sentence above it, and the chart that it stands behind."""

    title: str
    table: Table
    text: str = ""
    chart: Chart | None = None


def page(
    title: str, lede: str, parts: Sequence[Part], year: Year, *, figures: Mapping[str, str] | None = None,
    care: Sequence[str] = (),
) -> str:  # fmt: skip
    """The whole page. Raises Problems if the extra that draws charts is not installed."""
    charts = [part.chart for part in parts if part.chart]
    library, specs = script_of(charts) if charts else ("", "")
    return fill(
        PAGE, title=title, lede=clean(lede), parts=[_part(part) for part in parts],
        figures=[{"name": name, "said": said} for name, said in (figures or {}).items()], care=list(map(clean, care)),
        library=safe(library), charts=safe(specs), engine=f"lotlaw {__version__}",
        rules=f"rules {year.year}, {year.status}, digest {year.digest}",
    )  # fmt: skip


def of_chart(title: str, chart: Chart) -> Part:
    """A chart with the table of its numbers."""
    rows = pl.DataFrame(chart.table, schema=dict.fromkeys(chart.columns, pl.String), orient="row")
    numbers = frozenset(name for name in chart.columns if chart.kinds.get(name) == "number")
    return Part(title, Table(list(chart.columns.values()), rows, numbers), chart=chart)


def _part(part: Part) -> dict[str, Any]:
    table = part.table
    titles = zip(table.rows.columns, table.titles, strict=True)
    columns = [{"name": n, "title": t, "right": n in table.right, "sign": f"sign of {n}"} for n, t in titles]
    return {
        "title": part.title, "text": clean(part.text), "chart": part.chart, "columns": columns,
        "body": safe(_body(table, columns)),
    }  # fmt: skip


def _body(table: Table, columns: Sequence[Mapping[str, Any]]) -> str:
    """The rows as HTML; the same template for one and for a hundred thousand."""
    signs = [_sign(name, signed=name in table.signed) for name in table.rows.columns]
    last = pl.int_range(pl.len()) >= table.rows.height - table.strong
    rows = table.rows.with_columns(pl.all().fill_null(""), *signs, pl.when(last).then(pl.lit("strong")).alias(STYLE))
    rows = rows.with_columns(pl.col(STYLE).fill_null(""))
    escaped = rows.select(shown(pl.col(name), ROW) for name in rows.columns)
    filled = escaped.select(fill_columns(ROW, escaped.columns, columns=columns, style=STYLE).alias("row"))
    return "".join(filled["row"])


def _sign(name: str, *, signed: bool) -> pl.Expr:
    minus, digits = pl.col(name).str.contains(r"^[-(]"), pl.col(name).str.contains(r"[1-9]")
    colour = pl.when(minus & digits).then(pl.lit("loss")).when(digits).then(pl.lit("gain")).otherwise(pl.lit(""))
    return (colour if signed else pl.lit("")).fill_null("").alias(f"sign of {name}")
