"""Read a mapping, `rules/sources/<name>.yaml`: how one kind of export becomes rows of the ledger.

Everything in it is data: columns by name, formulas of the *text* profile, tables of values. Nothing in it can run code,
reach attributes, files or the network; patterns are matched in linear time. Scalars are read as the text they are
(`NO`, `1E5`, `Yes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from keyword import iskeyword
from pathlib import Path
from typing import Any

from lotlaw.formula import Mistake, did_you_mean
from lotlaw.importers.formulas import Formulas
from lotlaw.importers.language import (
    ACCOUNT,
    LINE,
    ORDERS,
    TITLE,
    ByParam,
    Column,
    Importer,
    Marked,
    Param,
    Reading,
    Section,
    Tagged,
    Wide,
)
from lotlaw.source import Document, Path_, Problem, Problems, parse_yaml, read_yaml, shown

ENDS = ("stop_at", "stop_at_blank", "min_fields", "fill_down", "pair_rows", "footer")
"""How a table is read that a section may say for itself."""
SAID = ("preamble", "filename", "footer")
"""What names things that stand outside of the table."""
TESTS = "\ntests:"
"""What the tests of a mapping begin with: nobody who reads a file needs them."""


def load(path: Path) -> Importer:
    """Read and check one mapping, all but its tests. Raises Problems with the place of each."""
    return _loaded(path, path.read_bytes() if path.is_file() else b"", checked(path))


@lru_cache(maxsize=256)
def _loaded(path: Path, data: bytes, locked: bool) -> Importer:
    """The mapping at a path that holds this; its tests read it again and again."""
    if locked:
        text = data.decode("utf-8-sig").split(TESTS, 1)[0]
        return _Assembly(parse_yaml(text, shown(path), text_only=True), path).importer()
    from lotlaw.schema import shape_problems

    document = read_yaml(path, text_only=True)
    problems = shape_problems(document, "source")
    if problems:
        raise Problems(problems)
    return _Assembly(document, path).importer()


def checked(path: Path) -> bool:
    """Whether the folder's LOCK holds the file as it is: then its shape is known to be right."""
    import hashlib

    try:
        words = (path.parent / "LOCK").read_text(encoding="utf-8").split()
        return hashlib.sha256(path.read_bytes()).hexdigest() in words
    except OSError:
        return False


