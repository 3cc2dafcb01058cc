"""Run the tests that a mapping carries: the rows of a made-up export, and the events that they must become.

An event is compared in every field it has. Left out may be what follows: the account, a date beside an instant, and
the dollars that a dollar leg says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from lotlaw.importers import Imported, Request, imported_text
from lotlaw.importers.canonical import NUMBERS, table
from lotlaw.importers.detect import Signature
from lotlaw.importers.files import text_of
from lotlaw.importers.problems import quoted
from lotlaw.source import Document, Problem, Problems

NAME = "export.csv"
"""What the file of a test is called where the test does not say."""
INNER = ("line", "source_row", "rule", "part", "_cells")
TRIED = " (tried: "
"""What follows in a message says where the rules stand, which changes with every line above them."""
SAID = 200
"""Characters of an event that a message shows."""


def failures(document: Document, signature: Signature) -> Iterator[Problem]:
    """The tests of a mapping that fail, each at its place."""
    for number in range(len(document.value.get("tests", ()))):
        yield from _failures(document, number, signature)


def _failures(document: Document, number: int, signature: Signature) -> Iterator[Problem]:
    test = document.value["tests"][number]
    place, name = document.place("tests", number), test.get("file", NAME)
    try:
        file = imported_text(
            lambda: text_of(name, test["rows"].encode()), [signature], Request(answers={name: test.get("answers", {})})
        )
    except Problems as refused:
        said = [str(problem).removeprefix(f"{name}:").partition(TRIED)[0].strip() for problem in refused.problems]
        if said != test.get("says"):
            yield Problem(place, f"the rows of this test are refused: {'; '.join(said)}")
        return
    if "says" in test:
        yield Problem(place, "the rows of this test should be refused, and are not")
    yield from _differences(document, number, file)
    warned = [note.removeprefix(f"{name}:").strip() for note in file.notes]
    if "warns" in test and test["warns"] != warned:
        yield Problem(place, f"the warnings of this test are: {'; '.join(warned) or 'none'}")
    skipped = sum(file.skipped.values())
    if skipped != int(test.get("skipped", 0)):
        yield Problem(place, f"{skipped} rows are left out; the test says {test.get('skipped', 0)}")


def _differences(document: Document, number: int, file: Imported) -> Iterator[Problem]:
    wanted = document.value["tests"][number].get("events", [])
    found = [_shown(row) for row in file.rows.to_dicts()]
    for n, event in enumerate(wanted[: len(found)]):
        yield from (
            Problem(document.place("tests", number, "events", n), said)
            for said in _compared({name: _plain(name, cell) for name, cell in event.items()}, found[n])
        )
    for n in range(len(found), len(wanted)):
        yield Problem(document.place("tests", number, "events", n), "the rows do not become this event")
    for event in found[len(wanted) :]:
        said = ", ".join(f"{name}: {cell}" for name, cell in event.items())
        yield Problem(document.place("tests", number), f"one event more than the test says: {{{said[:SAID]}}}")


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as a person writes it, without empty cells."""
    there = {"at" if name == "timestamp" else name: cell for name, cell in row.items() if name not in INNER}
    return {name: _plain(name, _written(cell)) for name, cell in there.items() if cell is not None}


def _written(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell).replace("+00:00", "Z")


def _plain(name: str, cell: str) -> str:
    """A value so that one who writes it otherwise says the same."""
    if name == "at":
        return cell.replace("T", " ")
    if table().formats.get(name) not in NUMBERS:
        return cell
    try:
        return f"{Decimal(cell).normalize():f}"
    except InvalidOperation:
        return cell


def _compared(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*wanted, *found}):
        if name not in found:
            yield f"{name} should be {quoted(wanted[name])}, and is empty"
        elif name not in wanted and not _follows(name, wanted, found):
            yield f"{name} is {quoted(found[name])}, which the test does not say"
        elif name in wanted and wanted[name] != found[name]:
            yield f"{name} should be {quoted(wanted[name])}, and is {quoted(found[name])}"


def _follows(name: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Whether a field need not be said, because it follows from others that are."""
    if name == "usd_value":
        return found[name] in (found.get(f"{leg}_qty") for leg in ("in", "out") if found.get(f"{leg}_asset") == "USD")
    if name == "fee_usd":
        return found.get("fee_asset") == "USD" and found[name] == found["fee_qty"]
    return name == "account" or (name == "date" and "at" in wanted)
