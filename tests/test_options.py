"""What the name of an option says it is on, and what is said of ways to write it that do not work."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal

import pytest

from conftest import ROOT
from lotlaw.importers import lint
from lotlaw.importers.options import SCHEMA, contracts
from lotlaw.ledger import read
from lotlaw.source import read_yaml

SAID = read_yaml(ROOT / "rules" / "assets.yaml", text_only=True).value["options"]
JUNE = ("call", Decimal(45), date(2025, 6, 20), Decimal(100))


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        ("ACME 2025-06-20 45 C", ("ACME", *JUNE)),
        ("ACME 2025-06-20 45.00 c", ("ACME", *JUNE)),
        ("ACME  250620C00045000", ("ACME", *JUNE)),
        ("ACME250620C00045000", ("ACME", *JUNE)),
        ("-ACME250620C45", ("ACME", *JUNE)),
        ("ACME 06/20/2025 45.00 C", ("ACME", *JUNE)),
        ("ACME 6/20/2025 Call $45.00", ("ACME", *JUNE)),
        ("ACME 20JUN25 45 C", ("ACME", *JUNE)),
        ("CALL ACME 06/20/25 45.000", ("ACME", *JUNE)),
        ("BRK.B 2026-01-16 512.5 PUT", ("BRK.B", "put", Decimal("512.5"), date(2026, 1, 16), Decimal(100))),
        ("SPY   260903P00766500", ("SPY", "put", Decimal("766.5"), date(2026, 9, 3), Decimal(100))),
        ("ACME", (None,) * 5),
        ("ACME 2025-02-30 45 C", (None,) * 5),
        ("ACME 2025-06-20 45 X", (None,) * 5),
    ],
)
def test_a_name_says_what_the_option_is_on(name, contract):
    found = contracts([name], SAID)
    assert dict(found.schema) == SCHEMA
    assert found.rows() == [(name, *contract)]


def test_a_ledger_has_its_options(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(
        "time,kind,asset,asset_class,quantity,amount\n2025-01-04,option_buy_open,ACME 2025-06-20 45 C,option,1,300\n"
        "2025-01-05,option_buy_open,some warrant,option,1,300\n2025-01-05,buy,ACME,stock,1,30\n"
    )
    assert read(path).options.rows() == [
        ("ACME 2025-06-20 45 C", "ACME", *JUNE),
        ("some warrant", *(None,) * 5),
    ]


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("(?<right>C|P|CALL|PUT)$'", "(C|P|CALL|PUT)$'", "the pattern lacks the group (?<right>...)"),
        ("$'}", "($'}", "not a pattern: unclosed group"),
        ("like: ACME 2025", "like: ACME on 2025", "does not read ACME on 2025-06-20 45 C, the name it is for"),
        ("like: ACME 2025", "lyke: ACME 2025", "unknown key 'lyke' (did you mean 'like'?)"),
    ],
)
def test_ways_to_write_a_name_that_do_not_work_are_found(tmp_path, find, put, says):
    shutil.copytree(ROOT / "rules" / "sources", tmp_path / "sources")
    text = (ROOT / "rules" / "assets.yaml").read_text()
    assert find in text
    (tmp_path / "assets.yaml").write_text(text.replace(find, put, 1))
    problems = [str(problem) for problem in lint.problems(tmp_path)]
    assert any("assets.yaml:1" in problem and says in problem for problem in problems), problems
