"""Which answers stand: said twice, said otherwise, said by two people, and taken back."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deeplog_nb.case.case import Case
from deeplog_nb.case.chain import link
from deeplog_nb.case.exchange import write
from deeplog_nb.case.schema import CHAINS
from deeplog_nb.frames import InputError

PEOPLE, VERDICTS = ("kim", "lee"), ("normal", "anomaly")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "case")


@pytest.fixture
def verdicts(judged):
    """Three alarms, one of them a line in no session."""
    return judged(("a", 0, 4, True), ("a", 1, 5, True), (None, 9, 0, True))


def said(case: Case) -> list[tuple[object, ...]]:
    return case.labels().select("id", "who", "verdict").rows()


def test_the_same_again_is_no_new_row(case, verdicts):
    """The answer that stands is given back, whoever says it now, and it says that nothing was added."""
    first = case.mark(verdicts, "normal", position=0, who="kim")
    again = case.mark(verdicts, "normal", position=0, who="lee", note="me too")
    assert again.drop("added").equals(first.drop("added"))
    assert (first["added"].to_list(), again["added"].to_list()) == ([True], [False])
    assert case.undo(1).height == 1
    assert case.labels().is_empty()


def test_what_an_answer_did_is_read_first(case, verdicts):
    """In the columns that a notebook shows of a wide table, and twice looks other than once."""
    rows = [case.mark(verdicts, "normal", position=0) for _ in range(2)]
    assert rows[0].columns[:6] == ["id", "added", "contradicts", "session", "position", "verdict"]
    assert [frame.row(0)[:5] for frame in rows] == [(1, True, [], "a", 0), (1, False, [], "a", 0)]


def test_of_many_alarms_only_what_is_new_is_added(case, verdicts):
    """Each alarm has its row, those that were answered before keep theirs."""
    case.mark(verdicts, "normal", position=1)
    rows = case.mark(verdicts, "normal", every=True)
    assert rows.select("id", "position", "added").rows() == [(2, 0, True), (1, 1, False), (3, 9, True)]


def test_a_changed_mind_takes_the_place_of_the_old_answer(case, verdicts):
    """The new row names the one that it replaces, which comes back when the new one is taken back."""
    case.mark(verdicts, "anomaly", position=0, who="kim")
    row = case.mark(verdicts, "normal", position=0, who="kim")
    assert row.select("undo_of", "contradicts").rows() == [(1, [])]
    assert said(case) == [(2, "kim", "normal")]
    case.undo(2)
    assert said(case) == [(1, "kim", "anomaly")]


def test_minds_may_change_more_than_once(case, verdicts):
    """Each undo goes one answer back, and undoing that goes one forth."""
    for verdict in ("normal", "anomaly", "normal"):
        case.mark(verdicts, verdict, position=0, who="kim")
    effects = [said(case)]
    for label in (3, 2, 1, 6, 5, 4):
        case.undo(label)
        effects.append(said(case))
    one, two, three = ([(n, "kim", verdict)] for n, verdict in ((1, "normal"), (2, "anomaly"), (3, "normal")))
    assert effects == [three, two, one, [], one, two, three]


def test_two_people_may_contradict_each_other(case, verdicts):
    """Neither word ends the other; the second row names the first, and the case says so."""
    case.mark(verdicts, "anomaly", position=0, who="kim")
    row = case.mark(verdicts, "normal", position=0, who="lee")
    assert row.select("added", "undo_of", "contradicts").rows() == [(True, None, [1])]
    assert said(case) == [(1, "kim", "anomaly"), (2, "lee", "normal")]
    assert "1 alarm with contradicting answers" in repr(case)
    case.undo(2)
    assert said(case) == [(1, "kim", "anomaly")]
    assert "contradicting" not in repr(case)


def test_another_pattern_is_another_answer_and_is_undone_with_the_first(case, verdicts):
    """A new model tells the alarm otherwise: both patterns are normal, and one undo takes both back."""
    case.mark(verdicts, "normal", position=0)
    case.mark(verdicts.with_columns(pattern=pl.lit("other")), "normal", position=0)
    assert case.labels()["pattern"].to_list() == ["[4]", "other"]
    rows = case.undo(2)
    assert rows["undo_of"].to_list() == [1, 2]
    assert case.labels().is_empty()
    case.undo(rows["id"][0])
    assert case.labels()["id"].to_list() == [1, 2]


def test_a_changed_mind_replaces_all_that_one_said(case, verdicts):
    """And what was replaced together comes back together."""
    case.mark(verdicts, "normal", position=0, who="kim")
    case.mark(verdicts.with_columns(pattern=pl.lit("other")), "normal", position=0, who="kim")
    new = case.mark(verdicts, "anomaly", position=0, who="kim")
    assert said(case) == [(new["id"][0], "kim", "anomaly")]
    case.undo(new["id"][0])
    assert said(case) == [(1, "kim", "normal"), (2, "kim", "normal")]


def test_another_end_of_an_answer_replaces_it(case, verdicts):
    """What was normal for good is normal for a day; the undo takes both back."""
    later = datetime.now() + timedelta(days=3650)
    case.mark(verdicts, "normal", position=0)
    case.mark(verdicts, "normal", position=0, until=later)
    assert case.labels()["until"].to_list() == [later]
    assert case.labels(now=later).is_empty()
    case.undo(2)
    assert case.labels().is_empty()


def test_an_answer_is_found_by_its_first_row(case, verdicts):
    """Who kept the first label's id takes back what says the same in its place; not what says otherwise."""
    case.mark(verdicts, "normal", position=0, who="kim")
    case.mark(verdicts, "normal", position=0, who="kim", until=datetime.now() + timedelta(days=3650))
    case.mark(verdicts, "anomaly", position=1, who="kim")
    case.mark(verdicts, "normal", position=1, who="kim")
    case.undo(1)
    assert said(case) == [(4, "kim", "normal")]
    with pytest.raises(InputError, match="label 3 is not in effect: label 4 took its place, which says 'normal'; undo"):
        case.undo(3)


