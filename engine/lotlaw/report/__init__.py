"""report.html: a return as one private page, in which every amount leads to why it is so.

The page needs nothing else and asks nothing of the network: style, script and data stand in it, and its own policy lets
no other run. What grows with transactions is data that the script shows a screen at a time; the rest is plain HTML,
which reads and prints without the script.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lotlaw.rendering.amounts import clean
from lotlaw.rendering.differences import differences_page
from lotlaw.rendering.form_8949 import form_8949
from lotlaw.rendering.pages import frame_of
from lotlaw.rendering.rows import boxes_of
from lotlaw.rendering.sheets import sheets
from lotlaw.rendering.templates import fill, safe, splice
from lotlaw.report.data import data
from lotlaw.report.picture import picture
from lotlaw.report.reasons import Reason, reasons, results
from lotlaw.report.tasks import differing, tasks
from lotlaw.report.totals import totals

if TYPE_CHECKING:
    from lotlaw.run import Return

PAPER = 2**6
"""How many pages of Form 8949 the report shows as on paper; beyond, its totals and the table of all sales."""


def report_html(return_: Return) -> Iterator[str]:
    """The page, in pieces. `return_` was worked out with its holdings (`compute(..., held=True)`)."""
    frame, style, script = frame_of(return_), fill("report/report.css"), fill("report/report.js")
    pages, warnings = _pages(return_), (*return_.ledger.doubts, *return_.warnings)
    entries = reasons(return_)
    texts: dict[str, Iterable[str]] = {
        "paper": _paper(return_, {**frame, "goes": _goes(entries)}),
        "differences": differences_page(return_, "html", frame), "data": data(return_),
    }  # fmt: skip
    yield from splice(
        "report/report.html.j2", texts, **frame, style=safe(style), style_hash=_hash(style), script=safe(script),
        script_hash=_hash(script), results=results(return_), picture=picture(return_), tasks=tasks(return_),
        warnings=[clean(text) for text in warnings], not_computed=return_.not_computed,
        sheets=_sheets(return_, frame), totals=totals(return_), pages=f"{pages:,}", on_paper=pages <= PAPER,
        boxes=_boxes(return_), counts=_counts(return_), reasons=entries, files=_files(return_),
        differences=differing(return_) > 0, digest=return_.year.digest,
    )  # fmt: skip


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _sheets(return_: Return, frame: Mapping[str, Any]) -> list[dict[str, str]]:
    """The forms as on paper, every amount a link to why it is so."""
    return [
        {
            "anchor": sheet.name, "title": sheet.title,
            "html": safe(fill("report/sheet.html.j2", **frame, title=sheet.title, sheet=sheet)),
        }
        for sheet in sheets(return_)
    ]  # fmt: skip


def _paper(return_: Return, frame: Mapping[str, Any]) -> Iterator[str]:
    """Form 8949 page by page, each amount of gain a link to its row, where a person may want to look at all of them."""
    if return_.laid.rows.height and _pages(return_) <= PAPER:
        for _, pieces in form_8949(return_, "html", frame, folder="report/"):
            yield from pieces


def _files(return_: Return) -> list[tuple[str, str]]:
    """The files that the return was made from, by name, with their digests."""
    ledger = return_.ledger
    besides = [file for file in (ledger.prices, ledger.overrides) if file]
    return [(clean(file.name), file.sha256) for file in (*ledger.files, *besides)]


def _goes(entries: list[tuple[str, list[Reason]]]) -> dict[str, str]:
    """Where the totals of each box go: the first line that adds up its rows."""
    every = [reason for _, of_form in entries for reason in of_form]
    return {box: f"#{reason.anchor}" for reason in reversed(every) for box in reason.boxes}


def _pages(return_: Return) -> int:
    """How many pages Form 8949 has."""
    size = int(return_.year.documents["form_8949"].value["rows_a_page"]["value"])
    return sum(-(-count // size) for count in return_.laid.rows["box"].value_counts()["count"])


def _boxes(return_: Return) -> list[tuple[str, str]]:
    """The boxes that have rows, with their labels."""
    there = set(return_.rows["box"])
    return [(box, said["label"]) for box, said in boxes_of(return_.year).items() if box in there]


def _counts(return_: Return) -> dict[str, str]:
    tables = {"sales": return_.rows, "rows": return_.laid.rows, "income": return_.income, "holdings": return_.holdings}
    return {name: f"{table.height:,}" if table.height else "" for name, table in tables.items()}
