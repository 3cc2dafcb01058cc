"""A return that breaks a claim, as files that `lotlaw file` takes: found by the solver, worked out, made small."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Any

import z3

from lotlaw.answers import Facts, Total, work_out
from lotlaw.audit.prove.claims import broken, moved, names_in
from lotlaw.audit.prove.scene import Amounts, Scene
from lotlaw.audit.prove.solving import known_facts, marks
from lotlaw.audit.prove.world import FORM, Row, World, columns_of, rows_of
from lotlaw.claims import RISE, ROUNDING, Claim
from lotlaw.formula import Reader
from lotlaw.law import Year
from lotlaw.readings import exact
from lotlaw.readings.logic import Logic, Twice
from lotlaw.sheet import Sheet
from lotlaw.taxpayer import PART_OF

PATIENCE, TRIES = 5_000, 6
"""Milliseconds that the solver may look for a return of one filing status, and how often it begins elsewhere."""
LARGEST = 2**20
"""Dollars that amounts of a case may have, so that it can be read."""
LEDGER = (
    "time", "kind", "asset", "asset_class", "quantity", "amount", "acquired", "basis", "form_1099", "codes",
    "adjustment", "term",
)  # fmt: skip

Given = dict[str, Any]
"""What a return is given, by the names of a world: dollars, and yes or no."""


@dataclass(frozen=True)
class Case:
    """One return, or two, that break a claim: the filing status, what each is given, and what the claim reads."""

    year: Year
    status: str
    given: tuple[Given, ...]
    names: tuple[Mapping[str, Any], ...]

    def files(self) -> dict[str, str]:
        """The taxpayer file and the ledger of each return, by name."""
        marks_ = [""] if len(self.given) == 1 else ["_before", "_after"]
        found = {}
        for mark, given in zip(marks_, self.given, strict=True):
            found[f"taxpayer{mark}.yaml"] = "".join(_taxpayer(self.status, given))
            found[f"ledger{mark}.csv"] = _ledger(self.year, given)
        return found


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
        if found and _breaks(year, claim, status, found):
            small = _smaller(year, claim, status, found)
            return Case(year, status, small, _names(year, claim, status, small))
    return None


def _model(year: Year, claim: Claim, status: str, seed: int) -> tuple[Given, ...] | None:
    """What the solver gives returns so that they break a claim, in whole dollars."""
    logic, apart = Logic(rounded=True), frozenset(line.form for line in claim.lines(year).values())
    amounts, rows = Amounts(year, logic, status), rows_of([year])
    scenes = [
        Scene(year, World(logic, rows, mark), amounts, claim.goal(year), apart=apart, exact=True)
        for mark in marks(claim)
    ]
    solver = z3.SimpleSolver()
    solver.set("timeout", PATIENCE)
    solver.set("random_seed", seed)
    solver.add(broken(claim, logic, names_in(claim, scenes), scenes[0].sheet.functions))
    worlds = [scene.world for scene in scenes]
    if claim.moves:
        solver.add(*moved(claim, *worlds))
    for world in worlds:
        solver.add(*world.bounds, *_readable(world))
    solver.add(*known_facts(amounts, scenes))
    if solver.check() != z3.sat:
        return None
    return tuple(_given(solver.model(), world) for world in worlds)


def _readable(world: World) -> Iterator[Any]:
    """That amounts are no larger than need be, and that sales can be written as rows of a ledger."""
    for name, amount in world.amounts.items():
        yield from (amount.term <= LARGEST, amount.term >= -LARGEST)
        if name.startswith(f"{FORM}.") and not name.endswith(".g"):
            yield amount.term >= 0
    if "ledger.counted_income" in world.amounts:
        yield world.amounts["ledger.counted_income"].term == 0


def _given(model: Any, world: World) -> Given:
    found: Given = {}
    for name, amount in world.amounts.items():
        value = model.eval(amount.term, model_completion=True).as_fraction()
        found[name] = exact.whole_dollars(Decimal(value.numerator) / Decimal(value.denominator))
    return found | {name: z3.is_true(model.eval(flag)) for name, flag in world.flags.items()}


def _facts(year: Year, given: Given) -> Facts:
    """What a return is worked out from."""
    outside = {name: value for name, value in given.items() if name.startswith(("taxpayer.", "ledger."))}
    typed: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        form, _, line = name.partition(".")
        if form in year.forms:
            id_, _, column = line.partition(".")
            place = typed.setdefault(form, {})
            place[id_] = {**place.get(id_, {}), column: value} if column else value
    totals = [Total(row.group(year) or {}, sums) for row, sums in _rows(year, given)]
    return Facts(outside | {"ledger.dispositions": bool(totals)}, typed, totals)


def _rows(year: Year, given: Given) -> Iterator[tuple[Row, dict[str, Decimal]]]:
    """The rows that there are, with their sums by column."""
    for row in rows_of([year]):
        if given.get(f"{FORM}.{row.name}"):
            sums = {c: Decimal(given.get(f"{FORM}.{row.name}.{c}", 0)) for c in columns_of(year)}
            shown = {said["shows"]: letter for letter, said in columns_of(year).items()}
            gain = sums[shown["proceeds"]] - sums[shown["basis"]] + sums[shown["adjustment"]]
            yield row, sums | {shown["gain"]: gain}


class _Exactly:
    """The exact reading of two returns at once."""

    def __init__(self) -> None:
        both = Logic(rounded=False).twice
        self.both = both
        self.functions = {**{name: both(function) for name, function in exact.functions.items()}, RISE: _rise}

    def __getattr__(self, name: str) -> Any:
        act = getattr(exact, name)
        if name in ("all_of", "any_of"):
            return lambda flags: self.both(lambda *each: act(list(each)))(*flags)
        return act if name == "const" else self.both(act)


def _rise(value: Any) -> Any:
    return value.after - value.before if isinstance(value, Twice) else exact.ZERO


def _names(year: Year, claim: Claim, status: str, given: Sequence[Given]) -> tuple[Mapping[str, Any], ...]:
    """What the formulas of a claim read of each return."""
    apart = {line.form for line in claim.lines(year).values()}
    forms = {name: replace(form, only_if=None) if name in apart else form for name, form in year.forms.items()}
    law, found = replace(year, forms=forms), []
    for said in given:
        names = work_out(law, status, _facts(year, said)).names
        own = {name: names[claim.form].get(name) for name in sorted(claim.names)}
        beside = {name: names[line.form][line.name] for name, line in claim.lines(year).items()}
        amounts = {use: year.parameter(use, status) for use in sorted(claim.names & set(year.parameters))}
        found.append({name: value for name, value in (own | beside | amounts).items() if value is not None})
    return tuple(found)


def _breaks(year: Year, claim: Claim, status: str, given: Sequence[Given]) -> bool:
    """Whether returns break a claim as they are filed."""
    if not all(_possible(one) for one in given):
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


def _possible(given: Given) -> bool:
    """Whether a taxpayer file may say it: a part is no more than the whole."""
    income = dict(_under(given, "taxpayer.income."))
    return all(income.get(part, 0) <= income.get(whole, 0) for part, whole in PART_OF.items() if part in income)


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


def _smaller(year: Year, claim: Claim, status: str, given: tuple[Given, ...]) -> tuple[Given, ...]:
    """The same with everything that does not matter left out, and round amounts where they do as well."""
    names = sorted(given[0], key=lambda name: not name.endswith(".g"))
    sets = [range(len(given))] if claim.moves else [range(n, n + 1) for n in range(len(given))]
    for name in (*names, *names):
        for chosen in sets:
            if len({one[name] for one in (given[n] for n in chosen)}) == 1:
                given = _simplest(year, claim, status, given, name, chosen)
    return given


def _simplest(
    year: Year, claim: Claim, status: str, given: tuple[Given, ...], name: str, chosen: range
) -> tuple[Given, ...]:
    """The same with the simplest value of a name, in the returns chosen, that still breaks the claim."""
    value = given[chosen[0]].get(name, exact.ZERO)
    for simpler in _simpler(value):
        tried = tuple({**one, name: simpler} if n in chosen else one for n, one in enumerate(given))
        if simpler == value or _breaks(year, claim, status, tried):
            return tried
    return given


def _simpler(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [False]
    return [exact.ZERO, *(value.quantize(Decimal(1).scaleb(digits)).quantize(exact.DOLLAR) for digits in (5, 4, 3, 2))]


def _taxpayer(status: str, given: Given) -> Iterator[str]:
    yield f"filing_status: {status}\n"
    for group in ("income", "carryover"):
        amounts = {n: v for n, v in _under(given, f"taxpayer.{group}.") if v}
        if amounts or group == "carryover":
            yield f"{group}: {{{', '.join(f'{name}: {value}' for name, value in amounts.items())}}}\n"
    standard = given.get("taxpayer.standard_deduction", False)
    yield f"deduction: {'standard' if standard else given.get('taxpayer.deduction', 0)}\n"
    if given.get("taxpayer.aged_or_blind"):
        yield f"aged_or_blind: {given['taxpayer.aged_or_blind']}\n"
    typed: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        form, _, line = name.partition(".")
        if value and not isinstance(value, bool) and form not in ("taxpayer", "ledger", FORM):
            id_, _, column = line.partition(".")
            before = typed.setdefault(form, {}).get(id_, "")
            typed[form][id_] = f"{before}{', ' if before else ''}{column}: {value}" if column else str(value)
    if typed:
        yield "inputs:\n"
    for form, lines in typed.items():
        said = ", ".join(f'"{id_}": {f"{{{v}}}" if ":" in v else v}' for id_, v in lines.items())
        yield f"  {form}: {{{said}}}\n"


def _under(given: Given, prefix: str) -> Iterator[tuple[str, Any]]:
    yield from ((name.removeprefix(prefix), value) for name, value in given.items() if name.startswith(prefix))


def _ledger(year: Year, given: Given) -> str:
    """The sales as rows that go straight to Form 8949."""
    codes = year.documents[FORM].value["codes"]
    either = next((code for code, said in codes.items() if said["sign"] == "either"), "")
    shown = {said["shows"]: letter for letter, said in columns_of(year).items()}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LEDGER)
    for number, (row, sums) in enumerate(_rows(year, given), 1):
        kind = "collectible" if row.collectible else "crypto" if row.digital else "stock"
        adjustment = sums[shown["adjustment"]]
        writer.writerow((
            f"{year.year}-06-30", "closed_lot", f"sale {number}", kind, "", sums[shown["proceeds"]], "VARIOUS",
            sums[shown["basis"]], row.form_1099, either if adjustment else "", adjustment or "", row.term,
        ))  # fmt: skip
    return out.getvalue()
