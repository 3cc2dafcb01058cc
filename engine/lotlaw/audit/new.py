"""`lotlaw rules new`: the folder of a tax year, from the year before; what is left to read in it; values from a table.

The new files are the old ones, edited in place: comments and layout stay. Every value is marked `unread`, every file is
a pin that is `unchecked`, and what held the old year to the year before it is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lotlaw.audit.values import filled
from lotlaw.law import Year
from lotlaw.rules import PUBLISHED, forget, load, sources_of, years
from lotlaw.source import Problems, read_yaml, refuse

YEARLY = ("indexed", "together", "fixed")
"""Checks that look at the year before: a waiver of one says nothing of the next step."""
_KEY = re.compile(r"(?m)^(?=[a-z])")


@dataclass(frozen=True)
class Left:
    """Something in a new year that nobody has read: a value or a file, where it is, and what to read."""

    what: str
    name: str
    place: str
    read: str


def begin(number: int, root: Path, values: Path | None) -> tuple[list[Path], int]:
    """Make the folder of a year if it is not there, then put values into it; the files written, and how many values.

    Raises Problems, and then leaves no folder that was not there.
    """
    made = [] if number in years(root) else make(number, root)
    try:
        return made, fill(number, root, values) if values else 0
    except Problems:
        for path in made:
            path.unlink()
        if made:
            made[0].parent.rmdir()
        raise


def make(number: int, root: Path) -> list[Path]:
    """Write the folder of a year from the year before. Raises Problems if the year before is not there."""
    folder = root / str(number)
    if number - 1 not in years(root):
        raise refuse(root, f"{number} begins as a copy of {number - 1}, which is not here")
    before = load(number - 1, root)
    contents = (root / str(before.year) / "year.yaml").read_text(encoding="utf-8")
    parameters = root / str(before.origins["parameters"]) / "parameters.yaml"
    made = {
        "year.yaml": _contents(contents, before, number),
        "parameters.yaml": _parameters(parameters.read_text(encoding="utf-8"), number),
    }
    try:
        with TemporaryDirectory(prefix=".new-", dir=root) as draft:
            for name, text in made.items():
                (Path(draft) / name).write_text(text, encoding="utf-8")
            folder.mkdir()
            for name in made:
                (Path(draft) / name).replace(folder / name)
    except OSError as error:
        raise refuse(folder, f"cannot be written: {error.strerror}") from None
    return [folder / name for name in made]


def fill(number: int, root: Path, table: Path) -> int:
    """Put the values of a table into a year's parameters; gives how many. Raises Problems and writes nothing."""
    path = root / str(number) / "parameters.yaml"
    sources = read_yaml(root / str(number) / "year.yaml").value["sources"]
    statuses = load(number, root).statuses
    text, count = filled(path.read_text(encoding="utf-8"), read_yaml(path), table, sources, statuses)
    path.write_text(text, encoding="utf-8")
    forget()
    return count


def left(number: int, root: Path) -> list[Left]:
    """What nobody has read yet in a year."""
    year = load(number, root)
    found = [
        Left("value", p.name, f"{p.place.file}:{p.place.line}", p.unread or f"final figures, for {p.projected}")
        for p in year.parameters.values()
        if p.unread or p.projected
    ]
    files = year.documents["year"].value["files"]
    return found + [
        Left("file", name, f"{year.documents['year'].key('files', name)}".rpartition(":")[0], _against(year, name))
        for name, pin in files.items()
        if isinstance(pin, Mapping) and "unchecked" in pin
    ]


def left_text(number: int, root: Path) -> Iterator[str]:
    """The checklist of a year, or that it is ready."""
    found, year = left(number, root), load(number, root)
    if not found:
        then = f"then lotlaw rules check {number}, lotlaw rules lock {number}"
        ready = f"{number} is ready: set `status: published`, {then}"
        yield f"{number} is published, and nothing in it is unread" if year.status == PUBLISHED else ready
        return
    for what, title in (("value", "Values to read"), ("file", "Files to compare with this year's form")):
        here = [item for item in found if item.what == what]
        if here:
            yield f"{title}:"
            yield from (f"  [ ] {item.name:<30} {item.place:<34} {item.read}" for item in here)
    yield "Sources:"
    for source in year.documents["year"].value["sources"].values():
        yield f"  [ ] {source['title']}  {source['url']}"
    yield f"{number} is not ready: {len(found)} things are unread"


