"""What the kernel could not do, as problems at the rows that asked for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from lotlaw.lots.book import AVERAGE, Book
from lotlaw.lots.events import Events
from lotlaw.lots.queues import Plan
from lotlaw.source import Problem


def mistakes(events: Events, plan: Plan, book: Book) -> list[Problem]:
    """Pools that cannot be divided, lots named that are not there, each queue's first sale of more than it holds."""
    steps = plan.steps
    problems = [_undivided(events, plan, at, lots) for at, lots in book.undivided]
    problems += [_misnamed(events, plan, *said) for said in book.misnamed]
    problems += [_negative(events, plan, at) for at in dict.fromkeys(book.negative)]
    told = {steps["asset"][at] for at, _ in book.undivided}
    for at, lacking in book.short:
        asset, queue = steps["asset"][at], steps["queue"][at]
        if asset not in told and queue not in told:
            problems.append(_short(events, plan, at, lacking))
        told.add(queue)
    return problems


def of_two_bases(events: Events, plan: Plan) -> list[Problem]:
    """Gifts of two bases among lots that are sold at their average cost, which is one."""
    if not plan.low or "method" not in plan.steps.columns:
        return []
    steps = plan.steps.filter(pl.col("method") == AVERAGE)
    averaged, gifts = set(steps["place"]), plan.steps.select("row", "asset", "account", "place")
    found = [gifts.row(at) for at in sorted(plan.low)]
    how = "give it the one that you chose as basis and as fair_value, or sell by another method"
    return [
        Problem(events.place(row), f"{asset} at {account} is sold at average cost, and this gift has two bases; {how}")
        for row, asset, account, place in found
        if place in averaged
    ]


def forfeited(events: Events, plan: Plan, book: Book) -> Iterator[str]:
    """Losses that are gone, since what replaced them lies where sales are not taxed: those of sales shown."""
    sales = set(book.slices.sale) if book.forfeited else set()
    gone: Counter[int] = Counter()
    for at, cents in book.forfeited:
        gone[at] += cents if at in sales else 0
    for at, cents in sorted((+gone).items(), key=lambda item: plan.steps["row"][item[0]]):
        row, asset = plan.steps.select("row", "asset").row(at)
        said = f"{Decimal(cents).scaleb(-2)} dollars of the loss on {asset} are gone for good"
        yield f"{events.place(row)}: {said}: it was bought again in an account whose sales are not taxed"


def _said(plan: Plan, units: int) -> str:
    """A quantity as a reader writes it."""
    digits = f"{units:0{plan.units + 1}d}"
    whole, part = digits[: len(digits) - plan.units], digits[len(digits) - plan.units :].rstrip("0")
    return f"{whole}.{part}" if part else whole


def _short(events: Events, plan: Plan, at: int, lacking: int) -> Problem:
    row, asset, account, queue, place, wanted = plan.steps.select(
        "row", "asset", "account", "queue", "place", "units"
    ).row(at)
    if plan.places["short"][place]:
        said, left = f"{events.ledger.rows['kind'][row]} of {_said(plan, wanted)} {asset}", wanted - lacking
        what = f"but only {_said(plan, left)} {asset} sold and not yet bought back at {account}"
        return Problem(events.place(row), f"{said}, {what}; add the rows that opened the rest")
    where = f"at {account}" if queue == place else "in all accounts together"
    said = f"{events.ledger.rows['kind'][row]} of {_said(plan, wanted)} {asset}"
    what = f"but only {_said(plan, wanted - lacking)} {asset} held {where}"
    return Problem(events.place(row), f"{said}, {what}; add what was acquired before, or an opening_lot")


def _misnamed(events: Events, plan: Plan, at: int, named: int, lacking: int) -> Problem:
    row, asset, account = plan.steps.select("row", "asset", "account").row(at)
    opened = plan.steps["row"][named]
    lot = f"lot '{events.ledger.rows['external_id'][opened]}' ({events.place(opened)})"
    what = (
        f"lacks {_said(plan, lacking)} {asset} for this sale at {account}; name more lots, as id:quantity id:quantity"
    )
    return Problem(events.place(row), f"{lot} {what}")


def _negative(events: Events, plan: Plan, at: int) -> Problem:
    row, asset, account = plan.steps.select("row", "asset", "account").row(at)
    said = f"this change takes more off the basis of {asset} at {account} than there is"
    return Problem(events.place(row), f"{said}; a basis does not fall below zero: give less, or enter the rest as gain")


def _undivided(events: Events, plan: Plan, at: int, lots: dict[int, int]) -> Problem:
    row, asset = plan.steps.select("row", "asset").row(at)
    units, accounts = plan.moves.units[at], plan.places["account"]
    unlike = "; ".join(
        f"{accounts[place]}: {_balance(plan, units[place])}, lots of {_said(plan, n)}"
        for place, n in lots.items()
        if n or units[place]
    )
    said = (
        f"from {events.ledger.rows['date'][row]} on, lots of {asset} are kept by account, and those of the common pool"
    )
    what = "are not where the units are"
    how = (
        "add the transfers that are missing, give the allocation you made as digital_asset_safe_harbor, or see what "
        f"--allocate fifo comes to (no allocation under {events.treatment.safe_harbor})"
    )
    return Problem(events.place(row), f"{said} {what} ({unlike}); {how}")


def _balance(plan: Plan, units: int) -> str:
    return f"{_said(plan, units)} held" if units >= 0 else f"{_said(plan, -units)} more sent or sold than came"
