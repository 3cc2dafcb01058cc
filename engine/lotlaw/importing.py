"""The work of `lotlaw import`: read exports, write the canonical table, and report what was read and what is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lotlaw.ledger import MONEY, Ledger, is_canonical, read, write_canonical
from lotlaw.rules import load, years
from lotlaw.source import data_root, refuse
from lotlaw.taxpayer import normalised, read_taxpayer

if TYPE_CHECKING:
    import polars as pl

SHOWN = 10
"""Transfers that are named; the rest are counted."""


def import_files(
    files: Sequence[Path], out: Path | None, taxpayer: Path | None = None, rules: Path | None = None,
    source: str | None = None, prices: Path | None = None, overrides: Path | None = None,
) -> str:  # fmt: skip
    """Write the canonical table of some exports, if `out` is given, and give the report. Raises Problems."""
    if out and out.is_file() and not is_canonical(out):
        raise refuse(out, "is here already, and lotlaw did not write it; name another file")
    person = read_taxpayer(taxpayer)[0] if taxpayer else normalised({"filing_status": ""})
    ledger = read(
        files, zone=person["timezone"], rules=rules, source=source, answers=person["imports"], prices=prices,
        overrides=overrides, ids=True,
    )  # fmt: skip
    if out:
        try:
            write_canonical(ledger, out)
        except OSError as error:
            raise refuse(out, f"cannot be written: {error.strerror}") from None
    return "".join(f"{line}\n" for line in (*report(ledger, rules), *([f"wrote {out}"] if out else [])))


def explanation(
    files: Sequence[Path], taxpayer: Path | None = None, rules: Path | None = None, source: str | None = None,
    overrides: Path | None = None,
) -> str:  # fmt: skip
    """Which mappings were tried on each file, and where each of its rows went and why."""
    from lotlaw.importers import Request
    from lotlaw.importers.detect import signatures
    from lotlaw.importers.explaining import explained
    from lotlaw.importers.overrides import read_overrides

    person = read_taxpayer(taxpayer)[0] if taxpayer else normalised({"filing_status": ""})
    known = signatures((rules or data_root() / "rules") / "sources")
    words = read_overrides(overrides) if overrides else None
    request = Request(person["timezone"], source, person["imports"], identified=True, overrides=words, explain=True)
    return "".join(f"{line}\n" for path in files for line in explained(path, known, request))


def draft(files: Sequence[Path]) -> str:
    """A first mapping for each file, to be gone through by a person."""
    from lotlaw.importers.drafting import drafted

    return "".join(drafted(path) for path in files)


def report(ledger: Ledger, rules: Path | None = None) -> Iterator[str]:
    """What was read: rows by file and kind, rows left out and why, what needs a word, prices that are missing."""
    yield from ledger.report_text().splitlines()
    yield from _missing_prices(ledger)
    yield from _unpaired(ledger, rules)


def _missing_prices(ledger: Ledger) -> Iterator[str]:
    from lotlaw.importers.prices import unpriced, wanted

    lacking = unpriced(ledger.rows)
    if lacking.height:
        yield f"{lacking.height:,} row(s) have no value in dollars; fill these lines in, and give them with --prices:"
        yield from (f"  {line}" for line in wanted(lacking, [file.name for file in ledger.files]))


def _unpaired(ledger: Ledger, rules: Path | None) -> Iterator[str]:
    """Transfers whose other end is in none of the files."""
    from lotlaw.lots.transfers import pair

    root = rules or data_root() / "rules"
    if not years(root):
        return
    sent, received = (_ends(ledger.rows, kind, leg) for kind, leg in (("transfer_out", "out"), ("transfer_in", "in")))
    said = load(years(root)[-1], root).documents["dispositions"].value["transfers"]
    pairs = pair(sent, received, said)
    for ends, alone, words in (
        (sent, pairs.sent_alone, "left, and arrived in no account of these files"),
        (received, pairs.received_alone, "arrived, and left no account of these files"),
    ):
        lone = ends.filter(ends["row"].is_in(alone))
        for row in lone.head(SHOWN).iter_rows(named=True):
            place = f"{ledger.files[row['file']].name}:{row['line']}"
            yield f"{place}: {row['units'].normalize():f} {row['asset']} {words}"
        if lone.height > SHOWN:
            yield f"... and {lone.height - SHOWN:,} more that {words}"


def _ends(rows: pl.DataFrame, kind: str, leg: str) -> pl.DataFrame:
    """The rows of one kind of transfer, as pairing wants them; money does not count."""
    import polars as pl

    wanted = (f"{leg}_asset", f"{leg}_qty", "to_account", "timestamp", "tx_hash", "group_id")
    full = rows.with_columns(pl.lit(None).alias(name) for name in wanted if name not in rows.columns)
    mine = full.with_row_index("row").filter((pl.col("kind") == kind) & (pl.col(f"{leg}_asset") != MONEY))
    names = ("row", "file", "line", "account", "to_account", "date", "timestamp", "tx_hash", "group_id")
    return mine.select(*names, asset=f"{leg}_asset", units=f"{leg}_qty")
