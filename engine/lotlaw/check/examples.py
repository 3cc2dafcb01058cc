"""Run the examples that stand inside rule files: what is given, and what the lines must say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotlaw.answers import Answer, matches
from lotlaw.check.findings import Finding
from lotlaw.formula import Formula, did_you_mean
from lotlaw.law import Form, Line, Year
from lotlaw.readings import exact
from lotlaw.sheet import Sheet
from lotlaw.source import Path_, Place, Problem

EXAMPLE = "example"
_ABOUT = ("status", "filing_status")
_NUMBERS = ("money", "rate", "count", "years", "days")


@dataclass(frozen=True)
class Ran:
    """An example worked out: its number in the file, the lines that are not blank, and which conditions held.

    `held` says of each condition, by its place, whether it held.
    """

    number: int
    answers: dict[str, Answer]
    held: dict[Place, bool]


def run_all(year: Year, form: Form) -> tuple[list[Problem], list[Ran]]:
    """The examples of a form that are meant for a year, worked out under its rules, and what is wrong with them."""
    problems, ran = list[Problem](), list[Ran]()
    for n, example in enumerate(form.examples):
        if example.get("year", year.origins[form.name]) != year.year:
            continue
        place = form.document.place("examples", n)
        unknown = [*_unknown(form, example, place), *_misfits(year, form, example, place)]
        if not unknown:
            sheet, answers = _work(year, form, example)
            ran.append(Ran(n, answers, dict(_held(form, sheet))))
        problems += unknown or _differences(form, example, ran[-1])
    return problems, ran


def _differences(form: Form, example: Mapping[str, Any], ran: Ran) -> Iterator[Problem]:
    for line, expected in example["expect"].items():
        got = ran.answers.get(line)
        if not _equal(got, expected):
            place = form.document.place("examples", ran.number, "expect", line)
            said = f"example '{example['name']}': line {line} should be {_said(expected)} and is {_said(got)}"
            yield Problem(place, said, EXAMPLE)


def _held(form: Form, sheet: Sheet) -> Iterator[tuple[Place, bool]]:
    """The conditions of a form, and whether they held; of a form that is left out, no more than that it is."""
    for condition, *_ in _conditions(form):
        held = sheet.read(form, condition)
        yield condition.place, held
        if condition is form.only_if and not held:
            return


def side_findings(form: Form, ran: Sequence[Ran]) -> Iterator[Finding]:
    """Conditions that every example meets, or none: nothing shows what the other side does."""
    seen = {(place, held) for example in ran for place, held in example.held.items()}
    for condition, owner, what in _conditions(form):
        for side, word in ((True, "holds"), (False, "does not hold")):
            if (condition.place, side) not in seen:
                said = f"{what}: no example in which `{condition.text.strip()}` {word}"
                yield Finding("sides", form.document, owner, condition.place, said)


def _conditions(form: Form) -> Iterator[tuple[Formula, Path_, str]]:
    """What decides whether a form, a line or some lines are blank; where it may be waived, and what it is about."""
    if form.only_if:
        yield form.only_if, (), "the form"
    for line in form.lines.values():
        if line.only_if:
            yield line.only_if, ("lines", line.id), f"line {line.id}"
    yield from ((skip, (), "a skip") for skip in form.skips)


def run_example(year: Year, form: Form, example: Mapping[str, Any]) -> dict[str, Answer]:
    """The form's lines for what an example gives, everything else zero or no. Blank lines are absent."""
    return _work(year, form, example)[1]


def _work(year: Year, form: Form, example: Mapping[str, Any]) -> tuple[Sheet, dict[str, Answer]]:
    given = example["given"]
    found: dict[str, Any] = {}

    def keep(line: Line, column: str, value: Any, present: Any) -> Any:
        if present is not None and not present:
            return False if line.unit == "flag" else exact.ZERO
        if column:
            found.setdefault(line.id, {})[column] = value
        else:
            found[line.id] = value
        return value

    status = given.get("status", next(iter(year.statuses)))
    sheet = Sheet(year, exact, _Given(year, status, given), keep, bool(example.get("cents")))
    names = sheet.names.setdefault(form.name, {})
    for name, source in form.inputs.items():
        blank = False if source.unit == "flag" else 0
        names[name] = exact.const(given.get(name, blank))
    sheet.fill(tuple(line for line in year.order if line.form == form.name))
    return sheet, found | _called(year, sheet, form, example)


