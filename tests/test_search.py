"""The search for a plan gives what trying every plan gives."""

from __future__ import annotations

import random
from collections.abc import Mapping

import polars as pl
import pytest
from portfolios import Portfolio, market, plans, portfolio

from lotlaw.plan.bounds import Bounds, bounds
from lotlaw.plan.columns import filed_columns
from lotlaw.plan.goals import CASH, GOALS, LEAST, NEAR, OFFSET, ZERO, Goal, goal_of
from lotlaw.plan.search import search, solve
from lotlaw.rules import load

YEAR = load(2025)
AT_ONCE = 250


def problems(count: int, most: int) -> list[tuple[Portfolio, Goal, Bounds, int]]:
    """Portfolios, each with a goal that there is something to do for."""
    rng = random.Random(2025)  # noqa: S311 (the same portfolios every time)
    made = [portfolio(rng, most) for _ in range(count)]
    limits = [limit for n in range(0, count, AT_ONCE) for limit in bounds_of(made[n : n + AT_ONCE])]
    found = []
    for n, (of, limit) in enumerate(zip(made, limits, strict=True)):
        cash = rng.randint(1, sum(lot.units * lot.price for lot in of.lots))
        for k in range(len(GOALS)):
            name = GOALS[(n + k) % len(GOALS)]
            goal = goal_of(name, limit.base, limit.cap, limit.room, cash)
            if goal and market(of).options.filter(goal.lots).height:
                found.append((of, goal, limit, cash))
                break
    return found


def bounds_of(some: list[Portfolio]) -> list[Bounds]:
    return bounds(YEAR, [(of.known, of.base, bool(of.base)) for of in some])


def objective(goal: Goal, limit: Bounds, cash: int, plan: Mapping[str, int]) -> int | None:
    """What a goal wants least of, written out; None for plans that may not be proposed."""
    cost, before = plan["taxes"] + plan["fees"], limit.base["taxes"]
    if goal.name == LEAST:
        return cost if cost < before else None
    if goal.name == CASH:
        return cost if plan["cash"] >= cash else None
    if plan["taxes"] > before:
        return None
    if goal.name == ZERO:
        return -plan["long_gain"]
    return abs(plan["net_gain"] + (0 if goal.name == OFFSET else limit.cap)) // NEAR


def best_of_all(solved: list[tuple[Portfolio, Goal, Bounds, int]]) -> list[int | None]:
    ways = []
    for of, goal, _, _ in solved:
        lots = market(of).options.filter(goal.lots)["block"].to_list()
        ways.append((of.known, pl.DataFrame(list(plans(of, lots, parts=goal.wanted is not None)))))
    sums = ["cash", "fees", "gain", "long_gain"]
    answers = filed_columns(YEAR, [(known, frame.drop(sums)) for known, frame in ways])
    best = []
    for (_, goal, limit, cash), (_, frame), answer in zip(solved, ways, answers, strict=True):
        told = pl.concat([frame.select(sums), answer], how="horizontal")
        wanted = [objective(goal, limit, cash, plan) for plan in told.iter_rows(named=True)]
        best.append(min((one for one in wanted if one is not None), default=None))
    return best


def found_by(solved: list[tuple[Portfolio, Goal, Bounds, int]], **options: int) -> list[int | None]:
    told = solve(YEAR, [(of.known, search(market(of), goal, **options)) for of, goal, _, _ in solved])
    return [one.keys[0][0] if one.keys else None for one in told]


def test_a_thousand_small_portfolios() -> None:
    solved = problems(1000, 4)
    assert len(solved) == 1000
    assert {goal.name for _, goal, _, _ in solved} == set(GOALS)
    assert found_by(solved) == best_of_all(solved)


def test_the_search_of_large_portfolios_comes_close_on_small_ones() -> None:
    """Without trying every combination (as with many lots): nearly always as good, never better."""
    solved = problems(40, 5)
    found, best = found_by(solved, room=0), best_of_all(solved)
    assert sum(a == b for a, b in zip(found, best, strict=True)) >= len(solved) * 0.95
    assert all(a >= b for a, b in zip(found, best, strict=True) if a is not None and b is not None)


def test_what_a_year_allows_is_that_of_its_parameters() -> None:
    """The most loss deducted is the cap of the status; gain up to the zero-rate ceiling adds no tax."""
    for status, wages in (("single", 30_000), ("married_separate", 40_000), ("married_joint", 0)):
        known = {"filing_status": status, "taxpayer.income.wages": wages * 100, "taxpayer.standard_deduction": True}
        [limit] = bounds(YEAR, [(known, {}, False)])
        deduction, ceiling, cap = (
            YEAR.parameter(name, status) for name in ("standard_deduction", "zero_rate_top", "capital_loss_cap")
        )
        assert limit.cap == cap * 100
        assert limit.room == pytest.approx((ceiling + deduction - wages) * 100, abs=400)
