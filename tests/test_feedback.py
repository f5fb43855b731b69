"""Label, update, fewer alarms; and taken back, refused or poisoned, as a user of a case meets it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

import deeplog_nb as dl

POISON = 50  # malicious answers


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A fitted detector, the log that it judges, and what is true of its machines."""
    log = dl.make_openstack(5, vms=260, anomalies=6)
    lines = dl.read(log.write(tmp_path_factory.mktemp("log")))
    normal = dl.first_half(lines)
    quick = dl.KeyModel(training=dl.Training(epochs=12, device="cpu"))
    detector = dl.Detector.fit(normal, keys=quick)
    return detector, lines, dl.second_half(detector.judge(lines), normal), log.truth


def of_kind(world, kind: str) -> list[str]:
    """The flagged machines of this kind; those of nobody's are false alarms."""
    _, _, verdicts, truth = world
    found = verdicts.filter("anomalous").select("session").unique(maintain_order=True).join(truth, on="session")
    return found.filter(pl.col("kind").eq_missing(pl.lit(kind or None)))["session"].to_list()


def flagged(detector, lines) -> set[str]:
    return set(detector.judge(lines).filter("anomalous")["session"].drop_nulls())


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_was_said_to_be_normal_is_no_alarm_any_more(world, tmp_path):
    """The machine is cleared, nothing else changes, and the saved detector says the same."""
    detector, lines, verdicts, _ = world
    case, odd = dl.Case(tmp_path / "case"), of_kind(world, "missing_step")[0]
    case.mark(verdicts, "normal", session=odd, who="kim")
    update = detector.update(case, lines=lines)
    after = flagged(update.model, lines)
    assert odd not in after
    assert after < flagged(detector, lines)
    assert (update.refused, update.count("lost"), update.count("new")) == (None, 0, 0)
    update.model.save(tmp_path / "model")
    assert flagged(dl.load(tmp_path / "model"), lines) == after


def test_an_answer_that_is_undone_is_an_alarm_again(world, tmp_path):
    """The case keeps both rows; the detector is as it was."""
    detector, lines, verdicts, _ = world
    case, odd = dl.Case(tmp_path), of_kind(world, "missing_step")[0]
    label = case.mark(verdicts, "normal", session=odd)["id"][0]
    told = detector.update(case).model
    case.undo(label)
    assert odd not in flagged(told, lines)
    assert flagged(told.update(case).model, lines) == flagged(detector, lines)


def test_rolling_back_gives_the_very_files(world, tmp_path):
    """The model before the update, bit by bit, and its verdicts."""
    detector, lines, verdicts, _ = world
    case = dl.Case(tmp_path)
    first = case.add_model("first", detector.save, "fitted")
    kept = files(first)
    case.mark(verdicts, "normal", session=of_kind(world, "extra_step")[0])
    case.add_model("second", detector.update(case).model.save, "an answer")
    assert case.model() != first
    assert files(case.roll_back()) == kept
    assert flagged(dl.load(case.model()), lines) == flagged(detector, lines)


@pytest.mark.parametrize("kind", ["missing_step", "extra_step", "swapped_order", "wrong_branch", "unseen_message"])
def test_an_answer_that_would_lose_a_confirmed_anomaly_is_refused(world, tmp_path, kind):
    """Of every kind, entry or session: the pattern is not allowed, and the anomaly stays an alarm."""
    detector, lines, verdicts, _ = world
    for number, odd in enumerate(of_kind(world, kind)[:4]):
        case = dl.Case(tmp_path / f"{number}")
        case.mark(verdicts, "anomaly", session=odd, who="kim")
        case.mark(verdicts, "normal", session=odd, who="mallory")
        for position in verdicts.filter("anomalous", pl.col("session") == odd)["position"]:
            case.mark(verdicts, "normal", session=odd, position=position, who="mallory")
        update = detector.update(case)
        assert "confirmed anomalies" in update.refused
        assert f"normal by label 2 (session {odd})" in update.refused
        assert f"an anomaly by label 1 (session {odd})" in update.refused
        assert odd in flagged(update.model, lines)


def test_who_confirmed_an_anomaly_may_take_it_for_normal_after_all(world, tmp_path):
    """The second word of the same person counts; taken back, the first one does."""
    detector, lines, verdicts, _ = world
    case, odd = dl.Case(tmp_path), of_kind(world, "missing_step")[0]
    case.mark(verdicts, "anomaly", session=odd, who="kim")
    label = case.mark(verdicts, "normal", session=odd, who="kim")["id"][0]
    update = detector.update(case)
    assert (update.refused, odd in flagged(update.model, lines)) == (None, False)
    case.undo(label)
    assert odd in flagged(update.model.update(case).model, lines)
    assert case.labels()["verdict"].to_list() == ["anomaly"]


def test_fifty_poisoned_answers_silence_no_more_than_they_name(world, tmp_path):
    """All machines of two kinds were called normal; what was confirmed stays, and no other kind is missed more."""
    detector, lines, verdicts, truth = world
    case, attacked = dl.Case(tmp_path), ("wrong_branch", "swapped_order")
    confirmed = [odd for kind in ("missing_step", "extra_step", "cut_short") for odd in of_kind(world, kind)[:2]]
    for odd in confirmed:
        case.mark(verdicts, "anomaly", session=odd)
    said = pl.concat(case.mark(verdicts, "normal", session=odd) for kind in attacked for odd in of_kind(world, kind))
    assert 0 < len(said) <= POISON
    before, after = flagged(detector, lines), flagged(detector.update(case, lines=lines).model, lines)
    assert set(confirmed) <= after
    others = set(truth.filter("anomalous", ~pl.col("kind").is_in(attacked))["session"])
    assert before & others == after & others


