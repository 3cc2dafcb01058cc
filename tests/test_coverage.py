"""`lotlaw rules coverage` and `lotlaw rules mutate`: what the worked examples hold, and that they hold all of it."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from conftest import ROOT, Asked
from lotlaw.audit.coverage import examples_in_force
from lotlaw.audit.mutation import changes
from lotlaw.audit.reasons import CHANGES, reasons
from lotlaw.check.examples import differences
from lotlaw.check.worked import run
from lotlaw.returns import work_out_columns
from lotlaw.rules import PUBLISHED, forget, load, years

RULES = ROOT / "rules"
LAW = [year for year in (load(number) for number in years(RULES)) if year.status == PUBLISHED]

Edit = Callable[[str, str, str], None]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """Rules in ./rules; `edited(file, old, new)` changes them."""
    shutil.copytree(RULES, tmp_path / "rules")

    def edit(file: str, old: str, new: str) -> None:
        path = tmp_path / "rules" / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        forget()

    return edit


# Coverage


def test_every_line_side_number_and_row_of_the_published_years_is_exercised(ask: Asked) -> None:
    said = ask("rules", "coverage")
    assert said.code == 0, said.text
    lines = said.text.splitlines()
    assert [line.split()[0] for line in lines] == [str(year.year) for year in LAW]
    for line in lines:
        assert line.endswith("complete")
        assert all(exercised == all_ for exercised, all_ in re.findall(r"(\d+) of +(\d+)", line))


def test_programs_get_the_counts_and_what_cannot_be_shown_with_its_reason(ask: Asked) -> None:
    answer = json.loads(ask("rules", "coverage", 2025, "--json").text)
    (of,) = answer["years"]
    assert (of["year"], of["missing"], answer["idle"]) == (2025, [], [])
    assert of["lines"]["all"] == of["lines"]["exercised"] == sum(len(f.lines) for f in load(2025).forms.values())
    assert all(item["reason"] for item in of["explained"])


def test_what_a_lost_example_showed_is_missing_by_its_place(edited: Edit, ask: Asked) -> None:
    edited(
        "2018/unrecaptured_1250.yaml",
        "form_4797_line_7: 30_000, line1: 12_000, line8: 15_000, line11: 700",
        "line11: 700",
    )
    said = ask("rules", "coverage", 2022, "--rules", "rules")
    assert said.code == 1
    assert said.text.splitlines()[0].endswith(
        ": unrecaptured_1250 line 9: no example in which `0` decides in `max(0, line7 - line8)` (2022)"
    )
    assert said.text.startswith("rules/2018/unrecaptured_1250.yaml:29:")


def test_a_number_that_no_example_reads_is_missing(edited: Edit, ask: Asked) -> None:
    edited(
        "2025/schedule_d.yaml",
        "{status: head_of_household, sales: yes, box_F: -4_500}",
        "{status: single, sales: yes, box_F: -4_500}",
    )
    said = ask("rules", "coverage", 2025, "--rules", "rules")
    assert said.text.splitlines()[0] == (
        "rules/2025/parameters.yaml:9:1: capital_loss_cap (head_of_household): no example reads it (2025)"
    )
    assert "numbers 33 of 34" in said.text


def test_a_line_that_is_blank_shows_nothing_of_its_formula(edited: Edit, ask: Asked) -> None:
    """The formula of a blank line is worked out all the same; what it does then does not count."""
    edited(
        "2025/schedule_d.yaml",
        "is: min(-line16, capital_loss_cap)",
        "is: min(-line16, capital_loss_cap) if line16 < 0 else line16",
    )
    said = ask("rules", "coverage", 2025, "--rules", "rules")
    assert "schedule_d line 21: no example in which `line16 < 0` does not hold (2025)" in said.text


def test_a_reason_for_what_is_shown_is_a_mistake(edited: Edit, ask: Asked) -> None:
    edited("reasons.yaml", "`line16 > 0` does not hold", "`line15 > 0` does not hold")
    lacking, idle, *_ = (said := ask("rules", "coverage", "--rules", "rules")).text.splitlines()
    assert said.code == 1
    assert "schedule_d line 17: no example in which `line16 > 0` does not hold (2018)" in lacking
    assert said.text.count("is not found: take it out") == 1
    assert idle


def test_a_reason_without_a_reason_is_refused(edited: Edit, ask: Asked) -> None:
    edited("reasons.yaml", '  reason: "the line is yes wherever', '  because: "the line is yes wherever')
    said = ask("rules", "coverage", 2025, "--rules", "rules")
    assert said.code == 2
    assert "rules/reasons.yaml:" in said.error


# Mutation


def test_no_change_of_a_year_goes_unnoticed_without_a_reason(ask: Asked) -> None:
    year = 2025
    said = ask("rules", "mutate", year, "--explained", "--prove")
    assert said.code == 0, said.text
    *reasons, score = said.text.splitlines()
    made, noticed, unnoticed, explained, proved = (int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", score))
    assert made == noticed + unnoticed == sum(1 for _ in changes(load(year)))
    assert unnoticed == explained == len(reasons)
    assert all(reason.endswith(f"({year})") for reason in reasons)
    assert proved == sum(": proved: " in reason for reason in reasons) > 0


def test_a_change_that_no_example_shows_any_more_is_named_at_its_place(edited: Edit, ask: Asked) -> None:
    example = "  - name: a head of household's threshold\n"
    text = (RULES / "2020" / "form_8960.yaml").read_text(encoding="utf-8")
    whole = text[text.index(example) : text.index("  - name: half a dollar above")]
    edited("2020/form_8960.yaml", whole, "")
    said = ask("rules", "mutate", 2023, "--rules", "rules", "--json")
    assert said.code == 1
    unnoticed = json.loads(said.text)["unnoticed"]
    assert {(item["about"], item["file"], item["line"]) for item in unnoticed} == {
        ("niit_threshold (head_of_household)", "rules/2023/parameters.yaml", 122)
    }
    assert [item["change"] for item in unnoticed] == [f"200000 -> {n}" for n in ("200001", "199999", "202000.00")]


def test_the_readme_tells_how_many_changes_are_made() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    made = sum(1 for year in LAW for _ in changes(year))
    assert f"{made:,} changes" in readme


def test_an_example_that_counts_for_a_year_holds_in_it() -> None:
    """An example of a pinned file stands for every year with the same numbers."""
    for year in LAW:
        for example in examples_in_force(year):
            assert list(differences(run(year, example))) == [], (year.year, example.name)


# Reasons


def test_a_change_with_a_reason_changes_nothing_on_made_up_returns() -> None:
    """Every line of every form, with cents and without, of returns whose amounts crowd where the law turns."""
    given, tried = reasons(RULES, CHANGES), 0
    for year in (load(2018), load(2020)):
        frame, forms = made_up(400), [form.name for form in year.forms.values() if form.lines]
        before = [work_out_columns(year, frame, forms, cents=cents) for cents in (False, True)]
        for change in changes(year):
            if given.key(change.about, change.what, change.place):
                after = [work_out_columns(change.year, frame, forms, cents=cents) for cents in (False, True)]
                same = [a.select(b.columns).equals(b) for a, b in zip(after, before, strict=True)]
                assert same == [True, True], (change.about, change.what)
                tried += 1
    assert tried > 40


def made_up(rows: int) -> pl.DataFrame:
    dice = random.Random(5)  # noqa: S311

    def amounts(least: int = 0) -> list[int]:
        near = [0, 0, 100, 500, 4_000_000, 10_000_000, 44_150_000]
        size = [
            dice.choice([dice.choice(near) + dice.randrange(100), dice.randrange(200_000_000), 0]) for _ in range(rows)
        ]
        return [max(least, dice.choice((1, -1)) * amount) for amount in size]

    income = ("wages", "interest", "ordinary_dividends", "qualified_dividends")
    typed = ("schedule_d.4", "schedule_d.13", "rate_28.2", "unrecaptured_1250.form_4797_line_7", "schedule_d_tax.3",
             "unrecaptured_1250.1", "unrecaptured_1250.11", "schedule_d_tax.4")  # fmt: skip
    columns = {f"taxpayer.income.{name}": amounts() for name in income} | {"taxpayer.income.other": amounts(-(10**9))}
    columns |= {f"typed.{name}": amounts() for name in typed} | {"taxpayer.deduction": amounts()}
    columns |= {f"taxpayer.carryover.{term}": amounts() for term in ("short", "long")}
    flags = {
        name: [dice.random() < 0.7 for _ in range(rows)]
        for name in ("ledger.dispositions", "taxpayer.standard_deduction")
    }
    gains = {f"total.box={box}.{c}": amounts(-(10**9)) for box in "AD" for c in "degh"}
    collectibles = {"total.collectible=true,part=II.h": [gain // 2 for gain in gains["total.box=D.h"]]}
    statuses = [dice.choice(("single", "married_separate", "head_of_household")) for _ in range(rows)]
    return pl.DataFrame({"filing_status": statuses, **columns, **flags, **gains, **collectibles})
