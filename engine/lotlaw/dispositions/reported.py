"""Sales that others worked out: closed lots, which go to Form 8949 as they stand, and brokers' own lists of sales.

A broker's list is there to compare with. A sale on it that the ledger has too becomes a row by what the statement
reports and the ledger knows (`reconcile`); one that the ledger has not is taken as stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lotlaw.dispositions import besides
from lotlaw.dispositions.besides import of_aggregates, put_right, told_of
from lotlaw.dispositions.compare import COMPARED, UNSOLD, compared
from lotlaw.dispositions.reconcile import TERMS, as_rows, pieces_of, shared, weight, within
from lotlaw.dispositions.rows import by_dates
from lotlaw.dispositions.statements import KEYS, Pairs, paired
from lotlaw.law import Year
from lotlaw.lots.events import AMOUNT, WHOLE, Events, Schema, acquired_day, class_of, column, is_kind
from lotlaw.lots.moves import cents, too_large
from lotlaw.lots.treatment import FORM
from lotlaw.source import Problem

AS_IT_STANDS, UNLESS_COMPUTED = "as_it_stands", "unless_computed"
FACTS: Schema = {
    "proceeds_usd": AMOUNT, "adjustment_usd": AMOUNT, "wash_disallowed_usd": AMOUNT, "codes": pl.String,
    "term": pl.String, "tax_form": pl.String, "basis_reported": pl.Boolean, "collectible": pl.Boolean,
    "asset_class": pl.String, "form8949_box": pl.String, "proceeds_type": pl.String,
}  # fmt: skip
AMOUNTS = ("proceeds_usd", "basis_usd", "adjustment_usd", "wash_disallowed_usd")
NET = "net"
SOLD = (
    "sale", "lot", "asset", "asset_class", "account", "description", "quantity", "acquired", "acquired_text", "sold",
    "proceeds", "basis", "adjustment", "codes", "term", "form_1099", "undated", "stated",
)  # fmt: skip


@dataclass(frozen=True)
class Reported:
    """`rows`: all that goes on Form 8949, with SOLD; `compared`: statements beside the ledger (`compare.COMPARED`).

    `told`: what statements say besides (`besides.TOLD`); `aggregates`: what there is to say of theirs (sold, text).
    """

    rows: pl.DataFrame
    compared: pl.DataFrame
    told: pl.DataFrame
    aggregates: pl.DataFrame
    problems: list[Problem]


def with_reported(events: Events, shown: pl.Expr, sold: pl.DataFrame, year: Year) -> Reported:
    """The ledger's own sales, by what statements say of them, and those that others worked out, of the rows `shown`.

    `sold` has SOLD but for `stated`, which is the row of the statement, or of a closed lot. Of the year, the form's
    boxes count.
    """
    that = events.treatment.that
    said = events.treatment.said["reported"]
    listed = is_kind([*that(row=AS_IT_STANDS), *that(row=UNLESS_COMPUTED)])
    rows = events.rows.filter(listed & shown)
    sold = sold.with_columns(stated=pl.lit(None, pl.UInt32))
    nothing, none = pl.DataFrame(schema=COMPARED), pl.DataFrame(schema=besides.TOLD)
    if rows.is_empty():
        return Reported(sold.select(SOLD), nothing, none, pl.DataFrame(), [])
    rows = _with_facts(events, rows)
    problems = [*too_large(events, rows, AMOUNTS), *_misboxed(events, rows, year)]
    sums = besides.is_aggregate(events, said)
    lacking, aggregates = of_aggregates(events, rows.filter(sums), sold, said)
    rows, problems = rows.filter(~sums), [*problems, *lacking]
    made = _as_sold(events, rows.clear() if problems else rows, year)
    problems += _without_proceeds(events, made)
    stated = made.filter(is_kind(that(row=UNLESS_COMPUTED)))
    sold, beside, told = _reconciled(events, sold, stated) if stated.height else (sold, nothing, none)
    alone = beside.filter(pl.col("differs").list.contains(UNSOLD))["rows"].explode()
    made = made.filter(is_kind(that(row=AS_IT_STANDS)) | pl.col("sale").is_in(alone.implode()))
    made = put_right(made, said)
    rows = pl.concat([sold.select(SOLD), made.select(SOLD)])
    return Reported(rows, beside, pl.concat([told, told_of(made)]), aggregates, problems)


def _with_facts(events: Events, rows: pl.DataFrame) -> pl.DataFrame:
    """Add what only these rows have, from the ledger."""
    there = events.ledger.rows[rows["row"]]
    return rows.with_columns(
        there.select("line", *(column(there, *fact) for fact in (FACTS | besides.FACTS).items())).drop("line")
    )


def _as_sold(events: Events, rows: pl.DataFrame, year: Year) -> pl.DataFrame:
    """The rows as Form 8949 takes them, with kind, wash (in cents, of a statement), and whether proceeds are `net`."""
    law = events.treatment
    said = law.said["reported"]
    stated = is_kind(law.that(row=UNLESS_COMPUTED))
    washes = pl.col("codes").fill_null("").str.contains(said["wash_sale"], literal=True)
    adjustment, washed = (pl.col(name).fill_null(0).to_physical() for name in ("adjustment_usd", "wash_disallowed_usd"))
    wash = pl.when(stated).then(
        pl.when(washed > 0).then(washed).when(washes).then(adjustment).otherwise(pl.lit(0, WHOLE))
    )
    more = pl.when(stated & ~washes & (washed > 0))
    mark = pl.when(pl.col("collectible").fill_null(value=False)).then(pl.lit("".join(law.marks[:1])))
    words, terms = _by_box(said, year)
    made = rows.select(
        "account", "kind", sale="row", lot=pl.lit(None, pl.UInt32), asset="out_asset", sold="date", stated="row",
        description=pl.when(~stated | pl.col("out_qty").is_null()).then("out_asset"), quantity="out_qty",
        asset_class=pl.coalesce("asset_class", class_of(events.ledger, "out_asset")), acquired=acquired_day(),
        acquired_text=pl.when(acquired_day().is_null()).then("acquired_date"),
        proceeds=cents(pl.col("proceeds_usd").to_physical()), basis=cents(pl.col("basis_usd").to_physical()),
        adjustment=cents(adjustment + more.then(washed).otherwise(pl.lit(0, WHOLE))), wash=cents(wash),
        codes=pl.concat_str("codes", more.then(pl.lit(said["wash_sale"])), mark, ignore_nulls=True),
        term=pl.coalesce(pl.when(pl.col("term").is_in(TERMS)).then("term"), pl.when(stated).then(terms)),
        form_1099=pl.coalesce("form_1099", pl.when(stated).then(words)), undated=pl.lit(value=False),
        net=pl.col("proceeds_type") == NET, **besides.facts(),
    )  # fmt: skip
    return made.with_columns(held=pl.coalesce("term", by_dates(law, pl.col("sold"))))


def _by_box(said: Mapping[str, Any], year: Year) -> tuple[pl.Expr, pl.Expr]:
    """What a statement reports, in the words of the form's boxes, and its term: by its own box, else by its form."""
    form = year.documents[FORM].value
    boxes = {box: known["form_1099"] for box, known in form["boxes"].items()} | said["other_boxes"]
    terms = {box: form["parts"][known["part"]]["term"] for box, known in form["boxes"].items()}
    shown, not_shown = (
        pl.col("tax_form").replace_strict(
            {name: words[key] for name, words in said["statements"].items()}, default=None, return_dtype=pl.String
        )
        for key in ("basis_reported", "basis_not_reported")
    )
    by_form = pl.when(pl.col("basis_reported").fill_null(value=False)).then(shown).otherwise(not_shown)
    word, term = (
        pl.col("form8949_box").replace_strict(of, default=None, return_dtype=pl.String) for of in (boxes, terms)
    )
    return pl.coalesce(word, by_form), term


