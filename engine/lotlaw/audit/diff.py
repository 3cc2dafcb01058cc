"""`lotlaw rules diff`: what two years' rules mean differently; comments, layout and order of keys don't count.

A difference is of a kind (`value`, `line`, `box`, …), of a file, about something in it; it has what was said and what
is said now, where each stands, and for values the step in per cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotlaw.audit.entries import told
from lotlaw.audit.show import file_facts, plain, rule_of, said_value, title_of
from lotlaw.check.numbers import amounts_in
from lotlaw.law import Form, Line, Year
from lotlaw.rules import TABLES
from lotlaw.source import Document

NOT_LAW = ("title", "cite", "examples", "form")


@dataclass(frozen=True)
class Difference:
    """One difference: its kind, its file, what it is about, before and after, and where each stands; empty: nothing."""

    kind: str
    file: str
    about: str
    old: str = ""
    new: str = ""
    old_at: str = ""
    new_at: str = ""
    change: str = ""

    @property
    def where(self) -> str:
        """Where each of the two stands."""
        return " -> ".join(at for at in (self.old_at, self.new_at) if at)

    def text(self) -> str:
        """The difference as a person reads it."""
        change = f"  ({self.change})" if self.change else ""
        if self.old and self.new:
            return f"  {self.about}: {self.old} -> {self.new}{change}"
        word, said = ("added", self.new) if self.new else ("removed", self.old)
        return f"  {self.about} {word}: {said}"


def differences(old: Year, new: Year) -> list[Difference]:
    """All that differs in meaning between two years' rules, file by file."""
    found = [*_files(old, new), *_parameters(old, new)]
    for table in TABLES:
        found += _tables(table, old.documents[table], new.documents[table])
    for name in dict.fromkeys((*old.forms, *new.forms)):
        found += _forms(name, old.forms.get(name), new.forms.get(name))
    return found


def diff_text(old: Year, new: Year) -> str:
    """The differences as text, under the title of each file."""
    found, lines = differences(old, new), [f"{old.year} -> {new.year}"]
    for before, difference, after in zip([None, *found], found, [*found[1:], None], strict=False):
        if before is None or before.file != difference.file:
            year = new if difference.file in new.documents else old
            lines += [
                "",
                title_of(year, difference.file) if difference.file in year.documents else difference.file.capitalize(),
            ]
        lines.append(difference.text())
        if difference.where and (after is None or after.where != difference.where):  # what stands together, once
            lines.append(f"      {difference.where}")
    return "\n".join(lines if found else [f"{lines[0]}: nothing differs"]) + "\n"


def _files(old: Year, new: Year) -> Iterator[Difference]:
    for name in dict.fromkeys((*old.origins, *new.origins)):
        was, now = (_origin(year, name) for year in (old, new))
        if was != now and not (was == "its own" == now):
            yield Difference("file", "files", name, was, now)
    for name in dict.fromkeys((*old.not_verified, *new.not_verified)):
        said = [year.not_verified.get(name, "") for year in (old, new)]
        if bool(said[0]) != bool(said[1]):
            yield Difference("file", "files", f"{name} not verified", *said)


def _origin(year: Year, name: str) -> str:
    if name not in year.origins:
        return ""
    if year.origins[name] == year.year:
        return "its own"
    unchecked = "unchecked" in file_facts(year, name)
    return f"as in {year.origins[name]}" + (", unchecked" if unchecked else "")


def _parameters(old: Year, new: Year) -> Iterator[Difference]:
    for name in dict.fromkeys((*old.parameters, *new.parameters)):
        a, b = old.parameters.get(name), new.parameters.get(name)
        was = dict(amounts_in(a.value)) if a else {}
        now = dict(amounts_in(b.value)) if b else {}
        unit = b.unit if b else a.unit if a else ""
        old_at, new_at = (str(p.cite) if p else "" for p in (a, b))
        for path in dict.fromkeys((*was, *now)):
            if was.get(path) != now.get(path):
                about = f"{name} ({', '.join(map(str, path))})" if path else name
                row = "rate" if path and path[-1] == "rate" else unit
                said, says = (said_value(v[path], row) if path in v else "" for v in (was, now))
                step = _step(was.get(path), now.get(path))
                yield Difference("value", "parameters", about, said, says, old_at, new_at, step)


