"""A return as people and programs read it: return.json, the forms as text and HTML, tables for spreadsheets.

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
    from lotlaw.run import Return

FORMATS = ("json", "csv", "txt", "html")
"""What a return can be written as, besides the layouts that tax programs import."""

__all__ = ["FORMATS", "files", "formats", "render", "sources_of"]


def formats() -> tuple[str, ...]:
    """Everything that a return can be written as."""
    from lotlaw.rendering.exports import layouts

    return (*FORMATS, *layouts())


def render(return_: Return, format: str) -> str:  # noqa: A002 (the word of the command line)
    """A return as `json`, `txt` or `html`, or its Form 8949 rows as `csv` or as a tax program imports them (`txf` ...).

    Raises Problems for a format that there is not.
    """
    made = files(return_, format)
    return joined(made["form_8949.csv"] if format == "csv" else next(iter(made.values())))


def files(return_: Return, format: str) -> dict[str, Iterable[Piece]]:  # noqa: A002
    """The files of one format by name, each in pieces. Raises Problems for a format that there is not."""
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
    if format in formats():
        from lotlaw.rendering.exports import export

        return {name: list(pieces) for name, pieces in export(return_, format).items()}
    raise refuse("--format", f"no format '{format}'; there are {', '.join(formats())}")
