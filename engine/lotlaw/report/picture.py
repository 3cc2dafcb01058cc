"""The result in one picture: how gains and losses of each term net, what the cap lets off, and what is carried on.

Every amount is a bar that begins where the one before it ended, so that a net is what is left of a gain and a loss. The
coordinates are whole thousandths of the picture's width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from lotlaw.rendering.amounts import printed
from lotlaw.report.reasons import result_href

if TYPE_CHECKING:
    from lotlaw.run import Return

WIDE = 1000
THIN = 4
"""The width of the picture, and of the least that is drawn of an amount."""


@dataclass(frozen=True)
class Bar:
    """A row of the picture: what it shows, the amount as printed, where that leads, and the bar that is drawn.

    `sales` are the sales behind it, as the table filters them.
    """

    label: str
    amount: str
    href: str
    sales: str
    kind: str
    x: int
    width: int


@dataclass(frozen=True)
class Picture:
    """The rows, and where zero is."""

    bars: list[Bar]
    zero: int


@dataclass(frozen=True)
class _Step:
    """An amount from where to where; `kind` is gain, loss, carried, other or net; `result` what the rules call it."""

    label: str
    kind: str
    start: Decimal
    end: Decimal
    result: str = ""
    sales: str = ""


def picture(return_: Return) -> Picture:
    """The picture of a return; no bars where nothing was gained, lost or carried."""
    steps = list(_steps(return_))
    ends = [Decimal(0), *(end for step in steps for end in (step.start, step.end))]
    low, high = min(ends), max(ends)
    span = high - low or Decimal(1)

    def at(amount: Decimal) -> int:
        return int((amount - low) * (WIDE - THIN) / span)

    return Picture([_bar(return_, step, at) for step in steps], at(Decimal(0)))


def _bar(return_: Return, step: _Step, at: Callable[[Decimal], int]) -> Bar:
    left, right = sorted((at(step.start), at(step.end)))
    amount = printed(step.end - step.start, whole=not return_.cents)
    href = "#sales" if step.sales else result_href(return_, step.result) if step.result else ""
    return Bar(step.label, amount, href, step.sales, step.kind, left, max(right - left, THIN))


def _steps(return_: Return) -> Iterator[_Step]:
    found, zero = return_.results, Decimal(0)
    nets = [found["net_short_term"], found["net_long_term"]]
    for (term, part), net in zip((("short", "Short-term"), ("long", "Long-term")), nets, strict=True):
        yield from _term(return_, term, part, net)
    if any(nets):
        total = found["net_gain"]
        yield _Step("Both terms together", "net", zero, total, "net_gain")
        at = -found["allowed_loss"]
        if at:
            yield _Step("Deducted from other income this year", "loss", zero, at, "allowed_loss")
        for term, kept in return_.carryover.items():
            if kept:
                label = f"{term.capitalize()}-term loss carried on to {return_.year.year + 1}"
                yield _Step(label, "carried", at, at - kept, f"{term}_carryover")
            at -= kept


def _term(return_: Return, term: str, part: str, net: Decimal) -> Iterator[_Step]:
    """The gains and losses of a term, what was carried into it, what other forms add, and what it nets to."""
    gains, losses = _sums(return_, term)
    carried = -return_.taxpayer["carryover"][term]
    other = net - gains - losses - carried
    if abs(other) * WIDE < max(gains, -losses, -carried, abs(net)) * THIN:
        other = Decimal(0)
    at = Decimal(0)
    for label, kind, amount in (
        (f"{part} gains", "gain", gains), (f"{part} losses", "loss", losses),
        (f"{part} loss carried in", "carried", carried), (f"{part}, from other forms", "other", other),
    ):  # fmt: skip
        if amount:
            sales = f"term={term}" if kind in ("gain", "loss") else ""
            yield _Step(label, kind, at, at + amount, sales=sales)
            at += amount
    if at or net:
        yield _Step(f"Net {part.lower()}", "net", Decimal(0), net, f"net_{term}_term")


def _sums(return_: Return, term: str) -> tuple[Decimal, Decimal]:
    """The gains and the losses of a term's rows of Form 8949, in dollars."""
    import polars as pl

    gain = pl.col("gain").cast(pl.Int128)
    rows = return_.rows.filter(pl.col("term") == term)
    sums = rows.select(gain.filter(gain > 0).sum().alias("gains"), gain.filter(gain < 0).sum().alias("losses"))
    gains, losses = sums.row(0)
    return Decimal(gains).scaleb(-2), Decimal(losses).scaleb(-2)
