"""HDFS logs of many blocks at once, with planted anomalies and their truth.

A block is written to three replicas in parallel, may be read, verified and replicated, and is deleted in
most cases. The entries imitate real Hadoop logs and copy none. The words are in ``hdfs_words``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from deeplog_nb.data.acceptor import Acceptor
from deeplog_nb.data.generated import KINDS, Generated, assemble
from deeplog_nb.data.grammar import Node, both, either, maybe, repeat, seq, step, task, wait
from deeplog_nb.data.hdfs_words import Words, block, size
from deeplog_nb.data.planting import plant
from deeplog_nb.data.runs import Beat, Run
from deeplog_nb.data.timing import simulate
from deeplog_nb.data.world import Unseen, World


def _replica(part: int) -> Node:
    """What one data node writes when it has its copy, and the name node when it hears of it."""
    return seq(
        wait(3.6 - 1.4 * part, 0.1),  # the last in the pipeline is done first
        both(step("responder", 0.1, 0.25, part=part), step("received", 0.14, 0.25, part=part)),
        step("stored", 0.7, 0.35, part=part),
    )


WRITE: Final = task(
    "write",
    both(
        step("allocate", 0.25, 0.4),
        seq(*(step("receiving", seconds, 0.4, part=part) for part, seconds in enumerate((0.4, 0.8, 0.9)))),
    ),
    wait(30, 0.25, load=1.0),  # the transfer
    both(_replica(0), _replica(1), _replica(2)),
)
READ: Final = task("read", wait(70, 0.7), either(0.55, step("served", 0.3), step("serving_failed", 0.3)))
VERIFY: Final = task("verify", wait(150, 0.5), step("verified", 0.2))
REPLICATE: Final = task(
    "replicate",
    wait(60, 0.5),
    step("ask", 0.5),
    step("transfer_started", 1.5, 0.3),
    step("receiving", 2.0, 0.3, part=3),
    both(step("received_copy", 9.0, 0.3, part=3), step("transmitted", 9.0, 0.3)),
    step("stored", 0.6, 0.5, part=3),
)
DELETE: Final = task(
    "delete",
    wait(160, 0.4),
    *(step("invalidated", 0.002, part=part) for part in range(3)),
    *(step("deleted", seconds, 0.3, part=part) for part, seconds in enumerate((25.0, 15.0, 15.0))),
)
LIFE: Final = seq(
    WRITE,
    both(repeat((0.45, 0.3, 0.15, 0.1), READ), maybe(0.15, VERIFY), maybe(0.07, REPLICATE)),
    maybe(0.75, DELETE),
)
"""The normal life of a block; a quarter of the blocks are kept."""

_SLOW: Final = frozenset(
    {
        ("receiving", "responder"),
        ("receiving", "received"),
        ("allocate", "responder"),
        ("allocate", "received"),
        ("invalidated", "deleted"),
        ("deleted", "deleted"),
    }
)
_VALUES: Final = (("received", "stored"), ("stored",))
_UNSEEN: Final = (
    Unseen("write_failed", ("receiving",), fatal=True),
    Unseen("receive_failed", ("receiving", "allocate"), fatal=True),
    Unseen("responder_timed_out", ("receiving", "responder")),
    Unseen("replication_timed_out", ("stored", "served")),
    Unseen("no_file", ("stored", "verified", "invalidated")),
    Unseen("not_in_map", ("deleted", "invalidated")),
    Unseen("redundant", ("stored",)),
    Unseen("offset_changed", ("receiving",)),
)


def make_hdfs(
    seed: int,
    *,
    blocks: int = 600,
    anomalies: int | None = None,
    kinds: Sequence[str] = KINDS,
    clean: float = 0.5,
    background: float = 0.02,
) -> Generated:
    """The log of so many blocks on a cluster, and its truth; one session is one block id.

    ``anomalies`` is the number planted of each kind (default: 3 % of the sessions in all); none begins in
    the first ``clean`` share of the time. ``background`` entries per second name no block.
    Raises InputError where the sessions after the clean share cannot take so many.

    >>> log = make_hdfs(7, blocks=120, anomalies=1)
    >>> log
    Generated(2280 lines, 120 sessions, 8 anomalous)
    >>> log.text[:74]
    '260302 080001 34 INFO dfs.FSNamesystem: BLOCK* NameSystem.allocateBlock: /'
    >>> log.truth.filter("anomalous").select("kind", "level", "step", "impossible").head(3)
    shape: (3, 4)
    ┌───────────────┬────────┬───────────┬────────────┐
    │ kind          ┆ level  ┆ step      ┆ impossible │
    │ ---           ┆ ---    ┆ ---       ┆ ---        │
    │ str           ┆ f64    ┆ str       ┆ bool       │
    ╞═══════════════╪════════╪═══════════╪════════════╡
    │ missing_step  ┆ null   ┆ receiving ┆ true       │
    │ slow_step     ┆ 2.3036 ┆ deleted   ┆ false      │
    │ swapped_order ┆ null   ┆ stored    ┆ true       │
    └───────────────┴────────┴───────────┴────────────┘
    """
    rng = Random(seed)
    runs = simulate(LIFE, [block(rng) for _ in range(blocks)], rng, every=12.0, usual=25.0)
    runs = [replace(run, beats=tuple(_with_size(beat, run) for beat in run.beats)) for run in runs]
    end = runs[-1].beats[0].time + 120_000
    acceptor = Acceptor(LIFE)
    world = World(acceptor, _SLOW, _VALUES, _UNSEEN, resolution=1000)
    planted = plant(runs, world, rng, number=anomalies, kinds=kinds, clean=clean, end=end)
    words = Words(Random(f"words {seed}"))
    records = [*words.background(end, background)]
    records += [record for run in planted for record in words.session(run)]
    return assemble(planted, records, acceptor)


def _with_size(beat: Beat, run: Run) -> Beat:
    told = beat.key in ("received", "stored", "received_copy")
    return replace(beat, amount=float(size(run.session))) if told else beat