def _step(old: Any, new: Any) -> str:
    """The step from one amount to the next, in per cent."""
    if not all(isinstance(n, (int, Decimal)) and not isinstance(n, bool) for n in (old, new)) or not old:
        return ""
    return f"{(Decimal(new) / Decimal(old) - 1) * 100:+.2f} %"


def _tables(name: str, old: Document, new: Document) -> Iterator[Difference]:
    """Entries of a file of tables: boxes, codes, kinds of events."""
    if old.file == new.file:
        return
    kinds = {"boxes": "box", "codes": "code"}
    was, now = _entries(old), _entries(new)
    for path in dict.fromkeys((*was, *now)):
        if was.get(path) != now.get(path):
            said = [told(part) for part in _apart(was.get(path), now.get(path))]
            at = [_place(document, path) if path in t else "" for document, t in ((old, was), (new, now))]
            yield Difference(kinds.get(path[0], "entry"), name, " ".join(path), *said, *at)


def _apart(old: Any, new: Any) -> tuple[Any, Any]:
    """Of two entries, what differs."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
        return {key: old.get(key) for key in keys}, {key: new.get(key) for key in keys}
    return ("" if old is None else old), ("" if new is None else new)


def _entries(document: Document) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for key, value in document.value.items():
        if key not in NOT_LAW and isinstance(value, Mapping):
            found |= {(key, name): entry for name, entry in value.items()}
        elif key not in NOT_LAW:
            found[key,] = value
    return found


def _place(document: Document, path: tuple[str, ...]) -> str:
    place = document.key(*path)
    return f"{place.file}:{place.line}"


def _forms(name: str, old: Form | None, new: Form | None) -> Iterator[Difference]:
    if old is None or new is None:
        form = old or new
        said = f"{len(form.lines)} lines" if form else ""
        yield Difference("form", name, name, said if old else "", said if new else "")
        return
    if old.document.file == new.document.file:
        return
    conditions = [form.only_if.text.strip() if form.only_if else "always" for form in (old, new)]
    if conditions[0] != conditions[1]:
        yield Difference("form", name, "needed if", *conditions)
    for id_ in dict.fromkeys((*old.lines, *new.lines)):
        yield from _lines(name, id_, old.lines.get(id_), new.lines.get(id_))
    for key in ("skip", "inputs", "exports", "asks", "functions"):
        was, now = (plain(form.document.value.get(key)) for form in (old, new))
        if was != now:
            yield from _parts(name, key, was or {}, now or {})


def _parts(name: str, key: str, old: Any, new: Any) -> Iterator[Difference]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield Difference(key, name, key, told(old), told(new))
        return
    for entry in dict.fromkeys((*old, *new)):
        if old.get(entry) != new.get(entry):
            said = [told(part) for part in _apart(old.get(entry), new.get(entry))]
            yield Difference(key, name, f"{key} {entry}", *said)


def _lines(name: str, id_: str, old: Line | None, new: Line | None) -> Iterator[Difference]:
    at = [f"{line.place.file}:{line.place.line}" if line else "" for line in (old, new)]
    if old is None or new is None:
        said = [f"{line.label}: {rule_of(line)}" if line else "" for line in (old, new)]
        yield Difference("line", name, f"line {id_}", *said, *at)
        return
    for what, was, now in zip(_ASPECTS, _said(old), _said(new), strict=True):
        if was != now:
            yield Difference("line", name, f"line {id_}{what}", was or "nothing", now or "nothing", *at)


_ASPECTS = ("", ", label", ", only if", ", skipped if", ", goes to", ", on the form", ", citation")


def _said(line: Line) -> tuple[str, ...]:
    condition = line.only_if.text.strip() if line.only_if else ""
    skips = "; ".join(skip.text for skip in line.skips)
    return rule_of(line), line.label, condition, skips, line.to, line.on_form, line.cite.at
