"""Tables of a customer base, to measure batches with: the same rows on every machine, for any number of customers.

python tests/benchmarks/customers.py FOLDER TAXPAYERS TRANSACTIONS_EACH

Everybody buys and sells five coins at two exchanges over two years, a sale after each purchase, of half or all of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from columns import STATUSES, spread

COINS, PLACES = ["ADA", "BTC", "DOT", "ETH", "SOL"], ["coinbase", "kraken"]
AT_ONCE = 100_000
DAYS = 730
AMOUNT = pl.Decimal(38, 18)


def amount(whole: pl.Expr, places: int) -> pl.Expr:
    """Whole numbers of so many decimals as the canonical table has amounts."""
    return (whole.cast(pl.Int128) * 10 ** (18 - places)).reinterpret(dtype=AMOUNT)


def transactions(first: int, number: int, each: int) -> pl.DataFrame:
    """Quantities to four places, prices of 0.90 to 1.10 dollars a unit, fees of up to fifty cents."""
    pair = pl.int_range(number * each // 2)
    pairs = pl.select(pair=pair).with_columns(
        spread(first + 1, 10_000, 1_000_000).alias("units"), spread(first + 2, 0, 2).alias("half"),
        spread(first + 3, 0, len(COINS)).alias("coin"), spread(first + 4, 0, len(PLACES)).alias("place"),
    )  # fmt: skip
    rows = pairs.join(pl.DataFrame({"buys": [True, False]}), how="cross")
    rows = rows.with_columns(at=pl.int_range(pl.len()) % each, t=first + pl.int_range(pl.len()) // each)
    units = pl.when("buys").then("units").otherwise(pl.col("units") // (pl.col("half") + 1))
    cents = units * spread(first + 5, 90, 110) // 10_000 + 1
    coin, dollars = pl.lit(pl.Series(COINS)).gather("coin"), pl.lit("USD")
    sold, paid = amount(units, 4), amount(cents, 2)
    day = pl.col("at") * DAYS // each + spread(first + 6, 0, DAYS // each)
    return rows.select(
        taxpayer=pl.format("T{}", pl.col("t").cast(pl.String).str.zfill(8)),
        date=pl.date(2024, 1, 1) + pl.duration(days=day),
        kind=pl.when("buys").then(pl.lit("buy")).otherwise(pl.lit("sell")),
        account=pl.lit(pl.Series(PLACES)).gather("place"),
        out_asset=pl.when("buys").then(dollars).otherwise(coin), out_qty=pl.when("buys").then(paid).otherwise(sold),
        in_asset=pl.when("buys").then(coin).otherwise(dollars), in_qty=pl.when("buys").then(sold).otherwise(paid),
        fee_asset=dollars, fee_qty=amount(spread(first + 7, 1, 50), 2), asset_class=pl.lit("crypto"),
    )  # fmt: skip


def taxpayers(first: int, number: int) -> pl.DataFrame:
    people = pl.select(t=pl.int_range(first, first + number))
    wages = spread(first + 8, 2_000_000, 40_000_000).cast(pl.Int128).reinterpret(dtype=pl.Decimal(18, 2))
    return people.select(
        taxpayer=pl.format("T{}", pl.col("t").cast(pl.String).str.zfill(8)),
        filing_status=pl.lit(pl.Series(STATUSES)).gather(pl.col("t") % len(STATUSES)),
        digital_asset_pools_before_2025=pl.lit("by_account"),
    ).with_columns(people.select(wages.alias("income.wages")).to_series())


def main() -> None:
    folder, number, each = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for first in range(0, number, AT_ONCE):
        some = min(AT_ONCE, number - first)
        transactions(first, some, each).write_parquet(folder / f"rows-{first:09}.parquet")
        taxpayers(first, some).write_parquet(folder / f"people-{first:09}.parquet")


if __name__ == "__main__":
    main()
