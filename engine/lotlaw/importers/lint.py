"""Check all mappings of a folder before they meet a file: shape, names, patterns, formulas, and the tests they carry.

`LOCK` holds the digests of mappings that passed, so that reading a file need not check its mapping's shape again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.importers.language import TITLE, Importer
from lotlaw.source import Document, Path_, Problem, Problems, read_yaml

if TYPE_CHECKING:
    from lotlaw.importers.binding import Binding


def problems(rules: Path, *, locked: bool = False) -> list[Problem]:
    """What is wrong with the mappings in `rules/sources` and with `rules/assets.yaml`.

    With `locked`, a mapping that LOCK holds as it is counts as sound: it passed when it was locked.
    """
    from lotlaw.importers.detect import signature
    from lotlaw.importers.mapping import checked
    from lotlaw.importers.trial import failures
    from lotlaw.schema import shape_problems

    found = list(_assets(rules / "assets.yaml"))
    taken: dict[str, str] = {}
    for path in _mappings(rules):
        try:
            if locked and checked(path):
                taken[signature(path).id] = path.name
                continue
            document = read_yaml(path, text_only=True)
            found += shape_problems(document, "source") or _fit(path, document) or failures(document, signature(path))
            id_ = document.value["id"] if isinstance(document.value, dict) else path.stem
            if id_ in taken:
                found.append(Problem(document.place("id"), f"'{id_}' is the id of {taken[id_]} already"))
            taken[id_] = path.name
        except Problems as refused:
            found += refused.problems
    return found


def lock(rules: Path) -> str:
    """Write the LOCK of mappings in which nothing is wrong, and say so. Raises Problems otherwise."""
    wrong = problems(rules)
    if wrong:
        raise Problems(wrong)
    digests = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in _mappings(rules)]
    target = rules / "sources" / "LOCK"
    target.write_text("".join(digests), encoding="utf-8")
    return f"{target}: {len(digests)} mappings"


def _mappings(rules: Path) -> list[Path]:
    return sorted((rules / "sources").glob("*.yaml"))


def _assets(path: Path) -> Iterator[Problem]:
    """Problems of the known assets: shape, and a symbol or class that stands twice."""
    from lotlaw.schema import shape_problems

    document = read_yaml(path, text_only=True)
    wrong = shape_problems(document, "assets")
    yield from wrong
    for part in ("families", "assets") if not wrong else ():
        seen: dict[str, str] = {}
        for group, words in document.value[part].items():
            for n, word in enumerate(words):
                if word in seen:
                    yield Problem(document.place(part, group, n), f"'{word}' stands under {seen[word]} already")
                seen[word] = group
    yield from () if wrong else _option_names(document)


def _option_names(document: Document) -> Iterator[Problem]:
    """Ways to write an option's name that are no patterns, lack a group, or do not take the name they are for."""
    from lotlaw.formula import Mistake
    from lotlaw.importers.options import GROUPS, contracts
    from lotlaw.readings.text import pattern

    said = document.value.get("options", {"names": []})
    for n, name in enumerate(said["names"]):
        at = ("options", "names", n, "pattern")
        lacking = [group for group in GROUPS if f"(?<{group}>" not in name["pattern"]]
        if lacking:
            yield Problem(document.place(*at), f"the pattern lacks the group (?<{lacking[0]}>...)")
            continue
        try:
            pattern(name["pattern"])
        except Mistake as mistake:
            yield Problem(document.place(*at), mistake.message)
            continue
        if contracts([name["like"]], {**said, "names": [name]})["underlying"].null_count():
            yield Problem(document.place(*at), f"the pattern does not read {name['like']}, the name it is for")


def _fit(path: Path, document: Document) -> list[Problem]:
    """Formulas that do not fit their columns (over no rows); values that no rule takes, rules that none reaches."""
    from lotlaw.importers.mapping import load
    from lotlaw.importers.reach import unreached

    importer = load(path)
    parts: list[tuple[Path_, Importer]] = [(("sections", s.name), s.importer) for s in importer.sections]
    return [
        problem
        for base, one in parts or [((), importer)]
        for problem in _fits(one, path.name) or unreached(one, document, base)
    ]


def _fits(importer: Importer, name: str) -> list[Problem]:
    import polars as pl

    from lotlaw.importers import answers
    from lotlaw.importers.clock import clock
    from lotlaw.importers.events import rehearse
    from lotlaw.importers.scope import scope
    from lotlaw.importers.tables import values

    binding = _whole(importer)
    raw = pl.DataFrame(schema={"line": pl.Int32, **dict.fromkeys(binding.fields, pl.String)})
    frame, _, _ = values(importer, binding, name, raw)
    given = answers.answered(importer, name, answers.examples(importer))
    reading = importer.reading
    said = dict.fromkeys((*reading.preamble, *reading.filename, *reading.footer, TITLE), "1")
    time = clock(answers.formats(importer, given), answers.zone(importer, given), "UTC")
    try:
        rehearse(scope(importer, binding, name, time, {**said, **given}), frame)
    except Problems as refused:
        return refused.problems
    return []


def _whole(importer: Importer) -> Binding:
    """A header that has every column of a mapping, and those of one asset where they come once for each."""
    from lotlaw.importers.binding import BETWEEN, Binding
    from lotlaw.importers.reading import Header

    wide = importer.wide.columns if importer.wide else ()
    columns = [*importer.columns, *(replace(column, alias=f"{column.alias}{BETWEEN}A") for column in wide)]
    fields = {column.alias: n for n, column in enumerate(columns)}
    caught = {f"{column.alias}_hdr": "USD" for column in importer.columns}
    return Binding({c.alias: c for c in columns}, fields, caught, Header(1, 1, tuple(fields), ","))
