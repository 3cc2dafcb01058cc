"""What a person should look at in a year's sales: where statements and the ledger differ, and where one is lacking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from lotlaw.dispositions.compare import DIFFERENCES, UNSOLD, UNSTATED
from lotlaw.dispositions.rows import NOT_REPORTED, reports
from lotlaw.lots.events import Events, column, is_kind, place, rare, treated
from lotlaw.lots.kinds import DONOR, YEAR_END

if TYPE_CHECKING:
    from lotlaw.law import Year
    from lotlaw.ledger import Ledger
    from lotlaw.lots.treatment import Treatment

Accounts = Mapping[str, Mapping[str, Any]]
BROKER, SELF = "broker", "self"
SHORT = "short"


def of_statements(ledger: Ledger, beside: pl.DataFrame) -> Iterator[str]:
    """Where statements and the ledger differ; `beside` has `lotlaw.dispositions.compare.COMPARED`."""
    both = beside.filter(pl.col("rows").is_not_null() & pl.col("sales").is_not_null())
    alone, unstated = (beside.filter(pl.col("differs").list.contains(which)) for which in (UNSOLD, UNSTATED))
    unlike = both.filter(pl.col("differs").list.len() > 0)
    if unlike.height:
        found = unlike["differs"].explode().to_list()
        what = ", ".join(f"{name} {found.count(said)}" for said, name in DIFFERENCES.items() if said in found)
        said = _sales(unlike["rows"], "differs", "differ")
        yield f"{_first(ledger, unlike['rows'])}: {said} from the ledger's ({what}); differences lists each"
    if alone.height:
        said = f"{_sales(alone['rows'], 'is', 'are')} nowhere else in these files, and taken as stated"
        yield f"{_first(ledger, alone['rows'])}: {said}{_twice(ledger, alone, unstated)}"
    if unstated.height:
        said = f"{_sales(unstated['sales'], 'is', 'are')} on no statement of the account, which has one for the year"
        yield f"{_first(ledger, unstated['sales'])}: {said}"
    yield from _less_washed(ledger, both)


def _twice(ledger: Ledger, alone: pl.DataFrame, unstated: pl.DataFrame) -> str:
    """Sales of one account and day that may be one under two names."""
    maybe = alone.join(unstated, on=["account", "sold"], maintain_order="left")
    if maybe.is_empty():
        return ""
    rows, sales = (_first(ledger, maybe[name]) for name in ("rows", "sales_right"))
    return f"; if {rows} is {sales} under another name, it counts twice: name both alike"


def _less_washed(ledger: Ledger, both: pl.DataFrame) -> Iterator[str]:
    less = both.filter(pl.col("stated_wash") > pl.col("wash")).select("rows", "stated_wash", "wash")
    for rows, stated, wash in less.iter_rows():
        said = f"disallows {_dollars(stated)} of a loss as a wash sale, and {_dollars(wash)} was worked out"
        yield f"{place(ledger, rows[0])}: the statement {said}; attach a statement that explains the difference"


def _first(ledger: Ledger, rows: pl.Series) -> object:
    return place(ledger, int(rows.explode().min()))  # type: ignore[arg-type]


def _sales(rows: pl.Series, one: str, many: str) -> str:
    n = len(rows.explode())
    return f"1 sale listed from here on {one}" if n == 1 else f"{n:,} sales listed from here on {many}"


def _dollars(cents: int) -> str:
    return f"{Decimal(cents).scaleb(-2):,}"


def of_accounts(rows: pl.DataFrame, year: Year, law: Treatment, accounts: Accounts) -> Iterator[str]:
    """Sales that a statement has to be about, and no statement is among the files; `rows` are one year's."""
    said = law.said["reported"]
    lacking = rows.filter(pl.col("stated").is_null()).select(
        "account", "sale", "sold", "asset_class", given="form_1099", words=reports(accounts, year)
    )
    for account, n in _by_account(lacking.filter(pl.col("words").is_in(said["as_reported"]))):
        what = f"{account} has {_count(n, 'covered sale')} that no statement among these files lists"
        yield f"{what}: the amounts reported are taken to be the computed ones"
    for expected in said["expected"]:
        due = lacking.filter(_due(law, accounts, expected))
        for account, n in _by_account(due):
            what = f"{account} has {_count(n, 'sale')} without a Form {expected['statement']}"
            brokers = f"which brokers send for such sales from {expected['from']} on"
            yield f"{what}, {brokers}: give the account's form_1099, or custody: self, in the taxpayer file"


def _due(law: Treatment, accounts: Accounts, expected: Mapping[str, Any]) -> pl.Expr:
    """Sales that a broker has to report, unless the asset was in one's own hands, or none is said to have been."""
    classes = [name for name, said in law.classes.items() if said["digital"] == expected["digital"]]
    of_class = pl.col("asset_class").is_in(classes) & (pl.col("sold") >= expected["from"])
    own, brokers, silent = (
        pl.col("account").is_in([name for name, said in accounts.items() if said.get(key) == word])
        for key, word in (("custody", SELF), ("custody", BROKER), ("form_1099", NOT_REPORTED))
    )
    denied = (pl.col("given") == NOT_REPORTED).fill_null(value=False) | silent
    due: pl.Expr = of_class & (pl.col("words") == NOT_REPORTED) & ~own & (brokers | ~denied)
    return due


