"""The words reading: a formula as a person would say it, with the names in it kept apart so that they can be links.

`min(-line16, capital_loss_cap)` is "the smaller of line 16 with its sign changed and the capital loss cap". A value is
a `Phrase`; parentheses stand where a sentence would be read in two ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

ATOM, PRODUCT, SUM, BOUND, CONDITION, LIST, CHOICE = range(7)
"""How loosely a phrase is held together: what is looser than its place allows stands in parentheses."""


@dataclass(frozen=True)
class Name:
    """A name of a formula inside a phrase: what it is called in the formula, and what a reader calls it."""

    name: str
    said: str


Piece = str | Name


@dataclass(frozen=True)
class Phrase:
    """Words in order. Of a sum, its `terms` (whether each is added, and its words); `flag`: a bare yes or no."""

    pieces: tuple[Piece, ...]
    level: int = ATOM
    flag: bool = False
    opposite: tuple[Piece, ...] = ()
    terms: tuple[tuple[bool, Phrase], ...] = ()

    def __str__(self) -> str:
        return "".join(piece if isinstance(piece, str) else piece.said for piece in self.pieces)


def named(name: str, said: str, *, flag: bool = False) -> Phrase:
    """A name as a phrase: a line, an input, a parameter."""
    return Phrase((Name(name, said),), flag=flag)


def condition(phrase: Phrase) -> Phrase:
    """A phrase where yes or no is asked: of a bare answer, whether it is yes."""
    if not phrase.flag:
        return phrase
    return Phrase((*phrase.pieces, " is yes"), CONDITION, opposite=(*phrase.pieces, " is no"))


def const(value: Any) -> Phrase:
    """A number of a formula."""
    return Phrase((str(value),))


def add(a: Phrase, b: Phrase) -> Phrase:
    """A sum, told term by term."""
    return _sum((*_terms(a), *_terms(b)))


def sub(a: Phrase, b: Phrase) -> Phrase:
    """A difference, told as a sum with terms taken off."""
    return _sum((*_terms(a), *((not added, term) for added, term in _terms(b))))


def _terms(phrase: Phrase) -> tuple[tuple[bool, Phrase], ...]:
    return phrase.terms or ((True, phrase),)


def _sum(terms: tuple[tuple[bool, Phrase], ...]) -> Phrase:
    plus = [_within(term, PRODUCT) for added, term in terms if added]
    minus = [_within(term, PRODUCT) for added, term in terms if not added]
    if len(plus) > 2:
        pieces: tuple[Piece, ...] = ("the sum of ", *_listed(plus, "and"))
    else:
        pieces = _joined(plus, " plus ") or ("0",)
    if minus:
        pieces = (*pieces, ", less " if len(plus) > 2 else " less ", *_listed(minus, "and"))
    return Phrase(pieces, SUM, terms=terms)


def mul(a: Phrase, b: Phrase) -> Phrase:
    """A product."""
    return Phrase(_joined([_within(a, PRODUCT), _within(b, PRODUCT)], " times "), PRODUCT)


def neg(a: Phrase) -> Phrase:
    """The negative."""
    return Phrase((*_within(a, ATOM), " with its sign changed"), PRODUCT)


_COMPARED = {
    "<": ("is below", "is not below"), "<=": ("is at most", "is above"), ">": ("is above", "is not above"),
    ">=": ("is at least", "is below"), "==": ("equals", "differs from"), "!=": ("differs from", "equals"),
}  # fmt: skip


def compare(sign: str, a: Phrase, b: Phrase) -> Phrase:
    """How one amount stands to another."""
    yes, no = ((*_within(a, BOUND), f" {word} ", *_within(b, BOUND)) for word in _COMPARED[sign])
    return Phrase(yes, CONDITION, opposite=no)


def all_of(flags: list[Phrase]) -> Phrase:
    """Conditions that must all hold."""
    return Phrase(_listed([_within(condition(flag), CONDITION) for flag in flags], "and"), LIST)


def any_of(flags: list[Phrase]) -> Phrase:
    """Conditions of which one must hold."""
    return Phrase(_listed([_within(condition(flag), CONDITION) for flag in flags], "or"), LIST)


def negate(flag: Phrase) -> Phrase:
    """A condition that must not hold."""
    said = condition(flag)
    if said.opposite:
        return Phrase(said.opposite, CONDITION, opposite=said.pieces)
    return Phrase(("it is not so that ", *_within(said, CONDITION)), CONDITION, opposite=said.pieces)


def choose(flag: Phrase, yes: Phrase, no: Phrase) -> Phrase:
    """One of two, by a condition; a chain of them reads on."""
    pieces = ("if ", *_within(condition(flag), LIST), ", ", *_within(yes, CONDITION), "; otherwise ", *no.pieces)
    return Phrase(pieces, CHOICE)


def _within(phrase: Phrase, level: int) -> tuple[Piece, ...]:
    return phrase.pieces if phrase.level <= level else ("(", *phrase.pieces, ")")


def _joined(parts: Iterable[tuple[Piece, ...]], between: str) -> tuple[Piece, ...]:
    return reduce(lambda told, part: (*told, between, *part) if told else part, parts, ())


def _listed(parts: list[tuple[Piece, ...]], word: str) -> tuple[Piece, ...]:
    """`A, B and C`."""
    head, last = _joined(parts[:-1], ", "), parts[-1]
    return (*head, f" {word} ", *last) if head else last


def _bound(one: str, many: str) -> Callable[..., Phrase]:
    def told(*values: Phrase) -> Phrase:
        parts = [_within(value, PRODUCT) for value in values]
        return Phrase((one if len(values) == 2 else many, *_listed(parts, "and")), BOUND)

    return told


_larger = _bound("the larger of ", "the largest of ")


def _most(*values: Phrase) -> Phrase:
    """The larger; of nothing and an amount, the amount that is not below zero."""
    zeros = [value for value in values if str(value) == "0"]
    rest = [value for value in values if str(value) != "0"]
    if len(zeros) == 1 and len(rest) == 1:
        return Phrase((*_within(rest[0], BOUND), ", but not below 0"), BOUND)
    return _larger(*values)


def _told(*pieces: str) -> Callable[..., Phrase]:
    """A function as words around its values."""

    def told(*values: Phrase) -> Phrase:
        parts: list[Piece] = [pieces[0]]
        for value, piece in zip(values, pieces[1:], strict=True):
            parts += [*_within(value, ATOM), piece]
        return Phrase(tuple(part for part in parts if part), PRODUCT)

    return told


def function(name: str, values: int) -> Callable[..., Phrase]:
    """A function of rule files by its name: `tax_on(line7)` is "tax on line 7"."""
    called = Phrase((Name(name, name.replace("_", " ")),))

    def told(*given: Phrase) -> Phrase:
        parts = [_within(value, ATOM if values > 1 else PRODUCT) for value in given]
        return Phrase((*called.pieces, " ", *_listed(parts, "and")), PRODUCT)

    return told


functions: Mapping[str, Callable[..., Any]] = {
    "min": _bound("the smaller of ", "the smallest of "),
    "max": _most,
    "schedule": _told("the tax on ", " by ", ""),
    "row_middle": _told("the middle of the row that ", " falls in by ", ""),
    "whole_dollars": _told("", " rounded to the dollar"),
    "day_after": _told("the day after ", ""),
    "rise": _told("the rise of ", ""),
    "years_after": _told("the same day as ", ", but ", " later"),
}
