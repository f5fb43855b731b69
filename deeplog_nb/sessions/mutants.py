"""Normal sessions with one thing changed: a test of detection power that needs no label, for any log.

Held-out normal sessions say how often a detector cries wrongly; mutants say what it would miss. Some changes are
harmless (two concurrent steps swapped), so catching all of them is not the aim; comparing detectors is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from random import Random
from typing import Final

import polars as pl

from deeplog_nb.frames import SESSIONS, check
from deeplog_nb.sessions.listed import as_sessions

Keys = list[int]
TRIES: Final = 5  # draws until the change gives a session that is none of the given ones


@dataclass(frozen=True)
class Mutants:
    """Changed sessions, and what was changed in each."""

    sessions: pl.DataFrame  # SESSIONS
    truth: pl.DataFrame  # session, anomalous (always true), kind


def mutants(sessions: pl.DataFrame, seed: int = 0, *, strange: Collection[int] = ()) -> Mutants:
    """Each distinct session six times, changed by ``cut, delete, insert, repeat, replace`` and ``swap``.

    What is put in are keys of these sessions, or ``strange`` ones, which none of them has. A mutant that equals one of
    the given sessions is drawn again, and left out if it still does.

    >>> rows = [("a", at, key, 1, False) for at, key in enumerate([1, 2, 3])]
    >>> made = mutants(pl.DataFrame(rows, schema=dict(SESSIONS), orient="row"), seed=1)
    >>> made.truth["kind"].to_list()
    ['cut', 'delete', 'insert', 'repeat', 'replace', 'swap']
    """
    listed = check(sessions, SESSIONS, "sessions").group_by("session", maintain_order=True).agg("key")
    first = listed.unique("key", keep="first", maintain_order=True)
    normal = {tuple(keys) for keys in first["key"].to_list()}
    alphabet = sorted({key for keys in normal for key in keys} | set(strange))
    rng = Random(seed)
    made = [
        (f"{name}:{kind}", kind, changed)
        for name, keys in zip(first["session"], first["key"].to_list(), strict=True)
        for kind, change in KINDS.items()
        if (changed := _novel(change, keys, alphabet, rng, normal))
    ]
    named = pl.DataFrame(
        made, schema={"session": pl.String, "kind": pl.String, "keys": pl.List(pl.UInt32)}, orient="row"
    )
    return Mutants(as_sessions(named), named.select("session", "kind", anomalous=pl.lit(True)))


def _novel(
    change: Callable[[Keys, Keys, Random], Keys], keys: Keys, alphabet: Keys, rng: Random, normal: set[tuple[int, ...]]
) -> Keys | None:
    """The changed keys, if they are no normal session and not empty."""
    for _ in range(TRIES):
        changed = change([*keys], alphabet, rng)
        if changed and tuple(changed) not in normal:
            return changed
    return None


def _cut(keys: Keys, _: Keys, rng: Random) -> Keys:
    """It ends early."""
    return keys[: rng.randrange(1, len(keys))] if len(keys) > 1 else []


def _delete(keys: Keys, _: Keys, rng: Random) -> Keys:
    """One entry is missing."""
    del keys[rng.randrange(len(keys))]
    return keys


def _insert(keys: Keys, alphabet: Keys, rng: Random) -> Keys:
    """One entry too many, of any known key."""
    keys.insert(rng.randrange(len(keys) + 1), rng.choice(alphabet))
    return keys


def _repeat(keys: Keys, _: Keys, rng: Random) -> Keys:
    """One entry twice in a row."""
    at = rng.randrange(len(keys))
    return keys[: at + 1] + keys[at:]


def _replace(keys: Keys, alphabet: Keys, rng: Random) -> Keys:
    """One entry in the place of another."""
    keys[rng.randrange(len(keys))] = rng.choice(alphabet)
    return keys


def _swap(keys: Keys, _: Keys, rng: Random) -> Keys:
    """Two entries, near or far, in each other's place."""
    first, second = rng.randrange(len(keys)), rng.randrange(len(keys))
    keys[first], keys[second] = keys[second], keys[first]
    return keys


KINDS: Final = {
    "cut": _cut,
    "delete": _delete,
    "insert": _insert,
    "repeat": _repeat,
    "replace": _replace,
    "swap": _swap,
}
