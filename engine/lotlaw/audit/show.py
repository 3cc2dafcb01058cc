"""`lotlaw rules show`: a year's rules as they hold, each with its place, its citation and its status.

A value is `statutory` (the law itself says it), `published` (adjusted every year, and read in what the IRS published),
`projected` (an estimate) or `draft` (nobody has read it yet). A form is `published` or `draft`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lotlaw.audit.entries import named, path_of, told, tree
from lotlaw.explain.amounts import amount
from lotlaw.formula import did_you_mean
from lotlaw.law import Cite, Form, Line, Parameter, Year, find_line
from lotlaw.rendering.saying import Speaker
from lotlaw.rules import PUBLISHED, TABLES, load, sources_of
from lotlaw.source import refuse

DRAFT = "draft"
Said = dict[str, Any]


def show(year_number: int, form: str | None = None, line: str | None = None, rules: Path | None = None) -> str:
    """The year on one page, a form or file, or a line or entry of it, as text. Raises Problems for an unknown name."""
    year = load(year_number, rules)
    if form is None:
        said = _year(year)
    elif form == "parameters" and line is not None:
        said = _parameter(named(line, year.parameters, f"the numbers of {year_number}"))
    elif form in TABLES and line is not None:
        said = _part(year, form, line)
    elif line is not None:
        said = _line(year, find_line(year, f"{form}.{line}"))
    elif form == "parameters":
        said = (text for parameter in year.parameters.values() for text in _parameter(parameter))
    elif form in TABLES:
        said = _table(year, form)
    else:
        said = _form(year, _found(year, form))
    return "\n".join(said) + "\n"


def facts(year_number: int, form: str | None = None, line: str | None = None, rules: Path | None = None) -> Said:
    """The same for programs. Raises Problems for an unknown name."""
    year = load(year_number, rules)
    if form == "parameters" and line is not None:
        return parameter_facts(named(line, year.parameters, f"the numbers of {year_number}"))
    if form in TABLES and line is not None:
        document, path = year.documents[form], path_of(year.documents[form], line)
        return {"place": str(document.key(*path)), "says": plain(document.at(path))}
    if line is not None:
        return line_facts(find_line(year, f"{form}.{line}"))
    if form == "parameters":
        return {name: parameter_facts(parameter) for name, parameter in year.parameters.items()}
    if form in TABLES:
        return {**file_facts(year, form), "says": plain(year.documents[form].value)}
    if form is not None:
        return form_facts(year, _found(year, form))
    return {
        "year": year.year, "status": year.status, "digest": year.digest,
        "files": {name: file_facts(year, name) for name in year.origins},
        "not_verified": dict(year.not_verified), "errata": errata_of(year),
        "parameters": {name: parameter_facts(parameter) for name, parameter in year.parameters.items()},
        "forms": {name: form_facts(year, found) for name, found in year.forms.items()},
    }  # fmt: skip


def status_of(parameter: Parameter) -> str:
    """Whether a value is the law's own, published, projected or unread."""
    if parameter.unread:
        return DRAFT
    return "projected" if parameter.projected else PUBLISHED if parameter.indexed else "statutory"


def file_facts(year: Year, name: str) -> Said:
    """Where a file of the year comes from, and who compared it with what."""
    pin = year.documents["year"].value["files"][name]
    said: Said = {"file": year.documents[name].file, "title": title_of(year, name), "from": year.origins[name]}
    if isinstance(pin, Mapping):
        said |= {key: str(pin[key]) for key in ("checked", "by", "unchecked") if key in pin}
        if "against" in pin:
            said["against"] = _source(year, pin["against"])
    said["status"] = DRAFT if "unchecked" in said else year.status
    return said


def errata_of(year: Year) -> list[Said]:
    """The corrections of a year since it was published."""
    errata = year.documents["year"].value.get("errata") or ()
    return [{**{k: str(e[k]) for k in ("date", "was", "reason")}, "source": _source(year, e["cite"])} for e in errata]


