"""The lot kernel against a plain reference that handles one unit at a time, and what holds for every run of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotlaw.lots.book import DIVIDE, ENTER, OPEN, OPEN_TWICE, PICK, RECEIVE, SELL, SEND, USE, Book, Moves
from lotlaw.lots.kernel import run

PLACES = (0, 1, 2)
POOL = 3
OPENS = (OPEN, OPEN_TWICE, ENTER)


@dataclass
class Unit:
    """One unit of a lot, and where it lies (None: on the way)."""

    day: int
    lot: int
    piece: int
    place: int | None

    @property
    def turn(self) -> tuple[int, int, int]:
        return self.day, self.lot, self.piece


@dataclass
class Reference:
    """Makes moves and carries each out at once, a unit at a time; too slow for anything but a test.

    `pooled`: sales take from all places. `held`: units by place, wherever their lots lie. `sold`: a lot for each unit.
    """

    pooled: bool
    moves: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    picks: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    by_place: dict[int, dict[int, int]] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    held: Counter[int] = field(default_factory=Counter)
    bags: dict[int, tuple[int, list[Unit]]] = field(default_factory=dict)
    sold: list[tuple[int, int]] = field(default_factory=list)
    undivided: bool = False

    def move(self, code: int, queue: int, units: int, amount: int = 0, day: int = 0) -> int:
        self.moves.append((code, queue, units, amount, day))
        return len(self.moves) - 1

    def here(self, place: int) -> list[Unit]:
        """The units to be had at a place, in turn."""
        return sorted((u for u in self.units if self.pooled or u.place == place), key=lambda u: u.turn)

    def open(self, place: int, units: int, cost: int, age: int) -> None:
        today = len(self.moves)
        code = ENTER if age else OPEN_TWICE if self.pooled else OPEN
        at = self.move(code, place, units, cost, today - age)
        self.units += [Unit(today - age, at, at, place) for _ in range(units)]
        self.held[place] += units

    def sell(self, place: int, units: int, proceeds: int, named: int, *, shown: bool) -> None:
        units = min(units, len(self.here(place)))
        if not units:
            return
        lots = sorted({u.lot for u in self.here(place)})
        lot = lots[named % len(lots)] if named else None
        at = self.move(PICK if named else SELL if shown else USE, POOL if self.pooled else place, units, proceeds)
        taken = [u for u in self.here(place) if u.lot == lot][:units]
        if lot is not None:
            self.picks[at] = [(lot, len(taken))]
        taken += [u for u in self.here(place) if u.lot != lot][: units - len(taken)]
        self.units = [u for u in self.units if not any(u is t for t in taken)]
        self.sold += [(at, u.lot) for u in taken if named or shown]
        self.held[place] -= units

    def send(self, place: int, to: int, units: int) -> None:
        lying = sorted((u for u in self.units if u.place == place), key=lambda u: u.turn)
        units = units if self.pooled else min(units, len(lying))
        if not units:
            return
        at = self.move(SEND, place, units, len(self.moves))
        going = lying[:units]
        for piece, n in Counter(u.piece for u in going).items():
            if n < sum(u.piece == piece for u in self.units):
                new = 10**6 + len(self.moves)
                for unit in (u for u in going if u.piece == piece):
                    unit.piece = new
        for unit in going:
            unit.place = None
        self.held[place] -= units
        self.bags[at] = to, going

    def receive(self) -> None:
        for bag, (to, coming) in list(self.bags.items())[:1]:
            del self.bags[bag]
            units = self.moves[bag][2]
            self.move(RECEIVE, to, units, bag)
            for unit in coming:
                unit.place = to
            self.held[to] += units

    def divide(self) -> None:
        if not self.pooled:
            return
        units = {place: self.held[place] for place in PLACES}
        self.by_place[self.move(DIVIDE, 0, 0)] = units
        self.pooled = False
        lots = {place: sum(u.place == place for u in self.units) for place in PLACES}
        homes = [place for place, n in units.items() if n]
        if lots != units and len(homes) == 1 and sum(lots.values()) == units[homes[0]]:
            for unit in (u for u in self.units if u.place is not None):
                unit.place = homes[0]
        elif lots != units:
            self.undivided = True

    def input(self, *, pooled: bool, unit: int = 1) -> Moves:
        code, queue, quantity, amount, day = ([move[n] for move in self.moves] for n in range(5))
        pools = [POOL] * 4 if pooled else [0, 1, 2, 3]
        return Moves(code, queue, quantity, amount, day, unit, pools, self.picks, set(self.picks), self.by_place)


small, places = st.integers(1, 6), st.sampled_from(PLACES)
cents, names = st.integers(0, 3_000), st.integers(0, 5)
deeds = st.one_of(
    st.tuples(st.just("open"), places, small, cents, st.integers(0, 3)),
    st.tuples(st.just("sell"), places, small, st.integers(-20, 3_000), names, st.booleans()),
    st.tuples(st.just("send"), places, places, small),
    st.tuples(st.just("receive")),
    st.tuples(st.just("divide")),
)


def played(pooled: bool, script: list[tuple[object, ...]]) -> Reference:
    reference = Reference(pooled)
    for what, *said in script:
        if what == "sell":
            *place, shown = said
            reference.sell(*place, shown=shown)
        else:
            getattr(reference, str(what))(*said)
        if reference.undivided:
            break
    return reference


def sold(book: Book) -> list[tuple[int, int]]:
    cut = book.slices
    slices = zip(cut.sale, cut.lot, cut.quantity, strict=True)
    return [(sale, book.opened_by(lot)) for sale, lot, units in slices for _ in range(units)]


def open_lots(book: Book) -> Iterator[int]:
    codes = book.moves.code
    yield from (at for at, code in enumerate(codes) if code in OPENS)
    yield from range(len(codes), len(book.left))


@given(st.booleans(), st.lists(deeds, max_size=40))
def test_the_lots_are_those_that_the_reference_takes(pooled: bool, script: list[tuple[object, ...]]) -> None:
    reference = played(pooled, script)
    book = run(reference.input(pooled=pooled))
    assert sold(book) == reference.sold
    assert [bool(book.short), bool(book.misnamed), bool(book.undivided)] == [False, False, reference.undivided]
    assert sum(book.left[lot] for lot in open_lots(book)) == len(reference.units)


@given(st.booleans(), st.lists(deeds, max_size=40), st.sampled_from([1, 100, 10**6]))
def test_no_cent_is_made_or_lost(pooled: bool, script: list[tuple[object, ...]], unit: int) -> None:
    """In fine units: what was paid is what was sold and what is held, and the fraction of a cent that a queue owes."""
    shown = [(*deed[:-1], True) if deed[0] == "sell" else deed for deed in script]
    reference = played(pooled, shown)
    paid = sum(amount for code, _, _, amount, _ in reference.moves if code in OPENS)
    gotten = {at: amount for at, (code, _, _, amount, _) in enumerate(reference.moves) if code in (SELL, PICK)}
    book = run(reference.input(pooled=pooled, unit=unit))
    held = sum(book.cost(lot) for lot in open_lots(book) if book.left[lot])
    assert sum(book.slices.basis) + held + sum(book.rest) == paid
    assert all(basis % unit == 0 for basis in book.slices.basis)
    assert all(2 * abs(rest) <= unit for rest in book.rest)
    assert all(book.cost(lot) >= 0 for lot in open_lots(book))
    proceeds = Counter[int]()
    for sale, share in zip(book.slices.sale, book.slices.proceeds, strict=True):
        proceeds[sale] += share
    assert {at: proceeds[at] for at in gotten} == gotten


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 10_000))
def test_a_slice_is_within_a_cent_of_its_share(sales: list[int], cost: int) -> None:
    units = sum(sales)
    moves = [(OPEN, 0, units, cost, 0), *((SELL, 0, n, 100, 0) for n in sales)]
    code, queue, quantity, amount, day = ([move[n] for move in moves] for n in range(5))
    book = run(Moves(code, queue, quantity, amount, day, 1, [0]))
    for n, basis in zip(sales, book.slices.basis, strict=True):
        assert abs(basis - Fraction(cost * n, units)) < 1


def simple(*moves: tuple[int, ...], unit: int = 1) -> Book:
    full = [(*move, *(0,) * (5 - len(move))) for move in moves]
    code, queue, quantity, amount, day = ([move[n] for move in full] for n in range(5))
    return run(Moves(code, queue, quantity, amount, day, unit, [0, 1]))


def test_ten_thousand_rewards_of_four_tenths_of_a_cent_cost_forty_dollars() -> None:
    rewards = [(OPEN, 0, 1, 4)] * 10_000
    book = simple(*rewards, (SELL, 0, 10_000, 9_999), unit=10)
    assert (sum(book.slices.basis), sum(book.slices.proceeds)) == (40_000, 9_999)
    assert book.slices.basis[:6] == [0, 10, 0, 10, 0, 0]


def test_half_a_cent_rounds_up() -> None:
    book = simple((OPEN, 0, 2, 5), (SELL, 0, 1, 1), (SELL, 0, 1, 1))
    assert book.slices.basis == [3, 2]


def test_a_lot_that_arrives_late_is_sold_first_if_it_is_older() -> None:
    book = simple((OPEN, 0, 5, 50, 1), (OPEN, 1, 5, 500, 2), (SEND, 0, 2, 7), (RECEIVE, 1, 2, 7), (SELL, 1, 3, 900))
    assert [(book.opened_by(lot), units) for lot, units in zip(book.slices.lot, book.slices.quantity, strict=True)] == [
        (0, 2),
        (1, 1),
    ]
    assert book.slices.basis == [20, 100]
    assert (book.left[0], book.cost(0)) == (3, 30)


def test_more_than_there_is_is_noted_and_the_rest_goes_on() -> None:
    book = simple((OPEN, 0, 2, 10), (SELL, 0, 3, 9), (OPEN, 0, 1, 4), (SELL, 0, 1, 9))
    assert book.short == [(1, 1)]
    assert book.slices.basis == [10, 4]


@pytest.mark.parametrize(
    ("named", "misnamed"),
    [
        ([(0, 2)], []),
        ([(0, 3)], [(3, 0, 1)]),
        ([(4, 1)], [(3, 4, 1)]),
        ([(2, 1)], [(3, 2, 1)]),
        ([(0, 0)], [(3, 0, 1)]),
    ],
    ids=["what it has", "more than it has", "a lot of later", "a lot of elsewhere", "no quantity, and too little"],
)
def test_lots_by_name(named: list[tuple[int, int]], misnamed: list[tuple[int, int, int]]) -> None:
    moves = [(OPEN, 0, 2, 10, 0), (OPEN, 0, 5, 10, 0), (OPEN, 1, 5, 10, 0), (PICK, 0, 3, 9, 0), (OPEN, 0, 5, 10, 0)]
    code, queue, quantity, amount, day = ([move[n] for move in moves] for n in range(5))
    book = run(Moves(code, queue, quantity, amount, day, 1, [0, 1], {3: named}, {3}))
    assert book.misnamed == misnamed
    assert sum(book.slices.quantity) == 3
