"""Rows of Form 8949 from what was sold: class, term, part, box, description, gain and order, by the tables of the year's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from lotlaw.formula import Reader, parse
from lotlaw.lots.events import place
from lotlaw.readings import columns
from lotlaw.source import Problem, Problems

if TYPE_CHECKING:
    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.lots.treatment import Treatment

SCHEMA = {
    "sale": pl.UInt32, "lot": pl.UInt32, "asset": pl.String, "asset_class": pl.String, "account": pl.String,
    "description": pl.String, "quantity": pl.Decimal(38, 18), "acquired": pl.Date, "acquired_text": pl.String, "sold": pl.Date,
    "proceeds": pl.Int64, "basis": pl.Int64, "adjustment": pl.Int64, "gain": pl.Int64, "codes": pl.String, "term": pl.String,
    "form_1099": pl.String, "digital": pl.Boolean, "collectible": pl.Boolean, "box": pl.String, "part": pl.String,
}  # fmt: skip
"""The columns of a return's rows. `sale` and `lot` are rows of the ledger, amounts are cents, `term` is short or long."""

FORM = "form_8949"
NOT_REPORTED = "none"


def form_rows(sold: pl.DataFrame, ledger: Ledger, year: Year, treatment: Treatment, accounts: Mapping[str, Any]) -> pl.DataFrame:
    """The rows of one year's form, in its order.

    `sold`: sale, lot, asset, asset_class, account, description (null: made from the quantity), quantity, acquired, acquired_text, sold,
    proceeds, basis, adjustment, codes (null: none), term (null: by the dates), form_1099 (null: what the account's broker reports).
    Raises Problems for terms, boxes and codes that the year does not have.
    """
    rows = _classed(sold, treatment).with_columns(_term(treatment), _reported(accounts), _description())
    rows = _boxed(_coded(rows, treatment), year).with_columns(_gain(year))
    problems = [*_termless(rows, ledger), *_boxless(rows, ledger, year), *_miscoded(rows, ledger, year)]
    if problems:
        raise Problems(problems)
    rows = rows.sort("rank", "sold", "sale", "acquired", "lot", maintain_order=True, nulls_last=True)
    return rows.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def _classed(rows: pl.DataFrame, treatment: Treatment) -> pl.DataFrame:
    """Add digital, mark (the code of a collectible) and unit, by the asset's class."""
    classes = treatment.classes
    table = {
        "asset_class": list(classes),
        "digital": [c["digital"] for c in classes.values()],
        "mark": [c["collectible"] or None for c in classes.values()],
        "unit": [c.get("unit") for c in classes.values()],
    }
    schema = {"asset_class": pl.String, "digital": pl.Boolean, "mark": pl.String, "unit": pl.String}
    joined = rows.join(pl.DataFrame(table, schema=schema), on="asset_class", how="left", maintain_order="left")
    return joined.with_columns(pl.col("digital").fill_null(value=False))


def _term(treatment: Treatment) -> pl.Expr:
    names = {name: columns.const(value) for name, value in treatment.names.items()}
    long = Reader(columns, {**names, "acquired": pl.col("acquired"), "sold": pl.col("sold")}).read(treatment.long_if)
    always = pl.col("acquired_text").is_in(treatment.said["term"]["always_long"])
    by_date = pl.when(long).then(pl.lit("long")).when(~long).then(pl.lit("short"))
    return pl.coalesce("term", pl.when(always).then(pl.lit("long")).otherwise(by_date)).alias("term")


def _reported(accounts: Mapping[str, Any]) -> pl.Expr:
    said = {name: account["form_1099"] for name, account in accounts.items() if account.get("form_1099")}
    by_account = pl.col("account").replace_strict(said, default=NOT_REPORTED, return_dtype=pl.String)
    return pl.coalesce("form_1099", by_account if said else pl.lit(NOT_REPORTED)).alias("form_1099")


def _description() -> pl.Expr:
    """`100 sh. ACME` where the class has a unit, else `1.5 BTC`."""
    number = pl.col("quantity").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    unit = pl.when(pl.col("unit").is_not_null()).then(pl.format(" {} ", "unit")).otherwise(pl.lit(" "))
    return pl.coalesce("description", pl.concat_str(number, unit, "asset")).alias("description")


