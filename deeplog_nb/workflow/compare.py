"""What one log has that another has not: keys, counts, waits, order and values, the most surprising first.

Sessions are what is counted, since entries of one session are not independent. A difference is a row where chance
would hardly bring it about, all differences looked at taken together; how likely that is, is in ``significance``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import COMPARED, InputError, check
from deeplog_nb.workflow.differences import counts, distinct, orders, pace, values, waits
from deeplog_nb.workflow.sides import sides
from deeplog_nb.workflow.significance import SMALLEST, exact
from deeplog_nb.workflow.texts import Texts, quoted, texts_of

CHANCE: Final = 0.01  # of any false row among all, where both logs are of the same process
FACTOR: Final = 1.25  # by which counts or waits must differ to be worth a row
TOP: Final = 40.0  # score


@dataclass(frozen=True)
class Comparison:
    """What differs, and what was looked at: where there is no row, that alone says what is alike."""

    rows: pl.DataFrame  # COMPARED
    unit: str  # session, or window
    sizes: tuple[int, int]  # how many of them either log has
    aspects: tuple[str, ...]  # of messages, order, pace and values those that could be compared
    enough: bool  # whether a message in all of one log's sessions and none of the other's would be a certain row


def compare(
    normal: pl.DataFrame,
    suspect: pl.DataFrame,
    *,
    templates: Templates | None = None,
    chance: float = CHANCE,
    factor: float = FACTOR,
) -> pl.DataFrame:
    """COMPARED: what differs in ``suspect``, a row a difference, the most surprising first.

    Both are SESSIONS, or both EVENTS, of the same detector or parsed with the same templates: these frames do not
    say of which messages their keys are, and those of two detectors are compared as if they were alike. ``says``
    has the messages of a row, if ``templates`` are given. There are rows for ``new`` and ``vanished`` keys,
    ``more`` and ``fewer`` entries of a key in a session, ``slower`` and ``faster`` steps, ``reordered`` neighbours,
    and ``value``: one that a parameter of few values never had. Shares of sessions are compared by Fisher's exact
    test, counts and waits by the rank test of Mann and Whitney. A row must be so unlikely that among *all*
    differences looked at chance brings a single one with probability ``chance`` (Bonferroni); counts and waits must
    differ by ``factor``, and since waits drift with load, most of eight parts of the suspect log must have a median
    wait beyond that of every part of the normal one. New keys are rows in any case, those seen too seldom to be
    certain last. Sessions that the log's end cut are left out. EVENTS, and sessions that are whole files, are read
    in windows of 100 lines, in which one message more means fewer others. Steps of theirs are compared where a key
    nearly always comes after the same one, order where one of two neighbours mostly comes first; a row without a
    key is the pace of the whole log, from each line to the next.

    InputError says what cannot be compared: no frame, sessions with events, keys that these ``templates`` have not.

    >>> from deeplog_nb.frames import SESSIONS
    >>> def sessions(*keys):
    ...     rows = [(f"s{n}", at, key, 1, False) for n in range(50) for at, key in enumerate(keys)]
    ...     return pl.DataFrame(rows, schema=dict(SESSIONS), orient="row")
    >>> compare(sessions(1, 2, 3), sessions(1, 3, 2, 4)).select("what", "before", "key", "why").rows()
    [('reordered', 3, 2, 'before the other in 0 of 50 sessions, now in 50 of 50'),
     ('new', None, 4, 'in 0 of 50 sessions, now in 50 of 50')]
    """
    return comparison(normal, suspect, templates=templates, chance=chance, factor=factor).rows


def comparison(
    normal: pl.DataFrame,
    suspect: pl.DataFrame,
    *,
    templates: Templates | None = None,
    chance: float = CHANCE,
    factor: float = FACTOR,
) -> Comparison:
    """What differs, as :func:`compare` gives it, with what was looked at."""
    if not 0 < chance < 1 or not factor >= 1:
        raise InputError(f"chance is {chance} and factor {factor}; give 0 < chance < 1 and a factor of 1 or more")
    both = sides(normal, suspect, templates)
    entries, unit, sequences = both.entries, both.unit, distinct(both.entries)
    found = {
        "messages": [counts(sequences, unit)],
        "order": [orders(sequences, unit)],
        "pace": [waits(entries, unit), *[pace(entries)] * both.windows],
        "values": [values(entries, templates, unit)],
    }
    frames = [frame for each in found.values() for frame in each]
    tests = sum(map(len, frames))
    least = 2 * tests * exact(*(np.array([float(n)]) for n in (0, both.sizes[0], both.sizes[1], both.sizes[1])))[0]
    rows = _ranked(pl.concat(frames, how="diagonal_relaxed"), tests, chance=chance, factor=factor)
    return Comparison(
        rows.with_columns(_says(rows, texts_of(templates))),
        unit,
        both.sizes,
        tuple(aspect for aspect, each in found.items() if any(map(len, each))),
        bool(least <= chance),
    )


def _says(rows: pl.DataFrame, texts: Texts | None) -> pl.Series:
    """What the keys of each row say, in the order in which they come."""
    told = [
        " → ".join(quoted(key, texts) for key in (before, key) if key is not None) or None
        for before, key in rows.select("before", "key").rows()
    ]
    return pl.Series("says", told if texts else [None] * len(rows), pl.String)


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