def test_a_wait_that_is_normal_is_learnt_with_the_lines_at_hand(world, tmp_path):
    """Without them it is allowed; with them the value model has it as an example too."""
    detector, lines, verdicts, _ = world
    slow = verdicts.filter("timing").row(0, named=True)
    case = dl.Case(tmp_path)
    case.mark(verdicts, "normal", session=slow["session"], position=slow["position"])
    updates = detector.update(case), detector.update(case, lines=lines)
    without, with_lines = (update.model for update in updates)
    assert updates[0].unlearnt.startswith(
        f"label 1 (session {slow['session']}, position {slow['position']}), of a value"
    )
    assert (updates[0].refused, updates[1].unlearnt, without.update(case).unlearnt) == (
        None,
        None,
        updates[0].unlearnt,
    )
    for each in (without, with_lines):
        judged = each.judge(lines).filter(session=slow["session"], position=slow["position"])
        assert judged["anomalous"].to_list() == [False]
    assert without.values is detector.values
    assert with_lines.values is not detector.values


def test_an_answer_is_learnt_once(world, tmp_path):
    """Updating twice by the same answers changes nothing the second time."""
    detector, _, verdicts, _ = world
    case, odd = dl.Case(tmp_path), of_kind(world, "unseen_message")[0]
    case.mark(verdicts, "normal", session=odd)
    once = detector.update(case).model
    twice = once.update(case).model
    assert twice.keys is once.keys
    assert twice.learnt == once.learnt


@pytest.mark.parametrize("no_answers", [None, "incident"])
def test_what_holds_no_answers_is_named(world, no_answers):
    """A folder's name is no case."""
    with pytest.raises(dl.InputError, match=r"give a dl\.Case\(folder\)"):
        world[0].update(no_answers)


def test_lines_that_are_no_frame_are_named(world, tmp_path):
    """A path or a list of texts is not yet read."""
    with pytest.raises(dl.FrameError, match=r"not of type str; dl\.read\(path\) gives one"):
        world[0].update(dl.Case(tmp_path), lines="app.log")


def test_answers_of_another_detector_are_left_out_and_named(world, tmp_path):
    """Its keys are other numbers; answered anew for this one's alarms, the same session is cleared."""
    detector, lines, verdicts, _ = world
    other = dl.Detector.fit(lines.tail(1500), keys=dl.KeyModel(training=dl.Training(epochs=2, device="cpu")))
    case, odd = dl.Case(tmp_path), of_kind(world, "missing_step")[0]
    case.mark(other.judge(lines).filter(session=odd).with_columns(anomalous=True), "normal", session=odd, position=1)
    update = detector.update(case, lines=lines)
    assert update.refused.startswith(f"label 1 (session {odd}, position 1): of another detector's alarms")
    assert (len(update.changes), update.model.allowed) == (0, ())
    case.mark(verdicts, "normal", session=odd)
    assert odd not in flagged(detector.update(case).model, lines)


def test_what_the_lines_do_not_hold_is_named_and_the_rest_is_learnt(world, tmp_path):
    """A wait of yesterday's log, with the lines of today: allowed, not learnt; the other answer is in effect."""
    detector, lines, verdicts, _ = world
    slow, odd = verdicts.filter("timing").row(0, named=True), of_kind(world, "missing_step")[0]
    case = dl.Case(tmp_path)
    case.mark(verdicts, "normal", session=slow["session"], position=slow["position"])
    case.mark(verdicts, "normal", session=odd)
    update = detector.update(case, lines=lines.filter(~pl.col("message").str.contains(slow["session"])))
    assert update.refused.startswith("value model: the lines do not hold what label 1")
    assert odd not in flagged(update.model, lines)


def test_the_second_update_clears_nothing_twice(world, tmp_path):
    """What was allowed before was cleared then."""
    detector, _, verdicts, _ = world
    case = dl.Case(tmp_path)
    case.mark(verdicts, "normal", session=of_kind(world, "missing_step")[0])
    once = detector.update(case)
    assert (once.count("cleared"), once.model.update(case).count("cleared")) == (1, 0)


def test_an_answer_that_expires_is_an_alarm_again_everywhere(world, tmp_path, monkeypatch):
    """In a saved detector and in a stream that runs; and nothing has learnt it."""
    detector, lines, verdicts, _ = world
    case, odd = dl.Case(tmp_path / "case"), of_kind(world, "missing_step")[0]
    until = dt.datetime(2100, 1, 1)
    case.mark(verdicts, "normal", session=odd, until=until)
    update = detector.update(case, lines=lines)
    assert (update.model.keys, update.model.counts) == (detector.keys, detector.counts)
    update.model.save(tmp_path / "model")
    loaded = dl.load(tmp_path / "model")
    own = lines.filter(pl.col("message").str.contains(odd))
    stream = loaded.stream()
    assert odd not in flagged(loaded, lines)
    assert not pl.concat([stream.push(own), stream.close()])["anomalous"].any()

    class Later(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return until.replace(tzinfo=tz)

    monkeypatch.setattr("deeplog_nb.verdicts.learner.datetime", Later)
    assert odd in flagged(loaded, lines)
    assert pl.concat([stream.push(own), stream.close()])["anomalous"].any()


def test_an_answer_without_end_beside_one_that_expires_lasts(world, tmp_path):
    """Of two people one said until when."""
    detector, _, verdicts, _ = world
    case, odd = dl.Case(tmp_path), of_kind(world, "missing_step")[0]
    case.mark(verdicts, "normal", session=odd, who="kim", until=dt.datetime(2100, 1, 1))
    assert [*detector.update(case).model.until.values()] == [dt.datetime(2100, 1, 1)]
    case.mark(verdicts, "normal", session=odd, who="lee")
    assert detector.update(case).model.until == {}
