"""Which things sent and which things received are one transfer between own accounts.

A hash or a group that two rows share says so. Otherwise they fit if the asset is the same, the accounts are not, the time between lies in the
bounds of `dispositions.yaml`, and as much arrives as was sent, but for a network fee that neither source shows.
Pairing goes through the rows in time order, and equal amounts go before nearly equal ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

MINUTE = 60 * 10**6
DAY = 24 * 60 * MINUTE
KEYS = ("tx_hash", "group_id")


@dataclass(frozen=True)
class End:
    """One end of a transfer: a row that sends or receives `units` of an asset, at `time` (microseconds)."""

    row: int
    asset: str
    account: str
    other: str | None
    units: Decimal
    time: int
    keys: tuple[str | None, ...]


@dataclass
class Pairs:
    """What was paired: rows received by rows sent; rows nobody answers; what could be read in two ways; what cannot be."""

    received: dict[int, int] = field(default_factory=dict)
    sent_alone: list[int] = field(default_factory=list)
    received_alone: list[int] = field(default_factory=list)
    doubtful: list[tuple[int, int, int]] = field(default_factory=list)
    impossible: list[tuple[int, int, str]] = field(default_factory=list)


def pair(sent: pl.DataFrame, received: pl.DataFrame, bounds: Mapping[str, Any]) -> Pairs:
    """Pair rows of the ledger: columns row, asset, account, to_account, units, date, timestamp, tx_hash, group_id.

    `bounds` is `transfers` of `dispositions.yaml`.
    """
    early = bounds["arrives_early_minutes"] * MINUTE
    late = bounds["arrives_within_days"] * DAY
    outs, ins = list(_ends(sent, 0)), list(_ends(received, 2 * DAY - 1))
    pairs = Pairs()
    for key in range(len(KEYS)):
        outs, ins = _by_key(outs, ins, key, pairs, early)
    for loss in (Decimal(0), Decimal(bounds["loses_at_most"])):
        outs, ins = _by_fit(outs, ins, pairs, _Bounds(early, late, loss))
    pairs.sent_alone = [end.row for end in outs]
    pairs.received_alone = [end.row for end in ins]
    return pairs


@dataclass(frozen=True)
class _Bounds:
    early: int
    late: int
    loss: Decimal

    def hold(self, out: End, in_: End) -> bool:
        near = -self.early <= in_.time - out.time <= self.late
        fits = 0 <= out.units - in_.units <= out.units * self.loss
        return near and fits and out.account != in_.account and out.other in (None, in_.account)


def _ends(rows: pl.DataFrame, into_day: int) -> Iterator[End]:
    """Rows as ends. A date without a time may be any moment of it in any zone: the first for what is sent, the last for what
    is received."""
    for row in rows.iter_rows(named=True):
        at = row["timestamp"]
        time = row["date"].toordinal() * DAY + into_day if at is None else _micros(at)
        keys = tuple(row[key] for key in KEYS)
        yield End(row["row"], row["asset"], row["account"], row["to_account"], row["units"], time, keys)


def _micros(at: Any) -> int:
    clock = ((at.hour * 60 + at.minute) * 60 + at.second) * 10**6 + at.microsecond
    return int(at.toordinal() * DAY + clock)


def _by_key(outs: list[End], ins: list[End], key: int, pairs: Pairs, early: int) -> tuple[list[End], list[End]]:
    """Pair what shares a hash or group, where just one row sends and one receives that asset under it."""
    senders, receivers = _under(outs, key), _under(ins, key)
    for shared in senders.keys() & receivers.keys():
        if len(senders[shared]) == len(receivers[shared]) == 1:
            out, in_ = senders[shared][0], receivers[shared][0]
            pairs.received[out.row] = in_.row
            if out.time - in_.time > early:
                pairs.impossible.append((in_.row, out.row, "arrives before it is sent"))
            if in_.units > out.units:
                pairs.impossible.append((in_.row, out.row, "brings more than was sent"))
    return _left(outs, pairs.received), _left(ins, set(pairs.received.values()))


def _under(ends: list[End], key: int) -> dict[tuple[str, str], list[End]]:
    found: dict[tuple[str, str], list[End]] = {}
    for end in ends:
        shared = end.keys[key]
        if shared is not None:
            found.setdefault((end.asset, shared), []).append(end)
    return found


def _left(ends: list[End], taken: Iterable[int]) -> list[End]:
    gone = set(taken)
    return [end for end in ends if end.row not in gone]


def _by_fit(outs: list[End], ins: list[End], pairs: Pairs, bounds: _Bounds) -> tuple[list[End], list[End]]:
    """Pair by asset, amount and time: each arrival with the earliest sending that fits it, the closest amount first."""
    waiting: dict[Any, list[End]] = {}
    order = sorted([(end.time - bounds.early, 0, end.row, end) for end in outs] + [(e.time, 1, e.row, e) for e in ins])
    for time, arrives, _, end in order:
        # Equal amounts meet under their amount; nearly equal ones are looked for among all of the asset.
        queue = waiting.setdefault(end.asset if bounds.loss else (end.asset, end.units), [])
        if not arrives:
            queue.append(end)
            continue
        queue[:] = [out for out in queue if time - out.time <= bounds.late]
        fitting = [out for out in queue if bounds.hold(out, end)]
        if not fitting:
            continue
        chosen = min(fitting, key=lambda out: (out.units, out.time, out.row))
        queue.remove(chosen)
        pairs.received[chosen.row] = end.row
        rival = next((out for out in fitting if out.account != chosen.account and out.units == chosen.units), None)
        if rival:
            pairs.doubtful.append((end.row, chosen.row, rival.row))
    return _left(outs, pairs.received), _left(ins, set(pairs.received.values()))
