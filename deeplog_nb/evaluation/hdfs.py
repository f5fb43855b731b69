"""The HDFS sessions as the DeepLog authors split them: 4,855 normal ones to learn from, 570,204 to judge."""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.evaluation.parts import Parts, numbered, public, truth_of

SUPERVISED: Final = 1638  # abnormal sessions, the first, that the paper gives the methods that need some


def hdfs() -> Parts:
    """Blocks as sessions; identical normal test sessions are one with a count."""
    train = numbered(pl.read_parquet(public("hdfs", "train_normal.parquet")), "train")
    normal = numbered(pl.read_parquet(public("hdfs", "test_normal_unique.parquet")), "normal")
    wrong = pl.read_parquet(public("hdfs", "test_abnormal.parquet"))
    abnormal = numbered(wrong, "abnormal")
    return Parts(
        "hdfs",
        "block",
        "the DeepLog split: 4,855 normal blocks of the log's beginning train",
        train,
        pl.concat([normal, abnormal]),
        truth_of(normal, abnormal),
        numbered(wrong.head(SUPERVISED), "abnormal"),
    )
