"""What an online update gives back: the new model, what it changed, and whether the gate let it through.

Every model that learns from a person's word returns this (paper, section 3.3). How it learns is each model's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import polars as pl

from deeplog_nb.frames import check

Model = TypeVar("Model")

CHANGE: Final = ("cleared", "lost", "new")
"""What an update did to an alarm: cleared on what was declared normal, lost on a canary, new on a held-out normal."""

CHANGES: Final = {
    "change": pl.Enum(CHANGE),
    "session": pl.String(),
    "position": pl.UInt32(),
    "key": pl.UInt32(),  # null on a session's end
}


@dataclass(frozen=True)
class Update(Generic[Model]):
    """An update: the new model without what was refused, which is the old one if nothing passed; and the changes.

    A model by itself learns all or nothing. A detector consists of several, and of the patterns that are allowed: what
    ``refused`` names is as it was, the rest is new; ``unlearnt`` names what is allowed, but no model could learn.

    >>> rows = [("cleared", "a", 3, 7), ("cleared", "b", 1, 7), ("new", "c", 0, 2)]
    >>> Update("the new model", pl.DataFrame(rows, schema=CHANGES, orient="row"))
    Update(2 alarms cleared, 0 true anomalies lost, 1 new alarm)
    >>> Update("the new model", no_changes(), "label 1: it contradicts label 2")
    Update(0 alarms cleared, 0 true anomalies lost, 0 new alarms; not taken: label 1: it contradicts label 2)
    """

    model: Model
    changes: pl.DataFrame  # CHANGES
    refused: str | None = None  # why, in words, with the first labels that are in the way
    unlearnt: str | None = None  # no refusal: what is allowed exactly, and could be learnt with more at hand

    def __post_init__(self) -> None:
        check(self.changes, CHANGES, "changes")

    @property
    def accepted(self) -> bool:
        """Whether nothing was refused."""
        return self.refused is None

    def count(self, change: str) -> int:
        """How many alarms were ``cleared``, ``lost`` or ``new``."""
        return int((self.changes["change"] == change).sum())

    def __repr__(self) -> str:
        told = (
            _many(self.count("cleared"), "alarm cleared", "alarms cleared"),
            _many(self.count("lost"), "true anomaly lost", "true anomalies lost"),
            _many(self.count("new"), "new alarm", "new alarms"),
        )
        left = {"not taken": self.refused, "allowed, not learnt": self.unlearnt}
        return f"Update({'; '.join([', '.join(told), *(f'{what}: {why}' for what, why in left.items() if why)])})"


def no_changes() -> pl.DataFrame:
    """CHANGES without a row."""
    return pl.DataFrame(schema=CHANGES)


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
