"""Every link of the docs leads somewhere: files and headings are looked up, addresses outside held to their form."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from conftest import ROOT

DOCS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")]
    if "snapshots" not in path.parts
)


class Link(NamedTuple):
    line: int
    target: str


def links(text: str) -> list[Link]:
    """Links and pictures of a Markdown text; what stands in code is no link."""
    return [
        Link(line, str(inline.attrs.get("href") or inline.attrs.get("src")))
        for block, line in blocks(text)
        for inline in block.children or []
        if inline.type in {"link_open", "image"}
    ]


def anchors(text: str) -> set[str]:
    """The names under which headings can be linked to: GitHub's, with -1, -2 for repeated ones."""
    tokens = MarkdownIt().parse(text)
    seen: dict[str, int] = {}
    names = set()
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", plain(token).lower()).replace(" ", "-")
            count = seen.get(slug, 0)
            names.add(f"{slug}-{count}" if count else slug)
            seen[slug] = count + 1
    return names


def plain(token: Token) -> str:
    return "".join(child.content for child in token.children or [] if child.type in {"text", "code_inline"})


def blocks(text: str) -> list[tuple[Token, int]]:
    tokens = MarkdownIt().enable("table").parse(text)
    return [(token, (token.map or [0])[0] + 1) for token in tokens if token.type == "inline"]


def dead(page: Path, target: str) -> str | None:
    """Why a link of a page leads nowhere, or None."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return malformed(target)
    file = page.parent / unquote(parts.path) if parts.path else page
    if not file.resolve().is_relative_to(ROOT):
        return "leads out of the project"
    if not file.exists():
        return "no such file"
    if parts.fragment and file.suffix == ".md" and parts.fragment not in headings(file):
        return f"no heading #{parts.fragment} in {file.name}"
    return None


def malformed(target: str) -> str | None:
    parts = urlsplit(target)
    if parts.scheme == "mailto":
        return None
    good = parts.scheme == "https" and "." in parts.netloc and not re.search(r"\s", target)
    return None if good else "an address outside begins with https:// and a host"


@cache
def headings(page: Path) -> set[str]:
    return anchors(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    found = [(link, dead(page, link.target)) for link in links(page.read_text(encoding="utf-8"))]
    assert [f"{page.name}:{link.line}: {link.target}: {why}" for link, why in found if why] == []


def test_the_readme_is_among_the_pages() -> None:
    assert ROOT / "README.md" in DOCS


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("nowhere.md", "no such file"),
        ("#no-such-heading", "no heading #no-such-heading in README.md"),
        ("../elsewhere.md", "leads out of the project"),
        ("http://irs.gov/form", "an address outside begins with https:// and a host"),
        ("https://localhost", "an address outside begins with https:// and a host"),
        ("LICENSE", None),
        ("https://www.irs.gov/forms-pubs/about-form-8949", None),
    ],
)
def test_a_dead_link_is_found(target: str, why: str | None) -> None:
    assert dead(ROOT / "README.md", target) == why


def test_links_are_read_as_markdown_reads_them() -> None:
    text = "# A `b`: c!\n[x](y.md) ![p](p.png)\n\n    [no](n.md)\n\n`[no](n.md)` [r][r]\n\n[r]: z.md#q\n\n# A b c\n"
    assert links(text) == [Link(2, "y.md"), Link(2, "p.png"), Link(6, "z.md#q")]
    assert anchors(text) == {"a-b-c", "a-b-c-1"}
