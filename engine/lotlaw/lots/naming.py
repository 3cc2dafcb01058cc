"""Sales that name their lots: `lot` holds the id of an acquisition, or several as `id:quantity id:quantity`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from lotlaw.formula import did_you_mean
from lotlaw.lots.events import PLACES, Events, owner
from lotlaw.source import Problem

_QUANTITY = re.compile(r"\d{1,20}(\.\d{1,18})?")

Named = list[tuple[int, int | None]]
Known = Mapping[str, list[tuple[int, str, str]]]
"""By id, the rows that have it: row, kind and what the row receives. Each taxpayer's ids are their own."""


def named_lots(events: Events) -> tuple[dict[int, Named], list[Problem]]:
    """By row of a sale, the rows of the lots it names, with the units of each at the ledger's decimals (None: all)."""
    rows = events.rows
    asking = rows.filter(pl.col("lot").is_not_null())
    if asking.is_empty():
        return {}, []
    known: dict[str, dict[str, list[tuple[int, str, str]]]] = {}
    for id_, account, *said in rows.filter(pl.col("external_id").is_not_null()).select(_SAID).iter_rows():
        known.setdefault(owner(account), {}).setdefault(id_, []).append((said[0], said[1], said[2]))
    picks: dict[int, Named] = {}
    problems: list[Problem] = []
    for row, kind, asset, lot in asking.select("row", "kind", "out_asset", "lot").iter_rows():
        try:
            picks[row] = _named(events, kind, asset, lot, known.get(owner(asset), {}))
        except ValueError as error:
            problems.append(Problem(events.place(row), str(error)))
    return picks, problems


_SAID = ("external_id", "account", "row", "kind", "in_asset")


def _named(events: Events, kind: str, asset: str, lot: str, known: Known) -> Named:
    if not events.treatment.kinds[kind].sells:
        raise ValueError(f"a {kind} cannot name lots; a sale can")
    return [_one(events, asset, word, known) for word in lot.split()]


def _one(events: Events, asset: str, word: str, known: Known) -> tuple[int, int | None]:
    id_, colon, quantity = word.rpartition(":")
    if word in known or not colon:
        id_, quantity = word, ""
    if quantity and (not _QUANTITY.fullmatch(quantity) or not Decimal(quantity)):
        raise ValueError(f"lot '{word}': '{quantity}' is not a quantity; write id, or id:quantity id:quantity")
    if id_ not in known:
        raise ValueError(f"no row has the id '{id_}' that this sale names{did_you_mean(id_, known)}")
    kinds = events.treatment.kinds
    opening = [row for row, kind, opened in known[id_] if kinds[kind].opens and opened == asset]
    if len(opening) != 1:
        what = "opens no lot" if not opening else "opens several lots"
        raise ValueError(f"the row with the id '{id_}' {what} of {asset}")
    return opening[0], int(Decimal(quantity).scaleb(PLACES)) if quantity else None
