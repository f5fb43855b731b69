"""What an update says of itself."""

import polars as pl
import pytest

from deeplog_nb.frames import FrameError
from deeplog_nb.models.update import CHANGES, Update, no_changes


def changes(*rows: tuple[str, str, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=CHANGES, orient="row")


def test_an_update_is_told_in_a_line():
    """What was cleared, lost and new is counted, with the right word for one."""
    update = Update("model", changes(("cleared", "a", 3, 7), ("lost", "b", 0, None)))
    assert repr(update) == "Update(1 alarm cleared, 1 true anomaly lost, 0 new alarms)"
    assert update.accepted


def test_a_refused_update_says_why():
    """The figures, which are of what was taken, stand before the reason why the rest was not."""
    update = Update("model", no_changes(), refused="a canary is no longer flagged")
    assert not update.accepted
    assert repr(update).endswith("0 new alarms; not taken: a canary is no longer flagged)")


def test_what_is_allowed_and_not_learnt_is_no_refusal():
    """It is said, behind all else."""
    update = Update("model", no_changes(), refused="one", unlearnt="another")
    assert repr(update).endswith("0 new alarms; not taken: one; allowed, not learnt: another)")
    assert Update("model", no_changes(), unlearnt="another").accepted


def test_changes_keep_their_contract():
    """A frame with other columns is refused by name."""
    with pytest.raises(FrameError, match="change"):
        Update("model", pl.DataFrame({"session": ["a"]}))
