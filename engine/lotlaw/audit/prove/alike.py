"""Two years' forms with the same amounts of the law: what they come to is proved the same, or a return shows otherwise.

The later year is read twice: as it is, and by the forms of the earlier one. Amounts of the law are those of the later
year in both, open as far as its filing statuses differ in them. One return is given to both. Compared are lines that
both years' forms have under one number and label, and what both export under one name: their amounts, and whether they
are blank. A line that one year alone has is not compared, but what it leads to is; an input that one year alone asks
for is left blank; sales are those that both years' Form 8949 have a box for. Proved is what is the same unrounded, with
each line rounded by the same rounding, and with `--cents`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import z3

from lotlaw.audit.prove.scene import Amounts, Scene, Where
from lotlaw.audit.prove.solving import PATIENCE, Prover, known_facts
from lotlaw.audit.prove.world import FORM, Row, World, rows_of
from lotlaw.claims import Likeness
from lotlaw.formula import Reader
from lotlaw.law import Line, Year
from lotlaw.readings.logic import WAYS, Logic, Scaled
from lotlaw.source import refuse

LITTLE = 2**24
"""Steps that a question may take for which the law that several forms use has to be looked into."""

Twin = tuple[Line, Line]
"""A line of the earlier year's form, and what answers to it on the later one's."""


@dataclass(frozen=True)
class Pair:
    """Two years to be compared: the later one by the forms of the earlier (`before`), and as it is (`after`)."""

    earlier: Year
    before: Year
    after: Year

    @cached_property
    def rows(self) -> list[Row]:
        """The kinds of sales that both years' forms have a box for."""
        return rows_of([self.before, self.after])

    @cached_property
    def same_functions(self) -> bool:
        """Whether the law that several forms use is the same to the letter, so that it need not be looked into."""
        both = [{name: f.formula.text for name, f in year.functions.items()} for year in (self.before, self.after)]
        return both[0] == both[1]

    @property
    def shared(self) -> list[str]:
        """The forms that both years have."""
        return [name for name in self.after.forms if name in self.earlier.forms]

    @cached_property
    def twins(self) -> list[Twin]:
        """The lines that are compared, in the later year's order."""
        found = dict[Where, Line]()
        for name in self.shared:
            old, new = self.before.forms[name], self.after.forms[name]
            for id_, line in new.lines.items():
                if id_ in old.lines and old.lines[id_].label == line.label:
                    found[name, id_] = old.lines[id_]
            found |= {(name, new.exports[e]): old.lines[old.exports[e]] for e in new.exports if e in old.exports}
        lines = (line for line in self.after.order if (line.form, line.id) in found)
        return [(found[line.form, line.id], line) for line in lines]

    def left_out(self) -> Iterator[str]:
        """What is not compared, in words."""
        years = (self.earlier, self.after)
        for one, other in (years, years[::-1]):
            yield from (f"form {name}: {one.year} alone has it" for name in one.forms if name not in other.forms)
            there = {(line.form, line.id) for twin in self.twins for line in twin if line in _lines(one)}
            for name in self.shared:
                own = _runs([(id_, (name, id_) not in there) for id_ in one.forms[name].lines])
                if own:
                    yield f"{name}, {one.year}: lines {own}, which {other.year} has not, or numbers or words otherwise"
            kinds = {row.form_1099 for row in rows_of([one])} - {row.form_1099 for row in self.rows}
            if kinds:
                yield f"sales on {', '.join(sorted(kinds))}: {one.year} alone has boxes for them"


def _runs(lines: Sequence[tuple[str, bool]]) -> str:
    """Which of a form's lines, in order, are meant: `1a to 3, 8a`."""
    runs = [[id_ for id_, _ in run] for meant, run in groupby(lines, lambda line: line[1]) if meant]
    return ", ".join(f"{run[0]} to {run[-1]}" if run[1:] else run[0] for run in runs)


def _lines(year: Year) -> list[Line]:
    return [line for form in year.forms.values() for line in form.lines.values()]


def pair_of(old: Year, new: Year) -> Pair:
    """Two years to be compared. Raises Problems if the earlier one's forms use amounts that the later has none of."""
    exports = {f"{form.name}.{export}" for form in new.forms.values() for export in form.exports}
    for form in (old.forms[name] for name in new.forms if name in old.forms):
        missing = [use for use in form.uses if use not in new.parameters and use not in new.functions]
        missing += [
            i.origin
            for i in form.inputs.values()
            if i.origin.partition(".")[0] in old.forms and i.origin not in exports
        ]
        if missing:
            said = f"{form.name} of {old.year} uses {', '.join(missing)}, of which {new.year} says nothing to set equal"
            raise refuse(form.document.place("uses"), said)
    forms = {name: old.forms.get(name, form) for name, form in new.forms.items()}
    documents = {**new.documents, FORM: old.documents[FORM]}
    before = replace(new, forms=forms, documents=documents, functions={**new.functions, **old.functions})
    return Pair(old, before, new)


