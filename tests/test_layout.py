"""The shape of the engine: imports go one way, pieces stay small, and the law is in the rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT

ENGINE = ROOT / "engine" / "lotlaw"
MODULES = sorted(ENGINE.rglob("*.py"))

# From left to right; a module imports only from groups to its left. A package stands as one.
ORDER = [
    {"source"},
    {"formula"},
    {"readings"},
    {"law", "schema"},
    {"claims"},
    {"sheet"},
    {"answers"},
    {"returns"},
    {"rules"},
    {"blanks"},
    {"taxpayer"},
    {"importers"},
    {"ledger"},
    {"lots"},
    {"dispositions"},
    {"exceptions", "cautions"},
    {"check"},
    {"run"},
    {"rendering", "starter"},
    {"explain", "summary"},
    {"report"},
    {"output"},
    {"filing", "importing"},
    {"audit", "plan"},
    {"arguments"},
    {"rules_cli", "forms_cli"},
    {"plan_cli", "batch"},
    {"cli", "web"},
    {"__main__"},
]
RANK = {module: rank for rank, group in enumerate(ORDER) for module in group}

LONGEST_FUNCTION = 50
LONGEST_MODULE = 300
MEDIAN_FUNCTION = 10


def ids(path: Path) -> str:
    return str(path.relative_to(ENGINE.parent))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def part(path: Path) -> str:
    """The module or package directly under lotlaw that a file belongs to."""
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


# Imports


def imported(code: ast.AST) -> Iterator[tuple[int, str]]:
    """What a module imports from lotlaw, wherever in it, types included: (line, part of lotlaw)."""
    for node in ast.walk(code):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, n.name.split(".")[1]) for n in names if n.name.startswith("lotlaw."))
            case ast.ImportFrom(module="lotlaw", names=names):
                yield from ((node.lineno, n.name) for n in names if not n.name.startswith("__"))
            case ast.ImportFrom(module=str(module)) if module.startswith("lotlaw."):
                yield node.lineno, module.split(".")[1]


def backward(module: str, code: ast.AST) -> list[str]:
    return [
        f"line {line}: {module} imports {other}, which stands to its right"
        for line, other in imported(code)
        if other != module and RANK.get(other, len(ORDER)) >= RANK[module]
    ]


@pytest.mark.parametrize("path", [p for p in MODULES if p != ENGINE / "__init__.py"], ids=ids)
def test_imports_go_one_way(path: Path) -> None:
    assert part(path) in RANK, "give the new module its place in ORDER"
    assert backward(part(path), tree(path)) == []


def test_a_backward_import_is_found() -> None:
    code = ast.parse("from lotlaw.source import Place\ndef f():\n    from lotlaw.run import compute\n")
    assert backward("rules", code) == ["line 3: rules imports run, which stands to its right"]
    assert backward("cli", code) == []


def test_the_package_itself_imports_nothing_at_the_start() -> None:
    top = [node for node in tree(ENGINE / "__init__.py").body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in top] == [
        "from __future__ import annotations",
        "from typing import TYPE_CHECKING, Any",
    ]


# Sizes


def functions(code: ast.AST) -> dict[str, int]:
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(code)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_modules_and_functions_stay_small(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_MODULE
    assert {name: size for name, size in functions(tree(path)).items() if size > LONGEST_FUNCTION} == {}


def test_most_functions_are_short() -> None:
    sizes = sorted(size for path in MODULES for size in functions(tree(path)).values())
    assert sizes[len(sizes) // 2] < MEDIAN_FUNCTION


# The law

# Whole numbers this small are sizes, scales and depths far more often than law: they tell nothing.
SMALL = 100
SPOKEN = re.compile(
    r"""\bline_?\d+[a-z]?\b              # a line of a form
      | \b1099\b | \b1099[-_ ]?(b|da)\b  # a broker's form
      | \b(18|19|20)\d\d-\d\d-\d\d\b     # a date
      | \b20(1[89]|2\d)\b                # a tax year
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A message may show what would be right: "write it like 2025-03-31", "lotlaw file 2025 ledger.csv".
SHOWN = re.compile(r"\b(like|such as|write|lotlaw \w+) [\d./-]+")
BOXES = re.compile(r"[A-CG-I]{2,6}|[D-FJ-L]{2,6}|[A-L]{3,12}")


def law_of_the_rules() -> tuple[set[Decimal], set[str]]:
    """Every amount, rate and count of every year's parameters, and every filing status."""
    numbers: set[Decimal] = set()
    statuses: set[str] = set()
    for year in sorted(ROOT.glob("rules/2*")):
        numbers |= {n for p in content(year / "parameters.yaml").values() for n in values(p.get("value"))}
        statuses |= set(content(year / "year.yaml")["statuses"])
    return {n for n in numbers if n > SMALL or n % 1}, statuses


