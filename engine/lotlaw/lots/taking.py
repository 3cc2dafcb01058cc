"""Units out of lots: what they cost, the slices that a sale leaves, lots cut in two, lots taken by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop

from lotlaw.lots import choosing
from lotlaw.lots.book import AVERAGE, GIVE, NOWHERE, PICK, SELL, Book, Sell, Waiting, kept_basis
from lotlaw.lots.choosing import LOT, NONE, enter, first, in_turn, inside, key, order, order_again, ordered
from lotlaw.lots.washing import Acquire, Lose, follow


def whole_cents(book: Book, queue: int, cost: int) -> int:
    """A used-up lot's basis in whole cents, with what earlier lots of the queue left over; the new rest is kept."""
    unit = book.moves.unit
    cost += book.rest[queue]
    whole = (2 * cost + unit) // (2 * unit) * unit
    book.rest[queue] = cost - whole
    return whole


@dataclass(frozen=True)
class Bound:
    """What sells, and what wash sales do, bound to a book."""

    sell: Sell
    lose: Lose
    acquire: Acquire


def take(book: Book, lot: int, units: int, queue: int) -> int:
    """Take units out of a lot, and give their basis in fine units."""
    if book.pooled and book.shares(lot, queue):
        cost = share(book, units, queue)
        book.left[lot] -= units
        return cost if book.pooled[queue][0] else whole_cents(book, queue, cost)
    known = book.basis[lot]
    left = book.left[lot]
    cost = kept_basis(book, lot, left) if known is None else known
    book.left[lot] = left = left - units
    if not left:
        return cost if book.moves.unit == 1 else whole_cents(book, queue, cost)
    book.basis[lot] = kept = kept_basis(book, lot, left)
    return cost - kept


def share(book: Book, units: int, queue: int) -> int:
    """Take the cost of units out of the cost that all of a queue share: what is left keeps its own, in whole cents."""
    held = book.pooled[queue]
    cost = held[1] if units == held[0] else part(held[1], units, held[0], book.moves.unit)
    held[0] -= units
    held[1] -= cost
    return cost


def spread(book: Book, queue: int, new: int = NONE) -> None:
    """Each lot of a queue gets its own part of the cost that all of them share; `new` does not yet."""
    if queue in book.pooled:
        lots = [lot for lot in in_turn(book, queue) if lot != new and book.shares(lot, queue)]
        _, cost = book.pooled.pop(queue)
        for lot, own in zip(lots, parts(cost, [book.left[lot] for lot in lots], book.moves.unit), strict=True):
            resize(book, lot, book.left[lot], own)


def part(whole: int, weight: int, total: int, unit: int) -> int:
    """What of a whole number goes with a weight of a total: whole units of it, rounded half up."""
    return (2 * whole * weight + total * unit) // (2 * total * unit) * unit


def parts(whole: int, weights: list[int], unit: int = 1) -> Iterator[int]:
    """A whole number shared out by weights: what is reached at each end, in whole units, less that at its start.

    Amounts are shared out in cents, so that nothing depends on how finely others in the ledger are told.
    """
    total, reached, given = sum(weights), 0, 0
    for weight in weights:
        reached += weight
        so_far = part(whole, reached, total, unit) if reached < total else whole
        yield so_far - given
        given = so_far


def average(book: Book, at: int, queue: int) -> None:
    """By a move's method: the lots of a queue that may do so share one average cost, or each keeps its part of that."""
    if book.moves.how[at] != AVERAGE:
        end_average(book, at, queue)
    elif queue not in book.pooled:
        book.pooled[queue] = [0, 0]
        for lot in inside(book, queue):
            pool(book, lot, queue)


def end_average(book: Book, at: int, queue: int) -> None:
    """Where another method is in force by now, what was averaged keeps its part, and what comes its own cost."""
    if queue in book.pooled and book.moves.how[at] != AVERAGE:
        spread(book, queue, at)
        choosing.forget_order(book, queue)