class _Assembly:
    """Builds an importer from its document, or from one of its sections, collecting problems on the way."""

    def __init__(self, document: Document, path: Path, base: Path_ = ()) -> None:
        self.document, self.said, self.path, self.base = document, document.value, path, base
        self.problems: list[Problem] = []
        self.columns = tuple(_column(alias, said) for alias, said in self.own("columns", {}).items())
        self.params = tuple(_param(name, said) for name, said in self.part("params").items())
        self.wide = _wide(self.own("wide", None))
        self.read = {**self.part("read"), **{key: self.own(key, None) for key in ENDS if self.own(key, None)}}
        wide = [self.wide.name, *(column.alias for column in self.wide.columns)] if self.wide else []
        self.names = {c.alias for c in self.columns} | {p.name for p in self.params} | {*wide, LINE, TITLE}
        self.names |= {name for part in SAID for name in self.read.get(part, {})}
        self.names |= {f"{c.alias}_hdr" for c in self.columns if any(name.startswith("/") for name in c.names)}
        self.words()
        self.patterns()

    def part(self, key: str) -> dict[str, Any]:
        """A part that holds for the whole mapping."""
        return self.said.get(key) or {}

    def own(self, key: str, default: Any) -> Any:
        """A part of the section, or of the mapping if it has none."""
        return self.document.at(self.base).get(key, default)

    def problem(self, path: Path_, message: str) -> None:
        self.problems.append(Problem(self.document.place(*path), message))

    def importer(self) -> Importer:
        importer = self.assembled()
        if self.problems:
            raise Problems(self.problems)
        return importer

    def assembled(self) -> Importer:
        said, classes, symbols = self.said, self.part("classes"), self.part("symbols")
        formulas = Formulas(self.document, self.names, self.problems)
        derive = {name: found for base in self.bases("derive") for name, found in formulas.derived(base).items()}
        for base in dict.fromkeys(((), self.base)):
            formulas.share(base)
        return Importer(
            id=said["id"], version=int(said["version"]), title=said["title"], file=self.document.file,
            assets=str(self.path.parent.parent / "assets.yaml"),
            reading=self.reading(), columns=self.columns, params=self.params, formats=self.formats(),
            zone=self.zone(self.part("time").get("zone")), derive=derive,
            cancels=self.each("cancel", formulas.cancels), latest=self.one("latest", formulas.latest),
            checks=self.each("check", formulas.checks), skip=self.each("skip", formulas.skips),
            groups=self.each("group", formulas.groups), rules=self.each("rules", formulas.rules),
            symbols=symbols.get("map", {}), symbol_patterns=tuple((a, b) for a, b in symbols.get("patterns", ())),
            asset_class=classes.get("otherwise"), known_assets=_yes(classes, "known"),
            key=tuple(said.get("key", ("external_id", "kind", "sub"))), show=tuple(self.own("show", ())),
            exclusive_with=tuple(said.get("exclusive_with", ())), identity=self.identity(), header=self.header(),
            account=self.part("const").get(ACCOUNT), sections=self.sections(), wide=self.wide,
        )  # fmt: skip

    def bases(self, key: str) -> list[Path_]:
        """Where a part stands: for the whole mapping, and in the section."""
        return [(*base, key) for base in dict.fromkeys(((), self.base)) if key in self.document.at(base)]

    def each(self, key: str, read: Callable[[Path_], tuple[Any, ...]]) -> tuple[Any, ...]:
        """A list of the mapping, followed by that of the section."""
        return tuple(one for base in self.bases(key) for one in read(base))

    def one(self, key: str, read: Callable[[Path_], Any]) -> Any:
        found = self.bases(key)
        return read(found[-1]) if found else None

    def sections(self) -> tuple[Section, ...]:
        return () if self.base else tuple(self.section(name) for name in self.part("sections"))

    def section(self, name: str) -> Section:
        said, inside = self.part("sections")[name], _Assembly(self.document, self.path, ("sections", name))
        importer = inside.assembled()
        self.problems += inside.problems
        tag = said.get("tag", ())
        tags = (tag,) if isinstance(tag, str) else tuple(tag)
        header, without = frozenset(said.get("header", ())), frozenset(said.get("without", ()))
        return Section(name, tags, said.get("under"), header, without, importer)

    def reading(self) -> Reading:
        read = self.read
        return Reading(
            read.get("preamble", {}), read.get("filename", {}), read.get("stop_at"), _yes(read, "stop_at_blank"),
            int(read.get("min_fields", 0)), _yes(self.part("detect"), "any_case"), read.get("order", ORDERS[0]),
            _yes(read, "strict"), _yes(read, "canonical"), _yes(read, "escaped"), _tagged(read.get("tagged")),
            _marked(read.get("marked")), _yes(read, "stacked"), tuple(read.get("fill_down", ())), read.get("pair_rows"),
            read.get("footer", {}), _yes(read, "decimal_comma"),
        )  # fmt: skip

    def identity(self) -> tuple[str, ...]:
        """The columns that tell rows apart, where the mapping says so."""
        aliases = [column.alias for column in self.columns]
        said = self.own("identity", ())
        for n, alias in enumerate(said):
            if alias not in aliases:
                self.problem((*self.base, "identity", n), f"unknown column '{alias}'{did_you_mean(alias, aliases)}")
        return tuple(said)

    def header(self) -> tuple[str, ...]:
        """The names by which the table is recognised, in an order that no correction changes."""
        detect = {"header": self.own("header", ())} if self.base else self.part("detect")
        choices = [name for choice in detect.get("any_of", ()) for name in choice]
        return tuple(sorted({*detect.get("header", ()), *choices}))

    def formats(self) -> tuple[str, ...] | ByParam:
        said = self.part("time").get("formats", ("iso",))
        if not isinstance(said, dict):
            return tuple(said)
        (name,) = said
        choices = {answer: tuple(formats) for answer, formats in said[name].items()}
        self.answers(("time", "formats", name), name, choices)
        return ByParam(name, choices)

    def answers(self, path: Path_, name: str, choices: Mapping[str, Any]) -> None:
        """See that formats are given for every answer that the user may give."""
        known = {param.name: param for param in self.params}
        if name not in known:
            self.problem(path, f"unknown parameter '{name}'{did_you_mean(name, known)}")
        elif set(choices) != set(known[name].values):
            self.problem(path, f"formats for {', '.join(choices)}; '{name}' is one of {', '.join(known[name].values)}")

    def zone(self, said: str | None) -> str | None:
        if said and said.startswith("="):
            names = [param.name for param in self.params]
            if said[1:] not in names:
                self.problem(("time", "zone"), f"unknown parameter '{said[1:]}'{did_you_mean(said[1:], names)}")
        return said

    def words(self) -> None:
        """See that formulas can read the names of columns, parameters and derived columns."""
        paths = [base for key in ("columns", "params", "derive") for base in self.bases(key)]
        for path in paths:
            for name in self.document.at(path):
                if iskeyword(name) or name in (LINE, TITLE):
                    place = self.document.key(*path, name)
                    self.problems.append(Problem(place, f"'{name}' cannot be a name: it means something else"))

    def patterns(self) -> None:
        """Check the patterns outside formulas: of column names, lines and symbols."""
        from lotlaw.readings.text import pattern

        for path, text in self.said_patterns():
            try:
                pattern(text)
            except Mistake as mistake:
                self.problem(path, mistake.message)

    def said_patterns(self) -> Iterator[tuple[Path_, str]]:
        for column in (*self.columns, *(self.wide.columns if self.wide else ())):
            part = "columns" if column in self.columns else "wide"
            yield from (((*self.base, part, column.alias), n.strip("/")) for n in column.names if n.startswith("/"))
        for key in ("under", "stop_at") if self.base else ():
            if self.own(key, None):
                yield (*self.base, key), self.own(key, None)
        if self.base:
            yield from (((*self.base, "footer", name), text) for name, text in self.own("footer", {}).items())
            return
        for part in SAID:
            yield from ((("read", part, name), text) for name, text in self.part("read").get(part, {}).items())
        for n, (text, _) in enumerate(self.part("symbols").get("patterns", ())):
            yield ("symbols", "patterns", n), text
        marked = self.part("read").get("marked", {})
        yield from ((("read", "marked", key), marked[key]) for key in ("start", "end") if marked)
        for part, key in (("read", "stop_at"), ("detect", "under")):
            if key in self.part(part):
                yield (part, key), self.part(part)[key]


