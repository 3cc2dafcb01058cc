"""The lot kernel: one pass over whole numbers, in the order of the ledger, for every way of choosing lots.

Money is in *fine* units, so many a cent. A slice's basis is its lot's basis up to the slice's end, rounded half up to
the cent, less the same up to its start. The slice that uses a lot up takes what is left; the fraction of a cent that
rounding leaves goes with the next lot that this queue uses up, so that no cent is lost over thousands of tiny lots. The
proceeds of a sale are shared out among its slices in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from lotlaw.lots.book import (
    DIVIDE,
    ENTER,
    OPEN,
    OPEN_TWICE,
    PICK,
    RECEIVE,
    SELL,
    SEND,
    USE,
    Book,
    Key,
    Moves,
    empty,
    kept_basis,
)


def run(moves: Moves) -> Book:  # noqa: C901  (one loop, written out: a call a slice would double its time)
    """Carry out all moves in order. Nothing is raised: what a move could not do is noted in the book."""
    book, unit = empty(moves), moves.unit
    lines, lates, left, basis, size, total = book.lines, book.late, book.left, book.basis, book.size, book.total
    columns = book.slices.sale, book.slices.lot, book.slices.quantity, book.slices.basis, book.slices.proceeds
    sale, source, taken, costs, gets = (column.append for column in columns)
    for at, code, queue, need in zip(range(len(moves.code)), moves.code, moves.queue, moves.quantity, strict=False):
        if code == OPEN:
            lines[queue].append(at)
            continue
        if code > SELL or code == OPEN_TWICE:
            _rarer(book, at, code)
            continue
        # From here on this is _take and _show, written out.
        line, late, want, money, given, cost = lines[queue], lates[queue], need, total[at], 0, 0
        while need:
            if late:
                _settle(book, queue)
            if not line:
                book.short.append((at, need))
                break
            units = left[lot := line[0]]
            if units > need:
                left[lot] = units - need
                if code == USE:
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
                if code == SELL or unit != 1:
                    cost = book.cost(lot) if (known := basis[lot]) is None else known
                    cost = cost if unit == 1 else _whole_cents(book, queue, cost)
                left[lot] = 0
            need -= units  # noqa: PLW2901
            if code == SELL:
                so_far = (2 * money * (want - need) + want) // (2 * want) if need else money
                sale(at), source(lot), taken(units), costs(cost), gets(so_far - given)
                given = so_far
    return book


def _rarer(book: Book, at: int, code: int) -> None:
    queue, bag = book.moves.queue[at], book.moves.amount[at]
    if code == OPEN_TWICE:
        book.lines[queue].append(at)
        book.lines[book.pools[queue]].append(at)
    elif code == ENTER:
        _enter(book, at, queue)
    elif code == SEND:
        book.bags[bag] = list(_send(book, at, queue))
    elif code == RECEIVE:
        for lot in book.bags.pop(bag, ()):
            book.home[lot] = queue
            _join(book, lot, queue)
    elif code == PICK:
        _pick(book, at, queue)
    elif code == DIVIDE:
        _divide(book, at, book.moves.units[at])


# Queues


def _key(book: Book, lot: int) -> Key:
    """What orders lots in a queue: the day acquired, then the ledger's order, then pieces as they were cut."""
    opened = book.opened_by(lot)
    return book.moves.day[opened], opened, lot


def _enter(book: Book, lot: int, queue: int) -> None:
    _join(book, lot, queue)
    pool = book.pools[queue]
    if pool != queue:
        _join(book, lot, pool)


def _join(book: Book, lot: int, queue: int) -> None:
    """Put a lot where its key belongs."""
    line, key = book.lines[queue], _key(book, lot)
    if not line or _key(book, line[-1]) < key:
        line.append(lot)
    else:
        heappush(book.late[queue], key)


def _settle(book: Book, queue: int) -> None:
    """Bring the late lot whose turn it is to the front of its line."""
    line, late = book.lines[queue], book.late[queue]
    while late and not book.left[late[0][-1]]:
        heappop(late)
    if late and (not line or late[0] < _key(book, line[0])):
        line.appendleft(heappop(late)[-1])


def _first(book: Book, queue: int) -> int | None:
    """The lot whose turn it is, or None where nothing is left."""
    line = book.lines[queue]
    while True:
        _settle(book, queue)
        if not line or book.left[line[0]]:
            return line[0] if line else None
        line.popleft()


def _inside(book: Book, queue: int) -> Iterator[int]:
    """The lots of a queue that have something left, in no order."""
    yield from (lot for lot in book.lines[queue] if book.left[lot])
    yield from (key[-1] for key in book.late[queue] if book.left[key[-1]])


# Slices


