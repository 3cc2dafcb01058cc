"""What is sold before it is bought: short sales and written options; and options that are exercised or expire.

A short position is a lot of its own queue, whose basis is what it was opened for. Closing it leaves a slice with that
as its proceeds. Where the same thing was held when a short sale was opened, §1233 looks at how long: a loss is
long-term against what was held long-term, and what was held short-term starts anew when the sale is closed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from lotlaw.lots.book import ABSORB, BORROW, EXPIRE, SELL, Book
from lotlaw.lots.choosing import NONE, enter, first, in_turn
from lotlaw.lots.taking import Bound, cut, show, take, turns
from lotlaw.lots.washing import Lose, follow


def carry_out(book: Book, at: int, code: int, queue: int, bound: Bound) -> None:
    """Carry out one move of these; `terms` of the move say what each needs."""
    if code == BORROW:
        _borrow(book, at, queue)
        bound.acquire(at, queue)
    elif code == ABSORB:
        _absorb(book, at, queue)
    elif code == EXPIRE and first(book, queue, at) != NONE:
        bound.sell(at, SELL, queue, book.moves.quantity[at])
    else:
        _close(book, at, book.moves.terms[at][0] if code == EXPIRE else queue, bound.lose)


def _borrow(book: Book, at: int, queue: int) -> None:
    """Open a short position, against what is held in the queues that `terms` name: the units held long-term."""
    today, moves = book.moves.day[at], book.moves
    enter(book, at, queue)
    if at in moves.terms:
        lots = [lot for held in moves.terms[at] for lot in in_turn(book, held)]
        long = sum(book.left[lot] for lot in lots if book.long_from(lot) <= today)
        others = sum(n for opened, n in book.against.items() if set(moves.terms[opened]) & set(moves.terms[at]))
        book.against[at] = max(0, min(long - others, moves.quantity[at]))
        book.anew[at] = moves.quantity[at]


def _close(book: Book, at: int, queue: int, lose: Lose) -> None:
    """Close short positions, first opened first, at a cost in cents."""
    moves, want = book.moves, book.moves.quantity[at]
    need, cost, given, today = want, moves.amount[at], 0, moves.day[at]
    for lot, units in _apart(book, turns(book, at, queue), want, cost):
        proceeds = take(book, lot, units, queue) // moves.unit
        need -= units
        so_far = (2 * cost * (want - need) + want) // (2 * want) if need else cost
        pays, given = so_far - given, so_far
        slice_ = show(book, at, lot, units, pays * moves.unit, proceeds)
        book.slices.acquired[slice_] = today
        if pays > proceeds:
            lose(at, queue, [(slice_, lot, units, pays - proceeds, today)])
        opened = book.opened_by(lot)
        if opened not in book.against:
            continue
        if pays > proceeds and book.against[opened] >= units:
            book.slices.long[slice_] = True
        book.against[opened] -= min(units, book.against[opened])
        _start_anew(book, opened, today, units)
        book.anew[opened] -= min(units, book.anew[opened])


def _apart(book: Book, turns: Iterator[tuple[int, int]], want: int, cost: int) -> Iterator[tuple[int, int]]:
    """The lots and units, with those of a loss apart that were sold short against what was held long-term."""
    for lot, units in turns:
        against = book.against.get(book.opened_by(lot), 0)
        loses = cost * book.moves.unit * book.left[lot] > book.cost(lot) * want
        yield from ((lot, part) for part in ((against, units - against) if loses and 0 < against < units else (units,)))


def _start_anew(book: Book, opened: int, today: int, units: int) -> None:
    """What was held short-term when a short sale was opened, or came since, is held from its closing on."""
    units = min(units, book.anew[opened])
    for queue in book.moves.terms[opened]:
        for piece in _short_term(book, opened, queue, today, units):
            book.held[piece] = today
            units -= book.left[piece]


def waiting(book: Book, at: int, queue: int) -> dict[int, int]:
    """What was so held and is sold before the closing is held from its sale on: such lots, by the short sale."""
    found: dict[int, int] = {}
    for opened, units in book.anew.items():
        if units and queue in book.moves.terms[opened]:
            for lot in _short_term(book, opened, queue, book.moves.day[at], units, found):
                found[lot] = opened
    return found


def _short_term(book: Book, opened: int, queue: int, today: int, units: int, but: Container[int] = ()) -> Iterator[int]:
    """The first units of a queue that were held short-term when a short sale was opened, or came since, as lots."""
    for lot in in_turn(book, queue):
        if not units:
            return
        if lot not in but and book.held[lot] < today and book.long_from(lot) > book.moves.day[opened]:
            piece = lot
            if book.left[lot] > units:
                piece = cut(book, lot, units)
                book.home[piece] = queue
                follow(book, lot, piece)
                enter(book, piece, queue)
            units -= book.left[piece]
            yield piece


def _absorb(book: Book, at: int, queue: int) -> None:
    """An option's premium becomes part of what is bought or sold by it: (move of the stock, 1 or -1, is it a sale)."""
    (target, sign, sale), served = book.moves.terms[at], 0
    for lot, units in turns(book, at, queue):
        served += min(units, max(0, book.left[lot] - book.free[lot]))
        premium = sign * take(book, lot, units, queue)
        if sale:
            book.total[target] += premium // book.moves.unit
        else:
            book.total[target] += premium
            book.basis[target] = book.total[target]
    # To buy by an option that has replaced a loss is no other acquisition: each unit acquired serves one loss.
    if served and book.moves.wash and not sale:
        book.free[target] = max(0, book.left[target] - served * book.moves.wash.units[queue])
