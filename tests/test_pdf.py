"""Official PDFs: every value in its printed cell, in every year, as other programs read and draw it."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_return import HARM, SSN, made_return
from pypdf import PdfReader

from conftest import ROOT
from lotlaw.blanks import blanks_of, maps_of
from lotlaw.rendering.pdf import ATMOST, pdf_files
from lotlaw.rules import load
from lotlaw.run import Return

BLANKS, FACTS = ROOT.parent / "shared" / "irs-forms", ROOT.parent / "shared" / "facts" / "acroform"
pytestmark = pytest.mark.skipif(not BLANKS.is_dir(), reason="the IRS's blanks are not here")

YEARS = range(2018, 2026)
NAME = "Ada & <Lovelace>"
CHECKED = "✔"
A_PAGE = {year: 11 if year == 2025 else 14 for year in YEARS}


def sale(number: int, box: str = "A", **said: Any) -> tuple[Any, ...]:
    """A row whose every amount tells which row it is."""
    part = "I" if box in "ABCGHI" else "II"
    proceeds, basis = 100_000 + number * 101, 90_000 + number * 37
    row = {
        "box": box, "part": part, "term": "short" if part == "I" else "long", "asset": "ACME", "account": "schwab",
        "description": f"{number} sh. ACME", "acquired": date(2017, 1, 1 + number % 28), "text": None,
        "sold": date(2018, 3, 1 + number % 31), "proceeds": proceeds, "basis": basis, "codes": "", "adjustment": 0,
        "sale": 1, "lot": 0, "collectible": False,
    }  # fmt: skip
    return tuple({**row, **said}.values())


def filled(return_: Return, *, flatten: bool = False) -> dict[str, bytes]:
    return pdf_files(return_, blanks_of(return_.year, BLANKS), flatten=flatten)


@cache
def places(form: str, year: int) -> dict[str, tuple[int, tuple[float, ...]]]:
    """By what stands there, the page and the place of each field, as they were read from the official PDF by hand."""
    said = json.loads((FACTS / f"acroform_{form}_{year}.json").read_text())
    return {f"{field['page']}.{field['line']}": (field["page"] - 1, tuple(field["rect"])) for field in said["fields"]}


class Drawn:
    """A PDF as pdfium draws it: appearances of fields become part of the page, and text is asked for by its place."""

    def __init__(self, data: bytes) -> None:
        self.pdf = pypdfium2.PdfDocument(data)
        if self.pdf.get_formtype():
            self.pdf.init_forms()
            for page in self.pdf:
                page.flatten()
                page.close()
        self.sheets = [page.get_textpage() for page in self.pdf]

    def at(self, sheet: int, rect: tuple[float, ...], around: float = 3) -> str:
        """What stands in a place, on one line, but for its edges above and below: printed letters may reach into it."""
        left, bottom, right, top = rect
        text = self.sheets[sheet].get_text_bounded(left, bottom + around, right, top - around, errors="replace")
        return " ".join(text.split())


def inked_in(data: bytes, places: dict[str, tuple[float, ...]], scale: int = 2) -> list[str]:
    """The places of the first page in which a picture of it has the form's blue ink."""
    pdf = pypdfium2.PdfDocument(data)
    if pdf.get_formtype():
        pdf.init_forms()
    picture = pdf[0].render(scale=scale)
    pixels, step, found = bytes(picture.buffer), picture.n_channels, []
    for name, edges in places.items():
        left, bottom, right, top = (round(edge * scale) for edge in edges)
        for y in range(picture.height - top, picture.height - bottom):
            row = pixels[y * picture.stride + left * step : y * picture.stride + right * step]
            if any(blue > red + 64 for blue, red in zip(row[0::step], row[2::step], strict=True)):
                found.append(name)
                break
    return found


def money(cents: int) -> str:
    text = f"{abs(cents) // 100:,}.{abs(cents) % 100:02}"
    return f"({text})" if cents < 0 else text


