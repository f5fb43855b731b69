"""The same verdicts with some rules left out, or some only: what each part of a method is worth."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from deeplog_nb.frames import RULES, VERDICTS, InputError, check


def only(verdicts: pl.DataFrame, rules: Collection[str]) -> pl.DataFrame:
    """The verdicts as they would be if no other rule could raise an alarm.

    >>> rows = {"unseen": [True, False], "counts": [False, True], "anomalous": [True, True]}
    >>> judged = pl.DataFrame(rows).with_columns(
    ...     pl.lit(False if name in RULES else None, kind).alias(name)
    ...     for name, kind in VERDICTS.items() if name not in rows)
    >>> only(judged, {"counts"})["anomalous"].to_list()
    [False, True]
    """
    if unknown := sorted(set(rules) - set(RULES)):
        raise InputError(f"no rule is called {', '.join(unknown)}; there are {', '.join(RULES)}")
    off = [pl.lit(False).alias(rule) for rule in RULES if rule not in rules]
    kept = check(verdicts, VERDICTS, "verdicts").with_columns(off)
    return kept.with_columns(anomalous=pl.any_horizontal(RULES)).select(verdicts.columns)
