"""LABELS -> models that have learnt them: order and counts by a Learner, values and waits by a ValueModel.

What was learnt once is not learnt again: each answer is known by its hash. One that expires is allowed until then, and
not learnt. One that was taken back after it was learnt is not allowed any more, but weights cannot unlearn it: then the
model before it is wanted, which the case keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from deeplog_nb.frames import LABELS, RANKS, SESSIONS, InputError, check
from deeplog_nb.models.naming import labels_named
from deeplog_nb.models.update import CHANGES, Update, no_changes
from deeplog_nb.models.values import ValueModel
from deeplog_nb.verdicts.learner import Learner, lasts

_VALUE = '"at":'  # in the patterns of values and waits, and in no other
_KEYS, _VALUES = "keys ", "values "  # before the hashes of what each has learnt


class Answers(Protocol):
    """What has the LABELS that are in effect, such as a Case."""

    def labels(self) -> pl.DataFrame:
        """LABELS, neither undone nor expired."""


@dataclass(frozen=True)
class Answered:
    """What these answers made of the models."""

    learner: Learner
    values: ValueModel
    learnt: tuple[str, ...]  # what the models have learnt, by the hashes of its labels
    changes: pl.DataFrame  # CHANGES
    refused: str | None
    unlearnt: str | None  # what is allowed, and could be learnt with the lines at hand


def labels_of(answers: Answers | pl.DataFrame) -> pl.DataFrame:
    """The LABELS that these answers are, or have."""
    if isinstance(answers, pl.DataFrame):
        return answers
    if not callable(getattr(answers, "labels", None)):
        raise InputError(f"answers are of type {type(answers).__name__}; give a dl.Case(folder), or its labels()")
    return answers.labels()


def told_of(labels: pl.DataFrame, templates: str) -> tuple[pl.DataFrame, str | None]:
    """Of these LABELS those of alarms that were judged by these templates; and the others, in words.

    A key is a number: that of another detector means another message. Where the templates are not known they are taken
    to be the same.
    """
    if "model" not in labels.columns:
        return labels, None
    mine = pl.col("model").is_in(["", templates]) | pl.col("model").is_null()
    others = labels.filter(~mine)
    if others.is_empty():
        return labels, None
    why = "of another detector's alarms, whose keys are of other templates; answer for this one's"
    return labels.filter(mine), f"{labels_named(others)}: {why}"


def answer(
    learner: Learner,
    values: ValueModel,
    labels: pl.DataFrame,
    *,
    learnt: tuple[str, ...] = (),
    holdout: pl.DataFrame | None = None,
    sessions: pl.DataFrame | None = None,
) -> Answered:
    """The models that these LABELS make.

    ``holdout`` are normal SESSIONS, by their keys. ``sessions`` are the SESSIONS, with times and parameters, that the
    labels are about: without them values and waits are allowed as they were labelled, and not learnt.
    """
    said = check(
        labels, {name: LABELS[name] for name in ("id", "session", "position", "pattern", "verdict", "hash")}, "labels"
    )
    fresh = lasts(said).filter(~_known(learnt, _KEYS))
    update = learner.update(said, fresh=fresh, holdout=holdout)
    new, done = update.model, [] if _lacks(update.refused, "key model") else _hashes(_KEYS, fresh)
    changes, refusals = [update.changes], [update.refused, _taken_back(learnt, said)]
    about = lasts(said).filter(pl.col("pattern").str.contains(_VALUE, literal=True), ~_known(learnt, _VALUES))
    if sessions is not None and (about["verdict"] == "normal").any():
        normal, wrong, rest = _value_parts(sessions, about, said)
        taught = (
            values.update(normal, canaries=wrong, holdout=rest) if normal["learn"].any() else _absent(values, about)
        )
        values = taught.model
        done += _hashes(_VALUES, about) if taught.accepted else []
        changes.append(taught.changes)
        refusals.append(taught.refused and f"value model: {taught.refused}")
    refused = "; ".join(filter(None, refusals)) or None
    unlearnt = _unlearnt(about, new.allowed) if sessions is None else None
    return Answered(new, values, (*learnt, *done), pl.concat(changes), refused, unlearnt)


def compared(before: pl.DataFrame, after: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """CHANGES of the alarms of one log, judged before and after: lost are those that a label confirmed."""
    wrong = labels.filter(pl.col("verdict") == "anomaly").select("session").drop_nulls().unique()
    at = ["session", "position", "key"]
    gone, new = (
        one.filter("anomalous").join(other.filter("anomalous"), on=at, how="anti", nulls_equal=True).select(at)
        for one, other in ((before, after), (after, before))
    )
    left = after.filter("anomalous").select("session").unique()
    lost = gone.join(wrong, on="session", how="semi").join(left, on="session", how="anti")
    cleared = gone.join(wrong, on="session", how="anti")
    parts = {"cleared": cleared, "lost": lost.unique("session", keep="first", maintain_order=True), "new": new}
    return pl.concat(
        [part.select(pl.lit(change, CHANGES["change"]).alias("change"), *at) for change, part in parts.items()]
    )


def entries(ranks: pl.DataFrame) -> pl.DataFrame:
    """SESSIONS, by their keys, that these RANKS are of."""
    return check(ranks, RANKS, "ranks").filter(pl.col("key").is_not_null()).select(*SESSIONS)


def _value_parts(sessions: pl.DataFrame, about: pl.DataFrame, said: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    """The sessions with what is to be learnt in them, those of confirmed anomalies, and the rest."""
    place = ["session", "position"]
    marks = about.select(*place, "verdict").unique(place, keep="last")
    rows = check(sessions, SESSIONS, "sessions").join(marks, on=place, how="left", maintain_order="left")
    wrong = said.filter(pl.col("verdict") == "anomaly").select("session")
    named = said.select("session").unique()
    return (
        rows.with_columns(learn=(pl.col("verdict") == "normal").fill_null(False)).drop("verdict"),
        rows.join(wrong.unique(), on="session", how="semi").drop("verdict"),
        rows.join(named, on="session", how="anti").drop("verdict"),
    )


def _unlearnt(about: pl.DataFrame, allowed: tuple[str, ...]) -> str | None:
    """Of these LABELS of values and waits those that are allowed, in words."""
    exact = about.filter(pl.col("verdict") == "normal", pl.col("pattern").is_in([*allowed]))
    if exact.is_empty():
        return None
    return f"{labels_named(exact)}, of a value or a wait; give update(…, lines=…) the lines that hold it"


def _absent(values: ValueModel, about: pl.DataFrame) -> Update[ValueModel]:
    """The update that teaches nothing: the entries that these LABELS are about are not in the lines."""
    named = labels_named(about.filter(pl.col("verdict") == "normal"))
    return Update(values, no_changes(), f"the lines do not hold what {named} is about, or it is an anomaly too")


def _known(learnt: tuple[str, ...], what: str) -> pl.Expr:
    return pl.concat_str(pl.lit(what), "hash").is_in([*learnt])


def _hashes(what: str, labels: pl.DataFrame) -> list[str]:
    return (what + labels["hash"]).to_list()


def _taken_back(learnt: tuple[str, ...], said: pl.DataFrame) -> str | None:
    gone = {text.split(" ")[1] for text in learnt} - set(said["hash"])
    if not gone:
        return None
    what = "answer that the models have learnt was" if len(gone) == 1 else "answers that the models have learnt were"
    return (
        f"{len(gone)} {what} taken back since; go back to the model before, which case.roll_back() gives if it was kept"
    )


def _lacks(refused: str | None, part: str) -> bool:
    return refused is not None and part in refused
