"""Sorts of entries too rare for a network: their robust bounds, and the vectors that these are told from.

Arrays only. Axes: G groups, D positions, F entries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from deeplog_nb.models.robust import Robust, fit_robust
from deeplog_nb.sessions.series import Groups, Vectors, resolutions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST: Final = 5  # examples under which a sort is not judged


@dataclass(frozen=True)
class Few:
    """The training vectors of the sorts that have no network: so few that all can be kept."""

    values: Floats  # [F, D]
    keys: Ints  # [F]
    before: Ints  # [F]

    @classmethod
    def of(cls, vectors: Vectors, rows: npt.NDArray[np.bool_]) -> Few:
        """These entries' vectors."""
        return cls(vectors.values[rows], vectors.keys[rows], vectors.before[rows])

    def __add__(self, other: Few) -> Few:
        values = np.concatenate([self.values, other.values])
        return Few(values, np.concatenate([self.keys, other.keys]), np.concatenate([self.before, other.before]))

    def __len__(self) -> int:
        return len(self.keys)


def fall_back(seen: Vectors, sorts: Groups, *, follow: bool) -> tuple[Groups, Robust]:
    """Robust bounds of all sorts, and of each key whatever came before it: then its wait is not judged."""
    exact = fit_robust(seen.values, sorts.numbers(seen.keys, seen.before), resolutions(seen, sorts.keys), least=LEAST)
    if not follow:
        return sorts, exact
    loose = sorts.loose
    any_before = _without_wait(
        fit_robust(seen.values, loose.numbers(seen.keys, seen.before), resolutions(seen, loose.keys), least=LEAST)
    )
    known = np.asarray(np.isfinite(exact.median).any(axis=1))
    return sorts.kept(known) + loose, _joined(exact, any_before, lambda a, b: np.concatenate([a[known], b]))


def learn_few(
    few: Few, declared: Few, fallen: Groups, robust: Robust, networks: Groups, *, follow: bool, chance: float
) -> tuple[Few, Groups, Robust]:
    """The same with these vectors too: the bounds of their own sorts are told anew, all others stay as they are.

    A declared value counts for no more than the bound that it exceeded, so that a wild one does not carry it away. A
    sort never seen before is judged from 5 examples on. The bound of a key whatever came before it stays as it is
    where one of its sorts has a network: it rests on more entries than are kept.
    """
    numbers = fallen.numbers(declared.keys, declared.before)
    drawn = robust.drawn_in(declared.values, numbers, chance) if len(fallen) else declared.values
    both = few + Few(np.where(numbers[:, None] >= 0, drawn, declared.values), declared.keys, declared.before)
    exact = Groups.of(declared.keys, declared.before)
    loose = exact.loose
    whole = loose.kept(~np.isin(loose.keys, networks.keys))  # all of whose entries were kept
    for groups, any_before in [(exact, False), (whole, True)] if follow else [(loose, False)]:
        ticks = _ticks(fallen, robust, groups)
        told = fit_robust(both.values, groups.numbers(both.keys, both.before), ticks, least=LEAST)
        fallen, robust = _put(fallen, robust, groups, _without_wait(told) if any_before else told)
    return both, fallen, robust


def _put(fallen: Groups, robust: Robust, groups: Groups, told: Robust) -> tuple[Groups, Robust]:
    """The bounds with these groups' told anew, and the groups that are new and judged."""
    at = fallen.find(groups.keys, groups.before)
    there, new = at >= 0, (at < 0) & np.isfinite(told.median).any(axis=1)

    def placed(old: Floats, fresh: Floats) -> Floats:
        changed = old.copy()
        changed[at[there]] = fresh[there]
        return np.concatenate([changed, fresh[new]])

    return fallen + groups.kept(new), _joined(robust, told, placed)


def _ticks(fallen: Groups, robust: Robust, groups: Groups) -> Floats:
    """One step of the resolution of these groups; of a key never seen, that of the clock alone is known."""
    unknown = np.ones((1, robust.tick.shape[1]))
    unknown[:, 0] = robust.tick[0, 0] if len(fallen) else 1.0
    return np.concatenate([robust.tick, unknown])[fallen.numbers(groups.keys, groups.before)]


def _without_wait(robust: Robust) -> Robust:
    """A wait depends on what came before."""
    robust.median[:, 0] = np.nan
    return robust


def _joined(one: Robust, other: Robust, join: Callable[[Floats, Floats], Floats]) -> Robust:
    """What the two's arrays give when each is joined with its fellow."""
    return Robust(*(join(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True)))
