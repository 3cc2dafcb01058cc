"""The Spark engine: the same partition function on many machines, through `mapInArrow` after a repartition by taxpayer.

`tables` takes any two DataFrames with the columns of `docs/batch.md`, tables of a lakehouse for instance, and gives
DataFrames; `run` does with files what the local engine does. Both need the extra `spark`, and Java.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from lotlaw.batch.folder import SIDES, Given, Plan, begun, finish, summary, told
from lotlaw.batch.partition import worked
from lotlaw.batch.split import SHOWN, twice
from lotlaw.batch.tables import KEY, NEEDED, OUT, STRUCTS, TAXPAYERS, Schema, transactions
from lotlaw.lots.events import cast
from lotlaw.rules import load
from lotlaw.source import Problems, refuse

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame, SparkSession

SIDE, FILE, ROW, TABLE = "lotlaw_side", "lotlaw_file", "lotlaw_row", "lotlaw_table"
OF_PEOPLE = "taxpayers_"
"""Stands before the columns of taxpayers where both tables are one."""


def tables(
    transactions: DataFrame, taxpayers: DataFrame, year: int, rules: str | None = None, parts: int | None = None
) -> dict[str, DataFrame]:
    """The tables of `lotlaw.batch.tables.OUT` by name, worked out once, when the first of them is asked for.

    `parts`: how many partitions to work in; without it, Spark's own number of shuffle partitions.
    """
    both = _sided(transactions, 0).unionByName(_sided(_flat(taxpayers), 1), allowMissingColumns=True)
    both = both.repartition(parts, KEY) if parts else both.repartition(KEY)
    made = both.mapInArrow(_function(year, rules), _ddl({TABLE: pl.String, **_structs()})).persist(_on_disk())
    return {name: made.where(made[TABLE] == name).select(f"{name}.*") for name in OUT}


def _on_disk() -> Any:
    from pyspark import StorageLevel

    return StorageLevel.DISK_ONLY


def _flat(taxpayers: DataFrame) -> DataFrame:
    """The table of taxpayers without structs and dots, its columns named apart from those of transactions."""
    from pyspark.sql.functions import col

    chosen: list[Column] = [col(KEY), *(col(name) for name in (FILE, ROW) if name in taxpayers.columns)]
    for name in taxpayers.columns:
        if name in STRUCTS:
            struct: Any = taxpayers.schema[name].dataType
            parts = [field.name for field in struct.fields]
            chosen += [col(f"{name}.{part}").alias(_apart(f"{name}.{part}")) for part in parts]
        elif name in TAXPAYERS and name != KEY:
            chosen.append(col(f"`{name}`").alias(_apart(name)))
    return taxpayers.select(chosen)


def _apart(name: str) -> str:
    return OF_PEOPLE + name.replace(".", "__")


def _sided(frame: DataFrame, side: int) -> DataFrame:
    """The rows with the table they are of, and where they stand."""
    from pyspark.sql.functions import lit, monotonically_increasing_id

    if ROW not in frame.columns:
        frame = frame.withColumns({FILE: lit(SIDES[side]), ROW: monotonically_increasing_id() + 1})
    return frame.withColumn(SIDE, lit(side))


# What every partition does


def _function(year: int, rules: str | None) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        frames = [pl.DataFrame(pl.from_arrow(batch)) for batch in batches if batch.num_rows]
        if not frames:
            return
        made = _worked(load(year, Path(rules) if rules else None), pl.concat(frames))
        schema = _arrow({TABLE: pl.String, **_structs()})
        for name, frame in made.items():
            rows = cast(frame, OUT[name]).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(_arrow(OUT[name]))
            for part in rows.to_batches():
                struct = pa.StructArray.from_arrays(part.columns, fields=list(_arrow(OUT[name])))
                columns = [
                    pa.array([name] * part.num_rows) if field.name == TABLE
                    else struct if field.name == name
                    else pa.nulls(part.num_rows, field.type)
                    for field in schema
                ]  # fmt: skip
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return work


def _worked(year: Any, both: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables of the taxpayers whose rows of both tables these are."""
    files = both[FILE].unique().sort()
    both = both.with_columns(file=pl.col(FILE).cast(pl.Enum(files)).to_physical().cast(pl.UInt32), row=pl.col(ROW))
    own = {_apart(name): name for name in TAXPAYERS if _apart(name) in both.columns}
    theirs = {name: dtype for name, dtype in transactions().items() if name in both.columns}
    rows = both.filter(pl.col(SIDE) == 0).select("file", "row", *theirs)
    full = [name for name in theirs if name in NEEDED or rows[name].null_count() < rows.height]
    people = both.filter(pl.col(SIDE) == 1).select("file", "row", KEY, *own).rename(own)
    return worked(year, rows.select("file", "row", *full), people, files.to_list())


