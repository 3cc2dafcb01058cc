"""A graph as arcs: what is read stands in a column in the order of the form, and an arc leads to what reads it.

Coordinates are whole numbers of an SVG, worked out here, so that the template only shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lotlaw.audit.book.links import line_href, line_said, number, read_by, short_title
from lotlaw.law import Line, Year, exported

ROW = 22
LETTER = 7
REACH = 190
TIP = 4
LONGEST = 60


@dataclass(frozen=True)
class Node:
    """Something that is read or reads: its text, where it leads, and the middle of its row."""

    number: int
    text: str
    href: str
    y: int


@dataclass(frozen=True)
class Arc:
    """From one node down or up to another, as a path."""

    start: int
    end: int
    path: str


@dataclass(frozen=True)
class Graph:
    """Nodes and arcs, and the size of the picture."""

    title: str
    nodes: Sequence[Node]
    arcs: Sequence[Arc]
    width: int
    height: int
    x: int


def arcs(title: str, entries: Sequence[tuple[str, str]], links: Iterable[tuple[int, int]]) -> Graph:
    """A graph of entries (text and address) with links between them by number."""
    nodes = [Node(n, _short(text), href, ROW * n + ROW) for n, (text, href) in enumerate(entries)]
    ends = [(nodes[a], nodes[b]) for a, b in dict.fromkeys(links) if a != b]
    x = ROW + max((_out(a, b) for a, b in ends), default=0)
    drawn = [Arc(a.number, b.number, _path(x, a, b)) for a, b in ends]
    width = x + ROW + LETTER * max(len(node.text) for node in nodes)
    return Graph(title, nodes, drawn, width, ROW * (len(nodes) + 1), x)


def _out(a: Node, b: Node) -> int:
    """How far to the left of the column the middle of an arc's handle stands."""
    return min(REACH, ROW + abs(b.y - a.y) // 2)


def _path(x: int, a: Node, b: Node) -> str:
    """An arc to the left of the column; the tip of its arrow stands off the point."""
    out = x - _out(a, b)
    return f"M{x} {a.y}C{out} {a.y} {out} {b.y} {x - TIP} {b.y}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def graph_of_form(year: Year, name: str) -> Graph:
    """The lines of a form, above them the lines of other forms that they read."""
    form = year.forms[name]
    outside = dict.fromkeys(_key(line) for source in form.inputs.values() for line in exported(source, year.forms))
    keys = [*outside, *((name, id_) for id_ in form.lines)]
    at = {key: n for n, key in enumerate(keys)}
    links = [
        (at[_key(other)], at[_key(line)])
        for line in form.lines.values()
        for other in read_by(year, line)
        if _key(other) in at
    ]
    return arcs(f"Lines of {form.title}", [_entry(year, name, year.forms[f].lines[i]) for f, i in keys], links)


def _key(line: Line) -> tuple[str, str]:
    return line.form, line.id


def _entry(year: Year, here: str, line: Line) -> tuple[str, str]:
    said = line_said(year.forms[line.form], line, here)
    label = f" {line.label}" if line.form == here and number(line) else ""
    return said.removeprefix("line ") + label, line_href(line)


def graph_of_year(year: Year) -> Graph:
    """The forms of a year, and which reads which."""
    names = [name for name, form in year.forms.items() if form.lines]
    links = [
        (names.index(line.form), names.index(name))
        for name in names
        for source in year.forms[name].inputs.values()
        for line in exported(source, year.forms)
    ]
    return arcs(
        f"Forms of {year.year}", [(short_title(year.forms[name].title), f"{name}.html") for name in names], links
    )
