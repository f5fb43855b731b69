"""What ``deeplog-nb evaluate`` runs: a data set's name and options in, the text to print out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from typing import Final

from deeplog_nb.evaluation.parts import Parts
from deeplog_nb.frames import InputError

DATASETS: Final = ("hdfs", "openstack", "bgl", "hadoop", "loghub")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of ``evaluate``."""
    command.add_argument("dataset", choices=DATASETS, help="a public log in the folder that DEEPLOG_NB_DATA names")
    command.add_argument("--seeds", type=int, default=1, help="train DeepLog by so many seeds (default: 1)")
    command.add_argument("--sweep", action="store_true", help="vary h, g, L and the units as in the paper's Figure 8")
    command.add_argument(
        "--feedback",
        action="store_true",
        help="what the answers of a person to the 50 most frequent patterns are worth",
    )


def texts(wanted: argparse.Namespace, progress: Callable[[str], None]) -> Iterator[str]:
    """What to print, part by part."""
    if wanted.dataset == "loghub":
        yield from _loghub(wanted.json)
        return
    parts = _parts(wanted.dataset)
    if wanted.sweep:
        from deeplog_nb.evaluation.sweep import sweep, sweep_text

        rows = sweep(parts, seeds=wanted.seeds, progress=progress)
        yield json.dumps({"dataset": parts.name, "sweep": rows.to_dicts()}) if wanted.json else sweep_text(rows)
        return
    if wanted.feedback:
        yield from _feedback(parts, wanted, progress)
        return
    from deeplog_nb.evaluation.table import table
    from deeplog_nb.evaluation.text import as_json, as_text

    found = table(parts, seeds=wanted.seeds, progress=progress)
    if wanted.dataset != "bgl":
        yield json.dumps(as_json(found)) if wanted.json else as_text(found)
        return
    from deeplog_nb.evaluation.online import online, online_text

    if not wanted.json:
        yield as_text(found)
    rows = online(seeds=wanted.seeds, progress=progress)
    yield json.dumps(as_json(found) | {"online": rows.to_dicts()}) if wanted.json else online_text(rows)


def _feedback(parts: Parts, wanted: argparse.Namespace, progress: Callable[[str], None]) -> Iterator[str]:
    from deeplog_nb.evaluation.feedback import feedback
    from deeplog_nb.evaluation.text import grid
    from deeplog_nb.verdicts.deeplog import DeepLog, Setting

    if parts.by_entry:
        raise InputError(f"{parts.name} has no sessions to answer for; evaluate {parts.name} answers entry by entry")
    for seed in range(wanted.seeds):
        progress(f"deeplog best, seed {seed}")
        fitted = DeepLog(Setting.best(seed)).fit(parts.train)
        found = feedback(fitted.learner, parts.test, parts.truth, normal=parts.train, seed=seed)
        refused = found.update.refused or "nothing"
        if wanted.json:
            told = {
                "dataset": parts.name,
                "seed": seed,
                "curve": found.curve.to_dicts(),
                "refused": found.update.refused,
            }
            yield json.dumps(told)
        else:
            rows = found.curve.gather_every(5).vstack(found.curve.tail(1))
            yield "\n".join([f"seed {seed}, refused: {refused}", *grid(rows.columns, rows.rows())])


def _parts(name: str) -> Parts:
    from deeplog_nb.evaluation.bgl import bgl
    from deeplog_nb.evaluation.hadoop import hadoop
    from deeplog_nb.evaluation.hdfs import hdfs
    from deeplog_nb.evaluation.openstack import openstack

    return {"hdfs": hdfs, "openstack": openstack, "bgl": bgl, "hadoop": hadoop}[name]()


def _loghub(as_object: bool) -> Iterator[str]:
    from deeplog_nb.evaluation.loghub import loghub
    from deeplog_nb.evaluation.text import grid

    rows = loghub()
    if as_object:
        yield json.dumps({"dataset": "loghub", "rows": rows.to_dicts()})
    else:
        yield "\n".join(grid(rows.columns, rows.rows()))
