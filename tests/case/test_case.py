"""What people say of alarms, and what stays of it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.case.case import PINNED, Case
from deeplog_nb.case.labels import undone
from deeplog_nb.frames import LABELS, FrameError, InputError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "case")


@pytest.fixture
def verdicts(judged):
    """Session a with two alarms and an end, b with one, quiet with none, and a line that is in no session."""
    return judged(
        *(("a", 0, 4, False), ("b", 0, 5, False), ("a", 1, 9, True), ("a", 2, 6, False), ("a", 3, None, True)),
        *(("b", 1, 9, True), ("b", 2, None, False), ("quiet", 0, 4, False), ("quiet", 1, None, False)),
        (None, 3, 0, True),
    )


@pytest.mark.parametrize("now", ["2020", 2020])
def test_what_is_no_moment_is_refused(case, now):
    """Answers are in effect at a time, not at a text."""
    with pytest.raises(InputError, match="no moment; give a datetime"):
        case.labels(now=now)


def test_an_answer_is_a_row_for_each_alarm_that_is_meant(case, verdicts):
    """A pattern means all alarms that it raised, with the place, the evidence and who said so."""
    rows = case.mark(verdicts, "normal", pattern="[9]", note="new release", who="kim", model="m", policy="p")
    said = rows.select("id", "session", "position", "file", "line", "verdict", "note", "who", "model", "policy").rows()
    assert said == [
        (1, "a", 1, "a.log", 7, "normal", "new release", "kim", "m", "p"),
        (2, "b", 1, "a.log", 7, "normal", "new release", "kim", "m", "p"),
    ]
    assert rows["keys"].to_list() == [[4, 9, 6], [5, 9]]
    assert dict(rows.schema) == LABELS | {"added": pl.Boolean(), "contradicts": pl.List(pl.UInt32())}


@pytest.mark.parametrize(
    ("chosen", "places"),
    [
        ({"every": True}, [("a", 1), ("a", 3), ("b", 1), (None, 3)]),
        ({"session": "a"}, [("a", 1), ("a", 3)]),
        ({"position": 3}, [("a", 3), (None, 3)]),
        ({"session": "b", "pattern": "[9]"}, [("b", 1)]),
    ],
)
def test_what_is_given_narrows_the_choice(case, verdicts, chosen, places):
    """Session, position and pattern all have to meet; every alarm is meant if that is said."""
    assert case.mark(verdicts, "anomaly", **chosen).select("session", "position").rows() == places


def test_a_missed_anomaly_is_one_row_for_its_session(case, verdicts):
    """Where nothing was flagged there is no position and no pattern, but all the keys."""
    row = case.mark(verdicts, "anomaly", session="quiet").row(0, named=True)
    assert (row["session"], row["position"], row["pattern"], row["keys"]) == ("quiet", None, None, [4])


@pytest.mark.parametrize(
    "nothing",
    [{"position": 9}, {"session": "a", "position": 0}, {"pattern": "?"}, {"session": "quiet", "position": 0}],
)
def test_an_answer_to_nothing_is_refused(case, verdicts, nothing):
    """Nothing chosen is no answer, and nothing is kept of it."""
    with pytest.raises(InputError, match="no alarm of"):
        case.mark(verdicts, "normal", **nothing)
    assert case.labels(history=True).is_empty()


def test_a_session_that_is_not_there_is_refused(case, verdicts):
    """It was not judged, so nothing can be said of it."""
    with pytest.raises(InputError, match=r"session 'nobody' is not in these verdicts; name one of dl\.patterns"):
        case.mark(verdicts, "anomaly", session="nobody")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("app.log", r"not of type str; detector\.judge\(dl\.read\(path\)\) gives one"),
        (pl.DataFrame({"rule": ["unseen"], "sessions": [3]}), "these are patterns; give the verdicts that they were"),
        (pl.DataFrame({"message": ["tick"]}), "verdicts: missing columns session"),
    ],
)
def test_what_is_no_verdicts_is_refused(case, given, said):
    """With what gives them, whether a pattern is named or not."""
    for pattern in (None, "[0]"):
        with pytest.raises(FrameError, match=said):
            case.mark(given, "normal", pattern=pattern)


def test_the_line_of_no_session_is_its_own_evidence(case, verdicts):
    """Its keys are the one key that it has."""
    assert case.mark(verdicts, "normal", pattern="[0]")["keys"].to_list() == [[0]]


def test_of_a_long_session_the_last_thousand_keys_up_to_the_row_are_kept(case, judged):
    """The row's own key is the last; ten thousand entries are still kept whole."""
    rows = [("a", n, n, n in (5, 5000)) for n in range(10_001)]
    kept = case.mark(judged(*rows), "normal")["keys"].to_list()
    assert kept == [list(range(6)), list(range(4001, 5001))]
    assert case.mark(judged(*rows[:-1]), "anomaly")["keys"].list.len().to_list() == [10_000, 10_000]


