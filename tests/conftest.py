"""What tests share: the checkout's places, and the command as a user runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from lotlaw.rules import forget

ROOT = Path(__file__).resolve().parent.parent

# The same examples every time: a failure that comes and goes tells nobody what they broke.
settings.register_profile("lotlaw", derandomize=True, deadline=None, database=None)
settings.load_profile("lotlaw")

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the rules to change."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    return tmp_path / "rules"


def change(path: Path, old: str, new: str) -> None:
    """Puts `new` for the first `old` of a file, which has to be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    forget()


@dataclass(frozen=True)
class Answer:
    """What the command gives back: its exit code, and what it printed on either stream."""

    code: int
    text: str
    error: str


Asked = Callable[..., Answer]


def pytest_configure(config: pytest.Config) -> None:
    # One thread a column operation: workers of the suite share the machine, and nothing here is large.
    os.environ.setdefault("POLARS_MAX_THREADS", "1" if hasattr(config, "workerinput") else "2")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def lotlaw(tmp_path: Path) -> Command:
    """`lotlaw("file", 2025, "ledger.csv")` in an empty folder; its answer is plain text, 120 columns wide."""
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def run(*arguments: object, cwd: Path = tmp_path, **kwargs: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lotlaw", *map(str, arguments)]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, **kwargs
        )

    return run


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """`ask("file", 2025, "ledger.csv")` as `lotlaw` does it, without a process of its own: for tests that ask a lot."""
    from lotlaw.cli import main

    monkeypatch.chdir(tmp_path)
    for name, value in {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)

    def asked(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["lotlaw", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
        printed = capsys.readouterr()
        return Answer(int(code or 0), printed.out, printed.err)

    return asked
