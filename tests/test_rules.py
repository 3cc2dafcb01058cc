"""The rule files: their examples in both readings, and their claims on made-up returns."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conftest import ROOT
from lotlaw.answers import Answer, Facts, Total, work_out
from lotlaw.check import check
from lotlaw.check.worked import examples_of, run_example
from lotlaw.claims import plain_claims
from lotlaw.formula import Reader, parse
from lotlaw.law import Form, Year
from lotlaw.readings import exact
from lotlaw.returns import group_name, work_out_columns
from lotlaw.rules import load, years
from lotlaw.source import Place

RULES = ROOT / "rules"
YEARS = {number: load(number) for number in years(RULES)}
OWN = [(n, name) for n, year in YEARS.items() for name in year.forms if year.origins[name] == n]
"""Forms with the year that each file stands in."""


def test_the_rules_that_ship_have_no_problem() -> None:
    assert [str(problem) for problem in check(RULES)] == []


@pytest.mark.parametrize("path", sorted(RULES.rglob("*.yaml")), ids=lambda path: str(path.relative_to(RULES)))
def test_a_file_reads_the_same_without_the_c_library(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml.serialize(yaml.compose(text, Loader=yaml.SafeLoader)) == yaml.serialize(
        yaml.compose(text, Loader=yaml.CSafeLoader)
    )


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_a_schema_is_one(path: Path) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


# A form by itself: every input given by name


@cache
def alone(number: int, name: str) -> Year:
    """A year of one form, whose inputs come from `given.<name>`; functions of the file become lines."""
    year = YEARS[number]
    form = year.forms[name]
    inputs = {i: replace(source, origin=f"given.{i}") for i, source in form.inputs.items()}
    lines = dict(form.lines)
    pattern, money = year.forms["form_1040"].lines["11"], YEARS[number].forms["form_1040"].inputs["net_gain"]
    for function in form.document.value.get("functions") or {}:
        arguments = year.functions[function].arguments
        inputs |= {a: replace(money, name=a, unit=unit, origin=f"given.{a}") for a, unit in arguments.items()}
        formula = parse(f"{function}({', '.join(arguments)})", Place("test"))
        lines[function] = replace(pattern, form=name, id=function, formula=formula)
    return replace(year, forms={name: replace(form, inputs=inputs, lines=lines)}, not_verified={})


def facts_of(form: Form, given: Mapping[str, Any]) -> Facts:
    """What an example gives, as a return's facts."""
    by_name = {line.name: line for line in form.lines.values()}
    typed = {by_name[n].id: v for n, v in given.items() if n in by_name and by_name[n].kind == "input"}
    totals = [
        Total({"box": n.removeprefix("box_")}, columns_of(form, v)) for n, v in given.items() if n.startswith("box_")
    ]
    for n, v in given.items():
        if n in by_name and by_name[n].kind == "total_of":
            wanted = dict(by_name[n].total_of)
            totals.append(Total(wanted, {wanted.pop("column"): Decimal(v)}))
    outside = {f"given.{n}": v for n, v in given.items() if n in form.inputs}
    return Facts(outside, {form.name: typed}, totals)


def columns_of(form: Form, said: Any) -> dict[str, Decimal]:
    """The totals of a box; a single amount is proceeds and gain, with no basis."""
    first, *_, last = form.columns
    return {
        c: Decimal(said.get(c, 0) if isinstance(said, Mapping) else said if c in (first, last) else 0)
        for c in form.columns
    }


def frame_of(form: Form, rows: list[tuple[str, Facts]]) -> pl.DataFrame:
    """The same facts for the column reading: a row for each return, money in cents."""

    def cents(amount: Any) -> int:
        return int(Decimal(amount) * 100)

    table: list[dict[str, Any]] = []
    for status, facts in rows:
        row: dict[str, Any] = {"filing_status": status}
        for name, source in form.inputs.items():
            value = facts.outside.get(f"given.{name}", False if source.unit == "flag" else 0)
            row[f"given.{name}"] = cents(value) if source.unit == "money" else value
        for id_, value in facts.typed[form.name].items():
            amounts = {f".{c}": v for c, v in value.items()} if isinstance(value, Mapping) else {"": value}
            row |= {f"typed.{form.name}.{id_}{c}": cents(v) for c, v in amounts.items()}
        for total in facts.totals:
            row |= {f"total.{group_name(total.group)}.{c}": cents(v) for c, v in total.sums.items()}
        table.append(row)
    names = dict.fromkeys(name for row in table for name in row)
    return pl.DataFrame([{name: row.get(name) for name in names} for row in table], infer_schema_length=None)


