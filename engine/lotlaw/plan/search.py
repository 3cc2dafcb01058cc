"""Which lots to sell for a goal: a search through whole returns.

Lots come in blocks: a block is one lot, or several that have to be looked at together because one's loss depends on
whether another is sold (wash sales, lots that cannot be named). Of each block nothing or one option is sold; besides,
one lot may be sold in part, to reach what is wanted.

With few blocks every combination is filed. With many, options are put in several orders (most loss for the money first,
largest first, ...), every beginning of each order is filed, and the best is improved by putting one option in or out at
a time, as long as that helps. The search yields frames of totals and is sent what they come to, so that many searches
can be filed at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lotlaw.law import Year
from lotlaw.plan.columns import FILED, Known, filed_columns
from lotlaw.plan.goals import Goal
from lotlaw.plan.market import SIZES, WHOLE, Market, divisible, in_part, whole_only

ROOM = 2**16
"""Rows that are filed at once where every combination is tried."""
NEAR = 16
"""Lots that are tried in part, after a beginning of an order."""
ROUNDS = 6
"""How often a plan is improved at most."""
LARGEST = 2**13
"""Options that are put in or out, the largest, where there are more."""

Asking = Generator[pl.DataFrame, pl.DataFrame, pl.DataFrame]
Key = tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """A plan: by block, the option that is sold whole; and of one block so many steps (`part`, `steps`)."""

    whole: Mapping[int, int]
    part: int = WHOLE
    steps: int = 0


@dataclass(frozen=True)
class Found:
    """The best plans, best first, each with its key (`Goal.better`, in cents); whether every combination was tried."""

    choices: tuple[Choice, ...]
    keys: tuple[Key, ...]
    every: bool


Search = Generator[pl.DataFrame, pl.DataFrame, Found]


def solve(year: Year, searches: Sequence[tuple[Known, Search]]) -> list[Found]:
    """Carry out searches side by side: what they ask for is filed together."""
    found: dict[int, Found] = {}
    asked = {n: next(search) for n, (_, search) in enumerate(searches)}
    while asked:
        answers = filed_columns(year, [(searches[n][0], frame) for n, frame in asked.items()])
        told, asked = dict(zip(asked, answers, strict=True)), {}
        for n, answer in told.items():
            try:
                asked[n] = searches[n][1].send(answer)
            except StopIteration as end:
                found[n] = end.value
    return [found[n] for n in range(len(searches))]


def search(market: Market, goal: Goal, best: int = 3, room: int = ROOM) -> Search:
    """The best plans for a goal; `room` is how many rows may be filed to try every combination."""
    options = market.options.filter(goal.lots)
    count = 1 if goal.wanted is None else 1 + divisible(options).height * SIZES.height
    for size in options.group_by("block", maintain_order=True).len()["len"]:
        count *= size + 1
        if count > room:
            return (yield from _ordered(market, goal, options, best))
    return (yield from _every(market, goal, options, best))


def _ranked(market: Market, goal: Goal, rows: pl.DataFrame) -> Asking:
    """The plans that may be proposed, best first, each result once, with their keys; asks what they come to."""
    filed = (pl.lit(market.sales) | (pl.col("sold") > 0)).alias(FILED)
    answer = yield rows.select(*market.totals, filed)
    names = [f"key {n}" for n in range(len(goal.better))]
    told = pl.concat([rows, answer], how="horizontal")
    told = told.with_columns(key.alias(name) for key, name in zip(goal.better, names, strict=True))
    good = told.filter(goal.good & (pl.col("sold") > 0))
    return good.sort(names, maintain_order=True).unique(names, keep="first", maintain_order=True)


def _key(row: Mapping[str, Any], goal: Goal) -> Key:
    return tuple(row[f"key {n}"] for n in range(len(goal.better)))


# Every combination


def _every(market: Market, goal: Goal, options: pl.DataFrame, best: int) -> Search:
    states, places, radix = market.nothing().with_columns(code=pl.lit(0, pl.Int64)), {}, 1
    for (block,), mine in options.group_by("block", maintain_order=True):
        taken = market.summed(mine).with_columns(code=(pl.int_range(pl.len()) + 1) * radix)
        none = taken.select(pl.lit(0, pl.Int64).alias(name) for name in taken.columns).head(1)
        states = _sums(states.join(pl.concat([none, taken]), how="cross", suffix=" more"))
        places[block] = (radix, [0, *mine["option"]])
        radix *= mine.height + 1
    parts = _left(market, goal, states, options, places) if goal.wanted is not None else []
    ranked = yield from _ranked(market, goal, pl.concat([whole_only(states), *parts]))
    top = ranked.head(best).rows(named=True)
    choices = (Choice(_decoded(row["code"], places), row["part"], row["steps"]) for row in top)
    return Found(tuple(choices), tuple(_key(row, goal) for row in top), every=True)


def _sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what their columns ` more` add to the others."""
    more = [name for name in rows.columns if name.endswith(" more")]
    return rows.with_columns(pl.col(name.removesuffix(" more")) + pl.col(name) for name in more).drop(more)


