"""Events as moves of lots, in order: what is opened, sold, sent and received, where, how much and for what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from lotlaw.formula import Formula, Reader
from lotlaw.ledger import OWNER
from lotlaw.lots.book import BORROW, CLOSE, ENTER, GIVE, OPEN, PICK, RECEIVE, SELL, SEND, USE
from lotlaw.lots.events import PLACES, WHOLE, Events, Schema, acquired_day, class_of, is_kind, rare, said_dollars
from lotlaw.lots.kinds import YEAR_END, Leg
from lotlaw.lots.moving import Moved
from lotlaw.readings import columns
from lotlaw.readings.columns import LARGEST, MONEY, Scaled, rounded
from lotlaw.source import Problem

STEPS: Schema = {
    "row": pl.UInt32, "step": pl.UInt8, "code": pl.UInt8, "asset": pl.String, "account": pl.String, "units": WHOLE,
    "amount": WHOLE, "day": pl.Int32, "short": pl.Boolean,
}  # fmt: skip

# The moves of one row happen in this order: a fee is sold before what it is paid from moves on, and what is received
# follows what is given.
PREMIUM, FEE, GIVEN, TAKEN, FEE_AFTER, LATE = range(1, 7)


def steps_of(events: Events, transfers: Moved, shown: pl.Expr) -> pl.DataFrame:
    """Every move of every event in order, as STEPS.

    `units`, and `amount` of what is opened, are at the ledger's decimals; `amount` of what is sold is in cents, and of
    what is moved the number of its bag. `shown` says which rows' sales leave slices. `short`: of positions that are
    opened by selling.
    """
    rows = events.rows.lazy().with_columns(shown.alias("shown"))
    sold, opened = _sold(events, rows), _opened(events, rows, transfers)
    parts = [*sold, *opened, *_removed(events, rows), *_fees(events, rows, transfers), *_moved(transfers)]
    return in_order(_at_year_end(events, pl.concat(parts).collect()))


def in_order(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps in the order in which they happen: as their rows stand, or by `turn`, where they have it."""
    keys = ["turn", "step"] if "turn" in steps.columns else ["row", "step"]
    return steps.sort(keys, maintain_order=True)


def _at_year_end(events: Events, steps: pl.DataFrame) -> pl.DataFrame:
    """Sales that count as made on the last day of a year come after all else of it: §165(g)."""
    kinds = [name for name, kind in events.treatment.kinds.items() if kind.sells and kind.sells.at_year_end]
    if events.kinds.isdisjoint(kinds):
        return steps
    there = events.ledger.rows
    whose = there[OWNER].gather(events.rows["row"]) if OWNER in there.columns else pl.lit(0)
    year = events.rows.select("row", "kind", year=pl.col("date").dt.year(), whose=whose)
    late = year.with_columns(turn=pl.col("row").max().over("whose", "year")).filter(is_kind(kinds))
    late = late.select("row", "turn", end=pl.date("year", *YEAR_END).to_physical(), late=pl.lit(LATE, pl.UInt8))
    told = steps.join(late, on="row", how="left", maintain_order="left")
    return told.with_columns(
        step=pl.coalesce("late", "step"), day=pl.coalesce("end", "day"), turn=pl.coalesce("turn", "row")
    ).drop("late", "end")


def places_of(steps: pl.DataFrame, more: pl.DataFrame | None = None) -> pl.DataFrame:
    """Every asset at every account, and positions opened by selling for themselves: place, asset, account, short."""
    names = ("asset", "account", "short")
    # Most ledgers open nothing by selling; two columns are compared sooner than three.
    keys = names if steps["short"].any() else names[:2]
    found = steps.select(keys).unique().select(*keys, *([] if keys == names else [pl.lit(value=False).alias("short")]))
    every = found if more is None or more.is_empty() else pl.concat([found, more.select(names)]).unique()
    return every.sort(names).with_row_index("place")


def cents(amount: pl.Expr) -> pl.Expr:
    """Whole numbers at the ledger's decimals as cents, half away from zero."""
    return rounded(Scaled(amount, PLACES), MONEY).whole.cast(pl.Int64)


def _steps(rows: pl.LazyFrame, step: int, code: int | pl.Expr, **said: Any) -> pl.LazyFrame:
    plain = {"day": pl.col("date").to_physical(), "short": pl.lit(value=False)}
    given = {"row": "row", "account": "account", "step": pl.lit(step), **plain, **said}
    picked = rows.select(code=pl.lit(code) if isinstance(code, int) else code, **given)
    return picked.select(pl.col(name).cast(dtype) for name, dtype in STEPS.items())


