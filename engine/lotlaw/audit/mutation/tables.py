"""Changes to the tables of a year, long or short and the boxes of Form 8949, and whether anything notices them.

What notices: the examples of holding periods and pools, those of Form 8949's rows, and boxes with a gap or an overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lotlaw.audit.mutation.altering import altered
from lotlaw.audit.mutation.changes import Change, with_value
from lotlaw.check.rulebook import box_problems
from lotlaw.formula import Reader, parse
from lotlaw.law import Year
from lotlaw.lots.treatment import FILE, example_problems
from lotlaw.readings import exact
from lotlaw.source import Path_, Problems

FORM = "form_8949"


def table_changes(year: Year) -> Iterator[Change]:
    """Changes of the tables that stand in a year's own folder."""
    if year.origins[FILE] == year.year:
        yield from _formula_changes(year, FILE, ("term", "long_from"), {"acquired": [], "long_term_after": []})
    if year.origins[FORM] != year.year:
        return
    said = year.documents[FORM].value
    for letter, column in said["columns"].items():
        if "is" in column:
            added = [other for other, c in said["columns"].items() if c.get("total") and "is" not in c]
            near = {a: [b] for a, b in zip(added, [*added[1:], added[0]], strict=True)}
            yield from _formula_changes(year, FORM, ("columns", letter, "is"), near)
    for box, is_ in said["boxes"].items():
        for key in ("part", "form_1099", "digital"):
            known = dict.fromkeys((*(b[key] for b in said["boxes"].values()), *(_DIGITAL if key == "digital" else ())))
            for other in known:
                if other != is_[key]:
                    yield _changed(year, FORM, ("boxes", box, key), other)


_DIGITAL = ("any", True, False)


def _formula_changes(year: Year, file: str, path: Path_, near: Mapping[str, list[str]]) -> Iterator[Change]:
    document = year.documents[file]
    for what, new in altered(parse(str(document.at(path)), document.place(*path)), near):
        yield replace(_changed(year, file, path, new.text), what=what)


def _changed(year: Year, file: str, path: Path_, new: Any) -> Change:
    document = year.documents[file]
    changed = replace(document, value=with_value(document.value, path, new))
    about = f"{file} {' '.join(map(str, path))}"
    what = f"{_word(document.at(path))} -> {_word(new)}"
    return Change(
        document.place(*path), about, what, replace(year, documents={**year.documents, file: changed}), tables=True
    )  # fmt: skip


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def tables_notice(year: Year) -> bool:
    """Whether an example of the tables fails in a changed year, or its boxes leave a gap or overlap."""
    try:
        return any(True for _ in (*example_problems(year), *box_problems(year), *_row_problems(year)))
    except Problems:
        return True


def _row_problems(year: Year) -> Iterator[str]:
    """The examples of Form 8949's rows that do not come out."""
    document = year.documents[FORM]
    for example in document.value.get("examples") or ():
        for letter, expected in example["expect"].items():
            formula = parse(str(document.at(("columns", letter, "is"))), document.place("columns", letter, "is"))
            amounts = {name: exact.const(example["given"].get(name, 0)) for name in formula.names}
            if Reader(exact, amounts).read(formula) != expected:
                yield example["name"]
