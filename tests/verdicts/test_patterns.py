"""Alarms grouped by what happened."""

from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.patterns import alarms, patterns
from deeplog_nb.verdicts.policy import Policy


def judged(ranks):
    return judge(
        ranks(
            ("a", 1, 1, 0.9), ("a", 5, 3, 0.01), ("b", 1, 1, 0.9), ("b", 5, 3, 0.001),
            ("c", 2, 1, 0.9), ("c", 9, None, 0.0), ("c", 5, 3, 0.01), ("d", 1, 1, 0.9),
        ),
        policy=Policy(probability=0.1),
    )  # fmt: skip


def test_alike_alarms_are_one_pattern_worst_first(ranks):
    """The same key after the same key by the same rule: two sessions, one row."""
    found = patterns(judged(ranks))
    assert found.select("rule", "before", "key", "sessions").rows() == [("unseen", None, 9, 1), ("unlikely", 1, 5, 2)]


def test_a_session_counts_once_under_its_worst_alarm(ranks):
    """Session c has two alarms; only the unseen key makes its pattern."""
    assert patterns(judged(ranks))["sessions"].sum() == 3
    assert alarms(judged(ranks)).height == 4


def test_where_the_file_is_the_session_every_alarm_counts(ranks):
    """Per line, the two alarms of session c are in two patterns."""
    found = patterns(judged(ranks), per="line")
    assert found["sessions"].sum() == 4
    assert found.select("before", "key").rows() == [(None, 9), (1, 5), (9, 5)]


def test_a_pattern_shows_its_worst_example(ranks):
    """Of sessions a and b, b was the less probable."""
    assert patterns(judged(ranks)).row(1, named=True)["session"] == "b"


def test_nothing_wrong_is_no_pattern(ranks):
    """An all-normal log gives an empty table, not an error."""
    assert patterns(judge(ranks(("a", 1, 1, 0.9)), policy=Policy(g=9))).is_empty()
