"""The ledger through the lot kernel and out again: slices of lots as rows, open lots as holdings, income as it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.dispositions import Matched, Rates, besides, unknown
from lotlaw.dispositions import holdings as held_lots
from lotlaw.dispositions.cautions import (
    of_accounts,
    of_gifts,
    of_settlement,
    of_short_sales,
    of_statements,
    of_windows,
)
from lotlaw.dispositions.distributions import with_distributions
from lotlaw.dispositions.mistakes import forfeited, mistakes, of_two_bases
from lotlaw.dispositions.reported import Reported, with_reported
from lotlaw.dispositions.rows import form_rows
from lotlaw.dispositions.slices import at_value, sold_slices
from lotlaw.lots import events as ledger_events
from lotlaw.lots import running
from lotlaw.lots.allocating import allocated
from lotlaw.lots.book import FIFO, MIN_TAX, ORDERS, PICK, Book
from lotlaw.lots.events import COLUMNS, FEES, RARE, Events, column, decimal, is_kind, owner
from lotlaw.lots.fees import with_fees
from lotlaw.lots.kernel import run
from lotlaw.lots.kinds import YEAR_END
from lotlaw.lots.knowing import apart, by_decimals, knowing, related
from lotlaw.lots.moves import in_order, missing, places_of, steps_of
from lotlaw.lots.moving import Moved, moved
from lotlaw.lots.naming import Named, named_lots
from lotlaw.lots.orders import Orders, orders_of
from lotlaw.lots.queues import SALES, Plan, plan_of
from lotlaw.lots.rare import rare_moves
from lotlaw.lots.treatment import Treatment, treatment
from lotlaw.lots.washing import ROOM, crowd, full
from lotlaw.source import Document, Problem, Problems

if TYPE_CHECKING:
    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.taxpayer import Taxpayer

SPOUSE = "spouse"


class Crowded(Exception):
    """Taxpayers who have to be matched alone, by the numbers that their names bear."""

    def __init__(self, owners: set[str]) -> None:
        super().__init__(f"{len(owners)} to be matched alone")
        self.owners = owners


def matched(
    ledger: Ledger, years: Sequence[Year], taxpayer: Taxpayer, method: str | None, until: date | None, *, held: bool,
    allow_unknown: bool = False, rates: Rates | None = None, document: Document | None = None,
    quiet: bool = False,
) -> dict[int, Matched]:  # fmt: skip
    """See `lotlaw.dispositions.match_years`."""
    law = treatment(years[-1], taxpayer)
    events = _events(ledger, law, until or date(years[-1].year, *YEAR_END), beyond=not held)
    shown = _shown(events, taxpayer, [year.year for year in years])
    steps, events, transfers = _steps(events, shown)
    orders = orders_of(events, taxpayer, method, document)
    _refuse(orders.problems)
    steps = _by_method(law, orders, steps)
    slices, open_lots, notes = _carried_out(
        events, steps, shown, taxpayer, rates or {}, document or Document("taxpayer", taxpayer), held=held
    )
    sold = with_distributions(events, steps, _together([*slices, at_value(events, shown)]))
    sold = unknown.with_unknown(events, sold)
    found = with_reported(events, shown, sold, years[-1])
    _refuse(found.problems)
    if not allow_unknown:
        _refuse(() if held else unknown.without_basis(events, found.rows))
        _refuse(unknown.refusals(events, found.rows))
    income, told = _income(events, shown), None if quiet else [*transfers.warnings, *notes]
    return {
        year.year: _of_year(year, events, found, taxpayer, open_lots, _in(year, income, "date"), orders, told)
        for year in years
    }


def _of_year(
    year: Year, events: Events, found: Reported, taxpayer: Taxpayer, open_lots: pl.DataFrame, income: pl.DataFrame,
    orders: Orders, told: Sequence[str] | None,
) -> Matched:  # fmt: skip
    """What a year's sales come to on its own form, and what a person should look at (`told` None: nothing)."""
    ledger, law, accounts = events.ledger, events.treatment, taxpayer["accounts"]
    rows, beside = _in(year, found.rows, "sold"), _in(year, found.compared, "sold")
    warnings = [] if told is None else [
        *orders.warnings, *told, *of_statements(ledger, beside), *of_accounts(rows, year, law, accounts),
        *besides.cautions(events, _in(year, found.told, "sold"), law.said["reported"]),
        *(_in(year, found.aggregates, "sold")["text"] if found.aggregates.height else ()),
        *unknown.cautions(events, rows), *of_settlement(ledger, rows, law, orders.after),
        *of_short_sales(events, rows),
    ]  # fmt: skip
    rows = form_rows(unknown.settled(rows), ledger, year, law, accounts)
    warnings += [] if told is None else [*of_gifts(events, rows), *of_windows(events, rows, year)]
    return Matched(rows, open_lots, income, warnings, beside, orders.used(year.year), orders.planning_only)


