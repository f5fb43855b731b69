"""A log judged as it grows: every record once, whatever ends the process."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deeplog_nb.case.case import Case
from deeplog_nb.case.pulse import Meter
from deeplog_nb.case.tail import Tail, tail
from deeplog_nb.detector import Detector
from deeplog_nb.frames import InputError, ModelError

KILLS = int(os.environ.get("DEEPLOG_NB_KILLS", "20"))
STEPS = ("starting up", "reading input", "writing output", "shutting down")


def lines_of(*jobs: int, steps: tuple[str, ...] = STEPS) -> str:
    """Lines of these jobs, ten seconds each, as a program writes them."""
    said = [(datetime(2026, 3, 2) + timedelta(seconds=10 * job), job, step) for job in jobs for step in steps]
    return "".join(f"{at} job-{job} {step}\n" for at, job, step in said)


def write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "jobs.log"


@pytest.fixture
def follow(log: Path, detector: Detector, tmp_path: Path) -> Iterator[Callable[..., Tail]]:
    """Makes tails of the log, each with the same case."""
    made: list[Tail] = []

    def build(**options: object) -> Tail:
        made.append(tail(log, Case(tmp_path / "case", patience=0.2), detector, **({"layout": "iso"} | options)))
        return made[-1]

    yield build
    for each in made:
        each.close()


def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.01)


def to_the_end(followed: Tail) -> list[str]:
    """What every step until nothing comes any more told."""
    texts: list[str] = []
    while (tick := followed.step()).records or tick.more:
        texts += tick.texts
    return texts


def test_a_step_tells_and_keeps_what_is_wrong(follow: Callable[..., Tail], log: Path) -> None:
    """The alarm is told with its place and the log's words, and the case has it."""
    write(log, lines_of(1) + lines_of(2, steps=("starting up", "disk on \x1b[31mfire")))
    followed = follow(settle=0)
    (alarm,) = to_the_end(followed)
    assert alarm.startswith("jobs.log:6 · job-2 · ")
    assert alarm.endswith(r"job-2 disk on \x1b[31mfire")
    (kept,) = followed.case.verdicts(anomalous=True).to_dicts()
    assert (kept["line"], kept["generation"], kept["message"][-4:]) == (6, 1, "fire")


def test_each_verdict_is_that_of_the_whole_log(follow: Callable[..., Tail], log: Path, detector: Detector) -> None:
    """Judged line by line as it grows, or read at once: the same verdicts."""
    import deeplog_nb as dl

    followed, text = follow(settle=0), lines_of(*range(8)) + lines_of(9, steps=("starting up", "disk on fire"))
    for line in text.splitlines(keepends=True):
        write(log, line)
        to_the_end(followed)
    whole = detector.judge(dl.read(log, layout="iso")).filter(pl.col("key").is_not_null()).sort("line")
    kept = followed.case.verdicts().filter(pl.col("key").is_not_null()).sort("line")
    same = ["session", "position", "key", "rank", "anomalous", "why"]
    assert kept.select(same).equals(whole.select(same))


def test_a_second_tail_goes_on_where_the_first_was(follow: Callable[..., Tail], log: Path) -> None:
    """Nothing is judged twice, and a session goes on in the middle."""
    first, second = lines_of(1, steps=STEPS[:2]), lines_of(1, steps=STEPS[2:])
    write(log, first)
    before = follow(settle=0)
    to_the_end(before)
    before.close()
    write(log, second)
    after = follow(settle=0)
    assert to_the_end(after) == []
    assert after.case.verdicts()["position"].to_list() == [0, 1, 2, 3]


def test_a_second_tail_counts_on_from_the_case(follow: Callable[..., Tail], log: Path) -> None:
    """Before, and since it was made; the last alarms with the file that they stood in."""
    write(log, lines_of(1, steps=("starting up", "odd")))
    first = follow(settle=0)
    alarms = to_the_end(first)
    log.rename(log.with_name("jobs.log.1"))
    write(log, lines_of(2, steps=("starting up", "odd")))
    alarms += to_the_end(first)
    first.close()
    before = first.case.totals(str(log))
    write(log, lines_of(3))
    after = follow(settle=0)
    to_the_end(after)
    pulse = after.pulse()
    assert (pulse.before, pulse.records) == (before, 4)
    assert before == (4, len(alarms), 0)
    assert list(pulse.alarmed)[: len(alarms)] == alarms
    after.close()
    to_the_end(after)
    assert (after.pulse().before, after.pulse().records) == (pulse.before, 4)


