"""The paper's online update again (section 5.3, Figure 10 and Table 5): a log whose keys drift, and a person's answers.

Settings of the paper: one layer of 256 units, h = 3, g = 6, the first 1 % or 10 % of the normal entries for training.
Units are entries. The false-alarm rate is false alarms over all entries, as its Table 5 must be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from deeplog_nb.data import make_bgl
from deeplog_nb.evaluation.adaptive import Adaptive, KnownKeys, Pairs, Ranked, Taught
from deeplog_nb.evaluation.parts import public
from deeplog_nb.evaluation.prequential import Pass, pass_through, persons
from deeplog_nb.evaluation.stream import HISTORY, Stream, generated_lines, stream
from deeplog_nb.evaluation.text import grid
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel, KeySettings

G: Final = 6
LEAST: Final = 1e-4  # of the probability, in the rows that ask for it: the house's usual rate of false alarms
SHARES: Final = (0.01, 0.1)
SETTINGS: Final = KeySettings(history=HISTORY, layers=1, units=256, start=False, end=False)
PUBLISHED: Final = {
    (0.01, "none"): (0.16, 1.00, 0.27, 0.401),
    (0.01, "all answered"): (0.82, 1.00, 0.90, 0.017),
    (0.1, "none"): (0.16, 1.00, 0.28, 0.382),
    (0.1, "all answered"): (0.88, 1.00, 0.93, 0.011),
}
"""Precision, recall, F1 and false-alarm rate that the paper prints for 4.7 million entries."""

Progress = Callable[[str], None]


def online(*, seeds: int = 1, progress: Progress = lambda _: None) -> pl.DataFrame:
    """A row for each log, training share, method and person: the real first 60,000 lines, then a log a seed.

    ``log, train, method, answers, precision, recall, f1, false_alarms, labels, updates, detect_ms, update_ms``; the
    last two are wall-clock time per judged entry. The figures of the paper, which had all 4.7 million lines, are rows.
    """
    logs = {"real": read(public("bgl", "bgl_lines_000001_060000.log.gz"), layout="bgl")}
    logs |= {f"seed {seed}": generated_lines(make_bgl(seed)) for seed in range(seeds)}
    rows = [*_published()]
    for name, lines in logs.items():
        for share in SHARES:
            progress(f"online update, {name}, {share:.0%} trains")
            rows += compared(name, share, stream(lines, share))
    return pl.DataFrame(rows)


def online_text(rows: pl.DataFrame) -> str:
    """The rows as a table."""
    head = [
        "online update, unit entry: L = 1, alpha = 256, h = 3, g = 6; the first share of the normal entries trains,",
        "all other entries, alerts before that too, are judged in the order of the log, each before it can be learnt;",
        "false_alarms: over all judged entries; ms: wall-clock time over all judged entries, each distinct pattern",
        "asked once between two answers; n answers: at even intervals, each of the most frequent alarm yet unanswered;",
        "what a person called normal is allowed as history and key; beyond that, lstm is taught it (1e-4: less",
        "probable than that is an alarm too, whatever its rank), n-gram counts it, unseen key admits the key, not",
        "taught learns nothing; of a key that was ever an alert nothing is learnt; what was confirmed stays an alarm",
    ]
    told = rows.with_columns(pl.col("detect_ms", "update_ms").round(4).cast(pl.String))
    return "\n".join([*head, *grid(told.columns, told.rows())])


def methods(train: pl.DataFrame) -> dict[str, Adaptive]:
    """Every method, fitted to these normal sessions."""
    model = KeyModel.of(SETTINGS).fit(train)
    return {
        "lstm": Taught(Ranked(model, G)),
        "lstm, 1e-4": Taught(Ranked(model, G, LEAST)),
        "lstm, not taught": Ranked(model, G),
        "n-gram": Pairs.fit(train, g=G),
        "unseen key": KnownKeys.fit(train),
    }


def compared(log: str, share: float, entries: Stream) -> Iterator[dict[str, object]]:
    """The rows of one log and training share: every method with every person."""
    for name, method in methods(entries.train).items():
        for answers, person in persons().items():
            done = pass_through(entries, method, person)
            yield {"log": log, "train": f"{share:.0%}", "method": name, "answers": answers, **_counted(done)}


def _counted(done: Pass) -> dict[str, object]:
    wrong = done.stream.abnormal
    tp, fp, fn = (int(each.sum()) for each in (done.flags & wrong, done.flags & ~wrong, ~done.flags & wrong))
    n = len(wrong)
    return {
        "precision": tp / max(tp + fp, 1),
        "recall": tp / max(tp + fn, 1),
        "f1": 2 * tp / max(2 * tp + fp + fn, 1),
        "false_alarms": fp / n,
        "labels": done.labels,
        "updates": done.updates,
        "detect_ms": 1000 * done.judging / n,
        "update_ms": 1000 * done.learning / n,
    }


def _published() -> Iterator[dict[str, object]]:
    names = ("precision", "recall", "f1", "false_alarms")
    for (share, answers), figures in PUBLISHED.items():
        told = dict(zip(names, figures, strict=True))
        yield {"log": "paper", "train": f"{share:.0%}", "method": "lstm", "answers": answers, **told}
