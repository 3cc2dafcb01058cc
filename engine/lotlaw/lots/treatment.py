"""What `dispositions.yaml` says, read once for a year and a taxpayer: the law that the lot engine carries out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lotlaw.formula import Formula, Reader, did_you_mean, parse, unknown
from lotlaw.law import Year
from lotlaw.readings import exact, units
from lotlaw.source import Document, Problem, Problems

FILE = "dispositions"
AMOUNTS = {"value": "money", "fee": "money", "basis": "money"}
"""What formulas of kinds may read: dollars of the event before the fee, of the fee, and of the basis a row gives."""

TERM = {"acquired": "date", "sold": "date"}
UNIVERSAL = "universal"


@dataclass(frozen=True)
class Leg:
    """One thing a kind does to lots: `amount` is the proceeds of what is sold, or the basis of what is opened."""

    amount: Formula
    acquired_given: bool = False


@dataclass(frozen=True)
class Kind:
    """What a kind of event does: legs sold and opened, lots moved, a row as it stands, income."""

    name: str
    label: str
    sells: Leg | None
    opens: Leg | None
    moves: str
    row: str
    income: bool

    @property
    def bears_fees(self) -> bool:
        """Whether a fee is part of what the event costs or brings."""
        return any("fee" in leg.amount.names for leg in (self.sells, self.opens) if leg)


@dataclass(frozen=True)
class Pool:
    """How lots are kept: universally until the day `by_account_from` (None: always), then account by account."""

    universal: bool
    by_account_from: date | None


@dataclass(frozen=True)
class Treatment:
    """The law of lots and dispositions for one year and taxpayer."""

    kinds: Mapping[str, Kind]
    pools: Mapping[str, Pool]
    long_if: Formula
    names: Mapping[str, Any]
    said: Mapping[str, Any]

    @property
    def classes(self) -> Mapping[str, Mapping[str, Any]]:
        """The asset classes: label, pool, digital, collectible, unit, lots."""
        classes: Mapping[str, Mapping[str, Any]] = self.said["asset_classes"]
        return classes

    def fee(self, which: str) -> str:
        """What becomes of a fee paid in units of an asset."""
        return str(self.said["fees"][which]["units"])


def treatment(year: Year, taxpayer: Mapping[str, Any]) -> Treatment:
    """What the year's rules make of this taxpayer's events. Raises Problems for formulas that cannot be read."""
    document = year.documents[FILE]
    said = document.value
    status = taxpayer["filing_status"]
    names = {name: year.parameter(name, status) for name in said["uses"]}
    pools = {name: _pool(pool, names, taxpayer) for name, pool in said["pools"].items()}
    return Treatment(_kinds(document), pools, _formula(document, "term", "long_if"), names, said)


def _pool(said: Mapping[str, Any], names: Mapping[str, Any], taxpayer: Mapping[str, Any]) -> Pool:
    if "from" not in said:
        return Pool(said["kept"] == UNIVERSAL, None)
    before = said["before"]
    if isinstance(before, Mapping):
        before = taxpayer[before["taxpayer"]]
    return Pool(before == UNIVERSAL, names[said["from"]])


def _kinds(document: Document) -> dict[str, Kind]:
    return {name: _kind(document, name, said) for name, said in document.value["kinds"].items()}


def _kind(document: Document, name: str, said: Mapping[str, Any]) -> Kind:
    sells = Leg(_formula(document, "kinds", name, "sells", "proceeds")) if "sells" in said else None
    opens = None
    if "opens" in said:
        opens = Leg(_formula(document, "kinds", name, "opens", "basis"), "acquired" in said["opens"])
    return Kind(
        name, said["label"], sells, opens, said.get("moves", ""), said.get("row", ""), bool(said.get("income"))
    )


def _formula(document: Document, *path: str) -> Formula:
    text = document.value
    for step in path:
        text = text[step]
    return parse(str(text), document.place(*path))


def problems_of(year: Year) -> Iterator[Problem]:
    """What a schema cannot say of a year's `dispositions.yaml`: names, units, pools, codes, examples that fail."""
    document = year.documents[FILE]
    said = document.value
    for n, name in enumerate(said["uses"]):
        if name not in year.parameters:
            hint = did_you_mean(name, year.parameters)
            yield Problem(document.place("uses", n), f"uses '{name}', which is no parameter{hint}")
            return
    yield from _formula_problems(year, document)
    yield from _name_problems(year, document)
    try:
        yield from _example_problems(year, document)
    except Problems:
        return


def _formula_problems(year: Year, document: Document) -> Iterator[Problem]:
    used = {name: year.parameters[name].unit for name in document.value["uses"]}
    for kind, said in document.value["kinds"].items():
        for does, amount in (("sells", "proceeds"), ("opens", "basis")):
            if does in said:
                yield from _reading(document, ("kinds", kind, does, amount), AMOUNTS, "money")
    yield from _reading(document, ("term", "long_if"), {**TERM, **used}, "flag")


def _reading(document: Document, path: tuple[str, ...], names: Mapping[str, str], wanted: str) -> Iterator[Problem]:
    who = f"{path[-3]} {path[-1]}" if len(path) > 2 else path[-1]
    try:
        formula = _formula(document, *path)
        missing = unknown(formula, names, units.functions)
        if missing:
            yield from (Problem(p.place, f"{who}: {p.message}") for p in missing)
            return
        unit = Reader(units, names).read(formula)
    except Problems as found:
        yield from (Problem(p.place, f"{who}: {p.message}") for p in found.problems)
        return
    if unit not in (wanted, units.NUMBER):
        yield Problem(formula.place, f"{who}: a {unit} where a {wanted} belongs")


def _name_problems(year: Year, document: Document) -> Iterator[Problem]:
    """Pools, parameters, codes and boxes' words that exist nowhere."""
    said, form = document.value, year.documents["form_8949"].value
    for name, asset_class in said["asset_classes"].items():
        at = ("asset_classes", name)
        yield from _unknown(document, (*at, "pool"), asset_class["pool"], said["pools"], "pool")
        if asset_class["collectible"]:
            yield from _unknown(document, (*at, "collectible"), asset_class["collectible"], form["codes"], "code")
    for name, pool in said["pools"].items():
        if "from" in pool:
            yield from _unknown(document, ("pools", name, "from"), pool["from"], said["uses"], "parameter in `uses`")
    yield from _unknown(document, ("reported", "wash_sale"), said["reported"]["wash_sale"], form["codes"], "code")


def _unknown(document: Document, path: tuple[str, ...], word: str, known: Any, role: str) -> Iterator[Problem]:
    if word not in known:
        yield Problem(document.place(*path), f"no {role} '{word}'{did_you_mean(word, known)}")


def _example_problems(year: Year, document: Document) -> Iterator[Problem]:
    for n, example in enumerate(document.value["term"]["examples"]):
        given = example["given"]
        got = term_of(year, given["acquired"], given["sold"])
        if got != example["expect"]:
            said = f"acquired {given['acquired']}, sold {given['sold']}: should be {example['expect']} and is {got}"
            yield Problem(document.place("term", "examples", n), f"term: {said}")


def term_of(year: Year, acquired: date, sold: date) -> str:
    """`long` or `short` for one lot, by the year's rule."""
    document = year.documents[FILE]
    status = next(iter(year.statuses))
    names = {name: year.parameter(name, status) for name in document.value["uses"]}
    reader = Reader(exact, {**names, "acquired": acquired, "sold": sold})
    return "long" if reader.read(_formula(document, "term", "long_if")) else "short"