def _column(alias: str, said: Any) -> Column:
    if isinstance(said, str):
        return Column(alias, (said,))
    names = said["from"]
    return Column(
        alias, tuple([names] if isinstance(names, str) else names), said.get("type", "text"), _yes(said, "optional"),
        tuple(said.get("values", ())), int(said.get("nth", 0)),
    )  # fmt: skip


def _wide(said: Mapping[str, Any] | None) -> Wide | None:
    return Wide(said["name"], tuple(_column(alias, one) for alias, one in said["columns"].items())) if said else None


def _tagged(said: Mapping[str, Any] | None) -> Tagged | None:
    if said is None:
        return None
    row = int(said["row"]) if "row" in said else None
    return Tagged(int(said["by"]), row, said.get("header", "Header"), said.get("data", "Data"), _left(said))


def _marked(said: Mapping[str, Any] | None) -> Marked | None:
    return Marked(said["start"], said["end"], _left(said)) if said else None


def _left(said: Mapping[str, Any]) -> dict[str, str]:
    """Why each tag that is no event is left out."""
    return {tag: why for why, tags in said.get("leave", {}).items() for tag in tags}


def _param(name: str, said: Mapping[str, Any]) -> Param:
    return Param(name, said["ask"], tuple(said.get("values", ())), said.get("default"), _yes(said, "many"))


def _yes(said: Mapping[str, Any], key: str) -> bool:
    return str(said.get(key, "")).lower() in ("true", "yes")
