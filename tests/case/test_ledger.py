"""The file under a case: what is acknowledged stays, and what fails says why."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deeplog_nb.case.case import FILE, Case
from deeplog_nb.case.ledger import Ledger
from deeplog_nb.frames import InputError

KILLS = int(os.environ.get("DEEPLOG_NB_KILLS", "4"))  # 200 for the full size
EACH = min(500, 5 * KILLS)  # labels of each of two processes
NOBODY = 65534
WRITER = """
import sys
from deeplog_nb.case.case import Case
import polars as pl
verdicts = pl.read_parquet(sys.argv[2])
case = Case(sys.argv[1])
begin = int(case.position("log") or 0)
for at in range(begin, begin + int(sys.argv[3])):
    odd = verdicts.with_columns(session=pl.lit(f"{sys.argv[4]} {at}"))
    label = case.mark(odd, "normal", who=sys.argv[4])["id"][0]
    case.commit("log" + sys.argv[4], verdicts.with_columns(offset=pl.lit(at, pl.UInt64)), position=str(at + 1))
    print(label, flush=True)
"""


def asked(file: Path, question: str) -> list[tuple[object, ...]]:
    """What another program on the same file hears."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return connection.execute(question).fetchall()


@pytest.fixture(scope="module")
def frame(judged, tmp_path_factory) -> Path:
    """A file with one alarm, for processes that write."""
    path = tmp_path_factory.mktemp("frame") / "verdicts.parquet"
    judged(("a", 0, 4, True)).write_parquet(path)
    return path


def python(code: str, *words: object) -> subprocess.Popen[str]:
    """A process of its own that runs this code."""
    root = str(Path(__file__).parent.parent.parent)
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=root, env=os.environ | {"PYTHONPATH": root}, stdout=-1, text=True)


def test_no_acknowledged_label_is_lost_to_a_kill(tmp_path, frame):
    """Killed at any moment, as often as you like: every acknowledged label is there, the chain is whole."""
    acknowledged, moment = 0, random.Random(1)
    for _ in range(KILLS):
        writer = python(WRITER, tmp_path, frame, 10**6, "")
        for _ in range(moment.randrange(1, 20)):
            acknowledged = int(writer.stdout.readline())
        time.sleep(moment.random() * 0.005)
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, writer.communicate()[0].splitlines())])
        case = Case(tmp_path)
        assert int(case.verify().split()[0].partition("=")[2].partition(":")[0]) in (acknowledged, acknowledged + 1)
        assert case.verdicts("log")["offset"].to_list() == list(range(int(case.position("log") or 0)))
    assert asked(tmp_path / FILE, "PRAGMA integrity_check") == [("ok",)]


def test_two_processes_write_at_once(tmp_path, frame):
    """None of the labels of either is lost, and they hang together in one chain."""
    writers = [python(WRITER, tmp_path, frame, EACH, who) for who in ("kim", "lee")]
    assert [writer.communicate()[1] or writer.returncode for writer in writers] == [0, 0]
    case = Case(tmp_path)
    assert case.labels()["who"].value_counts()["count"].to_list() == [EACH] * 2
    assert case.verify().startswith(f"labels={2 * EACH}:")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = Case(tmp_path / "case", patience=0.05)
    case.note("before")
    return case


def remarks(case: Case) -> list[str]:
    return case.notes()["text"].to_list()


def test_a_locked_case_says_who_waits_how_long(case):
    """Another process that writes is waited for; then the message says what to do."""
    other = sqlite3.connect(case.folder / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match=r"case\.sqlite: locked: another process.*0\.05 s.*patience"):
        case.note("lost")
    assert remarks(case) == ["before"]
    other.close()
    case.note("after")
    assert remarks(case) == ["before", "after"]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that others may look into; afterwards we are again who we were."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    os.seteuid(os.getuid())
    shutil.rmtree(folder)


@pytest.mark.parametrize(("inside", "mode"), [(FILE, 0o444), (".", 0o555)])
def test_a_read_only_case_can_be_read_and_says_why_no_more(shared, inside, mode):
    """A file or a folder that may not be written: reading goes on, writing says what to do."""
    case = Case(shared / "case")
    case.note("before")
    (case.folder / inside).chmod(mode)
    if os.getuid() == 0:
        os.seteuid(NOBODY)  # to root nothing is read-only
    with pytest.raises(InputError, match=r"case\.sqlite: cannot be written: .* read-only; allow writing, or copy"):
        case.note("lost")
    assert remarks(Case(case.folder)) == ["before"]


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may be larger than 200 KB: to the ledger, a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.usefixtures("small_files")
def test_a_disk_that_takes_no_more_says_so(case):
    """What did not fit is not kept, what was there is, and a smaller remark still fits."""
    with pytest.raises(InputError, match=r"case\.sqlite: the disk does not .* nothing of this was kept.*room"):
        case.note("x" * 300_000)
    case.note("after")
    assert remarks(case) == ["before", "after"]
    case.verify()


