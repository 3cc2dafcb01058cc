"""Where brokers' statements and the ledger differ, sale by sale: in return.json, and as a page of the printed return.

`lotlaw.run.Return.compared` has what statements say beside what was computed (`lotlaw.dispositions.compare.COMPARED`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lotlaw.rendering.amounts import plain_cents, printed_cents
from lotlaw.rendering.rows import BETWEEN, places
from lotlaw.rendering.templates import escapes, fill, fill_columns, safe, shown

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.run import Return

TITLE = "Differences between statements and the ledger"
SIDES = {"stated": "stated_", "computed": ""}
"""What each side of a difference is called, and how its columns begin."""
MONEY = ("proceeds", "basis", "wash")
SAID = 10
WIDTHS = {"quantity": 22, "proceeds": 16, "basis": 16, "wash": 14, "term": 15}
"""How wide the columns of the plain text are, after the side that says it."""
LABELS = {"quantity": "Quantity", "proceeds": "Proceeds", "basis": "Basis", "wash": "Wash sale", "term": "Term"}


def differing(return_: Return) -> pl.DataFrame:
    """The sales whose statement and computation differ, with `stated_at` and `computed_at`: lists of `file:line`."""
    import polars as pl

    rows = return_.compared.filter(pl.col("differs").list.len() > 0)
    return rows.with_columns(
        _places(return_, rows["rows"], "stated_at"), _places(return_, rows["sales"], "computed_at")
    )


def _places(return_: Return, rows: pl.Series, name: str) -> pl.Series:
    import polars as pl

    each = pl.DataFrame({"n": pl.int_range(len(rows), eager=True), "row": rows}).explode("row")
    each = each.with_columns(place=places(return_.ledger, each["row"]))
    found = each.group_by("n", maintain_order=True).agg(pl.col("place").drop_nulls().str.join(BETWEEN))
    text = pl.col("place")
    return found.select(pl.when(text != "").then(text).str.split(BETWEEN).fill_null([]).alias(name)).to_series()


def differences_json(return_: Return) -> Iterator[str]:
    """The differences as a list of JSON."""
    import polars as pl

    rows = differing(return_)
    sides = [_side(begins, f"{name}_at").alias(name) for name, begins in SIDES.items()]
    source = pl.struct(pl.col(f"{name}_at").alias(name) for name in SIDES).alias("source")
    entries = rows.select("account", "asset", pl.col("sold").cast(pl.String), "differs", *sides, source)
    yield "[\n  " if rows.height else "["
    yield entries.select(pl.struct(pl.all()).struct.json_encode().str.join(",\n  ")).item()
    yield "]"


def _side(begins: str, at: str) -> pl.Expr:
    """What one side says, null if it has no such sale."""
    import polars as pl

    fields = [_number(f"{begins}quantity").alias("quantity")]
    fields += [plain_cents(f"{begins}{name}").alias(name) for name in MONEY]
    return pl.when(pl.col(at).list.len() > 0).then(pl.struct(*fields, pl.col(f"{begins}term").alias("term")))


def _number(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def differences_page(return_: Return, kind: str, frame: Mapping[str, Any]) -> Iterator[str]:
    """The page that lists the differences, as `txt` or `html`, in pieces; nothing where there are none."""
    rows = differing(return_)
    if rows.is_empty():
        return
    template = f"differences_row.{kind}.j2"
    cells = rows.select(_cells(rows, template))
    heading = " " * SAID + "".join(f"{LABELS[name]:>{width}}" for name, width in WIDTHS.items()) + "  Where"
    filled = cells.select(fill_columns(template, cells.columns).str.join("")).item()
    yield fill(f"differences.{kind}.j2", **frame, title=TITLE, heading=heading, rows=safe(filled))


def _cells(rows: pl.DataFrame, template: str) -> Iterator[pl.Expr]:
    """What the row's template shows, by name: of each side the cells, or in plain text its `line`."""
    import polars as pl

    from lotlaw.dispositions.compare import DIFFERENCES

    yield from (shown(pl.col(name), template) for name in ("account", "asset"))
    yield pl.col("sold").cast(pl.String)
    words = pl.element().replace_strict(DIFFERENCES, return_dtype=pl.String)
    yield pl.col("differs").list.eval(words).list.join(", ")
    for side, begins in SIDES.items():
        known = pl.col(f"{side}_at").list.len() > 0
        texts = {name: pl.when(known).then(_text(rows, name, begins)).otherwise(pl.lit("")) for name in LABELS}
        where = shown(pl.col(f"{side}_at").list.join(", "), template)
        if escapes(template):
            yield from (text.alias(f"{side}_{name}") for name, text in texts.items())
            yield where.alias(f"{side}_at")
            continue
        line = pl.concat_str(*(texts[name].str.pad_start(width) for name, width in WIDTHS.items()), pl.lit("  "), where)
        yield pl.when(known).then(line).otherwise(pl.lit("none".rjust(WIDTHS["quantity"]))).alias(f"{side}_line")


def _text(rows: pl.DataFrame, name: str, begins: str) -> pl.Expr:
    import polars as pl

    column = f"{begins}{name}"
    if name == "quantity":
        return _number(column)
    if name == "term":
        return pl.col(column).fill_null("unknown")
    return printed_cents(column, int(rows[column].abs().sum())).fill_null("unknown")