def shown(row: tuple[Any, ...]) -> dict[str, str]:
    """What the columns of the form show of a row."""
    *_, what, acquired, word, sold, proceeds, basis, codes, adjustment, _, _, _ = row
    gain = proceeds - basis + adjustment
    return {
        "a": what, "b": word or f"{acquired:%m/%d/%Y}", "c": f"{sold:%m/%d/%Y}", "d": money(proceeds),
        "e": money(basis), "f": codes, "g": money(adjustment) if codes or adjustment else "", "h": money(gain),
    }  # fmt: skip


def box_of(return_: Return, drawn: Drawn, sheet: int, page: int) -> str:
    """The box that is checked on a sheet."""
    found = places("f8949", return_.year.year)
    boxes = {line[-1]: rect for line, (at, rect) in found.items() if ".box_" in line and at == page}
    checked = [box for box, rect in boxes.items() if drawn.at(sheet, rect)]
    assert len(checked) == 1
    return checked[0]


def assert_in_cells(return_: Return, data: bytes, rows: list[tuple[Any, ...]]) -> None:
    """Every row of `rows`, given in the form's order, in its cells; totals below; name and number above."""
    year, drawn, sheet = return_.year.year, Drawn(data), 0
    found = places("f8949", year)
    for box in dict.fromkeys(row[0] for row in rows):
        of_box = [row for row in rows if row[0] == box]
        number = 1 if of_box[0][1] == "I" else 2
        for start in range(0, len(of_box), A_PAGE[year]):
            here = of_box[start : start + A_PAGE[year]]
            at = lambda what, sheet=sheet, number=number: drawn.at(sheet, found[f"{number}.{what}"][1])  # noqa: E731
            assert (at("header.name"), at("header.ssn_or_tin")) == (NAME, SSN)
            assert box_of(return_, drawn, sheet, number - 1) == box
            for n in range(A_PAGE[year]):
                expected = shown(here[n]) if n < len(here) else dict.fromkeys("abcdefgh", "")
                assert {c: at(f"part{number}.row{n + 1}.col_{c}") for c in "abcdefgh"} == expected
            sums = {"d": 9, "e": 10, "g": 12}
            totals = {c: sum(row[place] for row in here) for c, place in sums.items()}
            totals["h"] = totals["d"] - totals["e"] + totals["g"]
            assert {c: at(f"part{number}.line2_totals.col_{c}") for c in "degh"} == {
                c: money(total) for c, total in totals.items()
            }
            sheet += 1
    assert len(drawn.sheets) == sheet


def rows_of(year: int) -> list[tuple[Any, ...]]:
    """One row in each box, and one more than a page holds in the last."""
    boxes = list(load(year).documents["form_8949"].value["boxes"])
    rows = [sale(n, box) for n, box in enumerate(boxes)] + [sale(n, boxes[-1]) for n in range(A_PAGE[year])]
    loss = {"proceeds": 5, "basis": 123_456_789_00, "codes": "BW", "adjustment": 4_500_00}
    rows[0] = sale(0, rows[0][0], **loss)
    rows[-1] = sale(0, rows[-1][0], acquired=None, text="INHERITED", codes="EH", adjustment=-3_00)
    return rows


@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("year", YEARS)
def test_every_value_stands_in_its_cell(year: int, flatten: bool) -> None:
    rows = rows_of(year)
    return_ = made_return(year, rows)
    data = filled(return_, flatten=flatten)["form_8949.pdf"]
    assert_in_cells(return_, data, rows)
    cells = {line: rect for line, (page, rect) in places("f8949", year).items() if page == 0 and ".row" in line}
    inked = {line[:-1] for line in inked_in(data, cells)}
    assert inked == {"1.part1.row1.col_"}
    assert {line[-1] for line in inked_in(data, cells)} == {c for c, text in shown(rows[0]).items() if text}


