"""SESSIONS in, VERDICTS out: key model, count check and policy as one method, in the paper's setting and in our best.

Every bound comes from normal sessions that the model in question was not trained on; no truth is read here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.folds import FOLDS, rank_left_out
from deeplog_nb.models.keys import KeyModel, KeySettings
from deeplog_nb.models.training import Training
from deeplog_nb.sessions.holdout import holdout
from deeplog_nb.sessions.pieces import FEW, PIECE, pieces
from deeplog_nb.sessions.swaps import swapped
from deeplog_nb.verdicts.calibrate import calibrate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.learner import Learner
from deeplog_nb.verdicts.policy import Policy

PAPER = Policy(g=9, longer_than=10, source="the paper's defaults: g = 9; sessions of h keys or fewer are named short")


@dataclass(frozen=True)
class Setting:
    """What is learnt and how it judges. The defaults are :meth:`best`; each part can be left out."""

    keys: KeySettings = field(default_factory=KeySettings)
    policy: Policy | None = None  # None: bounds from the training sessions, left out in turn
    rate: float = 1e-3  # share of normal sessions that may be flagged, all bounds together
    folds: int = FOLDS
    ordered: bool = True  # judge the order of keys (an unseen key is one that no order allows)
    ending: bool = True  # judge where sessions end
    counts: bool = True  # check their counts at the end
    stop: float | None = None  # share of the sessions, the latest, held out to stop the training by; None: no stop
    swaps: bool = False  # train on neighbours in the other order too, where both orders occur

    @classmethod
    def best(cls, seed: int = 0) -> Setting:
        """Our defaults, for any log."""
        return cls(KeySettings(training=Training(seed=seed)))

    @classmethod
    def paper(cls, seed: int = 0, *, history: int = 10, layers: int = 2, units: int = 64) -> Setting:
        """The paper's: h = 10, g = 9, two layers of 64, no padding, no end symbol, sessions of h keys or fewer flagged.

        What the paper does not say (optimizer, steps, which windows how often) is what it is everywhere in this
        package; the weights that stay are those with the least loss on the held-out latest tenth of the sessions.

        >>> Setting.paper(history=5).policy.longer_than
        5
        """
        plain = KeySettings(start=False, end=False, unknown=False, blur=0.0, dropout=0.0, direct=False)
        keys = replace(plain, history=history, layers=layers, units=units, training=Training(seed=seed))
        return cls(keys, replace(PAPER, longer_than=history), ending=False, counts=False, stop=0.1)


class DeepLog:
    """The method on sessions: ``fit`` on normal ones, then ``judge`` any.

    >>> from deeplog_nb.frames import SESSIONS
    >>> rows = [(f"s{n}", at, key, 1, False) for n in range(40) for at, key in enumerate([1, 2, 3])]
    >>> normal = pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> quick = Setting(KeySettings(history=2, layers=1, units=8, training=Training(epochs=3, draws=256)))
    >>> odd = pl.DataFrame([("x", 0, 1, 1, False), ("x", 1, 2, 1, False)], schema=dict(SESSIONS), orient="row")
    >>> DeepLog(quick).fit(normal).judge(odd).filter("anomalous")["counts"].to_list()
    [True]
    """

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting.best()
        self._keys: KeyModel | None = None
        self._counts: CountModel | None = None
        self._policy: Policy | None = None

    def fit(self, sessions: pl.DataFrame) -> DeepLog:
        """Train on normal sessions and set every bound; nothing else is looked at."""
        asked = self.setting
        if not 0 < asked.rate < 1:
            raise InputError(f"rate is {asked.rate}; it is the share of normal sessions flagged, between 0 and 1")
        train, valid = holdout(sessions, asked.stop) if asked.stop else (sessions, None)
        self._keys = KeyModel.of(asked.keys).fit(_more(train, asked), valid)
        self._counts = CountModel(rate=asked.rate).fit(sessions) if asked.counts else None
        self._policy = asked.policy or self._calibrated(sessions, self._left())
        return self

    def judge(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS of every entry and end."""
        counted = self._counts.check(sessions) if self._counts else None
        return judge(self.keys.rank(sessions), policy=self.policy, counts=counted)

    @property
    def keys(self) -> KeyModel:
        """The key model; an error before it is fitted."""
        if self._keys is None:
            raise ModelError("this DeepLog is not fitted yet; call fit(sessions) first")
        return self._keys

    @property
    def policy(self) -> Policy:
        """The bounds and where they come from; an error before they are set."""
        if self._policy is None:
            raise ModelError("this DeepLog is not fitted yet; call fit(sessions) first")
        return self._policy

    @property
    def learner(self) -> Learner:
        """The same models as what learns from a person's answers."""
        return Learner(self.keys, self._counts, self.policy)

    @property
    def source(self) -> str:
        """Where every bound comes from."""
        counted = f"; counts: {self._counts.source}" if self._counts else ""
        return self.policy.source + counted

    def _left(self) -> float:
        """The rate for each of the two bounds: what the count check leaves of the whole, but a third at least."""
        asked = self.setting
        used = self._counts.learnt.left_out / max(self._counts.learnt.sessions, 1) if self._counts else 0.0
        return max(asked.rate - used, asked.rate / 3) / max(asked.ordered + asked.ending, 1)

    def _calibrated(self, sessions: pl.DataFrame, share: float) -> Policy:
        asked = self.setting
        if not (asked.ordered or asked.ending):
            return Policy(source="no order is judged")
        few = sessions["session"].n_unique() < FEW
        parted, unit = (pieces(sessions), f"pieces of {PIECE} entries") if few else (sessions, "sessions")
        found = calibrate(rank_left_out(self.keys, parted, folds=asked.folds), rate=share, unit=unit)
        return replace(
            found,
            probability=found.probability if asked.ordered else None,
            ending=found.ending if asked.ending else None,
            source=f"{found.source}, sequences that occur once left out in {asked.folds} folds",
        )


def _more(sessions: pl.DataFrame, asked: Setting) -> pl.DataFrame:
    return swapped(sessions, seed=asked.keys.training.seed) if asked.swaps else sessions
