"""What `dispositions.yaml` says, read for a year and a taxpayer: the law that the lot engine carries out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lotlaw.formula import Formula, Reader, did_you_mean, parse, unknown
from lotlaw.law import Year
from lotlaw.readings import exact, units
from lotlaw.source import Document, Problem, Problems

FILE, FORM = "dispositions", "form_8949"
AMOUNTS = {"value": "money", "fee": "money", "basis": "money"}
"""What formulas of kinds may read: dollars of the event before the fee, of the fee, of the basis that a row gives."""

TERM = {"acquired": "date", "sold": "date"}
UNIVERSAL = "universal"
CODES = ("wrong_basis", "costs_left_out", "wrong_term", "wash_sale")
"""What of `reported` is a code of Form 8949."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leg:
    """One leg of an event: `amount` is the proceeds of what is sold, or the basis of what is opened.

    `must_give`: the row itself must give basis and date acquired; without them they are unknown.
    """

    amount: Formula
    must_give: bool = False


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
        """Whether a fee is part of what the event costs or brings, or of its moving lots."""
        return bool(self.moves) or any("fee" in leg.amount.names for leg in (self.sells, self.opens) if leg)


@dataclass(frozen=True)
class Pool:
    """How lots are kept: universally until the day `by_account_from` (None: always), or account by account."""

    universal: bool
    by_account_from: date | None


@dataclass(frozen=True)
class Treatment:
    """The law of lots and dispositions for one year and taxpayer.

    `names` are the parameters that the file uses, `said` is the file itself.
    """

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

    @property
    def marks(self) -> list[str]:
        """The codes of Form 8949 that mark a collectible."""
        return sorted({said["collectible"] for said in self.classes.values() if said["collectible"]})

    def fee(self, which: str) -> str:
        """What becomes of a fee paid in units of an asset."""
        return str(self.said["fees"][which]["units"])

    def that(self, **said: Any) -> list[str]:
        """The kinds that have all of these, such as `moves="sends"` or `income=True`."""
        return [
            name for name, kind in self.kinds.items() if all(getattr(kind, key) == is_ for key, is_ in said.items())
        ]


def treatment(year: Year, taxpayer: Mapping[str, Any]) -> Treatment:
    """What the year's rules make of this taxpayer's events. Raises Problems for formulas that cannot be read."""
    document = year.documents[FILE]
    said = document.value
    names = {name: year.parameter(name, taxpayer["filing_status"]) for name in said["uses"]}
    pools = {name: _pool(pool, names, taxpayer) for name, pool in said["pools"].items()}
    kinds = {name: _kind(document, name, kind) for name, kind in said["kinds"].items()}
    return Treatment(kinds, pools, _formula(document, "term", "long_if"), names, said)


def _pool(said: Mapping[str, Any], names: Mapping[str, Any], taxpayer: Mapping[str, Any]) -> Pool:
    if "from" not in said:
        return Pool(said["kept"] == UNIVERSAL, None)
    before = said["before"]
    if isinstance(before, Mapping):
        before = taxpayer[before["taxpayer"]]
    return Pool(before == UNIVERSAL, names[said["from"]])


def _kind(document: Document, name: str, said: Mapping[str, Any]) -> Kind:
    sells = Leg(_formula(document, "kinds", name, "sells", "proceeds")) if "sells" in said else None
    opens = None
    if "opens" in said:
        opens = Leg(_formula(document, "kinds", name, "opens", "basis"), "acquired" in said["opens"])
    moves, row, income = said.get("moves", ""), said.get("row", ""), bool(said.get("income"))
    return Kind(name, said["label"], sells, opens, moves, row, income)


def _formula(document: Document, *path: str) -> Formula:
    text = document.value
    for step in path:
        text = text[step]
    return parse(str(text), document.place(*path))


def term_of(year: Year, acquired: date, sold: date) -> str:
    """`long` or `short` for one lot, by the year's rule."""
    document = year.documents[FILE]
    status = next(iter(year.statuses))
    names = {name: year.parameter(name, status) for name in document.value["uses"]}
    long = Reader(exact, {**names, "acquired": acquired, "sold": sold}).read(_formula(document, "term", "long_if"))
    return "long" if long else "short"


