"""Form 8949 as tax programs import it: TXF, their CSV layouts, FDX JSON; and beside each what it can't say.

A layout is a file of `forms/exports`: its boxes, codes and words, with its citation. A row that a layout can't say is
left out of its file, because half a row would be a wrong one, and listed with the reason in `not_in_<layout>.csv`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lotlaw import __version__
from lotlaw.rendering.amounts import REPLACEMENT, UNPRINTABLE, plain_cents
from lotlaw.rendering.tables import HARMLESS_IN, form_8949_csv, table_csv
from lotlaw.rendering.templates import fill, fill_columns
from lotlaw.schema import shape_problems
from lotlaw.source import Problems, data_root, read_yaml

if TYPE_CHECKING:
    import polars as pl

    from lotlaw.run import Return

Layout = Mapping[str, Any]

PLANNING = "a return for planning only, not to be filed"
LETTERS = r"[^\x20-\x7e]"
"""What ASCII has no letter for."""


@lru_cache(maxsize=1)
def layouts() -> tuple[str, ...]:
    """The layouts that there are, by name."""
    return tuple(sorted(path.stem for path in (data_root() / "forms" / "exports").glob("*.yaml")))


@lru_cache(maxsize=8)
def layout(name: str) -> Layout:
    """A layout as its file describes it. Raises Problems."""
    document = read_yaml(data_root() / "forms" / "exports" / f"{name}.yaml")
    if wrong := shape_problems(document, "export"):
        raise Problems(wrong)
    found: Layout = document.value
    return found


def headers() -> list[str]:
    """The first lines of the tables that layouts write."""
    tables = (said["columns"] for said in map(layout, layouts()) if said["kind"] == "table")
    return [",".join(column["name"] for column in columns) for columns in tables]


def export(return_: Return, name: str) -> dict[str, Iterable[str]]:
    """The files of one layout by name: its own, and the list of what it can't say if there is anything."""
    said, why = layout(name), reasons(return_, name)
    rows = _cells(return_, said).filter(why == "")
    made: dict[str, Iterable[str]] = {said["file"]: _written(return_, name, rows)}
    if rows.height < return_.rows.height:
        made[f"not_in_{name}.csv"] = [form_8949_csv(return_, why)]
    return made


def left_out(return_: Return, formats: Iterable[str]) -> str:
    """What a person is told of the rows that layouts among `formats` can't say; nothing if they say all."""
    counts = {name: int((reasons(return_, name) != "").sum()) for name in formats if name in layouts()}
    unsaid = [f"{count:,} of {layout(name)['file']}" for name, count in counts.items() if count]
    if not unsaid:
        return ""
    lists = ", ".join(f"not_in_{name}.csv" for name, count in counts.items() if count)
    return f"rows that the format can't say: {', '.join(unsaid)}; enter them by hand, from {lists}"


def reasons(return_: Return, name: str) -> pl.Series:
    """By row of Form 8949, why a layout can't say it; empty where it can."""
    import polars as pl

    said, codes = layout(name), pl.col("codes").fill_null("")
    word = pl.col("acquired_text").fill_null("")
    why = [
        pl.when(~pl.col("box").is_in(list(said["boxes"]))).then(pl.concat_str(pl.lit("box "), "box")),
        pl.when(~_sayable(said["codes"], codes)).then(pl.concat_str(pl.lit("code "), codes)),
        pl.when(~word.is_in(["", *said.get("acquired", {})])).then(pl.concat_str(pl.lit("acquired "), word)),
        pl.when(pl.lit(return_.planning_only)).then(pl.lit(PLANNING)),
    ]
    return return_.rows.select(pl.concat_str(why, separator="; ", ignore_nulls=True).alias("why")).to_series()


def _sayable(rule: str | list[str], codes: pl.Expr) -> pl.Expr:
    import polars as pl

    if rule == "any":
        return pl.lit(value=True)
    return codes.str.len_chars() <= 1 if rule == "one" else codes.is_in(["", *rule])


def _cells(return_: Return, said: Layout) -> pl.DataFrame:
    """What a layout may show of each row, as text; empty where there is nothing."""
    import polars as pl

    codes, words = pl.col("codes").fill_null(""), said.get("acquired", {})
    adjusted, wash = pl.col("adjustment") != 0, (codes != "") & (codes == said.get("wash", ""))
    dates = {name: pl.col(name).dt.strftime(said["dates"]).fill_null("") for name in ("acquired", "sold")}
    word = pl.col("acquired_text").fill_null("")
    texts = {name: _clean(name, said) for name in ("description", "asset", "account")}
    amount = plain_cents("adjustment")
    return return_.rows.select(
        **texts, **{name: plain_cents(name) for name in ("proceeds", "basis")}, sold=dates["sold"], codes=codes,
        acquired=pl.when(word == "").then(dates["acquired"]).otherwise(word.replace_strict(words, default="")),
        various=word != "", direct=return_.laid.line.is_not_null(),
        adjustment=pl.when(adjusted | (codes != "")).then(amount).otherwise(pl.lit("")),
        box=pl.col("box").replace_strict(said["boxes"], default=""), letter="box", nothing=pl.lit(""),
        term=pl.col("term").replace_strict(said.get("terms", {}), default=""), quantity=_quantity(),
        wash=pl.when(wash & adjusted).then(amount).otherwise(pl.lit("")),
        other_code=pl.when(~wash).then(codes).otherwise(pl.lit("")),
        other_adjustment=pl.when(~wash & (codes != "")).then(amount).otherwise(pl.lit("")),
    )  # fmt: skip


