"""Why each line of a return says what it says: the rule in words, what went into it, its citation and its place.

Each line is one entry of the report; what it rests on are links to other entries, down to the rows of Form 8949, the
taxpayer file and the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from lotlaw.explain.amounts import amount, percent
from lotlaw.explain.moving import moves
from lotlaw.explain.saying import Sayer
from lotlaw.formula import Formula
from lotlaw.law import Cite, Form, Line, Year, exported
from lotlaw.rendering.saying import Speaker, Text, called
from lotlaw.source import Place

if TYPE_CHECKING:
    from lotlaw.run import Return


@dataclass(frozen=True)
class Ground:
    """Something that a line rests on: what it is called, what it says, where it leads, its citation if it is law."""

    called: Text
    value: str
    cite: Cite | None = None
    place: str = ""


@dataclass(frozen=True)
class Reason:
    """Why one line says what it says, as the report shows it.

    `decided` says what in the rule decided, `condition` and `skips` are told with why they hold or not; `moves` is what
    would change the line, told of results. `boxes` are the boxes of Form 8949 that it adds up, `sales` which sales
    these are, as the table filters them.
    """

    anchor: str
    called: str
    label: str
    value: str
    says: list[Text]
    formula: str
    decided: str
    condition: list[Text]
    skips: list[list[Text]]
    moves: list[str]
    grounds: list[Ground]
    readers: list[Text]
    cite: Cite
    place: str
    boxes: list[str] = field(default_factory=list)
    sales: str = ""


def results(return_: Return) -> list[Ground]:
    """What the year's rules call the results of a return, each a link to its line; those that are blank left out."""
    found = []
    for name in return_.year.documents["year"].value["results"]:
        answer = answer_of(return_, _result(return_.year, name))
        if answer is not None:
            told = Text(_headed(name.replace("_", " ")), result_href(return_, name))
            found.append(Ground(told, amount(answer)))
    return found


def result_href(return_: Return, name: str) -> str:
    """Where a result of the year's rules (`results` in year.yaml) is explained; nowhere if its form is left out."""
    return _anchor(return_, _result(return_.year, name))


def _result(year: Year, name: str) -> Line:
    form, _, export = year.documents["year"].value["results"][name].partition(".")
    return year.forms[form].lines[year.forms[form].exports[export]]


def reasons(return_: Return) -> list[tuple[str, list[Reason]]]:
    """The entries by form, in the order of the rules, for the forms that the return has."""
    year = return_.year
    forms = [form for form in year.forms.values() if form.name in return_.lines]
    about = _About(
        return_, Sayer(year, return_.taxpayer["filing_status"], return_.names), _readers(return_, forms),
        {_id(_result(year, name)) for name in year.documents["year"].value["results"]},
    )  # fmt: skip
    return [(form.title, [_reason(about, form, line) for line in form.lines.values()]) for form in forms]


@dataclass(frozen=True)
class _About:
    """What all entries are made from: the return, who says what decided, who reads which line, which are results."""

    return_: Return
    sayer: Sayer
    readers: Mapping[tuple[str, str], list[Line]]
    results: set[tuple[str, str]]


def answer_of(return_: Return, line: Line) -> Any:
    """What the line says, if anything; an amount typed for a form that is left out is read all the same."""
    answer = return_.lines.get(line.form, {}).get(line.id)
    if answer is None and line.kind == "input":
        return return_.names.get(line.form, {}).get(line.name) or None
    return answer


def _anchor(return_: Return, line: Line) -> str:
    return f"#why-{line.form}-{line.id}" if line.form in return_.lines else ""


def _reason(about: _About, form: Form, line: Line) -> Reason:
    return_, year = about.return_, about.return_.year
    speaker = Speaker(year, form, partial(_href, return_, form))
    formula, boxes, answer = line.formula, _boxes(return_, line), answer_of(return_, line)
    answered, sales = line.id in return_.lines[form.name], _sales(return_, line, boxes)
    outside = [Text(_outside(line, boxes, sales))]
    return Reason(
        anchor=f"why-{form.name}-{line.id}", called=_headed(called(form, line)), label=line.label,
        value=amount(answer), decided=" ".join(list(about.sayer.sentences(form, line))[1:] if answered else ()),
        says=speaker.said(formula, condition=line.kind == "yes_if") if formula else outside,
        formula=formula.text.strip() if formula else "",
        condition=_held(about, speaker, line.only_if) if line.only_if else [],
        skips=[_held(about, speaker, skip) for skip in line.skips],
        moves=list(moves(return_, line)) if answered and _id(line) in about.results else [],
        grounds=list(_grounds(return_, form, line)),
        readers=[Text(_named(year, one, form), _anchor(return_, one)) for one in about.readers.get(_id(line), ())],
        cite=line.cite, place=rule_at(year, line.place), boxes=boxes,
        sales=sales,
    )  # fmt: skip


def _held(about: _About, speaker: Speaker, condition: Formula) -> list[Text]:
    """A condition in words, and why it holds or does not."""
    why = about.sayer.why(speaker.form, condition)
    return [*speaker.said(condition, condition=True), *([Text(f" ({why})")] if why else [])]


def _headed(text: str) -> str:
    return text[:1].upper() + text[1:]


def rule_at(year: Year, place: Place) -> str:
    """A place in the rules, told from their folder on: a report is the same wherever they lie."""
    folder = f"{year.root.name}/"
    return f"{folder}{place.file.rpartition(folder)[2]}:{place.line}"


