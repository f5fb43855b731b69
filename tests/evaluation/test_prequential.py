"""An entry's verdict stands before it is learnt, whatever the method and whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.evaluation.adaptive import Adaptive, Answered, KnownKeys, Pairs
from deeplog_nb.evaluation.prequential import Person, budget, nobody, oracle, pass_through
from deeplog_nb.evaluation.stream import Flags, Stream

NEW: dict[str, Callable[[], Adaptive]] = {
    "known keys": lambda: KnownKeys(frozenset({1})),
    "pairs": lambda: Pairs({1: {1: 3, 2: 1}}, g=1),
}
every_method = pytest.mark.parametrize("name", NEW)
unhurried = settings(deadline=None)  # the machine may be busy
entries = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=150)


def stream(keys: Sequence[int], alerts: Sequence[int] = (), history: int = 1) -> Stream:
    """These entries, judged from the first one on; the alerts by position."""
    padded = np.array([0] * history + [*keys], np.int64)
    before = np.lib.stride_tricks.sliding_window_view(padded, history)[:-1]
    wrong = np.isin(np.arange(len(keys)), [*alerts])
    return Stream(pl.DataFrame(), before, np.array(keys, np.int64), wrong)


def labelled(rows: Sequence[tuple[int, bool]]) -> Stream:
    return stream([key for key, _ in rows], [at for at, (_, wrong) in enumerate(rows) if wrong])


def naive(log: Stream, method: Adaptive) -> Flags:
    """The oracle with nothing clever: judge one entry, then answer if it was an alarm, then the next."""
    flags, told = np.zeros(len(log), bool), Answered(method)
    for at in range(len(log)):
        one = slice(at, at + 1)
        flags[at] = told.judge(log.histories[one], log.keys[one])[0]
        if flags[at] and log.abnormal[at]:
            told = told.confirm(log.histories[one], log.keys[one])
        elif flags[at]:
            told = told.learn(log.histories[one], log.keys[one])
    return flags


def test_what_is_learnt_was_judged_before() -> None:
    """A new key is flagged when it first comes and never again; an alert is flagged each time."""
    done = pass_through(stream([1, 2, 1, 9, 2, 9, 2], [3, 5]), NEW["known keys"](), oracle)
    assert done.flags.tolist() == [False, True, False, True, False, True, False]
    assert (done.labels, done.updates) == (3, 1)


@every_method
@unhurried
@given(rows=entries)
def test_the_oracle_is_the_naive_loop(name: str, rows: list[tuple[int, bool]]) -> None:
    """Judging ahead and asking each pattern once changes no verdict."""
    log = labelled(rows)
    assert pass_through(log, NEW[name](), oracle).flags.tolist() == naive(log, NEW[name]()).tolist()


@every_method
@unhurried
@given(rows=entries, cut=st.integers(0, 150))
def test_what_comes_later_changes_no_verdict(name: str, rows: list[tuple[int, bool]], cut: int) -> None:
    """The verdicts of a log's beginning are those of the beginning alone."""
    whole = pass_through(labelled(rows), NEW[name](), oracle).flags
    beginning = labelled(rows[: max(cut, 1)])
    assert pass_through(beginning, NEW[name](), oracle).flags.tolist() == whole[: len(beginning)].tolist()


@unhurried
@given(rows=entries)
def test_the_truth_of_an_entry_does_not_reach_its_own_verdict(rows: list[tuple[int, bool]]) -> None:
    """Turning the last entry's label over changes nothing at all."""
    other = [*rows[:-1], (rows[-1][0], not rows[-1][1])]
    one, two = (pass_through(labelled(each), NEW["known keys"](), oracle).flags for each in (rows, other))
    assert one.tolist() == two.tolist()


def test_without_answers_the_method_stays() -> None:
    """Every entry is judged as the method was at the beginning."""
    done = pass_through(stream([1, 2, 2]), NEW["known keys"](), nobody)
    assert (done.flags.tolist(), done.labels) == ([False, True, True], 0)


def test_a_budget_goes_to_the_most_frequent_alarm_first() -> None:
    """One answer at half time: key 3 came twice, key 2 once; the alarms before the answer stand."""
    done = pass_through(stream([2, 1, 3, 1, 3, 1, 3, 1, 2, 1]), NEW["known keys"](), _answers(1))
    assert done.flags.tolist() == [True, False, True, False, True, False, False, False, True, False]


def test_a_pattern_that_was_an_alert_is_not_learnt() -> None:
    """The answer is true: it is used up, and the alarm goes on."""
    done = pass_through(stream([1, 3, 1, 3, 1, 3, 1, 3], [1, 3]), NEW["known keys"](), _answers(1))
    assert (done.labels, done.updates) == (1, 0)
    assert done.flags[7]


@unhurried
@given(rows=entries, answers=st.integers(1, 5))
def test_no_more_is_answered_than_the_budget(rows: list[tuple[int, bool]], answers: int) -> None:
    """And no pattern twice."""
    done = pass_through(labelled(rows), NEW["pairs"](), _answers(answers))
    assert done.updates <= done.labels <= min(answers, len(np.unique(done.stream.patterns[0])))


def _answers(many: int) -> Person:
    return partial(budget, answers=many)
