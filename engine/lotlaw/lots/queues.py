"""Moves of lots as the kernel's input: which queue each opens in or takes from, and every number as a plain integer.

A queue holds an asset's lots at one account. While the rules keep an asset's lots universally, sales take from a pool of all accounts. Then, if
transfers or later sales ask where lots lie, a lot stands both in its account's queue and in the pool's; if nobody asks, in the pool's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lotlaw.lots.events import AMOUNT, DOLLAR, PLACES, Events, dollars
from lotlaw.lots.kernel import DIVIDE, ENTER, OPEN, OPEN_TWICE, PICK, RECEIVE, SELL, SEND, USE, Book, Moves

DIVIDED = 0
FINE = (2, 4, 8, PLACES)
UNITS = (0, 4, 8, 12, PLACES)
"""Decimals that amounts and quantities are tried at: small integers are fast, and no digit is lost at any."""

INT64 = 2**63
OPENS = (OPEN, OPEN_TWICE, ENTER)
SALES = (USE, SELL, PICK)
ALWAYS = 2**32 - 1

Picks = Mapping[int, list[tuple[int, int | None]]]


@dataclass(frozen=True)
class Plan:
    """The kernel's moves and what they stand for.

    `steps`: a row a move (row of the ledger, code, asset, account, place, queue, units, day). `places`: asset and account by place.
    `units`, `fine`: the decimals of quantities and of amounts.
    """

    moves: Moves
    steps: pl.DataFrame
    places: pl.DataFrame
    units: int
    fine: int

    def units_of(self, at: int) -> int:
        """The units that a move was for."""
        return int(self.steps["units"][at])

    def quantities(self, units: list[int]) -> pl.Series:
        """The kernel's units as decimals."""
        return decimals(units, self.units)

    def opened(self, book: Book, lots: list[int]) -> pl.Series:
        """The moves that opened lots, or the lots they are pieces of."""
        found = pl.Series(lots, dtype=pl.UInt32)
        if not book.origin:
            return found
        return pl.concat([pl.int_range(book.moves, dtype=pl.UInt32, eager=True), pl.Series(book.origin, dtype=pl.UInt32)]).gather(found)


def decimals(whole: list[int], places: int) -> pl.Series:
    """Whole numbers of so many decimals as exact decimals."""
    small = not whole or max(map(abs, (min(whole), max(whole)))) < INT64
    found = pl.Series("n", whole, dtype=pl.Int64 if small else pl.Int128)
    return found.to_frame().select(dollars("n", places).cast(AMOUNT)).to_series()


