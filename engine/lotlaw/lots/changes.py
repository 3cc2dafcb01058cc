"""What companies and protocols do to lots that are held: splits, mergers, spin-offs, capital paid back, new names."""

from __future__ import annotations

from lotlaw.lots.book import ADJUST, BRANCH, CARRY, LOWER, RESCALE, Book
from lotlaw.lots.choosing import NONE, first, forget_order, in_turn
from lotlaw.lots.taking import cut, part, parts, put, resize, sent, show, spread
from lotlaw.lots.washing import follow, renamed, rescale


def carry_out(book: Book, at: int, code: int, queue: int) -> None:
    """Carry out one move of these; `terms` of the move say what each needs."""
    does = {RESCALE: _rescale, CARRY: _carry, BRANCH: _branch, LOWER: _lower, ADJUST: _adjust}
    spread(book, queue)
    does[code](book, at, queue)
    forget_order(book, queue)


def _rescale(book: Book, at: int, queue: int) -> None:
    """A split: (new, old) units, or (0, units added)."""
    new, old = book.moves.terms[at]
    lots = in_turn(book, queue)
    held = sum(book.left[lot] for lot in lots)
    if new:
        rescale(book, queue, new, old)
    if not held:
        return
    if not new:
        new, old = held + old, held
        rescale(book, queue, new, old)
    whole = held * new // old
    for lot, units in zip(lots, parts(whole, [book.left[lot] for lot in lots]), strict=True):
        resize(book, lot, units, book.cost(lot))
    _rescale_shorts(book, lots, new, old)


def _rescale_shorts(book: Book, lots: list[int], new: int, old: int) -> None:
    """Units of short sales whose shares are others now."""
    for opened in {book.opened_by(lot) for lot in lots} & book.against.keys():
        book.against[opened] = book.against[opened] * new // old
        book.anew[opened] = book.anew[opened] * new // old


def _carry(book: Book, at: int, queue: int) -> None:
    """Lots become lots of another asset, with their basis and dates: (queue, units, boot, value of all received).

    Where none are held, positions that were opened by selling do: (their queue, the other asset's). Boot is money
    received besides, in cents: a gain is taken up to it, a loss never, and the basis falls by what was received beyond
    that gain, §356 and §358.
    """
    target, units, boot, value, *owed = book.moves.terms[at]
    if owed and not boot and first(book, queue, at) == NONE:
        queue, target = owed
    pieces, unit = _gone(book, at, queue), book.moves.unit
    weights = [book.left[piece] for piece in pieces]
    if not pieces:
        return
    shares = zip(pieces, parts(units, weights), parts(boot, weights), parts(value, weights), strict=True)
    same = renamed(book, queue, target, units, book.moves.quantity[at])
    for opened in book.against if same else ():
        _stands_against(book, opened, queue, target)
    if owed and target == owed[1]:
        _rescale_shorts(book, pieces, units, book.moves.quantity[at])
    for piece, gets, money, worth in shares:
        cost = book.cost(piece)
        if boot:
            gain = max(0, min(money, worth - (2 * cost + unit) // (2 * unit)))
            show(book, at, piece, book.left[piece], (money - gain) * unit, money)
            cost += (gain - money) * unit
            _value_too(book, piece, (gain - money) * unit)
        # What a slice shows keeps its own lot, whose units were those of the old asset.
        heir = cut(book, piece, book.left[piece], book.cost(piece))
        if same:
            follow(book, piece, heir)
        resize(book, heir, gets, cost)
        put(book, heir, target)


def _gone(book: Book, at: int, queue: int) -> list[int]:
    """The lots that become others: of the place and, where sales took those in a pool, of all of it."""
    common = book.pools[queue]
    pieces = list(sent(book, at, queue, all_there=common == queue))
    missing = book.moves.quantity[at] - sum(book.left[piece] for piece in pieces)
    return pieces + list(sent(book, at, common, need=missing)) if missing and common != queue else pieces


def _stands_against(book: Book, opened: int, queue: int, target: int) -> None:
    """What was held against a short sale, §1233, is so under its new name too."""
    held = book.moves.terms[opened]
    book.moves.terms[opened] = (*held, target) if queue in held else held


def _branch(book: Book, at: int, queue: int) -> None:
    """A spin-off: (queue of what is received, units, numerator and denominator of its part of the basis)."""
    target, units, above, below = book.moves.terms[at]
    lots, unit = in_turn(book, queue), book.moves.unit
    if not lots:
        book.short.append((at, units))
        return
    for lot, gets in zip(lots, parts(units, [book.left[lot] for lot in lots]), strict=True):
        cost, left = book.cost(lot), book.left[lot]
        goes = part(cost, above, below, unit)
        heir = cut(book, lot, 0, goes)
        if lot in book.low:
            book.low[heir] = part(book.low[lot], above, below, unit)
            book.low[lot] -= book.low[heir]
        resize(book, lot, left, cost - goes)
        resize(book, heir, gets, goes)
        put(book, heir, target)


def _lower(book: Book, at: int, queue: int) -> None:
    """Capital paid back, in cents, lowers the basis of every lot, and what is beyond it is gain."""
    lots, unit = in_turn(book, queue), book.moves.unit
    if not lots:
        book.short.append((at, book.moves.quantity[at] or 1))
        return
    for lot, cents in zip(lots, parts(book.moves.amount[at], [book.left[lot] for lot in lots]), strict=True):
        cost = book.cost(lot)
        whole = (cost + unit - 1) // unit
        if cents > whole:
            show(book, at, lot, book.left[lot], 0, cents - whole)
        resize(book, lot, book.left[lot], max(0, cost - cents * unit))
        _value_too(book, lot, -cents * unit)


def _adjust(book: Book, at: int, queue: int) -> None:
    """An amount in fine units, of either sign, is added to the basis: of the lot named, or of all by their units."""
    named = [lot for lot, _ in book.moves.picks.get(at, ())]
    lots = [lot for lot in in_turn(book, queue) if not named or book.opened_by(lot) in named]
    if not lots:
        book.short.append((at, 1))
        return
    shares = parts(book.moves.amount[at], [book.left[lot] for lot in lots], book.moves.unit)
    for lot, more in zip(lots, shares, strict=True):
        cost = book.cost(lot) + more
        if cost < 0:
            book.negative.append(at)
        resize(book, lot, book.left[lot], cost)
        _value_too(book, lot, more)


def _value_too(book: Book, lot: int, more: int) -> None:
    """What changes the basis of a gift changes the one that a loss goes by as well, §1016."""
    if lot in book.low:
        book.low[lot] = max(0, book.low[lot] + more)
