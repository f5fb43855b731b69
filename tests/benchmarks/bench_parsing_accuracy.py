"""Figures of our Spell on the ten LogHub samples, beside the published algorithm, and its time on hostile logs.

``make bench``; it needs DEEPLOG_NB_DATA. Only that no line is unseen is asserted: the floors are in tests/events.
"""

import random
import time

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell
from tests.events.oracle import accuracy, classic, rand
from tests.events.test_oracle import LABELS, SYSTEMS, keys, sample

RANDOM = ((10_000, 1_000, 8), (100_000, 1_000, 8), (100_000, 100, 8), (100_000, 20_000, 8))


def test_grouping_accuracy(data):
    """GA and FGA of each sample by both sets of labels."""
    print(f"\n{'':<14}" + "".join(f"{labels:>24}" for labels in LABELS))
    table = {name: [_figures(sample(data, name, labels)) for labels in LABELS] for name in SYSTEMS}
    for name, both in table.items():
        print(f"{name:<14}" + "".join(f"{_shown(each):>24}" for each in both))
    means = [[sum(both[at][n] for both in table.values()) / len(table) for n in (0, 1)] for at in (0, 1)]
    print(f"{'mean':<14}" + "".join(f"{_shown(each):>24}" for each in means))


def _shown(figures):
    return "GA {:.3f}  FGA {:.3f}".format(*figures)


def _figures(log):
    found = keys(log)
    assert 0 not in found
    return accuracy(found, log["truth"])


@pytest.mark.parametrize("tau", [0.5, 0.7])
def test_agreement_with_the_published_algorithm(data, tau):
    """Rand index and GA of our grouping against its, and its own GA by the corrected labels."""
    print(f"\ntau {tau:<9} {'Rand':>8} {'GA':>8}   {'its GA':>8} {'its FGA':>8} {'seconds':>8}")
    for name in SYSTEMS:
        log = sample(data, name, LABELS[1])
        began = time.perf_counter()
        theirs = classic(log["message"].to_list(), tau)
        spent, ours = time.perf_counter() - began, keys(log)
        told = (rand(ours, theirs), accuracy(ours, theirs)[0], *accuracy(theirs, log["truth"]), spent)
        print(f"{name:<13} " + "{:8.4f} {:8.3f}   {:8.3f} {:8.3f} {:8.1f}".format(*told))


@pytest.mark.parametrize(("shapes", "vocabulary", "length"), RANDOM)
def test_mining_random_words(shapes, vocabulary, length):
    """Distinct shapes that have nothing to do with one another: the worst log for a miner."""
    chance = random.Random(1)
    known = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(vocabulary)]
    lines = pl.DataFrame({"message": [" ".join(chance.choices(known, k=length)) for _ in range(shapes)]})
    began = time.perf_counter()
    templates = Spell().fit(lines)
    mined = time.perf_counter()
    assert 0 not in templates.parse(lines, parameters=False)["key"]
    print(f"\n{shapes:,} shapes of {length} of {vocabulary:,} words: {mined - began:.1f} s to mine, ", end="")
    print(f"{time.perf_counter() - mined:.1f} s to parse, {len(templates):,} templates")
