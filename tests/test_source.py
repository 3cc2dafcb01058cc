"""YAML as exact values with places."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lotlaw.source import Place, Problems, parse_yaml, read_yaml


def value(text):
    return parse_yaml(text, "a.yaml").value


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("3_000", 3000),
        ("-5", -5),
        ("0.1", Decimal("0.1")),
        ("1_000.50", Decimal("1000.50")),
        ("15%", Decimal("0.15")),
        ("3.8%", Decimal("0.038")),
        ("2025-01-31", date(2025, 1, 31)),
        ("yes", True),
        ("NO", False),
        ("true", True),
        ("010", "010"),
        ("12:30", "12:30"),
        ("1e5", "1e5"),
        ("0x1F", "0x1F"),
        ("'15'", "15"),
        ("text", "text"),
        ("~", None),
        (".5", ".5"),
        ("1.", "1."),
        ("__import__", "__import__"),
    ],
)
def test_scalars_mean_what_they_look_like(text, meaning):
    got = value(f"a: {text}")["a"]
    assert got == meaning
    assert type(got) is type(meaning)


def test_keys_are_text():
    assert value("{1: a, 8a: b, no: c, 2025-01-01: d}") == {"1": "a", "8a": "b", "no": "c", "2025-01-01": "d"}


def test_every_value_and_key_has_its_place():
    document = parse_yaml("a:\n  - {b: 1, c: 2}\n", "a.yaml")
    assert document.place("a", 0, "c") == Place("a.yaml", 2, 15)
    assert document.key("a", 0, "c") == Place("a.yaml", 2, 12)
    assert document.place("a", 0, "missing") == Place("a.yaml", 2, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "a.yaml:2:1: 'a' is written twice; the first is in line 1"),
        ("a: &x 1\nb: *x", "a.yaml:2:4: aliases (&, *) are not used here: write the value out"),
        ("a:\n\tb: 1", "a.yaml:2:1: a tab; YAML is indented with spaces"),
        ("a: 2025-02-30", "a.yaml:1:4: '2025-02-30' is not a day of the calendar"),
        ("a: [1, 2", "a.yaml:2:1: not readable as YAML: did not find expected ',' or ']'"),
        ("a: " + "[" * 40 + "]" * 40, "a.yaml:1:34: nested more than 30 deep"),
        ("a: " + "[" * 400_000, "a.yaml:1:34: nested more than 30 deep"),
        (
            "a: !!python/name:os.system x",
            "a.yaml:1:4: tags such as tag:yaml.org,2002:python/name:os.system are not used here",
        ),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: a second document; a file holds one"),
        ("? [a, b]\n: 1", "a.yaml:1:3: a key must be a word"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(Problems) as raised:
        parse_yaml(text, "a.yaml")
    assert message in [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "no such file"),
        (b"a: \xff\xfe", "not UTF-8 text (byte 4); save it as UTF-8"),
        (b"# " + b"x" * 2_000_001, "2,000,003 bytes; a YAML file may have 2,000,000"),
    ],
)
def test_files_that_cannot_be_read(data, message, tmp_path):
    path = tmp_path / "a.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(Problems, match=message.replace("(", r"\(").replace(")", r"\)")):
        read_yaml(path)
