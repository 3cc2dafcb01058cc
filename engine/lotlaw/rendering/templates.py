"""Jinja templates for a few things and for many.

A template is rendered as usual for what a return has a few of. For what it has a hundred thousand of (rows and pages of
Form 8949) the same template is rendered once, with a mark in place of each value; the text between the marks then fills
polars columns. Templates can't compute: `tests/test_templates.py` walks them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lotlaw.rendering.amounts import REPLACEMENT, UNPRINTABLE
from lotlaw.source import data_root

if TYPE_CHECKING:
    import polars as pl
    from jinja2.sandbox import SandboxedEnvironment

# Private-use characters: `clean` takes them out of every text of the user's, so that a mark is always one of ours.
_BEGIN, _END = "\ue000", "\ue001"
_MARK = re.compile(f"{_BEGIN}([0-9]+){_END}")

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}


@lru_cache(maxsize=1)
def environment() -> SandboxedEnvironment:
    """The one environment: sandboxed, HTML escaped, and a name that nobody gave is an error."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(
        loader=FileSystemLoader(data_root() / "forms"), undefined=StrictUndefined, autoescape=escapes,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, auto_reload=False,
    )  # fmt: skip


def escapes(name: str | None) -> bool:
    """Whether what a template is given is escaped: always, but in plain text."""
    return not (name or "").endswith(".txt.j2")


def fill(template: str, **values: Any) -> str:
    """A template filled once."""
    return environment().get_template(template).render(values)


def fill_columns(template: str, names: Sequence[str], **values: Any) -> pl.Expr:
    """A template filled for every row of a frame, as an expression over it (String).

    The columns `names` are spliced in as they are, so they must be escaped (`shown`). The template reads them as a
    mapping `cells` from column name to text; `values` are the same for all rows.
    """
    import polars as pl

    marks = {name: _mark(n) for n, name in enumerate(names)}
    pieces = _MARK.split(fill(template, cells=marks, **values))
    return pl.concat_str(pl.col(names[int(piece)]) if n % 2 else pl.lit(piece) for n, piece in enumerate(pieces))


def splice(template: str, texts: Mapping[Any, Iterable[str]], **values: Any) -> Iterator[str]:
    """A template filled around long texts made elsewhere, which it reads as the mapping `texts`; in pieces."""
    pieces = _MARK.split(fill(template, texts={key: _mark(n) for n, key in enumerate(texts)}, **values))
    in_order = list(texts.values())
    for n, piece in enumerate(pieces):
        yield from in_order[int(piece)] if n % 2 else [piece]


def _mark(number: int) -> str:
    return safe(f"{_BEGIN}{number}{_END}")


def shown(text: pl.Expr, template: str) -> pl.Expr:
    """Text of the user's as a template may show it: cleaned, and escaped if the template escapes."""
    cleaned = text.str.replace_all(UNPRINTABLE, REPLACEMENT)
    return cleaned.str.replace_many(list(_ESCAPES), list(_ESCAPES.values())) if escapes(template) else cleaned


def safe(text: str) -> str:
    """Text that a template made, to stand in another of the same kind."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 (escaped when the first template made it)
