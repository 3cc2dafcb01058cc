"""What `dispositions.yaml` says, read for a year and a taxpayer: the law that the lot engine carries out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from lotlaw.formula import Formula, Reader, did_you_mean, parse, unknown
from lotlaw.importers.canonical import table
from lotlaw.law import Year
from lotlaw.lots.kinds import Kind, Leg
from lotlaw.readings import exact, units
from lotlaw.source import Document, Problem, Problems

FILE, FORM = "dispositions", "form_8949"
LEGS = {"sells": "proceeds", "opens": "basis", "borrows": "proceeds", "closes": "cost"}
"""What kinds do with a leg, and what they call its amount."""
AMOUNTS = {
    "sells": ("value", "fee", "boot"), "borrows": ("value", "fee"), "closes": ("value", "fee"),
    "opens": ("value", "fee", "basis", "fair_value", "donor_basis", "gift_tax"),
}  # fmt: skip
"""What their formulas may read: dollars of the event before the fee, of the fee, and what the row gives besides."""

TERM = {"acquired": "date"}
GOES_BY = {
    "rescale": "ratio_new", "carry": "out_asset", "branch": "basis_fraction", "adjust": "basis_usd",
    "lower": "in_asset", "sends": "out_asset", "receives": "in_asset", "sends_and_receives": "in_asset",
}  # fmt: skip
"""What kinds may do with lots, and the column of a row that says how far, or with which."""
UNIVERSAL = "universal"
SAME = "same_under_another_name"
CODES = ("wrong_basis", "costs_left_out", "wrong_term", "wash_sale", "market_discount", "loss_not_allowed")
"""What of `reported` is a code of Form 8949."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Pool:
    """How lots are kept: universally until the day `by_account_from` (None: always), or account by account."""

    universal: bool
    by_account_from: date | None


