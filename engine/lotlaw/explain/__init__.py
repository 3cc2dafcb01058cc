"""Why a line says what it says: its formula, what went in, the rule's place, the law, and the rows it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from lotlaw.explain.amounts import amount, percent
from lotlaw.explain.moving import moves
from lotlaw.explain.saying import Sayer
from lotlaw.law import Cite, Form, Line, Year, exported, find_line
from lotlaw.rendering import sources_of
from lotlaw.rendering.amounts import printed
from lotlaw.rendering.saying import line_called
from lotlaw.run import Return

ROWS_SHOWN = 5
INDENT = "  "


def explain(return_: Return, said: str, *, rows: int = ROWS_SHOWN) -> str:
    """A line (`schedule_d.21`) and all it rests on: lines, parameters, typed amounts, transactions; as text.

    Each line is said in words, with what decided it, and explained once, where it is first needed; blank lines are
    named, not followed. Last stands what would change the line that was asked for. Raises Problems for an unknown line.
    """
    line = find_line(return_.year, said)
    return "\n".join((*_Explanation(return_, rows).line(line, ""), *_changes(return_, line))) + "\n"


def _changes(return_: Return, line: Line) -> Iterator[str]:
    """What would change a line, and what would not."""
    told = list(moves(return_, line))
    if told:
        yield f"What would change {line_called(line)}"
        yield from (f"{INDENT}{sentence}" for sentence in told)


@dataclass
class _Explanation:
    return_: Return
    rows: int
    done: set[tuple[str, str]] = field(default_factory=set)

    @property
    def year(self) -> Year:
        return self.return_.year

    @cached_property
    def sayer(self) -> Sayer:
        return Sayer(self.year, self.return_.taxpayer["filing_status"], self.return_.names)

    def line(self, line: Line, indent: str) -> Iterator[str]:
        answer = self._answer(line)
        yield f"{indent}{self._called(line)}: {line.label}"
        inner = indent + INDENT
        if (line.form, line.id) in self.done:
            yield f"{inner}{amount(answer)}, explained above"
            return
        self.done.add((line.form, line.id))
        form = self.year.forms[line.form]
        yield inner + _worked(line, answer)
        yield from (inner + sentence for sentence in (self.sayer.sentences(form, line) if answer is not None else ()))
        if line.only_if:
            yield f"{inner}only if {line.only_if.text}: {self.sayer.why(form, line.only_if)}"
        yield from (f"{inner}skipped if {skip.text}: {self.sayer.why(form, skip)}" for skip in line.skips)
        yield f"{inner}{line.place.file}:{line.place.line}; {_law(line.cite)}"
        yield from self._grounds(self.year.forms[line.form], line, inner, blank=answer is None)

    def _answer(self, line: Line) -> Any:
        """What the line says, if anything; an amount typed for a form that is left out is read all the same."""
        answer = self.return_.lines.get(line.form, {}).get(line.id)
        if answer is None and line.kind == "input":
            return self.return_.names[line.form].get(line.name) or None
        return answer

    def _called(self, line: Line) -> str:
        return f"{self.year.forms[line.form].title.split(', ')[0]}, {line_called(line)}"

    def _grounds(self, form: Form, line: Line, indent: str, *, blank: bool) -> Iterator[str]:
        """What the line's value rests on; of a blank line, what makes it blank."""
        if blank and form.only_if and not line.from_outside and line.form not in self.return_.lines:
            yield f"{indent}the form applies only if {form.only_if.text}: {self.sayer.why(form, form.only_if)}"
            yield from self._operands(form, sorted(form.only_if.names), indent)
            return
        if line.kind == "total_of" and not blank:
            yield from self._transactions(line, indent)
        if line.kind == "input" and not blank:
            yield from self._sales(pl.col("line") == f"{line.form}.{line.id}", "sales", indent)
        if line.kind == "input" and (blank or self._typed(line)):
            yield f"{indent}{'not given' if blank else 'given'} in the taxpayer file: inputs, {line.form}, {line.id}"
            if form.only_if and not blank and line.form not in self.return_.lines:
                yield f"{indent}the form itself is left out; it applies only if {form.only_if.text}"
        formulas = [None if blank else line.formula, line.only_if, *line.skips]
        names = dict.fromkeys(name for formula in formulas if formula for name in sorted(formula.names))
        yield from self._operands(form, list(names), indent)
        for name in sorted(
            {name for formula in formulas if formula for name in formula.calls & set(self.year.functions)}
        ):
            yield from self._function(name, indent)

    def _function(self, name: str, indent: str) -> Iterator[str]:
        """Law that several forms use, and the parameters in it; said once."""
        function = self.year.functions[name]
        yield f"{indent}{name}: {function.label}"
        if ("", name) in self.done:
            yield f"{indent}  explained above"
            return
        self.done.add(("", name))
        yield f"{indent}  {function.formula.text}"
        yield f"{indent}  {function.formula.place.file}:{function.formula.place.line}; {_law(function.cite)}"
        for parameter in function.uses:
            yield from self._parameter(parameter, indent + INDENT)

    def _operands(self, form: Form, names: list[str], indent: str) -> Iterator[str]:
        lines, blanks = [], []
        for name in names:
            line = form.by_name.get(name)
            if line is None and name in form.inputs:
                line = next(exported(form.inputs[name], self.year.forms), None)
            if line is None:
                yield from self._given(form, name, indent)
            elif self._answer(line) is not None:
                lines.append(line)
            else:
                blanks.append(line)
        for line in lines:
            yield from self.line(line, indent)
        for form_name in dict.fromkeys(line.form for line in blanks):
            yield f"{indent}blank, read as 0: {self._blanks([line for line in blanks if line.form == form_name])}"

    def _blanks(self, lines: list[Line]) -> str:
        """Lines of one form, and where they stand."""
        lines = sorted({line.id: line for line in lines}.values(), key=lambda line: line.place.line)
        where = ", ".join(str(line.place.line) for line in lines)
        rest = "".join(f", {line.id}" for line in lines[1:])
        return f"{self._called(lines[0])}{rest} ({lines[0].place.file}:{where})"

    def _given(self, form: Form, name: str, indent: str) -> Iterator[str]:
        if name not in form.inputs:
            yield from self._parameter(name, indent)
            return
        source = form.inputs[name]
        at = f"{source.place.file}:{source.place.line}"
        where, _, rest = source.origin.partition(".")
        value = self.return_.names[form.name].get(name)
        yield f"{indent}{source.label or name}: {amount(value)}"
        if where == "taxpayer":
            yield f"{indent}  from the taxpayer file: {rest.replace('.', ', ')} ({at})"
        elif where in self.year.not_verified:
            yield f"{indent}  {self.year.not_verified[where]} ({at})"
        else:
            yield f"{indent}  from the ledger ({at})"
            yield from self._income(indent + INDENT) if isinstance(value, Decimal) else ()

    def _parameter(self, name: str, indent: str) -> Iterator[str]:
        parameter = self.year.parameters[name]
        value = self.year.parameter(name, self.return_.taxpayer["filing_status"])
        yield f"{indent}{parameter.label}: {percent(value) if parameter.unit == 'rate' else amount(value)}"
        yield f"{indent}  {parameter.place.file}:{parameter.place.line}; {_law(parameter.cite)}"

    def _transactions(self, line: Line, indent: str) -> Iterator[str]:
        """The Form 8949 rows behind a total, each with the rows of the files it was matched from."""
        kept = [pl.col(key).is_in(values) for key, values in _keys(line.total_of)]
        yield from self._sales(pl.all_horizontal(pl.col("line").is_null(), *kept), "rows of Form 8949", indent)

    def _typed(self, line: Line) -> bool:
        """Whether the taxpayer file gives an amount of the line."""
        return bool(self.return_.taxpayer["inputs"].get(line.form, {}).get(line.id))

    def _sales(self, kept: pl.Expr, called: str, indent: str) -> Iterator[str]:
        known = self.return_.rows.with_columns(self.return_.laid.line, source=sources_of(self.return_))
        rows = known.filter(kept)
        for row in rows.head(self.rows).iter_rows(named=True):
            gain = printed(Decimal(row["gain"]).scaleb(-2), whole=False)
            yield f"{indent}{row['description']}, sold {row['sold']}: {gain}, from {', '.join(row['source'])}"
        if rows.height > self.rows:
            yield f"{indent}and {rows.height - self.rows:,} more {called}"

    def _income(self, indent: str) -> Iterator[str]:
        ledger = self.return_.ledger
        events = self.return_.income.filter("counted")
        for event in events.head(self.rows).iter_rows(named=True):
            at = ledger.rows.row(event["row"], named=True)
            where = f"{ledger.files[at['file']].name}:{at['line']}"
            yield f"{indent}{event['kind']} {event['asset']}: {amount(event['amount'])}, from {where}"
        if events.height > self.rows:
            yield f"{indent}and {events.height - self.rows:,} more"


def _keys(wanted: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The columns of rows that a `total_of` looks at, and the values it wants there."""
    for key, value in wanted.items():
        if key != "column":
            yield ("box" if key == "boxes" else key), (value if key == "boxes" else [value])


def _law(cite: Cite) -> str:
    return str(cite) + (f' "{cite.quote}"' if cite.quote else "")


def _worked(line: Line, answer: Any) -> str:
    """The value and its formula; of a blank line, what it would be."""
    between = "; where it applies, " if answer is None else " = "
    return amount(answer) + (between + line.formula.text if line.formula else "")
