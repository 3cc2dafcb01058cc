"""What a named check finds, and the waivers that stand in the rules.

A finding belongs to a piece of a file: a parameter, a line, an input, a form. There, `waive: {half: "the law says …"}`
says why the check does not hold, for every year that reads the file. A waiver that waives nothing is a problem itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lotlaw.source import Document, Path_, Place, Problem

WAIVE = "waive"

Waiver = tuple[str, Path_, str]
"""A waiver by its file, the piece of the file it belongs to, and the check."""


@dataclass(frozen=True)
class Finding:
    """Something that a named check found in the piece `owner` of a document, where it may be waived."""

    check: str
    document: Document
    owner: Path_
    place: Place
    message: str

    @property
    def waiver(self) -> Waiver:
        return self.document.file, self.owner, self.check

    @property
    def problem(self) -> Problem:
        said = f"{self.message}; if it is right, waive it: `waive: {{{self.check}: reason}}`"
        return Problem(self.place, said, self.check, may_be_waived=True)


def unwaived(found: Iterable[Finding]) -> Iterator[Problem]:
    """The findings that no waiver answers."""
    return (finding.problem for finding in found if finding.check not in waivers_at(finding.document, finding.owner))


def waivers_at(document: Document, owner: Path_) -> dict[str, Any]:
    """The waivers of a piece of a document, with their reasons."""
    value = document.value
    for step in owner:
        value = value[step]
    said = value.get(WAIVE) if isinstance(value, dict) else None
    return said if isinstance(said, dict) else {}


def idle(documents: Iterable[Document], found: Iterable[Finding]) -> Iterator[Problem]:
    """Waivers that waive nothing, in any year."""
    spent = {finding.waiver for finding in found}
    for document in {document.file: document for document in documents}.values():
        for path, place in document.keys.items():
            if len(path) > 1 and path[-2] == WAIVE and (document.file, path[:-2], path[-1]) not in spent:
                yield Problem(place, f"waives '{path[-1]}', which finds nothing here: take the waiver out", WAIVE)
