"""Sorts too rare for a network: bounds that are told anew with what was declared normal."""

import numpy as np
import pytest

from deeplog_nb.models.few import Few, fall_back, learn_few
from deeplog_nb.sessions.series import Groups, Vectors

NO_NETWORK = Groups(np.zeros(0, int), np.zeros(0, int))


def entries(number: int, *, key: int = 2, before: int = 1, seed: int = 0) -> Vectors:
    """Waits and values of one sort of entry."""
    values = np.random.default_rng(seed).normal(size=(number, 2)).round(1)
    return Vectors(values, np.full(number, key), np.full(number, before), np.arange(number), np.zeros(number, int))


def part(vectors: Vectors, rows: slice) -> Vectors:
    return Vectors(*(each[rows] for each in vars(vectors).values()))


def learnt(first: Vectors, later: Vectors, *, follow: bool, networks: Groups = NO_NETWORK, chance: float = 1e-300):
    """The bounds of the first entries, and what they become with the later ones."""
    before = fall_back(first, sorts(first, follow), follow=follow)
    few, more = (Few.of(each, np.ones(len(each.keys), bool)) for each in (first, later))
    return before, learn_few(few, more, *before, networks, follow=follow, chance=chance)[1:]


def sorts(vectors: Vectors, follow: bool) -> Groups:
    found = Groups.of(vectors.keys, vectors.before)
    return found if follow else found.loose


@pytest.mark.parametrize("follow", [True, False])
def test_what_is_learnt_later_counts_as_much_as_what_was_there(follow):
    """Twelve examples and eight more give the bounds of all twenty."""
    every = entries(20)
    _, (groups, robust) = learnt(part(every, slice(12)), part(every, slice(12, 20)), follow=follow)
    wanted_groups, wanted = fall_back(every, sorts(every, follow), follow=follow)
    assert groups.before.tolist() == wanted_groups.before.tolist()
    for name in ("median", "spread", "number"):
        assert np.array_equal(getattr(robust, name), getattr(wanted, name), equal_nan=True)


def test_a_key_with_a_network_keeps_its_loose_bound():
    """It rests on entries that are not kept; the sort that is new gets its own."""
    network = Groups(np.array([2]), np.array([1]))
    (_, old), (groups, new) = learnt(entries(20), entries(6, before=7), follow=True, networks=network)
    loose = groups.find(np.array([2]), np.array([-1]))[0]
    assert np.array_equal(new.median[loose], old.median[loose], equal_nan=True)
    assert groups.find(np.array([2]), np.array([7]))[0] >= 0


def test_a_wild_value_counts_as_the_bound_that_it_exceeded():
    """The spread is the same whether the value is a hundred or 1e100."""
    wild = [part(entries(1), slice(1)) for _ in range(2)]
    wild[0].values[:], wild[1].values[:] = 1e2, 1e100
    spreads = [learnt(entries(20), each, follow=True, chance=1e-3)[1][1].spread for each in wild]
    assert np.array_equal(*spreads)
