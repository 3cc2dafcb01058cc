"""What taxpayers come to: rows of Form 8949, lines by the rules, what carries over, income, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from lotlaw.batch.ledgers import Rows
from lotlaw.batch.people import Choice, facts_of
from lotlaw.batch.tables import FORM_ROWS, INCOME_ROWS, KEY, MONEY
from lotlaw.dispositions import Matched
from lotlaw.law import Year
from lotlaw.ledger import Ledger
from lotlaw.lots.events import AMOUNT, cast, own_name
from lotlaw.readings import columns
from lotlaw.returns import group_name, work_out_columns
from lotlaw.run import GROUP

ONE = 10**2
"""Yes, in cents."""
Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Done:
    """Some taxpayers' ledger, and what it was matched to."""

    ledger: Ledger
    matched: Matched


def tables_of(
    year: Year, rows: Rows, people: pl.DataFrame, choices: Sequence[Choice], done: Sequence[Done], names: pl.Series
) -> Tables:
    """All tables but that of problems, for the taxpayers `people`, by their names in order."""
    mine = pl.col("t").is_in(people["t"].implode())
    sold, income = (frame.filter(mine) if frame.height else frame for frame in (_sold(done), _income(done)))
    facts = people.select("t").hstack(facts_of(people, choices))
    worked = _worked(year, facts, sold, income)
    return {
        "form_8949": _form_rows(sold, rows, names), "lines": _lines(year, worked, names),
        "carryover": _carryover(year, worked, names), "income": _income_rows(income, rows, names),
    }  # fmt: skip


def excessive(done: Sequence[Done]) -> list[int]:
    """The taxpayers whose sales come to more than lines have room for."""
    most = columns.LARGEST * 10**columns.MONEY
    found: list[int] = []
    for one in done:
        sold = one.matched.dispositions
        amounts = [pl.col(name).cast(pl.Int128).abs().sum() > most for name in ("proceeds", "basis", "adjustment")]
        sums = sold.group_by(t=one.ledger.rows["t"].gather(sold["sale"])).agg(pl.any_horizontal(amounts).alias("over"))
        found += sums.filter("over")["t"].to_list()
    return found


def _sold(done: Sequence[Done]) -> pl.DataFrame:
    """All rows of Form 8949 in the order of taxpayers and of their forms; `line` and `lot_line` in the partition."""
    parts = []
    for one in done:
        ledger, found = one.ledger.rows, one.matched.dispositions
        lines = ledger["line"]
        parts.append(found.with_columns(
            t=ledger["t"].gather(found["sale"]), line=lines.gather(found["sale"]),
            lot_line=lines.gather(found["lot"].fill_null(0)).set(found["lot"].is_null(), None),
            **{name: own_name(name) for name in ("asset", "account")}, description=_own_description(),
        ))  # fmt: skip
    every = pl.concat(parts) if parts else pl.DataFrame(schema={"t": pl.UInt32})
    return every if every["t"].is_sorted() else every.sort("t", maintain_order=True)


def _own_description() -> pl.Expr:
    return own_name("description")


def _income(done: Sequence[Done]) -> pl.DataFrame:
    parts = []
    for one in done:
        ledger, found = one.ledger.rows, one.matched.income
        parts.append(found.with_columns(
            t=ledger["t"].gather(found["row"]), line=ledger["line"].gather(found["row"]),
            **{name: own_name(name) for name in ("asset", "account")},
        ))  # fmt: skip
    return pl.concat(parts).sort("t", "line") if parts else pl.DataFrame()


# Lines


def _worked(year: Year, facts: pl.DataFrame, sold: pl.DataFrame, income: pl.DataFrame) -> pl.DataFrame:
    """Every line of every taxpayer, with `t`."""
    frame = facts.with_columns(pl.lit(value=False).alias("ledger.dispositions"))
    if sold.height:
        has = sold.select(pl.col("t").unique(), pl.lit(value=True).alias("has"))
        frame = frame.join(has, on="t", how="left", maintain_order="left")
        frame = frame.with_columns(pl.col("has").fill_null(value=False).alias("ledger.dispositions")).drop("has")
        for name, totals in _totals(year, sold):
            frame = frame.join(
                totals.select("t", pl.exclude("t").name.prefix(f"{name}.")), on="t", how="left", maintain_order="left"
            )
    if income.height:
        frame = frame.join(_counted(income), on="t", how="left", maintain_order="left")
        frame = frame.with_columns(pl.col("ledger.counted_income").fill_null(0))
    return frame.select("t").hstack(work_out_columns(year, frame.drop("t"), year.forms))


