"""Bounds from held-out *normal* sessions: how improbable may a key, or an end, be before it is an alarm?

Test labels are no input here, so no threshold can depend on them. The rate is per session, since a
session is an alarm as soon as one of its entries is.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from deeplog_nb.frames import ERRORS, RANKS, InputError, check
from deeplog_nb.sessions.budget import allowed
from deeplog_nb.verdicts.policy import Policy

CAUTION = 0.1  # of a bound on values: load drifts, and on generated logs five to ten times as many exceeded it later on
SUREST = 1 - 1e-12  # of a confidence, which is never certainty
TAIL = 0.1  # share of the held-out sessions, the most surprising ones, from which we extrapolate


def calibrate(
    ranks: pl.DataFrame, errors: pl.DataFrame | None = None, *, rate: float = 2e-3, unit: str = "sessions"
) -> Policy:
    """A policy by which about ``rate`` of normal sessions has an unlikely key, and as many an early end.

    ``ranks`` are those of held-out normal sessions (or other units: ``unit`` names them in ``source``). From their
    worst tenth on, a model that is calibrated raises false alarms in proportion to the bound, so the bound is
    lowered in proportion to the rate; and further, until no more of them are flagged than the rate allows, or
    chance explains where there are fewer than 1/rate. ``source`` says how many are. With the held-out sessions' ERRORS
    the same is done for values and waits: ``confidence`` is such that about ``rate`` of the sessions has an odd one.

    >>> ranks = pl.DataFrame({"session": ["a", "a", "b", "b"], "position": [0, 1, 0, 1], "key": [1, None, 1, None],
    ...     "count": [1] * 4, "open": [False] * 4, "rank": [1] * 4, "probability": [0.5, 0.9, 0.25, 0.8]},
    ...     schema_overrides=dict(RANKS))
    >>> calibrate(ranks, rate=0.5).source
    'held-out normal: rate 0.5, 0 of 2 sessions below the bound'
    """
    if not 0 < rate < 1:
        raise InputError(f"rate is {rate}; it is the share of normal sessions that may be flagged, between 0 and 1")
    held = check(ranks, RANKS, "ranks").filter(pl.col("rank").is_not_null())
    worst = (
        held.filter(pl.col("key").is_not_null())
        .group_by("session")
        .agg(pl.col("probability").min(), pl.col("count").first())
    )
    ends = held.filter(pl.col("key").is_null() & ~pl.col("open"))
    if worst.is_empty():
        raise InputError("there is no held-out session to calibrate on; hold out more of the normal part")
    probability = _bound(worst, rate)
    total = int(worst["count"].sum())
    flagged = int(worst.filter(pl.col("probability") < probability)["count"].sum())
    return Policy(
        probability=probability,
        ending=_bound(ends, rate) if len(ends) else None,
        confidence=Policy.confidence if errors is None else _confidence(errors, held, rate),
        source=f"held-out normal: rate {rate:g}, {flagged} of {total} {unit} below the bound{_novel(ranks, unit)}",
    )


def _novel(ranks: pl.DataFrame, unit: str) -> str:
    """What the held-out part has that training lacks: no bound can allow for it, and it will be flagged again."""
    lacking = ranks.filter(pl.col("key").is_not_null() & pl.col("rank").is_null() & (pl.col("probability") == 0))
    count = int(lacking.group_by("session").agg(pl.col("count").first())["count"].sum())
    return f"; {count} {unit} with a key that the training part lacks" if count else ""


def _confidence(errors: pl.DataFrame, held: pl.DataFrame, rate: float) -> float:
    """1 - the tail below which about ``rate`` of the sessions has one; a category's new value has its own rate."""
    counts = held.select("session", "position", "count")
    judged = check(errors, ERRORS, "errors").filter(pl.col("tail").is_not_null() & pl.col("text").is_null())
    worst = judged.join(counts, on=["session", "position"]).group_by("session")
    tails = worst.agg(pl.col("tail").min().alias("probability"), pl.col("count").first())
    return min(1 - CAUTION * _bound(tails, rate), SUREST) if len(tails) else Policy.confidence


def _bound(sessions: pl.DataFrame, rate: float) -> float:
    """The probability below which about ``rate`` of such sessions lies."""
    ordered = sessions.sort("probability")
    values = ordered["probability"].to_numpy().astype(np.float64)
    reached = np.cumsum(ordered["count"].to_numpy().astype(np.int64))  # sessions at or below each value
    expected = int(reached[-1]) * rate
    most = values[min(int(np.searchsorted(reached, allowed(int(reached[-1]), rate), side="right")), len(values) - 1)]
    at = int(np.searchsorted(reached, math.ceil(reached[-1] * TAIL)))
    return float(min(most, values[at] * expected / reached[at]))
