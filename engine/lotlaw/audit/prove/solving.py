"""Put claims to the solver: first of a form by itself, which says the most; then of whole returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import z3

from lotlaw.audit.prove.claims import broken, held, moved, names_in
from lotlaw.audit.prove.scene import Amounts, Scene, Where
from lotlaw.audit.prove.world import World, rows_of
from lotlaw.claims import Claim, claims_of
from lotlaw.law import Year, needed
from lotlaw.readings.logic import WAYS, Logic, Twice

PATIENCE = 2**30
"""Steps that one question to the solver may take: no clock, so that the answer is always the same."""


@dataclass
class Prover:
    """Asks the solver, and remembers what it was asked: years that share a form's rules share its proofs."""

    known: dict[frozenset[int], tuple[Sequence[Any], bool]] = field(default_factory=dict)

    def impossible(self, terms: Sequence[Any]) -> bool:
        """Whether the terms cannot all hold."""
        key = frozenset(term.get_id() for term in terms)  # the solver keeps one of what is alike, while it is in use
        if key not in self.known:
            solver = z3.SimpleSolver()
            solver.set("rlimit", PATIENCE)
            solver.add(*terms)
            self.known[key] = terms, solver.check() == z3.unsat
        return self.known[key][1]

    def holds(self, year: Year, claim: Claim) -> bool:
        """Whether a claim is proved for every return of a year, however its lines are rounded."""
        return all(self._holds(year, claim, unit) for unit in WAYS)

    def _holds(self, year: Year, claim: Claim, unit: int | None) -> bool:
        if self._alone(year, claim, unit):
            return True
        if year.forms[claim.form].document.value.get("functions"):
            return False
        granted = [lemma for lemma in _lemmas(year, claim) if self._alone(year, lemma, unit)]
        return self.impossible(list(whole(year, claim, granted, Logic(unit))))

    def _alone(self, year: Year, claim: Claim, unit: int | None) -> bool:
        if claim.moves or claim.elsewhere:
            return False
        return self.impossible(list(alone(year, claim, Logic(unit))))


def alone(year: Year, claim: Claim, logic: Logic) -> Iterator[Any]:
    """That a claim of a form fails for some inputs of the form, whatever the rest of the return says."""
    forms = frozenset({claim.form, *(line.form for line in claim.lines(year).values())})
    functions = year.forms[claim.form].document.value.get("functions") or {}
    amounts, rows = Amounts(year, logic), rows_of([year])
    scenes = [
        Scene(year, World(logic, rows, mark), amounts, claim.goal(year), forms, forms, exact=bool(functions))
        for mark in marks(claim)
    ]
    names = names_in(claim, scenes)
    for argument in (argument for function in functions for argument in year.functions[function].arguments):
        each = [scene.world.amount(argument) for scene in scenes]
        names[argument] = each[0] if len(each) == 1 else Twice(*each)
    yield broken(claim, logic, names, scenes[0].sheet.functions)
    yield from known_facts(amounts, scenes)


def whole(year: Year, claim: Claim, lemmas: Sequence[Claim], logic: Logic) -> Iterator[Any]:
    """That a claim fails for some return that needs its form.

    Of two returns, the lines of other forms that `lemmas` say the rise of are known by these alone.
    """
    unknown = {where for lemma in lemmas for where in _told(year, lemma)}
    apart = {*(form for form, _ in unknown), *claim.apart(year)}
    goal = [where for one in (claim, *lemmas) for where in one.goal(year)]
    amounts, rows = Amounts(year, logic), rows_of([year])
    scenes = [
        Scene(year, World(logic, rows, mark), amounts, goal, apart=frozenset(apart), unknown=frozenset(unknown))
        for mark in marks(claim)
    ]
    yield broken(claim, logic, names_in(claim, scenes), scenes[0].sheet.functions)
    yield from _needed(claim, scenes)
    for lemma in lemmas:
        yield from _granted(lemma, scenes)
    if claim.rises or claim.falls:
        yield from moved(claim, *(scene.world for scene in scenes))
    yield from (bound for scene in scenes for bound in scene.world.bounds)
    yield from known_facts(amounts, scenes)


def marks(claim: Claim) -> tuple[str, ...]:
    """What tells the variables of its returns apart."""
    return ("", "'") if claim.of_two else ("",)


def _needed(claim: Claim, scenes: list[Scene]) -> Iterator[Any]:
    """That every return needs the form."""
    for scene in scenes:
        form = scene.year.forms[claim.form]
        if form.only_if and not claim.beside:
            yield scene.sheet.read(form, form.only_if)


def _lemmas(year: Year, claim: Claim) -> list[Claim]:
    """What may be granted: the claims of forms that the claim's own lines read, if they compare two returns."""
    if not claim.of_two:
        return []
    lines = [year.forms[form].by_name[name] for form, name in claim.goal(year) if name in year.forms[form].by_name]
    read = dict.fromkeys(line.form for line in needed(year, lines) if line.form != claim.form)
    found = {form: [one for one in claims_of(year.forms[form]) if not (one.rises or one.falls)] for form in read}
    return [one for claims in found.values() if any(_compares(one) for one in claims) for one in claims]


def _compares(claim: Claim) -> bool:
    return claim.of_two and bool(claim.always.names)


def _told(year: Year, claim: Claim) -> Iterator[Where]:
    """The lines that a form exports, and of which it says what becomes of them from one return to another."""
    form = year.forms[claim.form]
    names = {form.lines[id_].name for id_ in form.exports.values()}
    yield from ((form.name, name) for name in sorted(claim.always.names & names) if claim.of_two)


def _granted(claim: Claim, scenes: list[Scene]) -> Iterator[Any]:
    """That a claim holds, of each return or of both."""
    for chosen in permutations(scenes, 2) if claim.of_two else [[scene] for scene in scenes]:
        yield held(claim, scenes[0].world.logic, names_in(claim, list(chosen)), chosen[0].sheet.functions)


def known_facts(amounts: Amounts, scenes: list[Scene]) -> Iterator[Any]:
    """What is known of the amounts of the law, of functions, and of what was rounded."""
    logic, year = amounts.logic, amounts.year
    for name, asked in list(logic.asked.items()):
        function = year.functions[name]
        form = next(form for form in year.forms.values() if name in (form.document.value.get("functions") or {}))
        for claim in claims_of(form):
            (argument,) = function.arguments
            each = [Twice(*pair) for pair in permutations(asked.values(), 2)] if claim.of_two else list(asked.values())
            for value in each:
                yield held(claim, logic, {argument: value}, scenes[0].sheet.functions)
    yield from logic.facts()
    yield from amounts.facts()
