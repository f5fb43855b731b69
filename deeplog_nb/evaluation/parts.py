"""A data set as an experiment sees it: what is learnt from, what is judged, what is true of it.

It also finds the public logs; it reads none of them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import InputError
from deeplog_nb.sessions.listed import as_sessions


@dataclass(frozen=True)
class Parts:
    """Training and test part of one data set. Nothing but :func:`~.evaluate` reads the truth."""

    name: str
    unit: str  # what a session is here: a block, a machine, a job
    split: str  # how the parts were made, for the table's head
    train: pl.DataFrame  # SESSIONS, normal ones
    test: pl.DataFrame  # SESSIONS
    truth: pl.DataFrame  # session, anomalous
    abnormal: pl.DataFrame | None = None  # SESSIONS that only a supervised method may learn from
    templates: Templates | None = None  # of sessions with parameters and times: their values can be judged too
    by_entry: bool = False  # whether a session is one entry with its history, so that "entry" is the unit


def public(*names: str) -> Path:
    """A file of the folder that ``DEEPLOG_NB_DATA`` names; what is missing is said."""
    folder = os.environ.get("DEEPLOG_NB_DATA")
    if not folder:
        raise InputError("DEEPLOG_NB_DATA is not set; it must name the folder that holds the public logs")
    path = Path(folder, *names)
    if not path.exists():
        raise InputError(f"{path} is not there; DEEPLOG_NB_DATA must name the folder that holds the public logs")
    return path


def numbered(sequences: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """SESSIONS of ``sequence`` lists, with their ``count`` where there is one; named by the prefix and their row.

    >>> numbered(pl.DataFrame({"sequence": [[5, 22], [5]]}), "train").select("session", "position", "key").rows()
    [('train0', 0, 5), ('train0', 1, 22), ('train1', 0, 5)]
    """
    names = pl.format("{}{}", pl.lit(prefix), pl.int_range(pl.len()))
    return as_sessions(sequences.rename({"sequence": "keys"}).with_columns(session=names))


def truth_of(normal: pl.DataFrame, abnormal: pl.DataFrame) -> pl.DataFrame:
    """``session, anomalous`` of two frames of SESSIONS."""
    parts = [
        part.select("session").unique(maintain_order=True).with_columns(anomalous=pl.lit(wrong))
        for part, wrong in ((normal, False), (abnormal, True))
    ]
    return pl.concat(parts)
