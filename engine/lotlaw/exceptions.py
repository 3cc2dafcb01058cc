"""What of a return's sales needs no row of its own on Form 8949, where the taxpayer chooses so.

`exceptions` of the year's form_8949.yaml says what: sales of which boxes go straight to lines of another form, and how
the rest may become one row for each broker and box, with a statement of all of them attached. No amount changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.law import Year
from lotlaw.source import refuse
from lotlaw.taxpayer import Taxpayer

FORM = "form_8949"
AGGREGATE, SUMMARIZE = "aggregate_covered", "summarize"
STATEMENT = "form_8949_statement.csv"
"""Where the sales behind a row that sums them up are listed."""
MONEY = ("proceeds", "basis", "adjustment", "gain")


@dataclass(frozen=True)
class Laid:
    """Where the sales of a return stand.

    rows: the rows of the form in its order, with the columns of a return's rows and `n`, their place among those: null
    for a row that sums up others.
    line: by sale, the line it goes straight to (`schedule_d.1a`); null for those on the form.
    direct: those sales, with `line`.
    attached: the sales of statements, in the order of the form, with `broker`.
    notes: what the taxpayer has to know of it.
    """

    rows: pl.DataFrame
    line: pl.Series
    direct: pl.DataFrame
    attached: pl.DataFrame
    notes: tuple[str, ...] = ()


def laid(year: Year, taxpayer: Taxpayer, sales: pl.DataFrame, *, aggregate: bool, summarize: bool) -> Laid:
    """The sales of a return, in the form's order, with the exceptions that were chosen."""
    document = year.documents[FORM]
    exceptions: Mapping[str, Any] = document.value.get("exceptions") or {}
    if (aggregate or summarize) and not exceptions:
        raise refuse(
            document.place(), f"the rules of {year.year} have no `exceptions`: every sale has a row of its own"
        )
    sales = sales.with_columns(n=pl.int_range(pl.len(), dtype=pl.UInt32))
    line = sales.select(_line(year, exceptions[AGGREGATE])).to_series() if aggregate else _no_line(sales)
    direct = sales.with_columns(line).filter(pl.col("line").is_not_null()).drop("n")
    rows = sales.filter(line.is_null()) if direct.height else sales
    attached = rows.clear().drop("n").with_columns(broker=pl.lit("", pl.String))
    if not summarize:
        return Laid(rows, line, direct, attached)
    said = exceptions[SUMMARIZE]
    rows, attached = _summarized(year, said, rows.with_columns(broker=_broker(taxpayer)))
    return Laid(rows, line, direct, attached, (said["note"],) if attached.height else ())


def _no_line(sales: pl.DataFrame) -> pl.Series:
    return pl.Series("line", [None], pl.String).new_from_index(0, sales.height)


def _line(year: Year, said: Mapping[str, Any]) -> pl.Expr:
    """The line that a sale goes straight to: its box has one, and the columns that must be empty are."""
    columns = year.documents[FORM].value["columns"]
    names = [columns[letter]["shows"] for letter in said["empty"]]
    empty = [pl.col(name) == 0 if name in MONEY else pl.col(name).fill_null("") == "" for name in names]
    line = pl.col("box").replace_strict(said["lines"], default=None, return_dtype=pl.String)
    return pl.when(~pl.col("collectible"), *empty).then(line).alias("line")


def _broker(taxpayer: Taxpayer) -> pl.Expr:
    """Who holds an account: as the taxpayer file names the broker, else as the ledger calls the account."""
    named = {name: account["broker"] for name, account in taxpayer["accounts"].items() if account.get("broker")}
    account = pl.col("account").fill_null("")
    return account.replace_strict(named, default=account, return_dtype=pl.String) if named else account


def _summarized(year: Year, said: Mapping[str, Any], rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The form's rows with those of a broker and box in one, where there are several; and what they sum up."""
    keys = ["box", "broker"]
    codes = pl.col("codes").fill_null("")
    may = ~pl.any_horizontal(pl.lit(value=False), *(codes.str.contains(code, literal=True) for code in said["never"]))
    several = may & (may.sum().over(keys) > 1)
    rank = pl.col("box").replace_strict({box: n for n, box in enumerate(year.documents[FORM].value["boxes"])})
    rows = rows.with_columns(several=several, rank=rank)
    attached = rows.filter("several").sort("rank", "broker", maintain_order=True)
    if attached.is_empty():
        return rows.drop("broker", "several", "rank"), attached.drop("several", "rank", "n")
    sums = _sums(attached, said)
    others = rows.filter(~pl.col("several"))
    both = pl.concat([sums.select(others.columns), others]).sort("rank", maintain_order=True)
    return both.drop("broker", "several", "rank"), attached.drop("several", "rank", "n")


def _sums(attached: pl.DataFrame, said: Mapping[str, Any]) -> pl.DataFrame:
    """One row for each broker and box, with all columns of its sales."""
    keys = ["rank", "broker"]
    codes = pl.col("codes").fill_null("").str.split("").explode().unique().sort().str.join("") + said["code"]
    same = [name for name in ("box", "part", "term", "form_1099") if name in attached.columns]
    flags = [name for name in ("digital", "collectible") if name in attached.columns]
    sums = attached.group_by(keys, maintain_order=True).agg(
        *(pl.col(name).first() for name in same), *(pl.col(name).any() for name in flags),
        *(pl.col(name).sum() for name in MONEY), codes=codes,
    )  # fmt: skip
    sums = sums.with_columns(
        account=pl.col("broker"), description=pl.concat_str("broker", pl.lit(f" - {said['says']}")),
        codes=pl.col("codes").str.split("").list.sort().list.join(""), several=pl.lit(value=False),
    )  # fmt: skip
    lacking = [pl.lit(None, dtype).alias(name) for name, dtype in attached.schema.items() if name not in sums.columns]
    return sums.with_columns(lacking)


def settled(
    year: Year, taxpayer: Taxpayer, sales: pl.DataFrame, *, aggregate: bool
) -> tuple[Mapping[str, Any], pl.DataFrame]:
    """The typed amounts of a return, with the sums of sales in the lines that these go straight to; and other sales."""
    if not aggregate:
        return taxpayer["inputs"], sales
    stand = laid(year, taxpayer, sales, aggregate=True, summarize=False)
    return _typed_with(year, taxpayer["inputs"], stand.direct), stand.rows


def _typed_with(year: Year, inputs: Mapping[str, Any], direct: pl.DataFrame) -> Mapping[str, Any]:
    letters = {said["shows"]: letter for letter, said in year.documents[FORM].value["columns"].items()}
    typed = {form: dict(lines) for form, lines in inputs.items()}
    sums = direct.group_by("line", maintain_order=True).agg(pl.col(MONEY).cast(pl.Int128).sum())
    for row in sums.iter_rows(named=True):
        form, _, id_ = row["line"].partition(".")
        given = typed.setdefault(form, {}).get(id_) or {}
        cents = {letters[name]: Decimal(row[name]).scaleb(-2) for name in MONEY}
        columns = year.forms[form].lines[id_].columns
        typed[form][id_] = {column: Decimal(given.get(column, 0)) + cents[column] for column in columns}
    return typed
