"""The worked examples of the rules, and what the rules come to for what they give.

An example is of one form, whose inputs it gives by name, or of a whole return: what the taxpayer gives, and boxes. It
stands in the form's own file, for the year that the file was written for, or in the year's `examples.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotlaw.answers import Answer, Facts, Given, Total, matches
from lotlaw.formula import Formula, Reader, parse
from lotlaw.law import Form, Line, Year
from lotlaw.readings import exact
from lotlaw.rules import EXAMPLES
from lotlaw.sheet import Keep, Sheet, Supply
from lotlaw.source import Document, Path_, Place

WHOLE = "returns"
"""The key of examples.yaml under which whole returns stand."""
BOX, COLLECTIBLES = "box_", "collectibles_"


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
        """By form and line, what it must say; of a whole return without a form, a result of year.yaml."""
        for key, value in self.said["expect"].items():
            form, _, line = (self.form, "", key) if self.form else key.rpartition(".")
            yield form, line, value


@dataclass(frozen=True)
class Ran:
    """An example worked out: its lines that are not blank (of a whole return, its results), which conditions held.

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


def run_example(year: Year, form: Form, example: Mapping[str, Any]) -> dict[str, Answer]:
    """The form's lines for what an example gives, everything else zero or no. Blank lines are absent."""
    ran = run(year, Example(form.name, example, form.document, ("examples",)))
    return {line: answer for (_, line), answer in ran.found.items()}


def run(
    year: Year,
    example: Example,
    reader: Callable[..., Reader] = Reader,
    finished: Callable[[Line, Any], None] | None = None,
) -> Ran:
    """Work an example out under a year's rules; `reader` reads the formulas, `finished` is told of each line."""
    found: dict[tuple[str, str], Any] = {}
    cents = bool(example.said.get("cents"))
    sheet = Sheet(year, exact, supply_of(year, example), keeper(found, finished), cents, reader=reader)
    if not example.form:
        sheet.fill(year.order)
        return Ran(example, found | results_in(year, sheet), {}, sheet)
    form = year.forms[example.form]
    sheet.names[form.name] = given_names(form, example)
    sheet.fill(tuple(line for line in year.order if line.form == form.name))
    found |= called(year, sheet, example)
    return Ran(example, found, dict(_held(form, sheet)), sheet)


def keeper(found: dict[tuple[str, str], Any], finished: Callable[[Line, Any], None] | None = None) -> Keep:
    """Keeps answers that are not blank in `found`; what is blank reads as zero, or no."""

    def keep(line: Line, column: str, value: Any, present: Any) -> Any:
        if finished:
            finished(line, present)
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
    given, made = example.said["given"], made_in(year.forms[example.form])
    wanted = [name for name in example.said["expect"] if name in made and set(made[name]["args"]) <= set(given)]
    return {
        (example.form, name): sheet.functions[name](*(exact.const(given[value]) for value in made[name]["args"]))
        for name in wanted
    }


def results_in(year: Year, sheet: Sheet) -> dict[tuple[str, str], Answer]:
    """What a whole return comes to, by the results of year.yaml; 0 where the line is blank."""
    found = {}
    for name, where in year.documents["year"].value["results"].items():
        form, _, export = where.partition(".")
        line = year.forms[form].lines[year.forms[form].exports[export]]
        found["", name] = sheet.names[form][line.name]
    return found


def made_in(form: Form) -> Mapping[str, Any]:
    """The functions that stand in a form's file."""
    return form.document.value.get("functions") or {}


def _held(form: Form, sheet: Sheet) -> Iterator[tuple[Place, bool]]:
    """The conditions of a form, and whether they held; of a form that is left out, no more than that it is."""
    for condition, *_ in conditions(form):
        held = sheet.read(form, condition)
        yield condition.place, held
        if condition is form.only_if and not held:
            return


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
        Total({"box": box, "part": boxes[box]["part"], "collectible": mark == COLLECTIBLES}, _columns(year, value))
        for name, value in given.items()
        for mark in (BOX, COLLECTIBLES)
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
        boxes = {name.removeprefix(BOX): value for name, value in self.given.items() if name.startswith(BOX)}
        chosen = [value for box, value in boxes.items() if matches(line.total_of, {"box": box})]
        return {c: sum((_part(value, c, letters) for value in chosen), exact.ZERO) for c in letters}, bool(chosen)


def _part(value: Any, column: str, letters: tuple[str, ...]) -> Decimal:
    if isinstance(value, Mapping):
        return Decimal(value.get(column, 0))
    return Decimal(value) if column in (letters[0], letters[-1]) else exact.ZERO


def equal(got: Any, expected: Any) -> bool:
    """Whether a line says what is expected of it: of columns the last, where one amount is."""
    if expected == "blank":
        return got is None
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(got.get(column) == value for column, value in expected.items())
    if isinstance(got, Mapping):
        return bool(list(got.values())[-1] == expected)
    return bool(got is not None and got == expected and isinstance(got, bool) == isinstance(expected, bool))
