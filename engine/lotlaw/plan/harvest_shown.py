"""What `lotlaw harvest` found, as text, for programs, for spreadsheets, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.lots.methods import identified
from lotlaw.plan.care import not_refigured, words_of_care
from lotlaw.plan.charts import Chart, field, tooltip
from lotlaw.plan.compared import (
    SOLD,
    in_dollars,
    rows_json,
    rows_table,
    side_by_side,
    sides_json,
    sides_table,
    years_json,
    years_table,
)
from lotlaw.plan.goals import TITLES
from lotlaw.plan.harvest import Harvest, Plan, curve
from lotlaw.plan.pages import Part, of_chart, page
from lotlaw.plan.sellable import MADE
from lotlaw.plan.text import Block, Table, dollars, wrapped
from lotlaw.rendering.amounts import printed

ROWS = 30
"""Sales that the screen shows; the files have all."""
STANDS = "As it stands"


def harvest_text(found: Harvest) -> Iterator[Block]:
    """The plans ranked, the first in full, days to mind, words of care."""
    year, best = found.base.year, found.best
    status = year.statuses[found.base.taxpayer["filing_status"]]
    yield [(f"{year.year}, {status}: what could be sold on {found.day}", "title")]
    yield ""
    yield ranked(found)
    yield from [""] if found.none else []
    yield from wrapped([f"{TITLES[name]}: {why}" for name, why in found.none.items()], "faint")
    if best:
        yield from _in_full(found, best)
    if found.calendar:
        yield ""
        yield [("Days to mind", "title")]
        yield from ([(f"{day}  {said}", "")] for day, said in found.calendar)
    yield ""
    yield from wrapped(notes(found), "warning")
    yield from wrapped(care_of(found), "faint")


def _in_full(found: Harvest, best: Plan) -> Iterator[Block]:
    yield ""
    yield [(f"{TITLES[best.goal]}: {len(best.sales):,} sale{'s' * (len(best.sales) != 1)}", "title")]
    yield sales_table(best, ROWS)
    if len(best.sales) > ROWS:
        yield f"and {len(best.sales) - ROWS:,} more, in the files of --out"
    yield ""
    yield sides_table(found.base, best.after)
    if found.years[0]:
        yield ""
        yield [("Over years", "title")]
        yield years_table(*found.years)


def ranked(found: Harvest) -> Table:
    """Every plan, what costs least first, below the year as it stands."""
    rows = [
        ("", STANDS, "", "", "", "", *_taxes(found, sum(found.base.taxes.values(), Decimal(0))), _carried(found.base))
    ]
    rows += [
        (
            str(rank), TITLES[plan.goal], f"{len(plan.sales):,}", dollars(plan.cash), dollars(plan.gain),
            dollars(plan.fees), *_taxes(found, plan.taxes), _carried(plan.after),
        )
        for rank, plan in enumerate(found.plans, 1)
    ]  # fmt: skip
    titles = ("", "plan", "sales", "brings", "realizes", "fees", "taxes", "change", "carried on")
    table = side_by_side(titles, rows, left=2)
    return Table(table.titles, table.rows, table.right, frozenset({"4"}))


def _taxes(found: Harvest, taxes: Decimal) -> tuple[str, str]:
    change = taxes - sum(found.base.taxes.values(), Decimal(0))
    return printed(taxes, whole=True), printed(change, whole=True) if change else ""


def _carried(return_: Any) -> str:
    return printed(sum(return_.carryover.values(), Decimal(0)), whole=True)


def sales_table(plan: Plan, most: int | None = None) -> Table:
    """The sales of a plan: how much of which lot, what it brings and realizes; ids that the ledger has of lots."""
    lots = [
        (n, sale.account, None if (sale.lot or MADE).startswith(MADE) else sale.lot)
        for n, sale in enumerate(plan.sales)
    ]
    told = pl.DataFrame(lots, schema={"n": pl.Int64, "place": pl.String, "lot id": pl.String}, orient="row")
    rows = (plan.rows.head(most) if most else plan.rows).join(told, on="n", how="left", maintain_order="left")
    rows = rows.with_columns(account="place")
    return rows_table(rows, more=["account", *(["lot id"] if rows["lot id"].count() else [])])


def notes(found: Harvest) -> list[str]:
    """How the plans were found, what must be done for them to hold, where prices come from."""
    every = {plan.every for plan in found.plans}
    how = {
        frozenset({True}): "Found by filing every combination of the lots that may be sold",
        frozenset({False}): SEARCHED,
        frozenset(
            {True, False}
        ): f"Found by filing every combination where that can be done; else {SEARCHED[0].lower()}{SEARCHED[1:]}",
    }
    said = [how[frozenset(every)]] if every else []
    if found.best:
        said += [*_to_name(found, found.best), *_uses(found)]
        new = [warning for warning in found.best.after.warnings if warning not in found.base.warnings]
        said += new
    return [*said, *found.offer.held.notes]


SEARCHED = (
    "Found by filing every beginning of several orders of the lots, the best of them improved by one lot at a time; "
    "another plan could be better by a little"
)


def _to_name(found: Harvest, plan: Plan) -> Iterator[str]:
    """By when the lots must be named."""
    law, classes = found.offer.wash.law, found.base.ledger.classes
    pools = {classes[sale.asset]: None for sale in plan.sales if sale.lot}
    for cite, by in sorted({(identified(law, name)["cite"]["at"], identified(law, name)["by"]) for name in pools}):
        yield f"The lots hold only if they are identified, to a broker who holds them, no later than the {by} ({cite})"


def _uses(found: Harvest) -> Iterator[str]:
    """Losses that a plan takes from years to come."""
    before = sum(found.base.carryover.values(), Decimal(0))
    for plan in found.plans:
        used = before - sum(plan.after.carryover.values(), Decimal(0))
        if used > 0:
            yield f"{TITLES[plan.goal]}: it uses {printed(used, whole=True)} of losses that would be carried on"


def care_of(found: Harvest) -> list[str]:
    """Words of care, and what is not figured again."""
    return words_of_care([found.base.year], [*found.assumed, not_refigured(found.base.not_computed)])


def harvest_json(found: Harvest) -> dict[str, Any]:
    """What was found, for programs."""
    year = found.base.year
    return {
        "plan": "harvest",
        "tax_year": year.year,
        "rules": {"year": year.year, "digest": year.digest, "status": year.status},
        "on": found.day.isoformat(),
        "taxes": f"{sum(found.base.taxes.values(), Decimal(0)):f}",
        "most_loss_deducted": _dollars(found.bounds.cap),
        "most_gain_untaxed": _dollars(found.bounds.room),
        "plans": [_plan_json(found, plan) for plan in found.plans],
        "none": dict(found.none),
        "years": years_json(*found.years),
        "calendar": [{"day": day.isoformat(), "what": said} for day, said in found.calendar],
        "notes": notes(found),
        "assumed": list(found.assumed),
        "not_computed": found.base.not_computed,
        "care": care_of(found),
    }


def _dollars(cents: int) -> str:
    return f"{Decimal(cents).scaleb(-2):f}"


def _plan_json(found: Harvest, plan: Plan) -> dict[str, Any]:
    return {
        "goal": plan.goal, "every_combination": plan.every, "taxes": f"{plan.taxes:f}", "fees": f"{plan.fees:f}",
        "brings": f"{plan.cash:f}", "realizes": f"{plan.gain:f}", "sales": rows_json(plan.rows),
        "lots": [sale.lot for sale in plan.sales], "results": sides_json(found.base, plan.after),
    }  # fmt: skip


def harvest_table(found: Harvest) -> pl.DataFrame:
    """The sales of every plan, for spreadsheets."""
    said = [pl.lit(rank).alias("rank") for rank in range(1, len(found.plans) + 1)]
    parts = [
        in_dollars(plan.rows).select(rank, pl.lit(plan.goal).alias("goal"), *SOLD)
        for rank, plan in zip(said, found.plans, strict=True)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=["rank", "goal", *SOLD])


def harvest_page(found: Harvest) -> str:
    """What was found, as a page."""
    year, best = found.base.year, found.best
    without = sum(found.base.taxes.values(), Decimal(0))
    figures = {"Taxes as it stands": dollars(without, cents=False)}
    if best:
        figures |= {
            TITLES[best.goal]: dollars(best.taxes, cents=False),
            "Change": dollars(best.taxes - without, cents=False),
        }
    none = " ".join(f"{TITLES[name]}: {why}." for name, why in found.none.items())
    parts = [Part("Plans", ranked(found), none), *_parts(found)]
    status = year.statuses[found.base.taxpayer["filing_status"]]
    lede = f"{status}: what could be sold on {found.day}. {'. '.join(notes(found))}"
    return page(f"Harvest: {year.year}", lede, parts, year, figures=figures, care=care_of(found))


def _parts(found: Harvest) -> Iterator[Part]:
    best = found.best
    points = curve(found)
    if points.height > 1:
        yield of_chart("The tax as more is sold", _curve(found, points))
    if best:
        yield Part(f"{TITLES[best.goal]}: what is sold", sales_table(best))
        yield Part("Side by side", sides_table(found.base, best.after))
    if found.years[0]:
        if any(one.carried for way in found.years for one in way):
            yield of_chart("Losses carried on", _run_down(found))
        yield Part("Over years", years_table(*found.years))
    if found.calendar:
        rows = [(day.isoformat(), said) for day, said in found.calendar]
        yield Part("Days to mind", side_by_side(("day", "what"), rows, left=2))


def _curve(found: Harvest, points: pl.DataFrame) -> Chart:
    """A line: taxes by what is sold; and a dot for each plan."""
    rows = [
        ("sold in order", *(_dollars(row[name]) for name in ("cash", "gain", "taxes")))
        for row in points.iter_rows(named=True)
    ]
    rows += [(TITLES[plan.goal], f"{plan.cash:f}", f"{plan.gain:f}", f"{plan.taxes:f}") for plan in found.plans]
    columns = {"what": "", "cash": "brings", "gain": "realizes", "taxes": "taxes"}
    kinds = dict.fromkeys(("cash", "gain", "taxes"), "number")
    x = field("cash", "quantitative", "dollars that the sales bring", axis={"format": "~s"})
    y = field("taxes", "quantitative", "taxes", scale={"zero": False, "padding": 12}, axis={"format": ",.0f"})
    line = {"x": x, "y": y, "tooltip": tooltip(columns, kinds)}
    drawing = {
        "height": 300,
        "layer": [
            {
                "mark": {"type": "line", "interpolate": "linear"}, "encoding": line,
                "transform": [{"filter": "datum.what == 'sold in order'"}],
            },
            {
                "mark": {"type": "point", "size": 110, "filled": True, "opacity": 0.9},
                "transform": [{"filter": "datum.what != 'sold in order'"}],
                "encoding": {**line, "color": field("what", "nominal", None)},
            },
        ],
    }  # fmt: skip
    about = (
        "Taxes as lots are sold one after another, those with the most loss for the money first; dots are the plans."
    )
    shown = [(what, *(dollars(Decimal(cell)) for cell in cells)) for what, *cells in rows]
    return Chart("curve", "", about, drawing, columns, kinds, rows, shown)


def _run_down(found: Harvest) -> Chart:
    """Bars by year: the losses carried on, without and with the plan."""
    ways = zip(("without", "with"), found.years, strict=True)
    rows = [(str(one.year), way, f"{one.carried:f}") for way, years in ways for one in years]
    columns, kinds = {"year": "year", "way": "", "amount": "carried on"}, {"amount": "number"}
    drawing = {
        "mark": "bar", "height": 220,
        "encoding": {
            "x": field("year", "ordinal", None, axis={"labelAngle": 0}), "xOffset": field("way", "nominal", sort=None),
            "y": field("amount", "quantitative", "losses carried on, dollars", axis={"format": "~s"}),
            "color": field("way", "nominal", None, sort=None), "tooltip": tooltip(columns, kinds),
        },
    }  # fmt: skip
    about = f"What of the losses is left at the end of each year. {'. '.join(found.assumed)}"
    shown = [(year, way, dollars(Decimal(amount))) for year, way, amount in rows]
    return Chart("carried", "", about, drawing, columns, kinds, rows, shown)