def dollars(events: Events, formula: Formula) -> pl.Expr:
    """What a formula of a kind says, as whole numbers at the ledger's decimals."""
    names = {name: Scaled(said_dollars(events.rows, name), PLACES) for name in formula.names}
    amount: Scaled = Reader(columns, names).read(formula)
    return amount.at(PLACES)


def _sold(events: Events, rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    named = pl.col("lot").is_not_null()
    code = pl.when(named).then(pl.lit(PICK)).when("shown").then(pl.lit(SELL)).otherwise(pl.lit(USE))
    for leg, kinds in alike(events, "sells"):
        asset, own = f"{leg.side}_asset", _units(events, leg.side)
        part = rows.filter(is_kind(kinds) & own.is_not_null())
        units = own + events.of_fees("joined")
        money = cents(dollars(events, leg.amount) + events.of_fees("joined_value"))
        yield _steps(part, GIVEN, code, asset=asset, units=units, amount=money)
    for does, side, code_ in (("borrows", "out", BORROW), ("closes", "in", CLOSE)):
        for leg, kinds in alike(events, does):
            part = rows.filter(is_kind(kinds) & pl.col(f"{side}_units").is_not_null())
            amount = dollars(events, leg.amount) if code_ == BORROW else cents(dollars(events, leg.amount))
            said = {"asset": f"{side}_asset", "units": f"{side}_units", "amount": amount, "short": pl.lit(value=True)}
            yield _steps(part, GIVEN, code_, **said)


def _units(events: Events, side: str) -> pl.Expr:
    return rare(events.rows, "ref_qty").to_physical() if side == "ref" else pl.col(f"{side}_units")


def _removed(events: Events, rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Lots that leave without a sale."""
    kinds = [kind for kind in events.treatment.that(removes=True) if kind in events.kinds]
    if kinds:
        part = rows.filter(is_kind(kinds) & pl.col("out_units").is_not_null())
        yield _steps(part, GIVEN, GIVE, asset="out_asset", units="out_units", amount=pl.lit(0))


def _opened(events: Events, rows: pl.LazyFrame, transfers: Moved) -> Iterator[pl.LazyFrame]:
    """Lots opened, for the basis and from the date that the row gives, where it gives them."""
    there = events.ledger.rows.columns
    for leg, kinds in alike(events, "opens"):
        part = rows.filter(is_kind(kinds) & pl.col("in_units").is_not_null())
        moving = [kind for kind in kinds if events.treatment.kinds[kind].moves]
        if moving:
            part = part.filter(~is_kind(moving) | pl.col("row").is_in(transfers.alone["row"].implode()))
        cost, code, day = dollars(events, leg.amount), _counting(events), pl.col("date")
        if "basis_usd" in there:
            cost = pl.coalesce("basis", cost)
        if "acquired_date" in there:
            code = pl.when(acquired_day().is_null()).then(code).otherwise(pl.lit(ENTER))
            day = pl.coalesce(acquired_day(), day)
        units = pl.col("in_units") - events.of_fees("withheld")
        cost = cost.fill_null(0) - events.of_fees("withheld_value")
        yield _steps(part, TAKEN, code, asset="in_asset", units=units, amount=cost, day=day.to_physical())


def _counting(events: Events) -> pl.Expr:
    """OPEN, but ENTER for lots that may not replace what is sold at a loss, of assets where that matters."""
    watched = list(events.treatment.watched(events.ledger.classes))
    if not watched:
        return pl.lit(OPEN)
    by = events.treatment.said["wash_sales"]["acquired_by"]
    counts = is_kind(by["kinds"]) | pl.col("income_type").is_in(by["income"]).fill_null(value=False)
    return pl.when(counts | ~pl.col("in_asset").is_in(watched)).then(pl.lit(OPEN)).otherwise(pl.lit(ENTER))


def alike(events: Events, does: str) -> list[tuple[Leg, list[str]]]:
    """The legs of kinds that sell or open, and the kinds that do it alike: each is one pass over the columns."""
    groups: dict[tuple[str, ...], tuple[Leg, list[str]]] = {}
    for kind in events.treatment.kinds.values():
        leg: Leg | None = getattr(kind, does)
        if leg and kind.name in events.kinds:
            groups.setdefault((leg.side, leg.amount.text, leg.acquired), (leg, []))[1].append(kind.name)
    return list(groups.values())


def _fees(events: Events, rows: pl.LazyFrame, transfers: Moved) -> Iterator[pl.LazyFrame]:
    fees = pl.concat([events.fees, transfers.lost])
    if fees.is_empty():
        return
    dated = fees.lazy().join(rows.select("row", "shown", "date"), on="row", how="left", maintain_order="left")
    code = pl.when("shown").then(pl.lit(SELL)).otherwise(pl.lit(USE))
    for step, part in ((FEE, dated.filter(~pl.col("after"))), (FEE_AFTER, dated.filter("after"))):
        yield _steps(part, step, code, asset="asset", units="units", amount=cents(pl.col("value")))


def _moved(transfers: Moved) -> Iterator[pl.LazyFrame]:
    for ends, step, code in ((transfers.sent, GIVEN, SEND), (transfers.received, TAKEN, RECEIVE)):
        yield _steps(ends.lazy(), step, code, asset="asset", units="units", amount="bag", day=pl.lit(0))


def missing(events: Events) -> Iterator[Problem]:
    """Events whose dollars are unknown or out of bounds, fees that are too large, kinds that an asset cannot have."""
    yield from _not_for(events)
    yield from too_large(events, events.rows, ("usd_value", "fee_usd", "basis_usd"))
    if events.rows["value"].null_count():
        yield from _worthless(events)
    yield from _below_zero(events)
    yield from _taxed_too_much(events)


def _not_for(events: Events) -> Iterator[Problem]:
    """Sales of a kind that the law has only for assets of some classes."""
    kinds = events.treatment.kinds
    for name in (name for name in kinds if name in events.kinds):
        leg = kinds[name].sells
        only = leg.said.get("only") if leg else None
        if only:
            strange = ~class_of(events.ledger, "out_asset").is_in(only["classes"])
            for row, asset in events.rows.filter(is_kind([name]) & strange).select("row", "out_asset").iter_rows():
                yield Problem(events.place(row), f"{name} {asset}: {only['else']}")


def too_large(events: Events, rows: pl.DataFrame, names: Sequence[str]) -> Iterator[Problem]:
    """Amounts that cents of the forms have no room for."""
    over = pl.any_horizontal(pl.col(name).abs() > LARGEST for name in names)
    for row in rows.filter(over)["row"]:
        yield Problem(events.place(row), f"an amount of more than {LARGEST:,} dollars")


def _worthless(events: Events) -> Iterator[Problem]:
    """Rows whose value counts, and is not known."""
    law, legs = events.treatment, list[tuple[pl.Expr, pl.Expr]]()
    for does in ("sells", "borrows", "opens", "closes"):
        for leg, names in alike(events, does):
            if "value" in leg.amount.names:
                there = is_kind(names) & _units(events, leg.side).is_not_null()
                legs.append((there, rare(events.rows, f"{leg.side}_asset")))
    counted = is_kind([*law.that(income=True), *law.that(changes="lower")])
    what = pl.coalesce(*(pl.when(there).then(asset) for there, asset in legs), "in_asset")
    wanted = pl.any_horizontal(*(there for there, _ in legs), counted)
    lacking = events.rows.filter(pl.col("value").is_null() & wanted)
    for row, kind, asset in lacking.select("row", "kind", what.alias("what")).iter_rows():
        said = f"{kind} of {asset} has no dollar value; give its fair value in dollars (amount, or usd_value)"
        yield Problem(events.place(row), said)


def _below_zero(events: Events) -> Iterator[Problem]:
    opening = [kind for _, kinds in alike(events, "opens") for kind in kinds]
    for row in events.rows.filter(is_kind(opening) & (pl.col("basis") < 0))["row"]:
        yield Problem(events.place(row), "a basis below zero; a lot may have cost nothing, but not less")
    if "withheld" in events.rows.columns:
        more = (pl.col("withheld") > pl.col("in_units")) | (pl.col("withheld_value") > pl.col("value"))
        for row, kind in events.rows.filter(more).select("row", "kind").iter_rows():
            yield Problem(events.place(row), f"{kind}: the fee is more than what was received")


def _taxed_too_much(events: Events) -> Iterator[Problem]:
    """Gift tax that would raise a basis above what the gift was worth."""
    rows = events.rows
    if "gift_tax_usd" not in rows.columns:
        return
    tax, donor, worth = (said_dollars(rows, name) for name in ("gift_tax", "donor_basis", "fair_value"))
    for row, kind in rows.filter((tax > 0) & (donor + tax > worth)).select("row", "kind").iter_rows():
        law = events.treatment.said["kinds"][kind]["cite"]["at"]
        said = "gift_tax_usd raises the donor's basis above what the gift was worth; only the tax on what it was worth"
        yield Problem(events.place(row), f"{said} above that basis is added ({law})")
