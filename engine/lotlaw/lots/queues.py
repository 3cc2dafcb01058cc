"""Moves of lots as the kernel's input: the queue each opens in or takes from, and every number as a plain integer.

A queue holds an asset's lots at one account. While the rules keep an asset's lots universally, sales take from a pool
of all accounts. Then, if transfers or later sales ask where lots lie, a lot stands both in its account's queue and in
the pool's; if nobody asks, in the pool's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import polars as pl

from lotlaw.lots.book import (
    ADJUST,
    BORROW,
    BRANCH,
    CARRY,
    DIVIDE,
    ENTER,
    FIFO,
    GIVE,
    LOWER,
    OPEN,
    OPEN_TWICE,
    PICK,
    RECEIVE,
    RESCALE,
    SELL,
    SEND,
    USE,
    Book,
    Moves,
    Placement,
    Wash,
)
from lotlaw.lots.events import AMOUNT, NEVER, PLACES, WHOLE, Events, Schema, cast, decimal, first_rows, owner
from lotlaw.lots.moves import in_order
from lotlaw.readings.columns import MONEY

DIVIDED = 0
FEW = 2**4
"""Assets whose lots are at hand together, in whatever order their moves come."""
FINE, UNITS = (2, 4, 8, PLACES), (0, 4, 8, 12, PLACES)
"""Decimals that amounts and quantities are tried at: small integers are fast, and no digit is lost at any of them."""

SMALL = 2**63
OPENS, SALES = (OPEN, OPEN_TWICE, ENTER), (USE, SELL, PICK)
TAKES = (*SALES, GIVE)
FINELY, CHANGES = (*OPENS, BORROW, ADJUST), (RESCALE, CARRY, BRANCH, LOWER, ADJUST)
"""Moves whose amount is a basis, and those that change lots where they lie."""
SCALING = (RESCALE, CARRY, BRANCH)
CUT: Schema = {
    "sale": pl.UInt32, "lot": pl.UInt32, "quantity": WHOLE, "basis": pl.Int64, "proceeds": pl.Int64,
    "acquired": pl.Int32, "adjustment": pl.Int64, "long": pl.Boolean,
}  # fmt: skip
"""Slices: the moves that sold and opened, whole units, cents; `acquired` since when the lot counts as held,
`adjustment` the cents of a loss that a wash sale disallows, `long` where the days do not say the term."""
POOLED: Schema = {
    "asset": pl.String, "until": pl.UInt32, "tracked": pl.Boolean, "divided": pl.Boolean, "pool": pl.UInt32,
}  # fmt: skip

Picks = Mapping[int, list[tuple[int, int | None]]]


@dataclass(frozen=True)
class Plan:
    """The kernel's moves and what they stand for.

    `steps`: a row a move (row of the ledger, code, asset, account, place, queue, units, amount, day, and method where
    there is another than the first). `places`: place, asset, account and short. `units`, `fine`: the decimals of
    quantities and of amounts. The rest as in `Moves`.
    """

    steps: pl.DataFrame
    places: pl.DataFrame
    units: int
    fine: int
    pools: list[int]
    held: dict[int, dict[int, int]] = field(default_factory=dict)
    picks: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    terms: dict[int, tuple[int, ...]] = field(default_factory=dict)
    low: dict[int, int] = field(default_factory=dict)
    tacked: dict[int, int] = field(default_factory=dict)
    always: frozenset[int] = frozenset()
    special: list[bool] = field(default_factory=list)
    placed: dict[int, Placement] = field(default_factory=dict)
    wash: Wash | None = None
    turns: Callable[[int], int] = int
    rates: list[tuple[int, Fraction, Fraction]] = field(default_factory=list)
    averaged: dict[int, int] = field(default_factory=dict)

    @cached_property
    def moves(self) -> Moves:
        """The kernel's input."""
        steps = self.steps
        codes, queues, units, amounts, days = (
            steps[name].to_list() for name in ("code", "queue", "units", "amount", "day")
        )
        how = steps["method"].to_list() if "method" in steps.columns else []
        return Moves(
            codes, queues, units, amounts, days, 10 ** (self.fine - MONEY), list(self.pools), self.picks, self.shown,
            self.held, how, self.special, self.terms, self.low, self.tacked, self.always, self.placed, self.wash,
            self.turns, self.rates, self.averaged,
        )  # fmt: skip

    def quantities(self, units: list[int]) -> pl.Series:
        """The kernel's units as decimals."""
        return decimals(units, self.units)

    def slices(self, book: Book) -> pl.DataFrame:
        """What the kernel sold, as CUT."""
        cut = book.slices
        frame = pl.DataFrame({
            "sale": pl.Series(cut.sale, dtype=pl.UInt32), "lot": self.opened(book, cut.lot),
            "quantity": _column(cut.quantity), "basis": cents_of(cut.basis, self.fine),
            "proceeds": pl.Series(cut.proceeds, dtype=pl.Int64), "acquired": pl.Series(cut.acquired, dtype=pl.Int32),
            "adjustment": pl.Series(cut.disallowed, dtype=pl.Int64),
        })  # fmt: skip
        frame = frame.with_columns(long=_overrides(cut.long, frame.height))
        rows = self.steps["row"].gather(frame["sale"])
        return frame if rows.is_sorted() else frame.sort(rows, maintain_order=True)

    def opened(self, book: Book, lots: list[int]) -> pl.Series:
        """The moves that opened lots, or the lots they are pieces of."""
        found = pl.Series("lot", lots, dtype=pl.UInt32)
        if not book.origin:
            return found
        own = pl.int_range(len(self.moves.code), dtype=pl.UInt32, eager=True)
        return pl.concat([own, pl.Series(book.origin, dtype=pl.UInt32)]).gather(found)


