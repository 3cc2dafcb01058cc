"""Whole processes, measured from outside: what they take from the start of the interpreter to the last byte written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, seconds of all cores, and the most memory held at once, in bytes."""

    wall: float
    cpu: float
    peak: int


def once(command: Sequence[str], *, folder: Path | None = None, before: Callable[[], object] = lambda: None) -> Cost:
    """Run a command to its end, in a folder; `before` clears away what the last run left.

    A child's peak memory counts its parent's at the fork, so whoever measures must stay small: import no polars here.
    """
    before()
    with Path(os.devnull).open("wb") as nowhere:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=nowhere, stderr=subprocess.PIPE)
        complaint = child.stderr.read() if child.stderr else b""
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command)}\nended with {child.returncode}:\n{complaint.decode()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def told(command: Sequence[str]) -> Cost:
    """What a program that measures its own work prints about it, as JSON."""
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    return Cost(**json.loads(done.stdout))


def typical(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(median(c.wall for c in costs), median(c.cpu for c in costs), round(median(c.peak for c in costs)))
