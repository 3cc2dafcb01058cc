"""Read `taxpayer.yaml`: the filing status, the rest of the return's income, carryovers, accounts and choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotlaw.formula import did_you_mean
from lotlaw.law import Form, Line, Year, spellings
from lotlaw.schema import shape_problems
from lotlaw.source import Document, Path_, Problem, Problems, read_yaml

Taxpayer = dict[str, Any]
DAYS = ("from", "to", "recorded_on")
"""Fields of a standing order that are days."""

PART_OF = {"qualified_dividends": "ordinary_dividends"}
"""Kinds of income that are part of another kind."""

_DEFAULTS: Taxpayer = {
    "name": "", "ssn": "",
    "income": {"wages": 0, "interest": 0, "ordinary_dividends": 0, "qualified_dividends": 0, "other": 0},
    "deduction": "standard", "aged_or_blind": 0, "dependent": False, "spouse_itemizes": False,
    "carryover": {"short": 0, "long": 0}, "inputs": {}, "accounts": {}, "methods": [], "identical": [],
    "digital_asset_pools_before_2025": "universal", "digital_asset_safe_harbor": {}, "floating_nav_funds": [],
    "collectibles": [],
    "imports": {}, "timezone": "America/New_York",
}  # fmt: skip


def read_taxpayer(path: Path) -> tuple[Taxpayer, Document]:
    """The taxpayer file with defaults filled in, and the document for places. Raises Problems."""
    document = read_yaml(path)
    problems = shape_problems(document, "taxpayer")
    if not problems:
        problems = unlike(document)
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
    full["inputs"] = {form: lines or {} for form, lines in full["inputs"].items()}
    full["methods"] = [
        {key: _day(value) if key in DAYS else value for key, value in m.items()} for m in full["methods"]
    ]
    return full


def _day(said: date | str) -> date:
    """A day as itself, or as a return.json has it."""
    return said if isinstance(said, date) else date.fromisoformat(said)


def unlike(document: Document) -> list[Problem]:
    """What no schema can say: claims that contradict each other, and zones that are none."""
    said, problems = document.value, []
    income = said.get("income") or {}
    if income.get("qualified_dividends", 0) > income.get("ordinary_dividends", 0):
        at = document.place("income", "qualified_dividends")
        problems.append(Problem(at, "qualified_dividends are part of ordinary_dividends; they cannot be more"))
    if said.get("deduction", "standard") == "standard":
        wanted = "the standard deduction is not worked out for this; give `deduction` in dollars"
        problems += [
            Problem(document.place(word), f"{word}: {wanted}")
            for word in ("dependent", "spouse_itemizes")
            if said.get(word)
        ]
    problems += _days(document)
    if said.get("timezone") and not _is_zone(said["timezone"]):
        message = f"'{said['timezone']}' is no time zone; write one like America/New_York"
        problems.append(Problem(document.place("timezone"), message))
    return problems


def _days(document: Document) -> Iterator[Problem]:
    """Days of standing orders that are none, or out of order."""
    for n, order in enumerate(document.value.get("methods") or ()):
        quoted = [key for key in DAYS if isinstance(order.get(key), str)]
        for key in quoted:
            yield Problem(document.place("methods", n, key), f"{key}: write it like 2025-01-31, without quotes")
        if not quoted and order.get("to", order["from"]) < order["from"]:
            yield Problem(document.place("methods", n, "to"), "to: the order would end before it begins")


def _is_zone(name: str) -> bool:
    import polars as pl

    try:
        pl.select(pl.lit(0).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(name))
    except pl.exceptions.PolarsError:
        return False
    return True


def check_against(year: Year, taxpayer: Taxpayer, document: Document) -> list[Problem]:
    """What a year's rules do not know: the filing status, forms, lines and columns of `inputs`, methods."""
    return [
        *_status(year, taxpayer, document),
        *_inputs(year, taxpayer, document),
        *method_problems(year, taxpayer, document),
    ]


def _status(year: Year, taxpayer: Taxpayer, document: Document) -> Iterator[Problem]:
    status = taxpayer["filing_status"]
    if status not in year.statuses:
        known, hint = ", ".join(year.statuses), did_you_mean(status, year.statuses)
        yield Problem(document.place("filing_status"), f"filing_status '{status}' is not one of {known}{hint}")


def method_problems(year: Year, taxpayer: Taxpayer, document: Document) -> Iterator[Problem]:
    """Methods and asset classes that the rules do not list, in standing orders and as brokers' defaults."""
    dispositions = year.documents["dispositions"].value
    names, classes = dispositions["methods"]["names"], dispositions["asset_classes"]
    known = spellings(names)
    said: list[tuple[Path_, str]] = [
        (("accounts", name, "default_method"), account["default_method"])
        for name, account in taxpayer["accounts"].items()
        if "default_method" in account
    ]
    said += [(("methods", n, "method"), order["method"]) for n, order in enumerate(taxpayer["methods"])]
    for path, method in said:
        if method not in known:
            what = f"no method '{method}'{did_you_mean(method, known)}; there are {', '.join(names)}"
            yield Problem(document.place(*path), what)
    for n, order in enumerate(taxpayer["methods"]):
        asked = order.get("asset_class", "*")
        if asked not in ("*", *classes):
            what = f"no asset class '{asked}'{did_you_mean(asked, classes)}; there are {', '.join(classes)}"
            yield Problem(document.place("methods", n, "asset_class"), what)


def _inputs(year: Year, taxpayer: Taxpayer, document: Document) -> Iterator[Problem]:
    typed = {name: [line for line in form.lines.values() if line.kind == "input"] for name, form in year.forms.items()}
    for name, given in taxpayer["inputs"].items():
        if not typed.get(name):
            takes = [form for form, lines in typed.items() if lines]
            said = f"no amounts can be given for '{name}'{did_you_mean(name, takes)}; they can for {', '.join(takes)}"
            yield Problem(document.key("inputs", name), year.not_verified.get(name, said))
            continue
        by_id = {line.id: line for line in typed[name]}
        for id_, amount in (given or {}).items():
            known = by_id.get(id_)
            if known is None:
                said = _not_typed(year.forms[name], id_, list(by_id))
            else:
                said = _wrong_shape(known, amount) or _too_low(known, amount)
            if said:
                yield Problem(document.key("inputs", name, id_), said)


def _not_typed(form: Form, id_: str, typed: list[str]) -> str:
    what = "is computed, not given" if id_ in form.lines else "does not exist"
    return f"line {id_} of {form.name} {what}; lines that can be given: {', '.join(typed)}"


def _wrong_shape(line: Line, amount: Any) -> str:
    """What is wrong with what is given for a line; nothing if it is as it should be."""
    if not isinstance(amount, Mapping):
        model = ", ".join(f"{column}: 0" for column in line.columns)
        return f"line {line.id} of {line.form} has columns; write {{{model}}}" if line.columns else ""
    if not line.columns:
        return f"line {line.id} of {line.form} has no columns; write one amount"
    unknown = [column for column in amount if column not in line.columns]
    has = f"line {line.id} of {line.form} takes the columns {' and '.join(line.columns)}"
    return f"{has}, not {', '.join(unknown)}" if unknown else ""


def _too_low(line: Line, amount: Any) -> str:
    amounts = amount.values() if isinstance(amount, Mapping) else [amount]
    low = line.at_least is not None and any(Decimal(given) < line.at_least for given in amounts)
    return f"line {line.id} of {line.form} is never below {line.at_least}: {line.label}" if low else ""
