"""Brokers' statements beside the ledger: boxes, columns (d) to (g), codes, what differs, and what nobody knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import validate
from simple_ledger import PERSON, dollars, filed, ledger_of, lines, refused, table, warned

from conftest import ROOT, Asked
from lotlaw.dispositions import match
from lotlaw.rules import load

HEAD = "time | kind | asset | asset_class | quantity | amount | fee | acquired | basis | form_1099 | term | account"
SELF = {"accounts": {"main": {"custody": "self"}}}


def differences(matched: Any) -> list[str]:
    """`ACME 2025-02-01: basis, term`, of every sale that statement and ledger do not agree on."""
    rows = matched.compared.filter(matched.compared["differs"].list.len() > 0)
    return [f"{row['asset']} {row['sold']}: {', '.join(row['differs'])}" for row in rows.iter_rows(named=True)]


# Columns (d) to (g), by box


@pytest.mark.parametrize(
    ("word", "asset_class", "row"),
    [
        ("b_covered", "stock", "A | 1 sh. X | 2025-01-02 | 2025-06-02 | 1000.00 | 900.00 | B 800.00 | 900.00"),
        ("da_covered", "crypto", "G | 1 X | 2025-01-02 | 2025-06-02 | 1000.00 | 900.00 | B 800.00 | 900.00"),
        ("b_noncovered", "stock", "B | 1 sh. X | 2025-01-02 | 2025-06-02 | 1000.00 | 100.00 | B 0.00 | 900.00"),
        ("da_noncovered", "crypto", "H | 1 X | 2025-01-02 | 2025-06-02 | 1000.00 | 100.00 | B 0.00 | 900.00"),
    ],
)
def test_a_wrong_basis_is_put_right_where_the_box_wants_it(
    tmp_path: Path, word: str, asset_class: str, row: str
) -> None:
    """2025 Instructions for Form 8949, code B: reported basis of 900 where 100 is right, a gain of 900."""
    text = f"""{HEAD}
        2025-01-02 | buy           | X | {asset_class} | 1 | 100  | | | | | |
        2025-06-02 | sell          | X |               | 1 | 1000 | | | | | |
        2025-06-02 | reported_sale | X |               | 1 | 1000 | | 2025-01-02 | 900 | {word} | short |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [row]
    assert differences(matched) == ["X 2025-06-02: basis"]


@pytest.mark.parametrize(
    ("word", "bought", "box"),
    [
        ("b_covered", "2025-01-02", "A"), ("b_noncovered", "2025-01-02", "B"),
        ("b_covered", "2024-01-02", "D"), ("b_noncovered", "2024-01-02", "E"),
    ],
)  # fmt: skip
def test_a_statement_that_agrees_gives_the_box_alone(tmp_path: Path, word: str, bought: str, box: str) -> None:
    text = f"""{HEAD}
        {bought}   | buy           | X | stock | 1 | 100 | | | | | |
        2025-06-02 | sell          | X |       | 1 | 150 | | | | | |
        2025-06-02 | reported_sale | X |       | 1 | 150 | | {bought} | 100 | {word} | |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [f"{box} | 1 sh. X | {bought} | 2025-06-02 | 150.00 | 100.00 | 50.00"]
    assert (differences(matched), matched.warnings) == ([], [])


def test_a_statement_without_basis_leaves_the_ledgers(tmp_path: Path) -> None:
    """For 2025 sales a 1099-DA normally has proceeds only: the computed basis is the only one."""
    text = f"""{HEAD}
        2024-01-02 | buy           | BTC | | 1 | 100 | | | | | |
        2025-06-02 | sell          | BTC | | 1 | 150 | | | | | |
        2025-06-02 | reported_sale | BTC | | 1 | 150 | | | | da_noncovered | |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["K | 1 BTC | 2024-01-02 | 2025-06-02 | 150.00 | 100.00 | 50.00"]
    assert (differences(matched), matched.warnings) == ([], [])


