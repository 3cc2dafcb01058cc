"""Run the worked examples of the rules: what is given, and what the lines must say.

An example is of one form, whose inputs it gives by name, or of a whole return: what the taxpayer gives, and boxes. It
stands in the form's own file, for the year that the file was written for, or in the year's `examples.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotlaw.answers import Answer, Facts, Given, Total, matches
from lotlaw.check.findings import Finding
from lotlaw.formula import Formula, Reader, did_you_mean, parse
from lotlaw.law import Form, Line, Year
from lotlaw.readings import exact
from lotlaw.rules import EXAMPLES
from lotlaw.sheet import Sheet, Supply
from lotlaw.source import Document, Path_, Place, Problem

EXAMPLE = "example"
WHOLE = "returns"
"""The key of examples.yaml under which whole returns stand."""
_ABOUT = ("status", "filing_status")
_BOX, _COLLECTIBLES = "box_", "collectibles_"
_NUMBERS = ("money", "rate", "count", "years", "days")


@dataclass(frozen=True)
class Example:
    """A worked example of a form (of none: of a whole return), and where it stands."""

    form: str
    said: Mapping[str, Any]
    document: Document
    path: Path_

    @property
    def name(self) -> str:
        return str(self.said["name"])

    def place(self, *path: str | int) -> Place:
        return self.document.place(*self.path, *path)

    def expected(self) -> Iterator[tuple[str, str, Any]]:
        """By form and line: what it must say."""
        for key, value in self.said["expect"].items():
            form, _, line = key.rpartition(".") if not self.form else (self.form, "", key)
            yield form, line, value


@dataclass(frozen=True)
class Ran:
    """An example worked out: the lines that are not blank by form and line, which conditions held, and its sheet.

    `held` says of each condition, by its place, whether it held.
    """

    example: Example
    found: Mapping[tuple[str, str], Answer]
    held: Mapping[Place, bool]
    sheet: Sheet


def examples_of(year: Year, form: Form) -> Iterator[Example]:
    """The examples of a form that are meant for a year: its own, if the file is, and those in its examples.yaml."""
    if year.origins[form.name] == year.year:
        yield from (Example(form.name, said, form.document, ("examples", n)) for n, said in enumerate(form.examples))
    yield from _of_the_year(year, form.name)


def whole_returns(year: Year) -> Iterator[Example]:
    """The examples of whole returns in a year's examples.yaml."""
    for example in _of_the_year(year, WHOLE):
        yield Example("", example.said, example.document, example.path)


def _of_the_year(year: Year, form: str) -> Iterator[Example]:
    document = year.documents.get(EXAMPLES)
    if document:
        yield from (Example(form, said, document, (form, n)) for n, said in enumerate(document.value.get(form, ())))


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
            key = line if example.form else f"{form}.{line}"
            said = f"example '{example.name}': line {key} should be {_said(expected)} and is {_said(got)}"
            yield Problem(example.place("expect", key), said, EXAMPLE)


def run_example(year: Year, form: Form, example: Mapping[str, Any]) -> dict[str, Answer]:
    """The form's lines for what an example gives, everything else zero or no. Blank lines are absent."""
    ran = run(year, Example(form.name, example, form.document, ("examples",)))
    return {line: answer for (_, line), answer in ran.found.items()}


def run(year: Year, example: Example, reader: Callable[..., Reader] = Reader) -> Ran:
    """Work an example out under a year's rules; `reader` reads the formulas."""
    found: dict[tuple[str, str], Any] = {}
    cents = bool(example.said.get("cents"))
    sheet = Sheet(year, exact, supply_of(year, example), keeper(found), cents, reader=reader)
    if not example.form:
        sheet.fill(year.order)
        return Ran(example, found, {}, sheet)
    form = year.forms[example.form]
    sheet.names[form.name] = given_names(form, example)
    sheet.fill(tuple(line for line in year.order if line.form == form.name))
    found |= called(year, sheet, example)
    return Ran(example, found, dict(_held(form, sheet)), sheet)


def keeper(found: dict[tuple[str, str], Any]) -> Callable[[Line, str, Any, Any], Any]:
    """Keeps answers that are not blank in `found`; what is blank reads as zero, or no."""

    def keep(line: Line, column: str, value: Any, present: Any) -> Any:
        if present is not None and not present:
            return False if line.unit == "flag" else exact.ZERO
        if column:
            found.setdefault((line.form, line.id), {})[column] = value
        else:
            found[line.form, line.id] = value
        return value

    return keep


def given_names(form: Form, example: Example) -> dict[str, Any]:
    """The inputs of a form as an example gives them, zero or no where it does not."""
    given = example.said["given"]
    return {
        name: exact.const(given.get(name, False if source.unit == "flag" else 0))
        for name, source in form.inputs.items()
    }


