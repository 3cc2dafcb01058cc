"""Events as moves of lots, in order: what is opened, sold, sent and received, where, how much and for what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from lotlaw.lots.events import PLACES, WHOLE, Events, acquired_day
from lotlaw.formula import Formula, Reader
from lotlaw.lots.kernel import ENTER, OPEN, PICK, RECEIVE, SELL, SEND, USE
from lotlaw.lots.moving import Moved
from lotlaw.readings import columns
from lotlaw.readings.columns import Scaled, rounded
from lotlaw.source import Problem
from lotlaw.lots.treatment import Leg

# Moves of one row happen in this order: a fee is sold before what it is paid from moves on, what is received follows what is given.
FEE, GIVEN, TAKEN, FEE_AFTER = range(1, 5)

def steps_of(events: Events, transfers: Moved, shown: pl.Expr) -> pl.DataFrame:
    """Every move of every event in order: row, step, code, asset, account, units, amount, day.

    Units and what is opened for are at the ledger's decimals, what is sold for in cents; `shown` says which rows' sales leave slices.
    """
    rows = events.rows.with_columns(shown.alias("shown"))
    fees = pl.concat([events.fees, transfers.lost])
    alone = rows.filter(pl.col("row").is_in(transfers.alone["row"].implode())) if transfers.alone.height else rows.clear()
    parts = [*_sold(events, rows), *_opened(events, rows, alone), *_fees(rows, fees), *_moved(transfers)]
    if not parts:
        return pl.DataFrame(schema=STEPS)
    steps = pl.concat(parts)
    return steps.sort("row", "step", maintain_order=True) if len(parts) > 1 else steps


STEPS = {
    "row": pl.UInt32, "step": pl.UInt8, "code": pl.UInt8, "asset": pl.String, "account": pl.String, "units": WHOLE,
    "amount": WHOLE, "day": pl.Int32,
}  # fmt: skip


def _step(rows: pl.DataFrame, step: int, code: Any, **said: Any) -> pl.DataFrame:
    given = {"row": "row", "account": "account", "day": pl.lit(0), **said}
    picked = rows.select(step=pl.lit(step), code=pl.lit(code) if isinstance(code, int) else code, **given)
    return picked.select(pl.col(name).cast(dtype) for name, dtype in STEPS.items())


def _read(formula: Formula) -> pl.Expr:
    names = {name: Scaled(pl.col(name), PLACES) for name in formula.names}
    amount: Scaled = Reader(columns, names).read(formula)
    return amount.at(PLACES)


def cents(amount: pl.Expr) -> pl.Expr:
    """Whole numbers at the ledger's decimals as cents, half away from zero."""
    return rounded(Scaled(amount, PLACES), 2).whole


def _sold(events: Events, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    named = pl.col("lot").is_not_null()
    seller = pl.when(named).then(pl.lit(PICK)).when("shown").then(pl.lit(SELL)).otherwise(pl.lit(USE))
    for kinds in _alike(events, "sells"):
        leg = events.treatment.kinds[kinds[0]].sells
        if leg:
            part = rows.filter(_is(kinds) & pl.col("out_units").is_not_null())
            units = pl.col("out_units") + events.extra("joined")
            money = cents(_read(leg.amount) + events.extra("joined_value"))
            yield _step(part, GIVEN, seller, asset="out_asset", units=units, amount=money)


def _opened(events: Events, rows: pl.DataFrame, alone: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for kinds in _alike(events, "opens"):
        kind = events.treatment.kinds[kinds[0]]
        if kind.opens:
            part = alone if kind.moves else rows.filter(_is(kinds) & pl.col("in_units").is_not_null())
            units = pl.col("in_units") - events.extra("withheld")
            cost = _read(kind.opens.amount).fill_null(0) - events.extra("withheld_value")
            code, day = OPEN, pl.col("date")
            if kind.opens.acquired_given:
                code, day = ENTER, pl.coalesce(acquired_day(), "date")
            yield _step(part, TAKEN, code, asset="in_asset", units=units, amount=cost, day=day.to_physical())


def _alike(events: Events, does: str) -> list[list[str]]:
    """The kinds that sell or open, those that do it alike together: each group is one pass over the columns."""
    groups: dict[Any, list[str]] = {}
    for kind in events.treatment.kinds.values():
        leg = getattr(kind, does)
        if leg:
            groups.setdefault((leg.amount.text, leg.acquired_given, kind.moves), []).append(kind.name)
    return list(groups.values())


def _is(kinds: Sequence[str]) -> pl.Expr:
    return pl.col("kind") == kinds[0] if len(kinds) == 1 else pl.col("kind").is_in(kinds)


def _fees(rows: pl.DataFrame, fees: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if fees.is_empty():
        return
    fees = fees.join(rows.select("row", "shown"), on="row", how="left", maintain_order="left")
    seller = pl.when("shown").then(pl.lit(SELL)).otherwise(pl.lit(USE))
    for after, step in ((False, FEE), (True, FEE_AFTER)):
        yield _step(fees.filter(pl.col("after") == after), step, seller, asset="asset", units="units", amount=cents(pl.col("value")))


def _moved(transfers: Moved) -> Iterator[pl.DataFrame]:
    for ends, step, code in ((transfers.sent, GIVEN, SEND), (transfers.received, TAKEN, RECEIVE)):
        if ends.height:
            yield _step(ends, step, code, asset="asset", units="units", amount="bag")


def missing(events: Events) -> Iterator[Problem]:
    """Events whose dollars are needed and not known, and fees larger than what they are taken from."""
    for does, leg in (("sells", "out"), ("opens", "in")):
        kinds = [k.name for k in events.treatment.kinds.values() if _needs_value(getattr(k, does))]
        lacking = events.rows.filter(_is(kinds) & pl.col(f"{leg}_units").is_not_null() & pl.col("value").is_null())
        for row, kind, asset in lacking.select("row", "kind", f"{leg}_asset").iter_rows():
            said = f"{kind} of {asset} has no dollar value; give its fair value in dollars (amount, or usd_value)"
            yield Problem(events.place(row), said)
    if "withheld" in events.rows.columns:
        for row, kind in events.rows.filter(pl.col("withheld") > pl.col("in_units")).select("row", "kind").iter_rows():
            yield Problem(events.place(row), f"{kind}: the fee is more than what was received")


def _needs_value(leg: Leg | None) -> bool:
    return leg is not None and "value" in leg.amount.names
