"""The claims of rule files (`invariants`): what is to hold of every return, or of two that differ in a known way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lotlaw.formula import Formula, parse
from lotlaw.law import Form, Line, Year, exported_line
from lotlaw.source import Place

RISE = "rise"
"""The function of a claim about two returns: by how much an amount of the second is more."""
ROUNDING = "rounding"
"""What a claim leaves to rounding: dollars where each line is rounded to the dollar, else nothing."""


YEAR = "year"
"""Where claims of a whole year stand."""


@dataclass(frozen=True)
class Claim:
    """A claim of a form: `always` holds wherever `when` does.

    `rises` and `falls` are amounts that a second return has more and less of; everything else is the same in both.
    `beside` are exports of other forms, worked out whether or not the return needs those forms; `elsewhere` are exports
    as the return has them, blank where it does not need their forms.
    """

    form: str
    name: str
    always: Formula
    when: Formula | None
    rises: tuple[str, ...]
    falls: tuple[str, ...]
    rounding: int
    beside: Mapping[str, str]
    elsewhere: Mapping[str, str]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.always.place

    @property
    def formulas(self) -> list[Formula]:
        """Its formulas."""
        return [formula for formula in (self.when, self.always) if formula]

    @property
    def names(self) -> set[str]:
        """What its formulas read."""
        return {name for formula in self.formulas for name in formula.names}

    @property
    def moves(self) -> bool:
        """Whether it is about two returns, of which the second has more or less of some amounts."""
        return bool(self.rises or self.falls)

    @property
    def of_two(self) -> bool:
        """Whether it is about two returns."""
        return self.moves or any(RISE in formula.calls for formula in self.formulas)

    def lines(self, year: Year) -> dict[str, Line]:
        """The lines of other forms, by the name that the claim calls them."""
        return {name: exported_line(year.forms, at) for name, at in {**self.beside, **self.elsewhere}.items()}

    def apart(self, year: Year) -> frozenset[str]:
        """The forms that are worked out whether or not the return needs them."""
        return frozenset(exported_line(year.forms, where).form for where in self.beside.values())

    def goal(self, year: Year) -> list[tuple[str, str]]:
        """The names it reads, each with its form."""
        own = [(self.form, name) for name in sorted(self.names)]
        return own + [(line.form, line.name) for line in self.lines(year).values()]


def claims_of(form: Form) -> Iterator[Claim]:
    """The claims of a form. Raises Problems for one that is no formula."""
    for number, said in enumerate(form.document.value.get("invariants") or ()):
        at = ("invariants", number)
        when = parse(str(said["when"]), form.document.place(*at, "when")) if "when" in said else None
        yield Claim(
            form.name, said["name"], parse(str(said["always"]), form.document.place(*at, "always")), when,
            tuple(said.get("rises") or ()), tuple(said.get("falls") or ()), int(said.get("rounding", 0)),
            said.get("beside") or {}, said.get("elsewhere") or {},
        )  # fmt: skip


@dataclass(frozen=True)
class Likeness:
    """A claim of a year: with its amounts, the forms of the year `as_in` come to the same, wherever `when` holds.

    `when` reads exports of the year's forms by the names that `beside` gives them.
    """

    name: str
    as_in: int
    when: Formula | None
    beside: Mapping[str, str]
    place: Place
    form: str = YEAR

    def lines(self, year: Year) -> dict[str, Line]:
        """The lines beside, by the name that the claim calls them."""
        return {name: exported_line(year.forms, where) for name, where in self.beside.items()}


@dataclass(frozen=True)
class Defined:
    """The claim of every year that needs no writing: each of its lines has a value, whatever a return is given."""

    place: Place
    name: str = "no line divides, overflows or is undefined"
    form: str = YEAR


def likenesses_of(year: Year) -> Iterator[Likeness]:
    """The claims of a year about the forms of another. Raises Problems for one that is no formula."""
    document = year.documents["year"]
    for number, said in enumerate(document.value.get("invariants") or ()):
        at = ("invariants", number)
        when = parse(str(said["when"]), document.place(*at, "when")) if "when" in said else None
        yield Likeness(said["name"], said["as_in"], when, said.get("beside") or {}, document.place(*at, "as_in"))


def plain_claims(form: Form) -> Iterator[Claim]:
    """The claims that a single worked-out form shows to be true or false: of one return, and of no other form."""
    known = {*form.by_name, *form.inputs, *form.uses}
    yield from (claim for claim in claims_of(form) if not claim.of_two and claim.names <= known)
