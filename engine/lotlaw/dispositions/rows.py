"""Rows of Form 8949 from what was sold: term, box, description, gain and order, by the tables of a year's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from lotlaw.formula import Reader, parse
from lotlaw.ledger import OWNER
from lotlaw.lots.events import AMOUNT, Schema, cast, place
from lotlaw.lots.treatment import FORM, Treatment, treatment
from lotlaw.readings import columns
from lotlaw.source import Problem, Problems

if TYPE_CHECKING:
    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.taxpayer import Taxpayer

SCHEMA: Schema = {
    "sale": pl.UInt32, "lot": pl.UInt32, "asset": pl.String, "asset_class": pl.String, "account": pl.String,
    "description": pl.String, "quantity": AMOUNT, "acquired": pl.Date, "acquired_text": pl.String, "sold": pl.Date,
    "proceeds": pl.Int64, "basis": pl.Int64, "adjustment": pl.Int64, "gain": pl.Int64, "codes": pl.String,
    "term": pl.String, "form_1099": pl.String, "digital": pl.Boolean, "collectible": pl.Boolean, "box": pl.String,
    "part": pl.String,
}  # fmt: skip
"""A return's rows: `sale` and `lot` are rows of the ledger, amounts are cents, `term` is short or long."""

NOT_REPORTED = "none"
FORMS = 2**16
"""More than a form has boxes."""


def form_rows(
    sold: pl.DataFrame, ledger: Ledger, year: Year, law: Treatment, accounts: Mapping[str, Mapping[str, Any]]
) -> pl.DataFrame:
    """The rows of one year's form, in its order.

    `sold` has sale, lot, asset, asset_class, account, description (null: made of the quantity), quantity, acquired,
    acquired_text, sold, proceeds, basis, adjustment, codes (null: none), term (null: by the dates), form_1099 (null:
    what the account's broker reports). Raises Problems for terms, boxes and codes that the year does not have.
    """
    rows = _classed(_termed(sold, law), law).with_columns(reports(accounts, year), _description())
    rows = _boxed(_coded(rows, law), year).with_columns(_gain(year))
    problems = [*_termless(rows, ledger), *_boxless(rows, ledger, year), *_miscoded(rows, ledger, year)]
    if problems:
        raise Problems(sorted(problems, key=lambda p: (p.place.file, p.place.line)))
    return cast(_sorted(rows.select(*SCHEMA, "rank", **_whose(ledger))), SCHEMA)


def term_on(year: Year, taxpayer: Taxpayer, day: date) -> pl.Expr:
    """The term of lots (columns acquired, acquired_text) if they were sold on a day: short or long."""
    return by_dates(treatment(year, taxpayer), pl.lit(day)).alias("term")


def turns_long_on(year: Year, taxpayer: Taxpayer) -> pl.Expr:
    """The first day on which lots (columns acquired, acquired_text) are long-term; null where they always are."""
    law = treatment(year, taxpayer)
    return pl.when(~_always_long(law).fill_null(value=False)).then(_long_from(law)).alias("turns_long")


def by_dates(law: Treatment, sold: pl.Expr) -> pl.Expr:
    """The term of columns acquired and acquired_text, sold on a day: short, long, or null where neither tells."""
    long = sold >= _long_from(law)
    return pl.when(_always_long(law) | long).then(pl.lit("long")).when(~long).then(pl.lit("short"))


def _long_from(law: Treatment) -> Any:
    names = {name: columns.const(value) for name, value in law.names.items()}
    return Reader(columns, {**names, "acquired": pl.col("acquired")}).read(law.long_from)


def _always_long(law: Treatment) -> pl.Expr:
    return pl.col("acquired_text").is_in(law.said["term"]["always_long"])


def _termed(rows: pl.DataFrame, law: Treatment) -> pl.DataFrame:
    """Fill in the term. Many rows share their dates: the rule is read once for each pair of these."""
    known = [name for name in ("acquired", "acquired_text") if rows[name].null_count() < rows.height]
    dates = rows.select("acquired", "acquired_text", "sold").unique(keys := [*known, "sold"])
    terms = dates.select(*keys, by_dates(law, pl.col("sold")).alias("by_dates"))
    if terms["by_dates"].n_unique() == 1:
        return rows.with_columns(term=pl.coalesce("term", pl.lit(terms["by_dates"][0], pl.String)))
    told = _looked_up(rows, terms, keys)
    return told.with_columns(term=pl.coalesce("term", "by_dates")).drop("by_dates")


