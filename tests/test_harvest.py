"""`lotlaw harvest`: plans, each filed as any return is; never worse than nothing, never more than is held."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest

from conftest import Asked
from lotlaw.plan.given import Given, read_given
from lotlaw.plan.goals import GOALS
from lotlaw.plan.harvest import Harvest, harvest
from lotlaw.plan.harvest_shown import harvest_page
from lotlaw.plan.sales import with_sales
from lotlaw.plan.sellable import Costs
from lotlaw.rules import load
from lotlaw.run import compute

HEADER = "time,kind,asset,asset_class,quantity,amount,fee,account,id\n"
GAIN = "2025-01-06,buy,GAIN,stock,10,1000,,schwab,\n2025-06-02,sell,GAIN,,10,6000,,schwab,\n"
SINGLE = "filing_status: single\nincome: {wages: 80_000}\n"
AFTER = "a plan comes after it, so on 2025-06-02 or later"
DAY = date(2025, 12, 20)


@pytest.fixture
def plan(tmp_path: Path):
    """`harvest` of the rows of a ledger at prices."""

    def plans(rows: str, prices: str, *goals: str, taxpayer: str = SINGLE, cash: int | None = None, **costs) -> Harvest:
        given = told(tmp_path, rows, prices, taxpayer)
        money = Decimal(cash) if cash is not None else None
        count = costs.pop("count", 1)
        return harvest(given, load(2025), DAY, goals, Costs(**costs), cash=money, count=count)

    return plans


def told(folder: Path, rows: str, prices: str, taxpayer: str = SINGLE) -> Given:
    (folder / "ledger.csv").write_text(HEADER + rows)
    (folder / "taxpayer.yaml").write_text(taxpayer)
    (folder / "prices.csv").write_text("asset,price\n" + prices.replace(" ", "\n") + "\n")
    return read_given([folder / "ledger.csv"], folder / "taxpayer.yaml", folder / "prices.csv", None)


def sold(found: Harvest, n: int = 0) -> list[str]:
    return [str(sale).partition(" from ")[0] for sale in found.plans[n].sales]


# A year with 5,000 of gain, and 8,000 of losses to take against it


LOSSES = GAIN + (
    "2025-02-03,buy,BTC,crypto,0.1,10000,,coinbase,\n"
    "2025-03-03,buy,BTC,crypto,0.1,6000,,coinbase,\n"
    "2024-03-04,buy,OLD,stock,100,12000,,schwab,\n"
)
AT = "BTC,50000 OLD,90"


def test_least_tax_sells_every_loss_that_lowers_it(plan) -> None:
    """5,000 of gain less losses of 5,000 (0.1 BTC) and 3,000 (OLD): 3,000 come off other income."""
    found = plan(LOSSES, AT, "least")
    assert sorted(sold(found)) == ["0.1 BTC@50000", "100 OLD@90"]
    assert found.best.after.results["allowed_loss"] == 3000
    assert found.best.gain == -8000


def test_gains_are_offset_and_no_more(plan) -> None:
    found = plan(LOSSES, AT, "offset")
    assert sold(found) == ["0.1 BTC@50000"]
    assert found.best.after.results["net_gain"] == 0


def test_the_allowance_is_used_and_little_carried(plan) -> None:
    found = plan(LOSSES.removeprefix(GAIN), AT, "allowance")
    assert found.best.gain == pytest.approx(Decimal(-3000), abs=21)
    assert found.best.after.results["allowed_loss"] == pytest.approx(Decimal(3000), abs=21)


def test_nothing_is_proposed_where_there_is_nothing_to_gain(plan) -> None:
    found = plan(GAIN + "2025-02-03,buy,UP,stock,10,100,,schwab,\n", "UP,20", *GOALS[:3])
    assert found.plans == ()
    assert found.none == dict.fromkeys(GOALS[:3], "no lot that could be sold for it")
    assert plan("2025-02-03,buy,UP,stock,10,100,,schwab,\n", "UP,2", "offset").none == {
        "offset": "there is no net gain to offset"
    }


LOW = "filing_status: single\nincome: {wages: 40_000}\n"
UP = "2024-02-05,buy,UP,etf,1000,20000,,schwab,\n"


def test_the_zero_bracket_is_filled_to_the_brim(plan) -> None:
    """48,350 of taxable income less 40,000 - 15,750: 24,100 of long-term gain are taxed at nothing."""
    found = plan(UP, "UP,60", "zero", taxpayer=LOW)
    year, deduction = load(2025), 15_750
    room = year.parameter("zero_rate_top", "single") - (40_000 - deduction)
    assert found.best.gain == room // 40 * 40
    assert found.best.taxes == sum(found.base.taxes.values())
    one_more = with_sales(found.offer.ledger, [found.offer.sale(0, int(room // 40) + 3)])
    assert compute(year, one_more, found.base.taxpayer).tax > found.best.taxes


def test_short_term_gain_fills_no_bracket(plan) -> None:
    found = plan(UP.replace("2024-02-05", "2025-02-05"), "UP,60", "zero", taxpayer=LOW)
    assert found.none == {"zero": "no lot that could be sold for it"}
    assert plan(UP, "UP,60", "zero").none == {"zero": "any more gain would be taxed"}


def test_cash_is_raised_at_the_least_tax(plan) -> None:
    """Of three lots of one share, the dearest is sold; what is missing comes from the long-term one."""
    rows = (
        "2024-01-08,buy,ACME,stock,100,5000,,schwab,\n"
        "2025-02-03,buy,ACME,stock,100,6000,,schwab,\n"
        "2025-03-03,buy,ACME,stock,100,9500,,schwab,\n"
    )
    found = plan(rows, "ACME,100", "cash", cash=12_000)
    assert [(sale.lot, sale.quantity) for sale in found.best.sales] == [("lot-3", 100), ("lot-1", 20)]
    assert found.best.cash >= 12_000
    assert plan(rows, "ACME,100", "cash", cash=40_000).none == {"cash": "not enough can be sold"}


def test_fees_count(plan) -> None:
    """A loss of 40 saves less than 30 dollars of fee."""
    rows = GAIN + "2025-02-03,buy,ACME,stock,1,140,,schwab,\n"
    assert sold(plan(rows, "ACME,100", "least")) == ["1 ACME@100"]
    assert plan(rows, "ACME,100", "least", fee=Decimal(30)).plans == ()
    fees = plan(LOSSES, AT, "least", fee=Decimal(5), rate=Decimal("0.01")).best
    assert fees.fees == sum(Decimal(5) + sale.quantity * sale.price / 100 for sale in fees.sales)
    assert fees.cash == sum(sale.quantity * sale.price - sale.fee for sale in fees.sales)


def test_small_sales_are_left_out(plan) -> None:
    found = plan(LOSSES + "2025-02-03,buy,BIT,stock,1,300,,schwab,\n", f"{AT} BIT,2", "least", least=Decimal(50))
    assert "1 BIT@2" not in sold(found)


# What the law lets count


def test_losses_replaced_lately_do_not_count(plan) -> None:
    """30 of 100 shares were bought again: their loss is lost for now, unless these are sold too."""
    rows = GAIN + "2024-03-04,buy,OLD,stock,100,12000,,schwab,\n2025-12-08,buy,OLD,stock,30,2700,,schwab,\n"
    found = plan(rows, "OLD,90", "least")
    assert sorted(sold(found)) == ["100 OLD@90", "30 OLD@90"]
    assert found.best.gain == -3000
    half = plan(rows.replace("2025-12-08,buy,OLD,stock,30,2700", "2025-12-08,buy,OLD,stock,30,1"), "OLD,90", "least")
    assert sold(half) == ["100 OLD@90"], "the replacement has a gain of its own"
    assert half.best.rows.select("adjustment", "codes").row(0) == (900_00, "W")
    days = dict(reversed(found.calendar))
    assert days[date(2026, 1, 20)] == "OLD may be bought again without losing the loss"
    assert days[date(2026, 1, 8)] == "losses on OLD count in full again, if none is bought until then"


def test_an_identical_fund_bought_by_a_spouse_counts(plan) -> None:
    rows = GAIN + "2024-03-04,buy,VOO,etf,100,12000,,schwab,\n2025-12-08,buy,IVV,etf,100,9000,,hers,\n"
    joint = (
        "filing_status: married_separate\nincome: {wages: 80_000}\nidentical: [[VOO, IVV]]\n"
        "accounts: {hers: {owner: spouse}}\n"
    )
    assert plan(rows, "VOO,90 IVV,90", "least", taxpayer=joint).plans == ()


def test_dividends_put_back_into_shares_with_gains_change_nothing(plan) -> None:
    """Wash sales are about losses: gains of the same fund are realized lot by lot, to the share."""
    lately = UP + "2025-12-08,dividend,UP,etf,3,180,,schwab,\n" * 6
    assert plan(lately, "UP,60", "zero", taxpayer=LOW).best.gain == plan(UP, "UP,60", "zero", taxpayer=LOW).best.gain


def test_it_is_said_where_not_every_combination_was_filed(plan) -> None:
    lots = "".join(f"2025-0{n}-03,buy,OLD,stock,10,{1500 + n},,schwab,\n" for n in range(1, 7))
    few, many = (
        plan(GAIN + lots + late, "OLD,90", "least") for late in ("", "2025-12-08,buy,OLD,stock,5,450,,schwab,\n")
    )
    assert (few.best.every, many.best.every) == (True, False)
    assert few.best.taxes == many.best.taxes


def test_crypto_bought_lately_is_outside_the_rule(plan) -> None:
    rows = GAIN + "2025-02-03,buy,BTC,crypto,0.1,10000,,coinbase,\n2025-12-19,buy,BTC,crypto,0.1,5000,,coinbase,\n"
    found = plan(rows, "BTC,50000", "least")
    assert sold(found) == ["0.1 BTC@50000"]
    assert found.best.rows["adjustment"].sum() == 0
    assert not any("BTC may be bought" in what for _, what in found.calendar)


def test_what_is_in_an_ira_or_unknown_is_not_sold(plan) -> None:
    rows = GAIN + (
        "2024-03-04,buy,OLD,stock,100,12000,,ira,\n2025-03-04,transfer_in,BTC,crypto,1,,,cold,\n"
        "2025-03-04,short_open,DOWN,stock,100,1000,,schwab,\n"
    )
    person = SINGLE + "accounts: {ira: {kind: ira}}\n"
    found = plan(rows, "OLD,90 BTC,1 DOWN,90", "least", "cash", taxpayer=person, cash=1)
    assert found.plans == ()
    assert found.offer.lots == []


def test_fund_shares_at_average_cost_are_sold_in_their_order(plan) -> None:
    """No lot is named; the first acquired are sold at the average: a loss of 100 x (15 - 10)."""
    rows = GAIN + "2024-03-04,buy,FND,fund,100,1000,,schwab,\n2025-03-04,buy,FND,fund,100,2000,,schwab,\n"
    person = SINGLE + "accounts: {schwab: {default_method: average}}\n"
    found = plan(rows, "FND,10", "least", taxpayer=person)
    assert [sale.lot for sale in found.best.sales] == [None, None]
    assert found.best.gain == -1000
    named = plan(rows, "FND,10", "least")
    assert (named.best.gain, [sale.lot for sale in named.best.sales]) == (-1000, ["lot-3"])


def test_a_gift_is_sold_by_its_own_two_bases(plan, tmp_path: Path) -> None:
    """The donor paid 120 and it was worth 80: sold at 90, neither gain nor loss; at 70, a loss of 10."""
    header = HEADER.replace("\n", ",acquired,basis,fair_value\n")
    gift = "2025-05-05,gift_in,OLD,stock,100,,,schwab,,2020-01-06,12000,8000\n"
    rows = header + GAIN.replace("\n", ",,,\n") + gift
    for price, wanted in ((90, None), (70, -1000)):
        given = told(tmp_path, "", f"OLD,{price}")
        (tmp_path / "ledger.csv").write_text(rows)
        given = read_given([tmp_path / "ledger.csv"], tmp_path / "taxpayer.yaml", tmp_path / "prices.csv", None)
        found = harvest(given, load(2025), DAY, ["least"], Costs())
        assert (found.best.gain if found.best else None) == wanted


# Against every plan there is, each filed by itself


def ledgers(count: int) -> list[tuple[str, str, str]]:
    rng = random.Random(91)  # noqa: S311 (the same ledgers every time)
    found = []
    for _ in range(count):
        rows, assets = GAIN if rng.random() < 0.7 else "", rng.sample(["AAA", "BBB", "BTC"], rng.randint(1, 2))
        for asset in [*assets, *rng.choices(assets, k=rng.randint(0, 2))]:
            day = rng.choice(["2024-02-05", "2025-02-03", "2025-07-07", "2025-12-05"])
            klass, place = ("crypto", "coinbase") if asset == "BTC" else ("stock", rng.choice(["schwab", "fidelity"]))
            units = rng.randint(1, 9) * 10
            rows += f"{day},buy,{asset},{klass},{units},{units * rng.randint(20, 200)},,{place},\n"
        prices = " ".join(f"{asset},{rng.randint(20, 200)}" for asset in assets)
        wages = rng.choice([20_000, 45_000, 80_000, 230_000])
        found.append((rows, prices, f"filing_status: single\nincome: {{wages: {wages}}}\n"))
    return found


@pytest.mark.parametrize(("rows", "prices", "person"), ledgers(12))
def test_no_plan_of_whole_lots_is_better(rows: str, prices: str, person: str, tmp_path: Path) -> None:
    """Wash sales, accounts and terms included: every combination of lots is filed by `compute`."""
    given = told(tmp_path, rows, prices, person)
    found = harvest(given, load(2025), DAY, ["least", "cash"], Costs(), cash=Decimal(1000))
    before = sum(found.base.taxes.values())
    taxes, raised = [before], []
    lots = range(len(found.offer.lots))
    for some in (some for size in range(1, len(lots) + 1) for some in combinations(lots, size)):
        sales = [found.offer.sale(n) for n in some]
        filed = sum(compute(load(2025), with_sales(found.offer.ledger, sales), given.person).taxes.values())
        taxes.append(filed)
        raised += [filed] if sum(sale.quantity * sale.price for sale in sales) >= 1000 else []
    plans = {one.goal: one for one in found.plans}
    assert (plans["least"].taxes if "least" in plans else before) == min(taxes)
    assert ("cash" in plans) == bool(raised)
    assert not raised or plans["cash"].taxes <= min(raised)
    for one in found.plans:
        holds(given, found, one)


def holds(given: Given, found: Harvest, one) -> None:
    """A plan is filed as it says, no worse than nothing unless it raises cash, and within what is held."""
    again = compute(load(2025), with_sales(found.offer.ledger, one.sales), given.person)
    assert again.taxes == one.after.taxes
    assert one.goal == "cash" or one.taxes <= sum(found.base.taxes.values())
    taken: Counter[tuple[str, str]] = Counter()
    for sale in one.sales:
        taken[sale.asset, sale.account] += sale.quantity
    there: Counter[tuple[str, str]] = Counter()
    for asset, account, quantity in found.offer.held.lots.select("asset", "account", "quantity").iter_rows():
        there[asset, account] += quantity
    assert all(quantity <= there[place] for place, quantity in taken.items())


def test_ids_of_the_ledger_are_used_and_never_taken_twice(plan) -> None:
    rows = GAIN + "2025-02-03,buy,BTC,crypto,0.1,10000,,coinbase,lot-9\n2025-03-03,buy,BTC,crypto,0.1,9000,,coinbase,\n"
    found = plan(rows, "BTC,50000", "least")
    assert [sale.lot for sale in found.best.sales] == ["lot-9", "lot--3"]
    assert found.best.gain == -9000


def test_lots_that_a_merger_made_cannot_be_named(tmp_path: Path) -> None:
    given = told(tmp_path, "", "NEW,40")
    header = HEADER.replace("\n", ",counter_asset,counter_quantity,taxable\n")
    rows = "2020-01-06,buy,OLD,stock,100,9000,,schwab,,,,\n2024-06-06,merger,OLD,stock,100,,,schwab,,NEW,200,none\n"
    rows += "2025-05-06,buy,NEW,stock,1,20,,schwab,,,,\n"
    (tmp_path / "ledger.csv").write_text(header + GAIN.replace("\n", ",,,\n") + rows)
    given = read_given([tmp_path / "ledger.csv"], tmp_path / "taxpayer.yaml", tmp_path / "prices.csv", None)
    found = harvest(given, load(2025), DAY, ["least"], Costs())
    assert [(sale.lot, sale.quantity) for sale in found.best.sales] == [(None, 200)]
    assert found.best.gain == -1000


# The command


def test_the_command_ranks_plans_and_writes_them(tmp_path: Path, ask: Asked) -> None:
    told(tmp_path, LOSSES, AT)
    asking = ("harvest", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--prices", "prices.csv", "--on", DAY)
    said = ask(*asking, "--cash", "9000", "--years", "3", "--out", "out", "--format", "all")
    assert (said.code, said.error) == (0, "")
    lines = said.text.splitlines()
    assert lines[0] == "2025, Single: what could be sold on 2025-12-20"
    assert lines[3].split()[:3] == ["As", "it", "stands"]
    assert [line[:1] for line in lines[4:8]] == ["1", "2", "3", "4"]
    assert any(line.startswith("Found by filing every combination") for line in lines)
    assert any("arithmetic under the cited rules" in line for line in lines)
    out = tmp_path / "out"
    table = (out / "harvest.csv").read_text().splitlines()
    assert table[0].startswith("rank,goal,asset,account,description,quantity,")
    page = (out / "harvest.html").read_text()
    assert all(words in page for words in ("The tax as more is sold", "Over years", "Before you act on this"))
    made = json.loads((out / "harvest.json").read_text())
    assert {one["goal"] for one in made["plans"]} == {"least", "offset", "allowance", "cash"}
    assert made["most_loss_deducted"] == "3000.00"
    assert [year["year"] for year in made["years"]] == [2025, 2026, 2027]
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    ask(*asking, "--cash", "9000", "--years", "3", "--out", "out", "--format", "all")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert json.loads(ask(*asking, "--goal", "offset", "--json").text)["plans"][0]["goal"] == "offset"


def test_losses_are_followed_over_years(plan) -> None:
    """A loss of 9,900, a gain of 5,000: 3,000 come off this year's income, and 1,900 off next year's."""
    found = plan(LOSSES, "BTC,1000 OLD,90", "least", count=4)
    without, with_ = found.years
    assert [one.carried for one in without] == [0, 0, 0, 0]
    assert [one.results["allowed_loss"] for one in with_] == [3_000, 1_900, 0, 0]
    assert [one.carried for one in with_] == [1_900, 0, 0, 0]
    assert "Losses carried on" in harvest_page(found)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--goal", "x"], "--goal: no goal 'x'; there are least, offset, allowance, zero, cash"),
        (["--goal", "cash"], "--goal: cash needs an amount: --cash 25000"),
        (["--cash", "lots"], "--cash: 'lots' is not an amount in dollars such as 4.95 or 25,000"),
        (["--fee-rate", "200%"], "--fee-rate: '200%' is not a percentage such as 0.5%"),
        (["--on", "2025-06-01"], f"--on: the ledger goes on until 2025-06-02; {AFTER}"),
        (["--on", "2026-06-01"], "--on: 2026-06-01 is not in 2025; a plan is for sales of the year"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(options: list[str], error: str, tmp_path: Path, ask: Asked) -> None:
    told(tmp_path, LOSSES, AT)
    said = ask("harvest", 2025, "ledger.csv", "--taxpayer", "taxpayer.yaml", "--prices", "prices.csv", *options)
    assert (said.code, said.text, said.error) == (2, "", error + "\n")
