"""The generated RAS log keeps its promises: keys come and go, alerts come in bursts, some with normal words."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.data import LINE_TRUTH, TRUTH, Generated, make_bgl
from deeplog_nb.data.bgl_routines import COMING, FOUNDING, OWN, SHARED
from deeplog_nb.data.bgl_words import MESSAGES
from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import InputError
from deeplog_nb.lines.read import read

LINES = 30_000
seeds = pytest.mark.parametrize("seed", [1, 2, 3])


@cache
def made(seed: int) -> Generated:
    return make_bgl(seed, lines=LINES)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder: Path = tmp_path_factory.mktemp("bgl")
    return read(made(1).write(folder, "bgl.log"), layout="bgl")


def normal(seed: int) -> pl.DataFrame:
    return made(seed).lines.filter(pl.col("kind").is_null())


def alerts(seed: int) -> pl.DataFrame:
    return made(seed).lines.drop_nulls("kind")


def new_after(seed: int, share: float) -> float:
    """Share of the later normal lines whose message the first normal ones do not have."""
    first = int(len(normal(seed)) * share)
    known = normal(seed)["step"].head(first).unique()
    return 1 - normal(seed)["step"].slice(first).is_in(known.implode()).mean()


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A log is a matter of its seed and arguments alone."""
    again, other = make_bgl(5, lines=2000), make_bgl(6, lines=2000)
    assert make_bgl(5, lines=2000).text == again.text
    assert make_bgl(5, lines=2000).truth.equals(again.truth)
    assert other.text != again.text


def test_frames_have_their_columns() -> None:
    """The columns of the other generators; no line has a session, each has its number."""
    assert dict(made(1).truth.schema) == TRUTH
    assert dict(made(1).lines.schema) == LINE_TRUTH
    assert made(1).lines["session"].null_count() == LINES
    assert made(1).lines["line"].to_list() == list(range(1, LINES + 1))


def test_the_layout_reads_every_line_in_time_order(lines: pl.DataFrame) -> None:
    """What ``read`` finds: as many lines as asked for, all matched, times that never run back."""
    assert (len(lines), lines["matched"].all(), lines["time"].is_sorted()) == (LINES, True, True)
    assert lines["epoch"].cast(pl.Int64).equals(lines["time"].dt.epoch("s"), check_names=False)
    assert (lines["node"] == lines["place"]).all()


def test_the_label_is_the_kind(lines: pl.DataFrame) -> None:
    """The first column is the alert label of the truth, or a dash."""
    assert lines["label"].equals(made(1).lines["kind"].fill_null("-"), check_names=False)


def test_every_message_is_one_template(lines: pl.DataFrame) -> None:
    """The parser tells all messages apart and none into two."""
    keys = Spell().fit(lines).parse(lines, parameters=False)["key"]
    pairs = pl.DataFrame({"key": keys, "step": made(1).lines["step"]}).unique()
    assert len(pairs) == pairs["key"].n_unique() == pairs["step"].n_unique()


@seeds
def test_many_normal_messages_come_late(seed: int) -> None:
    """Two fifths or more of the normal lines are new to who read the first hundredth, a quarter to who read a tenth."""
    assert new_after(seed, 0.01) > 0.4
    assert 0.25 < new_after(seed, 0.1) <= new_after(seed, 0.01)


@seeds
def test_messages_come_into_use_and_go_out_of_use(seed: int) -> None:
    """Ten or more first come in the second half; ten or more of the first half are gone in the last quarter."""
    spans = normal(seed).group_by("step").agg(first=pl.col("line").min(), last=pl.col("line").max())
    assert spans.filter(pl.col("first") > LINES / 2).height >= 10
    assert spans.filter(pl.col("first") < LINES / 2, pl.col("last") < 0.75 * LINES).height >= 10


@seeds
def test_alerts_are_as_many_as_promised(seed: int) -> None:
    """About 7 % of the lines; about a quarter of them have a message that normal lines have too."""
    also_normal = alerts(seed)["step"].is_in(normal(seed)["step"].unique().implode())
    assert 0.04 < len(alerts(seed)) / LINES < 0.1
    assert 0.1 < also_normal.mean() < 0.45


@seeds
def test_own_messages_are_never_normal_and_shared_ones_are(seed: int) -> None:
    """What only alerts say, no normal line says; what is shared, a normal line says somewhere."""
    steps = set(normal(seed)["step"])
    own, shared = ({step for routine in group for step in routine.labels} for group in (OWN, SHARED))
    assert own & steps == set()
    assert shared <= steps
    assert set(alerts(seed)["step"]) <= own | shared


@seeds
def test_order_tells_a_shared_message_that_is_an_alert(seed: int) -> None:
    """Nearly no alert comes after the same three messages as some normal line does."""
    rows = made(seed).lines.with_columns(steps=pl.concat_list(*(pl.col("step").shift(back) for back in range(4))))
    usual = rows.filter(pl.col("kind").is_null())["steps"].unique()
    mistaken = rows.drop_nulls("kind").join(usual.to_frame(), on="steps", how="semi")
    assert len(mistaken) / len(alerts(seed)) < 0.01


@seeds
def test_an_alert_comes_many_times(seed: int) -> None:
    """Bursts: two alerts in three are followed at once by the same alert."""
    kinds = made(seed).lines.select("kind", following=pl.col("kind").shift(-1)).drop_nulls("kind")
    assert (kinds["kind"] == kinds["following"]).sum() / len(kinds) > 0.66


@seeds
def test_order_can_be_learnt(seed: int) -> None:
    """Nine lines in ten come after three messages that they have come after before."""
    lines = made(seed).lines.select(pl.concat_list(*(pl.col("step").shift(back) for back in range(4))).alias("steps"))
    assert lines["steps"].n_unique() / LINES < 0.1


def test_nodes_are_interleaved(lines: pl.DataFrame) -> None:
    """A third of the lines or more come from another place than the line before, and some from another routine."""
    assert (lines["node"] != lines["node"].shift(1)).mean() > 0.33
    tasks = made(1).lines["task"]
    assert 0.02 < (tasks != tasks.shift(1)).mean() < 0.1


def test_truth_points_at_the_first_line_of_each_burst() -> None:
    """Each row's line is an alert of its kind; the first alert of all is the first row's."""
    told = made(1).truth.join(made(1).lines, on="line")
    assert told["kind"].equals(told["kind_right"], check_names=False)
    assert made(1).truth["line"][0] == alerts(1)["line"][0]
    assert set(made(1).truth["kind"]) == set(alerts(1)["kind"])


def test_alerts_are_an_option() -> None:
    """None at all, or only such as say what is normal elsewhere."""
    assert make_bgl(1, lines=3000, alerts=0).truth.is_empty()
    only = set(make_bgl(1, lines=6000, shared=1).truth["step"])
    assert only <= {"stream_closed", "power_unread", "mount_retry"}


def test_shares_that_are_none_are_refused() -> None:
    """The message says what came."""
    with pytest.raises(InputError, match=r"alerts 1\.5"):
        make_bgl(1, alerts=1.5)
    with pytest.raises(InputError, match="lines is 0"):
        make_bgl(1, lines=0)


def test_every_message_is_used() -> None:
    """No words without a routine."""
    from deeplog_nb.data.acceptor import alphabet

    used = {key for routine in (*FOUNDING, *COMING, *OWN, *SHARED) for key in alphabet(routine.body)}
    assert used == set(MESSAGES)
