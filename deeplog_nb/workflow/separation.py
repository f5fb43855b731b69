"""Where one task ends and the next begins, told from what models predict (paper, 4.2).

An entry goes on with the task before it where the models say with certainty that its key comes now or within the next
few keys, whatever comes first: that is so in a chain, among concurrent threads, and behind a step that may be left
out. It is so too where a key after it was certain to come: then the entry is another branch on the way there. And it
is so where its own key was certain a few keys before, and what came between is what no longer foretells it. All else
begins a new task; which of those are branches and loops of the task before is told in ``joining``.

A network that saw a key but a few times is never quite certain of what follows it. So what the model says of one
entry counts as one observation beside those of the sessions, where the key before is the same: of both the more
certain is taken, as it is of several history lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.sessions.vocabulary import FIRST
from deeplog_nb.sessions.windows import Ints, windows
from deeplog_nb.workflow.cooccurrence import Matrix, counted
from deeplog_nb.workflow.entries import Entries, Mask, Shares
from deeplog_nb.workflow.predictions import TURNS, Predictor

DEPTH: Final = 4  # keys ahead that a certain one may still be
MOST: Final = 100_000  # entries that models are asked of; what they say holds for later ones with the same keys around
AROUND: Final = 3  # keys before an entry that are compared for that
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
    asker = _Asker.of(entries, predictor, tau, without)
    certain = np.zeros(len(entries.keys), np.bool_)
    head = np.arange(len(certain)) < MOST
    certain[head] = asker.certain(np.flatnonzero(head))
    if not head.all():
        known = _as_before(entries, certain, head)
        certain[~head] = known[~head] > 0
        open_ = np.flatnonzero(~head & (known < 0))
        certain[open_] = asker.certain(open_)
    return ~certain | entries.firsts


def _as_before(entries: Entries, certain: Mask, head: Mask) -> Ints:
    """What was said of most entries of the head with the same keys around: 1 certain, 0 not, -1 there is none: [M]."""
    shifts = range(-AROUND, SPAN + 1)
    columns = {f"key{by}": np.where(_inside(entries, by), np.roll(entries.keys, -by), -1) for by in shifts}
    frame = pl.DataFrame(columns | {"certain": certain, "head": head})
    around = list(columns)
    told = frame.filter("head").group_by(around).agg(said=pl.col("certain").mean() > 0.5)
    found = frame.join(told, on=around, how="left", maintain_order="left")["said"]
    said: Ints = found.cast(pl.Int64).fill_null(-1).to_numpy()
    return said


@dataclass(frozen=True)
class _Asker:
    """The windows of all entries, and the models to ask of them."""

    entries: Entries
    predictor: Predictor
    tau: float
    hidden: list[int]  # next-codes of keys that belong to no task
    codes: Ints  # [M] next-codes; below 0 is no key that the models know
    histories: Ints  # [N, h]
    places: Ints  # [M] the window of each entry
    counted: tuple[Matrix, Shares]  # how many of a code's entries have each code next or next but one; how many it has

    @classmethod
    def of(cls, entries: Entries, predictor: Predictor, tau: float, without: tuple[int, ...]) -> _Asker:
        vocabulary = predictor.vocabulary
        found = windows(entries.sequences(), vocabulary, predictor.history, end=False)
        hidden = [vocabulary.keys.index(key) for key in without if key in vocabulary.keys]
        codes = vocabulary.codes(entries.keys) - FIRST
        return cls(
            entries,
            predictor,
            tau,
            hidden,
            codes,
            found.histories,
            found.of_entry[found.of_entry >= 0],
            counted(entries, vocabulary, SPAN),
        )

    def certain(self, wanted: Ints) -> Mask:
        """Whether each of these entries, or a key soon behind it, was certain to come; or had been and came late."""
        codes = self.codes
        certain, different = np.zeros(len(codes), np.bool_), np.zeros(len(codes), np.int64)
        for ahead in range(SPAN * TURNS + 1):
            inside = _inside(self.entries, ahead)[wanted]
            asked = wanted[inside & ~certain[wanted] & (codes[wanted] >= 0) & (different[wanted] <= SPAN)]
            asked = asked[(codes[asked + ahead] >= 0) & ~_among(codes, asked + ahead, range(-ahead, 0))]
            certain[asked] = self._told(asked, asked + ahead) >= self.tau
            different[asked] += 1
        late = wanted[~certain[wanted] & (codes[wanted] >= 0)]
        certain[late] = self._late(late)[late]
        return certain[wanted]

    def _late(self, wanted: Ints) -> Mask:
        """Whether each of these entries was certain to come a few keys before."""
        codes = self.codes
        late, different = np.zeros(len(codes), np.bool_), np.zeros(len(codes), np.int64)
        for back in range(1, SPAN * TURNS + 1):
            wanted = wanted[_inside(self.entries, -back)[wanted]]
            wanted = wanted[codes[wanted - back] != codes[wanted]]
            different[wanted] += ~_among(codes, wanted - back, range(1, back))
            wanted = wanted[~late[wanted] & (different[wanted] <= SPAN)]
            late[wanted] = self._told(wanted - back, wanted) >= self.tau
        return late

    def _told(self, places: Ints, others: Ints) -> Shares:
        """How certain it was ahead of these places that the keys of the other entries come soon."""
        told = self._reached(self.places[places], self.codes[others])
        return np.maximum(told, self._seen(places, self.codes[others], told))

    def _reached(self, places: Ints, targets: Ints) -> Shares:
        """Probability that each target comes soon after the history of its place; each pair of both is asked once."""
        size = self.predictor.vocabulary.end
        pairs, back = np.unique(places * size + targets, return_inverse=True)
        chances = self.predictor.reach(self.histories[pairs // size], pairs % size, DEPTH, self.hidden)
        return chances[back]

    def _seen(self, asked: Ints, targets: Ints, told: Shares) -> Shares:
        """Share of the entries with this key before that have the target next, or next but one; of this one as told."""
        met, often = self.counted
        before = self.codes[asked - 1] + FIRST
        others = np.maximum(met[before, targets + FIRST] - 1, 0)
        return np.where(self.entries.firsts[asked], told, (others + told) / np.maximum(often[before], 1))


def _among(codes: Ints, places: Ints, shifts: range) -> Mask:
    """Whether the keys of these places are among those so many entries on (or back)."""
    found = np.zeros(len(places), np.bool_)
    for shift in shifts:
        found |= codes[places + shift] == codes[places]
    return found


def _inside(entries: Entries, by: int) -> Mask:
    """Whether the place so many entries on (or back) is in the same session: [M]."""
    rows, at = entries.rows, np.arange(len(entries.keys)) + by
    within = (at >= 0) & (at < len(rows))
    inside: Mask = within & (rows[np.clip(at, 0, len(rows) - 1)] == rows)
    return inside