def _href(return_: Return, form: Form, name: str) -> str:
    line = _line(return_.year, form, name)
    return _anchor(return_, line) if line else ""


def _line(year: Year, form: Form, name: str) -> Line | None:
    """The line that a name of a form stands for, its own or another form's."""
    if name in form.by_name:
        return form.by_name[name]
    return next(exported(form.inputs[name], year.forms), None) if name in form.inputs else None


def _id(line: Line) -> tuple[str, str]:
    return line.form, line.id


def _named(year: Year, line: Line, here: Form) -> str:
    """A line as another entry calls it, with its form if that is another."""
    said = called(year.forms[line.form], line)
    return said.partition(", ")[2] if line.form == here.name else said


def _outside(line: Line, boxes: list[str], sales: str) -> str:
    if line.kind == "total_of":
        kept = {"collectible": "collectibles among the "}
        which = "".join(said for key, said in kept.items() if line.total_of.get(key))
        return f"the totals of the {which}sales on Form 8949 with box {' or '.join(boxes)} checked"
    given = f"an amount that is given in the taxpayer file, under inputs, {line.form}, {line.id}"
    return f"the totals of the sales that go straight to this line, and {given}, if any" if sales else given


def _names(line: Line) -> list[str]:
    formulas = (line.formula, line.only_if, *line.skips)
    return list(dict.fromkeys(name for formula in formulas if formula for name in sorted(formula.names)))


def _readers(return_: Return, forms: list[Form]) -> dict[tuple[str, str], list[Line]]:
    """The lines that read a line, each once, of the forms that the return has."""
    found: dict[tuple[str, str], list[Line]] = {}
    for form in forms:
        for line in form.lines.values():
            read = (_line(return_.year, form, name) for name in _names(line))
            for other in dict.fromkeys(_id(other) for other in read if other):
                found.setdefault(other, []).append(line)
    return found


def _grounds(return_: Return, form: Form, line: Line) -> Iterator[Ground]:
    """What the line's formulas read, with what it says here: lines, parameters and functions, what was given."""
    year, seen = return_.year, set[tuple[str, str]]()
    for name in _names(line):
        other = _line(year, form, name)
        if other and _id(other) not in seen:
            seen.add(_id(other))
            told = Text(f"{_named(year, other, form)}: {other.label}", _anchor(return_, other))
            yield Ground(told, amount(answer_of(return_, other)))
        elif not other and name in form.inputs:
            yield _given(return_, form, name)
        elif not other and name in year.parameters:
            yield _parameter(return_, name)
    formulas = [formula for formula in (line.formula, line.only_if, *line.skips) if formula]
    for name in sorted({name for formula in formulas for name in formula.calls & set(year.functions)}):
        function = year.functions[name]
        told = Text(f"{function.label}: {function.formula.text}")
        yield Ground(told, "", function.cite, rule_at(year, function.formula.place))
        yield from (_parameter(return_, parameter) for parameter in function.uses)


def _given(return_: Return, form: Form, name: str) -> Ground:
    source = form.inputs[name]
    where, _, rest = source.origin.partition(".")
    told, link = f"the taxpayer file: {rest.replace('.', ', ')}", ""
    if where == "ledger":
        told, link = "the ledger", "#income" if "income" in rest else "#sales"
    elif where in return_.year.not_verified:
        told = return_.year.not_verified[where]
    label = source.label or name.replace("_", " ")
    value = amount(return_.names[form.name].get(name))
    return Ground(Text(f"{label}, from {told}", link), value, None, rule_at(return_.year, source.place))


def _parameter(return_: Return, name: str) -> Ground:
    year = return_.year
    parameter = year.parameters[name]
    value = year.parameter(name, return_.taxpayer["filing_status"])
    said = _table(value) if isinstance(value, list) else _value("rate" if parameter.unit == "rate" else "", value)
    return Ground(Text(parameter.label), said, parameter.cite, rule_at(year, parameter.place))


def _table(rows: list[Mapping[str, Any]]) -> str:
    """A table of the law on one line: `up to 11,925 rate 10%; up to 48,475 rate 12%`."""
    return "; ".join(" ".join(f"{key.replace('_', ' ')} {_value(key, row[key])}" for key in row) for row in rows)


def _value(key: str, value: Any) -> str:
    return percent(value) if key == "rate" else amount(value)


def _sales(return_: Return, line: Line, boxes: list[str]) -> str:
    """Which sales a line adds up, for the table: `box=D,E,F;collectible=1`, or those that go straight to it."""
    if not boxes:
        here = f"{line.form}.{line.id}"
        return f"line={here}" if here in set(return_.laid.direct["line"]) else ""
    kept = [f"box={','.join(boxes)}", *(["collectible=1"] if line.total_of.get("collectible") else [])]
    return ";".join([*kept, *(["line="] if return_.laid.direct.height else [])])


def _boxes(return_: Return, line: Line) -> list[str]:
    """The boxes of Form 8949 whose rows a total adds up; of one that goes by part, those of the part."""
    if line.kind != "total_of":
        return []
    boxes = return_.year.documents["form_8949"].value["boxes"]
    part = line.total_of.get("part")
    return list(line.total_of.get("boxes") or [box for box, said in boxes.items() if part in (None, said["part"])])
