"""`lotlaw rules show, diff, verify, impact, compare, new`: what an auditor asks, in words and for programs."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import Answer, Asked, change
from lotlaw.arguments import folded
from lotlaw.rules import forget
from lotlaw.source import data_root

RULES = data_root() / "rules"
CAP = "value: {single: 3_000, married_joint: 3_000, married_separate: 1_500, head_of_household: 3_000}"
LEDGER = """\
time,kind,asset,asset_class,quantity,amount
2024-02-02,buy,ACME,stock,100,20000
2025-03-03,sell,ACME,,100,12000
"""


def said(answer: Answer, code: int = 0) -> Any:
    assert (answer.code, answer.error) == (code, "")
    return json.loads(answer.text)


# show


def test_a_year_is_shown_on_one_page(ask: Asked) -> None:
    text = ask("rules", "show", 2025).text
    assert "  schedule_d               Schedule D (Form 1040), Capital Gains and Losses (published)\n" in text
    assert "as in 2020, compared with OpenTaxSolver 2025" in text
    assert "capital_loss_cap (money, statutory): Most net capital loss" in text
    assert "  rate 24%; up to single 197,300  married_joint 394,600" in text


@pytest.mark.parametrize(
    ("mark", "status"),
    [("", "published"), ('\n  unread: "as in 2025"', "draft"), ('\n  projected: "a guess of ours"', "projected")],
)
def test_a_value_says_how_sure_it_is(mark: str, status: str, rules: Path, ask: Asked) -> None:
    change(rules / "2026" / "parameters.yaml", "zero_rate_top:", f"zero_rate_top:{mark}")
    assert f"zero_rate_top (money, {status}):" in ask("rules", "show", 2026, "parameters", "--rules", rules).text
    shown = said(ask("rules", "show", 2026, "parameters", "--rules", rules, "--json"))
    assert shown["zero_rate_top"]["status"] == status
    assert shown["capital_loss_cap"]["status"] == "statutory"


def test_a_pin_that_nobody_checked_is_a_draft(ask: Asked) -> None:
    assert "as in 2025, unchecked: the 2026 form is not published" in ask("rules", "show", 2026).text
    assert said(ask("rules", "show", 2026, "--json"))["files"]["schedule_d"]["status"] == "draft"


def test_a_line_is_shown_for_programs(ask: Asked) -> None:
    line = said(ask("rules", "show", 2025, "schedule_d", "21", "--json"))
    assert (line["rule"], line["only_if"]) == ("min(-line16, capital_loss_cap)", "line16 < 0")
    assert line["cite"] == {
        "title": "26 USC (Internal Revenue Code)", "url": "https://uscode.house.gov/", "at": "§1211(b)",
    }  # fmt: skip


def test_a_line_is_said_in_words_with_its_numbers_and_its_status(ask: Asked) -> None:
    text = ask("rules", "show", 2025, "schedule_d", "21").text
    assert text.startswith("Schedule D (Form 1040), Capital Gains and Losses of 2025 (published)\n")
    assert "      the smaller of line 16 with its sign changed and the capital loss cap\n" in text
    assert "      only if line 16 is below 0; otherwise blank\n" in text
    assert "      capital_loss_cap (statutory): single 3,000  married_joint 3,000  married_separate 1,500" in text


def test_entries_of_a_table_are_shown_each_with_its_place_and_its_law(ask: Asked) -> None:
    text = ask("rules", "show", 2025, "dispositions").text
    assert re.search(
        r"    buy  \(\S*rules/2018/dispositions\.yaml:\d+\)\n      label: Purchase\n"
        r"      opens: leg in; basis value \+ fee\n      26 USC \(Internal Revenue Code\), §1012\(a\)\n",
        text,
    )


def test_one_number_or_entry_is_shown_alone(ask: Asked) -> None:
    assert ask("rules", "show", 2025, "parameters", "niit_rate").text.splitlines()[1] == "  3.8%"
    assert said(ask("rules", "show", 2025, "parameters", "niit_rate", "--json"))["value"] == "0.038"
    gift = ask("rules", "show", 2025, "dispositions", "kinds.gift_in").text
    assert gift.startswith("Lots and dispositions of 2025 (published)\n    gift_in  (")
    assert "\n      label: Gift received\n" in gift
    assert said(ask("rules", "show", 2025, "form_8949", "codes.W", "--json"))["says"]["sign"] == "plus"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (
            ("parameters", "niit_rat"),
            "niit_rat: nothing of that name in the numbers of 2025 (did you mean 'niit_rate'?)",
        ),
        (
            ("form_8949", "box"),
            "box: nothing of that name in form_8949 (did you mean 'boxes'?); there are form, title, ",
        ),
        (("dispositions", "wash_sales.code.x"), "x: nothing of that name in dispositions.wash_sales.code\n"),
    ],
)
def test_an_unknown_entry_is_not_shown(asked: tuple[str, str], why: str, ask: Asked) -> None:
    answer = ask("rules", "show", 2025, *asked)
    assert (answer.code, answer.text) == (2, "")
    assert answer.error.startswith(why)


def test_long_lines_are_folded_further_in() -> None:
    assert folded("    one two three", 12) == ["    one two", "        three"]
    assert folded("  short", 80) == ["  short"]
    assert folded("", 80) == [""]
    assert folded("  " + "x" * 20, 10) == ["  " + "x" * 20]


def test_boxes_are_shown(ask: Asked) -> None:
    text = ask("rules", "show", 2025, "form_8949").text
    assert "  L: part II; form_1099 none; digital yes; label Long-term digital assets" in text
    assert said(ask("rules", "show", 2025, "form_8949", "--json"))["says"]["boxes"]["L"]["digital"] is True


# diff


def test_values_differ_by_a_step_with_both_citations(ask: Asked) -> None:
    text = ask("rules", "diff", 2024, 2025).text
    assert text.startswith("2024 -> 2025\n")
    assert (
        "  zero_rate_top (head_of_household): 63,000 -> 64,750  (+2.78 %)\n"
        "  middle_rate_top (single): 518,900 -> 533,400  (+2.79 %)\n"
    ) in text
    assert (
        "      Rev. Proc. 2023-34 (2024 adjusted items), §3.03 -> Rev. Proc. 2024-40 (2025 adjusted items), §2.03\n"
        in text
    )


def test_lines_boxes_and_files_differ(ask: Asked) -> None:
    text = ask("rules", "diff", 2024, 2025).text
    assert "  schedule_d: as in 2020 -> its own\n" in text
    assert "  line 1b: total of Form 8949: boxes A -> total of Form 8949: boxes A, G\n" in text
    assert "  boxes G added: part I; form_1099 da_covered; digital any; label Short-term, on Form 1099-DA" in text
    assert "  boxes C: digital any; label Short-term, not reported on Form 1099-B -> digital no; label" in text
    assert "loss_carryover" not in text
    assert "  boxes G removed: part I" in ask("rules", "diff", 2025, 2024).text


def test_a_form_that_only_one_year_has(ask: Asked) -> None:
    text = ask("rules", "diff", 2019, 2020).text
    assert "  form_8960 added: its own\n" in text
    assert "  form_8960 not verified removed: " in text
    assert "Form 8960, Net Investment Income Tax\n  form_8960 added: 15 lines\n" in text


def test_differences_for_programs(ask: Asked) -> None:
    found = said(ask("rules", "diff", 2024, 2025, "--json"), code=1)
    line = next(d for d in found if d["about"] == "line 7, on the form")
    assert (line["kind"], line["file"], line["old"], line["new"]) == ("line", "form_1040", "line 7", "line 7a")
    assert {d["kind"] for d in found} == {"file", "value", "box", "code", "entry", "line"}


def test_a_year_is_as_itself(ask: Asked) -> None:
    same = ask("rules", "diff", 2025, 2025)
    assert (same.code, same.text) == (0, "2025 -> 2025: nothing differs\n")


# verify and impact


@pytest.fixture
def filed(tmp_path: Path, rules: Path, ask: Asked) -> Path:
    """A return with a loss of 8,000, by the copy of the rules."""
    (tmp_path / "ledger.csv").write_text(LEDGER)
    (tmp_path / "taxpayer.yaml").write_text("filing_status: single\nincome: {wages: 80_000}\ncarryover: {short: 0}\n")
    done = ask("file", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--out", "return", "--rules", rules)
    assert done.code == 0
    return tmp_path / "return" / "return.json"


def test_a_return_is_made_by_these_rules(filed: Path, rules: Path, ask: Asked) -> None:
    answer = ask("rules", "verify", filed, "--rules", rules)
    assert answer.code == 0
    assert answer.text.startswith("made by the rules of 2025 (published, ")
    assert answer.text.endswith("worked out again from the same files: the same, to the byte\n")
    assert said(ask("rules", "verify", filed, "--rules", rules, "--json"))["reproduced"] is True


def test_a_return_that_somebody_changed_is_found(filed: Path, rules: Path, ask: Asked) -> None:
    change(filed, '"21": "3000"', '"21": "4000"')
    answer = ask("rules", "verify", filed, "--rules", rules)
    assert answer.code == 1
    assert "  lines.schedule_d.21: says 4000, and is 3000\n" in answer.text


def test_a_return_that_somebody_laid_out_anew_is_found(filed: Path, rules: Path, ask: Asked) -> None:
    filed.write_text(json.dumps(json.loads(filed.read_text())))
    answer = ask("rules", "verify", filed, "--rules", rules)
    assert (answer.code, "layout: says other spaces or order" in answer.text) == (1, True)


def test_a_return_of_other_rules_is_found(filed: Path, rules: Path, ask: Asked) -> None:
    change(rules / "2025" / "parameters.yaml", "value: 28%", "value: 29%")
    answer = ask("rules", "verify", filed, "--rules", rules)
    assert answer.code == 1
    assert answer.text.startswith("not made by the rules of 2025 (published, ")
    assert said(ask("rules", "verify", filed, "--rules", rules, "--json"), 1)["by_these_rules"] is False


def test_what_is_no_return_is_bad_input(tmp_path: Path, ask: Asked) -> None:
    answer = ask("rules", "verify", "nothing.json")
    assert (answer.code, answer.text, answer.error) == (2, "", "nothing.json: no such file\n")


@pytest.fixture
def edited(rules: Path, tmp_path: Path) -> Path:
    """The rules with a cap of 5,000."""
    shutil.copytree(rules, tmp_path / "edited")
    change(
        tmp_path / "edited" / "2025" / "parameters.yaml", CAP, CAP.replace("3_000", "5_000").replace("1_500", "2_500")
    )
    return tmp_path / "edited"


def test_an_edit_moves_lines_of_a_return(filed: Path, rules: Path, edited: Path, ask: Asked) -> None:
    answer = ask("rules", "impact", edited, filed, "--rules", rules)
    assert answer.code == 1
    assert "return/return.json (2025)\n" in answer.text
    assert "  schedule_d.21: 3,000 -> 5,000\n" in answer.text
    assert "  carryover.long: 5,000 -> 3,000\n" in answer.text
    assert answer.text.endswith("1 of 1 move\n")


def test_an_edit_moves_the_demo_and_examples(rules: Path, edited: Path, tmp_path: Path, ask: Asked) -> None:
    folders = [folder.relative_to(tmp_path) for folder in (edited, rules)]  # as a user names them
    found = said(ask("rules", "impact", folders[0], "--rules", folders[1], "--json"), 1)
    moved = {item["what"]: item["moves"] for item in found["moved"]}
    assert {"at": "lines.schedule_d.21", "before": "3000", "after": "3220"} in moved["the demo (2025)"]
    assert moved["2025 schedule_d: carryovers alone need the form"] == [
        {"at": "schedule_d.21", "before": "3,000", "after": "4,000"}
    ]
    whole = moved["2025 a return: a long-term loss above a short-term gain, and less income than deductions"]
    assert {"at": "allowed_loss", "before": "3,000", "after": "5,000"} in whole


def test_the_same_rules_move_nothing(rules: Path, ask: Asked) -> None:
    assert ask("rules", "impact", rules, "--rules", rules).text == "0 of 1 move\n"


def test_an_edit_in_a_folder_without_rules_is_bad_input(tmp_path: Path, ask: Asked) -> None:
    answer = ask("rules", "impact", "edited")
    assert (answer.code, answer.error) == (
        2, "edited: no rules here: copy a folder of rules, edit the copy, and name it\n",
    )  # fmt: skip


# lock


ERRATUM = (
    'errata: [{{date: 2027-02-01, was: "{}", reason: "a label was wrong", cite: {{source: irc, at: "§1(h)(4)"}}}}]\n'
)


def relocked(rules: Path, ask: Asked) -> str:
    """The digest that the copy's 2025 was locked with, after its lock was written by this version."""
    assert ask("rules", "lock", 2025, "--rules", rules).code == 0
    digest, status = (rules / "2025" / "LOCK").read_text().splitlines()[0].split()
    assert status == "published"
    return digest


