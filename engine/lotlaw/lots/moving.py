"""Transfers between own accounts: what is sent and received where, what is lost on the way, what nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from lotlaw.lots.events import FEES, WHOLE, Events, Schema, cast, decimal, is_kind, said_amount
from lotlaw.lots.transfers import Pairs, pair
from lotlaw.source import Problem

ENDS: Schema = {"row": pl.UInt32, "bag": pl.UInt32, "asset": pl.String, "account": pl.String, "units": WHOLE}
TRAVELS: Schema = {
    "out_row": pl.UInt32, "in_row": pl.UInt32, "asset": pl.String, "account": pl.String, "to_account": pl.String,
    "units": WHOLE, "arrived": WHOLE, "value": WHOLE,
}  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """What moves between accounts.

    `sent` and `received` have ENDS: the row at which it happens, the bag (the row that sent it), asset, account, units.
    `lost` has FEES: units that did not arrive. `alone` has the events received that nothing sent fits.
    """

    sent: pl.DataFrame
    received: pl.DataFrame
    lost: pl.DataFrame
    alone: pl.DataFrame
    warnings: list[str]
    problems: list[Problem]


def moved(events: Events) -> Moved:
    """The transfers among the events, paired."""
    rows, that = events.rows, events.treatment.that
    sent, received = (_ends(rows.filter(is_kind(that(moves=leg))), side) for leg, side in _LEGS)
    both = rows.filter(is_kind(that(moves="sends_and_receives")) & pl.col("out_units").is_not_null())
    pairs = pair(sent, received, events.treatment.said["transfers"])
    travels = pl.concat([_paired(sent, received, pairs), _said(sent, pairs), _both(both)]).sort("out_row")
    lost = travels.filter(pl.col("units") > pl.col("arrived")).with_columns(gone=pl.col("units") - pl.col("arrived"))
    gone = sent.filter(pl.col("row").is_in(pairs.sent_alone) & pl.col("to_account").is_null())
    come = received.filter(pl.col("row").is_in(pairs.received_alone))
    return Moved(
        sent=pl.concat([_leaving(travels), cast(gone.with_columns(bag="row", units="whole"), ENDS)]),
        received=cast(
            travels.select("asset", row="in_row", bag="out_row", account="to_account", units="arrived"), ENDS
        ),
        lost=_lost(lost),
        alone=rows.filter(pl.col("row").is_in(pairs.received_alone)),
        warnings=[*_unanswered(events, gone, come), *_doubtful(events, pairs)],
        problems=[*_impossible(events, pairs), *_unvalued(events, lost)],
    )


_LEGS = (("sends", "out"), ("receives", "in"))


def _ends(rows: pl.DataFrame, leg: str) -> pl.DataFrame:
    return rows.filter(pl.col(f"{leg}_units").is_not_null()).select(
        "row", "account", "to_account", "date", "timestamp", "tx_hash", "group_id", "value", asset=f"{leg}_asset",
        units=f"{leg}_qty", whole=f"{leg}_units",
    )  # fmt: skip


def _paired(sent: pl.DataFrame, received: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    both = {"out_row": list(pairs.received), "in_row": list(pairs.received.values())}
    known = pl.DataFrame(both, schema={"out_row": pl.UInt32, "in_row": pl.UInt32})
    came = received.select("row", to_account="account", arrived="whole")
    went = sent.select("row", "asset", "account", "value", units="whole")
    ends = known.join(went, left_on="out_row", right_on="row").join(came, left_on="in_row", right_on="row")
    return cast(ends, TRAVELS)


def _said(sent: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    """Rows sent that say themselves where to, and that no row received answers."""
    known = sent.filter(pl.col("row").is_in(pairs.sent_alone) & pl.col("to_account").is_not_null())
    return cast(known.with_columns(out_row="row", in_row="row", units="whole", arrived="whole"), TRAVELS)


def _both(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that send and receive at once."""
    arrived = pl.min_horizontal("out_units", pl.coalesce("in_units", "out_units"))
    named = rows.with_columns(asset="out_asset", out_row="row", in_row="row", units="out_units", arrived=arrived)
    return cast(named, TRAVELS)


def _leaving(travels: pl.DataFrame) -> pl.DataFrame:
    """What is sent; if it arrives a moment before, because two clocks differ, it is sent when it arrives."""
    row = pl.min_horizontal("out_row", "in_row")
    return cast(travels.select("asset", "account", row=row, bag="out_row", units="arrived"), ENDS)


def _lost(lost: pl.DataFrame) -> pl.DataFrame:
    """What did not arrive is a fee, at its part of the value sent."""
    value = (decimal("value") * (decimal("gone") / decimal("units"))).to_physical()
    fee = lost.select("asset", "account", row="out_row", units="gone", value=value, after=pl.lit(value=False))
    return cast(fee, FEES)


def _impossible(events: Events, pairs: Pairs) -> Iterator[Problem]:
    for received, sent, said in pairs.impossible:
        what = (
            f"this transfer {said} ({events.place(sent)}); mend the time, the quantity, or the hash or group they share"
        )
        yield Problem(events.place(received), what)


def _unvalued(events: Events, lost: pl.DataFrame) -> Iterator[Problem]:
    lacking = lost.filter(pl.col("value").is_null()).with_columns(said_amount("gone"))
    for row, asset, gone in lacking.select("out_row", "asset", "gone").iter_rows():
        said = f"{gone} {asset} of this transfer did not arrive, a fee that is sold at fair value"
        what = "give the dollar value of what was sent in usd_value, or the fee in fee_asset, fee_qty and fee_usd"
        yield Problem(events.place(row), f"{said}; {what}")


def _unanswered(events: Events, gone: pl.DataFrame, come: pl.DataFrame) -> Iterator[str]:
    for place, units, account in _grouped(events, gone):
        yield (
            f"{place}: {units} left {account} and arrived nowhere in these files; their lots are set aside. "
            "Give to_account or the other account's file; if it was a sale, a payment or a gift, enter it as one"
        )
    for place, units, account in _grouped(events, come):
        yield (
            f"{place}: {units} came to {account} from nowhere in these files; their basis is unknown unless the row "
            "gives it. Give the other account's file, or enter them as what they were"
        )


def _grouped(events: Events, rows: pl.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Unanswered rows by asset and account, each told once, at the first of them."""
    groups = rows.group_by("asset", "account").agg(pl.col("row").min(), pl.len().alias("n"), pl.col("units").sum())
    for asset, account, row, n, units in groups.sort("row").iter_rows():
        many = "" if n == 1 else f", in {n} transfers from here on,"
        yield str(events.place(row)), f"{units.normalize():f} {asset}", f"{account}{many}"


def _doubtful(events: Events, pairs: Pairs) -> Iterator[str]:
    for received, sent, rival in pairs.doubtful:
        yield f"{events.place(received)}: taken as sent by {events.place(sent)}; {events.place(rival)} fits as well"
