"""Check a document against a JSON Schema, and say what is wrong in words a tax professional understands.

The sentence shown is the `description` of the schema that fails; unknown keys get the nearest known one. To import
jsonschema takes as long as to work out a small return, so it is asked only about what is not plainly right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lotlaw.formula import did_you_mean
from lotlaw.source import Document, Problem, data_root

LONGEST_VALUE = 60
QUIET = (
    "$schema", "$id", "$defs", "$comment", "title", "description", "format", "items", "properties",
    "additionalProperties", "then", "else",
)  # fmt: skip
"""Words of a schema that ask nothing of the value by themselves."""
TYPES: dict[type, set[str]] = {
    type(None): {"null"}, bool: {"boolean"}, int: {"integer", "number"}, Decimal: {"number"}, str: {"string"},
    list: {"array"}, dict: {"object"},
}  # fmt: skip
ASKS: dict[str, tuple[tuple[type, ...], Callable[[Any, Any], bool]]] = {
    "minimum": ((int, Decimal), lambda value, said: value >= said),
    "maximum": ((int, Decimal), lambda value, said: value <= said),
    "minLength": ((str,), lambda value, said: len(value) >= said),
    "maxLength": ((str,), lambda value, said: len(value) <= said),
    "pattern": ((str,), lambda value, said: re.search(said, value) is not None),
    "minItems": ((list,), lambda value, said: len(value) >= said),
    "maxItems": ((list,), lambda value, said: len(value) <= said),
    "minProperties": ((dict,), lambda value, said: len(value) >= said),
    "maxProperties": ((dict,), lambda value, said: len(value) <= said),
    "required": ((dict,), lambda value, said: set(said) <= value.keys()),
    "dependentRequired": ((dict,), lambda value, said: all(value.keys() >= {*said[k]} for k in said if k in value)),
}
"""Words that ask something of values of some types, and nothing of others."""
CHOICES: dict[str, Callable[[list[bool]], bool]] = {
    "allOf": all, "anyOf": any, "oneOf": lambda fits: sum(fits) == 1,
}  # fmt: skip


def shape_problems(document: Document, schema: str) -> list[Problem]:
    """Where `document` departs from `schemas/<schema>.schema.json`, in the order of the file."""
    value = _plain(document.value)
    if _surely_fits(value, _shape(schema)):
        return []
    errors = (error for found in _validator(schema).iter_errors(value) for error in _leaves(found))
    problems = {str(p): p for error in errors for p in _problems(document, error)}
    return sorted(problems.values(), key=lambda p: (p.place.line, p.place.column))


def limits(schema: str, path: str) -> tuple[int | None, int | None]:
    """The least and the most that a schema lets an amount be, by its dotted path; None where it may be anything."""
    shape = whole = _shape(schema)
    for word in path.split("."):
        shape = shape["properties"][word]
        shape = whole["$defs"][shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
    kinds = [kind for kind in (shape, *shape.get("oneOf", ())) if kind.get("type") in ("number", "integer")]
    return kinds[0].get("minimum"), kinds[0].get("maximum")


@lru_cache(maxsize=32)
def _shape(schema: str) -> Any:
    return json.loads((data_root() / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=32)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_shape(schema))


def _surely_fits(value: Any, shape: Any) -> bool:
    """Whether a value has a shape; no, too, if the shape is told in words that are not known here."""
    try:
        return _fits(value, shape, shape.get("$defs", {}))
    except LookupError:
        return False


def _fits(value: Any, shape: Any, defined: Any) -> bool:
    if isinstance(shape, bool):
        return shape
    asked = (word for word in shape if word not in QUIET)
    return all(_holds(word, value, shape, defined) for word in asked) and all(
        _fits(part, said, defined) for part, said in _parts(value, shape)
    )


def _parts(value: Any, shape: Any) -> Iterator[tuple[Any, Any]]:
    """What a value is made of, each with its shape."""
    if isinstance(value, list):
        yield from ((item, shape.get("items", True)) for item in value)
    if isinstance(value, dict):
        known, others = shape.get("properties", {}), shape.get("additionalProperties", True)
        yield from ((item, known.get(key, others)) for key, item in value.items())


def _holds(word: str, value: Any, shape: Any, defined: Any) -> bool:
    """Whether a value does what one word of a shape asks. Raises LookupError for words that are not known here."""
    said = shape[word]
    if word == "type":
        return not TYPES.get(type(value), set()).isdisjoint([said] if isinstance(said, str) else said)
    if word in ("const", "enum"):
        return _is_one_of(value, [said] if word == "const" else said)
    if word in ASKS:
        types, asks = ASKS[word]
        return not isinstance(value, types) or isinstance(value, bool) or asks(value, said)
    return _holds_by_others(word, value, shape, defined)


def _is_one_of(value: Any, choice: list[Any]) -> bool:
    if not all(isinstance(one, str | bool) for one in choice):
        raise LookupError(choice)
    return any(type(one) is type(value) and one == value for one in choice)


def _holds_by_others(word: str, value: Any, shape: Any, defined: Any) -> bool:
    """The same for a word that asks by way of other shapes."""
    said = shape[word]
    if word == "$ref":
        return _fits(value, defined[said.removeprefix("#/$defs/")], defined)
    if word == "not":
        return not _fits(value, said, defined)
    if word == "if":
        return _fits(value, shape.get("then" if _fits(value, said, defined) else "else", True), defined)
    if word == "propertyNames":
        return not isinstance(value, dict) or all(_fits(key, said, defined) for key in value)
    if word == "dependentSchemas":
        return not isinstance(value, dict) or all(_fits(value, said[key], defined) for key in said if key in value)
    return CHOICES[word]([_fits(value, one, defined) for one in said])


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
