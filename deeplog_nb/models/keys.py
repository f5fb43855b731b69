"""The log-key model (paper, §3.1): after these keys, how probable was the one that came?

It ranks and says probabilities. Whether that is an anomaly is for ``verdicts`` to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
import torch.nn.functional as F  # noqa: N812 the name that everybody uses

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.expected import history_codes, most_probable
from deeplog_nb.models.network import KeyNetwork, blurred, probabilities, ranked
from deeplog_nb.models.ranks import spread
from deeplog_nb.models.store import fill, load_model, save_model
from deeplog_nb.models.training import Step, Training, losses, pick_device, train, training_device
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints, Sequences, Windows, sequences, windows


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
        yield from self._train(seen, None if valid is None else self._known_windows(sequences(valid)))

    def rank(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """RANKS: every entry's rank (1 = most probable) and probability, and an end row a session.

        An entry whose key is not in the vocabulary has no rank and probability 0. Where there is no window
        (without ``start``, the first h entries; without ``end``, the end rows) both are null.
        """
        distinct = sequences(sessions)
        found = self._windows(distinct)
        return spread(sessions, distinct, *self._look_up(found))

    def expect(self, history: Sequence[int], most: int = 5) -> pl.DataFrame:
        """``key, probability``: the most probable next keys after these ones; key null is the end.

        ``history`` are the keys since the session began, or the last h of them.
        """
        padded = history_codes(self.vocabulary, history, self.history)
        return most_probable(self.vocabulary, self.chances(padded[None])[0], most)

    def chances(self, histories: Ints) -> npt.NDArray[np.float32]:
        """Probability of every next-code after each of these histories of codes: [N, h] -> [N, C]."""
        found: npt.NDArray[np.float32] = probabilities(self.network, torch.from_numpy(histories)).numpy()
        return found

    @property
    def history(self) -> int:
        """How many keys it looks back on."""
        return self.settings.history

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
    def network(self) -> KeyNetwork:
        """The trained network; an error before the model is fitted."""
        if self._network is None:
            raise ModelError("this KeyModel is not fitted yet; call fit(train, valid) first")
        return self._network

    def save(self, folder: Path | str) -> None:
        """Write ``keys.safetensors`` and ``keys.json`` (settings, vocabulary, how training went)."""
        went = [asdict(step) for step in self._steps]
        facts = {"settings": asdict(self.settings), "vocabulary": self.vocabulary.keys, "steps": went}
        save_model(Path(folder), "keys", self.network, facts)

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "auto") -> KeyModel:
        """Read a model that :meth:`save` wrote; refuses what is broken."""
        facts, weights = load_model(Path(folder), "keys")
        try:
            model = _described(facts, device)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{folder}/keys.json: not a saved KeyModel ({type(error).__name__}: {error})") from error
        model._network = model._build()
        fill(model._network, weights, Path(folder))
        return model

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
        return Windows(
            found.histories[kept], found.nexts[kept], found.counts[kept], np.empty(0, np.int64), np.empty(0, np.bool_)
        )

    def _train(self, seen: Windows, held: Windows | None) -> Iterator[Step]:
        network = self._network = self._build()
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

    def _build(self) -> KeyNetwork:
        s = self.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(s.training.seed)
            network = KeyNetwork(
                self.vocabulary.inputs,
                self.vocabulary.end + s.end,
                s.units,
                s.layers,
                dropout=s.dropout,
                direct=s.direct,
            )
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


def _described(facts: dict[str, Any], device: str) -> KeyModel:
    settings = dict(facts["settings"])
    training = Training(**settings.pop("training") | {"device": device})
    model = KeyModel(**settings, training=training)
    model._vocabulary = Vocabulary(tuple(int(key) for key in facts["vocabulary"]))
    model._steps = [Step(**step) for step in facts["steps"]]
    return model
