"""Returns on which two years' forms differ though the amounts of the law are the same, as files that can be filed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import z3

from lotlaw.answers import Answer, work_out
from lotlaw.audit.prove.alike import Both, Pair, Twin, undecided
from lotlaw.audit.prove.given import Given, Several, facts_of, files_of, given_by, possible, readable, smaller
from lotlaw.audit.prove.world import FORM
from lotlaw.claims import Likeness
from lotlaw.formula import Reader
from lotlaw.law import exported_line
from lotlaw.output import write_all
from lotlaw.readings import exact
from lotlaw.readings.logic import DOLLARS, Logic
from lotlaw.rules import EXAMPLES

PATIENCE, TRIES, MOST = 2**25, 2, 4
"""Steps of the search for a return of one filing status, how often it begins elsewhere, how many returns are told."""
_FILES = re.compile(r"(?m)^files:.*\n(?:(?: .*)?\n)*")

Told = Mapping[str, tuple[Answer | None, Answer | None]]
"""By line: what it comes to by the forms of the earlier year, and by those of the later one; None where it is blank."""


@dataclass(frozen=True)
class Witness:
    """A return that two years' forms tell apart: its filing status, what it is given, and the lines that differ."""

    pair: Pair
    status: str
    given: Given
    told: Told

    def files(self) -> dict[str, str]:
        """The taxpayer file and the ledger, by name."""
        return files_of(self.pair.after, self.status, self.given, self.pair.rows)

    def facts(self) -> dict[str, Any]:
        """The return for programs."""
        lines = {name: [_said(was), _said(is_)] for name, (was, is_) in self.told.items()}
        return {"filing_status": self.status, "files": self.files(), "lines": lines}

    def text(self) -> Iterator[str]:
        """The return as a person reads it."""
        yield f"  a return on which they differ ({self.pair.after.statuses[self.status]}):"
        for name, text in self.files().items():
            yield f"    {name}:"
            yield from (f"      {line}" for line in text.splitlines())
        years = (self.pair.earlier.year, self.pair.after.year)
        yield f"    by the forms of {years[0]} -> by those of {years[1]}:"
        for name, values in self.told.items():
            if None not in values:
                yield f"    {name}: {' -> '.join(map(_said, values))}"
        for n, year in enumerate(years):
            alone = [f"{name} {_said(values[n])}" for name, values in self.told.items() if values[1 - n] is None]
            if alone:
                yield f"    by those of {year} alone: {', '.join(alone)}"


@dataclass(frozen=True)
class Verdict:
    """What became of two years' forms: returns that tell them apart, and lines of which nothing is known."""

    pair: Pair
    found: Sequence[Witness]
    open: Sequence[str]

    @property
    def same(self) -> bool:
        """Whether every line that is compared is proved the same."""
        return not (self.found or self.open)

    def facts(self) -> dict[str, Any]:
        """The verdict for programs."""
        return {
            "same": self.same, "compared": len(self.pair.twins), "not_compared": list(self.pair.left_out()),
            "not_decided": list(self.open), "returns": [witness.facts() for witness in self.found],
        }  # fmt: skip

    def text(self, written: Sequence[Path] = ()) -> Iterator[str]:
        """The verdict as a person reads it."""
        old, new = self.pair.earlier.year, self.pair.after.year
        yield f"The forms of {old} and {new}, with the amounts of {new} in both: {len(self.pair.twins)} lines compared"
        if self.same:
            yield "  proved the same for every return, unrounded, with each line rounded, and with --cents"
        for witness in self.found:
            yield from witness.text()
        if self.open:
            yield f"  neither proved nor refuted: {', '.join(self.open)}"
        yield from (f"  not compared: {said}" for said in self.pair.left_out())
        if written:
            yield f"To see it: cd {written[0].parent}"
            yield f"  lotlaw file {new} ledger.csv --taxpayer taxpayer.yaml --out by_{new}"
            yield f"  lotlaw file {new} ledger.csv --taxpayer taxpayer.yaml --out by_the_forms_of_{old} --rules rules"


def verdict_of(pair: Pair) -> Verdict:
    """The proof that two years' forms come to the same for every return, or returns for which they do not."""
    left, found = _results_first(pair, undecided(pair)), list[Witness]()
    tried = 0
    while left[tried:] and len(found) < MOST:
        witness = _witness(pair, left[tried])
        if witness is None:
            tried += 1
            continue
        found.append(witness)
        left = [twin for twin in left if _name(pair, twin) not in witness.told]
    return Verdict(pair, found, [_name(pair, twin) for twin in left])


def _results_first(pair: Pair, twins: Sequence[Twin]) -> list[Twin]:
    """The lines with those before that a return is asked for most, the last of them first."""
    results = [exported_line(pair.after.forms, at) for at in pair.after.documents["year"].value["results"].values()]
    return sorted(twins, key=lambda twin: -results.index(twin[1]) if twin[1] in results else 1)


