"""The DeepLog authors' OpenStack machines, as far as they are public: 2,069 key sequences, four of them injected.

The four differ from normal ones in values and times only, so that no method on keys can find them; that is the point
of the row.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.evaluation.parts import Parts, as_sessions, public, truth_of

TRAINED: Final = 831  # normal machines, as in the paper's Table 3


def openstack() -> Parts:
    """Machines as sessions; the first 831 normal ones train."""
    found = pl.read_parquet(public("openstack", "sequences.parquet"))
    calm = found.filter(~pl.col("injected_anomaly"))
    train = as_sessions(calm.head(TRAINED), "train")
    normal = as_sessions(calm.slice(TRAINED), "normal")
    abnormal = as_sessions(found.filter("injected_anomaly"), "abnormal")
    return Parts(
        "openstack",
        "machine",
        f"the first {TRAINED} normal machines train, as many as in the paper; 4 of the others are labelled",
        train,
        pl.concat([normal, abnormal]),
        truth_of(normal, abnormal),
    )
