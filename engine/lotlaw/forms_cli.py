"""`lotlaw forms ...`: the IRS's blank PDFs. The one command that uses the network, and only when asked."""

from __future__ import annotations

from typing import Annotated

import typer

forms_app = typer.Typer(no_args_is_help=True, help="Fetch the IRS's blank forms, for `lotlaw file --format pdf`.")


@forms_app.command("get")
def forms_get(
    year: Annotated[str, typer.Argument(help="The tax year, or a range such as 2021..2025.")],
    address: Annotated[
        str | None,
        typer.Option("--from", metavar="ADDRESS", help="Where to fetch them instead: a web address or file:///folder."),
    ] = None,
) -> None:
    """Fetch a year's blank Form 8949 and Schedule D from the IRS, once, and keep them in your data folder.

    A file that is not, byte for byte, the one that lotlaw was checked with is not kept. Nothing is sent.

    Example: lotlaw forms get 2025
    """
    from lotlaw.blanks import get
    from lotlaw.filing import years_of

    for number in years_of(year):
        for map_, path, fetched in get(number, address):
            print(f"{map_.title}: {'fetched' if fetched else 'already there'}, {path}")
