"""What the kernel could not do, as problems at the rows that asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from lotlaw.lots.events import Events, acquired_day, place
from lotlaw.lots.kernel import Book
from lotlaw.lots.queues import Plan
from lotlaw.source import Problem


def mistakes(events: Events, plan: Plan, book: Book) -> list[Problem]:
    """Pools that cannot be divided, lots named that are not there, sales of more than is held: the first of each queue."""
    problems = [_undivided(events, plan, at, held) for at, held in book.undivided]
    troubled = {plan.steps["asset"][at] for at, _ in book.undivided}
    problems += [_misnamed(events, plan, *said) for said in book.misnamed]
    seen: set[int] = set()
    for at, lacking in book.short:
        queue, asset = plan.steps["queue"][at], plan.steps["asset"][at]
        if queue not in seen and asset not in troubled:
            problems.append(_short(events, plan, at, lacking))
        seen.add(queue)
    return problems


def _said(plan: Plan, units: int) -> str:
    """A quantity as a reader writes it."""
    digits = f"{units:0{plan.units + 1}d}"
    whole, part = digits[: len(digits) - plan.units], digits[len(digits) - plan.units :].rstrip("0")
    return f"{whole}.{part}" if part else whole


def _short(events: Events, plan: Plan, at: int, lacking: int) -> Problem:
    row, asset, account, queue, home = plan.steps.select("row", "asset", "account", "queue", "place").row(at)
    wanted = plan.units_of(at)
    kind = events.ledger.rows["kind"][row]
    where = f"at {account}" if queue == home else "in all accounts together"
    said = f"{kind} of {_said(plan, wanted)} {asset}, but only {_said(plan, wanted - lacking)} {asset} are held {where}"
    return Problem(place(events.ledger, row), f"{said}; add what was bought or received before, or an opening_lot")


def _misnamed(events: Events, plan: Plan, at: int, named: int, lacking: int) -> Problem:
    row, asset, account = plan.steps.select("row", "asset", "account").row(at)
    opened = plan.steps["row"][named]
    id_ = events.ledger.rows["external_id"][opened]
    said = f"lot '{id_}' ({place(events.ledger, opened)}) has {_said(plan, lacking)} {asset} too few left at {account}"
    return Problem(place(events.ledger, row), f"{said} for this sale; name the quantity of each lot, as id:quantity id:quantity")


def _undivided(events: Events, plan: Plan, at: int, lots: dict[int, int]) -> Problem:
    row, asset = plan.steps.select("row", "asset").row(at)
    units = plan.moves.units[at]
    accounts = [
        f"{plan.places['account'][queue]} has {_said(plan, max(units[queue], 0))}{_owed(plan, units[queue])} and lots of {_said(plan, n)}"
        for queue, n in lots.items()
        if n or units[queue]
    ]
    day: object = events.ledger.rows["date"][row]
    return Problem(
        place(events.ledger, row),
        f"from here ({day}) on, lots of {asset} are kept account by account, but the lots left in the pool of all accounts don't lie "
        f"where the units do: {'; '.join(accounts)}. Add transfers that are missing, or say how lots were kept before: "
        "digital_asset_pools_before_2025: by_account",
    )


def _owed(plan: Plan, units: int) -> str:
    return f" ({_said(plan, -units)} more went out than came in)" if units < 0 else ""


def unknown_sold(events: Events, sold: pl.DataFrame) -> list[Problem]:
    """Sales that reach lots whose basis or date nobody gave."""
    return list(_unknown(events, sold))


def _unknown(events: Events, sold: pl.DataFrame) -> Iterator[Problem]:
    lots = unknown_lots(events)
    if lots.is_empty():
        return
    reached = sold.join(lots, left_on="lot", right_on="row").sort("sale", "lot")
    for sale, lot, quantity, asset, lacks in reached.select("sale", "lot", "quantity", "asset", "lacks").iter_rows():
        said = f"{_plain(quantity)} {asset} of this sale came with {place(events.ledger, lot)}, and {lacks} is unknown"
        yield Problem(place(events.ledger, sale), f"{said}; give basis and acquired there, or add the file they came from")


def _plain(quantity: Decimal) -> str:
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".")


def unknown_lots(events: Events) -> pl.DataFrame:
    """Rows that open lots without a basis, or without a date acquired or a word for one: row, lacks."""
    law = events.treatment
    given = [kind.name for kind in law.kinds.values() if kind.opens and kind.opens.acquired_given]
    words = law.said["term"]["always_long"]
    undated = acquired_day().is_null() & ~pl.col("acquired_date").is_in(words).fill_null(value=False)
    lacks = (
        pl.when(pl.col("basis").is_null() & undated).then(pl.lit("their basis and date acquired"))
        .when(pl.col("basis").is_null()).then(pl.lit("their basis"))
        .when(undated).then(pl.lit("their date acquired"))
    )  # fmt: skip
    opened = events.rows.filter(pl.col("kind").is_in(given) & pl.col("in_units").is_not_null())
    return opened.select("row", lacks=lacks).filter(pl.col("lacks").is_not_null())
