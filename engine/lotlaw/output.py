"""Write a return into a folder: all its files or none, readable only by their owner, and never over anybody else's.

Files are written into a hidden folder inside the one asked for and moved from there, so that a full disk or a stop in
between leaves nothing half-written. What lotlaw wrote before is replaced, files that are no longer asked for included.
A file is known as lotlaw's by its name and the way it begins.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lotlaw.rendering import files
from lotlaw.rendering.exports import headers
from lotlaw.rendering.pieces import Piece, write_pieces
from lotlaw.rendering.tables import LINE_COLUMNS, ROW_COLUMNS, WHY_COLUMNS
from lotlaw.source import refuse

if TYPE_CHECKING:
    from lotlaw.blanks import Blanks
    from lotlaw.run import Return

DRAFT = ".lotlaw-"
HEAD = 16_000
"""How much of a file is read to know whose it is, in bytes."""

Known = tuple[tuple[str, Callable[[bytes], bool]], ...]
"""Files that lotlaw writes into one folder: patterns of their names, and how they begin."""


def _is_table(head: bytes) -> bool:
    known = [*map(",".join, (ROW_COLUMNS, LINE_COLUMNS, WHY_COLUMNS)), *headers()]
    return head.startswith(tuple(f"{header}\n".encode() for header in known))


_OURS: Known = (
    (r"return\.json", lambda head: head.startswith(b'{"tax_year": ')),
    (r"forms\.txt", lambda head: head.startswith(b"====") and b"\nlotlaw " in head),
    (r"(forms|report)\.html", lambda head: b'<meta name="generator" content="lotlaw ' in head),
    (r"\w+\.csv", _is_table),
    (r"\w+\.pdf", lambda head: head.startswith(b"%PDF-") and b"(lotlaw " in head),
    (r"\w+\.txf", lambda head: re.match(rb"V\d+\r\nAlotlaw ", head) is not None),
    (r"fdx\.json", lambda head: head.startswith(b'{"taxYear": ')),
)


def write(
    return_: Return, out: Path, formats: Sequence[str], *, force: bool = False, blanks: Blanks | None = None,
    flatten: bool = False,
) -> list[Path]:  # fmt: skip
    """Write return.json and the files of `formats` into the folder `out`; gives their paths.

    `blanks` and `flatten` are for PDFs (`lotlaw.rendering.files`).

    The folder is made if need be. Raises Problems if it holds anything that lotlaw did not write, unless `force`, which
    leaves that alone; or if it can't be written.
    """
    wanted = ["json", *(f for f in dict.fromkeys(formats) if f != "json")]
    return write_all(out, _made(return_, wanted, blanks, flatten=flatten), force=force)


def _made(
    return_: Return, formats: Sequence[str], blanks: Blanks | None, *, flatten: bool
) -> Iterator[dict[str, Iterable[Piece]]]:
    """The files of each format; the report comes with the forms as pages, statements with rows that sum up others."""
    for format_ in formats:
        yield files(return_, format_, blanks=blanks, flatten=flatten)
        if format_ == "html":
            from lotlaw.report import report_html

            yield {"report.html": report_html(return_)}
    if return_.laid.attached.height:
        from lotlaw.rendering.pdf import statement_files

        yield statement_files(return_)


def write_all(
    out: Path, made: Iterable[dict[str, Iterable[Piece]]], *, force: bool = False, ours: Known = _OURS
) -> list[Path]:
    """Write files by name into the folder `out`, all or none; `ours` is what it may hold already, and is replaced."""
    refuse_others(out, force=force, ours=ours)
    there = out.is_dir()
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _replace(out, made, ours)
    except OSError as error:
        why = error.strerror or re.sub(r" \(os error \d+\)", "", str(error))
        raise refuse(out, f"cannot be written: {why}") from None
    finally:
        if not there:
            with suppress(OSError):
                out.rmdir()


def refuse_others(out: Path, *, force: bool = False, ours: Known = _OURS) -> None:
    """Raise Problems if `out` is no folder, or holds anything that lotlaw did not write (unless `force`)."""
    try:
        if not out.is_dir() and (out.exists() or out.is_symlink()):
            raise refuse(out, "is a file; --out names a folder")
        others = [] if force or not out.exists() else [e for e in _entries(out) if not _is_ours(e, ours)]
    except OSError as error:
        raise refuse(out, f"cannot be read: {error.strerror}") from None
    if others:
        more = f" and {len(others) - 1:,} more" if others[1:] else ""
        what = f"holds {others[0].name}{more}, which lotlaw did not write"
        raise refuse(out, f"{what}; name another folder, or add --force to write beside it")


def _replace(out: Path, files_made: Iterable[dict[str, Iterable[Piece]]], ours: Known) -> list[Path]:
    before = [entry for entry in _entries(out) if entry.is_file() and _is_ours(entry, ours)]
    if len(before) == len(list(_entries(out))):
        out.chmod(0o700)
    with TemporaryDirectory(prefix=DRAFT, dir=out) as draft:
        made = [name for texts in files_made for name in _write(Path(draft), texts)]
        for name in made:
            (Path(draft) / name).replace(out / name)
    for stale in before:
        if stale.name not in made:
            stale.unlink()
    return [out / name for name in made]


def _write(folder: Path, texts: dict[str, Iterable[Piece]]) -> Iterator[str]:
    for name, pieces in texts.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            write_pieces(pieces, file)
        yield name


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _is_ours(entry: Path, ours: Known) -> bool:
    """Whether lotlaw wrote a file, or all that is in a tax year's folder."""
    if entry.is_symlink():
        return False
    if entry.is_dir():
        kept = entry.name.startswith(DRAFT) or re.fullmatch(r"\d{4}", entry.name)
        return bool(kept) and all(_is_ours(inner, ours) for inner in _entries(entry))
    known = [begins for name, begins in ours if re.fullmatch(name, entry.name)]
    if not known or not entry.is_file():
        return False
    with entry.open("rb") as file:
        head = file.read(HEAD)
    return any(begins(head) for begins in known)
