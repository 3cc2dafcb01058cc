"""Blank forms of the IRS: which there are, where they are kept, and fetching them once.

`forms/pdf/<year>/<form>.yaml` says of each which field shows what, and the SHA-256 of the file it was checked against;
its address is that of the form in the year's sources. A file with another digest is never filled.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lotlaw import __version__
from lotlaw.law import Year
from lotlaw.rules import load
from lotlaw.schema import shape_problems
from lotlaw.source import Document, Place, Problems, data_root, read_yaml, refuse

Blanks = Mapping[str, "tuple[FieldMap, bytes]"]
"""By form, the map of an official PDF and the bytes of its blank."""

LARGEST = 2**24
"""How many bytes a blank may have."""
PATIENCE = 60
"""How many seconds the IRS may take to answer."""
DIGITS = 12


@dataclass(frozen=True)
class FieldMap:
    """Which field of an official PDF shows what (`said`, as `schemas/pdf.schema.json` describes it)."""

    year: int
    form: str
    title: str
    url: str
    sha256: str
    said: Mapping[str, Any]
    document: Document

    @property
    def file(self) -> str:
        """What the blank is called where it is kept, such as f8949.pdf."""
        return f"{self.said['blank']['source']}.pdf"

    @property
    def published_as(self) -> str:
        """What the IRS calls it, the year included."""
        return self.url.rpartition("/")[2]


def maps_of(year: Year, folder: Path | None = None) -> dict[str, FieldMap]:
    """The field maps of a year by form, from a folder (default: `forms/pdf` beside its rules, else lotlaw's own).

    Raises Problems for maps that depart from their schema.
    """
    beside = year.root.parent / "forms" / "pdf"
    folder = folder or (beside if beside.is_dir() else data_root() / "forms" / "pdf")
    documents = [read_yaml(path) for path in sorted((folder / str(year.year)).glob("*.yaml"))]
    problems = [problem for document in documents for problem in shape_problems(document, "pdf")]
    if problems:
        raise Problems(problems)
    return {document.value["form"]: _map(year, document) for document in documents}


def _map(year: Year, document: Document) -> FieldMap:
    said = document.value
    source = year.documents["year"].value["sources"].get(said["blank"]["source"], {})
    title, url = source.get("title", ""), source.get("url", "")
    return FieldMap(year.year, said["form"], title, url, said["blank"]["sha256"], said, document)


def years_with_blanks() -> list[int]:
    """The tax years some official PDF of which can be filled."""
    return sorted({int(path.parent.name) for path in (data_root() / "forms" / "pdf").glob("[0-9]*/*.yaml")})


def data_folder() -> Path:
    """Where blanks are kept: the user's own folder for data of programs."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "lotlaw"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "lotlaw"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "lotlaw"


def blanks_of(year: Year, folder: Path | None = None) -> Blanks:
    """The blanks of a year with their maps, by form, from a folder or from where `get` keeps them.

    Raises Problems for a year that has none, and for files that are missing or not those that were checked.
    """
    maps = maps_of(year)
    if not maps:
        there = ", ".join(map(str, years_with_blanks()))
        raise refuse("--format", f"no official PDF of {year.year} can be filled; there are those of {there}")
    found, problems = {}, []
    for form, map_ in maps.items():
        try:
            found[form] = map_, _blank(map_, folder)
        except Problems as missing:
            problems += missing.problems
    if problems:
        raise Problems(problems)
    return found


def at_hand(years: Iterable[int]) -> bool:
    """Whether all blanks of some years are kept."""
    try:
        return bool([blanks_of(load(year)) for year in years])
    except Problems:
        return False


def _blank(map_: FieldMap, folder: Path | None) -> bytes:
    there = [path for path in _places(map_, folder) if path.is_file()]
    for path in there:
        data = _bounded(path)
        if hashlib.sha256(data).hexdigest() == map_.sha256:
            return data
    if there:
        raise refuse(there[0], f"not the {map_.title} that was checked, whose SHA-256 begins {map_.sha256[:DIGITS]}")
    said = f"has no blank {map_.title} ({map_.file})"
    help_ = f"fetch it once with `lotlaw forms get {map_.year}`, or name a folder that has it with --blank"
    raise refuse(folder or data_folder(), f"{said}; {help_}")


def _places(map_: FieldMap, folder: Path | None) -> list[Path]:
    """Where a blank may lie, by the names that it may have."""
    if folder is None:
        return [data_folder() / "forms" / str(map_.year) / map_.file]
    return [folder / str(map_.year) / map_.file, folder / map_.published_as, folder / map_.file]


def _bounded(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise refuse(path, f"cannot be read: {error.strerror}") from None


def get(number: int, address: str | None = None) -> list[tuple[FieldMap, Path, bool]]:
    """Fetch the blanks of a year that are not there yet; gives each with its place and whether it was fetched now.

    They come from the IRS, or under the same names from another `address`, and are kept only if they are those that
    the maps were checked against. Raises Problems, and then keeps none.
    """
    maps = maps_of(load(number))
    if not maps:
        there = ", ".join(map(str, years_with_blanks()))
        raise refuse(str(number), f"no official PDF of {number} can be filled; there are those of {there}")
    fetched = {form: _fetched(map_, address) for form, map_ in maps.items() if not _is_kept(map_)}
    for form, data in fetched.items():
        _keep(maps[form], data)
    return [(map_, _places(map_, None)[0], form in fetched) for form, map_ in maps.items()]


def _is_kept(map_: FieldMap) -> bool:
    with suppress(Problems):
        _blank(map_, None)
        return True
    return False


def _fetched(map_: FieldMap, address: str | None) -> bytes:
    """The bytes of a blank. Raises Problems if they can't be had, or aren't those that were checked."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    url = f"{address.rstrip('/')}/{map_.published_as}" if address else map_.url
    try:
        request = Request(url, headers={"User-Agent": f"lotlaw/{__version__}"})  # noqa: S310 (the digest says what came)
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            data: bytes = answer.read(LARGEST)
    except (OSError, ValueError, HTTPException) as error:
        why = getattr(error, "reason", None) or error
        raise refuse(
            Place(url), f"cannot be fetched: {why}; download it by hand and name its folder with --blank"
        ) from None
    if hashlib.sha256(data).hexdigest() != map_.sha256:
        said = f"not the {map_.title} that was checked, whose SHA-256 begins {map_.sha256[:DIGITS]}"
        raise refuse(Place(url), f"{said}; nothing was kept")
    return data


def _keep(map_: FieldMap, data: bytes) -> None:
    path = _places(map_, None)[0]
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".lotlaw-", dir=path.parent) as draft:
            (Path(draft) / path.name).write_bytes(data)
            (Path(draft) / path.name).replace(path)
    except OSError as error:
        raise refuse(path, f"cannot be written: {error.strerror}") from None