@pytest.mark.parametrize(
    ("stated", "row"),
    [
        ("1000", "1000.00 | 400.00 | E -10.00 | 590.00"),  # before costs: they go into (g)
        ("1000.60", "1000.60 | 400.00 | E -10.60 | 590.00"),  # and the cents by which the two sides round differently
        ("990", "990.00 | 400.00 | 590.00"),
        ("990.40", "990.40 | 400.00 | 590.40"),
        ("700", "990.00 | 400.00 | 590.00"),  # more was received than is reported: (d) is what was received
        ("1500", "1500.00 | 400.00 | 1100.00"),  # and if less, no code takes it away; it is listed
    ],
)
def test_proceeds_are_as_reported_and_costs_left_out_adjusted(tmp_path: Path, stated: str, row: str) -> None:
    text = f"""{HEAD}
        2025-01-02 | buy           | X | stock | 1 | 400      |    | | | | |
        2025-06-02 | sell          | X |       | 1 | 1000     | 10 | | | | |
        2025-06-02 | reported_sale | X |       | 1 | {stated} |    | 2025-01-02 | 400 | b_covered | short |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [f"A | 1 sh. X | 2025-01-02 | 2025-06-02 | {row}"]
    listed = {"1000": "costs", "1000.60": "costs", "700": "proceeds", "1500": "proceeds"}
    assert differences(matched) == ([f"X 2025-06-02: {listed[stated]}"] if stated in listed else [])


def test_net_proceeds_leave_no_costs_out(tmp_path: Path) -> None:
    text = f"""{HEAD} | proceeds_type
        2025-01-02 | buy           | X | stock | 1 | 400  |    | | | | |
        2025-06-02 | sell          | X |       | 1 | 1000 | 10 | | | | |
        2025-06-02 | reported_sale | X |       | 1 | 1000 |    | 2025-01-02 | 400 | b_covered | short | | net
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["A | 1 sh. X | 2025-01-02 | 2025-06-02 | 1000.00 | 400.00 | 600.00"]
    assert differences(matched) == ["X 2025-06-02: proceeds"]


def test_the_wrong_term_goes_to_the_part_of_the_right_one(tmp_path: Path) -> None:
    text = f"""{HEAD}
        2024-01-02 | buy           | X | stock | 1 | 100 | | | | | |
        2025-06-02 | sell          | X |       | 1 | 150 | | | | | |
        2025-06-02 | reported_sale | X |       | 1 | 150 | | VARIOUS | 100 | b_covered | short |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["D | 1 sh. X | 2024-01-02 | 2025-06-02 | 150.00 | 100.00 | T 0.00 | 50.00"]
    assert differences(matched) == ["X 2025-06-02: term"]


def test_codes_stand_in_the_order_of_the_alphabet_and_amounts_add_up(tmp_path: Path) -> None:
    text = f"""{HEAD} | collectible
        2024-01-02 | buy           | GOLDX | etf | 1 | 100 |   | | | | |
        2025-06-02 | sell          | GOLDX |     | 1 | 150 | 5 | | | | |
        2025-06-02 | reported_sale | GOLDX |     | 1 | 150 |   | | 130 | b_covered | short | | yes
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["D | 1 sh. GOLDX | 2024-01-02 | 2025-06-02 | 150.00 | 130.00 | BCET 25.00 | 45.00"]


BESIDE = "market_discount_usd | loss_not_allowed | qof | subkind | tax_form"


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    ("proceeds", "said", "row", "told"),
    [
        (1000, "60 | | | | 1099-B", "D -60.00 | 40.00", "60.00 dollars of accrued market discount lower"),
        (930, "60 | | | | 1099-B", "D -30.00 | 0.00", "30.00 dollars of accrued market discount lower"),
        (800, "60 | | | | 1099-B", "-100.00", None),
        (800, "   | yes | | | 1099-B", "L 100.00 | 0.00", "100.00 dollars of loss do not count (code L), since the"),
        (930, "   | yes | | | 1099-B", "30.00", None),
        (930, "   | | yes | | 1099-B", "30.00", "the statement tells of a qualified opportunity fund, and"),
    ],
)  # fmt: skip
def test_what_a_statement_says_besides(
    tmp_path: Path, own: bool, proceeds: int, said: str, row: str, told: str | None
) -> None:
    """2025 Instructions for Form 8949, codes D (the worksheet for accrued market discount) and L."""
    text = f"""{HEAD} | {BESIDE}
        2024-01-02 | buy           | X | bond | 1 | 900        | | | | | | | | | | |
        2025-06-02 | sell          | X |      | 1 | {proceeds} | | | | | | | | | | |
        2025-06-02 | reported_sale | X | bond | 1 | {proceeds} | | 2024-01-02 | 900 | b_covered | long | | {said}
    """
    lines_ = text.splitlines()
    matched = filed(tmp_path, text if own else "\n".join((lines_[0], *lines_[3:])))
    assert lines(matched) == [f"D | 1 X | 2024-01-02 | 2025-06-02 | {proceeds}.00 | 900.00 | {row}"]
    spoken = [warning for warning in warned(tmp_path, matched) if "nowhere else" not in warning]
    assert len(spoken) == (told is not None)
    assert all(str(told) in warning for warning in spoken)


def test_an_adjustment_of_ones_own_is_left_as_it_is(tmp_path: Path) -> None:
    text = """time | kind          | tax_form | asset | asset_class | quantity | amount | basis | term | market_discount_usd | codes | adjustment
        2025-06-02 | reported_sale | 1099-B   | X     | bond        | 1        | 1000   | 900   | long | 60                  | D     | -45
    """  # noqa: E501
    assert lines(filed(tmp_path, text)) == ["E | 1 X | None | 2025-06-02 | 1000.00 | 900.00 | D -45.00 | 55.00"]