def corrected(rules: Path, erratum: str) -> None:
    change(rules / "2025" / "parameters.yaml", "label: Highest rate on collectibles", "label: Rate on collectibles")
    path = rules / "2025" / "year.yaml"
    path.write_text(path.read_text(encoding="utf-8") + erratum, encoding="utf-8")
    forget()


def test_a_published_year_changes_only_with_an_erratum(rules: Path, ask: Asked) -> None:
    was = relocked(rules, ask)
    corrected(rules, "")
    answer = ask("rules", "lock", 2025, "--rules", rules)
    assert answer.code == 2
    assert answer.error.startswith(
        "rules/2025/year.yaml:4:9: 2025 was published, and says something else now; say what was wrong, "
        f'under `errata:`: - {{date: …, was: "{was[:12]}", '
    )


def test_an_erratum_is_kept_and_told(filed: Path, rules: Path, ask: Asked) -> None:
    was = relocked(rules, ask)
    corrected(rules, ERRATUM.format(was[:12]))
    assert ask("rules", "lock", 2025, "--rules", rules).code == 0
    assert was in (rules / "2025" / "LOCK").read_text().splitlines()[1:]
    assert "[locked]" not in ask("rules", "check", 2025, "--rules", rules).text
    assert "erratum of 2027-02-01: a label was wrong (26 USC" in ask("rules", "show", 2025, "--rules", rules).text
    answer = ask("rules", "verify", filed, "--rules", rules)
    assert answer.code == 1
    assert "made by them as they were before the erratum of 2027-02-01: a label was wrong\n" in answer.text


