"""`lotlaw rules lock`: the digest of a checked year, so that a published year cannot change unseen."""

from __future__ import annotations

from pathlib import Path

from lotlaw.check import unlocked_problems
from lotlaw.rules import load
from lotlaw.source import Problems


def lock(year: int, root: Path) -> str:
    """Write the LOCK of a year in which nothing is wrong, and say so. Raises Problems otherwise."""
    problems = unlocked_problems(year, root)
    if problems:
        raise Problems(problems)
    digest = load(year, root).digest
    path = root / str(year) / "LOCK"
    path.write_text(f"{digest}\n", encoding="utf-8")
    return f"{path}: {digest}"
