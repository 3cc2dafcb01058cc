"""The ledger through the lot kernel and out again: slices of lots as rows, open lots as holdings, income as it came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.dispositions import Matched, Rates, unknown
from lotlaw.dispositions import holdings as held_lots
from lotlaw.dispositions.cautions import of_accounts, of_statements
from lotlaw.dispositions.mistakes import mistakes
from lotlaw.dispositions.reported import Reported, with_reported
from lotlaw.dispositions.rows import form_rows
from lotlaw.lots import events as ledger_events
from lotlaw.lots import running
from lotlaw.lots.events import AMOUNT, COLUMNS, FEES, Events, class_of, column, decimal, is_kind, of_rows, words_of
from lotlaw.lots.fees import with_fees
from lotlaw.lots.kernel import run
from lotlaw.lots.moves import cents, missing, steps_of
from lotlaw.lots.moving import Moved, moved
from lotlaw.lots.naming import named_lots
from lotlaw.lots.orders import Orders, orders_of
from lotlaw.lots.queues import Plan, places_of, plan_of
from lotlaw.lots.treatment import Treatment, treatment
from lotlaw.source import Document, Problem, Problems, refuse

if TYPE_CHECKING:
    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.taxpayer import Taxpayer

YEAR_END = (12, 31)


def matched(
    ledger: Ledger, years: Sequence[Year], taxpayer: Taxpayer, method: str | None, until: date | None, *, held: bool,
    allow_unknown: bool = False, rates: Rates | None = None, document: Document | None = None,
) -> dict[int, Matched]:  # fmt: skip
    """See `lotlaw.dispositions.match_years`."""
    law = treatment(years[-1], taxpayer)
    shown = _taxed(law, taxpayer) & pl.col("date").dt.year().is_in([year.year for year in years])
    steps, events, transfers = _steps(_events(ledger, law, until or date(years[-1].year, *YEAR_END)), shown)
    orders = orders_of(events, taxpayer, method, document)
    _refuse(orders.problems)
    steps = _by_method(orders, steps, rates)
    slices, open_lots = _carried_out(events, steps, shown, held=held)
    sold = unknown.with_unknown(events, _together([slices, _at_value(events, shown)]))
    found = with_reported(events, shown, sold, years[-1])
    _refuse(found.problems)
    if not allow_unknown:
        _refuse(unknown.refusals(events, found.rows))
    income = _income(events, shown)
    return {
        year.year: _of_year(
            year, events, found, taxpayer, open_lots, _in(year, income, "date"), orders, transfers.warnings
        )
        for year in years
    }


def _of_year(
    year: Year, events: Events, found: Reported, taxpayer: Taxpayer, open_lots: pl.DataFrame, income: pl.DataFrame,
    orders: Orders, warnings: Sequence[str],
) -> Matched:  # fmt: skip
    """What a year's sales come to on its own form, and what a person should look at."""
    ledger, law, accounts = events.ledger, events.treatment, taxpayer["accounts"]
    rows, beside = _in(year, found.rows, "sold"), _in(year, found.compared, "sold")
    warnings = [
        *orders.warnings, *warnings, *of_statements(ledger, beside), *of_accounts(rows, year, law, accounts),
        *unknown.cautions(events, rows),
    ]  # fmt: skip
    rows = form_rows(unknown.settled(rows), ledger, year, law, accounts)
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
    events: Events, steps: pl.DataFrame, shown: pl.Expr, *, held: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the kernel sold, and what is still held, if asked for. Raises Problems for what it could not do."""
    places = places_of(steps)
    picks, misnamed = named_lots(events)
    assets = places["asset"].unique(maintain_order=True)
    _refuse([*misnamed, *ledger_events.unclassed(events, steps, assets)])
    picking = events.rows.filter(shown & pl.col("row").is_in(list(picks)))["row"]
    plan = plan_of(events, steps, places, picks, set(picking))
    open_lots = pl.DataFrame(schema=held_lots.SCHEMA)
    cut = None if held else running.slices(plan)
    if cut is None:
        book = run(plan.moves)
        _refuse(mistakes(events, plan, book))
        cut = plan.slices(book)
        open_lots = held_lots.holdings(events, plan, book) if held else open_lots
    return _slices(events, plan, cut), open_lots


def _refuse(problems: Iterable[Problem]) -> None:
    found = sorted(problems, key=lambda p: (p.place.file, p.place.line))
    if found:
        raise Problems(found)


def _by_method(orders: Orders, steps: pl.DataFrame, rates: Rates | None) -> pl.DataFrame:
    """The steps with the method in force for each."""
    if orders.in_force is None:
        return steps.with_columns(method=pl.lit(orders.default))
    methods = orders.method_of(steps)
    odd = methods.filter(methods != orders.default)
    if len(odd):
        names = ", ".join(odd.unique().sort())
        by = f" at the rates of {', '.join(map(str, rates))}" if rates else ""
        said = f"not supported yet; lots are taken {orders.default}, or as the column lot names them"
        raise refuse("methods", f"{names}{by} is {said}")
    return steps.with_columns(methods)


def _events(ledger: Ledger, law: Treatment, until: date) -> Events:
    """The ledger's rows up to a day, of kinds that are known, with their amounts."""
    every = ledger.rows.with_row_index("row")
    if not every.select((pl.col("date") <= until).all(ignore_nulls=False)).item():
        every = every.filter(pl.col("date") <= until)
    rows = every.select("row", *(column(every, name) for name in COLUMNS))
    _refuse(ledger_events.unsupported(ledger, rows, law))
    none = pl.DataFrame(schema=FEES)
    return Events(ledger, law, ledger_events.with_amounts(rows, ledger_events.money_of(ledger, law)), none, none)


