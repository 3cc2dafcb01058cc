"""Real formats: each sample of ../shared is read as a test says, and each header version known is one mapping's."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from lotlaw.importers import Request
from lotlaw.importers.detect import recognise, signatures
from lotlaw.importers.files import text_of
from lotlaw.importers.together import together
from lotlaw.ledger import read
from lotlaw.source import read_yaml

SHARED = ROOT.parent / "shared"
SAMPLES = sorted((SHARED / "samples").glob("*.csv"))
FORMATS = SHARED / "facts" / "formats.yaml"
EXPORTS = ROOT / "tests" / "exports"
SOURCES = ROOT / "rules" / "sources"
HEADERS = read_yaml(EXPORTS / "headers.yaml", text_only=True).value
KNOWN = signatures(SOURCES)


def lines(text):
    """What a test holds of a file: its lines, without the blanks that end them."""
    return [line.rstrip() for line in text.removeprefix("\ufeff").strip("\n").split("\n")]


def held(source):
    """The rows that tests of a mapping turn into events: its own, and the exports whose events are beside them."""
    said = [read_yaml(s.path, text_only=True).value for s in KNOWN if s.id == source]
    yield from (test["rows"] for mapping in said for test in mapping.get("tests", ()) if test.get("events"))
    for events in EXPORTS.glob("*.events.yaml"):
        yield (EXPORTS / f"{events.name.split('.')[0]}.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_whole_and_its_events_are_held_by_a_test(path):
    file = read(path).files[0]
    text = path.read_text(encoding="utf-8")
    assert file.rows
    assert any(lines(text) == lines(rows) for rows in held(file.source)), f"no test of {file.source} holds {path.name}"


@pytest.mark.parametrize(
    ("source", "above", "header"),
    [(said["source"], said.get("above", ()), header) for said in HEADERS for header in said["headers"]],
)
def test_every_header_version_is_known_by_one_mapping(source, above, header):
    text = "".join(f"{line}\n" for line in (*above, header))
    assert recognise(text_of("export.csv", text.encode()), KNOWN).signature.id == source


@pytest.mark.skipif(not FORMATS.exists(), reason="needs ../shared")
def test_no_header_version_is_left_out():
    listed = {header for said in HEADERS for header in (*said["headers"], *said.get("written", ()))}
    formats = read_yaml(FORMATS, text_only=True).value["formats"]
    assert {header["row"] for said in formats for header in said.get("headers", ())} <= listed


def test_every_mapping_stands_in_the_list_of_what_is_read():
    said = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    assert [s.id for s in KNOWN if f"[{s.id}](../rules/sources/{s.path.name})" not in said] == []


def test_mappings_tried_on_no_public_rows_are_listed():
    said = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8").partition("## On whose rows")[2]
    public = re.compile(
        r"^ *# .*(?:https://|rows .*public|public (?:tests|example|code|description|audit))", re.MULTILINE
    )
    found = {s.id for s in KNOWN if public.search(s.path.read_text(encoding="utf-8").partition("\ntests:")[2])}
    assert {s.id for s in KNOWN} - found == set(re.findall(r"^\| \[([\w.]+)\]", said, re.MULTILINE))


@pytest.mark.parametrize("signature", KNOWN, ids=lambda signature: signature.id)
def test_every_mapping_carries_tests_with_events_of_rows(signature):
    tests = read_yaml(signature.path, text_only=True).value.get("tests", [])
    assert any(test.get("events") for test in tests)


@pytest.mark.parametrize("signature", KNOWN, ids=lambda signature: signature.id)
def test_rows_that_are_exported_twice_count_once(signature, tmp_path):
    for n, test in enumerate(read_yaml(signature.path, text_only=True).value["tests"]):
        if test.get("events"):
            paths = [tmp_path / f"{n}{copy}" / test.get("file", "export.csv") for copy in ("", "-again")]
            for path in paths:
                path.parent.mkdir()
                path.write_text(test["rows"], encoding="utf-8")
            request = Request(
                source=signature.id, answers={path.name: test.get("answers", {}) for path in paths}, identified=True
            )
            (first, second), _ = together(paths, SOURCES, request)
            assert (first.rows.height, second.rows.height) == (len(test["events"]), 0), test["name"]
            assert first.rows["event_id"].n_unique() == first.rows.height
