"""A first mapping for an export that none knows: its header, its columns with types, a value table, rules by guess.

The draft is valid, so that it can be tried at once; what a kind of row means is left to a person, row by row: a label
that no rule takes stops the import.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from lotlaw.importers.clock import EPOCH, EPOCH_MS, clock, when
from lotlaw.importers.files import Text, read_text
from lotlaw.importers.problems import refused
from lotlaw.importers.reading import Header, cells, head, rows_of
from lotlaw.readings.text import NO_NUMBER, number, pointed

LINES = 40
"""Lines in which the header is looked for: the first row of names as wide as any."""
MOST_LABELS = 60
"""More different words than that are no kinds of rows."""
FORMATS = (
    "iso", "%Y-%m-%d %H:%M:%S%.f UTC", "%Y-%m-%d %H:%M:%S%.f %Z", "%m/%d/%Y %H:%M:%S %Z", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y",
    "%d-%m-%Y %H:%M:%S", "%d-%m-%Y", "%b %d %Y %H:%M:%S", "%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p",
)  # fmt: skip
HOUR = r"^\d{1,2}:\d{2}(:\d{2})?$"
"""A column of hours, which stands beside one of days."""
PAIR = r"^[A-Z0-9]{2,10}([-/_])[A-Z0-9]{3,5}$"
"""What is traded, and for what."""
WORDS = {
    "asset": ("asset", "symbol", "coin", "currency", "instrument", "ticker"),
    "quantity": ("quantity", "qty", "units", "shares", "amount", "size", "volume"),
    "dollars": ("subtotal", "total", "amount", "proceeds", "usd", "cost", "value"),
    "fee": ("fee_total", "fee_amount", "fee", "commission"),
    "fee_asset": ("fee_asset", "fee_currency", "fee_coin"),
}
KINDS = {"buy": ("buy", "bought", "purchase"), "sell": ("sell", "sold", "sale")}
OTHERWISE = {"to", "open", "close", "cover", "short", "cancel", "cancelled", "canceled", "reversal"}
"""Words beside which a purchase or a sale is not a plain one."""


def drafted(path: Path) -> str:
    """A mapping for the file, as YAML. Raises Problems if it has no table."""
    text = next(part for _, part in read_text(path).parts())
    header = _header(text)
    names = {alias: n for n, alias in enumerate(_aliases(header.cells)) if alias}
    raw = cells(text, header, names)
    found = [({alias: _type(raw[alias], comma=comma) for alias in names}, comma) for comma in (False, True)]
    said = max(found, key=lambda types: list(types[0].values()).count("decimal"))
    return "".join(f"{line}\n" for line in _lines(path, header, names, *said, raw))


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
        words = _name(cell)
        alias = f"c_{words}" if words[:1].isdigit() or words in _RESERVED else words
        again = f"{alias}_{sum(a.startswith(alias) for a in taken) + 1}" if alias else ""
        taken.append(again if alias in taken else alias)
    return taken


def _name(words: str) -> str:
    """Words as a name of a mapping: small letters without accents."""
    plain = unicodedata.normalize("NFKD", words.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:30].strip("_")


_RESERVED = {"from", "in", "is", "and", "or", "not", "if", "else", "for", "class", "import", "as", "line", "title"}


def _type(column: pl.Series, *, comma: bool) -> str:
    """What the cells of a column are: `decimal`, `time`, `hour` or `text`."""
    said = column.str.strip_chars().drop_nulls()
    said = said.filter((said != "") & ~said.is_in(NO_NUMBER))
    if not len(said):
        return "text"
    if _format(said):
        return "time"
    if said.str.contains(HOUR).all():
        return "hour"
    cell = pointed(pl.col("cell")) if comma else pl.col("cell")
    numbers = said.to_frame("cell").select(number(cell)).to_series()
    return "decimal" if not numbers.null_count() else "text"


def _format(said: pl.Series) -> str | None:
    """The format in which all cells are times. A number is one only if it is as long as an instant or a day."""
    numbers = {EPOCH: r"^1\d{9}(\.\d+)?$", EPOCH_MS: r"^1\d{12}$", "%Y%m%d": r"^(19|20)\d{6}$"}
    if not said.to_frame("cell").select(number(pl.col("cell"))).to_series().null_count():
        return next((form for form, digits in numbers.items() if said.str.contains(digits).all()), None)
    return next((form for form in FORMATS if not when(said, clock((form,), "UTC", "UTC"))[0].null_count()), None)


def _lines(
    path: Path, header: Header, names: Mapping[str, int], types: Mapping[str, str], comma: bool, raw: pl.DataFrame
) -> Iterator[str]:
    shown = [header.cells[n] for n in names.values()]
    kind = _kind(types, raw)
    yield f"# A first draft from {path.name}: go through every part, and write a test for each kind of row."
    yield f"id: {re.sub(r'[^a-z0-9]+', '_', path.stem.lower()).strip('_')[:40] or 'draft'}.draft"
    yield "version: 1"
    yield f"title: {_quoted(path.stem)}"
    yield "detect:"
    yield f"  header: [{', '.join(map(_quoted, shown))}]      # keep those that no other export has together"
    if comma:
        yield "read: {decimal_comma: true}"
    yield "columns:"
    for alias, n in names.items():
        several = header.cells.count(header.cells[n])
        more = ", type: decimal" if types[alias] == "decimal" else ""
        more += f", nth: {header.cells[: n + 1].count(header.cells[n])}" if several > 1 else ""
        name = _quoted(header.cells[n])
        yield f"  {alias}: {f'{{from: {name}{more}}}' if more else name}"
    time, formats = _time(types, raw)
    yield f"time: {{formats: [{', '.join(map(_quoted, formats))}], zone: UTC}}      # whose zone?"
    yield "classes: {known: true, otherwise: crypto}      # or stock"
    yield f"const: {{account: {_quoted(re.split(r'[^a-z]', path.stem.lower())[0] or 'account')}}}"
    yield from _meaning(types, raw, time, kind)


def _time(types: Mapping[str, str], raw: pl.DataFrame) -> tuple[str | None, list[str]]:
    """What says when, and its formats: a column, or one of days and one of hours together."""
    times, hours = ([alias for alias, kind in types.items() if kind == wanted] for wanted in ("time", "hour"))
    formats = [f for alias in times for f in [_format(_cells(raw[alias]))] if f]
    if not times or not hours or "%H" in formats[0] or "%I" in formats[0]:
        return next(iter(times), None), list(dict.fromkeys(formats or ["iso"]))
    seconds = _cells(raw[hours[0]]).str.count_matches(":").max() == 2
    day = "%Y-%m-%d" if formats[0] == "iso" else formats[0]
    return f"{times[0]} + ' ' + {hours[0]}", list(
        dict.fromkeys([f"{day} %H:%M{':%S' if seconds else ''}", *formats[1:]])
    )


def _meaning(types: Mapping[str, str], raw: pl.DataFrame, time: str | None, kind: str | None) -> Iterator[str]:
    """The value table and the rules: what can be told from words alone."""
    words = sorted(_cells(raw[kind]).unique().to_list()) if kind else []
    labels = {word: _label(word) for word in words}
    said = {alias: _cells(raw[alias]) for alias, kind in types.items() if kind == "text"}
    pair = next((alias for alias, cells in said.items() if len(cells) and cells.str.contains(PAIR).all()), None)
    if kind or pair:
        yield "derive:"
    if pair:
        mark = _quoted(said[pair].str.extract(PAIR)[0])
        yield f"  base: split({pair}, {mark}, 0)"
        yield f"  quote: split({pair}, {mark}, 1)"
    if kind:
        yield "  k:"
        yield f"    of: {kind}"
        yield "    map:"
        for label in dict.fromkeys(labels.values()):
            yield f"      {label}: [{', '.join(_quoted(word) for word in words if labels[word] == label)}]"
    yield f"every: {{time: {time}}}" if time else "every: {time: null}      # which column says when?"
    yield "rules:"
    found: dict[str, str | None] = {}
    for role in WORDS:
        found[role] = _column(role, {alias: kind for alias, kind in types.items() if alias not in found.values()})
    found |= {"asset": "base", "quote": "quote"} if pair else {}
    known = [one for one in dict.fromkeys(labels.values()) if one in KINDS]
    for label in known or ["buy"]:
        yield f"  - when: k == '{label}'" if known else "  - when: 1 == 0      # what is a purchase?"
        yield "    emit:"
        yield from (f"      {field}: {value}" for field, value in _event(label, found))
    for label in (one for one in dict.fromkeys(labels.values()) if one not in KINDS):
        yield f"  # - when: k == '{label}'      # what does such a row mean?"


def _event(label: str, found: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    got, gave = ("in", "out") if label == "buy" else ("out", "in")
    yield "kind", f"=iif(quote == 'USD', '{label}', 'trade')" if found.get("quote") else label
    yield f"{got}_asset", found["asset"] or "null"
    yield f"{got}_qty", f"abs({found['quantity']})" if found["quantity"] else "null"
    money = found.get("quote") or "{text: USD}"
    yield f"{gave}_asset", money
    yield f"{gave}_qty", f"abs({found['dollars']})" if found["dollars"] else "null"
    if found["fee"]:
        yield "fee_asset", found["fee_asset"] or money
        yield "fee_qty", f"abs({found['fee']})"


def _kind(types: Mapping[str, str], raw: pl.DataFrame) -> str | None:
    """The column that says what sort of row it is: of few words, and called so if there is one."""
    few = [a for a, t in types.items() if t == "text" and 0 < _cells(raw[a]).n_unique() <= min(MOST_LABELS, raw.height)]
    called = [a for a in few if any(word in a for word in ("type", "kind", "action", "side", "operation", "code"))]
    telling = [a for a in (*called, *few) if any(_label(word) in KINDS for word in _cells(raw[a]).unique())]
    return next(iter([*telling, *called, *(a for a in few if 1 < _cells(raw[a]).n_unique() < raw.height)]), None)


def _label(word: str) -> str:
    """A label for a word: buy or sell where it says so (and not what it opens or closes), else the word itself."""
    words = set(word.lower().split())
    known = next((label for label, said in KINDS.items() if words & set(said) and not words & OTHERWISE), None)
    return known or _name(word) or "other"


def _column(role: str, types: Mapping[str, str]) -> str | None:
    """The first column whose name speaks of a role, in the order of the role's words."""
    wanted = "text" if role in ("asset", "fee_asset") else "decimal"
    names = [
        alias
        for alias, kind in types.items()
        if kind == wanted and (role in ("fee", "fee_asset") or "fee" not in alias)
    ]
    return next((alias for word in WORDS[role] for alias in names if word in alias), None)


def _cells(column: pl.Series) -> pl.Series:
    said = column.str.strip_chars().drop_nulls()
    return said.filter(said != "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
