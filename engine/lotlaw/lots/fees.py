"""What becomes of fees that are paid in units of an asset: coins withheld, network fees, fees in an exchange's own token.

Which asset it is decides (`fees` in `dispositions.yaml`): units of the asset given up are sold with the rest, units of the asset received
leave at fair value, anything else is a sale of its own. A fee that stands on a row of its own belongs to the one event of its group.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lotlaw.lots.events import FEES, WHOLE, Events, dollars, place
from lotlaw.source import Problem, Problems
from lotlaw.lots.treatment import Treatment

JOIN, LEAVE, NEVER, SOLD = "join_the_sale", "leave_at_value", "never_received", "sold"


def with_fees(events: Events, money: frozenset[str]) -> Events:
    """Work out the fees: `fee` of every row, and what fees paid in units do. Raises Problems."""
    rows = events.rows
    in_units = pl.col("fee_asset").is_not_null() & ~pl.col("fee_asset").is_in(sorted(money))
    bare = _bare(events.treatment)
    grouped = pl.col("kind").is_in(bare) & pl.col("group_id").is_not_null()
    legs = rows.filter((in_units & (pl.col("fee_qty") > 0)) | (grouped & pl.col("fee").is_not_null()))
    foreign = rows.filter(pl.col("fee").is_null() & (pl.col("fee_qty") > 0) & ~in_units & pl.col("fee_asset").is_not_null())
    problems = [_no_value(events, row, asset) for row, asset in foreign.select("row", "fee_asset").iter_rows()]
    if legs.is_empty() and not problems:
        return Events(events.ledger, events.treatment, rows.with_columns(pl.col("fee").fill_null(0)), FEES, FEES)
    hosts, doubtful = _hosts(events, legs, bare)
    worked = _worked(events, legs.join(hosts, on="row").with_columns(in_units.alias("in_units")))
    problems += doubtful + list(_unvalued(events, worked))
    if problems:
        raise Problems(sorted(problems, key=lambda p: (p.place.file, p.place.line)))
    return _applied(events, worked, in_units)


def _bare(treatment: Treatment) -> list[str]:
    """The kinds that do nothing themselves: a fee on a row of its own is one."""
    kinds = treatment.kinds.values()
    return [kind.name for kind in kinds if not (kind.sells or kind.opens or kind.moves or kind.row)]


def _hosts(events: Events, legs: pl.DataFrame, bare: list[str]) -> tuple[pl.DataFrame, list[Problem]]:
    """For each row with a fee, the row it is a cost of: itself, or the one event of its group."""
    own = legs.select("row", host="row")
    alone = legs.filter(pl.col("kind").is_in(bare) & pl.col("group_id").is_not_null())
    if alone.is_empty():
        return own, []
    bearing = [k.name for k in events.treatment.kinds.values() if k.bears_fees or k.moves]
    owners = events.rows.filter(pl.col("kind").is_in(bearing) & pl.col("group_id").is_not_null())
    groups = owners.group_by("group_id").agg(pl.col("row").min().alias("host"), pl.len().alias("n"))
    found = alone.select("row", "group_id").join(groups, on="group_id", how="inner")
    doubtful = [
        Problem(events.place(row), f"this fee may belong to {n} events of its group {group}; put each in a group with its own fees")
        for row, group, n in found.filter(pl.col("n") > 1).select("row", "group_id", "n").sort("row").iter_rows()
    ]
    belongs = found.select("row", pl.col("host").alias("event"))
    hosts = own.join(belongs, on="row", how="left").select("row", pl.coalesce("event", "host").alias("host"))
    return hosts, doubtful


def _worked(events: Events, legs: pl.DataFrame) -> pl.DataFrame:
    """Each fee with what becomes of it: row, host, asset, account, units, worth (null: unknown), does, after."""
    about = events.rows.select(
        host="row", host_kind="kind", gives="out_asset", gets="in_asset", host_value="value",
        given="out_qty", gotten="in_qty",
    )  # fmt: skip
    legs = legs.join(about, on="host", how="left", maintain_order="left")
    priced = (
        pl.when(pl.col("fee_asset") == pl.col("gives")).then(_price("given"))
        .when(pl.col("fee_asset") == pl.col("gets")).then(_price("gotten"))
    )  # fmt: skip
    return legs.select(
        "row", "host", "account", "in_units", asset="fee_asset", units=pl.col("fee_qty").to_physical(), worth=pl.coalesce("fee", priced),
        does=pl.when("in_units").then(_does(events.treatment)),
        after=pl.col("host_kind").is_in([k.name for k in events.treatment.kinds.values() if k.moves == "receives"]),
    )  # fmt: skip


def _price(leg: str) -> pl.Expr:
    """A fee's part of the value of a leg of the same asset."""
    return (dollars("host_value") * (pl.col("fee_qty") / pl.col(leg))).to_physical()


