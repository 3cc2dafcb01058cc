"""The one screen printed after a return is worked out: what was sold, how losses netted, the tax, what to look at.

At most 24 lines of 100 columns, and 4 more for what the formats asked for leave out; in colour on a terminal, plain
otherwise. What is a result stands in the year's rules.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.blanks import maps_of
from lotlaw.rendering import formats
from lotlaw.rendering.amounts import clean, printed
from lotlaw.rendering.exports import left_out
from lotlaw.rendering.rows import boxes_of

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.run import Return

WIDTH = 100
LABEL = 13
WARNINGS = 3
TERMS = ("short", "long")
AMOUNTS = ("proceeds", "basis", "adjustment", "gain")
ONE_SIDED = {"not_in_ledger": "not in the ledger", "not_on_statement": "in the ledger alone"}

Said = tuple[str, str]
"""A line and how it is shown: `title`, `faint`, `warning` or nothing in particular."""

_STYLES = {"title": "bold", "faint": "dim", "warning": "yellow", "": ""}


def print_summary(return_: Return, out: Path | None, asked: Sequence[str] = ()) -> None:
    """Print the summary of a return, which was written into `out` (None: nowhere) or its folder of the year.

    `asked` are the formats that were asked for.
    """
    lines = list(summary(return_, out, asked))
    if not sys.stdout.isatty():
        sys.stdout.write("".join(f"{text}\n" for text, _ in lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for text, style in lines:
        console.print(Text(text, style=_STYLES[style]))


def summary(return_: Return, out: Path | None, asked: Sequence[str] = ()) -> Iterator[Said]:
    """The lines of the summary."""
    yield _title(return_), "title"
    yield from _chosen(return_)
    yield from _sales(return_)
    yield "", ""
    yield from _netting(return_)
    yield from _income(return_)
    yield "", ""
    yield from _warnings(return_)
    yield from _labelled("Not computed", "; ".join(return_.not_computed) or "nothing left out", "faint", lines=2)
    yield from _labelled("Written", _written(return_, out), "", lines=2)
    for n, unsaid in enumerate(_left_out(return_, asked) if out else ()):
        yield from _labelled("" if n else "Left out", unsaid, "warning", lines=3)


def _left_out(return_: Return, asked: Sequence[str]) -> Iterator[str]:
    """What there are no PDFs of, and the rows that tax programs' layouts can't say."""
    year, all_but_pdf = return_.year, {*formats()} - {*asked} == {"pdf"}
    maps = maps_of(year) if all_but_pdf or "pdf" in asked else {}
    if all_but_pdf:
        how = f"which need the blank forms: lotlaw forms get {year.year}" if maps else f"there are none for {year.year}"
        yield f"the PDFs, {how}"
    for name in return_.lines if "pdf" in asked else ():
        if year.forms[name].columns and name not in maps:
            title = year.forms[name].title.partition(",")[0]
            yield f"{title} as PDF: that of {year.year} cannot be filled; copy it from forms.txt (--format pdf,txt)"
    if unsaid := left_out(return_, asked):
        yield unsaid


def _title(return_: Return) -> str:
    year = return_.year
    draft = "" if year.status == "published" else f" ({year.status} rules)"
    return f"{year.year}{draft}, {year.statuses[return_.taxpayer['filing_status']]}, {return_.lots} lots"


def _chosen(return_: Return) -> Iterator[Said]:
    """How lots were chosen, if not as the law has it: by no order in time, or by the taxpayer's own rates."""
    rates = [f"{Decimal(rate.numerator) * 100 / rate.denominator:f}%" for rate in return_.rates or ()]
    if return_.planning_only:
        at = f" at {' and '.join(rates)}" if rates else ""
        yield f"PLANNING ONLY: lots chosen by {return_.lots}{at}, which no record made in time supports", "warning"
    elif rates:
        short, long = rates
        yield from _labelled("Least tax", f"of the lots open, at your own {short} short-term and {long} long-term", "")


def _sales(return_: Return) -> Iterator[Said]:
    rows = return_.rows
    if not rows.height:
        yield from _labelled("Sales", "none this year", "")
        return
    yield _row("", "rows", "proceeds", "basis", "adjustments", "gain"), "faint"
    parts = {str(term): part for (term,), part in rows.select("term", *AMOUNTS).group_by("term")}
    for term in TERMS:
        if term in parts:
            yield _sums(f"{term.capitalize()}-term", parts[term]), ""
    if len(parts) > 1:
        yield _sums("All", rows), ""
    counts = dict(return_.laid.rows["box"].value_counts().iter_rows())
    boxes = ", ".join(f"{box} {counts[box]:,}" for box in boxes_of(return_.year) if box in counts)
    yield from _labelled("Rows by box", "; ".join([*([boxes] if boxes else []), *_without_rows(return_)]), "")
    yield from _statements(return_)