def _whole_cents(book: Book, queue: int, cost: int) -> int:
    """A used-up lot's basis in whole cents, with what earlier lots of the queue left over; the new rest is kept."""
    unit = book.moves.unit
    cost += book.rest[queue]
    whole = (2 * cost + unit) // (2 * unit) * unit
    book.rest[queue] = cost - whole
    return whole


def _take(book: Book, lot: int, units: int, queue: int) -> int:
    """Take units out of a lot, and give their basis in fine units."""
    cost = book.cost(lot)
    book.left[lot] -= units
    if not book.left[lot]:
        return _whole_cents(book, queue, cost)
    book.basis[lot] = kept = kept_basis(book, lot, book.left[lot])
    return cost - kept


def _show(book: Book, at: int, lot: int, units: int, cost: int, done: int) -> None:
    """Leave a slice of a sale of which `done` units have left slices before."""
    money, want = book.moves.amount[at], book.moves.quantity[at]
    before, so_far = ((2 * money * n + want) // (2 * want) for n in (done, done + units))
    cut = book.slices
    cut.sale.append(at)
    cut.lot.append(lot)
    cut.quantity.append(units)
    cut.basis.append(cost)
    cut.proceeds.append(so_far - before)


# Lots by name


def _pick(book: Book, at: int, queue: int) -> None:
    """A sale that names its lots: those first, the rest in the queue's order."""
    want = need = book.moves.quantity[at]
    for lot, units in _picked(book, at, queue, need):
        cost = _take(book, lot, units, queue)
        if at in book.moves.shown:
            _show(book, at, lot, units, cost, want - need)
        need -= units
    if need:
        book.short.append((at, need))


def _picked(book: Book, at: int, queue: int, need: int) -> Iterator[tuple[int, int]]:
    """Lots and units of a sale: from the lots named, and once these have given what they were named for, in order."""
    picks = book.moves.picks[at]
    for named, wanted in picks:
        missing = wanted or need
        for lot in (named, *book.pieces.get(named, ())):
            units = min(missing, book.left[lot]) if _lies_in(book, lot, queue, at) else 0
            if units:
                yield lot, units
                missing, need = missing - units, need - units
        if wanted and missing:
            book.misnamed.append((at, named, missing))
    if need and not all(wanted for _, wanted in picks):
        book.misnamed.append((at, picks[-1][0], need))
    while need:
        lot_ = _first(book, queue)
        if lot_ is None:
            return
        units = min(need, book.left[lot_])
        yield lot_, units
        need -= units


def _lies_in(book: Book, lot: int, queue: int, at: int) -> bool:
    """Whether a lot has been opened by the time of a move, and is to be had from its queue."""
    opened = book.opened_by(lot)
    place = book.home.get(lot, book.moves.queue[opened]) if opened < at else None
    return place is not None and queue in (place, book.pools[place])


# Transfers


def _send(book: Book, at: int, queue: int) -> Iterator[int]:
    """Take lots out of a place. Where a pool sells from all places, fewer lots than units may lie here."""
    need, pool = book.moves.quantity[at], book.pools[queue]
    while need:
        lot = _first(book, queue)
        if lot is None:
            if pool == queue:
                book.short.append((at, need))
            return
        units = min(need, book.left[lot])
        if units < book.left[lot]:
            lot = _cut(book, lot, units)
            if pool != queue:
                _join(book, lot, pool)
        else:
            book.lines[queue].popleft()
        book.home[lot] = None if pool == queue else pool
        need -= units
        yield lot


def _cut(book: Book, lot: int, units: int) -> int:
    """Part of a lot as a lot of its own, of the same day; each goes on as if it had been opened so."""
    piece, opened, cost = len(book.left), book.opened_by(lot), book.cost(lot)
    left = book.left[lot] - units
    kept = kept_basis(book, lot, left)
    for column, mine, other in (
        (book.left, left, units), (book.basis, kept, cost - kept),
        (book.size, left, units), (book.total, kept, cost - kept),
    ):  # fmt: skip
        column[lot] = mine
        column.append(other)
    book.origin.append(opened)
    book.pieces.setdefault(opened, []).append(piece)
    return piece


def _divide(book: Book, at: int, units: dict[int, int]) -> None:
    """From now on each place sells its own lots.

    They lie where the units do, or all of them go where all units are, or it is noted that neither is so.
    """
    lots = {queue: list(_inside(book, queue)) for queue in units}
    held = {queue: sum(book.left[lot] for lot in inside) for queue, inside in lots.items()}
    homes = [queue for queue, n in units.items() if n]
    if held != units and len(homes) == 1 and sum(held.values()) == units[homes[0]]:
        for lot in sorted(lot for queue in units if queue != homes[0] for lot in lots[queue]):
            book.home[lot] = homes[0]
            _join(book, lot, homes[0])
    elif held != units:
        book.undivided.append((at, held))
    for queue in units:
        book.pools[queue] = queue
