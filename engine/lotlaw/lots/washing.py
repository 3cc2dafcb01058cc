"""Wash sales: losses disallowed because the same thing was acquired shortly before or after, §1091.

Losses are taken in the order they are made, what replaces them in the order it was acquired, and each unit acquired
serves one loss. What was acquired before looks for nothing: a loss finds it when it is made. What is acquired later
finds the losses that still look. A lot that replaces part of a loss is cut, so that a lot has replaced wholly or not
at all; its basis rises by the loss, and the time that the lot sold had been held counts for it. A short sale that
was closed at a loss is replaced by another short sale, which then counts as made for less, §1091(e).

Whoever trades the same thing all day cuts lots without end: every loss leaves its borders in what replaces it. After
ROOM cuts no more are made: the whole lot then shares the loss and the time held, by units. No cent is lost by that.
"""

from __future__ import annotations

from collections.abc import Callable

from lotlaw.lots.book import NOWHERE, Book, Group, Loss, Wash
from lotlaw.lots.choosing import enter, key, order_again

Made = tuple[int, int, int, int, int]
"""A loss as a sale makes it: slice, lot, units, cents, and since when the lot had been held."""
ROOM = 2**17
Cut = Callable[[Book, int, int], int]


def lose(book: Book, at: int, queue: int, losses: list[Made], cut: Cut) -> None:
    """Look for what has replaced a sale's losses; what is left goes on looking."""
    wash = _wash(book)
    group, per, day = book.groups[wash.loss[queue]], wash.units[queue], book.moves.day[at]
    recent, earliest = group.recent, day - wash.before
    if len(losses) > 1:
        losses.sort(key=lambda made: key(book, made[1]))
    for slice_, lot, units, cents, held in losses:
        loss = Loss(slice_, units * per, cents, day, queue, held)
        own, passed = book.opened_by(lot), []
        while recent and loss.units:
            other = recent[0]
            if not book.left[other] or other in book.served or book.moves.day[book.opened_by(other)] < earliest:
                recent.popleft()
            elif book.opened_by(other) == own:
                # What remains of the same purchase is no replacement of its own units, but may be one of others.
                passed.append(recent.popleft())
            else:
                _serve(book, other, loss, cut)
        recent.extendleft(reversed(passed))
        if loss.units:
            group.losses.append(loss)


def acquire(book: Book, lot: int, queue: int, cut: Cut) -> None:
    """A lot that was just opened replaces what was lately sold at a loss; what it has left may do so later."""
    wash, day = _wash(book), book.moves.day[lot]
    for n in wash.bought[queue]:
        group = book.groups[n]
        losses = group.losses
        while losses and lot not in book.served:
            loss = losses[0]
            if day - loss.day > wash.after:
                losses.popleft()
                continue
            _serve(book, lot, loss, cut)
            if not loss.units:
                losses.popleft()
        if lot not in book.served:
            group.recent.append(lot)


def follow(book: Book, lot: int, piece: int) -> None:
    """A piece of a lot may replace whatever the lot may."""
    for group in book.groups if lot not in book.served else ():
        if lot in group.recent:
            group.recent.insert(group.recent.index(lot), piece)


def rescale(book: Book, queue: int, new: int, old: int) -> None:
    """Units of what was sold at a loss, after a split."""
    wash = book.moves.wash
    group = Group() if wash is None or wash.loss[queue] == NOWHERE else book.groups[wash.loss[queue]]
    for loss in group.losses:
        if loss.queue == queue:
            loss.units = loss.units * new // old


def _wash(book: Book) -> Wash:
    wash = book.moves.wash
    if wash is None:
        raise AssertionError
    return wash


def _serve(book: Book, lot: int, loss: Loss, cut: Cut) -> None:
    """Let a lot, or as much of it as is needed, replace units of a loss."""
    queue, wash, left = book.place(lot), _wash(book), book.left[lot]
    per = 1 if queue is None else wash.units[queue]
    free = min(left, book.free.get(lot, left))
    need = min(free, -(-loss.units // per))
    served = min(need * per, loss.units)
    cents = loss.cents if served == loss.units else (2 * loss.cents * served + loss.units) // (2 * loss.units)
    loss.units, loss.cents = loss.units - served, loss.cents - cents
    if loss.slice != NOWHERE:
        disallowed = book.slices.disallowed
        disallowed[loss.slice] = disallowed.get(loss.slice, 0) + cents
    whole = need == left
    if not whole and len(book.origin) < ROOM:
        piece = cut(book, lot, need)
        _put_back(book, lot, piece, queue)
        lot, left, whole = piece, need, True
    if whole or need == free:
        book.served.add(lot)
    else:
        book.free[lot] = free - need
    if queue is not None and wash.forfeits[queue]:
        book.forfeited.append((loss.slice, cents))
        return
    opposite = queue is not None and wash.opposite[queue]
    if not opposite:
        since, now = book.moves.day[book.opened_by(lot)] - (loss.day - loss.held), book.held_since(lot)
        book.held[lot] = since if whole else now + (since - now) * need // left
    _raise(book, lot, queue, (-cents if opposite else cents) * book.moves.unit)


def _raise(book: Book, lot: int, queue: int | None, cost: int) -> None:
    """Add a loss to the basis of the lot that replaces it."""
    if queue in book.pooled:
        book.pooled[queue][1] += cost
    book.total[lot] = book.basis[lot] = book.cost(lot) + cost
    book.size[lot] = book.left[lot]
    if book.heaps:
        order_again(book, lot)


def _put_back(book: Book, lot: int, piece: int, queue: int | None) -> None:
    """A piece lies where the lot does that it was cut from."""
    book.home[piece] = queue
    if queue is not None:
        enter(book, piece, queue)
        return
    for bag in book.bags.values():
        if lot in bag:
            bag.append(piece)
