"""A stream: however the log is cut, the verdicts are those of the whole log; its memory has bounds; it can go on."""

import random
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deeplog_nb.case.case import Case
from deeplog_nb.detector import Detector
from deeplog_nb.frames import FrameError, InputError, ModelError
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.cut import Cut

AT = ["session", "position", "line"]


LOGS = ("openstack", "hdfs")
REAL = (
    "hdfs/raw_sample.log.gz",
    "bgl/bgl_lines_000001_060000.log.gz",
    "openstack/raw_normal1_instances.log.gz",
    "loghub_2k/HDFS/HDFS_2k.log",
)


def whole(detector: Detector, lines: pl.DataFrame, idle: str = "1h") -> pl.DataFrame:
    """What the batch path says of the whole log with sessions that end by silence."""
    cut = detector.cut
    return replace(detector, cut=Cut(cut.by, cut.gap or (idle if cut.by else None), cut.count)).judge(lines)


def pushed(stream, lines: pl.DataFrame, cuts: Iterable[int] = ()) -> pl.DataFrame:
    """What a stream says of the same log, cut before these lines."""
    edges = [0, *sorted(cuts), len(lines)]
    parts = [stream.push(lines[start:end]) for start, end in pairwise(edges)]
    return pl.concat([*parts, stream.close()])


def assert_same(streamed: pl.DataFrame, batch: pl.DataFrame) -> None:
    """The same rows with the same verdicts, but for the digits of a reason.

    Only at its end does a session know whether it is open, and what is odd about all of it.
    """
    is_end = pl.col("key").is_null()
    late = {"open": pl.col("open") & is_end, "session_pattern": pl.when(is_end).then("session_pattern")}
    words = pl.col("why").str.replace_all(r"-?[0-9][0-9.,e+-]*", "0")
    told = [frame.sort(AT, nulls_last=True).with_columns(words, **late) for frame in (streamed, batch)]
    assert told[0].schema == told[1].schema
    assert_frame_equal(*told, rel_tol=1e-5, abs_tol=1e-5, categorical_as_str=True)


