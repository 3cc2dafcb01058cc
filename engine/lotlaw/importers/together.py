"""Read several files by the mappings of a folder, each event once, and find what only shows in them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lotlaw.importers import Imported, Request, imported
from lotlaw.source import Place, Problem, Problems


def together(paths: Sequence[str | Path], folder: Path, request: Request) -> tuple[list[Imported], list[str]]:
    """Every file, each event once, and warnings.

    A file that shares days with another of its kind is read again, to tell rows apart. Raises Problems, all of all
    files.
    """
    from lotlaw.importers.answers import unused
    from lotlaw.importers.detect import signatures

    known = signatures(folder)
    problems: list[Problem] = []
    told_apart = replace(request, identified=True)
    files: list[Imported] = []
    for path in paths:
        try:
            files.append(imported(path, known, request if Path(path).is_file() else told_apart))
        except Problems as error:
            problems += error.problems
    if problems:
        raise Problems(problems)
    from lotlaw.importers.identity import identified, once, overlapping, repeated

    problems = [p for file in files for p in (*repeated(file), *_twice_told(file, files))]
    shared = overlapping(files)
    for n in shared:
        if "_cells" not in files[n].rows.columns:
            files[n] = imported(paths[n], known, told_apart)
    files = [identified(file) if request.identified or n in shared else file for n, file in enumerate(files)]
    if request.overrides:
        from lotlaw.importers.overrides import answered

        files = [answered(file, request.overrides, request.zone) for file in files]
        problems += request.overrides.unmet()
    files, more = once(files, shared)
    if problems or more:
        raise Problems([*problems, *more])
    return files, list(unused(request.answers, [str(path) for path in paths], [s.id for s in known]))


def _twice_told(file: Imported, files: Sequence[Imported]) -> Iterator[Problem]:
    """Other files that say the same as this one, of a kind that its mapping must not be read together with."""
    from lotlaw.importers.identity import share_a_day

    accounts = set(file.rows["account"].unique().to_list())
    for other in files:
        if other.importer.id in file.importer.exclusive_with and accounts & set(other.rows["account"].to_list()):
            days = share_a_day(file.rows, other.rows)
            if days:
                said = f"{other.name} ({other.importer.id}) says the same as this file ({file.importer.id})"
                yield Problem(Place(file.name), f"{said} for the same account and days; give one of the two")