@pytest.mark.parametrize("year", range(2020, 2026))
@pytest.mark.parametrize("gains", [False, True])
def test_every_line_of_schedule_d_stands_in_its_cell(year: int, gains: bool) -> None:
    typed = {"1a": {"d": 500, "e": 200}, "4": 40, "5": -50, "8a": {"d": 900, "e": 100}, "11": 60, "12": 70, "13": 80}
    boxes = load(year).documents["form_8949"].value["boxes"]
    rows = [sale(9, box, proceeds=9_999_99) for box in boxes] if gains else [sale(9, "C", proceeds=1, basis=30_000_00)]
    return_ = made_return(year, rows, cents=gains, inputs={"schedule_d": typed})
    drawn = Drawn(filled(return_)["schedule_d.pdf"])
    said = {line[2:]: drawn.at(page, rect).removeprefix("( ") for line, (page, rect) in places("f1040sd", year).items()}
    assert (said.pop("header.name"), said.pop("header.ssn")) == (NAME, SSN)
    expected = dict(lines(return_.lines["schedule_d"], cents=gains))
    assert {line: text for line, text in said.items() if text} == expected
    assert {"1a.h", "3.h", "4", "6", "14", "7", "15", "16", "17.yes" if gains else "21"} <= expected.keys()
    assert len(drawn.sheets) == 2


def lines(answers: dict[str, Any], *, cents: bool) -> Iterator[tuple[str, str]]:
    for line, answer in answers.items():
        if isinstance(answer, dict):
            yield from ((f"{line}.{c}", dollars(amount, cents=cents)) for c, amount in answer.items())
        elif isinstance(answer, bool):
            yield from [(f"{line}.{'yes' if answer else 'no'}", CHECKED)] if line != "filed" else []
        else:
            yield line, dollars(answer, cents=cents)


def dollars(amount: Decimal, *, cents: bool) -> str:
    text = f"{abs(amount):,.2f}" if cents else f"{abs(amount):,.0f}"
    return f"({text})" if amount < 0 else text


def test_the_same_return_gives_the_same_bytes() -> None:
    for flatten in (False, True):
        first, second = (filled(made_return(2024, [sale(1)]), flatten=flatten) for _ in range(2))
        assert first == second
        assert sorted(first) == ["form_8949.pdf", "schedule_d.pdf"]


def test_nothing_is_left_to_the_viewer_and_nothing_of_the_blank_but_the_form() -> None:
    for flatten in (False, True):
        for data in filled(made_return(2025, rows_of(2025)), flatten=flatten).values():
            root = PdfReader(io.BytesIO(data)).root_object
            form = root.get("/AcroForm", {})
            assert not {"/XFA", "/NeedAppearances", "/SigFlags"} & form.keys()
            assert not {"/Perms", "/Metadata", "/Names", "/OpenAction", "/AA"} & root.keys()
            assert ("/AcroForm" in root) is not flatten
            assert b"/Widget" not in data or not flatten


def test_fields_keep_their_names_and_can_be_changed() -> None:
    return_ = made_return(2025, [sale(n, "A") for n in range(12)])
    fields = PdfReader(io.BytesIO(filled(return_)["form_8949.pdf"])).get_fields() or {}
    row = "topmostSubform[{}].Page1[0].Table_Line1_Part1[0].Row1[0].f1_03[0]"
    assert [fields[row.format(n)]["/V"] for n in (0, 1)] == ["0 sh. ACME", "11 sh. ACME"]
    assert not any(int(fields[row.format(n)].get("/Ff", 0)) & 1 for n in (0, 1))
    assert fields["topmostSubform[1].Page1[0].c1_1[0]"]["/V"] == "/1"
    assert fields["topmostSubform[0].Page1[0].Table_Line1_Part1[0].Row2[0].f1_11[0]"]["/V"] == "1 sh. ACME"


