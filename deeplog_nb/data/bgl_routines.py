"""What goes on in a Blue Gene/L-like machine: routines that repeat, normal ones and those that raise alerts.

A routine is a small grammar, run on one place or on many one after another. When it runs is said in ``bgl``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deeplog_nb.data.grammar import Both, Choice, Node, Seq, Step, Task, both, maybe, repeat, seq, step


@dataclass(frozen=True, slots=True)
class Routine:
    """Entries in some order, on so many places (one of the numbers), the next place so many seconds later."""

    name: str
    body: Node
    places: tuple[int, ...] = (1,)
    weight: float = 1.0  # of its lines among those of its group
    stagger: float = 0.03
    labels: Mapping[str, str] = field(default_factory=dict)  # step -> alert label of its line

    @property
    def size(self) -> float:
        """Lines that it writes on average; of one that raises alerts, those with a label."""
        return _length(self.body, self.labels) * sum(self.places) / len(self.places)


def _several(key: str, most: int, seconds: float = 0.1) -> Node:
    """The step 1 to ``most`` times, each number as often as the others."""
    return repeat((0.0, *(1.0,) * most), step(key, seconds, 0.3))


_BITS: Final = tuple(
    step(f"{name}_bit", 0.001)
    for name in ("wait", "critical", "external", "user", "float", "check", "debug", "fetch", "data")
)
_ROWS: Final = (step("general_row", 0.001),) * 8
_DUMP: Final = seq(
    step("status_word", 0.002),
    *_BITS,
    step("general", 0.001),
    *_ROWS,
    step("special", 0.001),
    step("special_row", 0.001),
    step("dump_done", 0.002),
)
_STORM: Final = (16, 32, 64, 128, 256)  # nodes of a partition
_BURST: Final = (16, 32, 64, 128)

FOUNDING: Final = (
    Routine("parity", _several("parity", 30, 0.15), (1, 2, 4, 8), weight=4, stagger=4),
    Routine("cores", step("core_written"), (64, 128, 256, 512), weight=6),
    Routine(
        "job",
        seq(
            step("job_loaded", 0.3),
            step("job_directory", 0.1),
            step("job_started", 0.2),
            maybe(0.2, step("personality", 0.1)),
            step("stream_closed", 9.0, 0.4),
            step("job_ended", 0.3),
        ),
        (4, 8, 16),
        weight=3,
        stagger=25,
    ),
    Routine(
        "memory",
        seq(_several("ddr_corrected", 4), _several("ddr_symbol", 12), step("ddr_total")),
        (1, 2, 4),
        weight=3,
        stagger=4,
    ),
    Routine(
        "watch",
        seq(_several("fan", 6), _several("temperature", 6), _several("voltage", 4), maybe(0.5, step("coolant"))),
        (4, 8, 16),
        weight=2,
        stagger=3,
    ),
    Routine("traffic", both(step("l3_corrected", 0.2, 0.5), step("torus_retried", 0.2, 0.5)), (8, 16, 32), stagger=1),
)
"""In use from the first line to the last."""

COMING: Final = (
    Routine("dump", seq(step("program_interrupt"), _DUMP), (1, 2), weight=3, stagger=2),
    Routine("alignment", step("alignment"), (64, 128, 256), weight=4),
    Routine(
        "service",
        seq(
            step("service_begin", 1),
            step("power_down", 3),
            step("power_unread", 1),
            step("power_up", 5),
            step("card_checked", 2),
            step("service_end", 0.5),
        ),
        (1, 2, 4),
        stagger=25,
    ),
    Routine(
        "mount",
        seq(step("mount_try"), repeat((0.3, 0.4, 0.2, 0.1), step("mount_retry", 2.0)), step("mount_done", 0.5)),
        (8, 16, 32),
        stagger=15,
    ),
    Routine("resync", _several("tree_resync", 20), (1, 2, 4), stagger=3),
    Routine("counters", seq(_several("counter_read", 8), step("counters_reset")), (8, 16, 32), stagger=2),
    Routine(
        "boot",
        seq(step("block_wanted"), step("block_booted", 8, 0.4), step("block_free", 9, 0.4)),
        (2, 4, 8),
        stagger=30,
    ),
    Routine("images", seq(step("personality"), step("segment_mapped"), step("heap_set")), _STORM, stagger=0.3),
    Routine("scrub", seq(step("scrub_begin"), _several("scrub_bank", 8), step("scrub_end")), (2, 4, 8), stagger=2),
    Routine("steering", seq(step("ddr_corrected"), step("steering"), step("ddr_total")), (2, 4, 8), stagger=1),
    Routine("exits", step("exit_code"), _STORM, weight=2),
    Routine("prefetch", both(_several("prefetch", 6), _several("timer_late", 3)), (4, 8), stagger=1),
    Routine(
        "debug",
        seq(
            step("debug_attach"),
            repeat((0, 0.4, 0.3, 0.2, 0.1), seq(step("debug_stop", 1), step("debug_go", 1))),
            step("debug_detach"),
        ),
        (1, 2),
        stagger=9,
    ),
    Routine("checkpoint", seq(step("save_begin"), _several("save_part", 24), step("save_end")), weight=2),
    Routine("map", seq(step("map_read"), step("map_torus")), (8, 16, 32), stagger=0.5),
    Routine("quota", step("quota_warned"), (4, 16), weight=0.5),
    Routine("no_image", step("no_image"), _STORM),
    Routine("no_directory", step("no_directory"), _STORM),
    Routine("clock", seq(step("clock_moved"), step("clock_locked")), (8, 16), weight=0.5, stagger=0.5),
    Routine(
        "firmware",
        seq(step("firmware_begin"), _several("firmware_block", 16), step("firmware_verified"), step("firmware_end", 1)),
    ),
    Routine("inventory", seq(step("found_card"), _several("found_chip", 16), step("found_all"))),
    Routine("links", seq(step("sparing"), step("port_trained"), step("port_cleared")), (4, 8, 16), stagger=1),
    Routine(
        "proxy", seq(step("proxy_started"), step("database_back"), step("polling"), maybe(0.3, step("clock_drift")))
    ),
    Routine("mailbox", seq(step("mailbox_full"), step("mailbox_drained", 0.4)), (8, 16, 32), stagger=1),
    Routine("console", _several("user_command", 4), weight=0.5),
    Routine("archive", seq(step("archive_begin"), _several("archive_table", 12), step("archive_end"))),
)
"""In use for periods only."""

OWN: Final = (
    Routine("translation", step("translation_fault"), _BURST, 5, labels={"translation_fault": "KERNXLAT"}),
    Routine("header", step("stream_broken"), _BURST, 5, labels={"stream_broken": "APPHEAD"}),
    Routine("panics", seq(step("panic"), _DUMP), (1, 1, 2), 0.3, stagger=2, labels={"panic": "KERNHALT"}),
    Routine("memory_lost", _several("memory_lost", 6), labels={"memory_lost": "DDRLOST"}),
    Routine("lock_lost", _several("lock_lost", 30), weight=2, labels={"lock_lost": "LINKLOST"}),
    Routine("no_buffer", step("no_buffer"), (16, 32, 64), 2, labels={"no_buffer": "APPBUFF"}),
)
"""Alerts with messages that nothing normal writes."""

SHARED: Final = (
    Routine("streams_closed", step("stream_closed"), _BURST, 2, labels={"stream_closed": "APPCLOSE"}),
    Routine("power", _several("power_unread", 30), labels={"power_unread": "HWPOWER"}),
    Routine("server_gone", step("mount_retry"), _BURST, labels={"mount_retry": "APPMOUNT"}),
)
"""Alerts whose message occurs in a normal routine too: only the order tells them apart."""


def _length(node: Node, wanted: Mapping[str, str]) -> float:
    """Entries of one way through, on average; only of the wanted steps, where there are some."""
    match node:
        case Step(key):
            return float(bool(key) and (not wanted or key in wanted))
        case Task(_, body):
            return _length(body, wanted)
        case Seq(parts) | Both(parts):
            return sum(_length(part, wanted) for part in parts)
        case Choice(weights, parts):
            lengths = (w * _length(part, wanted) for w, part in zip(weights, parts, strict=True))
            return sum(lengths) / sum(weights)
