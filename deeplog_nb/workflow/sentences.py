"""What a diagnosis says in plain words, a rule a function. What is said was found in ``diagnose``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deeplog_nb.workflow.texts import Texts, line, quoted

Expected = Sequence[
    tuple[int | None, float]
]  # key (none is the end of the session) and probability, most probable first


@dataclass(frozen=True)
class Facts:
    """What is known of one alarm."""

    rule: str
    why: str  # what the rule said
    last: int | None  # key of the last good entry; none: there was none
    seen: int | None  # key that came; none: the session ended
    shape: str | None  # what a message that fits no template looks like
    expected: Expected
    missing: Sequence[int] = ()  # keys that had to come before the one that came
    again: bool = False  # it came before already
    behind: int | None = None  # key that it belongs behind
    begins: int = 0  # the task that it begins
    allowed: bool = False  # the workflow allows it here
    elapsed: float | None = None
    usual: float | None = None
    late: float | None = None  # 99 of 100 take no longer
    source: int | None = None  # key at the begin of the edge that took so long
    slow: tuple[int, int, float, float] | None = None  # another edge that was slow: both keys, seconds, usual seconds
    nearest: str | None = None  # where no task fits: which is nearest


def sentence(facts: Facts, texts: Texts | None) -> str:
    """One sentence.

    >>> print(sentence(Facts("unlikely", "", 38, 67, None, [(39, 0.97), (40, 0.03)]), None))
    After key 38 came key 67, where key 39 (97 %) or key 40 (3 %) should have come.
    """
    say = {"timing": _timing, "value": _value, "unseen": _unseen, "ended_early": _ended, "short": _ended}
    told = _counts if facts.rule == "counts" and facts.seen is None else say.get(facts.rule, _unlikely)
    more = [_slow(facts, texts), facts.nearest]
    return " ".join([told(facts, texts), *(each for each in more if each)])


def _timing(facts: Facts, texts: Texts | None) -> str:
    source, target = quoted(facts.source, texts), quoted(facts.seen, texts)
    if facts.elapsed is None or facts.usual is None:
        return f"{_place(facts, texts)} {target} came at an unusual time: {line(facts.why, 160)}."
    range_ = f"usually {_seconds(facts.usual)}, 99 of 100 within {_seconds(facts.late)}"
    took = f"From {source} to {target} took {_seconds(facts.elapsed)}, {range_}"
    return f"{took}: {source} was {'slow' if facts.elapsed > facts.usual else 'too quick'}."


def _slow(facts: Facts, texts: Texts | None) -> str | None:
    if facts.slow is None:
        return None
    source, target, elapsed, usual = facts.slow
    took = f"{_seconds(elapsed)}, usually {_seconds(usual)}"
    return f"Slow before it: from {quoted(source, texts)} to {quoted(target, texts)} {took}."


def _value(facts: Facts, texts: Texts | None) -> str:
    what = line(facts.why.removeprefix("value: "), 160)
    return f"{_place(facts, texts)} {quoted(facts.seen, texts)} came where it belongs, with an unusual value: {what}."


def _unseen(facts: Facts, texts: Texts | None) -> str:
    seen = f"‘{line(facts.shape.strip(), 100)}’" if facts.shape else quoted(facts.seen, texts)
    ahead = quoted(facts.expected[0][0], texts) if facts.expected else "the end of the session"
    where = "At the begin of the session" if facts.last is None else f"Between {quoted(facts.last, texts)} and {ahead}"
    tail = f", before {ahead}" if facts.last is None else ""
    return f"{where} came {seen}, which was never seen in training{tail}."


def _ended(facts: Facts, texts: Texts | None) -> str:
    where = "before anything came" if facts.last is None else f"after {quoted(facts.last, texts)}"
    return f"The session ended {where}; {_should(facts, texts)} should have come."


def _counts(facts: Facts, texts: Texts | None) -> str:
    return f"Every entry came where it may, but not as often as it should: {line(facts.why.removeprefix('counts: '), 200)}."


def _unlikely(facts: Facts, texts: Texts | None) -> str:
    came = f"{_place(facts, texts)} came {quoted(facts.seen, texts)}"
    if facts.allowed:
        return f"{came}, which is rare here: {_should(facts, texts)} comes more often."
    text = f"{came}, where {_should(facts, texts)} should have come"
    if facts.missing:
        return f"{text}: {_several([quoted(key, texts) for key in facts.missing], 'and')} {_is(facts)} missing."
    if facts.again:
        return f"{text}: it came before already."
    if facts.behind is not None:
        return f"{text}: it belongs behind {quoted(facts.behind, texts)}."
    return f"{text}: it begins task {facts.begins} too early." if facts.begins else f"{text}."


def _place(facts: Facts, texts: Texts | None) -> str:
    return "At the begin of the session" if facts.last is None else f"After {quoted(facts.last, texts)}"


def _should(facts: Facts, texts: Texts | None) -> str:
    likely = [(key, chance) for key, chance in facts.expected[:3] if chance >= 0.01] or list(facts.expected[:1])
    if not likely:
        return quoted(None, texts)
    shown = [
        quoted(key, texts) + (f" ({chance:.0%})".replace("%", " %") if chance < 0.995 else "") for key, chance in likely
    ]
    return _several(shown, "or")


def _is(facts: Facts) -> str:
    return "are" if len(facts.missing) > 1 else "is"


def _several(parts: Sequence[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"
