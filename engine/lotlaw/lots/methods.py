"""The law of choosing lots, as `methods` of `dispositions.yaml` has it: by when, and who must have been told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from lotlaw.law import Year, spellings
from lotlaw.lots.treatment import FILE, Treatment, missing
from lotlaw.source import Document, Problem

SALE, SETTLEMENT = "sale", "settlement"
SELF = "self"
EVERY = "*"

Said = Mapping[str, Any]


def law_of(law: Treatment) -> Said:
    """The block itself."""
    said: Said = law.said["methods"]
    return said


def known_as(law: Treatment) -> dict[str, str]:
    """Every spelling of every method, and the method it names."""
    return spellings(law_of(law)["names"])


def identified(law: Treatment, asset_class: str) -> Said:
    """By when lots of a class must be identified, and whether a broker must be told."""
    pool = law.classes[asset_class]["pool"]
    said: Said = law_of(law)["identified"][pool]
    return said


def by_settlement(law: Treatment) -> list[str]:
    """The classes whose lots may be identified until a sale settles."""
    return [name for name in law.classes if identified(law, name)["by"] == SETTLEMENT]


def untold(law: Treatment, taxpayer: Said) -> pl.Expr:
    """Whether a broker had to be told and was not, over the columns asset_class, account, date and told (a flag)."""
    own = [name for name, said in taxpayer["accounts"].items() if said.get("custody") == SELF]
    silent = pl.lit(value=False)
    for pool, said in law_of(law)["identified"].items():
        told = said["told_broker"]
        classes = [name for name, one in law.classes.items() if one["pool"] == pool]
        concerned = pl.col("asset_class").is_in(classes) & _required(told, law.names)
        silent = silent | (concerned & ~pl.col("told").fill_null(value=told["assumed"]))
    return silent & ~pl.col("account").is_in(own)


def _required(told: Said, names: Said) -> pl.Expr:
    """Whether on a row's date a broker had to be told."""
    required = pl.lit(value=True)
    if "from" in told:
        required = required & (pl.col("date") >= names[told["from"]])
    if "relief" in told:
        required = required & ~pl.col("date").is_between(told["relief"]["from"], told["relief"]["to"])
    return required


def allowed(only: Said | None, asset: str | None) -> pl.Expr:
    """Whether a method holds, over the columns asset_class and date, by an order for one asset (None: for no one's)."""
    if only is None:
        return pl.lit(value=True)
    held = [_from(name, said) for name, said in only.items() if asset or not said.get("named")]
    return pl.any_horizontal([pl.lit(value=False), *held])


def _from(name: str, said: Said) -> pl.Expr:
    first: date = said.get("from", date.min)
    return (pl.col("asset_class") == name) & (pl.col("date") >= first)


def problems_of(year: Year) -> Iterator[Problem]:
    """What no schema can say of the block: methods, classes, pools, parameters and taxes that do not exist."""
    document = year.documents[FILE]
    said, file = document.value["methods"], document.value
    yield from missing(document, ("methods", "default"), said["default"], said["names"], "method")
    for name, method in said["names"].items():
        for one in method.get("only", ()):
            yield from missing(document, ("methods", "names", name, "only", one), one, file["asset_classes"], "class")
    for n, one in enumerate(said["broker_default"]["classes"]):
        yield from missing(document, ("methods", "broker_default", "classes", n), one, file["asset_classes"], "class")
    for pool in file["pools"]:
        if pool not in said["identified"]:
            yield Problem(document.key("methods", "identified"), f"identified: says nothing of the pool '{pool}'")
    for pool, when in said["identified"].items():
        at = ("methods", "identified", pool)
        yield from missing(document, at, pool, file["pools"], "pool")
        if "from" in when["told_broker"]:
            path = (*at, "told_broker", "from")
            yield from missing(document, path, when["told_broker"]["from"], file["uses"], "parameter in `uses`")
    for n, tax in enumerate(said["own_rates"]["taxes"]):
        yield from _untaxed(year, document, n, tax)


def _untaxed(year: Year, document: Document, n: int, tax: str) -> Iterator[Problem]:
    form, _, export = tax.partition(".")
    exports = year.forms[form].exports if form in year.forms else {}
    if export not in exports and form not in year.not_verified:
        what = f"no tax '{tax}'; a form of the year and one of its exports, such as form_1040.tax"
        yield Problem(document.place("methods", "own_rates", "taxes", n), what)
