"""`lotlaw forms get` and the blanks that PDFs are made of: fetched once, checked by digest, never filled if unknown."""

from __future__ import annotations

import functools
import http.server
import io
import shutil
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from conftest import ROOT, Asked
from lotlaw import compute, read, render
from lotlaw.blanks import LARGEST, maps_of, years_with_blanks
from lotlaw.rules import load

BLANKS = ROOT.parent / "shared" / "irs-forms"
needs_blanks = pytest.mark.skipif(not BLANKS.is_dir(), reason="the IRS's blanks are not here")

WELL = {
    "taxpayer.yaml": "filing_status: single\n",
    "ledger.csv": "time,kind,asset,quantity,amount\n2025-01-04,buy,BTC,1,60000\n2025-03-01,sell,BTC,0.5,40000\n",
}
FILE = ("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return", "--format", "pdf")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the data of programs, and a ledger beside it."""
    for name, text in WELL.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "lotlaw" / "forms"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and does not write down who asks."""

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def irs(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine, and the folder that it serves."""
    folder = tmp_path / "web"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/irs-prior", folder
        server.shutdown()


def publish(folder: Path, year: int) -> None:
    """The blanks of a year under the names that the IRS gives them."""
    (folder / "irs-prior").mkdir(exist_ok=True)
    for path in (BLANKS / str(year)).iterdir():
        shutil.copyfile(path, folder / "irs-prior" / f"{path.stem}--{year}.pdf")


@needs_blanks
def test_blanks_are_fetched_once_and_kept_for_their_owner(home: Path, irs: tuple[str, Path], ask: Asked) -> None:
    address, folder = irs
    publish(folder, 2025)
    said = ask("forms", "get", 2025, "--from", address)
    f8949, f1040sd = (home / "2025" / name for name in ("f8949.pdf", "f1040sd.pdf"))
    assert (said.code, said.error) == (0, "")
    assert said.text.splitlines() == [
        f"2025 Form 8949: fetched, {f8949}",
        f"2025 Schedule D (Form 1040): fetched, {f1040sd}",
    ]
    assert f8949.read_bytes() == (BLANKS / "2025" / "f8949.pdf").read_bytes()
    assert stat.S_IMODE((home / "2025").stat().st_mode) == 0o700
    shutil.rmtree(folder / "irs-prior")
    assert "2025 Form 8949: already there" in ask("forms", "get", "2025..2025", "--from", address).text
    assert ask(*FILE).code == 0


@needs_blanks
def test_a_file_that_was_not_checked_is_not_kept(home: Path, irs: tuple[str, Path], ask: Asked) -> None:
    address, folder = irs
    publish(folder, 2025)
    (folder / "irs-prior" / "f8949--2025.pdf").write_bytes(b"%PDF-1.7 a later version")
    said = ask("forms", "get", 2025, "--from", address)
    assert said.code == 2
    assert said.error == (
        f"{address}/f8949--2025.pdf: not the 2025 Form 8949 that was checked, whose SHA-256 begins 274513891e4e; "
        "nothing was kept\n"
    )
    assert not home.exists()


def test_what_cannot_be_fetched_is_said(home: Path, irs: tuple[str, Path], ask: Asked) -> None:
    address, _ = irs
    said = ask("forms", "get", 2024, "--from", address)
    assert said.code == 2
    assert said.error.startswith(f"{address}/f8949--2024.pdf: cannot be fetched: File not found; download it by hand")
    odd = ask("forms", "get", 2024, "--from", "gopher://127.0.0.1").error
    assert odd.startswith("gopher://127.0.0.1/f8949--2024.pdf: cannot be fetched: unknown url type: gopher;")
    assert not home.exists()


def test_a_year_without_a_blank_is_refused_by_name(home: Path, ask: Asked) -> None:
    there = "can be filled; there are those of 2018, 2019, 2020, 2021, 2022, 2023, 2024, 2025"
    assert ask("forms", "get", 2026).error == f"2026: no official PDF of 2026 {there}\n"
    said = ask("file", 2026, *FILE[2:])
    assert (said.code, said.error) == (2, f"--format: no official PDF of 2026 {there}\n")
    assert not (home.parents[2] / "return").exists()


def test_a_blank_that_nobody_fetched_is_asked_for(home: Path, ask: Asked) -> None:
    said = ask(*FILE)
    assert said.code == 2
    assert said.error.splitlines()[0] == (
        "data/lotlaw: has no blank 2025 Form 8949 (f8949.pdf); fetch it once with `lotlaw forms get 2025`, "
        "or name a folder that has it with --blank"
    )
    assert not (home.parents[2] / "return").exists()


@pytest.mark.parametrize("name", ["2025/f8949.pdf", "f8949--2025.pdf", "f8949.pdf"])
def test_another_file_in_the_folder_is_not_filled(name: str, home: Path, tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "blank" / "2025").mkdir(parents=True)
    (tmp_path / "blank" / name).write_bytes(b"%PDF-1.7" + b" " * 2 * LARGEST)
    said = ask(*FILE, "--blank", "blank")
    assert said.code == 2
    assert said.error.splitlines() == [
        f"blank/{name}: not the 2025 Form 8949 that was checked, whose SHA-256 begins 274513891e4e",
        (
            "blank: has no blank 2025 Schedule D (Form 1040) (f1040sd.pdf); fetch it once with "
            "`lotlaw forms get 2025`, or name a folder that has it with --blank"
        ),
    ]


@needs_blanks
def test_a_folder_of_blanks_serves_as_well(home: Path, tmp_path: Path, ask: Asked) -> None:
    assert ask(*FILE, "--blank", BLANKS).code == 0
    written = sorted(path.name for path in (tmp_path / "return").iterdir())
    assert written == ["form_8949.pdf", "return.json", "schedule_d.pdf"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "return").iterdir()} == {0o600}
    assert ask(*FILE[:-1], "json", "--flatten").code == 0  # what lotlaw wrote is known, and replaced
    assert [path.name for path in (tmp_path / "return").iterdir()] == ["return.json"]


@needs_blanks
def test_all_formats_have_pdfs_among_them_where_blanks_are(home: Path, tmp_path: Path, ask: Asked) -> None:
    assert ask(*FILE[:-1], "all").code == 0
    assert not list((tmp_path / "return").glob("*.pdf"))
    assert ask(*FILE[:-1], "all", "--blank", BLANKS).code == 0
    shutil.copytree(BLANKS / "2025", home / "2025")
    before = {path.name: path.read_bytes() for path in (tmp_path / "return").glob("*.pdf")}
    assert ask(*FILE[:-1], "all").code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "return").glob("*.pdf")} == before
    assert len(before) == 2


@needs_blanks
def test_programs_get_the_form_of_a_return_as_bytes(home: Path, tmp_path: Path) -> None:
    shutil.copytree(BLANKS / "2025", home / "2025")
    return_ = compute(load(2025), read([tmp_path / "ledger.csv"]), {"filing_status": "single"})
    assert pages_of(render(return_, "pdf")) == 1
    nothing = compute(load(2025), read([tmp_path / "ledger.csv"]), {"filing_status": "single"})
    assert render(replace(nothing, rows=nothing.rows.clear()), "pdf") == b""


def pages_of(data: object) -> int:
    """How many pages a PDF has."""
    assert isinstance(data, bytes)
    return len(PdfReader(io.BytesIO(data)).pages)


def test_every_year_has_what_it_is_said_to_have() -> None:
    assert years_with_blanks() == list(range(2018, 2026))
    forms = {year: list(maps_of(load(year))) for year in years_with_blanks()}
    assert forms == {year: ["form_8949"] + ["schedule_d"] * (year > 2019) for year in range(2018, 2026)}
    assert all(len(map_.sha256) == 64 for year in forms for map_ in maps_of(load(year)).values())


@needs_blanks
def test_a_form_without_an_official_pdf_is_named(home: Path, tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "ledger.csv").write_text(WELL["ledger.csv"].replace("2025", "2018"))
    said = ask("file", 2018, *FILE[2:], "--blank", BLANKS)
    assert said.code == 0
    left_out = " ".join(said.text.partition("Left out")[2].split())
    assert left_out == (
        "Schedule D (Form 1040) as PDF: that of 2018 cannot be filled; copy it from forms.txt (--format pdf,txt)"
    )
    assert [path.name for path in (tmp_path / "return").glob("*.pdf")] == ["form_8949.pdf"]