def test_an_erratum_that_is_taken_out_again_is_missed(rules: Path, ask: Asked) -> None:
    was = relocked(rules, ask)
    corrected(rules, ERRATUM.format(was[:12]))
    assert ask("rules", "lock", 2025, "--rules", rules).code == 0
    change(rules / "2025" / "year.yaml", ERRATUM.format(was[:12]), "")
    text = ask("rules", "check", 2025, "--rules", rules).text
    assert f"2025 was published before as {was[:12]}, and no erratum says what was wrong [errata]" in text


def test_a_year_without_a_lock_is_locked_afresh(rules: Path, ask: Asked) -> None:
    relocked(rules, ask)
    corrected(rules, "")
    (rules / "2025" / "LOCK").unlink()
    assert ask("rules", "lock", 2025, "--rules", rules).code == 0


def test_a_draft_is_locked_again_and_published_without_one(rules: Path, ask: Asked) -> None:
    for old, new in (("zero_rate_top:\n", 'zero_rate_top:\n  projected: "ours"\n'), ('  projected: "ours"\n', "")):
        change(rules / "2026" / "parameters.yaml", old, new)
        assert ask("rules", "lock", 2026, "--rules", rules).code == 0
    assert len((rules / "2026" / "LOCK").read_text().splitlines()) == 1


