"""Plans as files: for programs, for spreadsheets, and as a page; written as returns are, all or nothing, private."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw.output import Known, write_all
from lotlaw.plan.text import Block, show
from lotlaw.rendering.pieces import Piece
from lotlaw.rendering.tables import table_csv
from lotlaw.source import refuse

FORMATS = ("csv", "json", "html")
NAMES = r"(holdings|whatif|harvest)"
OURS: Known = (
    (rf"{NAMES}\.json", lambda head: head.startswith(b'{"plan": ')),
    (rf"{NAMES}\.html", lambda head: b'<meta name="generator" content="lotlaw ' in head),
    (rf"{NAMES}\.csv", lambda head: head.startswith((b"asset,", b"form,", b"rank,"))),
)
"""What a folder may hold in which plans are written anew."""

Made = Mapping[str, Callable[[], str]]
"""By format, what writes a plan in it."""


def write_plan(out: Path, name: str, formats: str, made: Made, *, force: bool = False) -> list[Path]:
    """Write a plan's files into a folder. Raises Problems for formats that there are not, and folders of others."""
    wanted = [word.strip() for word in formats.split(",") if word.strip()]
    wanted = list(FORMATS) if wanted == ["all"] else wanted
    for word in wanted:
        if word not in FORMATS:
            raise refuse("--format", f"no format '{word}'; there are {', '.join(FORMATS)}")
    texts: dict[str, Sequence[Piece]] = {f"{name}.{word}": [made[word]()] for word in dict.fromkeys(wanted)}
    return write_all(out, [dict(texts)], force=force, ours=OURS)


def answer(
    name: str, made: Made, text: Iterable[Block], out: Path | None, formats: str, *, as_json: bool, force: bool
) -> None:
    """Write a plan's files, if there is a folder for them, then print it: as JSON, or as text and what was written."""
    written = write_plan(out, name, formats, made, force=force) if out else []
    show(made["json"]().split("\n")[:-1] if as_json else [*text, *(f"wrote {path}" for path in written)])


def json_of(said: Mapping[str, Any]) -> str:
    """A plan for programs, a member a line."""
    members = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in said.items())
    return "{" + ",\n ".join(members) + "}\n"


def plain_csv(table: pl.DataFrame) -> str:
    """A table for spreadsheets: decimals without trailing zeros, texts harmless."""
    exact = [
        pl.col(name).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
        for name, dtype in table.schema.items()
        if isinstance(dtype, pl.Decimal)
    ]
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    return table_csv(table.with_columns(exact), texts)
