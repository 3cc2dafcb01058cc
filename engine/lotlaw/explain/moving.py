"""What would change a line: how far each amount that a return was given can move before the line says something else.

The reading of slopes gives how a line moves with each dollar, and for how many; where it does not move, the return is
worked out again at the first dollar at which it might. No rule of the law is known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from lotlaw.answers import Facts, Given, Total, matches
from lotlaw.explain.amounts import amount
from lotlaw.law import Line, Year, reads
from lotlaw.readings import exact, slopes
from lotlaw.readings.slopes import ZERO, Held, Moving
from lotlaw.run import TERMS, Return, facts_of, one_gain
from lotlaw.sheet import Sheet

STEPS = 64
"""Of ends at which a line might change, so many are looked at."""
DOLLAR = Decimal(1)
ROUNDED = Decimal("0.05")
"""What rounding products to the cent may come to, all of a return's together."""


@dataclass(frozen=True)
class Source:
    """An amount that a return was given: gain of a term, what the taxpayer says (`origin`), or a typed line."""

    label: str
    term: str = ""
    origin: str = ""
    typed: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class _Asked:
    """A line of a return, and the lines that it rests on, in order."""

    return_: Return
    line: Line
    lines: tuple[Line, ...]
    facts: Facts

    @property
    def year(self) -> Year:
        return self.return_.year

    @property
    def status(self) -> str:
        return str(self.return_.taxpayer["filing_status"])

    def answer(self, facts: Facts, *, cents: bool) -> Any:
        """What the line says of other facts."""
        found: list[Any] = []

        def keep(line: Line, _column: str, value: Any, present: Any) -> Any:
            there = present is None or present
            if line is self.line and there:
                found.append(value)
            return value if there else False if line.unit == "flag" else ZERO

        Sheet(self.year, exact, Given(self.year, self.status, facts), keep, cents).fill(self.lines)
        return found[-1] if found else None

    def slope(self, source: Source, facts: Facts, way: int, *, cents: bool) -> Moving | Held:
        """How the line moves with each dollar of a source, upwards (1) or downwards (-1)."""
        found: list[Moving | Held] = []

        def keep(line: Line, _column: str, value: Any, present: Any) -> Any:
            kept = _where_present(value, present)
            if line is self.line:
                found.append(kept)
            return kept

        supply = _Supply(self.year, self.status, facts, source, Decimal(way))
        Sheet(self.year, slopes, supply, keep, cents).fill(self.lines)
        return found[-1]


def _where_present(value: Any, present: Held | None) -> Any:
    """A value as others read it: zero, or no, where its line is blank."""
    if present is None:
        return value
    blank = Held(value=False) if isinstance(value, Held) else Moving(ZERO)
    return slopes.held_by(value if present.value else blank, present.until)


@dataclass(frozen=True)
class _Supply:
    """The facts, one of which moves."""

    year: Year
    status: str
    facts: Facts
    source: Source
    way: Decimal

    def parameter(self, name: str) -> Any:
        return slopes.const(self.year.parameter(name, self.status))

    def origin(self, origin: str, unit: str) -> Any:
        value = self.facts.outside.get(origin)
        if unit == "flag":
            return Held(bool(value))
        return Moving(Decimal(value or 0), self.way if origin == self.source.origin else ZERO)

    def typed(self, line: Line, column: str) -> tuple[Moving, Held]:
        given = self.facts.typed.get(line.form, {}).get(line.id) or 0
        said = Decimal(given.get(column, 0) if isinstance(given, Mapping) else given)
        moving = Moving(said, self.way if (line.form, line.id) == self.source.typed else ZERO)
        return moving, slopes.compare("!=", moving, Moving(ZERO))

    def total(self, line: Line) -> tuple[Mapping[str, Moving], Held]:
        chosen = [total for total in self.facts.totals if matches(line.total_of, total.group)]
        letters = chosen[0].sums if chosen else line.columns or (line.total_of["column"],)
        moved = _unit(self.year, self.source.term)
        moves = moved.sums if moved and matches(line.total_of, moved.group) else {}
        sums = {
            letter: Moving(sum((t.sums[letter] for t in chosen), ZERO), self.way * moves.get(letter, ZERO))
            for letter in letters
        }
        return sums, Held(bool(chosen))


def _unit(year: Year, term: str) -> Total | None:
    """A dollar of gain of a term."""
    return one_gain(year, term, DOLLAR) if term else None


def moves(return_: Return, line: Line) -> Iterator[str]:
    """A sentence for each amount that a line rests on; amounts that do the same are told together."""
    if line.from_outside:
        return
    asked = _Asked(return_, line, tuple(_upstream(return_.year, line)), facts_of(return_))
    told: dict[str, list[str]] = {}
    for source in _sources(asked):
        facts = _moved(asked, source, ZERO)
        halves = (_half(asked, source, facts, way) for way in (1, -1))
        told.setdefault("; ".join(halves), []).append(source.label)
    for said, labels in told.items():
        yield f"{_listed(labels)}: {said}."


