"""`lotlaw rules ...`: read, check, compare and bring up to date the law in rules/<year>/*.yaml.

Text by default, `--json` for programs. Exit codes: 0 done, 1 something was found, 2 bad input or bad rules.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lotlaw.source import data_root

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
    line: Annotated[str | None, typer.Argument(help="A line, such as 21.")] = None,
    rules: RulesDir = None,
) -> None:
    """Print a year's rules as they hold, each with its place and citation.

    Example: lotlaw rules show 2025 schedule_d 21
    """
    from lotlaw.audit.show import show

    print(show(year, form, line, rules), end="")


@rules_app.command("lock")
def rules_lock(
    what: Annotated[str, typer.Argument(help="The tax year, or `sources` for the mappings of exports.")],
    rules: RulesDir = None,
) -> None:
    """Check a year, or the mappings, and write the LOCK: the digest by which a later change is noticed.

    Example: lotlaw rules lock 2025
    """
    from lotlaw.audit.lock import lock

    print(lock(what, rules or data_root() / "rules"))


def _json(said: Any) -> None:
    print(json.dumps(said, indent=2, ensure_ascii=False, default=str))
