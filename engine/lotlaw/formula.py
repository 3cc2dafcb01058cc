"""One formula, many readings.

A rule's formula is text such as `min(-line16, capital_loss_cap) if line16 < 0 else 0`. It is parsed once and checked
once, and then read by one evaluator in whatever algebra is asked for: exact dollars, columns of a million returns,
units for a type check. An algebra is any module or object with the functions of `Algebra`; see `lotlaw.readings`.

Two profiles share the reader. *tax*: money, rates, dates and flags; the only numbers are 0 and 1, for any other is
law and belongs in a parameter with a citation. *text*: for importers; adds division, numbers, text, `null`, `in` and
fields of a grouped leg (`leg.amount`), which are turned into plain names before anything is evaluated.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from simpleeval import InvalidExpression, SimpleEval

from lotlaw.source import Place, Problem, Problems

LONGEST = 2_048
DEEPEST = 40

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_TAX_NODES = (
    ast.Name, ast.Load, ast.Constant, ast.Call, ast.IfExp, ast.Compare, ast.BoolOp, ast.And, ast.Or,
    ast.UnaryOp, ast.USub, ast.Not, ast.BinOp, ast.Add, ast.Sub, ast.Mult, *_COMPARISONS,
)  # fmt: skip
_TEXT_NODES = (*_TAX_NODES, ast.Div)
_SAID = {
    ast.Attribute: "attributes are not part of formulas", ast.Subscript: "subscripts are not part of formulas",
    ast.Pow: "powers are not part of formulas", ast.Div: "division is not part of tax formulas",
    ast.JoinedStr: "formatted text is not part of formulas", ast.Lambda: "functions cannot be made inside a formula",
}  # fmt: skip


class Algebra(Protocol):
    """What a reading must be able to do with its values."""

    def const(self, value: Any) -> Any: ...
    def add(self, a: Any, b: Any) -> Any: ...
    def sub(self, a: Any, b: Any) -> Any: ...
    def mul(self, a: Any, b: Any) -> Any: ...
    def neg(self, a: Any) -> Any: ...
    def compare(self, sign: str, a: Any, b: Any) -> Any: ...
    def all_of(self, flags: list[Any]) -> Any: ...
    def any_of(self, flags: list[Any]) -> Any: ...
    def negate(self, flag: Any) -> Any: ...
    def choose(self, flag: Any, yes: Any, no: Any) -> Any: ...

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]: ...


class Mistake(Exception):
    """A reading cannot make sense of a formula; the reader adds which part of it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.offset: int | None = None


@dataclass(frozen=True)
class Formula:
    """A checked formula: its text, its tree, where it stands, and the names and functions it reads."""

    text: str
    tree: ast.expr
    place: Place
    names: frozenset[str]
    calls: frozenset[str]


def parse(text: str, place: Place, profile: str = "tax") -> Formula:
    """Parse and check one formula of a profile (`tax` or `text`). Raises Problems that name what is not allowed."""
    try:
        tree, names, calls = _parsed(text, profile)
    except _Refused as refused:
        raise Problems([Problem(place.right(at), said) for at, said in refused.said]) from None
    return Formula(text, tree, place, names, calls)


class _Refused(Exception):
    def __init__(self, said: list[tuple[int, str]]) -> None:
        self.said = said


@lru_cache(maxsize=4096)
def _parsed(text: str, profile: str) -> tuple[ast.expr, frozenset[str], frozenset[str]]:
    if len(text) > LONGEST:
        raise _Refused([(0, f"a formula of {len(text):,} characters; at most {LONGEST:,} are read")])
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise _Refused([((error.offset or 1) - 1, f"not a formula: {error.msg}")]) from None
    except (ValueError, RecursionError, MemoryError):
        raise _Refused([(0, "not a formula")]) from None
    if profile == "text":
        tree = _plain(tree)
    said = list(_forbidden(tree, profile, 0))
    if said:
        raise _Refused(said)
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    heads = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in heads}
    return tree, frozenset(names - {"null"}), frozenset(called)


def _forbidden(node: ast.AST, profile: str, depth: int) -> Iterable[tuple[int, str]]:
    """What a tree holds that its profile does not allow, as offset and message; nothing below the first of a branch."""
    at = getattr(node, "col_offset", 0)
    if depth > DEEPEST:
        yield at, f"nested more than {DEEPEST} deep"
        return
    said = _refusal(node, profile)
    if said:
        yield at, said
        return
    for child in ast.iter_child_nodes(node):
        yield from _forbidden(child, profile, depth + 1)


def _refusal(node: ast.AST, profile: str) -> str | None:
    if not isinstance(node, _TAX_NODES if profile == "tax" else _TEXT_NODES):
        return _SAID.get(type(node)) or f"{type(node).__name__} is not part of formulas"
    if isinstance(node, ast.Call):
        return _call_refusal(node)
    if isinstance(node, ast.Constant):
        return _constant_refusal(node, profile)
    if isinstance(node, ast.Name) and node.id.startswith("__"):
        return f"'{node.id}' is not a name of the rules"
    return None


def _call_refusal(node: ast.Call) -> str | None:
    if not isinstance(node.func, ast.Name):
        return "only functions by name can be called"
    if node.keywords:
        return f"'{node.func.id}' takes its values in order, not by keyword"
    return None


