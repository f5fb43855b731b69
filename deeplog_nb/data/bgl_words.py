"""The wording of a Blue Gene/L-like RAS log: one message per step, the places, the prefix of every line.

It decides nothing about what happens when. The texts imitate those of the real log and copy none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

START: Final = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)


class _Message(NamedTuple):
    facility: str
    level: str
    text: str


_REGISTERS: Final = {
    "program_interrupt": "program stopped at address 0x{a}, registers follow",
    "status_word": "status word of the core: 0x{a}",
    "wait_bit": "waiting allowed ............. {bit}",
    "critical_bit": "critical inputs accepted .... {bit}",
    "external_bit": "external inputs accepted .... {bit}",
    "user_bit": "user mode ................... {bit}",
    "float_bit": "floating unit in use ........ {bit}",
    "check_bit": "checks stop the core ........ {bit}",
    "debug_bit": "debugger holds the core ..... {bit}",
    "fetch_bit": "fetch by translation ........ {bit}",
    "data_bit": "data by translation ......... {bit}",
    "general": "general registers",
    "general_row": "gpr 0x{a} 0x{b} 0x{c} 0x{a}",
    "special": "registers for special purposes",
    "special_row": "link 0x{a} condition 0x{b} count 0x{c}",
    "dump_done": "end of registers, core held for collection",
}
_KERNEL: Final = {
    "parity": "parity error in instruction cache line {n}, corrected",
    "core_written": "writing core file core.{n}",
    "ddr_corrected": "{n} memory errors corrected on rank {bit}, symbol {m}",
    "ddr_symbol": "correctable symbol {m} found at 0x{a}, mask 0x{c}",
    "ddr_total": "sum of memory errors since boot: {n}",
    "l3_corrected": "level three cache corrected {n} errors (register 0x{c})",
    "torus_retried": "torus packets retried without loss: {n}",
    "alignment": "{n} unaligned accesses by the double unit",
    "tree_resync": "receiver {m} of the tree came into step again after {n} cycles",
    "counter_read": "performance counter group {m} read, {n} overflows",
    "counters_reset": "performance counters set to zero",
    "personality": "personality of the node accepted, rank {n}",
    "segment_mapped": "text segment mapped at 0x{a}, length {n}",
    "heap_set": "heap grown up to 0x{b}",
    "scrub_begin": "memory scrubbing begins with bank {bit}",
    "scrub_bank": "bank {m} scrubbed, {n} words rewritten",
    "scrub_end": "memory scrubbing ends",
    "steering": "redundant bit steered to symbol {m} of rank {bit}",
    "exit_code": "process left with code {m} after {n} seconds",
    "prefetch": "prefetch depth lowered to {m}, stream {n} conflicts",
    "timer_late": "decrementer came {n} ticks late",
}
_APP: Final = {
    "job_loaded": "ciod: image {path} loaded for job {n}",
    "job_directory": "ciod: entered working directory {path}",
    "job_started": "ciod: {n} processes started under job {n}",
    "stream_closed": "ciod: control stream to {ip} closed by the other side",
    "job_ended": "ciod: job {n} ended, resources given back",
    "mount_try": "ciod: mounting {ip}:{path}",
    "mount_retry": "ciod: server {ip} does not answer the mount request, trying again in {m} seconds",
    "mount_done": "ciod: file system mounted after {n} ms",
    "debug_attach": "ciod: debugger attached through {ip}",
    "debug_stop": "ciod: breakpoint {m} reached in process {n}",
    "debug_go": "ciod: process {n} continued by the debugger",
    "debug_detach": "ciod: debugger has gone",
    "save_begin": "ciod: checkpoint {n} announced to all processes",
    "save_part": "ciod: checkpoint part {m} written, {n} kilobytes",
    "save_end": "ciod: checkpoint complete",
    "map_read": "ciod: node map {path} taken over, {n} coordinates",
    "map_torus": "ciod: torus links follow the node map",
    "quota_warned": "ciod: quota of {path} nearly used up, {n} blocks left",
    "no_image": "ciod: image {path} cannot be started: format not known",
    "no_directory": "ciod: {path} is no directory that can be entered",
}
_CARDS: Final = {
    "fan": ("MONITOR", "fan module {m} turns at {n} rpm"),
    "temperature": ("MONITOR", "temperature sensor {m} reads {m} degrees"),
    "voltage": ("MONITOR", "supply {m} delivers {n} millivolts"),
    "coolant": ("MONITOR", "coolant flow through the rack is {n} litres"),
    "service_begin": ("HARDWARE", "service action {n} opened for card {card}"),
    "power_down": ("HARDWARE", "card {card} switched off for service"),
    "power_unread": ("HARDWARE", "status of power module {m} cannot be read"),
    "power_up": ("HARDWARE", "card {card} switched on again"),
    "card_checked": ("HARDWARE", "self test of card {card} passed in {n} ms"),
    "service_end": ("HARDWARE", "service action {n} closed"),
    "clock_moved": ("HARDWARE", "clock taken from secondary input of {card}"),
    "clock_locked": ("HARDWARE", "clock in phase after {n} microseconds"),
    "firmware_begin": ("HARDWARE", "firmware level {n} offered to {card}"),
    "firmware_block": ("HARDWARE", "flash block {n} programmed"),
    "firmware_verified": ("HARDWARE", "checksum 0x{a} of the flash agrees"),
    "firmware_end": ("HARDWARE", "card restarts into firmware level {n}"),
    "found_card": ("DISCOVERY", "new card answered at {ip}, serial {a}"),
    "found_chip": ("DISCOVERY", "chip {n} entered into the inventory"),
    "found_all": ("DISCOVERY", "inventory of the midplane complete"),
    "sparing": ("LINKCARD", "bit {m} of port {card} replaced by the spare"),
    "port_trained": ("LINKCARD", "port {card} trained in {n} cycles"),
    "port_cleared": ("LINKCARD", "error counters of port {card} cleared"),
}
_MMCS: Final = {
    "block_wanted": "block {card} requested by the scheduler",
    "block_booted": "block {card} booted in {n} seconds",
    "block_free": "block {card} set free",
    "proxy_started": "proxy process {n} started with {path}",
    "database_back": "connection to the database opened again",
    "polling": "polling of {n} chips resumed",
    "mailbox_full": "mailbox of chip {n} is full",
    "mailbox_drained": "mailbox of chip {n} emptied, {m} messages kept",
    "clock_drift": "service node clock moved by {n} microseconds",
    "user_command": "console command from {ip} carried out",
    "archive_begin": "archiving of event tables begins",
    "archive_table": "table of {n} rows archived to {path}",
    "archive_end": "archiving done, {n} rows removed",
}
_FATAL: Final = {
    "translation_fault": ("KERNEL", "FATAL", "no translation for data address 0x{a}"),
    "panic": ("KERNEL", "FATAL", "kernel gives up: no way to continue from 0x{a}"),
    "memory_lost": ("KERNEL", "FATAL", "memory error on rank {bit} not correctable, replace the card"),
    "lock_lost": ("LINKCARD", "FATAL", "port {card} has lost its partner"),
    "no_buffer": ("APP", "FATAL", "ciod: no buffer of {n} bytes left for job {n}"),
    "stream_broken": ("APP", "FATAL", "ciod: half a message header came from {ip}, stream given up"),
}
_WARNED: Final = frozenset({"power_unread", "mount_retry", "mailbox_full", "no_image", "no_directory", "quota_warned"})
_PLACES: Final = {
    "KERNEL": "{middle}-N{node:X}-C:J{slot:02}-U{chip}1",
    "APP": "{middle}-N{node:X}-I:J18-U{chip}1",
    "LINKCARD": "{middle}-L{link}-U{slot:02}-A",
    "HARDWARE": "{middle}-N{node:X}",
    "MONITOR": "{middle}-N{node:X}",
    "DISCOVERY": "{middle}-N{node:X}",
    "MMCS": "NULL",
}


def _level(step: str) -> str:
    return "ERROR" if step in _WARNED else "INFO"


MESSAGES: Final = (
    {step: _Message("KERNEL", _level(step), text) for step, text in (_KERNEL | _REGISTERS).items()}
    | {step: _Message("APP", _level(step), text) for step, text in _APP.items()}
    | {step: _Message(facility, _level(step), text) for step, (facility, text) in _CARDS.items()}
    | {step: _Message("MMCS", _level(step), text) for step, text in _MMCS.items()}
    | {step: _Message(*words) for step, words in _FATAL.items()}
)


class Place(NamedTuple):
    """A midplane of the machine, and a node, link or chip on it."""

    middle: str
    node: int
    slot: int
    chip: int
    link: int


def midplane(rng: Random) -> str:
    """One of the 128 midplanes: row, column, half.

    >>> midplane(Random(1))
    'R21-M1'
    """
    return f"R{rng.randrange(8)}{rng.randrange(8)}-M{rng.randrange(2)}"


def place(middle: str, rng: Random) -> Place:
    """A place on this midplane."""
    return Place(middle, rng.randrange(16), rng.randrange(2, 18), rng.randrange(2), rng.randrange(4))


def line(step: str, label: str, at: int, where: Place, rng: Random) -> str:
    """One raw line: alert label or ``-``, epoch, date, place, time, place, RAS, facility, level, message.

    >>> line("parity", "-", 363779, Place("R02-M1", 0, 12, 1, 0), Random(0))
    '- 1772446500 2026.03.02 R02-M1-N0-C:J12-U11 2026-03-02-10.15.00.363779 R02-M1-N0-C:J12-U11 RAS KERNEL INFO ...
    """
    message, time = MESSAGES[step], START + timedelta(microseconds=at)
    name = _PLACES[message.facility].format_map(where._asdict())
    return (
        f"{label} {int(time.timestamp())} {time:%Y.%m.%d} {name} {time:%Y-%m-%d-%H.%M.%S.%f} {name} "
        f"RAS {message.facility} {message.level} {message.text.format_map(_values(where, rng))}"
    )


def _values(where: Place, rng: Random) -> dict[str, object]:
    n = rng.randrange(20, 9000)
    return {
        "n": n,
        "m": rng.randrange(1, 40),
        "bit": rng.randrange(2),
        "a": f"{rng.getrandbits(28):08x}",
        "b": f"{rng.getrandbits(28):08x}",
        "c": f"{rng.getrandbits(12):04x}",
        "ip": f"172.16.{rng.randrange(16, 128)}.{rng.randrange(1, 255)}:{rng.randrange(32768, 60000)}",
        "path": f"/p/gb{rng.randrange(1, 4)}/user{n % 37}/run{n}",
        "card": f"{where.middle}-N{where.node:X}",
    }
