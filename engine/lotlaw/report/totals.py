"""The totals of Form 8949 by box, for a report whose pages are too many to show."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from lotlaw.rendering.amounts import printed
from lotlaw.rendering.rows import boxes_of, by_box, columns_of, totals_by_column

if TYPE_CHECKING:
    from lotlaw.run import Return


def totals(return_: Return) -> list[dict[str, object]]:
    """Each box that has rows: its letter and label, how many rows, and what its columns come to as (heading, text)."""
    columns = columns_of(return_.year, return_.laid.rows)
    headings = {c.letter: f"({c.letter}) {c.label}" for c in columns}
    labels = {box: said["label"] for box, said in boxes_of(return_.year).items()}
    return [
        {
            "box": box, "label": labels[box], "rows": f"{part.height:,}",
            "cells": [
                (headings[letter], printed(Decimal(cents).scaleb(-2), whole=False))
                for letter, cents in totals_by_column(columns, part).items()
            ],
        }
        for box, part in (by_box(return_, return_.laid.rows) if return_.laid.rows.height else ())
    ]  # fmt: skip