AGGREGATE = f"""{HEAD} | {BESIDE}
    2025-01-02 | buy           | USDC | stablecoin | 100 | 100 | | | | | | | | | | |
    2025-06-02 | sell          | USDC |            | 50  | 50  | | | | | | | | | | |
    2025-12-31 | reported_sale | {{}}  | stablecoin | 60  | {{}}  | | | | da_noncovered | | | | | | aggregate | {{}}
"""


@pytest.mark.parametrize(
    ("asset", "amount", "form", "told"),
    [
        ("USDC", 50, "1099-DA", None),
        ("USDC", 60, "1099-DA", "the aggregate of 60 dollars is 50.00 by the ledger's own sales of USDC, which count"),
        ("ES", 60, "1099-B", "an aggregate is no sale; what comes of it goes to Form 6781 first"),
    ],
)
def test_an_aggregate_is_no_sale(tmp_path: Path, asset: str, amount: int, form: str, told: str | None) -> None:
    matched = filed(tmp_path, AGGREGATE.format(asset, amount, form), **SELF)
    assert lines(matched) == ["I | 50 USDC | 2025-01-02 | 2025-06-02 | 50.00 | 50.00 | 0.00"]
    assert warned(tmp_path, matched) == ([f"ledger.csv:4: {told}"] if told else [])


def test_an_aggregate_of_sales_that_are_nowhere_is_refused(tmp_path: Path) -> None:
    what = "an aggregate of 60 dollars of DAI, and no sale of it at main that year; give the sales that it sums up"
    assert refused(tmp_path, AGGREGATE.format("DAI", 60, "1099-DA")) == [f"ledger.csv:4: {what}"]


def test_the_box_that_the_statement_names_counts(tmp_path: Path) -> None:
    """X and Y are boxes of statements alone: the broker does not know the term. The ledger does."""
    text = f"""{HEAD} | tax_form | form8949_box
        2024-01-02 | buy           | X   | stock | 2 | 200 | | | | | | | |
        2024-01-02 | buy           | BTC |       | 1 | 100 | | | | | | | |
        2025-06-02 | sell          | X   |       | 1 | 150 | | | | | | | |
        2025-06-03 | sell          | X   |       | 1 | 150 | | | | | | | |
        2025-06-02 | sell          | BTC |       | 1 | 150 | | | | | | | |
        2025-06-02 | reported_sale | X   |       | 1 | 150 | | | 100 | | | | 1099-B  | D
        2025-06-03 | reported_sale | X   |       | 1 | 150 | | |     | | | | 1099-B  | X
        2025-06-02 | reported_sale | BTC |       | 1 | 150 | | |     | | | | 1099-DA | Y
    """
    matched = filed(tmp_path, text)
    assert [row[:5] for row in lines(matched)] == ["D | 1", "E | 1", "K | 1"]
    assert differences(matched) == []


def test_which_box_does_what_stands_in_the_rules(tmp_path: Path, rules_copy: Path) -> None:
    path = rules_copy / "2018" / "dispositions.yaml"
    said = path.read_text(encoding="utf-8")
    said = said.replace("as_reported: [b_covered, da_covered]", "as_reported: []").replace(
        "wrong_basis: B", "wrong_basis: O"
    )
    path.write_text(said, encoding="utf-8")
    text = f"""{HEAD}
        2025-01-02 | buy           | X | stock | 1 | 100 | | | | | |
        2025-06-02 | sell          | X |       | 1 | 150 | | | | | |
        2025-06-02 | reported_sale | X |       | 1 | 150 | | | 90 | b_covered | short |
    """
    matched = match(ledger_of(tmp_path, text), load(2025, rules_copy), PERSON)
    assert lines(matched) == ["A | 1 sh. X | 2025-01-02 | 2025-06-02 | 150.00 | 100.00 | O 0.00 | 50.00"]


