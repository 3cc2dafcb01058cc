"""`lotlaw rules docs`: the rulebook of a year as a static site, for readers who have never seen YAML.

A page per form with its lines as on the form, each in words, with its inputs and readers as links, its citation, and
what other years say; the numbers, the boxes, the sources, a graph, and a search. It needs no network and no server.
"""

from __future__ import annotations

from pathlib import Path

from lotlaw.audit.book.pages import pages
from lotlaw.output import Known, write_all
from lotlaw.rules import load

OURS: Known = (
    (r"\w+\.html", lambda head: b'<meta name="generator" content="lotlaw rulebook' in head),
    (r"book\.css", lambda head: head.startswith(b"/* lotlaw rulebook */")),
    (r"(book|lines)\.js", lambda head: head.startswith(b"// lotlaw rulebook")),
)
"""What a folder may hold in which a rulebook is written anew."""


def write_book(number: int, out: Path, rules: Path | None = None, *, force: bool = False) -> list[Path]:
    """Write the rulebook of a year into a folder, all or nothing; gives its files. Raises Problems."""
    return write_all(out, ({name: [text]} for name, text in pages(load(number, rules))), force=force, ours=OURS)