def _totals(year: Year, sold: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """By group of rows, its sums by taxpayer, in cents."""
    said = year.documents["form_8949"].value["columns"]
    letters = {column["shows"]: letter for letter, column in said.items() if "total" in column}
    added = [pl.col(name).cast(pl.Int128).sum().cast(pl.Int64).alias(letter) for name, letter in letters.items()]
    sums = sold.group_by("t", *GROUP, maintain_order=True).agg(added)
    for key, part in sorted(sums.partition_by(GROUP, as_dict=True).items(), key=str):
        yield f"total.{group_name(dict(zip(GROUP, key, strict=True)))}", part.drop(GROUP)


def _counted(income: pl.DataFrame) -> pl.DataFrame:
    """Income that counts, in cents, and a third digit that says whether anything is left of a cent.

    That is all that rounding to whole dollars asks for.
    """
    whole = pl.col("amount").to_physical().filter(pl.col("counted")).sum()
    cent = 10 ** (AMOUNT.scale - MONEY.scale)
    sums = income.group_by("t").agg(whole.alias("sum"))
    told = pl.col("sum") // cent * 10 + (pl.col("sum") % cent > 0).cast(pl.Int128)
    return sums.select("t", told.reinterpret(dtype=pl.Decimal(18, 3)).alias("ledger.counted_income"))


def _lines(year: Year, worked: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """A row a line and column that is not blank: line after line, and of each, taxpayer after taxpayer."""
    forms, said, parts = year.forms.values(), [], []
    ids, letters = {id_ for form in forms for id_ in form.lines}, {letter for form in forms for letter in form.columns}
    words = {"form": pl.Enum(list(year.forms)), "line": pl.Enum(sorted(ids)), "column": pl.Enum(["", *sorted(letters)])}
    for form in forms:
        for line in form.lines.values():
            for column in (form.columns if line.columns else ("",)) if line.printed else ():
                name = f"{form.name}.{line.id}" + (f".{column}" if column else "")
                if name in worked.columns:
                    cents = worked[name].cast(pl.Int64) * (ONE if line.unit == "flag" else 1)
                    parts.append(pl.DataFrame({"t": worked["t"], "amount": cents}))
                    said.append((form.name, line.id, column))
    every = pl.concat(parts).with_columns(at=pl.int_range(pl.len(), dtype=pl.UInt32) // worked.height)
    told = [
        pl.lit(pl.Series([names[n] for names in said], dtype=words[key])).gather("at").alias(key)
        for n, key in enumerate(words)
    ]
    return every.drop_nulls("amount").select(_named(names), *told, _money("amount"))


def _carryover(year: Year, worked: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    where = year.documents["year"].value["results"]
    amounts = {}
    for term in ("short", "long"):
        form, _, export = where[f"{term}_carryover"].partition(".")
        amounts[term] = pl.col(f"{form}.{year.forms[form].lines[year.forms[form].exports[export]].id}").fill_null(0)
    every = worked.select("t", **amounts)
    return every.select(_named(names), *(_money(name) for name in amounts))


# Rows


def _form_rows(sold: pl.DataFrame, rows: Rows, names: pl.Series) -> pl.DataFrame:
    if not sold.height:
        return pl.DataFrame(schema=dict(FORM_ROWS))
    at, lot = _origin(rows, sold["line"]), _origin(rows, sold["lot_line"])
    told = sold.select(
        _named(names), pl.exclude(KEY, "proceeds", "basis", "adjustment", "gain"),
        *(_money(name) for name in ("proceeds", "basis", "adjustment", "gain")),
    ).hstack([*at, *(column.alias(f"lot_{column.name}") for column in lot)])  # fmt: skip
    return cast(told, FORM_ROWS)


def _income_rows(income: pl.DataFrame, rows: Rows, names: pl.Series) -> pl.DataFrame:
    if not income.height:
        return pl.DataFrame(schema=dict(INCOME_ROWS))
    own = income.select(_named(names), pl.exclude("row")).hstack(_origin(rows, income["line"]))
    return cast(own, INCOME_ROWS)


def _named(names: pl.Series) -> pl.Expr:
    """The taxpayers' names for their numbers."""
    return pl.lit(names).gather(pl.col("t")).alias(KEY)


def _origin(rows: Rows, lines: pl.Series) -> list[pl.Series]:
    """The file and row of rows of the partition."""
    found = rows.frame.select("file", "row")[(lines.fill_null(1) - 1)]
    files = pl.Series(rows.files, dtype=pl.String).gather(found["file"])
    lacks = lines.is_null()
    return [column.set(lacks, None).alias(name) for name, column in (("file", files), ("row", found["row"]))]


def _money(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int128).reinterpret(dtype=MONEY).alias(name)
