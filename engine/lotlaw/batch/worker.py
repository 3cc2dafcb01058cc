"""A part made: by whoever asks, or by a process of its own that takes numbers of parts and answers with their notes."""

from __future__ import annotations

import gc
import io
import json
import os
import subprocess
import sys
from pathlib import Path

from lotlaw.batch.folder import PLAN, WORK, Note, Plan, names_of, note_part, read_json, summary
from lotlaw.batch.partition import worked
from lotlaw.batch.split import part_of
from lotlaw.rules import load

LEVEL = 1
"""Of zstd: as small as at its usual level, and sooner."""
ALLOCATOR = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1"}
"""Memory that a part frees is the next one's: giving it back and asking for it again takes a tenth of the time."""


def make(plan: Plan, out: Path, part: int) -> Note:
    """Work out one part, write its tables, and note that it is done. Raises OSError."""
    rules = plan["rules_folder"]
    year = load(plan["tax_year"], Path(rules) if rules else None)
    rows = part_of(out, "transactions", part)
    tables = worked(year, rows, part_of(out, "taxpayers", part), names_of(plan))
    files = {}
    for table, frame in tables.items():
        data = io.BytesIO()
        frame.write_parquet(data, compression_level=LEVEL)
        files[table] = data.getvalue()
    return note_part(out, part, rows.height, files, summary({table: frame.lazy() for table, frame in tables.items()}))


class Worker:
    """A process that makes one part after the other, and ends when nobody asks any more."""

    def __init__(self, out: Path, workers: int) -> None:
        threads = max(1, (os.cpu_count() or 1) // workers)
        self.process = subprocess.Popen(  # noqa: S603  (this very program)
            [sys.executable, "-m", "lotlaw.batch.worker", str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**ALLOCATOR, **os.environ, "POLARS_MAX_THREADS": str(threads)},
        )  # fmt: skip

    def make(self, part: int) -> Note:
        """Have a part made, and give its note. Raises OSError where it could not be finished."""
        answer = b""
        if self.process.stdin and self.process.stdout:
            try:
                self.process.stdin.write(b"%d\n" % part)
                self.process.stdin.flush()
                answer = self.process.stdout.readline()
            except BrokenPipeError:
                pass
        if not answer:
            code = self.process.wait()
            raise OSError(f"a worker ended at part {part} with {code}; if memory was short, use fewer --workers")
        note: Note = json.loads(answer)
        if "error" in note:
            raise OSError(note["error"])
        return note

    def end(self) -> None:
        """End the process, whatever it is at: a part that is not noted is made again."""
        self.process.kill()
        self.process.communicate()


def main() -> None:
    """Work until nobody asks any more: whoever asked may have been killed."""
    gc.disable()  # between parts is time enough
    out = Path(sys.argv[1])
    plan = read_json(out / WORK / PLAN)
    for line in sys.stdin:
        gc.collect()
        try:
            answer = make(plan, out, int(line))
        except OSError as error:
            answer = {"error": error.strerror or str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
