"""`lotlaw rules ...`: read, check, compare and bring up to date the law in rules/<year>/*.yaml.

Text by default, `--json` for programs. Exit codes: 0 done, 1 something was found, 2 bad input or bad rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from lotlaw.arguments import say
from lotlaw.source import data_root, shown

rules_app = typer.Typer(no_args_is_help=True, help="Read and check the law: rules/<year>/*.yaml.")

RulesDir = Annotated[Path | None, typer.Option("--rules", help="A folder of rules to use instead of lotlaw's own.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")]


@rules_app.command("check")
def rules_check(
    year: Annotated[int | None, typer.Argument(help="One tax year; all if left out.")] = None,
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Find what is wrong in the rules: shape, names, units, citations, numbers, boxes, examples.

    Example: lotlaw rules check --rules my-rules
    """
    from lotlaw.check import check
    from lotlaw.rules import years

    root = rules or data_root() / "rules"
    problems = check(root, year)
    checked = [year] if year else years(root)
    if as_json:
        found = [{"check": p.check or "reads", **p.place._asdict(), "message": p.message} for p in problems]
        _json({"years": checked, "problems": found})
    else:
        for problem in problems:
            print(problem)
        count = f"{len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}"
        print(f"{', '.join(map(str, checked))}: {count} found")
    raise typer.Exit(1 if problems else 0)


