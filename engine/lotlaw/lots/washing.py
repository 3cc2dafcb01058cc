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

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator

from lotlaw.lots.book import NOWHERE, Book, Group, Loss, kept_basis
from lotlaw.lots.choosing import enter, order_again

Made = tuple[int, int, int, int, int]
"""A loss as a sale makes it: slice, lot, units, cents, and since when the lot had been held."""
ROOM, ROOM_OF_MANY = 2**16, 2**24
"""Cuts of one taxpayer; and of many together, none of whom may then have made more than one alone (`crowd`)."""
FEW = 2**3
"""Lots that are sooner looked through than looked up."""
Cut = Callable[[Book, int, int], int]
Serve = Callable[[int, int, int, int, int, int], tuple[int, int]]
Lose = Callable[[int, int, list[Made]], None]
Acquire = Callable[[int, int], None]


def washer(book: Book, cut: Cut) -> tuple[Lose, Acquire]:
    """What wash sales do, bound to a book once: `lose(at, queue, losses)` and `acquire(lot, queue)`.

    The losses of a sale are told in the order in which their lots were acquired.
    """
    serve = _server(book, cut)
    return _loser(book, serve), _acquirer(book, serve)


def full(book: Book) -> Iterator[str]:
    """What to tell where lots were cut no more."""
    if book.moves.wash and len(book.origin) >= book.moves.wash.room:
        said = f"wash sales would cut lots into more than {book.moves.wash.room:,} parts: beyond these, a lot of which"
        yield f"{said} a part replaces what was sold takes on the loss, and the time it was held, as a whole"


def crowd(book: Book, owners: Callable[[list[int]], Iterable[str]]) -> set[str]:
    """Of many taxpayers together, those who cut more lots than one alone may. `owners`: of moves."""
    wash = book.moves.wash
    if not wash or wash.room == ROOM or len(book.origin) < ROOM:
        return set()
    made = Counter(owners(book.origin))
    return {owner for owner, cuts in made.items() if cuts >= ROOM}


def _loser(book: Book, serve: Serve) -> Lose:  # noqa: C901  (one loop, which is run for every loss)
    moves, left, free, origin, lots = book.moves, book.left, book.free, book.origin, len(book.moves.code)
    wash, days, disallowed = moves.wash, moves.day, book.slices.disallowed

    def lose(at: int, queue: int, losses: list[Made]) -> None:
        """Look for what has replaced a sale's losses; what is left goes on looking."""
        if wash is None or wash.loss[queue] == NOWHERE:
            return
        group, per, day = book.groups[wash.loss[queue]], wash.units[queue], days[at]
        recent, earliest = group.recent, day - wash.before
        together = len(losses) > 1 and len(origin) >= wash.room
        for slice_, lot, units, cents, since in [_as_one(losses)] if together else losses:
            wanted, rest, passed = units * per, cents, []
            own = _purchases(losses, lots, origin) if together else (lot if lot < lots else origin[lot - lots],)
            while recent and wanted > 0:
                other = recent[0]
                opened = other if other < lots else origin[other - lots]
                if not left[other] or not free[other] or days[opened] < earliest:
                    recent.popleft()
                elif opened in own:
                    # What remains of the same purchase is no replacement of its own units, but may be one of others.
                    passed.append(recent.popleft())
                else:
                    taken, share = serve(other, wanted, rest, day, since, at)
                    wanted, rest = wanted - taken, rest - share
            if passed:
                recent.extendleft(reversed(passed))
            if together:
                shown = _shared(losses, cents - rest, rest, disallowed)
            else:
                shown = [(slice_, rest)]
                if rest < cents and slice_ != NOWHERE:
                    disallowed[slice_] = cents - rest
            if wanted > 0:
                group.losses.append(Loss(shown, wanted, rest, at, day, queue, since))

    return lose


def _purchases(losses: list[Made], lots: int, origin: list[int]) -> Collection[int]:
    """The moves that opened the lots of a sale's losses."""
    own = [made[1] if made[1] < lots else origin[made[1] - lots] for made in losses]
    return own if len(own) <= FEW else set(own)


def _as_one(losses: list[Made]) -> Made:
    """The losses of a sale as one that looks, held as long as they were by units."""
    units = cents = held = 0
    for _, _, of, lost, since in losses:
        units += of
        cents += lost
        held += of * since
    return NOWHERE, NOWHERE, units, cents, held // units


def _shared(losses: list[Made], cents: int, rest: int, disallowed: list[int]) -> list[tuple[int, int]]:
    """Let the slices of a sale bear what of its losses is disallowed; those that bear the rest, the last first."""
    if not rest:
        if losses[0][0] != NOWHERE:
            for slice_, _, _, lost, _ in losses:
                disallowed[slice_] = lost
        return []
    shown = [(made[0], made[3]) for made in reversed(losses)]
    _disallow(shown, cents, disallowed)
    return shown


