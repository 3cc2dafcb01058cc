"""The ledger through the lot kernel and out again: slices of lots as rows, open lots as holdings, income as it came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.dispositions import Matched
from lotlaw.dispositions.holdings import HOLDINGS, holdings
from lotlaw.dispositions.mistakes import mistakes, unknown_sold
from lotlaw.dispositions.reported import reported
from lotlaw.dispositions.rows import form_rows
from lotlaw.lots.events import (
    COLUMNS, FEES, Events, class_of, column, dollars, money_of, of_rows, unclassed, unsupported, with_amounts, words_of,
)  # fmt: skip
from lotlaw.lots.fees import with_fees
from lotlaw.lots.kernel import Book, run
from lotlaw.lots.moves import cents, missing, steps_of
from lotlaw.lots.moving import moved
from lotlaw.lots.naming import named_lots
from lotlaw.lots.queues import SALES, Plan, plan_of
from lotlaw.lots.treatment import Treatment, treatment
from lotlaw.source import Problem, Problems, refuse

if TYPE_CHECKING:
    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.taxpayer import Taxpayer


def matched(
    ledger: Ledger, years: Sequence[Year], taxpayer: Taxpayer, method: str | None, until: date | None, *, held: bool
) -> dict[int, Matched]:
    """See `lotlaw.dispositions.match_years`."""
    law = treatment(years[-1], taxpayer)
    _only_default(law, taxpayer, method)
    events = _events(ledger, law, until or date(years[-1].year, 12, 31))
    transfers = moved(events)
    picks, misnamed = named_lots(events)
    _refuse([*missing(events), *transfers.problems, *misnamed])
    shown = _taxed(law, taxpayer) & pl.col("date").dt.year().is_in([year.year for year in years])
    steps = steps_of(events, transfers, shown)
    plan = plan_of(events, steps, picks, set(events.rows.filter(shown & pl.col("lot").is_not_null())["row"]))
    book = run(plan.moves)
    _refuse(mistakes(events, plan, book))
    sold = pl.concat([_slices(events, plan, book), _at_value(events, shown)])
    _refuse(unknown_sold(events, sold))
    others = reported(events, shown, lambda: _computed(events, steps))
    _refuse(others.problems)
    income = _income(events, shown)
    holding = holdings(events, plan, book) if held else HOLDINGS
    warnings = [*transfers.warnings, *others.warnings]
    return {
        year.year: Matched(
            form_rows(_in(year, pl.concat([sold, others.rows]), "sold"), ledger, year, law, taxpayer["accounts"]),
            holding, _in(year, income, "date"), warnings,
        )
        for year in years
    }  # fmt: skip


def _only_default(law: Treatment, taxpayer: Taxpayer, method: str | None) -> None:
    default = law.said["methods"]["default"]
    orders = {order["method"]: "methods" for order in taxpayer["methods"]}
    for asked, where in {**orders, **({method: "--method"} if method else {})}.items():
        if asked != default:
            raise refuse(where, f"{asked} is not supported yet; lots are taken {default}, or as the column lot names them")


def _events(ledger: Ledger, law: Treatment, until: date) -> Events:
    """The ledger's rows up to a day, checked, with amounts and fees."""
    every = ledger.rows.with_row_index("row").filter(pl.col("date") <= until)
    rows = every.select("row", *(column(every, name) for name in COLUMNS))
    _refuse([*unsupported(ledger, rows, law)])
    _refuse([*unclassed(ledger, rows, law)])
    money = money_of(ledger, law)
    return with_fees(Events(ledger, law, with_amounts(rows, money), FEES, FEES), money)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise Problems(sorted(problems, key=lambda p: (p.place.file, p.place.line)))


def _taxed(law: Treatment, taxpayer: Taxpayer) -> pl.Expr:
    """Whether a row's account is one whose sales are taxed; an account that nobody describes is."""
    taxed = law.said["accounts"]["taxed"]
    untaxed = [name for name, said in taxpayer["accounts"].items() if said.get("kind", taxed[0]) not in taxed]
    return ~pl.col("account").is_in(untaxed) if untaxed else pl.lit(value=True)


def _in(year: Year, rows: pl.DataFrame, day: str) -> pl.DataFrame:
    return rows.filter(pl.col(day).dt.year() == year.year)


def _slices(events: Events, plan: Plan, book: Book) -> pl.DataFrame:
    """What the kernel sold, as rows of Form 8949 take it."""
    cut = book.slices
    steps, ledger = plan.steps, events.ledger
    sale_at, lot_at = pl.Series(cut.sale, dtype=pl.UInt32), plan.opened(book, cut.lot)
    sale, lot = steps["row"].gather(sale_at), steps["row"].gather(lot_at)
    sold = pl.DataFrame({
        "sale": sale, "lot": lot, "asset": steps["asset"].gather(sale_at), "account": steps["account"].gather(sale_at),
        "quantity": plan.quantities(cut.quantity), "acquired": steps["day"].gather(lot_at).cast(pl.Date),
        "acquired_text": words_of(ledger, lot), "sold": ledger.rows["date"].gather(sale),
        "proceeds": pl.Series(cut.proceeds, dtype=pl.Int64), "basis": pl.Series(cut.basis, dtype=pl.Int64),
        "form_1099": of_rows(ledger, "form_1099", sale),
    })  # fmt: skip
    return _as_sold(sold, events)


def _as_sold(rows: pl.DataFrame, events: Events) -> pl.DataFrame:
    nothing = pl.lit(None, pl.String)
    return rows.select(
        "sale", "lot", "asset", class_of(events.ledger).alias("asset_class"), "account", nothing.alias("description"), "quantity",
        "acquired", "acquired_text", "sold", "proceeds", "basis", pl.lit(0, pl.Int64).alias("adjustment"),
        nothing.alias("codes"), nothing.alias("term"), "form_1099",
    )  # fmt: skip


def _at_value(events: Events, shown: pl.Expr) -> pl.DataFrame:
    """Units withheld from what was received: sold on the spot, for what they are worth and cost."""
    rows = events.at_value.join(events.rows.filter(shown).select("row", "date", "form_1099"), on="row", maintain_order="left")
    worth = cents(pl.col("value")).cast(pl.Int64)
    return _as_sold(
        rows.select(
            "asset", "account", "form_1099", sale="row", lot="row", quantity=dollars("units"), acquired="date", sold="date",
            acquired_text=pl.lit(None, pl.String), proceeds=worth, basis=worth,
        ),
        events,
    )  # fmt: skip


def _computed(events: Events, steps: pl.DataFrame) -> pl.DataFrame:
    """The ledger's own sales: account, date, asset, units, proceeds in cents."""
    sales = steps.filter(pl.col("code").is_in(SALES))
    dated = sales.join(events.rows.select("row", "date"), on="row", maintain_order="left")
    return dated.select("account", "date", "asset", "units", proceeds=pl.col("amount").cast(pl.Int64))


def _income(events: Events, shown: pl.Expr) -> pl.DataFrame:
    """Income of the years asked for, exact; `counted` where the return counts it by itself."""
    law = events.treatment
    kinds = [kind.name for kind in law.kinds.values() if kind.income]
    rows = events.rows.filter(pl.col("kind").is_in(kinds) & shown)
    return rows.with_columns(net=pl.col("value") - events.extra("withheld_value")).select(
        "row", "date", "timestamp", "account", asset="in_asset", quantity="in_qty", amount=dollars("net"),
        kind=pl.coalesce("income_type", "kind"),
    ).with_columns(counted=pl.col("kind").is_in(law.said["income"]["counted"]))  # fmt: skip
