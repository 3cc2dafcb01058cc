"""What the kernel has to know beyond its moves: methods, wash sales, where changed lots go, gifts' second basis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import chain

import polars as pl

from lotlaw.ledger import OWNER
from lotlaw.lots.book import ABSORB, BORROW, BRANCH, CARRY, CLOSE, EXPIRE, FIFO, RESCALE, SELL
from lotlaw.lots.events import APART, PLACES, Events, is_kind, rare, words_of
from lotlaw.lots.kinds import DONOR
from lotlaw.lots.methods import law_of
from lotlaw.lots.moves import alike, dollars
from lotlaw.lots.queues import FINE, FINELY, OPENS, SALES, SCALING, UNITS, Plan
from lotlaw.lots.rare import Known, Rare, units_held, with_heirs
from lotlaw.lots.treatment import Treatment, turns_long
from lotlaw.lots.windows import Alike, groups_of, pools_of, renamed, wash_of
from lotlaw.readings.columns import MONEY

LINKING = (CARRY, BRANCH, BORROW, CLOSE, EXPIRE, ABSORB)
COMMON = UNITS[2]
"""Decimals that most quantities fit into."""
EPOCH = date(1970, 1, 1).toordinal()
Rates = tuple[int, int]
Part = tuple[pl.DataFrame, pl.DataFrame, bool]
"""Steps, places, and whether what they are of is only bought and sold, first in, first out."""


def knowing(
    events: Events, plan: Plan, known: list[Known], untaxed: Iterable[str], identical: Iterable[Iterable[str]],
    rates: Mapping[int, tuple[Fraction, Fraction]],
) -> Plan:  # fmt: skip
    """The plan with all that its moves have to know. `untaxed`: accounts whose sales are not taxed.

    `identical`: assets that are substantially identical, by the taxpayer's own judgement. `rates`: by year, what the
    taxpayer pays on gains, short-term and long-term.
    """
    law, classes = events.treatment, events.ledger.classes
    opened = plan.steps.with_row_index("at").filter(pl.col("code").is_in(OPENS)).select("at", "row")
    low, tacked = _low(events, opened, plan.fine), _tacked(events, opened)
    watched = law.watched(classes)
    watched &= set(plan.places["asset"].to_list()) if watched else set()
    chosen, against = _chosen(plan), _against(events, plan, set(untaxed), identical)
    gifts = set(plan.steps["asset"].gather(sorted(low | tacked))) if low or tacked else set()
    assets = chosen | with_heirs(plan.steps, known, gifts)
    special = [asset in assets for asset in plan.places["asset"].to_list()] if assets else []
    special += [False] * (len(plan.pools) - len(special))
    for queue, pool in enumerate(pools_of(plan)) if assets else ():
        special[pool] = special[pool] or special[queue]
    for queue in {queue for queues in against.values() for queue in queues}:
        special = special or [False] * len(plan.pools)
        special[queue] = True
    return replace(
        plan, held=units_held(plan, known), low=low, tacked=tacked, always=_always(events, opened), special=special,
        terms=_terms(plan, known, against), turns=_turns(law),
        rates=[(date(year, 1, 1).toordinal() - EPOCH, *rates[year]) for year in sorted(rates)],
        wash=wash_of(events, plan, watched, set(untaxed), identical) if watched else None,
        averaged=_averaged(events, plan) if chosen else {},
    )  # fmt: skip


def apart(events: Events, steps: pl.DataFrame, places: pl.DataFrame, rare: Rare) -> Iterator[Part]:
    """Steps and places of assets that are only bought and sold, first in, first out (True), and those of the others."""
    watched = events.treatment.watched(events.ledger.classes)
    odd = pl.col("code") > SELL
    if "method" in steps.columns:
        odd |= pl.col("method") != FIFO
    stock = steps.filter(pl.col("row").is_in({known.row for known in rare.known})) if rare.known else steps.clear()
    others = {*steps.filter(odd)["asset"].unique().to_list(), *rare.places["asset"], *stock["asset"], *watched}
    is_other = pl.col("asset").is_in(list(others))
    if not others or not others & set(places["asset"].to_list()):
        yield steps, places, True
        return
    for part, plain in ((~is_other, True), (is_other, False)):
        mine = places.filter(part)
        if mine.height:
            yield steps.filter(part), _numbered(mine), plain


def by_decimals(events: Events, parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, where a ledger is of several taxpayers by how many decimals each of them needs.

    Rounding depends on these: so each comes out as alone, and those who need few stay fast.
    """
    whose = _whose(events)
    for steps, places, plain in parts:
        if whose is None or (plain and not _finer(steps)):
            yield steps, places, plain
            continue
        owners = whose.gather(steps["row"])
        needed = _decimals(steps, (COMMON, PLACES) if plain else UNITS).with_columns(owner=owners)
        alike = needed.group_by("owner").max().sort("owner")
        owner = pl.coalesce("account", "asset").str.extract(rf"{APART}(\d+)$").cast(owners.dtype)
        for _, who in alike.group_by("fine", "units", maintain_order=True):
            chosen = who["owner"].implode()
            yield steps.filter(owners.is_in(chosen)), _numbered(places.filter(owner.is_in(chosen))), plain


