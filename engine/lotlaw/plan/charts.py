"""Charts for pages: Vega-Lite drawings with everything they need inside the page, and a table behind each.

A page asks the network for nothing. Numbers stand in it as decimal strings; only the drawing turns them into floats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lotlaw.rendering.amounts import clean
from lotlaw.source import refuse

EXTRA = "charts"
DAYS: dict[str, Any] = {"axis": {"format": "%Y-%m-%d", "tickCount": 6}, "scale": {"padding": 24}}
"""How days stand along an axis."""
GAIN_AND_LOSS = {"domain": ["Gain", "Loss"], "range": ["@gain", "@loss"]}
"""Colours of the page's own, which it knows for light and for dark."""


@dataclass(frozen=True)
class Chart:
    """A drawing: its title, what it shows in a sentence, a Vega-Lite unit or layer without data, and its table.

    `columns` are the table's titles by the name that the drawing knows each by; `kinds` say what the drawing reads as
    numbers; `rows` are texts. `shown` is what the table shows where it is not the same.
    """

    name: str
    title: str
    about: str
    drawing: Mapping[str, Any]
    columns: Mapping[str, str]
    kinds: Mapping[str, str]
    rows: Sequence[Sequence[str]]
    shown: Sequence[Sequence[str]] = ()

    @property
    def table(self) -> Sequence[Sequence[str]]:
        """The rows as a reader sees them."""
        return self.shown or self.rows

    def spec(self) -> dict[str, Any]:
        """The whole Vega-Lite specification."""
        values = [dict(zip(self.columns, map(clean, row), strict=True)) for row in self.rows]
        data = {"values": values, "format": {"type": "json", "parse": dict(self.kinds)}}
        base = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}, "description": self.about}
        return {**base, "data": data, **self.drawing}


def script_of(charts: Sequence[Chart]) -> tuple[str, str]:
    """The drawing library as a script, and the charts' specifications as JSON, as either may stand in a page."""
    specs = json.dumps({chart.name: chart.spec() for chart in charts}, ensure_ascii=False)
    return library(), specs.replace("<", "\\u003c")


@cache
def library() -> str:
    """The drawing library: Vega-Lite with all it needs. Raises Problems if the extra is not installed."""
    try:
        import vl_convert
    except ImportError:
        said = f"charts are drawn by vl-convert-python, which is not here: pip install 'lotlaw[{EXTRA}]'"
        raise refuse("--format html", said) from None
    # Without a snippet, which its types ask for, the library comes bundled; with one it takes seconds.
    script = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    return script.replace("</script", "<\\/script")


def field(name: str, type_: str, title: str | None = None, **more: Any) -> dict[str, Any]:
    """An encoding of a column."""
    return {"field": name, "type": type_, "title": title, **more}


def on_day(name: str) -> dict[str, str]:
    """A day's text as a time at noon, which is on that day wherever the page is read."""
    return {"calculate": f"toDate(datum['{name}'] + 'T12:00:00')", "as": f"{name} at"}


def tooltip(columns: Mapping[str, str], kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """What shows under the pointer: every column."""
    number = {"type": "quantitative", "format": ",.2f"}
    return [
        {"field": name, "title": title or name, **(number if kinds.get(name) == "number" else {"type": "nominal"})}
        for name, title in columns.items()
    ]