def cut(book: Book, lot: int, units: int, cost: int | None = None) -> int:
    """The first units of a lot as a lot of its own, of the same day; each goes on as if it had been opened so.

    It lies nowhere yet. `cost` is its part of the basis in fine units, if that is not by units.
    """
    piece, opened, left, all_ = len(book.left), book.opened_by(lot), book.left[lot] - units, book.cost(lot)
    kept = all_ - cost if cost is not None else kept_basis(book, lot, left) if left else 0
    if lot in book.low:
        book.low[piece] = _low(book, lot, units)
    for column, mine, other in (
        (book.left, left, units), (book.basis, kept, all_ - kept),
        (book.size, left, units), (book.total, kept, all_ - kept),
        (book.held, book.held[lot], book.held[lot]), (book.free, book.free[lot], max(0, book.free[lot] - left)),
    ):  # fmt: skip
        column[lot] = mine
        column.append(other)
    book.origin.append(opened)
    book.pieces.setdefault(opened, []).append(piece)
    book.front[piece] = book.front.get(lot, 0)
    if left and units:
        book.front[lot] = book.front[piece] + units
        order_again(book, lot)
    return piece


def _low(book: Book, lot: int, units: int) -> int:
    """The part of a lot's basis for a loss that goes with units of it; the rest stays."""
    low, left = book.low[lot], book.left[lot]
    goes = low if units == left else min(low, part(low, units, left, book.moves.unit))
    book.low[lot] = low - goes
    return goes


# Slices