def _disallow(shown: list[tuple[int, int]], cents: int, disallowed: list[int]) -> None:
    """Let the slices of a loss bear what of it is disallowed, one after the other."""
    while cents and shown:
        slice_, most = shown.pop()
        share = min(most, cents)
        if slice_ != NOWHERE:
            disallowed[slice_] += share
        cents -= share
        if share < most:
            shown.append((slice_, most - share))


def _acquirer(book: Book, serve: Serve) -> Acquire:
    wash, days, free, disallowed = book.moves.wash, book.moves.day, book.free, book.slices.disallowed
    groups = [[book.groups[n] for n in of] for of in wash.bought] if wash else []
    after = wash.after if wash else 0

    def acquire(lot: int, queue: int) -> None:
        """A lot just opened replaces what was lately sold at a loss; what it has left may do so later."""
        for group in groups[queue] if groups else ():
            losses = group.losses
            while losses and free[lot]:
                loss = losses[0]
                current = loss.day >= days[lot] - after
                if current and loss.units:
                    taken, share = serve(lot, loss.units, loss.cents, loss.day, loss.held, loss.at)
                    loss.units = max(0, loss.units - taken)
                    loss.cents -= share
                    _disallow(loss.shown, share, disallowed)
                if not current or not loss.units:
                    losses.popleft()
            if free[lot]:
                group.recent.append(lot)

    return acquire


def _server(book: Book, cut: Cut) -> Serve:
    moves, left, free, held = book.moves, book.left, book.free, book.held
    wash, days, origin, lots, unit = moves.wash, moves.day, book.origin, len(moves.code), moves.unit
    room, units = (wash.room, wash.units) if wash else (0, [])
    odd = wash is not None and (any(wash.forfeits) or any(wash.opposite) or max(units) > 1)
    at_queue, home, basis, total, size = moves.queue, book.home, book.basis, book.total, book.size

    def serve(lot: int, wanted: int, cents: int, day: int, since: int, at: int) -> tuple[int, int]:
        """Let a lot, or as much of it as is needed, replace units of a loss: what it replaces, units and cents."""
        queue, opened = (at_queue[lot], lot) if lot < lots else (home[lot], origin[lot - lots])
        have, new = left[lot], min(left[lot], free[lot])
        per = units[queue] if odd and queue is not None else 1
        need = wanted if per == 1 else -(-wanted // per)
        if need > new:  # noqa: PLR1730  (a call less, for every loss)
            need = new
        taken = need * per
        if taken < wanted:
            cents = (2 * cents * taken + wanted) // (2 * wanted)
        if need < have and len(origin) < room:
            piece = cut(book, lot, need)
            _put_back(book, lot, piece, queue)
            free[lot], lot, have, new = new - need, piece, need, need
        free[lot] = new - need
        opposite = False
        if odd and queue is not None and wash is not None:
            if wash.forfeits[queue]:
                book.forfeited.append((at, cents))
                return taken, cents
            opposite = wash.opposite[queue]
        if not opposite:
            now = days[opened] - day + since
            held[lot] = now if need == have else held[lot] + (now - held[lot]) * need // have
        cost = -cents * unit if opposite else cents * unit
        known = basis[lot]
        total[lot] = basis[lot] = cost + (kept_basis(book, lot, have) if known is None else known)
        size[lot] = have
        if book.pooled or book.heaps:
            _revalued(book, lot, queue, cost)
        return taken, cents

    return serve


def _revalued(book: Book, lot: int, queue: int | None, cost: int) -> None:
    """Where lots share their cost or go by it, they do so anew."""
    if queue is not None and book.shares(lot, queue):
        book.pooled[queue][1] += cost
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
    for group in book.groups if book.free[lot] else ():
        if lot in group.recent:
            group.recent.insert(group.recent.index(lot), piece)


def rescale(book: Book, queue: int, new: int, old: int) -> None:
    """Units of what was sold at a loss, after a split."""
    wash = book.moves.wash
    group = Group() if wash is None or wash.loss[queue] == NOWHERE else book.groups[wash.loss[queue]]
    for loss in group.losses:
        if loss.queue == queue:
            loss.units = loss.units * new // old


def renamed(book: Book, queue: int, target: int, new: int, old: int) -> bool:
    """Whether what becomes another asset is the same thing for wash sales; its losses then look in units of that."""
    wash = book.moves.wash
    if wash is None or not set(wash.bought[queue]) & set(wash.bought[target]):
        return False
    for loss in book.groups[wash.bought[queue][0]].losses:
        if loss.queue == queue:
            loss.units, loss.queue = loss.units * new // old, target
    return True