def from_columns(form: Form, row: Mapping[str, Any]) -> dict[str, Answer]:
    """A row of the column reading as answers by line: blank lines absent."""

    def value(name: str) -> Any:
        said = row.get(name)
        return said if said is None or isinstance(said, bool) else Decimal(said) / 100

    answers: dict[str, Answer] = {}
    for id_, line in form.lines.items():
        if line.columns:
            amounts = {c: value(f"{form.name}.{id_}.{c}") for c in form.columns}
            if amounts[list(form.columns)[-1]] is not None:
                answers[id_] = {c: v for c, v in amounts.items() if v is not None}
        elif (said := value(f"{form.name}.{id_}")) is not None:
            answers[id_] = said
    return answers


def agrees(answer: Answer | None, expected: Any) -> bool:
    if expected == "blank":
        return answer is None
    if isinstance(answer, dict):
        wanted = expected if isinstance(expected, Mapping) else {list(answer)[-1]: expected}
        return all(answer[column] == amount for column, amount in wanted.items())
    return answer == expected and isinstance(answer, bool) == isinstance(expected, bool)


# Examples


def examples() -> Iterator[Any]:
    for number, year in YEARS.items():
        for form in year.forms.values():
            for n, example in enumerate(examples_of(year, form)):
                yield pytest.param(number, form.name, example.said, id=f"{number}-{form.name}-{n}")


EXAMPLES = list(examples())


@pytest.mark.parametrize(("year", "name", "example"), EXAMPLES)
def test_an_example_holds_exactly(year: int, name: str, example: Mapping[str, Any]) -> None:
    answers = run_example(YEARS[year], YEARS[year].forms[name], example)
    assert {
        line: answers.get(line) for line, want in example["expect"].items() if not agrees(answers.get(line), want)
    } == {}


@pytest.mark.parametrize(("year", "name", "example"), EXAMPLES)
def test_an_example_holds_in_columns(year: int, name: str, example: Mapping[str, Any]) -> None:
    form = alone(year, name).forms[name]
    frame = frame_of(form, [(example["given"].get("status", "single"), facts_of(form, example["given"]))])
    worked = work_out_columns(alone(year, name), frame, [name], cents=bool(example.get("cents")))
    answers = from_columns(form, worked.row(0, named=True))
    assert {
        line: answers.get(line) for line, want in example["expect"].items() if not agrees(answers.get(line), want)
    } == {}


def test_an_example_that_fails_is_seen() -> None:
    assert agrees(Decimal(5), 5)
    assert not agrees(Decimal(5), 6)
    assert not agrees(None, 0)
    assert not agrees(Decimal(0), "blank")
    assert not agrees(Decimal(1), True)
    assert not agrees({"d": Decimal(1), "h": Decimal(2)}, {"d": 2})


@pytest.mark.parametrize(("number", "name"), [own for own in OWN if own[1] != "digital_asset_question"])
def test_every_condition_has_an_example_on_both_sides(number: int, name: str) -> None:
    year, form = YEARS[number], YEARS[number].forms[name]
    computed = {id_ for id_, line in form.lines.items() if line.kind != "input"}
    ran = [set(run_example(year, form, e)) & computed for e in form.examples]
    filled = [lines for lines in ran if lines]

    assert not form.only_if or len(filled) < len(ran), f"no example leaves {name} out"
    assert filled or not computed, f"no example fills {name} in"
    for line in form.lines.values():
        if line.kind != "input" and (line.only_if or line.skips):
            sides = {line.id in lines for lines in filled}
            assert sides == {True, False}, f"{year.year} {name} line {line.id}: only {sides}"


@pytest.mark.parametrize("number", [n for n, year in YEARS.items() if year.origins["form_8949"] == n])
def test_examples_of_form_8949(number: int) -> None:
    form = YEARS[number].documents["form_8949"]
    formula = parse(form.value["columns"]["h"]["is"], form.place("columns", "h", "is"))
    for example in form.value["examples"]:
        amounts = {c: exact.const(example["given"].get(c, 0)) for c in formula.names}
        assert Reader(exact, amounts).read(formula) == example["expect"]["h"], example["name"]