@pytest.fixture
def rules_copy(tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    return tmp_path / "rules"


# Wash sales

LISTED = "; differences lists each"
ATTACH = "attach a statement that explains the difference"


def test_a_wash_sale_on_the_statement_alone_asks_for_an_explanation(tmp_path: Path) -> None:
    text = f"""{HEAD} | wash_disallowed_usd
        2025-01-02 | buy           | X | stock | 1 | 150 | | | | | | |
        2025-06-02 | sell          | X |       | 1 | 100 | | | | | | |
        2025-06-02 | reported_sale | X |       | 1 | 100 | | 2025-01-02 | 150 | b_covered | short | | 50
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["A | 1 sh. X | 2025-01-02 | 2025-06-02 | 100.00 | 150.00 | W 0.00 | -50.00"]
    assert warned(tmp_path, matched) == [
        f"ledger.csv:4: 1 sale listed from here on differs from the ledger's (the loss of a wash sale 1){LISTED}",
        f"ledger.csv:4: the statement disallows 50.00 of a loss as a wash sale, and 0.00 was worked out; {ATTACH}",
    ]


def test_a_wash_sale_is_the_one_worked_out_and_never_doubled(tmp_path: Path) -> None:
    """A broker sees one account: 4 of 10 shares bought again there, 3 elsewhere, whose basis it does not raise.

    The loss is 1,000 - 695 = 305, 30.50 a share: 122 is disallowed on the statement, 213.50 by law; the 3 shares cost
    210 + 91.50, of which the other statement knows 210.
    """
    text = f"""{HEAD} | wash_disallowed_usd
        2025-01-02 | buy           | X | stock | 10 | 1000 |   | | | | | schwab |
        2025-02-01 | sell          | X |       | 10 | 700  | 5 | | | | | schwab |
        2025-02-10 | buy           | X |       | 4  | 280  |   | | | | | schwab |
        2025-02-11 | buy           | X |       | 3  | 210  |   | | | | | other  |
        2025-06-11 | sell          | X |       | 3  | 210  |   | | | | | other  |
        2025-06-11 | sell          | X |       | 4  | 500  |   | | | | | schwab |
        2025-02-01 | reported_sale | X |       | 10 | 695  |   | 2025-01-02 | 1000 | b_covered | short | schwab | 122
        2025-06-11 | reported_sale | X |       | 4  | 500  |   | 2025-02-10 | 402  | b_covered | short | schwab |
        2025-06-11 | reported_sale | X |       | 3  | 210  |   | 2025-02-11 | 210  | b_covered | short | other  |
    """
    matched = filed(tmp_path, text)
    assert [row.partition(" sh. X | ")[2][13:] for row in lines(matched)] == [
        "2025-02-01 | 695.00 | 1000.00 | W 213.50 | -91.50",
        "2025-06-11 | 210.00 | 210.00 | B -91.50 | -91.50",
        "2025-06-11 | 500.00 | 402.00 | 98.00",
    ]
    assert differences(matched) == ["X 2025-02-01: wash_sale", "X 2025-06-11: basis"]
    assert len(matched.warnings) == 1  # no statement to attach: more is disallowed than is reported, not less


def test_a_statements_own_wash_sale_counts_once(tmp_path: Path) -> None:
    """Of a sale that the ledger lacks, whether the statement gives box 1g, or the form's columns, or both."""
    text = f"""{HEAD} | wash_disallowed_usd | codes | adjustment
        2025-06-02 | reported_sale | A | stock | 1 | 100 | | 2025-01-02 | 150 | b_covered | short | | 50 | |
        2025-06-02 | reported_sale | B | stock | 1 | 100 | | 2025-01-02 | 150 | b_covered | short | |    | W | 50
        2025-06-02 | reported_sale | C | stock | 1 | 100 | | 2025-01-02 | 150 | b_covered | short | | 50 | W | 50
        2025-06-02 | reported_sale | D | stock | 1 | 100 | | 2025-01-02 | 150 | b_covered | short | | 50 | D | -5
    """
    rows = filed(tmp_path, text).dispositions
    assert list(zip(rows["codes"], map(dollars, rows["adjustment"]), strict=True)) == [
        ("W", "50.00"), ("W", "50.00"), ("W", "50.00"), ("DW", "45.00"),
    ]  # fmt: skip


# Which rows are which sales

LOTS = f"""{HEAD}
    2023-01-02 | buy  | X | stock | 4 | 400  | | | | | |
    2023-05-02 | buy  | X |       | 6 | 1200 | | | | | |
    2025-01-02 | buy  | X |       | 5 | 1500 | | | | | |
    2025-06-02 | sell | X |       | 8 | 2400 | | | | | |
    2025-06-02 | sell | X |       | 4 | 1200 | | | | | |
"""


def test_a_row_a_lot_whatever_their_order(tmp_path: Path) -> None:
    text = f"""{LOTS}
        2025-06-02 | reported_sale | X | | 2 | 600  | | 2025-01-02 | 600 | b_covered | short |
        2025-06-02 | reported_sale | X | | 2 | 600  | | 2023-05-02 | 400 | b_covered | long |
        2025-06-02 | reported_sale | X | | 4 | 1200 | | 2023-01-02 | 400 | b_covered | long |
        2025-06-02 | reported_sale | X | | 4 | 1200 | | 2023-05-02 | 800 | b_covered | long |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "A | 2 sh. X | 2025-01-02 | 2025-06-02 | 600.00 | 600.00 | 0.00",
        "D | 4 sh. X | 2023-01-02 | 2025-06-02 | 1200.00 | 400.00 | 800.00",
        "D | 4 sh. X | 2023-05-02 | 2025-06-02 | 1200.00 | 800.00 | 400.00",
        "D | 2 sh. X | 2023-05-02 | 2025-06-02 | 600.00 | 400.00 | 200.00",
    ]
    assert (differences(matched), matched.warnings) == ([], [])


def test_one_row_of_several_lots_stays_in_their_parts(tmp_path: Path) -> None:
    """Long and short lots on one row: what is reported is shared out in proportion to the ledger's own amounts."""
    text = f"{LOTS}\n 2025-06-02 | reported_sale | X | | 12 | 3600 | | VARIOUS | 1980 | b_covered | long |"
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "A | 2 sh. X | 2025-01-02 | 2025-06-02 | 600.00 | 540.00 | BT -60.00 | 0.00",
        "D | 4 sh. X | 2023-01-02 | 2025-06-02 | 1200.00 | 360.00 | B -40.00 | 800.00",
        "D | 4 sh. X | 2023-05-02 | 2025-06-02 | 1200.00 | 720.00 | B -80.00 | 400.00",
        "D | 2 sh. X | 2023-05-02 | 2025-06-02 | 600.00 | 360.00 | B -40.00 | 200.00",
    ]
    assert differences(matched) == ["X 2025-06-02: basis, term"]


