"""Read a mapping, `rules/sources/<name>.yaml`: how one kind of export becomes rows of the ledger.

Everything in it is data: columns by name, formulas of the *text* profile, tables of values. Nothing in it can run code,
reach attributes, files or the network; patterns are matched in linear time. Scalars are read as the text they are
(`NO`, `1E5`, `Yes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from lotlaw.formula import Formula, Mistake, did_you_mean, parse, unknown
from lotlaw.importers.canonical import table
from lotlaw.importers.language import ORDERS, TIME, Column, Event, Group, Importer, Leg, Reading, Rule, Skip, Values
from lotlaw.source import Document, Path_, Place, Problem, Problems, parse_yaml, read_yaml, shown

TESTS = "\ntests:"
"""What the tests of a mapping begin with: nobody who reads a file needs them."""


def load(path: Path) -> Importer:
    """Read and check one mapping, all but its tests. Raises Problems with the place of each."""
    if checked(path):
        text = path.read_text(encoding="utf-8-sig").split(TESTS, 1)[0]
        return _Assembly(parse_yaml(text, shown(path), text_only=True)).importer()
    from lotlaw.schema import shape_problems

    document = read_yaml(path, text_only=True)
    problems = shape_problems(document, "source")
    if problems:
        raise Problems(problems)
    return _Assembly(document).importer()


def checked(path: Path) -> bool:
    """Whether the folder's LOCK holds the file as it is: then its shape is known to be right."""
    import hashlib

    try:
        words = (path.parent / "LOCK").read_text(encoding="utf-8").split()
        return hashlib.sha256(path.read_bytes()).hexdigest() in words
    except OSError:
        return False


@lru_cache(maxsize=1)
def functions() -> Iterable[str]:
    """The functions that formulas of mappings may call."""
    from lotlaw.readings import text

    return (*text.functions, "date_of")


class _Assembly:
    """Builds an importer from its document, collecting problems on the way."""

    def __init__(self, document: Document) -> None:
        self.document, self.said = document, document.value
        self.problems: list[Problem] = []
        self.columns = tuple(_column(alias, said) for alias, said in self.said["columns"].items())
        self.names = {c.alias for c in self.columns} | set(self.part("read").get("preamble", {}))
        self.names |= {f"{c.alias}_hdr" for c in self.columns if any(name.startswith("/") for name in c.names)}
        self.legs: Mapping[str, Leg] = {}
        self.shared: Mapping[str, Formula | str] = {}
        self.patterns()

    def part(self, key: str) -> dict[str, Any]:
        return self.said.get(key) or {}

    def at(self, path: Path_) -> Any:
        value = self.said
        for step in path:
            value = value[step]
        return value

    def problem(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, message))

    def importer(self) -> Importer:
        said, time, classes, symbols = self.said, self.part("time"), self.part("classes"), self.part("symbols")
        derive = {name: self.derived(name) for name in self.part("derive")}
        self.shared = {
            **{name: self.word(name, word, ("const", name)) for name, word in self.part("const").items()},
            **{name: self.field(name, ("every", name)) for name in self.part("every")},
        }
        importer = Importer(
            id=said["id"], version=int(said["version"]), title=said["title"], file=self.document.file,
            reading=self.reading(), columns=self.columns, formats=tuple(time.get("formats", ("iso",))),
            zone=time.get("zone"), derive=derive,
            skip=tuple(self.skip(("skip", n)) for n in range(len(said.get("skip", ())))),
            groups=tuple(self.group(("group", n)) for n in range(len(said.get("group", ())))),
            rules=tuple(self.rule(("rules", n)) for n in range(len(said.get("rules", ())))),
            symbols=symbols.get("map", {}), symbol_patterns=tuple((a, b) for a, b in symbols.get("patterns", ())),
            asset_class=classes.get("otherwise"), known_assets=_yes(classes, "known"),
            key=tuple(said.get("key", ("external_id", "kind", "sub"))), show=tuple(said.get("show", ())),
        )  # fmt: skip
        if self.problems:
            raise Problems(self.problems)
        return importer

    def reading(self) -> Reading:
        read = self.part("read")
        return Reading(
            read.get("preamble", {}), read.get("stop_at"), read.get("order", ORDERS[0]), _yes(read, "strict"),
            _yes(read, "canonical"), _yes(read, "escaped"),
        )  # fmt: skip

    def patterns(self) -> None:
        """Check the patterns outside formulas: of column names, lines and symbols."""
        from lotlaw.readings.text import pattern

        for path, text in self.said_patterns():
            try:
                pattern(text)
            except Mistake as mistake:
                self.problem(self.document.place(*path), mistake.message)

    def said_patterns(self) -> Iterator[tuple[Path_, str]]:
        for column in self.columns:
            yield from ((("columns", column.alias), n.strip("/")) for n in column.names if n.startswith("/"))
        for name, text in self.part("read").get("preamble", {}).items():
            yield ("read", "preamble", name), text
        for n, (text, _) in enumerate(self.part("symbols").get("patterns", ())):
            yield ("symbols", "patterns", n), text
        for part, key in (("read", "stop_at"), ("detect", "under")):
            if key in self.part(part):
                yield (part, key), self.part(part)[key]

    def formula(self, path: Path_, text: str | None = None) -> Formula:
        place = self.document.place(*path)
        try:
            formula = parse(_unescaped(self.at(path) if text is None else text), place, "text")
        except Problems as found:
            self.problems += found.problems
            return parse("null", place, "text")
        fields = {f"{leg}.{name}" for leg in self.legs for name in (*self.names, "n")}
        items = {f"it.{name}" for name in self.names if self.legs}
        self.problems += unknown(formula, self.names | fields | items, functions())
        return formula

    def known(self, name: str, path: Path_, names: Iterable[str]) -> None:
        if name not in names:
            self.problem(self.document.place(*path), f"unknown name '{name}'{did_you_mean(name, names)}")

    def derived(self, name: str) -> Formula | Values:
        path = ("derive", name)
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
        return Values(said["of"], labels)

    def skip(self, path: Path_) -> Skip:
        return Skip(self.formula((*path, "when")), self.at(path)["why"])

    def group(self, path: Path_) -> Group:
        said = self.at(path)
        when = self.formula((*path, "when"))
        by = tuple(self.formula((*path, "by", n)) for n in range(len(said["by"])))
        self.legs = {name: self.leg((*path, "legs", name)) for name in said["legs"]}
        rules = tuple(self.rule((*path, "rules", n)) for n in range(len(said["rules"])))
        group = Group(said["name"], when, by, self.legs, rules)
        self.legs = {}
        return group

    def leg(self, path: Path_) -> Leg:
        said = self.at(path)
        for key in ("sum", "same"):
            for n, alias in enumerate(said.get(key, ())):
                self.known(alias, (*path, key, n), self.names)
        take = int(said["take"]) if "take" in said else None
        where = self.formula((*path, "where"))
        return Leg(where, tuple(said.get("sum", ())), tuple(said.get("same", ())), take, int(said.get("skip", 0)))

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


def _column(alias: str, said: Any) -> Column:
    if isinstance(said, str):
        return Column(alias, (said,))
    names = said["from"]
    return Column(
        alias, tuple([names] if isinstance(names, str) else names), said.get("type", "text"), _yes(said, "optional"),
        tuple(said.get("values", ())), _yes(said, "round"),
    )  # fmt: skip


def _yes(said: Mapping[str, Any], key: str) -> bool:
    return str(said.get(key, "")).lower() in ("true", "yes")
