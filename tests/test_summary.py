"""The one screen after a return is worked out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_return import ACME, BTC, INCOME, OLD, SSN, made_return

from conftest import ROOT
from lotlaw.output import write
from lotlaw.run import Return
from lotlaw.summary import print_summary, summary


def screen(return_: Return, out: Path | None = None) -> str:
    return "".join(f"{text}\n" for text, _ in summary(return_, out))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("loss", made_return(rows=[ACME, BTC], carryover={})),
        ("gain", made_return(rows=[ACME, OLD])),
        ("planning", made_return(2026, rows=[ACME], planning_only=True, cents=True)),
        ("nothing", made_return(rows=[], carryover={}, events=made_return().income.clear(), warnings=[])),
    ],
)
def test_a_summary_as_it_was(snapshot: Any, name: str, made: Return) -> None:
    snapshot.snapshot_dir = ROOT / "tests" / "snapshots" / "summary"
    snapshot.assert_match(screen(made), f"{name}.txt")


def test_it_fits_one_screen_whatever_is_said(tmp_path: Path) -> None:
    warnings = [f"{n} " + "something long to look at " * 20 for n in range(50)]
    kinds = [(f"a kind of income number {n}", n % 2 == 0) for n in range(40)]
    income = pl.concat(INCOME.head(1).with_columns(kind=pl.lit(kind), counted=pl.lit(counts)) for kind, counts in kinds)
    boxes = [(box, "I", "short") for box in "ABCGHI"] + [(box, "II", "long") for box in "DEFJKL"]
    made = made_return(
        2026, [(*box, *BTC[3:]) for box in boxes], planning_only=True, cents=True, warnings=warnings, events=income,
        carryover={"short": 10**13, "long": 10**13},
    )  # fmt: skip
    write(made, tmp_path / "out", ["json", "csv", "txt", "html"])
    lines = screen(made, tmp_path / "out").splitlines()
    assert len(lines) == 24
    assert max(map(len, lines)) <= 100
    assert lines == [line.rstrip() for line in lines]
    assert "50 warnings  0 something" in "\n".join(lines)
    assert "and 47 more, in return.json" in "\n".join(lines)


def test_it_says_at_which_rates_the_least_tax_was_found() -> None:
    rates: dict[str, Any] = {"methods": ["fifo", "min_tax"], "rates": (Fraction(408, 1000), Fraction(15, 100))}
    assert screen(replace(made_return(rows=[ACME]), **rates)).splitlines()[:2] == [
        "2025, Single, fifo and min_tax lots",
        "Least tax    of the lots open, at your own 40.8% short-term and 15% long-term",
    ]
    planned = replace(made_return(rows=[ACME], planning_only=True), **rates | {"methods": ["min_tax"]})
    assert screen(planned).splitlines()[1] == (
        "PLANNING ONLY: lots chosen by min_tax at 40.8% and 15%, which no record made in time supports"
    )


def test_it_says_where_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = made_return(rows=[ACME])
    write(made, Path("out"), ["txt"])
    assert screen(made, Path("out")).endswith("Written      out: forms.txt, return.json\n")
    write(made, Path("years/2025"), [])
    assert screen(made, Path("years")).endswith("Written      years/2025: return.json\n")


def test_the_summary_is_not_private() -> None:
    assert SSN not in screen(made_return())
    assert "Ada" not in screen(made_return())


def test_a_warning_moves_no_cursor() -> None:
    assert "\x1b" not in screen(made_return(warnings=["\x1b[2J look"]))


def arrived(terminal: int) -> Iterator[bytes]:
    """All that was sent to a terminal whose other end is closed."""
    with os.fdopen(terminal, "rb", buffering=0) as source, suppress(OSError):
        while data := source.read(1000):
            yield data


def test_in_colour_on_a_terminal_and_plain_otherwise(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = made_return(rows=[ACME])
    print_summary(made, None)
    plain = capsys.readouterr().out
    assert plain == screen(made)
    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        print_summary(made, None)
    shown = b"".join(arrived(ours)).decode()
    assert "\x1b[1m2025, Single, fifo lots" in shown
    assert "Written      nothing; add --out FOLDER" in shown