def _upstream(year: Year, line: Line) -> list[Line]:
    """A line and all that it rests on, in the order in which they are worked out."""
    wanted: set[tuple[str, str]] = set()

    def visit(one: Line) -> None:
        if (one.form, one.id) not in wanted:
            wanted.add((one.form, one.id))
            for other in reads(year.forms[one.form], one, year.forms):
                visit(other)

    visit(line)
    return [one for one in year.order if (one.form, one.id) in wanted]


def _sources(asked: _Asked) -> Iterator[Source]:
    """The amounts that were given, and that the line rests on."""
    year, facts = asked.year, asked.facts
    forms = [year.forms[name] for name in dict.fromkeys(line.form for line in asked.lines)]
    for term in TERMS if facts.outside["ledger.dispositions"] else ():
        unit = _unit(year, term)
        if unit and any(line.total_of and matches(line.total_of, unit.group) for line in asked.lines):
            yield Source(f"{term}-term gain", term=term)
    for source in {source.origin: source for form in forms for source in form.inputs.values()}.values():
        if source.unit == "money" and facts.outside.get(source.origin):
            yield Source(_small(source.label or source.name), origin=source.origin)
    for line in asked.lines:
        if line.kind == "input" and not line.columns and facts.typed.get(line.form, {}).get(line.id):
            yield Source(_small(line.label), typed=(line.form, line.id))


def _small(label: str) -> str:
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _moved(asked: _Asked, source: Source, by: Decimal) -> Facts:
    """The facts with a source so many dollars up."""
    facts = asked.facts
    if source.term:
        return replace(facts, totals=[*facts.totals, one_gain(asked.year, source.term, by)])
    if source.origin:
        return replace(facts, outside={**facts.outside, source.origin: Decimal(facts.outside[source.origin]) + by})
    form, id_ = source.typed
    typed = {**facts.typed[form], id_: Decimal(facts.typed[form][id_]) + by}
    return replace(facts, typed={**facts.typed, form: typed})


def _half(asked: _Asked, source: Source, facts: Facts, way: int) -> str:
    """What more (1) or less (-1) of a source does to the line."""
    word = "more" if way > 0 else "less"
    exactly = asked.slope(source, facts, way, cents=True)
    if isinstance(exactly, Moving) and exactly.slope and (exactly.until is None or exactly.until >= 1):
        does = "adds" if exactly.slope > 0 else "takes off"
        end = "" if exactly.until is None else f" for the next {_sloping(asked, source, exactly, way):,}"
        return f"each dollar {word} {does} {amount(abs(exactly.slope))}{end}"
    said = asked.answer(facts, cents=asked.return_.cents)
    stays, now = _until(asked, source, said, way)
    if now is said:
        return f"however much {word}, it stays"
    if not stays:
        return f"a dollar {word} and it is {amount(now)}"
    at = "" if said is None or isinstance(said, bool) else "at "
    return f"{stays:,} {word} and it stays {at}{amount(said)}, {stays + 1:,} and it is {amount(now)}"


def _sloping(asked: _Asked, source: Source, moving: Moving, way: int) -> int:
    """For how many whole dollars a line moves as it does: the last may be where it jumps."""
    last = (moving.until or ZERO).to_integral_value(ROUND_FLOOR)
    there: Decimal = asked.answer(_moved(asked, source, way * last), cents=True) or ZERO
    return int(last) - (abs(there - moving.value - moving.slope * last) > ROUNDED)


def _until(asked: _Asked, source: Source, said: Any, way: int) -> tuple[int, Any]:
    """For how many dollars of a source the line says the same, and what it says then; the same, if it does for all."""
    at, most = ZERO, _most(asked, source, way)
    for _ in range(STEPS):
        moving = asked.slope(source, _moved(asked, source, way * at), way, cents=asked.return_.cents)
        if moving.until is None and not getattr(moving, "slope", ZERO):
            break
        still = isinstance(moving, Held) or not moving.slope
        step = (moving.until or ZERO).to_integral_value(ROUND_CEILING) if still else ZERO
        at += max(step, DOLLAR)
        if most is not None and at > most:
            break
        now = asked.answer(_moved(asked, source, way * at), cents=asked.return_.cents)
        if now != said:
            return int(at) - 1, now
    return int(at), said


def _most(asked: _Asked, source: Source, way: int) -> Decimal | None:
    """How far an amount can go down: to nothing, if it was more. A gain can become a loss."""
    if way > 0 or source.term:
        return None
    given = asked.facts.outside.get(source.origin) or asked.facts.typed.get(source.typed[0], {}).get(source.typed[1])
    return Decimal(given) if given and given > 0 else None


def _listed(labels: list[str]) -> str:
    said = " or ".join([", ".join(labels[:-1]), labels[-1]] if labels[1:] else labels)
    return f"{said[:1].upper()}{said[1:]}"
