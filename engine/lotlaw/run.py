"""From a ledger and a taxpayer to a return: dispositions matched, Form 8949 totalled, every line worked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lotlaw.answers import Answers, Facts, Total, Worked, work_out
from lotlaw.law import Line, Year, spellings
from lotlaw.readings import exact
from lotlaw.rules import load, years
from lotlaw.source import Document, Problems
from lotlaw.taxpayer import Taxpayer, check_against, normalised

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.dispositions import Rates
    from lotlaw.exceptions import Laid
    from lotlaw.ledger import Ledger

TERMS = ("short", "long")
UNREPORTED = "none"
BY_RATES = "min_tax"
"""How the lot engine calls the method that goes by the taxpayer's own rates."""
GROUP = ("box", "part", "collectible")
"""What rows of Form 8949 are totalled by: each group lands on lines by its box, or by part and kind."""


@dataclass(frozen=True)
class Return:
    """A taxpayer's year: Form 8949 rows, the answer on every line, what carries over, and what is not known.

    `rows` has the columns of `lotlaw.dispositions.Matched.dispositions` in the form's order; amounts in `lines` are
    dollars, blank lines are absent; `names` holds by form what its formulas read; `income` one row per income event;
    `compared` is what brokers' statements say of sales beside them (`lotlaw.dispositions.compare.COMPARED`).
    `method` was asked for by hand, to compare (None: none was); `methods` are those in force for the year's sales;
    `rates` are the taxpayer's own, short-term and long-term, where lots were chosen by them.
    """

    year: Year
    taxpayer: Taxpayer
    method: str | None
    methods: list[str]
    rates: tuple[Fraction, Fraction] | None
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
    aggregate_covered: bool = False
    summarize: bool = False

    @cached_property
    def laid(self) -> Laid:
        """Where the sales stand, with the exceptions that were chosen: as rows of Form 8949, on a line, attached."""
        from lotlaw.exceptions import laid

        return laid(self.year, self.taxpayer, self.rows, aggregate=self.aggregate_covered, summarize=self.summarize)

    @property
    def carryover(self) -> dict[str, Decimal]:
        """The losses that next year's return starts from, as positive dollars."""
        return {"short": self.results["short_carryover"], "long": self.results["long_carryover"]}

    @property
    def lots(self) -> str:
        """How lots were chosen, as a reader says it."""
        return " and ".join([", ".join(self.methods[:-1]), self.methods[-1]][len(self.methods) == 1 :])

    @property
    def taxes(self) -> dict[str, Decimal]:
        """The taxes that gains move, by the export of a form that says each, such as `form_1040.tax`."""
        return {where: _export(self.year, self.names, where) for where in counted_taxes(self.year)}

    @property
    def tax(self) -> Decimal | None:
        """The tax before credits and other taxes."""
        return self.results.get("tax")


def compute(
    year: Year, ledger: Ledger, taxpayer: Mapping[str, Any], method: str | None = None, *, cents: bool = False,
    allow_unknown_basis: bool = False, document: Document | None = None, held: bool = False,
    aggregate_covered: bool = False, summarize: bool = False,
) -> Return:  # fmt: skip
    """The return of one tax year.

    `taxpayer` has the fields of taxpayer.yaml, `filing_status` at least; `document` is that file, for places. Lots are
    taken by its standing orders, else first in, first out; `method` takes the place of both, to compare. `cents` leaves
    lines unrounded; `allow_unknown_basis` counts a basis that nobody gives as zero, with a warning, instead of refusing
    it; `held` asks for what is held at the year's end; `aggregate_covered` and `summarize` choose exceptions
    (`lotlaw.exceptions`). Raises Problems that name rows of the ledger, or what the year's rules don't know of the
    taxpayer.
    """
    from lotlaw.cautions import cautions
    from lotlaw.dispositions import match

    taxpayer = normalised(taxpayer)
    document = document or Document("taxpayer", taxpayer)
    problems = check_against(year, taxpayer, document)
    if problems:
        raise Problems(problems)
    rates = rates_of(year, ledger, taxpayer, method)
    matched = match(
        ledger, year, taxpayer, method, allow_unknown=allow_unknown_basis, rates=rates, document=document, held=held
    )
    facts = _facts(year, taxpayer, matched.dispositions, matched.income, aggregate=aggregate_covered)
    worked = work_out(year, taxpayer["filing_status"], facts, cents=cents)
    return_ = Return(
        year=year, taxpayer=taxpayer, method=method, methods=matched.methods,
        rates=rates.get(year.year) if by_rates(year, matched.methods) else None,
        planning_only=matched.planning_only, cents=cents, ledger=ledger,
        rows=matched.dispositions, lines=worked.answers, names=worked.names, results=results_of(year, worked),
        tax_without_losses=_without_losses(
            year, taxpayer, matched.dispositions, matched.income, cents=cents, aggregate=aggregate_covered
        ),
        compared=matched.compared, income=matched.income, holdings=matched.holdings,
        warnings=[*cautions(year, ledger, taxpayer), *ledger.warnings, *matched.warnings],
        not_computed=[*year.not_computed, *year.not_verified.values()], allow_unknown_basis=allow_unknown_basis,
        aggregate_covered=aggregate_covered, summarize=summarize,
    )  # fmt: skip
    return replace(return_, warnings=[*return_.warnings, *return_.laid.notes]) if summarize else return_


