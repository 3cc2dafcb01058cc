"""`lotlaw harvest`: which lots to sell for a goal, and what the year comes to then.

What may be sold is found by selling it (`offers`), plans by a search through whole returns (`search`), and every plan
that is shown is filed by `lotlaw.run.compute`, as `lotlaw file` would: its tax is that return's. A plan whose return is
worse than none is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from lotlaw.law import Year
from lotlaw.plan.bounds import Bounds, bounds
from lotlaw.plan.calendar import calendar
from lotlaw.plan.columns import FILED, cents, filed_columns, known_of
from lotlaw.plan.given import Given
from lotlaw.plan.goals import CASH, LEAST, TITLES, ZERO, Goal, goal_of
from lotlaw.plan.holdings import holdings_of
from lotlaw.plan.market import Market
from lotlaw.plan.offers import Offer, offer
from lotlaw.plan.sales import Sale, rows_of_sales, with_sales
from lotlaw.plan.search import Choice, Found, in_orders, search, solve
from lotlaw.plan.sellable import Costs
from lotlaw.plan.years import Filed, assumptions, chain, filed, projected
from lotlaw.run import Return, compute
from lotlaw.source import refuse

POINTS = 160
"""Points of the picture of the tax as more is sold."""
PLANS = 3
"""Plans that are looked at for one goal."""


@dataclass(frozen=True)
class Plan:
    """Sales for a goal, and the return filed with them. `every`: they were found by trying every combination."""

    goal: str
    sales: tuple[Sale, ...]
    after: Return
    every: bool

    @property
    def taxes(self) -> Decimal:
        """All taxes that gains move."""
        return sum(self.after.taxes.values(), Decimal(0))

    @property
    def fees(self) -> Decimal:
        """What the sales cost."""
        return sum((sale.fee for sale in self.sales), Decimal(0))

    @property
    def rows(self) -> pl.DataFrame:
        """What the sales put on Form 8949, with `n`, the sale's number."""
        return rows_of_sales(self.after.ledger, self.after.rows, self.sales)

    @property
    def cash(self) -> Decimal:
        """What the sales bring, fees taken off."""
        return Decimal(int(self.rows["proceeds"].sum())).scaleb(-2)

    @property
    def gain(self) -> Decimal:
        """The gain or loss on Form 8949, what wash sales disallow left out."""
        return Decimal(int(self.rows["gain"].sum())).scaleb(-2)


@dataclass(frozen=True)
class Harvest:
    """What was found: the best plan of each goal, what costs least first, and why a goal has none.

    `order`: options in the order in which the picture sells them; `calendar`: days that matter.
    """

    day: date
    base: Return
    offer: Offer
    bounds: Bounds
    plans: tuple[Plan, ...]
    none: Mapping[str, str]
    years: tuple[tuple[Filed, ...], tuple[Filed, ...]]
    assumed: tuple[str, ...]
    calendar: tuple[tuple[date, str], ...]
    order: pl.DataFrame | None

    @property
    def best(self) -> Plan | None:
        """The plan that costs least."""
        return self.plans[0] if self.plans else None


def harvest(
    given: Given, year: Year, day: date, goals: Sequence[str], costs: Costs, *, cash: Decimal | None = None,
    count: int = 1, tell: Callable[[str], object] = len,
) -> Harvest:  # fmt: skip
    """Plans for goals, in their order, with sales at the end of a day. Raises Problems."""
    _refuse_past(given, year, day)
    tell("filing the year as it stands")
    base = compute(year, given.ledger, given.person, document=given.document)
    held = holdings_of(given, day)
    tell(f"selling each of {held.lots.height:,} lots to see what comes of it")
    offered = offer(given, year, held, base, costs)
    known, market = known_of(base), offered.market
    limits = bounds(year, [(known, market.base, market.sales)], untaxed=ZERO in goals)[0]
    wanted = {name: goal_of(name, limits.base, limits.cap, limits.room, cents(cash or Decimal(0))) for name in goals}
    sought = {name: goal for name, goal in wanted.items() if goal and market.options.height}
    tell(f"searching for {len(sought)} goals")
    found = solve(year, [(known, search(market, goal, PLANS)) for goal in sought.values()])
    plans: list[Plan] = []
    for (name, goal), one in zip(sought.items(), found, strict=True):
        tell(f"filing the plan: {TITLES[name].lower()}")
        plans += _filed(given, year, base, offered, goal, one)
    none = {name: _why(name, wanted[name], market) for name in goals if name not in {plan.goal for plan in plans}}
    plans.sort(key=lambda plan: (plan.taxes + plan.fees, len(plan.sales), plan.cash))
    years, assumed = _over(given, year, base, plans, count)
    first = next(iter(sought.values()), None)
    order = next(in_orders(first, market.options.filter(first.lots)), None) if first else None
    dates = tuple(calendar(offered, plans[0].sales if plans else (), plans[0].rows if plans else None))
    return Harvest(day, base, offered, limits, tuple(plans), none, years, assumed, dates, order)


