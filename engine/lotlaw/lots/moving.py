"""Transfers between own accounts: what is sent and received where, what is lost on the way, and what nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from lotlaw.lots.events import FEES, WHOLE, Events, dollars
from lotlaw.source import Problem
from lotlaw.lots.transfers import Pairs, pair

ENDS = {"row": pl.UInt32, "bag": pl.UInt32, "asset": pl.String, "account": pl.String, "units": WHOLE}


@dataclass(frozen=True)
class Moved:
    """`sent` and `received`: row at which it happens, bag (the row sent), asset, account, units. `lost`: units that did not arrive, as
    fees. `alone`: rows received that nothing sent fits. `unknown`: those of them whose basis or date nobody gives.
    """

    sent: pl.DataFrame
    received: pl.DataFrame
    lost: pl.DataFrame
    alone: pl.DataFrame
    warnings: list[str]
    problems: list[Problem]


def moved(events: Events) -> Moved:
    """The transfers among the events, paired."""
    rows = events.rows
    kinds = {word: [k.name for k in events.treatment.kinds.values() if k.moves == word] for word in _WORDS}
    sent = _ends(rows.filter(pl.col("kind").is_in(kinds["sends"])), "out")
    received = _ends(rows.filter(pl.col("kind").is_in(kinds["receives"])), "in")
    both = rows.filter(pl.col("kind").is_in(kinds["sends_and_receives"]) & pl.col("out_units").is_not_null())
    pairs = pair(sent, received, events.treatment.said["transfers"])
    travels = pl.concat([_travels(sent, received, pairs), _known(sent, pairs), _both(both)]).sort("out_row")
    alone = rows.filter(pl.col("row").is_in(pairs.received_alone))
    lost = travels.filter(pl.col("units") > pl.col("arrived"))
    return Moved(
        _sent(travels, sent, pairs),
        travels.select(
            row="in_row", bag="out_row", asset="asset", account="to_account", units="arrived"
        ).cast(ENDS),  # type: ignore[arg-type]
        _lost(lost), alone, list(_warnings(events, sent, received, pairs, travels)), list(_problems(events, pairs, lost)),
    )  # fmt: skip


_WORDS = ("sends", "receives", "sends_and_receives")
TRAVELS = {
    "out_row": pl.UInt32, "in_row": pl.UInt32, "asset": pl.String, "account": pl.String, "to_account": pl.String,
    "units": WHOLE, "arrived": WHOLE, "value": WHOLE,
}  # fmt: skip


def _ends(rows: pl.DataFrame, leg: str) -> pl.DataFrame:
    return rows.filter(pl.col(f"{leg}_units").is_not_null()).select(
        "row", "account", "to_account", "date", "timestamp", "tx_hash", "group_id", "value",
        asset=f"{leg}_asset", units=f"{leg}_qty", whole=f"{leg}_units",
    )  # fmt: skip


def _travels(sent: pl.DataFrame, received: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    """Paired rows. What arrives a moment before it is sent, because two clocks differ, is sent when it arrives."""
    both = pl.DataFrame(
        {"out_row": list(pairs.received), "in_row": list(pairs.received.values())},
        schema={"out_row": pl.UInt32, "in_row": pl.UInt32},
    )
    ends = both.join(sent, left_on="out_row", right_on="row").join(
        received.select("row", to="account", arrived="whole"), left_on="in_row", right_on="row"
    )
    return ends.select(
        "out_row", "in_row", "asset", "account", to_account="to", units="whole", arrived="arrived", value="value"
    ).cast(TRAVELS)  # type: ignore[arg-type]


def _known(sent: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    """Rows sent that say themselves where to, and that no row received answers."""
    rows = sent.filter(pl.col("row").is_in(pairs.sent_alone) & pl.col("to_account").is_not_null())
    return rows.select(
        "asset", "account", "to_account", "value", out_row="row", in_row="row", units="whole", arrived="whole"
    ).select(pl.col(name).cast(dtype) for name, dtype in TRAVELS.items())


def _both(rows: pl.DataFrame) -> pl.DataFrame:
    arrived = pl.min_horizontal("out_units", pl.coalesce("in_units", "out_units"))
    return rows.select(
        "account", "to_account", "value", asset="out_asset", out_row="row", in_row="row", units="out_units", arrived=arrived
    ).select(pl.col(name).cast(dtype) for name, dtype in TRAVELS.items())


def _sent(travels: pl.DataFrame, sent: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    travelling = travels.select(
        row=pl.min_horizontal("out_row", "in_row"), bag="out_row", asset="asset", account="account", units="arrived"
    )
    gone = sent.filter(pl.col("row").is_in(pairs.sent_alone) & pl.col("to_account").is_null())
    leaving = gone.select("row", bag="row", asset="asset", account="account", units="whole")
    return pl.concat([part.cast(ENDS) for part in (travelling, leaving)])  # type: ignore[arg-type]


def _lost(lost: pl.DataFrame) -> pl.DataFrame:
    """What did not arrive is a fee, at its part of the value sent."""
    gone = pl.col("units") - pl.col("arrived")
    part = lost.with_columns(gone=gone).select(
        asset="asset", account="account", units="gone", row="out_row",
        value=(dollars("value") * (dollars("gone") / dollars("units"))).to_physical(), after=pl.lit(value=False),
    )  # fmt: skip
    return part.select(pl.col(name).cast(dtype) for name, dtype in FEES.schema.items())


def _problems(events: Events, pairs: Pairs, lost: pl.DataFrame) -> Iterator[Problem]:
    for in_row, out_row, said in pairs.impossible:
        yield Problem(events.place(in_row), f"this transfer {said} ({events.place(out_row)}); mend the time, the quantity or the id")
    missing = lost.filter(pl.col("value").is_null()).with_columns(gone=pl.col("units") - pl.col("arrived"))
    for row, asset, gone in missing.select("out_row", "asset", amount("gone")).iter_rows():
        said = f"{gone} {asset} of this transfer did not arrive: a fee, which is sold at fair value; give the value of"
        yield Problem(events.place(row), f"{said} what was sent in usd_value, or the fee in fee_asset, fee_qty and fee_usd")


def amount(name: str) -> pl.Expr:
    """Whole numbers as text without trailing zeros."""
    return dollars(name).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".").alias(name)


def _warnings(
    events: Events, sent: pl.DataFrame, received: pl.DataFrame, pairs: Pairs, travels: pl.DataFrame
) -> Iterator[str]:
    known = travels["out_row"].implode()
    gone = sent.filter(pl.col("row").is_in(pairs.sent_alone) & ~pl.col("row").is_in(known))
    for place, asset, account, n, units in _grouped(events, gone):
        yield (
            f"{place}: {units} {asset} left {account}{n} and arrived nowhere in these files; their lots are set aside. "
            "Give to_account, or add the other account's file; if it was a sale, a payment or a gift, enter it as one"
        )
    come = received.filter(pl.col("row").is_in(pairs.received_alone))
    for place, asset, account, n, units in _grouped(events, come):
        yield (
            f"{place}: {units} {asset} came to {account}{n} from nowhere in these files; their basis is unknown unless "
            "the row gives it. Add the other account's file, or enter them as what they were"
        )
    for in_row, out_row, rival in pairs.doubtful:
        yield f"{events.place(in_row)}: taken to be sent by {events.place(out_row)}, though {events.place(rival)} fits as well"


def _grouped(events: Events, rows: pl.DataFrame) -> Iterator[tuple[str, str, str, str, str]]:
    groups = rows.group_by("asset", "account").agg(
        pl.col("row").min(), pl.len().alias("n"), pl.col("whole").sum().alias("units")
    )
    for asset, account, row, n, units in groups.sort("row").with_columns(amount("units")).iter_rows():
        yield str(events.place(row)), asset, account, "" if n == 1 else f" in {n} transfers", units

