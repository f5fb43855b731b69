"""Labels handed from case to case."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deeplog_nb.case.case import Case
from deeplog_nb.case.chain import link
from deeplog_nb.case.exchange import COLUMNS
from deeplog_nb.case.schema import CHAINS
from deeplog_nb.frames import InputError

IDS = ("id", "previous_hash", "hash", "undo_of")
HOSTILE = "\x00\x1b[31m\u2028\u202e'); DROP TABLE labels; --\r\n</script>"


@pytest.fixture
def kim(judged, tmp_path) -> Case:
    """Three labels, of which the second is undone, and the undo of the third is undone."""
    case = Case(tmp_path / "kim")
    case.mark(judged(*[("a", n, n, True) for n in range(3)]), "normal", note=HOSTILE, who="kim")
    case.undo(2, who="kim")
    case.undo(3, who="kim")
    case.undo(5, who="kim")
    return case


@pytest.fixture
def lee(judged, tmp_path) -> Case:
    """One label of somebody else."""
    case = Case(tmp_path / "lee")
    case.mark(judged(("b", 0, 4, True)), "anomaly", who="lee")
    return case


def said(labels: pl.DataFrame) -> list[tuple[object, ...]]:
    return sorted(labels.drop(IDS).rows(), key=str)


def test_merging_adds_what_is_lacking_and_says_what_it_was(kim, lee, tmp_path):
    """Rows keep who, when and what, undos included; they get ids and hashes of their new chain."""
    new = lee.merge(kim.export(tmp_path / "kim.jsonl"))
    assert said(new) == said(kim.labels(history=True))
    assert new.select("id", "undo_of").rows() == [(2, None), (3, None), (4, None), (5, 3), (6, 4), (7, 6)]
    assert said(lee.labels()) == sorted(said(kim.labels()) + said(lee.labels(history=True).head(1)), key=str)
    assert lee.verify().startswith("labels=7:")


def test_merging_twice_and_there_and_back_adds_nothing(kim, lee, tmp_path):
    """Whatever way a row came, it is the same row."""
    lee.merge(kim.export(tmp_path / "kim.jsonl"))
    assert lee.merge(tmp_path / "kim.jsonl").is_empty()
    assert kim.merge(lee.export(tmp_path / "lee.jsonl")).height == 1
    assert said(kim.labels(history=True)) == said(lee.labels(history=True))
    assert lee.merge(kim.export(tmp_path / "kim.jsonl")).is_empty()


def test_an_undo_of_a_row_that_is_here_already_finds_it(kim, lee, tmp_path):
    """Of a file merged before, only the later undo is new, and it means our copy of the row."""
    lee.merge(kim.export(tmp_path / "kim.jsonl"))
    kim.undo(1, who="kim")
    new = lee.merge(kim.export(tmp_path / "kim.jsonl"))
    assert new.select("id", "undo_of").rows() == [(8, 2)]
    assert lee.labels()["position"].to_list() == [0, 2]


def test_an_empty_export_merges_to_nothing(lee, tmp_path):
    """A case without labels can be handed on too."""
    assert lee.merge(Case(tmp_path / "new").export(tmp_path / "none.jsonl")).is_empty()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=12))
def test_cases_that_hear_of_each_other_agree(judged, tmp_path_factory, steps):
    """Three people mark, undo and merge in any order: once everybody has heard everything, all have the same rows."""
    folder = tmp_path_factory.mktemp("three")
    cases = [Case(folder / name) for name in "abc"]
    for who, what in steps:
        if what < 3:
            cases[who].merge(cases[what].export(folder / "x.jsonl"))
        elif what < 6:
            cases[who].mark(judged(("s", what, what, True)), "normal", who=str(who))
        elif what - 5 in cases[who].labels()["id"]:
            cases[who].undo(what - 5, who=str(who))
    for one in cases * 2:
        for other in cases:
            one.merge(other.export(folder / "x.jsonl"))
    assert said(cases[0].labels()) == said(cases[1].labels()) == said(cases[2].labels())
    assert said(cases[0].labels(history=True)) == said(cases[2].labels(history=True))


def lines_of(case: Case, path: Path) -> list[str]:
    return case.export(path).read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("line", "change", "told"),
    [
        (1, lambda text: "{}", "line 1 is no header"),
        (1, lambda text: text.replace('"format":1', '"format":2'), "line 1 is no header"),
        (1, lambda text: "\x00", "line 1: no JSON"),
        (2, lambda text: text.replace("normal", "anomaly"), "line 2: row 1 was changed or moved"),
        (3, lambda text: "", "line 3: no JSON"),
        (3, lambda text: "[" * 100_000, "line 3: no JSON"),
        (3, lambda text: "[]", "line 3: no JSON object"),
        (3, lambda text: text.replace('"position":1', '"position":-1'), "line 3: position cannot be so"),
        (3, lambda text: text.replace('"position":1', '"position":1.0'), "line 3: position cannot be so"),
        (3, lambda text: text.replace('"position":1', '"position":true'), "line 3: position cannot be so"),
        (3, lambda text: text.replace('"who":"kim"', r'"who":"\ud800"'), "line 3: who cannot be so"),
        (3, lambda text: text.replace('"who":"kim"', '"who":null'), "line 3: who cannot be so"),
        (3, lambda text: text.replace('"keys":"[0,1,2]"', '"keys":"[0, 1]"'), "line 3: keys cannot be so"),
        (3, lambda text: text.replace('"keys":"[0,1,2]"', '"keys":"[4294967296]"'), "line 3: keys cannot be so"),
        (3, lambda text: text.replace('"until":null', '"until":"soon"'), "line 3: until cannot be so"),
        (3, lambda text: text.replace('"undo_of":null', '"undo_of":2'), "line 3: neither an answer nor an undo"),
        (3, lambda text: text.replace('"who"', '"wer"'), "line 3: columns .*wer; wanted are"),
        (5, lambda text: text.replace('"undo_of":2', '"undo_of":1'), "line 5: row 4 was changed"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(kim, lee, tmp_path, line, change, told):
    """Nothing of it is merged."""
    lines = lines_of(kim, tmp_path / "kim.jsonl")
    assert change(lines[line - 1]) != lines[line - 1]
    lines[line - 1] = change(lines[line - 1])
    (tmp_path / "kim.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(InputError, match=told):
        lee.merge(tmp_path / "kim.jsonl")
    assert lee.labels(history=True).height == 1


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ([0, 1, 2, 3], "line 5: the file ends here, and 6 rows were written"),
        ([0, 2, 3, 4, 5, 6], "line 2: row 1 was left out or moved: row 2"),
        ([0, 1, 3, 2, 4, 5, 6], "line 3: row 2 was left out or moved: row 3"),
        ([0, 1, 2, 3, 4, 5, 6, 6], "line 8: row 7 was left out or moved: row 6"),
        ([], "line 1: no JSON"),
    ],
)
def test_lines_left_out_or_moved_are_found(kim, lee, tmp_path, kept, told):
    """A file cut at a line's end is found by its header, one cut within a line by that line."""
    lines = lines_of(kim, tmp_path / "kim.jsonl")
    (tmp_path / "kim.jsonl").write_text("".join(f"{lines[at]}\n" for at in kept), "utf-8")
    with pytest.raises(InputError, match=told):
        lee.merge(tmp_path / "kim.jsonl")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_cut_of_a_file_is_refused(kim, lee, tmp_path, data):
    """However many bytes are missing at its end."""
    content = kim.export(tmp_path / "kim.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(InputError, match=r"cut\.jsonl: line \d"):
        lee.merge(tmp_path / "cut.jsonl")


def test_a_strangers_file_can_hold_what_he_likes_but_no_more(lee, tmp_path):
    """Good hashes say nothing of who made them: odd values are refused, odd texts are texts."""
    base = dict.fromkeys(CHAINS["labels"]) | {"at": "0001-01-01T00:00:00.000000", "who": HOSTILE, "note": HOSTILE}
    base |= {"model": "", "policy": "", "verdict": "normal", "keys": "[]", "until": "9999-12-31T23:59:59.999999"}
    rows = list(link([base], CHAINS["labels"], 0, ""))
    header = {"kind": "deeplog_nb labels", "format": 1, "rows": 1, "hash": rows[0]["hash"]}
    path = tmp_path / "stranger.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in (header, *rows)), "utf-8")
    assert lee.merge(path).select("who", "note").row(0) == (HOSTILE, HOSTILE)
    assert set(rows[0]) == set(COLUMNS)


def test_files_that_cannot_be_read_or_written_are_named(lee, tmp_path):
    """An InputError each."""
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read"):
        lee.merge(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="cannot be written"):
        lee.export(tmp_path)
