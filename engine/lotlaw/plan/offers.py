"""What of the lots held may be sold, and what each sale would put on Form 8949: worked out by selling it.

Every lot is sold at its price in one ledger that is filed as any is; so basis, term, box and kind are the lot engine's,
not guessed from the holdings. Lots whose loss depends on what else is sold are looked at together: what was bought
shortly before may replace them (wash sales), and what cannot be named is sold in the order that holds for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

import polars as pl

from lotlaw.dispositions import Rates, match
from lotlaw.law import Year
from lotlaw.ledger import Ledger
from lotlaw.lots.treatment import treatment
from lotlaw.plan.columns import cents, total_name, totals_by_column
from lotlaw.plan.given import Given
from lotlaw.plan.holdings import Holdings
from lotlaw.plan.market import SCALE, STEP, Market
from lotlaw.plan.sales import Sale, named, rounded, rows_of_sales, with_sales
from lotlaw.plan.sellable import Costs, ids_of, sellable, step_of
from lotlaw.plan.windows import Windows, windows
from lotlaw.run import GROUP, Return, rates_of
from lotlaw.source import Place

PLAN = "plan"
"""What the rows of a plan's sales are called in place of a file."""
FEW = 4
"""Lots of which every combination is looked at where they have to be looked at together."""
CUTS = ((2**8, 16), (2**13, 8))
"""How many beginnings are looked at of up to so many lots; of more, half and all."""
LETTERS = {"d": "proceeds", "e": "basis", "g": "adjustment", "h": "gain"}
"""Columns of the form that are totalled, and what they show."""


@dataclass(frozen=True)
class Offer:
    """Lots that can be sold on a day, and what comes of it.

    `ledger` names every lot that can be named; `lots` are those of `lotlaw.plan.sellable`, by number; `blocks` the lots
    of each option of each block of `market`.
    """

    ledger: Ledger
    held: Holdings
    costs: Costs
    lots: Sequence[Mapping[str, Any]]
    blocks: Mapping[int, Sequence[Sequence[int]]]
    market: Market
    wash: Windows

    @property
    def every(self) -> bool:
        """Whether the options of its blocks are all that there are."""
        return all(len(max(choices, key=len)) <= FEW for choices in self.blocks.values())

    def sale(self, n: int, steps: int = 0) -> Sale:
        """The sale of a lot, whole or so many steps of it."""
        lot = self.lots[n]
        quantity = step_of(lot) * steps if steps else lot["quantity"]
        fee = self.costs.of(rounded(quantity * lot["price"]))
        at = (lot["asset"], lot["account"], quantity, lot["price"], self.held.day, fee, lot["id"], lot["price_from"])
        return Sale(*at, place=Place(PLAN, n + 1))


@dataclass(frozen=True)
class _Engine:
    """What sells lots to see what comes of it."""

    given: Given
    year: Year
    rates: Rates
    draft: Offer

    def rows(self, ledger: Ledger, sales: Sequence[Sale]) -> tuple[Ledger, pl.DataFrame]:
        """The ledger with the sales, and the year's rows of Form 8949."""
        both, given = with_sales(ledger, sales), self.given
        return both, match(both, self.year, given.person, rates=self.rates, document=given.document).dispositions


def offer(given: Given, year: Year, held: Holdings, base: Return, costs: Costs) -> Offer:
    """What may be sold at the end of the day that `held` is of; `base` is the year without a plan. Raises Problems."""
    law = treatment(year, given.person)
    lots = sellable(held, law, given.person, costs)
    lots = lots.with_columns(pl.Series("id", ids_of(given.ledger, law, given.person, lots), dtype=pl.String))
    ids = {row: id_ for row, id_ in zip(lots["lot"], lots["id"], strict=True) if id_}
    market = Market(
        pl.DataFrame(), totals_by_column(year, base.rows), base.rows.height > 0, cents(costs.fee),
        int(costs.rate * 10**6), cents(costs.least),
    )  # fmt: skip
    wash = windows(given.ledger, year, given.person)
    draft = Offer(named(given.ledger, ids), held, costs, lots.rows(named=True), {}, market, wash)
    engine = _Engine(given, year, rates_of(year, given.ledger, given.person), draft)
    tied = _tied(draft)
    free = sorted({*range(lots.height)} - {n for group in tied for n in group})
    joint = list(_together(engine, tied, lots.height))
    frames = [_alone(engine, free), *(frame for _, _, frame in joint)]
    options = pl.concat([frame for frame in frames if frame.height] or frames[:1], how="diagonal")
    blocks = {n: [[n]] for n in free} | {block: choices for block, choices, _ in joint}
    return replace(draft, blocks=blocks, market=replace(market, options=options))


def _tied(draft: Offer) -> list[list[int]]:
    """Lots that have to be looked at together: losses and what was bought lately, and those that cannot be named."""
    groups: dict[Any, list[int]] = {}
    day, days = draft.held.day, draft.ledger.rows["date"]
    assets = sorted({lot["asset"] for lot in draft.lots})
    lately = {asset for asset in assets if draft.wash.replaced(asset, day).height}
    for n, lot in enumerate(draft.lots):
        loses = lot["unrealized"] < draft.costs.of(lot["value"])
        replaces = days[lot["lot"]] >= draft.wash.earliest(day)
        if lot["id"] is None or (lot["asset"] in lately and (loses or replaces)):
            groups.setdefault(draft.wash.families.get(lot["asset"], frozenset({lot["asset"]})), []).append(n)
    return list(groups.values())


