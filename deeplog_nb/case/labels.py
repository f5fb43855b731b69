"""Labels: which rows of VERDICTS an answer is about, and which answers are in effect."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import polars as pl

from deeplog_nb.case.evidence import with_evidence
from deeplog_nb.case.signature import ISO
from deeplog_nb.frames import ANSWERS, LABELS, VERDICTS, FrameError, InputError, ModelError, check

STORED: Final = {name: pl.String() if name in ("at", "verdict", "until", "keys") else LABELS[name] for name in LABELS}
"""LABELS as the ledger and its exports have them: times as ISO text, keys as the text of a JSON list."""

_PLACE: Final = {"file": pl.String(), "line": pl.UInt64(), "pattern": pl.String(), "model": pl.String()}


def answered(
    verdicts: pl.DataFrame, session: str | None, position: int | None, pattern: str | None, *, every: bool = True
) -> pl.DataFrame:
    """``session, position, file, line, pattern, model, keys`` of the alarms that are meant, in their order.

    A session alone is meant as a whole: one row for all that is odd in its order and counts, one for each odd value
    or wait; and one row if nothing at all was flagged in it.
    """
    if pattern is not None and "pattern" not in _judged(verdicts).columns:
        raise InputError("these verdicts do not say their pattern; judge the lines again, or name session and position")
    named = {"session": session, "position": position, "pattern": pattern}
    _check_kinds(named)
    rows = _judged(verdicts).pipe(_placed)
    picked = rows.filter("anomalous", *[pl.col(name) == value for name, value in named.items() if value is not None])
    if session is not None and position is None and pattern is None:
        picked = _as_whole(picked, rows)
    if not every and named == dict.fromkeys(named):
        _check_one(picked)
    if picked.is_empty():
        picked = _missed(rows, named)
    return with_evidence(picked, rows).select("session", "position", *_PLACE, "keys")


def check_answer(verdict: str, until: datetime | None, now: datetime) -> None:
    """Refuse an answer that is none, or that has expired before it is given."""
    if not isinstance(verdict, str) or verdict not in ANSWERS:
        said = repr(verdict) if isinstance(verdict, str) else f"a {type(verdict).__name__}"
        raise InputError(f"verdict is {said}; it is one of {', '.join(map(repr, ANSWERS))}")
    if until is not None and until <= now:
        raise InputError(f"until is {until} UTC, which is past; name a later time, or none for an answer that stays")


def undone(rows: Iterable[tuple[int, int | None, bool]]) -> set[int]:
    """Of (id, undo_of, whether it is an answer), the rows that are taken back or replaced.

    An undo takes back while it is not taken back itself. An answer replaces while it is not taken back: one that was
    replaced in its turn does not bring back what it had replaced.

    >>> undone([(1, None, True), (2, 1, False), (3, None, True), (4, 3, False), (5, 4, False)])  # 5 brings back 3
    {1, 4}
    >>> undone([(1, None, True), (2, 1, True), (3, 2, True)]), undone([(1, None, True), (2, 1, True), (3, 2, False)])
    ({1, 2}, {2})
    """
    back, replaced = set[int](), set[int]()
    for row, target, is_answer in sorted(rows, reverse=True):  # who takes back comes after what is taken back
        if target is not None and row not in back:
            (replaced if is_answer else back).add(target)
    return back | replaced


def in_effect(labels: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The answers that are neither undone, nor replaced, nor expired."""
    gone = list(undone(labels.select("id", "undo_of", pl.col("verdict").is_not_null()).rows()))
    lasting = pl.col("until").is_null() | (pl.col("until") > now)
    return labels.filter(pl.col("verdict").is_not_null(), lasting, ~pl.col("id").is_in(gone))