def problems_of(year: Year) -> Iterator[Problem]:
    """What no schema can say of a year's `dispositions.yaml`: names, units, pools, codes, examples that fail."""
    document = year.documents[FILE]
    problems = [*_name_problems(year, document), *_formula_problems(year, document)]
    yield from problems or _example_problems(year, document)


def _name_problems(year: Year, document: Document) -> Iterator[Problem]:
    """Parameters, pools and codes that do not exist."""
    said, codes = document.value, year.documents[FORM].value["codes"]
    for n, name in enumerate(said["uses"]):
        yield from missing(document, ("uses", n), name, year.parameters, "parameter")
    for name, asset_class in said["asset_classes"].items():
        at: Path = ("asset_classes", name)
        yield from missing(document, (*at, "pool"), asset_class["pool"], said["pools"], "pool")
        if asset_class["collectible"]:
            yield from missing(document, (*at, "collectible"), asset_class["collectible"], codes, "code")
    for name, pool in said["pools"].items():
        if "from" in pool:
            yield from missing(document, ("pools", name, "from"), pool["from"], said["uses"], "parameter in `uses`")
    yield from _report_problems(year, document)


def _report_problems(year: Year, document: Document) -> Iterator[Problem]:
    """Codes of the form that do not exist, and words and statements that no statement of the list goes by."""
    said, codes = document.value["reported"], year.documents[FORM].value["codes"]
    for name in CODES:
        yield from missing(document, ("reported", name), said[name], codes, "code")
    for n, expected in enumerate(said["expected"]):
        at: Path = ("reported", "expected", n, "statement")
        yield from missing(document, at, expected["statement"], said["statements"], "statement")
    words = {word for says in said["statements"].values() for word in says.values()}
    for n, word in enumerate(said["as_reported"]):
        yield from missing(document, ("reported", "as_reported", n), word, words, "word of a statement")
    for box, word in said["other_boxes"].items():
        yield from missing(document, ("reported", "other_boxes", box), word, words, "word of a statement")


def missing(document: Document, path: Path, word: str, known: Any, role: str) -> Iterator[Problem]:
    """A word that is none of those known."""
    if word not in known:
        yield Problem(document.place(*path), f"no {role} '{word}'{did_you_mean(word, known)}")


def _formula_problems(year: Year, document: Document) -> Iterator[Problem]:
    used = {name: year.parameters[name].unit for name in document.value["uses"] if name in year.parameters}
    for kind, said in document.value["kinds"].items():
        for does, amount in (("sells", "proceeds"), ("opens", "basis")):
            if does in said:
                yield from _reading(document, ("kinds", kind, does, amount), AMOUNTS, "money")
    yield from _reading(document, ("term", "long_if"), {**TERM, **used}, "flag")


def _reading(document: Document, path: tuple[str, ...], names: Mapping[str, str], wanted: str) -> Iterator[Problem]:
    who = " ".join(path[1:])
    try:
        formula = _formula(document, *path)
        missing = unknown(formula, names, units.functions)
        unit = wanted if missing else Reader(units, names).read(formula)
    except Problems as found:
        yield from (Problem(p.place, f"{who}: {p.message}") for p in found.problems)
        return
    yield from (Problem(p.place, f"{who}: {p.message}") for p in missing)
    if unit not in (wanted, units.NUMBER):
        yield Problem(formula.place, f"{who}: a {unit} where a {wanted} belongs")


def _example_problems(year: Year, document: Document) -> Iterator[Problem]:
    """The examples that fail, in the year the file is written for: another year's parameters may say otherwise."""
    if year.origins["dispositions"] != year.year:
        return
    for n, example in enumerate(document.value["term"]["examples"]):
        acquired, sold = example["given"]["acquired"], example["given"]["sold"]
        got = term_of(year, acquired, sold)
        if got != example["expect"]:
            said = f"acquired {acquired} and sold {sold} should be {example['expect']} and is {got}"
            yield Problem(document.place("term", "examples", n), f"term: {said}")
