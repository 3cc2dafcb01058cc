"""The lot kernel: one pass over whole numbers, in the order of the ledger, for every way of choosing lots.

Quantities and money are plain integers, which have no bounds. A *lot* is numbered by the move that opened it; a piece cut off a lot gets a
number after all moves. A *queue* holds the lots of one asset at one place in the order in which they are taken: `lines` in order from
the front, `late` a heap of lots that came out of order (a lot of 2019 that arrives in 2024), brought to the front when their turn
comes. Where sales may take from all places at once, a lot stands in the queue of its place and in that of its pool; a lot that the
other queue used up has nothing left, and is passed over.

Money is in *fine* units, `unit` of them a cent. A slice that leaves something in its lot takes its share of the basis rounded half up to the
cent. The slice that uses a lot up takes what is left, and the fraction of a cent that rounding leaves goes with the next lot that
this queue uses up; so no cent is lost over thousands of tiny lots. Proceeds are shared out in the same way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

OPEN, OPEN_TWICE, USE, SELL, ENTER, PICK, SEND, RECEIVE, DIVIDE = range(9)
"""What a move does: OPEN a lot at the end of its queue; OPEN_TWICE in the queues of its place and its pool; ENTER a lot where its day
belongs. USE takes lots without a trace, SELL leaves slices, PICK takes named lots first (and leaves slices if `shown`). SEND takes lots out
of a place into a bag, RECEIVE puts a bag's lots into a place. DIVIDE a pool by places."""

Key = tuple[int, int, int]


@dataclass
class Moves:
    """The kernel's input, one entry a move; `run` uses the lists up.

    code: what the move does. queue: which queue it opens in or takes from. quantity: in whole units. amount: the basis of what is opened in
    fine units, the proceeds of what is sold in cents, the number of the bag of what is moved. day: when a lot was acquired.
    """

    code: list[int]
    queue: list[int]
    quantity: list[int]
    amount: list[int]
    day: list[int]
    unit: int
    pools: list[int]
    picks: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    units: dict[int, dict[int, int]] = field(default_factory=dict)


@dataclass
class Slices:
    """What was sold, a slice of one lot each: the move that sold, the lot, units, basis and proceeds in cents."""

    sale: list[int] = field(default_factory=list)
    lot: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    basis: list[int] = field(default_factory=list)
    proceeds: list[int] = field(default_factory=list)

    def columns(self) -> tuple[list[int], ...]:
        """The lists, in the order of the fields."""
        return self.sale, self.lot, self.quantity, self.basis, self.proceeds


@dataclass
class Book:
    """Where everything stands: what is left of each lot, the queues, bags on their way, and what went wrong.

    short: (move, units missing). misnamed: (move, named lot, units missing). undivided: (move, units in lots by queue).
    """

    left: list[int]
    basis: list[int]
    day: list[int]
    unit: int
    pools: list[int]
    moves: int
    lines: list[deque[int]] = field(default_factory=list)
    late: list[list[Key]] = field(default_factory=list)
    rest: list[int] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    pieces: dict[int, list[int]] = field(default_factory=dict)
    home: dict[int, int | None] = field(default_factory=dict)
    bags: dict[int, list[int]] = field(default_factory=dict)
    slices: Slices = field(default_factory=Slices)
    short: list[tuple[int, int]] = field(default_factory=list)
    misnamed: list[tuple[int, int, int]] = field(default_factory=list)
    undivided: list[tuple[int, dict[int, int]]] = field(default_factory=list)

    def opened_by(self, lot: int) -> int:
        """The move that opened a lot, or the lot that a piece was cut from."""
        return lot if lot < self.moves else self.origin[lot - self.moves]


