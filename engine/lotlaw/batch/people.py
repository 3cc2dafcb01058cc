"""The table of taxpayers: what is wrong with whom, what they choose, and what their returns start from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from lotlaw.batch.tables import AMOUNT, CARRYOVER, INCOME, JSON, KEY, MONEY, STRUCTS, TAXPAYERS
from lotlaw.importers.problems import quoted
from lotlaw.law import Year
from lotlaw.readings.columns import LARGEST
from lotlaw.schema import shape_problems
from lotlaw.source import Document
from lotlaw.taxpayer import DAYS, Taxpayer, check_against, normalised, unlike

CHOICES = (*JSON, "digital_asset_pools_before_2025", "timezone", "filing_status")
"""Fields that many taxpayers have in common: each combination is read once."""
HARBOR_DAYS = ("described_on", "completed_on")


Said = dict[int, list[tuple[int, str]]]
"""By number of the taxpayer, what is wrong: the transaction's number from 1 (0: none), and words."""


@dataclass(frozen=True)
class Choice:
    """One combination of CHOICES: what it says, or what is wrong with it."""

    said: Taxpayer
    problems: list[str]


def typed(people: pl.DataFrame) -> tuple[pl.DataFrame, Said]:
    """The table with its types, and by taxpayer (`t`) the cells that none of their values stands for."""
    own = [name for name in TAXPAYERS if name in people.columns and name != KEY]
    cast = people.with_columns(_cast(people.schema[name], TAXPAYERS[name], pl.col(name)) for name in own)
    said: Said = {}
    for name in (name for name in own if people.schema[name] != TAXPAYERS[name]):
        exact = pl.lit(cast[name]).cast(AMOUNT) == pl.col(name).cast(AMOUNT, strict=False)
        same = exact.fill_null(value=False) if TAXPAYERS[name] == MONEY else pl.lit(cast[name]).is_not_null()
        for t, cell in people.filter(pl.col(name).is_not_null() & ~same).select("t", name).iter_rows():
            what = "dollars and cents" if TAXPAYERS[name] == MONEY else "a value of its column"
            said.setdefault(t, []).append((0, f"{name} {quoted(cell)} is not {what}"))
    return cast, said


def _cast(given: Any, wanted: Any, cell: pl.Expr) -> pl.Expr:
    if given == wanted:
        return cell
    return (
        cell.cast(AMOUNT, strict=False).cast(MONEY, strict=False)
        if wanted == MONEY
        else cell.cast(wanted, strict=False)
    )


def choices_of(people: pl.DataFrame, year: Year) -> tuple[pl.DataFrame, list[Choice]]:
    """The people with the number of their `choice`, and the choices."""
    there = [name for name in CHOICES if name in people.columns]
    every = people.select(there).unique(maintain_order=True).with_row_index("choice")
    known = [_choice(dict(row), year) for row in every.drop("choice").iter_rows(named=True)]
    return people.join(every, on=there, how="left", nulls_equal=True, maintain_order="left"), known


def _choice(row: Mapping[str, Any], year: Year) -> Choice:
    said, problems = _read(row)
    return Choice({}, problems) if problems else _checked(said, year)


