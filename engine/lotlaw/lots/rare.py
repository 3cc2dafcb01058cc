"""Events that change lots where they lie, and options that are exercised, assigned or expire, as moves of lots.

What such a move has to know besides its asset, account and units stands in a list, and its `amount` is the place in it;
an option that expires knows all that it needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from lotlaw.lots.book import ABSORB, ADJUST, BRANCH, CARRY, EXPIRE, LOWER, RECEIVE, RESCALE, SEND
from lotlaw.lots.events import PLACES, Events, is_kind, rare
from lotlaw.lots.moves import GIVEN, PREMIUM, STEPS, cents
from lotlaw.lots.queues import OPENS, SCALING, TAKES, Plan
from lotlaw.source import Problem

CODES = {"rescale": RESCALE, "carry": CARRY, "branch": BRANCH, "lower": LOWER, "adjust": ADJUST}
GAINS, LOSES = (*OPENS, RECEIVE), (*TAKES, SEND, CARRY)
ASSIGNED, EXPIRED = "assigned", "expired"
WHOLE_UNIT = 10**PLACES
NOTHING = 0
"""What an option that expires brings, or costs to close."""
Stock = dict[str | None, list[tuple[int, bool]]]


@dataclass(frozen=True)
class Known:
    """What a move has to know: `to` (asset, account) where lots go, `numbers` at the ledger's decimals or in cents.

    row: of the ledger, where an option's premium goes. is_sale: whether stock is sold there. sign: of the premium.
    """

    to: tuple[str, str] | None = None
    numbers: tuple[int, ...] = ()
    row: int = 0
    is_sale: bool = False
    sign: int = 1


@dataclass(frozen=True)
class Rare:
    """The moves of rare kinds as STEPS, what they have to know, and those that cannot be told.

    short: assets and accounts of positions opened by selling. `places`: asset, account and short of all they touch.
    """

    steps: pl.DataFrame
    known: list[Known]
    problems: list[Problem]
    short: list[tuple[str, str]]

    @property
    def places(self) -> pl.DataFrame:
        own = self.steps.select("asset", "account", "short")
        other = self.steps.filter(pl.col("code") == EXPIRE).select("asset", "account", ~pl.col("short"))
        to = [*((*known.to, False) for known in self.known if known.to), *((*place, True) for place in self.short)]
        return pl.concat([own, other, pl.DataFrame(to, schema=own.schema, orient="row")])


def rare_moves(events: Events, places: pl.DataFrame) -> Rare:
    """The moves of changes and of options. `places` has asset and account of every other move."""
    kinds = {name: kind for name, kind in events.treatment.kinds.items() if name in events.kinds}
    changing = {name: kind.changes for name, kind in kinds.items() if kind.changes}
    options = {name: kind.option for name, kind in kinds.items() if kind.option}
    known: list[Known] = []
    found: list[tuple[Any, ...]] = []
    problems: list[Problem] = []
    changed = [_change(CODES[changing[row["kind"]]], row, known) for row in _rows(events, list(changing))]
    at = _accounts(places, {said[3] for said in changed if said[4] is None}, known)
    short = _short(places, changed, known)
    for said in changed:
        found += [said] if said[4] is not None else [(*said[:4], name, *said[5:]) for name in at.get(said[3], ())]
        if said[2] == RESCALE and known[said[6]].numbers[0]:
            found += [
                (*said[:4], *of[1:], *said[5:-1], True) for of in short if of[0] == said[3] and said[4] in (None, of[1])
            ]
    stock = _stock(events) if options else {}
    for row in _rows(events, list(options)):
        try:
            found.append(_option(stock, options[row["kind"]], row, known))
        except ValueError as error:
            problems.append(Problem(events.place(row["row"]), str(error)))
    return Rare(pl.DataFrame(found, schema=STEPS, orient="row"), known, problems, short if found else [])


def _short(places: pl.DataFrame, changed: list[tuple[Any, ...]], known: list[Known]) -> list[tuple[str, str]]:
    """Assets and accounts of positions opened by selling, under all names that they get."""
    short = set(places.filter("short").select("asset", "account").iter_rows())
    for said in changed if short else ():
        to = known[said[6]].to if said[2] == CARRY and (said[3], said[4]) in short else None
        short |= {to} if to else set()
    return sorted(short)


def with_heirs(steps: pl.DataFrame, known: list[Known], assets: set[str]) -> set[str]:
    """Assets, and what their lots become in mergers and spin-offs, under whatever names."""
    moves = steps.filter(pl.col("code").is_in([CARRY, BRANCH])) if assets else steps.clear()
    for asset, at in moves.select("asset", "amount").iter_rows():
        to = known[at].to
        if asset in assets and to:
            assets = assets | {to[0]}
    return assets


def units_held(plan: Plan, known: list[Known]) -> dict[int, dict[int, int]]:
    """By move that divides a pool, the units that lie at each of its places by then, splits and new names counted."""
    steps, of = plan.steps, {plan.steps["asset"][at]: at for at in plan.held}
    changes = steps.filter(pl.col("code").is_in(SCALING))
    became = {known[at].to[0] for at in changes["amount"] if known[at].to}
    if of.keys().isdisjoint({*changes["asset"], *became}):
        return plan.held
    places = {(*where, short): at for at, *where, short in plan.places.iter_rows()}
    units: Counter[int] = Counter()
    until = {asset: steps["row"][at] for asset, at in of.items()}
    moves = steps.filter(pl.col("asset").is_in(sorted(of)) | pl.col("code").is_in(SCALING))
    for row, code, asset, place, n, at in moves.select("row", "code", "asset", "place", "units", "amount").iter_rows():
        if code in SCALING and known[at].to and row < until.get(known[at].to[0], 0):
            units[places[*known[at].to, False]] += known[at].numbers[0]
        if row >= until.get(asset, 0):
            continue
        if code == RESCALE:
            new, old = known[at].numbers
            units[place] = units[place] * new // old if new else units[place] + old
        elif code in GAINS:
            units[place] += n
        elif code in LOSES:
            units[place] -= n
    mine = {asset: [at for (name, _, short), at in places.items() if name == asset and not short] for asset in of}
    return {at: {place: units[place] for place in mine[asset]} for asset, at in of.items()}


def _rows(events: Events, kinds: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of kinds, with amounts as whole numbers: dollars in cents, quantities at the ledger's decimals."""
    if not kinds:
        return
    rows = events.rows.filter(is_kind(kinds))
    amounts = ("ref_qty", "ratio_new", "ratio_old", "basis_fraction")
    yield from rows.select(
        "row", "kind", "account", "out_asset", "in_asset", "out_units", "in_units", "basis", "group_id",
        pl.col("date").to_physical().alias("day"), rare(rows, "ref_asset"),
        *(rare(rows, name).to_physical().alias(name) for name in amounts),
        boot=cents(rare(rows, "boot_usd").to_physical()), value=cents(pl.col("value")),
    ).iter_rows(named=True)  # fmt: skip


