"""The named check `unused`: every line is used, exported or printed; whatever else is declared is read by something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lotlaw.check.findings import Finding
from lotlaw.formula import parse
from lotlaw.law import Form, Year
from lotlaw.rules import TABLES
from lotlaw.source import Path_, Place, Problems


def unused_findings(year: Year) -> Iterator[Finding]:
    """Lines, inputs, `uses` and parameters of a year that nothing reads."""
    for form in year.forms.values():
        if year.origins[form.name] == year.year:  # a pinned file may say more than this year asks of it
            yield from _unread(form)
    used = {name for form in year.forms.values() for name in form.uses}
    used |= {name for table in TABLES for name in year.documents[table].value.get("uses") or ()}
    document = year.documents["parameters"]
    for parameter in year.parameters.values():
        if parameter.name not in used:
            said = f"{parameter.name}: no form of {year.year} uses it"
            yield Finding("unused", document, (parameter.name,), parameter.place, said)


def _unread(form: Form) -> Iterator[Finding]:
    read = set(_names_read(form))
    for line in form.lines.values():
        names = {line.name, *(f"{line.name}_{column}" for column in form.columns)}
        if not (line.printed or names & read or line.id in form.exports.values()):
            yield _finding(form, ("lines", line.id), f"line {line.id} is neither used nor exported nor printed")
    for name in form.inputs:
        if name not in read:
            yield _finding(form, ("inputs", name), f"input {name}: no formula of the form reads it")
    for n, name in enumerate(form.uses):
        if name not in read:
            yield _finding(form, ("uses", n), f"uses '{name}', which no formula of the form reads", ())


def _finding(form: Form, path: Path_, message: str, owner: Path_ | None = None) -> Finding:
    return Finding("unused", form.document, path if owner is None else owner, form.document.key(*path), message)


def _names_read(form: Form) -> Iterator[str]:
    """What the formulas of a form read, claims and functions included."""
    own = [formula for line in form.lines.values() for formula in (line.formula, line.only_if, *line.skips)]
    for formula in (*own, form.only_if, *form.column_formulas.values()):
        if formula:
            yield from formula.names | formula.calls
    functions: Mapping[str, Any] = form.document.value.get("functions") or {}
    claims = form.document.value.get("invariants") or ()
    said = [function["is"] for function in functions.values()]
    said += [claim[key] for claim in claims for key in ("when", "always") if key in claim]
    for text in said:
        yield from _words(text)


def _words(text: str) -> Iterator[str]:
    try:
        formula = parse(str(text), Place(""))
    except Problems:
        return
    yield from formula.names | formula.calls
