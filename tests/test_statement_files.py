"""Files that are no tables: OFX and QFX downloads, and TXF files, whose records become rows."""

from __future__ import annotations

import sys

import pytest
from test_importers import shown

from conftest import ROOT
from lotlaw.ledger import read
from lotlaw.source import Problems, read_yaml

EXPORTS = ROOT / "tests" / "exports"
TXF = "V042\nAa program\nD02/01/2026\n^\nTD\nN321\nC1\nL1\nP100 sh. ACME\nD01/15/2025\nD02/21/2025\n$90\n$100\n^\n"


@pytest.fixture
def refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def said(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(Problems) as caught:
            read(name)
        return str(caught.value).splitlines()

    return said


@pytest.mark.parametrize("name", ["investment.qfx", "form_1099b.ofx"])
def test_a_download_says_what_a_person_reads_in_it(name):
    events = read_yaml(EXPORTS / "downloads.yaml", text_only=True).value[name]
    assert shown(read(EXPORTS / name), "seq", "file") == events


def test_every_row_keeps_the_line_where_its_record_begins(tmp_path):
    path = tmp_path / "sales.txf"
    path.write_text(TXF + TXF.partition("^\n")[2].replace("ACME", "BAR"), encoding="utf-8")
    assert read(path).rows.select("line", "out_asset").rows() == [(5, "100 sh. ACME"), (15, "100 sh. BAR")]


def test_a_download_is_refused_with_a_reason_where_it_breaks_off(refused):
    start = (EXPORTS / "investment.qfx").read_text(encoding="utf-8")
    assert refused("half.qfx", start[:200]) == [
        "half.qfx: an OFX file that breaks off: it would end in </OFX>; download it again"
    ]
    assert refused("odd.qfx", start.replace("VERSION:102\n", "")) == [
        "odd.qfx: an OFX file that cannot be read: OFX header is malformed; download it again"
    ]


def test_without_the_reader_it_is_said_how_to_get_it(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "ofxtools.Parser", None)
    assert refused("a.ofx", "OFXHEADER:100\n\n<OFX></OFX>\n") == [
        "a.ofx: an OFX file; to read it, run: pip install 'lotlaw[ofx]'"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("V042\nA\n", ["sales.txf: a TXF file whose heading does not end; its last line would be ^"]),
        (TXF[:-2], ["sales.txf:5: the last record breaks off: it would end in ^"]),
        (TXF.replace("C1", "Q1"), ["sales.txf:7: 'Q' begins no line of a record that lotlaw reads"]),
        (TXF.replace("$90", "$90\n$1\n$2"), ["sales.txf:15: '$' begins no line of a record that lotlaw reads"]),
        (TXF.replace("$90", "$ninety"), ["sales.txf:5:6: Cost 'ninety' is not a number"]),
    ],
)
def test_a_record_that_is_none_is_named_by_its_line(refused, text, says):
    assert refused("sales.txf", text) == says
