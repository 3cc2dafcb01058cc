"""Worked examples as the rulebook shows them: what is given by its label, what must come out as links to lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lotlaw.audit.book.glossary import plain
from lotlaw.audit.book.links import anchor, line_href, line_said, short_title
from lotlaw.audit.book.tables import source_said
from lotlaw.audit.coverage import form_examples
from lotlaw.check.worked import BOX, COLLECTIBLES, Example, whole_returns
from lotlaw.explain.amounts import amount
from lotlaw.law import Form, Year
from lotlaw.rendering.saying import Text
from lotlaw.rules import TABLES


@dataclass(frozen=True)
class Shown:
    """An example: its heading and the level of that, where it comes from, what is given, and what must come out."""

    level: str
    name: str
    source: str
    cents: str
    place: str
    given: list[tuple[str, str]]
    expect: list[tuple[Text, str]]


def of_form(year: Year, form: Form) -> list[Shown]:
    """The examples of a form that are meant for a year."""
    return [_shown(year, form, example, "h3") for example in form_examples(year, form)]


def of_year(year: Year) -> list[Shown]:
    """The examples of whole returns."""
    return [_shown(year, None, example, "h2") for example in whole_returns(year)]


def _shown(year: Year, form: Form | None, example: Example, level: str) -> Shown:
    said, place = example.said, example.place()
    return Shown(
        level, plain(example.name), source_said(said["source"]), "with cents" if said.get("cents") else "",
        f"{place.file}:{place.line}",
        [(_given(year, form, key), _said(year, value)) for key, value in said["given"].items()],
        [(_line(year, form, key), _said(year, value)) for key, value in said["expect"].items()],
    )  # fmt: skip


def _given(year: Year, form: Form | None, key: str) -> str:
    """What a reader calls something that is given: an input by its label, a line, a box."""
    for word, said in ((COLLECTIBLES, "Collectibles in box"), (BOX, "Box")):
        if key.startswith(word):
            return f"{said} {key.removeprefix(word)}"
    if form and key in form.inputs:
        return form.inputs[key].label or plain(key)
    if form and key in form.by_name:
        return plain(line_said(form, form.by_name[key], form.name))
    return "Filing status" if key == "status" else outside_called(year, key)


def outside_called(year: Year, key: str) -> str:
    """What a reader calls something from outside the forms: `schedule_d.1a.d`, `taxpayer.income.wages`."""
    name, _, rest = key.partition(".")
    id_, _, column = rest.partition(".")
    if name in year.forms:
        line = year.forms[name].lines[id_]
        return line_said(year.forms[name], line, "") + (f" column ({column})" if column else "")
    if name in TABLES:
        return f"{short_title(str(year.documents[name].value['title']))}, column ({id_})"
    return next(_labels(year, key), plain(key.rpartition(".")[2]))


def _labels(year: Year, origin: str) -> Iterator[str]:
    """What the forms call something that the taxpayer gives."""
    return (i.label for form in year.forms.values() for i in form.inputs.values() if i.origin == origin and i.label)


def _line(year: Year, form: Form | None, key: str) -> Text:
    """What must come out: a line of the form, a function, or a line or result of a whole return."""
    if form is None:
        name, _, id_ = (key if "." in key else year.documents["year"].value["results"][key]).partition(".")
        at = year.forms[name]
        line = at.lines[id_ if "." in key else at.exports[id_]]
        return Text(line_said(at, line, "") if "." in key else plain(key), line_href(line))
    if key in form.lines:
        return Text(plain(line_said(form, form.lines[key], form.name)), f"#{anchor(form.lines[key])}")
    return Text(plain(key), f"#function-{key}")


def _said(year: Year, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"({column}) {amount(item)}" for column, item in value.items())
    return year.statuses.get(value, value) if isinstance(value, str) else amount(value)
