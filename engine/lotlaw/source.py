"""Read YAML into exact values, each with the place it stands in; report problems at their place.

PyYAML's `safe_load` keeps the last of two equal keys, reads `NO` as false, `12:30` as 750 and `0.1` as a binary
float. Here values are built from the parser's events instead: `3_000` and `0.1` are exact, `15%` is the decimal 0.15,
`2025-01-01` is a date, `yes` and `no` are flags, and everything else is text. Keys are always text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import yaml

LARGEST_FILE = 2_000_000
DEEPEST = 30

Path_ = tuple[str | int, ...]

_NUMBER = re.compile(r"-?(0|[1-9][0-9_]*)(\.[0-9_]+)?(%)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_WORDS = {"yes": True, "no": False, "true": True, "false": False, "null": None, "~": None, "": None}
_QUOTED = {"'", '"', "|", ">"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place(NamedTuple):
    """Where something stands: a file, and a line and column counted from 1 (0: unknown)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)

    def right(self, columns: int) -> Place:
        """The place `columns` further on in the same line."""
        return Place(self.file, self.line, self.column + columns)


@dataclass(frozen=True)
class Problem:
    """Something a user must mend: where it is, what is wrong and what would be right.

    Of rules, the check that found it, and whether a file may say that it does not hold there.
    """

    place: Place
    message: str
    check: str = ""
    may_be_waived: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" [{self.check}]" if self.check else "")


class Problems(Exception):
    """All problems found in one go; commands print them and end with exit code 2."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


def refuse(place: Place | str | Path, message: str) -> Problems:
    """One problem as an exception, to raise."""
    return Problems([Problem(place if isinstance(place, Place) else Place(shown(place)), message)])


def shown(path: str | Path) -> str:
    """A path as a person reads it: relative to the working folder where it lies inside it."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def data_root() -> Path:
    """The folder that holds `rules`, `forms` and `schemas`: inside the installed package, else the checkout's root."""
    here = Path(__file__).resolve().parent
    return here / "data" if (here / "data").is_dir() else here.parent.parent


@dataclass
class Document:
    """A YAML file's value, and the place of every value and key in it by path."""

    file: str
    value: Any
    places: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)

    def at(self, path: Path_) -> Any:
        """The value at `path`."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def place(self, *path: str | int) -> Place:
        """The place of the value at `path`, or of the nearest value around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.file))

    def key(self, *path: str | int) -> Place:
        """The place of the key that leads to `path`."""
        return self.keys.get(path) or self.place(*path)


def read_yaml(path: Path, *, text_only: bool = False) -> Document:
    """Read one YAML file; `text_only` leaves every scalar as the text it is. Raises Problems."""
    name = shown(path)
    return parse_yaml(_text(path, name), name, text_only=text_only)


def parse_yaml(text: str, name: str, *, text_only: bool = False) -> Document:
    """Build the document of YAML `text`, known to the reader as `name`. Raises Problems."""
    builder = _Builder(Document(name, None), text_only)
    try:
        builder.read(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise Problems([*builder.problems, _syntax(name, text, error)]) from None
    except _TooDeep as error:
        raise refuse(error.place, f"nested more than {DEEPEST} deep") from None
    except yaml.YAMLError as error:
        raise refuse(name, f"not readable as YAML: {error}".splitlines()[0]) from None
    if builder.problems:
        raise Problems(builder.problems)
    return builder.document


def _text(path: Path, name: str) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise refuse(name, "no such file") from None
    except OSError as error:
        raise refuse(name, f"cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_FILE:
        raise refuse(name, f"{len(data):,} bytes; a YAML file may have {LARGEST_FILE:,}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(name, f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from None


def _syntax(name: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
    if mark and text.splitlines()[mark.line : mark.line + 1] and "\t" in text.splitlines()[mark.line]:
        return Problem(place, "a tab; YAML is indented with spaces")
    return Problem(place, f"not readable as YAML: {error.problem or error.context}")


class _TooDeep(Exception):
    def __init__(self, place: Place) -> None:
        self.place = place


class _Builder:
    """Builds a document from the parser's events, so that depth is bounded before anything is nested."""

    def __init__(self, document: Document, text_only: bool) -> None:
        self.document = document
        self.text_only = text_only
        self.problems: list[Problem] = []
        self.events: Iterator[Any] = iter(())

    def read(self, events: Iterator[Any]) -> None:
        """Take in the one document of a file."""
        self.events = events
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if self.document.places:
                    self._problem(self._place(event), "a second document; a file holds one")
                    return
                self.document.value = self._value(next(events), ())

    def _value(self, event: Any, path: Path_) -> Any:
        place = self._place(event)
        if len(path) > DEEPEST:
            raise _TooDeep(place)
        self.document.places[path] = place
        if isinstance(event, yaml.AliasEvent):
            return self._problem(place, "aliases (&, *) are not used here: write the value out")
        if event.tag not in (None, "!"):
            self._problem(place, f"tags such as {event.tag} are not used here")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(item, (*path, n)) for n, item in enumerate(self._until(yaml.SequenceEndEvent))]
        return self._scalar(event, place)

    def _until(self, end: type) -> Iterator[Any]:
        for event in self.events:
            if isinstance(event, end):
                return
            yield event

    def _mapping(self, path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            place = self._place(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._problem(place, "a key must be a word")
                self._value(event, (*path, "?"))
                self._value(next(self.events), (*path, "?"))
                continue
            key = event.value
            if key in result:
                self._problem(place, f"'{key}' is written twice; the first is in line {self._line(path, key)}")
                self._value(next(self.events), (*path, key))
                continue
            self.document.keys[(*path, key)] = place
            result[key] = self._value(next(self.events), (*path, key))
        return result

    def _place(self, event: Any) -> Place:
        return Place(self.document.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _line(self, path: Path_, key: str) -> int:
        return self.document.keys[(*path, key)].line

    def _scalar(self, event: Any, place: Place) -> Any:
        text: str = event.value
        if event.style in _QUOTED or self.text_only:
            return text
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        number = _NUMBER.fullmatch(text)
        if number:
            digits = Decimal(text.rstrip("%").replace("_", ""))
            return digits.scaleb(-2) if number[3] else (digits if number[2] else int(digits))
        if _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                return self._problem(place, f"'{text}' is not a day of the calendar")
        return text

    def _problem(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, message))