def _whose(events: Events) -> pl.Series | None:
    """Whose each row of the ledger is, None where it is of one taxpayer."""
    rows = events.ledger.rows
    several = OWNER in rows.columns and rows.height and rows[OWNER][0] != rows[OWNER][-1]
    return rows[OWNER] if several else None


def _finer(steps: pl.DataFrame) -> bool:
    """Whether some basis is finer than cents, or some quantity finer than is common."""
    finer = (pl.col("code").is_in(FINELY) & _lost("amount", MONEY)) | _lost("units", COMMON)
    return bool(steps.select(finer.any()).item())


def _decimals(steps: pl.DataFrame, tried: Sequence[int]) -> pl.DataFrame:
    """By step, which of the decimals tried its amount (`fine`) and its units need, as `plan_of` tries them."""
    fine, units = (
        pl.sum_horizontal(_lost(name, places).cast(pl.UInt8) for places in of[:-1])
        for name, of in (("amount", FINE), ("units", tried))
    )
    return steps.select(
        fine=pl.when(pl.col("code").is_in(FINELY)).then(fine).otherwise(0),
        units=pl.when(pl.col("code").is_in(SCALING)).then(len(tried) - 1).otherwise(units),
    )


def _lost(name: str, places: int) -> pl.Expr:
    """Whether so many decimals lose digits of a column."""
    lost: pl.Expr = pl.col(name) % 10 ** (PLACES - places) != 0
    return lost


def _numbered(places: pl.DataFrame) -> pl.DataFrame:
    return places.drop("place").with_row_index("place")


def related(events: Events, steps: pl.DataFrame, rare: Rare, identical: Iterable[Iterable[str]]) -> set[str]:
    """Assets whose lots another asset's moves may have to do with: what became of them, options, what is identical."""
    linking = steps.filter(pl.col("code").is_in(LINKING))["asset"].unique()
    options = events.ledger.options
    return {
        *linking,
        *rare.places["asset"],
        *options["asset"],
        *options["underlying"].drop_nulls(),
        *chain.from_iterable([*identical, *renamed(events)]),
    }


def _chosen(plan: Plan) -> set[str]:
    """The assets of which lots are chosen otherwise than first in, first out."""
    if "method" not in plan.steps.columns:
        return set()
    return set(plan.steps.filter(pl.col("method") != FIFO)["asset"].unique().to_list())


def _averaged(events: Events, plan: Plan) -> dict[int, int]:
    """By queue, the day from which on lots may share an average cost, in days since 1970."""
    names = law_of(events.treatment)["names"].values()
    only = {name: one["from"] for said in names for name, one in said.get("only", {}).items() if "from" in one}
    classes = map(events.ledger.classes.get, plan.places["asset"])
    return {at: only[name].toordinal() - EPOCH for at, name in enumerate(classes) if name in only}


def _turns(law: Treatment) -> Callable[[int], int]:
    """The first long-term day by the day acquired, both in days since 1970."""
    turns = turns_long(law)
    return cache(lambda day: turns(date.fromordinal(day + EPOCH)).toordinal() - EPOCH)


# Gifts


