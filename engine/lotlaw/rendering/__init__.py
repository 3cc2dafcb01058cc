"""A return as people and programs read it: return.json, forms as text, HTML and official PDFs, tables.

`render` gives one of them as text; `lotlaw.output` writes them into a folder. Nothing here computes: every amount
stands in the `Return`, every label in the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lotlaw.rendering.pieces import Piece, joined
from lotlaw.rendering.rows import sources_of
from lotlaw.source import refuse

if TYPE_CHECKING:
    from lotlaw.blanks import Blanks
    from lotlaw.run import Return

FORMATS = ("json", "csv", "txt", "html", "pdf")
"""What a return can be written as, besides the layouts that tax programs import."""

__all__ = ["FORMATS", "files", "formats", "render", "sources_of"]


def formats() -> tuple[str, ...]:
    """Everything that a return can be written as."""
    from lotlaw.rendering.exports import layouts

    return (*FORMATS, *layouts())


def render(return_: Return, format: str) -> str | bytes:  # noqa: A002 (the word of the command line)
    """A return as `json`, `txt` or `html`, or its Form 8949 as `csv`, `pdf` or as a tax program imports it (`txf` ...).

    The PDF is made of the blank that `lotlaw forms get` keeps; without rows, there is none, and it is empty. Raises
    Problems for a format that there is not.
    """
    made = files(return_, format)
    if format == "pdf":
        return b"".join(piece for piece in made.get("form_8949.pdf", ()) if isinstance(piece, bytes))
    return joined(made["form_8949.csv"] if format == "csv" else next(iter(made.values())))


def files(
    return_: Return,
    format: str,  # noqa: A002
    *,
    blanks: Blanks | None = None,
    flatten: bool = False,
) -> dict[str, Iterable[Piece]]:
    """The files of one format by name, each in pieces. Raises Problems for a format that there is not.

    PDFs are made of `blanks` (default: those that `lotlaw forms get` keeps), all of it part of the page if `flatten`.
    """
    if format == "json":
        from lotlaw.rendering.return_json import return_json

        return {"return.json": return_json(return_)}
    if format == "csv":
        from lotlaw.rendering.tables import tables

        return {name: [text] for name, text in tables(return_).items()}
    if format == "txt":
        from lotlaw.rendering.pages import forms_txt

        return {"forms.txt": forms_txt(return_)}
    if format == "html":
        from lotlaw.rendering.pages import forms_html

        return {"forms.html": forms_html(return_)}
    if format == "pdf":
        from lotlaw.blanks import blanks_of
        from lotlaw.rendering.pdf import pdf_files

        made = pdf_files(return_, blanks or blanks_of(return_.year), flatten=flatten)
        return {name: [data] for name, data in made.items()}
    if format in formats():
        from lotlaw.rendering.exports import export

        return {name: list(pieces) for name, pieces in export(return_, format).items()}
    raise refuse("--format", f"no format '{format}'; there are {', '.join(formats())}")
