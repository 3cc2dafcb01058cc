"""Formulas in words, as pieces of text of which some are links: what a rulebook and a report show in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lotlaw.formula import Formula, Reader
from lotlaw.law import Form, Line, Year, names_of
from lotlaw.readings import words


@dataclass(frozen=True)
class Text:
    """A piece of text, and where it leads (empty: nowhere)."""

    text: str
    href: str = ""


def line_called(line: Line) -> str:
    """`line 21`, or the word of a line without a number."""
    return f"line {line.id}" if line.id[0].isdigit() else line.id.replace("_", " ")


def called(form: Form, line: Line) -> str:
    """A line of another form: `Schedule D, line 16`."""
    title = form.title.partition(",")[0].partition(" (")[0]
    return f"{title}, {line_called(line)}"


def name_called(form: Form, name: str) -> str:
    """What a reader calls a name of a form's formulas: `line 1a column (d)`, an input's label, a parameter."""
    if name in form.by_name:
        line = form.by_name[name]
        if line.unit == "flag" and not line.id[0].isdigit():
            return f'"{line.label}"'
        column = name.removeprefix(line.name).removeprefix("_")
        return line_called(line) + (f" column ({column})" if column else "")
    if name in form.inputs:
        return _within(form.inputs[name].label) or name.replace("_", " ")
    return f"the {name.replace('_', ' ')}"


def _within(label: str) -> str:
    """A label inside a sentence: in quotes where it would break the sentence, else with a small letter."""
    if label.endswith("?") or "," in label:
        return f'"{label}"'
    second = label.partition(" ")[2]
    return label[:1].lower() + label[1:] if second[:1].islower() or not second else label


@dataclass(frozen=True)
class Speaker:
    """Says the formulas of one form in words; `href` gives the address of a name, empty for none.

    `besides`: what names are called that the form does not know.
    """

    year: Year
    form: Form
    href: Callable[[str], str]
    besides: Mapping[str, str] = field(default_factory=dict)

    def said(self, formula: Formula, *, condition: bool = False) -> list[Text]:
        """A formula as pieces of a sentence; a condition as what must be so."""
        reader = self._reader
        for name in formula.names - set(reader.names):
            reader.names[name] = words.named(name if name in self.besides else "", self._other(name))
        phrase = reader.read(formula)
        return pieces(words.condition(phrase) if condition else phrase, self.href)

    def _other(self, name: str) -> str:
        return self.besides.get(name, name.replace("_", " "))

    def text(self, formula: Formula, *, condition: bool = False) -> str:
        """A formula as a sentence."""
        return "".join(piece.text for piece in self.said(formula, condition=condition))

    @cached_property
    def _reader(self) -> Reader:
        units = names_of(self.year, self.form)
        names = {name: words.named(name, name_called(self.form, name), flag=u == "flag") for name, u in units.items()}
        return Reader(words, names, spoken(self.year))


def spoken(year: Year) -> dict[str, Any]:
    """The functions of rule files, in words."""
    return {name: words.function(name, len(function.arguments)) for name, function in year.functions.items()}


def pieces(phrase: words.Phrase, href: Callable[[str], str]) -> list[Text]:
    """A phrase as pieces, its names linked by `href`."""
    told = (Text(p) if isinstance(p, str) else Text(p.said, href(p.name) if p.name else "") for p in phrase.pieces)
    return list(told)
