"""The rows of a return as data for the report's script: sales, income, holdings, and what the ledger says of each.

A table is a JSON object of columns. Amounts are whole cents; a column whose texts repeat is told once, as its `texts`
and a number a row. No text of it ends the script element that it stands in, whatever a file of the taxpayer's says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from lotlaw.dispositions.rows import term_on
from lotlaw.rendering.amounts import REPLACEMENT, UNPRINTABLE, exact_dollars
from lotlaw.rendering.rows import BETWEEN, acquired_text, boxes_of, iso_day, places
from lotlaw.report.reasons import rule_at

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.law import Year
    from lotlaw.run import Return
    from lotlaw.source import Document

SAFE = 2**53
"""Whole numbers up to here are exact in a script; larger ones are told as text."""
SAID = ("kind", "out_qty", "out_asset", "in_qty", "in_asset", "usd_value", "fee_qty", "fee_asset")
"""The columns of the ledger that a person is shown of a row, where they occur."""


def data(return_: Return) -> Iterator[str]:
    """The JSON, in pieces."""
    rows, used = _sales(return_)
    yield '{"law":'
    yield _inert(json.dumps(_law(return_), ensure_ascii=False))
    for name, table in (
        ("sales", rows), ("income", _income(return_)), ("holdings", _holdings(return_)),
        ("ledger", _ledger(return_, used)),
    ):  # fmt: skip
        yield f',\n"{name}":'
        yield from _table(table)
    yield "}"


def _law(return_: Return) -> dict[str, Any]:
    """What a sale's explanation says of the form: its columns, boxes, codes and terms, and where that stands."""
    year = return_.year
    document, term = (year.documents[name] for name in ("form_8949", "dispositions"))
    said: Mapping[str, Any] = document.value
    shows = {letter: column["shows"] for letter, column in said["columns"].items()}
    gain = next(letter for letter, name in shows.items() if name == "gain")
    return {
        "columns": {name: f"({letter}) {said['columns'][letter]['label']}" for letter, name in shows.items()},
        "shows": shows,
        "is": said["columns"][gain]["is"],
        "cite": _cited(year, document, ("cite",), ("columns", gain)),
        "term": {
            "is": term.value["term"]["long_from"],
            "cite": _cited(year, term, ("term", "cite"), ("term",)),
        },
        "boxes": {box: about["label"] for box, about in boxes_of(return_.year).items()},
        "codes": {code: about["label"] for code, about in said["codes"].items()},
        "year": return_.year.year,
    }


def _cited(year: Year, document: Document, cite: tuple[str, ...], at: tuple[str, ...]) -> str:
    """What a citation of a rule file says, and where the rule stands."""
    said = document.at(cite)
    title = year.documents["year"].value["sources"].get(said["source"], {}).get("title", said["source"])
    return f"{', '.join(filter(None, (title, said.get('at'))))}; {rule_at(year, document.place(*at))}"


def _sales(return_: Return) -> tuple[pl.DataFrame, pl.Series]:
    """The rows of Form 8949, and the rows of the ledger they name."""
    import polars as pl

    rows = return_.rows
    used = pl.concat([rows["sale"], rows["lot"]]).drop_nulls().unique().sort()
    number = pl.int_range(used.len(), eager=True)
    at = {name: rows[name].replace_strict(used, number, default=None) for name in ("sale", "lot")}
    sales = rows.select(
        "box", "term", _clean("description"), _clean(acquired_text(iso_day("acquired")), "acquired"), iso_day("sold"),
        "proceeds", "basis", pl.col("codes").fill_null(""), "adjustment", "gain", _clean("account"),
        pl.col("collectible").cast(pl.Int8), return_.laid.line.fill_null("").alias("line"),
        **at,
    )  # fmt: skip
    return sales, used


def _income(return_: Return) -> pl.DataFrame:
    import polars as pl

    income = return_.income
    day = pl.col("date").cast(pl.String).alias("date")
    amount = exact_dollars("amount").alias("amount")
    at = _clean(places(return_.ledger, income["row"]).str.replace_all(BETWEEN, "; ", literal=True), "source")
    return income.select(day, "kind", _clean("asset"), amount, pl.col("counted").cast(pl.Int8), at)


