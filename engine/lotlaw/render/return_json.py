"""return.json: a return for programs, as `schemas/return.schema.json` describes it.

Amounts are decimal strings, blank lines are absent, keys stand in a fixed order and the same return always gives the same bytes. What
grows with transactions (rows of Form 8949, income) is written as columns; the rest is small.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lotlaw import __version__
from lotlaw.render.amounts import exact_dollars, in_dollars, plain, said
from lotlaw.render.rows import BETWEEN, by_box, columns_of, places, plain_rows, totals_by_column

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.run import Return

PRIVATE = ("ssn",)
"""Fields of the taxpayer that never leave the forms."""
COUNTS = ("aged_or_blind",)
"""Fields of the taxpayer that are numbers but no amounts."""

_ROW = ("description", "acquired", "sold", "proceeds", "basis", "codes", "adjustment", "gain", "source")


def return_json(return_: Return) -> str:
    """The whole file, ending with a line feed."""
    return "{" + ",\n ".join(f"{_text(key)}: {value}" for key, value in _members(return_)) + "}\n"


def _members(return_: Return) -> Iterator[tuple[str, str]]:
    year = return_.year
    yield "tax_year", _text(year.year)
    yield "filing_status", _text(return_.taxpayer["filing_status"])
    yield "planning_only", _text(return_.planning_only)
    yield "rules", _text({"year": year.year, "digest": year.digest, "status": year.status})
    yield "engine", _text(__version__)
    yield "inputs", _text(_inputs(return_))
    yield "form_8949", _list(_boxes(return_))
    yield "lines", "{" + ",\n  ".join(f"{_text(form)}: {_text(lines)}" for form, lines in _lines(return_)) + "}"
    yield "carryover", _text({term: plain(amount, whole=not return_.cents) for term, amount in return_.carryover.items()})
    yield "income", _list(_income(return_))
    yield "not_computed", _text(return_.not_computed)
    yield "warnings", _text(return_.warnings)


def _inputs(return_: Return) -> dict[str, Any]:
    """All that the return was worked out from."""
    said_of = {key: value for key, value in return_.taxpayer.items() if key not in PRIVATE}
    taxpayer = {key: value if key in COUNTS else _plain(value) for key, value in said_of.items()}
    files = [{"name": file.name, "sha256": file.sha256} for file in return_.ledger.files]
    return {"taxpayer": taxpayer, "files": files, "method": return_.method, "cents": return_.cents}


def _boxes(return_: Return) -> Iterator[str]:
    import polars as pl

    rows = plain_rows(return_).with_columns(pl.col("source").str.split(BETWEEN))
    texts = rows.select("box", row=pl.struct(_ROW).struct.json_encode())
    columns = columns_of(return_.year, return_.rows)
    for (box, part), (_, amounts) in zip(by_box(return_, texts), by_box(return_, return_.rows), strict=True):
        totals = {c: plain(Decimal(n).scaleb(-2), whole=False) for c, n in totals_by_column(columns, amounts).items()}
        body = part["row"].str.join(",\n    ").item()
        begin = f'{{"box": {_text(box)}, "part": {_text(amounts["part"][0])}, "rows": [\n    '
        yield f'{begin}{body}],\n   "totals": {_text(totals)}}}'


def _lines(return_: Return) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, answers in return_.lines.items():
        form = return_.year.forms[name]
        whole = in_dollars(form, cents=return_.cents)
        yield name, {id_: said(form.lines[id_], answer, whole=whole) for id_, answer in answers.items()}


def _income(return_: Return) -> Iterator[str]:
    import polars as pl

    income = return_.income
    source = places(return_.ledger, income["row"]).str.split(BETWEEN).alias("source")
    when = pl.col("time").cast(pl.String)
    table = income.select("kind", "asset", when, exact_dollars("amount"), "counted").with_columns(source)
    yield from table.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _plain(value: Any) -> Any:
    """A value of the taxpayer file as JSON: amounts as decimal strings."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return value.isoformat() if isinstance(value, date) else value


def _list(items: Iterator[str]) -> str:
    body = ",\n  ".join(items)
    return f"[\n  {body}]" if body else "[]"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
