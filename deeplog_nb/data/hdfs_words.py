"""The wording of Hadoop's file system log: one message per step, the background, the prefix of every line.

It decides nothing about what happens when.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from deeplog_nb.data.generated import Record
from deeplog_nb.data.runs import Beat, Run

START: Final = datetime(2026, 3, 2, 8)
FULL = 67_108_864  # bytes: the largest block
NODES: Final = tuple(f"10.30.{rack}.{host}" for rack in range(1, 9) for host in range(11, 191, 12))

_DATA, _NAMES = "dfs.DataNode", "dfs.FSNamesystem"
_XCEIVER, _RESPONDER = f"{_DATA}$DataXceiver", f"{_DATA}$PacketResponder"
_RECEIVER, _SET = f"{_DATA}$BlockReceiver", "dfs.FSDataset"
_STORED = "BLOCK* NameSystem.addStoredBlock:"


class _Message(NamedTuple):
    source: str
    text: str
    level: str = "INFO"


MESSAGES: Final = {
    "allocate": _Message(_NAMES, "BLOCK* NameSystem.allocateBlock: {file}. {block}"),
    "receiving": _Message(_XCEIVER, "Receiving block {block} src: /{sender}:{port} dest: /{node}:50010"),
    "responder": _Message(_RESPONDER, "PacketResponder {place} for block {block} terminating"),
    "received": _Message(_RESPONDER, "Received block {block} of size {size} from /{sender}"),
    "stored": _Message(_NAMES, _STORED + " blockMap updated: {node}:50010 is added to {block} size {size}"),
    "served": _Message(_XCEIVER, "{node}:50010 Served block {block} to /{reader}"),
    "serving_failed": _Message(_XCEIVER, "{node}:50010:Got exception while serving {block} to /{reader}:", "WARN"),
    "verified": _Message("dfs.DataBlockScanner", "Verification succeeded for {block}"),
    "ask": _Message(_NAMES, "BLOCK* ask {node}:50010 to replicate {block} to datanode(s) {spare}:50010"),
    "transfer_started": _Message(_DATA, "{node}:50010 Starting thread to transfer block {block} to {spare}:50010"),
    "received_copy": _Message(
        _XCEIVER, "Received block {block} src: /{sender}:{port} dest: /{node}:50010 of size {size}"
    ),
    "transmitted": _Message(f"{_DATA}$DataTransfer", "{node}:50010:Transmitted block {block} to /{spare}:50010"),
    "invalidated": _Message(_NAMES, "BLOCK* NameSystem.delete: {block} is added to invalidSet of {node}:50010"),
    "deleted": _Message(_SET, "Deleting block {block} file /mnt/hadoop/dfs/data/current/subdir{folder}/{block}"),
    "write_failed": _Message(
        _XCEIVER, "writeBlock {block} received exception java.io.IOException: Could not read from stream"
    ),
    "receive_failed": _Message(
        _RECEIVER, "Exception in receiveBlock for block {block} java.io.IOException: Connection reset by peer"
    ),
    "responder_timed_out": _Message(
        _RESPONDER,
        "PacketResponder {block} {place} Exception java.net.SocketTimeoutException: "
        "480000 millis timeout while waiting for channel to be ready for read",
    ),
    "replication_timed_out": _Message(
        "dfs.PendingReplicationBlocks", "PendingReplicationMonitor timed out block {block}", "WARN"
    ),
    "no_file": _Message(
        _NAMES, "BLOCK* Removing block {block} from neededReplications as it does not belong to any file."
    ),
    "not_in_map": _Message(
        _SET, "Unexpected error trying to delete block {block}. BlockInfo not found in volumeMap.", "WARN"
    ),
    "redundant": _Message(
        _NAMES,
        _STORED + " Redundant addStoredBlock request received for {block} on {node}:50010 size {full}",
        "WARN",
    ),
    "offset_changed": _Message(
        _RECEIVER,
        "Changing block file offset of block {block} from 0 to {offset} meta file offset to {meta}",
    ),
}


def block(rng: Random) -> str:
    """A random block id, a signed number of 64 bits.

    >>> block(Random(1))
    'blk_...'
    """
    return f"blk_{rng.getrandbits(64) - 2**63}"


def size(session: str) -> int:
    """Bytes of a block: most are full, the last one of a file is smaller. A matter of its id.

    >>> size("blk_12"), size("blk_10")
    (67108864, ...)
    """
    number = abs(int(session.removeprefix("blk_")))
    return FULL if number % 7 else 100_000 + number % 66_000_000


class Words:
    """Writes the lines of one log."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def session(self, run: Run) -> Iterator[Record]:
        """The lines of one block."""
        nodes = self._rng.sample(NODES, 4)
        file = self._file()
        for beat in run.beats:
            message = MESSAGES[beat.key]
            text = message.text.format_map({"file": file} | self._fields(run.session, beat, nodes))
            line = _line(beat.time, self._thread(message.source), message.level, message.source, text)
            yield Record(beat.time, line, beat.key, run.session, beat.kind, beat.task)

    def background(self, end: int, rate: float) -> Iterator[Record]:
        """The lines without a block: reports and book-keeping at random, so many a second."""
        at = 0.0
        while rate and (at := at + 1000 * self._rng.expovariate(rate)) <= end:
            source, text, step = self._rng.choice(self._notes())
            yield Record(round(at), _line(round(at), self._thread(source), "INFO", source, text), step)

    def _notes(self) -> tuple[tuple[str, str, str], ...]:
        number, node = self._rng.randrange(20, 900), self._rng.choice(NODES)
        return (
            (_DATA, f"BlockReport of {number} blocks got processed in {number // 12} msecs", "report"),
            (_NAMES, f"Roll Edit Log from {node}", "roll_edits"),
            (_NAMES, f"Number of transactions: {number} Number of syncs: {number // 2}", "transactions"),
        )

    def _fields(self, session: str, beat: Beat, nodes: list[str]) -> dict[str, object]:
        rng, part = self._rng, beat.part
        own = beat.kind != "abnormal_value" or not beat.amount  # an entry borrowed from another block tells our size
        return {
            "block": session,
            "node": nodes[part],
            "sender": nodes[max(0, part - 1) if part < 3 else 0],
            "spare": nodes[3],
            "reader": rng.choice(NODES),
            "port": rng.randrange(32768, 61000),
            "place": 2 - min(part, 2),
            "size": size(session) if own else round(beat.amount or 0),
            "full": size(session),
            "folder": rng.randrange(64),
            "offset": 65536 * rng.randrange(1, 1000),
            "meta": 512 * rng.randrange(1, 1000) + 7,
        }

    def _file(self) -> str:
        number = self._rng.randrange(2000)
        kind, job = self._rng.choice((("m", "rand"), ("m", "randtxt"), ("r", "sortrand")))
        return f"/user/root/{job}/_temporary/_task_202603020755_0001_{kind}_{number:06d}_0/part-{number:05d}"

    def _thread(self, source: str) -> int:
        if source == _NAMES:
            return self._rng.randrange(24, 36)
        return self._rng.randrange(120, 9000) if "$" in source else self._rng.randrange(13, 20)


def _line(at: int, thread: int, level: str, source: str, text: str) -> str:
    stamp = (START + timedelta(milliseconds=at)).strftime("%y%m%d %H%M%S")
    return f"{stamp} {thread} {level} {source}: {text}"
