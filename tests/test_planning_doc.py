"""Every number of docs/planning.md is what the command says: its files are written, its commands run, in its order."""

from __future__ import annotations

import shlex
from pathlib import Path

from markdown_it import MarkdownIt

from conftest import ROOT, Asked

PAGE = ROOT / "docs" / "planning.md"


def test_the_worked_pages_are_what_the_commands_say(tmp_path: Path, ask: Asked) -> None:
    blocks = [token for token in MarkdownIt().parse(PAGE.read_text(encoding="utf-8")) if token.type == "fence"]
    ran = 0
    for block in blocks:
        kind, _, name = block.info.partition(" ")
        if kind != "console":
            (tmp_path / name).write_text(block.content)
            continue
        command, *shown = block.content.splitlines()
        said = ask(*shlex.split(command.removeprefix("$ lotlaw ")))
        assert (said.code, said.error) == (0, ""), command
        assert missing(shown, said.text.splitlines()) == [], command
        ran += 1
    assert ran == 6


def missing(shown: list[str], said: list[str]) -> list[str]:
    """The first stretch of lines, between `...`, that was not said where it should be."""
    at, whole = 0, "\n".join(shown)
    if not whole.startswith("..."):
        first = whole.split("\n...", 1)[0].split("\n")
        if said[: len(first)] != first:
            return first
    for part in whole.strip(".\n").split("\n...\n"):
        wanted = part.strip("\n").split("\n")
        found = next((n for n in range(at, len(said)) if said[n : n + len(wanted)] == wanted), None)
        if found is None:
            return wanted
        at = found + len(wanted)
    return []


def test_a_number_that_is_not_said_is_found() -> None:
    said = ["a", "b 1", "c", "d 2"]
    assert missing(["a", "...", "d 2"], said) == []
    assert missing(["...", "c", "d 2"], said) == []
    assert missing(["a", "...", "d 3"], said) == ["d 3"]
    assert missing(["b 1", "..."], said) == ["b 1"]
    assert missing(["...", "c", "...", "b 1"], said) == ["b 1"]