def _without_rows(return_: Return) -> Iterator[str]:
    """Sales that have no row of their own on the form."""
    direct, attached = return_.laid.direct, return_.laid.attached
    if direct.height:
        lines = ", ".join(direct["line"].unique(maintain_order=True))
        yield f"{direct.height:,} sales straight to {lines}"
    if attached.height:
        yield f"{attached.height:,} sales on a statement"


def _statements(return_: Return) -> Iterator[Said]:
    """How brokers' statements and the ledger agree."""
    import polars as pl

    differs = return_.compared["differs"].list
    counts = {"agree": int((differs.len() == 0).sum()), "differ": 0, **dict.fromkeys(ONE_SIDED, 0)}
    for (what,), rows in return_.compared.filter(pl.col("differs").list.len() > 0).group_by(
        pl.col("differs").list.first()
    ):
        counts[what if what in ONE_SIDED else "differ"] += rows.height
    said = [f"{ONE_SIDED.get(what, what)} {n:,}" for what, n in counts.items() if n]
    yield from _labelled("Statements", ", ".join(said), "") if said else ()


def _sums(label: str, rows: pl.DataFrame) -> str:
    cents = [Decimal(rows[name].sum()).scaleb(-2) for name in AMOUNTS]
    return _row(label, f"{rows.height:,}", *(printed(amount, whole=False) for amount in cents))


def _row(label: str, rows: str, *amounts: str) -> str:
    cells = (f"{amount if amount.endswith(')') else f'{amount} ':>19}" for amount in amounts)
    return f"{label:<{LABEL}}{rows:>8} {''.join(cells)}".rstrip()


def _netting(return_: Return) -> Iterator[Said]:
    """How losses netted: what was carried in, each term's net, what is deducted, what is carried on."""
    found = return_.results
    carried_in, carried_on = return_.taxpayer["carryover"], return_.carryover
    if any(carried_in.values()):
        yield from _labelled("Carried in", _terms(return_, carried_in), "")
    nets = {term: found[f"net_{term}_term"] for term in TERMS}
    if return_.rows.height or any(nets.values()):
        yield from _labelled("Netted", f"{_terms(return_, nets)}: together {_dollars(return_, found['net_gain'])}", "")
    if found["allowed_loss"]:
        yield from _labelled(
            "Deducted", f"{_dollars(return_, found['allowed_loss'])} of the loss, from other income", ""
        )
    if found["allowed_loss"] or any(carried_on.values()):
        yield from _labelled("Carried on", f"{_terms(return_, carried_on)}, to {return_.year.year + 1}", "")
    if return_.tax is not None:
        yield from _labelled("Tax", _tax(return_, return_.tax), "")


def _tax(return_: Return, tax: Decimal) -> str:
    said, without = f"{_dollars(return_, tax)} before credits", return_.tax_without_losses
    if without is None or without == tax:
        return said
    saved = f", which save {_dollars(return_, without - tax)}" if without > tax else ""
    return f"{said}; {_dollars(return_, without)} without the losses{saved}"


def _terms(return_: Return, amounts: dict[str, Decimal]) -> str:
    return ", ".join(f"{term}-term {_dollars(return_, amounts[term])}" for term in TERMS)


def _dollars(return_: Return, amount: Decimal) -> str:
    return printed(amount, whole=not return_.cents)


def _income(return_: Return) -> Iterator[Said]:
    """The ledger's income by kind: what counts on the return, and what doesn't."""
    import polars as pl

    sums = return_.income.group_by("counted", "kind").agg(pl.col("amount").sum()).sort("kind")
    for counts, label in ((True, "Income"), (False, "Not counted")):
        kinds = [
            f"{kind} {printed(amount, whole=False)}" for counted, kind, amount in sums.iter_rows() if counted is counts
        ]
        if kinds:
            yield from _labelled(label, ", ".join(kinds), "")


def _warnings(return_: Return) -> Iterator[Said]:
    warnings = [*return_.ledger.doubts, *return_.warnings]
    count = len(warnings)
    for n, warning in enumerate(warnings[:WARNINGS]):
        yield from _labelled(f"{count:,} warning{'s' * (count > 1)}" if n == 0 else "", warning, "warning")
    if count > WARNINGS:
        yield from _labelled("", f"and {count - WARNINGS:,} more, in return.json", "warning")


def _written(return_: Return, out: Path | None) -> str:
    if out is None:
        return "nothing; add --out FOLDER"
    of_year = out / str(return_.year.year)
    folder = of_year if of_year.is_dir() else out
    return f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir() if path.is_file()))}"


def _labelled(label: str, text: str, style: str, lines: int = 1) -> Iterator[Said]:
    """A text beside its label, on no more than `lines` lines."""
    broken = textwrap.wrap(clean(text), WIDTH - LABEL, max_lines=lines, placeholder=" ...")
    for n, line in enumerate(broken):
        yield f"{'' if n else label:<{LABEL}}{line}".rstrip(), style
