"""A labelled log without sessions as an online experiment sees it: what is learnt from, then entry after entry.

Keys are given as the log goes on: templates are learnt on the training part, and each later message that fits none
of those so far gets a key of its own at once. What came before an entry is what stands before it in the log.

Axes: N entries that are judged, h history.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deeplog_nb.data import Generated
from deeplog_nb.events.masks import shape
from deeplog_nb.events.spell import Spell
from deeplog_nb.events.templates import Templates
from deeplog_nb.lines.read import read
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.sessions.windows import Ints

Flags = npt.NDArray[np.bool_]
HISTORY: Final = 3  # h of the paper's online experiment


@dataclass(frozen=True)
class Stream:
    """The training part, and every other entry in the order of the log with the keys before it."""

    train: pl.DataFrame  # SESSIONS: the first normal entries, one after another
    histories: Ints  # [N, h] template keys, 0 before the log began
    keys: Ints  # [N]
    abnormal: Flags  # [N] the truth: only what answers and counts may read it

    @cached_property
    def patterns(self) -> tuple[Ints, Ints]:
        """Each entry's distinct (history, key), as a number: [N]; and an entry that has it, by number."""
        rows = np.column_stack([self.histories, self.keys])
        _, first, numbers = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return numbers.ravel(), first

    def __len__(self) -> int:
        return len(self.keys)


def stream(lines: pl.DataFrame, share: float, *, history: int = HISTORY) -> Stream:
    """Lines with a ``label`` parted: the first ``share`` of the *normal* ones train, all others are judged.

    So every alert is judged, as the paper's figures want it: also one that came while the training part was written.
    """
    normal = lines.select(pl.col("label") == "-").to_series().to_numpy()
    trains = normal & (normal.cumsum() <= int(normal.sum() * share))  # [lines]
    learnt = lines.filter(pl.Series(trains))
    templates = Spell().fit(learnt)
    keys = grown(templates, lines).parse(lines, parameters=False)["key"].to_numpy().astype(np.int64)
    padded = np.concatenate([np.zeros(history, np.int64), keys])
    before = np.lib.stride_tricks.sliding_window_view(padded, history)[:-1]  # [lines, h]
    train = sessionize(templates.parse(learnt, parameters=False))
    return Stream(train, before[~trains], keys[~trains], ~normal[~trains])


def grown(templates: Templates, lines: pl.DataFrame) -> Templates:
    """The templates extended by each new shape of message when it first comes, by that one alone.

    What had a key keeps it, so parsing all lines in the end gives each line the key that it had when it came.

    >>> lines = pl.DataFrame({"message": ["fan on", "fan off", "fan on"]})
    >>> grown(Spell().fit(lines.head(1)), lines).parse(lines)["key"].to_list()
    [1, 2, 1]
    """
    shaped = lines.with_columns(_shape=shape(pl.col("message")))
    for one in shaped.unique("_shape", keep="first", maintain_order=True).iter_slices(1):
        if templates.assign(one["_shape"])["key"].item() == 0:
            templates = templates.extend(one.drop("_shape"))
    return templates


def generated_lines(log: Generated) -> pl.DataFrame:
    """LINES of a generated log, as they are read from disk."""
    with TemporaryDirectory() as folder:
        return read(log.write(Path(folder), "bgl.log"), layout="bgl")
