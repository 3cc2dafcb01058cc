"""return.json: a return for programs, as `schemas/return.schema.json` describes it.

Amounts are decimal strings, blank lines are absent, keys stand in a fixed order and the same return always gives the
same bytes. What grows with transactions (rows of Form 8949, income) is written as columns; the rest is small.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from lotlaw import __version__
from lotlaw.rendering.amounts import exact_dollars, in_dollars, plain, said
from lotlaw.rendering.differences import differences_json
from lotlaw.rendering.pieces import Cells, Piece
from lotlaw.rendering.rows import (
    BETWEEN,
    by_box,
    columns_of,
    looked_up_days,
    places,
    row_texts,
    sale_and_lot,
    totals_by_column,
)

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.run import Return

PRIVATE = ("ssn",)
"""Fields of the taxpayer that never leave the forms."""
COUNTS = ("aged_or_blind",)
"""Fields of the taxpayer that are numbers but no amounts."""

CHOSEN = ("allow_unknown_basis", "aggregate_covered", "summarize")
"""What was chosen for a return, told only where it was."""
INSTANT = "%Y-%m-%dT%H:%M:%S%.fZ"

AT_ONCE = 2**18
"""How many rows are written at a time."""
NEXT = ",\n    "
"""What stands between two rows."""
SPECIAL = r'["\\\x00-\x1f]'
"""What JSON escapes in a text."""


def return_json(return_: Return) -> Iterator[Piece]:
    """The whole file, ending with a line feed, in pieces that are large where the return is."""
    for n, (key, pieces) in enumerate(_members(return_)):
        yield ",\n " if n else "{"
        yield f"{_text(key)}: "
        yield from pieces
    yield "}\n"


def _members(return_: Return) -> Iterator[tuple[str, Iterable[Piece]]]:
    year = return_.year
    whole = not return_.cents
    carryover = {term: plain(amount, whole=whole) for term, amount in return_.carryover.items()}
    yield "tax_year", [_text(year.year)]
    yield "filing_status", [_text(return_.taxpayer["filing_status"])]
    yield "planning_only", [_text(return_.planning_only)]
    yield "rules", [_text({"year": year.year, "digest": year.digest, "status": year.status})]
    yield "engine", [_text(__version__)]
    yield "inputs", [_text(_inputs(return_))]
    yield "form_8949", _boxes(return_, return_.laid.rows)
    if return_.laid.direct.height:
        yield "aggregated", _boxes(return_, return_.laid.direct, "line")
    if return_.laid.attached.height:
        yield "statements", _boxes(return_, return_.laid.attached, "broker")
    yield "lines", _lines(return_)
    yield "carryover", [_text(carryover)]
    yield "income", _income(return_)
    if return_.compared.height:
        yield "differences", differences_json(return_)
    yield "not_computed", [_text(return_.not_computed)]
    yield "warnings", [_text(return_.warnings)]


def _inputs(return_: Return) -> dict[str, Any]:
    """All that the return was worked out from."""
    said_of = {key: value for key, value in return_.taxpayer.items() if key not in PRIVATE}
    taxpayer = {key: value if key in COUNTS else _plain(value) for key, value in said_of.items()}
    ledger = return_.ledger
    files = [{"name": file.name, "sha256": file.sha256} for file in ledger.files]
    besides = {"prices": ledger.prices, "overrides": ledger.overrides}
    given = {role: {"name": file.name, "sha256": file.sha256} for role, file in besides.items() if file}
    said = {"taxpayer": taxpayer, "files": files, **given, "method": return_.method, "cents": return_.cents}
    return said | {name: True for name in CHOSEN if getattr(return_, name)}


def _boxes(return_: Return, rows: pl.DataFrame, also: str = "") -> Iterator[Piece]:
    """Rows by box, and by another column where one is named, with their totals."""
    columns = columns_of(return_.year, rows)
    sold_at, opened_at = sale_and_lot(return_, rows, lambda name: _text(name)[1:-1], '","')
    rows = rows.with_columns(sold_at.alias("sold_at"), opened_at.alias("opened_at"))
    groups = rows.group_by("box", also, maintain_order=True) if also else ()
    for n, (box, part) in enumerate([(str(box), part) for (box, _), part in groups] or by_box(return_, rows)):
        cents = totals_by_column(columns, part)
        totals = {letter: plain(Decimal(total).scaleb(-2), whole=False) for letter, total in cents.items()}
        yield ",\n  " if n else "[\n  "
        yield f'{{"{also}": {_text(part[also][0])}, ' if also else "{"
        yield f'"box": {_text(box)}, "part": {_text(part["part"][0])}, "rows": [\n    '
        yield from _in_advance(partial(_rows, after=NEXT), part.head(-1).iter_slices(AT_ONCE))
        yield _rows(part.tail(1), after="")
        yield f'],\n   "totals": {_text(totals)}}}'
    yield "]" if rows.height else "[]"


def _in_advance(made: Callable[[pl.DataFrame], Cells], parts: Iterable[pl.DataFrame]) -> Iterator[Cells]:
    """What is made of each part; while one is used, the next is being made."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming: Future[Cells] | None = None
        for part in parts:
            ready, coming = coming, pool.submit(made, part)
            if ready:
                yield ready.result()
        if coming:
            yield coming.result()


