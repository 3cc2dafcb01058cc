"""The pages of a rulebook: what each shows, for templates that only show it (forms/rulebook)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lotlaw import __version__
from lotlaw.audit.book import history
from lotlaw.audit.book.graph import graph_of_form, graph_of_year
from lotlaw.audit.book.links import Readers, anchor, function_said, line_href, speaker
from lotlaw.audit.book.tables import pin, table_page
from lotlaw.audit.coverage import form_examples
from lotlaw.audit.show import errata_of, rule_of, said_value, status_of, title_of, told
from lotlaw.check.worked import whole_returns
from lotlaw.claims import Claim, claims_of
from lotlaw.explain.amounts import amount
from lotlaw.law import Form, Line, Parameter, Year, exported
from lotlaw.rendering.amounts import clean
from lotlaw.rendering.saying import Speaker, Text, called, line_called
from lotlaw.rendering.templates import fill
from lotlaw.rules import TABLES


@dataclass(frozen=True)
class Entry:
    """A line as the rulebook shows it."""

    anchor: str
    number: str
    label: str
    heading: str
    says: list[Text]
    formula: str
    condition: list[Text]
    skips: list[list[Text]]
    notes: list[str]
    readers: list[Text]
    cite: Mapping[str, str]
    place: str
    history: list[history.Epoch]


def pages(year: Year) -> Iterator[tuple[str, str]]:
    """The files of a year's rulebook by name."""
    law, readers = history.all_years(year), Readers(year)
    frame = {"year": year, "engine": f"lotlaw rulebook {__version__}", "digest": year.digest[:12], "menu": _menu(year)}
    yield "index.html", _page("index", frame, **_index(year))
    for form in year.forms.values():
        yield f"{form.name}.html", _page("form", frame, **_form(year, form, law, readers))
    yield "parameters.html", _page("parameters", frame, **_parameters(year, law, readers))
    for table in TABLES:
        yield f"{table}.html", _page("table", frame, **table_page(year, table))
    examples = [_example(None, example.said, year) for example in whole_returns(year)]
    yield "returns.html", _page("returns", frame, title="Whole returns", examples=examples)
    yield "sources.html", _page("sources", frame, **_sources(year))
    yield (
        "graph.html",
        _page("graph", frame, title="Graph of the forms", graph=graph_of_year(year), forms=_graphs(year)),
    )
    yield "book.css", fill("rulebook/book.css")
    yield "book.js", fill("rulebook/book.js")
    yield "lines.js", f"// lotlaw rulebook {year.year}: what the search looks through\nconst LINES = {_found(year)};\n"


def _page(name: str, frame: Mapping[str, Any], **values: Any) -> str:
    return fill(f"rulebook/{name}.html.j2", **frame, **values)


def _menu(year: Year) -> list[Text]:
    forms = [Text(form.title, f"{form.name}.html") for form in year.forms.values()]
    tables = [Text(str(year.documents[name].value["title"]), f"{name}.html") for name in TABLES]
    return [
        Text("Contents", "index.html"), Text("Numbers", "parameters.html"), *tables, *forms,
        Text("Whole returns", "returns.html"), Text("Graph", "graph.html"), Text("Sources", "sources.html"),
    ]  # fmt: skip


def _index(year: Year) -> dict[str, Any]:
    files = [{"link": Text(title_of(year, name), f"{name}.html"), **pin(year, name)} for name in year.origins]
    return {
        "title": f"Rulebook {year.year}", "files": files, "status": year.status,
        "errata": errata_of(year), "not_verified": list(year.not_verified.values()), "not_computed": year.not_computed,
        "results": _results(year),
    }  # fmt: skip


def _results(year: Year) -> list[dict[str, Any]]:
    found = []
    for name, where in year.documents["year"].value["results"].items():
        form, _, export = where.partition(".")
        line = year.forms[form].lines[year.forms[form].exports[export]]
        found.append({"name": name.replace("_", " "), "line": Text(called(year.forms[form], line), line_href(line))})
    return found


