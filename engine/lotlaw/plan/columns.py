"""Many ways to end a year, filed at once: one row a way, by the column reading of the rules that files returns.

What is searched through is worked out here; what is proposed is filed by `lotlaw.run.compute` as any return is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import polars as pl

from lotlaw.law import Line, Year
from lotlaw.returns import group_name, work_out_columns
from lotlaw.run import GROUP, counted, counted_taxes, exported_line, outside_of, totals_of

if TYPE_CHECKING:
    from lotlaw.run import Return

Known = Mapping[str, Any]
"""What is the same for all ways: the columns of `lotlaw.returns` but for totals and `ledger.dispositions`."""

RESULTS = ("net_gain", "allowed_loss", "taxable_income")
"""The results of the year (by year.yaml) that goals read."""
FILED = "ledger.dispositions"


def cents(amount: Decimal) -> int:
    """Dollars as whole cents, half up."""
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


def known_of(return_: Return) -> dict[str, Any]:
    """What a return says besides its sales."""
    said = {name: _column(value) for name, value in outside_of(return_.taxpayer).items()}
    typed = {
        f"typed.{form}.{line}{f'.{column}' if column else ''}": cents(Decimal(amount))
        for form, lines in return_.taxpayer["inputs"].items()
        for line, given in lines.items()
        for column, amount in (given.items() if isinstance(given, Mapping) else [("", given or 0)])
    }
    income = {"ledger.counted_income": cents(counted(return_.income))}
    return {"filing_status": return_.taxpayer["filing_status"], **said, **typed, **income}


def _column(value: Any) -> Any:
    return cents(value) if isinstance(value, Decimal) else value


def totals_by_column(year: Year, rows: pl.DataFrame) -> dict[str, int]:
    """The totals of Form 8949 rows in cents, by their column names."""
    return {
        total_name(total.group, letter): cents(amount)
        for total in totals_of(year, rows)
        for letter, amount in total.sums.items()
    }


def total_name(group: Mapping[str, Any], letter: str) -> str:
    """What a total of a group of rows is called."""
    return f"total.{group_name({key: group[key] for key in GROUP})}.{letter}"


def filed_columns(year: Year, ways: Sequence[tuple[Known, pl.DataFrame]]) -> list[pl.DataFrame]:
    """By frame, the taxes and RESULTS of each of its rows, in cents.

    A frame has totals (`total.….d`, what is not there counts as none) and `ledger.dispositions`; all are worked out in
    one pass. Raises ValueError for amounts out of bounds.
    """
    heights = [frame.height for _, frame in ways]
    known = pl.DataFrame([dict(said) for said, _ in ways], infer_schema_length=None)
    at = pl.Series(range(len(ways))).repeat_by(pl.Series(heights)).explode(empty_as_null=False)
    whole = pl.concat([frame for _, frame in ways], how="diagonal").hstack(known[at])
    whole = whole.with_columns(pl.col(pl.Int64).fill_null(0), pl.col(pl.Boolean).fill_null(value=False))
    results = year.documents["year"].value["results"]
    lines = {name: exported_line(year, results[name]) for name in RESULTS}
    taxes = [exported_line(year, where) for where in counted_taxes(year)]
    forms = {line.form for line in (*lines.values(), *taxes)}
    worked = work_out_columns(year, whole, forms)
    found = worked.select(
        taxes=pl.sum_horizontal(pl.col(_name(line)).fill_null(0) for line in taxes),
        **{name: pl.col(_name(line)).fill_null(0) for name, line in lines.items()},
    )
    ends = accumulate(heights)
    return [found.slice(end - height, height) for end, height in zip(ends, heights, strict=True)]


def _name(line: Line) -> str:
    return f"{line.form}.{line.id}"