def seller(book: Book, lose: Lose, waiting: Waiting) -> Sell:  # noqa: C901  (one loop: a call a slice costs as much)
    """What carries out a sale, bound to a book once: `sell(at, code, queue, need)`."""
    moves, left, total, low, unit = book.moves, book.left, book.total, book.low, book.moves.unit
    wash, averaging, held, slices = moves.wash, AVERAGE in moves.how, book.held, book.slices
    sale, source, taken, costs, proceeds, acquired, disallowed = slices.appends

    def sell(at: int, code: int, queue: int, need: int) -> None:  # noqa: C901
        want, money, given = need, total[at], 0
        looking = wash is not None and code != GIVE
        shown, losses = code == SELL or at in moves.shown, []
        named = _named(book, at, queue, need) if code == PICK else None
        if averaging:
            average(book, at, queue)
        waits = waiting(book, at, queue) if book.anew else {}
        heap = ordered(book, queue, at)
        while need:
            if named is None:
                while heap and not left[heap[0] & LOT]:
                    heappop(heap)
                lot = heap[0] & LOT if heap else first(book, queue, at)
                units = need if lot == NONE or left[lot] > need else left[lot]
            else:
                lot, units = next(named, (NONE, 0))
            if lot == NONE:
                book.short.append((at, need))
                break
            if lot in waits:
                held[lot] = moves.day[at]
                book.anew[waits[lot]] -= units
            loss_basis = _low(book, lot, units) if lot in low else None
            cost = take(book, lot, units, queue)
            need -= units
            so_far = (2 * money * (want - need) + want) // (2 * want) if need else money
            gets, given = so_far - given, so_far
            if loss_basis is not None:
                cost = _of_gift(cost, loss_basis, gets * unit, unit)
            if shown:
                sale(at), source(lot), taken(units), costs(cost), proceeds(gets), acquired(held[lot]), disallowed(0)
            if gets * unit < cost and (looking or loss_basis is not None):
                slice_ = len(slices.sale) - 1 if shown else NOWHERE
                since = _since(book, lot, slice_, by_value=loss_basis is not None)
                losses.append((slice_, lot, units, (cost - gets * unit) // unit, since))
        if looking and losses:
            losses.sort(key=lambda made: key(book, made[1]))
            lose(at, queue, losses)

    return sell


def _since(book: Book, lot: int, slice_: int, *, by_value: bool) -> int:
    """Since when a lot sold at a loss had been held: a gift, if by its value, since it was given."""
    if not by_value:
        return book.held[lot]
    given = book.moves.day[book.opened_by(lot)]
    if slice_ != NOWHERE:
        book.slices.acquired[slice_] = given
    return given


def show(book: Book, at: int, lot: int, units: int, cost: int, gets: int) -> int:
    """Leave a slice, and give its number."""
    for append, said in zip(book.slices.appends, (at, lot, units, cost, gets, book.held[lot], 0), strict=True):
        append(said)
    return len(book.slices.sale) - 1


def _of_gift(gain_basis: int, loss_basis: int, gets: int, unit: int) -> int:
    """A gift's basis: the donor's for a gain, its value when given for a loss, and neither in between."""
    if gets >= gain_basis:
        return gain_basis
    return max(gets, (2 * loss_basis + unit) // (2 * unit) * unit)


# Lots by name


def _named(book: Book, at: int, queue: int, need: int) -> Iterator[tuple[int, int]]:
    """Lots and units of a sale: from the lots named, and once these have given what they were named for, in order."""
    picks = book.moves.picks[at]
    for named, wanted in picks:
        missing = wanted or need
        for lot in sorted((named, *book.pieces.get(named, ())), key=lambda lot: key(book, lot)):
            units = min(missing, book.left[lot]) if _lies_in(book, lot, queue, at) else 0
            if units:
                yield lot, units
                missing, need = missing - units, need - units
        if wanted and missing:
            book.misnamed.append((at, named, missing))
    if need and not all(wanted for _, wanted in picks):
        book.misnamed.append((at, picks[-1][0], need))
    while need:
        lot = first(book, queue, at)
        if lot == NONE:
            return
        units = min(need, book.left[lot])
        yield lot, units
        need -= units


def _lies_in(book: Book, lot: int, queue: int, at: int) -> bool:
    """Whether a lot has been opened by the time of a move, and is to be had from its queue."""
    place = book.place(lot) if book.opened_by(lot) < at else None
    return place is not None and queue in (place, book.pools[place])


# Lots that a move takes by their turn, but does not sell


def turns(
    book: Book, at: int, queue: int, *, all_there: bool = True, need: int | None = None
) -> Iterator[tuple[int, int]]:
    """The lots whose turn it is, and how many units of each a move needs; whoever asks takes them before the next."""
    need = book.moves.quantity[at] if need is None else need
    while need:
        lot = first(book, queue, at)
        if lot == NONE:
            if all_there:
                book.short.append((at, need))
            return
        units = min(need, book.left[lot])
        need -= units
        yield lot, units


def sent(book: Book, at: int, queue: int, *, all_there: bool = True, need: int | None = None) -> Iterator[int]:
    """The units of a move on their way to somewhere else, each part as a lot of its own that lies nowhere yet."""
    for lot, units in turns(book, at, queue, all_there=all_there, need=need):
        piece = cut(book, lot, units, share(book, units, queue) if book.shares(lot, queue) else None)
        follow(book, lot, piece)
        yield piece


def put(book: Book, lot: int, queue: int) -> None:
    """Let a piece lie at a place."""
    book.home[lot] = queue
    enter(book, lot, queue)
    pool(book, lot, queue)


def opened(book: Book, lot: int, queue: int) -> None:
    """A lot was opened at the end of a line whose lots may be chosen otherwise."""
    if queue in book.heaps:
        order(book, lot, queue)
    if book.pooled:
        end_average(book, lot, queue)
        pool(book, lot, queue)


def pool(book: Book, lot: int, queue: int) -> None:
    """Count a lot in where all lots of a queue share their cost."""
    if book.shares(lot, queue):
        book.pooled[queue][0] += book.left[lot]
        book.pooled[queue][1] += book.cost(lot)


def resize(book: Book, lot: int, units: int, cost: int) -> None:
    """Set the units and the basis of what is left of a lot."""
    free, left = book.free[lot], book.left[lot]
    book.free[lot] = units if free >= left else units * free // left
    book.left[lot] = book.size[lot] = units
    book.total[lot] = book.basis[lot] = cost
