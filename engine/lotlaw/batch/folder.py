"""The folder that a batch writes: its plan, its parts, what is noted as done, and the manifest at the end.

Whatever is in it under its own name is there whole: it was written beside its place, brought to the disk and renamed.
While a run is at work, `.batch` holds its plan and the notes of parts that are done.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from lotlaw import __version__
from lotlaw.batch.sources import Source
from lotlaw.batch.tables import KEY, OUT
from lotlaw.law import Year
from lotlaw.source import Problems, refuse, shown

WORK, PLAN, DONE, MANIFEST = ".batch", "plan.json", "done", "manifest.json"
SIDES = ("transactions", "taxpayers")
BESIDE = ".*.tmp"
TOTALS = ("proceeds", "basis", "adjustment", "gain")

Plan = Mapping[str, Any]
Note = dict[str, Any]
Given = Mapping[str, Sequence[Source]]


def plan_of(year: Year, rules: Path | None, given: Given, parts: int) -> dict[str, Any]:
    """What a run is: the same plan gives the same bytes."""
    files = {
        side: [{"name": s.name, "path": str(s.path.resolve()), "rows": s.rows, "sha256": s.digest()} for s in found]
        for side, found in given.items()
    }
    return {
        "tax_year": year.year, "rules": {"digest": year.digest, "status": year.status}, "engine": __version__,
        "polars": pl.__version__, "rules_folder": str(rules.resolve()) if rules else None, "parts": parts,
        "rows": sum(source.rows for source in given["transactions"]), "files": files,
    }  # fmt: skip


def names_of(plan: Plan) -> list[str]:
    """The files of a plan by their numbers."""
    return [entry["name"] for side in SIDES for entry in plan["files"][side]]


def begun(plan: Plan, out: Path, *, resume: bool) -> Plan | None:
    """Make a folder ready, and give the plan to carry out, in the parts it was begun in; None where all is done.

    Raises Problems where the folder holds other things.
    """
    at_work, finished = out / WORK / PLAN, out / MANIFEST
    known = next((path for path in (at_work, finished) if path.is_file()), None)
    if known:
        _refuse_unlike(plan, out, before := read_json(known), resume=resume)
        if known == finished:
            return None
        plan = {**plan, "parts": before["parts"]}
    elif out.exists() and (not out.is_dir() or any(out.iterdir())) and not _empty_start(out):
        raise refuse(shown(out), "holds other things; name an empty folder, or one that is not there yet")
    for folder in (out / WORK / DONE, *(out / table for table in OUT)):
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(BESIDE):
            left.unlink(missing_ok=True)
    write(at_work, as_json(plan))
    return plan


def _empty_start(out: Path) -> bool:
    """Whether a run was killed before it wrote its plan."""
    return out.is_dir() and all(path.name in (WORK, *OUT) for path in out.iterdir())


def _refuse_unlike(plan: Plan, out: Path, before: Plan, *, resume: bool) -> None:
    if not resume:
        raise refuse(shown(out), "holds a batch; go on with --resume, or name another folder")
    for key in ("tax_year", "rules", "engine", "polars", "files"):
        if _compared(before, key) != _compared(plan, key):
            said = f"was begun with other {key.replace('_', ' ')}; name another folder to begin anew"
            raise refuse(shown(out), said)


def _compared(plan: Plan, key: str) -> Any:
    return [[e["sha256"] for e in plan["files"][side]] for side in SIDES] if key == "files" else plan[key]


# Files


@contextmanager
def told(out: Path) -> Iterator[None]:
    """What the disk or a worker does not give, as one message. Raises Problems."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise stopped(out, reason) from None


def stopped(out: Path, reason: str) -> Problems:
    """Why a run ended before its end."""
    said = f"{reason}; what was finished is kept: put that right, and go on with --resume"
    return refuse(shown(out), said)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file's object."""
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return said


def as_json(said: Any) -> bytes:
    """An object as a JSON file."""
    return (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()


def write(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all, whatever happens; for its owner only."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


# Parts


def place(out: Path, table: str, part: int) -> Path:
    """Where a part of a table stands."""
    return out / table / f"part-{part:05}.parquet"


def note_part(out: Path, part: int, rows: int, files: Mapping[str, bytes], said: Mapping[str, Any]) -> Note:
    """Write a part's tables, and then that it is done."""
    for table, data in files.items():
        write(place(out, table, part), data)
    digests = {table: hashlib.sha256(data).hexdigest() for table, data in files.items()}
    note = {"part": part, "rows": rows, **said, "sha256": digests}
    write(out / WORK / DONE / f"{part}.json", as_json(note))
    return note


def noted(out: Path, part: int) -> Note | None:
    """The note of a part that is done, if its files are what it says."""
    try:
        note = read_json(out / WORK / DONE / f"{part}.json")
        found = {table: hashlib.sha256(place(out, table, part).read_bytes()).hexdigest() for table in note["sha256"]}
    except (OSError, ValueError, KeyError):
        return None
    return note if found == note["sha256"] else None


def summary(tables: Mapping[str, pl.LazyFrame]) -> dict[str, Any]:
    """How many rows each table has, who was worked out and who not, and what amounts come to."""
    counts = {name: rows.select(pl.len()).collect().item() for name, rows in tables.items()}
    added = tables["form_8949"].select(*TOTALS).sum().collect().row(0, named=True)
    carried = tables["carryover"].select(short="short", long="long").sum().collect().row(0, named=True)
    aside = tables["problems"].select(pl.col(KEY).n_unique()).collect().item()
    return {
        "taxpayers": {"worked_out": counts["carryover"], "set_aside": aside}, "counts": counts,
        "totals": {name: str(amount) for name, amount in added.items()}
        | {f"carryover_{name}": str(amount) for name, amount in carried.items()},
    }  # fmt: skip


def digests_of(notes: Sequence[Note]) -> dict[str, str]:
    """The digests of the files of parts."""
    return {place(Path(), table, n["part"]).as_posix(): sha for n in notes for table, sha in n["sha256"].items()}


def finish(plan: Plan, out: Path, notes: Sequence[Note], digests: Mapping[str, str]) -> dict[str, Any]:
    """Write the manifest, the last thing of all, and clear the work away. `digests`: of the files written, by name."""
    added = {
        key: {name: sum(note[key][name] for note in notes) for name in notes[0][key]} for key in ("taxpayers", "counts")
    }
    totals = {
        name: str(sum((Decimal(note["totals"][name]) for note in notes), Decimal("0.00")))
        for name in notes[0]["totals"]
    }
    files = {
        side: [{key: entry[key] for key in ("name", "rows", "sha256")} for entry in found]
        for side, found in plan["files"].items()
    }
    about = {key: plan[key] for key in ("tax_year", "rules", "engine", "polars", "parts")}
    manifest = {**about, **added, "totals": totals, "files": files, "sha256": dict(sorted(digests.items()))}
    write(out / MANIFEST, as_json(manifest))
    shutil.rmtree(out / WORK)
    return manifest
