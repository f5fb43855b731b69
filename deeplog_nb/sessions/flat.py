"""Keys end to end, as arrays or other programs hold them -> SESSIONS, each distinct sequence once.

Nothing is read or parsed here. What is judged of a distinct sequence is told to every session that has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.frames import VERDICTS, InputError, check
from deeplog_nb.sessions.listed import as_sessions

Whole = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Flat:
    """The distinct sequences of many sessions, and who has which."""

    sessions: pl.DataFrame  # SESSIONS: distinct sequences with their counts, named by the first session that has each
    of_session: Whole  # [S] which of them each session is

    def anomalous(self, verdicts: pl.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether each session has an alarm: [S]. ``verdicts`` are those of ``sessions``."""
        flagged = check(verdicts, VERDICTS, "verdicts").group_by("session").agg(pl.col("anomalous").any())
        names = self.sessions.select("session").unique(maintain_order=True)
        found = names.join(flagged, on="session", how="left", maintain_order="left")["anomalous"]
        if found.has_nulls():
            raise InputError("the verdicts lack some of these sessions; give what a model judged of flat.sessions")
        return found.to_numpy()[self.of_session]


def from_keys(keys: Whole, offsets: Whole) -> Flat:
    """SESSIONS from keys end to end; session i is ``keys[offsets[i]:offsets[i + 1]]``, and all have ended.

    >>> flat = from_keys(np.array([5, 22, 5, 22, 9], np.uint8), np.array([0, 2, 4, 5]))
    >>> flat.sessions.select("session", "key", "count").rows()
    [('0', 5, 2), ('0', 22, 2), ('2', 9, 1)]
    >>> flat.of_session.tolist()
    [0, 0, 1]
    """
    distinct = _distinct(keys, _lengths(keys, offsets))
    sizes = distinct["members"].list.len().to_numpy()
    of_session = np.empty(len(offsets) - 1, np.int64)
    of_session[distinct["members"].explode(empty_as_null=False).to_numpy()] = np.repeat(np.arange(len(sizes)), sizes)
    members = pl.col("members")
    listed = distinct.select(session=members.list.first().cast(pl.String), keys="key", count=members.list.len())
    return Flat(as_sessions(listed), of_session)


def _distinct(keys: Whole, lengths: Whole) -> pl.DataFrame:
    """``key, members``: each distinct sequence, and the numbers of its sessions."""
    numbers = pl.Series("session", np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)).set_sorted()
    listed = pl.DataFrame([numbers, pl.Series("key", keys)]).group_by("session", maintain_order=True).agg("key")
    return listed.group_by("key", maintain_order=True).agg(members="session")


def _lengths(keys: Whole, offsets: Whole) -> Whole:
    """How many keys each session has; refuses what is no list of sessions."""
    if (
        keys.ndim != 1
        or offsets.ndim != 1
        or not all(np.issubdtype(each.dtype, np.integer) for each in (keys, offsets))
    ):
        raise InputError("keys and offsets must be arrays of whole numbers with one axis each")
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(keys):
        raise InputError(f"offsets must begin with 0 and end with the number of keys, {len(keys)}")
    ends = offsets.astype(np.int64)
    lengths: Whole = ends[1:] - ends[:-1]
    if (lengths < 1).any():
        at = int(np.argmax(lengths < 1))
        raise InputError(f"session {at} holds no key (offsets {offsets[at]} and {offsets[at + 1]}); leave it out")
    if len(keys) and int(keys.min()) < 0:
        raise InputError(f"a key is {keys.min()}; keys count from 1, and 0 fits no template")
    return lengths
