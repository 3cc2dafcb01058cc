"""A graph as arcs: what is read stands in a column in the order of the form, and an arc leads to what reads it.

Coordinates are whole numbers of an SVG, worked out here, so that the template only shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lotlaw.audit.book.links import line_href, read_by
from lotlaw.law import Line, Year, exported
from lotlaw.rendering.saying import called, line_called

ROW = 22
LEFT = 350
REACH = 190
LONGEST = 46


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
    drawn = [Arc(a, b, _path(nodes[a].y, nodes[b].y)) for a, b in dict.fromkeys(links) if a != b]
    return Graph(title, nodes, drawn, LEFT + REACH + ROW, ROW * (len(nodes) + 1), LEFT)


def _path(start: int, end: int) -> str:
    out = LEFT + min(REACH, ROW + abs(end - start) // 2)
    return f"M{LEFT} {start}C{out} {start} {out} {end} {LEFT} {end}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def graph_of_form(year: Year, name: str) -> Graph:
    """The lines of a form, above them the lines of other forms that they read."""
    form = year.forms[name]
    outside = dict.fromkeys(_key(line) for source in form.inputs.values() for line in exported(source, year.forms))
    keys = [*outside, *((name, id_) for id_ in form.lines)]
    number = {key: n for n, key in enumerate(keys)}
    links = [
        (number[_key(other)], number[_key(line)])
        for line in form.lines.values()
        for other in read_by(year, line)
        if _key(other) in number
    ]
    return arcs(f"Lines of {form.title}", [_entry(year, name, year.forms[f].lines[i]) for f, i in keys], links)


def _key(line: Line) -> tuple[str, str]:
    return line.form, line.id


def _entry(year: Year, here: str, line: Line) -> tuple[str, str]:
    said = line_called(line) if line.form == here else called(year.forms[line.form], line)
    label = f" {line.label}" if line.form == here and line.id[0].isdigit() else ""
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
    return arcs(f"Forms of {year.year}", [(year.forms[name].title, f"{name}.html") for name in names], links)
