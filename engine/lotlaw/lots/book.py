"""What the lot kernel takes, keeps and gives: plain lists of whole numbers, which have no bounds.

A *lot* is numbered by the move that opened it; a piece cut off a lot gets a number after all moves. A *queue* holds the
lots of one asset at one place, in the order in which sales take them: `lines` from the front, `late` a heap of lots
that came out of order (a lot of 2019 that arrives in 2024), each brought to the front of its line when its turn comes.

While sales may take from all places at once, a lot stands in the queue of its place and in that of its pool. One that
the other queue used up has nothing left, and is passed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

(
    OPEN, OPEN_TWICE, USE, SELL, ENTER, PICK, SEND, RECEIVE, DIVIDE,
    GIVE, RESCALE, CARRY, BRANCH, LOWER, ADJUST, BORROW, CLOSE, EXPIRE, ABSORB,
) = range(19)  # fmt: skip
"""What a move does.

OPEN a lot at the end of its queue, OPEN_TWICE at the end of its place's and its pool's, ENTER one where its day
belongs. USE sells without a trace, SELL leaves slices, PICK takes lots by name first; GIVE takes lots without a sale.
SEND takes lots out of a place into a bag, RECEIVE puts a bag's lots into a place. DIVIDE a pool by places, for good.
The rest is in `lotlaw.lots.changes` and `lotlaw.lots.shorts`.
"""

FIFO, LIFO, HIFO, LOFO, MIN_TAX, AVERAGE = METHODS = range(6)
"""How a move chooses among the lots of its queue: first, last, dearest, cheapest acquired first, the least tax at the
taxpayer's rates, or first acquired at the average cost of all."""

ORDERS = dict(zip(("fifo", "lifo", "hifo", "lofo", "min_tax", "average"), METHODS, strict=True))
"""The orders by the names that rules give them."""

NOWHERE = -1

Key = tuple[int, int, int, int]


@dataclass(frozen=True)
class Wash:
    """Which losses wash sales disallow: the window in days, and by queue what belongs together.

    loss: the group in which a loss looks for what replaces it (NOWHERE: none). bought: the groups in which lots that
    are acquired count. units: how many units of the group one of the queue stands for. forfeits: whether a loss that is
    replaced here is gone, since what replaces it is not taxed. opposite: whether positions are opened by selling.
    room: how many lots may be cut.
    """

    before: int
    after: int
    loss: list[int]
    bought: list[tuple[int, ...]]
    units: list[int]
    forfeits: list[bool]
    opposite: list[bool]
    room: int


@dataclass(frozen=True)
class Placement:
    """Where lots go when a pool is divided: `lots` (lot, queue, units), or all in an order, into queues in turn."""

    order: int
    queues: list[int]
    lots: list[tuple[int, int, int]]


@dataclass
class Moves:
    """The kernel's input, one entry a move; the kernel keeps its lists and changes them.

    code: what the move does. queue: which queue it opens in or takes from. quantity: in whole units. amount: the basis
    of what is opened in fine units, the proceeds of what is sold in cents, the number of the bag of what is moved. day:
    when a lot was acquired, or the day of the move. unit: fine units a cent. pools: by queue, the pool's queue (itself
    where there is none). picks: by move, the lots named and the units of each (0: all that it takes). shown: the moves
    with picks that leave slices. units: by move that divides a pool, the units that lie in each queue. how: by move,
    the method (empty: first in, first out). special: by queue, whether it needs more than that (empty: none does).
    terms: by move, what else it has to know. low: by move that opens a lot, its basis for a loss in fine units. tacked:
    since when it counts as held, where that is not its day. always: moves that open lots that are long-term whatever
    their day. placed: by move that divides a pool, where its lots go. turns: from the day acquired, the first day that
    is long-term. rates: from which day, what gains are taxed at, short-term and long-term, by those days. averaged: by
    queue, the day from which on lots acquired may share an average cost (none: all may).
    """

    code: list[int]
    queue: list[int]
    quantity: list[int]
    amount: list[int]
    day: list[int]
    unit: int
    pools: list[int]
    picks: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    units: dict[int, dict[int, int]] = field(default_factory=dict)
    how: list[int] = field(default_factory=list)
    special: list[bool] = field(default_factory=list)
    terms: dict[int, tuple[int, ...]] = field(default_factory=dict)
    low: dict[int, int] = field(default_factory=dict)
    tacked: dict[int, int] = field(default_factory=dict)
    always: frozenset[int] = frozenset()
    placed: dict[int, Placement] = field(default_factory=dict)
    wash: Wash | None = None
    turns: Callable[[int], int] = int
    rates: list[tuple[int, Fraction, Fraction]] = field(default_factory=list)
    averaged: dict[int, int] = field(default_factory=dict)


@dataclass
class Slices:
    """What was sold, a slice of one lot each: the move that sold it, the lot, units, basis and proceeds.

    The basis is whole cents told in fine units, proceeds are in cents. acquired: since when the lot counts as held.
    disallowed: cents of a loss that a wash sale disallows. long: by slice, the term where the dates do not say it.
    """

    sale: list[int] = field(default_factory=list)
    lot: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    basis: list[int] = field(default_factory=list)
    proceeds: list[int] = field(default_factory=list)
    acquired: list[int] = field(default_factory=list)
    disallowed: list[int] = field(default_factory=list)
    long: dict[int, bool] = field(default_factory=dict)

    @property
    def appends(self) -> tuple[Callable[[int], None], ...]:
        """What adds to each column in turn, bound once."""
        columns = self.sale, self.lot, self.quantity, self.basis, self.proceeds, self.acquired, self.disallowed
        return tuple(column.append for column in columns)


