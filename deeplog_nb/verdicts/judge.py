"""RANKS, ERRORS -> VERDICTS: one column a rule beside the evidence; ``anomalous`` is derived from them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

import polars as pl

from deeplog_nb.frames import COUNTED, RANKS, RULES, VERDICTS, check
from deeplog_nb.models.ranks import early, is_end, unlikely, unseen
from deeplog_nb.verdicts.policy import Policy
from deeplog_nb.verdicts.values import told, value_reason, value_score, with_values

UNSEEN_SCORE: Final = 40.0  # above -log10 of any probability that is not 0
COUNTS_SCORE: Final = 3.0  # at least, where counts are wrong: one in a thousand, and a rule that names a line says more
KEPT: Final = 16  # policies whose rules are kept as expressions: to write them anew takes a third of judging a row


def judge(
    ranks: pl.DataFrame,
    errors: pl.DataFrame | None = None,
    *,
    policy: Policy,
    counts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """VERDICTS: every entry and every session's end with what each rule says of it, a score and a reason.

    Rules: ``unseen`` (the key is not in the model's vocabulary), ``unlikely`` (rank over g, or probability
    under the bound), ``ended_early`` (on the end row of a session that is not open), ``counts`` (on the end row;
    where ``counts``, the COUNTED of a CountModel, are given), ``short`` (on the end row; only where the policy asks
    for it). With ERRORS also ``timing`` (the wait before the entry) and ``value`` (a number that it states, or a
    category's new value), on entries that no key rule has flagged; ``worst`` says which position. ``score`` is
    -log10 of the probability, or of the tail where timing or value fired; 40 for unseen, 3 at least for counts.

    >>> ranks = pl.DataFrame({"session": ["a", "a", "a"], "position": [0, 1, 2], "key": [4, 9, None],
    ...     "count": [1] * 3, "open": [False] * 3, "rank": [1, None, 2], "probability": [0.9, 0.0, 0.2]},
    ...     schema_overrides=dict(RANKS))
    >>> judge(ranks, policy=Policy(g=9, ending=0.5)).select("position", "anomalous", "why")
    shape: (3, 3)
    ┌──────────┬───────────┬─────────────────────────────────┐
    │ position ┆ anomalous ┆ why                             │
    │ ---      ┆ ---       ┆ ---                             │
    │ u32      ┆ bool      ┆ str                             │
    ╞══════════╪═══════════╪═════════════════════════════════╡
    │ 0        ┆ false     ┆                                 │
    │ 1        ┆ true      ┆ unseen: never seen in training  │
    │ 2        ┆ true      ┆ ended early: probability of en… │
    └──────────┴───────────┴─────────────────────────────────┘
    """
    judged = (  # one column after the other: they cost less than a second thread, of a million rows too
        check(ranks, RANKS, "ranks")
        .pipe(_with_counts, counts)
        .with_columns_seq(_rules(policy))
        .pipe(with_values, errors, policy.confidence)
        .with_columns_seq(_concluded())
        .pipe(_with_reasons, policy)
    )
    rest = [name for name in ranks.columns if name not in VERDICTS]
    return check(judged.select_seq(*VERDICTS, *rest, *told(errors)), VERDICTS, "verdicts")


@lru_cache(maxsize=KEPT)
def _rules(policy: Policy) -> tuple[pl.Expr, ...]:
    """One column a rule of order or counts."""
    rules = {
        "unseen": unseen(),
        "unlikely": unlikely(policy.g, policy.probability),
        "ended_early": early(policy.ending),
        "counts": is_end() & ~pl.col("open") & pl.col("_flagged"),
        "short": _short(policy),
    }
    return tuple(rule.fill_null(False).alias(name) for name, rule in rules.items())


@cache
def _concluded() -> tuple[pl.Expr, pl.Expr]:
    """``anomalous`` and ``score``, by what the rules say."""
    surprise = -pl.col("probability").log10()
    counted = pl.when("counts").then(pl.max_horizontal(surprise, pl.lit(COUNTS_SCORE))).otherwise(surprise)
    score = pl.coalesce(value_score(), pl.when("unseen").then(UNSEEN_SCORE).otherwise(counted))
    return pl.any_horizontal(RULES).alias("anomalous"), score.cast(pl.Float32).alias("score")


def _with_counts(ranks: pl.DataFrame, counts: pl.DataFrame | None) -> pl.DataFrame:
    """What the count check says of each row's session, in ``_flagged`` and ``_reason``."""
    if counts is None:
        return ranks.with_columns_seq(_flagged=pl.lit(False), _reason=pl.lit(None, pl.String))
    said = check(counts, COUNTED, "counts").select("session", _flagged="flagged", _reason="reason")
    return ranks.join(said, on="session", how="left", maintain_order="left")


def _with_reasons(judged: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The rows with ``why``. It is written for the alarms alone: there are far fewer than entries."""
    if not judged["anomalous"].any():
        return judged.with_columns_seq(why=pl.lit(""))
    at = judged["anomalous"].arg_true()
    reasons = [pl.when(rule).then(text) for rule, text in _reasons(policy).items()]
    texts = judged[at].select(pl.concat_str([*reasons, value_reason()], separator="; ", ignore_nulls=True)).to_series()
    return judged.with_columns_seq(why=pl.repeat("", len(judged), eager=True).scatter(at, texts))


def _short(policy: Policy) -> pl.Expr:
    if policy.longer_than is None:
        return pl.lit(False)
    return is_end() & ~pl.col("open") & (pl.col("position") <= policy.longer_than)


def _reasons(policy: Policy) -> dict[str, pl.Expr]:
    chance = pl.col("probability").map_batches(_rounded, return_dtype=pl.String)
    bound = "" if policy.probability is None else f", bound {policy.probability:.2g}"
    top = "" if policy.g is None else f", g {policy.g}"
    return {
        "unseen": pl.lit("unseen: never seen in training"),
        "unlikely": pl.format("unlikely: probability {}{}, rank {}{}", chance, pl.lit(bound), "rank", pl.lit(top)),
        "ended_early": pl.format(
            "ended early: probability of ending here {}, bound {}", chance, pl.lit(f"{policy.ending or 0:.2g}")
        ),
        "counts": pl.format("counts: {}", "_reason"),
        "short": pl.format("short: {} keys, longer than {} is wanted", "position", pl.lit(policy.longer_than)),
    }


def _rounded(values: pl.Series) -> pl.Series:
    """Two significant digits, as text. Distinct values only: there are far fewer than entries."""
    distinct = values.unique()
    texts = pl.Series([None if value is None else f"{value:.2g}" for value in distinct.to_list()], dtype=pl.String)
    return values.replace_strict(distinct, texts, return_dtype=pl.String)
