"""The checks `names`, `units` and `links` of claims: what their formulas read, what moves, what stands beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lotlaw.check.formulas import reading_problems, signatures_of
from lotlaw.claims import RISE, ROUNDING, Claim, Likeness, claims_of, likenesses_of
from lotlaw.formula import Mistake, did_you_mean
from lotlaw.law import Form, Year, names_of
from lotlaw.rules import years
from lotlaw.source import Document, Problem, Problems

PREFIXES = ("taxpayer.", "ledger.")


def claim_problems(year: Year) -> Iterator[Problem]:
    """Claims that cannot be read, or that are about what does not exist."""
    signatures = signatures_of(year)
    yield from _of_year(year, signatures)
    for form in year.forms.values():
        yield from _of_form(year, form, signatures)


def _of_year(year: Year, signatures: Mapping[str, Any]) -> Iterator[Problem]:
    document = year.documents["year"]
    try:
        claims = list(likenesses_of(year))
    except Problems as found:
        yield from found.problems
        return
    others = [number for number in years(year.root) if number != year.year]
    for number, claim in enumerate(claims):
        if claim.as_in not in others:
            known = f"; there are those of {', '.join(map(str, others))}" if others else ""
            said = f"there are no rules of another year {claim.as_in}{known}"
            yield Problem(claim.place, f"invariant '{claim.name}': {said}", "links")
        wrong = list(_others(year, document, number, claim))
        yield from wrong
        if claim.when and not wrong:
            names = {name: line.unit for name, line in claim.lines(year).items()}
            yield from reading_problems(claim.when, names, signatures, f"invariant '{claim.name}'", "flag")


def _of_form(year: Year, form: Form, signatures: Mapping[str, Any]) -> Iterator[Problem]:
    try:
        claims = list(claims_of(form))
    except Problems as found:
        yield from found.problems
        return
    functions = form.document.value.get("functions") or {}
    arguments = {name: unit for function in functions.values() for name, unit in function["args"].items()}
    called = {name: check for name, check in signatures.items() if name in (*form.uses, *functions)} | {RISE: _rise}
    for number, claim in enumerate(claims):
        wrong = [*_others(year, form.document, number, claim), *_moved(year, form, number, claim)]
        yield from wrong
        if not wrong:
            beside = {name: line.unit for name, line in claim.lines(year).items()}
            names = {**names_of(year, form), **arguments, **beside, ROUNDING: "money"}
            for formula in claim.formulas:
                yield from reading_problems(formula, names, called, f"invariant '{claim.name}'", "flag")


def _rise(unit: str) -> str:
    if unit not in ("money", "count", "rate"):
        raise Mistake(f"a {unit} does not rise")
    return unit


def _others(year: Year, document: Document, number: int, claim: Claim | Likeness) -> Iterator[Problem]:
    """Lines of other forms that nothing exports."""
    for key in ("beside", "elsewhere"):
        for name, where in getattr(claim, key, {}).items():
            other, _, export = where.partition(".")
            exports = year.forms[other].exports if other in year.forms else {}
            if export not in exports:
                said = f"nothing is exported as '{where}'{did_you_mean(export, exports)}"
                yield Problem(
                    document.place("invariants", number, key, name), f"invariant '{claim.name}': {said}", "links"
                )


def _moved(year: Year, form: Form, number: int, claim: Claim) -> Iterator[Problem]:
    known = list(_given(year))
    for key, names in (("rises", claim.rises), ("falls", claim.falls)):
        for n, name in enumerate(names):
            if name not in known:
                place = form.document.place("invariants", number, key, n)
                said = f"no return is given '{name}'{did_you_mean(name, known)}"
                yield Problem(place, f"invariant '{claim.name}': {said}", "links")


def _given(year: Year) -> Iterator[str]:
    """The amounts that a return is given, by name."""
    columns = year.documents["form_8949"].value["columns"]
    yield from (f"form_8949.{letter}" for letter, said in columns.items() if "total" in said and "is" not in said)
    for form in year.forms.values():
        yield from (i.origin for i in form.inputs.values() if i.origin.startswith(PREFIXES) and i.unit == "money")
        for line in form.lines.values():
            if line.kind == "input":
                yield from (f"{form.name}.{line.id}.{column}" for column in line.columns)
                yield from () if line.columns else (f"{form.name}.{line.id}",)
