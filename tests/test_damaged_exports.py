"""Damaged copies of an export of every shipped mapping: each imports right, or is refused with file, line and value.

The export is the one that a test of the mapping holds the events of.
"""

from __future__ import annotations

import csv
import io
import re
from functools import cache

import pytest

from conftest import ROOT
from lotlaw.importers import Request, imported_text
from lotlaw.importers.binding import bind
from lotlaw.importers.detect import recognise, signatures
from lotlaw.importers.files import text_of
from lotlaw.importers.language import Values
from lotlaw.importers.mapping import load
from lotlaw.source import Problems, read_yaml

NAME = "export.csv"
KNOWN = {signature.id: signature for signature in signatures(ROOT / "rules" / "sources")}


@cache
def held(source):
    """Rows of an export as a test of the mapping holds them, with the answers and the name of the file."""
    said = read_yaml(KNOWN[source].path, text_only=True).value
    tests = [test for test in said.get("tests", ()) if test.get("events")]
    if tests:
        return tests[0]["rows"], tests[0].get("answers", {}), tests[0].get("file", NAME)
    exports = ROOT / "tests" / "exports"
    (path, *_) = [p for p in exports.glob("*.csv") if p.stem.startswith(source.replace(".", "_"))]
    return path.read_text(encoding="utf-8"), {}, path.name


def read(source, data):
    """The rows of damaged bytes, without where they stand, or what is wrong with them."""
    _, answers, name = held(source)
    request = Request(answers={name: answers})
    try:
        file = imported_text(lambda: text_of(name, data), [KNOWN[source]], request)
    except Problems as refused:
        return None, [str(problem) for problem in refused.problems]
    return file, list(file.notes)


def events(file):
    return file.rows.drop("line", "source_row", "rule", "part", "raw", strict=False).to_dicts()


@cache
def undamaged(source):
    return events(read(source, held(source)[0].encode())[0])


SOURCES = [
    source
    for source in KNOWN
    if any(t.get("events") for t in read_yaml(KNOWN[source].path, text_only=True).value.get("tests", ()))
    or list((ROOT / "tests" / "exports").glob(f"{source.replace('.', '_')}*.csv"))
]


@cache
def table(source):
    """The header's place, what stands above it, and the header and rows below as cells."""
    text = held(source)[0]
    found = recognise(text_of(NAME, text.encode()), [KNOWN[source]])
    lines = text.split("\n")
    rows = list(csv.reader(io.StringIO("\n".join(lines[found.header.line - 1 :])), delimiter=found.header.separator))
    return found.header, "\n".join(lines[: found.header.line - 1]), rows


def written(above, rows, separator):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    return ((above + "\n" if above else "") + text.getvalue()).encode()


def plain(source):
    """Whether the mapping reads one table, so that fields can be counted from one header."""
    return not load(KNOWN[source].path).sections


# Encodings


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
    ],
    ids=["byte-order mark", "UTF-16", "CRLF"],
)
@pytest.mark.parametrize("source", SOURCES)
def test_encodings_and_line_ends_change_nothing(source, change):
    text = held(source)[0]
    file, said = read(source, change(text))
    assert file is not None, said
    assert events(file) == undamaged(source)


def test_windows_1252_is_read_and_said():
    text = held("robinhood.activity")[0]
    assert "Apple" in text
    file, notes = read("robinhood.activity", text.replace("Apple", "Appl\xe9", 1).encode("cp1252"))
    assert file is not None
    assert any(note.endswith("not UTF-8; read as Windows-1252") for note in notes)


# Cells and columns


def placed(source, problems):
    """Every problem stands in the file, and one of them on a line of it."""
    name = held(source)[2]
    assert all(problem.startswith(name) for problem in problems), problems
    assert any(re.match(rf"{re.escape(name)}:\d+", problem) for problem in problems), problems