def _looked_up(rows: pl.DataFrame, table: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The rows with what a table says by its keys, null where it says nothing; looked up once if all ask the same."""
    if rows.height > 1 and rows.select(pl.all_horizontal(pl.col(keys).eq_missing(pl.col(keys).first()).all())).item():
        said = _looked_up(rows.select(keys).head(1), table, keys).drop(keys)
        return rows.with_columns(pl.lit(found[0], found.dtype).alias(found.name) for found in said)
    return rows.join(table, keys, "left", nulls_equal=True, maintain_order="left")


def _whose(ledger: Ledger) -> dict[str, pl.Expr]:
    """Whose a row is, in a ledger of several taxpayers: each has a form of their own."""
    there = ledger.rows.columns
    return {"whose": pl.lit(ledger.rows[OWNER]).gather("sale")} if OWNER in there else {}


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    """In the form's order: by box (rank), then day and row sold, day and row acquired."""
    whose = [name for name in ("whose",) if name in rows.columns]
    order = [*whose, "sold", "sale", "acquired", "lot"]
    if not _come_in_order(rows, order):
        return rows.sort(*whose, "rank", *order[len(whose) :], maintain_order=True, nulls_last=True)
    form = sum((pl.col(name).cast(pl.UInt64) * FORMS for name in whose), pl.col("rank"))
    return rows if rows.select(form).to_series().is_sorted() else rows.sort(form, maintain_order=True)


def _come_in_order(rows: pl.DataFrame, order: list[str]) -> bool:
    """Whether rows stand in an order, but for their boxes, as the ledger's own sales do."""
    if any(rows[name].null_count() for name in order):
        return False
    holds = pl.col(order[-1]) >= pl.col(order[-1]).shift()
    for name in reversed(order[:-1]):
        key, last = pl.col(name), pl.col(name).shift()
        holds = (key > last) | ((key == last) & holds)
    return bool(rows.select(holds.all()).item())


def _classed(rows: pl.DataFrame, law: Treatment) -> pl.DataFrame:
    """Add digital, mark (the code of a collectible) and unit (between quantity and asset), by the asset's class.

    What the taxpayer says is a collectible is one whatever its class.
    """
    units = {name: f" {c['unit']} " if c.get("unit") else " " for name, c in law.classes.items()}
    table = [(name, c["digital"], c["collectible"] or None, units[name]) for name, c in law.classes.items()]
    schema = {"asset_class": pl.String, "digital": pl.Boolean, "mark": pl.String, "unit": pl.String}
    classes = pl.DataFrame(table, schema=schema, orient="row")
    rows = _looked_up(rows, classes, ["asset_class"]).with_columns(pl.col("unit").fill_null(" "))
    if not law.collectibles:
        return rows
    named = pl.col("asset").is_in(sorted(law.collectibles))
    return rows.with_columns(
        mark=pl.when(named).then(pl.coalesce("mark", pl.lit("".join(law.marks[:1])))).otherwise("mark")
    )


def reports(accounts: Mapping[str, Mapping[str, Any]], year: Year) -> pl.Expr:
    """What reports a sale: the row's own word, else what its account's broker sends, in years that have such a form."""
    known = {box["form_1099"] for box in year.documents[FORM].value["boxes"].values()}
    said = {name: account["form_1099"] for name, account in accounts.items() if account.get("form_1099") in known}
    by_account = pl.col("account").replace_strict(said, default=NOT_REPORTED, return_dtype=pl.String)
    return pl.coalesce("form_1099", by_account if said else pl.lit(NOT_REPORTED)).alias("form_1099")


def _description() -> pl.Expr:
    """`100 sh. ACME` where the class has a unit, else `1.5 BTC`."""
    number = pl.col("quantity").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.coalesce("description", pl.concat_str(number, "unit", "asset")).alias("description")


def _coded(rows: pl.DataFrame, law: Treatment) -> pl.DataFrame:
    """Add the code that marks a collectible, codes in the order of the alphabet, and whether the row is one."""
    if rows["codes"].null_count() == rows["mark"].null_count() == rows.height:
        return rows.with_columns(codes=pl.lit(""), collectible=pl.lit(value=False))
    every = rows.select(keys := ["codes", "mark"]).unique()
    letters = pl.concat_str(pl.col("codes").fill_null(""), pl.col("mark").fill_null("")).str.split("")
    every = every.with_columns(letters=letters.list.unique().list.sort().list.join(""))
    marked = (pl.col("letters").str.contains(mark, literal=True) for mark in law.marks)
    told = _looked_up(rows, every.with_columns(collectible=pl.any_horizontal(marked)), keys)
    return told.with_columns(codes="letters").drop("letters")


def _boxed(rows: pl.DataFrame, year: Year) -> pl.DataFrame:
    """Add part, box and rank (the box's place on the form), null where the form has none that fits."""
    said = year.documents[FORM].value
    parts = {part["term"]: name for name, part in said["parts"].items()}
    table = [
        (box["part"], box["form_1099"], digital, name, rank)
        for rank, (name, box) in enumerate(said["boxes"].items())
        for digital in ((True, False, None) if box["digital"] == "any" else (box["digital"],))
    ]
    schema = {"part": pl.String, "form_1099": pl.String, "digital": pl.Boolean, "box": pl.String, "rank": pl.UInt32}
    boxes = pl.DataFrame(table, schema=schema, orient="row")
    rows = rows.with_columns(part=pl.col("term").replace_strict(parts, default=None, return_dtype=pl.String))
    return _looked_up(rows, boxes, ["part", "form_1099", "digital"])


def _gain(year: Year) -> pl.Expr:
    """The form's own column for it, from what its other columns show."""
    document = year.documents[FORM]
    shown = {said["shows"]: letter for letter, said in document.value["columns"].items()}
    gain = ("columns", shown["gain"], "is")
    formula = parse(document.value[gain[0]][gain[1]][gain[2]], document.place(*gain))
    names = {letter: columns.money(pl.col(name)) for name, letter in shown.items() if letter in formula.names}
    amount: columns.Scaled = Reader(columns, names).read(formula)
    return amount.at(columns.MONEY).alias("gain")


def _termless(rows: pl.DataFrame, ledger: Ledger) -> Iterator[Problem]:
    lacking = rows.filter(pl.col("term").is_null())
    for sale, text in lacking.select("sale", "acquired_text").iter_rows():
        said = f"acquired {text}" if text else "no date acquired"
        yield Problem(place(ledger, sale), f"{said}, and nothing says how long it was held; give term, short or long")


def _boxless(rows: pl.DataFrame, ledger: Ledger, year: Year) -> Iterator[Problem]:
    lacking = rows.filter(pl.col("box").is_null() & pl.col("part").is_not_null())
    boxes = year.documents[FORM].value["boxes"].values()
    for sale, asset, report, digital in lacking.select("sale", "asset", "form_1099", "digital").unique().iter_rows():
        if digital is None:
            yield Problem(place(ledger, sale), f"{asset} needs an asset_class: its box depends on it")
            continue
        what = f"{asset}, {'a digital asset' if digital else 'which is no digital asset'}"
        fits = ", ".join(dict.fromkeys(box["form_1099"] for box in boxes if box["digital"] in ("any", digital)))
        said = f"no box of the {year.year} Form 8949 takes form_1099 '{report}' for {what}; it may be {fits}"
        yield Problem(place(ledger, sale), said)


def _miscoded(rows: pl.DataFrame, ledger: Ledger, year: Year) -> Iterator[Problem]:
    """Codes that the year's form does not have, and adjustments that none of a row's codes goes with."""
    known = year.documents[FORM].value["codes"]
    gains = pl.col("gain") > pl.col("adjustment")
    signs = rows.select("sale", "codes", "adjustment", sign=pl.col("adjustment").sign(), gains=gains)
    # There are few kinds of rows, and each is looked at once.
    kinds = signs.select("codes", "sign", "gains").unique()
    wrong = [_amiss(known, year, codes, sign, gains=gains) for codes, sign, gains in kinds.iter_rows()]
    if not any(wrong):
        return
    amiss = kinds.with_columns(amiss=pl.Series(wrong, dtype=pl.String)).filter(pl.col("amiss") != "")
    found = signs.join(amiss, on=kinds.columns, maintain_order="left")
    for sale, adjustment, said in found.select("sale", "adjustment", "amiss").iter_rows():
        yield Problem(place(ledger, sale), said.format(adjustment=Decimal(adjustment).scaleb(-2)))


def _amiss(known: Mapping[str, Any], year: Year, codes: str, sign: int, *, gains: bool) -> str:
    """What is wrong with a row's codes and the sign of its adjustment, if anything."""
    unknown = [code for code in codes if code not in known]
    if unknown:
        return f"the {year.year} Form 8949 has no code {unknown[0]}; its codes are {', '.join(known)}"
    if sign and not codes:
        return "an adjustment needs a code that says what it is for"
    if sign and not any(_goes_with(known[code]["sign"], plus=sign > 0, gains=gains) for code in codes):
        return f"an adjustment of {{adjustment}} does not go with code {codes}: mind its sign"
    return ""


def _goes_with(sign: str, *, plus: bool, gains: bool) -> bool:
    return {"opposite": plus != gains, "either": True, "zero": False, "plus": plus, "minus": not plus}[sign]
