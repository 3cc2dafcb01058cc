"""Jinja templates for a few things and for many.

A template is rendered as usual for what a return has a few of. For what it has a hundred thousand of (rows and pages of Form 8949)
the same template is rendered once, with a mark in place of each value; the text between the marks then fills polars columns.
Templates can't compute: `tests/test_templates.py` walks them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lotlaw.render.amounts import REPLACEMENT, UNPRINTABLE
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


def fill_columns(template: str, columns: Sequence[str], **values: Any) -> pl.Expr:
    """A template filled for every row of a frame, as an expression over it (String).

    The columns of `columns` are spliced in as they are, so they must be escaped (`shown`). The template reads them as a mapping
    `cells` from column name to text; `values` are the same for all rows.
    """
    import polars as pl
    from markupsafe import Markup

    marks = {name: Markup(f"{_BEGIN}{n}{_END}") for n, name in enumerate(columns)}  # noqa: S704 (our own mark)
    pieces = _MARK.split(fill(template, cells=marks, **values))
    parts = [pl.col(columns[int(piece)]) if n % 2 else pl.lit(piece) for n, piece in enumerate(pieces)]
    return pl.concat_str(parts)


def shown(text: pl.Expr, template: str) -> pl.Expr:
    """Text of the user's as a template may show it: cleaned, and escaped if the template escapes."""
    cleaned = text.str.replace_all(UNPRINTABLE, REPLACEMENT)
    return cleaned.str.replace_many(list(_ESCAPES), list(_ESCAPES.values())) if escapes(template) else cleaned


def safe(text: str) -> str:
    """Text that a template made, to stand in another of the same kind."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 (escaped when the first template made it)