def _misboxed(events: Events, rows: pl.DataFrame, year: Year) -> Iterator[Problem]:
    """Statements whose own box says something else than the rest of the row, or that no form has."""
    form, said = year.documents[FORM].value, events.treatment.said["reported"]
    terms = {box: form["parts"][known["part"]]["term"] for box, known in form["boxes"].items()}
    words = {box: known["form_1099"] for box, known in form["boxes"].items()} | said["other_boxes"]
    facts = rows.filter(pl.col("form8949_box").is_not_null()).select("row", "form8949_box", "term", "basis_reported")
    for row, box, term, shown in facts.unique(maintain_order=True).iter_rows() if facts.height else ():
        what = ""
        if box not in words:
            what = f"form8949_box '{box}' is no box of the {year.year} Form 8949, which has {', '.join(words)}"
        elif term in TERMS and terms.get(box, term) != term:
            what = f"box {box} is for {terms[box]}-term sales, and this row is {term}"
        elif shown is not None and shown != (words[box] in said["as_reported"]):
            tells = "not " * (not shown) + "reported"
            what = f"box {box} does not go with a basis that was {tells} to the IRS"
        if what:
            yield Problem(events.place(row), f"{what}; give the one that the statement shows")


def _reconciled(
    events: Events, sold: pl.DataFrame, stated: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The ledger's own sales with what statements say of them, both beside each other, what there is to tell."""
    said = events.treatment.said["reported"]
    sold = sold.with_row_index("slice")
    years = stated.select("account", year=pl.col("sold").dt.year()).unique()
    near = sold.with_columns(year=pl.col("sold").dt.year()).join(years, on=["account", "year"], how="semi")
    near, theirs = _comparable(events, near), _comparable_rows(events, stated)
    pairs = paired(theirs, near, within(said))
    cut = pieces_of(pairs.pieces, near, theirs, said)
    others = _worded(sold.join(cut, on="slice", how="anti", maintain_order="left"), pairs)
    put = put_right(as_rows(cut, said), said)
    rows = pl.concat([others.select("slice", *SOLD), put.select("slice", *SOLD)])
    return rows.sort("slice", maintain_order=True), compared(cut, pairs, said), told_of(put)


def _comparable(events: Events, sold: pl.DataFrame) -> pl.DataFrame:
    """Slices with units, held (the term), costs (cents that lowered their proceeds), and whether they are `principal`.

    What is not is units that paid a fee for something else.
    """
    kinds = [kind.name for kind in events.treatment.kinds.values() if kind.sells and "fee" in kind.sells.amount.names]
    costs = cents(pl.col("fee") - events.of_fees("joined_value"))
    about = events.rows.select("out_asset", "fee_asset", costs=pl.when(is_kind(kinds)).then(costs), sale="row")
    given = pl.col("asset") == pl.col("out_asset")
    told = sold.join(about, on="sale", how="left", maintain_order="left").with_columns(
        units=pl.col("quantity").to_physical(), principal=given | pl.col("asset").ne_missing(pl.col("fee_asset")),
        held=pl.coalesce("term", by_dates(events.treatment, pl.col("sold"))),
    )  # fmt: skip
    told = shared(told, ["sale", "asset"], {"costs": weight(told["units"])})
    return told.with_columns(costs=pl.when(given).then("costs").fill_null(0)).sort("slice")


def _comparable_rows(events: Events, stated: pl.DataFrame) -> pl.DataFrame:
    """A statement's rows with units, and the loss of a wash sale told apart from other adjustments."""
    wash_sale = events.treatment.said["reported"]["wash_sale"]
    return stated.select(
        "account", "sold", "asset", "proceeds", "basis", "acquired", "acquired_text", "term", "held", "wash", "net",
        "discount", "no_loss", "ordinary", "qof", row="sale",
        units=pl.col("quantity").to_physical().fill_null(0), words="form_1099",
        adjustment=pl.col("adjustment") - pl.col("wash"), codes=pl.col("codes").str.replace_all(wash_sale, ""),
    )  # fmt: skip


def _worded(rows: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    """Sales whose quantity is another on the statement are still reported as that says."""
    agreed = pl.when(pl.col("words").n_unique() == 1).then(pl.col("words").first())
    words = pairs.rows.group_by(KEYS).agg(agreed.alias("words"))
    told = rows.join(words, on=KEYS, how="left", maintain_order="left")
    return told.with_columns(form_1099=pl.coalesce("words", "form_1099")).drop("words")


def _without_proceeds(events: Events, rows: pl.DataFrame) -> Iterator[Problem]:
    for row, asset in rows.filter(pl.col("proceeds").is_null()).select("sale", "asset").iter_rows():
        yield Problem(events.place(row), f"this sale of {asset} has no proceeds; unknown is not zero, so give them")