# compare


TAX_CALCULATOR = """{"schema": {}, "II_rt6": {"value": [{"year": 2013, "value": 0.35}]},
"II_brk6": {"value": [
{"year": 2023, "MARS": "single", "value": 578125.0}, {"year": 2023, "MARS": "mseparate", "value": 578125.0},
{"year": 2023, "MARS": "widow", "value": 693750.0}]}}"""
POLICYENGINE = """\
description: Thresholds
metadata: {unit: currency-USD}
1:
  HEAD_OF_HOUSEHOLD:
    2022-01-01: 55_800
    2023-01-01: 58_750
"""


def test_the_errors_of_other_engines_stand_out(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "policy_current_law.json").write_text(TAX_CALCULATOR)
    (tmp_path / "capital_gains").mkdir()
    (tmp_path / "capital_gains" / "thresholds.yaml").write_text(POLICYENGINE)
    answer = ask("rules", "compare", "policy_current_law.json", "capital_gains/thresholds.yaml")
    assert (answer.code, answer.error) == (1, "")
    assert answer.text == (
        "policy_current_law.json: 11 values agree, 1 differ\n"
        "  year  value              status               ours   theirs\n"
        "  2023  income_tax.6.up_to  married_separate  346,875  578,125\n"
        "thresholds.yaml: 1 values agree, 1 differ\n"
        "  year  value          status               ours  theirs\n"
        "  2023  zero_rate_top  head_of_household  59,750  58,750\n"
    ).replace(
        "value              status               ours   theirs",
        "value               status               ours   theirs",
    )