def test_a_missed_long_session_is_kept_by_its_last_thousand_keys(case, judged):
    """The whole session is meant, so the evidence ends where it ends."""
    rows = [("a", n, n, False) for n in range(10_001)]
    assert case.mark(judged(*rows), "anomaly", session="a")["keys"].to_list() == [list(range(9001, 10_001))]


def test_evidence_follows_positions_not_rows(case, judged):
    """Verdicts that come in another order give the same keys."""
    assert case.mark(judged(("a", 1, 9, True), ("a", 0, 4, False)), "normal")["keys"].to_list() == [[4, 9]]


def test_verdicts_without_a_pattern_can_be_marked_by_place(case, verdicts):
    """The pattern is null; asking for one says what to do."""
    assert case.mark(verdicts.drop("pattern"), "normal", session="b")["pattern"].to_list() == [None]
    with pytest.raises(InputError, match="judge the lines again"):
        case.mark(verdicts.drop("pattern"), "normal", pattern="[9]")


def test_an_unknown_answer_and_one_that_is_over_are_refused(case, verdicts):
    """The message says what is accepted."""
    with pytest.raises(InputError, match="'normal', 'anomaly'"):
        case.mark(verdicts, "fine")
    with pytest.raises(InputError, match="past"):
        case.mark(verdicts, "normal", until=datetime(2020, 1, 1))
    with pytest.raises(InputError, match="until is 'tomorrow'; give a datetime"):
        case.mark(verdicts, "normal", until="tomorrow")
    with pytest.raises(InputError, match="verdict is a DataFrame; it is one of 'normal'"):
        case.mark("normal", verdicts)


@pytest.mark.parametrize("cut", ["qui", "qui…", "qui..."])
def test_a_session_whose_name_was_cut_off_is_named_in_full(case, verdicts, cut):
    """A table shows a long name shortened; who copies that is told the whole, and nothing is guessed."""
    with pytest.raises(InputError, match="name it in full: 'quiet'"):
        case.mark(verdicts, "anomaly", session=cut)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (True, "no label True"),
        (1.0, r"no label 1\.0"),
        ("1", r"no label '1'; give the id, a whole number: label\['id'\]\[0\]"),
        (pl.DataFrame(), r"no label of type DataFrame; give the id, a whole number: label\['id'\]\[0\]"),
    ],
)
def test_what_is_no_labels_id_is_not_taken_back(case, verdicts, label, said):
    """True is 1 to Python, but nobody's label."""
    case.mark(verdicts, "normal", session="b")
    with pytest.raises(InputError, match=said):
        case.undo(label)
    assert case.labels().height == 1


def test_a_forgotten_name_does_not_answer_for_the_whole_log(case, verdicts):
    """Alarms of several sessions, and nothing said of which: refused, and nothing is kept."""
    with pytest.raises(InputError, match="alarms of 3 sessions; name a session, position or pattern, or say every"):
        case.mark(verdicts, "normal")
    assert case.labels().is_empty()


def test_labels_outlive_the_process_that_made_them(case, verdicts):
    """Another object on the same folder reads the same frame."""
    case.mark(verdicts, "normal", every=True)
    assert Case(case.folder).labels().equals(case.labels())


def test_an_answer_expires(case, verdicts):
    """After its time it is history only."""
    later = datetime.now() + timedelta(days=3650)
    case.mark(verdicts, "normal", session="b", until=later)
    assert case.labels().height == 1
    assert case.labels(now=later).is_empty()
    assert case.labels(history=True, now=later)["until"].to_list() == [later]


def test_an_undo_takes_back_and_its_undo_brings_back(case, verdicts):
    """Rows are only added; what is in effect follows from all of them."""
    case.mark(verdicts, "normal", session="b")
    effects = [case.labels().height]
    for label in (1, 2, 3):
        case.undo(label, note="no")
        effects.append(case.labels().height)
    assert effects == [1, 0, 1, 0]
    assert case.labels(history=True).select("id", "undo_of", "verdict").rows()[1:] == [
        (2, 1, None),
        (3, 2, None),
        (4, 3, None),
    ]


def test_an_undo_of_nothing_and_a_second_one_are_refused(case, verdicts):
    """The message names the row that stands in the way."""
    case.mark(verdicts, "normal", session="b")
    case.undo(1)
    with pytest.raises(InputError, match="undone already, by row 2"):
        case.undo(1)
    with pytest.raises(InputError, match="no label 7"):
        case.undo(7)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=10))
def test_what_is_undone_agrees_with_its_definition(said):
    """Row by row, asked again and again: taken back by an undo that holds, or replaced by an answer that does."""
    links = [(n, target if 0 < target < n else None, answers) for n, (target, answers) in enumerate(said, 1)]

    def is_back(row: int) -> bool:
        return any(target == row and not answers and not is_back(by) for by, target, answers in links)

    def is_replaced(row: int) -> bool:
        return any(target == row and answers and not is_back(by) for by, target, answers in links)

    assert undone(links) == {row for row, _, _ in links if is_back(row) or is_replaced(row)}