def run(moves: Moves) -> Book:
    """Carry out all moves in order. Nothing is raised: what a move could not do is noted in the book."""
    book = Book(moves.quantity, moves.amount, moves.day, moves.unit, list(moves.pools), len(moves.code))
    book.lines = [deque() for _ in moves.pools]
    book.late = [[] for _ in moves.pools]
    book.rest = [0] * len(moves.pools)
    lines, lates, pools, left, basis, unit = book.lines, book.late, book.pools, book.left, book.basis, book.unit
    sale, source, taken, costs, gets = (column.append for column in book.slices.columns())
    for at, (code, queue, need) in enumerate(zip(moves.code, moves.queue, moves.quantity, strict=False)):
        if code == OPEN:
            lines[queue].append(at)
            continue
        if code > SELL:
            _rarer(book, moves, at, code)
            continue
        if code == OPEN_TWICE:
            lines[queue].append(at)
            lines[pools[queue]].append(at)
            continue
        # What follows is _take and _show written out: calling them for each slice would double the time of the whole run.
        line, late, money = lines[queue], lates[queue], basis[at]
        while need:
            if late:
                _settle(book, queue)
            if not line:
                book.short.append((at, need))
                break
            lot = line[0]
            held, cost = left[lot], basis[lot]
            if held > need:
                units, whole = need, held * unit
                part = (2 * cost * need + whole) // (2 * whole) * unit
                if part > cost:
                    part -= unit
                basis[lot] = cost - part
                left[lot] = held - need
                cost = part
            else:
                line.popleft()
                if not held:
                    continue
                units = held
                left[lot] = 0
                if unit != 1:
                    cost = _whole_cents(book, queue, cost)
            if code == SELL:
                share = money if units == need else (2 * money * units + need) // (2 * need)
                money -= share
                sale(at)
                source(lot)
                taken(units)
                costs(cost // unit)
                gets(share)
            need -= units
    return book


def _rarer(book: Book, moves: Moves, at: int, code: int) -> None:
    queue, bag = moves.queue[at], moves.amount[at]
    if code == ENTER:
        _enter(book, at, queue, moves)
    elif code == SEND:
        book.bags[bag] = list(_send(book, moves, at, queue))
    elif code == RECEIVE:
        for lot in book.bags.pop(bag, ()):
            book.home[lot] = queue
            _join(book, lot, queue)
    elif code == PICK:
        _pick(book, moves, at, queue)
    elif code == DIVIDE:
        _divide(book, at, moves.units[at])


def _enter(book: Book, lot: int, queue: int, moves: Moves) -> None:
    _join(book, lot, queue)
    if book.pools[queue] != queue:
        _join(book, lot, book.pools[queue])


def _key(book: Book, lot: int) -> Key:
    """What orders lots in a queue: the day acquired, then the ledger's order, then pieces as they were cut."""
    opened = book.opened_by(lot)
    return book.day[opened], opened, lot


def _join(book: Book, lot: int, queue: int) -> None:
    """Put a lot where its key belongs."""
    line, key = book.lines[queue], _key(book, lot)
    if not line or _key(book, line[-1]) < key:
        line.append(lot)
    else:
        heappush(book.late[queue], key)


def _settle(book: Book, queue: int) -> None:
    """Bring the late lot whose turn it is to the front of its line."""
    line, late = book.lines[queue], book.late[queue]
    while late and not book.left[late[0][2]]:
        heappop(late)
    if late and (not line or late[0] < _key(book, line[0])):
        line.appendleft(heappop(late)[2])


def _first(book: Book, queue: int) -> int | None:
    """The lot whose turn it is, or None where nothing is left."""
    line = book.lines[queue]
    while True:
        _settle(book, queue)
        if not line:
            return None
        if book.left[line[0]]:
            return line[0]
        line.popleft()


def _whole_cents(book: Book, queue: int, cost: int) -> int:
    """A used-up lot's basis in whole cents, with what earlier lots of the queue left over; the new rest is kept."""
    cost += book.rest[queue]
    whole = (2 * cost + book.unit) // (2 * book.unit) * book.unit
    book.rest[queue] = cost - whole
    return whole


def _share(book: Book, lot: int, units: int) -> int:
    """The basis of part of a lot: its share, half up to the cent, and not more than there is."""
    cost, whole = book.basis[lot], book.left[lot] * book.unit
    share = (2 * cost * units + whole) // (2 * whole) * book.unit
    return share if share <= cost else share - book.unit


def _take(book: Book, lot: int, units: int, queue: int) -> int:
    """Take units out of a lot, and give their basis in fine units."""
    if units < book.left[lot]:
        cost = _share(book, lot, units)
        book.basis[lot] -= cost
    else:
        cost = _whole_cents(book, queue, book.basis[lot])
        book.basis[lot] = 0
    book.left[lot] -= units
    return cost


def _show(book: Book, at: int, lot: int, units: int, cost: int, money: int, need: int) -> int:
    """Leave a slice of a sale that still needs `need` units for `money`; gives what is left of the money."""
    share = money if units == need else (2 * money * units + need) // (2 * need)
    slices = book.slices
    slices.sale.append(at)
    slices.lot.append(lot)
    slices.quantity.append(units)
    slices.basis.append(cost // book.unit)
    slices.proceeds.append(share)
    return money - share


def _cut(book: Book, lot: int, units: int) -> int:
    """Part of a lot as a lot of its own, of the same day; it follows its lot in the pool's queue, if there is one."""
    piece, opened = len(book.left), book.opened_by(lot)
    cost = _share(book, lot, units)
    book.left[lot] -= units
    book.basis[lot] -= cost
    book.left.append(units)
    book.basis.append(cost)
    book.origin.append(opened)
    book.pieces.setdefault(opened, []).append(piece)
    return piece


def _send(book: Book, moves: Moves, at: int, queue: int) -> Iterator[int]:
    """Take lots out of a place. Where a pool sells from all places, fewer lots than units may lie here."""
    need, pool = moves.quantity[at], book.pools[queue]
    while need:
        lot = _first(book, queue)
        if lot is None:
            if pool == queue:
                book.short.append((at, need))
            return
        units = min(need, book.left[lot])
        if units < book.left[lot]:
            lot = _cut(book, lot, units)
            if pool != queue:
                _join(book, lot, pool)
        else:
            book.lines[queue].popleft()
        book.home[lot] = None if pool == queue else pool
        need -= units
        yield lot


def _pick(book: Book, moves: Moves, at: int, queue: int) -> None:
    """A sale that names its lots: those first, the rest in the queue's order."""
    need, money = moves.quantity[at], moves.amount[at]
    for lot, units in _picked(book, moves, at, queue, need):
        cost = _take(book, lot, units, queue)
        if at in moves.shown:
            money = _show(book, at, lot, units, cost, money, need)
        need -= units
    if need:
        book.short.append((at, need))


def _picked(book: Book, moves: Moves, at: int, queue: int, need: int) -> Iterator[tuple[int, int]]:
    """Lots and units of a sale: from the lots named, and once those have given what they were named for, from the queue."""
    named = at
    for named, wanted in moves.picks[at]:
        missing = wanted or need
        for lot in (named, *book.pieces.get(named, ())):
            units = min(missing, book.left[lot] if _lies_in(book, moves, lot, queue) else 0)
            if units:
                yield lot, units
                missing, need = missing - units, need - units
        if missing and wanted:
            book.misnamed.append((at, named, missing))
    if need and not all(wanted for _, wanted in moves.picks[at]):
        book.misnamed.append((at, named, need))
    while need:
        first = _first(book, queue)
        if first is None:
            return
        units = min(need, book.left[first])
        yield first, units
        need -= units


def _lies_in(book: Book, moves: Moves, lot: int, queue: int) -> bool:
    opened = book.opened_by(lot)
    place = book.home.get(lot, moves.queue[opened])
    return place is not None and queue in (place, book.pools[place])


def live(book: Book, queue: int) -> Iterator[int]:
    """The lots of a queue that have something left, in no order."""
    yield from (lot for lot in book.lines[queue] if book.left[lot])
    yield from (key[2] for key in book.late[queue] if book.left[key[2]])


def _divide(book: Book, at: int, units: dict[int, int]) -> None:
    """From now on each place sells its own lots. Lots lie where units do, or all go where all units are, or it is noted."""
    lots = {queue: list(live(book, queue)) for queue in units}
    held = {queue: sum(book.left[lot] for lot in inside) for queue, inside in lots.items()}
    homes = [queue for queue, n in units.items() if n]
    if held != units and len(homes) == 1 and sum(held.values()) == units[homes[0]]:
        for queue in units.keys() - homes:
            book.lines[queue].clear()
            book.late[queue].clear()
            for lot in sorted(lots[queue]):
                book.home[lot] = homes[0]
                _join(book, lot, homes[0])
    elif held != units:
        book.undivided.append((at, held))
    for queue in units:
        book.pools[queue] = queue
