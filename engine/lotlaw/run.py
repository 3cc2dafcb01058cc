"""From a ledger and a taxpayer to a return: dispositions matched, Form 8949 totalled, every line worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lotlaw.answers import Answers, Facts, Total, Worked, work_out
from lotlaw.formula import did_you_mean
from lotlaw.law import Year
from lotlaw.readings import exact
from lotlaw.source import Document, Problems
from lotlaw.taxpayer import Taxpayer, check_against, normalised

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.ledger import Ledger

DRAFT = "draft"
GROUP = ("box", "part", "collectible")
"""What rows of Form 8949 are totalled by: each group lands on lines by its box, or by part and kind."""


@dataclass(frozen=True)
class Return:
    """A taxpayer's year: Form 8949 rows, the answer on every line, what carries over, and what is not known.

    `rows` has the columns of `lotlaw.dispositions.Matched.dispositions` in the form's order; amounts in `lines` are
    dollars, blank lines are absent; `names` holds by form what its formulas read; `income` one row per income event;
    `compared` is what brokers' statements say of sales beside them (`lotlaw.dispositions.compare.COMPARED`).
    """

    year: Year
    taxpayer: Taxpayer
    method: str
    planning_only: bool
    cents: bool
    ledger: Ledger
    rows: pl.DataFrame
    lines: Answers
    names: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Decimal]
    tax_without_losses: Decimal | None
    compared: pl.DataFrame
    income: pl.DataFrame
    holdings: pl.DataFrame
    warnings: list[str]
    not_computed: list[str]
    allow_unknown_basis: bool = False

    @property
    def carryover(self) -> dict[str, Decimal]:
        """The losses that next year's return starts from, as positive dollars."""
        return {"short": self.results["short_carryover"], "long": self.results["long_carryover"]}

    @property
    def tax(self) -> Decimal | None:
        """The tax before credits and other taxes."""
        return self.results.get("tax")


def compute(
    year: Year, ledger: Ledger, taxpayer: Mapping[str, Any], method: str = "fifo", *, cents: bool = False,
    allow_unknown_basis: bool = False,
) -> Return:  # fmt: skip
    """The return of one tax year.

    `taxpayer` has the fields of taxpayer.yaml, `filing_status` at least. `cents` leaves lines unrounded;
    `allow_unknown_basis` counts a basis that nobody gives as zero, with a warning, instead of refusing it. Raises
    Problems that name rows of the ledger, or what the year's rules don't know of the taxpayer.
    """
    from lotlaw.dispositions import match

    taxpayer = normalised(taxpayer)
    problems = check_against(year, taxpayer, Document("taxpayer", taxpayer))
    if problems:
        raise Problems(problems)
    matched = match(ledger, year, taxpayer, method, allow_unknown=allow_unknown_basis)
    totals = totals_of(year, matched.dispositions)
    outside = outside_of(taxpayer) | {
        "ledger.dispositions": matched.dispositions.height > 0,
        "ledger.counted_income": counted(matched.income),
    }
    worked = work_out(year, taxpayer["filing_status"], Facts(outside, taxpayer["inputs"], totals), cents=cents)
    return Return(
        year=year, taxpayer=taxpayer, method=method, planning_only=matched.planning_only, cents=cents, ledger=ledger,
        rows=matched.dispositions, lines=worked.answers, names=worked.names, results=results_of(year, worked),
        tax_without_losses=_without_losses(year, taxpayer, matched.dispositions, outside, cents=cents),
        compared=matched.compared, income=matched.income, holdings=matched.holdings,
        warnings=[
            *_drafts(year), *_earlier(year, ledger, taxpayer), *_strangers(ledger, taxpayer), *ledger.warnings,
            *matched.warnings,
        ],
        not_computed=[*year.not_computed, *year.not_verified.values()], allow_unknown_basis=allow_unknown_basis,
    )  # fmt: skip