@settings(max_examples=50, deadline=None)
@given(session=TEXT, note=TEXT, who=TEXT, pattern=TEXT)
def test_any_text_comes_back_as_it_was(tmp_path_factory, judged, session, note, who, pattern):
    """Control characters, quotes, SQL: kept byte for byte."""
    case = Case(tmp_path_factory.mktemp("case"))
    verdicts = judged((session, 0, 4, True), file=note).with_columns(pattern=pl.lit(pattern))
    case.mark(verdicts, "normal", session=session, pattern=pattern, note=note, who=who)
    row = case.labels().row(0, named=True)
    assert [row[name] for name in ("session", "pattern", "note", "who", "file")] == [session, pattern, note, who, note]
    assert case.verify().startswith("labels=1:")


@pytest.mark.parametrize(
    "note", ["'); DROP TABLE labels; --", "a\x00b", "\x1b[31m\r\n\u202e", "<script>alert(1)</script>"]
)
def test_hostile_notes_are_only_text(case, note):
    """The same for remarks on the case."""
    case.note(note, session=note, who=note)
    assert case.notes().select("text", "session", "who").row(0) == (note, note, note)


@pytest.mark.parametrize("wrong", [{"note": 5}, {"who": b"kim"}, {"model": Path("m")}, {"policy": True}])
def test_what_is_no_text_is_refused(case, verdicts, wrong):
    """SQLite would turn it into one, and the hash would no longer fit."""
    with pytest.raises(InputError, match=r"a str is wanted"):
        case.mark(verdicts, "normal", every=True, **wrong)
    assert case.verify().startswith("labels=0:")


@pytest.mark.parametrize("wrong", [{"session": 5}, {"session": ["a"]}, {"position": "1"}, {"pattern": True}])
def test_one_session_position_or_pattern_is_named(case, verdicts, wrong):
    """Another type is told, with the one that is wanted."""
    with pytest.raises(InputError, match=r"name one (session|position|pattern), a (text|whole number)"):
        case.mark(verdicts, "normal", **wrong)


def test_half_a_character_is_refused(case):
    """A lone surrogate can stand in no file; nothing is kept, and the next remark is."""
    with pytest.raises(InputError, match=r"'half \\ud800'.*surrogate"):
        case.note("half \ud800")
    case.note("whole")
    assert case.notes()["text"].to_list() == ["whole"]


def test_pins_keep_texts_and_small_frames(case):
    """A frame comes back from its JSON; what is too large is refused by its size."""
    frame = pl.DataFrame({"key": [1, 2], "text": ["</script>", None]})
    case.pin("worst", frame)
    case.pin("why", "the disk was full")
    assert case.pins().select("title", "kind").rows() == [("worst", "frame"), ("why", "text")]
    assert pl.read_json(case.pins()["content"][0].encode()).equals(frame)
    with pytest.raises(InputError, match="1,000,001 characters"):
        case.pin("all", "x" * (PINNED + 1))
    with pytest.raises(InputError, match="a list cannot be pinned"):
        case.pin("list", [1])


def test_threads_share_a_case(case, verdicts):
    """Eight threads that write at once lose nothing."""
    odd = [verdicts.filter(pl.col("session") == "b").with_columns(session=pl.lit(f"{n}")) for n in range(8)]
    said = ("normal", "anomaly", "normal", "normal", "anomaly")
    work = [
        threading.Thread(target=lambda own=own: [case.mark(own, verdict, every=True) for verdict in said])
        for own in odd
    ]
    for each in work:
        each.start()
    for each in work:
        each.join()
    labels = case.labels()
    assert (labels.height, set(labels["verdict"])) == (8, {"anomaly"})
    assert case.verify().startswith("labels=32:")


def test_a_closed_case_says_so(tmp_path):
    """``with`` closes; whoever goes on is told to open it again."""
    with Case(tmp_path) as case:
        case.note("x")
    with pytest.raises(InputError, match="was closed"):
        case.notes()
    assert repr(case) == f"Case({str(tmp_path)!r}, closed)"


def test_a_case_says_what_is_in_it(case, verdicts):
    """Counts of what there is; a broken file is told, not raised."""
    case.mark(verdicts, "normal", session="a")
    case.undo(1)
    assert repr(case) == f"Case({str(case.folder)!r}, 1 of 3 label rows in effect)"
    case.note("a remark")
    for digest in ("one", "two"):
        case.add_model(digest, lambda folder: (folder / "model").touch(), "fitted")
    case.roll_back()
    assert repr(case).endswith("in effect, 1 note, 2 models)")
    (case.folder / "case.sqlite").unlink()
    assert "cannot be read" in repr(case)


def test_each_alarm_of_a_long_session_has_its_own_evidence(case, judged):
    """The thousand keys up to it, whatever was flagged before."""
    rows = [("a", at, at, at % 1000 == 999) for at in range(20_000)]
    keys = case.mark(judged(*rows), "normal")["keys"].to_list()
    assert keys == [list(range(at, at + 1000)) for at in range(0, 20_000, 1000)]
