"""Whole processes, measured from outside: what they take from the start of the interpreter to the last byte written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PAUSE = 0.2


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, seconds of all cores, and the most memory held at once, in bytes."""

    wall: float
    cpu: float
    peak: int


def once(
    command: Sequence[str], *, folder: Path | None = None, before: Callable[[], object] = lambda: None,
    says: Path | None = None, limit: float | None = None, all_of_it: bool = False,
) -> Cost:  # fmt: skip
    """Run a command to its end, in a folder; `before` clears away what the last run left, `says` keeps what it prints.

    Memory is that of the largest process, or of all together (`all_of_it`, looked at several times a second). Raises
    TimeoutError for what has not ended after `limit` seconds. A child's peak counts its parent's at the fork, so
    whoever measures must stay small: import no polars here.
    """
    before()
    with (says or Path(os.devnull)).open("wb") as out, tempfile.TemporaryFile() as complaint:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=out, stderr=complaint, start_new_session=True)
        watch = _Watch(child.pid, limit, start)
        if limit or all_of_it:
            watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        watch.ended.set()
        child.returncode = os.waitstatus_to_exitcode(status)
        if watch.killed:
            raise TimeoutError(f"{' '.join(command)} took more than {limit} seconds")
        if child.returncode:
            complaint.seek(0)
            sys.exit(f"{' '.join(command)}\nended with {child.returncode}:\n{complaint.read().decode()}")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(peak, watch.most) if all_of_it else peak)


class _Watch(threading.Thread):
    """Looks at a group of processes: what they hold together, and whether they take too long."""

    def __init__(self, group: int, limit: float | None, start: float) -> None:
        super().__init__(daemon=True)
        self.group, self.limit, self.began = group, limit, start
        self.ended, self.killed, self.most = threading.Event(), False, 0

    def run(self) -> None:
        while not self.ended.wait(PAUSE):
            self.most = max(self.most, sum(_held(path, self.group) for path in Path("/proc").glob("[0-9]*")))
            if self.limit and time.perf_counter() - self.began > self.limit:
                self.killed = True
                os.killpg(self.group, signal.SIGKILL)
                return


def _held(process: Path, group: int) -> int:
    """The bytes of memory that a process of a group holds, 0 if it is of another."""
    try:
        said = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(said[21]) * os.sysconf("SC_PAGE_SIZE") if int(said[2]) == group else 0


def told(command: Sequence[str]) -> Cost:
    """What a program that measures its own work prints about it, as JSON."""
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    return Cost(**json.loads(done.stdout))


def typical(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(median(c.wall for c in costs), median(c.cpu for c in costs), round(median(c.peak for c in costs)))