def test_more_gaps_than_are_shown_are_counted() -> None:
    """Ten texts are kept, and the number of all."""
    meter = Meter(time.monotonic)
    meter.add(pl.DataFrame({"message": ["a"]}), [], [f"gap {n}" for n in range(25)])
    assert (meter.pulse().gap_count, len(meter.pulse().gaps)) == (25, 10)


def test_a_tail_is_gone_on_with_by_its_own_detector(
    follow: Callable[..., Tail], log: Path, detector: Detector, jobs: Callable[..., pl.DataFrame]
) -> None:
    """Another one is refused before anything is judged, and the first one goes on, or one that was fitted alike."""
    write(log, lines_of(1))
    first = follow(settle=0)
    first.step()
    first.close()
    write(log, lines_of(2))
    other = Detector.fit(jobs(*[("begin", "end")] * 100), by=r"(job-\d+)", keys=detector.keys)
    with pytest.raises(ModelError, match=r"sessions are cut .* templates are .* another case folder"):
        tail(log, first.case, other, layout="iso", settle=0).step()
    assert first.step().records == 4
    first.close()
    write(log, lines_of(3))
    alike = Detector.fit(jobs(*[STEPS] * 100), by=r"^(job-\d+)", keys=detector.keys)
    with closing(tail(log, first.case, alike, layout="iso", settle=0)) as heir:
        assert heir.step().records == 4


def test_what_is_no_case_or_detector_is_refused(follow: Callable[..., Tail], log: Path, detector: Detector) -> None:
    """Their folders' names are not them."""
    case = follow().case
    with pytest.raises(InputError, match=r"'folder' is no Case but a str; give dl.Case\(folder\)"):
        tail(log, "folder", detector)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"'folder' is no Detector but a str; give dl.load\(folder\)"):
        tail(log, case, "folder")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a log's path is wanted, not of type DataFrame; a tail reads the log itself"):
        tail(pl.DataFrame(), case, detector)  # type: ignore[arg-type]


def test_what_two_tails_judge_is_kept_once(follow: Callable[..., Tail], log: Path) -> None:
    """A second one at the same time is refused by name, and nothing of its step is kept."""
    write(log, lines_of(1))
    one, other = follow(settle=0), follow(settle=0)
    one.step()
    other.step()
    write(log, lines_of(2))
    one.step()
    with pytest.raises(InputError, match="in the case already"):
        other.step()
    assert len(one.case.verdicts()) == 8


def test_a_step_beside_a_running_tail_is_refused(follow: Callable[..., Tail], log: Path) -> None:
    """The one that runs goes on, as if nobody had asked; started, the other takes its place."""
    write(log, lines_of(1))
    one, other = follow(settle=0, poll=0.01), follow(settle=0, poll=0.01)
    one.start()
    with pytest.raises(InputError, match=r"another tail of this kernel .* stop\(\) that one first, or start\(\) this"):
        other.step()
    write(log, lines_of(2))
    until(lambda: one.pulse().records == 8)
    other.start()
    assert (one.is_running, one.error, other.is_running) == (False, None, True)
    other.stop()
    assert other.step().records == 0


