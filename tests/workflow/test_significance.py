from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from deeplog_nb.workflow.significance import by_rank, exact


def by_hand(with_a: int, all_a: int, with_b: int, all_b: int) -> float:
    """Twice the smaller tail of the hypergeometric distribution, from its definition."""
    total = with_a + with_b
    of = math.comb(all_a + all_b, total)
    chance = {n: math.comb(all_a, n) * math.comb(all_b, total - n) / of for n in range(min(all_a, total) + 1)}
    less, more = (sum(p for n, p in chance.items() if keep(n)) for keep in (with_a.__ge__, with_a.__le__))
    return min(1.0, 2 * min(less, more))


@pytest.mark.parametrize("table", [(0, 20, 5, 20), (3, 10, 9, 12), (10, 10, 0, 10), (1, 50, 1, 50), (0, 9, 0, 9)])
def test_the_exact_test_is_the_textbooks(table: tuple[int, int, int, int]) -> None:
    """The same chance as the definition gives."""
    found = exact(*(np.array([float(n)]) for n in table))
    assert found[0] == pytest.approx(by_hand(*table))


def test_the_exact_test_is_right_for_large_logs() -> None:
    """Half a million sessions take no time and give no rounding to zero or above one."""
    few, many = np.array([400.0, 30.0]), np.array([500_000.0, 500_000.0])
    found = exact(few, many, np.array([400.0, 60.0]), many)
    assert found[0] == 1.0
    assert 1e-4 < found[1] < 3e-3


def samples(a: list[float], b: list[float]) -> pl.DataFrame:
    rows = [(1, False, x, 1) for x in a] + [(1, True, x, 1) for x in b]
    return pl.DataFrame(rows, schema=["key", "side", "amount", "weight"], orient="row")


def test_the_rank_test_is_near_the_exact_distribution() -> None:
    """With ties, its chance is within a fifth of that of all ways to draw the second sample."""
    a, b = [1.0, 2, 2, 3, 4, 5, 5, 6], [3.0, 4, 6, 7, 7, 8, 9]
    everything = a + b
    ranks = pl.Series(everything).rank("average").to_list()
    middle = sum(ranks) * len(b) / len(everything)
    off = abs(sum(ranks[len(a) :]) - middle)
    draws = [abs(sum(each) - middle) >= off for each in combinations(ranks, len(b))]
    assert by_rank(samples(a, b), ["key"])["chance"].item() == pytest.approx(sum(draws) / len(draws), rel=0.2)


def test_a_weight_is_as_many_rows() -> None:
    """One row that stands for three counts as three."""
    three = samples([1, 1, 1, 2], [2, 3, 3, 3])
    one = pl.DataFrame({"key": 1, "side": [False, False, True, True], "amount": [1.0, 2, 2, 3], "weight": [3, 1, 1, 3]})
    assert by_rank(one, ["key"]).equals(by_rank(three, ["key"]))


def test_samples_without_any_difference_are_no_surprise() -> None:
    """All values equal, or one side empty: chance 1, no error."""
    assert by_rank(samples([2, 2, 2], [2, 2]), ["key"])["chance"].item() == 1.0
    assert by_rank(samples([2, 2, 2], []), ["key"])["chance"].item() == 1.0


@pytest.mark.parametrize(("odd_a", "odd_b"), [(0, 1), (0, 2), (1, 3)])
def test_where_most_values_are_one_the_chance_is_that_of_the_draws(odd_a: int, odd_b: int) -> None:
    """A few odd values, most of them in a small second sample: not less likely than drawing them is."""
    found = by_rank(samples([2.0] * (100 - odd_a) + [5.0] * odd_a, [2.0] * (5 - odd_b) + [5.0] * odd_b), ["key"])
    odd = odd_a + odd_b
    drawn = sum(math.comb(5, n) * math.comb(100, odd - n) for n in range(odd_b, odd + 1)) / math.comb(105, odd)
    assert drawn <= found["chance"].item() <= 4.001 * drawn


def test_no_difference_is_less_likely_than_the_rarest_draw() -> None:
    """Three values against three, however far off: two of twenty draws part them so; the approximation says less."""
    assert by_rank(samples([1, 2, 3], [70, 80, 90]), ["key"])["chance"].item() == pytest.approx(2 / 20)
