"""`lotlaw rules lock`: the digests of a checked year and of checked mappings, so that nothing changes unseen."""

from __future__ import annotations

from pathlib import Path

from lotlaw.check import unlocked_problems
from lotlaw.importers import lint
from lotlaw.rules import load
from lotlaw.source import Problems, refuse

SOURCES = "sources"


def lock(what: str, root: Path) -> str:
    """Write the LOCK of a year (or of `sources`) in which nothing is wrong, and say so. Raises Problems otherwise."""
    if what == SOURCES:
        return lint.lock(root)
    if not what.isdecimal():
        raise refuse(what, f"a tax year such as 2025 can be locked, or {SOURCES}")
    year = int(what)
    digest = load(year, root).digest
    problems = unlocked_problems(year, root)
    if problems:
        raise Problems(problems)
    path = root / str(year) / "LOCK"
    path.write_text(f"{digest}\n", encoding="utf-8")
    return f"{path}: {digest}"
