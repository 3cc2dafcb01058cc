"""Run the examples that stand inside rule files: what is given, and what the lines must say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotlaw.answers import Answer, matches
from lotlaw.formula import did_you_mean
from lotlaw.law import Form, Line, Year
from lotlaw.readings import exact
from lotlaw.sheet import Sheet
from lotlaw.source import Place, Problem

_ABOUT = ("status", "filing_status")
_NUMBERS = ("money", "rate", "count", "years", "days")


def example_problems(year: Year, form: Form) -> Iterator[Problem]:
    """The examples of a form that fail under a year's rules."""
    for n, example in enumerate(form.examples):
        if example.get("year", year.origins[form.name]) != year.year:
            continue
        place = form.document.place("examples", n)
        unknown = [*_unknown(form, example, place), *_misfits(year, form, example, place)]
        yield from unknown or _differences(year, form, example, n)


def _differences(year: Year, form: Form, example: Mapping[str, Any], n: int) -> Iterator[Problem]:
    answers = run_example(year, form, example)
    for line, expected in example["expect"].items():
        got = answers.get(line)
        if not _equal(got, expected):
            place = form.document.place("examples", n, "expect", line)
            said = f"example '{example['name']}': line {line} should be {_said(expected)} and is {_said(got)}"
            yield Problem(place, said)


def run_example(year: Year, form: Form, example: Mapping[str, Any]) -> dict[str, Answer]:
    """The form's lines for what an example gives, everything else zero or no. Blank lines are absent."""
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
    return found | _called(year, sheet, form, example)


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
            yield Problem(
                place,
                f"example '{example['name']}' gives '{name}', which the form does not read{did_you_mean(name, known)}",
            )
    for line in example["expect"]:
        if line not in form.lines and line not in made:
            yield Problem(place, f"example '{example['name']}' expects line {line}, which the form does not have")


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
                yield Problem(place, f"example '{example['name']}': no filing status '{value}'{hint}")
        elif units.get(name, "money") in _NUMBERS and not all(isinstance(n, int | Decimal) for n in amounts):
            yield Problem(place, f"example '{example['name']}' gives {name} '{value}', which is no number")


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
