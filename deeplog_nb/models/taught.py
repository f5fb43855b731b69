"""A key model that learns from a person's answers, and the gate that an update has to pass (paper, section 3.3).

The old model is never changed: what comes back is a new one, or the old one with the reason.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import torch

from deeplog_nb.frames import SESSIONS, InputError, check
from deeplog_nb.models.declared import as_asked, pairs
from deeplog_nb.models.declared import canaries as confirmed
from deeplog_nb.models.gate import gated
from deeplog_nb.models.ranks import early, unlikely, unseen
from deeplog_nb.models.teaching import Lesson, Teaching, grown, teach
from deeplog_nb.models.update import Update
from deeplog_nb.sessions.vocabulary import BEFORE, FIRST, Vocabulary
from deeplog_nb.sessions.windows import Ints, Windows, sequences, windows

if TYPE_CHECKING:
    from deeplog_nb.models.keys import KeyModel


MOST: Final = 0.5  # of the probability, for a declared key: what came before is normal too


@dataclass(frozen=True)
class Alarms:
    """What the gate counts as an alarm of the key model; None is no bound."""

    g: int | None
    probability: float | None
    ending: float | None

    def __call__(self, model: KeyModel, sessions: pl.DataFrame) -> pl.DataFrame:
        """FLAGS of every entry and end."""
        rules = unseen(), unlikely(self.g, self.probability), early(self.ending)
        flagged = pl.any_horizontal(rules).fill_null(False)
        return model.rank(sessions).select("session", "position", "key", flagged=flagged)


def updated(
    model: KeyModel,
    labels: pl.DataFrame,
    *,
    alarms: Alarms,
    teaching: Teaching,
    canaries: pl.DataFrame | None = None,
    holdout: pl.DataFrame | None = None,
) -> Update[KeyModel]:
    """The model that was taught, if it loses no canary and flags no more held-out normal entries."""
    told = pairs(labels, model.settings.history)
    if told.is_empty():
        raise InputError("none of these labels says of a key that it is normal; label an alarm first")
    wrong = [
        confirmed(labels),
        *([] if canaries is None else [check(canaries, SESSIONS, "canaries").select(*SESSIONS)]),
    ]
    kept = pl.concat(wrong)
    new = taught(model, told, teaching, canaries=kept)
    return gated(model, new, alarms, as_asked(told), canaries=kept, holdout=holdout)


def taught(
    model: KeyModel, labels: pl.DataFrame, teaching: Teaching, *, canaries: pl.DataFrame | None = None
) -> KeyModel:
    """A new model that gives each declared key its share of the probability after its history; no gate.

    Keys that it did not know are admitted. What it was trained on is replayed, and the declared windows with it from
    now on. The ``canaries``, SESSIONS of confirmed anomalies, are replayed too: what was improbable in them stays so.
    """
    told = pairs(labels, model.settings.history)
    if not model.settings.start:  # there, no history is shorter
        told = told.filter(pl.col("history").list.len() == model.settings.history)
    if not model.settings.end:
        told = told.filter(pl.col("key").is_not_null())
    known = model.vocabulary
    more = Vocabulary.of([*known.keys, *told["key"].drop_nulls().to_list()])
    network = copy.deepcopy(model.network) if more == known else grown(model.network, known, more)
    seen = _recoded(model.seen, known, more)
    declared = _windows(told, more, model.settings.history)
    if len(declared.counts):
        teach(network, _lesson(declared, seen, _kept(model, more, canaries), teaching), teaching)
    return model.exchanged(more, network, _joined(seen, declared))


def _windows(told: pl.DataFrame, vocabulary: Vocabulary, history: int) -> Windows:
    """The declared pairs as windows."""
    histories = np.full((len(told), history), BEFORE, np.int64)  # [D, h]
    for row, keys in enumerate(told["history"].to_list()):
        if keys:
            histories[row, -len(keys) :] = vocabulary.codes(np.array(keys))
    keys = told["key"].fill_null(0).to_numpy().astype(np.int64)
    nexts = np.where(told["key"].is_null().to_numpy(), vocabulary.end, vocabulary.codes(keys) - FIRST)
    return Windows(histories, nexts, told["count"].to_numpy().astype(np.int64), *_no_entries())


def _recoded(seen: Windows, known: Vocabulary, more: Vocabulary) -> Windows:
    """The same windows in the codes of a larger vocabulary."""
    if more == known:
        return seen
    at = more.codes(np.array(known.keys, dtype=np.int64))
    codes = np.concatenate([np.arange(FIRST), at])
    nexts = np.concatenate([at - FIRST, [more.end]])
    return Windows(codes[seen.histories], nexts[seen.nexts], seen.counts, *_no_entries())


def _joined(seen: Windows, declared: Windows) -> Windows:
    return Windows(
        np.concatenate([seen.histories, declared.histories]),
        np.concatenate([seen.nexts, declared.nexts]),
        np.concatenate([seen.counts, declared.counts]),
        *_no_entries(),
    )


def _kept(model: KeyModel, vocabulary: Vocabulary, canaries: pl.DataFrame | None) -> Ints:
    """The histories of the canaries: [K, h]."""
    s = model.settings
    if canaries is None or canaries.is_empty():
        return np.empty((0, s.history), np.int64)
    return windows(sequences(canaries), vocabulary, s.history, start=s.start, end=s.end).histories


def _lesson(declared: Windows, seen: Windows, kept: Ints, teaching: Teaching) -> Lesson:
    """A declared key gets the share with which it came after its history, but so much at least.

    Half of what is replayed is of the canaries, if there are any.
    """
    after: dict[bytes, int] = {}
    for history, count in zip(seen.histories, seen.counts.tolist(), strict=True):
        after[history.tobytes()] = after.get(history.tobytes(), 0) + count
    others = np.array([after.get(history.tobytes(), 0) for history in declared.histories])
    shares = np.maximum(declared.counts / (declared.counts + others), teaching.share)
    said = {history.tobytes() for history in declared.histories}
    old, kept = (part[_others(part, said)] for part in (seen.histories, kept))
    drawn = seen.counts[_others(seen.histories, said)].astype(np.float64) ** 0.7
    return Lesson(
        torch.from_numpy(declared.histories),
        torch.from_numpy(declared.nexts),
        torch.from_numpy(np.minimum(shares, MOST)).float(),
        torch.from_numpy(np.concatenate([old, kept])),
        torch.from_numpy(np.concatenate([drawn, np.full(len(kept), (drawn.sum() or 1) / max(len(kept), 1))])),
    )


def _others(histories: Ints, said: set[bytes]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which histories are none of those said: what is declared after one, its replay would take back."""
    return np.array([history.tobytes() not in said for history in histories], dtype=np.bool_)


def _no_entries() -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    return np.empty(0, np.int64), np.empty(0, np.bool_)
