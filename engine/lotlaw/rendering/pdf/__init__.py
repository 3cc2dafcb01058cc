"""Official forms filled in: Form 8949 and the other forms of which the year has a blank.

Up to ATMOST pages the fields can still be changed, unless all is to be flattened; above that, text is put over one
shared drawing of the blank, which keeps thousands of rows fast and small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lotlaw import __version__
from lotlaw.blanks import Blanks, FieldMap
from lotlaw.rendering.amounts import clean

if TYPE_CHECKING:
    from lotlaw.rendering.pdf.contents import Contents
    from lotlaw.rendering.pdf.paper import Paper
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
            contents = form_8949(return_, map_, paper) if return_.rows.height else None
        else:
            contents = lines_of(return_, map_, paper) if form in return_.lines else None
        if contents:
            made[f"{form}.pdf"] = _filled(return_, map_, paper, contents, flatten=flatten)
    return made


def _filled(return_: Return, map_: FieldMap, paper: Paper, contents: Contents, *, flatten: bool) -> bytes:
    from lotlaw.rendering.pdf.drawing import Pdf, Sheets, stamp
    from lotlaw.rendering.pdf.fitting import fitted, overflowing
    from lotlaw.rendering.pdf.statement import add_text

    year = return_.year
    pdf = Pdf(map_.title, f"lotlaw {__version__}", f"rules of {year.year} ({year.status}), {year.digest[:DIGITS]}")
    cells, items = overflowing(fitted(contents.cells, paper), paper)
    contents, sheets = replace(contents, cells=cells), Sheets(pdf, paper, stamp(return_, paper))
    if flatten or len(contents.pages) > ATMOST:
        sheets.flat(contents)
    else:
        sheets.fillable(contents)
    add_text(pdf, _items(items), [f"Statement to {map_.title}", _whose(return_), ""])
    return pdf.data()


def _items(items: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    from lotlaw.rendering.pdf.statement import wrapped

    for number, (sheet, where, text) in enumerate(items, 1):
        yield f"{number}  page {sheet + 1}, {where}:"
        yield from wrapped(text, " " * 6)
        yield ""


def _whose(return_: Return) -> str:
    return "   ".join(clean(return_.taxpayer[key]) for key in ("name", "ssn"))