def as_labels(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """LABELS of stored rows."""
    try:
        labels = pl.DataFrame(list(rows), schema=STORED).with_columns(
            pl.col("at", "until").str.to_datetime(ISO, time_unit="us"),
            pl.col("verdict").cast(LABELS["verdict"]),
            pl.col("keys").str.json_decode(LABELS["keys"]),
        )
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise ModelError(f"labels: changed past the ledger ({error}); verify() says which row") from error
    return check(labels, LABELS, "labels")


def _check_one(picked: pl.DataFrame) -> None:
    """Refuse to answer for alarms of several sessions where none was named: a forgotten name would silence a log."""
    if (several := picked["session"].n_unique()) > 1:
        raise InputError(
            f"these are {len(picked)} alarms of {several} sessions; name a session, position or pattern, "
            "or say every=True to answer for all of them"
        )


def _judged(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The VERDICTS as they came; who gives their patterns is told so, and not what a pattern lacks."""
    if isinstance(verdicts, pl.DataFrame) and {"rule", "sessions"} <= {*verdicts.columns}:
        raise FrameError(
            "verdicts: these are patterns; give the verdicts that they were made of, "
            "and of the pattern its session=patterns['session'][0]"
        )
    return check(verdicts, VERDICTS, "verdicts")


def _check_kinds(named: dict[str, Any]) -> None:
    for name, value in named.items():
        wanted = int if name == "position" else str
        if value is not None and type(value) is not wanted:
            kind, one = type(value).__name__, "a whole number" if wanted is int else "a text"
            raise InputError(f"{name} is of type {kind}; name one {name}, {one}")


def _placed(verdicts: pl.DataFrame) -> pl.DataFrame:
    """With file, line, pattern and model, null where the verdicts do not have them."""
    return verdicts.with_columns(
        pl.col(name).cast(kind) if name in verdicts.columns else pl.lit(None, kind).alias(name)
        for name, kind in _PLACE.items()
    ).with_row_index("_row")


def _as_whole(alarms: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The alarms of one session, those of order and counts as one, which stands where the session begins."""
    if "session_pattern" not in alarms.columns:
        return alarms
    odd = pl.col("session_pattern").is_not_null() & ~pl.any_horizontal("timing", "value")
    own = rows.filter(pl.col("session").is_in(alarms["session"].head(1).implode()))
    begin = own.sort("position", maintain_order=True).head(1).select("session", "file", "line")
    whole = alarms.filter(odd).head(1).with_columns(position=pl.lit(None, pl.UInt32), pattern="session_pattern")
    placed = whole.drop("file", "line").join(begin, on="session", how="left").select(alarms.columns)
    return pl.concat([placed, alarms.filter(~odd)])


def _missed(rows: pl.DataFrame, named: dict[str, Any]) -> pl.DataFrame:
    session = named["session"]
    if session is not None and session not in rows["session"]:
        raise InputError(f"session {session!r} is not in these verdicts; name {_begun(rows, session)}")
    of_it = rows.filter(pl.col("session") == pl.lit(session, pl.String)).sort("position", maintain_order=True)
    alarms = of_it.filter("anomalous")["position"].to_list()
    if of_it.is_empty() or alarms or named["position"] is not None or named["pattern"] is not None:
        asked = ", ".join(f"{name} {value!r}" for name, value in named.items() if value is not None)
        at = f"; session {session!r} has them at position {', '.join(map(str, alarms[:5]))}" if alarms else ""
        raise InputError(
            f"no alarm{f' of {asked}' * bool(asked)} in these verdicts{at}; name what alarms() or patterns() show, "
            "or a session alone, to say that nothing was flagged in it"
        )
    return of_it.head(1).with_columns(position=pl.lit(None, pl.UInt32), pattern=pl.lit(None, pl.String))


def _begun(rows: pl.DataFrame, session: str) -> str:
    """Which session may have been meant: a table shows a long name cut off."""
    begins = pl.col("session").str.starts_with(session.rstrip("…."))
    alike = rows.filter(begins)["session"].unique(maintain_order=True).to_list() if session.rstrip("….") else []
    return f"it in full: {alike[0]!r}" if len(alike) == 1 else "one of dl.patterns(verdicts)['session'], or of theirs"
