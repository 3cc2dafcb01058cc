"""Text in cells: as large as the form has it where there is room, else smaller, on several lines, or on a statement.

A form of many rows has a hundred thousand cells, so sizes and places are worked out as columns; only texts that need
several lines are looked at one by one. Lengths are thousandths of a point, sizes tenths of a point.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import polars as pl

from lotlaw.rendering.pdf.paper import CODEC, Look, Paper

LEAST = 50
"""The smallest size that is still read."""
STEP = 5
PADDING = 2_048
LINE = 12_288
"""How high one line of a form is: where a cell is higher, a single line stands at its foot, beside its neighbours."""
LEADING = 115
"""From one line to the next, in hundredths of the size."""
CAPITALS = 72
"""How high a capital is, in hundredths of the size."""
EM = 10**3
PLAIN = 128
"""From this code on letters are written as numbers."""
SPECIAL = "\\()"
UNKNOWN = "?"
STATEMENT = "See stmt. "
"""What a cell shows whose text stands on the statement, before the number there."""


def fitted(cells: pl.DataFrame, paper: Paper) -> pl.DataFrame:
    """Cells (sheet, field, text, where) with their field's columns, `lines` (a list of texts) and `size`.

    A text that fits at no size has a null in both.
    """
    look = paper.look
    placed = cells.join(paper.fields, "field", "left", maintain_order="left")
    placed = placed.with_columns(shown=_printable(placed["text"]))
    placed = placed.join(_ems(placed["shown"], look), "shown", "left", maintain_order="left")
    room = (pl.col("width") - 2 * PADDING) * EM // 100
    size = (room // pl.col("ems").clip(1)).clip(upper_bound=look.size) // STEP * STEP
    may_break = pl.col("several") & (size < look.size)
    size = pl.when((size >= LEAST) & ~may_break).then(size)
    placed = placed.with_columns(size=size, lines=pl.when(size.is_not_null()).then(pl.concat_list("shown")))
    return _broken(placed.drop("ems"), look)


def overflowing(cells: pl.DataFrame, paper: Paper) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """Fitted cells of which those that fit at no size refer to a statement; and its items: sheet, where, text."""
    too_long = pl.col("size").is_null()
    items = cells.filter(too_long).select("sheet", "where", "text")
    if items.is_empty():
        return cells, []
    reference = pl.when(too_long).then(pl.concat_str(pl.lit(STATEMENT), too_long.cum_sum().cast(pl.String)))
    cells = cells.select("sheet", "field", "where", text=pl.coalesce(reference, "text"))
    return fitted(cells, paper), list(items.iter_rows())


def _printable(text: pl.Series) -> pl.Series:
    """Texts in letters that the font of a form has."""
    changed = {letter: nearest(letter) for letter in _letters(text) if nearest(letter) != letter}
    return text.str.replace_many(list(changed), list(changed.values())) if changed else text


def _letters(text: pl.Series) -> list[str]:
    """Every letter that stands in some texts."""
    return sorted(set(text.unique().str.split("").explode().unique().drop_nulls()) - {""})


def nearest(letter: str) -> str:
    """A letter if the fonts of forms have it, else the same without its accents, else a question mark."""
    for said in (letter, "".join(part for part in unicodedata.normalize("NFKD", letter) if not _is_accent(part))):
        if said and said.encode(CODEC, "replace").decode(CODEC) == said:
            return said
    return UNKNOWN


def _is_accent(letter: str) -> bool:
    return unicodedata.combining(letter) > 0


def _ems(texts: pl.Series, look: Look) -> pl.DataFrame:
    """How wide texts are, in thousandths of their size: columns `ems` and that of the texts."""
    widths = {bytes([code]).decode(CODEC, "replace"): width for code, width in enumerate(look.widths)}
    each = texts.unique(maintain_order=True).to_frame("text")
    letters = each.select("text", letter=pl.col("text").str.split("")).explode("letter")
    ems = pl.col("letter").replace_strict(widths, default=0, return_dtype=pl.Int64)
    return letters.group_by("text", maintain_order=True).agg(ems.sum().alias("ems")).rename({"text": texts.name})


def _broken(placed: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Break the texts that may stand on several lines and do not fit on one at full size."""
    keys = ["shown", "width", "height"]
    long = placed.filter(pl.col("several") & pl.col("size").is_null()).select(keys).unique(maintain_order=True)
    if long.is_empty():
        return placed
    breaks = [_break(text, width, height, look) for text, width, height in long.iter_rows()]
    table = long.with_columns(
        pl.Series("broken_size", [size for size, _ in breaks], pl.Int64),
        pl.Series("broken", [lines for _, lines in breaks], pl.List(pl.String)),
    )
    joined = placed.join(table, keys, "left", maintain_order="left")
    new = joined.with_columns(size=pl.coalesce("size", "broken_size"), lines=pl.coalesce("lines", "broken"))
    return new.drop("broken", "broken_size")


