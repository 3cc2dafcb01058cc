"""A first mapping for an export that none knows: its header, its columns with types, a value table, rules by guess.

The draft is valid, so that it can be tried at once; what a kind of row means is left to a person, row by row: a label
that no rule takes stops the import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from lotlaw.importers.clock import EPOCH, EPOCH_MS, clock, when
from lotlaw.importers.files import Text, read_text
from lotlaw.importers.problems import refused
from lotlaw.importers.reading import Header, cells, head, rows_of
from lotlaw.readings.text import NO_NUMBER, number

LINES = 40
"""Lines in which the header is looked for: the first row of names as wide as any."""
MOST_LABELS = 60
"""More different words than that are no kinds of rows."""
FORMATS = (
    "iso", "%Y-%m-%d %H:%M:%S%.f UTC", "%Y-%m-%d %H:%M:%S%.f %Z", "%m/%d/%Y %H:%M:%S %Z", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y", "%m/%d/%y", "%d.%m.%Y %H:%M:%S", "%b %d %Y %H:%M:%S", "%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p",
)  # fmt: skip
WORDS = {
    "asset": ("asset", "symbol", "coin", "currency", "instrument", "ticker"),
    "quantity": ("quantity", "qty", "units", "shares", "amount", "size", "volume"),
    "dollars": ("subtotal", "total", "amount", "proceeds", "usd", "cost", "value"),
    "fee": ("fee", "commission"),
}
KINDS = {"buy": ("buy", "bought", "purchase"), "sell": ("sell", "sold", "sale")}


def drafted(path: Path) -> str:
    """A mapping for the file, as YAML. Raises Problems if it has no table."""
    text = next(part for _, part in read_text(path).parts())
    header = _header(text)
    names = {alias: n for n, alias in enumerate(_aliases(header.cells)) if alias}
    raw = cells(text, header, names)
    types = {alias: _type(raw[alias]) for alias in names}
    return "".join(f"{line}\n" for line in _lines(path, header, names, types, raw))


def _header(text: Text) -> Header:
    """The first row among the widest whose cells are all words, and differ."""
    start = head(text)
    rows = [row for separator in (",", ";", "\t") if separator in start for row in rows_of(start, separator, LINES)]
    named = [row for row in rows if sum(map(bool, row.cells)) > 1 and sum(c[:1].isdigit() for c in row.cells) < 2]
    widest = max((sum(map(bool, row.cells)) for row in named), default=0)
    if not widest:
        raise refused(text.name, f"no row of names in its first {LINES} lines; is this a CSV export?")
    return next(row for row in named if sum(map(bool, row.cells)) == widest)


def _aliases(header: Sequence[str]) -> list[str]:
    """A short name for every column, each once; none for one without a name."""
    taken: list[str] = []
    for cell in header:
        words = re.sub(r"[^a-z0-9]+", "_", cell.lower()).strip("_")[:30]
        alias = f"c_{words}" if words[:1].isdigit() or words in _RESERVED else words
        again = f"{alias}_{sum(a.startswith(alias) for a in taken) + 1}" if alias else ""
        taken.append(again if alias in taken else alias)
    return taken


_RESERVED = {"from", "in", "is", "and", "or", "not", "if", "else", "for", "class", "import", "as", "line", "title"}


def _type(column: pl.Series) -> str:
    """What the cells of a column are: `decimal`, `time` or `text`."""
    said = column.str.strip_chars().drop_nulls()
    said = said.filter((said != "") & ~said.is_in(NO_NUMBER))
    if not len(said):
        return "text"
    if _format(said):
        return "time"
    numbers = said.to_frame("cell").select(number(pl.col("cell"))).to_series()
    return "decimal" if not numbers.null_count() else "text"


def _format(said: pl.Series) -> str | None:
    """The format in which all cells are times. A number is one only if it is as long as an instant or a day."""
    numbers = {EPOCH: r"^1\d{9}(\.\d+)?$", EPOCH_MS: r"^1\d{12}$", "%Y%m%d": r"^(19|20)\d{6}$"}
    if said.str.contains(r"^[\d.,$()+-]+$").all():
        return next((form for form, digits in numbers.items() if said.str.contains(digits).all()), None)
    return next((form for form in FORMATS if not when(said, clock((form,), "UTC", "UTC"))[0].null_count()), None)


def _lines(
    path: Path, header: Header, names: Mapping[str, int], types: Mapping[str, str], raw: pl.DataFrame
) -> Iterator[str]:
    shown = [header.cells[n] for n in names.values()]
    times = [alias for alias, kind in types.items() if kind == "time"]
    kind = _kind(types, raw)
    yield f"# A first draft from {path.name}: go through every part, and write a test for each kind of row."
    yield f"id: {re.sub(r'[^a-z0-9]+', '_', path.stem.lower()).strip('_')[:40] or 'draft'}.draft"
    yield "version: 1"
    yield f"title: {_quoted(path.stem)}"
    yield "detect:"
    yield f"  header: [{', '.join(map(_quoted, shown))}]      # keep those that no other export has together"
    yield "columns:"
    for alias, n in names.items():
        several = header.cells.count(header.cells[n])
        more = ", type: decimal" if types[alias] == "decimal" else ""
        more += f", nth: {header.cells[: n + 1].count(header.cells[n])}" if several > 1 else ""
        name = _quoted(header.cells[n])
        yield f"  {alias}: {f'{{from: {name}{more}}}' if more else name}"
    formats = [f for alias in times for f in [_format(_cells(raw[alias]))] if f]
    listed = ", ".join(map(_quoted, dict.fromkeys(formats or ["iso"])))
    yield f"time: {{formats: [{listed}], zone: UTC}}      # whose zone?"
    yield "classes: {known: true, otherwise: crypto}      # or stock"
    yield f"const: {{account: {_quoted(re.split(r'[^a-z]', path.stem.lower())[0] or 'account')}}}"
    yield from _meaning(types, raw, times, kind)


def _meaning(types: Mapping[str, str], raw: pl.DataFrame, times: Sequence[str], kind: str | None) -> Iterator[str]:
    """The value table and the rules: what can be told from words alone."""
    words = sorted(_cells(raw[kind]).unique().to_list()) if kind else []
    labels = {word: _label(word) for word in words}
    if kind:
        yield "derive:"
        yield "  k:"
        yield f"    of: {kind}"
        yield "    map:"
        for label in dict.fromkeys(labels.values()):
            yield f"      {label}: [{', '.join(_quoted(word) for word in words if labels[word] == label)}]"
    yield f"every: {{time: {times[0] if times else 'null'}}}"
    yield "rules:"
    found: dict[str, str | None] = {}
    for role in WORDS:
        found[role] = _column(role, {alias: kind for alias, kind in types.items() if alias not in found.values()})
    known = [one for one in dict.fromkeys(labels.values()) if one in KINDS]
    for label in known or ["buy"]:
        yield f"  - when: k == '{label}'" if known else "  - when: 1 == 0      # what is a purchase?"
        yield "    emit:"
        yield from (f"      {field}: {value}" for field, value in _event(label, found))
    for label in (one for one in dict.fromkeys(labels.values()) if one not in KINDS):
        yield f"  # - when: k == '{label}'      # what does such a row mean?"


def _event(label: str, found: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    got, gave = ("in", "out") if label == "buy" else ("out", "in")
    yield "kind", label
    yield f"{got}_asset", found["asset"] or "null"
    yield f"{got}_qty", f"abs({found['quantity']})" if found["quantity"] else "null"
    yield f"{gave}_asset", "{text: USD}"
    yield f"{gave}_qty", f"abs({found['dollars']})" if found["dollars"] else "null"
    if found["fee"]:
        yield "fee_asset", "{text: USD}"
        yield "fee_qty", f"abs({found['fee']})"


def _kind(types: Mapping[str, str], raw: pl.DataFrame) -> str | None:
    """The column that says what sort of row it is: of few words, and called so if there is one."""
    few = [a for a, t in types.items() if t == "text" and 0 < _cells(raw[a]).n_unique() <= min(MOST_LABELS, raw.height)]
    called = [a for a in few if any(word in a for word in ("type", "kind", "action", "side", "operation", "code"))]
    return next(iter([*called, *few]), None)


def _label(word: str) -> str:
    """A label for a word: buy or sell where it says so, else the word itself."""
    known = next((label for label, words in KINDS.items() if any(w in word.lower().split() for w in words)), None)
    return known or re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")[:30] or "other"


def _column(role: str, types: Mapping[str, str]) -> str | None:
    """The first column whose name speaks of a role, in the order of the role's words."""
    wanted = "text" if role == "asset" else "decimal"
    names = [alias for alias, kind in types.items() if kind == wanted]
    return next((alias for word in WORDS[role] for alias in names if word in alias), None)


def _cells(column: pl.Series) -> pl.Series:
    said = column.str.strip_chars().drop_nulls()
    return said.filter(said != "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