def test_one_lot_on_several_rows_is_cut_where_they_are(tmp_path: Path) -> None:
    text = f"""{HEAD}
        2025-01-02 | buy           | X | stock | 3 | 100 | | | | | |
        2025-06-02 | sell          | X |       | 3 | 100 | 1 | | | | |
        2025-06-02 | reported_sale | X |       | 1 | 33.33 | | 2025-01-02 | 33.33 | b_covered | short |
        2025-06-02 | reported_sale | X |       | 2 | 66.67 | | 2025-01-02 | 50    | b_noncovered | short |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "A | 1 sh. X | 2025-01-02 | 2025-06-02 | 33.33 | 33.33 | E -0.33 | -0.33",
        "B | 2 sh. X | 2025-01-02 | 2025-06-02 | 66.67 | 66.67 | BE -0.67 | -0.67",
    ]
    assert sum(matched.dispositions["gain"]) == -100


def test_statements_name_assets_in_their_own_way(tmp_path: Path) -> None:
    """By quantity and proceeds of the day; and by what a name has meant, on a day when the proceeds differ."""
    text = f"""{HEAD}
        2024-01-02 | buy           | ACME | stock | 9 | 900    | | | | | |
        2024-01-02 | buy           | BOLT | stock | 9 | 900    | | | | | |
        2025-02-01 | sell          | ACME |       | 3 | 480    | | | | | |
        2025-02-01 | sell          | BOLT |       | 3 | 481    | | | | | |
        2025-03-01 | sell          | ACME |       | 2 | 300    | | | | | |
        2025-02-01 | reported_sale | BOLT INC  | stock | 3 | 480.60 | | 2024-01-02 | 300 | b_covered | long |
        2025-02-01 | reported_sale | ACME CORP | stock | 3 | 480.40 | | 2024-01-02 | 300 | b_covered | long |
        2025-03-01 | reported_sale | ACME CORP | stock | 2 | 250    | | 2024-01-02 | 200 | b_covered | long |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "D | 3 sh. ACME | 2024-01-02 | 2025-02-01 | 480.40 | 300.00 | 180.40",
        "D | 3 sh. BOLT | 2024-01-02 | 2025-02-01 | 481.00 | 300.00 | 181.00",
        "D | 2 sh. ACME | 2024-01-02 | 2025-03-01 | 300.00 | 200.00 | 100.00",
    ]
    assert differences(matched) == ["ACME 2025-03-01: proceeds"]