@dataclass
class Both:
    """The lines of one return by the forms of both years, as terms; of `forms` alone, or of the whole return."""

    pair: Pair
    logic: Logic
    twins: Sequence[Twin]
    forms: frozenset[str] = frozenset()
    status: str = ""
    claim: Likeness | None = None

    def __post_init__(self) -> None:
        pair, exact = self.pair, bool(self.status) or not self.pair.same_functions
        beside = [(line.form, line.name) for line in self.claim.lines(pair.after).values()] if self.claim else []
        self.amounts, self.world = Amounts(pair.after, self.logic, self.status), World(self.logic, pair.rows)
        years = {"before": [twin[0] for twin in self.twins], "after": [twin[1] for twin in self.twins]}
        self.before, self.after = (
            Scene(
                getattr(pair, which), self.world, self.amounts,
                [(line.form, line.name) for line in lines] + (beside if which == "after" else []),
                self.forms, exact=exact,
            )
            for which, lines in years.items()
        )  # fmt: skip

    def differ(self, twin: Twin) -> Any:
        """That a line and its twin are not the same, as a term; None if they are to the letter."""
        terms = []
        for (form, id_, column), value in self.after.lines.items():
            if (form, id_) == (twin[1].form, twin[1].id):
                terms += _unequal(self.before.lines[form, twin[0].id, column], value)
        there = [scene.there[line.form, line.id] for scene, line in zip((self.before, self.after), twin, strict=True)]
        return z3.Or(terms + _unequal(*there)) if terms + _unequal(*there) else None

    def known(self) -> Iterator[Any]:
        """What is known of the return, and of what was rounded and asked."""
        yield from self.world.bounds
        if not self.forms:
            yield from self._one_sided()
        if self.claim and self.claim.when:
            names = {
                name: self.after.names(line.form, {line.name})[line.name]
                for name, line in self.claim.lines(self.pair.after).items()
            }
            yield Reader(self.logic, names).read(self.claim.when)
        yield from known_facts(self.amounts, [self.before, self.after])

    def _one_sided(self) -> Iterator[Any]:
        """That inputs which one year alone asks for are left blank."""
        asked = [{f"{line.form}.{line.id}" for line in _lines(y) if line.kind == "input"} for y in self._years()]
        for name, amount in self.world.amounts.items():
            line = ".".join(name.split(".")[:2])
            if line in asked[0] ^ asked[1]:
                yield amount.term == 0

    def _years(self) -> tuple[Year, Year]:
        return self.pair.before, self.pair.after


def _unequal(one: Any, other: Any) -> list[Any]:
    a, b = (value.term if isinstance(value, Scaled) else value for value in (one, other))
    return [] if a.eq(b) else [a != b]


def same(pair: Pair, prover: Prover, claim: Likeness | None = None) -> bool:
    """Whether all lines are proved to be the same for every return, or for those of which a claim's `when` holds."""
    if not pair.same_functions:
        return False
    if all(_same(pair, prover, frozenset([name])) for name in pair.shared):
        return True  # each form makes the same of whatever it is given, and so does the whole return
    return _same(pair, prover, frozenset(), claim)


def _same(pair: Pair, prover: Prover, forms: frozenset[str], claim: Likeness | None = None) -> bool:
    twins = [twin for twin in pair.twins if not forms or twin[1].form in forms]
    for unit in WAYS:
        both = Both(pair, Logic(unit), twins, forms, claim=claim)
        terms = [term for twin in twins if (term := both.differ(twin)) is not None]
        if terms and not prover.impossible([z3.Or(terms), *both.known()]):
            return False
    return True


def undecided(pair: Pair, claim: Likeness | None = None) -> list[Twin]:
    """The lines that are not proved to be the same for every return, or for those that a claim is about."""
    found = dict[int, None]()
    for unit in WAYS:
        both = Both(pair, Logic(unit), pair.twins, claim=claim)
        terms = {n: term for n, twin in enumerate(pair.twins) if (term := both.differ(twin)) is not None}
        solver = z3.SimpleSolver()
        solver.set("rlimit", PATIENCE if pair.same_functions else LITTLE)
        solver.add(*both.known())
        while terms:  # what one return tells apart need not be asked about again
            answer = solver.check(z3.Or(list(terms.values())))
            if answer == z3.unsat:
                break
            apart = [n for n, term in terms.items() if answer == z3.unknown or z3.is_true(solver.model().eval(term))]
            found |= dict.fromkeys(apart)
            terms = {n: term for n, term in terms.items() if n not in apart} if apart else {}
    return [pair.twins[n] for n in sorted(found)]
