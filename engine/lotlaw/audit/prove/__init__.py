"""`lotlaw rules prove`: the claims of rule files (`invariants`) for every possible return, or a case that breaks one.

Each claim is read as logic and its opposite put to the solver z3, once unrounded and once with each line rounded to
the dollar: what cannot be is not, whatever a taxpayer file and a ledger say. Amounts of the law stay open as far as
filing statuses differ in them, so one proof is for all of these, and years that share a form's rules share its proofs.
Of a claim that is not proved, a return is looked for that breaks it, and worked out again as `lotlaw file` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotlaw.claims import YEAR, Claim, Defined, Likeness, claims_of, likenesses_of
from lotlaw.formula import did_you_mean
from lotlaw.law import Year
from lotlaw.output import refuse_others
from lotlaw.rules import load, years
from lotlaw.source import data_root, refuse

if TYPE_CHECKING:
    from lotlaw.audit.prove.cases import Case
    from lotlaw.audit.prove.witness import Verdict, Witness

MISSING = "proofs need the solver z3; to have it, run: pip install 'lotlaw[prove]'"


@dataclass(frozen=True)
class Proof:
    """What became of a claim: whether it is proved, and what breaks it if that was found."""

    year: int
    claim: Claim | Likeness | Defined
    holds: bool
    case: Case | Witness | None = None
    why: str = ""

    def facts(self) -> dict[str, Any]:
        """The proof for programs."""
        place = self.claim.place
        return {
            "year": self.year, "form": self.claim.form, "claim": self.claim.name, "file": place.file,
            "line": place.line, "proved": self.holds, "why": self.why, "files": self.case.files() if self.case else {},
        }  # fmt: skip


def prove(only: int | None = None, form: str | None = None, rules: Path | None = None) -> list[Proof]:
    """The claims of a year, or of all years, of a form, or of all, each proved or not. Raises Problems without z3."""
    root = rules or data_root() / "rules"
    law = [load(number, root) for number in ([only] if only else years(root))]
    known = dict.fromkeys([YEAR, *(name for year in law for name in year.forms)])
    if form and form not in known:
        raise refuse(form, f"no form '{form}'{did_you_mean(form, known)}; its forms are {', '.join(known)}")
    return list(_proofs(law, [form] if form else list(known)))


def _proofs(law: Iterable[Year], forms: Sequence[str]) -> Iterator[Proof]:
    try:
        from lotlaw.audit.prove.alike import pair_of, same
        from lotlaw.audit.prove.cases import case_of
        from lotlaw.audit.prove.defined import undefined
        from lotlaw.audit.prove.solving import Prover
        from lotlaw.audit.prove.witness import against
    except ImportError:
        raise refuse("lotlaw rules prove", MISSING) from None
    prover = Prover()
    for year in law:
        if YEAR in forms:
            why = undefined(year, prover)
            yield Proof(year.year, Defined(year.documents["year"].place("year")), holds=not why, why=why)
        for likeness in likenesses_of(year) if YEAR in forms else ():
            pair = pair_of(load(likeness.as_in, year.root), year)
            holds = same(pair, prover, likeness)
            yield Proof(year.year, likeness, holds, None if holds else against(pair, likeness))
        for form in (year.forms[name] for name in forms if name in year.forms):
            for claim in claims_of(form):
                holds = prover.holds(year, claim)
                yield Proof(year.year, claim, holds, None if holds else case_of(year, claim))


def forms_compared(
    old: int, new: int, rules: Path | None = None, out: Path | None = None
) -> tuple[Verdict, list[Path]]:
    """Whether two years' forms come to the same with the same amounts, and what was written of a return that says no.

    Raises Problems without z3.
    """
    try:
        from lotlaw.audit.prove.alike import pair_of
        from lotlaw.audit.prove.witness import verdict_of, write
    except ImportError:
        raise refuse("lotlaw rules diff --witness", MISSING) from None
    if out:
        refuse_others(out, ours=())
    verdict = verdict_of(pair_of(load(old, rules), load(new, rules)))
    return verdict, write(verdict.found[0], out) if out and verdict.found else []


def told(found: Sequence[Proof]) -> Iterator[str]:
    """The proofs as a person reads them: every claim of a single year, else what is not proved, and a count a year."""
    numbers = dict.fromkeys(proof.year for proof in found)
    for number in numbers:
        of_year = [proof for proof in found if proof.year == number]
        for proof in of_year:
            if len(numbers) == 1 or not proof.holds:
                yield from _told(proof)
        open_ = sum(not proof.holds for proof in of_year)
        said = f"{open_} of {len(of_year)} not proved" if open_ else f"all {len(of_year)} claims proved"
        yield f"{number}: {said}"


def _told(proof: Proof) -> Iterator[str]:
    word = "proved" if proof.holds else "NOT PROVED"
    yield f"{word}  {proof.claim.form}: {proof.claim.name}"
    if proof.holds:
        return
    yield f"  {proof.claim.place}"
    if proof.case is None:
        yield f"  {proof.why or 'no return was found that breaks it'}"
        return
    yield from proof.case.text()