def title_of(year: Year, name: str) -> str:
    """The title of a file."""
    return str(year.documents[name].value.get("title", "Parameters")) if name != "parameters" else "Parameters"


def _source(year: Year, cite: Mapping[str, Any]) -> str:
    source = year.documents["year"].value["sources"].get(cite["source"], {"title": cite["source"]})
    return f"{source['title']}, {cite['at']}" if "at" in cite else str(source["title"])


def parameter_facts(parameter: Parameter) -> Said:
    """A parameter: label, unit, value, status, citation, place."""
    return {
        "label": parameter.label, "unit": parameter.unit, "value": plain(parameter.value),
        "status": status_of(parameter), "cite": cite_facts(parameter.cite), "place": str(parameter.place),
    }  # fmt: skip


def form_facts(year: Year, form: Form) -> Said:
    """A form: title, status, condition, inputs, lines."""
    return {
        "title": form.title, "status": file_facts(year, form.name)["status"], "file": form.document.file,
        "from": year.origins[form.name], "cite": cite_facts(form.cite),
        "only_if": form.only_if.text.strip() if form.only_if else "",
        "inputs": {name: {"unit": i.unit, "from": i.origin, "label": i.label} for name, i in form.inputs.items()},
        "lines": {id_: line_facts(line) for id_, line in form.lines.items()},
        "exports": dict(form.exports),
    }  # fmt: skip


def line_facts(line: Line) -> Said:
    """A line: label, what it is, when it applies, citation, place."""
    return {
        "label": line.label, "kind": line.kind, "rule": rule_of(line),
        "only_if": line.only_if.text.strip() if line.only_if else "", "skipped_if": [s.text for s in line.skips],
        "to": line.to, "on_form": line.on_form, "cite": cite_facts(line.cite), "place": str(line.place),
    }  # fmt: skip


def cite_facts(cite: Cite) -> Said:
    """A citation: title, address, place in it, words."""
    return {key: value for key, value in vars(cite).items() if value}


def rule_of(line: Line) -> str:
    """What a line is, as the file says it: its formula, or what it totals, or that it is typed."""
    if line.formula:
        return line.formula.text.strip()
    total = ", ".join(f"{key} {told(value)}" for key, value in line.total_of.items())
    return f"total of Form 8949: {total}" if total else "given by the taxpayer"


