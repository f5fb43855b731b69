"""What labels teach a key model, and what they only keep watch over."""

from __future__ import annotations

import polars as pl
import pytest

from deeplog_nb.frames import LABELS, FrameError
from deeplog_nb.models.declared import PAIRS, as_asked, canaries, pairs, uncontradicted


def labels(*rows: tuple[str, str | None, list[int]]) -> pl.DataFrame:
    """LABELS of ``verdict, pattern, keys``."""
    told = [
        {"id": n, "verdict": verdict, "pattern": text, "keys": keys} for n, (verdict, text, keys) in enumerate(rows)
    ]
    return pl.DataFrame(told, schema={name: LABELS[name] for name in ("id", "position", "verdict", "pattern", "keys")})


def paired(*rows: tuple[list[int], int | None]) -> pl.DataFrame:
    return pl.DataFrame([(*row, 1) for row in rows], schema=PAIRS, orient="row")


def test_a_label_on_an_entry_teaches_its_pair_and_alike_ones_are_counted():
    """Of each history the last h keys; an end is a key too."""
    said = ("normal", '{"history":[1,2,3],"key":7}', [1, 2, 3, 7])
    told = pairs(labels(said, said, ("normal", '{"history":[7],"key":null}', [7])), 2)
    assert told.rows() == [([2, 3], 7, 2), ([7], None, 1)]


def test_an_end_flagged_twice_teaches_that_it_ended():
    """Two patterns of one row are told apart."""
    both = '{"counts":[[1,1]]}\n{"history":[1],"key":null}'
    assert pairs(labels(("normal", both, [1])), 10).rows() == [([1], None, 1)]


@pytest.mark.parametrize(
    "text",
    [
        '{"flagged":[9],"counts":[[9,1]]}',
        '{"before":1,"key":2,"at":"elapsed","side":"above","upto":4.0}',
        '{"history":[1],"key":0,"shape":"a <*>"}',
        None,
    ],
)
def test_sessions_values_and_what_has_no_key_teach_no_pair(text):
    """They are allowed, not learnt."""
    assert pairs(labels(("normal", text, [9])), 10).is_empty()


def test_an_anomaly_is_a_canary_and_never_learnt():
    """Its keys are kept as a session."""
    said = labels(("anomaly", '{"history":[1],"key":9}', [1, 9]), ("normal", '{"history":[2],"key":9}', [2, 9]))
    assert canaries(said).select("session", "position", "key").rows() == [("label 0", 0, 1), ("label 0", 1, 9)]
    assert pairs(said, 10).rows() == [([2], 9, 1)]


def test_what_a_canary_has_too_is_not_learnt():
    """The same key after the same last keys, an end included."""
    wrong = canaries(labels(("anomaly", None, [1, 2, 9])))
    told = paired(([5, 1, 2], 9), ([1, 1], 9), ([2, 9], None))
    assert uncontradicted(told, wrong, 10).rows() == told.rows()
    assert uncontradicted(told.with_columns(pl.col("history").list.tail(2)), wrong, 2)["history"].to_list() == [[1, 1]]


def test_pairs_are_asked_as_sessions_of_their_own():
    """The declared key comes last and is marked; a declared end closes the session."""
    asked = as_asked(paired(([1, 2], 9), ([3], None)))
    assert asked.select("session", "key", "open", "learn").rows() == [
        ("declared 1", 1, True, False),
        ("declared 1", 2, True, False),
        ("declared 1", 9, True, True),
        ("declared 2", 3, False, False),
    ]


def test_a_pattern_that_is_none_is_refused():
    """Another version's, or a broken one."""
    with pytest.raises(FrameError, match="none that this version writes"):
        pairs(labels(("normal", '{"history":', [1])), 10)
