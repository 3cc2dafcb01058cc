"""Reasons for what no worked example can show: `reasons.yaml` beside the years of a folder of rules.

An entry is about a line or a number: `lacks` are sides that nothing can show there, `changes` what changes nothing.
A reason for something that is not found (any more) is a mistake itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lotlaw.schema import shape_problems
from lotlaw.source import Place, Problem, Problems, read_yaml

FILE = "reasons"
LACKS, CHANGES = "lacks", "changes"

Key = tuple[str, str]
"""What a reason is given for: what it is about, and what lacks or changes there."""


@dataclass(frozen=True)
class Reasons:
    """By what they are given for: the reasons, and where each stands."""

    said: Mapping[Key, tuple[str, Place]]

    def key(self, about: str, what: str, place: Place) -> Key | None:
        """The key of the reason for something: `qdcg line 19 of 2018` is about the file that was written for 2018."""
        written = Path(place.file).parent.name
        return next((key for key in ((f"{about} of {written}", what), (about, what)) if key in self.said), None)

    def idle(self, found: Iterable[Key]) -> Iterator[Problem]:
        """Reasons for something that is not among what was found."""
        there = set(found)
        for key, (_, place) in self.said.items():
            if key not in there:
                said = f"{key[0]}: a reason for {key[1]}, which is not found: take it out"
                yield Problem(place, said, FILE)


def reasons(root: Path, kind: str) -> Reasons:
    """The reasons of one kind (`lacks` or `changes`) beside the rules; none without the file. Raises Problems."""
    path = root / f"{FILE}.yaml"
    if not path.is_file():
        return Reasons({})
    document = read_yaml(path)
    wrong = shape_problems(document, FILE)
    if wrong:
        raise Problems(wrong)
    return Reasons(
        {
            (entry["about"], what): (entry["reason"], document.place(n, kind, m))
            for n, entry in enumerate(document.value)
            for m, what in enumerate(entry.get(kind, ()))
        }
    )