def _steps(events: Events, shown: pl.Expr) -> tuple[pl.DataFrame, Events, Moved]:
    """Every move of every event, the events with their fees, and what moves between accounts."""
    events, doubtful = with_fees(events, ledger_events.money_of(events.ledger, events.treatment))
    transfers = moved(events)
    _refuse([*doubtful, *missing(events), *transfers.problems])
    return steps_of(events, transfers, shown), events, transfers


def _together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All rows of the parts; the first as it is where the others have none."""
    return pl.concat([parts[0], *(part for part in parts[1:] if part.height)])


def _carried_out(
    events: Events, steps: pl.DataFrame, shown: pl.Expr, taxpayer: Taxpayer, rates: Rates, document: Document, *,
    held: bool,
) -> tuple[list[pl.DataFrame], pl.DataFrame, list[str]]:  # fmt: skip
    """What was sold, what is still held, if asked for, and what to tell. Raises Problems for what could not be done."""
    rare = rare_moves(events, steps)
    picks, misnamed = named_lots(events)
    places = places_of(steps, rare.places)
    assets = places["asset"].unique(maintain_order=True)
    _refuse([*rare.problems, *misnamed, *ledger_events.unclassed(events, steps, assets)])
    if rare.steps.height:
        more = rare.steps.with_columns(turn="row", method=pl.lit(0, pl.UInt8)).select(steps.columns)
        steps = in_order(pl.concat([steps, more]))
    sold, open_lots, notes = [], pl.DataFrame(schema=held_lots.SCHEMA), list(_told(events, shown))
    wrong: list[Problem] = []
    parts = [(steps, places, False)] if held else by_decimals(events, apart(events, steps, places, rare))
    for part, mine, plain in parts:
        together = None if plain else related(events, part, rare, taxpayer["identical"])
        plan = _plan(events, part, mine, picks, shown, together)
        untaxed = events.treatment.untaxed(taxpayer["accounts"])
        plan = knowing(events, plan, rare.known, untaxed, taxpayer["identical"], rates)
        plan, problems, told = allocated(events, plan, taxpayer, document)
        _refuse([*problems, *of_two_bases(events, plan)])
        notes += told
        cut = None if held else running.slices(plan)
        if cut is None:
            book = run(plan.moves)
            _refuse_crowd(plan, book)
            if found := list(mistakes(events, plan, book)):
                wrong += found
                continue
            cut = plan.slices(book)
            open_lots = held_lots.holdings(events, plan, book) if held else open_lots
            notes += [*forfeited(events, plan, book), *full(book)]
        sold.append(sold_slices(events, plan, cut, shown))
    _refuse(wrong)
    return sold, open_lots, notes


def _plan(
    events: Events, steps: pl.DataFrame, places: pl.DataFrame, picks: Mapping[int, Named], shown: pl.Expr,
    together: set[str] | None,
) -> Plan:  # fmt: skip
    """The plan of some of the steps, with the lots that their rows name."""
    mine = picks
    if picks:
        rows = set(steps.filter(pl.col("code") == PICK)["row"])
        mine = {row: lots for row, lots in picks.items() if row in rows}
    picking = events.rows.filter(shown & pl.col("row").is_in(list(mine)))["row"] if mine else ()
    return plan_of(events, steps, places, mine, set(picking), together)


def _told(events: Events, shown: pl.Expr) -> Iterator[str]:
    """What there is to tell of kinds of events in the years shown, each at the first of them."""
    telling = [name for name, kind in events.treatment.kinds.items() if kind.warns]
    rows = events.rows.filter(is_kind(telling) & shown).group_by("kind").agg(pl.col("row").min()).sort("row")
    for kind, row in rows.iter_rows():
        yield f"{events.place(row)}: {kind}: {events.treatment.kinds[kind].warns}"


def _refuse_crowd(plan: Plan, book: Book) -> None:
    """Raise Crowded if some of many taxpayers would be matched otherwise alone."""
    if plan.wash and plan.wash.room != ROOM:
        owners = crowd(book, lambda moves: map(owner, plan.steps["account"].gather(moves)))
        if owners:
            raise Crowded(owners)


def _refuse(problems: Iterable[Problem]) -> None:
    found = sorted(problems, key=lambda p: (p.place.file, p.place.line))
    if found:
        raise Problems(found)


def _by_method(law: Treatment, orders: Orders, steps: pl.DataFrame) -> pl.DataFrame:
    """The steps with the order in which each takes lots, where it is not always the same."""
    if orders.in_force is None:
        return steps
    names = law.said["methods"]["names"]
    codes = {name: ORDERS[said["order"]] for name, said in names.items()}
    chosen = orders.method_of(steps).replace_strict(codes, return_dtype=pl.UInt8)
    # What is no sale has no price, and leaves no tax.
    free = (pl.col("method") == MIN_TAX) & ~pl.col("code").is_in(SALES)
    return steps.with_columns(method=chosen).with_columns(method=pl.when(~free).then("method").otherwise(FIFO))


def _events(ledger: Ledger, law: Treatment, until: date, *, beyond: bool) -> Events:
    """The ledger's rows up to a day, of kinds that are known, with their amounts.

    `beyond`: with what was acquired shortly after, which may replace what was sold at a loss.
    """
    every = ledger.rows.with_row_index("row")
    if not every.select((pl.col("date") <= until).all(ignore_nulls=False)).item():
        counts = pl.col("date") <= until
        every = every.filter(counts | _soon_after(ledger, law, until) if beyond else counts)
    rare = [column(every, name) for name in RARE if name in every.columns]
    rows = every.select("row", *(column(every, name) for name in COLUMNS), *rare)
    _refuse(ledger_events.unsupported(ledger, rows, law))
    rows = ledger_events.with_amounts(ledger_events.treated(rows, law), ledger_events.money_of(ledger, law))
    none = pl.DataFrame(schema=FEES)
    return Events(ledger, law, rows, none, none)


def _soon_after(ledger: Ledger, law: Treatment, until: date) -> pl.Expr:
    """What replaces, shortly after a day, what was sold at a loss; and splits that make other units of it by then."""
    said, rows, watched = law.said["wash_sales"], ledger.rows, sorted(law.watched(ledger.classes))
    kinds = {
        "in_asset": [*said["acquired_by"]["kinds"], *law.that(income=True)],
        "out_asset": [name for name, kind in law.kinds.items() if kind.borrows],
    }
    acquires = [is_kind(of) & column(rows, leg).is_in(watched) for leg, of in kinds.items()]
    near = pl.col("date") <= until + timedelta(days=said["days_after"])
    return near & pl.any_horizontal(*acquires, is_kind(law.that(changes="rescale"))) if watched else pl.lit(value=False)


def _shown(events: Events, taxpayer: Taxpayer, years: list[int]) -> pl.Expr:
    """Whether a row belongs on one of the returns: in an account whose sales are taxed there, in one of the years."""
    law, accounts = events.treatment, taxpayer["accounts"]
    joint = taxpayer["filing_status"] in law.said["accounts"]["spouse_on"]
    others = [name for name, said in accounts.items() if said.get("owner") == SPOUSE and not joint]
    elsewhere = [*law.untaxed(accounts), *others]
    taxed = ~pl.col("account").is_in(elsewhere) if elsewhere else pl.lit(value=True)
    there = events.ledger.rows.columns
    days = [pl.col(name).dt.year().is_in(years) for name in ("date", "settle_date") if name in there]
    return taxed & pl.any_horizontal(days).fill_null(value=False)


def _in(year: Year, rows: pl.DataFrame, day: str) -> pl.DataFrame:
    """The rows of a year; as they are where all of them are."""
    of_year = pl.col(day).dt.year() == year.year
    return rows if rows.select(of_year.all()).item() else rows.filter(of_year)


def _income(events: Events, shown: pl.Expr) -> pl.DataFrame:
    """Income, exact; `counted` where the return counts it by itself."""
    law = events.treatment
    rows = events.rows.filter(is_kind(law.that(income=True)) & shown)
    net = rows.with_columns(net=pl.col("value") - events.of_fees("withheld_value"))
    listed = net.select(
        "row", "date", "timestamp", "account", asset="in_asset", quantity="in_qty", amount=decimal("net"),
        kind=pl.coalesce("income_type", "kind"),
    )  # fmt: skip
    return listed.with_columns(counted=pl.col("kind").is_in(law.said["income"]["counted"]))
