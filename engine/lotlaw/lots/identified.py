"""Sales that name their lots: whether `identified_at` is in time, and a broker who holds the lots has been told.

A sale that names lots without saying when counts as identified in time: that is the taxpayer's word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from lotlaw.importers.clock import clock, when
from lotlaw.lots.events import Events, Schema, cast, class_of
from lotlaw.lots.methods import by_settlement, identified, untold
from lotlaw.source import Problem

INSTANT = pl.Datetime("us", "UTC")
AFTER: Schema = {"row": pl.UInt32, "on": pl.Date}


def late_or_untold(events: Events, taxpayer: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the identifications of the ledger's sales, each at its row."""
    if not {"lot", "identified_at"} & set(events.ledger.rows.columns):
        return
    rows = _identifications(events, taxpayer["timezone"])
    for row, said in rows.filter(pl.col("lot").is_null()).select("row", "identified_at").iter_rows():
        yield Problem(events.place(row), f"identified_at {said}, and no lot is named; name it in the column lot")
    rows = rows.filter(pl.col("lot").is_not_null() & pl.col("asset_class").is_in(list(events.treatment.classes)))
    for row, said in rows.filter(pl.col("on").is_null() & _given()).select("row", "identified_at").iter_rows():
        what = "is not a date; write it like 2025-03-31, or like 2025-03-31T14:05:00Z"
        yield Problem(events.place(row), f"identified_at '{said}' {what}")
    yield from _late(events, rows)
    yield from _untold(events, rows.filter(untold(events.treatment, taxpayer)))


def identified_later(events: Events, taxpayer: Mapping[str, Any]) -> pl.DataFrame:
    """The rows that name lots identified after the day of the sale, and in time until it settled: row, on (the day)."""
    if "identified_at" not in events.ledger.rows.columns or "settle_date" not in events.ledger.rows.columns:
        return pl.DataFrame(schema=AFTER)
    rows = _identifications(events, taxpayer["timezone"])
    waits = pl.col("asset_class").is_in(by_settlement(events.treatment))
    between = (pl.col("on") > pl.col("date")) & (pl.col("on") <= pl.col("settle_date"))
    return cast(rows.filter(pl.col("lot").is_not_null() & waits & between), AFTER)


def _given() -> pl.Expr:
    return pl.col("identified_at").is_not_null()


def _identifications(events: Events, zone: str) -> pl.DataFrame:
    """The rows that name lots or say when: with class, and the day `on` and instant `at` of the identification."""
    rows = events.rows.filter(pl.col("lot").is_not_null() | _given())
    day, instant = when(rows["identified_at"], clock(("iso",), None, zone))
    at = pl.Series([None], dtype=INSTANT).new_from_index(0, rows.height) if instant is None else instant
    rows = rows.with_columns(class_of(events.ledger, "out_asset").alias("asset_class"), on=day, at=at)
    return rows.with_columns(asset="out_asset", told="told_broker")


def _late(events: Events, rows: pl.DataFrame) -> Iterator[Problem]:
    """Identifications after the sale or, where the law waits for it, after settlement."""
    law = events.treatment
    waits = pl.col("asset_class").is_in(by_settlement(law))
    last = pl.when(waits).then(pl.coalesce("settle_date", "date")).otherwise("date")
    later = (pl.col("on") > last) | (~waits & (pl.col("at") > pl.col("timestamp")))
    late = rows.filter(later).select("row", "asset", "asset_class", "identified_at", "date", "timestamp", "settle_date")
    for row, asset, asset_class, said, day, instant, settled in late.iter_rows():
        cite = identified(law, asset_class)["cite"]["at"]
        if asset_class not in by_settlement(law):
            sold = f"sold on {day}" if instant is None else f"sold at {instant:%Y-%m-%dT%H:%M:%SZ}"
            what = f"{sold}; lots of {asset} are identified no later than the date and time of the sale"
        elif settled is None:
            what = f"sold on {day}; lots of {asset} are identified until the sale settles: give its settle_date"
        else:
            what = f"settled on {settled}; lots of {asset} are identified until the sale settles"
        yield Problem(events.place(row), f"identified_at {said} is late: {what} ({cite})")


def _untold(events: Events, rows: pl.DataFrame) -> Iterator[Problem]:
    for row, asset, asset_class, account in rows.select("row", "asset", "asset_class", "account").iter_rows():
        cite = identified(events.treatment, asset_class)["told_broker"]["cite"]["at"]
        what = f"lots of {asset} that a broker holds are identified to the broker ({cite})"
        how = f"write told_broker yes if it was told in time, or custody: self for {account} in the taxpayer file"
        yield Problem(events.place(row), f"{what}; {how}")
