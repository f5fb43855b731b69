"""Which labels stand against each other: one says that an alarm is normal, another that its like is an anomaly.

It decides nothing: what is allowed in spite of that, and what is not, is for ``learner`` to say.
"""

from __future__ import annotations

import polars as pl

from deeplog_nb.models.naming import labels_named, listed
from deeplog_nb.verdicts.matching import allowed_by


def clash(normal: pl.DataFrame, wrong: pl.DataFrame, blocked: pl.Series, lost: pl.Series) -> str:
    """The first labels on either side, in words.

    ``blocked`` are patterns of ``normal`` LABELS that are not allowed; ``lost`` the sessions of canaries that would
    have no alarm left, of which those named ``label 7`` are that label's.

    >>> labels = pl.DataFrame({"id": [1, 2], "session": ["a", "b"], "position": [2, 2], "pattern": ["p", "p"]})
    >>> clash(labels.head(1), labels.tail(1), pl.Series(["p"]), pl.Series(["mine"]))
    'normal by label 1 (session a, position 2), an anomaly by label 2 (session b, position 2); mine'
    """
    said = normal.filter(pl.col("pattern").is_in(blocked.implode()))
    canary = pl.format("label {}", "id")
    against = wrong.filter(allowed_by(wrong["pattern"], blocked) | canary.is_in(lost.implode()))
    own = wrong.select(canary).to_series()
    others = lost.filter(~lost.is_in(own.implode())).drop_nulls().unique(maintain_order=True).to_list()
    names = [labels_named(against)] * bool(len(against)) + [listed(others)] * bool(others)
    return f"normal by {labels_named(said)}, an anomaly by {'; '.join(names)}"
