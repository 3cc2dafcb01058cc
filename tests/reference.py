"""The law of lots as plainly as it can be told: for tests to hold the engine to, and for people to read.

One pass over the rows of a simple ledger, one indivisible piece of a lot at a time, in exact fractions; nothing is fast
and nothing is clever. Written from the law, not from the engine:

- Which lots a sale takes: Reg. §1.1012-1(c) (stock: by account), (j) (digital assets: by account from 2025), (e)
  (average). Lots stand in the order in which the taxpayer acquired them, whatever period they bring along.
- Gifts: §1015 (basis), §1223(2) (period), Pub. 551. Death: §1014, §1223(9).
- Wash sales: §1091, Reg. §1.1091-1 and -2, §1223(3), Rev. Rul. 56-602 (a purchase is not its own replacement), Rev.
  Rul. 2008-5 (a purchase by a retirement account makes the loss disappear).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, str]

BY_ACCOUNT_FROM = date(2025, 1, 1)
WASH_WINDOW = timedelta(days=30)
SECURITIES = ("stock", "etf", "fund", "bond", "option")
DIGITAL = ("crypto", "stablecoin", "nft")


@dataclass(frozen=True)
class Person:
    """Who files: the method in force, the rates short and long for min_tax, accounts whose sales are not taxed."""

    method: str = "fifo"
    rates: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    universal: bool = True
    untaxed: frozenset[str] = frozenset()
    zone: str = "America/New_York"


@dataclass(eq=False)
class Piece:
    """Units of one lot that share one fate.

    `start` and `end` say which part of its lot this is, from 0 to 1: whatever takes part of a piece takes its front.
    `day`: when the taxpayer acquired it. `since`: from when it counts as held. `loss_basis`: of a gift worth less than
    it cost its donor. `bought`: it may replace what was sold at a loss; `replaces`: it did.
    """

    lot: int
    asset: str
    account: str
    quantity: Fraction
    basis: Fraction
    day: date
    since: date
    loss_basis: Fraction | None = None
    inherited: bool = False
    bought: bool = False
    replaces: bool = False
    start: Fraction = Fraction(0)
    end: Fraction = Fraction(1)

    @property
    def turn(self) -> tuple[date, int, Fraction]:
        return self.day, self.lot, self.start

    def cut(self, units: Fraction) -> Piece:
        """Take units off the front as a piece of its own."""
        part = units / self.quantity
        middle = self.start + (self.end - self.start) * part
        front = replace(self, quantity=units, basis=self.basis * part, end=middle)
        self.quantity, self.basis, self.start = self.quantity - units, self.basis * (1 - part), middle
        if self.loss_basis is not None:
            front.loss_basis, self.loss_basis = self.loss_basis * part, self.loss_basis * (1 - part)
        return front


@dataclass(eq=False)
class Slice:
    """What a sale took of one piece, and where in its lot that began.

    `open`: units at a loss that nothing has replaced yet; `each`: the loss of one. `disallowed`: what of the loss is
    not allowed; `lost`: what of that nobody gets back.
    """

    sale: int
    lot: int
    asset: str
    account: str
    quantity: Fraction
    proceeds: Fraction
    basis: Fraction
    bought: date
    since: date
    sold: date
    long: bool
    start: Fraction
    open: Fraction = Fraction(0)
    each: Fraction = Fraction(0)
    disallowed: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)


def first_long_day(since: date) -> date:
    """The day after the day after, one year on; 29 February becomes 1 March."""
    after = since + timedelta(days=1)
    return date(after.year + 1, 3, 1) if (after.month, after.day) == (2, 29) else after.replace(year=after.year + 1)


@dataclass
class Reference:
    """A ledger carried out: slices of what was sold, pieces of what is held, income."""

    person: Person = field(default_factory=Person)
    pieces: list[Piece] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    income: list[tuple[date, Fraction]] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=dict)
    lots: dict[str, int] = field(default_factory=dict)
    units: dict[tuple[str, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    divided: bool = False
    sale: int = -1

    # Which lots

    def pooled(self, asset: str, day: date) -> bool:
        return self.person.universal and self.classes[asset] in DIGITAL and day < BY_ACCOUNT_FROM

    def here(self, asset: str, account: str | None) -> list[Piece]:
        """The pieces of an asset at an account, or at all of them."""
        return [p for p in self.pieces if p.asset == asset and account in (p.account, None)]

    def order(self, piece: Piece, price: Fraction | None, day: date) -> tuple[Any, ...]:
        """What the method puts first. Equals go in the order acquired; of one lot, the front goes first."""
        unit = piece.basis / piece.quantity
        latest_first = (-piece.day.toordinal(), -piece.lot, piece.start)
        keys: dict[str, tuple[Any, ...]] = {
            "fifo": piece.turn,
            "average": piece.turn,
            "lifo": latest_first,
            "hifo": (-unit, *piece.turn),
            "lofo": (unit, *piece.turn),
            "min_tax": (self.tax(piece, unit if price is None else price, day), *piece.turn),
        }
        return keys[self.person.method]

    def tax(self, piece: Piece, price: Fraction, day: date) -> Fraction:
        """What selling a unit leaves in tax."""
        sold = self.sliced(piece, piece.account, price * piece.quantity, day)
        return (sold.proceeds - sold.basis) / sold.quantity * self.person.rates[sold.long]

    def average(self, pieces: list[Piece]) -> None:
        """Every share costs the average of all, whatever its holding period: Reg. §1.1012-1(e)(7)."""
        units, basis = sum(p.quantity for p in pieces), sum(p.basis for p in pieces)
        for piece in pieces:
            piece.basis = basis * piece.quantity / units

    def take(
        self, asset: str, account: str | None, units: Fraction, day: date, price: Fraction | None = None,
        named: Iterable[tuple[int, Fraction | None]] = (),
    ) -> list[Piece]:  # fmt: skip
        """Take units out of what is held: lots by name first, the rest by the method."""
        if self.person.method == "average":
            self.average(self.here(asset, account))
        taken: list[Piece] = []
        for lot, wanted in named:
            inside = sorted((p for p in self.here(asset, account) if p.lot == lot), key=lambda p: p.turn)
            taken += self.off(inside, units if wanted is None else wanted)
        rest = units - sum(p.quantity for p in taken)
        return taken + self.off(sorted(self.here(asset, account), key=lambda p: self.order(p, price, day)), rest)

    def off(self, pieces: list[Piece], units: Fraction) -> list[Piece]:
        """So many units off the front of a line of pieces."""
        taken = []
        for piece in pieces:
            if units >= piece.quantity:
                self.pieces.remove(piece)
                taken.append(piece)
            elif units:
                taken.append(piece.cut(units))
            units -= taken[-1].quantity if units else 0
        return taken

    # What a sale makes of them

    def sell(self, row: Row, asset: str, account: str, units: Fraction, proceeds: Fraction, day: date) -> None:
        pool = None if self.pooled(asset, day) else account
        self.units[asset, account] -= units
        named = [(self.lots[name], Fraction(n) if n else None) for name, n in names_of(row.get("lot", ""))]
        taken = self.take(asset, pool, units, day, proceeds / units, named)
        sold = [self.sliced(piece, account, proceeds * piece.quantity / units, day) for piece in taken]
        if account in self.person.untaxed:
            return
        for part in sorted(sold, key=lambda s: (s.bought, s.lot, s.start)):
            self.slices.append(part)
            if part.proceeds < part.basis and self.classes[asset] in SECURITIES:
                part.open, part.each = part.quantity, (part.basis - part.proceeds) / part.quantity
                self.wash(part, self.here(asset, None))

    def sliced(self, piece: Piece, account: str, proceeds: Fraction, day: date) -> Slice:
        """§1015(a): the basis for a loss on a gift is its value then; between the two there is no gain and no loss."""
        basis, since = piece.basis, piece.since
        if piece.loss_basis is not None and proceeds < piece.loss_basis:
            basis, since = piece.loss_basis, piece.day
        elif piece.loss_basis is not None and proceeds < piece.basis:
            basis = proceeds
        long = piece.inherited or day >= first_long_day(since)
        return Slice(
            self.sale, piece.lot, piece.asset, account, piece.quantity, proceeds, basis, piece.day, since, day, long,
            piece.start,
        )  # fmt: skip

    # Wash sales

    def wash(self, loss: Slice, pieces: list[Piece]) -> None:
        """Let what was bought within the window replace what was sold at a loss, the earliest bought first."""
        for piece in sorted(pieces, key=lambda p: p.turn):
            near = abs(piece.day - loss.sold) <= WASH_WINDOW
            if loss.open and near and piece.bought and not piece.replaces and piece.lot != loss.lot:
                self.replaced(loss, piece)

    def replaced(self, loss: Slice, piece: Piece) -> None:
        """The loss of a unit becomes basis of its replacement, which also counts as held as long as it was."""
        if piece.quantity > loss.open:
            front = piece.cut(loss.open)
            self.pieces.append(front)
            piece = front
        amount = loss.each * piece.quantity
        loss.open -= piece.quantity
        loss.disallowed += amount
        piece.replaces = True
        if piece.account in self.person.untaxed:
            loss.lost += amount
            return
        piece.basis += amount
        piece.since = piece.day - (loss.sold - loss.since)

    # Events

    def open(self, piece: Piece) -> None:
        self.units[piece.asset, piece.account] += piece.quantity
        self.pieces.append(piece)
        for loss in self.slices:
            if loss.open and loss.asset == piece.asset:
                self.wash(loss, [p for p in self.here(piece.asset, None) if p.lot == piece.lot])

    def move(self, asset: str, account: str, to: str | None, units: Fraction, day: date) -> None:
        """To another own account with basis and dates; to nobody's (a gift, a donation) without a trace."""
        lying = min(units, sum((p.quantity for p in self.here(asset, account)), Fraction(0)))
        self.units[asset, account] -= units
        for piece in self.take(asset, account, lying, day):
            if to is not None:
                self.pieces.append(replace(piece, account=to))
        if to is not None:
            self.units[asset, to] += units

    def split(self, asset: str, account: str | None, ratio: Fraction) -> None:
        for piece in self.here(asset, account):
            piece.quantity *= ratio
        for place in [p for p in self.units if p[0] == asset and account in (p[1], None)]:
            self.units[place] *= ratio
        for loss in self.slices:
            if loss.asset == asset and account in (loss.account, None):
                loss.open, loss.each = loss.open * ratio, loss.each / ratio

    def return_of_capital(self, asset: str, account: str, amount: Fraction) -> None:
        """The same for every share: Pub. 550. (Beyond a share's basis it is gain; these ledgers stay below.)"""
        paid_on = self.here(asset, account)
        units = sum(p.quantity for p in paid_on)
        for piece in paid_on:
            piece.basis -= (part := amount * piece.quantity / units)
            piece.loss_basis = piece.loss_basis and max(Fraction(0), piece.loss_basis - part)

    def divide(self) -> None:
        """From 2025 each account sells its own lots: they lie where the units do, or all units lie in one place."""
        self.divided = True
        for asset in {p.asset for p in self.pieces if self.classes[p.asset] in DIGITAL}:
            units = {place: n for (which, place), n in self.units.items() if which == asset and n}
            lots: dict[str, Fraction] = defaultdict(Fraction)
            for piece in self.here(asset, None):
                lots[piece.account] += piece.quantity
            if lots != units and len(units) != 1:
                raise ValueError(f"lots of {asset} lie elsewhere than the units")
            for piece in self.here(asset, None) if lots != units else ():
                piece.account = next(iter(units))

    def know(self, number: int, row: Row) -> None:
        """What rows say for other rows: the class of an asset (also of what it is traded for), the name of a lot."""
        if row.get("asset_class"):
            self.classes[row["asset"]] = row["asset_class"]
            self.classes.setdefault(row.get("counter_asset", ""), row["asset_class"])
        if row.get("id"):
            self.lots[row["id"]] = number

    def carry_out(self, number: int, row: Row, day: date) -> None:
        kind, asset, account = row["kind"], row["asset"], row.get("account") or "main"
        units, amount, fee = (Fraction(row.get(name) or 0) for name in ("quantity", "amount", "fee"))
        if day >= BY_ACCOUNT_FROM and not self.divided:
            self.divide()
        self.sale = number
        piece = Piece(number, asset, account, units, amount, day, day, bought=True)
        if kind == "buy":
            self.open(replace(piece, basis=amount + fee))
        elif kind == "income":
            self.income.append((day, amount))
            self.open(piece)
        elif kind in ("sell", "spend"):
            self.sell(row, asset, account, units, amount - fee, day)
        elif kind == "trade":
            self.sell(row, asset, account, units, amount - fee, day)
            self.open(replace(piece, asset=row["counter_asset"], quantity=Fraction(row["counter_quantity"])))
        elif kind in ("opening_lot", "gift_in", "inheritance"):
            self.open(brought(piece, row))
        elif kind in ("gift_out", "donation", "transfer"):
            self.move(asset, account, row.get("to_account") or None, units, day)
        elif kind == "split":
            self.split(asset, row.get("account") or None, Fraction(row["counter_quantity"]) / units)
        elif kind == "return_of_capital":
            self.return_of_capital(asset, account, amount)
        else:
            raise ValueError(f"the reference does not know the kind {kind}")


