"""Small portfolios made at random, and what any plan of them comes to, worked out one by one in plain Python."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import polars as pl

from lotlaw.plan.columns import FILED, total_name
from lotlaw.plan.market import SCALE, STEP, Market

BOXES = {("short", False): ("C", "I"), ("long", False): ("F", "II"), ("long", True): ("F", "II")}
WAGES = (0, 12_000, 30_000, 60_000, 64_000, 80_000, 150_000, 205_000, 600_000)
STATUSES = ("single", "married_joint", "married_separate", "head_of_household")


@dataclass(frozen=True)
class Lot:
    """So many units at a price, for a basis; cents."""

    units: int
    price: int
    basis: int
    term: str
    collectible: bool

    @property
    def group(self) -> str:
        box, part = BOXES[self.term, self.collectible]
        return total_name({"box": box, "part": part, "collectible": self.collectible}, "")[:-1]


@dataclass(frozen=True)
class Portfolio:
    """Lots, the totals of what was sold before, what else is on the return, and what a sale costs."""

    lots: Sequence[Lot]
    base: Mapping[str, int]
    known: Mapping[str, Any]
    fee: int
    parts: int

    def sold(self, lot: Lot, units: int) -> tuple[int, int, int]:
        """What some units of a lot bring, their basis, and the fee."""
        value = units * lot.price
        fee = self.fee + half_up(value * self.parts, 10**6)
        return value - fee, half_up(lot.basis * units, lot.units), fee


def half_up(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b)


def portfolio(rng: random.Random, most: int) -> Portfolio:
    lots = []
    for _ in range(rng.randint(1, most)):
        units, term = rng.randint(1, 5), rng.choice(["short", "long"])
        price, basis = rng.randint(1, 4000) * 100 + rng.choice([0, 0, 37]), rng.randint(1, 4000) * 100 * units
        lots.append(Lot(units, price, basis + rng.choice([0, 51]), term, term == "long" and rng.random() < 0.1))
    base: dict[str, int] = {}
    for term in ("short", "long"):
        if rng.random() < 0.6:
            group, brought, gain = Lot(1, 1, 1, term, False).group, rng.randint(0, 20_000), rng.randint(-12_000, 12_000)
            base |= {f"{group}.d": brought * 100, f"{group}.e": (brought - gain) * 100, f"{group}.g": 0}
            base[f"{group}.h"] = gain * 100
    known = {
        "filing_status": rng.choice(STATUSES), "taxpayer.income.wages": rng.choice(WAGES) * 100,
        "taxpayer.standard_deduction": True, "taxpayer.carryover.short": rng.choice([0, 0, 200_000]),
        "taxpayer.carryover.long": rng.choice([0, 0, 500_000]),
    }  # fmt: skip
    return Portfolio(lots, base, known, rng.choice([0, 0, 495]), rng.choice([0, 0, 5000]))


def market(of: Portfolio) -> Market:
    """The portfolio as the search takes it."""
    rows = []
    for n, lot in enumerate(of.lots):
        brings, basis, fee = of.sold(lot, lot.units)
        gain, long = brings - basis, lot.term == "long"
        totals = {"d": brings, "e": basis, "g": 0, "h": gain}
        said = {
            "block": n, "option": 1, "tied": False, "sold": 1, "cash": brings, "fees": fee, "gain": gain,
            "long_gain": gain if long else 0, "long": long, "size": lot.units * STEP, "step_cents": lot.price * SCALE,
            "basis": basis, "group": lot.group, **{f"{lot.group}.{letter}": cents for letter, cents in totals.items()},
        }  # fmt: skip
        rows.append(pl.DataFrame([said]))
    return Market(pl.concat(rows, how="diagonal"), of.base, bool(of.base), of.fee, of.parts)


def plans(of: Portfolio, lots: Sequence[int], *, parts: bool) -> Iterator[dict[str, Any]]:
    """Every plan of some of the lots, whole or left, or one in part if that is asked for: its totals and sums."""
    names = market(of).totals
    sizes = [range(of.lots[n].units + 1) if parts else (0, of.lots[n].units) for n in lots]
    for units in product(*sizes):
        chosen = [(of.lots[n], some) for n, some in zip(lots, units, strict=True) if some]
        if not chosen or sum(some < lot.units for lot, some in chosen) > 1:
            continue
        row = {name: of.base.get(name, 0) for name in names}
        sums = dict.fromkeys(("cash", "fees", "gain", "long_gain"), 0)
        for lot, some in chosen:
            brings, basis, fee = of.sold(lot, some)
            for letter, cents in (("d", brings), ("e", basis), ("h", brings - basis)):
                row[f"{lot.group}.{letter}"] += cents
            own = {"cash": brings, "fees": fee, "gain": brings - basis}
            own["long_gain"] = own["gain"] if lot.term == "long" else 0
            sums = {name: sums[name] + own[name] for name in sums}
        yield {**row, **sums, FILED: True}
