"""Where lots of a common pool go on the day it is divided by accounts: the allocation that a taxpayer made.

The safe harbor knows two: unit by unit, completed before the first sale of that kind of asset, and by a rule for
all, described before the day. `--allocate` puts lots in order where the units are, without any claim to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.lots.book import DIVIDE, GIVE, ORDERS, Placement
from lotlaw.lots.events import Events
from lotlaw.lots.queues import OPENS, SALES, Plan
from lotlaw.source import Document, Problem

SPECIFIC, GLOBAL, UNCLAIMED = "specific_unit", "global", "no_safe_harbor"
KEY = "digital_asset_safe_harbor"

Said = Mapping[str, Any]


def unclaimed(order: str) -> dict[str, Any]:
    """What stands in place of a safe harbor where lots are put in some order without one."""
    return {"kind": UNCLAIMED, "allocation": [{"order": order}]}


def allocated(events: Events, plan: Plan, taxpayer: Said, document: Document) -> tuple[Plan, list[Problem], list[str]]:
    """The plan with where lots go, what is wrong with the allocation, and what to tell of it."""
    said, divisions = taxpayer[KEY], _divisions(plan)
    if not said.get("allocation") or not divisions:
        return plan, [], []
    problems = list(_late(events, plan, said, document, divisions))
    placed: dict[int, Placement] = {}
    for n, row in enumerate(said["allocation"]):
        try:
            for at in _concerned(events, divisions, row):
                placed[at] = _placement(events, plan, row, at, placed.get(at))
        except ValueError as error:
            problems.append(Problem(document.place(KEY, "allocation", n), str(error)))
    told = [_told(events, plan, at) for at in placed] if said["kind"] == UNCLAIMED else []
    return replace(plan, placed=placed), problems, [*told, *_due(events, plan, said, divisions)]


def _divisions(plan: Plan) -> dict[int, str]:
    """The moves that divide a pool, and of what."""
    moves = plan.steps.with_row_index("at").filter(pl.col("code") == DIVIDE)
    return dict(moves.select("at", "asset").iter_rows())


def _concerned(events: Events, divisions: Mapping[int, str], row: Said) -> list[int]:
    """The divisions that a row of the allocation is about: of the asset it names, or of what its lot is of."""
    asset = row.get("asset", "*")
    if "lot" in row:
        asset = _row_of(events, str(row["lot"]))["in_asset"].item()
    found = [at for at, name in divisions.items() if asset in ("*", name)]
    if not found:
        known = list(divisions.values())
        said = f"no lots of '{asset}' are to be allocated{did_you_mean(asset, known)}"
        raise ValueError(f"{said}; those of {', '.join(known)} are")
    return found


def _placement(events: Events, plan: Plan, row: Said, at: int, before: Placement | None) -> Placement:
    """Where one row of an allocation puts lots, after the rows before it."""
    queues = {plan.places["account"][queue]: queue for queue in plan.held[at]}
    if "order" in row:
        if row["order"] not in ORDERS:
            raise ValueError(f"no order '{row['order']}'; there are {', '.join(ORDERS)}")
        names = row.get("accounts") or sorted(queues)
        return Placement(ORDERS[row["order"]], [_queue(queues, name) for name in names], [])
    lot, account, quantity = (row.get(key) for key in ("lot", "account", "quantity"))
    if lot is None or account is None or quantity is None:
        raise ValueError("a row of the allocation has lot, account and quantity; or order, and the accounts in order")
    opened = _lot(events, plan, str(lot))
    units = int(Decimal(str(quantity)).scaleb(plan.units))
    return Placement(0, [], [*(before.lots if before else ()), (opened, _queue(queues, account), units)])


def _queue(queues: Mapping[str, int], account: str) -> int:
    if account not in queues:
        raise ValueError(f"no account '{account}' holds any{did_you_mean(account, queues)}; {', '.join(queues)} do")
    return queues[account]


def _lot(events: Events, plan: Plan, name: str) -> int:
    """The move that opened a lot, by the id of its row."""
    row = _row_of(events, name)["row"].item()
    opened = plan.steps.with_row_index("at").filter((pl.col("row") == row) & pl.col("code").is_in(OPENS))
    if opened.height != 1:
        raise ValueError(f"the row with the id '{name}' opens no lot")
    return int(opened["at"].item())


def _row_of(events: Events, name: str) -> pl.DataFrame:
    """The one row with an id."""
    found = events.rows.filter(pl.col("external_id") == name)
    if found.height != 1:
        raise ValueError(f"{'no row has' if found.is_empty() else 'several rows have'} the id '{name}'")
    return found


def _late(
    events: Events, plan: Plan, said: Said, document: Document, divisions: Mapping[int, str]
) -> Iterator[Problem]:
    """What was described or completed too late."""
    if said["kind"] == UNCLAIMED:
        return
    law, day = _law(events)
    for key in law[said["kind"]]:
        limit = day if key == "described_on" else _first_sale(events, plan, divisions)
        given = said.get(key)
        if not isinstance(given, date):
            yield Problem(document.place(KEY), f"{key}: say when the allocation was {key.removesuffix('_on')}")
        elif limit is not None and given >= limit:
            what = f"the allocation was {key.removesuffix('_on')} on {given}; it had to be before {limit}"
            yield Problem(document.place(KEY, key), f"{what} ({law['cite']['at']})")


def _law(events: Events) -> tuple[Said, date]:
    """What the rules say of allocations, and the day from which pools are divided."""
    pool = next(pool for pool in events.treatment.said["pools"].values() if "allocation" in pool)
    return pool["allocation"], events.treatment.names[pool["from"]]


def _due(events: Events, plan: Plan, said: Said, divisions: Mapping[int, str]) -> Iterator[str]:
    """An allocation whose completion may have come after the return of the first year was due, which nobody here knows.

    What was completed within that year was in time; so was a global one before the first sale.
    """
    if said["kind"] == UNCLAIMED:
        return
    (law, day), given = _law(events), said.get("completed_on")
    first = _first_sale(events, plan, divisions)
    if isinstance(given, date):
        sooner = said["kind"] == GLOBAL and (first is None or given < first)
        if given.year <= day.year or sooner:
            return
    what = f"completed on {given}" if given else "without the day on which it was completed (completed_on)"
    until = f"the return of {day.year} was due, extensions included"
    until = until if said["kind"] == SPECIFIC or first is None else f"the later of {first} and the day {until}"
    yield f"{KEY}: {what}; it had to be before {until} ({law['cite']['at']}), which is not checked"


def _first_sale(events: Events, plan: Plan, divisions: Mapping[int, str]) -> date | None:
    """The day of the first sale or gift after the division, of what was divided."""
    divided = plan.steps["row"].gather(list(divisions)).min()
    gone = plan.steps.filter(
        pl.col("asset").is_in(list(divisions.values())) & pl.col("code").is_in([*SALES, GIVE])
        & (pl.col("row") >= divided)
    )  # fmt: skip
    first: date | None = events.ledger.rows["date"].gather(gone["row"]).min() if gone.height else None  # type: ignore[assignment]
    return first


def _told(events: Events, plan: Plan, at: int) -> str:
    said = f"lots of {plan.steps['asset'][at]} were put where the units lie, in order, as --allocate asks"
    return f"{said}: this is no allocation under {events.treatment.safe_harbor}"
