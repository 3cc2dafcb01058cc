"""What returns are given, from what the solver says: made small, worked out, and written as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import z3

from lotlaw.answers import Facts, Total
from lotlaw.audit.prove.world import FORM, Row, World, columns_of
from lotlaw.law import Year
from lotlaw.readings import exact
from lotlaw.taxpayer import PART_OF

LARGEST = 2**20
"""Dollars that amounts of a case may have, so that it can be read."""
LEDGER = (
    "time", "kind", "asset", "asset_class", "quantity", "amount", "acquired", "basis", "form_1099", "codes",
    "adjustment", "term",
)  # fmt: skip

Given = dict[str, Any]
"""What a return is given, by the names of a world: dollars, and yes or no."""
Several = tuple[Given, ...]
"""What one return is given, or each of two."""
Breaks = Callable[[Several], bool]
"""Whether returns do what they are looked for to do, as they are filed."""


def readable(world: World) -> Iterator[Any]:
    """That amounts are a dollar at least if anything, no larger than need be, and sales such as a ledger may have."""
    for name, amount in world.amounts.items():
        yield z3.Or(amount.term == 0, *(z3.And(some >= 1, some <= LARGEST) for some in (amount.term, -amount.term)))
        if name.startswith(f"{FORM}.") and not name.endswith(".g"):
            yield amount.term >= 0
    if "ledger.counted_income" in world.amounts:
        yield world.amounts["ledger.counted_income"].term == 0


def given_by(model: Any, world: World) -> Given:
    """What the solver gives a return, in whole dollars."""
    found: Given = {}
    for name, amount in world.amounts.items():
        value = model.eval(amount.term, model_completion=True).as_fraction()
        found[name] = exact.whole_dollars(Decimal(value.numerator) / Decimal(value.denominator))
    return found | {name: z3.is_true(model.eval(flag)) for name, flag in world.flags.items()}


def facts_of(year: Year, given: Given, rows: Sequence[Row]) -> Facts:
    """What a return is worked out from."""
    outside = {name: value for name, value in given.items() if name.startswith(("taxpayer.", "ledger."))}
    typed: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        form, _, line = name.partition(".")
        if form in year.forms:
            id_, _, column = line.partition(".")
            place = typed.setdefault(form, {})
            place[id_] = {**place.get(id_, {}), column: value} if column else value
    totals = [Total(row.group(year) or {}, sums) for row, sums in _sums(year, given, rows)]
    return Facts(outside | {"ledger.dispositions": bool(totals)}, typed, totals)


def _sums(year: Year, given: Given, rows: Sequence[Row]) -> Iterator[tuple[Row, dict[str, Decimal]]]:
    """The rows that there are, with their sums by column."""
    for row in rows:
        if given.get(f"{FORM}.{row.name}"):
            sums = {c: Decimal(given.get(f"{FORM}.{row.name}.{c}", 0)) for c in columns_of(year)}
            shown = {said["shows"]: letter for letter, said in columns_of(year).items()}
            gain = sums[shown["proceeds"]] - sums[shown["basis"]] + sums[shown["adjustment"]]
            yield row, sums | {shown["gain"]: gain}


def possible(given: Given) -> bool:
    """Whether a taxpayer file may say it: a part is no more than the whole."""
    income = dict(_under(given, "taxpayer.income."))
    return all(income.get(part, 0) <= income.get(whole, 0) for part, whole in PART_OF.items() if part in income)


def smaller(given: Several, breaks: Breaks, *, together: bool = False) -> Several:
    """The same with everything that does not matter left out, and round amounts where they do as well.

    `together`: what several returns have in common is changed in all of them, or in none.
    """
    names = sorted(given[0], key=lambda name: not name.endswith(".g"))
    sets = [range(len(given))] if together else [range(n, n + 1) for n in range(len(given))]
    for name in (*names, *names):
        for chosen in sets:
            if len({one[name] for one in (given[n] for n in chosen)}) == 1:
                given = _simplest(given, breaks, name, chosen)
    return given


def _simplest(given: Several, breaks: Breaks, name: str, chosen: range) -> Several:
    """The same with the simplest value of a name, in the returns chosen, that still does what they are for."""
    value = given[chosen[0]].get(name, exact.ZERO)
    for simpler in _simpler(value):
        tried = tuple({**one, name: simpler} if n in chosen else one for n, one in enumerate(given))
        if simpler == value or breaks(tried):
            return tried
    return given


def _simpler(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [False]
    return [exact.ZERO, *(value.quantize(Decimal(1).scaleb(digits)).quantize(exact.DOLLAR) for digits in (5, 4, 3, 2))]


def files_of(year: Year, status: str, given: Given, rows: Sequence[Row], mark: str = "") -> dict[str, str]:
    """The taxpayer file and the ledger of a return, by name."""
    taxpayer, ledger = "".join(_taxpayer(status, given)), _ledger(year, given, rows)
    return {f"taxpayer{mark}.yaml": taxpayer, f"ledger{mark}.csv": ledger}


def _taxpayer(status: str, given: Given) -> Iterator[str]:
    yield f"filing_status: {status}\n"
    for group in ("income", "carryover"):
        amounts = {n: v for n, v in _under(given, f"taxpayer.{group}.") if v}
        if amounts or group == "carryover":
            yield f"{group}: {{{', '.join(f'{name}: {value}' for name, value in amounts.items())}}}\n"
    standard = given.get("taxpayer.standard_deduction", False)
    yield f"deduction: {'standard' if standard else given.get('taxpayer.deduction', 0)}\n"
    if given.get("taxpayer.aged_or_blind"):
        yield f"aged_or_blind: {given['taxpayer.aged_or_blind']}\n"
    typed: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        form, _, line = name.partition(".")
        if value and not isinstance(value, bool) and form not in ("taxpayer", "ledger", FORM):
            id_, _, column = line.partition(".")
            before = typed.setdefault(form, {}).get(id_, "")
            typed[form][id_] = f"{before}{', ' if before else ''}{column}: {value}" if column else str(value)
    if typed:
        yield "inputs:\n"
    for form, lines in typed.items():
        said = ", ".join(f'"{id_}": {f"{{{v}}}" if ":" in v else v}' for id_, v in lines.items())
        yield f"  {form}: {{{said}}}\n"


def _under(given: Given, prefix: str) -> Iterator[tuple[str, Any]]:
    yield from ((name.removeprefix(prefix), value) for name, value in given.items() if name.startswith(prefix))


def _ledger(year: Year, given: Given, rows: Sequence[Row]) -> str:
    """The sales as rows that go straight to Form 8949."""
    codes = year.documents[FORM].value["codes"]
    either = next((code for code, said in codes.items() if said["sign"] == "either"), "")
    shown = {said["shows"]: letter for letter, said in columns_of(year).items()}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LEDGER)
    for number, (row, sums) in enumerate(_sums(year, given, rows), 1):
        kind = "collectible" if row.collectible else "crypto" if row.digital else "stock"
        adjustment = sums[shown["adjustment"]]
        writer.writerow((
            f"{year.year}-06-30", "closed_lot", f"sale {number}", kind, "", sums[shown["proceeds"]], "VARIOUS",
            sums[shown["basis"]], row.form_1099, either if adjustment else "", adjustment or "", row.term,
        ))  # fmt: skip
    return out.getvalue()
