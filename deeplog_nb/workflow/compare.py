"""What one log has that another has not: keys, counts, waits, order and values, the most surprising first.

Sessions are what is counted, since entries of one session are not independent. A difference is a row where chance
would hardly bring it about, all differences looked at taken together; how likely that is, is in ``significance``.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COMPARED, EVENTS, SESSIONS, FrameError, InputError, check
from deeplog_nb.workflow.differences import counts, distinct, orders, values, waits
from deeplog_nb.workflow.significance import SMALLEST

CHANCE: Final = 0.01  # of any false row among all, where both logs are of the same process
FACTOR: Final = 1.25  # by which counts or waits must differ to be worth a row
PARTS: Final = 8  # of either log, whose median waits are compared too
WINDOW: Final = 100  # events of a file that count as one session, where there are no sessions
TOP: Final = 40.0  # score


def compare(
    normal: pl.DataFrame,
    suspect: pl.DataFrame,
    *,
    templates: Templates | None = None,
    chance: float = CHANCE,
    factor: float = FACTOR,
) -> pl.DataFrame:
    """COMPARED: what differs in ``suspect``, a row a difference, the most surprising first.

    Both are SESSIONS, or EVENTS (read in windows of 100), parsed with the same templates. ``new`` and ``vanished``
    keys, ``more`` and ``fewer`` entries of a key in a session, ``slower`` and ``faster`` steps, ``reordered``
    neighbours, and ``value``: one that a parameter of few values never had. Shares of sessions are compared by Fisher's
    exact test, counts and waits by the rank test of Mann and Whitney. A row must be so unlikely that among *all*
    differences looked at chance brings a single one with probability ``chance`` (Bonferroni); counts and waits must
    differ by ``factor``, and since waits drift with load, most of eight parts of the suspect log must have a median
    wait beyond that of every part of the normal one. New keys are rows in any case, those seen too seldom to be
    certain last. Sessions that the log's end cut are left out.

    >>> def sessions(*keys):
    ...     rows = [(f"s{n}", at, key, 1, False) for n in range(50) for at, key in enumerate(keys)]
    ...     return pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> compare(sessions(1, 2, 3), sessions(1, 3, 2, 4)).select("what", "before", "key", "why").rows()
    [('reordered', 3, 2, 'before the other in 0 of 50 sessions, now in 50 of 50'),
     ('new', None, 4, 'in 0 of 50 sessions, now in 50 of 50')]
    """
    if not 0 < chance < 1 or factor < 1:
        raise InputError(f"chance is {chance} and factor {factor}; give 0 < chance < 1 and a factor of 1 or more")
    both = pl.concat([_entries(normal, "normal", False), _entries(suspect, "suspect", True)])
    sequences = distinct(both)
    found = [counts(sequences), waits(both), orders(sequences), values(both, templates)]
    tests = sum(len(each) for each in found)
    rows = pl.concat(found, how="diagonal_relaxed")
    return _ranked(rows, tests, chance=chance, factor=factor)


def _entries(frame: pl.DataFrame, name: str, side: bool) -> pl.DataFrame:
    """The entries of the sessions that the log's end did not cut, or of windows of a log without sessions."""
    has = set(frame.columns)
    if "position" in has:
        sessions = check(frame, SESSIONS, name)
        kept = sessions.filter(~pl.col("open"))
        sessions = kept if len(kept) else sessions  # a file read in windows is open as a whole
    else:
        sessions = _windows(check(frame, {"key": EVENTS["key"]}, name))
    if sessions.is_empty():
        raise FrameError(f"{name}: holds no session that could be compared")
    empty = {"elapsed": pl.lit(None, pl.Float64), "parameters": pl.lit(None, pl.List(pl.String))}
    missing = [value.alias(column) for column, value in empty.items() if column not in has]
    began = pl.col("row").min().over("session").rank("dense")
    return (
        sessions.with_columns(*missing)
        .with_row_index("row")
        .with_columns(session=began.cast(pl.UInt32))
        .sort("session", "position")
        .with_columns(side=pl.lit(side), part=(pl.col("session") - 1) * PARTS // pl.col("session").max())
        .select("side", "session", "part", "position", "key", "count", "elapsed", "parameters")
    )


def _windows(events: pl.DataFrame) -> pl.DataFrame:
    file = pl.col("file").cast(pl.String) if "file" in events.columns else pl.lit("all")
    at = pl.int_range(pl.len()).over(file)
    return events.with_columns(
        session=pl.format("{}#{}", file, at // WINDOW),
        position=(at % WINDOW).cast(pl.UInt32),
        count=pl.lit(1, pl.UInt32),
    )


def _ranked(rows: pl.DataFrame, tests: int, *, chance: float, factor: float) -> pl.DataFrame:
    """The rows that are worth it, the least likely first, the chance of each multiplied by how many there were."""
    ratio = pl.when(pl.col("normal") > 0).then(pl.col("suspect") / pl.col("normal"))
    strays = pl.col("what").is_in(["slower", "faster", "more", "fewer"])
    far = (pl.col("suspect") >= factor * pl.col("normal")) | (pl.col("normal") >= factor * pl.col("suspect"))
    score = -(pl.col("chance") * tests).clip(SMALLEST, 1.0).log10()
    columns = {name: pl.lit(None, kind) for name, kind in COMPARED.items() if name not in rows.columns}
    found = rows.with_columns(
        ratio=ratio,
        score=score.clip(0.0, TOP).abs(),  # no minus zero
        certain=pl.col("chance") * tests <= chance,
        **{name: value for name, value in columns.items() if name not in ("ratio", "score", "certain")},
    ).filter(pl.col("worth") & (pl.col("certain") | (pl.col("what") == "new")), ~strays | far)
    return check(
        found.with_columns(pl.col("what").cast(COMPARED["what"]))
        .sort("score", "what", "key", descending=[True, False, False], nulls_last=True)
        .select(*COMPARED),
        COMPARED,
        "compared",
    )
