"""How well workflows are told apart and alarms explained over many seeds, and how fast."""

import numpy as np
import polars as pl
import pytest
from timing import row, seconds

from deeplog_nb.data.openstack import make_openstack
from deeplog_nb.evaluation.hdfs import hdfs
from deeplog_nb.evaluation.parts import numbered
from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import SESSIONS
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.ngram import NGram
from deeplog_nb.models.training import Training
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.workflow.workflow import Workflow
from tests.workflow.test_diagnose import MACHINE, ORDER, RULES, verdicts_of
from tests.workflow.truth import compared, stream

TAUS = (0.85, 0.9, 0.95)


def learnt(log, method, tau):
    if method == "co-occurrence":
        return Workflow.from_cooccurrence(log.sessions, tau=tau)
    models = [NGram(n).fit(log.sessions) for n in (1, 2, 3)] if method == "n-grams" else method
    return Workflow.from_model(log.sessions, models, tau=tau)


def shown(name, found):
    """Mean and lowest of each figure, and in how many runs all tasks were told apart."""
    part = "  ".join(f"{each} {found[each].mean():.4f} (lowest {found[each].min():.3f})" for each in found.columns[2:])
    print(f"{name:<14} all tasks {(found['tasks'] == found['truth']).sum()}/{found.height}  {part}")


@pytest.mark.parametrize("first", [0, 600])
@pytest.mark.parametrize("method", ["n-grams", "co-occurrence"])
def test_against_the_true_automata(method, first):
    """Twenty seeds and three taus; the methods were made on seeds 0 to 19, and no one had seen those from 600 on."""
    logs = [stream(seed) for seed in range(first, first + 20)]
    found = pl.DataFrame(
        [compared(learnt(log, method, tau), log.names, set(log.tasks)) for log in logs for tau in TAUS]
    )
    print()
    shown(f"{method}, {first}+", found)
    assert found["precision"].mean() > 0.98


def test_networks_against_the_true_automata():
    """Ten seeds: the LSTM with two history lengths."""
    found = []
    for seed in range(600, 610):
        log = stream(seed)
        training = Training(device="cpu", seed=seed)
        models = [KeyModel(history=h, layers=1, units=32, training=training).fit(log.sessions) for h in (2, 5)]
        found += [compared(learnt(log, models, tau), log.names, set(log.tasks)) for tau in TAUS]
    print()
    shown("LSTM, 600+", pl.DataFrame(found))


def test_diagnoses_against_planted_truth(tmp_path):
    """Twenty seeds, eight kinds, three each; alarms stand where they belong, so that only the diagnosis is judged."""
    counted = {kind: [0, 0] for kind in RULES}
    for seed in range(20):
        log = make_openstack(seed, vms=300, anomalies=3)
        lines = read(log.write(tmp_path / str(seed)))
        sessions = sessionize(Spell().fit(lines).parse(lines), by=MACHINE)
        normal = sessions.join(log.truth.filter(~pl.col("anomalous"), ~pl.col("open")), on="session", how="semi")
        keys = dict(
            log.lines.join(sessions.select("line", "key"), on="line")
            .group_by("step")
            .agg(pl.col("key").mode().first())
            .rows()
        )
        truth = log.truth.filter("anomalous")
        found = (
            Workflow.from_cooccurrence(normal).diagnose(verdicts_of(sessions, truth, RULES)).join(truth, on="session")
        )
        for one in found.to_dicts():
            named = keys[one["step"]] in [*one["expected"][:3], one["seen"]]
            slow = one["slow"] is not None and keys[one["step"]] == one["slow"][1]
            counted[one["kind"]][0] += slow if one["kind"] == "slow_step" else named
            counted[one["kind"]][1] += 1
    print()
    for kind, (right, number) in counted.items():
        print(f"{kind:<16} {right:>4} of {number}")
    assert sum(counted[kind][0] for kind in ORDER) >= 0.95 * sum(counted[kind][1] for kind in ORDER)


def test_hdfs_takes_seconds(data):
    """4,855 blocks; the whole test set judged."""
    data("hdfs/train_normal.parquet")
    parts = hdfs()
    model = KeyModel(training=Training(epochs=2)).fit(parts.train)
    print()
    row(
        "HDFS training blocks, from a fitted LSTM",
        4_855,
        "sessions",
        seconds(lambda: Workflow.from_model(parts.train, model)),
    )
    row("the same, from co-occurrence", 4_855, "sessions", seconds(lambda: Workflow.from_cooccurrence(parts.train)))
    workflow = Workflow.from_cooccurrence(parts.train)
    row("conformance of the HDFS test set", 570_204, "sessions", seconds(lambda: workflow.conformance(parts.test)))


def test_a_million_entries_in_one_sequence():
    """Tasks in any order, 2 % background: nothing repeats for long."""
    log = make_openstack(0, vms=200, anomalies=0, kinds=(), background=0).lines.drop_nulls("session")
    change = pl.col("task") != pl.col("task").shift(1)
    runs = (
        log.with_columns(turn=change.fill_null(True).cum_sum().over("session")).group_by("session", "turn").agg("step")
    )
    number = {name: at for at, name in enumerate(sorted(set(log["step"])), 1)}
    blocks = [np.array([number[name] for name in steps]) for steps in runs.sort("session", "turn")["step"].to_list()]
    chance = np.random.default_rng(0)
    keys = np.concatenate([blocks[at] for at in chance.integers(0, len(blocks), 200_000)])[:980_000]
    noise = len(number) + chance.integers(1, 4, 20_000)
    keys = np.insert(keys, np.sort(chance.integers(0, len(keys) + 1, 20_000)), noise)
    sessions = numbered(pl.DataFrame({"sequence": [keys.tolist()]}), "log").cast(dict(SESSIONS))
    ngrams = [NGram(n).fit(sessions) for n in (1, 2, 3)]
    network = KeyModel(training=Training(epochs=2)).fit(sessions.head(60_000))
    print()
    for name, learn in (
        ("1 million entries, from co-occurrence", lambda: Workflow.from_cooccurrence(sessions)),
        ("the same, from n-grams", lambda: Workflow.from_model(sessions, ngrams)),
        ("the same, from a fitted LSTM (h 10, 2 x 64)", lambda: Workflow.from_model(sessions, network)),
    ):
        row(name, 1_000_000, "entries", seconds(learn))