def test_what_only_one_side_has_is_listed(tmp_path: Path) -> None:
    text = f"""{HEAD}
        2024-01-02 | buy           | ACME  | stock | 9 | 900 | | | | | |
        2025-02-01 | sell          | ACME  |       | 1 | 150 | | | | | |
        2025-02-02 | sell          | ACME  |       | 1 | 160 | | | | | |
        2025-02-03 | sell          | ACME  |       | 2 | 300 | | | | | |
        2025-02-01 | reported_sale | ACME  |       | 1 | 150 | | 2024-01-02 | 100 | b_covered | long |
        2025-02-02 | reported_sale | OTHER | stock | 5 | 999 | | VARIOUS    | 100 | b_noncovered | short |
        2025-02-03 | reported_sale | ACME  |       | 3 | 450 | | 2024-01-02 | 300 | b_noncovered | long |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == [
        "B | 5 sh. OTHER | VARIOUS | 2025-02-02 | 999.00 | 100.00 | 899.00",
        "D | 1 sh. ACME | 2024-01-02 | 2025-02-01 | 150.00 | 100.00 | 50.00",
        "E | 2 sh. ACME | 2024-01-02 | 2025-02-03 | 300.00 | 200.00 | 100.00",
        "F | 1 sh. ACME | 2024-01-02 | 2025-02-02 | 160.00 | 100.00 | 60.00",
    ]
    assert differences(matched) == [
        "ACME 2025-02-02: not_on_statement", "OTHER 2025-02-02: not_in_ledger", "ACME 2025-02-03: quantity",
    ]  # fmt: skip
    twice = "if ledger.csv:7 is ledger.csv:4 under another name, it counts twice: name both alike"
    assert warned(tmp_path, matched) == [
        f"ledger.csv:8: 1 sale listed from here on differs from the ledger's (the quantity 1){LISTED}",
        f"ledger.csv:7: 1 sale listed from here on is nowhere else in these files, and taken as stated; {twice}",
        "ledger.csv:4: 1 sale listed from here on is on no statement of the account, which has one for the year",
    ]


def test_units_that_pay_a_fee_need_not_be_on_a_statement(tmp_path: Path) -> None:
    text = f"""{HEAD} | fee_asset | fee_qty | fee_usd
        2024-01-02 | buy           | BTC |        | 1 | 100 | | | | | | | | |
        2024-01-02 | buy           | BNB |        | 1 | 100 | | | | | | | | |
        2025-02-01 | sell          | BTC |        | 1 | 150 | | | | | | | BNB | 0.1 | 20
        2025-02-01 | reported_sale | BTC |        | 1 | 150 | | | | da_noncovered | | | | |
    """
    matched = filed(tmp_path, text)
    assert lines(matched)[0] == "K | 1 BTC | 2024-01-02 | 2025-02-01 | 150.00 | 100.00 | E -20.00 | 30.00"
    assert differences(matched) == ["BTC 2025-02-01: costs"]


cuts = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@settings(max_examples=20)
@given(lots=cuts, stated=cuts, bases=st.lists(st.integers(0, 10**6), min_size=5, max_size=5), covered=st.booleans())
def test_the_gain_is_the_ledgers_however_a_statement_cuts_it(
    tmp_path_factory: pytest.TempPathFactory, lots: list[int], stated: list[int], bases: list[int], covered: bool
) -> None:
    """No cent is lost or made: (d) adds up to what is reported, (e) too where the basis is, and (h) is right."""
    size, total = sum(stated), 77777
    rows = ""
    for account in ("alone", "both"):
        rows += "".join(f"2024-01-02 | buy | X | stock | {q} | {q}.37 | | | | | | {account}\n" for q in lots)
        rows += f"2025-01-31 | buy | X | stock | 99 | 5000 | | | | | | {account}\n"
        rows += f"2025-06-02 | sell | X | | {size} | {dollars(total)} | | | | | | {account}\n"
    word, so_far = "b_covered" if covered else "b_noncovered", 0
    for quantity, basis in zip(stated, bases, strict=False):
        brought = total * (so_far + quantity) // size - total * so_far // size
        so_far += quantity
        amounts = f"{dollars(brought)} | | VARIOUS | {dollars(basis)}"
        rows += f"2025-06-02 | reported_sale | X | | {quantity} | {amounts} | {word} | long | both\n"
    found = match(ledger_of(tmp_path_factory.mktemp("gain"), f"{HEAD}\n{rows}"), load(2025), PERSON).dispositions
    sums = found.group_by("account").agg(pl.col("quantity", "proceeds", "basis", "gain").sum())
    alone, both = sums.sort("account").drop("account").iter_rows(named=True)
    assert both == {**alone, "basis": sum(bases[: len(stated)]) if covered else alone["basis"]}


# What nobody knows


@pytest.mark.parametrize("arrived", ["transfer_in", "opening_lot"])
def test_a_lot_of_unknown_basis_takes_that_of_the_statement(tmp_path: Path, arrived: str) -> None:
    text = f"""{HEAD}
        2025-01-02 | {arrived}     | X | stock | 2 |     | | UNKNOWN | | | |
        2025-06-02 | sell          | X |       | 2 | 300 | | | | | |
        2025-06-02 | reported_sale | X |       | 2 | 300 | | 2021-03-04 | 120 | b_covered | long |
    """
    matched = filed(tmp_path, text)
    assert lines(matched) == ["D | 2 sh. X | 2021-03-04 | 2025-06-02 | 300.00 | 120.00 | 180.00"]
    assert differences(matched) == ["X 2025-06-02: basis"]


ARRIVED = f"""{HEAD} | fair_value
    2025-01-02 | transfer_in   | X   | stock | 2 |     | |            |    | |       | |
    2025-01-02 | opening_lot   | Z   | stock | 2 |     | | UNKNOWN    | 80 | |       | |
    2025-06-02 | sell          | X   |       | 1 | 300 | |            |    | |       | |
    2025-06-02 | sell          | Z   |       | 1 | 300 | |            |    | |       | |
    2025-06-03 | reported_sale | OLD | stock | 1 | 300 | | 2020-05-06 |    | b_noncovered | long | |
