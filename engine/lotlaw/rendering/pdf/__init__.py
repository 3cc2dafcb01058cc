"""Official forms filled in: Form 8949 and the other forms of which the year has a blank.

Up to ATMOST pages the fields can still be changed, unless all is to be flattened; above that, text is put over one
shared drawing of the blank, which keeps thousands of rows fast and small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lotlaw import __version__
from lotlaw.blanks import Blanks, FieldMap
from lotlaw.rendering.amounts import clean
from lotlaw.rules import PUBLISHED

if TYPE_CHECKING:
    from lotlaw.rendering.pdf.contents import Contents
    from lotlaw.rendering.pdf.drawing import Pdf
    from lotlaw.rendering.pdf.paper import Paper
    from lotlaw.rendering.pieces import Piece
    from lotlaw.run import Return

ATMOST = 50
"""How many pages still have fields that can be changed."""
DIGITS = 12


def pdf_files(return_: Return, blanks: Blanks, *, flatten: bool = False) -> dict[str, bytes]:
    """The PDFs of a return by file name: each form of which `blanks` has a blank, if the return has that form."""
    from lotlaw.rendering.pdf.contents import form_8949, lines_of
    from lotlaw.rendering.pdf.paper import Paper

    made = {}
    for form, (map_, data) in blanks.items():
        paper = Paper(data)
        if "parts" in map_.said:
            contents = form_8949(return_, map_, paper) if return_.laid.rows.height else None
        else:
            contents = lines_of(return_, map_, paper) if form in return_.lines else None
        if contents:
            made[f"{form}.pdf"] = _filled(return_, map_, paper, contents, flatten=flatten)
    return made


def _filled(return_: Return, map_: FieldMap, paper: Paper, contents: Contents, *, flatten: bool) -> bytes:
    from lotlaw.rendering.pdf.drawing import Sheets, stamp
    from lotlaw.rendering.pdf.fitting import fitted, overflowing
    from lotlaw.rendering.pdf.statement import Statement

    pdf = _pdf(return_, map_.title)
    cells, items = overflowing(fitted(contents.cells, paper), paper)
    contents, sheets = replace(contents, cells=cells), Sheets(pdf, paper, stamp(_not_to_file(return_), paper))
    if flatten or len(contents.pages) > ATMOST:
        sheets.flat(contents)
    else:
        sheets.fillable(contents)
    Statement(pdf).add(list(_items(items)), [*_not_to_file(return_), f"Statement to {map_.title}", _whose(return_), ""])
    return pdf.data()


def _not_to_file(return_: Return) -> Iterator[str]:
    """What every page says of a return that is not to be filed."""
    if return_.planning_only:
        yield f"PLANNING ONLY: lots chosen by {return_.lots}, which no record made in time supports"
    if return_.year.status != PUBLISHED:
        yield f"DRAFT: the rules of {return_.year.year} have not been checked against the final forms"


def _pdf(return_: Return, title: str) -> Pdf:
    from lotlaw.rendering.pdf.drawing import Pdf

    year = return_.year
    return Pdf(title, f"lotlaw {__version__}", f"rules of {year.year} ({year.status}), {year.digest[:DIGITS]}")


def statement_files(return_: Return) -> dict[str, Iterable[Piece]]:
    """What is attached for the rows of Form 8949 that sum up others: all their sales, to print and as a table."""
    from lotlaw.exceptions import STATEMENT
    from lotlaw.rendering.form_8949 import statements
    from lotlaw.rendering.pages import frame_of
    from lotlaw.rendering.pdf.statement import Statement
    from lotlaw.rendering.tables import rows_csv

    pdf = _pdf(return_, f"Statement to {return_.year.year} Form 8949")
    statement = Statement(pdf)
    for _, pages in statements(return_, "txt", frame_of(return_)):
        for page in pages:
            statement.add(page.splitlines())
    table = rows_csv(return_, return_.laid.attached)
    return {STATEMENT: [table], STATEMENT.replace(".csv", ".pdf"): [pdf.data()]}


def _items(items: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    from lotlaw.rendering.pdf.statement import wrapped

    for number, (sheet, where, text) in enumerate(items, 1):
        yield f"{number}  page {sheet + 1}, {where}:"
        yield from wrapped(text, " " * 6)
        yield ""


def _whose(return_: Return) -> str:
    return "   ".join(clean(return_.taxpayer[key]) for key in ("name", "ssn"))