def _against(year: Year, name: str) -> str:
    """What a file is to be compared with: this year's edition of what the file itself cites."""
    cite: Any = year.documents[name].value.get("cite") or {}
    source = year.documents["year"].value["sources"].get(cite.get("source"))
    older = sources_of(year, name).get(cite.get("source"), {})
    title = source["title"] if source else f"what now stands for {older.get('title', 'its source')}"
    return f"as in {year.origins[name]}; compare with {title}"


def _contents(text: str, before: Year, number: int) -> str:
    """year.yaml of the next year: its own sources, every file a pin that nobody has checked."""
    old = number - 1
    blocks = _KEY.split(text)
    made = []
    for block in blocks:
        key = block.partition(":")[0]
        if key == "errata":
            continue
        if key == "status":
            block = re.sub(r"^status:.*", "status: draft", block)  # noqa: PLW2901
        elif key == "files":
            block = _files(block, before, number)  # noqa: PLW2901
        elif key == "sources":
            block = re.sub(r'(?m)^.*title: "[^"]*\b' + f"({old}|{number})" + r"\b.*$", _bumped, block)  # noqa: PLW2901
        elif key == "invariants":
            block = block.replace(str(old - 1), str(old))  # noqa: PLW2901
        elif key in ("year", "not_verified") or not block[:1].isalpha():
            block = block.replace(str(old), str(number))  # noqa: PLW2901
        made.append(block)
    return "".join(made)


def _bumped(line: re.Match[str]) -> str:
    """A source that is published every year, a year on; a Revenue Procedure stays until its successor is named."""
    if re.search(r'title: "(\d{4} )', line[0]) is None:
        return line[0]
    return re.sub(r"\b20\d\d\b", lambda year: str(int(year[0]) + 1), line[0])


def _files(block: str, before: Year, number: int) -> str:
    """`files:` as pins; what follows the last of them (a blank line, a comment on the next block) stays."""
    why = f'unchecked: "the {number} form has not been read"'
    width = max(map(len, before.origins)) + 1
    pins = [
        f"  {name + ':':<{width}} " + (str(number) if name == "parameters" else f"{{from: {at}, {why}}}")
        for name, at in before.origins.items()
    ]
    entries = re.match(r"files:.*\n(?:  .*\n)*", block)
    rest = block[entries.end() :] if entries else ""
    return "\n".join(["files:", *pins]) + "\n" + rest


def _parameters(text: str, number: int) -> str:
    made = []
    for block in _KEY.split(text):
        if not block[:1].isalpha():
            made.append(block.replace(str(number - 1), str(number)))
            continue
        block = re.sub(r",? *\b(changed_by|unread|projected): (\{[^{}]*\}|\"[^\"]*\")(?=[,}])", "", block)  # noqa: PLW2901
        block = re.sub(r"(?m)^  (changed_by|unread|projected): .*\n", "", block)  # noqa: PLW2901
        block = re.sub(r"(?m)(^  |, )waive: (\{[^{}]*\})(\n|)", _kept, block)  # noqa: PLW2901
        made.append(_marked(block, f'unread: "as in {number - 1}"'))
    return "".join(made)


def _marked(block: str, mark: str) -> str:
    """A parameter with a first entry more, in braces or on a line of its own."""
    key, _, rest = block.partition(":")
    if rest.lstrip(" ").startswith("{"):
        return f"{key}:{rest.replace('{', '{' + mark + ', ', 1)}"
    return f"{key}:{rest.replace(chr(10), chr(10) + '  ' + mark + chr(10), 1)}"


def _kept(waive: re.Match[str]) -> str:
    """A waiver without what was said of the step from the year before."""
    reasons = re.findall(r'(\w+): ("(?:[^"\\]|\\.)*"|[^,{}]+)', waive[2])
    kept = ", ".join(f"{check}: {reason}" for check, reason in reasons if check not in YEARLY)
    return f"{waive[1]}waive: {{{kept}}}{waive[3]}" if kept else ""
