"""The detector: fit, judge, save and load as one thing."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deeplog_nb.data import load_openstack
from deeplog_nb.detector import Detector, load
from deeplog_nb.frames import FrameError, InputError, ModelError
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training
from deeplog_nb.sessions.halves import first_half, second_half
from deeplog_nb.verdicts.evaluate import evaluate


@pytest.fixture(scope="module")
def lines():
    return read(load_openstack().log)


@pytest.fixture(scope="module")
def detector(lines):
    return Detector.fit(first_half(lines), keys=KeyModel(training=Training(device="cpu")))


@pytest.fixture(scope="module")
def saved(detector, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    detector.save(folder)
    return folder


def test_impossible_machines_of_the_bundled_log_are_found(detector, lines):
    """At least 95 % of what the normal process cannot do is found, at most 1 % of the normal is flagged."""
    verdicts = second_half(detector.judge(lines), first_half(lines))
    flagged = verdicts.filter("anomalous")["session"].unique().implode()
    truth = pl.read_csv(load_openstack().truth).filter(pl.col("session").is_in(verdicts["session"].implode()))
    assert truth.filter("impossible")["session"].is_in(flagged).mean() >= 0.95
    assert truth.filter(pl.col("kind").is_null())["session"].is_in(flagged).mean() <= 0.01


def test_every_alarm_leads_to_a_line_of_the_file(detector, lines):
    """File and line of each alarm, also of an early end, are those of a line that names the session."""
    found = detector.judge(lines).filter("anomalous").join(lines, on=["file", "line"], how="left")
    assert found["message"].null_count() == 0
    assert (
        found.filter(pl.col("session").is_not_null())
        .select(pl.col("message").str.contains(pl.col("session"), literal=True).all())
        .item()
    )


def test_the_log_layouts_id_is_found_by_itself(detector):
    """Nobody said how sessions are told apart; the messages name an id that a known layout has."""
    assert "instance" in str(detector.cut.by)


def test_every_line_is_judged_once_or_in_each_of_its_sessions(detector, lines):
    """Entries and lines in no session together are all the lines."""
    judged = detector.judge(lines).filter(pl.col("key").is_not_null())
    assert judged.select("file", "line").unique().height == len(lines)


def test_counts_are_checked_where_sessions_have_an_id(detector, lines):
    """A machine that was built twice has counts that training does not allow, and the end row says which."""
    session = detector.judge(lines).filter(~pl.col("anomalous").any().over("session"))["session"].drop_nulls()[0]
    own = lines.filter(pl.col("message").str.contains(session, literal=True))
    built = own.filter(pl.col("message").str.contains("seconds to build instance", literal=True))
    again = built.with_columns(line=pl.col("line") + 1_000_000)
    end = detector.judge(pl.concat([lines, again]).sort("time")).filter(pl.col("session") == session)[-1]
    assert end["counts"].item()
    assert "counts: ‘Took … seconds to build instance.’ occurs 2 times" in end["why"].item()
    assert Detector.fit(first_half(lines), by=None, keys=KeyModel(training=Training(epochs=1))).counts is None


def test_an_unseen_message_outside_all_sessions_is_found(detector, lines):
    """A line that names no session is not lost: a message that fits no template is an alarm of its own."""
    strange = lines.filter(~pl.col("message").str.contains("instance: ")).tail(1)
    strange = strange.with_columns(message=pl.lit("Kernel panic: not syncing"), line=pl.lit(99_999, pl.UInt64))
    alarm = detector.judge(pl.concat([lines, strange])).filter(pl.col("line") == 99_999)
    assert alarm.select("session", "unseen", "anomalous").row(0) == (None, True, True)


def test_a_batch_in_which_no_line_names_a_session_is_judged_too(detector, lines):
    """A few background lines alone are no error: they are judged for unseen messages."""
    background = lines.filter(~pl.col("message").str.contains("instance: ")).head(5)
    verdicts = detector.judge(background)
    assert verdicts["session"].null_count() == len(verdicts) == 5
    assert not verdicts["anomalous"].any()


def test_a_loaded_detector_gives_the_same_verdicts_in_a_new_process(detector, saved, lines, tmp_path: Path):
    """Train once, use tomorrow: the verdicts of another process are identical."""
    script = (
        "import sys, deeplog_nb as dl; lines = dl.read(sys.argv[1]); "
        "dl.load(sys.argv[2], device='cpu').judge(lines).write_parquet(sys.argv[3])"
    )
    there = tmp_path / "there.parquet"
    subprocess.run([sys.executable, "-c", script, str(load_openstack().log), str(saved), str(there)], check=True)
    assert_frame_equal(pl.read_parquet(there), detector.judge(lines), check_exact=True, categorical_as_str=True)


def test_the_same_seed_gives_the_same_verdicts(detector, lines):
    """Fitted a second time on the CPU, every verdict is identical."""
    again = Detector.fit(first_half(lines), keys=KeyModel(training=Training(device="cpu")))
    assert_frame_equal(again.judge(lines), detector.judge(lines), check_exact=True)


def test_a_model_beside_other_templates_is_refused(saved, detector, tmp_path: Path):
    """Keys mean nothing to a model that was trained with other templates."""
    detector.save(tmp_path)
    other = detector.templates.extend(pl.DataFrame({"message": ["something entirely different happened here"]}))
    other.save(tmp_path / "templates.json")
    with pytest.raises(ModelError, match="not saved together"):
        load(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 99}'])
def test_a_broken_detector_is_refused(saved, tmp_path: Path, content: str):
    """Whatever stands in detector.json, the answer is a ModelError."""
    (tmp_path / "detector.json").write_text(content)
    with pytest.raises(ModelError, match="not a saved detector"):
        load(tmp_path)


def test_a_folder_without_a_detector_is_an_input_error(tmp_path: Path):
    """Loading from the wrong place says which file is missing."""
    with pytest.raises(InputError, match=r"detector\.json is missing"):
        load(tmp_path)


def test_too_little_to_learn_from_is_an_error():
    """A hundred lines are no normal process, and the message says how many are wanted."""
    few = pl.DataFrame({"line": range(1, 101), "message": ["tick"] * 100}).cast({"line": pl.UInt64})
    with pytest.raises(InputError, match="only 100 normal entries"):
        Detector.fit(few)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("app.log", r"lines: a polars frame is wanted, not of type str; dl\.read\(path\) gives one"),
        (Path("app.log"), r"not of type P\w+; dl\.read\(path\) gives one"),
        (pl.LazyFrame({"message": ["tick"]}), r"collect\(\) it first"),
        (pl.DataFrame({"text": ["tick"]}), r"lines: missing column message \(String\)"),
    ],
)
def test_what_is_no_lines_is_not_learnt_from(given, said):
    """A path, a log that was not read yet, another frame: it says what came, and what gives LINES."""
    with pytest.raises(FrameError, match=said):
        Detector.fit(given)


@pytest.mark.parametrize("given", ["app.log", Path("app.log"), ["a line"]])
def test_what_is_no_lines_is_not_judged(detector, given):
    """Nor cut into sessions."""
    for verb in (detector.judge, detector.sessions):
        with pytest.raises(FrameError, match=r"dl\.read\(path\) gives one"):
            verb(given)


def test_a_log_without_ids_is_read_in_windows():
    """Without id, gap or count a file is one session; the detector says so and still finds what is odd."""
    steps = ["open the file", "read a block", "check the sum", "close the file"] * 120
    normal = pl.DataFrame({"line": range(1, 481), "message": steps}).cast({"line": pl.UInt64})
    detector = Detector.fit(normal, keys=KeyModel(history=3, units=16, layers=1))
    assert "read in windows" in repr(detector)
    odd = normal.head(42).with_columns(
        file=pl.lit("x").cast(pl.Categorical), message=pl.Series([*steps[:40], steps[3], steps[0]])
    )
    assert detector.judge(odd).filter("anomalous")["line"].to_list()[0] == 41


def test_evaluation_agrees_with_the_verdicts(detector, lines):
    """Found and missed add up to the planted anomalies among the judged."""
    verdicts = second_half(detector.judge(lines), first_half(lines))
    truth = pl.read_csv(load_openstack().truth)
    row = evaluate(verdicts, truth).filter(unit="session").row(0, named=True)
    assert row["tp"] + row["fn"] == 24
    assert row["tp"] + row["fn"] + row["fp"] + row["tn"] == verdicts["session"].drop_nulls().n_unique()
