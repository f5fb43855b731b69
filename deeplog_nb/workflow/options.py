"""What a user may ask of the search for tasks: refused, with what is accepted, before anything is learnt."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral, Real
from typing import Final

import numpy as np

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.sessions.vocabulary import UNKNOWN, Vocabulary
from deeplog_nb.workflow.entries import Entries

DISTANCE: Final = 4  # different keys; what is built where nobody asks, however few keys there are
FOREIGN: Final = 0.5  # of the entries have keys that a model does not know: more, and it was fitted on another log


def share(value: float, name: str) -> float:
    """The share as it came.

    >>> share("x", "tau")
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: tau is 'x'; it is a share, a number between 0 and 1
    """
    if not isinstance(value, Real) or not 0 <= value <= 1:
        raise InputError(f"{name} is {value!r}; it is a share, a number between 0 and 1")
    return value


def distance_in(entries: Entries, value: int) -> int:
    """The distance as it came: no more different keys than the sessions hold.

    >>> distance_in(Entries(np.array([1, 2]), np.array([2]), np.array([1])), 10**6)
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: distance is 1000000; it counts different keys, and the sessions hold 2: give 1 to 4
    """
    if not isinstance(value, Integral) or value < 1:
        raise InputError(f"distance is {value!r}; it counts different keys: give a whole number, at least 1")
    held = len(np.unique(entries.keys))
    if value > max(held, DISTANCE):
        counts = f"it counts different keys, and the sessions hold {held:,}"
        raise InputError(f"distance is {value}; {counts}: give 1 to {max(held, DISTANCE)}")
    return int(value)


def background_in(entries: Entries, given: Collection[int]) -> tuple[int, ...]:
    """The keys in order, each of them one that the sessions have.

    >>> background_in(Entries(np.array([1, 2]), np.array([2]), np.array([1])), [999])
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: background names key 999, which no session has; give keys of the sessions
    """
    whole = isinstance(given, Collection) and not isinstance(given, str | bytes)
    if not whole or not all(isinstance(key, Integral) for key in given):
        raise InputError(
            f"background is {given!r}; give the keys that belong to no task, such as [7, 9], or [] for none"
        )
    strange = sorted(set(map(int, given)) - set(entries.keys.tolist()))
    if strange:
        keys = f"key{'s' * (len(strange) > 1)} {', '.join(map(str, strange))}"
        raise InputError(f"background names {keys}, which no session has; give keys of the sessions")
    return tuple(sorted(map(int, given)))


def known_to(vocabulary: Vocabulary, entries: Entries) -> None:
    """Refuse models that do not know most of the entries' keys.

    >>> known_to(Vocabulary((7, 8)), Entries(np.array([1, 2]), np.array([2]), np.array([1])))
    Traceback (most recent call last):
    deeplog_nb.frames.ModelError: the models do not know the keys of these sessions (1, 2); fit them on these sessions
    """
    strange = vocabulary.codes(entries.keys) == UNKNOWN
    if entries.weights[strange].sum() > FOREIGN * entries.weights.sum():
        shown = np.unique(entries.keys[strange]).tolist()
        keys = ", ".join(map(str, shown[:5])) + ", …" * (len(shown) > 5)
        raise ModelError(f"the models do not know the keys of these sessions ({keys}); fit them on these sessions")