@pytest.fixture(params=LOGS)
def made(request):
    """Each of the two generated logs with its detector."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("idle", ["1h", "20s", "1s"])
def test_one_push_gives_what_judge_gives(made, idle: str):
    """The whole log at once, with sessions that end by silence, come back, or do neither."""
    detector, lines = made
    assert_same(pushed(detector.stream(idle=idle), lines), whole(detector, lines, idle))


@pytest.mark.parametrize("seed", range(4))
def test_random_cuts_change_nothing(made, seed: int):
    """Pushes of any sizes."""
    detector, lines = made
    cuts = random.Random(seed).sample(range(1, len(lines)), 12)
    assert_same(pushed(detector.stream(idle="30s"), lines, cuts), whole(detector, lines, "30s"))


def test_every_cut_of_a_short_log_changes_nothing(made):
    """Two pushes, cut before each of the lines in turn."""
    detector, lines = made
    short = lines.tail(40)
    batch = whole(detector, short, "2s")
    for cut in range(1, len(short)):
        assert_same(pushed(detector.stream(idle="2s"), short, [cut]), batch)


def test_one_line_at_a_time_changes_nothing(made):
    """A push for each line."""
    detector, lines = made
    some = lines.tail(400)
    assert_same(pushed(detector.stream(idle="10s"), some, range(1, len(some))), whole(detector, some, "10s"))


@pytest.mark.parametrize("seed", range(3))
def test_a_stored_state_goes_on_as_if_nothing_had_happened(made, seed: int):
    """Only the changes are stored after each push; a new stream goes on from what is in the store."""
    detector, lines = made
    some, store, parts = lines.tail(600), {}, []
    edges = [0, *sorted(random.Random(seed).sample(range(1, len(some)), 9)), len(some)]
    for start, end in pairwise(edges):
        stream = detector.stream(idle="10s", state=store)
        parts.append(stream.push(some[start:end]))
        changed, gone = stream.changes()
        store = {name: told for name, told in (store | changed).items() if name not in gone}
    parts.append(detector.stream(idle="10s", state=store).close())
    assert_same(pl.concat(parts), whole(detector, some, "10s"))


def test_a_state_goes_on_in_another_process(openstack, tmp_path):
    """Numbers come back to the last digit: the other process says exactly what this one would have said."""
    detector, lines = openstack
    stream = detector.stream(idle="20s")
    stream.push(lines[:900])
    pl.DataFrame([*stream.changes()[0].items()], schema=["name", "told"], orient="row").write_parquet(tmp_path / "s")
    lines[900:1200].write_parquet(tmp_path / "lines")
    detector.save(tmp_path / "detector")
    script = (
        "import sys, polars as pl, deeplog_nb as dl; at = sys.argv[1]; "
        "state = dict(pl.read_parquet(at + '/s').rows()); "
        "stream = dl.load(at + '/detector', device='cpu').stream(idle='20s', state=state); "
        "stream.push(pl.read_parquet(at + '/lines')).write_parquet(at + '/verdicts')"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    assert_same(pl.read_parquet(tmp_path / "verdicts"), stream.push(lines[900:1200]))


def test_the_first_changes_are_all_and_the_next_what_is_new(openstack):
    """Whoever asks for the first time gets the whole state; after that only what a push has touched."""
    detector, lines = openstack
    stream = detector.stream()
    stream.push(lines[:800])
    everything, _ = stream.changes()
    stream.push(lines[800:801])
    changed, gone = stream.changes()
    assert len(changed) < 5 < len(everything)
    assert changed.keys() >= {"clock"}
    assert gone == []


def session_log(ids: list[str], seconds: list[float], words: list[str], file: str = "x") -> pl.DataFrame:
    """LINES of one file that name these ids."""
    start = pl.datetime(2026, 1, 1, time_unit="us")
    told = pl.DataFrame({"second": seconds, "message": [f"{w} job {i}" for w, i in zip(words, ids, strict=True)]})
    return told.select(
        pl.lit(file, pl.Categorical()).alias("file"),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt64).alias("line"),
        time=start + pl.duration(microseconds=(pl.col("second") * 1e6).cast(pl.Int64)),
        message="message",
    )


STEPS = ["open", "read", "check", "close"]


def jobs(many: int, *, gap: float = 10.0) -> pl.DataFrame:
    """One job after the other, of four steps a second apart."""
    ids = [f"j{at}x" for at in range(many) for _ in STEPS]
    return session_log(ids, [at * gap + step for at in range(many) for step in range(4)], STEPS * many)


@pytest.fixture(scope="module")
def worker(fitted):
    """A detector of jobs."""
    return fitted(jobs(120), by=r"job (\w+)")


def test_no_more_sessions_are_kept_than_are_within_the_silence(worker):
    """After thousands of short sessions a stream holds those of the last minute."""
    stream = worker.stream(idle="60s")
    stream.push(jobs(3000))
    assert 0 < len(stream._sessions.live) <= 7


def test_a_session_that_comes_back_is_another_part(worker):
    """An id that was silent for too long is over, and when it comes back it is judged from its beginning."""
    lines = session_log(["a", "a", "b", "a", "a"], [0, 1, 100, 101, 102], ["open", "read", "open", "open", "read"])
    verdicts = pushed(worker.stream(idle="60s"), lines, [1, 2, 3, 4])
    assert verdicts["session"].to_list() == ["a", "a", "a", "b", "a#2", "a#2", "b", "a#2"]
    assert verdicts.filter(pl.col("key").is_null())["open"].to_list() == [False, True, True]
    assert_same(verdicts, whole(worker, lines, "60s"))


def test_a_cut_by_count_is_kept(worker, fitted):
    """Windows of so many entries of an id, or of a file without one."""
    for detector in (replace(worker, cut=replace(worker.cut, count=3)), fitted(jobs(120), count=4)):
        lines = jobs(30, gap=3.0)
        assert_same(pushed(detector.stream(idle="5s"), lines, range(1, len(lines), 5)), whole(detector, lines, "5s"))


def test_lines_of_two_files_and_of_several_ids(worker):
    """Two files told by one clock, and a record that joins a session of each."""
    one, two = jobs(30, gap=2.0), jobs(30, gap=3.0).with_columns(file=pl.lit("y", pl.Categorical()))
    both = one.with_columns(
        pl.col("message") + pl.when(pl.col("line") % 5 == 0).then(pl.lit(" job j7x job j8x")).otherwise(pl.lit(""))
    )
    lines = pl.concat([both, two]).sort("time", maintain_order=True)
    assert_same(pushed(worker.stream(idle="4s"), lines, range(1, len(lines), 11)), whole(worker, lines, "4s"))


def test_histories_of_values_that_begin_with_each_session(hdfs):
    """Where each session has series of its own, a stream keeps them with the session."""
    detector, lines = hdfs
    training = Training(epochs=1, patience=1, batch=64, draws=64, temper=1.0, device="cpu")
    sessions = _sessions(detector, lines.head(1200))
    values = ValueModel(series="session", confidence=0.6, training=training).fit(sessions, templates=detector.templates)
    other = replace(detector, values=values)
    assert_same(pushed(other.stream(idle="9s"), lines, range(1, len(lines), 101)), whole(other, lines, "9s"))


def test_unknown_messages_of_a_session_are_part_of_what_is_odd_about_it(openstack):
    """Whoever allowed one unknown message allowed no other: the shapes stand in the session's pattern at its end."""
    detector, lines = openstack
    odd = pl.when(pl.int_range(pl.len()) % 40 == 0).then(pl.format("{} kernel fault " + "x" * 3, "message"))
    strange = lines.with_columns(odd.otherwise("message").alias("message"))
    streamed = pushed(detector.stream(idle="20s"), strange, range(1, len(lines), 333))
    assert streamed["session_pattern"].str.contains('"shapes":', literal=True).sum() > 5
    assert_same(streamed, whole(detector, strange, "20s"))