def content(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def values(value: Any) -> Iterator[Decimal]:
    match value:
        case dict():
            yield from (n for inner in value.values() for n in values(inner))
        case list():
            yield from (n for inner in value for n in values(inner))
        case bool() | date():
            return
        case int() | float():
            yield Decimal(str(value))
        case str() if re.fullmatch(r"[\d_.]+%", value):
            yield Decimal(value[:-1]) / 100


def law_in(code: ast.Module, numbers: set[Decimal], statuses: set[str]) -> list[str]:
    """What a module says that belongs in a rule file; comments and docstrings may speak of the law."""
    said = docstrings(code)
    return [
        f"line {node.lineno}: {found}"
        for node in ast.walk(code)
        if isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword) and id(node) not in said
        for found in telling(node, numbers, statuses)
    ]


def docstrings(code: ast.Module) -> set[int]:
    return {
        id(node.value) for node in ast.walk(code) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def telling(node: ast.AST, numbers: set[Decimal], statuses: set[str]) -> Iterable[object]:
    match node:
        case ast.Constant(value=bool()):
            return []
        case ast.Constant(value=int() | float() as value):
            return [value] if is_law(Decimal(str(value)), numbers) else []
        case ast.Constant(value=str(text)):
            return [text] if telling_text(text, numbers, statuses) else []
        case ast.Set(elts=elements) | ast.Tuple(elts=elements) | ast.List(elts=elements):
            letters = "".join(str(e.value) for e in elements if isinstance(e, ast.Constant))
            return [letters] if BOXES.fullmatch(letters) else []
        case ast.Name(id=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)) | ast.Attribute(attr=name):
            return [name] if SPOKEN.search(name) or name in statuses else []
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name] if SPOKEN.search(name) else []
    return []


def is_law(number: Decimal, numbers: set[Decimal]) -> bool:
    return number in numbers or number in {365, 366, 1099} or 2018 <= number <= 2035


def telling_text(text: str, numbers: set[Decimal], statuses: set[str]) -> bool:
    written = re.fullmatch(r"\d[\d_]*(\.\d+)?", text)
    amount = bool(written) and is_law(Decimal(text.replace("_", "")), numbers)
    return amount or bool(SPOKEN.search(SHOWN.sub("", text))) or text in statuses or bool(BOXES.fullmatch(text))


@pytest.fixture(scope="module")
def law() -> tuple[set[Decimal], set[str]]:
    return law_of_the_rules()


def test_the_rules_are_read(law: tuple[set[Decimal], set[str]]) -> None:
    numbers, statuses = law
    assert {Decimal(3000), Decimal(1500), Decimal(100_000), Decimal("0.15")} <= numbers
    assert "married_separate" in statuses


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_no_law_in_the_engine(path: Path, law: tuple[set[Decimal], set[str]]) -> None:
    assert law_in(tree(path), *law) == []


LAW = {Decimal(3000), Decimal("0.15")}, {"single", "married_separate"}


@pytest.mark.parametrize(
    "code",
    [
        "cap = 3000",
        "cap = Decimal('3_000')",
        "tax = gain * 0.15",
        "long = days > 365",
        "if year >= 2025: pass",
        "start = '2025-01-01'",
        "start = date(2025, 1, 1)",
        "say('from 2025-01-01 on, lots are kept by account')",
        "say('boxes of 2025 and later')",
        "x = values['line16']",
        "x = line_21",
        "def f(line7): pass",
        "f(line7=0)",
        "x = row.line7",
        "kind = '1099-DA'",
        "if status == 'married_separate': pass",
        "short = {'A', 'B', 'C'}",
        "short = 'ABCGHI'",
        "long = box in 'DEF'",
    ],
)
def test_law_in_code_is_found(code: str) -> None:
    assert law_in(ast.parse(code), *LAW)


@pytest.mark.parametrize(
    "code",
    [
        "'''Line 16 of 2025 is line16, at most 3000.'''\n",
        "def f():\n    '''The cap is 3000 in 2025.'''\n    # line16\n    return 0",
        "say('not a date; write it like 2025-03-31')",
        "say('no tax year; write 2025, or a range such as 2021..2025')",
        "say('Next: lotlaw file 2025 ledger.csv')",
        "year = 2000",
        "format = '%Y-%m-%d'",
        "places = {'d', 'e'}",
        "grade = 'A'",
        "outline = [1, 2, 3]",
        "scale = 10 ** 18",
        "text = f'{file}:{line}: single quotes are fine'",
    ],
)
def test_what_is_no_law_is_let_be(code: str) -> None:
    assert law_in(ast.parse(code), *LAW) == []
