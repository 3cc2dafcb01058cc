"""The law of one tax year, loaded from its folder: parameters, forms, lines, functions, citations.

`load(2025)` reads `rules/2025/year.yaml`, follows its pins (one hop), checks what every formula is made of, and gives
a `Year`. When the year's `LOCK` holds the digest of what was read, the slower checks are known to have passed;
otherwise they run too. Whatever is wrong is collected and raised at once as `Problems`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from lotlaw.formula import Formula, parse
from lotlaw.law import Cite, Form, Function, Input, Line, Parameter, Year
from lotlaw.schema import shape_problems
from lotlaw.source import Document, Place, Problem, Problems, data_root, read_yaml, refuse, shown

TABLES = ("dispositions", "form_8949")
"""Files that hold tables for the lot engine and boxes instead of lines."""
EXAMPLES = "examples"
"""The file of worked examples that are meant for one year, of whichever forms; every year has its own, if any."""
PUBLISHED = "published"
NO_RULES = "no rules here: a folder of rules has a folder for each tax year, such as 2025/year.yaml"


def load(year: int, rules: Path | None = None) -> Year:
    """The rules of a tax year from the folder `rules` (default: those that come with lotlaw). Raises Problems."""
    root = Path(rules) if rules else data_root() / "rules"
    if not (root / str(year) / "year.yaml").is_file():
        known = ", ".join(str(y) for y in years(root))
        raise refuse(root, f"no rules for tax year {year}; there are rules for {known}" if known else NO_RULES)
    return _load(year, root)


def forget() -> None:
    """Read the files anew from now on: some were changed."""
    _load.cache_clear()
    _read.cache_clear()


def years(root: Path) -> list[int]:
    """The tax years a folder of rules holds."""
    return sorted(int(p.parent.name) for p in root.glob("[0-9]*/year.yaml") if p.parent.name.isdigit())


@lru_cache(maxsize=32)
def _load(year: int, root: Path) -> Year:
    contents = _read(root / str(year) / "year.yaml")
    documents, origins = _documents(contents, root)
    digest = digest_of(documents)
    if not locked(root, year, digest):
        problems = shapes(documents)
        if problems:
            raise Problems(problems)
    return _Assembly(contents, documents, origins, root, digest).year()


def shapes(documents: Mapping[str, Document]) -> list[Problem]:
    """Where the files of a year depart from their schemas."""
    own = ("year", "parameters", EXAMPLES, *TABLES)
    return [
        p for name, document in documents.items() for p in shape_problems(document, name if name in own else "form")
    ]


@lru_cache(maxsize=256)
def _read(path: Path) -> Document:
    return read_yaml(path)


def _documents(contents: Document, root: Path) -> tuple[dict[str, Document], dict[str, int]]:
    """Every file of the year by name, pins resolved, and the year each was written for."""
    documents, origins, problems = {"year": contents}, {}, []
    files = contents.value.get("files") if isinstance(contents.value, dict) else None
    if not isinstance(files, dict):
        raise refuse(contents.place(), "a year lists its `files:`")
    for name, origin in files.items():
        at = origin.get("from") if isinstance(origin, dict) else origin
        if name == EXAMPLES and at != contents.value.get("year"):
            said = f"examples are worked out for one year: `examples: {contents.value.get('year')}`"
            problems.append(Problem(contents.key("files", name), said))
            continue
        path = root / str(at) / f"{name}.yaml"
        if not (isinstance(at, int) and name.isidentifier() and path.is_file()):
            there = ", ".join(str(y) for y in years(root) if (root / str(y) / path.name).is_file()) or "no year"
            said = f"{shown(path)} does not exist; {path.name} stands in the folder of {there}"
            problems.append(Problem(contents.key("files", name), said))
            continue
        try:
            documents[name], origins[name] = _read(path), at
        except Problems as found:
            problems += found.problems
    if problems:
        raise Problems(problems)
    origins.pop(EXAMPLES, None)
    return documents, origins


def sources_of(year: Year, file: str) -> Mapping[str, Any]:
    """The sources that a file's citations name: those of the year the file was written for."""
    contents = year.documents["year"]
    origin = year.origins.get(file, year.year)
    if origin != year.year:
        contents = _read(year.root / str(origin) / "year.yaml")
    sources: Mapping[str, Any] = contents.value["sources"]
    return sources


