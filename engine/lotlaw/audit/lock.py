"""`lotlaw rules lock`: the digests of a checked year and of checked mappings, so that nothing changes unseen.

A published year is locked again only with an erratum that says what was wrong; its LOCK keeps what it was before.
"""

from __future__ import annotations

from pathlib import Path

from lotlaw.check import unlocked_problems
from lotlaw.importers import lint
from lotlaw.law import Year
from lotlaw.rules import PUBLISHED, Lock, erratum_of, load, lock_of
from lotlaw.source import Problems, refuse, shown

SOURCES = "sources"
DIGITS = 12


def lock(what: str, root: Path) -> str:
    """Write the LOCK of a year (or of `sources`) in which nothing is wrong, and say so. Raises Problems otherwise."""
    if what == SOURCES:
        return lint.lock(root)
    if not what.isdecimal():
        raise refuse(what, f"a tax year such as 2025 can be locked, or {SOURCES}")
    year = load(int(what), root)
    problems = unlocked_problems(year.year, root)
    if problems:
        raise Problems(problems)
    before = _before(year, lock_of(root, year.year))
    path = root / str(year.year) / "LOCK"
    path.write_text("".join(f"{line}\n" for line in (f"{year.digest} {year.status}", *before)), encoding="utf-8")
    return f"{shown(path)}: {year.digest}"


def _before(year: Year, lock: Lock) -> tuple[str, ...]:
    """What the year was published as before, if it was. Raises Problems if nobody says why it changed."""
    if lock.digest == year.digest or lock.status != PUBLISHED:
        return lock.before
    if not erratum_of(year, lock.digest):
        said = f"{year.year} was {PUBLISHED}, and says something else now; say what was wrong, under `errata:`"
        entry = f'- {{date: …, was: "{lock.digest[:DIGITS]}", reason: "…", cite: {{source: …, at: "…"}}}}'
        raise refuse(year.documents["year"].place("status"), f"{said}: {entry}")
    return (lock.digest, *lock.before)