def _taxed(law: Treatment, taxpayer: Taxpayer) -> pl.Expr:
    """Whether a row's account is one whose sales are taxed; an account that nobody describes is."""
    taxed = law.said["accounts"]["taxed"]
    untaxed = [name for name, said in taxpayer["accounts"].items() if said.get("kind", taxed[0]) not in taxed]
    return ~pl.col("account").is_in(untaxed) if untaxed else pl.lit(value=True)


def _in(year: Year, rows: pl.DataFrame, day: str) -> pl.DataFrame:
    """The rows of a year; as they are where all of them are."""
    of_year = pl.col(day).dt.year() == year.year
    return rows if rows.select(of_year.all()).item() else rows.filter(of_year)


def _slices(events: Events, plan: Plan, cut: pl.DataFrame) -> pl.DataFrame:
    """What was sold, as rows of Form 8949 take it."""
    steps, ledger, sale_at, lot_at = plan.steps, events.ledger, cut["sale"], cut["lot"]
    sale, lot = steps["row"].gather(sale_at), steps["row"].gather(lot_at)
    sold = pl.DataFrame({
        "sale": sale, "lot": lot, "asset": steps["asset"].gather(sale_at), "account": steps["account"].gather(sale_at),
        "quantity": cut.select(decimal("quantity", plan.units).cast(AMOUNT)).to_series(),
        "acquired": steps["day"].gather(lot_at).cast(pl.Date),
        "acquired_text": words_of(ledger, lot), "sold": ledger.rows["date"].gather(sale),
        "proceeds": cut["proceeds"], "basis": cut["basis"],
        "form_1099": of_rows(ledger, "form_1099", sale),
    })  # fmt: skip
    return _as_sold(sold, events)


def _at_value(events: Events, shown: pl.Expr) -> pl.DataFrame:
    """Units withheld from what was received: sold on the spot, for what they cost and are worth."""
    rows = events.at_value.join(events.rows.filter(shown).select("row", "date", "form_1099"), on="row")
    worth = cents(pl.col("value"))
    sold = rows.select(
        "asset", "account", "form_1099", sale="row", lot="row", quantity=decimal("units"), acquired="date", sold="date",
        acquired_text=pl.lit(None, pl.String), proceeds=worth, basis=worth,
    )  # fmt: skip
    return _as_sold(sold, events)


def _as_sold(rows: pl.DataFrame, events: Events) -> pl.DataFrame:
    nothing = pl.lit(None, pl.String)
    return rows.select(
        "sale", "lot", "asset", class_of(events.ledger).alias("asset_class"), "account", nothing.alias("description"),
        "quantity", "acquired", "acquired_text", "sold", "proceeds", "basis", pl.lit(0, pl.Int64).alias("adjustment"),
        nothing.alias("codes"), nothing.alias("term"), "form_1099",
    )  # fmt: skip


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
