"""What the count check has learnt, and how it lies on disk. How it is learnt and used is in ``counts``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from deeplog_nb.frames import ModelError
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Ints

if TYPE_CHECKING:
    from torch import Tensor

NAME: Final = "counts"
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Learnt:
    """What training allows. Axes: D distinct count vectors, I items; an item is one key with one count."""

    vocabulary: Vocabulary
    fixed: tuple[int, ...]  # columns of the keys whose counts are checked
    items: Ints  # [I, 2] column, count
    expected: Reals  # [I, I] how often chance would have shown both in one session; 0 where they are allowed
    sessions: int
    left_out: int  # training sessions that the check would flag, had they not been in it
    ranging: tuple[int, ...] = ()  # of the fixed ones, those of which only presence is checked: 0 or at least 1
    declared: Ints = field(default_factory=lambda: np.empty((0, 0), np.int64))  # [E, fixed] normal on a person's word


def save_learnt(folder: Path, rate: float, learnt: Learnt) -> None:
    """Write ``counts.safetensors`` and ``counts.json``."""
    from deeplog_nb.models.store import save_numbers

    save_numbers(folder, NAME, _numbers(learnt), _facts(rate, learnt))


def digest_of(rate: float, learnt: Learnt) -> str:
    """SHA-256 of the ``counts.json`` that :func:`save_learnt` writes, which names the numbers' own."""
    from deeplog_nb.models.store import packed

    return hashlib.sha256(packed(_numbers(learnt), _facts(rate, learnt))[1]).hexdigest()


def load_learnt(folder: Path) -> tuple[float, Learnt]:
    """What :func:`save_learnt` wrote; refuses what is broken."""
    from deeplog_nb.models.store import load_model

    facts, numbers = load_model(folder, NAME)
    try:
        learnt = _described(facts, {name: value.numpy() for name, value in numbers.items()})
        return float(facts["rate"]), learnt
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"{folder}/{NAME}.json: not a saved CountModel ({type(error).__name__}: {error}); train it anew"
        ) from error


def _numbers(learnt: Learnt) -> dict[str, Tensor]:
    """The items, and of their square table the pairs that exclude each other: there are few."""
    from torch import from_numpy

    pairs = np.argwhere(learnt.expected)  # [P, 2]
    arrays = {"items": learnt.items, "pairs": pairs, "expected": learnt.expected[learnt.expected > 0]}
    arrays["declared"] = learnt.declared.reshape(len(learnt.declared), len(learnt.fixed))
    return {name: from_numpy(values) for name, values in arrays.items()}


def _facts(rate: float, learnt: Learnt) -> dict[str, Any]:
    return {
        "rate": rate,
        "vocabulary": learnt.vocabulary.keys,
        "fixed": learnt.fixed,
        "sessions": learnt.sessions,
        "left_out": learnt.left_out,
        "ranging": learnt.ranging,
    }


def _described(facts: dict[str, Any], numbers: dict[str, npt.NDArray[Any]]) -> Learnt:
    if not 0 < float(facts["rate"]) < 1:
        raise ValueError("its rate is no share")
    vocabulary = Vocabulary(tuple(int(key) for key in facts["vocabulary"]))
    fixed, ranging = (tuple(int(column) for column in facts[name]) for name in ("fixed", "ranging"))
    items, pairs, expected = numbers["items"], numbers["pairs"], numbers["expected"]
    if not {*items[:, 0].tolist(), *fixed, *ranging} <= set(range(len(vocabulary.keys))):
        raise ValueError("a column is none of its keys")
    if not ((expected > 0) & np.isfinite(expected)).all() or (pairs < 0).any():
        raise ValueError("its numbers are none that training gives")
    declared = numbers["declared"]
    if declared.ndim != 2 or declared.shape[1] != len(fixed):
        raise ValueError("what was declared normal has other keys")
    table = np.zeros((len(items), len(items)))  # [I, I]
    table[pairs[:, 0], pairs[:, 1]] = expected
    return Learnt(vocabulary, fixed, items, table, int(facts["sessions"]), int(facts["left_out"]), ranging, declared)
