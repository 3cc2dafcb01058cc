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

from lotlaw.lots.book import NOWHERE, Book, Group, Loss
from lotlaw.lots.choosing import enter, key, order_again

Made = tuple[int, int, int, int, int]
"""A loss as a sale makes it: slice, lot, units, cents, and since when the lot had been held."""
ROOM = 2**17
Cut = Callable[[Book, int, int], int]
Serve = Callable[[int, Loss], None]
Lose = Callable[[int, int, list[Made]], None]
Acquire = Callable[[int, int], None]


def washer(book: Book, cut: Cut) -> tuple[Lose, Acquire]:
    """What wash sales do, bound to a book once: `lose(at, queue, losses)` and `acquire(lot, queue)`."""
    serve = _server(book, cut)
    return _loser(book, serve), _acquirer(book, serve)


def _loser(book: Book, serve: Serve) -> Lose:
    moves, left, served, origin, lots = book.moves, book.left, book.served, book.origin, len(book.moves.code)
    wash, days = moves.wash, moves.day

    def lose(at: int, queue: int, losses: list[Made]) -> None:
        """Look for what has replaced a sale's losses; what is left goes on looking."""
        if wash is None or wash.loss[queue] == NOWHERE:
            return
        group, per, day = book.groups[wash.loss[queue]], wash.units[queue], days[at]
        recent, earliest = group.recent, day - wash.before
        if len(losses) > 1:
            losses.sort(key=lambda made: key(book, made[1]))
        for slice_, lot, units, cents, held in losses:
            loss = Loss(slice_, units * per, cents, day, queue, held)
            own, passed = lot if lot < lots else origin[lot - lots], []
            while recent and loss.units:
                other = recent[0]
                opened = other if other < lots else origin[other - lots]
                if not left[other] or other in served or days[opened] < earliest:
                    recent.popleft()
                elif opened == own:
                    # What remains of the same purchase is no replacement of its own units, but may be one of others.
                    passed.append(recent.popleft())
                else:
                    serve(other, loss)
            if passed:
                recent.extendleft(reversed(passed))
            if loss.units:
                group.losses.append(loss)

    return lose


def _acquirer(book: Book, serve: Serve) -> Acquire:
    wash, days, served = book.moves.wash, book.moves.day, book.served

    def acquire(lot: int, queue: int) -> None:
        """A lot just opened replaces what was lately sold at a loss; what it has left may do so later."""
        for n in wash.bought[queue] if wash else ():
            group = book.groups[n]
            losses, earliest = group.losses, days[lot] - (wash.after if wash else 0)
            while losses and lot not in served:
                loss = losses[0]
                if loss.day >= earliest:
                    serve(lot, loss)
                if not loss.units or loss.day < earliest:
                    losses.popleft()
            if lot not in served:
                group.recent.append(lot)

    return acquire


def _server(book: Book, cut: Cut) -> Serve:
    moves, left, free_units, served, held = book.moves, book.left, book.free, book.served, book.held
    wash, days, origin, lots, unit = moves.wash, moves.day, book.origin, len(moves.code), moves.unit
    disallowed = book.slices.disallowed

    def serve(lot: int, loss: Loss) -> None:
        """Let a lot, or as much of it as is needed, replace units of a loss."""
        queue = moves.queue[lot] if lot < lots else book.home[lot]
        per = 1 if queue is None or wash is None else wash.units[queue]
        have, wanted, cents = left[lot], loss.units, loss.cents
        free = free_units.get(lot, have) if free_units else have
        free = min(free, have)
        need = wanted if per == 1 else -(-wanted // per)
        need = min(need, free)
        taken = need * per
        if taken < wanted:
            cents = (2 * cents * taken + wanted) // (2 * wanted)
        loss.units, loss.cents = max(0, wanted - taken), loss.cents - cents
        if loss.slice != NOWHERE:
            disallowed[loss.slice] = disallowed.get(loss.slice, 0) + cents
        if need < have and len(origin) < ROOM:
            piece = cut(book, lot, need)
            _put_back(book, lot, piece, queue)
            lot, have, free = piece, need, need
        if need == free:
            served.add(lot)
        else:
            free_units[lot] = free - need
        if queue is not None and wash is not None and wash.forfeits[queue]:
            book.forfeited.append((loss.slice, cents))
            return
        opposite = queue is not None and wash is not None and wash.opposite[queue]
        if not opposite:
            bought = days[lot if lot < lots else origin[lot - lots]]
            since, now = bought - loss.day + loss.held, held.get(lot, bought)
            held[lot] = since if need == have else now + (since - now) * need // have
        _raise(book, lot, queue, -cents * unit if opposite else cents * unit)

    return serve


def _raise(book: Book, lot: int, queue: int | None, cost: int) -> None:
    """Add a loss to the basis of the lot that replaces it."""
    if book.pooled and queue in book.pooled:
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