def _called(year: Year, sheet: Sheet, form: Form, example: Mapping[str, Any]) -> dict[str, Answer]:
    """The functions of the file that the example expects something of, called with what it gives."""
    made = form.document.value.get("functions") or {}
    given = example["given"]
    wanted = [name for name in example["expect"] if name in made and set(year.functions[name].arguments) <= set(given)]
    return {
        name: sheet.functions[name](*(exact.const(given[argument]) for argument in year.functions[name].arguments))
        for name in wanted
    }


@dataclass(frozen=True)
class _Given:
    """Typed lines as `line4: 100`, totals as `box_A: -5_000` (the last column) or `box_A: {d: 1, e: 2}`."""

    year: Year
    status: str
    given: Mapping[str, Any]

    def parameter(self, name: str) -> Any:
        return exact.const(self.year.parameter(name, self.status))

    def origin(self, origin: str, unit: str) -> Any:
        return self.given.get(origin, False if unit == "flag" else exact.ZERO)

    def typed(self, line: Line, column: str) -> tuple[Decimal, bool]:
        value = self.given.get(line.name, 0)
        amount = Decimal(value.get(column, 0) if isinstance(value, Mapping) else value)
        return amount, amount != 0

    def total(self, line: Line) -> tuple[Mapping[str, Decimal], bool]:
        letters = line.columns or (line.total_of["column"],)
        if "boxes" not in line.total_of:
            amount = Decimal(self.given.get(line.name, 0))
            return dict.fromkeys(letters, amount), line.name in self.given
        boxes = {name.removeprefix("box_"): value for name, value in self.given.items() if name.startswith("box_")}
        chosen = [value for box, value in boxes.items() if matches(line.total_of, {"box": box})]
        return {c: sum((_part(value, c, letters) for value in chosen), exact.ZERO) for c in letters}, bool(chosen)


def _part(value: Any, column: str, letters: tuple[str, ...]) -> Decimal:
    if isinstance(value, Mapping):
        return Decimal(value.get(column, 0))
    return Decimal(value) if column in (letters[0], letters[-1]) else exact.ZERO


def _unknown(form: Form, example: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    lines = {line.name for line in form.lines.values() if line.kind in ("input", "total_of")}
    made = form.document.value.get("functions") or {}
    known = {*form.inputs, *lines, *_ABOUT, *(argument for function in made.values() for argument in function["args"])}
    for name in example["given"]:
        if name not in known and not name.startswith("box_"):
            hint = did_you_mean(name, known)
            said = f"example '{example['name']}' gives '{name}', which the form does not read{hint}"
            yield Problem(place, said, EXAMPLE)
    for line in example["expect"]:
        if line not in form.lines and line not in made:
            said = f"example '{example['name']}' expects line {line}, which the form does not have"
            yield Problem(place, said, EXAMPLE)


def _misfits(year: Year, form: Form, example: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    """What an example gives that cannot be read as what it stands for."""
    made = form.document.value.get("functions") or {}
    units = {name: unit for function in made.values() for name, unit in function["args"].items()}
    units |= {name: source.unit for name, source in form.inputs.items()}
    for name, value in example["given"].items():
        amounts = list(value.values()) if isinstance(value, Mapping) else [value]
        if name in _ABOUT:
            if value not in year.statuses:
                hint = did_you_mean(str(value), year.statuses)
                yield Problem(place, f"example '{example['name']}': no filing status '{value}'{hint}", EXAMPLE)
        elif units.get(name, "money") in _NUMBERS and not all(isinstance(n, int | Decimal) for n in amounts):
            yield Problem(place, f"example '{example['name']}' gives {name} '{value}', which is no number", EXAMPLE)


def _equal(got: Any, expected: Any) -> bool:
    if expected == "blank":
        return got is None
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(got.get(column) == value for column, value in expected.items())
    if isinstance(got, Mapping):
        return bool(list(got.values())[-1] == expected)
    return bool(got is not None and got == expected and isinstance(got, bool) == isinstance(expected, bool))


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{column} {_said(amount)}" for column, amount in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "blank" if value is None else f"{value:,}" if isinstance(value, (int, Decimal)) else str(value)
