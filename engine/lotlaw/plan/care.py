"""Words of care: what a plan is and is not, said wherever one is shown."""

from __future__ import annotations

from collections.abc import Sequence

from lotlaw.law import Year

CARE = (
    "This is arithmetic under the cited rules, on what was entered. It is not advice.",
    "A sale has to be real (economic substance): what is done only for the tax can be set aside.",
    "Prices move. The amounts hold for the prices and the day shown, and for lots identified no later than the sale.",
)
DRAFT = "The rules of {year} are a draft: the final forms have not been checked against them."


def words_of_care(years: Sequence[Year], more: Sequence[str] = ()) -> list[str]:
    """What a reader of a plan has to know, drafts and what is `more` to say included."""
    drafts = [DRAFT.format(year=year.year) for year in years if year.status == "draft"]
    return [*CARE, *dict.fromkeys(drafts), *more]


def not_refigured(not_computed: Sequence[str]) -> str:
    """What stands beside every answer."""
    return f"Not figured again, though it may move with income: {'; '.join(not_computed)}"
