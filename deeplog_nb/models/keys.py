"""The log-key model (paper, §3.1): after these keys, how probable was the one that came?

It ranks and says probabilities. Whether that is an anomaly is for ``verdicts`` to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F  # noqa: N812 the name that everybody uses

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.expected import Chances, history_codes, most_probable
from deeplog_nb.models.network import KeyNetwork, blurred, probabilities, ranked
from deeplog_nb.models.ranks import spread
from deeplog_nb.models.saved_keys import load_keys, save_keys
from deeplog_nb.models.scored import scored
from deeplog_nb.models.taught import Alarms, updated
from deeplog_nb.models.teaching import Teaching
from deeplog_nb.models.training import Step, Training, losses, pick_device, train, training_device
from deeplog_nb.models.update import Update
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, Sequences, Windows, pairs, sequences, windows


@dataclass(frozen=True)
class KeySettings:
    """The paper's values; what the paper leaves open is switchable, so that its own setting can be had."""

    history: int = 10  # h: keys looked back on
    layers: int = 2  # L
    units: int = 64  # alpha: LSTM units a layer
    start: bool = True  # pad a session's beginning; without it the first h keys are never judged
    end: bool = True  # predict the end of a session too
    unknown: bool = True  # judge what follows a key that was never trained; without it, not until h keys later
    blur: float = 0.5  # share of the training histories whose older keys are made unknown
    dropout: float = 0.1  # of the LSTM's outputs while training
    direct: bool = True  # connect the last key directly to the scores, beginning with the pair counts
    training: Training = field(default_factory=Training)