def brought(piece: Piece, row: Row) -> Piece:
    """A lot that nobody bought here: its basis and dates come from outside. It replaces nothing."""
    piece = replace(piece, bought=False)
    if row["kind"] == "inheritance":
        return replace(piece, basis=Fraction(row["fair_value"]), inherited=True)
    basis, acquired = Fraction(row["basis"]), date.fromisoformat(row["acquired"])
    low = Fraction(row.get("fair_value") or basis)
    if row["kind"] == "opening_lot":
        return replace(piece, basis=basis, day=acquired, since=acquired)
    return replace(piece, basis=basis, since=acquired, loss_basis=low if low < basis else None)


def names_of(cell: str) -> list[tuple[str, str]]:
    """`a:2 b` as names and quantities."""
    return [(name, units) for name, _, units in (word.partition(":") for word in cell.split())]


def when(row: Row, zone: str) -> tuple[date, int, float]:
    """A row's place in time: a date without a time comes before the instants of that date."""
    if len(row["time"]) == len("2025-01-01"):
        return date.fromisoformat(row["time"]), 0, 0
    instant = datetime.fromisoformat(row["time"])
    return instant.astimezone(ZoneInfo(zone)).date(), 1, instant.timestamp()


def carried_out(rows: list[Any], person: Person | None = None, until: date = date.max) -> Reference:
    """The rows of a simple ledger up to a day; slices and lots are numbered by the row, from 0, as it stands here."""
    done = Reference(person or Person())
    for number, row in enumerate(rows):
        done.know(number, row)
    times = {number: when(row, done.person.zone) for number, row in enumerate(rows)}
    for number in sorted(times, key=lambda number: (times[number], number)):
        if times[number][0] <= until:
            done.carry_out(number, rows[number], times[number][0])
    return done
