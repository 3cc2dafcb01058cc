"""A return made by hand, for what turns returns into files: all kinds of rows, and texts that mean harm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.answers import Facts, work_out
from lotlaw.dispositions.compare import COMPARED
from lotlaw.law import Year
from lotlaw.ledger import Ledger, SourceFile
from lotlaw.rules import load
from lotlaw.run import Return, outside_of, results_of, totals_of
from lotlaw.taxpayer import normalised

SSN = "000-12-3456"
HARM = '=HYPERLINK("https://example.com") <script>&\'\x1b[2J\u202e\n'

ROW = {
    "box": pl.String, "part": pl.String, "term": pl.String, "asset": pl.String, "account": pl.String,
    "description": pl.String, "acquired": pl.Date, "acquired_text": pl.String, "sold": pl.Date, "proceeds": pl.Int64,
    "basis": pl.Int64, "codes": pl.String, "adjustment": pl.Int64, "sale": pl.UInt32, "lot": pl.UInt32,
    "collectible": pl.Boolean,
}  # fmt: skip

ACME = (
    "A",
    "I",
    "short",
    "ACME",
    "schwab",
    "100 sh. ACME",
    date(2025, 1, 4),
    None,
    date(2025, 3, 1),
    600_000,
    500_000,
    "BW",
    50_000,
    1,
    0,
    False,
)
BTC = (
    "I",
    "I",
    "short",
    "BTC",
    "coinbase",
    "1.5 BTC",
    date(2025, 1, 4),
    None,
    date(2025, 3, 1),
    10_000,
    810_000,
    "",
    0,
    3,
    2,
    False,
)
TINY = (
    "I",
    "I",
    "short",
    "ETH",
    "coinbase",
    "0.123456789012345678 WRAPPEDSTAKEDTOKEN",
    date(2025, 2, 4),
    None,
    date(2025, 3, 1),
    7,
    1_234_567_89,
    "",
    0,
    3,
    4,
    False,
)
OLD = ("F", "II", "long", "HOUSE", "main", "Land", None, "INHERITED", date(2025, 4, 1), 5, 0, "", -5, 5, None, False)
EVIL = ("F", "II", "long", "=1+1", "@main", HARM, None, "VARIOUS", date(2025, 4, 1), 100, 0, "", 0, 5, None, False)
ROWS = (ACME, BTC, TINY, OLD, EVIL)


LEDGER = Ledger(
    pl.DataFrame(
        {"file": [0, 0, 1, 1, 1, 0], "line": [2, 3, 4, 12, 7, 9], "source_row": [None, None, "4;5", None, None, None]},
        schema={"file": pl.UInt16, "line": pl.Int32, "source_row": pl.String},
    ),
    (SourceFile("schwab.csv", "a" * 64), SourceFile("coin base;.csv", "b" * 64)),
    {},
)

INCOME = pl.DataFrame(
    {
        "kind": ["staking", "dividend"],
        "asset": ["ETH", "ACME"],
        "date": [date(2025, 1, 31), date(2025, 3, 3)],
        "timestamp": [datetime(2025, 2, 1, 0, 30, 5, 250_000, tzinfo=UTC), None],
        "amount": [Decimal(12), Decimal("3.000012")],
        "counted": [True, False],
        "row": [1, 2],
    },
    schema_overrides={"amount": pl.Decimal(38, 18), "row": pl.UInt32},
)


def made_return(
    year: int | Year = 2025, rows: Sequence[tuple[Any, ...]] = ROWS, *, cents: bool = False,
    planning_only: bool = False, events: pl.DataFrame = INCOME, warnings: Sequence[str] = ("Something to look at",),
    **taxpayer: Any,
) -> Return:  # fmt: skip
    """A return whose lines are worked out by the rules from rows as they stand on Form 8949."""
    law = load(year) if isinstance(year, int) else year
    person = normalised(
        {
            "filing_status": "single",
            "name": "Ada & <Lovelace>",
            "ssn": SSN,
            "income": {"wages": 80_000, "ordinary_dividends": 500, "qualified_dividends": 400},
            "carryover": {"short": 100, "long": 9_000},
            **taxpayer,
        }
    )
    frame = pl.DataFrame(list(rows), schema=ROW, orient="row")
    unsaid = pl.lit(None, pl.Decimal(38, 18))
    frame = frame.with_columns(gain=pl.col("proceeds") - pl.col("basis") + pl.col("adjustment"), quantity=unsaid)
    outside = outside_of(person) | {"ledger.dispositions": frame.height > 0, "ledger.counted_income": Decimal(12)}
    bare = outside | {"taxpayer.carryover.short": Decimal(0), "taxpayer.carryover.long": Decimal(0)}
    worked, gains = (
        work_out(law, person["filing_status"], Facts(known, person["inputs"], totals_of(law, kept)), cents=cents)
        for known, kept in ((outside, frame), (bare, frame.filter(pl.col("gain") >= 0)))
    )
    return Return(
        year=law, taxpayer=person, method="hifo" if planning_only else None, planning_only=planning_only, cents=cents,
        methods=["hifo" if planning_only else "fifo"], rates=None,
        ledger=LEDGER, rows=frame, lines=worked.answers, names=worked.names, results=results_of(law, worked),
        tax_without_losses=results_of(law, gains)["tax"], compared=pl.DataFrame(schema=COMPARED), income=events,
        holdings=pl.DataFrame(), warnings=list(warnings), not_computed=list(law.not_computed),
    )  # fmt: skip