def facts_of(return_: Return) -> Facts:
    """What a return was worked out from."""
    return _facts(return_.year, return_.taxpayer, return_.rows, return_.income, aggregate=return_.aggregate_covered)


def _facts(year: Year, taxpayer: Taxpayer, sales: pl.DataFrame, income: pl.DataFrame, *, aggregate: bool) -> Facts:
    from lotlaw.exceptions import settled

    typed, on_form = settled(year, taxpayer, sales, aggregate=aggregate)
    outside = outside_of(taxpayer) | {"ledger.dispositions": sales.height > 0, "ledger.counted_income": counted(income)}
    return Facts(outside, typed, totals_of(year, on_form))


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
    return {name: _export(year, worked.names, where) for name, where in year.documents["year"].value["results"].items()}


def _export(year: Year, names: Mapping[str, Mapping[str, Any]], where: str) -> Decimal:
    """What a form exports, such as `form_1040.tax`, 0 where the line is blank."""
    line = exported_line(year, where)
    return Decimal(names[line.form].get(line.name, 0))


def exported_line(year: Year, where: str) -> Line:
    """The line that an export such as `form_1040.tax` stands for."""
    form, _, export = where.partition(".")
    return year.forms[form].lines[year.forms[form].exports[export]]


def counted_taxes(year: Year) -> list[str]:
    """The taxes that gains move (`methods: own_rates:` of dispositions.yaml), of forms that the year has."""
    said = year.documents["dispositions"].value["methods"]["own_rates"]["taxes"]
    return [where for where in said if where.partition(".")[0] in year.forms]


def counted(income: pl.DataFrame) -> Decimal:
    """The ledger's income that counts on the return, in exact dollars."""
    import polars as pl

    return Decimal(income.filter(pl.col("counted"))["amount"].sum() or 0)


def own_rates(year: Year, taxpayer: Taxpayer) -> tuple[Fraction, Fraction]:
    """The taxpayer's own rates on short-term and on long-term gain, by the year's rules.

    They are the tax on the first `probe` dollars of gain of each term (`methods: own_rates:` of dispositions.yaml), a
    dollar of it, on top of the income that the taxpayer file gives and of nothing else: no sales, no carryovers, no
    amounts from other forms. So they are the same whichever lots are then sold.
    """
    said = year.documents["dispositions"].value["methods"]["own_rates"]
    bare = {**taxpayer, "carryover": {"short": exact.ZERO, "long": exact.ZERO}}
    without, short, long = (
        _taxes(year, taxpayer["filing_status"], Facts(outside_of(bare) | {"ledger.dispositions": bool(gain)}, {}, gain))
        for gain in ([], *([one_gain(year, term, Decimal(said["probe"]))] for term in TERMS))
    )
    return Fraction(short - without) / said["probe"], Fraction(long - without) / said["probe"]


def one_gain(year: Year, term: str, amount: Decimal) -> Total:
    """So much gain of a term (short, long), on no broker's form."""
    form = year.documents["form_8949"].value
    box, part = next(
        (box, said["part"])
        for box, said in form["boxes"].items()
        if said["form_1099"] == UNREPORTED and form["parts"][said["part"]]["term"] == term
    )
    shown = {"proceeds": amount, "gain": amount}
    sums = {letter: shown.get(c["shows"], exact.ZERO) for letter, c in form["columns"].items() if "total" in c}
    return Total({"box": box, "part": part, "collectible": False}, sums)


def _taxes(year: Year, status: str, facts: Facts) -> Decimal:
    """The taxes that count for the taxpayer's own rates, together."""
    worked = work_out(year, status, facts)
    return sum((_export(year, worked.names, where) for where in counted_taxes(year)), exact.ZERO)


def rates_of(year: Year, ledger: Ledger, taxpayer: Taxpayer, method: str | None = None) -> Rates:
    """The taxpayer's own rates by year of sale, if any lots are chosen by them.

    Each is by that year's rules, or by the last before it that there are.
    """
    asked = {method, *(order["method"] for order in taxpayer["methods"])}
    asked |= {account.get("default_method") for account in taxpayer["accounts"].values()}
    if not by_rates(year, asked):
        return {}
    rules = rules_of(year, ledger.rows["date"].dt.year().unique().to_list())
    return {n: own_rates(load(known, year.root), taxpayer) for n, known in rules.items()}


def rules_of(year: Year, sold: Iterable[int]) -> dict[int, int]:
    """By year of sale, and the year itself, the year whose rules say what rates are."""
    there = years(year.root)
    return {n: max((known for known in there if known <= n), default=there[0]) for n in sorted({*sold, year.year})}


def by_rates(year: Year, methods: Iterable[str | None]) -> bool:
    """Whether one of the methods goes by the taxpayer's own rates."""
    names = year.documents["dispositions"].value["methods"]["names"]
    known = spellings(names)
    return any(word in known and names[known[word]]["order"] == BY_RATES for word in methods)


def _without_losses(
    year: Year, taxpayer: Taxpayer, sales: pl.DataFrame, income: pl.DataFrame, *, cents: bool, aggregate: bool
) -> Decimal | None:
    """The tax had no loss been made or carried in: what the losses are worth."""
    import polars as pl

    bare = {**taxpayer, "carryover": dict.fromkeys(TERMS, exact.ZERO)}
    facts = _facts(year, bare, sales.filter(pl.col("gain") >= 0), income, aggregate=aggregate)
    return results_of(year, work_out(year, taxpayer["filing_status"], facts, cents=cents)).get("tax")