def outside_of(taxpayer: Taxpayer) -> dict[str, Any]:
    """The taxpayer's values by origin, such as `taxpayer.carryover.short`."""
    found: dict[str, Any] = {}
    for key in ("income", "carryover"):
        found |= {f"taxpayer.{key}.{name}": amount for name, amount in taxpayer[key].items()}
    standard = taxpayer["deduction"] == "standard"
    return found | {
        "taxpayer.standard_deduction": standard,
        "taxpayer.deduction": exact.ZERO if standard else Decimal(taxpayer["deduction"]),
        "taxpayer.aged_or_blind": taxpayer["aged_or_blind"],
    }


def totals_of(year: Year, rows: pl.DataFrame | pl.LazyFrame) -> list[Total]:
    """The sums of Form 8949 rows by box, part and kind, in dollars, by the letters of the form's columns."""
    import polars as pl

    letters = {c["shows"]: letter for letter, c in year.documents["form_8949"].value["columns"].items() if "total" in c}
    # Sums of 64 bits would wrap without a word.
    added = (pl.col(name).cast(pl.Int128).sum().alias(letter) for name, letter in letters.items())
    sums = rows.lazy().group_by(GROUP, maintain_order=True).agg(added).collect()
    return [
        Total({key: row[key] for key in GROUP}, {c: Decimal(row[c]).scaleb(-2) for c in letters.values()})
        for row in sums.iter_rows(named=True)
    ]


def results_of(year: Year, worked: Worked) -> dict[str, Decimal]:
    """What the year's rules call the results of a return (`results` in year.yaml), 0 where the line is blank."""
    found = {}
    for name, where in year.documents["year"].value["results"].items():
        form, _, export = where.partition(".")
        line = year.forms[form].lines[year.forms[form].exports[export]]
        found[name] = Decimal(worked.names[form].get(line.name, 0))
    return found


def counted(income: pl.DataFrame) -> Decimal:
    """The ledger's income that counts on the return, in exact dollars."""
    import polars as pl

    return Decimal(income.filter(pl.col("counted"))["amount"].sum() or 0)


def _without_losses(
    year: Year, taxpayer: Taxpayer, rows: pl.DataFrame, outside: Mapping[str, Any], *, cents: bool
) -> Decimal | None:
    """The tax had no loss been made or carried in: what the losses are worth."""
    import polars as pl

    bare = {**outside, "taxpayer.carryover.short": exact.ZERO, "taxpayer.carryover.long": exact.ZERO}
    gains = totals_of(year, rows.lazy().filter(pl.col("gain") >= 0))
    facts = Facts(bare | {"ledger.dispositions": bool(gains)}, taxpayer["inputs"], gains)
    return results_of(year, work_out(year, taxpayer["filing_status"], facts, cents=cents)).get("tax")


def _drafts(year: Year) -> list[str]:
    if year.status == DRAFT:
        return [f"The rules of {year.year} are a draft: the final forms have not been checked against them"]
    return []


def _earlier(year: Year, ledger: Ledger, taxpayer: Taxpayer) -> list[str]:
    """Sales of earlier years, and no word about losses they may have left."""
    import polars as pl

    if taxpayer["carryover_given"]:
        return []
    kinds = year.documents["dispositions"].value["kinds"]
    sales = [kind for kind, said in kinds.items() if "sells" in said or "row" in said]
    sold = ledger.rows.lazy().filter(pl.col("kind").is_in(sales) & (pl.col("date").dt.year() < year.year))
    first = sold.select(pl.col("date").dt.year().min()).collect().item()
    if first is None:
        return []
    said = f"The ledger has sales before {year.year}, and the taxpayer file gives no `carryover`"
    return [f"{said}: losses of earlier years are not counted (lotlaw file {first}..{year.year} works them out)"]


def _strangers(ledger: Ledger, taxpayer: Taxpayer) -> list[str]:
    """Accounts that the taxpayer describes and the ledger does not have: most likely another spelling."""
    known = ledger.rows["account"].unique().sort().to_list() if taxpayer["accounts"] else []
    return [
        f"The taxpayer file describes the account '{name}', which the ledger does not have{did_you_mean(name, known)}; "
        f"its accounts are {', '.join(known)}"
        for name in taxpayer["accounts"]
        if known and name not in known
    ]
