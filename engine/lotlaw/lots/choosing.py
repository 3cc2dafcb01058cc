"""Which lot of a queue is next: by the day acquired, by cost, or by the tax that it leaves.

Lots stand in their queue in the order they were acquired. For any other order a heap of whole numbers is built when it
is first asked for, and kept from then on: an entry holds what the order goes by, then when the lot was acquired, then
the lot. Entries of lots that are used up, or that were ordered again since, are passed over when they come to the top.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from heapq import heapify, heappop, heappush
from operator import itemgetter

from lotlaw.lots.book import AVERAGE, FIFO, HIFO, LIFO, LOFO, MIN_TAX, Book, Key

BITS, WIDE = 32, 96
LOT = (1 << BITS) - 1
EPOCH = 1 << (BITS - 1)
"""Added to days, which may lie before 1970, so that they are not negative."""
FINER = 256
"""Costs of a unit are compared to so many binary digits below the fine unit: twice those that a quantity may have, so
that no two are alike unless they are, however many units a cent buys."""
LONG, OLD, OLD_LONG, TURNING, GIFTS = range(AVERAGE + 1, AVERAGE + 6)
"""Heaps beside the MIN_TAX heap of short-term lots, the dearest first: of long-term ones; of both by the day acquired,
where gains cost nothing; of lots by the day they turn long-term; and, in no order, lots of two bases, whose basis and
term depend on the price."""
BY_TAX = (MIN_TAX, OLD, TURNING)
LATER = (LONG, OLD_LONG, GIFTS)
"""Heaps for the least tax: those that every lot but a gift is in from the start, and the others."""
NONE = -1


def key(book: Book, lot: int) -> Key:
    """What orders lots in a queue: the day acquired, then the ledger's order, then where in its purchase it begins.

    Whatever takes part of a purchase takes it from the front.
    """
    opened = book.opened_by(lot)
    return book.moves.day[opened], opened, book.front.get(lot, 0), lot


def join(book: Book, lot: int, queue: int) -> None:
    """Put a lot where its key belongs, in one queue."""
    line, own = book.lines[queue], key(book, lot)
    if not line or key(book, line[-1]) < own:
        line.append(lot)
    else:
        heappush(book.late[queue], own)
    if queue in book.heaps:
        order(book, lot, queue)


def enter(book: Book, lot: int, queue: int) -> None:
    """Put a lot into the queue of a place, and into its pool's."""
    join(book, lot, queue)
    pool = book.pools[queue]
    if pool != queue:
        join(book, lot, pool)


def settle(book: Book, queue: int) -> None:
    """Bring the late lot whose turn it is to the front of its line."""
    line, late = book.lines[queue], book.late[queue]
    while late and (not book.left[lot := late[0][-1]] or late[0] != key(book, lot)):
        heappop(late)
        if book.left[lot]:
            heappush(late, key(book, lot))
    if late and (not line or late[0] < key(book, line[0])):
        line.appendleft(heappop(late)[-1])


def inside(book: Book, queue: int) -> Iterator[int]:
    """The lots of a queue that have something left, in no order."""
    yield from (lot for lot in book.lines[queue] if book.left[lot])
    yield from (key_[-1] for key_ in book.late[queue] if book.left[key_[-1]])


def in_turn(book: Book, queue: int) -> list[int]:
    """The lots of a queue that have something left, first acquired first."""
    return sorted(inside(book, queue), key=lambda lot: key(book, lot))


def first(book: Book, queue: int, at: int) -> int:
    """The lot whose turn it is for a move, by the move's method; NONE where nothing is left."""
    how = book.moves.how
    method = how[at] if how else FIFO
    if method in (FIFO, AVERAGE):
        return _first_acquired(book, queue)
    if method == MIN_TAX:
        return _least_tax(book, queue, at)
    heaps = book.heaps.get(queue)
    heap = heaps.get(method) if heaps else None
    if heap is None:
        heap = _heaps(book, queue, method)[method]
    left, entries = book.left, book.entries
    while heap:
        lot = heap[0] & LOT
        if left[lot] and (not entries or _holds(book, method, heap[0])):
            return lot
        heappop(heap)
    return NONE


def ordered(book: Book, queue: int, at: int) -> list[int] | None:
    """The heap whose top is the lot whose turn it is, if it has something left; None where more has to be asked."""
    heaps, how = book.heaps.get(queue), book.moves.how
    return heaps.get(how[at]) if heaps and not book.entries and how[at] in (LIFO, HIFO, LOFO) else None


def _first_acquired(book: Book, queue: int) -> int:
    line, left = book.lines[queue], book.left
    while True:
        if book.late[queue]:
            settle(book, queue)
        if not line:
            return NONE
        if left[line[0]]:
            return line[0]
        line.popleft()


# Heaps


def _holds(book: Book, method: int, entry: int) -> bool:
    """Whether a lot still stands where an entry says."""
    lot = entry & LOT
    return book.left[lot] > 0 and book.entries.get((lot, method), entry) == entry