def _read(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a row says in the words of a taxpayer file, and the JSON that cannot be read."""
    said, problems = {name: value for name, value in row.items() if value is not None}, []
    for name in (name for name in JSON if name in said):
        try:
            said[name] = json.loads(said[name], parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            problems.append(f"{name} is not JSON ({error}); write it like {_EXAMPLES[name]}")
    return _with_days(said) if not problems else said, problems


_EXAMPLES = {
    "inputs": '{"schedule_d": {"13": 250}}', "accounts": '{"coinbase": {"form_1099": "none"}}',
    "methods": '[{"method": "hifo", "asset": "*"}]', "identical": '[["VOO", "IVV"]]',
    "floating_nav_funds": '["SYMBOL"]', "collectibles": '["GLD"]', "digital_asset_safe_harbor": '{"kind": "global"}',
}  # fmt: skip


def _with_days(said: dict[str, Any]) -> dict[str, Any]:
    """JSON has no dates: what stands as text where a day belongs is one, if it reads as one."""
    lists = [(said.get("methods"), DAYS), ([said.get("digital_asset_safe_harbor")], HARBOR_DAYS)]
    for found, keys in lists:
        for one in found if isinstance(found, list) else ():
            for key in keys if isinstance(one, dict) else ():
                one.update({key: _day(one[key])} if key in one else {})
    return said


def _day(text: Any) -> Any:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return text


def _checked(said: Mapping[str, Any], year: Year) -> Choice:
    """The same checks as of a taxpayer file."""
    document = Document("", dict(said))
    problems = shape_problems(document, "taxpayer") or unlike(document)
    if not problems:
        person = normalised(said)
        problems = check_against(year, person, document)
        finer = list(_finer(person))
        if not problems and not finer:
            return Choice(person, [])
        return Choice({}, [*(problem.message for problem in problems), *finer])
    return Choice({}, [problem.message for problem in problems])


def _finer(person: Taxpayer) -> Iterator[str]:
    """Amounts of other forms that are finer than cents."""
    for form, lines in person["inputs"].items():
        for line, said in lines.items():
            amounts = said.values() if isinstance(said, Mapping) else [said]
            if any(Decimal(amount) * 100 % 1 for amount in amounts):
                yield f"inputs: line {line} of {form} is not dollars and cents"


def mistakes(people: pl.DataFrame, year: Year) -> dict[int, list[str]]:
    """By number of the taxpayer, what is wrong with amounts; the few that look wrong are checked as files are."""
    amounts = {f"{name}.{part}" for name, parts in STRUCTS.items() for part in parts} | {"deduction"}
    here = [pl.col(name) for name in sorted(amounts & set(people.columns))]
    signed = pl.col("income.other")
    odd = [name.abs() > LARGEST for name in here]
    odd += [name < 0 for name in here if name.meta.output_name() != signed.meta.output_name()]
    column = {name: pl.col(name) if name in people.columns else pl.lit(None) for name in
              ("income.qualified_dividends", "income.ordinary_dividends", "deduction", "aged_or_blind")}  # fmt: skip
    odd.append(column["income.qualified_dividends"].fill_null(0) > column["income.ordinary_dividends"].fill_null(0))
    odd.append(~column["aged_or_blind"].fill_null(0).is_between(0, 4))
    flags = [pl.col(name) for name in ("dependent", "spouse_itemizes") if name in people.columns]
    odd.append(pl.any_horizontal(pl.lit(value=False), *flags).fill_null(value=False) & column["deduction"].is_null())
    rows = people.filter(pl.any_horizontal(odd).fill_null(value=False))
    return {row["t"]: _checked(_whole(row), year).problems for row in rows.iter_rows(named=True)}


def _whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table as a taxpayer file."""
    said, _ = _read({name: row.get(name) for name in (*CHOICES, "deduction", "aged_or_blind")})
    said |= {name: row[name] for name in ("dependent", "spouse_itemizes") if row.get(name) is not None}
    for name, parts in STRUCTS.items():
        given = {part: row.get(f"{name}.{part}") for part in parts}
        said[name] = {part: amount for part, amount in given.items() if amount is not None}
    return said


def person_of(row: Mapping[str, Any]) -> Taxpayer:
    """One taxpayer with all that their row says, normalised."""
    return normalised(_whole(row))


def facts_of(people: pl.DataFrame, choices: Sequence[Choice]) -> pl.DataFrame:
    """What returns are worked out from besides transactions, as `lotlaw.returns` takes it, in the order of `people`."""
    cents = {
        f"taxpayer.{name}.{part}": f"{name}.{part}"
        for name, parts in (("income", INCOME), ("carryover", CARRYOVER))
        for part in parts
        if f"{name}.{part}" in people.columns
    }
    deduction = pl.col("deduction") if "deduction" in people.columns else pl.lit(None, MONEY)
    aged = pl.col("aged_or_blind") if "aged_or_blind" in people.columns else pl.lit(0)
    facts = people.select(
        "filing_status", "choice",
        *(_cents(pl.col(name)).alias(origin) for origin, name in cents.items()),
        _cents(deduction).alias("taxpayer.deduction"),
        deduction.is_null().alias("taxpayer.standard_deduction"),
        aged.fill_null(0).cast(pl.Int64).alias("taxpayer.aged_or_blind"),
    )  # fmt: skip
    typed = _typed(choices)
    if typed.width > 1:
        facts = facts.join(typed, on="choice", how="left", maintain_order="left")
    return facts.drop("choice")


def _cents(amount: pl.Expr) -> pl.Expr:
    return amount.to_physical().cast(pl.Int64).fill_null(0)


def _typed(choices: Sequence[Choice]) -> pl.DataFrame:
    """By choice, amounts of input lines in cents, as `typed.<form>.<line>` (and `.<column>`)."""
    rows = []
    for number, choice in enumerate(choices):
        row: dict[str, Any] = {"choice": number}
        for form, lines in choice.said.get("inputs", {}).items():
            for line, amount in lines.items():
                parts = amount.items() if isinstance(amount, Mapping) else [("", amount)]
                row |= {f"typed.{form}.{line}" + (f".{c}" if c else ""): _whole_cents(a) for c, a in parts}
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row if name != "choice")
    return pl.DataFrame(rows, schema={"choice": pl.UInt32, **dict.fromkeys(names, pl.Int64)})


def _whole_cents(amount: Any) -> int:
    return int((Decimal(amount) * 100).to_integral_value())
