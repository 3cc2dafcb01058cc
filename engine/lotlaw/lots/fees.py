"""What becomes of fees that are paid in units: coins withheld, network fees, fees in an exchange's own token.

Which asset it is decides (`fees` in `dispositions.yaml`): units of the asset given up are sold with the rest, units of
the asset received leave at fair value, any other asset is a sale of its own. A fee that stands on a row of its own
belongs to the one event of its group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from lotlaw.lots.events import FEES, WHOLE, Events, cast, decimal, is_kind
from lotlaw.lots.treatment import Treatment
from lotlaw.source import Problem

JOIN, LEAVE, NEVER, SOLD = "join_the_sale", "leave_at_value", "never_received", "sold"


def with_fees(events: Events, money: frozenset[str]) -> tuple[Events, list[Problem]]:
    """Work out the fees: `fee` of every row, what fees paid in units do, and those that cannot be told."""
    rows = events.rows
    in_units = pl.col("fee_asset").is_not_null() & ~pl.col("fee_asset").is_in(sorted(money))
    grouped = is_kind(_bare(events.treatment)) & pl.col("group_id").is_not_null()
    legs = rows.filter((in_units & (pl.col("fee_qty") > 0)) | (grouped & pl.col("fee").is_not_null()))
    unpriced = rows.filter(pl.col("fee").is_null() & (pl.col("fee_qty") > 0) & ~in_units)
    problems = [*_no_value(events, unpriced["row"])]
    if legs.is_empty() and not problems:
        return replace(events, rows=rows.with_columns(pl.col("fee").fill_null(0))), []
    hosts, doubtful = _hosts(events, legs)
    worked = _worked(events, legs.join(hosts, on="row").with_columns(in_units.alias("in_units")))
    # A fee in units of one of the legs is worth its part of them; if that is not known, the row itself is refused.
    unvalued = worked.filter(pl.col("worth").is_null() & (pl.col("does") == SOLD))
    return _applied(events, worked, in_units), [*problems, *doubtful, *_no_value(events, unvalued["row"])]


def _bare(treatment: Treatment) -> list[str]:
    """The kinds that do nothing to lots: a fee on a row of its own is one."""
    return treatment.that(sells=None, opens=None, moves="", row="")


def _hosts(events: Events, legs: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem]]:
    """For each row with a fee, the row it is a cost of: itself, or the one event of its group."""
    own = legs.select("row", host="row")
    alone = legs.filter(is_kind(_bare(events.treatment)) & pl.col("group_id").is_not_null()).select("row", "group_id")
    if alone.is_empty():
        return own, []
    bearing = is_kind(events.treatment.that(bears_fees=True)) & pl.col("group_id").is_not_null()
    groups = events.rows.filter(bearing).group_by("group_id").agg(pl.col("row").min().alias("event"), n=pl.len())
    found = alone.join(groups, on="group_id").sort("row")
    doubtful = [
        Problem(
            events.place(row), f"this fee may belong to any of {n} events of its group '{group}'; give each its own"
        )
        for row, group, n in found.filter(pl.col("n") > 1).select("row", "group_id", "n").iter_rows()
    ]
    hosts = own.join(found.select("row", "event"), on="row", how="left")
    return hosts.select("row", pl.coalesce("event", "host").alias("host")), doubtful


def _worked(events: Events, legs: pl.DataFrame) -> pl.DataFrame:
    """Each fee with what becomes of it: row, host, asset, account, units, worth (null: unknown), does, after."""
    about = events.rows.select(
        host="row", host_kind="kind", gives="out_asset", gets="in_asset", host_value="value", given="out_qty",
        gotten="in_qty",
    )  # fmt: skip
    asset = pl.col("fee_asset")
    by_leg = pl.when(asset == pl.col("gives")).then(_part("given")).when(asset == pl.col("gets")).then(_part("gotten"))
    return legs.join(about, on="host", how="left", maintain_order="left").select(
        "row", "host", "account", asset=asset, units=pl.col("fee_qty").to_physical(), worth=pl.coalesce("fee", by_leg),
        does=pl.when("in_units").then(_does(events.treatment)),
        after=pl.col("host_kind").is_in(events.treatment.that(moves="receives")),
    )  # fmt: skip


def _part(leg: str) -> pl.Expr:
    """A fee's part of the value of a leg of the same asset."""
    return (decimal("host_value") * (pl.col("fee_qty") / pl.col(leg))).to_physical()


def _does(treatment: Treatment) -> pl.Expr:
    kinds = treatment.kinds.values()
    of = {does: [k.name for k in kinds if getattr(k, does)] for does in ("sells", "opens", "moves", "income")}
    kind, asset = pl.col("host_kind"), pl.col("fee_asset")
    return (
        pl.when(kind.is_in(of["moves"])).then(pl.lit(treatment.fee("of_a_transfer")))
        .when(kind.is_in(of["income"]) & (asset == pl.col("gets"))).then(pl.lit(treatment.fee("of_income")))
        .when(kind.is_in(of["sells"]) & (asset == pl.col("gives"))).then(pl.lit(treatment.fee("asset_given_up")))
        .when(kind.is_in(of["opens"]) & (asset == pl.col("gets"))).then(pl.lit(treatment.fee("asset_received")))
        .otherwise(pl.lit(treatment.fee("other_asset")))
    )  # fmt: skip


def _no_value(events: Events, rows: Sequence[int] | pl.Series) -> Iterator[Problem]:
    for row in rows:
        quantity, asset = events.ledger.rows.select("fee_qty", "fee_asset").row(row)
        said = f"the fee of {quantity.normalize():f} {asset} has no dollar value; give its fair value in fee_usd"
        yield Problem(events.place(row), said)


def _applied(events: Events, worked: pl.DataFrame, in_units: pl.Expr) -> Events:
    """The fees put where they belong: on their events, and among what is sold or leaves at fair value."""
    worked = worked.with_columns(pl.col("worth").fill_null(0))
    joins, leaves = pl.col("does") == JOIN, pl.col("does").is_in([LEAVE, NEVER])
    costs = pl.col("does").is_null() | (pl.col("does") != NEVER)
    of_event = worked.group_by("host").agg(
        pl.col("worth").filter(costs).sum().alias("more"),
        pl.col("units").filter(joins).sum().alias("joined"),
        pl.col("worth").filter(joins).sum().alias("joined_value"),
        pl.col("units").filter(leaves).sum().alias("withheld"),
        pl.col("worth").filter(leaves).sum().alias("withheld_value"),
    )
    elsewhere = in_units | pl.col("row").is_in(worked["row"].implode())
    own = pl.when(elsewhere).then(0).otherwise(pl.col("fee").fill_null(0)).cast(WHOLE)
    rows = (
        events.rows.with_columns(own.alias("fee"))
        .join(of_event, left_on="row", right_on="host", how="left", maintain_order="left")
        .with_columns(pl.col("more", "joined", "joined_value", "withheld", "withheld_value").fill_null(0))
        .with_columns(pl.col("fee") + pl.col("more"))
    )
    legs = worked.with_columns(value="worth")
    sold = legs.filter(pl.col("does") == SOLD)
    at_value = legs.filter(pl.col("does") == LEAVE).with_columns(row="host")
    return replace(events, rows=rows, fees=cast(sold, FEES), at_value=cast(at_value, FEES))
