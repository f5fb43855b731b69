"""OpenStack nova logs of many virtual machines at once, with planted anomalies and their truth.

The life of a machine is the DeepLog paper's workload (section 5.1) with the order of creation of its
Figure 11; the entries imitate real nova logs and copy none. The words are in ``openstack_words``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from deeplog_nb.data.acceptor import Acceptor
from deeplog_nb.data.generated import KINDS, Generated, assemble
from deeplog_nb.data.grammar import both, either, maybe, repeat, seq, step, task, wait
from deeplog_nb.data.openstack_words import Words, flavour, uuid
from deeplog_nb.data.planting import plant
from deeplog_nb.data.runs import Beat, Run, since
from deeplog_nb.data.timing import simulate
from deeplog_nb.data.world import Unseen, World

CREATE: Final = task(
    "create",
    step("claim_attempt", 0.08),
    step("total_memory", 0.002),
    step("memory_limit", 0.002),
    step("total_disk", 0.002),
    step("disk_unlimited", 0.002),
    step("total_vcpu", 0.002),
    step("vcpu_unlimited", 0.002),
    step("claim_successful", 0.03),
    step("creating_image", 0.6, 0.15),
    step("vm_started", 11.0, 0.12),
    step("vm_paused", 0.07),
    maybe(0.92, step("sync_spawning", 0.12)),
    step("vm_resumed", 5.5, 0.12),
    step("spawned", 0.008),
    step("took_spawn", 0.002),
    both(
        seq(maybe(0.92, step("sync_spawning", 0.1, 0.5)), step("vm_resumed", 0.03, 0.8)),
        step("took_build", 0.12, 0.5),
    ),
)
STOP: Final = task(
    "stop",
    wait(14),
    either(0.94, step("shutdown", 2.6, 0.2), step("shutdown_failed", 60, 0.01, load=0)),
    both(step("destroyed", 0.3, 0.4), seq(step("vm_stopped", 0.3, 0.4), maybe(0.1, step("sync_powering_off", 0.1)))),
)
START: Final = task(
    "start",
    wait(10),
    step("vm_started", 4.2, 0.15),
    both(step("vm_resumed", 0.05, 0.5), step("rebooted", 0.06, 0.5)),
)
PAUSE: Final = task("pause", wait(9), step("pausing", 0.1), step("vm_paused", 0.25))
UNPAUSE: Final = task("unpause", wait(6), step("unpausing", 0.1), step("vm_resumed", 0.2))
SUSPEND: Final = task(
    "suspend", wait(9), step("suspending", 0.1), step("vm_paused", 1.9, 0.15), step("vm_stopped", 3.2, 0.15)
)
RESUME: Final = task("resume", wait(7), step("resuming", 0.1), step("vm_started", 2.7, 0.15), step("vm_resumed", 0.1))
DELETE: Final = task(
    "delete",
    wait(8),
    step("terminating", 0.1),
    step("destroyed", 0.22),
    maybe(0.06, step("sync_deleting", 0.1)),
    step("deleting_files", 0.65),
    step("files_deleted", 0.003),
    step("took_destroy", 0.12),
    step("took_deallocate", 0.5),
    step("vm_stopped", 12.5, 0.1),
)
_TIMES: Final = (0.4, 0.3, 0.2, 0.1)  # a pair of tasks 0, 1, 2 or 3 times
LIFE: Final = seq(
    CREATE,
    repeat(_TIMES, seq(STOP, START)),
    repeat(_TIMES, seq(PAUSE, UNPAUSE)),
    repeat(_TIMES, seq(SUSPEND, RESUME)),
    DELETE,
)
"""The normal life of a machine: Create (Stop Start){0,3} (Pause Unpause){0,3} (Suspend Resume){0,3} Delete."""

_ANCHORS: Final = {
    "took_spawn": "creating_image",
    "took_build": "claim_attempt",
    "took_destroy": "terminating",
    "took_deallocate": "took_destroy",
}
_SLOW: Final = frozenset(
    {
        ("creating_image", "vm_started"),
        ("claim_successful", "creating_image"),
        ("sync_spawning", "vm_resumed"),
        ("destroyed", "deleting_files"),
        ("took_deallocate", "vm_stopped"),
        ("suspending", "vm_paused"),
        ("resuming", "vm_started"),
        ("pausing", "vm_paused"),
    }
)
_VALUES: Final = (
    ("took_build",),
    ("total_memory", "memory_limit"),
    ("took_deallocate",),
    ("total_vcpu",),
    ("total_disk",),
)
_UNSEEN: Final = (
    Unseen("network_failed", ("creating_image",), fatal=True),
    Unseen("destroy_failed", ("terminating",)),
    Unseen("unfilter_failed", ("destroyed", "sync_deleting")),
    Unseen("disk_full", ("creating_image",), fatal=True),
    Unseen("spawn_failed", ("vm_started", "creating_image"), fatal=True),
    Unseen("files_left", ("deleting_files",)),
    Unseen("set_to_error", ("unpausing", "resuming", "suspending"), fatal=True),
    Unseen("crashed", ("took_build", "rebooted")),
)


def make_openstack(
    seed: int,
    *,
    vms: int = 400,
    anomalies: int | None = None,
    kinds: Sequence[str] = KINDS,
    clean: float = 0.5,
    background: float = 0.25,
) -> Generated:
    """The log of so many virtual machines on one node, and its truth; one session is one instance id.

    ``anomalies`` is the number planted of each kind (default: 3 % of the sessions in all); none begins in
    the first ``clean`` share of the time. ``background`` requests per second, and the periodic tasks, carry
    no instance id; 0 leaves the sessions alone in the log.
    Raises InputError where the sessions after the clean share cannot take so many.

    >>> log = make_openstack(7, vms=60, anomalies=1)
    >>> log
    Generated(2510 lines, 60 sessions, 8 anomalous)
    >>> log.text.splitlines()[0].split(" [req-")[0]
    'nova-api.log.2026-03-02_00:00:00 2026-03-02 00:00:00.618 24118 INFO nova.osapi_compute.wsgi.server'
    >>> log.truth.filter("anomalous").select("kind", "level", "step", "impossible").head(3)
    shape: (3, 4)
    ┌────────────────┬────────┬────────────────┬────────────┐
    │ kind           ┆ level  ┆ step           ┆ impossible │
    │ ---            ┆ ---    ┆ ---            ┆ ---        │
    │ str            ┆ f64    ┆ str            ┆ bool       │
    ╞════════════════╪════════╪════════════════╪════════════╡
    │ slow_step      ┆ 2.6251 ┆ vm_stopped     ┆ false      │
    │ swapped_order  ┆ null   ┆ destroyed      ┆ true       │
    │ unseen_message ┆ null   ┆ network_failed ┆ true       │
    └────────────────┴────────┴────────────────┴────────────┘
    """
    rng = Random(seed)
    runs = simulate(LIFE, [uuid(rng) for _ in range(vms)], rng, every=20.0, usual=12.0)
    runs = [since(run, _ANCHORS) for run in _claimed(runs)]
    end = runs[-1].beats[0].time + 90_000
    acceptor = Acceptor(LIFE)
    world = World(acceptor, _SLOW, _VALUES, _UNSEEN, resolution=1)
    planted = plant(runs, world, rng, number=anomalies, kinds=kinds, clean=clean, end=end)
    words = Words(Random(f"words {seed}"))
    records = [*words.background(runs, end, background)]
    records += [record for run in planted for record in words.session(run)]
    return assemble(planted, records, acceptor)


def _claimed(runs: list[Run]) -> Iterator[Run]:
    """The runs whose claims tell what the machines before them use: memory, disk, processors."""
    earlier: list[tuple[int, str]] = []
    for run in runs:
        at = run.beats[0].time
        earlier = [(end, session) for end, session in earlier if end > at]
        used = [sum(sizes) for sizes in zip(*(flavour(session) for _, session in earlier), strict=True)] or [0, 0, 0]
        yield replace(run, beats=tuple(_with_amount(beat, *used) for beat in run.beats))
        earlier.append((run.beats[-1].time, run.session))


def _with_amount(beat: Beat, memory: int, disk: int, vcpus: int) -> Beat:
    memory += 512  # what the node itself keeps
    amounts = {"total_memory": memory, "memory_limit": memory, "total_disk": disk, "total_vcpu": vcpus}
    return replace(beat, amount=float(amounts[beat.key])) if beat.key in amounts else beat
