"""The `lotlaw` command. Exit codes: 0 done, 1 a check found something, 2 bad input or bad rules.

Nothing leaves this machine; `forms get` alone asks something of the network. Every command that reads rules takes
`--rules DIR`; everything heavy is imported where it is used, so that a command starts at once.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from lotlaw.arguments import Files, Method, OptionalTaxpayer, OverridesFile, PriceFile, TaxpayerFile, progress, say
from lotlaw.batch.command import batch
from lotlaw.forms_cli import forms_app
from lotlaw.plan_cli import add_plans
from lotlaw.rules_cli import RulesDir, rules_app
from lotlaw.source import Problems

if TYPE_CHECKING:
    from lotlaw.run import Return

ALLOCATOR = "narenas:2,dirty_decay_ms:1000"
"""What polars' allocator is told when it is imported: to keep what is freed for a second, and for any thread.

A column that is done with makes room for the next; memory that goes back to the system has to be cleared anew.
"""

app = typer.Typer(
    name="lotlaw", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="US capital gains law as data: exports in, Form 8949 and Schedule D out, every line explained.",
    epilog="Start with `lotlaw demo`, or with `lotlaw init` in an empty folder.",
)  # fmt: skip
app.add_typer(rules_app, name="rules")
app.command()(batch)
app.add_typer(forms_app, name="forms")

Cents = Annotated[bool, typer.Option("--cents", help="Leave the lines unrounded.")]
Allocate = Annotated[
    str | None, typer.Option(metavar="fifo", help="Put lots of a common pool where the units lie; no safe harbor.")
]
AllowUnknown = Annotated[
    bool, typer.Option("--allow-unknown-basis", help="Count a basis that nobody gives as zero, with a warning.")
]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files too.")]
Formats = Annotated[
    str,
    typer.Option(
        "--format",
        help="What --out receives, comma-separated: json (always), csv, txt, html, pdf; for tax software txf, taxact,"
        " drake, fdx; or all.",
    ),
]
Blank = Annotated[
    Path | None,
    typer.Option("--blank", metavar="DIR", help="A folder with the IRS's blank PDFs, instead of those fetched."),
]
Aggregate = Annotated[
    bool,
    typer.Option("--aggregate-covered", help="Put sales with basis reported and nothing to adjust on lines 1a and 8a."),
]
Summarize = Annotated[
    bool, typer.Option("--summarize", help="One row of Form 8949 for each broker and box; all sales on a statement.")
]
Flatten = Annotated[bool, typer.Option("--flatten", help="Make what is filled into PDFs part of the page.")]


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where to put the two files.")] = Path()) -> None:
    """Write a starter taxpayer.yaml and ledger.csv: two short files to change into your own.

    Example: lotlaw init taxes
    """
    from lotlaw.starter import write_starter

    for path in write_starter(folder):
        print(f"wrote {path}")
    print("Next: lotlaw file 2025 ledger.csv --taxpayer taxpayer.yaml --out return")


@app.command()
def demo(out: Annotated[Path | None, typer.Option(help="Also write the return into this folder.")] = None) -> None:
    """A complete return of one made-up taxpayer, from a Coinbase and a Schwab export that come with lotlaw.

    Example: lotlaw demo --out demo
    """
    from lotlaw.filing import file_years
    from lotlaw.rendering import render
    from lotlaw.starter import DEMO, demo_files

    year, exports, taxpayer = demo_files()
    formats, folder = ["json", "csv", "txt", "html"], out.resolve() if out else None
    with contextlib.chdir(DEMO):  # so that the exports are called by their names, wherever lotlaw is installed
        (return_,) = file_years([year], exports, taxpayer, out=folder, formats=formats)
    print(render(return_, "txt"))
    _summary(return_, out)


@app.command()
def file(
    year: Annotated[str, typer.Argument(help="The tax year, or a range such as 2021..2025.")],
    files: Files,
    taxpayer: TaxpayerFile,
    out: Annotated[
        Path | None, typer.Option(help="Folder for return.json and the forms; nothing is written without it.")
    ] = None,
    formats: Formats = "json",
    method: Method = None,
    cents: Cents = False,
    allow_unknown_basis: AllowUnknown = False,
    allocate: Allocate = None,
    prices: PriceFile = None,
    overrides: OverridesFile = None,
    aggregate_covered: Aggregate = False,
    summarize: Summarize = False,
    blank: Blank = None,
    flatten: Flatten = False,
    rules: RulesDir = None,
    force: Force = False,
) -> None:
    """Work out a return: Form 8949, Schedule D, the worksheets, the tax, and what carries over to next year.

    Example: lotlaw file 2025 coinbase.csv schwab.csv --taxpayer taxpayer.yaml --out return
    """
    from lotlaw.filing import file_years, formats_of, years_of

    years = years_of(year)
    wanted = formats_of(formats, years, blank)
    with progress(files) as tell:
        returns = file_years(
            years, files, taxpayer, out=out, formats=wanted, method=method, cents=cents,
            rules=rules, force=force, allow_unknown_basis=allow_unknown_basis, allocate=allocate, prices=prices,
            overrides=overrides, aggregate_covered=aggregate_covered, summarize=summarize, blank=blank, flatten=flatten,
            tell=tell,
        )  # fmt: skip
    for return_ in returns:
        _summary(return_, out, wanted)


def _summary(return_: Return, out: Path | None, formats: Sequence[str] = ()) -> None:
    from lotlaw.summary import print_summary

    print_summary(return_, out, formats)


@app.command()
def explain(
    return_json: Annotated[Path, typer.Argument(metavar="RETURN.json", help="A return that `lotlaw file` wrote.")],
    line: Annotated[str, typer.Argument(help="A form and line, such as schedule_d.21.")],
    rules: RulesDir = None,
) -> None:
    """Say why a line says what it says, down to the rule, the law and the rows of the files.

    The return is worked out again for it, from the same files: they stand where they stood, beside it or above it.

    Example: lotlaw explain return/return.json schedule_d.21
    """
    from lotlaw.explain import explain as explanation
    from lotlaw.filing import recompute

    say(explanation(recompute(return_json, rules), line), fold=True)


@app.command("import")
def import_(
    files: Files,
    out: Annotated[Path | None, typer.Option(help="The canonical table to write, as CSV.")] = None,
    taxpayer: OptionalTaxpayer = None,
    prices: PriceFile = None,
    overrides: OverridesFile = None,
    rules: RulesDir = None,
    source: Annotated[
        str | None, typer.Option(help="Force one mapping of rules/sources instead of going by the header.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which mappings were tried, and where each row went and why.")
    ] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Print a first mapping for a file that none knows.")] = False,
) -> None:
    """Turn exports into one canonical table, and report what was read, skipped and found.

    Example: lotlaw import coinbase.csv schwab.csv --out table.csv
    """
    from lotlaw import importing

    if draft:
        say(importing.draft(files))
    elif explain:
        say(importing.explanation(files, taxpayer, rules, source, overrides))
    else:
        say(importing.import_files(files, out, taxpayer, rules, source, prices, overrides))


add_plans(app)


def process() -> NoReturn:
    """`main` as a process of its own, which ends without tidying up a memory that nobody will look at again."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", ALLOCATOR)
    gc.disable()
    code: str | int | None = 0
    try:
        main()
    except SystemExit as done:
        code = done.code
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def main() -> None:
    """Run the command; a user's mistakes are printed, one a line, and end with exit code 2."""
    try:
        app(prog_name="lotlaw")
    except Problems as found:
        from lotlaw.rendering.amounts import clean

        for problem in found.problems:
            print(clean(str(problem)), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