def test_a_locked_case_is_waited_for_then_named(follow: Callable[..., Tail], log: Path) -> None:
    """While another process has the case, the step fails in words; after that the same lines are judged."""
    followed = follow(settle=0)
    write(log, lines_of(1))
    with closing(sqlite3.connect(followed.case.folder / "case.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InputError, match="locked"):
            followed.step()
    followed.step()
    assert len(followed.case.verdicts()) == 4


def test_a_log_that_is_there_is_not_waited_for(follow: Callable[..., Tail], log: Path) -> None:
    """Empty, or not yet looked at, it is followed."""
    log.touch()
    with closing(follow(poll=60)) as followed:
        states = followed.start().state, followed.stop()
    assert states[0] == "following"


def test_the_background_follows_and_stops(follow: Callable[..., Tail], log: Path) -> None:
    """Before the log is there, while it grows, and after it was told to stop."""
    followed = follow(settle=0.01, poll=0.01)
    assert followed.state == "not started"
    followed.start()
    until(lambda: followed.state == "waiting for the log to appear")
    write(log, lines_of(1, 2, steps=(*STEPS[:1], "odd")))
    until(lambda: followed.pulse().records == 4)
    assert (followed.state, followed.pulse().alarms) == ("following", 2)
    followed.stop()
    assert (followed.state, followed.is_running) == ("stopped", False)


def test_an_error_of_the_background_is_kept_and_raised(follow: Callable[..., Tail], log: Path) -> None:
    """It is never swallowed: the state says it, and stopping raises it."""
    log.write_bytes(b"\x7fELF" + bytes(5000))
    followed = follow(settle=0, poll=0.01).start()
    until(lambda: not followed.is_running)
    assert followed.state.startswith("failed: ")
    with pytest.raises(InputError, match="a program"):
        followed.stop()


def test_an_event_of_ones_own_ends_it(follow: Callable[..., Tail], log: Path) -> None:
    """Several tails can be ended by one event."""
    over = threading.Event()
    write(log, lines_of(1))
    ticks = iter(follow(settle=0, stop=over))
    assert next(ticks).records == 4
    over.set()
    assert list(ticks) == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """With Python's own handler of Ctrl-C, which a test run in the background of a shell does not have."""
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, kept)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_it_in_order(follow: Callable[..., Tail], log: Path) -> None:
    """Interrupted in the middle of a run, it has let go of its files and can be begun again."""
    write(log, lines_of(1))
    followed = follow(settle=0, poll=0.01)
    followed.watch(lambda: signal.raise_signal(signal.SIGINT) if followed.pulse().records == 4 else None)
    with pytest.raises(KeyboardInterrupt):  # of the last call of the watcher, after the run
        followed.run()
    assert followed.state == "stopped"
    assert len(followed.case.verdicts()) == 4


@contextmanager
def lives(log: Path, case: Path, detector: Path) -> Iterator[Callable[[Callable[[], object]], int]]:
    """``live(during)`` begins a life of a tail and ends it by SIGKILL after ``during``; its exit status."""
    script = Path(__file__).with_name("tailing.py")
    command = [sys.executable, str(script), str(log), str(case), str(detector)]
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths}
    ) as mother:
        assert mother.stdin
        assert mother.stdout
        assert mother.stdout.readline() == "ready\n"

        def live(during: Callable[[], object]) -> int:
            print(file=mother.stdin, flush=True)
            child = int(mother.stdout.readline())
            during()
            os.kill(child, signal.SIGKILL)
            return int(mother.stdout.readline())

        yield live
        mother.stdin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="lives are forked, which only Linux does safely here")
def test_killed_at_any_moment_it_loses_and_repeats_nothing(log: Path, detector: Detector, tmp_path: Path) -> None:
    """Killed again and again while the log grows and is rotated, the case ends with the verdicts of one quiet run."""
    chance, jobs = random.Random(1), itertools.count(1)
    detector.save(tmp_path / "fitted")
    write(log, lines_of(0))
    quiet, killed = (tail(log, Case(tmp_path / name), detector, layout="iso", settle=0) for name in ("quiet", "killed"))
    killed.step()
    killed.close()

    def grow() -> None:
        """A few dozen jobs, a line at a time; most lives have kept something by then, and are in the middle of more."""
        before = killed.case.position(str(log))
        if chance.random() < 0.8:
            write(log, lines_of(next(jobs)))
            until(lambda: killed.case.position(str(log)) != before)
        for _ in range(chance.randrange(40)):
            write(log, lines_of(next(jobs), steps=steps_of(chance)))
            time.sleep(0.01 * chance.random())

    with lives(log, tmp_path / "killed", tmp_path / "fitted") as live:
        for at in range(KILLS):
            assert live(grow) == -signal.SIGKILL
            to_the_end(quiet)
            if at % 7 == 3:
                log.rename(log.with_name(f"jobs.log.{10_000 - at}"))
        write(log, lines_of(next(jobs)))
        to_the_end(quiet)
        live(lambda: until(lambda: len(killed.case.verdicts()) >= len(quiet.case.verdicts()), 120))
    quiet.close()
    assert_frame_equal(killed.case.verdicts(), quiet.case.verdicts(), check_exact=True)
    with closing(sqlite3.connect(tmp_path / "killed" / "case.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def steps_of(chance: random.Random) -> tuple[str, ...]:
    return STEPS if chance.random() < 0.95 else (*STEPS[:2], "disk on fire")[: chance.randint(1, 3)]
