"""Arguments that several commands take, and what all of them do with what they have to say."""

from __future__ import annotations

import contextlib
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

LONG_WORK = 2**22
"""Bytes of input from which on progress is shown."""

INNER = 4
"""How much further in a line that is too long goes on."""

Files = Annotated[
    list[Path], typer.Argument(help="Exports and simple ledgers, in any mixture; recognised by their headers.")
]
TaxpayerFile = Annotated[Path, typer.Option("--taxpayer", help="The taxpayer file (see `lotlaw init`).")]
OptionalTaxpayer = Annotated[
    Path | None, typer.Option("--taxpayer", help="The taxpayer file, for accounts and time zone.")
]
PriceFile = Annotated[
    Path | None,
    typer.Option("--prices", help="CSV of fair values that exports leave out: asset, date or instant, price."),
]
OverridesFile = Annotated[
    Path | None, typer.Option("--overrides", help="YAML with your word on single rows, by id (see `import --explain`).")
]

Method = Annotated[
    str | None, typer.Option(help="Lot method, to compare; without a standing order it is for planning only.")
]


@contextlib.contextmanager
def progress(files: list[Path]) -> Iterator[Callable[[str], object]]:
    """Something to tell what is being done, shown on a terminal while files are large enough to wait for."""
    if not sys.stderr.isatty() or sum(path.stat().st_size for path in files if path.is_file()) < LONG_WORK:
        yield len
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


def say(text: str, *, fold: bool = False) -> None:
    """Print text that may hold words of a file: nothing in them moves the cursor, or hides or turns what follows.

    `fold`: on a terminal, a line that is longer than it is wide goes on below, further in.
    """
    from lotlaw.rendering.amounts import clean

    width = shutil.get_terminal_size().columns if fold and sys.stdout.isatty() else None
    for line in text.removesuffix("\n").split("\n"):
        print("\n".join(folded(clean(line), width)) if width else clean(line))


def folded(line: str, width: int) -> list[str]:
    """A line in pieces no wider than asked, where spaces allow it."""
    pad = " " * (len(line) - len(line.lstrip()))
    found = textwrap.wrap(
        line.lstrip(), width, initial_indent=pad, subsequent_indent=pad + " " * INNER, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return found or [line]