"""
GIVEN = """
    2025-01-02 | opening_lot   | Y   | stock | 2 |     | | 2020-05-06 |    | |       | |
    2025-01-02 | gift_in       | G   | stock | 2 |     | | 2020-05-06 |    | |       | | 100
    2025-06-02 | sell          | Y   |       | 1 | 300 | |            |    | |       | |
    2025-06-02 | sell          | G   |       | 1 | 300 | |            |    | |       | |
"""


def test_what_is_unknown_is_refused_with_its_row(tmp_path: Path) -> None:
    option = "count it as zero with --allow-unknown-basis"
    how = f"give acquired and basis there, or the file of the account they came from, or {option}"
    assert refused(tmp_path, ARRIVED) == [
        f"ledger.csv:4: 1 X of this sale came with ledger.csv:2, and their basis and date acquired are unknown; {how}",
        f"ledger.csv:5: 1 Z of this sale came with ledger.csv:3, and their date acquired is unknown; {how}",
        f"ledger.csv:6: this sale of OLD has no basis; unknown is not zero, so give it, or {option}",
    ]
    assert refused(tmp_path, ARRIVED + GIVEN) == [
        f"ledger.csv:7: opening_lot of Y has no basis; unknown is not zero, so give it, or {option}",
        f"ledger.csv:8: gift_in of G has no basis; unknown is not zero, so give it, or {option}",
    ]


def test_unknown_basis_counts_as_zero_if_that_is_asked_for(tmp_path: Path) -> None:
    """The law says nothing of a date that nobody knows: it is taken to be the one on which the lot arrived."""
    matched = match(ledger_of(tmp_path, ARRIVED + GIVEN), load(2025), PERSON, allow_unknown=True)
    assert sorted(lines(matched)) == [
        "C | 1 sh. X | 2025-01-02 | 2025-06-02 | 300.00 | 0.00 | 300.00",
        "C | 1 sh. Z | 2025-01-02 | 2025-06-02 | 300.00 | 40.00 | 260.00",
        "E | 1 sh. OLD | 2020-05-06 | 2025-06-03 | 300.00 | 0.00 | 300.00",
        "F | 1 sh. G | 2020-05-06 | 2025-06-02 | 300.00 | 0.00 | 300.00",
        "F | 1 sh. Y | 2020-05-06 | 2025-06-02 | 300.00 | 0.00 | 300.00",
    ]
    arrived = "they count as acquired when they arrived, on 2025-01-02"
    came, zero = "of this sale came with ledger.csv", "the basis counts as zero"
    assert warned(tmp_path, matched)[-5:] == [
        f"ledger.csv:4: 1 X {came}:2, and their basis and date acquired are unknown: {zero}, and {arrived}",
        f"ledger.csv:5: 1 Z {came}:3, and their date acquired is unknown: {arrived}",
        f"ledger.csv:9: 1 Y {came}:7, and their basis is unknown: {zero}",
        f"ledger.csv:10: 1 G {came}:8, and their basis is unknown: {zero}",
        "ledger.csv:6: this sale of OLD has no basis, which counts as zero",
    ]


# What an account's broker reports


@pytest.mark.parametrize(
    ("account", "warns"),
    [
        ({}, True), ({"custody": "broker"}, True), ({"custody": "broker", "form_1099": "none"}, True),
        ({"custody": "self"}, False), ({"form_1099": "none"}, False), ({"form_1099": "da_noncovered"}, False),
    ],
)  # fmt: skip
def test_a_broker_has_to_report_digital_assets(tmp_path: Path, account: dict[str, str], warns: bool) -> None:
    text = f"""{HEAD}
        2024-01-02 | buy  | BTC  |       | 2 | 100 | | | | | | kraken
        2024-01-02 | buy  | ACME | stock | 2 | 100 | | | | | | kraken
        2024-06-02 | sell | BTC  |       | 1 | 150 | | | | | | kraken
        2025-06-02 | sell | BTC  |       | 1 | 150 | | | | | | kraken
        2025-06-02 | sell | ACME |       | 1 | 150 | | | | | | kraken
    """
    said = "kraken has 1 sale without a Form 1099-DA, which brokers send for such sales from 2025-01-01 on"
    how = "give the account's form_1099, or custody: self, in the taxpayer file"
    assert filed(tmp_path, text, 2025, accounts={"kraken": account}).warnings == [f"{said}: {how}"] * warns
    assert filed(tmp_path, text, 2024, accounts={"kraken": account}).warnings == []


def test_a_covered_sale_without_its_statement_is_taken_as_computed(tmp_path: Path) -> None:
    text = f"""{HEAD}
        2025-01-02 | buy        | X | stock | 2 | 100 | | | | | | schwab
        2025-06-02 | sell       | X |       | 1 | 150 | | | | | | schwab
        2025-06-02 | sell       | X |       | 1 | 150 | | | | none | | schwab
        2025-06-02 | closed_lot | Y | stock | 1 | 150 | | 2025-01-02 | 100 | b_covered | | schwab
    """
    matched = filed(tmp_path, text, accounts={"schwab": {"form_1099": "b_covered"}})
    assert [row[0] for row in lines(matched)] == ["A", "A", "C"]
    said = "schwab has 1 covered sale that no statement among these files lists"
    assert matched.warnings == [f"{said}: the amounts reported are taken to be the computed ones"]


# As a user sees it

FILES = {
    "ledger.csv": f"""{HEAD}
        2023-01-02 | buy         | ACME | stock | 10 | 1000  |      | | | | | schwab
        2025-02-01 | sell        | ACME |       | 4  | 600   | 9.99 | | | | | schwab
        2025-03-01 | sell        | ACME |       | 2  | 300   |      | | | | | schwab
        2025-01-02 | transfer_in | ETH  |       | 1  |       |      | | | | | kraken
        2025-04-01 | sell        | ETH  |       | 1  | 2000  |      | | | | | kraken
    """,
    "1099.csv": f"""{HEAD}
        2025-02-01 | reported_sale | ACME CORP | stock | 4 | 600 | | 2023-01-02 | 380 | b_covered | short | schwab
        2025-02-09 | reported_sale | <b>OTHER</b> | stock | 1 | 50 | | VARIOUS | 60 | b_noncovered | short | schwab
    """,
    "taxpayer.yaml": "filing_status: single\n",
}
FILE = ("file", 2025, "ledger.csv", "1099.csv", "--taxpayer", "taxpayer.yaml")


def lay(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).write_text(table(text) if name.endswith(".csv") else text, encoding="utf-8")


def test_differences_stand_in_the_return_and_on_its_pages(tmp_path: Path, ask: Asked) -> None:
    lay(tmp_path)
    option = "--allow-unknown-basis"
    assert ask(*FILE, "--out", "return").code == 2
    answer = ask(*FILE, "--out", "return", "--format", "all", option)
    assert answer.code == 0
    assert "Statements   differ 1, not in the ledger 1, in the ledger alone 1\n" in answer.text
    said = json.loads((tmp_path / "return" / "return.json").read_text(encoding="utf-8"))
    validate(said, json.loads((ROOT / "schemas" / "return.schema.json").read_text(encoding="utf-8")))
    assert said["inputs"]["allow_unknown_basis"] is True
    assert said["differences"][0] == {
        "account": "schwab", "asset": "ACME", "sold": "2025-02-01", "differs": ["costs", "basis", "term"],
        "stated": {"quantity": "4", "proceeds": "600.00", "basis": "380.00", "wash": "0.00", "term": "short"},
        "computed": {"quantity": "4", "proceeds": "590.01", "basis": "400.00", "wash": "0.00", "term": "long"},
        "source": {"stated": ["1099.csv:2"], "computed": ["ledger.csv:3"]},
    }  # fmt: skip
    assert [(d["differs"], d["stated"] is None, d["computed"] is None) for d in said["differences"][1:]] == [
        (["not_in_ledger"], False, True), (["not_on_statement"], True, False),
    ]  # fmt: skip
    text = (tmp_path / "return" / "forms.txt").read_text(encoding="utf-8")
    assert text[text.index("What brokers'") : text.index("\nlotlaw", text.index("What brokers'"))] == PAGE
    page = (tmp_path / "return" / "forms.html").read_text(encoding="utf-8")
    assert '<a href="#differences">Differences between statements and the ledger</a>' in page
    assert "<b>&lt;b&gt;OTHER&lt;/b&gt;</b>: not in the ledger" in page
    assert ask("explain", "return/return.json", "schedule_d.16").code == 0


PAGE = """\
What brokers' statements say of sales, and what was computed from the ledger.

                        Quantity        Proceeds           Basis     Wash sale           Term  Where

2025-02-01  schwab  ACME: costs that the statement leaves out, the basis, the term
  stated                       4          600.00          380.00          0.00          short  1099.csv:2
  computed                     4          590.01          400.00          0.00           long  ledger.csv:3

2025-02-09  schwab  <b>OTHER</b>: not in the ledger
  stated                       1           50.00           60.00          0.00          short  1099.csv:3
  computed                  none

2025-03-01  schwab  ACME: not on the statement
  stated                    none
  computed                     2          300.00          200.00          0.00           long  ledger.csv:4

"""


def test_a_return_without_statements_says_nothing_of_them(tmp_path: Path, ask: Asked) -> None:
    lay(tmp_path)
    answer = ask("file", 2025, "ledger.csv", *FILE[-2:], "--out", "return", "--allow-unknown-basis")
    assert "Statements" not in answer.text
    assert "differences" not in json.loads((tmp_path / "return" / "return.json").read_text(encoding="utf-8"))
