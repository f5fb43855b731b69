"""The wording of nova's log: one message per step, the background, the prefix of every line.

It decides nothing about what happens when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from deeplog_nb.data.generated import Record
from deeplog_nb.data.runs import Beat, Run

START: Final = datetime(2026, 3, 2)
NODE: Final = "compute-03.lab.example.org"
COMPUTE, API = 3172, 24118  # process ids
MEMORY, DISK, VCPUS = 515_610, 3_480, 192  # of the node: MB, GB, number
FLAVOURS: Final = ((512, 1, 1), (2048, 20, 1), (2048, 20, 1), (4096, 40, 2))  # MB, GB, processors

_MANAGER, _DRIVER = "nova.compute.manager", "nova.virt.libvirt.driver"
_CLAIMS, _TRACKER = "nova.compute.claims", "nova.compute.resource_tracker"
_CACHE = "nova.virt.libvirt.imagecache"


class _Message(NamedTuple):
    source: str
    text: str
    who: str = "user"  # whose request it belongs to: a user's, the hypervisor's events', nobody's
    level: str = "INFO"


MESSAGES: Final = {
    "claim_attempt": _Message(_CLAIMS, "Attempting claim: memory {memory} MB, disk {disk} GB, vcpus {vcpus} CPU"),
    "total_memory": _Message(_CLAIMS, "Total memory: {total_memory} MB, used: {amount:.2f} MB"),
    "memory_limit": _Message(_CLAIMS, "memory limit: {limit:.2f} MB, free: {free:.2f} MB"),
    "total_disk": _Message(_CLAIMS, "Total disk: {total_disk} GB, used: {amount:.2f} GB"),
    "disk_unlimited": _Message(_CLAIMS, "disk limit not specified, defaulting to unlimited"),
    "total_vcpu": _Message(_CLAIMS, "Total vcpu: {total_vcpus} VCPU, used: {amount:.2f} VCPU"),
    "vcpu_unlimited": _Message(_CLAIMS, "vcpu limit not specified, defaulting to unlimited"),
    "claim_successful": _Message(_CLAIMS, "Claim successful"),
    "creating_image": _Message(_DRIVER, "Creating image"),
    "vm_started": _Message(_MANAGER, "VM Started (Lifecycle Event)", "events"),
    "vm_paused": _Message(_MANAGER, "VM Paused (Lifecycle Event)", "events"),
    "vm_resumed": _Message(_MANAGER, "VM Resumed (Lifecycle Event)", "events"),
    "vm_stopped": _Message(_MANAGER, "VM Stopped (Lifecycle Event)", "nobody"),
    "sync_spawning": _Message(
        _MANAGER, "During sync_power_state the instance has a pending task (spawning). Skip.", "events"
    ),
    "sync_powering_off": _Message(
        _MANAGER, "During sync_power_state the instance has a pending task (powering-off). Skip.", "nobody"
    ),
    "sync_deleting": _Message(
        _MANAGER, "During sync_power_state the instance has a pending task (deleting). Skip.", "nobody"
    ),
    "spawned": _Message(_DRIVER, "Instance spawned successfully.", "nobody"),
    "took_spawn": _Message(_MANAGER, "Took {took:.2f} seconds to spawn the instance on the hypervisor."),
    "took_build": _Message(_MANAGER, "Took {took:.2f} seconds to build instance."),
    "shutdown": _Message(_DRIVER, "Instance shutdown successfully after {patience} seconds."),
    "shutdown_failed": _Message(_DRIVER, "Instance failed to shutdown in 60 seconds."),
    "destroyed": _Message(_DRIVER, "Instance destroyed successfully.", "nobody"),
    "rebooted": _Message(_DRIVER, "Instance rebooted successfully.", "nobody"),
    "pausing": _Message(_MANAGER, "Pausing"),
    "unpausing": _Message(_MANAGER, "Unpausing"),
    "suspending": _Message(_MANAGER, "Suspending"),
    "resuming": _Message(_MANAGER, "Resuming"),
    "terminating": _Message(_MANAGER, "Terminating instance"),
    "deleting_files": _Message(_DRIVER, "Deleting instance files /var/lib/nova/instances/{session}_del"),
    "files_deleted": _Message(_DRIVER, "Deletion of /var/lib/nova/instances/{session}_del complete"),
    "took_destroy": _Message(_MANAGER, "Took {took:.2f} seconds to destroy the instance on the hypervisor."),
    "took_deallocate": _Message(_MANAGER, "Took {took:.2f} seconds to deallocate network for instance."),
    "network_failed": _Message(
        _MANAGER,
        "Instance failed network setup after 1 attempt(s): Connection to neutron failed: Request timed out",
        level="ERROR",
    ),
    "destroy_failed": _Message(
        _DRIVER, "Error from libvirt during destroy. Code=38 Error=Failed to terminate process", level="ERROR"
    ),
    "unfilter_failed": _Message(
        _DRIVER,
        "Error from libvirt during unfilter. Code=55 Error=Requested operation is not valid: nwfilter is in use",
        level="ERROR",
    ),
    "disk_full": _Message(_MANAGER, "Instance failed to spawn: [Errno 28] No space left on device", level="ERROR"),
    "spawn_failed": _Message(
        _MANAGER, "Instance failed to spawn: internal error: process exited while connecting to monitor", level="ERROR"
    ),
    "files_left": _Message(
        _DRIVER,
        "Failed to cleanup directory /var/lib/nova/instances/{session}_del: Device or resource busy",
        level="ERROR",
    ),
    "set_to_error": _Message(_MANAGER, "Setting instance vm_state to ERROR", level="ERROR"),
    "crashed": _Message(_MANAGER, "VM Crashed (Lifecycle Event)", "events", "WARNING"),
}


def uuid(rng: Random) -> str:
    """A random identifier as OpenStack writes them.

    >>> uuid(Random(1))
    'cd613e30-d8f1-4adf-91b7-584a2265b1f5'
    """
    return str(UUID(int=rng.getrandbits(128), version=4))


def flavour(session: str) -> tuple[int, int, int]:
    """Memory, disk and processors of a machine: a matter of its identifier.

    >>> flavour("00000001-2265-41f5-8d9b-c9a1a4f4b1f8")
    (2048, 20, 1)
    """
    return FLAVOURS[int(session[:8], 16) % len(FLAVOURS)]


class Words:
    """Writes the lines of one log: whose request, which tenant, which image are drawn once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._tenant = f"{rng.getrandbits(128):032x} {rng.getrandbits(128):032x}"
        self._events, self._periodic = (f"[req-{uuid(rng)} - - - - -]" for _ in range(2))
        self._image, self._base = uuid(rng), f"/var/lib/nova/instances/_base/{rng.getrandbits(160):040x}"
        self._requests = defaultdict[tuple[str, int], str](self._request)

    def session(self, run: Run) -> Iterator[Record]:
        """The lines of one machine."""
        for beat in run.beats:
            message = MESSAGES[beat.key]
            text = message.text.format_map(_fields(run.session, beat))
            who = {"user": self._requests[run.session, beat.turn], "events": self._events, "nobody": "[-]"}
            line = f"{who[message.who]} [instance: {run.session}] {text}"
            yield Record(
                beat.time,
                _line(beat.time, "compute", message.level, message.source, line),
                beat.key,
                run.session,
                beat.kind,
                beat.task,
            )

    def background(self, runs: Sequence[Run], end: int, rate: float) -> Iterator[Record]:
        """The lines without an instance: requests at random, so many a second, and periodic tasks; or none."""
        if not rate:
            return
        at = 0.0
        while (at := at + 1000 * self._rng.expovariate(rate)) <= end:
            yield self._api(round(at), "GET", "/servers/detail", 200, "get_detail")
        for run in runs:
            yield self._api(max(0, run.beats[0].time - 450), "POST", "/servers", 202, "post_server")
        for minute in range(12_700, end, 60_000):
            running = sum(run.beats[0].time <= minute < run.beats[-1].time for run in runs)
            yield from self._audit(minute, running)
        for at in range(5_300, end, 300_000):
            yield from self._cache(round(at))

    def _request(self) -> str:
        return f"[req-{uuid(self._rng)} {self._tenant} - - -]"

    def _api(self, at: int, verb: str, path: str, status: int, step: str) -> Record:
        tenant, took = self._tenant.split()[1], self._rng.lognormvariate(-1.4, 0.15)
        length = self._rng.choice((1893, 1910, 1916)) if verb == "GET" else 733
        text = (
            f'{self._request()} 10.20.0.1 "{verb} /v2/{tenant}{path} HTTP/1.1" '
            f"status: {status} len: {length} time: {took:.7f}"
        )
        return Record(at, _line(at, "api", "INFO", "nova.osapi_compute.wsgi.server", text), step)

    def _audit(self, at: int, running: int) -> Iterator[Record]:
        view = (
            f"Final resource view: name={NODE} phys_ram={MEMORY}MB used_ram={512 + 2048 * running}MB "
            f"phys_disk={DISK}GB used_disk={20 * running}GB total_vcpus={VCPUS} used_vcpus={running} pci_stats=[]"
        )
        yield self._note(at, _TRACKER, f"Auditing locally available compute resources for node {NODE}", "audit")
        yield self._note(at + 604, _TRACKER, f"Total usable vcpus: {VCPUS}, total allocated vcpus: {running}", "vcpus")
        yield self._note(at + 605, _TRACKER, view, "resource_view")
        yield self._note(at + 671, _TRACKER, f"Compute_service record updated for {NODE}:{NODE}", "updated")

    def _cache(self, at: int) -> Iterator[Record]:
        image = f"image {self._image} at ({self._base})"
        yield self._note(at, _CACHE, f"{image}: checking", "image_checking")
        yield self._note(
            at + 1,
            _CACHE,
            f"{image}: in use: on this node 1 local, 0 on other nodes sharing this instance storage",
            "image_in_use",
        )
        yield self._note(at + 170, _CACHE, f"Active base files: {self._base}", "active_files")

    def _note(self, at: int, source: str, text: str, step: str) -> Record:
        return Record(at, _line(at, "compute", "INFO", source, f"{self._periodic} {text}"), step)


def _fields(session: str, beat: Beat) -> dict[str, object]:
    memory, disk, vcpus = flavour(session)
    amount, limit = beat.amount or 0.0, 1.5 * MEMORY
    return {
        "session": session,
        "memory": memory,
        "disk": disk,
        "vcpus": vcpus,
        "total_memory": MEMORY,
        "total_disk": DISK,
        "total_vcpus": VCPUS,
        "amount": amount,
        "limit": limit,
        "free": limit - amount,
        "took": (beat.time - beat.began) / 1000,
        "patience": max(1, round((beat.time - beat.began) / 1000)),
    }


def _line(at: int, service: str, level: str, source: str, text: str) -> str:
    stamp = (START + timedelta(milliseconds=at)).isoformat(" ", "milliseconds")
    process = API if service == "api" else COMPUTE
    return f"nova-{service}.log.2026-03-02_00:00:00 {stamp} {process} {level} {source} {text}"
