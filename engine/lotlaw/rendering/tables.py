"""Tables for spreadsheets: form_8949.csv, one row a slice of a lot sold, and `<form>.csv` for every form and worksheet.

UTF-8, a header, lines that end with a line feed. A text that a spreadsheet would take for a formula is given a leading
apostrophe; numbers are left as they are, a minus sign included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lotlaw.law import Form
from lotlaw.rendering.amounts import REPLACEMENT, UNPRINTABLE, in_dollars, said
from lotlaw.rendering.rows import BETWEEN, plain_rows
from lotlaw.rendering.sheets import cells_of

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.run import Return

FORMULA = r"^[=+\-@|%\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
"""How a text begins that some spreadsheet reads as a formula or a command, full-width signs included."""
NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"

ROW_COLUMNS = (
    "box", "part", "description", "acquired", "sold", "proceeds", "basis", "codes", "adjustment", "gain", "term",
    "asset", "account", "source",
)  # fmt: skip
"""The columns of form_8949.csv."""
HARMLESS_IN = ("description", "acquired", "codes", "asset", "account", "source", "label", "why")
"""The columns with text that a file of the taxpayer's, or a rule file, may have brought in."""
WHY_COLUMNS = (*ROW_COLUMNS, "why")
"""The columns of a list of rows that a tax program's layout can't say."""
LINE_COLUMNS = ("line", "column", "label", "amount")
"""The columns of a form's table."""


def tables(return_: Return) -> dict[str, str]:
    """The texts of the tables by file name."""
    forms = {f"{name}.csv": form_csv(return_, return_.year.forms[name]) for name in return_.lines}
    direct = {"aggregated.csv": rows_csv(return_, return_.laid.direct)} if return_.laid.direct.height else {}
    return {"form_8949.csv": form_8949_csv(return_), **direct, **forms}


def form_8949_csv(return_: Return, why: pl.Series | None = None) -> str:
    """The rows of Form 8949, with columns ROW_COLUMNS; `source` names the lines they come from, the sale's first.

    With a reason for each sale, only those that have one, with columns WHY_COLUMNS.
    """
    if why is None:
        return rows_csv(return_, return_.laid.rows)
    rows = _rows(return_, return_.rows).with_columns(why.alias("why")).filter(why != "")
    return table_csv(rows, HARMLESS_IN)


def rows_csv(return_: Return, rows: pl.DataFrame) -> str:
    """Some rows of a return, with columns ROW_COLUMNS."""
    return table_csv(_rows(return_, rows), HARMLESS_IN)


def _rows(return_: Return, rows: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    more = rows.select("term", "asset", "account")
    texts = pl.concat([plain_rows(return_, rows), more], how="horizontal").select(ROW_COLUMNS)
    return texts.with_columns(pl.col("source").str.replace_all(BETWEEN, "; ", literal=True))


def form_csv(return_: Return, form: Form) -> str:
    """A form's lines in order, a row for each column of a line, with columns LINE_COLUMNS; a blank has no amount."""
    import polars as pl

    rows = list(_amounts(return_, form))
    return table_csv(pl.DataFrame(rows, schema=dict.fromkeys(LINE_COLUMNS, pl.String), orient="row"), HARMLESS_IN)


def _amounts(return_: Return, form: Form) -> Iterator[tuple[str, str | None, str, str | None]]:
    whole = in_dollars(form, cents=return_.cents)
    for line in form.lines.values():
        answer = return_.lines[form.name].get(line.id)
        amount = None if answer is None else said(line, answer, whole=whole)
        if line.columns:
            amounts = amount if isinstance(amount, dict) else {}
            yield from ((line.id, column, line.label, amounts.get(column)) for column in cells_of(form, line))
        elif line.printed:
            yield line.id, None, line.label, amount if isinstance(amount, str) else None


def table_csv(rows: pl.DataFrame, texts: Iterable[str], *, header: bool = True) -> str:
    """Rows as CSV, of whose columns `texts` no spreadsheet runs anything."""
    wanted = set(texts)
    harmless = rows.with_columns(_harmless(name) for name in rows.columns if name in wanted)
    return harmless.write_csv(line_terminator="\n", include_header=header)


def _harmless(column: str) -> pl.Expr:
    import polars as pl

    text = pl.col(column).str.replace_all(UNPRINTABLE, REPLACEMENT)
    formula = text.str.contains(FORMULA) & ~text.str.contains(NUMBER)
    return pl.when(formula).then(pl.concat_str(pl.lit("'"), text)).when(text != "").then(text).alias(column)
