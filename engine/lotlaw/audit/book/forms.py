"""The page of a form: its lines in order, each in words with its numbers, readers, law, place and history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lotlaw.audit.book import examples, history
from lotlaw.audit.book.glossary import plain, unit_called
from lotlaw.audit.book.graph import graph_of_form
from lotlaw.audit.book.links import (
    Readers,
    amounts_read,
    anchor,
    claim_speaker,
    function_said,
    line_href,
    line_said,
    listed,
    number,
    speaker,
)
from lotlaw.audit.book.tables import pin
from lotlaw.claims import Claim, claims_of
from lotlaw.formula import Formula
from lotlaw.law import Cite, Form, Line, Year, exported
from lotlaw.rendering.saying import Speaker, Text


@dataclass(frozen=True)
class Entry:
    """A line, or a function, as the rulebook shows it."""

    anchor: str
    number: str
    name: str
    label: str
    heading: str
    says: list[Text]
    formula: str
    condition: list[Text]
    skips: list[list[Text]]
    numbers: list[list[Text]]
    notes: list[str]
    readers: list[Text]
    cite: Cite
    place: str
    history: list[history.Epoch]


def form_page(year: Year, form: Form, law: list[Year], readers: Readers) -> dict[str, Any]:
    """What the page of a form shows."""
    says = speaker(year, form)
    claims = [_claim(claim, claim_speaker(year, form, claim)) for claim in claims_of(form)]
    return {
        "title": form.title, "form": form, "facts": pin(year, form.name), "cite": form.cite,
        "level": "h4" if form.parts else "h3", **_needed(form, says),
        "inputs": [_input(year, form, name) for name in form.inputs],
        "entries": [_entry(year, line, says, law, readers) for line in form.lines.values()],
        "functions": list(_functions(year, form, readers)), "examples": examples.of_form(year, form),
        "claims": claims, "rounded": any(claim["rounding"] for claim in claims),
        "graph": graph_of_form(year, form.name) if form.lines else None,
    }  # fmt: skip


def _needed(form: Form, says: Speaker) -> dict[str, Any]:
    if form.only_if is None:
        return {"needed": [], "needed_formula": "", "needed_place": ""}
    return {
        "needed": says.said(form.only_if, condition=True), "needed_formula": _written(form.only_if),
        "needed_place": f"{form.only_if.place.file}:{form.only_if.place.line}",
    }  # fmt: skip


def _written(formula: Formula) -> str:
    return " ".join(formula.text.split())


def _input(year: Year, form: Form, name: str) -> dict[str, Any]:
    source = form.inputs[name]
    line = next(exported(source, year.forms), None)
    where, _, rest = source.origin.partition(".")
    if line:
        origin = Text(line_said(year.forms[line.form], line, form.name), line_href(line))
    elif where in year.not_verified:
        origin = Text(f"{year.not_verified[where]}; read as 0")
    else:
        file = "taxpayer file" if where == "taxpayer" else "ledger"
        origin = Text(f"the {file}: {rest.replace('.', ', ').replace('_', ' ')}")
    return {"name": name, "label": source.label or plain(name), "unit": unit_called(source.unit), "origin": origin}


def _entry(year: Year, line: Line, says: Speaker, law: list[Year], readers: Readers) -> Entry:
    formulas = [formula for formula in (line.formula, line.only_if, *line.skips) if formula]
    return Entry(
        anchor=anchor(line), number=number(line), name=line.name, label=line.label,
        heading=says.form.parts.get(line.id, ""), says=_says(line, says),
        formula=_written(line.formula) if line.formula else "",
        condition=says.said(line.only_if, condition=True) if line.only_if else [],
        skips=[says.said(skip, condition=True) for skip in line.skips], numbers=amounts_read(year, formulas),
        notes=list(_notes(line)), readers=readers.links_to(line), cite=line.cite,
        place=f"{line.place.file}:{line.place.line}", history=history.of_line(line, law),
    )  # fmt: skip


def _says(line: Line, says: Speaker) -> list[Text]:
    if line.formula is None:
        return _boxes(line) if "boxes" in line.total_of else [Text(_outside(line))]
    if line.kind == "yes_if" and not line.formula.names:
        return [Text("Yes wherever the form is needed")]
    asked = [Text("Yes if ")] if line.kind == "yes_if" else []
    return [*asked, *says.said(line.formula, condition=line.kind == "yes_if")]


def _outside(line: Line) -> str:
    if line.kind == "input":
        return "an amount that the taxpayer gives"
    said = line.total_of
    kind = {True: "collectibles", False: "all but collectibles"}.get(said.get("collectible", ""), "")
    part = f"part {said['part']}" if "part" in said else ""
    column = f"column ({said['column']})" if "column" in said else ""
    return ", ".join(["the total of Form 8949", *filter(None, (part, kind, column))])


def _boxes(line: Line) -> list[Text]:
    """What a line adds up, with links to the boxes."""
    boxes = listed(Text(f"box {box}", f"form_8949.html#boxes-{box}") for box in line.total_of["boxes"])
    return [Text("the total of Form 8949, "), *boxes]


def _notes(line: Line) -> Iterator[str]:
    if line.on_form and line.on_form != f"line {line.id}":
        yield f"Printed on the form as {line.on_form}"
    if line.parentheses:
        yield "Printed in parentheses"
    if line.columns:
        yield f"In columns {', '.join(f'({column})' for column in line.columns)}"
    if line.to:
        yield f"Goes to {line.to}"
    if not line.printed:
        yield "Not on the form: the rules ask it themselves"


def _functions(year: Year, form: Form, readers: Readers) -> Iterator[Entry]:
    for function in year.functions.values():
        place = function.formula.place
        if place.file == form.document.file:
            yield Entry(
                anchor=f"function-{function.name}", number="", name=function.name, label=function.label, heading="",
                says=function_said(year, function), formula=_written(function.formula), condition=[], skips=[],
                numbers=amounts_read(year, [function.formula]), notes=[], history=[], cite=function.cite,
                readers=readers.links_to_function(function.name), place=f"{place.file}:{place.line}",
            )  # fmt: skip


def _claim(claim: Claim, says: Speaker) -> Mapping[str, Any]:
    return {
        "name": plain(claim.name), "two": _moved(claim, says.year), "always": says.said(claim.always, condition=True),
        "formula": _written(claim.always), "place": f"{claim.place.file}:{claim.place.line}",
        "rounding": f"{claim.rounding} where each line is rounded to the dollar" if claim.rounding else "",
        "when": says.said(claim.when, condition=True) if claim.when else [],
    }  # fmt: skip


def _moved(claim: Claim, year: Year) -> str:
    """What tells the second of two returns from the first."""
    words = (("more", claim.rises), ("less", claim.falls))
    said = ((word, [examples.outside_called(year, name) for name in names]) for word, names in words if names)
    return ", and ".join(f"{word} of {'; '.join(names)}" for word, names in said)
