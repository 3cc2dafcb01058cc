"""What the rules of a tax year are made of: parameters, forms, lines, functions, citations; and the lines' order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lotlaw.formula import Formula, did_you_mean
from lotlaw.readings import exact
from lotlaw.source import Document, Place, refuse


@dataclass(frozen=True)
class Cite:
    """Where a value or line is to be found: a source of the year the file was written for, a place in it, its words."""

    title: str
    url: str
    at: str = ""
    quote: str = ""

    def __str__(self) -> str:
        return f"{self.title}, {self.at}" if self.at else self.title


@dataclass(frozen=True)
class Parameter:
    """A number of the law with its unit; `value` may differ by filing status.

    `indexed` amounts rise with prices; `changed_by` is the law that changed it since the year before. `unread` says why
    nobody has compared it with its source yet, `projected` whose estimate it is.
    """

    name: str
    label: str
    unit: str
    value: Any
    cite: Cite
    place: Place
    indexed: bool
    half_for: str
    changed_by: Cite | None
    unread: str
    projected: str


@dataclass(frozen=True)
class Input:
    """An amount that comes from outside a form: `origin` is `taxpayer.…`, `ledger.…` or `<form>.<export>`."""

    name: str
    unit: str
    origin: str
    label: str
    place: Place


@dataclass(frozen=True)
class Line:
    """One line of a form. `kind` is `is`, `yes_if`, `total_of` or `input`."""

    form: str
    id: str
    label: str
    kind: str
    formula: Formula | None
    only_if: Formula | None
    skips: tuple[Formula, ...]
    total_of: Mapping[str, Any]
    columns: tuple[str, ...]
    parentheses: bool
    to: str
    on_form: str
    unit: str
    at_least: int | None
    cite: Cite
    place: Place

    @property
    def name(self) -> str:
        """What formulas call the line: `line16`, or its own word."""
        return line_name(self.id)

    @property
    def printed(self) -> bool:
        """Whether the line is on the form: a question without a number is one that the rules ask themselves."""
        return self.unit != "flag" or self.id[0].isdigit() or bool(self.on_form)

    @property
    def from_outside(self) -> bool:
        """Whether the line takes its amount from outside the forms; a form that does not apply leaves it readable."""
        return self.kind in ("input", "total_of")


@dataclass(frozen=True)
class Function:
    """Law that several forms use, as a formula over named arguments."""

    name: str
    arguments: Mapping[str, str]
    formula: Formula
    uses: tuple[str, ...]
    label: str
    cite: Cite


@dataclass(frozen=True)
class Form:
    """A form or worksheet: its lines in order, what it reads, and what others may read of it."""

    name: str
    title: str
    cite: Cite
    round: str
    only_if: Formula | None
    uses: tuple[str, ...]
    inputs: Mapping[str, Input]
    lines: Mapping[str, Line]
    columns: Mapping[str, str]
    column_formulas: Mapping[str, Formula]
    parts: Mapping[str, str]
    exports: Mapping[str, str]
    asks: tuple[str, ...]
    examples: tuple[Mapping[str, Any], ...]
    document: Document

    @cached_property
    def by_name(self) -> Mapping[str, Line]:
        """The lines by every name that formulas may call them: `line16`, `line1b`, `line1b_d`."""
        return {name: line for line in self.lines.values() for name in line_names(line)}

    @property
    def skips(self) -> tuple[Formula, ...]:
        """The conditions under which the form skips lines, each once."""
        return tuple(dict.fromkeys(skip for line in self.lines.values() for skip in line.skips))


@dataclass(frozen=True)
class Year:
    """Everything the rules say of one tax year."""

    year: int
    status: str
    digest: str
    statuses: Mapping[str, str]
    same_as: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    functions: Mapping[str, Function]
    forms: Mapping[str, Form]
    documents: Mapping[str, Document]
    not_verified: Mapping[str, str]
    not_computed: tuple[str, ...]
    origins: Mapping[str, int]
    root: Path

    def __hash__(self) -> int:
        return hash((self.year, self.digest))

    def parameter(self, name: str, status: str) -> Any:
        """A parameter's exact value for a filing status."""
        return _for_status(self.parameters[name].value, self.same_as.get(status, status), self.statuses)

    @cached_property
    def order(self) -> tuple[Line, ...]:
        """All lines of all forms, each after the lines it reads."""
        return tuple(_ordered(self.forms))


