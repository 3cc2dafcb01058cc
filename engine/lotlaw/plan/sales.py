"""Sales that have not been made: read from words, put into a copy of the ledger as rows of their own.

`1.5 BTC@95000 from coinbase on 2025-12-20`; price, account and day may be left out where they are plain. The rows stand
after everything else of their day. No file is made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.ledger import Ledger, SourceFile
from lotlaw.lots.events import COLUMNS, PLACES
from lotlaw.plan.given import Given
from lotlaw.source import Place, Problem, Problems, refuse

if TYPE_CHECKING:
    from lotlaw.plan.holdings import Holdings

OPTION = "--sell"
MODEL = "write it like `1.5 BTC@95000 from coinbase on DATE`"
FROM_OPTION = Place(OPTION)
ALL = "all"
LARGEST = Decimal(10) ** 12
"""More of anything than this is a slip of the keyboard."""
LONGEST = 2**20
"""Bytes of a file of sales that are read at most."""

_NUMBER = r"\d[\d,_]*(?:\.\d+)?|\.\d+"
_SALE = re.compile(
    rf"(?P<quantity>{_NUMBER}|{ALL})\s+(?P<asset>[^\s@][^@]*?)(?:\s*@\s*(?P<price>{_NUMBER}))?"
    r"(?:\s+from\s+(?P<account>\S.*?))?(?:\s+on\s+(?P<day>\S+))?(?:\s+lots?\s+(?P<lot>\S.*?))?"
    rf"(?:\s+fee\s+(?P<fee>{_NUMBER}))?"
)


@dataclass(frozen=True)
class Asked:
    """A sale as its words have it; None where they leave it open (a quantity: all there is)."""

    place: Place
    asset: str
    quantity: Decimal | None
    price: Decimal | None = None
    account: str | None = None
    day: date | None = None
    lot: str | None = None
    fee: Decimal = Decimal(0)


@dataclass(frozen=True)
class Sale:
    """A sale that could be made: `price` is of a unit, `fee` of the whole; `lot` names lots by ids of the ledger."""

    asset: str
    account: str
    quantity: Decimal
    price: Decimal
    day: date
    fee: Decimal = Decimal(0)
    lot: str | None = None
    price_from: str = ""
    place: Place = FROM_OPTION

    def __str__(self) -> str:
        fee = f" fee {self.fee.normalize():f}" if self.fee else ""
        of = f" lot {self.lot}" if self.lot else ""
        what = f"{self.quantity.normalize():f} {self.asset}@{self.price.normalize():f}"
        return f"{what} from {self.account} on {self.day}{of}{fee}"


def asked(words: Sequence[str], file: Path | None = None) -> list[Asked]:
    """The sales of the option `--sell` and of a file with one a line (# begins a note). Raises Problems."""
    said = [(Place(f"{OPTION} {n}" if len(words) > 1 else OPTION), text) for n, text in enumerate(words, 1)]
    said += _lines(file) if file else []
    found: list[Asked] = []
    problems: list[Problem] = []
    for place, text in said:
        try:
            found.append(_sale(place, text))
        except ValueError as error:
            problems.append(Problem(place, str(error)))
    if problems:
        raise Problems(problems)
    if not found:
        raise refuse(OPTION, f"nothing to sell; {MODEL}")
    return found


def _lines(file: Path) -> Iterator[tuple[Place, str]]:
    try:
        if file.stat().st_size > LONGEST:
            raise refuse(file, "too large for a file of sales")
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise refuse(file, "no such file") from None
    except (OSError, UnicodeDecodeError):
        raise refuse(file, "not a text file that can be read") from None
    for n, line in enumerate(text.splitlines(), 1):
        if line.partition("#")[0].strip():
            yield Place(str(file), n), line.partition("#")[0].strip()


def _sale(place: Place, text: str) -> Asked:
    match = _SALE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"'{text}' is no sale; {MODEL}")
    quantity = None if match["quantity"] == ALL else _number("quantity", match["quantity"])
    price = _number("price", match["price"]) if match["price"] else None
    fee = _number("fee", match["fee"]) if match["fee"] else Decimal(0)
    if quantity is not None and not quantity:
        raise ValueError("a sale of nothing")
    return Asked(place, match["asset"], quantity, price, match["account"], _day(match["day"]), match["lot"], fee)


def _number(what: str, text: str) -> Decimal:
    number = Decimal(re.sub(r"[,_]", "", text))
    if number > LARGEST or -int(number.normalize().as_tuple().exponent) > PLACES:
        raise ValueError(f"{what} {text} is too large, or has more than {PLACES} decimals")
    return number


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"'{text}' is not a date such as 2025-12-20") from None


def settled(given: Given, wanted: Sequence[Asked], usual: date, year: int) -> list[Sale]:
    """The sales with what their words leave open: the only account, the price of the day, the usual day.

    Raises Problems, also for sales in another year than the one that is filed: they would change nothing.
    """
    from lotlaw.plan.holdings import holdings_of

    days = sorted({one.day or usual for one in wanted})
    held = {day: holdings_of(given, day) for day in days}
    sales: list[Sale] = []
    problems: list[Problem] = []
    for one in wanted:
        try:
            sales.append(_settled(given, one, held[one.day or usual], year, sales))
        except ValueError as error:
            problems.append(Problem(one.place, str(error)))
    if problems:
        raise Problems(problems)
    return sales