def _holdings(return_: Return) -> pl.DataFrame:
    import polars as pl

    held = return_.holdings
    if held.is_empty():
        return pl.DataFrame()
    held = held.with_columns(term_on(return_.year, return_.taxpayer, date(return_.year.year, 12, 31)))
    at = _clean(places(return_.ledger, held["lot"]).str.replace_all(BETWEEN, "; ", literal=True), "source")
    quantity = pl.col("quantity").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    acquired = _clean(acquired_text(iso_day("acquired")), "acquired")
    basis = exact_dollars("basis").fill_null("")
    return held.select(_clean("asset"), _clean("account"), quantity, acquired, "term", basis, at)


def _ledger(return_: Return, used: pl.Series) -> pl.DataFrame:
    """Where the rows of the ledger that sales name stand, and what they say."""
    import polars as pl

    ledger = return_.ledger
    at = places(ledger, used).str.replace_all(BETWEEN, "; ", literal=True)
    there = [name for name in SAID if name in ledger.rows.columns]
    rows = ledger.rows.select(pl.col(there).gather(used)) if there else pl.DataFrame()
    said = rows.select(_told(rows).alias("said")) if there else pl.DataFrame({"said": [""] * len(used)})
    return said.select(_clean(at, "at"), _clean("said"))


def _told(rows: pl.DataFrame) -> pl.Expr:
    """A row of the ledger in a few words: `sell, out 60 SOL, in 7500 USD, value 7500, fee 45 USD`."""
    import polars as pl

    def part(before: str, *names: str) -> pl.Expr:
        known = [name for name in names if name in rows.columns]
        if known != list(names):
            return pl.lit(None, pl.String)
        texts = [_number(rows, name) for name in names]
        return pl.when(pl.col(names[0]).is_not_null()).then(pl.concat_str(pl.lit(before), *texts, ignore_nulls=True))

    parts = [
        part("", "kind"), part(", out ", "out_qty", "out_asset"), part(", in ", "in_qty", "in_asset"),
        part(", value ", "usd_value"), part(", fee ", "fee_qty", "fee_asset"),
    ]  # fmt: skip
    return pl.concat_str(parts, ignore_nulls=True)


def _number(rows: pl.DataFrame, name: str) -> pl.Expr:
    import polars as pl

    text = pl.col(name).cast(pl.String)
    if rows[name].dtype.is_decimal():
        return text.str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.concat_str(pl.lit(" "), text) if name.endswith("asset") else text


def _clean(text: str | pl.Expr | pl.Series, name: str = "") -> pl.Expr:
    """Text of the user's, without what hides or turns what follows."""
    import polars as pl

    if isinstance(text, str):
        name, text = text, pl.col(text)
    expr = pl.lit(text) if isinstance(text, pl.Series) else text
    return expr.fill_null("").str.replace_all(UNPRINTABLE, REPLACEMENT).alias(name)


def _table(table: pl.DataFrame) -> Iterator[str]:
    """A table as JSON: `{"count": 2, "columns": {"sold": [...], "box": {"texts": [...], "of": [...]}}}`."""
    yield f'{{"count":{table.height},"columns":{{'
    for n, column in enumerate(table.iter_columns()):
        yield f'{"," if n else ""}"{column.name}":'
        yield _column(column)
    yield "}}"


def _column(column: pl.Series) -> str:
    import polars as pl

    if column.dtype != pl.String:
        return _numbers(column)
    texts = column.unique(maintain_order=True)
    if len(texts) * 2 > len(column):
        return _texts(column)
    of = column.replace_strict(texts, pl.int_range(len(texts), eager=True))
    return f'{{"texts":{_texts(texts)},"of":{_numbers(of)}}}'


def _numbers(column: pl.Series) -> str:
    import polars as pl

    number = pl.col("n").cast(pl.String).fill_null("null")
    large = pl.concat_str(pl.lit('"'), number, pl.lit('"'))
    told = pl.when(pl.col("n").cast(pl.Int128).abs() > SAFE).then(large).otherwise(number)
    return f"[{column.alias('n').to_frame().select(told.str.join(',')).item()}]"


def _texts(column: pl.Series) -> str:
    text = column.alias("_").to_frame().to_struct().struct.json_encode()
    joined = text.str.strip_prefix('{"_":').str.strip_suffix("}").str.join(",").item()
    return _inert(f"[{joined}]")


def _inert(text: str) -> str:
    """JSON that ends no script element and opens no comment in one."""
    return text.replace("<", "\\u003c")
