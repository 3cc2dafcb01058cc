"""What a kind of event does to lots, as `dispositions.yaml` says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lotlaw.formula import Formula

GIVEN, DONOR = "given", "donor"
LAST_OF_YEAR, YEAR_END = "last_of_year", (12, 31)


@dataclass(frozen=True)
class Leg:
    """One leg of an event: `amount` is the proceeds of what is sold, the basis of what is opened, the cost of closing.

    side: out, in, or ref, what the row is about. acquired: GIVEN by the row, or by the DONOR, or a word in place of a
    date; empty: on the day of the event. loss_basis: for a loss, where it is less. said: the leg as the rules have it.
    """

    side: str
    amount: Formula
    acquired: str = ""
    loss_basis: Formula | None = None
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at_year_end(self) -> bool:
        """Whether what happens to it counts as happening on the last day of the year."""
        return self.said.get("day") == LAST_OF_YEAR

    @property
    def must_give(self) -> bool:
        """Whether the row itself must give basis and date acquired; without them they are unknown."""
        return self.acquired == GIVEN

    @property
    def word(self) -> str:
        """The word that stands in place of a date acquired."""
        return "" if self.acquired in (GIVEN, DONOR) else self.acquired


@dataclass(frozen=True)
class Kind:
    """What a kind of event does: legs sold, opened, removed, borrowed and closed, lots moved or changed, and the rest.

    changes: what happens to lots that are held. option: what becomes of the premium. row: as it stands on the form.
    warns: what to tell the reader. treated_as: by what a column says, another kind.
    """

    name: str
    label: str
    sells: Leg | None = None
    opens: Leg | None = None
    borrows: Leg | None = None
    closes: Leg | None = None
    removes: bool = False
    moves: str = ""
    changes: str = ""
    option: str = ""
    row: str = ""
    income: bool = False
    warns: str = ""
    treated_as: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def legs(self) -> Iterator[Leg]:
        """The legs that have an amount."""
        yield from (leg for leg in (self.sells, self.opens, self.borrows, self.closes) if leg)

    @property
    def bears_fees(self) -> bool:
        """Whether a fee is part of what the event costs or brings, or of its moving lots."""
        return bool(self.moves) or any("fee" in leg.amount.names for leg in self.legs)
