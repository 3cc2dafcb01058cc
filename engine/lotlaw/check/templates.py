"""The named check `templates`: the templates of forms show what they are given, and never compute.

What a template may hold is listed; arithmetic, comparisons, assignments, filters, calls and macros are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.source import Place, Problem, shown

if TYPE_CHECKING:
    from jinja2 import nodes

_SHOWING = (
    "Template", "Output", "TemplateData", "Name", "Getattr", "Getitem", "Tuple", "For", "If", "Not", "Block", "Extends",
    "Include", "EvalContextModifier",
)  # fmt: skip


def template_problems(folder: Path) -> Iterator[Problem]:
    """Templates of a folder that compute, or that cannot be read."""
    for path in sorted(folder.rglob("*.j2")):
        for line, said in computing(path.read_text(encoding="utf-8")):
            yield Problem(Place(shown(path), line), said, "templates")


def computing(source: str) -> list[tuple[int, str]]:
    """What of a template does more than show, each with its line."""
    from jinja2 import Environment, TemplateSyntaxError

    try:
        tree = Environment(autoescape=True).parse(source)
    except TemplateSyntaxError as error:
        return [(error.lineno, f"not a template: {error.message}")]
    return [
        (node.lineno, f"{type(node).__name__} in a template: it shows what it is given, and computes nothing")
        for node in _walk(tree)
        if not _shows(node)
    ]


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _shows(node: nodes.Node) -> bool:
    kind = type(node).__name__
    if kind == "Test":
        return bool(getattr(node, "name", "") == "none")
    if kind == "Const":
        return isinstance(getattr(node, "value", None), str)
    return kind in _SHOWING
