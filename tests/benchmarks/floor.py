"""The floor under any program that computes: reading, sorting and writing the same table, and nothing else."""

import sys

import polars as pl

source, target = sys.argv[1:]
if target.endswith(".parquet"):
    pl.read_parquet(source).sort("date").write_parquet(target)
else:
    pl.read_csv(source).sort("time").write_csv(target)
