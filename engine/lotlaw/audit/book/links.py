"""What the pages of a rulebook call things, and where they link to: pieces of text, some of them links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lotlaw.formula import Formula, Reader
from lotlaw.law import Form, Function, Line, Year, exported, names_of
from lotlaw.readings import words


@dataclass(frozen=True)
class Text:
    """A piece of text, and where it leads (empty: nowhere)."""

    text: str
    href: str = ""


def line_href(line: Line) -> str:
    """The place of a line in the rulebook."""
    return f"{line.form}.html#{anchor(line)}"


def anchor(line: Line) -> str:
    """The name of a line on its page."""
    return f"line-{line.id}"


def line_called(line: Line) -> str:
    """`line 21`, or the word of a line without a number."""
    return f"line {line.id}" if line.id[0].isdigit() else line.id.replace("_", " ")


def called(form: Form, line: Line) -> str:
    """A line of another form: `Schedule D, line 16`."""
    title = form.title.partition(",")[0].partition(" (")[0]
    return f"{title}, {line_called(line)}"


@dataclass(frozen=True)
class Speaker:
    """Says the formulas of one form in words, with links."""

    year: Year
    form: Form

    def said(self, formula: Formula, *, condition: bool = False) -> list[Text]:
        """A formula as pieces of a sentence; a condition as what must be so."""
        phrase = self._reader.read(formula)
        return pieces(words.condition(phrase) if condition else phrase, self._href)

    @cached_property
    def _reader(self) -> Reader:
        units = names_of(self.year, self.form)
        names = {name: words.named(name, self._called(name), flag=unit == "flag") for name, unit in units.items()}
        return Reader(words, names, spoken(self.year))

    def _called(self, name: str) -> str:
        form = self.form
        if name in form.by_name:
            line = form.by_name[name]
            column = name.removeprefix(line.name).removeprefix("_")
            return line_called(line) + (f" column ({column})" if column else "")
        if name in form.inputs:
            return form.inputs[name].label.rstrip("?") or name.replace("_", " ")
        return name.replace("_", " ")

    def _href(self, name: str) -> str:
        if name in self.form.by_name:
            return line_href(self.form.by_name[name])
        if name in self.form.inputs:
            line = next(exported(self.form.inputs[name], self.year.forms), None)
            return line_href(line) if line else f"#input-{name}"
        if name in self.year.functions:
            return function_href(self.year, name)
        return f"parameters.html#{name}"


def spoken(year: Year) -> dict[str, Any]:
    """The functions of rule files, in words."""
    return {name: words.function(name, len(function.arguments)) for name, function in year.functions.items()}


def function_said(year: Year, function: Function) -> list[Text]:
    """A function's formula in words."""
    names = {name: words.named(name, name.replace("_", " ")) for name in (*function.arguments, *function.uses)}
    phrase = Reader(words, names, spoken(year)).read(function.formula)
    return pieces(phrase, lambda name: "" if name in function.arguments else f"parameters.html#{name}")


def function_href(year: Year, name: str) -> str:
    """The place of a function in the rulebook: on the page of the file that it stands in."""
    file = year.functions[name].formula.place.file
    form = next((form.name for form in year.forms.values() if form.document.file == file), "index")
    return f"{form}.html#function-{name}"


def pieces(phrase: words.Phrase, href: Any) -> list[Text]:
    """A phrase as pieces, its names linked by `href`."""
    return [Text(p) if isinstance(p, str) else Text(p.said, href(p.name)) for p in phrase.pieces]


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
        said = line_called(line) if line.form == here else called(self.year.forms[line.form], line)
        return Text(said, line_href(line))

    def of_parameter(self, name: str) -> list[Text]:
        """The lines and functions that read a parameter, as links."""
        reading = (line for line in self._lines() if any(name in formula.names for formula in _own(line)))
        lines = [Text(called(self.year.forms[line.form], line), line_href(line)) for line in reading]
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
