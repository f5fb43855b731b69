"""What judges whole sessions and learns from a person's answers, in two tiers, each of which can be taken back.

A label first makes an exact pattern that is allowed (see ``allowing``). Models change only through the gate: every
confirmed anomaly must stay an alarm, no more of the held-out normal sessions may become one, and of the changes made to
these as many must be noticed. Each model passes it by itself, so that one that may not learn does not stop the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from deeplog_nb.frames import LABELS, check
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.declared import canaries as confirmed
from deeplog_nb.models.declared import counts_told, pairs, uncontradicted
from deeplog_nb.models.gate import gated
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.naming import labels_named
from deeplog_nb.models.taught import taught
from deeplog_nb.models.teaching import Teaching
from deeplog_nb.models.update import CHANGES, Update
from deeplog_nb.sessions.listed import as_sessions
from deeplog_nb.sessions.mutants import Mutants, mutants
from deeplog_nb.sessions.pieces import pieces
from deeplog_nb.verdicts.allowing import allow, with_patterns, without_shape
from deeplog_nb.verdicts.clash import clash
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.matching import allows
from deeplog_nb.verdicts.policy import Policy

WEAKER: Final = 0.005  # of the changes made to normal sessions that an update may miss more of


@dataclass(frozen=True)
class Learner:
    """Key model, count check, policy, and the patterns that a person allowed."""

    keys: KeyModel
    counts: CountModel | None
    policy: Policy
    allowed: tuple[str, ...] = ()
    whole: bool = True  # sessions have an id: what a person says of one is said of its like
    until: Mapping[str, datetime] = field(default_factory=dict)  # when what is allowed expires, UTC; the rest never

    def judge(self, sessions: pl.DataFrame, errors: pl.DataFrame | None = None) -> pl.DataFrame:
        """VERDICTS with their patterns, without the alarms that were allowed."""
        counted = self.counts.check(sessions) if self.counts else None
        return self.answered(judge(self.keys.rank(sessions), errors, policy=self.policy, counts=counted))

    def answered(self, verdicts: pl.DataFrame) -> pl.DataFrame:
        """The verdicts with their patterns, without the alarms that were allowed."""
        history = self.keys.settings.history
        return with_patterns(verdicts, history=history, whole=self.whole).pipe(allow, self.standing)

    @property
    def standing(self) -> tuple[str, ...]:
        """What is allowed at this moment."""
        now = datetime.now(UTC).replace(tzinfo=None)
        return tuple(text for text in self.allowed if text not in self.until or now < self.until[text])

    def update(
        self,
        labels: pl.DataFrame,
        *,
        fresh: pl.DataFrame | None = None,
        canaries: pl.DataFrame | None = None,
        holdout: pl.DataFrame | None = None,
        teaching: Teaching | None = None,
    ) -> Update[Learner]:
        """Both tiers: the learner that these LABELS make, each of its models only if the gate lets it through.

        All of them are allowed from now on, and no other; the models learn the ``fresh`` ones (default: all), except
        those that expire: what is learnt stays.

        ``canaries`` are SESSIONS of anomalies that must stay alarms, beside those that the labels hold; ``holdout``
        are normal SESSIONS. What was refused is said; what was not is in the model. A key after a history that a
        canary has too is allowed at most, and not learnt: no model of keys could tell the two apart.
        """
        wrong = pl.concat([confirmed(labels), *([] if canaries is None else [canaries])], how="diagonal")
        allowed = self.allowing(labels, canaries=wrong)
        current, changes, refusals = allowed.model, [allowed.changes], [allowed.refused]
        lasting = lasts(labels if fresh is None else fresh)
        for what, teach in _lessons(lasting, wrong, teaching or Teaching()).items():
            taught = teach(current)
            if taught is None:
                continue
            step = gated(current, taught, _alarms, wrong.clear(), canaries=wrong, holdout=holdout)
            refused = step.refused or _passing(current, taught, _answers(labels, "anomaly"))
            refused = refused or _heard(current, taught, _answers(labels, "normal"))
            refused = refused or (_weaker(current, taught, holdout) if holdout is not None else None)
            current = current if refused else taught
            changes.append(step.changes)
            refusals.append(refused and f"{what}: {refused}")
        return Update(current, pl.concat(changes), "; ".join(filter(None, refusals)) or None)

    def allowing(self, labels: pl.DataFrame, *, canaries: pl.DataFrame | None = None) -> Update[Learner]:
        """The first tier: what these LABELS say is normal is allowed, and nothing else is.

        A pattern is not that a confirmed anomaly has too, or that would leave one of the ``canaries`` without an
        alarm; ``refused`` names the first labels that say so, on either side.
        """
        normal, wrong = _answers(labels, "normal"), _answers(labels, "anomaly")
        wanted = normal["pattern"].drop_nulls().unique(maintain_order=True)
        kept = wanted.filter(~allows(wanted, wrong["pattern"].drop_nulls()))
        lost = pl.Series("session", [], pl.String)
        if canaries is not None and len(canaries):
            plain = without_shape(kept)  # canaries are known by their keys
            alarms = self._lost(plain, canaries)
            lost, needed = alarms["session"], pl.concat([alarms["pattern"], alarms["session_pattern"]]).drop_nulls()
            kept = kept.filter(~allows(plain, needed))
        new = replace(self, allowed=tuple(kept), until=_expiry(normal, kept))
        blocked = wanted.filter(~wanted.is_in(kept.implode()))
        are = "is one" if len(blocked) == 1 else "are those"
        many = f"{len(blocked)} of {len(wanted)} pattern{'s' * (len(wanted) > 1)} {are} of confirmed anomalies too"
        refused = f"{many}: {clash(normal, wrong, blocked, lost)}" if len(blocked) else None
        return Update(new, _cleared(normal, kept.filter(~kept.is_in(list(self.allowed)))), refused)

    def _lost(self, patterns: pl.Series, canaries: pl.DataFrame) -> pl.DataFrame:
        """The alarms of the canaries that would have none left, were all of these patterns allowed."""
        before, after = (replace(self, allowed=texts, until={}).judge(canaries) for texts in ((), tuple(patterns)))
        left = after.filter("anomalous").select("session").unique()
        return before.filter("anomalous").join(left, on="session", how="anti")


def _answers(labels: pl.DataFrame, verdict: str) -> pl.DataFrame:
    needed = ("id", "session", "position", "pattern", "verdict", "keys")
    return check(labels, {name: LABELS[name] for name in needed}, "labels").filter(pl.col("verdict") == verdict)


def lasts(labels: pl.DataFrame) -> pl.DataFrame:
    """The LABELS that never expire."""
    return labels.filter(pl.col("until").is_null()) if "until" in labels.columns else labels


def _expiry(normal: pl.DataFrame, kept: pl.Series) -> dict[str, datetime]:
    """When each of these patterns expires, if all answers that name it do: with the last of them."""
    if "until" not in normal.columns:
        return {}
    named = normal.filter(pl.col("pattern").is_in(kept.implode())).group_by("pattern", maintain_order=True)
    ends = named.agg(pl.col("until").max(), always=pl.col("until").has_nulls()).filter(~pl.col("always"))
    return dict(ends.select("pattern", "until").rows())


def _cleared(normal: pl.DataFrame, kept: pl.Series) -> pl.DataFrame:
    """CHANGES of the labelled alarms that are newly allowed; one that was answered twice is one alarm."""
    mine = normal.filter(pl.col("pattern").is_in(kept.implode())).unique(
        ["session", "position", "pattern"], keep="first", maintain_order=True
    )
    key = pl.col("pattern").str.extract(r'"key":(\d+)', 1).cast(pl.UInt32)
    return mine.select(pl.lit("cleared", CHANGES["change"]).alias("change"), "session", "position", key=key)


def _alarms(learner: Learner, sessions: pl.DataFrame) -> pl.DataFrame:
    """FLAGS of every entry and end."""
    return learner.judge(sessions).select("session", "position", "key", flagged="anomalous")


def _passing(old: Learner, new: Learner, wrong: pl.DataFrame) -> str | None:
    """Why a count check may not learn: it would pass counts of an anomaly too long for its keys to be a canary."""
    if old.counts is None or new.counts is None or old.counts is new.counts:
        return None
    told = [(row, counts) for row in wrong.iter_slices(1) for counts in counts_told(row)]
    long = [(row, counts) for row, counts in told if sum(counts.values()) > _length(row)]
    was, now = (model.reasons([counts for _, counts in long]) for model in (old.counts, new.counts))
    lost = [row for (row, _), before, after in zip(long, was, now, strict=True) if before and not after]
    return f"it would pass the counts of {labels_named(pl.concat(lost))}" if lost else None


def _heard(old: Learner, new: Learner, normal: pl.DataFrame) -> str | None:
    """Why a model may not learn: it would raise an alarm in a session that was said to be normal, and is silent now."""
    whole = normal.filter(pl.col("position").is_null(), pl.col("keys").list.len() > 0)
    kept = [row for row in whole.iter_slices(1) for counts in counts_told(row) if sum(counts.values()) == _length(row)]
    if not kept:
        return None
    named = pl.concat(kept).with_columns(session=pl.col("id").cast(pl.String))
    was, now = (model.judge(as_sessions(named)).filter("anomalous")["session"] for model in (old, new))
    odd = pl.col("id").cast(pl.String).is_in(now.filter(~now.is_in(was.implode())).implode())
    said = normal.filter(odd)
    return f"it would flag what {labels_named(said)} says is normal" if len(said) else None


def _length(label: pl.DataFrame) -> int:
    return int(label["keys"].list.len().item())


def _weaker(old: Learner, new: Learner, normal: pl.DataFrame) -> str | None:
    """Why the new one is weaker: it misses more of the changes that are made to normal sessions. No label needed.

    Half a point of them, by the measure that poisoned labels are held to; keys that were admitted are put in too.
    """
    admitted = set(new.keys.vocabulary.keys) - set(old.keys.vocabulary.keys)
    drill = mutants(normal if old.whole else pieces(normal), strange=admitted)
    before, after = (_caught(each, drill) for each in (old, new))
    if before - after <= WEAKER:
        return None
    return f"it would notice {after:.1%} of the changes made to normal sessions, where {before:.1%} are noticed"


def _caught(learner: Learner, drill: Mutants) -> float:
    """Share of the changed sessions that have an alarm."""
    flagged = learner.judge(drill.sessions).group_by("session").agg(pl.col("anomalous").any())
    return float(flagged["anomalous"].sum()) / max(len(flagged), 1)


def _lessons(
    labels: pl.DataFrame, canaries: pl.DataFrame, teaching: Teaching
) -> dict[str, Callable[[Learner], Learner | None]]:
    """What each model makes of the labels; None where they teach it nothing."""

    def keys(learner: Learner) -> Learner | None:
        history = learner.keys.settings.history
        told = uncontradicted(pairs(labels, history), canaries, history)
        if told.is_empty():
            return None
        return replace(learner, keys=taught(learner.keys, told, teaching, canaries=canaries))

    def counts(learner: Learner) -> Learner | None:
        told = counts_told(_answers(labels, "normal"))
        if learner.counts is None or not told:
            return None
        return replace(learner, counts=learner.counts.learn_counts(told))

    return {"key model": keys, "count check": counts}