def decimals(whole: list[int], places: int) -> pl.Series:
    """Whole numbers of so many decimals as exact decimals."""
    return _column(whole).to_frame().select(decimal("n", places).cast(AMOUNT)).to_series()


def cents_of(fine: list[int], places: int) -> pl.Series:
    """Amounts in whole cents, told at so many decimals, as cents."""
    return _column(fine).to_frame().select((pl.col("n") // 10 ** (places - MONEY)).cast(pl.Int64)).to_series()


def _column(whole: list[int]) -> pl.Series:
    try:
        return pl.Series("n", whole, dtype=pl.Int64)
    except (OverflowError, TypeError):
        return pl.Series("n", whole, dtype=pl.Int128)


def _overrides(said: dict[int, bool], height: int) -> pl.Series:
    """A column with what is said of some of its rows, null in the others."""
    column = pl.select(pl.repeat(None, height, dtype=pl.Boolean)).to_series()
    return column.scatter(list(said), list(said.values())) if said else column


def plan_of(
    events: Events, steps: pl.DataFrame, places: pl.DataFrame, picks: Picks, shown: set[int],
    together: Iterable[str] | None = None,
) -> Plan:  # fmt: skip
    """The kernel's input for these steps.

    `picks`: by row that names lots, the rows named and the units of each (None: what it takes); `shown`: those of them
    that belong on a return asked for. `together`: if given, one asset's moves come after the other's, in half the time
    since they touch the same lots, but for these assets, which have to do with each other.
    """
    keys = ["asset", "account", *(["short"] if places["short"].any() else [])]
    steps = steps.join(places.select("place", *keys), on=keys, how="left", maintain_order="left")
    steps = steps.with_columns(queue=pl.col("place"))
    pools = list(range(places.height))
    pooled = _pooled(events, steps, places)
    if pooled.height:
        steps, pools = _queued(steps, places, pooled)
    if together is not None:
        steps = _by_asset(steps, places, together)
    opened, scales = pl.col("code").is_in(FINELY), steps["code"].is_in(SCALING).any()
    # A contract stands for many shares, a part of which may replace what was sold at a loss.
    contracts = int(events.ledger.options.height > 0)
    units = PLACES if scales else _decimals(steps, pl.col("units"), UNITS[contracts:])
    fine = _decimals(steps, pl.col("amount").filter(opened), FINE)
    whole = pl.when(opened).then(pl.col("amount") // 10 ** (PLACES - fine)).otherwise("amount").alias("amount")
    amounts = _fitting(steps.select(whole).to_series())
    steps = steps.drop("amount", "step", "short").with_columns(
        _fitting(steps.select(pl.col("units") // 10 ** (PLACES - units)).to_series()), amounts
    )
    held = _held(steps, pooled) if pooled.height else {}
    named, of_return = _picked(steps, picks, shown, units) if picks else ({}, set())
    return Plan(steps, places, units, fine, pools, held, named, of_return)


def _by_asset(steps: pl.DataFrame, places: pl.DataFrame, together: Iterable[str]) -> pl.DataFrame:
    """The steps of each asset in their order; first, in theirs, those of assets that stay together."""
    stays = pl.col("asset").is_in(sorted(together))
    turn = places.select(pl.when(~stays).then(pl.col("asset").rle_id())).to_series()
    return steps.sort(turn.gather(steps["place"]), maintain_order=True) if turn.n_unique() > FEW else steps


def _decimals(steps: pl.DataFrame, whole: pl.Expr, tried: tuple[int, ...]) -> int:
    """The fewest of the decimals tried that lose no digit of a column."""
    for places in tried[:-1]:
        if not steps.select((whole % 10 ** (PLACES - places) != 0).any()).item():
            return places
    return tried[-1]


def _fitting(whole: pl.Series) -> pl.Series:
    """Whole numbers in the smallest type that has room for all of them."""
    least, most = whole.min(), whole.max()
    small = isinstance(least, int) and isinstance(most, int) and least > -SMALL and most < SMALL
    return whole.cast(pl.Int64) if small else whole


def _pooled(events: Events, steps: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Assets in several accounts whose lots are kept universally before the row `until`, as POOLED.

    `tracked`: it matters where their lots lie. `divided`: they leave the pool or their account after `until`.
    """
    law, classes = events.treatment, events.ledger.classes
    kept = {name: law.pools[said["pool"]] for name, said in law.classes.items()}
    if not any(kept[name].universal for name in set(classes.values()) & kept.keys()):
        return pl.DataFrame(schema=POOLED)
    several = places.filter(~pl.col("short")).group_by("asset").len().filter(pl.col("len") > 1)["asset"].sort()
    universal = {asset: kept[classes[asset]] for asset in several.to_list() if kept[classes[asset]].universal}
    first = {day: first_rows(events, day) for day in {pool.by_account_from for pool in universal.values()}}
    untils = {asset: first[pool.by_account_from].get(owner(asset), NEVER) for asset, pool in universal.items()}
    if not untils:
        return pl.DataFrame(schema=POOLED)
    pooled = pl.DataFrame(
        {"asset": list(untils), "until": list(untils.values())}, schema_overrides={"until": pl.UInt32}
    )
    sends, sells = pl.col("code").is_in([SEND, *CHANGES]), pl.col("code").is_in(TAKES)
    later = pl.col("row") >= pl.col("until")
    asked = (
        steps.join(pooled, on="asset")
        .group_by("asset")
        .agg(tracked=(sends | (sells & later)).any(), divided=((sends | sells) & later).any())
    )
    pooled = pooled.join(asked, on="asset", maintain_order="left")
    return cast(pooled.with_columns(pool=pl.int_range(pl.len()) + places.height), POOLED)


def _queued(steps: pl.DataFrame, places: pl.DataFrame, pooled: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """Steps with the queues of pools, and the moves that divide these; by queue, its pool."""
    divisions = pooled.filter("divided").select(
        "asset", account=pl.lit(None, pl.String), row="until", step=pl.lit(DIVIDED), code=pl.lit(DIVIDE),
        units=pl.lit(0), amount=pl.lit(0), day=pl.lit(0), queue=pl.lit(0), short=pl.lit(value=False),
        method=pl.lit(FIFO), turn="until",
    )  # fmt: skip
    divisions = divisions.join(places.group_by("asset").agg(pl.col("place").min()), on="asset", maintain_order="left")
    steps = in_order(pl.concat([steps, cast(divisions, dict(steps.schema))]))
    steps = steps.join(pooled, on="asset", how="left", maintain_order="left")
    before, tracked = pl.col("row") < pl.col("until"), pl.col("tracked")
    in_pool = ~pl.col("short") & (~tracked | (before & pl.col("code").is_in(TAKES)))
    twice = tracked & before & (pl.col("code") == OPEN)
    steps = steps.with_columns(
        queue=pl.when(in_pool).then("pool").otherwise("place"),
        code=pl.when(twice).then(pl.lit(OPEN_TWICE, pl.UInt8)).otherwise("code"),
    )
    pools = list(range(places.height + pooled.height))
    kept = places.filter(~pl.col("short")).join(pooled.filter("tracked"), on="asset")
    for place, pool in kept.select("place", "pool").iter_rows():
        pools[place] = pool
    return steps.drop("until", "tracked", "divided", "pool"), pools


def _held(steps: pl.DataFrame, pooled: pl.DataFrame) -> dict[int, dict[int, int]]:
    """By move that divides a pool, the units that lie at each of its places by then."""
    divided = pooled.filter("divided").select("asset", "until")
    moves = dict(steps.with_row_index("at").filter(pl.col("code") == DIVIDE).select("asset", "at").iter_rows())
    gains, before = pl.col("code").is_in([*OPENS, RECEIVE]), pl.col("row") < pl.col("until")
    sums = (
        steps.filter(pl.col("code").is_in([*OPENS, *TAKES, SEND, RECEIVE, CARRY]))
        .join(divided, on="asset")
        .group_by("asset", "place")
        .agg(came=pl.col("units").filter(before & gains), went=pl.col("units").filter(before & ~gains))
    )
    held: dict[int, dict[int, int]] = {}
    # Added up as plain integers, which cannot wrap.
    for asset, place, came, went in sums.sort("asset", "place").iter_rows():
        held.setdefault(moves[asset], {})[place] = sum(came) - sum(went)
    return held


def _picked(
    steps: pl.DataFrame, picks: Picks, shown: set[int], units: int
) -> tuple[dict[int, list[tuple[int, int]]], set[int]]:
    """Rows that name lots, and the rows they name, as moves."""
    named = {row for wanted in picks.values() for row, _ in wanted}
    moves = steps.with_row_index("at").select("at", "row", "code")
    opened = moves.filter(pl.col("code").is_in(OPENS) & pl.col("row").is_in(sorted(named)))
    lots = dict(opened.select("row", "at").iter_rows())
    sales = dict(moves.filter(pl.col("code") == PICK).select("row", "at").iter_rows())
    step = 10 ** (PLACES - units)
    wanted = {sales[row]: [(lots[lot], (n or 0) // step) for lot, n in said] for row, said in picks.items()}
    return wanted, {at for row, at in sales.items() if row in shown}