def _break(text: str, width: int, height: int, look: Look) -> tuple[int | None, list[str] | None]:
    for size in range(look.size, LEAST - 1, -STEP):
        lines = list(_lines(text, (width - 2 * PADDING) * EM // 100 // size, look))
        if size * (CAPITALS + LEADING * (len(lines) - 1)) <= height:
            return size, lines
    return None, None


def _lines(text: str, room: int, look: Look) -> Iterator[str]:
    """Lines no wider than `room` (thousandths of the size), broken between words, or in them where one is too long."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if _wide(longer, look) <= room:
            line = longer
            continue
        if line:
            yield line
        *full, line = _cut(word, room, look)
        yield from full
    yield line


def _cut(word: str, room: int, look: Look) -> list[str]:
    parts = [""]
    for letter in word:
        if parts[-1] and _wide(parts[-1] + letter, look) > room:
            parts.append("")
        parts[-1] += letter
    return parts


def _wide(text: str, look: Look) -> int:
    """How wide a text is, in thousandths of its size."""
    return sum(look.widths[code] for code in text.encode(CODEC, "replace"))


def drawn(cells: pl.DataFrame, paper: Paper) -> pl.DataFrame:
    """What draws each cell, from the corner of its field on: sheet, field, text, size, left, bottom, `draws`."""
    look, count = paper.look, pl.col("lines").list.len()
    lines = cells.with_columns(count=count.cast(pl.Int64), at=pl.int_ranges(count)).with_row_index("cell")
    lines = lines.explode("lines", "at").rename({"lines": "line"})
    lines = lines.join(_ems(lines["line"], look), "line", "left", maintain_order="left")
    x, y = _place()
    letters = {letter: escape(letter) for letter in _letters(lines["line"]) if escape(letter) != letter}
    text = pl.col("line").str.replace_many(list(letters), list(letters.values())) if letters else pl.col("line")
    draws = pl.concat_str(
        pl.lit(f"BT {look.font} "), _points(pl.col("size") * 100), pl.lit(" Tf "), _points(x), pl.lit(" "), _points(y),
        pl.lit(" Td ("), text, pl.lit(") Tj ET\n"),
    )  # fmt: skip
    keys = ["cell", "sheet", "field", "text", "size", "left", "bottom"]
    return lines.with_columns(draws=draws).group_by(keys, maintain_order=True).agg(pl.col("draws").str.join(""))


def _place() -> tuple[pl.Expr, pl.Expr]:
    """Where a line begins in its cell: a single one at the foot, several in the middle."""
    size, height, count = pl.col("size"), pl.col("height"), pl.col("count")
    over = pl.col("width") - pl.col("ems") * size * 100 // EM
    x = pl.when(pl.col("align") == 0).then(PADDING).when(pl.col("align") == 1).then(over // 2).otherwise(over - PADDING)
    alone = (height.clip(upper_bound=LINE) - size * CAPITALS) // 2
    lowest = (height - size * (CAPITALS + LEADING * (count - 1))) // 2
    return x, pl.when(count == 1).then(alone).otherwise(lowest + (count - 1 - pl.col("at")) * size * LEADING)


def _points(length: pl.Expr) -> pl.Expr:
    """A length in points, to the hundredth, as a PDF writes it."""
    hundredths = length.cast(pl.Int64) // 10
    return pl.concat_str(hundredths // 100, pl.lit("."), (hundredths % 100).cast(pl.String).str.zfill(2))


def escape(letter: str) -> str:
    """A letter as it stands between the parentheses of a PDF's text."""
    if ord(letter) < PLAIN:
        return f"\\{letter}" if letter in SPECIAL else letter
    return "".join(f"\\{code:03o}" for code in letter.encode(CODEC, "replace"))
