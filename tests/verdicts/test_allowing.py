"""Patterns are exact: what is allowed is silenced, and nothing else."""

from __future__ import annotations

import polars as pl

from deeplog_nb.frames import ERRORS, RANKS
from deeplog_nb.verdicts.allowing import allow, with_patterns, without_shape
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.policy import Policy


def judged(*sessions: str, errors: pl.DataFrame | None = None) -> pl.DataFrame:
    """VERDICTS of sessions written as keys; keys above 4 are unseen."""
    rows = [
        (f"s{n}", at, key, 1, False, None if key and key > 4 else 1, 0.0 if key and key > 4 else 0.9)
        for n, text in enumerate(sessions)
        for at, key in enumerate([*map(int, text), None])
    ]
    ranks = pl.DataFrame(rows, schema=dict(RANKS), orient="row")
    return with_patterns(judge(ranks, errors, policy=Policy(g=9)), history=2)


def slow(seen: float, session: str = "s0") -> pl.DataFrame:
    """ERRORS of one entry, the second, that took so long."""
    told = {"error": 9.0, "bound": 1.0, "tail": 1e-9, "worst": "elapsed", "expected": 2.0, "seen": seen, "unit": "s"}
    row = {"session": session, "position": 1, "key": 2} | told
    return pl.DataFrame({name: [row.get(name)] for name in ERRORS}, schema=dict(ERRORS))


def alarms(verdicts: pl.DataFrame) -> list[tuple[str, int]]:
    return verdicts.filter("anomalous").select("session", "position").rows()


def test_a_key_is_allowed_after_its_own_history_only():
    """The same key after other keys stays an alarm."""
    found = judged("129", "129", "139", "9")
    pattern = found.filter(pl.col("pattern").is_not_null())["pattern"][0]
    assert pattern == '{"history":[1,2],"key":9}'
    assert alarms(allow(found, [pattern])) == [("s2", 2), ("s3", 0)]


def test_a_session_is_allowed_with_the_same_counts_and_alarms():
    """One more key, or the alarm at another key, and it is flagged again."""
    found = judged("1292", "1229", "12922", "1282")
    whole = found.filter("anomalous")["session_pattern"][0]
    assert whole == '{"flagged":[9],"counts":[[1,1],[2,2],[9,1]]}'
    assert alarms(allow(found, [whole])) == [("s2", 2), ("s3", 2)]


def test_a_wait_is_allowed_up_to_what_was_said_to_be_normal():
    """As slow or less is no alarm; slower is."""
    pattern = judged("12", errors=slow(40.0))["pattern"].drop_nulls().item()
    assert pattern == '{"before":1,"key":2,"at":"elapsed","side":"above","upto":40.0}'
    assert alarms(allow(judged("12", errors=slow(30.0)), [pattern])) == []
    assert alarms(allow(judged("12", errors=slow(41.0)), [pattern])) == [("s0", 1)]
    assert alarms(allow(judged("12", errors=slow(0.1)), [pattern])) == [("s0", 1)]
    assert alarms(allow(judged("32", errors=slow(30.0)), [pattern])) == [("s0", 1)]


def test_a_session_pattern_allows_no_value():
    """How far a wait may go is said of the wait, not of its session."""
    found = judged("129", errors=slow(40.0))
    whole = found.filter("unseen")["session_pattern"].item()
    assert alarms(allow(found, [whole])) == [("s0", 1)]


def test_what_was_allowed_stays_visible():
    """The rule that fired is still there, and the reason says that it was allowed."""
    found = judged("9")
    after = allow(found, found["pattern"].drop_nulls().to_list()).row(0, named=True)
    assert (after["unseen"], after["allowed"], after["anomalous"]) == (True, True, False)
    assert after["why"] == "allowed: unseen: never seen in training"


def test_hostile_names_stay_within_their_text():
    """A position's name that looks like the end of a pattern is a name."""
    name = 'x","side":"above","upto":9}'
    odd = slow(40.0).with_columns(worst=pl.lit(name))
    pattern = judged("12", errors=odd)["pattern"].drop_nulls().item()
    assert alarms(allow(judged("12", errors=odd), [pattern])) == []
    assert alarms(allow(judged("12", errors=slow(40.0)), [pattern])) == [("s0", 1)]


def test_messages_without_a_template_are_told_apart_by_their_shape():
    """In a session's pattern too: another unknown message, as often, stays an alarm."""
    shaped = pl.when(pl.col("key") == 9).then(
        pl.when(pl.col("session") == "s0").then(pl.lit("a")).otherwise(pl.lit("b"))
    )
    found = with_patterns(judged("129", "129").with_columns(shape=shaped), history=2)
    whole = found.filter("anomalous")["session_pattern"][0]
    assert whole == '{"flagged":[9],"counts":[[1,1],[2,1],[9,1]],"shapes":["a"]}'
    assert alarms(allow(found, [whole])) == [("s1", 2)]
    assert without_shape(pl.Series([whole])).item() == '{"flagged":[9],"counts":[[1,1],[2,1],[9,1]]}'
