"""What has to be impossible for a claim to hold, as terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import z3

from lotlaw.audit.prove.scene import Scene
from lotlaw.audit.prove.world import FORM, World
from lotlaw.claims import ROUNDING, Claim
from lotlaw.formula import Reader
from lotlaw.readings.logic import Logic, Scaled, Twice


class Nearly:
    """The algebra for what is to be refuted: whole dollars (or cents) that are not as many are one less at least."""

    def __init__(self, logic: Logic) -> None:
        self.logic = logic

    def __getattr__(self, name: str) -> Any:
        return getattr(self.logic, name)

    def compare(self, sign: str, a: Any, b: Any) -> Any:
        """Whether a stands to b as `sign` says, or is less than a dollar (or cent) off it."""
        return self.logic.twice(self._compared)(sign, a, b)

    def _compared(self, sign: str, a: Any, b: Any) -> Any:
        plain = self.logic.compare(sign, a, b)
        unit = self.logic.unit
        if unit is None or not isinstance(a, Scaled) or max(a.places, b.places) > unit:
            return plain
        off, one = a.term - b.term, z3.Q(1, 10**unit)
        return {"<=": off < one, ">=": off > -one, "==": z3.And(off < one, off > -one)}.get(sign, plain)


def broken(claim: Claim, logic: Logic, names: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    """That a claim does not hold, as a term: its `when` does, and its `always` does not."""
    when, always = _read(claim, logic, names, functions, Nearly(logic))
    return z3.And(when, z3.Not(always))


def held(claim: Claim, logic: Logic, names: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    """That a claim holds, as a term."""
    return z3.Implies(*_read(claim, logic, names, functions, logic))


def _read(claim: Claim, logic: Logic, names: Mapping[str, Any], functions: Mapping[str, Any], last: Any) -> list[Any]:
    units = 0 if logic.unit is None else claim.rounding
    said = {**names, ROUNDING: Scaled(z3.Q(units, 10**logic.places), logic.places)}
    when = Reader(logic, said, functions).read(claim.when) if claim.when else z3.BoolVal(True)
    return [_both(when), _both(Reader(last, said, functions).read(claim.always))]


def _both(flag: Any) -> Any:
    return z3.And(flag.before, flag.after) if isinstance(flag, Twice) else flag


def twice(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The names of two returns as one; what is the same in both, such as amounts of the law, stays one."""
    return {name: value if value is after[name] else Twice(value, after[name]) for name, value in before.items()}


def names_in(claim: Claim, scenes: list[Scene]) -> dict[str, Any]:
    """What the formulas of a claim may read."""
    found = []
    for scene in scenes:
        names = scene.names(claim.form, claim.names)
        for name, line in claim.lines(scene.year).items():
            names |= {name: scene.names(line.form, {line.name})[line.name]}
        found.append(names)
    return found[0] if len(found) == 1 else twice(*found)


def moved(claim: Claim, before: World, after: World) -> Iterator[Any]:
    """That two returns differ in what the claim says rises and falls, and in nothing else."""
    for name, amount in before.amounts.items():
        other = after.amounts[name].term
        if _said(name, claim.rises):
            yield other >= amount.term
        elif _said(name, claim.falls):
            yield other <= amount.term
        else:
            yield other == amount.term
    for name, flag in before.flags.items():
        sales = name.startswith(f"{FORM}.") and bool(claim.rises)
        yield z3.Implies(flag, after.flags[name]) if sales else after.flags[name] == flag


def _said(name: str, those: tuple[str, ...]) -> bool:
    """Whether an amount is meant: by its name, or as a column of Form 8949 (`form_8949.d`)."""
    head, _, last = name.rpartition(".")
    return name in those or (head.startswith(f"{FORM}.") and f"{FORM}.{last}" in those)
