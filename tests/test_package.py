"""The wheel, installed somewhere else, is the program of the checkout: same law, same forms, same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import ROOT


def run(command: list[str], folder: Path, **environment: str) -> bytes:
    """What a program prints; its complaint is the failure's text."""
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    run([*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], folder)
    return next(folder.glob("lotlaw-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel unpacked into an empty folder, as an installer does."""
    folder = wheel.parent / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*pip, "--no-deps", "--no-compile", "--target", str(folder), str(wheel)], wheel.parent)
    return folder


def test_the_wheel_holds_the_law_the_forms_and_the_schemas(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    data = [path for folder in ("rules", "forms", "schemas") for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert {f"lotlaw/data/{path.relative_to(ROOT)}" for path in data} <= names
    assert "lotlaw/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "docs/")) or "__pycache__" in name]


def test_the_installed_program_reads_its_own_data(installed: Path, tmp_path: Path) -> None:
    code = "import lotlaw, lotlaw.source as s; print(lotlaw.__version__, lotlaw.__file__, s.data_root())"
    said = run([sys.executable, "-c", code], tmp_path, PYTHONPATH=str(installed)).decode().split()
    assert said[1:] == [str(installed / "lotlaw" / "__init__.py"), str(installed / "lotlaw" / "data")]
    assert installed / f"lotlaw-{said[0]}.dist-info" in installed.iterdir()


def test_the_installed_demo_prints_the_same_bytes(installed: Path, tmp_path: Path) -> None:
    here = run([sys.executable, "-m", "lotlaw", "demo"], tmp_path)
    there = run([str(installed / "bin" / "lotlaw"), "demo"], tmp_path, PYTHONPATH=str(installed))
    assert here == there
    assert b"8949" in here
