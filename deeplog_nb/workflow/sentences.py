"""What a diagnosis says in plain words, a rule a function. What is said was found in ``diagnose``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deeplog_nb.workflow.located import Edge, Expected
from deeplog_nb.workflow.texts import Texts, line, quoted

SURE: Final = 0.995  # probability from which on none is told
LIKELY: Final = 0.01  # probability under which a key is not told beside others


@dataclass(frozen=True)
class Misfit:
    """What is wrong with a key that came."""

    missing: tuple[int, ...] = ()  # keys that had to come before it
    again: bool = False  # it came before already
    behind: int | None = None  # key that it belongs behind
    begins: int = 0  # the task that it begins too early
    allowed: bool = False  # nothing: the workflow allows it here
    background: bool = False  # nothing: it comes at random places


@dataclass(frozen=True)
class Facts:
    """What is known of one alarm."""

    rule: str
    why: str  # what the rule said
    last: int | None  # key of the last good entry; none: there was none
    seen: int | None  # key that came; none: the session ended
    shape: str | None  # what a message that fits no template looks like
    expected: Expected
    edge: Edge | None = None  # that the entry came by
    slow: Edge | None = None  # the slowest of the run so far
    misfit: Misfit = Misfit()
    nearest: tuple[int, int] | None = None  # where no task fits: the nearest one (0 = none), how many edits away
    then: int | None = None  # key that came next


def sentence(facts: Facts, texts: Texts | None) -> str:
    """What a person reads.

    >>> print(sentence(Facts("unlikely", "", 38, 67, None, [(39, 0.97), (40, 0.03)]), None))
    After key 38 came key 67, where key 39 (97 %) or key 40 (3 %) should have come.
    """
    if facts.nearest is not None and not facts.nearest[0]:
        return f"No task fits {_seen(facts, texts)}: the workflow has none."
    say = {"timing": _timing, "value": _value, "unseen": _unseen, "ended_early": _ended, "short": _ended}
    told = _counts if facts.rule == "counts" and facts.seen is None else say.get(facts.rule, _unlikely)
    more = (_slow(facts, texts), _nearest(facts))
    return " ".join([told(facts, texts), *(each for each in more if each)])


def _timing(facts: Facts, texts: Texts | None) -> str:
    edge = facts.edge
    if edge is None or edge.elapsed is None or edge.usual is None or edge.late is None:
        return f"{_place(facts, texts)} {quoted(facts.seen, texts)} came at an unusual time: {line(facts.why, 160)}."
    source, target = quoted(edge.source, texts), quoted(edge.target, texts)
    took = f"From {source} to {target} took {_seconds(edge.elapsed)}"
    usual = f"usually {_seconds(edge.usual)}, 99 of 100 within {_seconds(edge.late)}"
    return f"{took}, {usual}: {source} was {'slow' if edge.elapsed > edge.usual else 'too quick'}."


def _slow(facts: Facts, texts: Texts | None) -> str | None:
    edge = facts.slow
    told = facts.rule == "timing" and facts.edge is not None and edge is not None and facts.edge[:2] == edge[:2]
    if edge is None or told or edge.elapsed is None or edge.usual is None:
        return None
    took = f"{_seconds(edge.elapsed)}, usually {_seconds(edge.usual)}"
    return f"Slow in this run: from {quoted(edge.source, texts)} to {quoted(edge.target, texts)} {took}."


def _nearest(facts: Facts) -> str | None:
    if facts.nearest is None:
        return None
    number, edits = facts.nearest
    return f"No task fits these entries; the nearest is task {number}, {edits} entries apart."


def _value(facts: Facts, texts: Texts | None) -> str:
    what = line(facts.why, 160)
    return f"{_place(facts, texts)} {quoted(facts.seen, texts)} came where it belongs, with an unusual value: {what}."


def _unseen(facts: Facts, texts: Texts | None) -> str:
    seen = _seen(facts, texts)
    if facts.last is not None and facts.then is not None and facts.then in [key for key, _ in facts.expected]:
        between = f"Between {quoted(facts.last, texts)} and {quoted(facts.then, texts)}"
        return f"{between} came {seen}, which was never seen in training."
    came = f"{_place(facts, texts)} came {seen}, which was never seen in training"
    return f"{came}; {_should(facts, texts)} should have come."


def _seen(facts: Facts, texts: Texts | None) -> str:
    return f"‘{line(facts.shape.strip(), 100)}’" if facts.shape else quoted(facts.seen, texts)


def _ended(facts: Facts, texts: Texts | None) -> str:
    where = "before anything came" if facts.last is None else f"after {quoted(facts.last, texts)}"
    return f"The session ended {where}; {_should(facts, texts)} should have come."


def _counts(facts: Facts, _: Texts | None) -> str:
    what = line(facts.why.removeprefix("counts: "), 200)
    return f"Every entry came where it may, but not as often as it should: {what}."


def _unlikely(facts: Facts, texts: Texts | None) -> str:
    came = f"{_place(facts, texts)} came {quoted(facts.seen, texts)}"
    if facts.misfit.background:
        return f"{came}, which belongs to no task: it comes at random places."
    if facts.misfit.allowed and any(key != facts.seen for key, _ in facts.expected):
        return f"{came}, which is rare here: {_should(facts, texts)} comes more often."
    if facts.misfit.allowed:
        return f"{came}, as it should: rare is the way that led there."
    return f"{came}, where {_should(facts, texts)} should have come{_reason(facts.misfit, texts)}."


def _reason(misfit: Misfit, texts: Texts | None) -> str:
    if misfit.missing:
        are = "are" if len(misfit.missing) > 1 else "is"
        return f": {_several([quoted(key, texts) for key in misfit.missing], 'and')} {are} missing"
    if misfit.again:
        return ": it came before already"
    if misfit.behind is not None:
        return f": it belongs behind {quoted(misfit.behind, texts)}"
    return f": it begins task {misfit.begins} too early" if misfit.begins else ""


def _place(facts: Facts, texts: Texts | None) -> str:
    return "At the begin of the session" if facts.last is None else f"After {quoted(facts.last, texts)}"


def _should(facts: Facts, texts: Texts | None) -> str:
    likely = [each for each in facts.expected[:3] if each[1] >= LIKELY] or list(facts.expected[:1])
    return _several([quoted(key, texts) + _percent(chance) for key, chance in likely or [(None, 1.0)]], "or")


def _several(parts: Sequence[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _percent(chance: float) -> str:
    return f" ({100 * chance:.0f} %)" if chance < SURE else ""


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"