def test_what_was_answered_anew_does_not_come_back(case, verdicts):
    """Or one person would say two things at once; the row in the way is named."""
    case.mark(verdicts, "normal", position=0, who="kim")
    case.undo(1)
    case.mark(verdicts, "anomaly", position=0, who="kim")
    with pytest.raises(InputError, match="label 1 cannot come back: kim said 'anomaly' of the same since, in label 3"):
        case.undo(2)


def test_a_whole_session_is_one_thing_whatever_was_flagged_in_it(case, judged):
    """Another model flags another entry first: the session is the same, and its begin tells it from its namesake."""
    rows = [("a", n, n, n == 2) for n in range(3)]
    whole = judged(*rows, line=[7, 8, 9]).with_columns(session_pattern=pl.lit("whole"))
    earlier = whole.with_columns(anomalous=pl.col("position") == 1)
    namesake = whole.with_columns(line=pl.col("line") + 50)
    case.mark(whole, "anomaly", session="a", who="kim")
    row = case.mark(earlier, "normal", session="a", who="kim")
    assert row.select("position", "line", "undo_of").rows() == [(None, 7, 1)]
    assert case.mark(namesake, "anomaly", session="a", who="kim")["undo_of"].to_list() == [None]


def test_of_a_line_in_no_session_only_the_line_counts(case, verdicts):
    """Its position is that among the lines that were judged with it."""
    case.mark(verdicts, "normal", position=9)
    elsewhere = verdicts.with_columns(pl.lit(0, pl.UInt32).alias("position"))
    rows = case.mark(elsewhere, "normal", pattern="[0]")
    assert rows.select("id", "added").rows() == [(1, False)]


def test_the_same_answer_of_two_cases_is_taken_back_as_one(case, verdicts, tmp_path):
    """After a merge both rows stand; the undo of either takes both, and its undo brings both back."""
    other = Case(tmp_path / "other")
    other.mark(verdicts, "normal", position=0, who="lee")
    case.mark(verdicts, "normal", position=0, who="kim")
    case.merge(other.export(tmp_path / "other.jsonl"))
    assert said(case) == [(1, "kim", "normal"), (2, "lee", "normal")]
    back = case.undo(2)
    assert case.labels().is_empty()
    case.undo(back["id"][0])
    assert len(said(case)) == 2


def test_contradictions_of_two_cases_are_seen_and_settled(case, verdicts, tmp_path):
    """One person said two things in two cases: both stand until that person says which."""
    other = Case(tmp_path / "other")
    other.mark(verdicts, "normal", position=0, who="kim")
    case.mark(verdicts, "anomaly", position=0, who="kim")
    case.merge(other.export(tmp_path / "other.jsonl"))
    assert "1 alarm with contradicting answers" in repr(case)
    row = case.mark(verdicts, "normal", position=0, who="kim")
    assert said(case) == [(row["id"][0], "kim", "normal")]


def test_a_strangers_answer_replaces_nothing_else(case, verdicts, tmp_path):
    """An export in which an answer about one thing would end the answer about another is refused."""
    base = dict.fromkeys(CHAINS["labels"]) | {"at": "2026-01-01T00:00:00.000000", "who": "x", "note": "", "model": ""}
    base |= {"policy": "", "verdict": "anomaly", "keys": "[]", "session": "a"}
    rows = list(link([base, base | {"session": "b", "verdict": "normal", "undo_of": 1}], CHAINS["labels"], 0, ""))
    write(tmp_path / "x.jsonl", rows)
    with pytest.raises(InputError, match="line 3: row 1 is no answer about the same"):
        case.merge(tmp_path / "x.jsonl")


def _answer(folder: Path, verdicts: pl.DataFrame, verdict: str) -> list[bool]:
    return [Case(folder).mark(verdicts, verdict, position=0, who="kim")["added"][0] for _ in range(20)]


