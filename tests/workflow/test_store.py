"""A workflow on disk: what is read is what was written, and what was changed is refused."""

import json

import pytest
from polars.testing import assert_frame_equal

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.workflow.workflow import Workflow

TEXTS = {1: 'say "hi"\n', 2: "\udc80\x1b[31m", 3: "drei", 4: "vier"}


@pytest.fixture
def workflow(sessions):
    runs = [[1, 2, 3, 4], [1, 3, 2, 4], [1, 2, 3, 2, 3, 4]] * 10
    return Workflow.from_cooccurrence(sessions(*runs), templates=TEXTS)


def test_what_is_read_is_what_was_written(workflow, tmp_path):
    """Tasks, frames, texts with hostile characters, matrices: all of it."""
    workflow.save(tmp_path / "w.json")
    again = Workflow.load(tmp_path / "w.json")
    assert again.tasks == workflow.tasks
    assert (again.templates, again.background, again.source) == (TEXTS, workflow.background, workflow.source)
    for name in ("steps", "edges", "following", "pairs"):
        assert_frame_equal(getattr(again, name), getattr(workflow, name))
    assert repr(again) == repr(workflow)


def test_a_folder_is_no_file_to_save_to(workflow, tmp_path):
    """The error names the folder and asks for a file."""
    with pytest.raises(InputError, match=r"cannot be written .*; give the name of a file"):
        workflow.save(tmp_path)


def test_what_is_read_does_what_was_written(workflow, tmp_path, sessions):
    """It judges and traces the same."""
    workflow.save(tmp_path / "w.json")
    rows = sessions([1, 3, 2, 4], [1, 4])
    assert_frame_equal(Workflow.load(tmp_path / "w.json").conformance(rows), workflow.conformance(rows))
    assert_frame_equal(Workflow.load(tmp_path / "w.json").trace(rows), workflow.trace(rows))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["background"].append(7),
        lambda content: content["tasks"][0]["keys"].append(7),
        lambda content: content.pop("steps"),
        lambda content: content.update(format=99),
        lambda content: content.update(sha256="0"),
    ],
)
def test_a_changed_file_is_refused(workflow, tmp_path, change):
    """By its digest, whatever was changed."""
    workflow.save(tmp_path / "w.json")
    content = json.loads((tmp_path / "w.json").read_text("utf-8", "surrogatepass"))
    change(content)
    (tmp_path / "w.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(ModelError, match="learn it anew"):
        Workflow.load(tmp_path / "w.json")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff\xfe", b"[" * 100_000, b'{"sha256": 1}'])
def test_what_is_no_workflow_is_refused(tmp_path, raw):
    """Anything else in the file, however deep."""
    (tmp_path / "w.json").write_bytes(raw)
    with pytest.raises(ModelError, match=r"not a workflow|changed since"):
        Workflow.load(tmp_path / "w.json")


def test_steps_that_do_not_exist_are_refused(workflow, tmp_path):
    """A file that somebody signed anew but whose parts do not fit together."""
    from deeplog_nb.events.store import sha256

    workflow.save(tmp_path / "w.json")
    content = json.loads((tmp_path / "w.json").read_text("utf-8", "surrogatepass"))
    content.pop("sha256")
    content["tasks"][0]["loops"] = [[99, 1]]
    (tmp_path / "w.json").write_text(json.dumps(content | {"sha256": sha256(content)}), "utf-8")
    with pytest.raises(ModelError, match="step 99"):
        Workflow.load(tmp_path / "w.json")


def test_a_missing_file_is_an_input_error(tmp_path):
    """With what to do next."""
    with pytest.raises(InputError, match=r"give a file that save\(\) wrote"):
        Workflow.load(tmp_path / "none.json")