def test_pages_with_deferred_gain_come_first() -> None:
    """A page with code Z stands before all others, and its box begins with that row."""
    rows = [sale(1, "A"), *(sale(n, "F") for n in range(2, 17)), sale(99, "F", codes="Z", adjustment=-100)]
    drawn = Drawn(filled(made_return(2024, rows))["form_8949.pdf"])
    found = places("f8949", 2024)
    first = [drawn.at(n, found[f"{page}.part{page}.row2.col_a"][1]) for n, page in enumerate((2, 1, 2))]
    assert first == ["2 sh. ACME", "", "16 sh. ACME"]
    assert drawn.at(0, found["2.part2.row1.col_f"][1]) == "Z"


LONG = "0.123456789012345678 of a token whose name goes on and on " + "AndNeverEverBreaks" * 3


def test_long_names_get_smaller_and_longer_ones_stand_on_a_statement() -> None:
    longest = f"{LONG} " * 6
    rows = [sale(1, "A", description=LONG), sale(2, "A", description=longest), sale(3, "A", codes="BCDEHLMNOQRSTWX")]
    for flatten in (False, True):
        drawn = Drawn(filled(made_return(2025, rows), flatten=flatten)["form_8949.pdf"])
        found = places("f8949", 2025)
        cell = [drawn.at(0, found[f"1.part1.row{n}.col_{c}"][1]) for n, c in ((1, "a"), (2, "a"), (3, "f"))]
        assert cell[0].replace(" ", "") == LONG.replace(" ", "")
        assert cell[1:] == ["See stmt. 1", "See stmt. 2"]
        statement = drawn.at(1, (0, 0, 792, 612))
        assert statement.startswith(f"Statement to 2025 Form 8949 {NAME} {SSN} 1 page 1, row 2, column (a):")
        assert longest.replace(" ", "") in statement.replace(" ", "")
        assert statement.endswith("2 page 1, row 3, column (f): BCDEHLMNOQRSTWX")


def test_letters_that_the_font_lacks_are_written_as_near_as_it_can() -> None:
    rows = [sale(1, "A", description="Zoë (Łódź) \\ 日本"), sale(2, "A", description=HARM)]
    drawn = Drawn(filled(made_return(2025, rows, name="Žofie Dvořák"))["form_8949.pdf"])
    found = places("f8949", 2025)
    assert drawn.at(0, found["1.header.name"][1]) == "Žofie Dvorák"
    assert drawn.at(0, found["1.part1.row1.col_a"][1]) == "Zoë (?ódz) \\ ??"
    assert drawn.at(0, found["1.part1.row2.col_a"][1]).startswith('=HYPERLINK("https://example.co')


def test_a_return_for_planning_says_so_on_every_page() -> None:
    rows = [sale(n, box) for box in ("A", "D") for n in range(2)]
    for flatten in (False, True):
        for data in filled(made_return(2025, rows, planning_only=True), flatten=flatten).values():
            drawn = Drawn(data)
            for sheet in range(len(drawn.sheets)):
                above = drawn.at(sheet, (0, 760, 612, 792))
                assert above == "PLANNING ONLY: lots chosen by hifo, which no record made in time supports"
    overflowing = made_return(2025, [sale(1, "A", description=f"{LONG} " * 6)], planning_only=True)
    statement = Drawn(filled(overflowing)["form_8949.pdf"]).at(1, (0, 0, 792, 612))
    assert statement.startswith("PLANNING ONLY: lots chosen by hifo, which no record made in time supports Statement")


def test_thousands_of_rows_are_stamped_over_one_blank() -> None:
    """Time and memory are bounded by far: 60 s and 300 MB are promised."""
    return_ = made_return(2025, [sale(n, "I") for n in range(10_000)])
    blanks, start = blanks_of(return_.year, BLANKS), time.process_time()
    tracemalloc.start()
    data = pdf_files(return_, blanks)["form_8949.pdf"]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - start < 30
    assert most < 150 * 2**20
    assert len(data) < 4 * 2**20
    pdf = pypdfium2.PdfDocument(data)
    assert (len(pdf), pdf.get_formtype()) == (910, 0)
    assert "9999 sh. ACME" in pdf[909].get_textpage().get_text_range()