def _does(treatment: Treatment) -> pl.Expr:
    kinds = treatment.kinds.values()
    of = {name: [k.name for k in kinds if getattr(k, name)] for name in ("sells", "opens", "moves", "income")}
    kind, asset = pl.col("host_kind"), pl.col("fee_asset")
    return (
        pl.when(kind.is_in(of["moves"])).then(pl.lit(treatment.fee("of_a_transfer")))
        .when(kind.is_in(of["income"]) & (asset == pl.col("gets"))).then(pl.lit(treatment.fee("of_income")))
        .when(kind.is_in(of["sells"]) & (asset == pl.col("gives"))).then(pl.lit(treatment.fee("asset_given_up")))
        .when(kind.is_in(of["opens"]) & (asset == pl.col("gets"))).then(pl.lit(treatment.fee("asset_received")))
        .otherwise(pl.lit(treatment.fee("other_asset")))
    )  # fmt: skip


def _unvalued(events: Events, worked: pl.DataFrame) -> Iterator[Problem]:
    """Fees whose value is needed and not known."""
    missing = worked.filter(pl.col("worth").is_null() & (pl.col("does") != JOIN))
    for row, asset in missing.select("row", "asset").iter_rows():
        yield _no_value(events, row, asset)


def _no_value(events: Events, row: int, asset: str) -> Problem:
    units = events.ledger.rows["fee_qty"][row].normalize()
    said = f"the fee of {units:f} {asset} has no dollar value; give it in fee_usd (units given as a fee are sold at fair value)"
    return Problem(place(events.ledger, row), said)


def _applied(events: Events, worked: pl.DataFrame, in_units: pl.Expr) -> Events:
    """The fees put where they belong: on their events, and among what is sold or leaves at fair value."""
    worked = worked.with_columns(pl.col("worth").fill_null(0))
    joins, leaves = pl.col("does") == JOIN, pl.col("does").is_in([LEAVE, NEVER])
    costs = (~pl.col("does").is_in([NEVER])).fill_null(value=True)
    on_events = worked.group_by("host").agg(
        pl.col("worth").filter(costs).sum().alias("more"),
        pl.col("units").filter(joins).sum().alias("joined"),
        pl.col("worth").filter(joins).sum().alias("joined_value"),
        pl.col("units").filter(leaves).sum().alias("withheld"),
        pl.col("worth").filter(leaves).sum().alias("withheld_value"),
    )
    moved = pl.col("row").is_in(worked["row"].implode())
    own = pl.when(in_units | moved).then(0).otherwise(pl.col("fee").fill_null(0)).cast(WHOLE)
    extra = ("more", "joined", "joined_value", "withheld", "withheld_value")
    rows = (
        events.rows.with_columns(own.alias("fee"))
        .join(on_events, left_on="row", right_on="host", how="left", maintain_order="left")
        .with_columns(pl.col(extra).fill_null(0))
        .with_columns(pl.col("fee") + pl.col("more"))
    )
    legs = worked.rename({"worth": "value"}).select("does", *FEES.columns, host="host")
    fees = legs.filter(pl.col("does") == SOLD).select(FEES.columns)
    at_value = legs.filter(pl.col("does") == LEAVE).with_columns(row="host").select(FEES.columns)
    return Events(events.ledger, events.treatment, rows, fees, at_value)
