"""What the filer must still do: what the forms ask, where the results go, what no program could decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.explain.amounts import amount
from lotlaw.rendering.amounts import clean, plain
from lotlaw.rendering.exports import layout, layouts, reasons
from lotlaw.rendering.sheets import sheets

if TYPE_CHECKING:
    from lotlaw.run import Return


@dataclass(frozen=True)
class Task:
    """Something to do: in a few words, and what there is to know of it; `href` leads to it on the page."""

    what: str
    about: str = ""
    href: str = ""


def tasks(return_: Return) -> list[Task]:
    """What is still to be done, the most urgent first."""
    return [*_before(return_), *_asked(return_), *_entered(return_), *_software(return_), *_kept(return_)]


def differing(return_: Return) -> int:
    """How many sales brokers' statements and the ledger do not agree on."""
    return return_.compared.filter(pl.col("differs").list.len() > 0).height


def _before(return_: Return) -> Iterator[Task]:
    """What stands in the way of filing at all."""
    year = return_.year
    if return_.planning_only:
        yield Task("Don't file this return", f"Lots chosen by {return_.lots}, which no record made in time supports.")
    if year.status != "published":
        yield Task(f"Wait for the final forms of {year.year}", "The rules are a draft, not yet checked against them.")
    if count := differing(return_):
        about = f"{count:,} of {return_.compared.height:,} sales differ."
        yield Task("Compare your brokers' statements with the ledger", about, "#differences")
    if count := len(return_.warnings) + len(return_.ledger.doubts):
        yield Task("Look at what lotlaw warns of", f"{count:,} warning{'s' * (count > 1)}.", "#warnings")


def _asked(return_: Return) -> Iterator[Task]:
    """What only the taxpayer can answer or write on the forms."""
    for sheet in sheets(return_):
        for question in sheet.asks:
            yield Task(f"Answer on {sheet.title.partition(',')[0]}: {question}", "", f"#{sheet.name}")
    for note in return_.laid.notes:
        yield Task("Attach the statement of sales", f"{note}.")
    missing = [said for key, said in (("name", "name"), ("ssn", "social security number")) if not return_.taxpayer[key]]
    if missing:
        yield Task(f"Write your {' and '.join(missing)} on every page", "The taxpayer file gives none.")


def _entered(return_: Return) -> Iterator[Task]:
    """Where the results go on the return itself."""
    for form in return_.year.forms.values():
        answers = return_.lines.get(form.name, {})
        told = [
            f"{line.on_form}: {amount(answers[line.id])}"
            for line in form.lines.values()
            if line.on_form and line.id in answers
        ]
        if told:
            yield Task(f"Enter on {form.title.partition(',')[0]}", "; ".join(told), f"#{form.name}")
    if return_.not_computed:
        yield Task("Figure what is not computed here", "; ".join(return_.not_computed) + ".")


def _software(return_: Return) -> Iterator[Task]:
    """Rows that tax programs' layouts can't say."""
    counts = {name: int((reasons(return_, name) != "").sum()) for name in layouts()}
    told = [f"{count:,} of {layout(name)['file']}" for name, count in counts.items() if count]
    if told and not return_.planning_only:
        about = f"Rows that the format can't say: {', '.join(told)}. They are listed in not_in_*.csv."
        yield Task("If you import into tax software, enter by hand what it can't import", about)


def _kept(return_: Return) -> Iterator[Task]:
    carried = {term: value for term, value in return_.carryover.items() if value}
    if carried:
        said = ", ".join(f"{term}: {plain(value, whole=not return_.cents)}" for term, value in carried.items())
        year = return_.year.year + 1
        yield Task(f"Carry the unused loss into {year}", f"In next year's taxpayer file: carryover: {{{said}}}.")
    files = clean(", ".join(file.name for file in return_.ledger.files))
    yield Task("Keep this folder and the files it was made from", files, "#made")
