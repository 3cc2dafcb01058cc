"""`lotlaw holdings`, `whatif` and `harvest`: what is held, what a sale would cost, which lots to sell."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from lotlaw.arguments import Files, Method, OptionalTaxpayer, OverridesFile, TaxpayerFile, progress
from lotlaw.rules_cli import Json, RulesDir
from lotlaw.source import refuse

Prices = Annotated[
    Path | None,
    typer.Option("--prices", help="CSV of prices: asset, price, and date if they are of a day; else the last trades."),
]
Out = Annotated[Path | None, typer.Option(help="Folder for the files of --format; nothing is written without it.")]
Formats = Annotated[
    str, typer.Option("--format", help="What --out receives, comma-separated: csv, json, html; or all.")
]
On = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="The day of sales; today, or the year's last if it is over.")
]
Years = Annotated[int, typer.Option("--years", min=1, max=30, help="Also this many years on: how losses run down.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files too.")]


def add_plans(app: typer.Typer) -> None:
    """Add the commands to lotlaw's own."""
    for command in (holdings, whatif, harvest):
        app.command()(command)


def holdings(
    files: Files,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The day to look at; today if left out.")
    ] = None,
    prices: Prices = None,
    out: Out = None,
    formats: Formats = "html",
    as_json: Json = False,
    overrides: OverridesFile = None,
    taxpayer: OptionalTaxpayer = None,
    rules: RulesDir = None,
    force: Force = False,
) -> None:
    """Open lots: basis, value, unrealized gain, term, and the day each turns long-term; totals by term and asset.

    Example: lotlaw holdings coinbase.csv schwab.csv --as-of 2025-12-31 --prices prices.csv
    """
    from lotlaw.plan.given import read_given
    from lotlaw.plan.holdings import holdings_json, holdings_of
    from lotlaw.plan.holdings_page import holdings_page
    from lotlaw.plan.holdings_text import holdings_text
    from lotlaw.plan.writing import answer, json_of, plain_csv

    day = _day("--as-of", as_of) if as_of else datetime.now().astimezone().date()
    with progress(files) as tell:
        tell(f"reading {', '.join(path.name for path in files)}")
        given = read_given(files, taxpayer, prices, rules, overrides)
        tell(f"matching lots in {given.ledger.rows.height:,} rows")
        held = holdings_of(given, day)
    made = {
        "csv": lambda: plain_csv(held.lots.drop("lot")),
        "json": lambda: json_of(holdings_json(held)),
        "html": lambda: holdings_page(held),
    }
    answer("holdings", made, holdings_text(held), out, formats, as_json=as_json, force=force)


def whatif(
    year: Annotated[int, typer.Argument(help="The tax year.")],
    files: Files,
    taxpayer: TaxpayerFile,
    sell: Annotated[
        list[str] | None,
        typer.Option(help="A sale: '1.5 BTC@95000 from coinbase on DATE'; several may be given."),
    ] = None,
    sales: Annotated[Path | None, typer.Option(help="A text file of sales, one a line.")] = None,
    prices: Prices = None,
    on: On = None,
    years: Years = 1,
    method: Method = None,
    out: Out = None,
    formats: Formats = "html",
    as_json: Json = False,
    overrides: OverridesFile = None,
    rules: RulesDir = None,
    force: Force = False,
) -> None:
    """What a sale would really cost: the year filed with and without it, side by side, and against waiting.

    Example: lotlaw whatif 2025 coinbase.csv --taxpayer taxpayer.yaml --sell "0.1 BTC@95000 from coinbase on 2025-12-20"
    """
    from lotlaw.check import checked
    from lotlaw.plan.given import read_given
    from lotlaw.plan.sales import asked, settled
    from lotlaw.plan.whatif import what_if
    from lotlaw.plan.whatif_shown import whatif_json, whatif_page, whatif_table, whatif_text
    from lotlaw.plan.writing import answer, json_of, plain_csv

    wanted = asked(sell or [], sales)
    law = checked(year, rules)
    with progress(files) as tell:
        tell(f"reading {', '.join(path.name for path in files)}")
        given = read_given(files, taxpayer, prices, rules, overrides)
        tell("filing the year with and without")
        found = what_if(given, law, settled(given, wanted, _usual(on, year), year), method, years)
    made = {
        "csv": lambda: plain_csv(whatif_table(found)),
        "json": lambda: json_of(whatif_json(found)),
        "html": lambda: whatif_page(found),
    }
    answer("whatif", made, whatif_text(found), out, formats, as_json=as_json, force=force)


def harvest(
    year: Annotated[int, typer.Argument(help="The tax year.")],
    files: Files,
    taxpayer: TaxpayerFile,
    prices: Prices = None,
    goal: Annotated[
        list[str] | None, typer.Option(help="least, offset, allowance, zero or cash; several may be given, else all.")
    ] = None,
    cash: Annotated[str | None, typer.Option(metavar="DOLLARS", help="How much to raise, for the goal cash.")] = None,
    on: On = None,
    years: Years = 1,
    fee: Annotated[str, typer.Option(metavar="DOLLARS", help="What each sale costs.")] = "0",
    fee_rate: Annotated[str, typer.Option(metavar="PERCENT", help="And what part of it, such as 0.5%.")] = "0",
    least: Annotated[str, typer.Option(metavar="DOLLARS", help="What a sale has to bring at least.")] = "0",
    out: Out = None,
    formats: Formats = "html",
    as_json: Json = False,
    overrides: OverridesFile = None,
    rules: RulesDir = None,
    force: Force = False,
) -> None:
    """Which lots to sell for a goal: least tax, gains offset, losses deducted, gains untaxed, cash; ranked, and filed.

    Example: lotlaw harvest 2025 coinbase.csv schwab.csv --taxpayer taxpayer.yaml --prices prices.csv
    """
    from lotlaw.check import checked
    from lotlaw.plan.asking import amount, goals_of, share
    from lotlaw.plan.given import read_given
    from lotlaw.plan.harvest import harvest as found_by
    from lotlaw.plan.harvest_shown import harvest_json, harvest_page, harvest_table, harvest_text
    from lotlaw.plan.sellable import Costs
    from lotlaw.plan.writing import answer, json_of, plain_csv

    wanted = amount("--cash", cash) if cash else None
    goals = goals_of(goal or [], wanted)
    costs = Costs(amount("--fee", fee), share("--fee-rate", fee_rate), amount("--least", least))
    law = checked(year, rules)
    with progress(files) as tell:
        tell(f"reading {', '.join(path.name for path in files)}")
        given = read_given(files, taxpayer, prices, rules, overrides)
        found = found_by(given, law, _usual(on, year), goals, costs, cash=wanted, count=years, tell=tell)
    made = {
        "csv": lambda: plain_csv(harvest_table(found)),
        "json": lambda: json_of(harvest_json(found)),
        "html": lambda: harvest_page(found),
    }
    answer("harvest", made, harvest_text(found), out, formats, as_json=as_json, force=force)


def _usual(on: str | None, year: int) -> date:
    """The day of sales that name none: today, or the end of the year if today is not in it."""
    if on:
        return _day("--on", on)
    today = datetime.now().astimezone().date()
    return today if today.year == year else date(year, 12, 31)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refuse(option, f"'{text}' is not a date such as 2025-12-31") from None