def _refuse_past(given: Given, year: Year, day: date) -> None:
    """A plan comes after what has happened."""
    if day.year != year.year:
        raise refuse("--on", f"{day} is not in {year.year}; a plan is for sales of the year")
    last = given.ledger.rows.filter(pl.col("date").dt.year() <= year.year)["date"].max()
    if isinstance(last, date) and last > day:
        raise refuse("--on", f"the ledger goes on until {last}; a plan comes after it, so on {last} or later")


def _filed(given: Given, year: Year, base: Return, offered: Offer, goal: Goal, found: Found) -> Iterator[Plan]:
    """The first plan found whose return is as good as promised."""
    before = sum(base.taxes.values(), Decimal(0))
    for choice in found.choices:
        sales = sales_of(offered, choice)
        ledger = with_sales(offered.ledger, sales)
        after = compute(year, ledger, given.person, document=given.document)
        plan = Plan(goal.name, tuple(sales), after, found.every and offered.every)
        if _holds(plan, goal, before):
            yield plan
            return


def _holds(plan: Plan, goal: Goal, before: Decimal) -> bool:
    """Whether the return filed with a plan is as good as the search said."""
    if goal.name == CASH:
        return cents(plan.cash) >= (goal.wanted or 0)
    return plan.taxes + plan.fees < before if goal.name == LEAST else plan.taxes <= before


def sales_of(offered: Offer, choice: Choice) -> list[Sale]:
    """The sales that a choice stands for, in the order of the lots."""
    whole = sorted(n for block, option in choice.whole.items() for n in offered.blocks[block][option - 1])
    sales = [offered.sale(n) for n in whole]
    return [*sales, offered.sale(offered.blocks[choice.part][0][0], choice.steps)] if choice.steps else sales


def _why(name: str, goal: Goal | None, market: Market) -> str:
    """Why there is no plan for a goal."""
    if goal is None:
        return {
            "offset": "there is no net gain to offset",
            "allowance": "the loss that may be deducted is used already",
            "zero": "any more gain would be taxed",
        }.get(name, "nothing to do")
    if market.options.filter(goal.lots).is_empty():
        return "no lot that could be sold for it"
    return "not enough can be sold" if name == CASH else "no sale of what is held makes the year better"


def _over(
    given: Given, year: Year, base: Return, plans: Sequence[Plan], count: int
) -> tuple[tuple[tuple[Filed, ...], tuple[Filed, ...]], tuple[str, ...]]:
    """The years to come without and with the first plan."""
    if count < 2 or not plans:
        return ((), ()), ()
    rules = projected(given, year, count)
    ways = (chain(given, rules, ledger, None) for ledger in (base.ledger, plans[0].after.ledger))
    without, with_ = (tuple(filed(return_) for return_ in way) for way in ways)
    return (without, with_), tuple(assumptions(rules))


def curve(found: Harvest) -> pl.DataFrame:
    """The taxes as more and more is sold, in the order of the first goal that has lots: cash, gain, taxes in cents."""
    if found.order is None or found.order.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(("cash", "gain", "taxes"), pl.Int64))
    market, nothing = found.offer.market, found.offer.market.nothing()
    sums = market.summed(found.order)
    running = pl.concat([nothing - nothing, sums.select(pl.all().cum_sum())])
    taxes = _taxes(found, running)
    moving = (taxes != taxes.shift(1, fill_value=taxes[0])).arg_true()
    last = min(sums.height, int(moving[-1] if len(moving) else 0) * 5 // 4 + 1)
    points = pl.concat(_between(running, last * n, POINTS) for n in range(POINTS + 1)).unique(maintain_order=True)
    return points.select("cash", "gain").with_columns(_taxes(found, points))


def _taxes(found: Harvest, sums: pl.DataFrame) -> pl.Series:
    market, base = found.offer.market, found.offer.market.nothing()
    totals = sums.select(*(pl.col(name) + base[name][0] for name in market.totals), pl.lit(value=True).alias(FILED))
    return filed_columns(found.base.year, [(known_of(found.base), totals)])[0]["taxes"]


def _between(running: pl.DataFrame, at: int, parts: int) -> pl.DataFrame:
    """The sums so many parts of the way along the beginnings; only for a drawing."""
    low, share = divmod(at, parts)
    here, after = running.slice(low, 1), running.slice(min(low + 1, running.height - 1), 1)
    return here.select(pl.col(name) + (after[name][0] - pl.col(name)) * share // parts for name in running.columns)
