"""The contracts: which columns each stage's frame has, one check for them, and the errors.

Stages meet in these shapes, not in imports of one another. A frame may carry more columns
than its contract (a layout's own fields, say); it may not carry fewer, nor other types.
What a column *means* is said here once and nowhere else.

    DeepLogError
    ├── FrameError      a frame lacks columns or has them with another type
    ├── InputError      a file, a layout, a pattern: something the user named does not serve
    └── ModelError      a saved model is broken, or does not belong to these templates
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import polars as pl

FLAGS: Final = ("folded", "cut", "recoded", "year_inferred", "clock_back", "damaged", "lone_cr")
"""What can be wrong with a line: continuation lines folded into it, cut at the size limit, bytes
that were not UTF-8 written as ``\\xNN`` (or a text in UTF-16 or UTF-32 decoded), a year that the log
does not state, a clock that ran back, a file that cannot be read beyond this record, and carriage
returns within a line, which end lines on old Macs but not here: it may hold several records."""

TIME: Final = pl.Datetime("us")

LINES: Final = {
    "file": pl.Categorical(),
    "line": pl.UInt64(),  # 1-based physical line of the record's first line
    "offset": pl.UInt64(),  # byte of it in the uncompressed file
    "length": pl.UInt64(),  # bytes of the record there, line ends included; more than the message where it was cut
    "time": TIME,  # naive UTC; null where the layout has none
    "level": pl.String(),
    "source": pl.String(),
    "message": pl.String(),  # never null
    "matched": pl.Boolean(),
    "flags": pl.List(pl.Enum(FLAGS)),
}

EVENTS: Final = LINES | {
    "key": pl.UInt32(),  # 0 = fits no template
    "parameters": pl.List(pl.String()),  # template and parameters give the message back
}

TEMPLATES: Final = {
    "key": pl.UInt32(),
    "template": pl.String(),
    "count": pl.UInt64(),  # lines seen when it was learnt
    "example": pl.String(),
    "first_line": pl.UInt64(),
}

SESSIONS: Final = {
    "session": pl.String(),
    "position": pl.UInt32(),
    "key": pl.UInt32(),
    "count": pl.UInt32(),  # how many identical sessions this one stands for
    "open": pl.Boolean(),  # the log ended before the session could
}

RANKS: Final = {
    "session": pl.String(),
    "position": pl.UInt32(),
    "key": pl.UInt32(),  # null on the end row, whose position is the session's length
    "count": pl.UInt32(),
    "open": pl.Boolean(),
    "rank": pl.UInt16(),  # 1 = most probable; null for unseen
    "probability": pl.Float32(),
}

KINDS: Final = ("numeric", "categorical", "identifier", "constant")
"""What a parameter's position can hold. Only a numeric one is forecast; an identifier is never looked at."""

PARAMETERS: Final = {
    "key": pl.UInt32(),
    "at": pl.UInt16(),  # 0-based place in the event's list of parameters
    "name": pl.String(),  # the word before it in the template, else "parameter 1"
    "kind": pl.Enum(KINDS),
    "unit": pl.String(),  # in which numeric values are told; null where they have none
    "count": pl.UInt32(),
    "distinct": pl.UInt32(),
    "example": pl.String(),
    "why": pl.String(),  # what told the kind
}

ERRORS: Final = {
    "session": pl.String(),
    "position": pl.UInt32(),
    "key": pl.UInt32(),
    "error": pl.Float32(),  # mean squared error of the forecast, in training deviations; null where nothing is forecast
    "bound": pl.Float32(),  # above which the error is too large at the model's confidence
    "tail": pl.Float32(),  # share of normal entries expected to err as much or more; null where nothing is checked
    "worst": pl.String(),  # the position that differs most: "elapsed" or a parameter's name
    "expected": pl.Float64(),  # of the worst position, in its unit
    "seen": pl.Float64(),
    "reach": pl.Float64(),  # how far from it a value may be at the bound; null where a whole vector is judged together
    "unit": pl.String(),
    "text": pl.String(),  # a category's value that was never seen; else null
}

COUNTED: Final = {
    "session": pl.String(),
    "flagged": pl.Boolean(),  # its keys' counts are none that training allows
    "reason": pl.String(),  # which counts, and what training had; null where not flagged
}

