"""The lot kernel: one pass over whole numbers, in the order of the ledger, for every way of choosing lots.

Money is in *fine* units, so many a cent. A slice's basis is its lot's basis up to the slice's end, rounded half up to
the cent, less the same up to its start. The slice that uses a lot up takes what is left; the fraction of a cent that
rounding leaves goes with the next lot that this queue uses up, so that no cent is lost over thousands of tiny lots. The
proceeds of a sale are shared out among its slices in the same way.
"""

from __future__ import annotations

from lotlaw.lots import book as codes
from lotlaw.lots import carrying, changes, shorts
from lotlaw.lots.book import NOWHERE, OPEN, SELL, USE, Book, Moves, Sell, empty, kept_basis
from lotlaw.lots.choosing import enter, settle
from lotlaw.lots.taking import Bound, cut, end_average, opened, pool, seller, whole_cents
from lotlaw.lots.washing import Lose, washer


def run(moves: Moves) -> Book:
    """Carry out all moves in order. Nothing is raised: what a move could not do is noted in the book."""
    book = empty(moves)
    lines, special = book.lines, moves.special or [False] * len(moves.pools)
    watched = [bool(groups) for groups in moves.wash.bought] if moves.wash else [False] * len(moves.pools)
    lose, acquire = washer(book, cut)
    plain, sell = _first_in_first_out(book, lose), seller(book, lose, shorts.waiting)
    for at, code, queue, need in zip(range(len(moves.code)), moves.code, moves.queue, moves.quantity, strict=False):
        if code == OPEN:
            lines[queue].append(at)
            if special[queue]:
                opened(book, at, queue)
            if watched[queue]:
                acquire(at, queue)
        elif code in (USE, SELL):
            (sell if special[queue] else plain)(at, code, queue, need)
        else:
            _rarer(book, at, code, Bound(sell, lose, acquire))
    return book


def _first_in_first_out(book: Book, lose: Lose) -> Sell:  # noqa: C901  (one loop: a call a slice would double its time)
    """What sells first in, first out where nothing else matters: `seller`, written out, since it is called most."""
    lines, lates, left, basis, size, total = book.lines, book.late, book.left, book.basis, book.size, book.total
    unit, wash, sold, held = book.moves.unit, book.moves.wash, book.slices.sale, book.held
    sale, source, taken, costs, gets, acquired, disallowed = book.slices.appends

    def plain(at: int, code: int, queue: int, need: int) -> None:  # noqa: C901
        line, late, want, money, given, cost = lines[queue], lates[queue], need, total[at], 0, 0
        looking, losses = wash is not None and wash.loss[queue] != NOWHERE, []
        while need:
            if late:
                settle(book, queue)
            if not line:
                book.short.append((at, need))
                break
            units = left[lot := line[0]]
            if units > need:
                left[lot] = units - need
                if code == USE and not looking:
                    basis[lot] = None
                    break
                cost = kept_basis(book, lot, units) if (known := basis[lot]) is None else known
                of = size[lot] * unit
                kept = total[lot] - (2 * total[lot] * (size[lot] - units + need) + of) // (2 * of) * unit
                basis[lot] = kept = kept if kept >= 0 else kept + unit
                units, cost = need, cost - kept
            else:
                line.popleft()
                if not units:
                    continue
                if code == SELL or looking or unit != 1:
                    cost = book.cost(lot) if (known := basis[lot]) is None else known
                    cost = cost if unit == 1 else whole_cents(book, queue, cost)
                left[lot] = 0
            need -= units
            so_far = (2 * money * (want - need) + want) // (2 * want) if need else money
            got, given = so_far - given, so_far
            slice_, since = NOWHERE, held[lot]
            if code == SELL:
                slice_ = len(sold)
                sale(at), source(lot), taken(units), costs(cost), gets(got), acquired(since), disallowed(0)
            if looking and got * unit < cost:
                losses.append((slice_, lot, units, (cost - got * unit) // unit, since))
        if losses:
            lose(at, queue, losses)

    return plain


def _rarer(book: Book, at: int, code: int, bound: Bound) -> None:
    queue = book.moves.queue[at]
    match code:
        case codes.PICK | codes.GIVE:
            bound.sell(at, code, queue, book.moves.quantity[at])
        case codes.OPEN_TWICE:
            for line in (queue, book.pools[queue]):
                book.lines[line].append(at)
                opened(book, at, line)
            bound.acquire(at, queue)
        case codes.ENTER:
            end_average(book, at, queue)
            enter(book, at, queue)
            pool(book, at, queue)
        case codes.SEND:
            carrying.send(book, at, queue)
        case codes.RECEIVE:
            carrying.receive(book, at, queue)
        case codes.DIVIDE:
            carrying.divide(book, at, book.moves.units[at])
        case codes.BORROW | codes.CLOSE | codes.EXPIRE | codes.ABSORB:
            shorts.carry_out(book, at, code, queue, bound)
        case _:
            changes.carry_out(book, at, code, queue)