def _left(
    market: Market, goal: Goal, states: pl.DataFrame, options: pl.DataFrame, places: Mapping[Any, Any]
) -> list[pl.DataFrame]:
    """The states with each of the lots that they leave, in part."""
    lots = divisible(options)
    radix = [places[block][0] for block in lots["block"]]
    lots = lots.with_columns(pl.Series("radix", radix, dtype=pl.Int64))
    return [in_part(market, goal, states, lots, pl.col("code") // pl.col("lot radix") % 2 == 0)]


def _decoded(code: int, places: Mapping[Any, Any]) -> dict[int, int]:
    """By block, the option that a state takes."""
    taken = {block: options[code // radix % len(options)] for block, (radix, options) in places.items()}
    return {block: option for block, option in taken.items() if option}


# Beginnings of orders, improved


def _ordered(market: Market, goal: Goal, options: pl.DataFrame, best: int) -> Search:
    orders = list(in_orders(goal, options))
    begun = [_beginnings(market, order).with_columns(order=pl.lit(n)) for n, order in enumerate(orders)]
    parts = [part for n, rows in enumerate(begun) for part in _parted(market, goal, rows, orders[n])]
    ranked = yield from _ranked(market, goal, pl.concat([*map(whole_only, begun), *parts]))
    if ranked.is_empty():
        return Found((), (), every=False)
    top = ranked.head(best).rows(named=True)
    choices = [Choice(_begun(orders[row["order"]], row["k"]), row["part"], row["steps"]) for row in top]
    keys = [_key(row, goal) for row in top]
    choice, key = yield from _improved(market, goal, options, choices[0], keys[0])
    if key < keys[0]:
        choices, keys = [choice, *choices], [key, *keys]
    return Found(tuple(choices[:best]), tuple(keys[:best]), every=False)


def in_orders(goal: Goal, options: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The largest option of each block, in the orders that are tried; the first is that of the picture."""
    size = pl.col(goal.measure).abs()
    largest = options.sort(size, descending=True, maintain_order=True).unique(
        "block", keep="first", maintain_order=True
    )
    gain, cash = pl.col("gain").cast(pl.Int128) * 10**9, pl.max_horizontal(pl.col("cash"), pl.lit(1)).cast(pl.Int128)
    short = pl.when("long").then(0).otherwise(1)
    rate = gain // cash
    if goal.measure == "gain":
        keys = [[rate], [short * -1, rate], [pl.col("gain")], [-pl.col("gain")]]
    elif goal.measure == "long_gain":
        keys = [[rate * -1], [-pl.col("gain")], [pl.col("gain")]]
    else:
        heavy = pl.when(pl.col("long")).then(rate).otherwise(rate * 2)
        losing = pl.col("gain") > 0
        keys = [[rate], [heavy], [losing, -pl.col("cash")], [-pl.col("cash")], [pl.col("gain")]]
    yield from (largest.sort(key, maintain_order=True) for key in keys)


def _beginnings(market: Market, order: pl.DataFrame) -> pl.DataFrame:
    """The sums of each beginning of an order, `k` options of it, none to all."""
    base = market.nothing()
    running = market.summed(order).select(pl.col(name).cum_sum() + base[name][0] for name in market.sums)
    return pl.concat([base, running]).with_columns(k=pl.int_range(pl.len(), dtype=pl.Int64))


def _parted(market: Market, goal: Goal, begun: pl.DataFrame, order: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The last beginnings that do not reach what is wanted, with each of the next lots in part."""
    if goal.wanted is None:
        return
    short_of = begun.filter(pl.col(goal.measure).abs() < abs(goal.wanted))
    for n in sorted({0, *short_of.tail(2)["k"]}):
        lots = divisible(order.slice(n, NEAR))
        if lots.height:
            yield in_part(market, goal, begun.filter(pl.col("k") == n), lots, pl.lit(value=True))


def _begun(order: pl.DataFrame, k: int) -> dict[int, int]:
    return dict(order.head(k).select("block", "option").iter_rows())


def _improved(
    market: Market, goal: Goal, options: pl.DataFrame, choice: Choice, key: Key
) -> Generator[pl.DataFrame, pl.DataFrame, tuple[Choice, Key]]:
    """The plan with options put in or out, one at a time, as long as it gets better."""
    tried = options.sort(pl.col(goal.measure).abs(), descending=True, maintain_order=True).head(LARGEST)
    for _ in range(ROUNDS):
        rows = _changed(market, options, tried, choice)
        parts = _refilled(market, goal, rows, divisible(options), choice) if goal.wanted is not None else []
        ranked = yield from _ranked(market, goal, pl.concat([whole_only(rows), *parts]))
        if ranked.is_empty():
            break
        row = ranked.row(0, named=True)
        if _key(row, goal) >= key:
            break
        whole = {**choice.whole, row["block"]: row["option"]}
        choice = Choice({b: o for b, o in whole.items() if o}, row["part"], row["steps"])
        key = _key(row, goal)
    return choice, key


def _refilled(market: Market, goal: Goal, rows: pl.DataFrame, lots: pl.DataFrame, choice: Choice) -> list[pl.DataFrame]:
    """The changed plans with a lot in part: of those that they leave, or the one that was just taken out."""
    own = pl.col("block") == choice.part
    lots = lots.with_columns(taken=pl.col("block").is_in(list(choice.whole))).sort(~own, maintain_order=True)
    many = NEAR if rows.height < LARGEST else 1
    some = pl.concat([lots.filter(~pl.col("taken")).head(many), lots.filter("taken").head(many)])
    same = pl.col("block") == pl.col("lot block")
    return [in_part(market, goal, rows, some, (same & (pl.col("option") == 0)) | ~(same | pl.col("lot taken")))]


def _changed(market: Market, options: pl.DataFrame, tried: pl.DataFrame, choice: Choice) -> pl.DataFrame:
    """The whole lots of a plan with one block changed: another option of it, or none (`option` 0)."""
    chosen = pl.DataFrame(list(choice.whole.items()), schema={"block": pl.Int64, "option": pl.Int64}, orient="row")
    mine = options.join(chosen, on=["block", "option"], how="semi", maintain_order="left")
    state = pl.concat([market.nothing(), market.summed(mine)]).sum()
    own = market.summed(mine).with_columns(mine["block"])
    now = tried.select("block", "option").join(chosen, on=["block", "option"], how="semi")
    delta = pl.concat([market.summed(tried), tried.select("block", "option")], how="horizontal")
    both = delta.join(own, on="block", how="left", suffix=" own", maintain_order="left")
    out = pl.struct("block", "option").is_in(now.to_struct().implode()) if now.height else pl.lit(value=False)
    return both.select(
        *(
            (pl.when(out).then(0).otherwise(name) - pl.col(f"{name} own").fill_null(0) + state[name][0]).alias(name)
            for name in market.sums
        ),
        "block",
        option=pl.when(out).then(0).otherwise("option"),
    )