def test_what_a_person_allowed_is_no_alarm(openstack):
    """Patterns of entries hold at once, those of whole sessions at their ends (and before: see test_patience)."""
    detector, lines = openstack
    batch = whole(detector, lines, "20s").filter("anomalous")
    said = [
        *batch["pattern"].drop_nulls().unique().sort()[::2],
        *batch["session_pattern"].drop_nulls().unique().sort()[::3],
    ]
    other = replace(detector, allowed=tuple(said))
    streamed, expected = pushed(other.stream(idle="20s"), lines, range(1, len(lines), 250)), whole(other, lines, "20s")
    is_end = pl.col("key").is_null()
    assert 10 < streamed["allowed"].sum() < len(batch)
    plain = streamed.filter(~pl.col("why").str.contains("let pass", literal=True).fill_null(False))
    ends = plain.filter(is_end)
    assert len(ends) > 150
    assert_same(ends, expected.filter(is_end).join(ends, on="session", how="semi"))
    by_itself = expected.filter(pl.col("pattern").is_in(said))
    assert plain.join(by_itself, on=AT, how="semi", nulls_equal=True)["allowed"].all()


def test_a_log_without_ids_is_one_session(fitted):
    """Whole files never end, whatever the silence; the log's end is no end of theirs."""
    detector, lines = fitted(jobs(120), by=None), jobs(50)
    verdicts = pushed(detector.stream(idle="1s"), lines, range(1, len(lines), 7))
    assert_same(verdicts, detector.judge(lines))


def test_an_ids_mark_is_longer_where_ids_hold_one(worker):
    """The second part of a#1 is a#1##2, as in a whole log."""
    lines = session_log(["a#1", "b", "a#1"], [0, 100, 101], ["open"] * 3)
    detector = replace(worker, cut=replace(worker.cut, by=r"job (\S+)"))
    assert_same(pushed(detector.stream(), lines, [1, 2]), whole(detector, lines))


