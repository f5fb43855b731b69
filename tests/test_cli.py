"""The command line: what it prints, what it writes, how it fails."""

import json
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.case.tail import Tail
from deeplog_nb.cli import main
from deeplog_nb.data import load_openstack, make_openstack
from deeplog_nb.detector import Detector
from deeplog_nb.events.spell import Spell
from deeplog_nb.events.templates import Templates
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Training


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """One run over the bundled log, with its model kept."""
    folder = tmp_path_factory.mktemp("run")
    assert main(["report", "--out", str(folder / "report"), "--save-model", str(folder / "model")]) == 0
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return make_openstack(5, vms=60, anomalies=1).write(tmp_path, name="small.log")


def test_a_report_needs_no_argument(judged):
    """The bundled log is judged: a page and the verdicts are written."""
    assert (judged / "report" / "report.html").stat().st_size > 10_000
    verdicts = pl.read_parquet(judged / "report" / "verdicts.parquet")
    assert verdicts["anomalous"].any()
    assert not verdicts["anomalous"].all()


def test_a_saved_model_judges_another_log(judged, log, tmp_path, capsys):
    """With --model nothing is trained, and all of the log is judged."""
    assert main(["report", str(log), "--model", str(judged / "model"), "--out", str(tmp_path / "r"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sessions"] == 60
    assert found.keys() == {"report", "lines", "sessions", "anomalous", "seconds"}
    assert found["anomalous"][0].keys() == {"session", "file", "line", "why", "score"}


def test_json_goes_worst_first(judged, log, tmp_path, capsys):
    """The list of alarms begins with the highest score."""
    main(["report", str(log), "--model", str(judged / "model"), "--out", str(tmp_path / "r"), "--json"])
    scores = [alarm["score"] for alarm in json.loads(capsys.readouterr().out)["anomalous"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > 0


def test_a_report_for_people_names_file_line_and_reason(judged, log, tmp_path, capsys):
    """What was read, how many sessions, each pattern with its first line and its context."""
    main(["report", str(log), "--model", str(judged / "model"), "--out", str(tmp_path / "r")])
    printed = capsys.readouterr().out
    assert "small.log (layout openstack, fits 100% of the first" in printed
    assert "of 60 sessions look" in printed
    assert "small.log:" in printed
    assert "▶" in printed


def test_a_normal_log_can_be_named(log, tmp_path, capsys):
    """Trained on one log, judged on another, sessions by a pattern of the user's."""
    normal = make_openstack(6, vms=60, anomalies=0).write(tmp_path, name="normal.log")
    arguments = [
        "--normal",
        str(normal),
        "--session",
        r"instance: ([0-9a-f-]{36})",
        "--out",
        str(tmp_path / "r"),
        "--json",
    ]
    assert main(["report", str(log), *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["sessions"] == 60


def test_parse_counts_what_it_read(log, tmp_path, capsys):
    """Lines in = matched + unmatched + folded; events and templates are written where asked."""
    events, templates = tmp_path / "new" / "events.parquet", tmp_path / "new" / "templates.json"
    assert main(["parse", str(log), "--out", str(events), "--templates", str(templates), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (
        found["lines"] == found["matched"] + found["unmatched"] + found["folded"] == len(log.read_text().splitlines())
    )
    assert set(found) == {"files", "bytes", "lines", "matched", "unmatched", "folded", "layout", "keys", "seconds"}
    assert {"file", "line", "offset", "time", "message", "key", "parameters"} <= set(pl.read_parquet_schema(events))
    assert len(json.loads(templates.read_text())["templates"]) == found["keys"]


def test_parse_shows_the_templates(log, capsys):
    """Without --json a person sees the templates."""
    assert main(["parse", str(log)]) == 0
    assert "VM Started (Lifecycle Event)" in capsys.readouterr().out


def test_doctor_names_versions_and_device(capsys):
    """Nothing is missing here, and the device is said."""
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "polars" in printed
    assert "models run on" in printed
    assert "missing" not in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no/such.log"], "no such file, folder or glob"),
        (["{log}", "--layout", "klingon"], "no layout is called 'klingon'"),
        (["{log}", "--layout", "syslog"], "layout syslog fits none of the"),
        (["{log}", "--model", "{model}", "--out", "{log}/r"], "not a directory"),
        (["{log}", "--session", "colour"], "lacks a group"),
        (["{log}", "--session", "(?=x)(y)"], "no linear-time pattern"),
        (["{log}", "--session", "(nobody=\\w+)"], "no record names a session"),
        (["{log}", "--model", "{folder}"], "detector.json is missing"),
        (["{log}", "--model", "x", "--normal", "y"], "brings its own normal part"),
        (["{empty}"], "holds no text"),
        (["{few}"], "normal entries to train on"),
        (["{log}", "--gap", "soon"], "no duration"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(judged, log, tmp_path, capsys, arguments, sentence):
    """Whatever is wrong with what the user named, one line says so and helps."""
    (tmp_path / "empty.log").touch()
    (tmp_path / "few.log").write_text("one\ntwo\n")
    places = {
        "model": judged / "model",
        "log": log,
        "folder": tmp_path,
        "empty": tmp_path / "empty.log",
        "few": tmp_path / "few.log",
    }
    filled = [each.format(**places) if "{" in each and "}" in each else each for each in arguments]
    assert main(["report", "--out", str(tmp_path / "r"), *filled]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_the_bundled_log_is_the_default():
    """The file that `report` takes without arguments is there."""
    assert load_openstack().log.is_file()


@pytest.mark.parametrize("option", ["--out", "--templates"])
def test_a_log_is_never_overwritten(tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To write where we read is refused before anything is written."""
    log = tmp_path / "app.log"
    log.write_text("started\n" * 3)
    assert main(["parse", str(log), option, str(tmp_path / "." / "app.log")]) == 2
    assert "is one of the logs to read" in capsys.readouterr().err
    assert log.read_text() == "started\n" * 3


def test_templates_that_are_there_are_extended(tmp_path: Path) -> None:
    """A store that a person edited keeps its ids, names and history, and learns what is new."""
    log, store = tmp_path / "app.log", tmp_path / "templates.json"
    log.write_text("item 7 added\nitem 9 added\n")
    Spell().fit(pl.DataFrame({"message": ["item 1 added"]})).edit(rename={1: "added"}).templates.save(store)
    log.write_text("item 7 added\nserver is down\n")
    assert main(["parse", str(log), "--templates", str(store)]) == 0
    assert Templates.load(store).frame["name"].to_list() == ["added", None]
    assert Templates.load(store).history.height == 1


def test_a_growing_log_is_watched_until_interrupted(judged, log, tmp_path, capsys, monkeypatch):
    """Alarms are printed as they come, safe to show; the next time it goes on where it was left."""
    ours = (log.read_text() + "a line \x1b[31m that was never seen\n") * 2
    monkeypatch.setattr("deeplog_nb.case.tail.Tail.__iter__", interrupted(Tail.__iter__, after=len(ours)))
    (tmp_path / "growing.log").write_text(ours)
    command = ["watch", str(tmp_path / "growing.log"), "--model", str(judged / "model"), "--case", str(tmp_path / "c")]
    assert main(command) == 0
    *alarms, last = capsys.readouterr().out.splitlines()
    before = last.partition(";")[0].replace(" judged", "") + ", 0 gaps"
    assert any(r"growing.log:" in alarm and r"a line \x1b[31m that" in alarm for alarm in alarms)
    assert last.endswith(f"kept in {tmp_path / 'c'}")
    assert main(command) == 0
    again = capsys.readouterr()
    assert again.out == f"0 records judged, 0 alarms; {before} in all; kept in {tmp_path / 'c'}\n"
    assert f"from where it was left, after {before}; Ctrl-C" in again.err


def test_another_detector_is_no_heir_of_a_case(judged, log, tmp_path, capsys, monkeypatch):
    """A log is watched on by the detector that it was begun with, or an update of it; else one sentence."""
    ours = log.read_text()
    monkeypatch.setattr("deeplog_nb.case.tail.Tail.__iter__", interrupted(Tail.__iter__, after=len(ours)))
    (tmp_path / "growing.log").write_text(ours)
    other = Detector.fit(read(log).head(1500), keys=KeyModel(units=8, training=Training(epochs=1, device="cpu")))
    other.save(tmp_path / "other")
    command = ["watch", str(tmp_path / "growing.log"), "--case", str(tmp_path / "c"), "--model"]
    assert main([*command, str(judged / "model")]) == 0
    capsys.readouterr()
    assert main([*command, str(tmp_path / "other")]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("deeplog-nb: the stream was begun with another detector: ")
    assert "another case folder" in last


def interrupted(ticks, after):
    """The same ticks, until the log has been read so far; then what Ctrl-C raises."""

    def until(tail):
        for tick in ticks(tail):
            yield tick
            if json.loads(tail._kept or "{}").get("offset", 0) >= after - 100 and not tick.more:
                raise KeyboardInterrupt

    return until