def test_what_agrees_is_counted(tmp_path: Path, ask: Asked) -> None:
    (tmp_path / "capital_gains").mkdir()
    (tmp_path / "capital_gains" / "loss_limit.yaml").write_text("SEPARATE:\n  2013-01-01: 1_500\n")
    answer = ask("rules", "compare", "capital_gains/loss_limit.yaml", "--json")
    assert [(item["year"], item["agrees"]) for item in said(answer)] == [(year, True) for year in range(2018, 2027)]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "other.yaml",
            "a: 1",
            "no file of parameters that lotlaw knows; of PolicyEngine it reads income/bracket.yaml, ",
        ),
        ("other.json", "{", "not Tax-Calculator's policy_current_law.json, with `value: [{year, MARS, value}]`"),
        ("other.json", '{"STD": 3}', "not Tax-Calculator's policy_current_law.json"),
        ("other.json", '{"STD": {"value": []}}', "none of its values is one of lotlaw's"),
        ("none.json", None, "no such file"),
    ],
)
def test_other_files_are_bad_input(name: str, text: str | None, why: str, tmp_path: Path, ask: Asked) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    answer = ask("rules", "compare", name)
    assert (answer.code, answer.text) == (2, "")
    assert answer.error.startswith(f"{name}: {why}")


# new


def test_a_new_year_is_all_unread(rules: Path, ask: Asked) -> None:
    answer = ask("rules", "new", 2027, "--rules", rules)
    assert (answer.code, answer.error) == (1, "")
    assert answer.text.startswith("wrote rules/2027/year.yaml\nwrote rules/2027/parameters.yaml\nValues to read:\n")
    assert "  [ ] schedule_d                     rules/2027/year.yaml:" in answer.text
    assert "as in 2025; compare with 2027 Schedule D (Form 1040)\n" in answer.text
    assert "  [ ] 2027 Form 8949  https://www.irs.gov/pub/irs-prior/f8949--2027.pdf\n" in answer.text
    assert answer.text.endswith("2027 is not ready: 28 things are unread\n")
    assert ask("rules", "check", "--rules", rules).text.endswith("2027: no problems found\n")
    found = said(ask("rules", "new", 2027, "--rules", rules, "--json"), 1)
    assert (found["written"], len(found["unread"])) == ([], 28)