@rules_app.command("show")
def rules_show(
    year: Annotated[int, typer.Argument(help="The tax year.")],
    form: Annotated[str | None, typer.Argument(help="A form or file, such as schedule_d or parameters.")] = None,
    line: Annotated[
        str | None, typer.Argument(help="A line, a number or an entry, such as 21, capital_loss_cap or boxes.")
    ] = None,
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Print a year's rules as they hold, each with its place, its citation and its status.

    Example: lotlaw rules show 2025 schedule_d 21
    """
    from lotlaw.audit.show import facts, show

    _tell(lambda: facts(year, form, line, rules), lambda: [show(year, form, line, rules)], as_json=as_json)


@rules_app.command("diff")
def rules_diff(
    old: Annotated[int, typer.Argument(help="The earlier tax year.")],
    new: Annotated[int, typer.Argument(help="The later tax year.")],
    witness: Annotated[
        bool, typer.Option("--witness", help="Prove that the forms come to the same, or give a return (extra prove).")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="With --witness: a new folder to write the return into.")] = None,
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Say what two years' rules mean differently: values with their step, lines, boxes, forms.

    Example: lotlaw rules diff 2024 2025
    """
    from lotlaw.audit.diff import diff_text, differences
    from lotlaw.rules import load

    if witness or out:
        _witness(old, new, rules, out, as_json=as_json)
        return
    years = load(old, rules), load(new, rules)
    found = differences(*years)
    _tell(lambda: [vars(difference) for difference in found], lambda: [diff_text(*years)], as_json=as_json)
    raise typer.Exit(1 if found else 0)


def _witness(old: int, new: int, rules: Path | None, out: Path | None, *, as_json: bool) -> None:
    from lotlaw.audit.prove import forms_compared

    verdict, written = forms_compared(old, new, rules, out)
    _tell(verdict.facts, lambda: verdict.text(written), as_json=as_json)
    raise typer.Exit(0 if verdict.same else 1)


@rules_app.command("new")
def rules_new(
    year: Annotated[int, typer.Argument(help="The tax year to begin, or to go on with.")],
    values: Annotated[
        Path | None, typer.Option("--from", help="A table of values (see --sheet) to put into parameters.yaml.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a table of the values there are, to fill in.")] = None,
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Begin a tax year from the year before, put values into it, and say what nobody has read yet.

    The first time, the folder is made: old values marked unread, every form a pin that nobody has checked. From then
    on the command says what is left; it ends with 1 until nothing is.

    Example: lotlaw rules new 2027 --sheet values.csv --rules my-rules
    """
    from lotlaw.audit.new import begin, left, left_text
    from lotlaw.rules import load

    root = rules or data_root() / "rules"
    made, count = begin(year, root, values)
    if sheet:
        from lotlaw.audit.values import write_sheet

        made, count = [*made, sheet], count or write_sheet(load(year, root), sheet)
    found = left(year, root)
    if as_json:
        _json({"year": year, "written": [shown(path) for path in made], "unread": [vars(item) for item in found]})
    else:
        for path in made:
            print(f"wrote {shown(path)}")
        if values:
            print(f"{count} values from {values}")
        say("\n".join(left_text(year, root)), fold=True)
    raise typer.Exit(1 if found else 0)


@rules_app.command("verify")
def rules_verify(
    return_json: Annotated[Path, typer.Argument(metavar="RETURN.json", help="A return that `lotlaw file` wrote.")],
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Say whether a return was made by these rules, and whether it comes out the same when worked out again.

    Example: lotlaw rules verify return/return.json
    """
    from lotlaw.audit.verify import verify

    verdict = verify(return_json, rules)
    _tell(verdict.facts, verdict.text, as_json=as_json)
    raise typer.Exit(0 if verdict.holds else 1)


@rules_app.command("impact")
def rules_impact(
    changed: Annotated[Path, typer.Argument(metavar="CHANGE", help="A copy of the rules' folder, edited.")],
    returns: Annotated[
        list[Path] | None, typer.Argument(metavar="RETURN.json...", help="Returns; else the demo and all examples.")
    ] = None,
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Say which returns, lines and amounts move when the rules are edited.

    Example: lotlaw rules impact my-rules return/return.json
    """
    from lotlaw.audit.impact import impact

    found = impact(changed, returns or (), rules)
    _tell(found.facts, found.text, as_json=as_json)
    raise typer.Exit(1 if found.moved else 0)


@rules_app.command("compare")
def rules_compare(
    files: Annotated[list[Path], typer.Argument(help="Tax-Calculator's JSON, or PolicyEngine's YAML files.")],
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Hold the numbers beside those that other engines publish.

    Example: lotlaw rules compare policy_current_law.json
    """
    from lotlaw.audit.compare import compare, compare_text

    found = compare(files, rules)
    facts = [{**vars(item), "agrees": item.agrees} for item in found]
    _tell(lambda: facts, lambda: compare_text(found), as_json=as_json)
    raise typer.Exit(0 if all(item.agrees for item in found) else 1)


@rules_app.command("coverage")
def rules_coverage(
    year: Annotated[int | None, typer.Argument(help="One tax year; all published ones if left out.")] = None,
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Say which lines, sides of conditions, numbers and rows of tables no worked example exercises.

    Example: lotlaw rules coverage 2025
    """
    from lotlaw.audit.coverage import coverage, coverage_facts, coverage_text

    found, idle = coverage(rules, year)
    facts = {"years": coverage_facts(found), "idle": [{**p.place._asdict(), "message": p.message} for p in idle]}
    _tell(lambda: facts, lambda: coverage_text(found, idle), as_json=as_json)
    raise typer.Exit(1 if idle or any(of.missing for of in found) else 0)


@rules_app.command("mutate")
def rules_mutate(
    year: Annotated[int | None, typer.Argument(help="One tax year; all published ones if left out.")] = None,
    rules: RulesDir = None,
    explained: Annotated[bool, typer.Option(help="Tell the changes that nothing can notice, too, with why.")] = False,
    proving: Annotated[bool, typer.Option("--prove", help="Prove of these that they change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Change the law one thing at a time, and say which changes no worked example or claim notices.

    Example: lotlaw rules mutate 2025
    """
    from lotlaw.audit.mutation import explained_text, mutate, mutation_facts, mutation_text

    found = mutate(rules, year, proving=proving)
    text = (*(explained_text(found) if explained else ()), *mutation_text(found))
    _tell(lambda: mutation_facts(found), lambda: text, as_json=as_json)
    raise typer.Exit(0 if found.complete else 1)


@rules_app.command("prove")
def rules_prove(
    year: Annotated[int | None, typer.Argument(help="One tax year; all if left out.")] = None,
    form: Annotated[str | None, typer.Argument(help="One form, such as schedule_d; all if left out.")] = None,
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Prove the claims that stand in rule files for every possible return, or give a return that breaks one.

    Example: lotlaw rules prove 2025 schedule_d
    """
    from lotlaw.audit.prove import prove, told

    found = prove(year, form, rules)
    _tell(lambda: [proof.facts() for proof in found], lambda: told(found), as_json=as_json)
    raise typer.Exit(0 if all(proof.holds for proof in found) else 1)


@rules_app.command("docs")
def rules_docs(
    year: Annotated[int, typer.Argument(help="The tax year.")],
    out: Annotated[Path, typer.Option(help="The folder to write the site into.")],
    rules: RulesDir = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files too.")] = False,
    as_json: Json = False,
) -> None:
    """Write a year's rulebook as a static site: every line in words, with links, sources, history and examples.

    Example: lotlaw rules docs 2025 --out rulebook
    """
    from lotlaw.audit.book import write_book

    written = write_book(year, out, rules, force=force)
    text = [f"wrote {len(written)} files; open {shown(out / 'index.html')}"]
    _tell(lambda: {"written": [shown(path) for path in written]}, lambda: text, as_json=as_json)


@rules_app.command("lock")
def rules_lock(
    what: Annotated[str, typer.Argument(help="The tax year, or `sources` for the mappings of exports.")],
    rules: RulesDir = None,
    as_json: Json = False,
) -> None:
    """Check a year, or the mappings, and write the LOCK: the digest by which a later change is noticed.

    Example: lotlaw rules lock 2025
    """
    from lotlaw.audit.lock import lock

    said = lock(what, rules or data_root() / "rules")
    _tell(lambda: {"locked": what, "said": said}, lambda: [said], as_json=as_json)


def _tell(facts: Callable[[], Any], text: Callable[[], Iterable[str]], *, as_json: bool) -> None:
    if as_json:
        _json(facts())
    else:
        say("\n".join(text()), fold=True)


def _json(said: Any) -> None:
    print(json.dumps(said, indent=2, ensure_ascii=False, default=str))