def _coded(rows: pl.DataFrame, treatment: Treatment) -> pl.DataFrame:
    """Add the code that marks a collectible, codes in the order of the alphabet, and whether the row is one."""
    if rows["codes"].null_count() == rows["mark"].null_count() == rows.height:
        return rows.with_columns(codes=pl.lit(""), collectible=pl.lit(value=False))
    marks = sorted({c["collectible"] for c in treatment.classes.values() if c["collectible"]})
    letters = pl.concat_str(pl.col("codes").fill_null(""), pl.col("mark").fill_null("")).str.split("")
    codes = letters.list.unique().list.sort().list.join("")
    rows = rows.with_columns(codes.alias("codes"))
    return rows.with_columns(pl.col("codes").str.contains_any(marks).alias("collectible"))


def _boxed(rows: pl.DataFrame, year: Year) -> pl.DataFrame:
    """Add part, box and rank (the box's place on the form), null where the form has none that fits."""
    said = year.documents[FORM].value
    parts = {p["term"]: name for name, p in said["parts"].items()}
    table = [
        (box["part"], box["form_1099"], digital, name, rank)
        for rank, (name, box) in enumerate(said["boxes"].items())
        for digital in ((True, False) if box["digital"] == "any" else (box["digital"],))
    ]
    schema = {"part": pl.String, "form_1099": pl.String, "digital": pl.Boolean, "box": pl.String, "rank": pl.UInt32}
    boxes = pl.DataFrame(table, schema=schema, orient="row")
    rows = rows.with_columns(pl.col("term").replace_strict(parts, default=None, return_dtype=pl.String).alias("part"))
    return rows.join(boxes, on=["part", "form_1099", "digital"], how="left", maintain_order="left")


def _gain(year: Year) -> pl.Expr:
    """The form's own column (h)."""
    document = year.documents[FORM]
    shown = {c["shows"]: letter for letter, c in document.value["columns"].items()}
    letter = shown["gain"]
    formula = parse(document.value["columns"][letter]["is"], document.place("columns", letter, "is"))
    names = {shown[name]: columns.money(pl.col(name)) for name in ("proceeds", "basis", "adjustment")}
    gain: pl.Expr = Reader(columns, names).read(formula).at(columns.MONEY)
    return gain.alias("gain")


def _termless(rows: pl.DataFrame, ledger: Ledger) -> Iterator[Problem]:
    for sale, text in rows.filter(pl.col("term").is_null()).select("sale", "acquired_text").unique().sort("sale").iter_rows():
        said = f"acquired {text}: " if text else "no date acquired: "
        yield Problem(place(ledger, sale), f"{said}whether this is short-term or long-term is unknown; give term, short or long")


def _boxless(rows: pl.DataFrame, ledger: Ledger, year: Year) -> Iterator[Problem]:
    lacking = rows.filter(pl.col("box").is_null() & pl.col("part").is_not_null())
    boxes = year.documents[FORM].value["boxes"].values()
    for sale, report, digital in lacking.select("sale", "form_1099", "digital").unique().sort("sale").iter_rows():
        fit = dict.fromkeys(b["form_1099"] for b in boxes if b["digital"] in ("any", digital))
        what = "a digital asset" if digital else "an asset that is not digital"
        said = f"no box of the {year.year} Form 8949 takes form_1099 '{report}' for {what}; it may be {', '.join(fit)}"
        yield Problem(place(ledger, sale), said)


def _miscoded(rows: pl.DataFrame, ledger: Ledger, year: Year) -> Iterator[Problem]:
    """Codes that the year's form does not have, and adjustments with a sign that none of their codes allows."""
    known = year.documents[FORM].value["codes"]
    coded = rows.filter((pl.col("codes") != "") | (pl.col("adjustment") != 0))
    for sale, codes, adjustment, gain in coded.select("sale", "codes", "adjustment", "gain").iter_rows():
        unknown = [code for code in codes if code not in known]
        if unknown:
            said = f"the {year.year} Form 8949 has no code {unknown[0]}; its codes are {', '.join(known)}"
            yield Problem(place(ledger, sale), said)
        elif adjustment and not any(_allows(known[code]["sign"], adjustment, gain) for code in codes):
            what = f"code {codes} does" if codes else "no code does, and an adjustment needs one that"
            sign = "an adjustment above zero" if adjustment > 0 else "an adjustment below zero"
            yield Problem(place(ledger, sale), f"{sign}: {what}" + (" not allow it" if codes else " allows it"))


def _allows(sign: str, adjustment: int, gain: int) -> bool:
    if sign == "opposite":
        return (adjustment > 0) != (gain - adjustment > 0)
    return {"either": True, "zero": False, "plus": adjustment > 0, "minus": adjustment < 0}[sign]
