"""Bounds: the paper's published lines, rates that hold on data that was not used, and which method a channel gets."""

import numpy as np
import pytest

from deeplog_nb.models.bounds import fit_bounds, p_value, quantile
from deeplog_nb.models.channels import channels
from deeplog_nb.models.forecasters import fit_scales
from deeplog_nb.models.robust import fit_robust
from deeplog_nb.sessions.series import Groups, Vectors, resolutions


def errors(count: int, seed: int, channels: int = 1, heavy: float = 0.0):
    rng = np.random.default_rng(seed)
    numbers = np.arange(count) % channels
    scale = (1.0 + numbers) ** 2
    return scale * np.abs(rng.normal(size=count)) ** (2 + heavy), numbers


def fitted(kind, confidence, held, trained=None, channels=1):
    return fit_bounds(kind, confidence, trained or held, held, np.zeros(channels))


@pytest.mark.parametrize(
    ("sigma", "lines"),
    [(0.0780, (0.1816, 0.2010, 0.2568)), (0.2420, (0.5631, 0.6235, 0.7964)), (0.0147, (0.0342, 0.0379, 0.0484))],
)
def test_the_papers_lines_are_a_two_sided_gaussian_of_mean_zero(sigma, lines):
    """Figure 9's three lines of keys 25, 53 and 45 follow from one sigma each (method notes, 3.1)."""
    held = np.full(50, sigma), np.zeros(50, np.int64)
    bounds = [fitted("gaussian", confidence, held).bound()[0] for confidence in (0.98, 0.99, 0.999)]
    assert bounds == pytest.approx(lines, rel=6e-3)


def test_gaussian_with_a_fitted_mean_is_one_sided():
    """Mean and deviation of the held-out errors; 2.326 deviations for 99 %."""
    held = errors(1000, 0)
    assert fitted("gaussian-mean", 0.99, held).bound()[0] == pytest.approx(
        held[0].mean() + 2.3263 * held[0].std(), rel=1e-4
    )


@pytest.mark.parametrize("heavy", [0.0, 1.5])
def test_the_quantile_keeps_its_rate_on_fresh_data_and_the_gaussian_does_not(heavy):
    """Squared errors are no Gaussian: its 99.9 % bound raises many times the alarms; the quantile's about as stated."""
    held, fresh = errors(20_000, 1, heavy=heavy), errors(200_000, 2, heavy=heavy)
    rates = {k: np.mean(fresh[0] > fitted(k, 0.999, held).bound()[0]) for k in ("quantile", "gaussian-mean")}
    assert 0.0005 < rates["quantile"] < 0.002
    assert rates["gaussian-mean"] > 0.005


def test_few_errors_of_many_channels_are_pooled_and_keep_the_rate():
    """60 held-out errors a channel cannot say 99.9 %; those of 40 channels, each in its own scale, can."""
    trained, held, fresh = errors(8000, 3, 40), errors(2400, 4, 40), errors(400_000, 5, 40)
    bounds = fitted("quantile", 0.999, held, trained, 40)
    assert set(bounds.methods) == {"pooled"}
    assert 0.0002 < np.mean(fresh[0] > bounds.bound()[fresh[1]]) < 0.0025


@pytest.mark.parametrize("kind", ["quantile", "gaussian", "gaussian-mean"])
def test_the_tail_and_the_bound_say_the_same(kind):
    """An error is over the bound of a confidence exactly where its tail is below 1 - confidence."""
    bounds = fitted(kind, 0.99, errors(3000, 6, 3), channels=3)
    asked, numbers = errors(30_000, 7, 3)
    over = asked > bounds.bound()[numbers]
    assert np.mean(over == (bounds.tail(asked, numbers) <= 0.01 + 1e-9)) > 0.9999


def test_the_quantile_is_where_the_p_value_falls_to_the_chance():
    """Each is the other's inverse, within the known scores and beyond them."""
    known = np.sort(np.random.default_rng(9).exponential(size=500))
    for chance in (0.2, 0.05, 0.01, 1e-4, 1e-8):
        at = quantile(known, chance, 1.3)
        assert p_value(known, np.array([at + 1e-6]), 1.3)[0] <= chance + 1e-9
        assert p_value(known, np.array([at - 1e-6]), 1.3)[0] >= chance - 2e-3


def test_positions_together_are_the_mean_and_apart_are_each_their_own():
    """The paper's mean over the vector dilutes one odd position of many; apart it is not."""
    squares, series = np.array([[1.0, 9.0, np.nan]]), np.array([0])
    moving = np.array([[True, True, True]])
    assert channels(1, moving, apart=False).split(squares, series)[0].tolist() == [[5.0]]
    assert channels(1, moving, apart=True).flat(squares, series)[0].tolist() == [1.0, 9.0]


def test_robust_bounds_allow_for_few_examples():
    """Of five examples a wider band than of five hundred; Student's t at 4 degrees of freedom, 99.9 %: 8.61."""
    values = np.random.default_rng(10).normal(size=(500, 1))
    few, many = (fit_robust(values[:n], np.zeros(n, int), np.full((1, 1), 0.01), least=5) for n in (5, 500))
    limits = [each.judge(np.array([[0.0]]), np.array([0]), 0.001)[1][0] for each in (few, many)]
    assert limits[0] == pytest.approx(8.61**2, rel=0.1)
    assert limits[1] == pytest.approx(3.31**2, rel=0.02)


def test_groups_sorted_once_are_the_groups_looked_for_one_by_one():
    """Scales, steps, robust bounds and tails, each from a group's own values alone, whatever else is there."""
    rng = np.random.default_rng(11)
    keys = rng.integers(1, 8, 400)
    values = np.where(rng.random((400, 2)) < 0.2, np.nan, rng.normal(size=(400, 2)).round(2))
    found = Vectors(values, keys, np.zeros(400, np.int64), np.arange(400), np.zeros(400, np.int64))
    groups = Groups(np.array([9, 7, 3, 5]), np.full(4, -1))
    numbers, steps = groups.numbers(keys, keys), resolutions(found, groups.keys)
    scales, robust = fit_scales(found, numbers, groups), fit_robust(values, numbers, steps, least=5)
    for group, at in np.ndindex(4, 2):
        mine = values[keys == groups.keys[group], at]
        known = mine[np.isfinite(mine)]
        assert scales.mean[group, at] == (known.mean() if len(known) else 0)
        assert robust.median[group, at] == np.median(known) if len(known) else np.isnan(robust.median[group, at])
        if at and len(known):
            assert steps[group, at] == np.diff(np.unique(np.round(known, 6))).min()
    held = errors(3000, 12, 4)
    together, alone = fitted("quantile", 0.99, held, channels=4), held[1] == 2
    assert np.array_equal(together.tail(*held)[alone], together.tail(held[0][alone], held[1][alone]))