def plain(value: Any) -> Any:
    """A value of a rule file as JSON knows it: dates and exact decimals are text."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if isinstance(value, (bool, int)) or value is None else str(value)


def _year(year: Year) -> Iterator[str]:
    yield f"Tax year {year.year}, {year.status}. Digest {year.digest}"
    yield ""
    for name in year.origins:
        yield from _file(name, file_facts(year, name))
    for name, why in year.not_verified.items():
        yield f"  {name:<24} not verified: {why}"
    for erratum in errata_of(year):
        yield f"  erratum of {erratum['date']}: {erratum['reason']} ({erratum['source']})"
    yield ""
    for parameter in year.parameters.values():
        yield from _parameter(parameter)
    yield ""
    said = f"`lotlaw rules show {year.year}"
    yield f"{said} FORM` has the lines of a form, {said} FORM LINE` a line in words."


def _file(name: str, said: Said) -> Iterator[str]:
    yield f"  {name:<24} {said['title']} ({said['status']})"
    yield f"  {'':<24} {said['file']}"
    if "unchecked" in said:
        yield f"  {'':<24} as in {said['from']}, unchecked: {said['unchecked']}"
    elif "checked" in said:
        yield f"  {'':<24} as in {said['from']}, compared with {said['against']} on {said['checked']} by {said['by']}"


def _parameter(parameter: Parameter) -> Iterator[str]:
    yield f"{parameter.name} ({parameter.unit}, {status_of(parameter)}): {parameter.label}"
    yield from (f"  {text}" for text in value_lines(parameter.value, parameter.unit))
    yield f"  {parameter.place.file}:{parameter.place.line}  {parameter.cite}"
    for word, why in (("unread", parameter.unread), ("projected", parameter.projected)):
        if why:
            yield f"  {word}: {why}"


def value_lines(value: Any, unit: str) -> Iterator[str]:
    """A value as a reader expects it: one line, or one a row."""
    if isinstance(value, dict):
        yield "  ".join(f"{key} {said_value(item, unit)}" for key, item in value.items())
    elif isinstance(value, list):
        for row in value:
            cells = ((key, "rate" if key == "rate" else "money", item) for key, item in row.items())
            yield "; ".join(f"{key.replace('_', ' ')} {', '.join(value_lines(item, u))}" for key, u, item in cells)
    else:
        yield said_value(value, unit)


def said_value(value: Any, unit: str) -> str:
    """A single value: 3,000 or 15% or 2025-01-01."""
    return f"{(value * 100).normalize():f}%" if unit == "rate" else amount(value)


def _table(year: Year, name: str) -> Iterator[str]:
    """A file that holds tables: each entry with its place; what holds entries itself, entry by entry."""
    document, facts_ = year.documents[name], file_facts(year, name)
    yield f"{facts_['title']} ({document.file}; {facts_['status']})"
    for key, value in document.value.items():
        if key != "title":
            yield from tree(document, sources_of(year, name), (key,), value)


def _part(year: Year, name: str, said: str) -> Iterator[str]:
    """A section of a file of tables, or an entry of one: `kinds`, `kinds.gift_in`."""
    document = year.documents[name]
    path = path_of(document, said)
    yield f"{title_of(year, name)} of {year.year} ({file_facts(year, name)['status']})"
    yield from tree(document, sources_of(year, name), path, document.at(path))


def _found(year: Year, name: str) -> Form:
    if name in year.not_verified:
        raise refuse(name, year.not_verified[name])
    if name not in year.forms:
        known = ["parameters", *TABLES, *year.forms]
        raise refuse(name, f"no such form in {year.year}{did_you_mean(name, known)}; there are {', '.join(known)}")
    return year.forms[name]


def _form(year: Year, form: Form) -> Iterator[str]:
    status = file_facts(year, form.name)["status"]
    yield f"{form.title} ({form.document.file}; {form.cite}; {status})"
    if form.only_if:
        yield f"  only if {form.only_if.text.strip()}"
    for source in form.inputs.values():
        yield f"  {source.name} ({source.unit}) from {source.origin}"
    for line in form.lines.values():
        law = f"; {line.cite}" if line.cite != form.cite else ""
        yield from (f"  {text}" for text in _brief(line, law))


def _brief(line: Line, law: str = "") -> Iterator[str]:
    condition = f"  [only if {line.only_if.text.strip()}]" if line.only_if else ""
    yield f"{line.id:>4}  {line.label}"
    yield f"      {rule_of(line)}{condition}  ({line.place.file}:{line.place.line}{law})"


def _line(year: Year, line: Line) -> Iterator[str]:
    yield f"{year.forms[line.form].title} of {year.year} ({file_facts(year, line.form)['status']})"
    yield from _brief(line)
    yield from (f"      {text}" for text in _in_words(year, line))
    yield f"      {line.cite}" + (f' "{line.cite.quote}"' if line.cite.quote else "")
    if line.to:
        yield f"      goes to {line.to}"


def _in_words(year: Year, line: Line) -> Iterator[str]:
    """A line's rule as a sentence, when it is skipped, and the numbers that it reads."""
    says = Speaker(year, year.forms[line.form], lambda _: "")
    if line.formula:
        asked = "yes if " if line.kind == "yes_if" else ""
        yield asked + says.text(line.formula, condition=line.kind == "yes_if")
    if line.only_if:
        yield f"only if {says.text(line.only_if, condition=True)}; otherwise blank"
    yield from (f"skipped if {says.text(skip, condition=True)}" for skip in line.skips)
    read = {name for formula in (line.formula, line.only_if, *line.skips) if formula for name in formula.names}
    for parameter in (year.parameters[name] for name in sorted(read) if name in year.parameters):
        yield f"{parameter.name} ({status_of(parameter)}): {'; '.join(value_lines(parameter.value, parameter.unit))}"
