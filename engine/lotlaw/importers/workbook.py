"""Sheets of an Excel workbook as CSV text, one line a row: what a cell says, not how it looks.

A number is a double in the file, and is written with the fewest digits that give that double again. A formula counts as
the value that was saved with it; one without a value stays text, so that it is refused where a number is wanted. The
reader is openpyxl, an extra (`pip install 'lotlaw[xlsx]'`).
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from lotlaw.importers.problems import refused

LARGEST_PART = 2**30
"""Bytes that the parts of a workbook may have together when they are unpacked."""


def is_workbook(data: bytes) -> bool:
    """Whether a file is a workbook as Excel has saved them since 2007."""
    try:
        return "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    except zipfile.BadZipFile:
        return False


def sheets(name: str, data: bytes) -> dict[str, bytes]:
    """Each sheet of a workbook as CSV. Raises Problems."""
    formulas = _looked_through(name, data)
    try:
        from openpyxl import load_workbook
    except ImportError:
        said = "an Excel workbook; to read it, run: pip install 'lotlaw[xlsx]' (or save it as CSV)"
        raise refused(name, said) from None
    try:
        with warnings.catch_warnings(action="ignore"):  # they are about how cells look
            saved, written = (load_workbook(io.BytesIO(data), read_only=True, data_only=only) for only in (True, False))
            return {sheet.title: _csv(_rows(sheet, written[sheet.title] if formulas else sheet)) for sheet in saved}
    except (KeyError, ValueError, TypeError, OSError, SyntaxError, zipfile.BadZipFile):
        raise refused(name, "an Excel workbook that cannot be read; save it as CSV") from None


def _looked_through(name: str, data: bytes) -> bool:
    """Whether there are formulas; refuses what is too large or defines XML entities."""
    book, formulas = zipfile.ZipFile(io.BytesIO(data)), False
    if sum(part.file_size for part in book.infolist()) > LARGEST_PART:
        raise refused(name, f"a workbook of more than {LARGEST_PART:,} bytes; save it as CSV")
    try:
        for part in (p for p in book.infolist() if p.filename.endswith(".xml")):
            text = book.read(part)
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise refused(name, "a workbook that defines entities, which Excel never does; save it as CSV")
            formulas |= part.filename.startswith("xl/worksheets/") and (b"<f>" in text or b"<f " in text)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError):
        raise refused(name, "an Excel workbook that cannot be read; save it as CSV") from None
    return formulas


def _rows(saved: Any, written: Any) -> Iterable[list[str]]:
    """The cells of a sheet as text: values as they were saved, formulas that have none as they were written."""
    for values, formulas in zip(saved.iter_rows(), written.iter_rows(), strict=True):
        yield [_text(f.value if v.value is None else v.value) for v, f in zip(values, formulas, strict=True)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return " ".join(str(value).splitlines())


def _csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