def _form(year: Year, form: Form, law: list[Year], readers: Readers) -> dict[str, Any]:
    says = speaker(year, form)
    facts = pin(year, form.name)
    return {
        "title": form.title, "form": form, "facts": facts, "cite": vars(form.cite),
        "needed": says.said(form.only_if, condition=True) if form.only_if else [],
        "needed_formula": form.only_if.text.strip() if form.only_if else "",
        "inputs": [_input(year, form, name) for name in form.inputs],
        "entries": [_entry(form, line, says, law, readers) for line in form.lines.values()],
        "functions": list(_functions(year, form)),
        "examples": [_example(form, example.said, year) for example in form_examples(year, form)],
        "claims": [_claim(claim, says) for claim in claims_of(form)],
        "graph": graph_of_form(year, form.name) if form.lines else None,
    }  # fmt: skip


def _input(year: Year, form: Form, name: str) -> dict[str, Any]:
    source = form.inputs[name]
    line = next(exported(source, year.forms), None)
    where, _, rest = source.origin.partition(".")
    if line:
        origin = Text(called(year.forms[line.form], line), line_href(line))
    elif where in year.not_verified:
        origin = Text(f"{year.not_verified[where]}; read as 0")
    else:
        origin = Text(
            f"the {'taxpayer file' if where == 'taxpayer' else 'ledger'}: {rest.replace('.', ', ').replace('_', ' ')}"
        )
    return {"name": name, "label": source.label or name, "unit": source.unit, "origin": origin}


def _entry(form: Form, line: Line, speaker: Speaker, law: list[Year], readers: Readers) -> Entry:
    says = speaker.said(line.formula, condition=line.kind == "yes_if") if line.formula else [Text(_outside(line))]
    told_ = history.of_line(line, law)
    return Entry(
        anchor=anchor(line), number=line.id if line.id[0].isdigit() else "", label=line.label,
        heading=form.parts.get(line.id, ""), says=[*_asked(line), *says],
        formula=line.formula.text.strip() if line.formula else "",
        condition=speaker.said(line.only_if, condition=True) if line.only_if else [],
        skips=[speaker.said(skip, condition=True) for skip in line.skips], notes=list(_notes(line)),
        readers=readers.links_to(line), cite=vars(line.cite),
        place=f"{line.place.file}:{line.place.line}", history=told_ if told_[1:] else [],
    )  # fmt: skip


def _asked(line: Line) -> list[Text]:
    return [Text("Yes if ")] if line.kind == "yes_if" else []


def _outside(line: Line) -> str:
    return "an amount that the taxpayer gives" if line.kind == "input" else rule_of(line)


def _notes(line: Line) -> Iterator[str]:
    if line.on_form:
        yield f"printed on the form as {line.on_form}"
    if line.parentheses:
        yield "printed in parentheses"
    if line.columns:
        yield f"in columns {', '.join(f'({column})' for column in line.columns)}"
    if line.to:
        yield f"goes to {line.to}"
    if not line.printed:
        yield "not on the form: the rules ask it themselves"


def _functions(year: Year, form: Form) -> Iterator[dict[str, Any]]:
    for function in year.functions.values():
        if function.formula.place.file == form.document.file:
            yield {
                "anchor": f"function-{function.name}", "name": function.name.replace("_", " "), "label": function.label,
                "says": function_said(year, function), "formula": " ".join(function.formula.text.split()),
                "cite": vars(function.cite),
                "place": f"{function.formula.place.file}:{function.formula.place.line}",
            }  # fmt: skip


def _example(form: Form | None, example: Mapping[str, Any], year: Year) -> dict[str, Any]:
    """An example of a form; of none, of a whole return."""
    source = example["source"]
    kinds = {"irs": "from the IRS", "worked": "worked out from the law", "regression": "kept from a mistake"}
    at = f": {source['at']}" if "at" in source else ""
    return {
        "name": example["name"], "source": f"{kinds.get(source['kind'], source['kind'])}{at}",
        "cents": "with cents" if example.get("cents") else "",
        "given": [(key.replace("_", " "), _said(value)) for key, value in example["given"].items()],
        "expect": [
            (_line_link(form, key) if form else _result_link(year, key), _said(value))
            for key, value in example["expect"].items()
        ],
    }  # fmt: skip


