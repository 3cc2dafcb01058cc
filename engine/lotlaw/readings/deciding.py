"""The deciding reading of one return: what a formula comes to, in words, and what in it decided.

A value is a `Told`: the exact value, its words, and reasons such as "line 16 is below 0", by 3,220.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from lotlaw.readings import exact, words

FEW = 3
"""Of more conditions than these, none of which holds, it is enough to say so."""


class Why(NamedTuple):
    """What decided, in words, and by how much (None: no amount)."""

    said: str
    by: Decimal | None = None


@dataclass(frozen=True)
class Told:
    """A value, its words, and what decided it."""

    value: Any
    phrase: words.Phrase
    why: tuple[Why, ...] = ()


def named(name: str, said: str, value: Any) -> Told:
    """A name as it is called, and its value."""
    flag = isinstance(value, bool)
    phrase = words.named(name, said, flag=flag)
    return Told(value, phrase, (Why(_as_it_is(phrase, held=value)),) if flag else ())


def _as_it_is(phrase: words.Phrase, *, held: bool) -> str:
    """A condition as it holds, or as it does not."""
    told = words.condition(phrase)
    return str(told if held else words.negate(told))


def const(value: Any) -> Told:
    """A number of a formula."""
    return Told(exact.const(value), words.const(value))


def _both(name: str) -> Callable[[Told, Told], Told]:
    def both(a: Told, b: Told) -> Told:
        value, phrase = (getattr(reading, name) for reading in (exact, words))
        return Told(value(a.value, b.value), phrase(a.phrase, b.phrase), a.why + b.why)

    return both


add, sub, mul = _both("add"), _both("sub"), _both("mul")


def neg(a: Told) -> Told:
    """-a."""
    return Told(exact.neg(a.value), words.neg(a.phrase), a.why)


def compare(sign: str, a: Told, b: Told) -> Told:
    """Whether a stands to b as `sign` says, and by how much it does or does not."""
    held, phrase = exact.compare(sign, a.value, b.value), words.compare(sign, a.phrase, b.phrase)
    apart = abs(a.value - b.value) if isinstance(a.value, Decimal) else None
    return Told(held, phrase, (Why(_as_it_is(phrase, held=held), apart or None),))


def all_of(flags: Sequence[Told]) -> Told:
    """Whether all hold: because all do, or because of those that don't."""
    held = all(flag.value for flag in flags)
    why = tuple(why for flag in flags if held or not flag.value for why in flag.why)
    return Told(held, words.all_of([flag.phrase for flag in flags]), why)


def any_of(flags: Sequence[Told]) -> Told:
    """Whether one holds: because of those that do, or because none does."""
    held = any(flag.value for flag in flags)
    why = tuple(why for flag in flags if flag.value == held for why in flag.why)
    none = not held and len(why) > FEW
    return Told(held, words.any_of([flag.phrase for flag in flags]), (Why("none of these holds"),) if none else why)


def negate(flag: Told) -> Told:
    """Whether it does not hold; for the same reasons."""
    return Told(not flag.value, words.negate(flag.phrase), flag.why)


def choose(flag: Told, yes: Told, no: Told) -> Told:
    """The one that the condition chose."""
    chosen = yes if flag.value else no
    return Told(chosen.value, words.choose(flag.phrase, yes.phrase, no.phrase), flag.why + chosen.why)


def _bound(name: str) -> Callable[..., Told]:
    def bound(*values: Told) -> Told:
        value = exact.functions[name](*(told.value for told in values))
        decided = [told for told in values if told.value == value]
        phrase = words.functions[name](*(told.phrase for told in values))
        return Told(value, phrase, decided[0].why + tuple(_margin(decided, values)))

    return bound


def _margin(decided: Sequence[Told], values: Sequence[Told]) -> Sequence[Why]:
    """Which of several decided, and how far the next is; of a floor at zero, only that it was reached."""
    others = [told for told in values if told.value != decided[0].value]
    said = str(decided[0].phrase)
    if not others:
        return [Why(f"{' and '.join(str(told.phrase) for told in decided)} are the same")]
    nearest = min(others, key=lambda told: abs(told.value - decided[0].value))
    by = abs(nearest.value - decided[0].value)
    if said == "0":
        return [Why(f"{nearest.phrase} is {'below' if nearest.value < 0 else 'above'} 0", by)]
    return [] if str(nearest.phrase) == "0" else [Why(f"{said} decides", by)]


def _plain(name: str) -> Callable[..., Told]:
    def plain(*values: Told) -> Told:
        value = exact.functions[name](*(told.value for told in values))
        phrase = words.functions[name](*(told.phrase for told in values))
        return Told(value, phrase, tuple(why for told in values for why in told.why))

    return plain


def function(name: str, act: Callable[..., Any], values: int) -> Callable[..., Told]:
    """A function of rule files, by what it comes to."""
    said = words.function(name, values)

    def told(*given: Told) -> Told:
        why = tuple(why for one in given for why in one.why)
        return Told(act(*(one.value for one in given)), said(*(one.phrase for one in given)), why)

    return told


functions: Mapping[str, Callable[..., Any]] = {
    name: _bound(name) if name in ("min", "max") else _plain(name) for name in exact.functions
}
