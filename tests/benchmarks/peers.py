"""Other programs that book lots, at the same ledgers: `python peers.py NAME LEDGER` prints what their sales come to.

Runs in an environment of its own, which has none of lotlaw: coinbasis, beancount and rp2 from PyPI. Each is given the
CSV that lotlaw reads, reads it with Python's csv module, and books first in, first out; none fills in a form.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

Sums = tuple[Decimal, Decimal]
"""Proceeds and basis."""
CONFIG = """\
[general]
assets = {assets}
exchanges = main
holders = me
[in_header]
timestamp = 0
[out_header]
timestamp = 0
[intra_header]
timestamp = 0
"""


def rows(ledger: Path) -> Iterator[dict[str, str]]:
    with ledger.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def coinbasis(ledger: Path) -> Sums:
    from coinbasis import Buy, CostBasisMethod, Portfolio, Sell

    made: list[Any] = []
    for row in rows(ledger):
        units, amount, at = Decimal(row["quantity"]), Decimal(row["amount"]), datetime.fromisoformat(row["time"])
        kind = Buy if row["kind"] == "buy" else Sell
        made.append(kind(at, "main", row["asset"], units, amount / units, Decimal(0)))
    gains = Portfolio.from_transactions(made).realized_gains(CostBasisMethod.FIFO)
    return sum((g.proceeds for g in gains), Decimal(0)), sum((g.cost_basis for g in gains), Decimal(0))


def beancount(ledger: Path) -> Sums:
    """As beancount books it: each sale an inventory reduction without a lot named, in an account that books FIFO.

    It knows days and no times, so a purchase and its sale get a day of their own.
    """
    from beancount import loader
    from beancount.core.data import Transaction

    text = ['option "booking_method" "FIFO"', "1000-01-01 open Assets:Lots", "1000-01-01 open Assets:Cash",
            "1000-01-01 open Income:Gains"]  # fmt: skip
    for n, row in enumerate(rows(ledger)):
        units, amount, asset = row["quantity"], Decimal(row["amount"]), row["asset"]
        price = amount / Decimal(units)
        text.append(f'{date(1000, 1, 2) + timedelta(days=n // 2)} * ""')
        if row["kind"] == "buy":
            text += [f"  Assets:Lots  {units} {asset} {{{price} USD}}", f"  Assets:Cash  -{amount} USD"]
        else:
            text += [
                f"  Assets:Lots  -{units} {asset} {{}} @ {price} USD",
                f"  Assets:Cash  {amount} USD",
                "  Income:Gains",
            ]
    entries, errors, _ = loader.load_string("\n".join(text))
    if errors:
        sys.exit(str(errors[0]))
    sold = [p for e in entries if isinstance(e, Transaction) for p in e.postings if p.cost and p.units.number < 0]
    proceeds = sum((-p.units.number * p.price.number for p in sold), Decimal(0))
    return proceeds, sum((-p.units.number * p.cost.number for p in sold), Decimal(0))


def rp2(ledger: Path) -> Sums:
    """Its engine alone: no spreadsheets read, no reports written."""
    from prezzemolo.avl_tree import AVLTree
    from rp2.accounting_engine import AccountingEngine
    from rp2.configuration import MAX_DATE, MIN_DATE, Configuration
    from rp2.input_data import InputData
    from rp2.plugin.accounting_method.fifo import AccountingMethod
    from rp2.plugin.country.us import US
    from rp2.rp2_decimal import RP2Decimal
    from rp2.tax_engine import compute_tax
    from rp2.transaction_set import TransactionSet

    logging.disable(logging.CRITICAL)
    found, assets = list(rows(ledger)), sorted({row["asset"] for row in rows(ledger)})
    path = ledger.with_suffix(".ini")
    path.write_text(CONFIG.format(assets=", ".join(assets)), encoding="utf-8")
    config = Configuration(str(path), US())
    methods: Any = AVLTree()
    methods.insert_node(MIN_DATE.year, AccountingMethod())
    proceeds = basis = Decimal(0)
    number = count(1)
    for asset in assets:
        sets = {side: TransactionSet(config, side, asset, MIN_DATE, MAX_DATE) for side in ("IN", "OUT", "INTRA")}
        for row in (row for row in found if row["asset"] == asset):
            side = "IN" if row["kind"] == "buy" else "OUT"
            sets[side].add_entry(_rp2_entry(config, row, side, next(number), RP2Decimal))
        data = InputData(asset, sets["IN"], sets["OUT"], sets["INTRA"])
        for gain in compute_tax(config, AccountingEngine(methods), data).gain_loss_set:
            proceeds += gain.taxable_event_fiat_amount_with_fee_fraction
            basis += gain.fiat_cost_basis
    return proceeds, basis


def _rp2_entry(config: Any, row: dict[str, str], side: str, number: int, decimal: Any) -> Any:
    from rp2.in_transaction import InTransaction
    from rp2.out_transaction import OutTransaction

    units, amount = decimal(row["quantity"]), decimal(row["amount"])
    about = (config, row["time"], row["asset"], "main", "me", "BUY" if side == "IN" else "SELL", amount / units, units)
    if side == "IN":
        return InTransaction(*about, row=number, fiat_in_no_fee=amount, fiat_in_with_fee=amount)
    return OutTransaction(*about, decimal("0"), row=number)


def main() -> None:
    book = {"coinbasis": coinbasis, "beancount": beancount, "rp2": rp2}[sys.argv[1]]
    proceeds, basis = (Decimal(amount).quantize(Decimal("0.01")) for amount in book(Path(sys.argv[2])))
    print(json.dumps({"proceeds": str(proceeds), "basis": str(basis), "gain": str(proceeds - basis)}))


if __name__ == "__main__":
    main()