def _quantity() -> pl.Expr:
    import polars as pl

    return pl.col("quantity").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".").fill_null("")


def _clean(name: str, said: Layout) -> pl.Expr:
    import polars as pl

    text = pl.col(name).fill_null("").str.replace_all(UNPRINTABLE, REPLACEMENT)
    return text.str.replace_all(LETTERS, "?") if said.get("letters") == "ascii" else text


def _written(return_: Return, name: str, rows: pl.DataFrame) -> Iterator[str]:
    said = layout(name)
    if said["kind"] == "records":
        yield from _records(return_, name, rows)
    elif said["kind"] == "table":
        yield _table(said["columns"], rows)
    else:
        yield from _forms(return_, said, rows)


def _records(return_: Return, name: str, rows: pl.DataFrame) -> Iterator[str]:
    """A heading and a record a row; dated the last day of the year, so that the same return gives the same bytes."""
    import polars as pl

    year = return_.year
    program = f"lotlaw {__version__}, rules of {year.year} ({year.status}) {year.digest[:12]}"
    exported = date(year.year, 12, 31).strftime(layout(name)["dates"])
    yield _dos(fill(f"exports/{name}_heading.txt.j2", program=program, exported=exported))
    template, cells = f"exports/{name}_record.txt.j2", [c for c in rows.columns if rows[c].dtype == pl.String]
    plain, washed = (fill_columns(template, cells, disallowed=disallowed) for disallowed in (False, True))
    record = pl.when(pl.col("wash") != "").then(washed).otherwise(plain)
    yield _dos("".join(rows.select(record.str.join("")).to_series()))


def _dos(text: str) -> str:
    return text.replace("\n", "\r\n")


def _table(columns: list[Mapping[str, str]], rows: pl.DataFrame) -> str:
    import polars as pl

    names = [f"{n} {column['shows']}" for n, column in enumerate(columns)]
    shown = rows.select(pl.col(c["shows"]).alias(name) for c, name in zip(columns, names, strict=True))
    texts = [name for c, name in zip(columns, names, strict=True) if c["shows"] in HARMLESS_IN]
    blank = shown.with_columns(pl.when(pl.all() != "").then(pl.all()))
    return f"{','.join(c['name'] for c in columns)}\n{table_csv(blank, texts, header=False)}"


def _forms(return_: Return, said: Layout, rows: pl.DataFrame) -> Iterator[str]:
    """A statement whose forms tell the sales of one account each."""
    year = return_.year.year
    yield f'{{"taxYear": {year}, "taxDataType": "JSON", "forms": ['
    between = "\n"
    for form in said["forms"]:
        kept = rows.filter(rows["letter"].is_in(form["boxes"]))
        for part in kept.partition_by("account", maintain_order=True):
            issuer = {"businessName": {"name1": part["account"][0]}}
            head = {"taxYear": year, "taxFormType": form["type"], "issuer": issuer, "accountNumber": part["account"][0]}
            opened = json.dumps(head, ensure_ascii=False)[:-1]
            yield f'{between}{{"{form["property"]}": {opened}, "{form["rows"]}": [\n'
            yield part.select(_object(form["fields"]).str.join(",\n")).item()
            yield "\n]}}"
            between = ",\n"
    yield "\n]}\n"


def _object(fields: list[Mapping[str, str]]) -> pl.Expr:
    """Each row as a JSON object with the fields that say something."""
    import polars as pl

    members = []
    for field in fields:
        value, says = _json(field["shows"])
        members.append(pl.when(says).then(pl.concat_str(pl.lit(f'"{field["name"]}": '), value)))
    return pl.concat_str(pl.lit("{"), pl.concat_str(members, separator=", ", ignore_nulls=True), pl.lit("}"))


def _json(shows: str) -> tuple[pl.Expr, pl.Expr]:
    """A field's value as JSON, and whether there is any."""
    import polars as pl

    if shows in ("various", "direct"):
        return pl.lit("true"), pl.col(shows)
    if shows == "other_codes":
        code, amount = pl.col("other_code"), pl.col("other_adjustment")
        return pl.format('[{{"code": "{}", "amount": {}}}]', code, amount), code != ""
    says = pl.col(shows) != ""
    if shows in ("proceeds", "basis", "wash"):
        return pl.col(shows), says
    text = pl.struct(pl.col(shows).alias("_")).struct.json_encode()
    return text.str.strip_prefix('{"_":').str.strip_suffix("}"), says
