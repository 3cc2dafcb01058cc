"""Standing orders of the taxpayer file: what each is for, and whether it holds what it claims.

An order that was recorded after a sale it claims is refused, not passed over: what a return says must not depend on an
order that was made up afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.lots.events import Events, cast, own_name
from lotlaw.lots.identified import AFTER
from lotlaw.lots.methods import EVERY, SALE, Said, allowed, by_settlement, identified, known_as, law_of, untold
from lotlaw.source import Document, Place, Problem

NOBODY = -1


@dataclass(frozen=True)
class Standing:
    """A standing order, its method by its proper name, and where it stands in the taxpayer file."""

    method: str
    said: Said
    place: Place

    def named(self, key: str) -> str | None:
        """The asset, account or class that the order is for, None where it is for all."""
        name = self.said.get(key, EVERY)
        return None if name == EVERY else str(name)

    @property
    def rank(self) -> tuple[bool, bool, bool, date, date]:
        """What orders stand in the order of: the narrower, then the later."""
        asset, asset_class, account = (bool(self.named(key)) for key in ("asset", "asset_class", "account"))
        return asset, asset_class, account, self.said["from"], self.said["recorded_on"]

    def holds(self, only: Said | None) -> pl.Expr:
        """Whether the order is for a step, over the columns asset, asset_class, account and date."""
        first, last = self.said["from"], self.said.get("to") or date.max
        names = {key: self.named(key) for key in ("asset", "asset_class", "account")}
        for_it = [own_name(key) == name for key, name in names.items() if name]
        dated = pl.col("date").is_between(first, last)
        return pl.all_horizontal([dated, *for_it, allowed(only, names["asset"])])


def standing(events: Events, taxpayer: Said, document: Document) -> list[Standing]:
    """The standing orders, each before those that it goes before."""
    known = known_as(events.treatment)
    orders = [
        Standing(known[said["method"]], said, document.place("methods", n))
        for n, said in enumerate(taxpayer["methods"])
    ]
    return sorted(orders, key=lambda order: order.rank)[::-1]  # of two that are alike, the later in the file


def problems_of(events: Events, orders: list[Standing], taken: pl.DataFrame, taxpayer: Said) -> list[Problem]:
    """Orders that the law does not know, that came late, or that a broker should have been told of.

    `taken` has a row for each row of the ledger that names no lots and takes some: row, kind, asset, asset_class,
    account, date and settle_date.
    """
    if not orders:
        return []
    claimed = _claimed(orders, law_of(events.treatment), taken)
    return [
        *_of_wrong_class(events, orders),
        *_late(events, orders, claimed),
        *_untold(events, orders, claimed, taxpayer),
    ]


def recorded_later(events: Events, orders: list[Standing], taken: pl.DataFrame) -> pl.DataFrame:
    """Of what is taken by an order, the sales before it was recorded, and settled since: row, on (the day)."""
    if all(order.said["recorded_on"] <= order.said["from"] for order in orders):
        return pl.DataFrame(schema=AFTER)
    between = (pl.col("on") > pl.col("date")) & (pl.col("on") <= pl.col("settle_date"))
    return cast(_claimed(orders, law_of(events.treatment), taken).rename({"recorded": "on"}).filter(between), AFTER)


def by_order(orders: list[Standing], law: Said) -> pl.Expr:
    """The number of the order in force, NOBODY where none is."""
    found = [pl.when(o.holds(law["names"][o.method].get("only"))).then(pl.lit(n)) for n, o in enumerate(orders)]
    return pl.coalesce([*found, pl.lit(NOBODY)]).alias("order")


def _claimed(orders: list[Standing], law: Said, free: pl.DataFrame) -> pl.DataFrame:
    """What lots are taken for by orders that pick them: with the order's number and the day it was recorded."""
    picking = [n for n, order in enumerate(orders) if law["names"][order.method]["identifies"]]
    ahead = [n for n in picking if law["names"][orders[n].method].get("by") == SALE]
    claimed = free.with_columns(by_order(orders, law)).filter(pl.col("order").is_in(picking))
    recorded = {n: orders[n].said["recorded_on"] for n in picking}
    told = {n: orders[n].said.get("told_broker") for n in picking}
    return claimed.with_columns(
        pl.col("order").replace_strict(recorded, default=None, return_dtype=pl.Date).alias("recorded"),
        pl.col("order").replace_strict(told, default=None, return_dtype=pl.Boolean).alias("told"),
        pl.col("order").is_in(ahead).alias("ahead"),
    )


