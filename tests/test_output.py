"""Writing a return into a folder: private, all or nothing, and never over anybody else's files."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest
from made_return import ACME, made_return

from lotlaw.output import refuse_others, write
from lotlaw.run import Return
from lotlaw.source import Problems

ALL = ["json", "csv", "txt", "html"]


@pytest.fixture(scope="module")
def made() -> Return:
    return made_return(rows=[ACME])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(return_: Return, out: Path, formats: list[str] = ALL) -> str:
    before = names(out) if out.is_dir() else None
    with pytest.raises(Problems) as error:
        write(return_, out, formats)
    assert (names(out) if out.is_dir() else None) == before
    return str(error.value).replace(str(out.parent), "…")


def test_files_are_their_owners_alone(made: Return, tmp_path: Path) -> None:
    out = tmp_path / "a" / "return"
    old = os.umask(0)
    try:
        paths = write(made, out, ALL)
    finally:
        os.umask(old)
    assert mode(out) == 0o700
    assert {mode(path) for path in paths} == {0o600}
    assert sorted(path.name for path in paths) == names(out)
    assert {"return.json", "form_8949.csv", "schedule_d.csv", "forms.txt", "forms.html", "qdcg.csv"} <= set(names(out))


def test_return_json_is_always_written(made: Return, tmp_path: Path) -> None:
    assert [path.name for path in write(made, tmp_path / "out", [])] == ["return.json"]
    assert [path.name for path in write(made, tmp_path / "out", ["txt", "json", "txt"])] == ["return.json", "forms.txt"]


def test_what_lotlaw_wrote_is_replaced(made: Return, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(made, out, ALL)
    write(made_return(rows=[ACME] * 2), out, ["csv"])
    assert (out / "form_8949.csv").read_text().count("ACME,schwab") == 2
    assert not {"forms.txt", "forms.html"} & set(names(out))


def test_the_same_return_gives_the_same_files(made: Return, tmp_path: Path) -> None:
    written = [{path.name: path.read_bytes() for path in write(made, tmp_path / out, ALL)} for out in ("a", "b")]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "mine"), ("return.json", '{"mine": 1}'), ("forms.txt", "mine"), ("schedule_d.csv", "a,b\n1,2\n"),
        ("forms.html", "<html>"), ("2025", "mine"),
    ],
)  # fmt: skip
def test_somebodys_files_are_let_be(made: Return, tmp_path: Path, name: str, content: str) -> None:
    out = tmp_path / "out"
    write(made, out, ["csv"])
    (out / name).write_text(content)
    assert refused(made, out) == (
        f"…/out: holds {name}, which lotlaw did not write; name another folder, or add --force to write beside it"
    )
    assert (out / name).read_text() == content


def test_one_of_several_is_named(made: Return, tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.txt"):
        (tmp_path / name).touch()
    assert "holds a.txt and 2 more, which" in refused(made, tmp_path)


def test_a_link_is_not_followed(made: Return, tmp_path: Path) -> None:
    theirs = write(made, tmp_path / "theirs", [])[0]
    before = theirs.read_bytes()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "return.json").symlink_to(theirs)
    assert "holds return.json, which" in refused(made, tmp_path / "out")
    write(made_return(rows=[]), tmp_path / "out", [], force=True)
    assert theirs.read_bytes() == before


def test_force_writes_beside_somebodys_files(made: Return, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").write_text("mine")
    write(made, tmp_path, ["txt"], force=True)
    write(made, tmp_path, [], force=True)
    assert names(tmp_path) == ["notes.txt", "return.json"]
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert mode(tmp_path) == 0o755


def test_folders_of_tax_years_are_lotlaws(made: Return, tmp_path: Path) -> None:
    write(made, tmp_path / "2024", ALL)
    refuse_others(tmp_path)
    (tmp_path / "2024" / "notes.txt").touch()
    with pytest.raises(Problems, match="holds 2024, which lotlaw did not write"):
        refuse_others(tmp_path)


def test_a_file_is_no_folder(made: Return, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert refused(made, tmp_path / "out") == "…/out: is a file; --out names a folder"
    assert refused(made, tmp_path / "out" / "deeper").endswith("cannot be written: Not a directory")


def test_an_unknown_format_leaves_nothing(made: Return, tmp_path: Path) -> None:
    assert (
        refused(made, tmp_path / "out", ["json", "docx"])
        == "--format: no format 'docx'; there are json, csv, txt, html, pdf, drake, fdx, taxact, txf"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("there", [False, True])
def test_a_disk_that_is_full_leaves_what_was(tmp_path: Path, there: bool) -> None:
    out, larger = tmp_path / "out", made_return(rows=[ACME] * 500)
    before = {path: path.read_bytes() for path in write(larger, out, ["csv"])} if there else {}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        assert refused(larger, out, ["json", "html"]) == "…/out: cannot be written: File too large"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path: path.read_bytes() for path in before} == before
    assert out.exists() == there
