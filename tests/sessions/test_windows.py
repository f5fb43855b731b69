"""Windows are what a plain loop would give, each distinct one once, with its count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.sessions.vocabulary import BEFORE, FIRST, UNKNOWN, Vocabulary
from deeplog_nb.sessions.windows import Windows, _distinct, _pack, sequences, windows

Entry = tuple[list[int], int, bool]  # keys, count, open
SESSIONS = st.lists(
    st.tuples(st.lists(st.integers(0, 5), min_size=1, max_size=7), st.integers(1, 3), st.booleans()), max_size=6
)


def sessions(*entries: Entry) -> pl.DataFrame:
    rows = [(str(n), at, key, c, o) for n, (keys, c, o) in enumerate(entries) for at, key in enumerate(keys)]
    u32 = pl.UInt32
    schema = {"session": pl.String, "position": u32, "key": u32, "count": u32, "open": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def counted(found: Windows) -> dict[tuple[tuple[int, ...], int], int]:
    rows = zip(found.histories.tolist(), found.nexts.tolist(), found.counts.tolist(), strict=True)
    return {(tuple(history), following): count for history, following, count in rows}


def naive(
    entries: list[Entry], known: Vocabulary, h: int, start: bool, end: bool
) -> Counter[tuple[tuple[int, ...], int]]:
    """Every window by a loop: history codes, next-code, how often."""
    total: Counter[tuple[tuple[int, ...], int]] = Counter()
    code = {key: number for number, key in enumerate(known.keys)}
    for keys, count, is_open in entries:
        padded = [BEFORE] * h + [code[key] + FIRST if key in code else UNKNOWN for key in keys]
        nexts = [code.get(key, -1) for key in keys] + [known.end]
        for at, following in enumerate(nexts):
            if (start or at >= h) and (end or at < len(keys)):
                total[tuple(padded[at : at + h]), following] += count * (at < len(keys) or not is_open)
    return total


@settings(deadline=None, max_examples=200)
@given(SESSIONS, st.integers(1, 4), st.booleans(), st.booleans(), st.sets(st.integers(1, 5)))
def test_windows_are_those_of_a_loop(entries: list[Entry], h: int, start: bool, end: bool, keys: set[int]) -> None:
    """With and without padding and ends, unknown keys, open sessions and counts: each distinct pair once, exactly."""
    known = Vocabulary.of(keys)
    found = windows(sequences(sessions(*entries)), known, h, start=start, end=end)
    assert counted(found) == naive(entries, known, h, start, end)
    assert len(counted(found)) == len(found.counts)


@settings(deadline=None, max_examples=100)
@given(SESSIONS, st.integers(1, 4))
def test_every_entry_knows_its_window(entries: list[Entry], h: int) -> None:
    """Entries and end rows of the distinct sequences, in order, each point at the window with their own next key."""
    known, distinct = Vocabulary.of(range(6)), sequences(sessions(*entries))
    found = windows(distinct, known, h)
    unique = list(dict.fromkeys(tuple(keys) for keys, _, _ in entries))
    nexts = [key - 1 for keys in unique for key in [*keys, known.end + 1]]
    assert found.nexts[found.of_entry].tolist() == [following if following >= 0 else -1 for following in nexts]


def test_the_papers_example() -> None:
    """Section 3.1: of 22 5 11 9 11 26 with h = 3 come (22 5 11) → 9, (5 11 9) → 11, (11 9 11) → 26."""
    keys = [22, 5, 11, 9, 11, 26]
    known = Vocabulary.of(keys)
    found = windows(sequences(sessions((keys, 1, False))), known, 3, start=False, end=False)
    histories = [[known.keys[code - FIRST] for code in row] for row in found.histories]
    assert histories == [[22, 5, 11], [5, 11, 9], [11, 9, 11]]
    assert [known.keys[following] for following in found.nexts] == [9, 11, 26]


def test_counts_stand_for_that_many_sessions() -> None:
    """Three of one and two of another that begins alike: five first entries, and as many ends as have ended."""
    found = windows(sequences(sessions(([1], 3, False), ([1, 2], 2, True))), Vocabulary.of([1, 2]), 1)
    assert counted(found) == {((0,), 0): 5, ((2,), 2): 3, ((2,), 1): 2, ((3,), 2): 0}


def test_identical_sessions_are_one_sequence() -> None:
    """Equal keys, one sequence; how many of it are closed and open is counted apart."""
    found = sequences(sessions(([1, 2], 1, False), ([3], 1, False), ([1, 2], 4, True), ([1, 2], 2, False)))
    assert (found.keys.tolist(), found.lengths.tolist()) == ([1, 2, 3], [2, 1])
    assert (found.counts.tolist(), found.open_counts.tolist()) == ([3, 1], [4, 0])
    assert found.of_session["sequence"].to_list() == [0, 1, 0, 0]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 2**33), st.integers(1, 24), st.integers(0, 2**32))
def test_packing_tells_all_rows_apart(size: int, width: int, seed: int) -> None:
    """However large the vocabulary and long the history, two rows pack alike only if they are alike."""
    codes = np.random.default_rng(seed).integers(0, size, (8, width))
    codes = np.vstack([codes, codes, codes ^ (codes == codes.max()), np.full((1, width), size - 1)])
    packed = list(zip(*(column.tolist() for column in _pack(codes, size).values()), strict=True))
    assert len(set(packed)) == len(np.unique(codes, axis=0))
    assert all(
        (packed[a] == packed[b]) == bool((codes[a] == codes[b]).all()) for a in range(8) for b in range(len(codes))
    )


@pytest.mark.parametrize("size", [2, 31, 32, 255, 256, 70_000, 2**33])
def test_rows_that_differ_in_one_code_are_distinct(size: int) -> None:
    """At every place of the history, the largest code and the one below it are told apart."""
    rows = np.full((12, 11), size - 1) - np.vstack([np.zeros(11, int), np.eye(11, dtype=int)])
    first, of_row = _distinct(rows[:, :10], rows[:, 10] - 1, size)
    assert first.tolist() == of_row.tolist() == list(range(12))


@pytest.mark.parametrize(
    ("padded", "total", "distinct"), [(False, 46_575, 4_092), (True, 99_980, 4_727)], ids=["paper", "start and end"]
)
def test_real_windows_are_as_many_as_counted(
    data: Callable[[str], Path], padded: bool, total: int, distinct: int
) -> None:
    """The HDFS training part at h = 10 has the numbers of windows that other readings of it have."""
    frame = pl.read_parquet(data("hdfs/train_normal.parquet"))
    entries = [(keys, 1, False) for keys in frame["sequence"].to_list()]
    found = sequences(sessions(*entries))
    cut = windows(found, Vocabulary.of(found.keys.tolist()), 10, start=padded, end=padded)
    assert (cut.counts.sum(), len(cut.counts)) == (total, distinct)
