"""What the pages of a rulebook call things, and where they link to: pieces of text, some of them links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from lotlaw.audit.book.glossary import plain
from lotlaw.audit.show import said_value
from lotlaw.claims import ROUNDING, Claim
from lotlaw.formula import Formula, Reader
from lotlaw.law import Form, Function, Line, Parameter, Year, exported
from lotlaw.readings import words
from lotlaw.rendering.saying import Speaker, Text, pieces, spoken


def line_href(line: Line) -> str:
    """The place of a line in the rulebook."""
    return f"{line.form}.html#{anchor(line)}"


def anchor(line: Line) -> str:
    """The name of a line on its page."""
    return f"line-{line.id}"


def line_said(form: Form, line: Line, here: str) -> str:
    """What a line is called on the page of a form (`here`): by its number, or by its label where it has none."""
    said = f"line {number(line)}" if number(line) else f"“{line.label}”"
    return said if line.form == here else f"{short_title(form.title)}, {said}"


def number(line: Line) -> str:
    """The number of a line: its own, else that under which the form prints it; empty for none."""
    if line.id[0].isdigit():
        return line.id
    printed = line.on_form.removeprefix("line ")
    return printed if printed[:1].isdigit() else ""


def short_title(title: str) -> str:
    """The title of a form without what it is about: `Schedule D`."""
    return title.partition(",")[0].partition(" (")[0]


def speaker(year: Year, form: Form) -> Speaker:
    """Says the formulas of a form in words, with links into the rulebook."""
    return Speaker(year, form, partial(_href, year, form))


def claim_speaker(year: Year, form: Form, claim: Claim) -> Speaker:
    """Says a claim of a form in words: the lines of other forms that it names are links, too."""
    lines = claim.lines(year)
    called = {
        name: f"{short_title(year.forms[line.form].title)} line {number(line)}" if number(line) else f"“{line.label}”"
        for name, line in lines.items()
    }

    def href(name: str) -> str:
        return line_href(lines[name]) if name in lines else "" if name == ROUNDING else _href(year, form, name)

    return Speaker(year, form, href, {**called, ROUNDING: "the rounding"})


def _href(year: Year, form: Form, name: str) -> str:
    if name in form.by_name:
        return line_href(form.by_name[name])
    if name in form.inputs:
        line = next(exported(form.inputs[name], year.forms), None)
        return line_href(line) if line else f"#input-{name}"
    if name in year.functions:
        return function_href(year, name)
    return f"parameters.html#{name}"


def function_said(year: Year, function: Function) -> list[Text]:
    """A function's formula in words."""
    names = {name: words.named(name, name.replace("_", " ")) for name in (*function.arguments, *function.uses)}
    phrase = Reader(words, names, spoken(year)).read(function.formula)
    return pieces(phrase, lambda name: "" if name in function.arguments else f"parameters.html#{name}")


def amounts_read(year: Year, formulas: Iterable[Formula]) -> list[list[Text]]:
    """The parameters that formulas read and what they say in the year, each with a link."""
    names = dict.fromkeys(name for formula in formulas for name in sorted(formula.names) if name in year.parameters)
    said = ((name, value_said(year, year.parameters[name])) for name in names)
    return [[Text(plain(name).lower(), f"parameters.html#{name}"), Text(f": {text}")] for name, text in said if text]


def value_said(year: Year, parameter: Parameter) -> str:
    """A parameter's value in a line, by filing status where it differs; empty for a table."""
    if isinstance(parameter.value, list):
        return ""
    if not isinstance(parameter.value, Mapping):
        return with_unit(parameter.value, parameter.unit)
    each = ((status, value) for status, value in parameter.value.items() if status not in year.same_as)
    return ", ".join(f"{year.statuses[status]} {said_value(value, parameter.unit)}" for status, value in each)


def with_unit(value: Any, unit: str) -> str:
    """A value with what it counts, where it counts something: 1 year, 30 days."""
    said = said_value(value, unit)
    return f"{said} {unit.removesuffix('s') if value == 1 else unit}" if unit in ("years", "days") else said


def function_href(year: Year, name: str) -> str:
    """The place of a function in the rulebook: on the page of the file that it stands in."""
    file = year.functions[name].formula.place.file
    form = next((form.name for form in year.forms.values() if form.document.file == file), "index")
    return f"{form}.html#function-{name}"


def listed(links: Iterable[Text]) -> list[Text]:
    """Links with commas between them."""
    found: list[Text] = []
    for link in links:
        found += [Text(", "), link] if found else [link]
    return found


@dataclass(frozen=True)
class Readers:
    """Who reads what in a year: lines by line, lines and functions by parameter."""

    year: Year

    @cached_property
    def of_lines(self) -> Mapping[tuple[str, str], list[Line]]:
        """The lines whose own formulas read a line."""
        found: dict[tuple[str, str], list[Line]] = {}
        for line in self._lines():
            for other in read_by(self.year, line):
                found.setdefault((other.form, other.id), []).append(line)
        return found

    def links_to(self, line: Line) -> list[Text]:
        """What reads a line, as links: lines of its own form first, then others, and what is needed by its amount."""
        found = sorted(self.of_lines.get((line.form, line.id), ()), key=lambda other: other.form != line.form)
        needed = [
            Text(f"whether {form.title} is needed", f"{form.name}.html")
            for form in self.year.forms.values()
            if form.only_if and line in _named(self.year, form, [form.only_if])
        ]
        return listed([*(self.link(other, line.form) for other in found), *needed])

    def link(self, line: Line, here: str) -> Text:
        """A line as a link from the page of a form."""
        return Text(line_said(self.year.forms[line.form], line, here), line_href(line))

    def links_to_function(self, name: str) -> list[Text]:
        """The lines that call a function, as links."""
        return listed(self.link(line, "") for line in self._lines() if any(name in f.names for f in _own(line)))

    def of_parameter(self, name: str) -> list[Text]:
        """The lines and functions that read a parameter, as links."""
        reading = (line for line in self._lines() if any(name in formula.names for formula in _own(line)))
        lines = [self.link(line, "") for line in reading]
        functions = [
            Text(function.name.replace("_", " "), function_href(self.year, function.name))
            for function in self.year.functions.values()
            if name in function.formula.names
        ]
        conditions = [
            Text(form.title, f"{form.name}.html")
            for form in self.year.forms.values()
            if form.only_if and name in form.only_if.names
        ]
        tables = [
            Text(str(document.value.get("title", file)), f"{file}.html")
            for file, document in self.year.documents.items()
            if file not in self.year.forms and name in (document.value.get("uses") or ())
        ]
        return listed([*lines, *functions, *conditions, *tables])

    def _lines(self) -> Iterator[Line]:
        for form in self.year.forms.values():
            yield from form.lines.values()


def read_by(year: Year, line: Line) -> list[Line]:
    """The lines that a line's own formulas read, each once."""
    return _named(year, year.forms[line.form], _own(line))


def _own(line: Line) -> list[Formula]:
    return [formula for formula in (line.formula, line.only_if, *line.skips) if formula]


def _named(year: Year, form: Form, formulas: Iterable[Formula]) -> list[Line]:
    """The lines that formulas of a form name, or that its inputs stand for."""
    found: dict[tuple[str, str], Line] = {}
    for name in sorted({name for formula in formulas for name in formula.names}):
        lines = [form.by_name[name]] if name in form.by_name else []
        lines = lines or list(exported(form.inputs[name], year.forms) if name in form.inputs else ())
        found |= {(line.form, line.id): line for line in lines}
    return list(found.values())