def test_records_without_a_time_stand_at_the_one_above(worker):
    """Also those before the first time of all."""
    lines = jobs(40).with_columns(time=pl.when(pl.int_range(pl.len()) % 5 > 1).then("time"))
    assert_same(pushed(worker.stream(idle="5s"), lines, range(1, 160, 9)), whole(worker, lines, "5s"))


def test_without_any_time_lines_are_seconds(worker):
    """A session is over after so many lines; no wait is judged."""
    lines = jobs(40)
    second = pl.datetime(2026, 1, 1, time_unit="us") + pl.duration(seconds=pl.int_range(pl.len()))
    batch = whole(worker, lines.with_columns(time=second), "9s").filter(~pl.col("timing"))
    verdicts = pushed(worker.stream(idle="9s"), lines.drop("time"), range(1, 160, 9))
    kept = ["session", "position", "key", "rank", "unseen", "unlikely", "ended_early", "counts"]
    assert verdicts.select(kept).sort(kept[:2]).equals(batch.select(kept).sort(kept[:2]))


def test_a_clock_that_runs_ahead_once_keeps_no_session_alive(worker):
    """A record from the far future ends what is there, and what follows still ends by its silence."""
    ahead = session_log(["z"], [1e9], ["open"])
    stream = worker.stream(idle="60s")
    for lines in (jobs(10), ahead, jobs(500)):
        stream.push(lines)
    assert len(stream._sessions.live) <= 7


def test_another_detector_can_take_over(openstack):
    """From then on it judges, with the sessions as they are."""
    detector, lines = openstack
    other = replace(detector, keys=KeyModel(training=Training(epochs=1, seed=3, device="cpu")), policy=detector.policy)
    other.keys.fit(_sessions(detector, lines))
    stream = detector.stream()
    first = stream.push(lines[:1000])
    stream.detector = other
    rest = pl.concat([stream.push(lines[1000:]), stream.close()])
    keys = ["session", "position", "line"]
    expected = pl.concat(
        [
            whole(detector, lines).join(first, on=keys, how="semi", nulls_equal=True),
            whole(other, lines).join(rest, on=keys, how="semi", nulls_equal=True),
        ]
    )
    assert_same(pl.concat([first, rest]), expected)


def _sessions(detector, lines):
    from deeplog_nb.sessions.sessionize import sessionize

    return sessionize(detector.templates.parse(lines), by=detector.cut.by)


def test_a_detector_that_does_not_fit_is_refused(worker, openstack):
    """One of another cut, and one that looks back farther than the stream remembers."""
    stream = worker.stream()
    stream.push(jobs(4))
    with pytest.raises(ModelError, match="begin a stream of its own"):
        stream.detector = openstack[0]
    longer = KeyModel(history=3, training=Training(epochs=1, device="cpu")).fit(_sessions(worker, jobs(40)))
    short = replace(worker, keys=longer).stream(idle="1h")
    short.push(jobs(40))
    with pytest.raises(ModelError, match="looks back on 10"):
        short.detector = worker


def test_a_state_goes_on_only_with_the_detector_it_was_told_of(worker, fitted):
    """Of another cut, other templates or without the check of counts: what differs is named, and what to do."""
    stream = worker.stream()
    stream.push(jobs(4))
    state, _ = stream.changes()
    words = jobs(120).with_columns(pl.col("message").str.replace("check", "verify"))
    others = {
        "sessions are cut by": fitted(jobs(120), by=None),
        "templates are": fitted(words, by=worker.cut.by),
        "checks counts": replace(worker, counts=None),
    }
    for what, other in others.items():
        for use in (lambda other=other: other.stream(state=state), lambda other=other: taken_over(stream, other)):
            with pytest.raises(ModelError, match=f"another detector: .*{what}.*begin a stream of its own"):
                use()