def of_settlement(ledger: Ledger, rows: pl.DataFrame, law: Treatment, after: pl.DataFrame) -> Iterator[str]:
    """Sales whose lots were identified after their day; `rows` are one year's, `after` is that of `Orders`."""
    found = after.filter(pl.col("row").is_in(rows["sale"].unique().implode())).sort("row") if after.height else after
    if found.is_empty():
        return
    row, day = found.row(0)
    said = law.said["methods"]["identified"][law.classes[rows.filter(pl.col("sale") == row)["asset_class"][0]]["pool"]]
    if "or_sooner" not in said:
        return
    more = f" (and of {found.height - 1:,} more)" if found.height > 1 else ""
    what = f"the lots of this sale{more} were identified on {day}, after it and before it settled"
    sooner = f"that counts until {said['or_sooner']} ({said['cite']['at']}), which is not checked"
    yield f"{place(ledger, row)}: {what}; {sooner}"


def of_short_sales(events: Events, rows: pl.DataFrame) -> Iterator[str]:
    """Short sales closed at a loss while the same thing was sold: the law names that, not what becomes of the loss."""
    ledger, wash = events.ledger, events.treatment.said["wash_sales"]
    said = wash["short_sales"]
    if events.kinds.isdisjoint(said["closed_by"]):
        return
    kinds = ledger.rows["kind"].gather(rows["sale"])
    loss = pl.col("basis") - pl.col("proceeds") - pl.col("adjustment")
    closed = rows.filter(kinds.is_in(said["closed_by"])).filter(loss > 0)
    if closed.is_empty():
        return
    every = treated(ledger.rows.with_row_index("also"), events.treatment).filter(is_kind(said["also"]))
    sold = every.select("also", asset=pl.coalesce("out_asset", column(every, "ref_asset")), on="date")
    apart = (pl.col("on") - pl.col("sold")).dt.total_days()
    near = closed.join(sold, on="asset").filter(apart.is_between(-wash["days_before"], wash["days_after"]))
    for sale, asset, also in near.group_by("sale", "asset").agg(pl.col("also").min()).sort("sale").iter_rows():
        what = f"this short sale was closed at a loss, and {asset} was sold within {wash['days_after']} days"
        may = f"{said['cite']['at']} may disallow the loss, and nothing is disallowed for that"
        yield f"{place(ledger, sale)}: {what} ({place(ledger, also)}): {may}"


def of_windows(events: Events, rows: pl.DataFrame, year: Year) -> Iterator[str]:
    """Losses at the end of the year that purchases of the next may replace, where the files do not reach so far."""
    law, ledger = events.treatment, events.ledger
    wash, watched = law.said["wash_sales"], sorted(law.watched(ledger.classes))
    days = timedelta(days=wash["days_after"])
    late = rows.filter((pl.col("sold") > date(year.year, *YEAR_END) - days) & (pl.col("gain") < 0))
    late = late.filter(pl.col("lot").is_not_null() & pl.col("asset").is_in(watched))
    if late.height:
        kinds = [name for name, kind in law.kinds.items() if kind.sells and not kind.sells.at_year_end]
        made = [n for n, file in enumerate(ledger.files) if file.sha256]
        of_sale = ledger.rows[late["sale"]].select(real=is_kind(kinds) & pl.col("file").is_in(made))
        late = late.filter(of_sale["real"]).filter(pl.col("sold") + days > ledger.rows["date"].max())
    if late.is_empty():
        return
    said = f"{_count(late['sale'].n_unique(), 'sale')} at a loss from here on may be replaced by purchases up to"
    end = f"these files end on {ledger.rows['date'].max()!s}; give those of the weeks after it"
    where, until = place(ledger, int(late["sale"].min())), late.select((pl.col("sold") + days).max()).item()  # type: ignore[arg-type]
    yield f"{where}: {said} {until}, in any account ({wash['cite']['at']}), and {end}"


def of_gifts(events: Events, rows: pl.DataFrame) -> Iterator[str]:
    """Gifts that are short-term because nobody says since when the donor, whose basis is known, had held them."""
    kinds = [name for name, kind in events.treatment.kinds.items() if kind.opens and kind.opens.acquired == DONOR]
    if events.kinds.isdisjoint(kinds):
        return
    given = events.rows.filter(is_kind(kinds) & (rare(events.rows, "donor_basis_usd") > 0))
    silent = given.filter(rare(given, "donor_acquired_date").is_null())["row"]
    sold = rows.filter((pl.col("term") == SHORT) & pl.col("lot").is_in(silent.implode()))
    for lot, asset in sold.select("lot", "asset").unique().sort("lot").iter_rows():
        said = f"nobody says when the donor acquired {asset}, which counts as held since the gift"
        yield f"{place(events.ledger, lot)}: {said}; give acquired, if it is known"


def _by_account(rows: pl.DataFrame) -> Iterator[tuple[str, int]]:
    """Accounts by name, and how many sales each has."""
    yield from rows.group_by("account").agg(pl.col("sale").n_unique()).sort("account").iter_rows()


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
