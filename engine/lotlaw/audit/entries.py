"""Files of rules that hold tables, as text: entry by entry, each with its place and its law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lotlaw.explain.amounts import amount
from lotlaw.formula import did_you_mean
from lotlaw.rules import cite_in
from lotlaw.source import Document, refuse

Named = TypeVar("Named")


def tree(document: Document, sources: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Iterator[str]:
    """What stands at a path of a file, in lines; what holds entries itself, entry by entry."""
    place, pad = document.key(*path), "  " * len(path)
    at = f"  ({place.file}:{place.line})" if len(path) <= 2 else ""
    if path[-1] == "cite":
        yield f"{pad}{cite_in(sources, value)}"
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        yield f"{pad}{path[-1]}{at}"
        yield from (f"{pad}  {told(item)}" for item in value)
    elif isinstance(value, Mapping) and (len(path) == 1 or any(_holds(item) for item in value.values())):
        yield f"{pad}{path[-1]}{at}"
        for key, item in value.items():
            yield from tree(document, sources, (*path, key), item)
    else:
        yield f"{pad}{path[-1]}: {told(value)}{at}"


def _holds(value: Any) -> bool:
    """Whether something holds entries of its own."""
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(item, Mapping) for item in value))


def told(value: Any) -> str:
    """A value of a table on one line: `part I; digital any`."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {told(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(f"({told(item)})" if isinstance(item, Mapping) else told(item) for item in value)
    return amount(value)


def path_of(document: Document, said: str) -> tuple[str, ...]:
    """The path that `kinds.gift_in` says. Raises Problems with the nearest that exists."""
    path: tuple[str, ...] = ()
    for step in said.split("."):
        within = document.at(path)
        named(step, within if isinstance(within, Mapping) else {}, ".".join((Path(document.file).stem, *path)))
        path = (*path, step)
    return path


def named(name: str, among: Mapping[str, Named], where: str) -> Named:
    """The one of a name. Raises Problems with the nearest that exists."""
    if name not in among:
        known = f"; there are {', '.join(among)}" if among else ""
        raise refuse(name, f"nothing of that name in {where}{did_you_mean(name, among)}{known}")
    return among[name]