def _heaps(book: Book, queue: int, method: int) -> dict[int, list[int]]:
    """The heaps of a queue, with those that a method needs."""
    heaps = book.heaps.setdefault(queue, {})
    if method not in heaps:
        lots = list(inside(book, queue))
        if method == MIN_TAX:
            heaps |= {LONG: [], OLD_LONG: [], GIFTS: [lot for lot in lots if lot in book.low]}
            lots = [lot for lot in lots if lot not in book.low]
        for one in BY_TAX if method == MIN_TAX else (method,):
            heaps[one] = [_entry(book, one, lot) for lot in lots]
            heapify(heaps[one])
    return heaps


def _entry(book: Book, method: int, lot: int) -> int:
    """A lot as one number: what the order goes by, then the lot."""
    opened = book.opened_by(lot)
    day, front = book.moves.day[opened], book.front.get(lot, 0) if book.front else 0
    if method == TURNING:
        return book.long_from(lot) << BITS | lot
    if method == LIFO:
        by = -(day << BITS | opened)
    else:
        cost = 0 if method in (OLD, OLD_LONG) else (book.cost(lot) << FINER) // book.left[lot]
        by = ((cost if method == LOFO else -cost) << BITS | day + EPOCH) << BITS | opened
    return (by << WIDE | front) << BITS | lot


def rank(book: Book, method: int, lot: int) -> int:
    """Where a lot stands in an order; what goes by the taxpayer's rates or an average goes by the day acquired."""
    return _entry(book, method if method in (LIFO, HIFO, LOFO) else OLD, lot)


def order(book: Book, lot: int, queue: int) -> None:
    """Give a lot its place in every heap of a queue."""
    gift = lot in book.low
    for method, heap in book.heaps[queue].items():
        if gift and method == GIFTS:
            heap.append(lot)
        elif method not in LATER and not (gift and method in BY_TAX):
            heappush(heap, _entry(book, method, lot))


def order_again(book: Book, lot: int) -> None:
    """A lot begins later or costs something else: it gets new places, and the old ones count no more."""
    place = book.place(lot)
    for queue in () if place is None else {place, book.pools[place]}:
        for method in book.heaps.get(queue, {}):
            book.entries[lot, method] = NONE if method in LATER else _entry(book, method, lot)
        if queue in book.heaps:
            order(book, lot, queue)


def forget_order(book: Book, queue: int) -> None:
    """The costs of a queue's lots have changed: its heaps are built again when they are asked for."""
    for one in {queue, book.pools[queue]}:
        book.heaps.pop(one, None)
        for lot in inside(book, one) if book.entries else ():
            for method in range(TURNING + 1):
                book.entries.pop((lot, method), None)


# The least tax


def _least_tax(book: Book, queue: int, at: int) -> int:
    """Of the dearest short-term and long-term lot and the gifts the one that is taxed least, a unit."""
    heaps, today = _heaps(book, queue, MIN_TAX), book.moves.day[at]
    turning = heaps[TURNING]
    while turning and turning[0] >> BITS <= today:
        lot = heappop(turning) & LOT
        for method in (LONG, OLD_LONG) if book.left[lot] else ():
            book.entries[lot, method] = _entry(book, method, lot)
            heappush(heaps[method], book.entries[lot, method])
    rates = _rates(book, today)
    methods = MIN_TAX if rates[0] else OLD, LONG if rates[1] else OLD_LONG
    found = {_dearest(book, heaps[method], method, today) for method in methods}
    if heaps[GIFTS]:
        heaps[GIFTS] = gifts = [lot for lot in dict.fromkeys(heaps[GIFTS]) if book.left[lot]]
        found.update(gifts)
    found.discard(NONE)
    if len(found) < 2:
        return max(found, default=NONE)
    return min(found, key=lambda lot: (_tax(book, lot, at, rates), key(book, lot)))


def _rates(book: Book, day: int) -> tuple[Fraction, Fraction]:
    """What gains are taxed at on a day; before the first day that is known, as on that."""
    known = book.moves.rates or [(day, Fraction(1), Fraction(1))]
    _, short, long = known[max(0, bisect_right(known, day, key=itemgetter(0)) - 1)]
    return short, long


def _dearest(book: Book, heap: list[int], method: int, today: int) -> int:
    while heap:
        lot = heap[0] & LOT
        is_long = book.long_from(lot) <= today
        if is_long == (method in (LONG, OLD_LONG)) and _holds(book, method, heap[0]):
            return lot
        heappop(heap)
    return NONE


def _tax(book: Book, lot: int, at: int, rates: tuple[Fraction, Fraction]) -> Fraction:
    """What a unit of a lot leaves in tax, in fine units times the rate.

    A gift of two bases has neither gain nor loss between them, and below both is held since it was given, §1015(a).
    """
    moves, left = book.moves, book.left[lot]
    price, basis = Fraction(moves.amount[at] * moves.unit, moves.quantity[at]), Fraction(book.cost(lot), left)
    long_from = book.long_from(lot)
    if lot in book.low and price < basis:
        basis = max(price, Fraction(book.low[lot], left))
        long_from = moves.turns(moves.day[book.opened_by(lot)])
    return (price - basis) * rates[long_from <= moves.day[at]]
