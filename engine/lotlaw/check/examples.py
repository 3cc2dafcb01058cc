"""What is wrong with the worked examples of the rules: they do not come out as they say, or give what nothing reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from lotlaw.check.findings import Finding
from lotlaw.check.worked import (
    BOX,
    COLLECTIBLES,
    WHOLE,
    Example,
    Ran,
    conditions,
    equal,
    examples_of,
    made_in,
    run,
    whole_returns,
)  # fmt: skip
from lotlaw.formula import did_you_mean
from lotlaw.law import Form, Year
from lotlaw.rules import EXAMPLES
from lotlaw.source import Problem

EXAMPLE = "example"
_ABOUT = ("status", "filing_status")
_NUMBERS = ("money", "rate", "count", "years", "days")


def run_all(year: Year, form: Form) -> tuple[list[Problem], list[Ran]]:
    """The examples of a form that are meant for a year, worked out under its rules, and what is wrong with them."""
    problems, ran = list[Problem](), list[Ran]()
    for example in examples_of(year, form):
        unknown = [*_unknown(form, example), *_misfits(year, form, example)]
        if not unknown:
            ran.append(run(year, example))
            unknown = list(differences(ran[-1]))
        problems += unknown
    return problems, ran


def return_problems(year: Year) -> Iterator[Problem]:
    """What is wrong in examples.yaml besides the examples of forms: whole returns, and forms that do not exist."""
    document = year.documents.get(EXAMPLES)
    if document is None:
        return
    for name in document.value:
        if name not in (*year.forms, WHOLE):
            said = f"examples of '{name}', which is no form of {year.year}{did_you_mean(name, (*year.forms, WHOLE))}"
            yield Problem(document.key(name), said, EXAMPLE)
    for example in whole_returns(year):
        unknown = list(_unknown_of_a_return(year, example))
        yield from unknown or differences(run(year, example))


def differences(ran: Ran) -> Iterator[Problem]:
    """Where an example does not come out as it says."""
    example = ran.example
    for form, line, expected in example.expected():
        got = ran.found.get((form, line))
        if not equal(got, expected):
            key = line if example.form or not form else f"{form}.{line}"
            said = f"example '{example.name}': line {key} should be {_said(expected)} and is {_said(got)}"
            yield Problem(example.place("expect", key), said, EXAMPLE)


def side_findings(form: Form, ran: Sequence[Ran]) -> Iterator[Finding]:
    """Conditions that every example meets, or none: nothing shows what the other side does."""
    seen = {(place, held) for example in ran for place, held in example.held.items()}
    for condition, owner, what in conditions(form):
        for side, word in ((True, "holds"), (False, "does not hold")):
            if (condition.place, side) not in seen:
                said = f"{what}: no example in which `{condition.text.strip()}` {word}"
                yield Finding("sides", form.document, owner, condition.place, said)


# What is wrong with an example


def _unknown(form: Form, example: Example) -> Iterator[Problem]:
    lines = {line.name for line in form.lines.values() if line.from_outside}
    made = made_in(form)
    known = {*form.inputs, *lines, *_ABOUT, *(argument for function in made.values() for argument in function["args"])}
    place = example.place()
    for name in example.said["given"]:
        if name not in known and not name.startswith(BOX):
            hint = did_you_mean(name, known)
            said = f"example '{example.name}' gives '{name}', which the form does not read{hint}"
            yield Problem(place, said, EXAMPLE)
    for line in example.said["expect"]:
        if line not in form.lines and line not in made:
            said = f"example '{example.name}' expects line {line}, which the form does not have"
            yield Problem(place, said, EXAMPLE)


def _unknown_of_a_return(year: Year, example: Example) -> Iterator[Problem]:
    boxes = year.documents["form_8949"].value["boxes"]
    forms = year.forms.values()
    known = {
        *_ABOUT, *(mark + box for box in boxes for mark in (BOX, COLLECTIBLES)),
        *(source.origin for form in forms for source in form.inputs.values()),
        *(f"{form.name}.{line.id}" for form in forms for line in form.lines.values() if line.kind == "input"),
    }  # fmt: skip
    lines = {f"{form.name}.{id_}" for form in forms for id_ in form.lines} | {*year.documents["year"].value["results"]}
    for key, there, word in (("given", known, "gives"), ("expect", lines, "expects")):
        for name in example.said[key]:
            if name not in there:
                said = f"example '{example.name}' {word} '{name}', which a return of {year.year} does not have"
                yield Problem(example.place(key, name), said + did_you_mean(name, there), EXAMPLE)
    yield from _no_status(year, example, "status")
    units = {source.origin: source.unit for form in forms for source in form.inputs.values()}
    yield from _no_numbers(example, units)


def _misfits(year: Year, form: Form, example: Example) -> Iterator[Problem]:
    """What an example gives that cannot be read as what it stands for."""
    units = {name: unit for function in made_in(form).values() for name, unit in function["args"].items()}
    units |= {name: source.unit for name, source in form.inputs.items()}
    yield from _no_status(year, example, *_ABOUT)
    yield from _no_numbers(example, units)


def _no_status(year: Year, example: Example, *keys: str) -> Iterator[Problem]:
    for name in keys:
        value = example.said["given"].get(name)
        if value is not None and value not in year.statuses:
            hint = did_you_mean(str(value), year.statuses)
            yield Problem(example.place(), f"example '{example.name}': no filing status '{value}'{hint}", EXAMPLE)


def _no_numbers(example: Example, units: Mapping[str, str]) -> Iterator[Problem]:
    for name, value in example.said["given"].items():
        amounts: Iterable[Any] = value.values() if isinstance(value, Mapping) else [value]
        if name in _ABOUT or units.get(name, "money") not in _NUMBERS:
            continue
        if not all(isinstance(n, int | Decimal) for n in amounts):
            said = f"example '{example.name}' gives {name} '{value}', which is no number"
            yield Problem(example.place(), said, EXAMPLE)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{column} {_said(amount)}" for column, amount in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "blank" if value is None else f"{value:,}" if isinstance(value, (int, Decimal)) else str(value)
