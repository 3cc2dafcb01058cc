"""Read `taxpayer.yaml`: the filing status, the rest of the return's income, carryovers, accounts and choices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotlaw.formula import did_you_mean
from lotlaw.law import Year
from lotlaw.schema import shape_problems
from lotlaw.source import Document, Problem, Problems, read_yaml

Taxpayer = dict[str, Any]

_DEFAULTS: Taxpayer = {
    "name": "", "ssn": "",
    "income": {"wages": 0, "interest": 0, "ordinary_dividends": 0, "qualified_dividends": 0, "other": 0},
    "deduction": "standard", "aged_or_blind": 0, "dependent": False, "spouse_itemizes": False,
    "carryover": {"short": 0, "long": 0}, "inputs": {}, "accounts": {}, "methods": [], "identical": [],
    "digital_asset_pools_before_2025": "universal", "digital_asset_safe_harbor": {}, "timezone": "America/New_York",
}  # fmt: skip


def read_taxpayer(path: Path) -> tuple[Taxpayer, Document]:
    """The taxpayer file with defaults filled in, and the document for places. Raises Problems."""
    document = read_yaml(path)
    problems = shape_problems(document, "taxpayer")
    if not problems:
        problems = list(_unlike(document))
    if problems:
        raise Problems(problems)
    return normalised(document.value), document


def normalised(said: Mapping[str, Any]) -> Taxpayer:
    """A taxpayer with every field of the contract; amounts are Decimal. What is normalised already stays as it is."""
    full: Taxpayer = {}
    for key, default in _DEFAULTS.items():
        value = said.get(key)
        full[key] = {**default, **(value or {})} if isinstance(default, dict) else default if value is None else value
    full["filing_status"] = said["filing_status"]
    full["carryover_given"] = said.get("carryover_given", "carryover" in said)
    for key in ("income", "carryover"):
        full[key] = {name: Decimal(amount) for name, amount in full[key].items()}
    return full


def _unlike(document: Document) -> list[Problem]:
    """What no schema can say: claims that contradict each other."""
    said, problems = document.value, []
    income = said.get("income") or {}
    if income.get("qualified_dividends", 0) > income.get("ordinary_dividends", 0):
        at = document.place("income", "qualified_dividends")
        problems.append(Problem(at, "qualified dividends are part of ordinary_dividends; they cannot be more"))
    if said.get("deduction", "standard") == "standard":
        problems += [
            Problem(document.place(word), f"{word}: give the deduction in dollars; it is not the standard one")
            for word in ("dependent", "spouse_itemizes")
            if said.get(word)
        ]
    return problems


def check_against(year: Year, taxpayer: Taxpayer, document: Document) -> list[Problem]:
    """What a year's rules do not know: the filing status, forms and lines of `inputs`."""
    problems = []
    status = taxpayer["filing_status"]
    if status not in year.statuses:
        known = ", ".join(year.statuses)
        hint = did_you_mean(status, year.statuses)
        place = document.place("filing_status")
        problems.append(Problem(place, f"filing_status '{status}' is not one of {known}{hint}"))
    for form, lines in taxpayer["inputs"].items():
        open_lines = (
            {id_ for id_, line in year.forms[form].lines.items() if line.kind == "input"}
            if form in year.forms
            else set()
        )
        problems += [
            Problem(document.key("inputs", form, id_), _not_an_input(form, id_, open_lines))
            for id_ in lines or {}
            if id_ not in open_lines
        ]
    return problems


def _not_an_input(form: str, id_: str, open_lines: set[str]) -> str:
    if not open_lines:
        return f"no amounts can be given for '{form}'"
    return f"line {id_} of {form} is not given but computed; lines that can be given: {', '.join(sorted(open_lines))}"
