"""How long value models take to train, by the number of keys; and those of the real OpenStack log."""

import time

import numpy as np
import polars as pl
import pytest

from deeplog_nb.detector import _session_id
from deeplog_nb.events.spell import Spell
from deeplog_nb.lines.read import read
from deeplog_nb.models.training import Training
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.sessionize import sessionize


def sessions(keys: int, each: int = 400) -> pl.DataFrame:
    """Sessions of every key in turn, with waits that vary."""
    rng = np.random.default_rng(0)
    rows = {"session": np.repeat(np.arange(each), keys), "position": np.tile(np.arange(keys), each)}
    waits = np.where(rows["position"] == 0, np.nan, rng.lognormal(size=keys * each))
    frame = pl.DataFrame(rows | {"key": rows["position"] + 1, "elapsed": waits}, nan_to_null=True)
    typed = {"position": pl.UInt32, "key": pl.UInt32, "session": pl.String}
    return frame.cast(typed).with_columns(count=pl.lit(1, pl.UInt32), open=pl.lit(False))


def seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@pytest.mark.parametrize("keys", [10, 50, 200, 500])
def test_training_by_the_number_of_keys(keys):
    """One step trains all series at once, so time grows more slowly than their number."""
    train = sessions(keys)
    ValueModel(training=Training(epochs=1, draws=64)).fit(sessions(2))  # torch loads its optimizers when first used
    spent = seconds(lambda: ValueModel().fit(train))
    print(f"\n{f'value models of {keys} keys, 400 vectors each':<48} {keys / spent:>14,.1f} keys/s   {spent:>8.2f} s")


def test_training_on_the_real_openstack_log(data):
    """All value models of the log, typing of the parameters and bounds included."""
    lines = read(data("openstack/raw_normal1_instances.log.gz"))
    templates = Spell().fit(lines)
    train = sessionize(templates.parse(lines), by=_session_id(lines))
    ValueModel(training=Training(epochs=1, draws=64)).fit(sessions(2))
    spent = seconds(lambda: ValueModel().fit(train, templates=templates))
    print(f"\n{'value models of OpenStack (556 machines)':<48} {spent:>35.2f} s")
    assert spent < 60