@dataclass(frozen=True)
class Treatment:
    """The law of lots and dispositions for one year and taxpayer.

    `names` are the parameters that the file uses, `said` is the file itself, `floating` the money market funds with a
    floating net asset value, `collectibles` what is taxed as one whatever its class.
    """

    kinds: Mapping[str, Kind]
    pools: Mapping[str, Pool]
    long_from: Formula
    names: Mapping[str, Any]
    said: Mapping[str, Any]
    floating: frozenset[str] = frozenset()
    collectibles: frozenset[str] = frozenset()

    @property
    def classes(self) -> Mapping[str, Mapping[str, Any]]:
        """The asset classes: label, pool, digital, collectible, unit, lots."""
        classes: Mapping[str, Mapping[str, Any]] = self.said["asset_classes"]
        return classes

    @property
    def marks(self) -> list[str]:
        """The codes of Form 8949 that mark a collectible."""
        return sorted({said["collectible"] for said in self.classes.values() if said["collectible"]})

    @property
    def safe_harbor(self) -> str:
        """The law under which a taxpayer allocates the lots of a pool that is divided."""
        cites = [str(pool["allocation"]["cite"]["at"]) for pool in self.said["pools"].values() if "allocation" in pool]
        return cites[0] if cites else ""

    def untaxed(self, accounts: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """The accounts whose sales are not taxed; one that nobody describes is taxed."""
        taxed = self.said["accounts"]["taxed"]
        return [name for name, said in accounts.items() if said.get("kind", taxed[0]) not in taxed]

    def watched(self, classes: Mapping[str, str]) -> set[str]:
        """The assets whose losses wash sales may disallow."""
        scope = self.said["wash_sales"]["classes"]
        return {asset for asset, name in classes.items() if name in scope} - self.floating

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
    own = [frozenset(taxpayer.get(key) or ()) for key in ("floating_nav_funds", "collectibles")]
    return Treatment(kinds, pools, _formula(document, "term", "long_from"), names, said, *own)


def _pool(said: Mapping[str, Any], names: Mapping[str, Any], taxpayer: Mapping[str, Any]) -> Pool:
    if "from" not in said:
        return Pool(said["kept"] == UNIVERSAL, None)
    before = said["before"]
    if isinstance(before, Mapping):
        before = taxpayer[before["taxpayer"]]
    return Pool(before == UNIVERSAL, names[said["from"]])


def _kind(document: Document, name: str, said: Mapping[str, Any]) -> Kind:
    legs: dict[str, Any] = {does: _leg(document, name, does, said[does]) for does in LEGS if does in said}
    words: dict[str, Any] = {key: said.get(key, "") for key in ("moves", "changes", "option", "row", "warns")}
    own: dict[str, Any] = {"removes": "removes" in said, "income": bool(said.get("income"))}
    return Kind(name, said["label"], **legs, **words, **own, treated_as=said.get("as", {}))


def _leg(document: Document, kind: str, does: str, said: Mapping[str, Any]) -> Leg:
    loss = _formula(document, "kinds", kind, does, "loss_basis") if "loss_basis" in said else None
    amount = _formula(document, "kinds", kind, does, LEGS[does])
    return Leg(said["leg"], amount, said.get("acquired", ""), loss, said)


def _formula(document: Document, *path: str) -> Formula:
    text = document.value
    for step in path:
        text = text[step]
    return parse(str(text), document.place(*path))


def turns_long(law: Treatment) -> Callable[[date], date]:
    """What gives the first day on which a lot acquired on a day is long-term."""

    @cache
    def turns(acquired: date) -> date:
        day: date = Reader(exact, {**law.names, "acquired": acquired}).read(law.long_from)
        return day

    return turns


def term_of(year: Year, acquired: date, sold: date) -> str:
    """`long` or `short` for one lot, by the year's rule."""
    document = year.documents[FILE]
    status = next(iter(year.statuses))
    names = {name: year.parameter(name, status) for name in document.value["uses"]}
    long_from = Reader(exact, {**names, "acquired": acquired}).read(_formula(document, "term", "long_from"))
    return "long" if sold >= long_from else "short"


def problems_of(year: Year) -> Iterator[Problem]:
    """What no schema can say of a year's `dispositions.yaml`: names, units, pools, codes, examples that fail."""
    document = year.documents[FILE]
    problems = [*_name_problems(year, document), *_formula_problems(year, document)]
    own = year.origins[FILE] == year.year  # another year's parameters may say otherwise
    yield from problems or (example_problems(year) if own else ())


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
    yield from _wash_problems(document, codes)
    yield from _row_problems(document)
    for name, kind in said["kinds"].items():
        for column, others in kind.get("as", {}).items():
            for word, other in others.items():
                yield from missing(document, ("kinds", name, "as", column, word), other, said["kinds"], "kind")


def _row_problems(document: Document) -> Iterator[Problem]:
    """Kinds that go by a column that their rows do not have."""
    kinds = document.value["kinds"]
    as_other = {
        other: name for name, kind in kinds.items() for words in kind.get("as", {}).values() for other in words.values()
    }
    for name, kind in kinds.items():
        rows = table().kinds.get(name) or table().kinds.get(as_other.get(name, ""))
        there = {*rows.needs, *rows.may} if rows else set()
        wanted: dict[Path, str] = {("sells", "leg"): f"{kind['sells']['leg']}_asset"} if "sells" in kind else {}
        wanted |= {(key,): GOES_BY[kind[key]] for key in ("moves", "changes") if kind.get(key) in GOES_BY}
        for path, column in wanted.items():
            if there and column not in there:
                yield Problem(document.place("kinds", name, *path), f"rows of a {name} have no {column}")


def _wash_problems(document: Document, codes: Any) -> Iterator[Problem]:
    said = document.value
    wash = said["wash_sales"]
    yield from missing(document, ("wash_sales", "code"), wash["code"], codes, "code")
    for n, name in enumerate(wash["classes"]):
        yield from missing(document, ("wash_sales", "classes", n), name, said["asset_classes"], "asset class")
    for n, name in enumerate(wash[SAME]):
        yield from missing(document, ("wash_sales", SAME, n), name, said["kinds"], "kind")
    for block, key in (("acquired_by", "kinds"), ("short_sales", "closed_by"), ("short_sales", "also")):
        for n, name in enumerate(wash[block][key]):
            yield from missing(document, ("wash_sales", block, key, n), name, said["kinds"], "kind")


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
        for does, amount in LEGS.items():
            names = dict.fromkeys(AMOUNTS[does], "money")
            for what in (amount, "loss_basis"):
                if what in said.get(does, {}):
                    yield from _reading(document, ("kinds", kind, does, what), names, "money")
    yield from _reading(document, ("term", "long_from"), {**TERM, **used}, "date")


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


def example_problems(year: Year) -> Iterator[Problem]:
    """The examples of holding periods and of pools that do not come out as they say."""
    yield from _term_problems(year)
    document = year.documents[FILE]
    names = {name: year.parameter(name, next(iter(year.statuses))) for name in document.value["uses"]}
    for name, said in document.value["pools"].items():
        for n, example in enumerate(said.get("examples") or ()):
            on = example["given"]["on"]
            got = UNIVERSAL if on < names[said["from"]] else said["kept"]
            if got != example["expect"]:
                where = document.place("pools", name, "examples", n)
                yield Problem(where, f"{name}: lots on {on} should be kept {example['expect']} and are kept {got}")


def _term_problems(year: Year) -> Iterator[Problem]:
    document = year.documents[FILE]
    for n, example in enumerate(document.value["term"]["examples"]):
        acquired, sold = example["given"]["acquired"], example["given"]["sold"]
        got = term_of(year, acquired, sold)
        if got != example["expect"]:
            said = f"acquired {acquired} and sold {sold} should be {example['expect']} and is {got}"
            yield Problem(document.place("term", "examples", n), f"term: {said}")
