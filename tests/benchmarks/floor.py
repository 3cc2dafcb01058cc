"""The floor under any program that computes: reading, sorting and writing the same CSV, and nothing else."""

import sys

import polars as pl

source, target = sys.argv[1:]
pl.read_csv(source).sort("time").write_csv(target)
