"""What is substantially identical to what: for wash sales, §1091, and for short sales against what is held, §1233."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from lotlaw.lots.book import NOWHERE, Wash
from lotlaw.lots.events import Events, is_kind, owner
from lotlaw.lots.queues import Plan
from lotlaw.lots.treatment import SAME
from lotlaw.lots.washing import ROOM, ROOM_OF_MANY

CALL = "call"
Alike = Iterable[Iterable[str]]
"""Assets that are substantially identical, by the taxpayer's own judgement."""


def wash_of(events: Events, plan: Plan, watched: set[str], untaxed: set[str], identical: Alike) -> Wash:
    """The windows, and by queue what belongs together. `watched`: assets whose losses are looked at.

    `untaxed`: accounts whose sales are not taxed.
    """
    said = events.treatment.said["wash_sales"]
    groups = groups_of(watched, [*identical, *renamed(events)])
    calls = _calls(events) if said["calls"] else {}
    height = len(plan.pools)
    loss, units, forfeits = [NOWHERE] * height, [1] * height, [False] * height
    bought: list[tuple[int, ...]] = [()] * height
    opposite = [False] * height
    places = plan.places.select("place", "asset", "account", "short").iter_rows()
    for place, asset, account, short in places:
        if asset not in watched:
            continue
        underlying, units[place] = calls.get(asset, ("", 1))
        same = [groups[name] for name in (asset, *([] if short else [underlying])) if name in groups]
        bought[place] = tuple(2 * group + short for group in same)
        loss[place] = NOWHERE if account in untaxed else bought[place][0]
        opposite[place], forfeits[place] = short, account in untaxed
    for place, pool in enumerate(pools_of(plan)):
        loss[pool], bought[pool], units[pool] = loss[place], bought[place], units[place]
    room = ROOM_OF_MANY if any(map(owner, plan.places["account"].head(1))) else ROOM
    return Wash(said["days_before"], said["days_after"], loss, bought, units, forfeits, opposite, room)


def pools_of(plan: Plan) -> list[int]:
    """By place, the queue that its sales may take from: of untracked pools, none of a place's own moves says so."""
    used = plan.steps.select("place", "queue").unique().filter(pl.col("queue") >= plan.places.height)
    pools = list(range(plan.places.height))
    for place, queue in used.iter_rows():
        pools[place] = queue
    return pools


def groups_of(assets: set[str], identical: Alike) -> dict[str, int]:
    """What is substantially identical shares a number: an asset with itself, and what the taxpayer says."""
    leader = {asset: asset for asset in assets}
    led = {asset: [asset] for asset in assets}
    for names in identical:
        leaders = {leader[name] for name in names if name in leader}
        for other in leaders - {min(leaders, default="")}:
            led[min(leaders)] += led[other]
            leader |= dict.fromkeys(led.pop(other), min(leaders))
    numbers = {name: n for n, name in enumerate(sorted(set(leader.values())))}
    return {asset: numbers[of] for asset, of in leader.items()}


def renamed(events: Events) -> Iterator[tuple[str, str]]:
    """The two names of what goes on under another: of the whole ledger, since what it is called does not change it."""
    rows = events.ledger.rows
    if "out_asset" in rows.columns and "in_asset" in rows.columns:
        same = is_kind(events.treatment.said["wash_sales"][SAME])
        yield from rows.filter(same).select("out_asset", "in_asset").unique(maintain_order=True).iter_rows()


def _calls(events: Events) -> dict[str, tuple[str, int]]:
    """By option to buy, what it is on and how many units of that."""
    calls = events.ledger.options.filter(pl.col("right") == CALL).select("asset", "underlying", "multiplier")
    return {asset: (underlying, int(multiplier)) for asset, underlying, multiplier in calls.iter_rows()}
