"""`lotlaw rules mutate`: change the law one thing at a time, and say which changes no worked example notices.

A file is changed once, in the year that it was written for; in a year that pins it, what reads that year's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from lotlaw.audit.mutation.changes import (
    Change,
    Key,
    form_changes,
    function_changes,
    number_changes,
    result_changes,
)  # fmt: skip
from lotlaw.audit.mutation.noticing import Bench
from lotlaw.audit.mutation.tables import table_changes
from lotlaw.audit.prove import MISSING
from lotlaw.audit.reasons import CHANGES, reasons
from lotlaw.law import Form, Year, reads
from lotlaw.rules import PUBLISHED, load, years
from lotlaw.source import Place, Problem, data_root, refuse

PROCESSES = 2


@dataclass(frozen=True)
class Unnoticed:
    """A change that nothing notices: its year, where it is made, what it is about, and what changes there.

    `proved`: it changes no line of any return.
    """

    year: int
    place: Place
    about: str
    what: str
    proved: bool = False


@dataclass(frozen=True)
class Mutation:
    """Changes made by year, those that nothing notices, with and without a reason, and reasons for nothing."""

    made: Mapping[int, int]
    surviving: tuple[Unnoticed, ...]
    explained: tuple[tuple[Unnoticed, str], ...]
    idle: tuple[Problem, ...]

    @property
    def complete(self) -> bool:
        return not self.surviving and not self.idle


def mutate(rules: Path | None = None, only: int | None = None, *, proving: bool = False) -> Mutation:
    """Change a year, or each published year, one thing at a time. Raises Problems for rules that cannot be read.

    `proving`: of changes that nothing notices, prove that they change nothing, where that can be proved.
    """
    root = rules or data_root() / "rules"
    numbers = [only] if only else [n for n in years(root) if load(n, root).status == PUBLISHED]
    if numbers[1:]:
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
            done = list(pool.map(partial(_of_year, root=root, proving=proving), numbers))
    else:
        done = [_of_year(number, root, proving=proving) for number in numbers]
    given = reasons(root, CHANGES)
    unnoticed = [change for _, found in done for change in found]
    keyed = [(change, given.key(change.about, change.what, change.place)) for change in unnoticed]
    return Mutation(
        {number: made for number, (made, _) in zip(numbers, done, strict=True)},
        tuple(change for change, key in keyed if key is None),
        tuple((change, given.said[key][0]) for change, key in keyed if key),
        () if only else tuple(given.idle(key for _, key in keyed if key)),
    )


def _of_year(number: int, root: Path, *, proving: bool) -> tuple[int, list[Unnoticed]]:
    """How many changes a year takes, and those that none of its examples notices."""
    year = load(number, root)
    bench, made, found = Bench(year), 0, list[Unnoticed]()
    is_same = _equivalent(year) if proving else lambda _: False
    for change in changes(year):
        made += 1
        if not bench.notices(change):
            found.append(Unnoticed(number, change.place, change.about, change.what, is_same(change)))
    return made, found


def _equivalent(year: Year) -> Callable[[Change], bool]:
    """Whether a change of lines is proved to change nothing; of numbers and functions, nothing is proved."""
    try:
        from lotlaw.audit.prove.alike import Pair, same
        from lotlaw.audit.prove.solving import Prover
    except ImportError:
        raise refuse("lotlaw rules mutate --prove", MISSING) from None
    prover = Prover()
    return lambda change: not (change.names or change.tables) and same(Pair(year, change.year, year), prover)


def changes(year: Year) -> Iterator[Change]:
    """Every change of a year's own files, of its numbers, and of what reads them in files of other years.

    A line that would rest on itself is no change: the rules could not be read.
    """
    below = _below(year)
    return (change for change in _changes(year) if not _goes_round(change, below))


def _below(year: Year) -> dict[Key, frozenset[Key]]:
    """By line, all lines that it rests on."""
    found: dict[Key, frozenset[Key]] = {}
    for line in year.order:
        read = [(other.form, other.id) for other in reads(year.forms[line.form], line, year.forms)]
        found[line.form, line.id] = frozenset(read).union(*(found[key] for key in read))
    return found


def _goes_round(change: Change, below: Mapping[Key, frozenset[Key]]) -> bool:
    """Whether a line that is changed now reads one that rests on it."""
    forms = change.year.forms
    return any(
        key == (other.form, other.id) or key in below[other.form, other.id]
        for key in change.lines
        for other in reads(forms[key[0]], forms[key[0]].lines[key[1]], forms)
    )


def _changes(year: Year) -> Iterator[Change]:
    for form in year.forms.values():
        own = year.origins[form.name] == year.year
        yield from (change for change in form_changes(year, form) if own or _reads_numbers(change))
    functions = (function_changes(year, function) for function in year.functions.values())
    numbers = (number_changes(year, parameter) for parameter in year.parameters.values() if _used(year, parameter.name))
    yield from chain(*functions, *numbers, result_changes(year), table_changes(year))


def _used(year: Year, name: str) -> bool:
    return any(name in (document.value.get("uses") or ()) for document in year.documents.values())


def _reads_numbers(change: Change) -> bool:
    """Whether it is one line that is changed, and that reads numbers of the year, itself or by a function."""
    year, lines = change.year, change.lines
    return len(lines) == 1 and any(_own_numbers(year, year.forms[form], id_) for form, id_ in lines)


def _own_numbers(year: Year, form: Form, id_: str) -> bool:
    line, known = form.lines[id_], {*year.parameters, *year.functions} - set(form.inputs) - set(form.by_name)
    return any(known & (formula.names | formula.calls) for formula in (line.formula, line.only_if) if formula)


def mutation_text(found: Mutation) -> Iterator[str]:
    """What nothing notices, by place, with its years; what is explained; the score."""
    yield from (f"{said} ({', '.join(map(str, in_years))})" for said, in_years in _by_place(found.surviving).items())
    yield from map(str, found.idle)
    made = sum(found.made.values())
    unnoticed = len(found.surviving) + len(found.explained)
    proved = sum(change.proved for change, _ in found.explained)
    said = f"{len(found.explained):,} explained" + (f" ({proved:,} of them proved)" if proved else "")
    yield f"{made:,} changes, {made - unnoticed:,} noticed; of {unnoticed:,} not, {said}"


def explained_text(found: Mutation) -> Iterator[str]:
    """The changes that nothing can notice, each with its reason."""
    told: dict[str, list[int]] = {}
    for change, reason in found.explained:
        proved = "proved: " if change.proved else ""
        told.setdefault(f"{change.about}: {change.what}: {proved}{reason}", []).append(change.year)
    yield from (f"{said} ({', '.join(map(str, in_years))})" for said, in_years in told.items())


def _by_place(found: Sequence[Unnoticed]) -> dict[str, list[int]]:
    said: dict[str, list[int]] = {}
    for change in found:
        key = f"{change.place}: {change.about}: nothing notices {change.what}"
        said.setdefault(key, []).append(change.year)
    return said


def mutation_facts(found: Mutation) -> dict[str, Any]:
    """The same for programs."""

    def facts(change: Unnoticed) -> dict[str, Any]:
        place = change.place._asdict()
        return {"year": change.year, **place, "about": change.about, "change": change.what, "proved": change.proved}

    return {
        "years": [{"year": number, "changes": made} for number, made in found.made.items()],
        "unnoticed": [facts(change) for change in found.surviving],
        "explained": [{**facts(change), "reason": reason} for change, reason in found.explained],
        "idle": [{**problem.place._asdict(), "message": problem.message} for problem in found.idle],
    }


__all__ = ["Key", "Mutation", "Unnoticed", "changes", "explained_text", "mutate", "mutation_facts", "mutation_text"]
