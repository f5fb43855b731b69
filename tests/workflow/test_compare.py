from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import deeplog_nb as dl
from deeplog_nb.frames import COMPARED, SESSIONS, FrameError, InputError
from deeplog_nb.workflow.compare import compare, comparison

MACHINE = r"\[instance: ([0-9a-f-]{36})\]"
BLOCK = r"(blk_-?\d+)"
SEEDS = range(1, 5)


def parsed(log: dl.Generated, folder: Path, by: str) -> tuple[pl.DataFrame, dl.Templates]:
    lines = dl.read(log.write(folder, "a.log"))
    templates = dl.Spell().fit(lines)
    sessions = dl.sessionize(templates.parse(lines), by=by)
    return sessions.join(
        log.truth.filter(~pl.col("anomalous")), on="session", how="semi", maintain_order="left"
    ), templates


def halves(sessions: pl.DataFrame, seed: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The sessions that begin first and the others; with a seed, by lot."""
    names = sessions["session"].unique(maintain_order=True)
    names = names if seed is None else names.sample(fraction=1, shuffle=True, seed=seed)
    first = pl.col("session").is_in(names.head(len(names) // 2).to_list())
    return sessions.filter(first), sessions.filter(~first)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, dl.Templates]:
    return parsed(dl.make_openstack(3, vms=200), tmp_path_factory.mktemp("log"), MACHINE)


@pytest.mark.parametrize("by_lot", [True, False], ids=["by lot", "in time"])
@pytest.mark.parametrize(
    ("make", "by"),
    [(partial(dl.make_openstack, vms=250), MACHINE), (partial(dl.make_hdfs, blocks=400), BLOCK)],
    ids=["openstack", "hdfs"],
)
def test_two_halves_of_one_process_hardly_differ(
    make: Callable[[int], dl.Generated], by: str, by_lot: bool, tmp_path: Path
) -> None:
    """Four seeds, normal sessions only: not more than one row in all, and none with a score above 4."""
    found = []
    for seed in SEEDS:
        sessions, templates = parsed(make(seed), tmp_path, by)
        found.append(compare(*halves(sessions, seed if by_lot else None), templates=templates))
    rows = pl.concat(found)
    assert len(rows) <= 1
    assert not len(rows) or rows["score"].max() < 4


def top(normal: pl.DataFrame, suspect: pl.DataFrame, templates: dl.Templates | None = None) -> list[tuple[object, ...]]:
    return compare(normal, suspect, templates=templates).select("what", "key").rows()


def some(sessions: pl.DataFrame, share: float) -> pl.Expr:
    names = sessions["session"].unique(maintain_order=True)
    return pl.col("session").is_in(names.head(int(len(names) * share)).to_list())


def renumbered(sessions: pl.DataFrame) -> pl.DataFrame:
    place = pl.int_range(pl.len(), dtype=pl.UInt32).over("session")
    return sessions.sort(pl.col("session").rle_id(), "position").with_columns(position=place)


def test_a_new_key_is_found(machines: tuple[pl.DataFrame, dl.Templates]) -> None:
    """A key at the end of one session in five."""
    normal, suspect = halves(machines[0], 1)
    last = suspect.filter(some(suspect, 0.2)).group_by("session", maintain_order=True).last()
    more = last.select(suspect.columns).with_columns(key=pl.lit(99, pl.UInt32), position=pl.col("position") + 1)
    assert ("new", 99) in top(normal, pl.concat([suspect, more]).sort("session", "position"))


def test_a_single_new_key_is_a_row_and_called_uncertain() -> None:
    """A message never seen before is told even where one session has it; it is not claimed to be more than chance."""
    found = compare(made([1, 2, 3]), made([1, 2, 3], [1, 2, 9], counts=(99, 1)))
    assert found.select("what", "key", "certain").rows() == [("new", 9, False)]


def test_a_vanished_key_is_found(machines: tuple[pl.DataFrame, dl.Templates]) -> None:
    """A key of many sessions that is in none any more."""
    normal, suspect = halves(machines[0], 1)
    gone = machines[1].frame.filter(pl.col("template").str.contains("Claim successful"))["key"][0]
    assert ("vanished", gone) in top(normal, renumbered(suspect.filter(pl.col("key") != gone)), machines[1])


def test_a_slower_step_is_found_and_nothing_else(machines: tuple[pl.DataFrame, dl.Templates]) -> None:
    """Image creation takes twice as long: that step, and only that one, is slower."""
    normal, suspect = halves(machines[0], 1)
    started = machines[1].frame.filter(pl.col("template").str.contains("Creating image"))["key"][0]
    after = pl.col("key").shift(1).over("session") == started
    slow = suspect.with_columns(elapsed=pl.when(after).then(2 * pl.col("elapsed")).otherwise("elapsed"))
    found = compare(normal, slow, templates=machines[1])
    assert found["what"].to_list() == ["slower"]
    assert found["before"].to_list() == [started]
    assert 1.7 < found["ratio"][0] < 2.3


def made(*sequences: list[int], counts: tuple[int, ...] = (100,)) -> pl.DataFrame:
    """So many sessions with each sequence of keys."""
    many = counts * len(sequences) if len(counts) < len(sequences) else counts
    each = [keys for keys, times in zip(sequences, many, strict=True) for _ in range(times)]
    rows = [(f"s{n}", at, key, 1, False, 1.0) for n, keys in enumerate(each) for at, key in enumerate(keys)]
    schema = dict(SESSIONS) | {"elapsed": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.mark.parametrize(
    ("suspect", "found"),
    [
        (made([1, 2, 3, 4]), []),
        (made([1, 3, 2, 4]), [("reordered", 2)]),
        (made([1, 2, 3]), [("vanished", 4)]),
        (made([1, 2, 3, 3, 3, 4]), [("more", 3)]),
        (made([1, 2, 3, 4, 5]), [("new", 5)]),
        (made([1, 2, 3, 4], [1, 3, 4], counts=(50, 50)), [("fewer", 2)]),
        (made([1, 2, 3, 4], [1, 2, 4], counts=(98, 2)), []),
    ],
)
def test_each_kind_of_change_is_called_by_its_name(suspect: pl.DataFrame, found: list[tuple[str, int]]) -> None:
    """One change, one row; none, or two sessions of a hundred, is no row."""
    assert top(made([1, 2, 3, 4]), suspect) == found


def test_a_new_value_is_found() -> None:
    """Status 503 among 200 and 404, in one request of ten; a new request id is no news."""

    def requests(statuses: list[str], first: int) -> pl.DataFrame:
        rows = [(f"s{n}", 0, 1, 1, False, [statuses[n % 10], f"req-{first + n}"]) for n in range(200)]
        return pl.DataFrame(rows, schema=dict(SESSIONS) | {"parameters": pl.List(pl.String)}, orient="row")

    normal, suspect = requests(["200"] * 8 + ["404"] * 2, 0), requests(["200"] * 7 + ["404"] * 2 + ["503"], 200)
    found = compare(normal, suspect)
    assert found.select("what", "value", "suspect").rows() == [("value", "503", 0.1)]


def test_sessions_that_stand_for_many_count_as_many() -> None:
    """One session with a count of 100 is a hundred."""
    one = made([1, 2, 3], counts=(1,)).with_columns(count=pl.lit(100, pl.UInt32))
    assert compare(made([1, 2]), one).select("what", "key", "why").rows() == [
        ("new", 3, "in 0 of 100 sessions, now in 100 of 100")
    ]


def test_events_without_sessions_are_read_in_windows() -> None:
    """A file of a thousand events is ten windows; a key that grows three times as frequent is told."""

    def events(share: int) -> pl.DataFrame:
        return pl.DataFrame({"key": [2 if n % share == 0 else 1 for n in range(5000)]}, schema={"key": pl.UInt32})

    assert ("more", 2) in top(events(30), events(10))
    assert compare(events(30), events(30)).is_empty()


def log(keys: list[int], wait: float | dict[int, float] = 1.0, seed: int = 0) -> pl.DataFrame:
    """EVENTS of one file with these keys; each has waited so long, more or less, for itself or by its key."""
    usual = wait if isinstance(wait, dict) else dict.fromkeys(keys, wait)
    spread = np.random.default_rng(seed).uniform(0.9, 1.1, len(keys))
    waits = pl.Series([1e6 * usual.get(key, 1.0) * by for key, by in zip(keys, spread, strict=True)])
    times = waits.cum_sum().cast(pl.Int64).cast(pl.Datetime("us"))
    return pl.DataFrame({"time": times, "key": pl.Series(keys, dtype=pl.UInt32)})


TURN = [1, 2, 3, 4] * 600
SEVEN = [1, 2, 3, 4, 5, 6, 7] * 400


@pytest.mark.parametrize(
    ("normal", "suspect", "found"),
    [
        (log(TURN), log(TURN, seed=1), []),
        (log(TURN), log(TURN, 60), [("slower", k, b) for b, k in ((4, 1), (1, 2), (2, 3), (3, 4), (None, None))]),
        (log(TURN), log(TURN, {3: 0.1}), [("faster", 3, 2), ("faster", None, None)]),
        (log([1] * 2000), log([1] * 2000, 3), [("slower", 1, 1), ("slower", None, None)]),
        (log(SEVEN), log([1, 3, 2, 4, 5, 6, 7] * 400), [("reordered", 2, 3)]),
        (log([1, 2] * 1200), log([2, 1] * 1200), []),
        (log(TURN), log([key for key in TURN for _ in range(2)]), []),
        (log(TURN), log([*TURN, 9]), [("new", 9, None)]),
        (log(TURN), log(TURN * 2), []),
    ],
    ids=["alike", "slow", "fast step", "one message", "turned", "other phase", "each twice", "one line", "repeated"],
)
def test_events_in_turn_tell_what_changed(
    normal: pl.DataFrame, suspect: pl.DataFrame, found: list[tuple[str, int | None, int | None]]
) -> None:
    """Steps and pace by their waits, order whatever a window begins with; nothing where nothing changed."""
    rows = compare(normal, suspect).select("what", "key", "before").rows()
    assert sorted(rows, key=str) == sorted(found, key=str)


def mingled(seed: int, wait: float = 1.0, many: int = 4000) -> pl.DataFrame:
    return log(np.random.default_rng(seed).choice([1, 2, 3, 4, 5], many).tolist(), wait, seed)


def test_where_entries_mingle_only_the_pace_of_the_whole_is_told() -> None:
    """No key comes after a certain other: no step, but one row without a key, fifty times as slow."""
    found = compare(mingled(1), mingled(2, 50))
    assert found.select("what", "key", "before").rows() == [("slower", None, None)]
    assert 45 < found["ratio"][0] < 55
    assert compare(mingled(1), mingled(2)).is_empty()


@pytest.mark.parametrize("by_lot", [True, False], ids=["by lot", "in time"])
@pytest.mark.parametrize(
    "make",
    [partial(dl.make_openstack, vms=250, anomalies=0), partial(dl.make_hdfs, blocks=400, anomalies=0)],
    ids=["openstack", "hdfs"],
)
def test_two_halves_without_session_ids_hardly_differ(
    make: Callable[[int], dl.Generated], by_lot: bool, tmp_path: Path
) -> None:
    """Two seeds, read in windows: no row that is called certain; the second half drawn out is slower."""
    for seed in (1, 2):
        lines = dl.read(make(seed).write(tmp_path, "a.log"))
        events = dl.Spell().fit(lines).parse(lines)
        whole = events.head(len(events) // 100 * 100).with_columns(
            session=pl.format("{}", pl.int_range(pl.len()) // 100)
        )
        first, second = (half.drop("session") for half in halves(whole, seed if by_lot else None))
        assert not compare(first, second)["certain"].any()
        drawn_out = pl.col("time").min() + 50 * (pl.col("time") - pl.col("time").min())
        assert "slower" in compare(first, second.with_columns(time=drawn_out))["what"]


@pytest.mark.parametrize(
    ("suspect", "aspects", "enough"),
    [
        (made([1, 2, 3]), ("messages", "order", "pace"), True),
        (made([1, 2, 3]).drop("elapsed"), ("messages", "order"), True),
        (made([1, 2, 3], counts=(1,)), ("messages", "order"), False),
        (made([1]), ("messages",), True),
    ],
)
def test_what_was_compared_is_said(suspect: pl.DataFrame, aspects: tuple[str, ...], enough: bool) -> None:
    """No pace without times, no order of one key, and one session is too little for anything."""
    found = comparison(made([1, 2, 3]), suspect)
    assert (found.aspects, found.enough, found.unit) == (aspects, enough, "session")


def test_one_short_log_is_no_surprise() -> None:
    """Sixteen lines against two thousand: fewer of everything is how short it is."""
    assert compare(log(TURN), log(TURN[:16])).is_empty()


def test_sessions_cut_by_the_end_of_the_log_say_nothing() -> None:
    """A key that open sessions had not come to yet has not vanished."""
    cut = made([1, 2], counts=(50,)).with_columns(pl.lit(True).alias("open"), session="cut " + pl.col("session"))
    assert compare(made([1, 2, 3]), pl.concat([made([1, 2, 3]), cut])).is_empty()


def test_what_cannot_be_compared_is_refused_by_name() -> None:
    """No session, no key, or a chance that is none."""
    with pytest.raises(FrameError, match="suspect: holds no session"):
        compare(made([1]), made([1]).clear())
    with pytest.raises(FrameError, match="normal: missing column key"):
        compare(pl.DataFrame({"line": [1]}), made([1]))
    with pytest.raises(InputError, match="chance is 0"):
        compare(made([1]), made([1]), chance=0)


def test_the_answer_has_its_columns_even_when_empty() -> None:
    """COMPARED, in order, whatever was found."""
    assert compare(made([1]), made([1])).schema == pl.Schema(COMPARED)


def test_on_hdfs_only_what_is_abnormal_differs(data: Callable[[str], Path]) -> None:
    """Half a million normal sessions bring only keys too rare to tell; the abnormal ones first what is new."""

    def blocks(name: str) -> pl.DataFrame:
        frame = pl.read_parquet(data(f"hdfs/{name}.parquet")).with_row_index("number")
        times = pl.col("count") if "count" in frame.columns else pl.lit(1)
        rows = frame.select(
            session=pl.format("{}", "number"),
            position=pl.int_ranges(pl.col("sequence").list.len(), dtype=pl.UInt32),
            key=pl.col("sequence").cast(pl.List(pl.UInt32)),
            count=times.cast(pl.UInt32),
            open=pl.lit(False),
        )
        return rows.explode("position", "key")

    normal = blocks("train_normal")
    assert compare(normal, blocks("test_normal_unique")).select("what", "certain").unique().rows() == [("new", False)]
    found = compare(normal, blocks("test_abnormal"))
    assert found["what"][:4].to_list() == ["new"] * 4
    assert found["certain"][:20].all()


def test_a_row_tells_what_its_keys_say():
    """Both messages where it is about two; nothing where no templates are given."""
    lines = pl.DataFrame({"message": ["open it", "read it", "close it"] * 40}).with_row_index("line", 1)
    templates = dl.Spell().fit(lines.with_columns(pl.col("line").cast(pl.UInt64)))
    rows = compare(made([1, 2, 3]), made([1, 3, 2]), templates=templates)
    assert rows.select("what", "says").rows() == [("reordered", "‘close it’ → ‘read it’")]
    assert compare(made([1, 2, 3]), made([1, 3, 2]))["says"].to_list() == [None]
