"""Why a line says what it says: its formula, what went in, the rule's place, the law, and the rows it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lotlaw.answers import matches
from lotlaw.law import Form, Line, Year, exported, find_line
from lotlaw.run import Return

ROWS_SHOWN = 5
INDENT = "  "


def explain(return_: Return, said: str, *, rows: int = ROWS_SHOWN) -> str:
    """A line (`schedule_d.21`) and every line, parameter, typed amount and transaction it rests on, as text.

    Each line is explained once, where it is first needed; blank lines are named, not followed. Raises Problems for an
    unknown line.
    """
    line = find_line(return_.year, said)
    return "\n".join(_Explanation(return_, rows).line(line, "")) + "\n"


@dataclass
class _Explanation:
    return_: Return
    rows: int
    done: set[tuple[str, str]] = field(default_factory=set)

    @property
    def year(self) -> Year:
        return self.return_.year

    def line(self, line: Line, indent: str) -> Iterator[str]:
        form = self.year.forms[line.form]
        answer = self.return_.lines.get(line.form, {}).get(line.id)
        yield f"{indent}{form.title}, {_number(line)}: {line.label}"
        yield f"{indent}  {amount(answer)}"
        if (line.form, line.id) in self.done:
            yield f"{indent}  explained above"
            return
        self.done.add((line.form, line.id))
        yield from self._rule(line, indent + INDENT)
        yield from self._operands(form, line, indent + INDENT, blank=answer is None)

    def _rule(self, line: Line, indent: str) -> Iterator[str]:
        if line.formula:
            yield f"{indent}= {line.formula.text}"
        if line.only_if:
            yield f"{indent}only if {line.only_if.text}"
        yield from (f"{indent}skipped if {skip.text}" for skip in line.skips)
        yield f"{indent}rule: {line.place.file}:{line.place.line}"
        yield from _law(line.cite, indent)

    def _operands(self, form: Form, line: Line, indent: str, *, blank: bool) -> Iterator[str]:
        if line.kind == "total_of" and not blank:
            yield from self._transactions(line, indent)
        if line.kind == "input" and not blank:
            yield f"{indent}given in the taxpayer file: inputs, {line.form}, {line.id}"
        formulas = [line.only_if, *line.skips] if blank else [line.formula, line.only_if, *line.skips]
        whole = form.only_if if blank and not line.from_outside else None
        if whole and not self.return_.names[form.name].get("", True):
            yield f"{indent}the form applies only if {whole.text}"
        names = dict.fromkeys(name for formula in (*formulas, whole) if formula for name in sorted(formula.names))
        for name in names:
            yield from self._name(form, name, indent)

    def _name(self, form: Form, name: str, indent: str) -> Iterator[str]:
        by_name = {other.name: other for other in form.lines.values()}
        base = name.rsplit("_", 1)[0]
        other = by_name.get(name) or by_name.get(base)
        if other is None and name in form.inputs:
            other = next(exported(form.inputs[name], self.year.forms), None)
        if other is not None:
            yield from self._line_or_mention(other, indent)
        elif name in form.inputs:
            yield from self._given(form, name, indent)
        else:
            yield from self._parameter(name, indent)

    def _line_or_mention(self, line: Line, indent: str) -> Iterator[str]:
        if line.id in self.return_.lines.get(line.form, {}):
            yield from self.line(line, indent)
        else:
            yield f"{indent}{self.year.forms[line.form].title}, {_number(line)}: {line.label}"
            yield f"{indent}  blank, read as 0 ({line.place.file}:{line.place.line})"

    def _given(self, form: Form, name: str, indent: str) -> Iterator[str]:
        source = form.inputs[name]
        where, _, rest = source.origin.partition(".")
        value = self.return_.names[form.name].get(name)
        yield f"{indent}{source.label or name}: {amount(value)}"
        if where == "taxpayer":
            yield f"{indent}  given in the taxpayer file: {rest.replace('.', ', ')}"
        elif where in self.year.not_verified:
            yield f"{indent}  {self.year.not_verified[where]}"
        else:
            yield f"{indent}  from the ledger ({source.place.file}:{source.place.line})"
            yield from self._income(indent + INDENT) if isinstance(value, Decimal) else ()

    def _parameter(self, name: str, indent: str) -> Iterator[str]:
        parameter = self.year.parameters[name]
        value = self.year.parameter(name, self.return_.taxpayer["filing_status"])
        yield f"{indent}{parameter.label}: {amount(value)}"
        yield f"{indent}  rule: {parameter.place.file}:{parameter.place.line}"
        yield from _law(parameter.cite, indent + INDENT)

    def _transactions(self, line: Line, indent: str) -> Iterator[str]:
        """The Form 8949 rows behind a total, each with the rows of the CSV files it was matched from."""
        from lotlaw.render import sources_of

        wanted = [row for row in self.return_.rows.iter_rows(named=True) if matches(line.total_of, row)]
        sources = sources_of(self.return_)
        for row, said in zip(wanted[: self.rows], _few(sources, self.return_, line, self.rows), strict=False):
            gain = Decimal(row["gain"]).scaleb(-2)
            yield f"{indent}{row['description']}, sold {row['sold']}: {amount(gain)}  <- {', '.join(said)}"
        if len(wanted) > self.rows:
            yield f"{indent}and {len(wanted) - self.rows:,} more rows of Form 8949"

    def _income(self, indent: str) -> Iterator[str]:
        files, rows = self.return_.ledger.files, self.return_.ledger.rows
        events = [row for row in self.return_.income.iter_rows(named=True) if row["counted"]]
        for event in events[: self.rows]:
            at = rows.row(event["row"], named=True)
            where = f"{files[at['file']].name}:{at['line']}"
            yield f"{indent}{event['kind']} {event['asset']}: {amount(event['amount'])}  <- {where}"
        if len(events) > self.rows:
            yield f"{indent}and {len(events) - self.rows:,} more"


def _few(sources: Any, return_: Return, line: Line, most: int) -> list[list[str]]:
    chosen = [n for n, row in enumerate(return_.rows.iter_rows(named=True)) if matches(line.total_of, row)]
    return [sources[n] for n in chosen[:most]]


def _law(cite: Any, indent: str) -> Iterator[str]:
    if cite.title:
        yield f"{indent}law: {cite}" + (f' "{cite.quote}"' if cite.quote else "")


def _number(line: Line) -> str:
    return f"line {line.id}" if line.id[0].isdigit() else line.id.replace("_", " ")


def amount(value: Any) -> str:
    """A value as a reader expects it: 3,000 or (1,500.25), yes, or 12 % brackets in a few words."""
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "  ".join(f"({column}) {amount(item)}" for column, item in value.items())
    if isinstance(value, (int, Decimal)):
        return f"({-value:,})" if value < 0 else f"{value:,}"
    if isinstance(value, list):
        return f"a table of {len(value)} rows"
    return str(value)