RULES: Final = ("unseen", "unlikely", "ended_early", "counts", "short", "timing", "value")
"""The rules that can raise an alarm, in the order in which they are named when several do."""

VERDICTS: Final = (
    RANKS
    | {rule: pl.Boolean() for rule in RULES}
    | {"anomalous": pl.Boolean(), "score": pl.Float32(), "why": pl.String()}
)

ANSWERS: Final = ("normal", "anomaly")
"""What a person can say of an alarm."""

LABELS: Final = {
    "id": pl.UInt32(),  # 1, 2, …: rows are only ever added
    "at": TIME,  # when it was said, UTC
    "who": pl.String(),
    "session": pl.String(),  # null for a line that is in none
    "position": pl.UInt32(),  # null where the whole session is meant
    "file": pl.String(),
    "line": pl.UInt64(),
    "pattern": pl.String(),  # of the alarm, as ``verdicts`` tell it; null where nothing was flagged
    "verdict": pl.Enum(ANSWERS),  # null in a row that undoes another
    "note": pl.String(),
    "until": TIME,  # when the answer expires; null = never
    "keys": pl.List(pl.UInt32),  # of the session as it was judged: the evidence that a model can learn from
    "model": pl.String(),  # digest of the templates by which it was judged; empty where not known
    "policy": pl.String(),
    "undo_of": pl.UInt32(),  # the row that this one takes back, or in whose place this answer stands
    "previous_hash": pl.String(),  # of the row before: what was changed, left out or moved is found out
    "hash": pl.String(),
}

STEPS: Final = {
    "task": pl.UInt32(),  # 1, 2, … the workflow's tasks, the most frequent first
    "step": pl.UInt32(),  # 0 = the task's begin and its end; the same key may stand at several steps
    "key": pl.UInt32(),  # null at step 0
    "count": pl.UInt64(),  # entries seen there
}

EDGES: Final = {
    "task": pl.UInt32(),
    "source": pl.UInt32(),  # a step of the task; 0 = its begin
    "target": pl.UInt32(),  # 0 = its end
    "kind": pl.Enum(["next", "branch", "loop", "parallel"]),
    "count": pl.UInt64(),
    "share": pl.Float64(),  # of what leaves the source
    "median_elapsed": pl.Float64(),  # s; null where times are not known
    "p99_elapsed": pl.Float64(),
}

DIAGNOSES: Final = {
    "session": pl.String(),
    "position": pl.UInt32(),
    "task": pl.UInt32(),  # null where no task fits
    "last_good": pl.UInt32(),  # the step before; 0 = the task's begin
    "expected": pl.List(pl.UInt32),  # keys that should have come, the most probable first; empty = the end
    "seen": pl.UInt32(),  # the key that came; null = the end
    "elapsed": pl.Float64(),  # s that the step took
    "usual": pl.Float64(),  # s, median of the edge
    "sentence": pl.String(),
    "rule": pl.String(),  # of RULES the first that fired
    "probabilities": pl.List(pl.Float32),  # of the expected keys
    "late": pl.Float64(),  # s, 99 of 100 runs take no longer on the edge
    "slow": pl.List(pl.UInt32),  # for time and value: the two keys of the run's slowest edge so far; null if not late
    "slow_elapsed": pl.Float64(),  # s that this one took
    "text": pl.String(),  # of a message that fits no template, without its values; null where it is not known
}

DIFFERENCES: Final = ("new", "vanished", "more", "fewer", "slower", "faster", "reordered", "value")
"""In what two logs can differ: keys that only one has, how often a key comes, how long a step takes, which of two
keys comes first, and a value that a parameter of few values never had."""

COMPARED: Final = {
    "what": pl.Enum(DIFFERENCES),
    "key": pl.UInt32(),  # null where it is the pace of the whole log
    "before": pl.UInt32(),  # the key before it, where the difference is one of time or order
    "says": pl.String(),  # what these keys say; null without templates
    "name": pl.String(),  # of the parameter that has a new value
    "value": pl.String(),  # the new value
    "normal": pl.Float64(),
    "suspect": pl.Float64(),
    "unit": pl.String(),  # of these two: per session or window, s, or share of sessions or windows
    "ratio": pl.Float64(),  # suspect to normal; null where normal is 0
    "score": pl.Float64(),  # 3 = chance brings any such difference once in 1,000 pairs of logs
    "certain": pl.Boolean(),  # the score is above what was asked for; a new key is a row even if it is not
    "why": pl.String(),
}