def _settled(given: Given, one: Asked, held: Holdings, year: int, before: Sequence[Sale]) -> Sale:
    day = held.day
    if day.year != year:
        raise ValueError(f"{day} is not in {year}, the year that is filed; give a day of it")
    mine = held.lots.filter((pl.col("asset") == one.asset) & (pl.col("quantity") > 0))
    if mine.is_empty():
        known = held.lots["asset"].unique().sort().to_list()
        raise ValueError(f"no {one.asset} is held on {day}{did_you_mean(one.asset, known)}")
    accounts = mine["account"].unique().sort().to_list()
    account = one.account or (accounts[0] if len(accounts) == 1 else None)
    if account not in accounts:
        where = f"is held at {', '.join(accounts)}"
        said = f"say from which: {one.asset} {where}" if account is None else f"none at {account}; {one.asset} {where}"
        raise ValueError(said + (did_you_mean(account, accounts) if account else ""))
    account = str(account)
    price, source = (one.price, "") if one.price is not None else _price(given, one.asset, day)
    there = Decimal(mine.filter(pl.col("account") == account)["quantity"].sum())
    there -= sum((s.quantity for s in before if (s.asset, s.account) == (one.asset, account)), Decimal(0))
    quantity = there if one.quantity is None else one.quantity
    if quantity > there or not quantity:
        raise ValueError(f"{quantity.normalize():f} {one.asset} are more than the {there.normalize():f} at {account}")
    if one.fee > quantity * price:
        raise ValueError(f"the fee {one.fee} is more than the sale brings")
    return Sale(one.asset, account, quantity, price, day, one.fee, one.lot, source, one.place)


def _price(given: Given, asset: str, day: date) -> tuple[Decimal, str]:
    priced = given.priced(day).filter(pl.col("asset") == asset)
    if priced.is_empty():
        raise ValueError(f"no price of {asset} on {day}; write {asset}@123.45, or give a file with --prices")
    return priced["price"][0], str(priced["price_from"][0])


def with_sales(ledger: Ledger, sales: Sequence[Sale]) -> Ledger:
    """The ledger as it would be with the sales, each after everything else of its day."""
    if not sales:
        return ledger
    rows = ledger.rows
    names = dict.fromkeys(sale.place.file for sale in sales)
    file = {name: len(ledger.files) + n for n, name in enumerate(names)}
    told = any(sale.lot for sale in sales)
    made = pl.DataFrame({
        "date": [sale.day for sale in sales], "kind": pl.Series(["sell"] * len(sales), dtype=rows.schema["kind"]),
        "account": [sale.account for sale in sales], "out_asset": [sale.asset for sale in sales],
        "out_qty": [sale.quantity for sale in sales], "lot": [sale.lot for sale in sales],
        "usd_value": [rounded(sale.quantity * sale.price) for sale in sales], "fee_usd": [sale.fee for sale in sales],
        "file": [file[sale.place.file] for sale in sales], "line": [sale.place.line for sale in sales],
        **({"told_broker": [sale.lot is not None or None for sale in sales]} if told else {}),
    }, schema_overrides=_schema(rows))  # fmt: skip
    both = pl.concat([rows.drop("seq"), made], how="diagonal").sort("date", maintain_order=True)
    numbered = both.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("seq"))
    files = (*ledger.files, *(SourceFile(name, "") for name in names))
    return replace(ledger, rows=numbered, files=files)


def _schema(rows: pl.DataFrame) -> dict[str, pl.DataType | type[pl.DataType]]:
    """The types of the columns that sales fill: the ledger's own where it has them."""
    usual = {**COLUMNS, "file": pl.UInt16, "line": pl.Int32}
    names = ("date", "account", "out_asset", "out_qty", "lot", "usd_value", "fee_usd", "file", "line", "told_broker")
    return {name: rows.schema.get(name, usual[name]) for name in names}


def rounded(amount: Decimal) -> Decimal:
    """What a sale brings: nobody is paid fractions of a cent."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def named(ledger: Ledger, ids: Mapping[int, str]) -> Ledger:
    """The ledger with ids for some of its rows, by which sales can name the lots that they opened."""
    rows = ledger.rows
    own = pl.col("external_id") if "external_id" in rows.columns else pl.lit(None, pl.String)
    at = pl.int_range(pl.len()).replace_strict(dict(ids), default=None, return_dtype=pl.String)
    return replace(ledger, rows=rows.with_columns(pl.coalesce(at, own).alias("external_id"))) if ids else ledger


def rows_of_sales(ledger: Ledger, rows: pl.DataFrame, sales: Sequence[Sale]) -> pl.DataFrame:
    """Of rows of Form 8949, those that come from sales put into a ledger, with `n`, the sale's number from 0."""
    files = {file.name: n for n, file in enumerate(ledger.files)}
    mine = [(files[sale.place.file], sale.place.line, n) for n, sale in enumerate(sales)]
    table = pl.DataFrame(mine, schema={"file": pl.UInt16, "line": pl.Int32, "n": pl.Int64}, orient="row")
    at = ledger.rows.lazy().select("file", "line").with_row_index("sale")
    own = at.filter(pl.col("file") >= table["file"].min()).collect().join(table, on=["file", "line"])
    return rows.join(own.select("sale", "n"), on="sale", how="inner", maintain_order="left")
