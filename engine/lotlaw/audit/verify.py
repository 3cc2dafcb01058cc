"""`lotlaw rules verify`: whether a return was made by these rules, and whether working it out again gives the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotlaw.audit.show import plain
from lotlaw.filing import recompute, written
from lotlaw.law import Year
from lotlaw.rendering import render
from lotlaw.rules import erratum_of, load

DIGITS = 12
SHOWN = 20


@dataclass(frozen=True)
class Verdict:
    """What was found of a return: whose rules made it, and where it says otherwise when it is worked out again."""

    year: Year
    digest: str
    differences: tuple[tuple[str, str, str], ...]

    @property
    def erratum(self) -> Mapping[str, Any] | None:
        """The correction that came after the rules that made the return, if they are these rules as they were."""
        return None if self.by_these_rules else erratum_of(self.year, self.digest)

    @property
    def by_these_rules(self) -> bool:
        return self.digest == self.year.digest

    @property
    def holds(self) -> bool:
        """Whether these rules make this return."""
        return self.by_these_rules and not self.differences

    @property
    def _origin(self) -> str:
        if self.erratum is None:
            return "give the rules it was made by with --rules"
        return f"made by them as they were before the erratum of {self.erratum['date']}: {self.erratum['reason']}"

    def facts(self) -> dict[str, Any]:
        """The verdict for programs."""
        return {
            "year": self.year.year, "digest": self.digest, "by_these_rules": self.by_these_rules,
            "reproduced": self.holds, "erratum": plain(self.erratum),
            "differences": [dict(zip(("at", "said", "worked_out"), d, strict=True)) for d in self.differences],
        }  # fmt: skip

    def text(self) -> Iterator[str]:
        """The verdict as a person reads it."""
        rules = f"the rules of {self.year.year} ({self.year.status}, {self.year.digest[:DIGITS]})"
        if not self.by_these_rules:
            yield f"not made by {rules}: it says {self.digest[:DIGITS]}"
            yield self._origin
            return
        yield f"made by {rules}"
        if not self.differences:
            yield "worked out again from the same files: the same, to the byte"
            return
        yield f"worked out again from the same files, it differs in {len(self.differences)} places:"
        for at, said, now in self.differences[:SHOWN]:
            yield f"  {at}: says {said or 'nothing'}, and is {now or 'nothing'}"


def verify(path: Path, rules: Path | None = None) -> Verdict:
    """The verdict on a written return. Raises Problems if it is none, or if its files are not here or have changed."""
    said = written(path)
    year = load(said["tax_year"], rules)
    if said["digest"] != year.digest:
        return Verdict(year, said["digest"], ())
    text = path.read_text(encoding="utf-8")
    again = render(recompute(path, rules), "json")
    if text == again:
        return Verdict(year, year.digest, ())
    found = tuple(apart(json.loads(text), json.loads(again)))
    return Verdict(year, year.digest, found or (("layout", "other spaces or order", "as lotlaw writes it"),))


def apart(old: Any, new: Any, at: str = "") -> Iterator[tuple[str, str, str]]:
    """Where two answers differ, by the keys and numbers that lead there; what each says, empty if nothing."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from apart(old.get(key), new.get(key), f"{at}.{key}" if at else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for n, (a, b) in enumerate(zip(old, new, strict=True), 1):
            yield from apart(a, b, f"{at}[{n}]")
    elif old != new:
        yield at, _said(old), _said(new)


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
