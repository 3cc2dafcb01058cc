"""A plain reference of the worksheets, transcribed from the printed forms and not from the rules, one return at a time.

`amounts` are a year's verified numbers for a filing status. Lines are called as the form calls them, and rounded by
`r`: each to the dollar, or not at all. Amounts printed in parentheses are positive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Lines = dict[str, Any]
Rounding = Callable[[Decimal], Decimal]
ZERO = Decimal(0)


def dollars(amount: Decimal) -> Decimal:
    return Decimal(amount).quantize(Decimal(1), ROUND_HALF_UP)


def cents(amount: Decimal) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


def pos(amount: Decimal) -> Decimal:
    return max(ZERO, amount)


def schedule(amounts: Mapping[str, Any], income: Decimal) -> Decimal:
    tax, below = ZERO, ZERO
    for rate, top in zip(amounts["rates"], [*amounts["tops"], None], strict=True):
        within = income if top is None else min(income, Decimal(top))
        tax += pos(within - below) * rate
        below = below if top is None else Decimal(top)
    return cents(tax)


def tax_on(amounts: Mapping[str, Any], income: Decimal) -> Decimal:
    """The Tax Table below 100,000: rows of 5, 10, 25 and 50 dollars, taxed at their middle."""
    if income >= 100_000:
        return schedule(amounts, income)
    start, width = next(s for s in ((3_000, 50), (25, 25), (5, 10), (0, 5)) if income >= s[0])
    row = start + (income - start) // width * width
    return dollars(schedule(amounts, row + Decimal(width) / 2))


def qdcg_27(a: Mapping[str, Any], g: Mapping[str, Any], r: Rounding) -> Lines:
    """2018 and 2019, with Form 4952."""
    n: Lines = {"1": r(g["taxable_income"]), "2": r(g["qualified_dividends"])}
    n["3"] = _gain(g, r)
    n["4"] = n["2"] + n["3"]
    n["5"] = r(g["form_4952_4g"])
    n["6"] = pos(n["4"] - n["5"])
    n["7"] = pos(n["1"] - n["6"])
    n["8"] = Decimal(a["zero"])
    n["9"] = min(n["1"], n["8"])
    n["10"] = min(n["7"], n["9"])
    n["11"] = n["9"] - n["10"]
    n["12"] = min(n["1"], n["6"])
    n["13"] = n["11"]
    n["14"] = n["12"] - n["13"]
    n["15"] = Decimal(a["middle"])
    n["16"] = min(n["1"], n["15"])
    n["17"] = n["7"] + n["11"]
    n["18"] = pos(n["16"] - n["17"])
    n["19"] = min(n["14"], n["18"])
    n["20"] = r(cents(n["19"] * Decimal("0.15")))
    n["21"] = n["11"] + n["19"]
    n["22"] = n["12"] - n["21"]
    n["23"] = r(cents(n["22"] * Decimal("0.20")))
    n["24"] = r(tax_on(a, n["7"]))
    n["25"] = n["20"] + n["23"] + n["24"]
    n["26"] = r(tax_on(a, n["1"]))
    n["27"] = min(n["25"], n["26"])
    return n


def qdcg_25(a: Mapping[str, Any], g: Mapping[str, Any], r: Rounding) -> Lines:
    """From 2020 on."""
    n: Lines = {"1": r(g["taxable_income"]), "2": r(g["qualified_dividends"])}
    n["3"] = _gain(g, r)
    n["4"] = n["2"] + n["3"]
    n["5"] = pos(n["1"] - n["4"])
    n["6"] = Decimal(a["zero"])
    n["7"] = min(n["1"], n["6"])
    n["8"] = min(n["5"], n["7"])
    n["9"] = n["7"] - n["8"]
    n["10"] = min(n["1"], n["4"])
    n["11"] = n["9"]
    n["12"] = n["10"] - n["11"]
    n["13"] = Decimal(a["middle"])
    n["14"] = min(n["1"], n["13"])
    n["15"] = n["5"] + n["9"]
    n["16"] = pos(n["14"] - n["15"])
    n["17"] = min(n["12"], n["16"])
    n["18"] = r(cents(n["17"] * Decimal("0.15")))
    n["19"] = n["9"] + n["17"]
    n["20"] = n["10"] - n["19"]
    n["21"] = r(cents(n["20"] * Decimal("0.20")))
    n["22"] = r(tax_on(a, n["5"]))
    n["23"] = n["18"] + n["21"] + n["22"]
    n["24"] = r(tax_on(a, n["1"]))
    n["25"] = min(n["23"], n["24"])
    return n


def _gain(g: Mapping[str, Any], r: Rounding) -> Decimal:
    if g["schedule_d_filed"]:
        return r(pos(min(g["net_long_term"], g["net_gain"])))
    return r(g["distributions"])


def sdtw(a: Mapping[str, Any], g: Mapping[str, Any], r: Rounding) -> Lines:
    """The 47 lines of 2019 on; `sdtw_2018` calls them as 2018 does."""
    n: Lines = {"1": r(g["taxable_income"]), "2": r(g["qualified_dividends"])}
    n["3"], n["4"] = g["line3"], g["line4"]
    n["5"] = r(pos(n["3"] - n["4"]))
    n["6"] = r(pos(n["2"] - n["5"]))
    n["7"] = r(min(g["net_long_term"], g["net_gain"]) if g["schedule_d_filed"] else g["distributions"])
    n["8"] = r(min(n["3"], n["4"]))
    n["9"] = pos(n["7"] - n["8"])
    n["10"] = n["6"] + n["9"]
    n["11"] = r(g["gain_28"] + g["gain_1250"])
    n["12"] = min(n["9"], n["11"])
    n["13"] = n["10"] - n["12"]
    n["14"] = pos(n["1"] - n["13"])
    n["15"] = Decimal(a["zero"])
    n["16"] = min(n["1"], n["15"])
    n["17"] = min(n["14"], n["16"])
    n["18"] = pos(n["1"] - n["10"])
    n["19"] = min(n["1"], Decimal(a["below_25"]))
    n["20"] = min(n["14"], n["19"])
    n["21"] = max(n["18"], n["20"])
    n["22"] = n["16"] - n["17"]
    if n["1"] != n["16"]:
        _sdtw_rates(n, a, g, r)
    n["44"] = r(tax_on(a, n["21"]))
    n["45"] = sum((n.get(line, ZERO) for line in ("31", "34", "40", "43")), n["44"])
    n["46"] = r(tax_on(a, n["1"]))
    n["47"] = min(n["45"], n["46"])
    return n


def _sdtw_rates(n: Lines, a: Mapping[str, Any], g: Mapping[str, Any], r: Rounding) -> None:
    n["23"] = min(n["1"], n["13"])
    n["24"] = n["22"]
    n["25"] = pos(n["23"] - n["24"])
    n["26"] = Decimal(a["middle"])
    n["27"] = min(n["1"], n["26"])
    n["28"] = n["21"] + n["22"]
    n["29"] = pos(n["27"] - n["28"])
    n["30"] = min(n["25"], n["29"])
    n["31"] = r(cents(n["30"] * Decimal("0.15")))
    n["32"] = n["24"] + n["30"]
    if n["1"] == n["32"]:
        return
    n["33"] = n["23"] - n["32"]
    n["34"] = r(cents(n["33"] * Decimal("0.20")))
    if g["gain_1250"] != 0:
        n["35"] = r(min(n["9"], g["gain_1250"]))
        n["36"] = n["10"] + n["21"]
        n["37"] = n["1"]
        n["38"] = pos(n["36"] - n["37"])
        n["39"] = pos(n["35"] - n["38"])
        n["40"] = r(cents(n["39"] * Decimal("0.25")))
    if g["gain_28"] != 0:
        n["41"] = n["21"] + n["22"] + n["30"] + n["33"] + n.get("39", ZERO)
        n["42"] = n["1"] - n["41"]
        n["43"] = r(cents(n["42"] * Decimal("0.28")))


def sdtw_2018(a: Mapping[str, Any], g: Mapping[str, Any], r: Rounding) -> Lines:
    """The worksheet as corrected in May 2019: 18a to 18c and 19 are what 18 to 21 are later."""
    new = {"18": "18a", "19": "18b", "20": "18c", "21": "19"}
    return {(new.get(line) or (line if int(line) < 18 else str(int(line) - 2))): n for line, n in sdtw(a, g, r).items()}


def carryover(g: Mapping[str, Any]) -> Lines:
    """The Capital Loss Carryover Worksheet; nothing where it is not needed."""
    allowed, net = g["allowed_loss"], g["net_gain"]
    if not (allowed > 0 and (allowed < -net or g["taxable_income_signed"] < 0)):
        return {}
    short, long = g["net_short_term"], g["net_long_term"]
    n: Lines = {"1": g["taxable_income_signed"], "2": allowed}
    n["3"] = pos(n["1"] + n["2"])
    n["4"] = min(n["2"], n["3"])
    n["5"] = pos(-short)
    if short < 0:
        n["6"] = pos(long)
        n["7"] = n["4"] + n["6"]
        n["8"] = pos(n["5"] - n["7"])
    if long < 0:
        n["9"] = -long
        n["10"] = pos(short)
        n["11"] = pos(n["4"] - n["5"])
        n["12"] = n["10"] + n["11"]
        n["13"] = pos(n["9"] - n["12"])
    return n


# A whole return, given as examples.yaml gives it


def whole_return(year: int, a: Mapping[str, Any], said: Mapping[str, Any], r: Rounding) -> dict[str, Lines]:
    """Every form that a return needs, with the lines that are worked out on it, by name."""

    def given(name: str) -> Decimal:
        return Decimal(said.get(name, 0))

    forms = {"schedule_d": schedule_d(a, said, r)}
    d = forms["schedule_d"]
    collectibles = r(
        sum((_total(said, f"collectibles_{box}")["h"] for box in "DEFJKL" if f"collectibles_{box}" in said), ZERO)
    )
    n28 = {str(n): r(given(f"rate_28.{n}")) for n in (2, 3, 4)} | {"1": collectibles}
    estate = r(given("rate_28.estate_carryover"))
    both = d.get("17", False)
    if both and any(n28.values()):
        n28["5"] = -(d.get("14", ZERO) + estate)
        n28["6"] = min(ZERO, d["7"])
        n28["7"] = pos(sum(n28.values(), ZERO))
        forms["rate_28"] = n28
    n1250 = _unrecaptured(said, d, n28, estate, r)
    if both and (given("unrecaptured_1250.form_4797_line_7") > 0 or any(n1250[n] for n in ("10", "11", "12"))):
        forms["unrecaptured_1250"] = n1250
    line3 = given("schedule_d_tax.3")
    if d and both:
        d["18"] = forms.get("rate_28", {}).get("7", ZERO)
        d["19"] = forms.get("unrecaptured_1250", {}).get("18", ZERO)
        d["20"] = d["18"] == 0 == d["19"] and (year < 2020 or line3 == 0)
    forms["form_1040"] = f1040 = _form_1040(a, said, d, r)
    tax = {
        "taxable_income": f1040["15"], "qualified_dividends": f1040["qualified_dividends"],
        "schedule_d_filed": bool(d), "net_long_term": d.get("15", ZERO), "net_gain": d.get("16", ZERO),
        "distributions": r(given("schedule_d.13")), "gain_28": d.get("18", ZERO), "gain_1250": d.get("19", ZERO),
        "line3": r(line3), "line4": r(given("schedule_d_tax.4")), "form_4952_4g": r(line3),
    }  # fmt: skip
    lower = tax["qualified_dividends"] > 0 or both or (tax["distributions"] > 0 and not d)
    by_schedule_d = (both and not d["20"]) or (year >= 2020 and line3 > 0)
    f1040["16"] = r(tax_on(a, f1040["15"]))
    if lower and f1040["15"] > 0 and by_schedule_d:
        forms["schedule_d_tax"] = (sdtw_2018 if year == 2018 else sdtw)(a, tax, r)
        f1040["16"] = forms["schedule_d_tax"]["45" if year == 2018 else "47"]
    elif lower and f1040["15"] > 0:
        forms["qdcg"] = (qdcg_27 if year < 2020 else qdcg_25)(a, tax, r)
        f1040["16"] = forms["qdcg"]["27" if year < 2020 else "25"]
    if d and d["16"] < 0:
        given_ = {
            "allowed_loss": d["21"], "net_gain": d["16"], "net_short_term": d["7"], "net_long_term": d["15"],
            "taxable_income_signed": f1040["taxable_income_signed"],
        }  # fmt: skip
        forms["loss_carryover"] = carryover(given_)
    if year >= 2020 and f1040["11"] > a["niit"]:
        forms["form_8960"] = _form_8960(a, said, f1040, r)
    forms[""] = _results(d, f1040, forms.get("loss_carryover", {}))
    return {name: lines for name, lines in forms.items() if lines}


def _results(d: Lines, f1040: Lines, carried: Lines) -> Lines:
    """What a return is asked for most."""
    return {
        "net_short_term": d.get("7", ZERO), "net_long_term": d.get("15", ZERO), "net_gain": d.get("16", ZERO),
        "allowed_loss": d.get("21", ZERO), "capital_gain": f1040["7"], "adjusted_gross_income": f1040["11"],
        "taxable_income": f1040["15"], "tax": f1040["16"],
        "short_carryover": carried.get("8", ZERO), "long_carryover": carried.get("13", ZERO),
    }  # fmt: skip


def _total(said: Mapping[str, Any], name: str) -> dict[str, Decimal]:
    d, e, g = (Decimal(said.get(name, {}).get(column, 0)) for column in "deg")
    return {"d": d, "e": e, "g": g, "h": d - e + g}


ROWS = {"1b": "AG", "2": "BH", "3": "CI", "8b": "DJ", "9": "EK", "10": "FL"}
OTHER = ("schedule_d.1a", "schedule_d.4", "schedule_d.5", "schedule_d.8a", "schedule_d.11", "schedule_d.12")
ADDED = ("rate_28.2", "rate_28.3", "rate_28.4", "unrecaptured_1250.10", "unrecaptured_1250.11", "unrecaptured_1250.12")
GAIN_4797 = "unrecaptured_1250.form_4797_line_7"


def schedule_d(a: Mapping[str, Any], said: Mapping[str, Any], r: Rounding) -> Lines:
    """Schedule D to line 17, and 21 and 22; nothing where it is not needed."""
    carried = {line: r(Decimal(said.get(f"taxpayer.carryover.{term}", 0))) for line, term in _CARRIED}
    sold = any(name.startswith(("box_", "collectibles_")) for name in said)
    if not (sold or any(carried.values()) or any(said.get(name) for name in (*OTHER, *ADDED, GAIN_4797))):
        return {}
    n: Lines = {"filed": True} | {line: amount for line, amount in carried.items() if amount > 0}
    gains = {}
    for line, boxes in ROWS.items():
        columns = [_total(said, f"{mark}_{box}") for box in boxes for mark in ("box", "collectibles")]
        d, e, g = (r(sum((c[letter] for c in columns), ZERO)) for letter in "deg")
        gains[line] = d - e + g
    for line in ("1a", "8a"):
        total = said.get(f"schedule_d.{line}", {})
        gains[line] = r(Decimal(total.get("d", 0))) - r(Decimal(total.get("e", 0)))
    for line in ("4", "5", "11", "12", "13"):
        gains[line] = r(Decimal(said.get(f"schedule_d.{line}", 0)))
    n["7"] = sum((gains[line] for line in ("1a", "1b", "2", "3", "4", "5")), -carried["6"])
    n["15"] = sum((gains[line] for line in ("8a", "8b", "9", "10", "11", "12", "13")), -carried["14"])
    n["16"] = n["7"] + n["15"]
    if n["16"] > 0:
        n["17"] = n["15"] > 0
    if n["16"] < 0:
        n["21"] = min(-n["16"], Decimal(a["cap"]))
    if not n.get("17"):
        n["22"] = Decimal(said.get("taxpayer.income.qualified_dividends", 0)) > 0
    return n


_CARRIED = (("6", "short"), ("14", "long"))


def _unrecaptured(said: Mapping[str, Any], d: Lines, n28: Lines, estate: Decimal, r: Rounding) -> Lines:
    def given(line: str) -> Decimal:
        return r(Decimal(said.get(f"unrecaptured_1250.{line}", 0)))

    n: Lines = {line: given(line) for line in ("10", "11", "12")}
    nine = ZERO
    if given("form_4797_line_7") > 0:
        n["3"] = given("1") - given("2")
        n["6"] = n["3"] + given("4") + given("5")
        n["7"] = min(n["6"], given("form_4797_line_7"))
        n["9"] = nine = pos(n["7"] - given("8"))
    n["13"] = nine + n["10"] + n["11"] + n["12"]
    n["14"] = sum((n28[line] for line in "1234"), ZERO)
    n["15"] = min(ZERO, d.get("7", ZERO))
    n["16"] = -(d.get("14", ZERO) + estate)
    n["17"] = pos(-(n["14"] + n["15"] + n["16"]))
    n["18"] = pos(n["13"] - n["17"])
    return n


def _form_1040(a: Mapping[str, Any], said: Mapping[str, Any], d: Lines, r: Rounding) -> Lines:
    def given(name: str) -> Decimal:
        return Decimal(said.get(f"taxpayer.{name}", 0))

    names = ("wages", "interest", "ordinary_dividends", "qualified_dividends")
    n: Lines = {name: r(given(f"income.{name}")) for name in names}
    n["other"] = r(given("income.other") + Decimal(said.get("ledger.counted_income", 0)))
    n["7"] = r(Decimal(said.get("schedule_d.13", 0)))
    if d:
        n["7"] = -d["21"] if d["16"] < 0 else d["16"]
    n["11"] = n["wages"] + n["interest"] + n["ordinary_dividends"] + n["other"] + n["7"]
    standard = Decimal(a["standard"]) + int(said.get("taxpayer.aged_or_blind", 0)) * Decimal(a["aged"])
    n["deduction"] = standard if said.get("taxpayer.standard_deduction") else r(given("deduction"))
    n["taxable_income_signed"] = n["11"] - n["deduction"]
    n["15"] = pos(n["taxable_income_signed"])
    return n


def _form_8960(a: Mapping[str, Any], said: Mapping[str, Any], f1040: Lines, r: Rounding) -> Lines:
    def given(line: str) -> Decimal:
        return r(Decimal(said.get(f"form_8960.{line}", 0)))

    n: Lines = {"1": f1040["interest"], "2": f1040["ordinary_dividends"], "5a": f1040["7"]}
    n["5d"] = n["5a"] + given("5b") + given("5c")
    n["8"] = n["1"] + n["2"] + given("other_income") + n["5d"]
    n["12"] = pos(n["8"] - given("11"))
    n["13"], n["14"] = f1040["11"], Decimal(a["niit"])
    n["15"] = pos(n["13"] - n["14"])
    n["16"] = min(n["12"], n["15"])
    n["17"] = r(cents(n["16"] * Decimal("0.038")))
    return n
