"""The local engine: part after part, on all cores, and resumed if killed.

Whatever kills a run, the parts that are noted are whole, and a run that goes on makes the rest: the same bytes, since a
part depends on nothing but its own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from lotlaw.batch.folder import MANIFEST as FINISHED
from lotlaw.batch.folder import Given, Note, Plan, begun, digests_of, finish, noted, read_json, told
from lotlaw.batch.split import split
from lotlaw.batch.worker import Worker, make

Tell = Callable[[int, int], object]
"""Told after each part how many transactions of how many are done."""


def run(plan: Plan, given: Given, out: Path, *, workers: int, resume: bool, tell: Tell) -> dict[str, Any]:
    """Carry out a plan into a folder, and give its manifest. Raises Problems, with what is finished kept."""
    with told(out):
        begun_plan = begun(plan, out, resume=resume)
        if begun_plan is None:
            return read_json(out / FINISHED)
        plan = begun_plan
        split(plan, given, out)
        notes = {part: noted(out, part) for part in range(plan["parts"])}
        left = [part for part, note in notes.items() if note is None]
        done = sum(note["rows"] for note in notes.values() if note)
        tell(done, plan["rows"])
        for note in _made(plan, out, left, min(workers, len(left))):
            notes[note["part"]] = note
            done += note["rows"]
            tell(done, plan["rows"])
        done_notes = [note for note in notes.values() if note]
        return finish(plan, out, done_notes, digests_of(done_notes))


def _made(plan: Plan, out: Path, parts: Sequence[int], workers: int) -> Iterator[Note]:
    """The notes of parts as they are made. Raises OSError at the first that cannot be finished."""
    if workers <= 1:
        yield from (make(plan, out, part) for part in parts)
        return
    left, helpers = iter(parts), [Worker(out, workers) for _ in range(workers)]
    with ThreadPoolExecutor(workers) as threads:
        try:
            waiting = {threads.submit(helper.make, next(left)): helper for helper in helpers}
            while waiting:
                for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                    helper = waiting.pop(done)
                    yield done.result()
                    part = next(left, None)
                    if part is not None:
                        waiting[threads.submit(helper.make, part)] = helper
        finally:
            for helper in helpers:
                helper.end()
