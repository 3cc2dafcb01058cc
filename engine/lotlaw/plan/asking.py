"""What a user asks of a harvest, in words: goals, dollars, percent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from lotlaw.formula import did_you_mean
from lotlaw.plan.goals import CASH, GOALS
from lotlaw.source import refuse

_DOLLARS = re.compile(r"\d{1,3}([,_]?\d{3}){0,3}(\.\d{1,2})?")
_PERCENT = re.compile(r"(\d{1,2}(\.\d{1,4})?)%?")


def goals_of(said: Sequence[str], cash: Decimal | None) -> list[str]:
    """The goals asked for, else all; that of raising cash only with an amount. Raises Problems."""
    for word in said:
        if word not in GOALS:
            raise refuse("--goal", f"no goal '{word}'{did_you_mean(word, GOALS)}; there are {', '.join(GOALS)}")
    if CASH in said and cash is None:
        raise refuse("--goal", "cash needs an amount: --cash 25000")
    wanted = dict.fromkeys([*said, CASH] if said and cash is not None else said or GOALS)
    return [goal for goal in wanted if goal != CASH or cash is not None]


def amount(option: str, text: str) -> Decimal:
    """Dollars. Raises Problems."""
    if not _DOLLARS.fullmatch(text):
        raise refuse(option, f"'{text}' is not an amount in dollars such as 4.95 or 25,000")
    return Decimal(re.sub("[,_]", "", text))


def share(option: str, text: str) -> Decimal:
    """Percent as a share of one. Raises Problems."""
    match = _PERCENT.fullmatch(text)
    if not match:
        raise refuse(option, f"'{text}' is not a percentage such as 0.5%")
    return Decimal(match[1]) / 100
