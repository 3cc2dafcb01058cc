"""Problems of an export's rows: each at its file, line and field; many of one sort are counted."""

from __future__ import annotations

from collections.abc import Sequence

from lotlaw.source import Place, Problem, Problems

SHOWN = 10
"""Rows that are named for one mistake; the rest are counted."""

LONGEST = 60
"""Characters of a cell that a message shows."""


def refused(name: str, message: str, line: int = 0) -> Problems:
    """One problem of a file as an exception, to raise."""
    return Problems([Problem(Place(name, line), message)])


def named(
    name: str, lines: Sequence[int], said: str | Sequence[str], field: int = 0, most: int = SHOWN
) -> list[Problem]:
    """One sort of problem at many lines (each with its own words, if given so): the first by name, the rest counted."""
    words = [said] * len(lines) if isinstance(said, str) else said
    problems = [Problem(Place(name, line, field), word) for line, word in zip(lines[:most], words, strict=False)]
    if len(lines) > most:
        problems.append(Problem(Place(name), f"... and {len(lines) - most:,} more lines like line {lines[most - 1]}"))
    return problems


def quoted(cell: object) -> str:
    """A cell as a message shows it: in quotes, short, without control characters."""
    text = "".join(c if c.isprintable() else "?" for c in str(cell))
    return f"'{text}'" if len(text) <= LONGEST else f"'{text[:LONGEST]}...'"