def line_name(id_: str) -> str:
    """`16` is `line16` in formulas; a line with a word for a name is that word."""
    return f"line{id_}" if id_[0].isdigit() else id_


def _for_status(value: Any, status: str, statuses: Mapping[str, str]) -> Any:
    if isinstance(value, dict) and set(value) <= set(statuses):
        return exact.const(value[status])
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{key: _for_status(item, status, statuses) for key, item in row.items()} for row in value]
    return exact.const(value)


def reads(form: Form, line: Line, forms: Mapping[str, Form]) -> Iterator[Line]:
    """The lines, of this form or others, that a line's value depends on."""
    own = [line.formula, line.only_if, *line.skips, None if line.from_outside else form.only_if]
    for formula in (f for f in own if f):
        for name in sorted(formula.names):
            if name in form.by_name:
                yield form.by_name[name]
            elif name in form.inputs:
                yield from exported(form.inputs[name], forms)


def needed(year: Year, lines: Iterable[Line]) -> list[Line]:
    """Lines and all lines they read, in order."""
    wanted: set[tuple[str, str]] = set()

    def visit(line: Line) -> None:
        if (line.form, line.id) not in wanted:
            wanted.add((line.form, line.id))
            for other in reads(year.forms[line.form], line, year.forms):
                visit(other)

    for line in lines:
        visit(line)
    return [line for line in year.order if (line.form, line.id) in wanted]


def line_names(line: Line) -> list[str]:
    """What formulas may call a line: its name, and its name with each of its columns."""
    return [line.name, *(f"{line.name}_{column}" for column in line.columns)]


def exported(source: Input, forms: Mapping[str, Form]) -> Iterator[Line]:
    """The line of another form that an input takes, if it comes from a form."""
    file, _, export = source.origin.partition(".")
    if file in forms:
        line = forms[file].lines.get(forms[file].exports.get(export, ""))
        yield from [line] if line else []


def exported_line(forms: Mapping[str, Form], where: str) -> Line:
    """The line that `<form>.<export>` names."""
    form, _, export = where.partition(".")
    return forms[form].lines[forms[form].exports[export]]


def _ordered(forms: Mapping[str, Form]) -> Iterator[Line]:
    done: set[tuple[str, str]] = set()

    def visit(line: Line, path: tuple[Line, ...]) -> Iterator[Line]:
        if (line.form, line.id) in done:
            return
        for n, before in enumerate(path):
            if before is line:
                loop = " -> ".join(f"{x.form}.{x.id}" for x in (*path[n:], line))
                raise refuse(line.place, f"lines depend on each other: {loop}")
        for other in reads(forms[line.form], line, forms):
            yield from visit(other, (*path, line))
        done.add((line.form, line.id))
        yield line

    for form in forms.values():
        for line in form.lines.values():
            yield from visit(line, ())


def names_of(year: Year, form: Form) -> dict[str, str]:
    """Every name a form's formulas may read, and its unit."""
    names = {name: source.unit for name, source in form.inputs.items()}
    for line in form.lines.values():
        names |= dict.fromkeys(line_names(line), line.unit)
    parameters = {name: p.unit for name, p in year.parameters.items() if name in form.uses}
    return {**parameters, **names}


def find_line(year: Year, said: str) -> Line:
    """The line that `schedule_d.21` names. Raises Problems with the nearest that exists."""
    form, _, id_ = said.partition(".")
    if form in year.not_verified:
        raise refuse(said, year.not_verified[form])
    if form in year.documents and form not in year.forms:
        raise refuse(said, f"{form} has no lines that are worked out; name a line that reads it, such as schedule_d.16")
    if form not in year.forms:
        known = ", ".join(year.forms)
        raise refuse(said, f"no form '{form}' in {year.year}{did_you_mean(form, year.forms)}; its forms are {known}")
    lines = year.forms[form].lines
    if id_ not in lines:
        what = f"no line '{id_}' on {form}" if id_ else f"name a line too, such as {form}.{next(iter(lines))}"
        raise refuse(said, f"{what}; it has {', '.join(lines)}")
    return lines[id_]


def spellings(methods: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Every spelling of the names of lot methods (`methods: names:` of dispositions.yaml), and the name meant."""
    return {word: name for name, said in methods.items() for word in (name, *said.get("also", ()))}
