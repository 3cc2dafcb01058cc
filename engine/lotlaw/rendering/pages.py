"""forms.txt and forms.html: Schedule D, Form 8949 and the worksheets as a person prints, reads and attaches them.

What every page says around its form is the same: the year, whose return it is, a warning where the return is only for
planning or the rules are a draft, and the rules and the program it was made by. Labels come from the rules; the
templates stand in `forms/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lotlaw import __version__
from lotlaw.rendering.amounts import clean
from lotlaw.rendering.differences import TITLE, differences_page
from lotlaw.rendering.form_8949 import form_8949, statements
from lotlaw.rendering.sheets import Sheet, sheets
from lotlaw.rendering.templates import fill, splice
from lotlaw.rendering.text import WIDTH, blocks, questions

if TYPE_CHECKING:
    from lotlaw.run import Return

DIGITS = 12
"""How much of the rules' digest a page shows."""


@dataclass(frozen=True)
class Part:
    """A form of the document: its anchor, what the table of contents calls it, its pages in pieces of text."""

    anchor: str
    title: str
    pieces: Iterable[str]


def forms_txt(return_: Return) -> Iterator[str]:
    """All forms as plain text, one after the other, in pieces."""
    for part in _parts(return_, "txt"):
        yield from part.pieces


def forms_html(return_: Return) -> Iterator[str]:
    """All forms as one HTML file that needs nothing else and asks nothing of the network, in pieces."""
    parts = list(_parts(return_, "html"))
    yield from splice(
        "forms.html.j2", {n: part.pieces for n, part in enumerate(parts)}, **frame_of(return_), parts=parts
    )


def _parts(return_: Return, kind: str) -> Iterator[Part]:
    """The forms in the order in which they are attached: those with columns, Form 8949 box by box, the worksheets.

    What statements say that differs comes last.
    """
    frame, found = frame_of(return_), sheets(return_)
    yield from (_sheet(sheet, kind, frame) for sheet in found if sheet.columns)
    title = return_.year.documents["form_8949"].value["title"]
    for box, pieces in form_8949(return_, kind, frame) if return_.laid.rows.height else ():
        yield Part(f"form_8949_{box}", f"{title}: box {box}", pieces)
    for n, (called, pieces) in enumerate(statements(return_, kind, frame) if return_.laid.attached.height else ()):
        yield Part(f"statement_{n + 1}", called, pieces)
    yield from (_sheet(sheet, kind, frame) for sheet in found if not sheet.columns)
    if differences := list(differences_page(return_, kind, frame)):
        yield Part("differences", TITLE, differences)


def _sheet(sheet: Sheet, kind: str, frame: dict[str, Any]) -> Part:
    template = f"{'schedule_d' if sheet.columns else 'worksheet'}.{kind}.j2"
    laid_out = {"blocks": blocks(sheet), "questions": questions(sheet)} if kind == "txt" else {}
    return Part(sheet.name, sheet.title, [fill(template, **frame, title=sheet.title, sheet=sheet, **laid_out)])


def frame_of(return_: Return) -> dict[str, Any]:
    """What every page says around its form."""
    year, taxpayer = return_.year, return_.taxpayer
    return {
        "year": year.year,
        "status": year.statuses[taxpayer["filing_status"]],
        "name": clean(taxpayer["name"]),
        "ssn": clean(taxpayer["ssn"]),
        "planning_only": return_.planning_only,
        "method": return_.lots,
        "draft": year.status != "published",
        "rules": f"rules of {year.year} ({year.status}), {year.digest[:DIGITS]}",
        "engine": f"lotlaw {__version__}",
        "rule": "=" * WIDTH,
    }
