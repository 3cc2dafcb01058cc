"""Which things sent and which things received are one transfer between own accounts.

A hash or a group that two rows share says so. Otherwise they fit if the asset is the same, the accounts are not, the
time between lies in the bounds of `dispositions.yaml`, and as much arrives as was sent, but for a network fee that
neither source shows. Pairing goes through the rows in time order, and equal amounts go before nearly equal ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

MINUTE = 60 * 10**6
DAY = 24 * 60 * MINUTE
ZONES = 14 * 60 * MINUTE
"""A date begins and ends in some zone up to so much before and after it does in UTC."""

KEYS = ("tx_hash", "group_id")


@dataclass(frozen=True)
class End:
    """One end of a transfer: a row that sends or receives units of an asset, at an instant (microseconds) or a day."""

    row: int
    asset: str
    account: str
    other: str | None
    units: Decimal
    day: int
    instant: int | None
    keys: tuple[str | None, ...]

    @property
    def first(self) -> int:
        """The earliest that it may have been."""
        return self.day * DAY - ZONES if self.instant is None else self.instant

    @property
    def last(self) -> int:
        """The latest that it may have been."""
        return (self.day + 1) * DAY + ZONES if self.instant is None else self.instant


@dataclass
class Pairs:
    """What was paired, by rows of the ledger.

    received: the row received by the row sent. sent_alone, received_alone: rows that nobody answers. doubtful:
    (received, sent, another row sent that fits as well). impossible: (received, sent, what is wrong).
    """

    received: dict[int, int] = field(default_factory=dict)
    sent_alone: list[int] = field(default_factory=list)
    received_alone: list[int] = field(default_factory=list)
    doubtful: list[tuple[int, int, int]] = field(default_factory=list)
    impossible: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Bounds:
    """How much earlier or later something may arrive (microseconds), and the share that may be lost on the way."""

    early: int
    late: int
    loss: Decimal

    def hold(self, out: End, in_: End) -> bool:
        """Whether two ends can be one transfer."""
        near = not self.too_early(out, in_) and _between(out, in_)[0] <= self.late
        fits = 0 <= out.units - in_.units <= out.units * self.loss
        return near and fits and out.account != in_.account and out.other in (None, in_.account)

    def too_early(self, out: End, in_: End) -> bool:
        """Whether something arrives before it is sent, by more than clocks differ."""
        return _between(out, in_)[1] < -self.early


def _between(out: End, in_: End) -> tuple[int, int]:
    """The least and the most time that can lie between sending and arriving; two dates are of one zone."""
    if out.instant is None and in_.instant is None:
        return ((in_.day - out.day) * DAY,) * 2
    return in_.first - out.last, in_.last - out.first


def pair(sent: pl.DataFrame, received: pl.DataFrame, said: Mapping[str, Any]) -> Pairs:
    """Pair rows of the ledger: row, asset, account, to_account, units, date, timestamp, tx_hash, group_id.

    `said` is `transfers` of `dispositions.yaml`.
    """
    bounds = Bounds(said["arrives_early_minutes"] * MINUTE, said["arrives_within_days"] * DAY, Decimal(0))
    outs, ins, pairs = list(_ends(sent)), list(_ends(received)), Pairs()
    for key in range(len(KEYS)):
        outs, ins = _by_key(outs, ins, key, pairs, bounds)
    for loss in (Decimal(0), Decimal(said["loses_at_most"])):
        outs, ins = _by_fit(outs, ins, pairs, replace(bounds, loss=loss))
    pairs.sent_alone = [end.row for end in outs]
    pairs.received_alone = [end.row for end in ins]
    return pairs


def _ends(rows: pl.DataFrame) -> Iterator[End]:
    for row in rows.iter_rows(named=True):
        at, day = row["timestamp"], row["date"].toordinal()
        instant = None if at is None else _microseconds(at)
        keys = tuple(row[key] for key in KEYS)
        yield End(row["row"], row["asset"], row["account"], row["to_account"], row["units"], day, instant, keys)


def _microseconds(at: datetime) -> int:
    clock = ((at.hour * 60 + at.minute) * 60 + at.second) * 10**6 + at.microsecond
    return at.toordinal() * DAY + clock


def _by_key(outs: list[End], ins: list[End], key: int, pairs: Pairs, bounds: Bounds) -> tuple[list[End], list[End]]:
    """Pair what shares a hash or group, where just one row sends and one receives that asset under it."""
    senders, receivers = _under(outs, key), _under(ins, key)
    for shared in senders:
        if len(senders[shared]) == len(receivers.get(shared, ())) == 1:
            out, in_ = senders[shared][0], receivers[shared][0]
            pairs.received[out.row] = in_.row
            if bounds.too_early(out, in_):
                pairs.impossible.append((in_.row, out.row, "arrives before it is sent"))
            if in_.units > out.units:
                pairs.impossible.append((in_.row, out.row, "brings more than is sent"))
    return _unpaired(outs, ins, pairs)


def _under(ends: list[End], key: int) -> dict[tuple[str, str], list[End]]:
    found: dict[tuple[str, str], list[End]] = {}
    for end in ends:
        shared = end.keys[key]
        if shared is not None:
            found.setdefault((end.asset, shared), []).append(end)
    return found


def _unpaired(outs: list[End], ins: list[End], pairs: Pairs) -> tuple[list[End], list[End]]:
    arrived = set(pairs.received.values())
    return [out for out in outs if out.row not in pairs.received], [in_ for in_ in ins if in_.row not in arrived]


def _by_fit(outs: list[End], ins: list[End], pairs: Pairs, bounds: Bounds) -> tuple[list[End], list[End]]:
    """Pair each arrival with what was sent that fits it: the closest amount, the earliest first."""
    waiting: dict[Any, list[End]] = {}
    sent = [(end.first - bounds.early, 0, end.row, end) for end in outs]
    for time, arrives, _, end in sorted([*sent, *((end.last, 1, end.row, end) for end in ins)]):
        # Equal amounts meet under their amount; nearly equal ones are looked for among all of the asset.
        queue = waiting.setdefault(end.asset if bounds.loss else (end.asset, end.units), [])
        if not arrives:
            queue.append(end)
            continue
        queue[:] = [out for out in queue if time - out.last <= bounds.late + 2 * (DAY + ZONES)]
        fitting = sorted((out.units, out.first, out.row, out) for out in queue if bounds.hold(out, end))
        if fitting:
            chosen = fitting[0][-1]
            queue.remove(chosen)
            pairs.received[chosen.row] = end.row
            rivals = [out for units, *_, out in fitting if units == chosen.units and out.account != chosen.account]
            pairs.doubtful += [(end.row, chosen.row, rival.row) for rival in rivals[:1]]
    return _unpaired(outs, ins, pairs)
