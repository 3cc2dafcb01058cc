"""Which method is in force for each sale, and whether it was identified in time.

Lots that a sale names itself go before any method. Then comes the narrowest standing order that holds on the day: for
an asset before for a class, for a class before for an account, of two alike the one that holds later. Then, for fund
shares, the broker's own default; then the law's. A method asked for by hand takes the place of all orders, to compare:
unless every sale would go the same way, such a return is for planning only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.lots.events import Events, class_of
from lotlaw.lots.identified import identified_later, late_or_untold
from lotlaw.lots.methods import Said, allowed, known_as, law_of
from lotlaw.lots.standing import NOBODY, Standing, by_order, only_for, problems_of, recorded_later, standing, unknown
from lotlaw.source import Document, Place, Problem, refuse

ASKED = "--method"


@dataclass(frozen=True)
class Orders:
    """The methods in force; `problems` are orders and identifications that the law does not know or that came late.

    planning_only: some sale goes by a method that no record made in time supports. `after`: sales whose lots were
    identified later, and in time until they settled (row, on).
    """

    events: Events
    default: str
    in_force: pl.Expr | None
    takes: pl.DataFrame
    planning_only: bool
    warnings: list[str]
    problems: list[Problem]
    after: pl.DataFrame

    def method_of(self, steps: pl.DataFrame) -> pl.Series:
        """The name of the method in force for each step, by its columns row (of the ledger), asset and account."""
        if self.in_force is None:
            return pl.Series("method", [self.default]).new_from_index(0, steps.height)
        ledger = self.events.ledger
        dated = steps.select("asset", "account", date=ledger.rows["date"].gather(steps["row"]))
        return dated.with_columns(asset_class=class_of(ledger)).with_columns(method=self.in_force)["method"]

    def used(self, year: int) -> list[str]:
        """The methods that sales of a year go by where they name no lots; the default where there are none."""
        if self.in_force is None:
            return [self.default]
        sold = self.takes.filter((pl.col("date").dt.year() == year) & ~pl.col("named"))
        return list(sold.with_columns(method=self.in_force)["method"].unique().sort()) or [self.default]


def orders_of(
    events: Events, taxpayer: Mapping[str, Any], method: str | None, document: Document | None = None
) -> Orders:
    """The methods in force for a ledger's sales; `method` is one asked for by hand.

    `document` is the taxpayer file, for places of problems. Raises Problems for a method that does not exist.
    """
    law = law_of(events.treatment)
    orders = standing(events, taxpayer, document or Document("taxpayer", taxpayer))
    defaults = _broker_defaults(events, taxpayer)
    usual = _in_force(law, orders, defaults)
    asked = _asked(events, method)
    concerned = orders or defaults or asked or _sells_funds(events)
    takes = _takes(events if concerned else replace(events, rows=events.rows.clear(), fees=events.fees.clear()))
    free = takes.filter(~pl.col("named"))
    problems = [*late_or_untold(events, taxpayer), *problems_of(events, orders, free, taxpayer)]
    warnings = [*unknown(events, orders), *_unsaid(events, orders, taxpayer, free, asked)]
    after = pl.concat([identified_later(events, taxpayer), recorded_later(events, orders, free)])
    if not asked:
        return Orders(events, law["default"], usual, takes, False, warnings, problems, after)
    only, usual = law["names"][asked].get("only"), pl.lit(law["default"]) if usual is None else usual
    problems += _of_no_class(events, asked, only, free)
    in_force = pl.when(allowed(only, None)).then(pl.lit(asked)).otherwise(usual)
    differs = _differs(usual, in_force, free)
    return Orders(events, law["default"], in_force, takes, differs, warnings, problems, after)


def _differs(usual: pl.Expr, asked: pl.Expr, free: pl.DataFrame) -> bool:
    """Whether a sale goes by another method than the one in force."""
    # Two methods that are the same for all sales have no length, which a filter of many rows would ask for.
    return free.height > 0 and bool(free.select((asked != usual).any()).item())


def _asked(events: Events, method: str | None) -> str | None:
    """The method asked for by hand, by its proper name."""
    if method is None:
        return None
    known = known_as(events.treatment)
    if method not in known:
        names = ", ".join(law_of(events.treatment)["names"])
        said = f"no method {method}{did_you_mean(method, known)}; there are {names}"
        raise refuse(ASKED, f"{said} (a sale names its own lots in the column lot)")
    return known[method]


def _broker_defaults(events: Events, taxpayer: Said) -> dict[str, str]:
    """By account, its broker's default method for fund shares."""
    known = known_as(events.treatment)
    said = {name: account.get("default_method") for name, account in taxpayer["accounts"].items()}
    return {name: known[method] for name, method in said.items() if method}


