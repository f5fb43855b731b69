"""Whatever is done to the rows behind our back is found out."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.case.case import FILE, Case
from deeplog_nb.case.chain import append, canonical, hashed
from deeplog_nb.case.ledger import Ledger
from deeplog_nb.case.schema import CHAINS
from deeplog_nb.frames import DeepLogError, InputError, ModelError

ROWS = 6


@pytest.fixture(scope="module")
def whole(judged, tmp_path_factory) -> Case:
    """A case of six labels, two of them undone, and a note."""
    case = Case(tmp_path_factory.mktemp("whole"))
    case.mark(judged(*[("a", n, n, True) for n in range(4)]), "normal", note="ok", who="kim")
    case.undo(2, who="lee")
    case.undo(3, who="lee")
    case.note("done")
    return case


@pytest.fixture
def broken(whole, tmp_path) -> Callable[..., Case]:
    """A copy of the case, without its triggers, in which these statements were run behind our back."""

    def build(*statements: str, values: tuple[object, ...] = ()) -> Case:
        shutil.copytree(whole.folder, tmp_path, dirs_exist_ok=True)
        unguarded(tmp_path / FILE, *statements, values=values)
        return Case(tmp_path)

    return build


def unguarded(file: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values)


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE labels SET verdict = 'anomaly'",
        "DELETE FROM labels WHERE id = 6",
        "INSERT OR REPLACE INTO labels SELECT * FROM labels WHERE id = 6",
        "INSERT INTO notes VALUES (9, '', '', '', NULL, '', '')",
        "UPDATE notes SET text = ''",
        "DELETE FROM notes",
    ],
)
def test_the_database_itself_forbids_changes(whole, forbidden):
    """Triggers stop whoever only has SQL, be it by replacing or by adding out of turn."""
    with (
        closing(sqlite3.connect(whole.folder / FILE)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only ever added"),
    ):
        connection.execute(forbidden)


def test_a_whole_case_gives_its_head(whole):
    """The head counts the rows of every chain."""
    head = whole.verify()
    assert [each.partition(":")[0] for each in head.split()] == ["labels=6", "notes=1", "pins=0", "models=0"]
    assert whole.verify(head) == head


@pytest.mark.parametrize(
    ("done", "told"),
    [
        ("UPDATE labels SET verdict = 'anomaly' WHERE id = 3", "row 3 was changed"),
        ("UPDATE labels SET note = note || ' ' WHERE id = 1", "row 1 was changed"),
        ("UPDATE labels SET position = '2' || '' WHERE id = 3", ""),  # SQLite makes it the number that it was
        ("UPDATE labels SET note = CAST(x'ff' AS TEXT) WHERE id = 2", "row 2 was changed"),
        ("UPDATE labels SET note = x'00' WHERE id = 2", "row 2 was changed"),
        ("UPDATE labels SET keys = 9e999 WHERE id = 2", "row 2 was changed"),
        ("UPDATE labels SET undo_of = NULL, verdict = 'normal' WHERE id = 5", "row 5 was changed"),
        ("UPDATE labels SET hash = '' WHERE id = 4", "row 4 was changed"),
        ("UPDATE labels SET previous_hash = '' WHERE id = 4", "row 4 was changed"),
        ("DELETE FROM labels WHERE id = 1", "row 1 was left out or moved: row 2"),
        ("DELETE FROM labels WHERE id = 4", "row 4 was left out or moved: row 5"),
        ("DELETE FROM labels WHERE id > 4", "row 5 was left out, and all after it: 6 were written"),
        ("DELETE FROM labels", "row 1 was left out"),
        ("UPDATE labels SET id = 10 - id WHERE id BETWEEN 4 AND 6 AND id <> 5", "row 4 was changed or moved"),
        ("UPDATE labels SET id = id + 1 WHERE id = 6", "row 6 was left out or moved"),
        ("UPDATE heads SET count = 5 WHERE chain = 'labels'", "row 6 was changed or added past"),
        ("DELETE FROM heads", "the note of its last row was removed"),
        ("DELETE FROM notes", "notes: row 1 was left out"),
    ],
)
def test_what_was_done_behind_our_back_is_named(broken, done, told):
    """The first row that is not as it was written; what changes nothing is no change."""
    if "10 - id" in done:
        swap = ["UPDATE labels SET id = 99 WHERE id = 4", "UPDATE labels SET id = 4 WHERE id = 6"]
        case = broken(*swap, "UPDATE labels SET id = 6 WHERE id = 99")
    else:
        case = broken(done)
    if not told:
        assert case.verify()
        return
    with pytest.raises(ModelError, match=told):
        case.verify()


@settings(max_examples=100, deadline=None)
@given(row=st.integers(1, ROWS), column=st.sampled_from(["id", *CHAINS["labels"], "hash"]), value=st.text(max_size=3))
def test_any_edit_is_found(whole, tmp_path_factory, row, column, value):
    """Whatever text or number is put wherever it was not before."""
    folder = tmp_path_factory.mktemp("edited")
    shutil.copy(whole.folder / FILE, folder)
    before = contents(folder)
    try:
        unguarded(folder / FILE, f"UPDATE labels SET {column} = ? WHERE id = {row}", values=(value,))
    except sqlite3.IntegrityError:  # an id is a number
        return
    changed = contents(folder) != before
    assert changed == fails(Case(folder).verify)


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(1, ROWS + 1)), st.integers(0, ROWS))
def test_any_order_and_any_part_but_the_whole_is_found(whole, tmp_path_factory, order, kept):
    """Rows in another order, or only some of them, whatever the numbers that they get."""
    folder = tmp_path_factory.mktemp("ordered")
    shutil.copy(whole.folder / FILE, folder)
    moves = [f"UPDATE labels SET id = {100 + to} WHERE id = {row}" for to, row in enumerate(order, 1)]
    rest = "UPDATE labels SET id = id - 100", f"DELETE FROM labels WHERE id > {kept}"
    unguarded(folder / FILE, *moves, *rest)
    assert fails(Case(folder).verify) == (order != sorted(order) or kept < ROWS)


def contents(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        connection.text_factory = bytes
        return connection.execute("SELECT * FROM labels ORDER BY id").fetchall()


def fails(work: Callable[[], object]) -> bool:
    try:
        work()
    except DeepLogError:
        return True
    return False


@pytest.mark.parametrize("done", ["SET at = 'yesterday'", "SET verdict = 'fine'", "SET keys = '{'", "SET line = 'x'"])
def test_labels_that_were_changed_beyond_reading_are_told(broken, done):
    """Reading them is an error of ours that leads to verify, not one of the frame library."""
    with pytest.raises(ModelError, match=r"changed past the ledger.*verify\(\)"):
        broken(f"UPDATE labels {done} WHERE id = 3").labels()


def test_a_chain_made_anew_is_found_by_a_head_that_was_kept(whole, tmp_path, judged):
    """All hashes of other rows are right; only who kept the head knows."""
    other = Case(tmp_path)
    other.mark(judged(*[("a", n, n, True) for n in range(7)]), "anomaly", who="kim")
    other.verify()
    with pytest.raises(ModelError, match="rows up to 6 are others than when the head was kept"):
        other.verify(whole.verify().split()[0])


def test_an_older_copy_is_found_by_a_head_that_was_kept(broken, whole, judged):
    """The copy is whole in itself; the head counts more rows."""
    older = broken()
    newer = whole.verify().replace("labels=6", "labels=9")
    with pytest.raises(ModelError, match="row 7 was left out, and all after it: 9 were written"):
        older.verify(newer)


def test_a_head_that_is_none_is_refused(whole):
    """A slip of the pen is not a broken case."""
    with pytest.raises(InputError, match="no head of a case"):
        whole.verify("labels 6")


def test_nothing_is_added_to_a_chain_without_its_end(broken, judged):
    """A removed tail is not covered by new rows."""
    case = broken("DELETE FROM labels WHERE id = 6")
    with pytest.raises(ModelError, match="nothing was added"):
        case.mark(judged(("a", 0, 4, True)), "normal")
    assert case.labels(history=True).height == ROWS - 1


def test_hashes_are_what_the_docstring_says():
    """SHA-256 of the hash before and of the row as JSON with sorted names: anybody can count it again."""
    assert canonical({"b": None, "a": "ü\n", "id": 1}) == '{"a":"\\u00fc\\n","b":null,"id":1}'
    assert hashed("ab", {"id": 1}) == sha256(b'ab{"id":1}').hexdigest()


def test_one_step_is_added_whole_or_not_at_all(whole, tmp_path):
    """A row that cannot be kept takes those before it back."""
    Case(tmp_path)
    rows = [{"at": "", "who": "", "text": text, "session": None} for text in ("good", None)]
    with pytest.raises(InputError), Ledger(tmp_path / FILE).writing() as connection:
        append(connection, "notes", rows)
    assert Case(tmp_path).notes().is_empty()