def test_an_unread_year_cannot_be_published(rules: Path, ask: Asked) -> None:
    ask("rules", "new", 2027, "--rules", rules)
    change(rules / "2027" / "year.yaml", "status: draft", "status: published")
    answer = ask("rules", "lock", 2027, "--rules", rules)
    assert answer.code == 2
    assert "zero_rate_top stands in a published year, but nobody has read it (as in 2026) [unread]" in answer.error
    assert "schedule_d is pinned to 2025 but nobody says when it was checked" in answer.error


def test_what_held_the_old_year_to_the_one_before_is_taken_out(rules: Path, ask: Asked) -> None:
    change(
        rules / "2026" / "parameters.yaml",
        "  half_for: married_separate\n",
        '  half_for: married_separate\n  changed_by: {source: irc, at: "made up"}\n'
        '  waive: {fixed: "a, b", half: "c"}\n',
    )
    ask("rules", "new", 2027, "--rules", rules)
    text = (rules / "2027" / "parameters.yaml").read_text(encoding="utf-8")
    assert "changed_by" not in text.split("# Losses")[1]
    assert '  waive: {half: "c"}\n' in text
    assert "together" not in text


def test_a_table_of_the_values_is_filled_in_and_read(rules: Path, tmp_path: Path, ask: Asked) -> None:
    ask("rules", "new", 2027, "--sheet", "values.csv", "--rules", rules)
    with (tmp_path / "values.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["value"] = row["old"]
    table(tmp_path / "given.csv", rows)
    answer = ask("rules", "new", 2027, "--from", "given.csv", "--rules", rules)
    assert f"{len(rows)} values from given.csv\n" in answer.text
    assert "Values to read" not in answer.text
    assert answer.text.endswith("2027 is not ready: 11 things are unread\n")
    before, after = ((rules / str(year) / "parameters.yaml").read_text().split("# Losses")[1] for year in (2026, 2027))
    waived = [line for line in before.splitlines(keepends=True) if "together" in line]
    assert after == before.replace(waived[0], "")


def test_values_are_put_where_they_belong(rules: Path, tmp_path: Path, ask: Asked) -> None:
    change(
        rules / "2026" / "year.yaml",
        "  irc: ",
        '  rp-26: {title: "Rev. Proc. 2026-99", url: "https://www.irs.gov/"}\n  irc: ',
    )
    table(
        tmp_path / "given.csv",
        [
            {"parameter": "income_tax", "row": "6 up_to", "status": "single", "value": "$653,400"},
            {"parameter": "niit_rate", "value": "4%", "source": "rp-26", "at": "§2"},
        ],
    )
    answer = ask("rules", "new", 2027, "--from", "given.csv", "--rules", rules)
    assert (answer.code, answer.error) == (1, "")
    text = (rules / "2027" / "parameters.yaml").read_text(encoding="utf-8")
    assert "{rate: 35%, up_to: {single: 653_400, married_joint: 768_700," in text
    niit = next(line for line in text.splitlines() if line.startswith("niit_rate"))
    assert 'indexed: no, value: 4%, cite: {source: rp-26, at: "§2"}' in niit
    assert "unread" not in niit
    assert "[ ] income_tax " in answer.text, "the rest of it is unread"
    assert "[ ] niit_rate " not in answer.text


def table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(
            file, ["parameter", "row", "status", "label", "old", "value", "source", "at"], restval=""
        )
        writer.writeheader()
        writer.writerows(rows)
