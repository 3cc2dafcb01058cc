"""What the lot kernel takes, keeps and gives: plain lists of whole numbers, which have no bounds.

A *lot* is numbered by the move that opened it; a piece cut off a lot gets a number after all moves. A *queue* holds the
lots of one asset at one place, in the order in which sales take them: `lines` from the front, `late` a heap of lots
that came out of order (a lot of 2019 that arrives in 2024), each brought to the front of its line when its turn comes.

While sales may take from all places at once, a lot stands in the queue of its place and in that of its pool. One that
the other queue used up has nothing left, and is passed over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

OPEN, OPEN_TWICE, USE, SELL, ENTER, PICK, SEND, RECEIVE, DIVIDE = range(9)
"""What a move does.

OPEN a lot at the end of its queue, OPEN_TWICE at the end of its place's and its pool's, ENTER one where its day
belongs. USE takes lots without a trace; SELL leaves slices; PICK takes lots by name first. SEND takes lots out of a
place into a bag, RECEIVE puts a bag's lots into a place. DIVIDE a pool by places, for good.
"""

Key = tuple[int, int, int]


@dataclass
class Moves:
    """The kernel's input, one entry a move; the kernel keeps its lists and changes them.

    code: what the move does. queue: which queue it opens in or takes from. quantity: in whole units. amount: the basis
    of what is opened in fine units, the proceeds of what is sold in cents, the number of the bag of what is moved. day:
    when a lot was acquired. unit: fine units a cent. pools: by queue, the pool's queue (itself where there is none).
    picks: by move, the lots named and the units of each (0: all that it takes). shown: the moves with picks that leave
    slices. units: by move that divides a pool, the units that lie in each queue.
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


@dataclass
class Slices:
    """What was sold, a slice of one lot each: the move that sold it, the lot, units, basis and proceeds.

    The basis is whole cents told in fine units, proceeds are in cents.
    """

    sale: list[int] = field(default_factory=list)
    lot: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    basis: list[int] = field(default_factory=list)
    proceeds: list[int] = field(default_factory=list)


@dataclass
class Book:
    """Where everything stands: what is left of each lot, the queues, bags on their way, and what could not be done.

    left, basis: by lot, the units that are left and their basis in fine units (None: not worked out, see `cost`).
    size, total: the same when the lot was opened or last cut. pools: by queue, its pool's queue as of now. rest: by
    queue, the fraction of a cent owed. origin: the moves that opened the lots that pieces are of. home: the queue of
    each lot that has moved (None: on the way). short: (move, units missing). misnamed: (move, lot named, units
    missing). undivided: (move, units in lots by queue).
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
    origin: list[int] = field(default_factory=list)
    pieces: dict[int, list[int]] = field(default_factory=dict)
    home: dict[int, int | None] = field(default_factory=dict)
    bags: dict[int, list[int]] = field(default_factory=dict)
    slices: Slices = field(default_factory=Slices)
    short: list[tuple[int, int]] = field(default_factory=list)
    misnamed: list[tuple[int, int, int]] = field(default_factory=list)
    undivided: list[tuple[int, dict[int, int]]] = field(default_factory=list)

    def cost(self, lot: int) -> int:
        """The basis of what is left of a lot, in fine units."""
        known = self.basis[lot]
        return kept_basis(self, lot, self.left[lot]) if known is None else known

    def opened_by(self, lot: int) -> int:
        """The move that opened a lot, or the lot that a piece was cut from."""
        moves = len(self.moves.code)
        return lot if lot < moves else self.origin[lot - moves]


def kept_basis(book: Book, lot: int, units: int) -> int:
    """The basis that stays in a lot when only so many units do: whole cents go, and not more than there are."""
    total, size, unit = book.total[lot], book.size[lot], book.moves.unit
    of = size * unit
    kept = total - (2 * total * (size - units) + of) // (2 * of) * unit
    return kept if kept >= 0 else kept + unit


def empty(moves: Moves) -> Book:
    """The book before the first move."""
    queues = range(len(moves.pools))
    return Book(
        moves, list(moves.quantity), list(moves.amount), moves.quantity, moves.amount, moves.pools,
        [deque() for _ in queues], [[] for _ in queues], [0 for _ in queues],
    )  # fmt: skip