def _constant_refusal(node: ast.Constant, profile: str) -> str | None:
    value = node.value
    if profile == "text":
        return None if isinstance(value, (int, float, str)) or value is None else f"{value!r} is not part of formulas"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{value!r} is not part of tax formulas"
    return None if value in (0, 1) and isinstance(value, int) else _number(node)


def _number(node: ast.Constant) -> str:
    return f"number {node.value!r} in a formula: make it a parameter with a citation"


class _Plain(ast.NodeTransformer):
    """Turns `leg.field` into one name, `x is null` into `is_null(x)`, `x in ('a', 'b')` into `one_of(x, 'a', 'b')`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            return ast.copy_location(ast.Name(f"{node.value.id}.{node.attr}", ast.Load()), node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) != 1:
            return node
        op, right = node.ops[0], node.comparators[0]
        call: ast.expr
        if isinstance(op, (ast.Is, ast.IsNot)) and isinstance(right, ast.Name) and right.id == "null":
            call = _called("is_null", [node.left])
        elif isinstance(op, (ast.In, ast.NotIn)):
            words = right.elts if isinstance(right, (ast.Tuple, ast.List)) else [right]
            call = _called("one_of", [node.left, *words])
        else:
            return node
        if isinstance(op, (ast.IsNot, ast.NotIn)):
            call = ast.UnaryOp(ast.Not(), call)
        return ast.fix_missing_locations(ast.copy_location(call, node))


def _called(name: str, args: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), args, [])


def _plain(tree: ast.expr) -> ast.expr:
    plain: ast.expr = _Plain().visit(tree)
    return plain


class Reader(SimpleEval):  # type: ignore[misc]
    """Reads checked formulas in one algebra, over given names and functions of rule files."""

    def __init__(
        self, algebra: Algebra, names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> None:
        calls = {**algebra.functions, **(functions or {})}
        super().__init__(operators={}, functions=calls, names=names)
        self.algebra = algebra
        self.nodes = {
            ast.Name: self._name, ast.Constant: self._const, ast.UnaryOp: self._unary, ast.BinOp: self._binary,
            ast.BoolOp: self._bool, ast.Compare: self._comparison, ast.IfExp: self._choice, ast.Call: self._eval_call,
        }  # fmt: skip

    def read(self, formula: Formula) -> Any:
        """The formula's value in this reading. Raises Problems when the reading finds it has none (a unit check)."""
        try:
            return self.eval(formula.text, previously_parsed=formula.tree)
        except Mistake as mistake:
            raise Problems([Problem(formula.place.right(mistake.offset or 0), mistake.message)]) from None
        except (TypeError, ArithmeticError, InvalidExpression) as error:
            raise Problems([Problem(formula.place, f"cannot be worked out: {error}")]) from None

    def _eval(self, node: ast.AST) -> Any:
        try:
            return self.nodes[type(node)](node)
        except Mistake as mistake:
            if mistake.offset is None:
                mistake.offset = getattr(node, "col_offset", 0)
            raise

    def _name(self, node: ast.Name) -> Any:
        if node.id not in self.names:
            raise Mistake(f"unknown name '{node.id}'{did_you_mean(node.id, self.names)}")
        return self.names[node.id]

    def _const(self, node: ast.Constant) -> Any:
        return self.algebra.const(node.value)

    def _unary(self, node: ast.UnaryOp) -> Any:
        value = self._eval(node.operand)
        return self.algebra.negate(value) if isinstance(node.op, ast.Not) else self.algebra.neg(value)

    def _binary(self, node: ast.BinOp) -> Any:
        act = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}[type(node.op)]
        return getattr(self.algebra, act)(self._eval(node.left), self._eval(node.right))

    def _bool(self, node: ast.BoolOp) -> Any:
        flags = [self._eval(value) for value in node.values]
        return self.algebra.all_of(flags) if isinstance(node.op, ast.And) else self.algebra.any_of(flags)

    def _comparison(self, node: ast.Compare) -> Any:
        values = [self._eval(value) for value in (node.left, *node.comparators)]
        pairs = zip(node.ops, values, values[1:], strict=False)
        flags = [self.algebra.compare(_COMPARISONS[type(op)], a, b) for op, a, b in pairs]
        return flags[0] if len(flags) == 1 else self.algebra.all_of(flags)

    def _choice(self, node: ast.IfExp) -> Any:
        return self.algebra.choose(self._eval(node.test), self._eval(node.body), self._eval(node.orelse))


def unknown(formula: Formula, names: Iterable[str], functions: Iterable[str]) -> list[Problem]:
    """The names and functions a formula reads that do not exist, each with the nearest that does."""
    known, callable_ = set(names), set(functions)
    problems = []
    for node in ast.walk(formula.tree):
        if not isinstance(node, ast.Name) or node.id == "null":
            continue
        role, existing = ("function", callable_) if node.id in formula.calls else ("name", known)
        if node.id not in existing:
            said = f"unknown {role} '{node.id}'{did_you_mean(node.id, existing)}"
            problems.append(Problem(formula.place.right(node.col_offset), said))
    return problems


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