# Both readings, and claims, on made-up returns


def amounts_of(number: int) -> list[Decimal]:
    """Amounts where things change: the thresholds of a year's parameters and a cent around them."""
    found = {Decimal(0), Decimal("0.50"), Decimal("2.49"), Decimal("99_999.99"), Decimal(100_000), Decimal(3_000_000)}
    for parameter in YEARS[number].parameters.values():
        values = parameter.value.values() if isinstance(parameter.value, dict) else [parameter.value]
        if parameter.unit == "money":
            found |= {Decimal(value) for value in values}
    return sorted(
        found | {amount + step for amount in found for step in (Decimal("0.01"), Decimal("-0.01"), Decimal(7_777))}
    )


def made_up(form: Form, dice: random.Random, amounts: list[Decimal]) -> dict[str, Any]:
    """What a made-up return gives a form."""

    def amount() -> Decimal:
        size = dice.choice([Decimal(0), dice.choice(amounts), Decimal(dice.randrange(10**7)) / 100])
        return size if dice.random() < 0.7 else -size

    said: dict[str, Any] = {}
    for name, source in form.inputs.items():
        said[name] = (
            dice.random() < 0.8 if source.unit == "flag" else dice.randrange(5) if source.unit == "count" else amount()
        )
    for line in form.lines.values():
        if line.kind == "input":
            said[line.name] = {c: amount() for c in line.columns} if line.columns else amount()
        elif line.kind == "total_of" and line.total_of.get("boxes"):
            box = dice.choice(line.total_of["boxes"])
            said[f"box_{box}"] = dict.fromkeys(form.columns, Decimal(0)) | {"d": amount(), "e": amount(), "g": amount()}
        elif line.kind == "total_of":
            said[line.name] = amount()
    return said


@pytest.mark.parametrize(("number", "name"), [own for own in OWN if own[1] != "digital_asset_question"])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), cents=st.booleans())
def test_both_readings_say_the_same(number: int, name: str, seed: int, *, cents: bool) -> None:
    year = alone(number, name)
    form, dice = year.forms[name], random.Random(seed)  # noqa: S311
    rows = [
        (dice.choice(list(year.statuses)), facts_of(form, made_up(form, dice, amounts_of(number)))) for _ in range(15)
    ]
    table = work_out_columns(year, frame_of(form, rows), [name], cents=cents).rows(named=True)
    computed = {id_ for id_, line in form.lines.items() if line.kind in ("is", "yes_if")}
    for (status, facts), row in zip(rows, table, strict=True):
        one = work_out(year, status, facts, cents=cents).answers.get(name, {})
        many = from_columns(form, row)
        assert {i: one.get(i) for i in computed} == {i: many.get(i) for i in computed}


@pytest.mark.parametrize(("number", "name"), [own for own in OWN if any(plain_claims(YEARS[own[0]].forms[own[1]]))])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_claims_hold(number: int, name: str, seed: int) -> None:
    year = alone(number, name)
    form, dice = year.forms[name], random.Random(seed)  # noqa: S311
    status = dice.choice(list(year.statuses))
    said = made_up(form, dice, amounts_of(number))
    if name == "loss_carryover":  # where the claim has something to say: the nets of one Schedule D
        said["net_gain"] = said["net_short_term"] + said["net_long_term"]
        said["allowed_loss"] = min(max(Decimal(0), -said["net_gain"]), year.parameter("capital_loss_cap", status))
    answers = work_out(year, status, facts_of(form, said), cents=True).answers.get(name, {})
    names: dict[str, Any] = {
        parameter: year.parameter(parameter, status) for parameter in form.uses if parameter in year.parameters
    }
    names |= {n: said[n] for n in form.inputs}
    for line in form.lines.values():
        answer = answers.get(line.id, False if line.unit == "flag" else Decimal(0))
        names[line.name] = list(answer.values())[-1] if isinstance(answer, dict) else answer
    for claim in plain_claims(form):
        made = claim.when is None or Reader(exact, names).read(claim.when)
        assert not made or Reader(exact, names).read(claim.always), claim.name