def taken_over(stream, detector):
    stream.detector = detector


def test_a_state_goes_on_with_an_updated_detector(worker, tmp_path):
    """What was learnt does not matter, only that keys and sessions mean the same; what does not change is told once."""
    stream = worker.stream()
    odd = session_log(["a"] * 3, [0, 1, 2], ["open", "close", "open"])
    label = Case(tmp_path).mark(worker.judge(odd), "normal", every=True)
    stream.push(jobs(4))
    state, _ = stream.changes()
    stream.push(jobs(1))
    assert "detector" not in stream.changes()[0]
    updated = worker.update(label).model
    assert updated.allowed
    assert len(updated.stream(state=state).push(jobs(1))) == len(STEPS)
    stream.detector = updated


def test_values_of_another_meaning_are_forgotten_not_mixed(hdfs):
    """Where an update forecasts other numbers, their past begins anew, in memory and in the store."""
    detector, lines = hdfs
    values = ValueModel(confidence=0.6, training=Training(epochs=1, patience=1, batch=64, draws=64, device="cpu"))
    fewer = detector.values.parameters.filter(pl.col("kind") != "numeric")
    other = replace(detector, values=values.fit(_sessions(detector, lines.head(1200)), parameters=fewer))
    stream = detector.stream(idle="9s")
    stream.push(lines[:1200])
    state, _ = stream.changes()
    resumed = other.stream(idle="9s", state=state)
    stream.detector = other
    for each in (resumed, stream):
        each.push(lines[1200:1201])
        changed, gone = each.changes()
        assert any(name.startswith("series") for name in gone)
        left = {name: told for name, told in (state | changed).items() if name not in gone}
        other.stream(idle="9s", state=left).push(lines[1201:1300])
    assert_same(resumed.close(), stream.close())


def test_a_state_that_names_no_detector_is_refused(worker):
    """Of an earlier version, or of a later one."""
    stream = worker.stream()
    stream.push(jobs(2))
    state, _ = stream.changes()
    with pytest.raises(ModelError, match="not the state of a stream, or one of an earlier version"):
        worker.stream(state={name: told for name, told in state.items() if name != "detector"})
    with pytest.raises(ModelError, match="in format 3, of which only 2 is known"):
        worker.stream(state=state | {"detector": state["detector"].replace('"format": 2', '"format": 3')})


@pytest.mark.parametrize("state", [{"x": "1"}, {"clock": "{}"}, {"clock": "nonsense"}, {"clock": "[1]"}])
def test_what_is_no_state_is_refused(worker, state):
    """Whatever stands in a store, the answer is a ModelError."""
    with pytest.raises(ModelError, match="not the state of a stream"):
        worker.stream(state=state)


def test_what_is_no_log_is_refused_before_anything_is_judged(worker):
    """Lines without messages, and a silence that is none."""
    stream = worker.stream()
    with pytest.raises(FrameError, match="missing column"):
        stream.push(jobs(1).drop("line"))
    assert "0 records read" in repr(stream)
    for lines in (jobs(1).lazy(), jobs(1).to_dicts(), None):
        with pytest.raises(InputError, match="give a polars DataFrame"):
            stream.push(lines)
    for idle in ("soon", 5, b"1h"):
        with pytest.raises(InputError, match="no duration"):
            worker.stream(idle=idle)


@pytest.mark.parametrize(
    "name", ["hdfs/raw_sample.log.gz", "bgl/bgl_lines_000001_060000.log.gz", "openstack/raw_normal1_instances.log.gz"]
)
def test_real_logs_are_judged_alike(data, fitted, name: str):
    """A part of a real log, in the order of its times."""
    lines = read(data(name)).sort("time", maintain_order=True).head(9000)
    detector = fitted(lines.head(6000))
    cuts = random.Random(0).sample(range(1, len(lines)), 9)
    assert_same(pushed(detector.stream(idle="10m"), lines, cuts), whole(detector, lines, "10m"))