def _low(events: Events, opened: pl.DataFrame, fine: int) -> dict[int, int]:
    """By move that opens a lot whose basis is less for a loss, that basis in fine units."""
    found: dict[int, int] = {}
    for leg, kinds in alike(events, "opens"):
        if leg.loss_basis is None:
            continue
        gain, loss = dollars(events, leg.amount), dollars(events, leg.loss_basis)
        others = rare(events.rows, "subkind").is_in(leg.said.get("loss_basis_unless", [])).fill_null(value=False)
        lows = events.rows.filter(is_kind(kinds) & (loss < gain) & ~others).select("row", low=loss)
        pairs = opened.join(lows, on="row").select("at", "low").iter_rows()
        found |= {at: low // 10 ** (PLACES - fine) for at, low in pairs}
    return found


def _tacked(events: Events, opened: pl.DataFrame) -> dict[int, int]:
    """By move that opens a lot that counts as held since somebody else acquired it, that day."""
    kinds = [name for name, kind in events.treatment.kinds.items() if kind.opens and kind.opens.acquired == DONOR]
    since = rare(events.rows, "donor_acquired_date").to_physical()
    days = events.rows.filter(is_kind(kinds)).select("row", since=since).drop_nulls()
    return dict(opened.join(days, on="row").select("at", "since").iter_rows())


def _always(events: Events, opened: pl.DataFrame) -> frozenset[int]:
    """The moves that open lots with a word in place of a date that makes them long-term."""
    words = words_of(events, opened["row"]).is_in(events.treatment.said["term"]["always_long"])
    return frozenset(opened["at"].filter(words.fill_null(value=False)))


# What rare moves have to know


def _terms(plan: Plan, known: list[Known], against: Mapping[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    codes = (RESCALE, CARRY, BRANCH, ABSORB, EXPIRE, BORROW)
    asking = plan.steps.with_row_index("at").filter(pl.col("code").is_in(codes))
    if asking.is_empty():
        return {}
    queues, targets = _queues(plan), _targets(plan, known)
    columns = ("at", "code", "row", "asset", "account", "amount")
    terms: dict[int, tuple[int, ...]] = {}
    for at, code, row, asset, account, amount in asking.select(columns).iter_rows():
        if code == BORROW:
            terms |= {at: against[row]} if row in against else {}
        elif code == EXPIRE:
            terms[at] = (queues[asset, account, True],)
        elif code == ABSORB:
            said = known[amount]
            terms[at] = (targets[said.row, said.is_sale], said.sign, int(said.is_sale))
        else:
            to = known[amount].to
            owed = (asset, account, True), (*(to or ("", "")), True)
            shorts = (queues[place] for place in owed) if code == CARRY and queues.keys() >= set(owed) else ()
            terms[at] = (*((queues[*to, False],) if to else ()), *known[amount].numbers, *shorts)
    return terms


def _against(events: Events, plan: Plan, untaxed: set[str], identical: Alike) -> dict[int, tuple[int, ...]]:
    """By row that opens a position by selling, for which it matters what is held meanwhile: where that lies."""
    kinds = events.treatment.kinds.items()
    opposed = [name for name, kind in kinds if kind.borrows and kind.borrows.said.get("against_held")]
    if events.kinds.isdisjoint(opposed):
        return {}
    groups, lots_of = groups_of(set(plan.places["asset"]), identical), dict[int, set[int]]()
    for (name, account, short), queue in _queues(plan).items():
        if not short and account not in untaxed:
            lots_of.setdefault(groups[name], set()).add(queue)
    sold = events.rows.filter(is_kind(opposed)).select("row", "out_asset").iter_rows()
    return {row: tuple(sorted(lots_of.get(groups[asset], ()))) for row, asset in sold if asset in groups}


def _queues(plan: Plan) -> dict[tuple[str, str, bool], int]:
    """Where lots of an asset at an account lie: in its place, or in the pool if nobody asks where."""
    pools, tracked = pools_of(plan), plan.pools
    places = plan.places.select("place", "asset", "account", "short").iter_rows()
    return {(*where, short): at if tracked[at] != at else pools[at] for at, *where, short in places}


def _targets(plan: Plan, known: list[Known]) -> dict[tuple[int, bool], int]:
    """The moves by which rows that take options' premiums sell (True) or open."""
    rows = {said.row for said in known}
    moves = plan.steps.with_row_index("at").filter(pl.col("row").is_in(rows) & pl.col("code").is_in([*SALES, *OPENS]))
    found: dict[tuple[int, bool], int] = {}
    for at, row, code in moves.select("at", "row", "code").iter_rows():
        found.setdefault((row, code in SALES), at)
    return found