class KeyModel:
    """An LSTM over log keys: ``fit`` on normal sessions, then ``rank`` any.

    >>> sessions = pl.DataFrame({"session": ["a"] * 3, "position": [0, 1, 2], "key": [1, 2, 3], "count": [1] * 3,
    ...     "open": [False] * 3}, schema_overrides={c: pl.UInt32 for c in ("position", "key", "count")})
    >>> model = KeyModel(history=2, units=8, layers=1).fit(sessions)
    >>> model.rank(sessions).select("position", "key", "rank")
    shape: (4, 3)
    ┌──────────┬──────┬──────┐
    │ position ┆ key  ┆ rank │
    │ ---      ┆ ---  ┆ ---  │
    │ u32      ┆ u32  ┆ u16  │
    ╞══════════╪══════╪══════╡
    │ 0        ┆ 1    ┆ 1    │
    │ 1        ┆ 2    ┆ 1    │
    │ 2        ┆ 3    ┆ 1    │
    │ 3        ┆ null ┆ 1    │
    └──────────┴──────┴──────┘
    """

    def __init__(
        self,
        *,
        history: int = 10,
        layers: int = 2,
        units: int = 64,
        start: bool = True,
        end: bool = True,
        unknown: bool = True,
        blur: float = 0.5,
        dropout: float = 0.1,
        direct: bool = True,
        training: Training | None = None,
    ) -> None:
        self.settings = KeySettings(
            history, layers, units, start, end, unknown, blur, dropout, direct, training or Training()
        )
        self._vocabulary: Vocabulary | None = None
        self._network: KeyNetwork | None = None
        self._steps: list[Step] = []
        self._seen: Windows | None = None

    def fit(
        self, train: pl.DataFrame, valid: pl.DataFrame | None = None, *, progress: Callable[[Step], None] | None = None
    ) -> KeyModel:
        """Train on normal sessions; with ``valid``, stop when these held-out normal ones get no better.

        An interrupt (Ctrl-C, JupyterLab's stop button) ends the training early and keeps the best weights.
        """
        try:
            for step in self.steps(train, valid):
                if progress:
                    progress(step)
        except KeyboardInterrupt:
            if not self._steps:
                raise
        return self

    def steps(self, train: pl.DataFrame, valid: pl.DataFrame | None = None) -> Iterator[Step]:
        """The same as :meth:`fit`, an epoch at a time: ``for step in model.steps(train, valid): ...``."""
        kept = sequences(train)
        self._vocabulary = Vocabulary.of(kept.keys.tolist())
        if not self.vocabulary.keys:
            raise InputError("the training sessions hold no known key; parse them with templates learnt from them")
        seen = self._known_windows(kept)
        if not len(seen.counts):
            h = self.settings.history
            raise InputError(
                f"no training session is longer than the history of {h} keys; use start=True or a smaller h"
            )
        self._seen = seen
        yield from self._train(seen, None if valid is None else self._known_windows(sequences(valid)))

    def rank(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """RANKS: every entry's rank (1 = most probable) and probability, and an end row a session.

        An entry whose key is not in the vocabulary has no rank and probability 0. Where there is no window
        (without ``start``, the first h entries; without ``end``, the end rows) both are null.
        """
        distinct = sequences(sessions)
        return spread(sessions, distinct, *self._look_up(self._windows(distinct)))

    def score(
        self, histories: Sequence[Sequence[int]], nexts: Sequence[int | None]
    ) -> list[tuple[int | None, float | None]]:
        """Rank and probability of each next key (None: of the end) after its history, as :meth:`rank` tells them.

        A history is all keys of a session so far, or the last h of them. A few are answered within a millisecond,
        in blocks of few rows; their probabilities may differ from those of :meth:`rank` in the last digits.
        """
        s = self.settings
        found = pairs(histories, nexts, self.vocabulary, s.history, start=s.start, end=s.end, unknown=s.unknown)
        return scored(self.network, found)

    def expect(self, history: Sequence[int], most: int = 5) -> pl.DataFrame:
        """``key, probability``: the most probable next keys after these ones; key null is the end.

        ``history`` are the keys since the session began, or the last h of them.
        """
        codes = history_codes(self.vocabulary, history, self.history)
        return most_probable(self.vocabulary, self.chances(codes[None])[0], most)

    def chances(self, histories: Ints) -> Chances:
        """Probability of every next-code after each of these histories of codes: [N, h] -> [N, C]."""
        return np.asarray(probabilities(self.network, torch.from_numpy(histories)))

    @property
    def history(self) -> int:
        """How many keys it looks back on."""
        return self.settings.history

    def update(
        self,
        labels: pl.DataFrame,
        *,
        canaries: pl.DataFrame | None = None,
        holdout: pl.DataFrame | None = None,
        g: int | None = 9,
        probability: float | None = None,
        ending: float | None = None,
        teaching: Teaching | None = None,
    ) -> Update[KeyModel]:
        """A new model that has learnt what a person declared normal (paper, 3.3); refused where it would see less.

        ``labels`` are LABELS, or pairs ``history, key`` (null: the end). After such a history the key gets a fifth of
        the probability, or more where it came more often; a key that is new is admitted. Training windows are
        replayed, so that all else stays as it was. This model is not touched.

        Refused, with this model and the reason, where one of the ``canaries`` (SESSIONS of confirmed anomalies, those
        that the labels hold too) would have no alarm any more, or more entries of ``holdout``, normal SESSIONS,
        would. An alarm is what ``g``, ``probability`` and ``ending`` say, as in a Policy.
        """
        alarms = Alarms(g, probability, ending)
        return updated(self, labels, alarms=alarms, teaching=teaching or Teaching(), canaries=canaries, holdout=holdout)

    def unfitted(self) -> KeyModel:
        """A new model with these settings."""
        return KeyModel.of(self.settings)

    @classmethod
    def of(cls, settings: KeySettings) -> KeyModel:
        """A new model with the settings given as one."""
        return cls(**{each.name: getattr(settings, each.name) for each in fields(settings)})

    @property
    def losses(self) -> pl.DataFrame:
        """``epoch, loss, valid_loss, seconds``: how the training went."""
        return losses(self._steps)

    @property
    def vocabulary(self) -> Vocabulary:
        """The keys that the model knows; an error before it is fitted."""
        if self._vocabulary is None:
            raise ModelError("this KeyModel is not fitted yet; call fit(train, valid) first")
        return self._vocabulary

    @property
    def seen(self) -> Windows:
        """The distinct windows that it was trained on, which an update replays."""
        if self._seen is None:
            raise ModelError("this KeyModel is not fitted yet; call fit(train, valid) first")
        return self._seen

    @property
    def went(self) -> list[Step]:
        """The steps of its training."""
        return list(self._steps)

    def exchanged(
        self, vocabulary: Vocabulary, network: KeyNetwork, seen: Windows, went: Sequence[Step] | None = None
    ) -> KeyModel:
        """A model of the same settings that knows these keys, has this network and has seen these windows."""
        other = self.unfitted()
        other._vocabulary, other._network, other._seen = vocabulary, network, seen
        other._steps = list(self._steps if went is None else went)
        return other

    @property
    def network(self) -> KeyNetwork:
        """The trained network; an error before the model is fitted."""
        if self._network is None:
            raise ModelError("this KeyModel is not fitted yet; call fit(train, valid) first")
        return self._network

    def save(self, folder: Path | str) -> None:
        """Write ``keys.safetensors`` (weights, windows) and ``keys.json`` (settings, vocabulary, how training went)."""
        save_keys(self, Path(folder))

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "auto") -> KeyModel:
        """Read a model that :meth:`save` wrote; refuses what is broken."""
        return load_keys(cls, Path(folder), device)

    def __repr__(self) -> str:
        s = self.settings
        fitted = f"knows {len(self._vocabulary.keys)} keys" if self._vocabulary else "not fitted"
        where = f", on {training_device(self._network)}" if self._network else ""
        return f"KeyModel(history={s.history}, layers={s.layers}, units={s.units}; {fitted}{where})"

    def _windows(self, distinct: Sequences) -> Windows:
        s = self.settings
        return windows(distinct, self.vocabulary, s.history, start=s.start, end=s.end, unknown=s.unknown)

    def _known_windows(self, distinct: Sequences) -> Windows:
        """Windows that can be learnt: the next key is known, and it happened."""
        found = self._windows(distinct)
        kept = (found.nexts >= 0) & (found.counts > 0)
        nothing = np.empty(0, np.int64), np.empty(0, np.bool_)
        return Windows(found.histories[kept], found.nexts[kept], found.counts[kept], *nothing)

    def _train(self, seen: Windows, held: Windows | None) -> Iterator[Step]:
        network = self._network = self.built(self.vocabulary)
        device = training_device(network)
        histories = torch.from_numpy(seen.histories).to(device)  # [N, h]
        nexts = torch.from_numpy(seen.nexts).to(device)  # [N]
        weights = torch.from_numpy(seen.counts.astype(np.float32))  # [N]
        network.begin_with_pairs(histories, nexts, weights.to(device))
        blur, generator = self.settings.blur, torch.Generator().manual_seed(self.settings.training.seed)

        def loss(batch: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(network(blurred(histories[batch], blur, generator)), nexts[batch], reduction="none")

        self._steps = []
        held_loss = None if held is None or not len(held.counts) else lambda: _mean_loss(network, held)
        for step in train(network, loss, weights, held_loss, self.settings.training):
            self._steps.append(step)
            yield step

    def built(self, vocabulary: Vocabulary) -> KeyNetwork:
        """An untrained network of these settings for such a vocabulary."""
        s = self.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(s.training.seed)
            sizes = vocabulary.inputs, vocabulary.end + s.end, s.units, s.layers
            network = KeyNetwork(*sizes, dropout=s.dropout, direct=s.direct)
        return network.to(pick_device(s.training.device))

    def _look_up(self, found: Windows) -> tuple[pl.Series, pl.Series]:
        """Rank and probability of each entry and end row of the distinct sequences."""
        rank, own = ranked(self.network, torch.from_numpy(found.histories), torch.from_numpy(found.nexts))
        known = pl.Series(found.nexts >= 0)
        table = pl.DataFrame({"rank": rank.numpy(), "probability": own.numpy()}).with_columns(
            rank=pl.when(known).then("rank").cast(pl.UInt16)
        )
        at = pl.Series(found.of_entry)
        entries = table.select(pl.all().gather(at.set(at < 0, None)))
        chance = pl.when(pl.Series(found.unknown)).then(0.0).otherwise("probability").cast(pl.Float32)  # window or not
        return entries["rank"], entries.select(chance.alias("probability"))["probability"]


def _mean_loss(network: KeyNetwork, held: Windows) -> float:
    """Mean surprise, in nats, over the occurrences of the held-out windows."""
    _, own = ranked(network, torch.from_numpy(held.histories), torch.from_numpy(held.nexts))
    return float(np.average(-np.log(np.maximum(own.numpy(), 1e-30)), weights=held.counts))