@dataclass(slots=True)
class Loss:
    """A loss that looks for what replaces it.

    shown: the slices that bear it, the last first, and the cents of each. units, cents: of the group, what still looks.
    at, day, queue: of the sale. held: since when the lot had been held.
    """

    shown: list[tuple[int, int]]
    units: int
    cents: int
    at: int
    day: int
    queue: int
    held: int


@dataclass
class Group:
    """Lots lately acquired that may replace what is sold at a loss, and losses that may still be replaced."""

    recent: deque[int] = field(default_factory=deque)
    losses: deque[Loss] = field(default_factory=deque)


@dataclass
class Book:
    """Where everything stands: what is left of each lot, the queues, bags on their way, and what could not be done.

    left, basis: by lot, the units that are left and their basis in fine units (None: not worked out, see `cost`). size,
    total: the same when the lot was opened or last cut. pools: by queue, its pool's queue as of now. rest: by queue,
    the fraction of a cent owed. origin: the moves that opened the lots that pieces are of. home: the queue of each
    piece (None: on the way). held: by lot, since when it counts as held. free: by lot, the units that have not replaced
    what was sold at a loss: its last ones, and where that is more than is left, all. low: the basis for a loss. heaps:
    by queue and method, what orders its lots; entries: by lot and method, the entry that holds, of lots that were
    ordered again. front: where in the line of units of its purchase a lot begins. pooled: by queue kept at average
    cost, units and cost in fine units. against: by short position, units held long-term when it was opened; anew: units
    of it that have not yet made others begin anew. forfeited: (move, cents) of losses that are gone. short: (move,
    units missing). misnamed: (move, lot named, units missing). undivided: (move, units in lots by queue). negative:
    moves that would make a basis negative.
    """

    moves: Moves
    left: list[int]
    basis: list[int | None]
    size: list[int]
    total: list[int]
    pools: list[int]
    lines: list[deque[int]]
    late: list[list[Key]]
    rest: list[int]
    held: list[int]
    free: list[int]
    origin: list[int] = field(default_factory=list)
    pieces: dict[int, list[int]] = field(default_factory=dict)
    home: dict[int, int | None] = field(default_factory=dict)
    low: dict[int, int] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    heaps: dict[int, dict[int, list[int]]] = field(default_factory=dict)
    entries: dict[tuple[int, int], int] = field(default_factory=dict)
    front: dict[int, int] = field(default_factory=dict)
    pooled: dict[int, list[int]] = field(default_factory=dict)
    bags: dict[int, list[int]] = field(default_factory=dict)
    slices: Slices = field(default_factory=Slices)
    against: dict[int, int] = field(default_factory=dict)
    anew: dict[int, int] = field(default_factory=dict)
    forfeited: list[tuple[int, int]] = field(default_factory=list)
    short: list[tuple[int, int]] = field(default_factory=list)
    misnamed: list[tuple[int, int, int]] = field(default_factory=list)
    undivided: list[tuple[int, dict[int, int]]] = field(default_factory=list)
    negative: list[int] = field(default_factory=list)

    def cost(self, lot: int) -> int:
        """The basis of what is left of a lot, in fine units."""
        known = self.basis[lot]
        return kept_basis(self, lot, self.left[lot]) if known is None else known

    def opened_by(self, lot: int) -> int:
        """The move that opened a lot, or the lot that a piece was cut from."""
        moves = len(self.moves.code)
        return lot if lot < moves else self.origin[lot - moves]

    def shares(self, lot: int, queue: int) -> bool:
        """Whether a lot shares the average cost of a queue."""
        since = self.moves.averaged.get(queue) if queue in self.pooled else None
        return queue in self.pooled and (since is None or self.moves.day[self.opened_by(lot)] >= since)

    def long_from(self, lot: int) -> int:
        """The first day on which a lot is long-term."""
        return 0 if self.opened_by(lot) in self.moves.always else self.moves.turns(self.held[lot])

    def place(self, lot: int) -> int | None:
        """The queue of the place where a lot lies, None where it is on its way."""
        opened = self.opened_by(lot)
        return self.moves.queue[opened] if lot == opened else self.home[lot]


Sell = Callable[[int, int, int, int], None]
"""Carries out a sale: the move, what it does, its queue, its units."""
Waiting = Callable[[Book, int, int], dict[int, int]]
"""Lots of a queue that are held anew from their sale on, and the short sale that is why, at a move."""


def kept_basis(book: Book, lot: int, units: int) -> int:
    """The basis that stays in a lot when only so many units do: whole cents go, and not more than there are."""
    total, size, unit = book.total[lot], book.size[lot], book.moves.unit
    of = size * unit
    kept = total - (2 * total * (size - units) + of) // (2 * of) * unit
    return kept if kept >= 0 else kept + unit


def empty(moves: Moves) -> Book:
    """The book before the first move."""
    queues = range(len(moves.pools))
    groups = 1 + max((group for of in moves.wash.bought for group in of), default=NOWHERE) if moves.wash else 0
    held = list(moves.day)
    for lot, since in moves.tacked.items():
        held[lot] = since
    return Book(
        moves, list(moves.quantity), list(moves.amount), moves.quantity, moves.amount, moves.pools,
        [deque() for _ in queues], [[] for _ in queues], [0 for _ in queues], held, list(moves.quantity),
        low=dict(moves.low), groups=[Group() for _ in range(groups)],
    )  # fmt: skip