def called(year: Year, sheet: Sheet, example: Example) -> dict[tuple[str, str], Answer]:
    """The functions of the file that the example expects something of, called with what it gives."""
    given, made = example.said["given"], _made(year.forms[example.form])
    wanted = [name for name in example.said["expect"] if name in made and set(made[name]["args"]) <= set(given)]
    return {
        (example.form, name): sheet.functions[name](*(exact.const(given[value]) for value in made[name]["args"]))
        for name in wanted
    }


def _made(form: Form) -> Mapping[str, Any]:
    """The functions that stand in a form's file."""
    return form.document.value.get("functions") or {}


def _held(form: Form, sheet: Sheet) -> Iterator[tuple[Place, bool]]:
    """The conditions of a form, and whether they held; of a form that is left out, no more than that it is."""
    for condition, *_ in conditions(form):
        held = sheet.read(form, condition)
        yield condition.place, held
        if condition is form.only_if and not held:
            return


def side_findings(form: Form, ran: Sequence[Ran]) -> Iterator[Finding]:
    """Conditions that every example meets, or none: nothing shows what the other side does."""
    seen = {(place, held) for example in ran for place, held in example.held.items()}
    for condition, owner, what in conditions(form):
        for side, word in ((True, "holds"), (False, "does not hold")):
            if (condition.place, side) not in seen:
                said = f"{what}: no example in which `{condition.text.strip()}` {word}"
                yield Finding("sides", form.document, owner, condition.place, said)


def conditions(form: Form) -> Iterator[tuple[Formula, Path_, str]]:
    """What decides whether a form, a line or some lines are blank; where it may be waived, and what it is about."""
    if form.only_if:
        yield form.only_if, (), "the form"
    for line in form.lines.values():
        if line.only_if:
            yield line.only_if, ("lines", line.id), f"line {line.id}"
    yield from ((skip, (), "a skip") for skip in form.skips)


# What is given


def supply_of(year: Year, example: Example) -> Supply:
    """What an example gives, as a sheet asks for it."""
    given = example.said["given"]
    status = given.get("status", next(iter(year.statuses)))
    return _Given(year, status, given) if example.form else Given(year, status, _facts(year, given))


def _facts(year: Year, given: Mapping[str, Any]) -> Facts:
    """A whole return: origins by name, typed lines as `schedule_d.4`, boxes as `box_A`, collectibles in them."""
    outside = {name: value for name, value in given.items() if name.startswith(("taxpayer.", "ledger."))}
    typed: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        form, _, line = name.partition(".")
        if form in year.forms:
            typed.setdefault(form, {})[line] = value
    boxes = year.documents["form_8949"].value["boxes"]
    totals = [
        Total({"box": box, "part": boxes[box]["part"], "collectible": mark == _COLLECTIBLES}, _columns(year, value))
        for name, value in given.items()
        for mark in (_BOX, _COLLECTIBLES)
        if name.startswith(mark) and (box := name.removeprefix(mark)) in boxes
    ]
    return Facts({"ledger.dispositions": bool(totals), **outside}, typed, totals)


def _columns(year: Year, value: Mapping[str, Any]) -> dict[str, Decimal]:
    """The totals of a box from the columns that are given, the computed ones among them."""
    form = year.documents["form_8949"]
    columns = {letter: said for letter, said in form.value["columns"].items() if said.get("total")}
    sums = {letter: Decimal(value.get(letter, 0)) for letter in columns}
    for letter, said in columns.items():
        if "is" in said:
            sums[letter] = Reader(exact, sums).read(parse(said["is"], form.place("columns", letter, "is")))
    return sums


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
        boxes = {name.removeprefix(_BOX): value for name, value in self.given.items() if name.startswith(_BOX)}
        chosen = [value for box, value in boxes.items() if matches(line.total_of, {"box": box})]
        return {c: sum((_part(value, c, letters) for value in chosen), exact.ZERO) for c in letters}, bool(chosen)


def _part(value: Any, column: str, letters: tuple[str, ...]) -> Decimal:
    if isinstance(value, Mapping):
        return Decimal(value.get(column, 0))
    return Decimal(value) if column in (letters[0], letters[-1]) else exact.ZERO


# What is wrong with an example


def _unknown(form: Form, example: Example) -> Iterator[Problem]:
    lines = {line.name for line in form.lines.values() if line.from_outside}
    made = _made(form)
    known = {*form.inputs, *lines, *_ABOUT, *(argument for function in made.values() for argument in function["args"])}
    place = example.place()
    for name in example.said["given"]:
        if name not in known and not name.startswith(_BOX):
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
        *_ABOUT, *(mark + box for box in boxes for mark in (_BOX, _COLLECTIBLES)),
        *(source.origin for form in forms for source in form.inputs.values()),
        *(f"{form.name}.{line.id}" for form in forms for line in form.lines.values() if line.kind == "input"),
    }  # fmt: skip
    lines = {f"{form.name}.{id_}" for form in forms for id_ in form.lines}
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
    units = {name: unit for function in _made(form).values() for name, unit in function["args"].items()}
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


def equal(got: Any, expected: Any) -> bool:
    """Whether a line says what is expected of it: of columns the last, where one amount is."""
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
