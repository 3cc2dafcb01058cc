"""What the user must say because no file does: own addresses, the order of day and month, the zone of a report.

Answers stand by the name of a file, or by the id of a mapping for all its files. Every mapping takes `account`: what
the account is called whose export a file is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lotlaw.formula import did_you_mean
from lotlaw.importers import Answers
from lotlaw.importers.language import ACCOUNT, ByParam, Importer, Param
from lotlaw.source import Place, Problem, Problems


def answered(importer: Importer, file: str, said: Answers) -> dict[str, Any]:
    """Every question of a mapping with its answer. Raises Problems where one is missing, or is none."""
    given = {**said.get(importer.id, {}), **said.get(Path(file).name, {})}
    known = {param.name for param in importer.params} | {ACCOUNT}
    strange = [
        Problem(Place(file), f"{importer.id} does not ask for '{name}'{did_you_mean(name, known)}")
        for name in given
        if name not in known
    ]
    if ACCOUNT in given and importer.account is None:
        strange.append(Problem(Place(file), f"the rows of {importer.id} say their accounts themselves"))
    found = {param.name: _answer(param, given.get(param.name, param.default)) for param in importer.params}
    problems = [Problem(Place(file), _asked(importer, param)) for param in importer.params if found[param.name] is None]
    if strange or problems:
        raise Problems([*strange, *problems])
    return found if ACCOUNT not in given else {**found, ACCOUNT: str(given[ACCOUNT])}


def _answer(param: Param, given: Any) -> Any:
    """An answer as formulas see it; nothing if it is none."""
    if given is None:
        return None
    if param.many:
        words = tuple(_word(one) for one in given) if isinstance(given, (list, tuple)) else (_word(given),)
        return words or None
    return _word(given) if not param.values or _word(given) in param.values else None


def _word(given: Any) -> str:
    """A word of an answer; YAML reads yes and no as flags."""
    return {True: "yes", False: "no"}[given] if isinstance(given, bool) else str(given)


def _asked(importer: Importer, param: Param) -> str:
    example = "[...]" if param.many else " or ".join(param.values) or "..."
    there = f"imports: {{{importer.id}: {{{param.name}: {example}}}}}"
    return f"{importer.id} asks: {param.ask} Answer in taxpayer.yaml, `{there}`"


def unused(said: Answers, files: Sequence[str], ids: Sequence[str]) -> Iterator[str]:
    """Answers for what is neither a file that is read nor a mapping, as warnings."""
    known = {*(Path(file).name for file in files), *ids}
    for key in said:
        if key not in known:
            hint = did_you_mean(key, known)
            yield f"answers for '{key}', which is neither a file that is read nor a mapping{hint}, are not used"


def formats(importer: Importer, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The formats of times that hold with these answers."""
    said = importer.formats
    return said.choices[str(given[said.param])] if isinstance(said, ByParam) else said


def zone(importer: Importer, given: Mapping[str, Any]) -> str | None:
    """The zone in which times stand that do not say theirs."""
    said = importer.zone
    return str(given[said[1:]]) if said and said.startswith("=") else said


def examples(importer: Importer) -> dict[str, dict[str, Any]]:
    """Some answer to every question, to try a mapping with."""
    made = {p.name: ["x"] if p.many else (p.values or ("UTC",))[0] for p in importer.params}
    return {importer.id: made}
