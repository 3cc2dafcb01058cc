"""What a reader calls the sections, keys and values of files that hold tables (forms/rulebook/words.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lotlaw.source import data_root, read_yaml

Path_ = tuple[str, ...]


@lru_cache(maxsize=1)
def glossary() -> Mapping[str, Any]:
    """The words, by kind and by the end of a path."""
    found: Mapping[str, Any] = read_yaml(data_root() / "forms" / "rulebook" / "words.yaml").value
    return found


def word(kind: str, path: Path_) -> Any:
    """What stands in a kind of words for the longest end of a path; none: None."""
    words = glossary()[kind]
    ends = (".".join(path[n:]) for n in range(len(path)))
    return next((words[end] for end in ends if end in words), None)


def plain(name: str) -> str:
    """A name of the rules without its underscores, as the first word of a sentence."""
    said = name.replace("_", " ")
    return said[:1].upper() + said[1:]


def unit_called(unit: str) -> str:
    """What a reader calls a unit."""
    return str(glossary()["units"].get(unit, unit))


def key_called(path: Path_) -> str:
    """What a reader calls a key."""
    return str(word("keys", path) or plain(path[-1]))


def section_called(path: Path_) -> str:
    """What a reader calls a section of a file."""
    return str(glossary()["sections"].get(".".join(path), {}).get("title") or plain(path[-1]))


def entry_called(path: Path_, entry: Any) -> str:
    """What a reader calls an entry: its label, else its word, else itself."""
    label = entry.get("label") if isinstance(entry, Mapping) else None
    return str(label or word("names", path) or key_called(path))


def value_called(path: Path_, value: str) -> str | None:
    """What a reader calls a value that is one of a few."""
    known = word("values", path) or (word("values", (str(word("alike", path)),)) if word("alike", path) else None)
    said = known.get(value) if isinstance(known, Mapping) else None
    return None if said is None else str(said)
