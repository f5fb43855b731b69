"""How likely chance alone makes two samples differ so much: of shares exactly, of amounts by their ranks.

Columns in, a column out; which differences are looked for, and how many, is said in ``compare``.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
SMALLEST: Final = 1e-300
TERMS: Final = 4_096  # of a hypergeometric tail; those beyond are nothing beside them


def exact(with_a: Floats, all_a: Floats, with_b: Floats, all_b: Floats) -> Floats:
    """Fisher's exact test, a row each: the chance that shares differ so much or more, both sides (Fisher 1935).

    >>> exact(np.array([0.0, 10]), np.array([50.0, 20]), np.array([8.0, 11]), np.array([50.0, 20])).round(4).tolist()
    [0.0058, 1.0]
    """
    found = [_tail(*(int(n) for n in row)) for row in np.column_stack([with_a, all_a, with_b, all_b]).tolist()]
    return np.array(found, np.float64)


def _tail(with_a: int, all_a: int, with_b: int, all_b: int) -> float:
    """Twice the smaller tail of the hypergeometric distribution of ``with_a``, at most 1."""
    total = with_a + with_b
    low, high = max(0, total - all_b), min(total, all_a)
    rarer = with_a * all_b <= with_b * all_a  # summed away from the middle, where terms only get smaller
    at = (
        np.arange(with_a, max(low - 1, with_a - TERMS), -1)
        if rarer
        else np.arange(with_a, min(high, with_a + TERMS) + 1)
    )
    logs = _choose(all_a, at) + _choose(all_b, total - at) - _choose(all_a + all_b, np.array([total]))
    return min(1.0, 2 * float(np.exp(logs).sum()))


def _choose(of: int, some: npt.NDArray[np.int64]) -> Floats:
    """Logarithm of how many ways there are to choose some of so many."""
    logs = [math.lgamma(of + 1) - math.lgamma(n + 1) - math.lgamma(of - n + 1) for n in some.tolist()]
    return np.array(logs, np.float64)


def by_rank(samples: pl.DataFrame, groups: list[str]) -> pl.DataFrame:
    """``groups, chance, a, b``: the rank test for each group, and how many values each side has.

    ``samples`` has ``side`` (whether it is the second sample), ``amount`` and ``weight``. The sum of ranks with ties
    shared is compared with its normal approximation, corrected for ties and for continuity (Mann and Whitney 1947),
    but is never less likely than the rarest of all draws. Where half of the values are one and the same the
    approximation does not hold: there it is Fisher's test of how many lie above it, or below, of the two the less
    likely, doubled.

    >>> one = pl.DataFrame({"side": [False] * 30 + [True] * 30, "amount": list(range(60)), "weight": [1] * 60})
    >>> by_rank(one.with_columns(key=1), ["key"]).with_columns(pl.col("chance").log10().round(0)).rows()
    [(1, -11.0, 30, 30)]
    """
    weight, second = pl.col("weight").cast(pl.Float64), pl.col("side")
    levels = (
        samples.group_by(*groups, "amount")
        .agg(a=weight.filter(~second).sum(), b=weight.filter(second).sum())
        .sort(*groups, "amount")
        .with_columns(tied=pl.col("a") + pl.col("b"))
        .with_columns(rank=(pl.col("tied").cum_sum() - (pl.col("tied") - 1) / 2).over(groups))
    )
    a, b, amount = pl.col("a"), pl.col("b"), pl.col("amount")
    usual = amount.get(pl.col("tied").arg_max())
    sums = levels.group_by(groups, maintain_order=True).agg(
        a.sum(),
        b.sum(),
        ranks=(pl.col("rank") * b).sum(),
        ties=(pl.col("tied") ** 3 - pl.col("tied")).sum(),
        most=pl.col("tied").max(),
        above_a=a.filter(amount > usual).sum(),
        above_b=b.filter(amount > usual).sum(),
        below_a=a.filter(amount < usual).sum(),
        below_b=b.filter(amount < usual).sum(),
    )
    near = pl.max_horizontal(_normal(sums), _rarest(sums))
    told = sums.with_columns(chance=near).pipe(_tied)
    return told.select(*groups, "chance", a.cast(pl.Int64), b.cast(pl.Int64))


def _normal(sums: pl.DataFrame) -> pl.Series:
    """The chance of these sums of ranks or ones farther off, by the normal approximation."""
    a, b, n = pl.col("a"), pl.col("b"), pl.col("a") + pl.col("b")
    off = (pl.col("ranks") - b * (n + 1) / 2).abs() - 0.5
    spread = (a * b / 12 * (n + 1 - pl.col("ties") / (n * (n - 1)))).sqrt()
    z = sums.select(z=pl.when(spread > 0).then(off.clip(0) / spread).otherwise(0.0).fill_nan(0.0))["z"]
    return pl.Series([max(math.erfc(each / math.sqrt(2)), SMALLEST) for each in z.fill_null(0.0)], dtype=pl.Float64)


def _rarest(sums: pl.DataFrame) -> pl.Series:
    """The chance that all values of one side come before all of the other, or after: no difference is less likely."""
    nothing = np.zeros(len(sums))
    a, b = sums["a"].to_numpy(), sums["b"].to_numpy()
    return pl.Series(exact(nothing, a, b, b), dtype=pl.Float64)


def _tied(sums: pl.DataFrame) -> pl.DataFrame:
    """The same, with Fisher's test where one value is that of half of all."""
    tied = pl.col("most") >= (pl.col("a") + pl.col("b")) / 2
    rows = sums.filter(tied)
    size = (rows["a"].to_numpy(), rows["b"].to_numpy())
    tests = [
        exact(rows[f"{side}_a"].to_numpy(), size[0], rows[f"{side}_b"].to_numpy(), size[1])
        for side in ("above", "below")
    ]
    chance = pl.Series("chance", np.minimum(1.0, 2 * np.minimum(*tests)).clip(SMALLEST), pl.Float64)
    return pl.concat([sums.filter(~tied), rows.with_columns(chance)])