def test_a_full_database_says_so(case, monkeypatch):
    """SQLite's own word for a full disk."""
    monkeypatch.setattr("deeplog_nb.case.ledger._SAFELY", ("max_page_count = 40",))
    with pytest.raises(InputError, match=r"case\.sqlite: the disk or the quota is full"):
        case.note("x" * 300_000)
    assert remarks(case) == ["before"]


@pytest.mark.parametrize("damage", [b"not a database at all" * 300, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_file_that_is_no_database_is_refused(case, damage):
    """The message names the file and how to go on."""
    (case.folder / FILE).write_bytes(damage)
    with pytest.raises(InputError, match=r"case\.sqlite: no case, or a broken one; put a copy back"):
        Case(case.folder)


def test_a_damaged_page_is_found(case):
    """Zeros in the middle of the file are an InputError of whoever reads them, and of verify."""
    for _ in range(50):
        case.note("x" * 1000)
    content = bytearray((case.folder / FILE).read_bytes())
    content[-20 * 4096 :] = b"\0" * (20 * 4096)
    (case.folder / FILE).write_bytes(content)
    with pytest.raises(InputError, match="no case, or a broken one"):
        case.verify()


def test_the_database_of_another_program_is_left_alone(tmp_path):
    """A file that is no case is not written into."""
    asked(tmp_path / FILE, "CREATE TABLE t (x)")
    with pytest.raises(InputError, match="another program"):
        Case(tmp_path)
    assert asked(tmp_path / FILE, "SELECT name FROM sqlite_master") == [("t",)]


def test_a_case_of_a_newer_version_is_refused(case):
    """And the message says what to update."""
    asked(case.folder / FILE, "PRAGMA user_version = 99")
    with pytest.raises(InputError, match=r"newer version \(format 99.*update deeplog_nb"):
        Case(case.folder)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    """So is one that cannot be made."""
    (tmp_path / "file").write_text("")
    for name in ("file", "file/case"):
        with pytest.raises(InputError, match=r"file.*no folder, and none can be made.*name another"):
            Case(tmp_path / name)


def test_a_case_that_went_away_says_so(case):
    """A folder that was removed under our hands is not made again in silence."""
    shutil.rmtree(case.folder)
    with pytest.raises(InputError, match="cannot be opened; see that the case folder is still there"):
        case.note("lost")


def test_a_case_that_was_emptied_says_so(case):
    """Nothing is left in it: words that say what to do, whatever is asked of it."""
    (case.folder / FILE).write_bytes(b"")
    for use in (case.labels, lambda: case.position("log"), lambda: case.note("hello")):
        with pytest.raises(InputError, match="no case, or a broken one; put a copy back"):
            use()


@pytest.mark.parametrize("folder", [None, 5, b"case"])
def test_what_is_no_path_is_refused(folder):
    """A case needs a folder."""
    with pytest.raises(InputError, match="no path; give one as a text"):
        Case(folder)


def test_a_write_ahead_log_is_not_used(case):
    """Another tool's setting does not stay: on a network folder such a log loses data."""
    assert asked(case.folder / FILE, "PRAGMA journal_mode = WAL") == [("wal",)]
    case.note("after")
    assert asked(case.folder / FILE, "PRAGMA journal_mode") == [("delete",)]


def test_who_waits_gets_his_turn(case):
    """Whoever holds the file for a moment is waited for, be it to read or to write."""
    other = sqlite3.connect(case.folder / FILE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    release.start()
    patient = Case(case.folder)
    release.join()
    other.close()
    assert remarks(patient) == ["before"]


def test_the_file_is_as_safe_as_it_can_be(case):
    """Rollback journal, every commit synced, foreign keys; our mark in its header."""
    with Ledger(case.folder / FILE).writing() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "application_id", "user_version")
        facts = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    assert facts == ["delete", 2, 1, 0x444C4E42, 1]


def test_odd_names_of_folders_are_names(tmp_path, judged):
    """What means something in a URI means nothing here."""
    case = Case(tmp_path / "50% of a?mode=memory#x 'y'")
    case.mark(judged(("a", 0, 4, True)), "normal")
    assert (tmp_path / "50% of a?mode=memory#x 'y'" / FILE).is_file()


def test_importing_the_package_does_not_load_sqlite():
    """Whoever needs no case pays for none."""
    process = python("import sys, deeplog_nb; print('sqlite3' in sys.modules)")
    assert process.communicate()[0].strip() == "False"