TRUTH_SESSIONS: Final = {"session": pl.String(), "anomalous": pl.Boolean()}

UNITS: Final = {
    "session": pl.String(),
    "count": pl.UInt32(),
    "sequence": pl.UInt32(),  # alike for sessions with the same keys in the same order
    "longer": pl.Boolean(),  # more keys than the history
    "hard": pl.Boolean(),  # longer, and no key unseen in training
    "recurring": pl.Boolean(),  # training has a session with the same keys in the same order; null = not known
}

METRICS: Final = {
    "method": pl.String(),
    "setting": pl.String(),
    "unit": pl.Enum(["entry", "session", "distinct", "longer", "hard"]),
    "tp": pl.UInt64(),
    "fp": pl.UInt64(),
    "fn": pl.UInt64(),
    "tn": pl.UInt64(),
    "precision": pl.Float64(),
    "recall": pl.Float64(),
    "f1": pl.Float64(),
    "specificity": pl.Float64(),
    "alarms_per_million": pl.Float64(),
    "f1_low": pl.Float64(),  # 95 % of the resamples of the distinct sequences lie between these two
    "f1_high": pl.Float64(),
    "recurring": pl.Float64(),  # share of what was judged that training has too, key by key; null = not known
}

_WHENCE: Final = {
    "lines": "dl.read(path) gives one",
    "verdicts": "detector.judge(dl.read(path)) gives one",
}
"""Who has not such a frame yet is told what makes it."""

Contract = Mapping[str, pl.DataType]
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)  # what comes lazily goes lazily


class DeepLogError(Exception):
    """Anything that deeplog_nb refuses, with what came, what is accepted and what to do next.

    On one line, and without control characters: names of files and members come from strangers.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__("".join(map(_printable, text)))


class FrameError(DeepLogError):
    """A frame lacks columns of its contract, or has them with another type."""


class InputError(DeepLogError):
    """A file, layout, pattern or option that the user named does not serve."""


class ModelError(DeepLogError):
    """A saved model is broken, or does not belong to these templates."""


def check(frame: Frame, contract: Contract, name: str, *, lazy: bool = False) -> Frame:
    """Return the frame as it came, or name *every* column that is missing or mistyped.

    A lazy frame is taken where ``lazy`` says so.

    >>> check(pl.DataFrame({"session": ["a"]}), TRUTH_SESSIONS, "truth")
    Traceback (most recent call last):
    deeplog_nb.frames.FrameError: truth: missing column anomalous (Boolean); it has: session
    """
    if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
        whence = f"; {_WHENCE[name]}" if name in _WHENCE else ""
        raise FrameError(f"{name}: a polars frame is wanted, not of type {type(frame).__name__}{whence}")
    if isinstance(frame, pl.LazyFrame) and not lazy:
        raise FrameError(f"{name}: a lazy frame is not taken here; collect() it first, or a part of it")
    has = frame.collect_schema()
    missing = [f"{c} ({_show(t)})" for c, t in contract.items() if c not in has]
    wrong = [f"{c} is {_show(has[c])}, wanted {_show(t)}" for c, t in contract.items() if c in has and has[c] != t]
    if not missing and not wrong:
        return frame
    problems = [f"missing column{'s' * (len(missing) > 1)} {', '.join(missing)}"] if missing else []
    raise FrameError(f"{name}: {'; '.join(problems + wrong)}; it has: {', '.join(has)}")


def batch_by_batch(frame: Frame, work: Callable[[pl.DataFrame], pl.DataFrame]) -> Frame:
    """What the work makes of the frame; of a lazy one, when it is asked for and a part of the rows at a time.

    >>> batch_by_batch(pl.LazyFrame({"key": [1, 2]}), lambda part: part.filter(pl.col("key") > 1)).collect().rows()
    [(2,)]
    """
    if isinstance(frame, pl.DataFrame):
        return work(frame)
    schema = work(pl.DataFrame(schema=frame.collect_schema())).schema
    return frame.map_batches(work, schema=schema, streamable=True)


def _printable(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii")


def _show(kind: pl.DataType) -> str:
    return str(kind)