def _rows(rows: pl.DataFrame, after: str) -> Cells:
    """Each row's object as JSON, followed by `after`. Quotes stand between the cells, which take turns: JSON, text."""
    import polars as pl

    texts = rows.select(row_texts(looked_up_days(rows)))
    cells: list[pl.Expr | pl.Series] = []
    before = "{"
    for text in texts:
        words = rows[text.name].dtype == pl.String or (text.name == "acquired" and rows["acquired_text"].count() > 0)
        if _is_one(text):
            before += f'"{text.name}":{_text(text[0])},'
        else:
            cells += [pl.lit(f'{before}"{text.name}":'), _escaped(text) if words else text]
            before = ","
    cells += [pl.lit(f'{before}"source":['), *_sources(rows)]
    return Cells(pl.select(cell.alias(str(n)) for n, cell in enumerate(cells)), '"', f'"]}}{after}')


def _is_one(text: pl.Series) -> bool:
    """Whether all rows have the same text."""
    return bool(text[0] == text[-1] and (text == text[0]).all())


def _escaped(text: pl.Series) -> pl.Series:
    """Texts as they stand between the quotes of JSON; there is no work where nothing has to be escaped."""
    if not text.str.contains(SPECIAL).any():
        return text
    return text.to_frame("text").to_struct().struct.json_encode().str.strip_prefix('{"text":"').str.strip_suffix('"}')


def _sources(rows: pl.DataFrame) -> list[pl.Expr | pl.Series]:
    """By row, the lines of the files it comes from, as cells of a JSON list: the sale's, then its lot's."""
    import polars as pl

    sale, lot = rows["sold_at"], rows["opened_at"]
    if lot.null_count():
        return [pl.concat_str(pl.lit(sale), pl.lit(lot), separator='","', ignore_nulls=True)]
    return [sale, pl.lit(","), lot]


def _lines(return_: Return) -> Iterator[str]:
    for n, (name, answers) in enumerate(return_.lines.items()):
        form = return_.year.forms[name]
        whole = in_dollars(form, cents=return_.cents)
        lines = {id_: said(form.lines[id_], answer, whole=whole) for id_, answer in answers.items()}
        yield ",\n  " if n else "{"
        yield f"{_text(name)}: {_text(lines)}"
    yield "}" if return_.lines else "{}"


def _income(return_: Return) -> Iterator[str]:
    import polars as pl

    income = return_.income
    source = places(return_.ledger, income["row"]).str.split(BETWEEN).alias("source")
    instant = pl.col("timestamp").dt.convert_time_zone("UTC").dt.strftime(INSTANT)
    time = pl.coalesce(instant, pl.col("date").cast(pl.String)).alias("time")
    table = income.select("kind", "asset", time, exact_dollars("amount"), "counted").with_columns(source)
    yield "[\n  " if table.height else "["
    yield table.select(pl.struct(pl.all()).struct.json_encode().str.join(",\n  ")).item()
    yield "]"


def _plain(value: Any) -> Any:
    """A value of the taxpayer file as JSON: amounts as decimal strings."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return value.isoformat() if isinstance(value, date) else value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
