"""A case folder: what people said of alarms, what they noted, what a tail found, and which model judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import polars as pl

from deeplog_nb.case import chain, exchange, standing, store, versions
from deeplog_nb.case.labels import answered, as_labels, check_answer, in_effect
from deeplog_nb.case.ledger import Ledger, folder_of
from deeplog_nb.case.schema import CHAINS
from deeplog_nb.case.signature import ISO, signed, text, utc
from deeplog_nb.case.signature import now as this_moment
from deeplog_nb.frames import DeepLogError, InputError
from deeplog_nb.views.axes import counted

FILE: Final = "case.sqlite"
PINNED: Final = 1_000_000  # characters that a pin holds at most
_NUMBERS: Final = {"id": pl.UInt32(), "before": pl.UInt32()}  # what is no text in the other chains
_COUNTED: Final = {"note": "max(id)", "pin": "max(id)", "verdict": "max(id)", "model": "count(DISTINCT digest)"}


class Case:
    """A folder on disk that keeps an investigation: labels, notes, pins, verdicts of a tail, versions of the model.

    One SQLite file, written by one process at a time; others wait for up to ``patience`` seconds. Labels, notes, pins
    and versions are only ever added, each row with the hash of the one before (:meth:`verify`). Whatever returns is on
    the disk; whatever cannot be kept is an InputError that says why, and nothing of it is kept. Text is kept as it
    came, control characters included; half a character (a lone surrogate) is refused. All times are UTC.

    >>> import tempfile
    >>> from deeplog_nb import Policy, judge
    >>> from deeplog_nb.frames import RANKS
    >>> ranks = pl.DataFrame({"session": ["a", "a"], "position": [0, 1], "key": [4, 9], "count": [1, 1],
    ...     "open": [True, True], "rank": [1, None], "probability": [0.9, 0.0]}, schema_overrides=dict(RANKS))
    >>> verdicts = judge(ranks, policy=Policy(g=9))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     case = Case(folder)
    ...     label = case.mark(verdicts, "normal", session="a", note="new release", who="kim")
    ...     case.undo(1, who="kim").height, case.labels().height
    (1, 0)
    >>> label.select("id", "session", "position", "verdict", "keys")
    shape: (1, 5)
    ┌─────┬─────────┬──────────┬─────────┬───────────┐
    │ id  ┆ session ┆ position ┆ verdict ┆ keys      │
    │ --- ┆ ---     ┆ ---      ┆ ---     ┆ ---       │
    │ u32 ┆ str     ┆ u32      ┆ enum    ┆ list[u32] │
    ╞═════╪═════════╪══════════╪═════════╪═══════════╡
    │ 1   ┆ a       ┆ 1        ┆ normal  ┆ [4, 9]    │
    └─────┴─────────┴──────────┴─────────┴───────────┘
    """

    def __init__(self, folder: Path | str, *, patience: float = 10.0) -> None:
        self.folder = folder_of(folder)
        self._ledger: Ledger | None = Ledger(self.folder / FILE, patience)
        self._ledger.prepare()

    def mark(
        self,
        verdicts: pl.DataFrame,
        verdict: str,
        *,
        session: str | None = None,
        position: int | None = None,
        pattern: str | None = None,
        every: bool = False,
        note: str = "",
        who: str | None = None,
        until: datetime | None = None,
        model: str = "",
        policy: str = "",
    ) -> pl.DataFrame:
        """LABELS: what a person says (``normal``, ``anomaly``) of each of these alarms.

        Meant are the anomalous rows of VERDICTS that meet what is given of session, position and pattern; those of
        several sessions with none of the three only if ``every`` says so. A session alone is meant as a whole: one row
        for all that is odd in its order and counts, so that its like is allowed; one for each odd value; one row, too,
        if nothing was flagged. ``keys`` is the evidence: the session's keys; of a session of more than 10,000 entries,
        the last 1,000 up to and including the row (its counts stand whole in the pattern).

        First come ``id, added, contradicts``. What somebody has said already is not said twice: the row that says so
        is given, ``added`` false; a remark on it is for :meth:`note`. One's own answer that says otherwise is replaced,
        and named in ``undo_of``; of others that say otherwise ``contradicts`` has the ids: both stay, and an update
        does not silence the alarm. With ``until``, a moment (UTC if it names no zone), the answer expires then: till
        then it is allowed, but not learnt. ``model``, by which an update knows that the alarms were its own, is that of
        the verdicts if none is given. Where no alarm meets it, and for an answer that is past at once, InputError.
        """
        if until is not None and not isinstance(until, datetime):
            raise InputError(f"until is {until!r}; give a datetime, which is UTC if it names no zone")
        check_answer(verdict, until and utc(until), this_moment())
        said = {"verdict": verdict, "note": note, "until": until and text(utc(until)), "policy": policy}
        rows = answered(verdicts, session, position, pattern, every=every).to_dicts()
        with self._open.writing() as connection:
            signature = signed(who)
            return standing.say(
                connection, [signature | said | row | {"model": model or row["model"] or ""} for row in rows]
            )

    def undo(self, label: int, *, note: str = "", who: str | None = None) -> pl.DataFrame:
        """The LABELS rows that take this answer back, with all that says the same of the same thing, whoever said so.

        What stays in effect is what was said otherwise before, if that was not taken back. Taking back an undo brings
        back what it took, unless its author has answered anew since.
        """
        with self._open.writing() as connection:
            return standing.take_back(connection, label, signed(who) | {"note": note})

    def labels(self, *, history: bool = False, now: datetime | None = None) -> pl.DataFrame:
        """LABELS in effect, now or at ``now``: not undone, replaced or expired. ``history`` gives every row."""
        with self._open.reading() as connection:
            rows = as_labels(chain.rows_of(connection, "labels"))
        return rows if history else in_effect(rows, utc(now) if now else this_moment())

    def note(self, remark: str, *, session: str | None = None, who: str | None = None) -> None:
        """Keep a remark on the case, or on one of its sessions."""
        self._append("notes", signed(who) | {"text": remark, "session": session})

    def notes(self) -> pl.DataFrame:
        """``id, at, who, text, session`` of every remark, as they were made."""
        return self._listed("notes")

    def pin(self, title: str, content: pl.DataFrame | str, *, who: str | None = None) -> None:
        """Keep a text, or a small frame as JSON, under a title; up to 1,000,000 characters."""
        if not isinstance(content, pl.DataFrame | str):
            raise InputError(f"a {type(content).__name__} cannot be pinned; give a text or a polars DataFrame")
        kept = content if isinstance(content, str) else content.write_json()
        if len(kept) > PINNED:
            raise InputError(f"{title!r} has {len(kept):,} characters, a pin {PINNED:,} at most; pin a part of it")
        kind = "text" if isinstance(content, str) else "frame"
        self._append("pins", signed(who) | {"title": title, "kind": kind, "content": kept})

    def pins(self) -> pl.DataFrame:
        """``id, at, who, title, kind, content``; of a frame the content is the JSON that ``pl.read_json`` reads."""
        return self._listed("pins")

    def commit(
        self,
        source: str,
        verdicts: pl.DataFrame,
        *,
        position: str,
        changed: Mapping[str, str] | None = None,
        gone: Iterable[str] = (),
        gaps: Iterable[str] = (),
    ) -> None:
        """Keep a step of a tail, all of it or nothing: its verdicts, the new position, states changed and gone, gaps.

        VERDICTS need an ``offset`` (u64: byte of the record; of an end row, that of the session's last record, or
        null); ``generation``, ``line``, ``time``, ``pattern`` and ``message`` (500 characters of it) are kept where
        they are. A record is kept once: what has the source, generation, offset and session of a kept row is an
        InputError. End rows without an offset are not told apart. Positions and states are texts, kept as they are.
        """
        with self._open.writing() as connection:
            number = store.source_id(connection, source)
            store.record(connection, number, verdicts)
            store.move(connection, number, position, changed or {}, gone)
            store.add_gaps(connection, number, [(text(this_moment()), gap) for gap in gaps])

    def position(self, source: str) -> str | None:
        """Where the tail of this source goes on; null where it has not begun."""
        with self._open.reading() as connection:
            return store.position(connection, source)

    def states(self, source: str) -> dict[str, str]:
        """The states of this source's streams, by name."""
        with self._open.reading() as connection:
            return store.states(connection, source)

    def verdicts(
        self, source: str | None = None, *, anomalous: bool | None = None, last: int | None = None
    ) -> pl.DataFrame:
        """VERDICTS that a tail committed, in that order; of one source, flagged or not, the last so many."""
        with self._open.reading() as connection:
            return store.recorded(connection, source, anomalous, last)

    def totals(self, source: str) -> store.Totals:
        """``records, alarms, gaps``: how many a tail has committed of this source."""
        with self._open.reading() as connection:
            return store.totals(connection, source)

    def gaps(self, source: str | None = None) -> pl.DataFrame:
        """``source, at, what``: where a tail could not exclude that something is missing."""
        with self._open.reading() as connection:
            return store.gaps(connection, source)

    def add_model(self, digest: str, write: Callable[[Path], object], why: str, *, who: str | None = None) -> Path:
        """The folder of the model that is now the current one; ``write`` fills it, unless the case has this digest."""
        path = versions.place(self._models, digest, write)
        with self._open.writing() as connection:
            now = versions.current(connection)
            files = versions.files_of(connection, path)
            row = {"digest": digest, "files": files, "why": why, "before": now and now["id"]}
            chain.append(connection, "models", [row | signed(who)])
        return path

    def roll_back(self, *, why: str = "rolled back", who: str | None = None) -> Path:
        """The folder of the model before the current one, which it replaces; once more steps further back."""
        with self._open.writing() as connection:
            to = versions.earlier(connection)
            path = versions.check_files(self._models, to["digest"], to["files"])
            row = {name: to[name] for name in ("digest", "files", "before")}
            chain.append(connection, "models", [row | signed(who) | {"why": why}])
        return path

    def model(self) -> Path | None:
        """The folder of the current model, bit by bit as it was written; null where the case has none."""
        with self._open.reading() as connection:
            now = versions.current(connection)
        return versions.check_files(self._models, now["digest"], now["files"]) if now else None

    def models(self) -> pl.DataFrame:
        """``id, at, who, digest, files, why, before``: which model was current from when on, the last one now."""
        return self._listed("models")

    def export(self, path: Path | str) -> Path:
        """Write every label and undo with its hashes as JSON Lines, for :meth:`merge`; the file's path."""
        with self._open.reading() as connection:
            rows = list(chain.rows_of(connection, "labels"))
        exchange.write(Path(path), rows)
        return Path(path)

    def merge(self, path: Path | str) -> pl.DataFrame:
        """The LABELS that were added: rows of another case's export that this one lacks.

        A row is the same if it says the same of the same place, by the same person at the same moment. A file whose
        chain is broken is refused with the line. That it is whole does not say who wrote it.
        """
        others = exchange.read(Path(path))
        with self._open.writing() as connection:
            own = list(chain.rows_of(connection, "labels"))
            return standing.add(connection, list(exchange.lacking(own, others)))

    def verify(self, head: str = "") -> str:
        """The case's head, a line to keep elsewhere; ModelError names the first row changed, left out or moved.

        Looks at every chain and every model's files. Without a ``head`` from earlier it cannot be known whether
        somebody with access to the file made all hashes anew, or put an older copy of it back; with one it can.
        """
        with self._open.reading() as connection:
            heads = chain.verify_all(connection, head)
            for digest, files in connection.execute("SELECT DISTINCT digest, files FROM models").fetchall():
                versions.check_files(self._models, digest, files)
        return heads

    def close(self) -> None:
        """Refuse further use. Nothing stays open between calls, so nothing is lost without it."""
        self._ledger = None

    def __enter__(self) -> Case:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._ledger is None:
            return f"Case({str(self.folder)!r}, closed)"
        try:
            return f"Case({str(self.folder)!r}, {self._counted()})"
        except DeepLogError as error:
            return f"Case({str(self.folder)!r}, cannot be read: {error})"

    @property
    def _open(self) -> Ledger:
        if self._ledger is None:
            raise InputError(f"{self.folder}: this case was closed; open it again with dl.Case(folder)")
        return self._ledger

    @property
    def _models(self) -> Path:
        return self.folder / "models"

    def _counted(self) -> str:
        labels = self.labels(history=True)
        effect = in_effect(labels, this_moment())
        against = standing.contradicted(effect)
        with self._open.reading() as connection:
            found = [
                (connection.execute(f"SELECT {how} FROM {one}s").fetchone()[0], one) for one, how in _COUNTED.items()
            ]
        said = [f"{effect.height:,} of {labels.height:,} label rows in effect"]
        said += [f"{counted(against, 'alarm')} with contradicting answers"] * bool(against)
        return ", ".join([*said, *(counted(number, one) for number, one in found if number)])

    def _append(self, table: str, row: dict[str, Any]) -> None:
        with self._open.writing() as connection:
            chain.append(connection, table, [row])

    def _listed(self, table: str) -> pl.DataFrame:
        schema = {name: _NUMBERS.get(name, pl.String()) for name in ("id", *CHAINS[table])}
        with self._open.reading() as connection:
            rows = [{name: row[name] for name in schema} for row in chain.rows_of(connection, table)]
        return pl.DataFrame(rows, schema=schema).with_columns(pl.col("at").str.to_datetime(ISO, time_unit="us"))
