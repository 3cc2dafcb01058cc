"""A formula with one part changed, as a slip of the pen would change it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lotlaw.formula import Formula, parse
from lotlaw.law import Form, Year, names_of

_SIGNS: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(), ast.LtE: ast.Lt(), ast.Gt: ast.GtE(), ast.GtE: ast.Gt(), ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
}  # fmt: skip
_OTHER = {"min": "max", "max": "min"}


def altered(formula: Formula, near: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Formula]]:
    """A formula with one part changed, and what changed; `near` has by name those that could stand in its place."""
    said = {ast.unparse(formula.tree)}
    for node in ast.walk(formula.tree):
        for what, new in _instead(node, near):
            text = ast.unparse(_put(formula.tree, node, new))
            if text not in said:
                said.add(text)
                yield what, parse(text, formula.place)


def _instead(node: ast.AST, near: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ast.expr]]:
    """What could stand in the place of a part of a formula, and how one says so."""
    if isinstance(node, ast.BoolOp):
        for n, value in enumerate(node.values):
            rest = [*node.values[:n], *node.values[n + 1 :]]
            yield f"`{ast.unparse(value)}` left out", ast.BoolOp(node.op, rest) if rest[1:] else rest[0]
        return
    for new in _parts(node, near):
        yield f"`{ast.unparse(node)}` -> `{ast.unparse(new)}`", new


def _parts(node: ast.AST, near: Mapping[str, Sequence[str]]) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for n, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:n], _SIGNS[type(op)], *ops[n + 1 :]], others)
        case ast.Call(func=ast.Name(id=name), args=values) if name in _OTHER:
            yield ast.Call(ast.Name(_OTHER[name]), values, [])
            yield from values
        case ast.BinOp(left=a, op=ast.Add() | ast.Sub() as op, right=b):
            yield ast.BinOp(a, ast.Sub() if isinstance(op, ast.Add) else ast.Add(), b)
        case ast.UnaryOp(operand=value):
            yield value
        case ast.IfExp(body=yes, orelse=no):
            yield from (yes, no)
        case ast.Constant(value=0 | 1 as value):
            yield ast.Constant(1 - value)
        case ast.Name(id=name):
            yield from (ast.Name(other) for other in near.get(name, ()))


def _put(node: Any, old: ast.AST, new: ast.AST) -> Any:
    """A tree with one node replaced."""
    if node is old:
        return new
    if isinstance(node, list):
        return [_put(item, old, new) for item in node]
    if isinstance(node, ast.AST):
        return type(node)(**{name: _put(value, old, new) for name, value in ast.iter_fields(node)})
    return node


def neighbours(year: Year, form: Form) -> dict[str, list[str]]:
    """By name of a form: the line before and after, the next input, the next number; of its own unit."""
    units = names_of(year, form)
    groups = [
        [line.name for line in form.lines.values()], list(form.inputs),
        [name for name in form.uses if name in year.parameters],
    ]  # fmt: skip
    near: dict[str, list[str]] = {}
    for group in groups:
        for unit in dict.fromkeys(units[name] for name in group):
            alike = [name for name in group if units[name] == unit]
            for n, name in enumerate(alike):
                others = (alike[n - 1 : n] if group is groups[0] else []) + alike[n + 1 : n + 2]
                near[name] = others or alike[:-1][:1]
    return near