def _late(events: Events, orders: list[Standing], claimed: pl.DataFrame) -> list[Problem]:
    """Orders recorded after a sale that they claim, each with the first of them."""
    law = events.treatment
    waits = pl.col("asset_class").is_in(by_settlement(law)) & ~pl.col("ahead")
    last = pl.when(waits).then(pl.coalesce("settle_date", "date")).otherwise("date")
    late = claimed.with_columns(last=last, waits=waits).filter(pl.col("recorded") > last)
    first = late.sort("row").unique("order", keep="first", maintain_order=True)
    return [_too_late(events, orders[row["order"]], row) for row in first.iter_rows(named=True)]


def _too_late(events: Events, order: Standing, row: Mapping[str, Any]) -> Problem:
    said = identified(events.treatment, row["asset_class"])
    own = law_of(events.treatment)["names"][order.method]
    cite = own["cite"] if row["ahead"] else said["cite"]
    recorded = order.said["recorded_on"]
    until = "until the sale settles" if row["waits"] else "no later than the date and time of the sale"
    what = f"this order was recorded on {recorded}, after the {row['kind']} of {row['asset']} on {row['date']}"
    where = f"({events.place(row['row'])}), and lots of {row['asset']} are identified {until} ({cite['at']})"
    hint = ", or give the row's settle_date if it settled later" if row["waits"] and row["settle_date"] is None else ""
    return Problem(order.place, f"{what} {where}; write from: {recorded}{hint}")


def _untold(events: Events, orders: list[Standing], claimed: pl.DataFrame, taxpayer: Said) -> list[Problem]:
    """Orders that are in the taxpayer's own books alone where a broker had to be told."""
    silent = claimed.filter(untold(events.treatment, taxpayer))
    first = silent.sort("row").unique("order", keep="first", maintain_order=True)
    return [_not_told(events, orders[row["order"]], row) for row in first.iter_rows(named=True)]


def _not_told(events: Events, order: Standing, row: Mapping[str, Any]) -> Problem:
    told = identified(events.treatment, row["asset_class"])["told_broker"]
    what = f"the {row['kind']} of {row['asset']} on {row['date']} ({events.place(row['row'])}) needs an order that"
    law = f"a broker who holds the lots was told of ({told['cite']['at']})"
    relief = told.get("relief")
    own = f"; one's own books were enough to {relief['to']} ({relief['cite']['at']})" if relief else ""
    how = f"write told_broker: yes if it was, or custody: self for {row['account']}"
    return Problem(order.place, f"{what} {law}{own}; {how}")


def _of_wrong_class(events: Events, orders: list[Standing]) -> Iterator[Problem]:
    """Orders for an asset or a class that their method is not for."""
    names = law_of(events.treatment)["names"]
    for order in orders:
        only, asset = names[order.method].get("only"), order.named("asset")
        asset_class = order.named("asset_class") or events.ledger.classes.get(asset or "")
        if only is None or asset_class is None:
            continue
        if asset_class not in only:
            yield Problem(order.place, f"{only_for(events, order.method)}, not for {asset or asset_class}")
        elif not asset and only[asset_class].get("named"):
            yield Problem(order.place, f"{only_for(events, order.method)}; for {asset_class}, name the asset")


def only_for(events: Events, method: str) -> str:
    """What a method is for, where it is not for all."""
    said = law_of(events.treatment)["names"][method]
    free, named = (
        " and ".join(name for name, one in said["only"].items() if bool(one.get("named")) is by_name)
        for by_name in (False, True)
    )
    classes = (
        f"for {free}, and for {named} where an order names the asset" if free and named else f"for {free or named}"
    )
    return f"{method} is only {classes} ({said['cite']['at']})"


# What a person should know


def unknown(events: Events, orders: list[Standing]) -> Iterator[str]:
    """Orders for assets and accounts that the ledger does not have: most likely another spelling."""
    if not orders:
        return
    ledger = events.ledger
    known = {"asset": sorted(ledger.classes), "account": ledger.rows["account"].unique().drop_nulls().sort().to_list()}
    for order in reversed(orders):
        for key, names in known.items():
            name = order.named(key)
            if name and names and name not in names:
                yield f"{order.place}: the ledger does not have the {key} '{name}'{did_you_mean(name, names)}"
