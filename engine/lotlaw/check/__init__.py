"""What `lotlaw rules check` looks for; rules that are not locked are checked the same way before they are used."""

from __future__ import annotations

from pathlib import Path

from lotlaw.law import Year
from lotlaw.rules import PUBLISHED, load, locked
from lotlaw.source import Problem, Problems, data_root


def check(root: Path, only: int | None = None) -> list[Problem]:
    """All problems of a folder of rules (or of one year in it), in the order of files and lines; nothing twice."""
    from lotlaw.check.rulebook import problems

    return problems(root, only)


def unlocked_problems(year: int, root: Path) -> list[Problem]:
    """What is wrong in a year but for its LOCK."""
    from lotlaw.check.rulebook import year_problems

    return year_problems(year, root, locked=False)


def _in_the_way(year: Year, root: Path) -> list[Problem]:
    """What is wrong in a year that is not locked: a draft computes with what its editor is still asked about."""
    wrong = unlocked_problems(year.year, root)
    return wrong if year.status == PUBLISHED else [problem for problem in wrong if not problem.may_be_waived]


def checked(year: int, rules: Path | None = None) -> Year:
    """The rules of a year, of which nothing is wrong: its LOCK says so, or they are checked now. Raises Problems."""
    root = rules or data_root() / "rules"
    found = load(year, root)
    wrong = [] if locked(root, year, found.digest) else _in_the_way(found, root)
    if wrong:
        raise Problems(wrong)
    return found
