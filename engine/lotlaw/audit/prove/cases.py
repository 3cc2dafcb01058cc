"""A return that breaks a claim, as files that `lotlaw file` takes: found by the solver, worked out, made small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any

import z3

from lotlaw.answers import work_out
from lotlaw.audit.prove.claims import broken, moved, names_in
from lotlaw.audit.prove.given import Several, facts_of, files_of, given_by, possible, readable, smaller
from lotlaw.audit.prove.scene import Amounts, Scene
from lotlaw.audit.prove.solving import known_facts, marks
from lotlaw.audit.prove.world import World, rows_of
from lotlaw.claims import RISE, ROUNDING, Claim
from lotlaw.formula import Reader
from lotlaw.law import Year
from lotlaw.readings import exact
from lotlaw.readings.logic import DOLLARS, Logic, Twice
from lotlaw.sheet import Sheet

PATIENCE, TRIES = 2**25, 6
"""Steps that the solver may look for a return of one filing status, and how often it begins elsewhere."""


@dataclass(frozen=True)
class Case:
    """One return, or two, that break a claim: the filing status, what each is given, and what the claim reads."""

    year: Year
    status: str
    given: Several
    names: tuple[Mapping[str, Any], ...]

    def files(self) -> dict[str, str]:
        """The taxpayer file and the ledger of each return, by name."""
        marks_ = [""] if len(self.given) == 1 else ["_before", "_after"]
        rows, found = rows_of([self.year]), dict[str, str]()
        for mark, given in zip(marks_, self.given, strict=True):
            found |= files_of(self.year, self.status, given, rows, mark)
        return found

    def text(self) -> Iterator[str]:
        """The returns as a person reads them."""
        for names in self.names:
            yield "  " + ", ".join(f"{name} {value:,}" for name, value in names.items())
        for name, text in self.files().items():
            yield f"  {name}:"
            yield from (f"    {line}" for line in text.splitlines())


def case_of(year: Year, claim: Claim) -> Case | None:
    """The smallest return found that breaks a claim as `lotlaw file` works it out; None if none was found.

    A claim about a function of the rules is of no return.
    """
    if year.forms[claim.form].document.value.get("functions"):
        return None
    statuses = [status for status in year.statuses if status not in year.same_as]
    # What the solver gives depends on where it begins, and not all of it breaks the claim to the cent.
    for seed, status in product(range(TRIES), statuses):
        found = _model(year, claim, status, seed)
        breaks = partial(_breaks, year, claim, status)
        if found and breaks(found):
            small = smaller(found, breaks, together=claim.moves)
            return Case(year, status, small, _names(year, claim, status, small))
    return None


def _model(year: Year, claim: Claim, status: str, seed: int) -> Several | None:
    """What the solver gives returns so that they break a claim, in whole dollars."""
    logic, apart = Logic(DOLLARS), claim.apart(year)
    amounts, rows = Amounts(year, logic, status), rows_of([year])
    scenes = [
        Scene(year, World(logic, rows, mark), amounts, claim.goal(year), apart=apart, exact=True)
        for mark in marks(claim)
    ]
    solver = z3.SimpleSolver()
    solver.set("rlimit", PATIENCE)
    solver.set("random_seed", seed)
    solver.add(broken(claim, logic, names_in(claim, scenes), scenes[0].sheet.functions))
    worlds = [scene.world for scene in scenes]
    if claim.moves:
        solver.add(*moved(claim, *worlds))
    for world in worlds:
        solver.add(*world.bounds, *readable(world))
    solver.add(*known_facts(amounts, scenes))
    if solver.check() != z3.sat:
        return None
    return tuple(given_by(solver.model(), world) for world in worlds)


class _Exactly:
    """The exact reading of two returns at once."""

    def __init__(self) -> None:
        both = Logic(None).twice
        self.both = both
        self.functions = {**{name: both(function) for name, function in exact.functions.items()}, RISE: _rise}

    def __getattr__(self, name: str) -> Any:
        act = getattr(exact, name)
        if name in ("all_of", "any_of"):
            return lambda flags: self.both(lambda *each: act(list(each)))(*flags)
        return act if name == "const" else self.both(act)


def _rise(value: Any) -> Any:
    return value.after - value.before if isinstance(value, Twice) else exact.ZERO


def _names(year: Year, claim: Claim, status: str, given: Several) -> tuple[Mapping[str, Any], ...]:
    """What the formulas of a claim read of each return."""
    apart = claim.apart(year)
    forms = {name: replace(form, only_if=None) if name in apart else form for name, form in year.forms.items()}
    law, found = replace(year, forms=forms), []
    for said in given:
        names = work_out(law, status, facts_of(year, said, rows_of([year]))).names
        own = {name: names[claim.form].get(name) for name in sorted(claim.names)}
        beside = {name: names[line.form][line.name] for name, line in claim.lines(year).items()}
        amounts = {use: year.parameter(use, status) for use in sorted(claim.names & set(year.parameters))}
        found.append({name: value for name, value in (own | beside | amounts).items() if value is not None})
    return tuple(found)


def _breaks(year: Year, claim: Claim, status: str, given: Several) -> bool:
    """Whether returns break a claim as they are filed."""
    if not all(possible(one) for one in given):
        return False
    each = _names(year, claim, status, given)
    if any(set(names) | {ROUNDING} < claim.names for names in each):
        return False
    names = dict(each[0]) if len(each) == 1 else {name: Twice(each[0][name], each[1][name]) for name in each[0]}
    sheet = Sheet(year, exact, _Statuses(year, status), lambda *_: None)
    functions = {name: _Exactly().both(function) for name, function in sheet.functions.items()}
    reader = Reader(_Exactly(), {**names, ROUNDING: Decimal(claim.rounding)}, functions)
    held = [_all(reader.read(formula)) for formula in claim.formulas]
    return all(held[:-1]) and not held[-1]


def _all(flag: Any) -> bool:
    return bool(flag.before and flag.after) if isinstance(flag, Twice) else bool(flag)


@dataclass(frozen=True)
class _Statuses:
    """The amounts of the law for functions of the rules."""

    year: Year
    status: str

    def parameter(self, name: str) -> Any:
        return exact.const(self.year.parameter(name, self.status))

    def origin(self, origin: str, unit: str) -> Any:
        raise KeyError(origin, unit)

    def typed(self, line: Any, column: str) -> Any:
        raise KeyError(line, column)

    def total(self, line: Any) -> Any:
        raise KeyError(line)