def digest_of(documents: Mapping[str, Document]) -> str:
    """SHA-256 of what a year says: comments and layout are free, values are not."""
    said = {name: document.value for name, document in documents.items()}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()


def locked(root: Path, year: int, digest: str) -> bool:
    """Whether the year's LOCK file was made of what has this digest."""
    return lock_of(root, year).digest == digest


class Lock(NamedTuple):
    """What a LOCK file says: the digest and status that a year had, and the digests it was published with before."""

    digest: str = ""
    status: str = ""
    before: tuple[str, ...] = ()


def lock_of(root: Path, year: int) -> Lock:
    """The LOCK of a year: a line `digest status`, below it what it was published as before; empty if there is none."""
    try:
        lines = [line.split() for line in (root / str(year) / "LOCK").read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        return Lock()
    first, *earlier = [words for words in lines if words] or [[""]]
    return Lock(first[0], first[1] if first[1:] else "", tuple(words[0] for words in earlier))


def erratum_of(year: Year, digest: str) -> Mapping[str, Any] | None:
    """The erratum by which what had this digest was corrected."""
    errata = year.documents["year"].value.get("errata") or ()
    return next((erratum for erratum in errata if digest.startswith(str(erratum["was"]))), None)


def cite_in(sources: Mapping[str, Any], cite: Mapping[str, Any] | None) -> Cite:
    """A citation with the title and address of its source; an empty one if there is none."""
    if not cite or cite["source"] not in sources:
        return Cite("", "")
    source = sources[cite["source"]]
    return Cite(source["title"], source["url"], str(cite.get("at", "")), str(cite.get("quote", "")))


class _Assembly:
    """Builds a Year from its documents, collecting problems on the way."""

    def __init__(
        self, contents: Document, documents: dict[str, Document], origins: dict[str, int], root: Path, digest: str
    ) -> None:
        self.contents, self.documents, self.origins, self.root, self.digest = contents, documents, origins, root, digest
        self.problems: list[Problem] = []

    def year(self) -> Year:
        said = self.contents.value
        forms = {
            name: self.form(name, document)
            for name, document in self.documents.items()
            if name not in ("year", "parameters", EXAMPLES, *TABLES)
        }
        year = Year(
            said["year"], said["status"], self.digest, said["statuses"], said.get("same_as") or {}, self.parameters(),
            self.functions(), forms, self.documents, said.get("not_verified") or {},
            tuple(said.get("not_computed") or ()), self.origins, self.root,
        )  # fmt: skip
        if self.problems:
            raise Problems(self.problems)
        return year

    def cite(self, name: str, cite: Mapping[str, Any] | None) -> Cite:
        origin = self.origins.get(name)
        document = self.contents if origin is None else _read(self.root / str(origin) / "year.yaml")
        return cite_in(document.value["sources"], cite)

    def parameters(self) -> dict[str, Parameter]:
        document = self.documents["parameters"]
        return {name: self.parameter(name, said, document.key(name)) for name, said in document.value.items()}

    def parameter(self, name: str, said: Mapping[str, Any], place: Place) -> Parameter:
        changed_by = said.get("changed_by")
        return Parameter(
            name, said["label"], said["unit"], said["value"], self.cite("parameters", said.get("cite")), place,
            indexed=bool(said.get("indexed")), half_for=said.get("half_for", ""),
            changed_by=self.cite("parameters", changed_by) if changed_by else None,
            unread=said.get("unread", ""), projected=said.get("projected", ""),
        )  # fmt: skip

    def functions(self) -> dict[str, Function]:
        found = {}
        for file, document in self.documents.items():
            for name, f in (document.value.get("functions") or {}).items():
                formula = self.formula(f["is"], document.place("functions", name, "is"))
                if formula:
                    cite = self.cite(file, f.get("cite") or document.value.get("cite"))
                    uses = tuple(document.value.get("uses") or ())
                    found[name] = Function(name, f["args"], formula, uses, f.get("label", name), cite)
        return found

    def formula(self, text: Any, place: Place) -> Formula | None:
        try:
            return parse(str(text), place)
        except Problems as found:
            self.problems += found.problems
            return None

    def optional(self, text: Any, place: Place) -> Formula | None:
        return None if text is None else self.formula(text, place)

    def form(self, name: str, document: Document) -> Form:
        said = document.value
        columns = said.get("columns") or {}
        formulas = {
            c: self.formula(v["is"], document.place("columns", c, "is"))
            for c, v in columns.items()
            if isinstance(v, dict) and "is" in v
        }
        return Form(
            name=name, title=said["title"], cite=self.cite(name, said.get("cite")), round=said.get("round", "cent"),
            only_if=self.optional(said.get("only_if"), document.place("only_if")),
            uses=tuple(said.get("uses") or ()), inputs=self.inputs(document), lines=self.lines(name, document),
            columns={c: v["label"] if isinstance(v, dict) else v for c, v in columns.items()},
            column_formulas={c: f for c, f in formulas.items() if f},
            parts=said.get("parts") or {}, exports={k: str(v) for k, v in (said.get("exports") or {}).items()},
            asks=tuple(said.get("asks") or ()), examples=tuple(said.get("examples") or ()), document=document,
        )  # fmt: skip

    def inputs(self, document: Document) -> dict[str, Input]:
        return {
            name: Input(name, i["unit"], i["from"], i.get("label", ""), document.key("inputs", name))
            for name, i in (document.value.get("inputs") or {}).items()
        }

    def lines(self, form: str, document: Document) -> dict[str, Line]:
        ids = list(document.value.get("lines") or {})
        skips = self.skips(document, ids)
        return {id_: self.line(form, id_, document, tuple(skips.get(id_, ()))) for id_ in ids}

    def skips(self, document: Document, ids: list[str]) -> dict[str, list[Formula]]:
        """By line, the conditions under which the form says to skip it."""
        skipped: dict[str, list[Formula]] = {}
        for n, skip in enumerate(document.value.get("skip") or ()):
            formula = self.formula(skip["if"], document.place("skip", n, "if"))
            first, last = (str(id_) for id_ in skip["lines"])
            if first not in ids or last not in ids:
                self.problems.append(Problem(document.place("skip", n, "lines"), f"no lines {first} to {last}"))
            elif formula:
                for id_ in ids[ids.index(first) : ids.index(last) + 1]:
                    skipped.setdefault(id_, []).append(formula)
        return skipped

    def line(self, form: str, id_: str, document: Document, skips: tuple[Formula, ...]) -> Line:
        said, at = document.value["lines"][id_], ("lines", id_)
        kind = next((k for k in ("is", "yes_if", "total_of", "input") if k in said), "")
        if not kind:
            self.problems.append(
                Problem(document.key(*at), f"line {id_}: say one of `is`, `yes_if`, `total_of`, `input`")
            )
        formula = self.formula(said[kind], document.place(*at, kind)) if kind in ("is", "yes_if") else None
        columns = tuple(said.get("columns") or ())
        if kind == "total_of" and "column" not in said["total_of"]:
            columns = tuple(document.value.get("columns") or ())
        return Line(
            form=form, id=id_, label=said["label"], kind=kind, formula=formula,
            only_if=self.optional(said.get("only_if"), document.place(*at, "only_if")), skips=skips,
            total_of=said.get("total_of") or {}, columns=columns, parentheses=said.get("print") == "parentheses",
            to=said.get("to", ""), on_form=str(said.get("on_form", "")),
            unit={"yes_if": "flag"}.get(kind, said.get("unit", "money")), at_least=said.get("at_least"),
            cite=self.cite(form, said.get("cite") or document.value.get("cite")), place=document.key(*at),
        )  # fmt: skip