def _structs() -> dict[str, Any]:
    return {name: pl.Struct(dict(schema)) for name, schema in OUT.items()}


def _arrow(schema: Schema) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, _arrow_type(dtype)) for name, dtype in schema.items()])


def _arrow_type(dtype: Any) -> Any:
    import pyarrow as pa

    if isinstance(dtype, pl.Struct):
        return pa.struct([(field.name, _arrow_type(field.dtype)) for field in dtype.fields])
    if isinstance(dtype, pl.Decimal):
        return pa.decimal128(dtype.precision, dtype.scale)
    if isinstance(dtype, pl.Datetime):
        return pa.timestamp("us", tz="UTC")
    return {pl.String: pa.string(), pl.Int64: pa.int64(), pl.Date: pa.date32(), pl.Boolean: pa.bool_()}[dtype]


def _ddl(schema: Schema) -> str:
    """A schema as Spark writes it."""
    return ", ".join(f"`{name}` {_ddl_type(dtype)}" for name, dtype in schema.items())


def _ddl_type(dtype: Any) -> str:
    if isinstance(dtype, pl.Struct):
        return f"struct<{', '.join(f'`{field.name}`: {_ddl_type(field.dtype)}' for field in dtype.fields)}>"
    if isinstance(dtype, pl.Decimal):
        return f"decimal({dtype.precision},{dtype.scale})"
    return {pl.String: "string", pl.Int64: "bigint", pl.Date: "date", pl.Boolean: "boolean"}.get(dtype, "timestamp")


# Files


def run(plan: Plan, given: Given, out: Path, *, workers: int | None, resume: bool) -> dict[str, Any]:
    """Carry out a plan into a folder with Spark, and give its manifest. Raises Problems."""
    if resume:
        said = "Spark makes up for lost tasks by itself; a run that failed as a whole begins anew, in another folder"
        raise refuse("--resume", said)
    spark = session(workers)
    with told(out):
        begun(plan, out, resume=False)
        rows, people = (_read(spark, given, side) for side in SIDES)
        _refuse_twins(people)
        rules = plan["rules_folder"]
        for name, frame in tables(rows, people, plan["tax_year"], rules, plan["parts"]).items():
            frame.write.mode("overwrite").parquet(str(out / name))
        written = {name: pl.scan_parquet(out / name / "*.parquet") for name in OUT}
        return finish(plan, out, [summary(written)], digests(out))


def digests(out: Path) -> dict[str, str]:
    """The digests of the files that Spark wrote, by name."""
    files = [path for name in OUT for path in (out / name).glob("*.parquet")]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def session(workers: int | None) -> SparkSession:
    """The session that there is, or one on this machine. Raises Problems where Spark or Java is missing."""
    try:
        from pyspark import SparkConf
        from pyspark.sql import SparkSession
    except ImportError:
        raise refuse("--engine spark", "needs the extra spark: pip install 'lotlaw[spark]'") from None
    builder = SparkSession.builder.appName("lotlaw")
    if SparkSession.getActiveSession() is None and SparkConf().get("spark.master") is None:
        if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
            said = "needs Java 17 or later, and none is on the PATH, nor does JAVA_HOME name one"
            raise refuse("--engine spark", said)
        builder = builder.master(f"local[{workers or '*'}]")
    plain: dict[str, bool | float | int | str | None] = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    }
    return builder.config(map=plain).getOrCreate()


def _read(spark: SparkSession, given: Given, side: str) -> DataFrame:
    """The files of one table, with their names and the numbers of their rows from 1."""
    from functools import reduce

    from pyspark.sql.functions import col, lit

    number = col("_metadata.row_index") + 1
    parts = [
        spark.read.parquet(str(source.path)).select("*", lit(source.name).alias(FILE), number.alias(ROW))
        for source in given[side]
    ]
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), parts)


def _refuse_twins(taxpayers: DataFrame) -> None:
    """Raise Problems for taxpayers who stand twice in their table."""
    from pyspark.sql.functions import collect_list, count, sort_array, struct

    stands = sort_array(collect_list(struct(FILE, ROW))).alias("at")
    counted = taxpayers.where(taxpayers[KEY].isNotNull()).groupBy(KEY).agg(count(KEY).alias("n"), stands)
    found = counted.where(counted["n"] > 1).orderBy(KEY).limit(SHOWN).collect()
    if found:
        raise Problems([twice(said[KEY], said["at"][0], said["at"][1]) for said in found])
