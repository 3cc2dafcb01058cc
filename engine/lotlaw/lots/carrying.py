"""Lots that go to another place, and pools that are divided by places."""

from __future__ import annotations

from lotlaw.lots.book import Book, Placement
from lotlaw.lots.choosing import inside, join, key, rank
from lotlaw.lots.taking import cut, pool, put, sent


def send(book: Book, at: int, queue: int) -> None:
    """Take lots out of a place into a bag. Where a pool sells from all places, fewer lots than units may lie here."""
    common, bag = book.pools[queue], []
    for piece in sent(book, at, queue, all_there=common == queue):
        book.home[piece] = None if common == queue else common
        if common != queue:
            join(book, piece, common)
        bag.append(piece)
    book.bags[book.moves.amount[at]] = bag


def receive(book: Book, at: int, queue: int) -> None:
    """Put a bag's lots into a place."""
    for lot in book.bags.pop(book.moves.amount[at], ()):
        if book.left[lot]:
            book.home[lot] = queue
            join(book, lot, queue)
            pool(book, lot, queue)


def divide(book: Book, at: int, units: dict[int, int]) -> None:
    """From now on each place sells its own lots.

    They lie where the units do, or all of them go where all units are, or they are allocated, or it is noted that none
    of this is so.
    """
    lots = {queue: list(inside(book, queue)) for queue in units}
    held = {queue: sum(book.left[lot] for lot in inside_) for queue, inside_ in lots.items()}
    homes = [queue for queue, n in units.items() if n]
    for queue in units:
        book.pools[queue] = queue
    if at in book.moves.placed:
        _place(book, at, units, [lot for inside_ in lots.values() for lot in inside_])
    elif held == units:
        return
    elif len(homes) == 1 and sum(held.values()) == units[homes[0]]:
        for lot in sorted(lot for queue in units if queue != homes[0] for lot in lots[queue]):
            put(book, cut(book, lot, book.left[lot]), homes[0])
    else:
        book.undivided.append((at, held))


def _place(book: Book, at: int, units: dict[int, int], lots: list[int]) -> None:
    """Put lots where an allocation says; it must place every lot, and at every place as many units as lie there."""
    placement = book.moves.placed[at]
    room = dict(units)
    placed = placement.lots or _in_order(book, placement, lots, dict(units))
    for lot, queue, n in placed:
        for piece in sorted((lot, *book.pieces.get(lot, ())), key=lambda one: key(book, one)):
            taken = min(n, book.left[piece]) if book.home.get(piece) not in book.moves.units[at] or piece in lots else 0
            if taken:
                put(book, cut(book, piece, taken), queue)
                room[queue] -= taken
                n -= taken  # noqa: PLW2901
    if any(room.values()):
        book.undivided.append((at, {queue: units[queue] - rest for queue, rest in room.items()}))


def _in_order(book: Book, placement: Placement, lots: list[int], room: dict[int, int]) -> list[tuple[int, int, int]]:
    """Lots in an order, into places in turn."""
    ordered = sorted(lots, key=lambda lot: rank(book, placement.order, lot))
    placed: list[tuple[int, int, int]] = []
    queues = [queue for queue in placement.queues if room[queue]]
    for lot in ordered:
        left = book.left[lot]
        while left and queues:
            n = min(left, room[queues[0]])
            placed.append((lot, queues[0], n))
            left, room[queues[0]] = left - n, room[queues[0]] - n
            if not room[queues[0]]:
                queues.pop(0)
    return placed