def test_above_fifty_pages_all_is_part_of_the_page() -> None:
    few, many = ([sale(n, "A") for n in range(14 * pages)] for pages in (3, ATMOST + 1))
    of_fields = [
        pypdfium2.PdfDocument(filled(made_return(2024, rows))["form_8949.pdf"]).get_formtype() > 0
        for rows in (few, many)
    ]
    assert of_fields == [True, False]


AMOUNTS = st.integers(0, 10**10)


@settings(max_examples=5)
@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEFGHIJKL"), AMOUNTS, AMOUNTS, st.integers(-(10**6), 10**6)),
        min_size=1, max_size=60,
    ),
    st.booleans(),
)  # fmt: skip
def test_totals_of_all_pages_are_the_lines_of_schedule_d(drawn_rows: list[tuple[Any, ...]], flatten: bool) -> None:
    """Read back from the PDF: line 2 of every page, by box, against lines 1b to 3 and 8b to 10 to the cent."""
    rows = [sale(1, box, proceeds=d, basis=e, codes="O", adjustment=g) for box, d, e, g in drawn_rows]
    return_ = made_return(2025, rows, cents=True)
    made = filled(return_, flatten=flatten)
    pages, schedule = Drawn(made["form_8949.pdf"]), Drawn(made["schedule_d.pdf"])
    lines = {line: of["boxes"] for line, of in _landing(return_)}
    sums = {line: dict.fromkeys("degh", Decimal(0)) for line in lines}
    for sheet in range(len(pages.sheets)):
        page = next(n for n in (1, 2) if _box_checked(return_, pages, sheet, n))
        box = _box_checked(return_, pages, sheet, page)
        line = next(line for line, boxes in lines.items() if box in boxes)
        for c in "degh":
            sums[line][c] += amount(
                pages.at(sheet, places("f8949", 2025)[f"{page}.part{page}.line2_totals.col_{c}"][1])
            )
    for line, columns in sums.items():
        at = places("f1040sd", 2025)
        assert columns == {c: amount(schedule.at(0, at[f"1.{line}.{c}"][1])) for c in "degh"}


def _landing(return_: Return) -> Iterator[tuple[str, Any]]:
    for line in return_.year.forms["schedule_d"].lines.values():
        if "boxes" in line.total_of:
            yield line.id, line.total_of


def _box_checked(return_: Return, drawn: Drawn, sheet: int, page: int) -> str:
    found = places("f8949", return_.year.year)
    title = drawn.at(sheet, (30, 600, 90, 690))
    if ("Part II" in title) is not (page == 2):
        return ""
    return next(
        line[-1] for line, (_, rect) in found.items() if f"{page}.part{page}.box_" in line and drawn.at(sheet, rect)
    )


def amount(text: str) -> Decimal:
    digits = Decimal(text.strip("()").replace(",", "") or 0)
    return -digits if text.startswith("(") else digits


def test_maps_name_the_fields_where_they_were_found(tmp_path: Path) -> None:
    """The names in the maps are those of the files that were read by hand, at the same places."""
    for year in YEARS:
        for map_ in maps_of(load(year)).values():
            said = json.loads((FACTS / f"acroform_{map_.file.removesuffix('.pdf')}_{year}.json").read_text())
            names = {f["name"].rpartition(".")[2].removesuffix("[0]") for f in said["fields"] if not f.get("readonly")}
            used = set(_used({key: said for key, said in map_.said.items() if key not in ("form", "blank")}))
            assert used <= names
            assert names - used <= {"c1_1", "c1_1[1]"}  # what only the taxpayer can say: the question on Schedule D


def _used(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
        return
    for value in said.values() if isinstance(said, dict) else said:
        yield from _used(value)