def _in_force(law: Said, orders: list[Standing], defaults: Mapping[str, str]) -> pl.Expr | None:
    """The method in force, over the columns asset, asset_class, account and date; None: the default, always."""
    if not orders and not defaults:
        return None
    own = pl.col("account").replace_strict(dict(defaults), default=None, return_dtype=pl.String) if defaults else None
    by_order = [pl.when(o.holds(law["names"][o.method].get("only"))).then(pl.lit(o.method)) for o in orders]
    by_broker = [] if own is None else [pl.when(_broker_chooses(law)).then(own)]
    return pl.coalesce([*by_order, *by_broker, pl.lit(law["default"])])


def _broker_chooses(law: Said) -> pl.Expr:
    classes, first = law["broker_default"]["classes"], law["broker_default"]["from"]
    return pl.col("asset_class").is_in(classes) & pl.col("date").ge(first)


# What lots are taken for


def _takes(events: Events) -> pl.DataFrame:
    """Every row that takes lots, its fees too: row, kind, asset, asset_class, account, date, settle_date, named."""
    kinds = events.treatment.kinds
    taking = [name for name, kind in kinds.items() if not kind.row]
    rows = events.rows.filter(pl.col("out_units").is_not_null() & pl.col("kind").is_in(taking))
    shared = ("row", "kind", "account", "date", "settle_date")
    own = rows.select(*shared, asset="out_asset", named=pl.col("lot").is_not_null())
    fees = events.fees.join(events.rows.select(c for c in shared if c != "account"), on="row", maintain_order="left")
    paid = fees.select(*shared, "asset", named=pl.lit(value=False))
    takes = pl.concat([own, paid]) if paid.height else own
    known = class_of(events.ledger) if takes.height else pl.lit(None, pl.String)
    takes = takes.with_columns(known.alias("asset_class"))
    return takes.filter(pl.col("asset_class").is_in(list(events.treatment.classes)))


def _sells_funds(events: Events) -> bool:
    """Whether the ledger has what brokers have default methods of their own for."""
    chosen = law_of(events.treatment)["broker_default"]["classes"]
    return not set(chosen).isdisjoint(events.ledger.classes.values())


def _of_no_class(events: Events, method: str, only: Said | None, free: pl.DataFrame) -> list[Problem]:
    """A method asked for by hand that is for nothing that the ledger sells."""
    if only is None or free.select(allowed(only, None).any()).item():
        return []
    return [Problem(Place(ASKED), f"{only_for(events, method)}, and none that it may be asked for is sold here")]


# What a person should know


def _unsaid(
    events: Events, orders: list[Standing], taxpayer: Said, free: pl.DataFrame, asked: str | None
) -> Iterator[str]:
    """Fund shares sold by the default, though nobody says that it is their broker's."""
    law = law_of(events.treatment)
    accounts, taxed = taxpayer["accounts"], events.treatment.said["accounts"]["taxed"]
    quiet = [n for n, said in accounts.items() if said.get("default_method") or said.get("kind", taxed[0]) not in taxed]
    by_default = _broker_chooses(law) & ~pl.col("account").is_in(quiet)
    sold = free.filter(by_default & (by_order(orders, law) == NOBODY)) if not asked else free.clear()
    names = sold["account"].unique().sort().to_list()
    if names:
        said = (
            f"Fund shares at {', '.join(names)} are sold {law['default']}, as the taxpayer file does not say otherwise"
        )
        cite = law["broker_default"]
        why = f"for shares acquired from {cite['from']} on it is the broker's own default method ({cite['cite']['at']})"
        yield f"{said}; {why}: accounts: {{{names[0]}: {{default_method: average}}}}"