def _alone(engine: _Engine, lots: Sequence[int]) -> pl.DataFrame:
    """An option a lot, all sold at once, with what can be sold of it in part."""
    draft = engine.draft
    sales = [draft.sale(n) for n in lots]
    ledger, rows = (
        engine.rows(draft.ledger, sales) if sales else (draft.ledger, engine.rows(draft.ledger, [])[1].clear())
    )
    mine = rows_of_sales(ledger, rows, sales) if sales else rows.with_columns(n=pl.lit(0, pl.Int64))
    groups = mine.select(GROUP).unique(maintain_order=True).rows(named=True)
    of = {total_name(g, "")[:-1]: pl.all_horizontal(pl.col(key) == value for key, value in g.items()) for g in groups}
    sums = [
        pl.when(here).then(shown).otherwise(0).sum().alias(f"{name}.{letter}")
        for name, here in of.items()
        for letter, shown in LETTERS.items()
    ]
    called = [pl.when(here).then(pl.lit(name)) for name, here in of.items()]
    long = pl.col("term") == "long"
    frame = mine.group_by("n", maintain_order=True).agg(
        *sums, cash=pl.col("proceeds").sum(), gain=pl.col("gain").sum(), long=long.all(), basis=pl.col("basis").sum(),
        long_gain=pl.when(long).then("gain").otherwise(0).sum(), group=pl.coalesce([*called, pl.lit(None)]).first(),
        plain=(pl.len() == 1) & (pl.col("proceeds") - pl.col("basis") == pl.col("gain")).all(),
    )  # fmt: skip
    at = pl.Series(lots, dtype=pl.Int64).gather(frame["n"])
    told = [_told(draft, n) for n in at]
    extra = pl.DataFrame(told, schema={"fees": pl.Int64, "size": pl.Int64, "step_cents": pl.Int64}, orient="row")
    whole = pl.concat([frame.with_columns(block=at), extra], how="horizontal")
    return whole.with_columns(
        size=pl.when("plain").then("size").otherwise(0), option=pl.lit(1, pl.Int64), sold=pl.lit(1, pl.Int64),
        tied=pl.lit(value=False),
    ).drop("n", "plain")  # fmt: skip


def _told(draft: Offer, n: int) -> tuple[int, int, int]:
    """A lot's fee in cents, its size in steps (times STEP), a step's price in cents (times SCALE)."""
    lot, step = draft.lots[n], step_of(draft.lots[n])
    size = int(lot["quantity"] / step * STEP) if lot["pieces"] == 1 else 0
    return cents(draft.costs.of(rounded(lot["quantity"] * lot["price"]))), size, int(step * lot["price"] * 100 * SCALE)


def _together(
    engine: _Engine, tied: Sequence[Sequence[int]], first: int
) -> Iterator[tuple[int, list[list[int]], pl.DataFrame]]:
    """By block, the lots of its options, and the options as columns; what each comes to is filed by itself."""
    for block, group in enumerate(tied, first):
        choices, ledger = _choices(engine.draft, group), _only(engine.draft, group)
        _, without = engine.rows(ledger, [])
        frames = []
        for option, lots in enumerate(choices, 1):
            sales = [engine.draft.sale(n) for n in lots]
            _, rows = engine.rows(ledger, sales)
            said = {
                "block": block,
                "option": option,
                "sold": len(sales),
                "fees": cents(sum(sale.fee for sale in sales) + Decimal(0)),
            }
            frames.append(pl.DataFrame([{**said, **_delta(engine.year, rows, without)}]))
        both = pl.concat(frames, how="diagonal")
        yield block, choices, both.with_columns(
            tied=pl.lit(value=True), long=pl.lit(value=False), size=pl.lit(0, pl.Int64), step_cents=pl.lit(0, pl.Int64),
            basis=pl.lit(0, pl.Int64), group=pl.lit(None, pl.String),
        )  # fmt: skip


def _delta(year: Year, rows: pl.DataFrame, without: pl.DataFrame) -> dict[str, int]:
    """What rows add to those without the sales: what is brought, the gains, and totals of the form."""
    totals, before = totals_by_column(year, rows), totals_by_column(year, without)
    sums = [
        {
            "cash": some["proceeds"].sum(),
            "gain": some["gain"].sum(),
            "long_gain": some.filter(pl.col("term") == "long")["gain"].sum(),
        }
        for some in (rows, without)
    ]
    more = {name: int(sums[0][name] or 0) - int(sums[1][name] or 0) for name in sums[0]}
    return more | {name: totals.get(name, 0) - before.get(name, 0) for name in {**before, **totals}}


def _choices(draft: Offer, group: Sequence[int]) -> list[list[int]]:
    """The lots of each option: every combination of a few; of more, beginnings with the most loss first."""
    if len(group) <= FEW:
        return [list(some) for size in range(1, len(group) + 1) for some in combinations(group, size)]
    order = sorted(group, key=lambda n: (draft.lots[n]["unrealized"], n))
    cuts = next((cuts for most, cuts in CUTS if len(order) <= most), 2)
    ends = sorted({max(1, len(order) * k // cuts) for k in range(1, cuts + 1)})
    return [sorted(order[:end]) for end in ends]


def _only(draft: Offer, group: Sequence[int]) -> Ledger:
    """The ledger with nothing but what can matter to some lots: their assets, the like, and what these met."""
    rows = draft.ledger.rows
    names = [name for name in ("out_asset", "in_asset", "ref_asset", "fee_asset") if name in rows.columns]
    assets: set[str] = set()
    met = {asset for n in group for asset in draft.wash.families.get(draft.lots[n]["asset"], {draft.lots[n]["asset"]})}
    mine = rows
    while met - assets:
        assets |= met
        here = pl.any_horizontal(pl.col(name).is_in(sorted(assets)) for name in names)
        mine = rows.filter(here.fill_null(value=False))
        met = {asset for name in names for asset in mine[name].drop_nulls().unique()} - {"USD"}
    return replace(draft.ledger, rows=mine)
