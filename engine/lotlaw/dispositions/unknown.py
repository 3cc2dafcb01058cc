"""Lots and sales whose basis or date acquired nobody gives: refused, unless their basis is to count as nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from lotlaw.lots.events import Events, acquired_day, is_kind, said_dollars
from lotlaw.lots.moves import alike
from lotlaw.source import Problem

OPTION = "--allow-unknown-basis"
GIVEN_BASIS = {"basis", "donor_basis", "fair_value"}
"""What formulas of kinds read that nothing but the row can say."""


def unknown_lots(events: Events) -> pl.DataFrame:
    """Rows that open lots without a basis, or without a date acquired or a word for one: row, costless, undated."""
    words = events.treatment.said["term"]["always_long"]
    no_date = acquired_day().is_null() & ~pl.col("acquired_date").is_in(words).fill_null(value=False)
    found = [pl.DataFrame(schema={"row": pl.UInt32, "costless": pl.Boolean, "undated": pl.Boolean})]
    for leg, kinds in alike(events, "opens"):
        given = [said_dollars(events.rows, name).is_null() for name in sorted(leg.amount.names & GIVEN_BASIS)]
        if given:
            costless = pl.col("basis").is_null() & pl.any_horizontal(given)
            undated = no_date if leg.must_give else pl.lit(value=False)
            opened = events.rows.filter(is_kind(kinds) & pl.col("in_units").is_not_null())
            found.append(opened.select("row", costless=costless, undated=undated))
    return pl.concat(found).filter(pl.col("costless") | pl.col("undated"))


def without_basis(events: Events, sold: pl.DataFrame) -> Iterator[Problem]:
    """Rows that have to say what a lot cost and do not, nor did a statement when it was sold.

    What a transfer's lots cost only matters once they are sold (`refusals`).
    """
    kinds = [name for name, kind in events.treatment.kinds.items() if kind.opens and not kind.moves]
    costless = unknown_lots(events).filter("costless").select("row")
    lacking = costless.join(sold.drop_nulls("basis"), left_on="row", right_on="lot", how="anti")["row"]
    rows = events.rows.filter(is_kind(kinds) & pl.col("row").is_in(lacking.implode()))
    for row, kind, asset in rows.select("row", "kind", "in_asset").iter_rows():
        said = f"{kind} of {asset} has no basis; unknown is not zero, so give it"
        yield Problem(events.place(row), f"{said}, or count it as zero with {OPTION}")


def with_unknown(events: Events, sold: pl.DataFrame) -> pl.DataFrame:
    """What was sold, without a basis where none is known; `undated`: its date acquired is the day the lot arrived."""
    lots = unknown_lots(events)
    if lots.is_empty():
        return sold.with_columns(undated=pl.lit(value=False))
    told = sold.join(lots, left_on="lot", right_on="row", how="left", maintain_order="left")
    told = told.with_columns(
        pl.col("undated").fill_null(value=False),
        basis=pl.when(~pl.col("costless").fill_null(value=False)).then("basis"),
    )
    return told.drop("costless")


def settled(rows: pl.DataFrame) -> pl.DataFrame:
    """Every basis that is unknown as nothing, and lots of an unknown date as acquired on the day they arrived."""
    if not (rows["basis"].null_count() or rows["undated"].any()):
        return rows
    return rows.with_columns(
        pl.col("basis").fill_null(0), acquired_text=pl.when(~pl.col("undated")).then("acquired_text")
    )


def _unknown(rows: pl.DataFrame) -> pl.DataFrame:
    lacking = rows.filter(pl.col("basis").is_null() | pl.col("undated"))
    return lacking.unique(["sale", "lot"], keep="first", maintain_order=True).sort("sale", "lot", maintain_order=True)


def refusals(events: Events, rows: pl.DataFrame) -> Iterator[Problem]:
    """The sales of what is unknown, as problems."""
    for said in _unknown(rows).iter_rows(named=True):
        place, option = events.place(said["sale"]), f"or count it as zero with {OPTION}"
        if said["lot"] is None:
            how = f"unknown is not zero, so give it, {option}"
            yield Problem(place, f"this sale of {said['asset']} has no basis; {how}")
            continue
        how = f"give acquired and basis there, or the file of the account they came from, {option}"
        yield Problem(place, f"{_came(events, said)}, and {_lacks(said)} unknown; {how}")


def cautions(events: Events, rows: pl.DataFrame) -> Iterator[str]:
    """The same sales as warnings, and what they count for."""
    for said in _unknown(rows).iter_rows(named=True):
        place = events.place(said["sale"])
        if said["lot"] is None:
            yield f"{place}: this sale of {said['asset']} has no basis, which counts as zero"
            continue
        counts = ["the basis counts as zero"] * (said["basis"] is None)
        counts += [f"they count as acquired when they arrived, on {said['acquired']}"] * said["undated"]
        yield f"{place}: {_came(events, said)}, and {_lacks(said)} unknown: {', and '.join(counts)}"


def _came(events: Events, said: Mapping[str, Any]) -> str:
    return f"{said['quantity'].normalize():f} {said['asset']} of this sale came with {events.place(said['lot'])}"


def _lacks(said: Mapping[str, Any]) -> str:
    if said["basis"] is None and said["undated"]:
        return "their basis and date acquired are"
    return "their basis is" if said["basis"] is None else "their date acquired is"
