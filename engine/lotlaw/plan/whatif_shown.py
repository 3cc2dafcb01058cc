"""The answer of `lotlaw whatif` as text, for programs, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lotlaw.plan.care import not_refigured, words_of_care
from lotlaw.plan.charts import Chart, field, tooltip
from lotlaw.plan.compared import (
    moved_json,
    moved_table,
    rows_json,
    rows_table,
    sides,
    sides_json,
    sides_table,
    years_json,
    years_table,
)
from lotlaw.plan.pages import Part, of_chart, page
from lotlaw.plan.text import Block, dollars, wrapped
from lotlaw.plan.whatif import Waiting, WhatIf
from lotlaw.plan.years import Filed, filed

if TYPE_CHECKING:
    import polars as pl

PLANNING = "Planning only: lots chosen by a method that no record made in time supports"
WAITS = ("now", "waiting")


def whatif_text(found: WhatIf) -> Iterator[Block]:
    """What is sold, what moves, what waiting would change, what to mind."""
    before, after = found.before[0], found.after[0]
    status = found.year.statuses[before.taxpayer["filing_status"]]
    yield [(f"{found.year.year}, {status}, {after.lots} lots: {_said(found)}", "title")]
    yield ""
    yield rows_table(found.rows)
    yield ""
    yield sides_table(before, after)
    yield ""
    yield [("Lines that moved", "title")]
    yield moved_table(found.year, found.moved, cents=before.cents)
    yield from _over_years(found)
    yield from _wait(found.waiting)
    yield ""
    yield from wrapped((*found.notes, *_news(found)), "warning")
    yield from wrapped(care_of(found), "faint")


def _said(found: WhatIf) -> str:
    return f"selling {'; '.join(map(str, found.sales))}"


def _over_years(found: WhatIf) -> Iterator[Block]:
    if len(found.before) > 1:
        yield ""
        yield [("Over years", "title")]
        yield years_table(*_ways(found))


def _ways(found: WhatIf) -> tuple[list[Filed], list[Filed]]:
    return [filed(return_) for return_ in found.before], [filed(return_) for return_ in found.after]


def _wait(waiting: Waiting | None) -> Iterator[Block]:
    if waiting:
        yield ""
        yield [("Now, or once it is long-term", "title")]
        yield years_table(waiting.now, waiting.later, WAITS)
        yield wait_said(waiting)


def wait_said(waiting: Waiting) -> str:
    """What waiting comes to, in a sentence."""
    sold = "; ".join(map(str, waiting.sales))
    saves = waiting.saves
    what = f"{dollars(abs(saves), cents=False)} {'less' if saves > 0 else 'more'}" if saves else "neither more nor less"
    return f"Waiting ({sold}): {what} tax at the same price"


def _news(found: WhatIf) -> list[str]:
    """Warnings that only the sales bring."""
    new = [warning for warning in found.after[0].warnings if warning not in found.before[0].warnings]
    return [*([PLANNING] if found.after[0].planning_only else []), *new]


def care_of(found: WhatIf) -> list[str]:
    """Words of care, and what is not figured again."""
    return words_of_care([found.year], [*found.assumed, not_refigured(found.before[0].not_computed)])


def whatif_json(found: WhatIf) -> dict[str, Any]:
    """The answer for programs."""
    before, after = found.before[0], found.after[0]
    said: dict[str, Any] = {
        "plan": "whatif",
        "tax_year": found.year.year,
        "rules": {"year": found.year.year, "digest": found.year.digest, "status": found.year.status},
        "sales": [_sale(sale) for sale in found.sales],
        "form_8949": rows_json(found.rows),
        "results": sides_json(before, after),
        "lines": moved_json(found.moved, found.year, cents=before.cents),
        "years": years_json(*_ways(found)),
        "waiting": _wait_json(found.waiting),
        "planning_only": after.planning_only,
        "notes": [*found.notes, *_news(found)],
        "assumed": list(found.assumed),
        "not_computed": before.not_computed,
        "care": care_of(found),
    }
    return said


def _sale(sale: Any) -> dict[str, Any]:
    from lotlaw.plan.text import said

    names = ("asset", "account", "quantity", "price", "day", "fee", "lot", "price_from")
    return {name: said(value) if (value := getattr(sale, name)) is not None else None for name in names}


def _wait_json(waiting: Waiting | None) -> dict[str, Any] | None:
    if waiting is None:
        return None
    years = years_json(waiting.now, waiting.later)
    return {"sales": [_sale(sale) for sale in waiting.sales], "years": years, "saves": f"{waiting.saves:f}"}


def whatif_page(found: WhatIf) -> str:
    """The answer as a page."""
    before, after = found.before[0], found.after[0]
    without, with_ = (filed(return_).tax for return_ in (before, after))
    figures = {"Taxes without": without, "Taxes with": with_, "Change": with_ - without}
    parts = [
        of_chart("Taxes", _taxes(found)),
        Part("Side by side", sides_table(before, after)),
        Part("What is sold", rows_table(found.rows)),
        Part("Lines that moved", moved_table(found.year, found.moved, cents=before.cents)),
        *([Part("Over years", years_table(*_ways(found)))] if len(found.before) > 1 else []),
        *_wait_part(found.waiting),
    ]
    shown = {name: dollars(amount, cents=False) for name, amount in figures.items()}
    lede = " ".join([f"{found.year.statuses[before.taxpayer['filing_status']]}: {_said(found)}.", *found.notes])
    return page(f"What if: {found.year.year}", lede, parts, found.year, figures=shown, care=care_of(found))


def _wait_part(waiting: Waiting | None) -> list[Part]:
    if waiting is None:
        return []
    return [Part("Now, or once it is long-term", years_table(waiting.now, waiting.later, WAITS), wait_said(waiting))]


def _taxes(found: WhatIf) -> Chart:
    """Each tax, without and with the sales, and with them put off."""
    ways = [("without", found.before[0].taxes), ("with", found.after[0].taxes)]
    labels = {side.name: side.label for side in sides(found.before[0], found.after[0])}
    rows = [(way, labels[where], f"{amount:f}") for way, taxes in ways for where, amount in taxes.items()]
    columns, kinds = {"way": "", "tax": "tax", "amount": "dollars"}, {"amount": "number"}
    drawing = {
        "mark": "bar", "height": {"step": 34},
        "encoding": {
            "y": field("way", "nominal", None, sort=None),
            "x": field("amount", "quantitative", "dollars", axis={"format": "~s"}),
            "color": field("tax", "nominal", None),
            "tooltip": tooltip(columns, kinds),
        },
    }  # fmt: skip
    about = f"Taxes of {found.year.year} that gains move, without the sales and with them."
    shown = [(way, tax, dollars(Decimal(amount))) for way, tax, amount in rows]
    return Chart("taxes", "", about, drawing, columns, kinds, rows, shown)


def whatif_table(found: WhatIf) -> pl.DataFrame:
    """The lines that moved, for spreadsheets; a line with columns has a row for each."""
    import polars as pl

    rows = [
        (one["form"], one["line"], column, one["label"], _in(one["without"], column), _in(one["with"], column))
        for one in moved_json(found.moved, found.year, cents=found.before[0].cents)
        for column in (one["with"] or one["without"] if isinstance(one["with"] or one["without"], dict) else [None])
    ]
    names = ("form", "line", "column", "label", "without", "with")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _in(answer: Any, column: str | None) -> Any:
    return answer.get(column) if isinstance(answer, dict) else answer
