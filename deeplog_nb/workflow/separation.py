"""Where one task ends and the next begins, told from what models predict (paper, 4.2).

An entry goes on with the task before it where the models say with certainty that its key comes now or within the next
few keys, whatever comes first: that is so in a chain, among concurrent threads, and behind a step that may be left
out. It is so too where a key after it was certain to come: then the entry is another branch on the way there. All
else begins a new task; which of those are branches and loops of the task before is told in ``tasks``.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from deeplog_nb.sessions.windows import Ints, windows
from deeplog_nb.workflow.entries import Entries, Mask, Shares
from deeplog_nb.workflow.predictions import TURNS, Predictor

DEPTH: Final = 4  # keys ahead that a certain one may still be
SPAN: Final = 2  # different keys behind one, of which any that was certain to come keeps it in the task


def by_prediction(entries: Entries, predictor: Predictor, *, tau: float, without: tuple[int, ...]) -> Mask:
    """Whether each entry begins a task: [M]. ``without`` are keys that belong to none and are in no entry.

    >>> import polars as pl
    >>> from deeplog_nb.frames import SESSIONS
    >>> from deeplog_nb.models.ngram import NGram
    >>> keys = [1, 2, 3, 7, 8, 5, 6, 1, 2, 3, 5, 6, 7, 8, 5, 6, 1, 2, 3, 7, 8] * 20
    >>> rows = [("a", at, key, 1, False) for at, key in enumerate(keys)]
    >>> models = NGram(1).fit(pl.DataFrame(rows, schema=dict(SESSIONS), orient="row"))
    >>> entries = Entries(np.array(keys), np.array([len(keys)]), np.array([1]))
    >>> by_prediction(entries, Predictor(models), tau=0.9, without=())[:8].tolist()
    [True, False, False, True, False, True, False, True]
    """
    vocabulary = predictor.vocabulary
    found = windows(entries.sequences(), vocabulary, predictor.history, end=False)
    places = found.of_entry[found.of_entry >= 0]  # [M]
    codes = vocabulary.codes(entries.keys) - 2  # [M] next-codes; below 0 is no key that the models know
    hidden = [vocabulary.keys.index(key) for key in without if key in vocabulary.keys]
    certain = np.zeros(len(codes), np.bool_)
    different = np.zeros(len(codes), np.int64)
    for ahead in range(SPAN * TURNS + 1):
        new = _inside(entries, ahead) & ~certain & (codes >= 0) & (different <= SPAN)
        asked = np.flatnonzero(new)
        asked = asked[(codes[asked + ahead] >= 0) & ~_met(codes, asked, ahead)]
        certain[asked] = _reached(predictor, found.histories, places[asked], codes[asked + ahead], hidden) >= tau
        different[asked] += 1
    return ~certain | entries.firsts


def _met(codes: Ints, places: Ints, ahead: int) -> Mask:
    """Whether the key so far ahead came between: then it was asked for already."""
    met = np.zeros(len(places), np.bool_)
    for step in range(ahead):
        met |= codes[places + step] == codes[places + ahead]
    return met


def _inside(entries: Entries, ahead: int) -> Mask:
    """Whether each entry's session goes on for so many more."""
    rows = entries.rows
    inside = np.zeros(len(rows), np.bool_)
    inside[: len(rows) - ahead] = rows[: len(rows) - ahead] == rows[ahead:]
    return inside


def _reached(predictor: Predictor, histories: Ints, places: Ints, targets: Ints, hidden: list[int]) -> Shares:
    """Probability that each target comes soon after the history of its place; each pair of both is asked once."""
    size = predictor.vocabulary.end
    pairs, back = np.unique(places * size + targets, return_inverse=True)
    chances = predictor.reach(histories[pairs // size], pairs % size, DEPTH, hidden)
    return chances[back]
