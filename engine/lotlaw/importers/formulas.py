"""Read what a mapping says in formulas: derived columns, value tables, rules, legs of groups, the fields they write.

Every name is looked up as it is read, so that a mistake is named with its place before a file is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lotlaw.formula import Formula, did_you_mean, parse, unknown
from lotlaw.importers.canonical import table
from lotlaw.importers.language import (
    TIME,
    Allocation,
    Cancel,
    Check,
    Event,
    Group,
    Latest,
    Leg,
    Rule,
    Skip,
    Values,
    Within,
)  # fmt: skip
from lotlaw.source import Document, Path_, Place, Problem, Problems

CHECKED = ("that", "balance", "change", "sum", "equals")
"""The formulas that a check may have."""


@lru_cache(maxsize=1)
def functions() -> Iterable[str]:
    """The functions that formulas of mappings may call."""
    from lotlaw.readings import text

    return (*text.functions, "date_of", "option")


class Formulas:
    """Reads the formulas of a document over `names`, collecting problems on the way."""

    def __init__(self, document: Document, names: Iterable[str], problems: list[Problem]) -> None:
        self.document, self.problems = document, problems
        self.names = set(names)
        self.legs: Mapping[str, Leg] = {}
        self.items: set[str] = set()
        self.shared: Mapping[str, Formula | str] = {}

    def at(self, path: Path_) -> Any:
        return self.document.at(path)

    def problem(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, message))

    def formula(self, path: Path_, text: str | None = None) -> Formula:
        place = self.document.place(*path)
        try:
            formula = parse(_unescaped(self.at(path) if text is None else text), place, "text")
        except Problems as found:
            self.problems += found.problems
            return parse("null", place, "text")
        fields = {f"{leg}.{name}" for leg in self.legs for name in (*self.names, "n")}
        items = self.items | {f"it.{name}" for name in self.names if self.legs}
        self.problems += unknown(formula, self.names | fields | items, functions())
        return formula

    def known(self, name: str, path: Path_, names: Iterable[str]) -> None:
        if name not in names:
            self.problem(self.document.place(*path), f"unknown name '{name}'{did_you_mean(name, names)}")

    def share(self, base: Path_) -> None:
        """Take up the fields that every event of this part of the document has."""
        said = self.at(base)
        const = {name: self.word(name, word, (*base, "const", name)) for name, word in said.get("const", {}).items()}
        every = {name: self.field(name, (*base, "every", name)) for name in said.get("every", ())}
        self.shared = {**self.shared, **const, **every}

    def derived(self, base: Path_) -> dict[str, Formula | Values]:
        return {name: self.one_derived((*base, name), name) for name in self.at(base)}

    def one_derived(self, path: Path_, name: str) -> Formula | Values:
        result = self.formula(path) if isinstance(self.at(path), str) else self.values(path)
        self.names.add(name)
        return result

    def values(self, path: Path_) -> Values:
        said, labels = self.at(path), dict[str, str]()
        for label, cells in said["map"].items():
            for n, cell in enumerate(cells):
                if cell in labels:
                    place = self.document.place(*path, "map", label, n)
                    self.problem(place, f"'{cell}' stands under '{labels[cell]}' already")
                labels[cell] = label
        self.known(said["of"], (*path, "of"), self.names)
        return Values(said["of"], labels, said.get("match") == "prefix")

    def listed(self, base: Path_) -> tuple[Formula, ...]:
        return tuple(self.formula((*base, n)) for n in range(len(self.at(base))))

    def cancels(self, base: Path_) -> tuple[Cancel, ...]:
        return tuple(self.cancel((*base, n)) for n in range(len(self.at(base))))

    def cancel(self, path: Path_) -> Cancel:
        said = self.at(path)
        one, other, time = (self.formula((*path, key)) for key in ("when", "of", "time"))
        return Cancel(one, other, self.listed((*path, "same")), time, int(said["days"]), said["why"])

    def latest(self, path: Path_) -> Latest:
        return Latest(self.listed((*path, "by")), self.formula((*path, "most")), self.at(path)["why"])

    def checks(self, base: Path_) -> tuple[Check, ...]:
        return tuple(self.check((*base, n)) for n in range(len(self.at(base))))

    def check(self, path: Path_) -> Check:
        said = self.at(path)
        one = {key: self.formula((*path, key)) for key in CHECKED if key in said}
        by = self.listed((*path, "by")) if "by" in said else ()
        strict = str(said.get("strict")).lower() in ("true", "yes")
        within = Decimal(said.get("within", "0"))
        return Check(said["says"], self.document.place(*path), **one, by=by, strict=strict, within=within)

    def skips(self, base: Path_) -> tuple[Skip, ...]:
        return tuple(Skip(self.formula((*base, n, "when")), said["why"]) for n, said in enumerate(self.at(base)))

    def groups(self, base: Path_) -> tuple[Group, ...]:
        return tuple(self.group((*base, n)) for n in range(len(self.at(base))))

    def group(self, path: Path_) -> Group:
        said = self.at(path)
        when = self.formula((*path, "when"))
        by = self.listed((*path, "by"))
        self.legs = {name: self.leg((*path, "legs", name)) for name in said["legs"]}
        within = self.within((*path, "within")) if "within" in said else None
        allocate = {name: self.allocation((*path, "allocate", name)) for name in said.get("allocate", ())}
        self.items = {f"it.{name}" for name in allocate}
        group = Group(said["name"], when, by, self.legs, self.rules((*path, "rules")), within, allocate)
        self.legs, self.items = {}, set()
        return group

    def within(self, path: Path_) -> Within:
        return Within(int(self.at(path)["seconds"]), self.formula((*path, "of")))

    def allocation(self, path: Path_) -> Allocation:
        over = self.at(path)["over"]
        self.known(over, (*path, "over"), self.legs)
        return Allocation(self.formula((*path, "of")), over, self.formula((*path, "by")), self.document.place(*path))

    def leg(self, path: Path_) -> Leg:
        said = self.at(path)
        for key in ("sum", "same"):
            for n, alias in enumerate(said.get(key, ())):
                self.known(alias, (*path, key, n), self.names)
        take = int(said["take"]) if "take" in said else None
        where = self.formula((*path, "where"))
        return Leg(where, tuple(said.get("sum", ())), tuple(said.get("same", ())), take, int(said.get("skip", 0)))

    def rules(self, base: Path_) -> tuple[Rule, ...]:
        return tuple(self.rule((*base, n)) for n in range(len(self.at(base))))

    def rule(self, path: Path_) -> Rule:
        emit = self.at(path)["emit"]
        places = [(*path, "emit", n) for n in range(len(emit))] if isinstance(emit, list) else [(*path, "emit")]
        return Rule(self.formula((*path, "when")), tuple(self.event(p) for p in places), self.document.place(*path))

    def event(self, path: Path_) -> Event:
        said = self.at(path)
        own = {name: self.field(name, (*path, name)) for name in said if name not in ("if", "each")}
        each = said.get("each")
        if each is not None:
            self.known(each, (*path, "each"), self.legs)
        return Event({**self.shared, **own}, self.formula((*path, "if")) if "if" in said else None, each)

    def field(self, name: str, path: Path_) -> Formula | str:
        said = self.at(path)
        if isinstance(said, dict):
            return self.word(name, said["text"], path)
        if name not in table().literal:
            self.known_field(name, path)
            return self.formula(path)
        return self.formula(path, said[1:]) if said.startswith("=") else self.word(name, said, path)

    def word(self, name: str, word: str, path: Path_) -> str:
        self.known_field(name, path)
        words = table().words.get(name)
        if words and word not in words:
            self.problem(self.document.place(*path), f"{name} cannot be '{word}'{did_you_mean(word, words)}")
        return word

    def known_field(self, name: str, path: Path_) -> None:
        fields = {TIME, *table().formats}
        if name not in fields:
            self.problem(self.document.key(*path), f"unknown field '{name}'{did_you_mean(name, fields)}")


def _unescaped(formula: str) -> str:
    """A formula in whose texts a backslash is a backslash, as patterns want it, and no escape of Python's."""
    return formula.replace("\\", "\\\\")
