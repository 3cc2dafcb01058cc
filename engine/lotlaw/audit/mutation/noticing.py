"""Whether the worked examples of a year notice a change: only what rests on it is worked out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lotlaw.audit.coverage import examples_in_force
from lotlaw.audit.mutation.changes import Change, Key
from lotlaw.audit.mutation.tables import tables_notice
from lotlaw.check.worked import Ran, called, equal, given_names, keeper, results_in, run, supply_of
from lotlaw.claims import plain_claims
from lotlaw.formula import Formula
from lotlaw.law import Form, Line, Year, reads
from lotlaw.readings import exact
from lotlaw.sheet import Sheet


@dataclass(frozen=True)
class Trial:
    """An example as the year stands: its answers, what its forms' formulas read, and the claims that hold of it."""

    ran: Ran
    supply: Any
    claims: Mapping[str, tuple[Formula, ...]]

    @property
    def form(self) -> str:
        return self.ran.example.form


@dataclass
class Bench:
    """A year's examples worked out once, to be asked about changes."""

    year: Year
    trials: list[Trial] = field(init=False)

    def __post_init__(self) -> None:
        self.trials = [self._trial(run(self.year, example)) for example in examples_in_force(self.year)]

    def _trial(self, ran: Ran) -> Trial:
        names = [ran.example.form] if ran.example.form else [form for form, _ in ran.found if form]
        claims = {name: tuple(self._holding(ran.sheet, self.year.forms[name])) for name in dict.fromkeys(names)}
        return Trial(ran, supply_of(self.year, ran.example), claims)

    def _holding(self, sheet: Sheet, form: Form) -> Iterator[Formula]:
        """The claims of a form that hold of an example; rounded lines may break one that is true of exact ones."""
        for claim in plain_claims(form):
            if all(sheet.read(form, formula) for formula in claim.formulas):
                yield claim.always

    def notices(self, change: Change) -> bool:
        """Whether an example or a claim of the rules fails when the change is made."""
        lines = self.lines_of(change)
        if change.tables and tables_notice(change.year):
            return True
        own = {form for form, _ in lines}
        trials = sorted(self.trials, key=lambda trial: trial.form not in own)
        return any(_fails(trial, change, lines) for trial in trials)

    def lines_of(self, change: Change) -> frozenset[Key]:
        """The lines that read differently themselves: those changed, and those that read a changed number."""
        if not change.names:
            return change.lines
        names = {*change.names, *(f.name for f in self.year.functions.values() if change.names & {*f.uses, f.name})}
        found = set(change.lines)
        for form in self.year.forms.values():
            for line in form.lines.values():
                own = [line.formula, line.only_if, *line.skips, form.only_if]
                if any(names & (formula.names | formula.calls) for formula in own if formula):
                    found.add((form.name, line.id))
        return frozenset(found)


def _fails(trial: Trial, change: Change, lines: frozenset[Key]) -> bool:
    """Work out again what rests on a change, line by line, as far as anything comes out otherwise."""
    year, example = change.year, trial.ran.example
    forms = {example.form} if example.form else set(year.forms)
    if example.form and not ({form for form, _ in lines} & forms or change.names & _called_names(trial, year)):
        return False
    found = dict(trial.ran.found)
    names = {name: _kept(trial, year.forms[name]) for name in forms if name in trial.ran.sheet.names}
    sheet = Sheet(
        year, exact, replace(trial.supply, year=year), keeper(found), trial.ran.sheet.cents, names=names
    )  # fmt: skip
    moved: set[Key] = set()
    for line in year.order:
        key = line.form, line.id
        if line.form in forms and (key in lines or _rests(year, line, moved)):
            before = trial.ran.found.get(key)
            found.pop(key, None)
            sheet.fill((line,))
            if found.get(key) != before or names[line.form][line.name] != trial.ran.sheet.names[line.form][line.name]:
                moved.add(key)
    found |= called(year, sheet, example) if example.form else results_in(year, sheet)
    return _said_otherwise(trial, found) or _claim_broken(trial, sheet, {form for form, _ in moved})


def _called_names(trial: Trial, year: Year) -> set[str]:
    """The functions that an example expects something of, and the numbers that they use."""
    names = {line for _, line, _ in trial.ran.example.expected() if line in year.functions}
    return names | {use for name in names for use in year.functions[name].uses}


def _kept(trial: Trial, form: Form) -> dict[str, Any]:
    """What formulas of a form read as it was worked out: its lines, and of an example of the form what it gives."""
    known = trial.ran.sheet.names[form.name]
    kept = {name: value for name, value in known.items() if name in form.by_name}
    return {**kept, **given_names(form, trial.ran.example)} if trial.form else kept


def _rests(year: Year, line: Line, moved: set[Key]) -> bool:
    return bool(moved) and any(
        (other.form, other.id) in moved for other in reads(year.forms[line.form], line, year.forms)
    )


def _said_otherwise(trial: Trial, found: Mapping[Key, Any]) -> bool:
    return any(not equal(found.get((form, line)), want) for form, line, want in trial.ran.example.expected())


def _claim_broken(trial: Trial, sheet: Sheet, forms: Iterable[str]) -> bool:
    year = sheet.year
    return any(not sheet.read(year.forms[name], claim) for name in forms for claim in trial.claims.get(name, ()))