@pytest.mark.parametrize("source", [s for s in SOURCES if plain(s)])
def test_a_missing_column_is_named_or_not_needed(source):
    header, above, rows = table(source)
    whole = len(undamaged(source))
    for n in bound(source)[1].fields.values():
        cell = header.cells[n]
        file, said = read(source, written(above, [row[:n] + row[n + 1 :] for row in rows], header.separator))
        if file is None:
            assert cell.casefold() in " ".join(said).casefold() or re.search(r":\d+", " ".join(said)), (cell, said)
        else:
            assert len(events(file)) == whole, cell


def with_cell(source, row, field, cell):
    header, above, rows = table(source)
    changed = [list(one) for one in rows]
    changed[row][field] = cell
    return written(above, changed, header.separator), rows


def first_full(rows, field):
    """The first row below the header that has something in a field."""
    return next((n for n, row in enumerate(rows[1:], 1) if len(row) > field and row[field].strip(" -")), None)


@cache
def bound(source):
    importer = load(KNOWN[source].path)
    header, _, rows = table(source)
    return importer, bind(importer, NAME, header), rows


@pytest.mark.parametrize("source", [s for s in SOURCES if plain(s)])
def test_a_word_that_no_table_has_is_refused_with_its_cell(source):
    importer, binding, rows = bound(source)
    for values in [v for v in importer.derive.values() if isinstance(v, Values) and v.of in binding.fields]:
        row = first_full(rows, binding.fields[values.of])
        if row is not None:
            data, _ = with_cell(source, row, binding.fields[values.of], "Unheard Of")
            file, said = read(source, data)
            assert file is None
            placed(source, said)
            assert "Unheard Of" in " ".join(said)


@pytest.mark.parametrize("cell", ["12O.5x", "=1+1"])
@pytest.mark.parametrize("source", [s for s in SOURCES if plain(s)])
def test_text_or_a_formula_where_a_number_belongs_is_refused_with_its_cell(source, cell):
    importer, binding, rows = bound(source)
    numbers = [c.alias for c in importer.columns if c.type == "decimal" and c.alias in binding.fields]
    for field in [binding.fields[alias] for alias in numbers[:2]]:
        row = first_full(rows, field)
        if row is not None:
            file, said = read(source, with_cell(source, row, field, cell)[0])
            assert file is None
            placed(source, said)
            assert any(f":{field + 1}: " in problem and f"'{cell}' is not a number" in problem for problem in said)


@pytest.mark.parametrize("source", [s for s in SOURCES if plain(s)])
def test_twenty_decimals_are_rounded_and_said_or_refused(source):
    importer, binding, rows = bound(source)
    for alias in [c.alias for c in importer.columns if c.type == "decimal" and c.alias in binding.fields][:2]:
        field = binding.fields[alias]
        row = first_full(rows, field)
        if row is None or not re.fullmatch(r"\d+\.\d+", rows[row][field]):
            continue
        digits = rows[row][field].split(".")
        file, said = read(source, with_cell(source, row, field, f"{digits[0]}.{digits[1]:0<18}49")[0])
        if file is None:
            placed(source, said)
        else:
            assert any("has more than 18 decimals in 1 row(s); rounded" in note for note in said)
            assert events(file) == undamaged(source)


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_that_breaks_off_is_refused_or_loses_no_event(source):
    text = held(source)[0].rstrip("\n")
    last = text.rpartition("\n")[2]
    file, said = read(source, text[: len(text) - len(last) + len(last) // 3].encode())
    if file is None:
        placed(source, said)
    else:
        assert len(events(file)) == len(undamaged(source))


def test_what_is_written_is_safe_in_a_spreadsheet(ask, tmp_path):
    text = held("koinly.universal")[0]
    header, above, rows = table("koinly.universal")
    field = header.cells.index("Description")
    rows = [[*row[:field], '=HYPERLINK("x")', *row[field + 1 :]] if n else row for n, row in enumerate(rows)]
    (tmp_path / "k.csv").write_bytes(written(above, rows, header.separator))
    assert text
    assert ask("import", "k.csv", "--out", "t.csv").code == 0
    cells = [cell for row in csv.reader(io.StringIO((tmp_path / "t.csv").read_text())) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if re.match(r"[=+@\t\r]", cell)]