def plan_of(events: Events, steps: pl.DataFrame, picks: Picks, shown: set[int]) -> Plan:
    """The kernel's input for these steps. `picks`: for rows that name lots, the rows named and the units of each (None: what it takes);
    `shown`: those of them that belong on a return asked for.
    """
    places = steps.select("asset", "account").unique().sort("asset", "account").with_row_index("place")
    steps = steps.join(places, on=["asset", "account"], how="left", maintain_order="left")
    pooled = _pooled(events, steps, places)
    pools = list(range(places.height))
    steps = steps.with_columns(queue=pl.col("place"))
    if pooled.height:
        steps, pools = _queued(steps, places, pooled)
    units, fine = _decimals(steps, "units", UNITS), _decimals(steps.filter(pl.col("code").is_in(OPENS)), "amount", FINE)
    opened = pl.col("code").is_in(OPENS)
    steps = steps.with_columns(
        pl.col("units") // 10 ** (PLACES - units),
        pl.when(opened).then(pl.col("amount") // 10 ** (PLACES - fine)).otherwise("amount").alias("amount"),
    )
    moves = Moves(
        steps["code"].to_list(), steps["queue"].to_list(), _integers(steps["units"]), _integers(steps["amount"]),
        steps["day"].to_list(), 10 ** (fine - 2), pools,
    )  # fmt: skip
    if pooled.height:
        moves.units = _held(steps)
    if picks:
        moves.picks, moves.shown = _picked(steps, picks, shown, units)
    return Plan(moves, steps.drop("amount", "step"), places, units, fine)


def _decimals(steps: pl.DataFrame, name: str, tried: tuple[int, ...]) -> int:
    """The fewest of the decimals tried that lose no digit of a column."""
    for places in tried[:-1]:
        if not steps.select((pl.col(name) % 10 ** (PLACES - places) != 0).any()).item():
            return places
    return tried[-1]


def _integers(whole: pl.Series) -> list[int]:
    least, most = whole.min(), whole.max()
    small = isinstance(least, int) and isinstance(most, int) and -INT64 < least and most < INT64
    return (whole.cast(pl.Int64) if small else whole).to_list()


def _pooled(events: Events, steps: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Assets whose lots lie in several accounts and are kept universally up to the row `until`: asset, until, tracked, divided."""
    treatment, classes = events.treatment, events.ledger.classes
    several = places.group_by("asset").len().filter(pl.col("len") > 1)["asset"].sort()
    untils = {
        asset: _first_row(events, pool.by_account_from)
        for asset in several
        if asset != DOLLAR and (pool := treatment.pools[treatment.classes[classes[asset]]["pool"]]).universal
    }
    if not untils:
        return pl.DataFrame(schema={"asset": pl.String, "until": pl.UInt32, "tracked": pl.Boolean, "divided": pl.Boolean})
    pooled = pl.DataFrame({"asset": list(untils), "until": list(untils.values())}, schema_overrides={"until": pl.UInt32})
    later = pl.col("row") >= pl.col("until")
    sends, sells = pl.col("code") == SEND, pl.col("code").is_in(SALES)
    asked = steps.join(pooled, on="asset").group_by("asset").agg(
        (sends | (sells & later)).any().alias("tracked"), ((sends | sells) & later).any().alias("divided")
    )  # fmt: skip
    return pooled.join(asked, on="asset", maintain_order="left")


def _first_row(events: Events, day: Any) -> int:
    """The first row of the ledger on or after a day; rows stand in the order of dates."""
    if day is None:
        return ALWAYS
    rows = events.rows
    at = int(rows["date"].search_sorted(day, side="left"))
    return int(rows["row"][at]) if at < rows.height else ALWAYS


def _queued(steps: pl.DataFrame, places: pl.DataFrame, pooled: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """Steps with the queues of pools, and where a pool becomes accounts; the pool of every queue."""
    pooled = pooled.with_columns(pool=pl.int_range(pl.len()) + places.height)
    steps = pl.concat([steps, _divisions(pooled, steps)]).sort("row", "step", maintain_order=True)
    steps = steps.join(pooled, on="asset", how="left", maintain_order="left")
    before, tracked = pl.col("row") < pl.col("until"), pl.col("tracked")
    in_pool = ~tracked | (before & pl.col("code").is_in(SALES))
    steps = steps.with_columns(
        pl.when(in_pool).then("pool").otherwise("place").alias("queue"),
        pl.when(tracked & before & (pl.col("code") == OPEN)).then(OPEN_TWICE).otherwise("code").alias("code"),
    )
    pools = list(range(places.height + pooled.height))
    tracked_places = places.join(pooled.filter("tracked"), on="asset")
    for place, pool in tracked_places.select("place", "pool").iter_rows():
        pools[place] = pool
    return steps.drop("until", "tracked", "divided", "pool"), pools


def _divisions(pooled: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """The moves that divide a pool, each before the first row that keeps lots by account."""
    empty = {name: pl.lit(None, dtype) for name, dtype in steps.schema.items()}
    said = {
        "row": pl.col("until"), "step": pl.lit(DIVIDED, pl.UInt8), "code": pl.lit(DIVIDE, pl.UInt8), "asset": pl.col("asset"),
        "units": pl.lit(0), "amount": pl.lit(0), "day": pl.lit(0), "place": pl.lit(0), "queue": pl.lit(0),
    }  # fmt: skip
    divisions = pooled.filter("divided").select(**(empty | said))
    return divisions.select(pl.col(name).cast(dtype) for name, dtype in steps.schema.items())


def _held(steps: pl.DataFrame) -> dict[int, dict[int, int]]:
    """By move that divides a pool, the units that lie in each of its accounts then. Summed as plain integers, which cannot wrap."""
    held: dict[int, dict[int, int]] = {}
    steps = steps.with_row_index("at")
    gains = pl.col("code").is_in([*OPENS, RECEIVE])
    for at, asset in steps.filter(pl.col("code") == DIVIDE).select("at", "asset").iter_rows():
        before = steps.filter((pl.col("asset") == asset) & (pl.col("code") != DIVIDE))
        counted = (pl.col("at") < at) & (pl.col("code") != DIVIDE)
        sums = before.group_by("place").agg(
            pl.col("units").filter(counted & gains).alias("in"), pl.col("units").filter(counted & ~gains).alias("out")
        )
        held[at] = {place: sum(came) - sum(went) for place, came, went in sums.sort("place").iter_rows()}
    return held


def _picked(
    steps: pl.DataFrame, picks: Picks, shown: set[int], units: int
) -> tuple[dict[int, list[tuple[int, int]]], set[int]]:
    """Rows that name lots, and the rows they name, as moves."""
    named = {row for wanted in picks.values() for row, _ in wanted}
    indexed = steps.with_row_index("at").select("at", "row", "code")
    opened = indexed.filter(pl.col("code").is_in(OPENS) & pl.col("row").is_in(list(named)))
    opens = dict(opened.select("row", "at").iter_rows())
    sales = dict(indexed.filter(pl.col("code") == PICK).select("row", "at").iter_rows())
    wanted = {
        sales[row]: [(opens[lot], (n or 0) // 10 ** (PLACES - units)) for lot, n in said] for row, said in picks.items()
    }
    return wanted, {at for row, at in sales.items() if row in shown}