def against(pair: Pair, claim: Likeness) -> Witness | None:
    """A return that breaks a claim that two years' forms come to the same; None if none was found."""
    for twin in _results_first(pair, undecided(pair, claim))[:MOST]:
        witness = _witness(pair, twin, claim)
        if witness:
            return witness
    return None


def _witness(pair: Pair, twin: Twin, claim: Likeness | None = None) -> Witness | None:
    """The smallest return found that tells a line from its twin, as `lotlaw file` works both out."""
    statuses = [status for status in pair.after.statuses if status not in pair.after.same_as]
    for seed, status in product(range(TRIES), statuses):
        found = _model(pair, twin, status, seed, claim)
        apart = partial(_apart, pair, _name(pair, twin), status, claim)
        if found and apart((found,)):
            (small,) = smaller((found,), apart)
            return Witness(pair, status, small, _told(pair, status, small))
    return None


def _model(pair: Pair, twin: Twin, status: str, seed: int, claim: Likeness | None) -> Given | None:
    """What the solver gives a return so that a line comes to something else than its twin."""
    both = Both(pair, Logic(DOLLARS), [twin], status=status, claim=claim)
    term = both.differ(twin)
    solver = z3.SimpleSolver()
    solver.set("rlimit", PATIENCE)
    solver.set("random_seed", seed)
    solver.add(term, *both.known(), *readable(both.world))
    return given_by(solver.model(), both.world) if solver.check() == z3.sat else None


def _apart(pair: Pair, name: str, status: str, claim: Likeness | None, given: Several) -> bool:
    return possible(given[0]) and name in _told(pair, status, given[0]) and _is_meant(pair, status, claim, given[0])


def _is_meant(pair: Pair, status: str, claim: Likeness | None, given: Given) -> bool:
    """Whether a claim is about a return."""
    if not (claim and claim.when):
        return True
    names = work_out(pair.after, status, facts_of(pair.after, given, pair.rows)).names
    beside = {name: names[line.form][line.name] for name, line in claim.lines(pair.after).items()}
    return bool(Reader(exact, beside).read(claim.when))


def _told(pair: Pair, status: str, given: Given) -> Told:
    """The lines that differ, worked out exactly."""
    old, new = (work_out(year, status, facts_of(year, given, pair.rows)).answers for year in (pair.before, pair.after))
    told = {_name(pair, (a, b)): (old.get(a.form, {}).get(a.id), new.get(b.form, {}).get(b.id)) for a, b in pair.twins}
    return {name: (was, is_) for name, (was, is_) in told.items() if was != is_}


def _name(pair: Pair, twin: Twin) -> str:
    """`qdcg.25`; `qdcg.25 (27 of 2019)` where the earlier year numbers it otherwise."""
    old, new = twin
    return f"{new.form}.{new.id}" + (f" ({old.id} of {pair.earlier.year})" if old.id != new.id else "")


def write(witness: Witness, out: Path) -> list[Path]:
    """Write a witness into a new folder: what is filed, and rules of the later year with the earlier one's forms.

    Raises Problems if the folder holds anything.
    """
    made = write_all(out, [{name: [text] for name, text in witness.files().items()}], ours=())
    pair = witness.pair
    needed = {str(at) for year in (pair.earlier, pair.after) for at in (year.year, *year.origins.values())}
    shutil.copytree(pair.after.root, out / "rules", ignore=partial(_other_years, needed))
    folder = out / "rules" / str(pair.after.year)
    contents = folder / "year.yaml"
    contents.write_text(contents_of(pair, contents.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "LOCK").unlink(missing_ok=True)
    return [*made, contents]


def _other_years(needed: set[str], _: str, names: list[str]) -> list[str]:
    return [name for name in names if name.isdigit() and name not in needed]


def contents_of(pair: Pair, text: str) -> str:
    """year.yaml of the later year with the forms of the earlier one: a draft, whose files are pins."""
    why = f'unchecked: "the forms of {pair.earlier.year} with the amounts of {pair.after.year}"'
    origins = {name: at for name, at in pair.after.origins.items() if name != EXAMPLES}
    origins |= {name: pair.earlier.origins[name] for name in (*pair.shared, FORM)}
    said = "".join(_entry(name, at, pair.after.year, why) for name, at in origins.items())
    text = _FILES.sub(lambda _: f"files:\n{said}\n", text, count=1)
    return re.sub(r"(?m)^status:.*$", "status: draft", text, count=1)


def _entry(name: str, at: int, year: int, why: str) -> str:
    return f"  {name}: {at}\n" if at == year else f"  {name}: {{from: {at}, {why}}}\n"


def _said(answer: Answer | None) -> str:
    if isinstance(answer, dict):
        return ", ".join(f"{column} {amount:,}" for column, amount in answer.items())
    return "blank" if answer is None else ("yes" if answer else "no") if isinstance(answer, bool) else f"{answer:,}"
