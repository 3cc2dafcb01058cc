"""Columns sell what the lot kernel sells, slice by slice, wherever they are used instead of it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_ledger import BY_ACCOUNT, Row, ledger_of

from lotlaw.dispositions import match, match_years, matching
from lotlaw.lots import running
from lotlaw.rules import load

START = date(2023, 1, 1)
DEAL = st.tuples(
    st.integers(0, 2),
    st.integers(0, 1),
    st.booleans(),
    st.integers(1, 400),
    st.integers(1, 10**6) | st.sampled_from([100, 200, 400]),
    st.integers(0, 40),
)


def bought_first(deals: list[Any]) -> list[Any]:
    return [(*deals[0][:2], True, *deals[0][3:]), *deals[1:]]


def dealt(deals: list[Any]) -> list[Row]:
    """Buys, and sales of no more than is held, of three assets at two accounts."""
    held: Counter[tuple[int, int]] = Counter()
    rows, day = [], START
    for asset, account, buys, units, cents, days in deals:
        here, day = (asset, account), day + timedelta(days=days)
        if not buys:
            units = min(units, held[here])  # noqa: PLW2901
        if units:
            held[here] += units if buys else -units
            rows.append({
                "time": day.isoformat(), "kind": "buy" if buys else "sell", "asset": f"A{asset}",
                "asset_class": "crypto", "account": f"acct{account}",
                "quantity": str(Decimal(units).scaleb(-2)), "amount": str(Decimal(cents).scaleb(-2)),
            })  # fmt: skip
    return rows


@settings(max_examples=40)
@given(
    deals=st.lists(DEAL, min_size=1, max_size=40).map(bought_first),
    method=st.sampled_from([None, "lifo", "hifo", "lofo"]),
)
def test_columns_and_the_kernel_sell_the_same(
    deals: list[Any], method: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ledger = ledger_of(tmp_path_factory.getbasetemp(), dealt(deals))
    years = [load(year) for year in range(2023, 2027)]
    columns, kernel = (match_years(ledger, years, BY_ACCOUNT, method, held=held) for held in (False, True))
    for year in columns:
        assert columns[year].dispositions.equals(kernel[year].dispositions), year


def used(ledger: Any, monkeypatch: pytest.MonkeyPatch, method: str | None = None) -> bool:
    """Whether columns answered for 2025."""
    answers = []

    def noted(plan: Any) -> Any:
        answers.append(running.slices(plan))
        return answers[-1]

    monkeypatch.setattr(matching, "running", type("noted", (), {"slices": staticmethod(noted)}))
    match(ledger, load(2025), BY_ACCOUNT, method)
    return answers[-1] is not None


PLAIN = """
    time | kind | asset | asset_class | quantity | amount | lot | id
    2024-01-02 | buy | ACME | crypto | 3 | 100 | | a
    2025-02-03 | sell | ACME | crypto | 2 | 90 | |
"""


@pytest.mark.parametrize("method", [None, "lifo", "hifo", "lofo"])
def test_they_are_used_where_nothing_but_buying_and_selling_happens(method, tmp_path, monkeypatch) -> None:
    assert used(ledger_of(tmp_path, PLAIN), monkeypatch, method)


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ("100 | | a", "100.001 | | a"),
        ("90 | |", "90 | a |"),
        ("2025-02-03 | sell", "2025-01-03 | transfer_out | ACME | crypto | 1 | | |\n    2025-02-03 | sell"),
    ],
    ids=["an amount finer than a cent", "a lot by name", "a transfer"],
)
@pytest.mark.parametrize("method", [None, "hifo"])
def test_the_kernel_does_the_rest(method: str | None, found: str, put: str, tmp_path, monkeypatch) -> None:
    assert not used(ledger_of(tmp_path, PLAIN.replace(found, put)), monkeypatch, method)
