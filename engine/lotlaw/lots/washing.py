"""Wash sales: losses disallowed because the same thing was acquired shortly before or after, §1091.

Losses are taken in the order they are made, what replaces them in the order it was acquired, and each unit acquired
serves one loss. What was acquired before looks for nothing: a loss finds it when it is made. What is acquired later
finds the losses that still look. A lot that replaces part of a loss is cut, so that a lot has replaced wholly or not
at all; its basis rises by the loss, and the time that the lot sold had been held counts for it. A short sale that
was closed at a loss is replaced by another short sale, which then counts as made for less, §1091(e).

Whoever trades the same thing all day cuts lots without end: every loss leaves its borders in what replaces it. After
ROOM cuts no more are made: a sale's losses are then one, and a whole lot shares it and the time held, by units. No
cent is lost by that.
"""

from __future__ import annotations

from collections.abc import Callable

from lotlaw.lots.book import NOWHERE, Book, Group, Loss
from lotlaw.lots.choosing import enter, key, order_again

Made = tuple[int, int, int, int, int]
"""A loss as a sale makes it: slice, lot, units, cents, and since when the lot had been held."""
ROOM = 2**16
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
        for parts in [losses] if len(origin) >= ROOM else ([made] for made in losses):
            loss = _loss(parts, per, at, day, queue)
            own = {made[1] if made[1] < lots else origin[made[1] - lots] for made in parts}
            passed = []
            while recent and loss.units:
                other = recent[0]
                opened = other if other < lots else origin[other - lots]
                if not left[other] or other in served or days[opened] < earliest:
                    recent.popleft()
                elif opened in own:
                    # What remains of the same purchase is no replacement of its own units, but may be one of others.
                    passed.append(recent.popleft())
                else:
                    serve(other, loss)
            if passed:
                recent.extendleft(reversed(passed))
            if loss.units:
                group.losses.append(loss)

    return lose


def _loss(parts: list[Made], per: int, at: int, day: int, queue: int) -> Loss:
    """Losses of one sale as one that looks, held as long as they were by units."""
    if len(parts) == 1:
        slice_, _, units, cents, held = parts[0]
        return Loss([] if slice_ == NOWHERE else [(slice_, cents)], units * per, cents, at, day, queue, held)
    units = sum(made[2] for made in parts)
    held = sum(made[2] * made[4] for made in parts) // units
    shown = [(made[0], made[3]) for made in reversed(parts) if made[0] != NOWHERE]
    return Loss(shown, units * per, sum(made[3] for made in parts), at, day, queue, held)


def _disallow(loss: Loss, cents: int, disallowed: dict[int, int]) -> None:
    """Let the slices of a loss bear what of it is disallowed, one after the other."""
    shown = loss.shown
    while cents and shown:
        slice_, most = shown.pop()
        share = min(cents, most)
        disallowed[slice_] = disallowed.get(slice_, 0) + share
        cents -= share
        if share < most:
            shown.append((slice_, most - share))


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
        if loss.shown:
            _disallow(loss, cents, disallowed)
        if need < have and len(origin) < ROOM:
            piece = cut(book, lot, need)
            _put_back(book, lot, piece, queue)
            lot, have, free = piece, need, need
        if need == free:
            served.add(lot)
        else:
            free_units[lot] = free - need
        if queue is not None and wash is not None and wash.forfeits[queue]:
            book.forfeited.append((loss.at, cents))
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
