"""The models of a case: written once, current one at a time, never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from deeplog_nb.case.case import Case
from deeplog_nb.frames import InputError, ModelError


@pytest.fixture
def case(tmp_path) -> Case:
    return Case(tmp_path / "case")


def writer(text: str):
    """Fills a model's folder with two files."""

    def write(folder: Path) -> None:
        (folder / "part").mkdir()
        (folder / "part" / "weights").write_text(text)
        (folder / "model.json").write_text("{}")

    return write


def test_the_model_added_last_is_the_current_one(case):
    """Its folder is in the case and holds what was written."""
    assert case.model() is None
    assert case.add_model("m1", writer("1"), "first") == case.folder / "models" / "m1"
    case.add_model("m2", writer("2"), "after feedback")
    assert (case.model() / "part" / "weights").read_text() == "2"
    assert case.models().select("digest", "why", "before").rows() == [
        ("m1", "first", None),
        ("m2", "after feedback", 1),
    ]


def test_a_model_is_written_once(case):
    """The same digest is the same model: nobody writes it again."""
    case.add_model("m1", writer("1"), "first")
    case.add_model("m1", lambda folder: pytest.fail("written again"), "again")
    assert case.models()["digest"].to_list() == ["m1", "m1"]


def test_rolling_back_steps_back_and_further_back(case):
    """One step a call, over what was added in between; what is rolled back from stays on the disk."""
    for name in ("m1", "m2", "m3"):
        case.add_model(name, writer(name), "new")
    steps = [case.roll_back().name, case.roll_back().name]
    with pytest.raises(InputError, match="no earlier model"):
        case.roll_back()
    case.add_model("m4", writer("m4"), "new")
    assert [*steps, case.roll_back().name] == ["m2", "m1", "m1"]
    assert sorted(path.name for path in (case.folder / "models").iterdir()) == ["m1", "m2", "m3", "m4"]


def test_a_case_without_models_cannot_roll_back(case):
    """The message says where to look."""
    with pytest.raises(InputError, match=r"no earlier model.*models\(\)"):
        case.roll_back()


def test_a_model_that_fails_to_be_written_leaves_nothing(case):
    """No folder, no row; what was current still is."""
    case.add_model("m1", writer("1"), "first")
    with pytest.raises(ZeroDivisionError):
        case.add_model("m2", lambda folder: 1 // 0, "broken")
    with pytest.raises(InputError, match="cannot be kept"):
        case.add_model("m3", lambda folder: (folder / "no" / "folder").write_text(""), "broken")
    assert [path.name for path in (case.folder / "models").iterdir()] == ["m1"]
    assert case.model().name == "m1"


@pytest.mark.parametrize("digest", ["", "..", "../x", "a/b", ".hidden", "a\x00", "x" * 129, "ü"])
def test_a_digest_is_no_path(case, digest):
    """Whatever leads out of the folder is refused."""
    with pytest.raises(InputError, match="does not name a model"):
        case.add_model(digest, writer(""), "x")


def test_a_model_changed_on_disk_is_refused(case):
    """By verify, and by whoever would make it the current one."""
    case.add_model("m1", writer("1"), "first")
    case.add_model("m2", writer("2"), "second")
    (case.folder / "models" / "m1" / "part" / "weights").write_text("0")
    assert case.model().name == "m2"
    for work in (case.verify, case.roll_back, lambda: case.add_model("m1", writer("1"), "again")):
        with pytest.raises(ModelError, match="m1: changed, or in part removed"):
            work()
    assert case.model().name == "m2"
