"""Check a document against a JSON Schema, and say what is wrong in words a tax professional understands.

The sentence shown is the `description` of the schema that fails; unknown keys get the nearest known one. jsonschema is
imported only when a check runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from lotlaw.formula import did_you_mean
from lotlaw.source import Document, Problem, data_root

LONGEST_VALUE = 60


def shape_problems(document: Document, schema: str) -> list[Problem]:
    """Where `document` departs from `schemas/<schema>.schema.json`, in the order of the file."""
    errors = (error for found in _validator(schema).iter_errors(_plain(document.value)) for error in _leaves(found))
    problems = {str(p): p for error in errors for p in _problems(document, error)}
    return sorted(problems.values(), key=lambda p: (p.place.line, p.place.column))


@lru_cache(maxsize=32)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    text = (data_root() / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _plain(value: Any) -> Any:
    """The value as JSON knows it: dates are text."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _leaves(error: Any) -> Iterator[Any]:
    """The errors that say something: of alternatives, the one that came nearest."""
    if not error.context or "description" in error.schema:
        yield error
        return
    from jsonschema.exceptions import best_match

    nearest = best_match(error.context)
    if nearest:
        yield from _leaves(nearest)


def _problems(document: Document, error: Any) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        yield from _unknown_keys(document, path, error)
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        for key in missing:
            about = error.schema.get("properties", {}).get(key, {}).get("description", "")
            yield Problem(document.place(*path), f"'{key}' is missing{': ' + about if about else ''}")
    else:
        said = error.schema.get("description") if isinstance(error.schema, dict) else None
        yield Problem(document.place(*path), f"{_called(path, error.instance)}: {said or error.message}")


def _unknown_keys(document: Document, path: tuple[str | int, ...], error: Any) -> Iterator[Problem]:
    known = list(error.schema.get("properties", {}))
    patterns = error.schema.get("patternProperties", {})
    for key in error.instance:
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            hint = did_you_mean(key, known) or (f" (known: {', '.join(known)})" if known else "")
            yield Problem(document.key(*path, key), f"unknown key '{key}'{hint}")


def _called(path: tuple[str | int, ...], value: Any) -> str:
    """The key that is wrong, and its value where that is short enough to be of use."""
    words = [step for step in path if isinstance(step, str)][-1:]
    if not path:
        return "the file" if value is not None else "the file is empty"
    if not isinstance(value, (dict, list)):
        text = json.dumps(value, default=str, ensure_ascii=False)
        words.append(text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…")
    return " ".join(words) or "the file"