def _result_link(year: Year, key: str) -> Text:
    """A line of a return's form, or one of its results."""
    name, _, id_ = (key if "." in key else year.documents["year"].value["results"][key]).partition(".")
    form = year.forms[name]
    line = form.lines[id_ if "." in key else form.exports[id_]]
    return Text(called(form, line) if "." in key else key.replace("_", " "), line_href(line))


def _line_link(form: Form, id_: str) -> Text:
    line = form.lines.get(id_)
    return Text(line_called(line), f"#{anchor(line)}") if line else Text(id_.replace("_", " "), f"#function-{id_}")


def _said(value: Any) -> str:
    return told(value) if isinstance(value, Mapping) else amount(value)


def _moved(claim: Claim) -> str:
    """What tells the second of two returns from the first."""
    words = (("more", claim.rises), ("less", claim.falls))
    return " and ".join(f"{word} of {', '.join(names)}" for word, names in words if names)


def _claim(claim: Claim, speaker: Speaker) -> dict[str, Any]:
    return {
        "name": claim.name, "two": _moved(claim), "always": speaker.said(claim.always, condition=True),
        "rounding": f"{claim.rounding} where each line is rounded to the dollar" if claim.rounding else "",
        "when": speaker.said(claim.when, condition=True) if claim.when else [],
    }  # fmt: skip


def _parameters(year: Year, law: list[Year], readers: Readers) -> dict[str, Any]:
    entries = [_number(year, parameter, law, readers) for parameter in year.parameters.values()]
    return {"title": f"The numbers of {year.year}", "entries": entries}


def _number(year: Year, parameter: Parameter, law: list[Year], readers: Readers) -> dict[str, Any]:
    value, statuses = parameter.value, [s for s in year.statuses if s not in year.same_as]
    heads, rows = list[str](), list[list[str]]()
    if isinstance(value, dict):
        heads = [year.statuses[s] for s in statuses]
        rows = [[said_value(value[s], parameter.unit) for s in statuses]]
    elif isinstance(value, list) and parameter.unit == "brackets":
        heads = ["Rate", *(f"{year.statuses[s]}, up to" for s in statuses)]
        rows = [[said_value(row["rate"], "rate"), *_tops(row.get("up_to"), statuses)] for row in value]
    elif isinstance(value, list):
        heads, rows = ["Up to", "Width of a row"], [[amount(row["up_to"]), amount(row["width"])] for row in value]
    else:
        rows = [[said_value(value, parameter.unit)]]
    return {
        "name": parameter.name, "label": parameter.label, "unit": parameter.unit, "status": status_of(parameter),
        "heads": heads, "rows": rows, "cite": vars(parameter.cite),
        "readers": readers.of_parameter(parameter.name),
        "place": f"{parameter.place.file}:{parameter.place.line}", "history": history.of_parameter(parameter, law),
        "changed_by": str(parameter.changed_by) if parameter.changed_by else "",
        "unread": parameter.unread, "projected": parameter.projected,
    }  # fmt: skip


def _tops(tops: Any, statuses: list[str]) -> list[str]:
    if tops is None:
        return ["and above" for _ in statuses]
    return [amount(tops[status]) if isinstance(tops, Mapping) else amount(tops) for status in statuses]


def _sources(year: Year) -> dict[str, Any]:
    return {"title": f"Sources of {year.year}", "sources": list(year.documents["year"].value["sources"].values())}


def _graphs(year: Year) -> list[Text]:
    return [Text(form.title, f"{form.name}.html#graph") for form in year.forms.values() if form.lines]


def _found(year: Year) -> str:
    """What the search looks through: for each line and number its name, its words and where it stands."""
    lines = [
        [called(form, line), line.label, line_href(line), rule_of(line)]
        for form in year.forms.values()
        for line in form.lines.values()
    ]
    numbers = [
        [p.label, p.name.replace("_", " "), f"parameters.html#{p.name}", str(p.cite)] for p in year.parameters.values()
    ]
    forms = [[form.title, "", f"{form.name}.html", str(form.cite)] for form in year.forms.values()]
    said = json.dumps([[clean(word) for word in entry] for entry in (*forms, *numbers, *lines)], ensure_ascii=False)
    return said.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
