"""A line's rule in words: a sentence, and what in it decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lotlaw.answers import Facts, Given
from lotlaw.explain.amounts import amount
from lotlaw.formula import Formula, Reader
from lotlaw.law import Form, Line, Year
from lotlaw.readings import deciding, exact, words
from lotlaw.rendering.saying import name_called
from lotlaw.sheet import Sheet


@dataclass(frozen=True)
class Sayer:
    """Says the formulas of a return that is worked out: by form, `names` has what they read."""

    year: Year
    status: str
    names: Mapping[str, Mapping[str, Any]]

    def sentences(self, form: Form, line: Line) -> Iterator[str]:
        """What a line is, and what decided it."""
        if line.formula is None:
            return
        told = self._told(form, line.formula)
        phrase = words.condition(told.phrase) if line.kind == "yes_if" else told.phrase
        said = f"yes if {phrase}" if line.kind == "yes_if" else str(phrase)
        if len(phrase.pieces) == 1 and isinstance(phrase.pieces[0], words.Name):
            said = f"the same as {said}"
        yield _sentence(said)
        if told.why:
            yield _sentence(_reasons(told.why))

    def why(self, form: Form, condition: Formula) -> str:
        """Why a condition holds, or does not."""
        return _reasons(self._told(form, condition).why)

    def _told(self, form: Form, formula: Formula) -> deciding.Told:
        told: deciding.Told = Reader(deciding, self._values(form, formula), self._functions).read(formula)
        return told

    def _values(self, form: Form, formula: Formula) -> dict[str, deciding.Told]:
        known = self.names[form.name]
        return {
            name: deciding.named(name, name_called(form, name), known[name]) for name in formula.names if name in known
        }

    @cached_property
    def _functions(self) -> dict[str, Any]:
        acts = Sheet(self.year, exact, Given(self.year, self.status, Facts({})), lambda *_: None).functions
        return {
            name: deciding.function(name, acts[name], len(function.arguments))
            for name, function in self.year.functions.items()
        }


def _reasons(why: tuple[deciding.Why, ...]) -> str:
    told = (one.said + (f", by {amount(one.by)}" if one.by else "") for one in why)
    return "; ".join(dict.fromkeys(told))


def _sentence(said: str) -> str:
    """Words with a capital letter and a stop."""
    return f"{said[:1].upper()}{said[1:]}."