def _accounts(places: pl.DataFrame, assets: set[str], known: list[Known]) -> dict[str, list[str]]:
    """By asset, every account that it is at, also as what something else became."""
    became = pl.DataFrame([said.to for said in known if said.to], schema=("asset", "account"), orient="row")
    every = pl.concat([places.select("asset", "account"), became.cast(pl.String)]) if became.height else places
    mine = every.filter(pl.col("asset").is_in(sorted(assets))).group_by("asset").agg(pl.col("account").unique().sort())
    return dict(mine.iter_rows())


def _change(code: int, row: dict[str, Any], known: list[Known]) -> tuple[Any, ...]:
    """A change as a row of STEPS."""
    asset = row["out_asset"] if code == CARRY else row["ref_asset"] or row["in_asset"]
    units, amount = (row["out_units"] or 0) if code == CARRY else 0, len(known)
    to = (row["in_asset"], row["account"]) if code in (CARRY, BRANCH) else None
    if code == RESCALE:
        ratio = (row["ratio_new"], row["ratio_old"] or WHOLE_UNIT) if row["ratio_new"] else (0, row["in_units"])
        known.append(Known(numbers=ratio))
    elif code == CARRY:
        boot = row["boot"] or 0
        known.append(Known(to, (row["in_units"], boot, (row["value"] or 0) + boot)))
    elif code == BRANCH:
        known.append(Known(to, (row["in_units"], row["basis_fraction"], WHOLE_UNIT)))
    else:
        amount = row["basis"] if code == ADJUST else row["value"]
    return (row["row"], GIVEN, code, asset, row["account"], units, amount, row["day"], False)


# Options


def _option(stock: Stock, does: str, row: dict[str, Any], known: list[Known]) -> tuple[Any, ...]:
    """An option that is exercised, assigned or expires, as a row of STEPS."""
    option = (row["ref_asset"], row["account"], row["ref_qty"])
    if does == EXPIRED:
        return (row["row"], GIVEN, EXPIRE, *option, NOTHING, row["day"], False)
    moved = stock.get(row["group_id"], [])
    if len(moved) != 1:
        said = f"{row['kind']} of {row['ref_asset']} needs the one purchase or sale at the strike price that it led to"
        raise ValueError(f"{said}: give both rows the same group_id")
    ((at, is_sale),) = moved
    # The premium paid adds to the cost of a call's stock and lowers what a put's brings; one received does the reverse.
    known.append(Known(row=at, is_sale=is_sale, sign=1 if (does == ASSIGNED) == is_sale else -1))
    return (at, PREMIUM, ABSORB, *option, len(known) - 1, row["day"], does == ASSIGNED)


def _stock(events: Events) -> Stock:
    """By group, the rows of stock that is bought or sold, and whether it is sold."""
    kinds = events.treatment.kinds
    legs = [name for name, kind in kinds.items() if kind.sells or kind.opens]
    found: Stock = {}
    rows = events.rows.filter(pl.col("group_id").is_not_null() & is_kind(legs)).select("group_id", "row", "kind")
    for group, row, kind in rows.iter_rows():
        found.setdefault(group, []).append((row, kinds[kind].sells is not None))
    return found
