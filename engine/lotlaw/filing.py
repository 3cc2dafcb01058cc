"""The work of `lotlaw file` and `explain`: read, compute, write; and work a written return out again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from lotlaw.blanks import at_hand, blanks_of
from lotlaw.check import checked
from lotlaw.importers.problems import SHOWN
from lotlaw.law import Year
from lotlaw.ledger import Ledger, read
from lotlaw.rules import load
from lotlaw.run import Return, compute
from lotlaw.source import Document, Problems, refuse
from lotlaw.starter import DEMO
from lotlaw.taxpayer import Taxpayer, normalised, read_taxpayer

DEFAULT_ORDER = "fifo"
ABOVE = 3
"""How many folders, from a return's own upwards, are looked through for the files it was made of."""


def years_of(said: str) -> list[int]:
    """`2025` or `2021..2025` as years. Raises Problems."""
    match = re.fullmatch(r"(\d{4})(?:\.\.(\d{4}))?", said)
    if not match or (match[2] and match[2] < match[1]):
        raise refuse(said, "not a tax year; write 2025, or a range such as 2021..2025")
    return list(range(int(match[1]), int(match[2] or match[1]) + 1))


def formats_of(said: str, years: Sequence[int] = (), blank: Path | None = None) -> list[str]:
    """The formats asked for, each known. Raises Problems.

    `all` has PDFs among them if a folder of blanks is given, or those of the `years` are kept.
    """
    from lotlaw.rendering import formats

    wanted = [word.strip() for word in said.split(",") if word.strip()]
    if wanted == ["all"]:
        return [name for name in formats() if name != "pdf" or blank or at_hand(years)]
    for word in wanted:
        if word not in formats():
            raise refuse("--format", f"no format '{word}'; there are {', '.join(formats())}")
    return wanted


def file_years(
    years: Sequence[int], files: Sequence[Path], taxpayer: Path, *, out: Path | None = None,
    formats: Sequence[str] = ("json",), method: str | None = None, cents: bool = False, rules: Path | None = None,
    force: bool = False, allow_unknown_basis: bool = False, allocate: str | None = None, prices: Path | None = None,
    overrides: Path | None = None, blank: Path | None = None, flatten: bool = False,
    aggregate_covered: bool = False, summarize: bool = False,
    tell: Callable[[str], object] = len,
) -> list[Return]:  # fmt: skip
    """The returns of one or several years; each year's losses carry over to the next. Writes them if `out` is given.

    PDFs are made of the blanks in the folder `blank`, or of those that are kept; `flatten` makes all part of the page.
    `tell` is told what is being done. Raises Problems.
    """
    person, document = read_taxpayer(taxpayer)
    if allocate:
        person = {**person, "digital_asset_safe_harbor": _in_order(allocate, person)}
    tell(f"reading {', '.join(path.name for path in files)}")
    with ThreadPoolExecutor(max_workers=1) as reader:
        reading = reader.submit(
            read, files, zone=person["timezone"], rules=rules, answers=person["imports"], prices=prices,
            overrides=overrides,
        )  # fmt: skip
        import_module("lotlaw.dispositions.matching")  # takes time, most of it for what the reader needs next
        for year in years:
            checked(year, rules)
        folders = _folders(out, years, force=force) if out else {}
        blanks = {year: blanks_of(load(year, rules), blank) for year in years} if out and "pdf" in formats else {}
        ledger = reading.result()
    refuse_unpriced(ledger, years[-1])
    tell(f"matching lots in {ledger.rows.height:,} rows")
    options = {
        "cents": cents,
        "allow_unknown_basis": allow_unknown_basis,
        "aggregate_covered": aggregate_covered,
        "summarize": summarize,
        "held": out is not None and "html" in formats,
    }
    returns = list(_chain(years, ledger, person, document, method, rules, **options))
    for return_ in returns if folders else ():
        from lotlaw.output import write

        tell(f"writing {return_.rows.height:,} rows of {return_.year.year}")
        number = return_.year.year
        write(return_, folders[number], list(formats), force=force, blanks=blanks.get(number), flatten=flatten)
    return returns


