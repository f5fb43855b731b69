"""How a labelled log is parted into what trains and what is judged, and which keys its entries get."""

from __future__ import annotations

import polars as pl

from deeplog_nb.data import make_bgl
from deeplog_nb.evaluation.parts import public
from deeplog_nb.evaluation.stream import generated_lines, grown, stream
from deeplog_nb.events.spell import Spell
from deeplog_nb.lines.read import read


def lines(*rows: tuple[str, str]) -> pl.DataFrame:
    """LINES of labels and messages, as far as they matter here."""
    message = pl.DataFrame([*rows], schema=["label", "message"], orient="row")
    numbered = message.with_row_index("line", 1).with_columns(pl.col("line").cast(pl.UInt64))
    return numbered.with_columns(file=pl.lit("a").cast(pl.Categorical), time=pl.lit(None, pl.Datetime("us")))


SMALL = lines(("-", "fan on"), ("BAD", "fire"), ("-", "fan off"), ("-", "door open"), ("BAD", "fire"), ("-", "fan on"))


def test_the_first_normal_entries_train_and_all_others_are_judged() -> None:
    """Half of four normal lines trains; the alert between them is judged too."""
    found = stream(SMALL, 0.5, history=2)
    assert found.train["key"].to_list() == [1, 2]
    assert found.abnormal.tolist() == [True, False, True, False]


def test_a_history_is_what_stands_before_the_entry_in_the_log() -> None:
    """Alerts and training lines too; before the log began there is key 0."""
    found = stream(SMALL, 0.5, history=2)
    fire, door = 3, 4
    assert found.histories.tolist() == [[0, 1], [fire, 2], [2, door], [door, fire]]
    assert found.keys.tolist() == [fire, door, fire, 1]


def test_patterns_are_numbered_once() -> None:
    """Entries with the same history and key share a number, and the number leads to one of them."""
    found = stream(lines(*[("-", "a"), ("-", "b")] * 5), 0.2, history=1)
    numbers, first = found.patterns
    assert sorted(set(numbers.tolist())) == [0, 1]
    assert (numbers[first] == [0, 1]).all()


def test_a_key_is_that_of_the_time_when_it_came() -> None:
    """What later lines bring changes no key of an earlier one."""
    log = generated_lines(make_bgl(3, lines=3000))
    templates = Spell().fit(log.head(300))
    whole, part = (grown(templates, log.head(many)).parse(log.head(1500), parameters=False) for many in (3000, 1500))
    assert whole["key"].equals(part["key"])
    assert whole["key"].min() == 1


def test_the_real_log_is_parted_as_the_paper_counts(data) -> None:  # type: ignore[no-untyped-def]
    """1 % of 57,672 normal entries trains; all 2,328 alerts are judged."""
    data("bgl/bgl_lines_000001_060000.log.gz")
    found = stream(read(public("bgl", "bgl_lines_000001_060000.log.gz"), layout="bgl"), 0.01)
    assert (len(found.train), len(found), found.abnormal.sum()) == (576, 59_424, 2_328)