def test_two_processes_that_say_the_same_say_it_once(case, verdicts):
    """Whoever is first adds the row."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        work = [pool.submit(_answer, case.folder, verdicts, "normal") for _ in range(2)]
        added = [one for each in work for one in each.result()]
    assert (len(added), sum(added), case.labels().height) == (40, 1, 1)


def test_two_processes_that_disagree_leave_one_answer(case, verdicts):
    """One person in two kernels: the last word counts, and no other stands beside it."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for each in [pool.submit(_answer, case.folder, verdicts, verdict) for verdict in VERDICTS]:
            each.result()
    last = case.labels(history=True)["verdict"][-1]
    assert case.labels()["verdict"].to_list() == [last]


class Told:
    """The semantics in a few lines: a stack of answers for each alarm and person."""

    def __init__(self) -> None:
        self.said: dict[tuple[int, str], list[str]] = {}

    def mark(self, at: int, who: str, verdict: str) -> None:
        own = self.said.setdefault((at, who), [])
        if own[-1:] != [verdict] and (own or verdict not in self.standing(at)):
            own.append(verdict)

    def undo(self, at: int, verdict: str) -> None:
        for (where, _), stack in self.said.items():
            if where == at and stack[-1:] == [verdict]:
                stack.pop()

    def standing(self, at: int) -> list[str]:
        return [stack[-1] for (where, _), stack in self.said.items() if where == at and stack]


OWN = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(PEOPLE), st.sampled_from((*VERDICTS, "undo"))), max_size=20
)


@OWN
@given(STEPS)
def test_marks_and_undos_agree_with_stacks(judged, tmp_path_factory, steps):
    """Whatever is said and taken back: in effect is the top of each person's stack."""
    case, told = Case(tmp_path_factory.mktemp("case")), Told()
    verdicts = judged(*[("a", at, at, True) for at in range(3)])
    for at, who, what in steps:
        mine = case.labels().filter(pl.col("position") == at, pl.col("who") == who)
        if what == "undo" and len(mine):
            case.undo(mine["id"][0])
            told.undo(at, mine["verdict"][0])
        elif what != "undo":
            case.mark(verdicts, what, position=at, who=who)
            told.mark(at, who, what)
        stacks = [(*place, stack[-1]) for place, stack in told.said.items() if stack]
        assert sorted(case.labels().select("position", "who", "verdict").rows()) == sorted(stacks)
    case.verify()


MOVES = st.one_of(
    st.tuples(st.just("mark"), st.sampled_from(PEOPLE), st.integers(0, 1), st.sampled_from(VERDICTS)),
    st.tuples(st.just("undo"), st.sampled_from(PEOPLE), st.integers(1, 25), st.none()),
)


@OWN
@given(st.lists(MOVES, max_size=25))
def test_any_undo_can_be_undone_and_nobody_says_two_things(judged, tmp_path_factory, moves):
    """Of undos of undos too: one answer a person and alarm; an undo right after gives back what was there before."""
    case, verdicts = Case(tmp_path_factory.mktemp("case")), judged(*[("a", at, at, True) for at in range(2)])
    for what, who, number, verdict in moves:
        before = said(case)
        if what == "mark":
            rows = case.mark(verdicts, verdict, position=number, who=who)
            assert verdict in case.labels().filter(pl.col("id").is_in(rows["id"].implode()))["verdict"]
            continue
        try:
            rows = case.undo(number, who=who)
        except InputError:
            assert said(case) == before
            continue
        case.undo(rows["id"][-1], who=who)
        assert said(case) == before
        case.undo(case.labels(history=True)["id"][-1], who=who)
        labels = case.labels()
        assert not labels.select("position", "who").is_duplicated().any()
    case.verify()


@OWN
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(("mark", "undo", "hear")), st.sampled_from(VERDICTS)), max_size=14
    )
)
def test_cases_that_hear_of_each_other_agree_on_what_stands(judged, tmp_path_factory, steps):
    """Two cases, marked, undone and merged in any order: an undo leaves nothing that says the same."""
    folder = tmp_path_factory.mktemp("two")
    cases, verdicts = [Case(folder / name) for name in "ab"], judged(("a", 0, 4, True))
    for who, what, verdict in steps:
        case = cases[who]
        labels = case.labels().filter(pl.col("verdict") == verdict)
        if what == "mark":
            case.mark(verdicts, verdict, who=PEOPLE[who])
        elif what == "hear":
            case.merge(cases[1 - who].export(folder / "x.jsonl"))
        elif len(labels):
            case.undo(labels["id"][-1], who=PEOPLE[who])
            assert verdict not in case.labels()["verdict"]
    for case, other in (cases, cases[::-1], cases):
        case.merge(other.export(folder / "x.jsonl"))
    one, other = (sorted(case.labels().select("at", "who", "verdict").rows()) for case in cases)
    assert one == other
