"""Templates show and never compute; one template read once for a row and once for a column says the same."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from conftest import ROOT
from lotlaw.check.templates import computing
from lotlaw.rendering.templates import environment, escapes, fill, fill_columns, shown, splice

TEMPLATES = sorted((ROOT / "forms").rglob("*.j2"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_show_and_never_compute(path: Any) -> None:
    assert computing(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ a + b }}", "{{ -a }}", "{{ a ~ b }}", "{% if a > b %}x{% endif %}", "{% if a == '1' %}x{% endif %}",
        "{% set a = b %}{{ a }}", "{{ a | sum }}", "{{ a | round(2) }}", "{{ a | safe }}", "{{ a.b() }}", "{{ 3000 }}",
        "{% macro m() %}x{% endmacro %}", "{% for a in range(3) %}x{% endfor %}", "{{ a if b else c }}",
        "{% if a and b %}x{% endif %}", "{% autoescape false %}{{ a }}{% endautoescape %}", "{{ a[1:2] }}",
        "{{ [a, b] }}",
    ],
)  # fmt: skip
def test_a_template_that_computes_is_found(source: str) -> None:
    assert computing(source) != []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_law_in_a_template(path: Any) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"\b1099\b|\b(?:line|box|form|part) [0-9A-L]\b|\b20\d\d\b|[Ss]hort-term|[Ll]ong-term", text) == []


def test_templates_are_those_of_the_forms() -> None:
    assert {path.name for path in TEMPLATES if path.parent.name == "forms"} == {
        f"{name}.{kind}.j2"
        for name in ("page", "form_8949", "form_8949_row", "schedule_d", "worksheet", "differences", "differences_row")
        for kind in ("txt", "html")
    } | {"forms.html.j2", "questions.html.j2", "form_8949_totals.txt.j2"}


# The environment


def test_html_is_escaped_and_plain_text_is_not() -> None:
    assert [escapes(name) for name in ("page.html.j2", "row.j2", None, "page.txt.j2")] == [True, True, True, False]
    asked = {"sheet": {"asks": ["<b>&"]}}
    assert "&lt;b&gt;&amp;" in fill("questions.html.j2", **asked)


def test_a_value_that_nobody_gave_is_an_error() -> None:
    for source in ("{{ nobody }}", "{{ somebody.else }}", "{% if nobody %}x{% endif %}"):
        with pytest.raises(UndefinedError):
            environment().from_string(source).render(somebody={})


def test_a_template_reaches_nothing_but_its_values() -> None:
    assert isinstance(environment(), SandboxedEnvironment)
    with pytest.raises(SecurityError):
        environment().from_string("{{ ''.__class__.__mro__ }}").render()
    with pytest.raises(TemplateNotFound):
        environment().get_template("../pyproject.toml")


# One template, two readings

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


class Column:
    kind = "text"

    def __init__(self, letter: str) -> None:
        self.letter = letter


COLUMNS = [Column("a"), Column("b"), Column("c")]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"a": texts, "b": texts, "c": texts}), min_size=1, max_size=4),
    st.sampled_from(["txt", "html"]),
)
def test_a_template_says_of_a_column_what_it_says_of_each_row(rows: list[dict[str, str]], kind: str) -> None:
    template = f"form_8949_row.{kind}.j2"
    frame = pl.DataFrame(rows).with_columns(shown(pl.col(name), template) for name in "abc")
    filled = frame.select(text=fill_columns(template, ["a", "b", "c"], columns=COLUMNS))["text"].to_list()
    plain = pl.DataFrame(rows).with_columns(shown(pl.col(name), "x.txt.j2") for name in "abc")
    assert filled == [fill(template, cells=row, columns=COLUMNS) for row in plain.iter_rows(named=True)]


def test_long_texts_are_spliced_in_as_they_are() -> None:
    class Part:
        anchor, title = "a", "<A>"

    texts = {0: ["<p>", "one</p>"], 1: ["two"]}
    html = "".join(splice("forms.html.j2", texts, parts=[Part(), Part()], year=1, engine="e"))
    assert html.count('aria-label="&lt;A&gt;">\n<p>one</p>\n</article>') == 1
    assert html.count('aria-label="&lt;A&gt;">\ntwo\n</article>') == 1