def _in_order(order: str, person: Taxpayer) -> dict[str, Any]:
    """What `--allocate` stands for; a safe harbor that was made is not put aside."""
    from lotlaw.lots.allocating import unclaimed

    if order != DEFAULT_ORDER:
        raise refuse("--allocate", f"no order {order}; there is {DEFAULT_ORDER}")
    if person["digital_asset_safe_harbor"].get("allocation"):
        raise refuse("--allocate", "the taxpayer file gives an allocation of its own, which holds")
    return unclaimed(order)


def refuse_unpriced(ledger: Ledger, year: int, most: int = SHOWN) -> None:
    """Raise Problems, `most` by name, for rows to a year's end that no return can be worked out without a value of."""
    if "usd_value" in ledger.rows.columns and not ledger.rows["usd_value"].null_count():
        return
    from lotlaw.importers.prices import refusals, unpriced

    lacking = unpriced(ledger.rows, date(year, 12, 31), fees=False)
    if lacking.height:
        raise Problems(refusals(lacking, [file.name for file in ledger.files], most))


def _folders(out: Path, years: Sequence[int], *, force: bool) -> dict[int, Path]:
    """Where each year goes; refused before anything is computed if it holds somebody's files."""
    from lotlaw.output import refuse_others

    folders = {year: out if len(years) == 1 else out / str(year) for year in years}
    for folder in dict.fromkeys((out, *folders.values())):
        refuse_others(folder, force=force)
    return folders


def _chain(
    years: Sequence[int], ledger: Ledger, person: Taxpayer, document: Document, method: str | None,
    rules: Path | None, **options: bool,
) -> Iterator[Return]:  # fmt: skip
    for year_number in years:
        year = load(year_number, rules)
        return_ = compute(year, ledger, person, method, document=document, **options)
        yield return_
        person = {**person, "carryover": return_.carryover, "carryover_given": True, "inputs": {}}


def recompute(path: Path, rules: Path | None = None) -> Return:
    """Work out a written return again, from the files and rules it was made of. Raises Problems if they changed."""
    said = written(path)
    year = checked(said["tax_year"], rules)
    if said["digest"] != year.digest:
        raise refuse(
            path, "made by other rules than these; file it again, or give the rules it was made by with --rules"
        )
    return work_again(path, year, rules)


def work_again(path: Path, year: Year, rules: Path | None = None) -> Return:
    """A written return worked out by the rules of `year`, whatever made it. Raises Problems if a file changed."""
    said = written(path)
    entries, person = said["files"], said["taxpayer"]
    files = [_same_file(path, entry) for entry in entries]
    prices, overrides = (_same_file(path, said[role]) if said[role] else None for role in ("prices", "overrides"))
    ledger = read(
        files, zone=person["timezone"], rules=rules, answers=person["imports"], prices=prices, overrides=overrides
    )
    called = tuple(replace(file, name=entry["name"]) for file, entry in zip(ledger.files, entries, strict=True))
    return compute(year, replace(ledger, files=called), person, said["method"], **said["options"])


def written(path: Path) -> dict[str, Any]:
    """What a return says that it was made of. Raises Problems if it isn't one."""
    from lotlaw.rendering.return_json import CHOSEN

    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        entries = [{key: str(entry[key]) for key in ("name", "sha256")} for entry in said["inputs"]["files"]]
        return {
            "tax_year": int(said["tax_year"]), "digest": said["rules"]["digest"], "files": entries,
            "taxpayer": normalised(said["inputs"]["taxpayer"]), "method": said["inputs"]["method"],
            **{role: said["inputs"].get(role) for role in ("prices", "overrides")},
            "options": {key: bool(said["inputs"].get(key)) for key in ("cents", *CHOSEN)},
        }  # fmt: skip
    except FileNotFoundError:
        raise refuse(path, "no such file") from None
    except (OSError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise refuse(path, "not a return.json that `lotlaw file` wrote") from None


def _same_file(return_path: Path, entry: Mapping[str, str]) -> Path:
    """The input file as it was: by its name as given, beside the return or in a folder above it, or in the demo."""
    name = Path(entry["name"])
    above = return_path.resolve().parents[:ABOVE]
    for candidate in (name, *(folder / called for folder in above for called in (name, name.name)), DEMO / name.name):
        if candidate.is_file() and hashlib.sha256(candidate.read_bytes()).hexdigest() == entry["sha256"]:
            return candidate
    said = f"was made from {name}, which is not here or has changed since"
    raise refuse(return_path, f"{said}; file it again, or put the file as it was beside the return")
