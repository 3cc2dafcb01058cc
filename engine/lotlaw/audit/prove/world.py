"""Any possible return, as variables: what a taxpayer file and a ledger can say, and nothing that they cannot.

Rows of Form 8949 stand for all rows like them: for every box one row of any proceeds, cost and adjustment, and one of
collectibles for each part that totals them. Sums of many rows are sums of these few, so nothing is lost. Where lines
are rounded, amounts are whole dollars: the line that takes an amount rounds it before anything else reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import z3

from lotlaw.answers import matches
from lotlaw.formula import Reader, parse
from lotlaw.law import Line, Year
from lotlaw.readings.logic import Logic, Scaled
from lotlaw.schema import limits
from lotlaw.source import Place
from lotlaw.taxpayer import PART_OF

FORM = "form_8949"
UNREPORTED = "none"


@dataclass(frozen=True)
class Row:
    """A sale by what decides where it goes on Form 8949; the same sale goes to another box in another year."""

    term: str
    form_1099: str
    digital: bool
    collectible: bool = False

    @property
    def name(self) -> str:
        """How its variables are called."""
        kinds = {"digital": self.digital, "collectible": self.collectible}
        return ".".join((self.term, self.form_1099, *(kind for kind, holds in kinds.items() if holds)))

    def group(self, year: Year) -> dict[str, Any] | None:
        """Where it goes in a year: its box, part and kind; nowhere if the year's form has no box for it."""
        said = year.documents[FORM].value
        for name, box in said["boxes"].items():
            fits = box["form_1099"] == self.form_1099 and box["digital"] in ("any", self.digital)
            if fits and said["parts"][box["part"]]["term"] == self.term:
                return {"box": name, "part": box["part"], "collectible": self.collectible}
        return None


def rows_of(years: Sequence[Year]) -> list[Row]:
    """The kinds of sales that all of the years' forms have a place for."""
    found = dict.fromkeys(row for year in years for row in (*_boxed(year), *_totalled(year)))
    return [row for row in found if all(row.group(year) for year in years)]


def _boxed(year: Year) -> Iterator[Row]:
    said = year.documents[FORM].value
    for box in said["boxes"].values():
        yield Row(said["parts"][box["part"]]["term"], box["form_1099"], box["digital"] is True)


def _totalled(year: Year) -> Iterator[Row]:
    parts = year.documents[FORM].value["parts"]
    for form in year.forms.values():
        for line in form.lines.values():
            if line.total_of.get("collectible"):
                yield Row(parts[line.total_of["part"]]["term"], UNREPORTED, digital=False, collectible=True)


def columns_of(year: Year) -> dict[str, Mapping[str, Any]]:
    """The columns of Form 8949 that are totalled, by letter."""
    return {letter: said for letter, said in year.documents[FORM].value["columns"].items() if "total" in said}


@dataclass
class World:
    """What one return is given, by name (`taxpayer.carryover.short`, `schedule_d.4`, `form_8949.….d`), as it is asked.

    `bounds` is what is known of it. `mark` tells the variables of one return from those of another.
    """

    logic: Logic
    rows: Sequence[Row]
    mark: str = ""
    amounts: dict[str, Scaled] = field(default_factory=dict)
    flags: dict[str, Any] = field(default_factory=dict)
    bounds: list[Any] = field(default_factory=list)

    def amount(self, name: str, least: int | None = None, most: int | None = None) -> Scaled:
        """An amount, at least and at most so much."""
        if name not in self.amounts:
            term = z3.Real(name + self.mark)
            self.amounts[name] = Scaled(term, self.logic.places)
            self.bounds += [] if least is None else [term >= least]
            self.bounds += [] if most is None else [term <= most]
        return self.amounts[name]

    def flag(self, name: str) -> Any:
        """A yes or no."""
        return self.flags.setdefault(name, z3.Bool(name + self.mark))

    def origin(self, origin: str, unit: str) -> Any:
        """What the taxpayer file or the ledger says."""
        if origin == "ledger.dispositions":
            return z3.Or([self.flag(f"{FORM}.{row.name}") for row in self.rows])
        if unit == "flag":
            return self.flag(origin)
        least, most = limits("taxpayer", origin.partition(".")[2]) if origin.startswith("taxpayer.") else (0, None)
        new = origin not in self.amounts
        amount = self.amount(origin, least, most)
        if new:
            self._agree(origin, amount)
        return amount

    def free(self, origin: str, unit: str) -> Any:
        """What comes from a form that is not looked at: anything of its unit."""
        return self.flag(origin) if unit == "flag" else self.amount(origin)

    def _agree(self, origin: str, amount: Scaled) -> None:
        """What two amounts of a taxpayer file owe to each other."""
        if origin == "taxpayer.deduction":
            self.bounds.append(z3.Implies(self.flag("taxpayer.standard_deduction"), amount.term == 0))
        head, _, name = origin.rpartition(".")
        if name in PART_OF:
            self.bounds.append(amount.term <= self.origin(f"{head}.{PART_OF[name]}", "money").term)

    def total(self, year: Year, line: Line) -> tuple[Mapping[str, Scaled], Any]:
        """The sums of the rows that a line takes, and whether there are any."""
        chosen = [row for row in self.rows if matches(line.total_of, row.group(year) or {})]
        sums = [self.row(year, row) for row in chosen]
        letters = line.columns or (line.total_of["column"],)
        zero = self.logic.const(0)
        totals = {letter: reduce(self.logic.add, (row[letter] for row in sums), zero) for letter in letters}
        return totals, z3.Or([self.flag(f"{FORM}.{row.name}") for row in chosen])

    def row(self, year: Year, row: Row) -> dict[str, Scaled]:
        """The amounts of a row by column; all zero if there is no such row."""
        found = dict[str, Scaled]()
        there = self.flag(f"{FORM}.{row.name}")
        for letter, said in columns_of(year).items():
            name = f"{FORM}.{row.name}.{letter}"
            if "is" in said:
                found[letter] = Reader(self.logic, found).read(parse(said["is"], Place(FORM)))
            elif name in self.amounts:
                found[letter] = self.amounts[name]
            else:
                found[letter] = self.amount(name)
                self.bounds.append(z3.Or(there, found[letter].term == 0))
        return found
