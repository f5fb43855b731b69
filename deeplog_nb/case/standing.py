"""Which answers stand, and which rows a new answer or an undo adds to the ledger.

About the same thing are answers that name the same session and position, in the same file and line; of a whole session
that is the line where it begins, of a line in no session the line alone. Each person has one answer about a thing: a
new one that says otherwise takes the place of the old one, which ``undo_of`` names. What somebody else said stands
beside it, contradiction or not: nobody's word ends another's. Which labels those are a model is to learn from is for
``labels.in_effect`` to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from sqlite3 import Connection
from typing import Any, Final

import polars as pl

from deeplog_nb.case import chain
from deeplog_nb.case.labels import as_labels, undone
from deeplog_nb.case.schema import CHAINS
from deeplog_nb.frames import InputError

Row = Mapping[str, Any]
_READ: Final = (
    "id",
    "at",
    "who",
    "session",
    "position",
    "file",
    "line",
    "pattern",
    "verdict",
    "until",
    "model",
    "undo_of",
)
FIRST: Final = ("id", "added", "contradicts", "session", "position", "verdict")  # what a wide table still shows
_EMPTY: Final = dict.fromkeys(CHAINS["labels"]) | {"note": "", "model": "", "policy": ""}


def say(connection: Connection, answers: Iterable[Row]) -> pl.DataFrame:
    """LABELS that say these answers from now on; in front ``added`` and ``contradicts``, the ids that say otherwise."""
    asked, new = [*answers], list[Row]()
    told = _Told.of(connection, {answer["session"] for answer in asked})
    found: dict[int, tuple[bool, list[int]]] = {}
    for answer in asked:
        rows = told.say({**_EMPTY, **answer})
        new += rows
        label = rows[-1] if rows else told.same(answer)[0]
        found.setdefault(label["id"], (bool(rows), [row["id"] for row in told.against(label, answer["at"])]))
    chain.append(connection, "labels", new)
    kinds = {"id": pl.UInt32(), "added": pl.Boolean(), "contradicts": pl.List(pl.UInt32())}
    listed = pl.DataFrame([(row, *each) for row, each in found.items()], schema=kinds, orient="row")
    labels = listed.join(_labels(connection, found), on="id", how="left", maintain_order="left")
    return labels.select(*FIRST, pl.exclude(FIRST))


def take_back(connection: Connection, label: int, signature: Row) -> pl.DataFrame:
    """The LABELS rows that take this one back, and with an answer all that says the same of the same thing."""
    first = _answer_of(connection, label)
    if first is None:
        named = repr(label) if isinstance(label, int | float | str) else f"of type {type(label).__name__}"
        rest = "labels(history=True) shows their ids"
        if type(label) is not int:
            rest = "give the id, a whole number: label['id'][0] of what mark() or labels() gave"
        raise InputError(f"there is no label {named}; {rest}")
    told = _Told.of(connection, {first[0]})
    row = told.rows[label]
    taken = told.take_back(_last(row, told.about(row))) if row["verdict"] else told.bring_back(row)
    return add(connection, [{**_EMPTY, **signature, "undo_of": each} for each in taken])


def _answer_of(connection: Connection, label: object) -> tuple[str | None] | None:
    """The session of the answer that this row is, or that it takes back; None where there is no such row."""
    found: tuple[Any, ...] | None = None
    while type(label) is int and -(2**63) <= label < 2**63:
        found = connection.execute("SELECT session, verdict, undo_of FROM labels WHERE id = ?", (label,)).fetchone()
        if found is None or found[1] is not None:
            break
        label = found[2]
    return found and (found[0],)


def add(connection: Connection, rows: Iterable[Row]) -> pl.DataFrame:
    """The LABELS that these rows are, once they are in the ledger."""
    return _labels(connection, chain.append(connection, "labels", rows))


def thing(row: Row) -> tuple[Any, ...]:
    """What an answer is about.

    >>> thing({"session": None, "position": 3, "file": "a.log", "line": 7})
    (None, None, 'a.log', 7)
    """
    alone = row["session"] is None and row["line"] is not None  # such a line has no position of its own
    return row["session"], None if alone else row["position"], row["file"], row["line"]


def contradicted(labels: pl.DataFrame) -> int:
    """Of how many things these LABELS say both that they are normal and that they are not."""
    alone = pl.col("session").is_null() & pl.col("line").is_not_null()
    place = "session", pl.when(~alone).then("position").alias("position"), "file", "line"
    said = labels.group_by(place).agg(several=pl.col("verdict").n_unique() > 1)
    return int(said["several"].sum())


class _Told:
    """The rows of the ledger by what they are about; the answers among them are of some sessions."""

    def __init__(self, rows: Iterable[Row], last: int) -> None:
        self.rows: dict[int, Row] = {}
        self._last = last
        self._about: dict[tuple[Any, ...], list[Row]] = {}
        self._thing: dict[int, tuple[Any, ...]] = {}
        for row in rows:
            self._keep(row)

    @classmethod
    def of(cls, connection: Connection, sessions: Collection[str | None]) -> _Told:
        found = connection.execute(f"SELECT session, verdict, {', '.join(_READ)} FROM labels ORDER BY id").fetchall()
        own = (values for session, verdict, *values in found if verdict is None or session in sessions)
        return cls((dict(zip(_READ, values, strict=True)) for values in own), found[-1][2] if found else 0)

    def about(self, row: Row) -> list[Row]:
        """The rows about the same thing, undos among them."""
        return self._about.get(self._thing[row["id"]] if row.get("id") else thing(row), [])

    def same(self, answer: Row) -> list[Row]:
        """What stands and says the very same, whoever said it."""
        return [row for row in standing(self.about(answer)) if _alike(row, answer) and _as_long(row, answer)]

    def against(self, answer: Row, now: str) -> list[Row]:
        """What stands, has not expired and says otherwise."""
        lasting = (row for row in standing(self.about(answer)) if row["until"] is None or row["until"] > now)
        return [row for row in lasting if row["verdict"] != answer["verdict"]]

    def say(self, answer: Row) -> list[Row]:
        """The rows to add, the answer last; none where it is said already."""
        rivals = [row for row in standing(self.about(answer)) if _rivals(row, answer)]
        if self.same(answer) and all(row["verdict"] == answer["verdict"] for row in rivals):
            return []
        before = max(rivals, key=lambda row: (row["verdict"] != answer["verdict"], row["id"]), default=None)
        signature = {name: answer[name] for name in ("at", "who")}
        added: list[Row] = []
        while others := [row for row in standing(self.about(answer)) if _rivals(row, answer) and row is not before]:
            added += [self._keep({**_EMPTY, **signature, "undo_of": row["id"]}) for row in others]
        return [*added, self._keep({**answer, "undo_of": before and before["id"]})]

    def take_back(self, answer: Row) -> list[int]:
        """The rows to take back so that nothing says the same of the same thing: what was said before comes back."""
        about = self.about(answer)
        taken: list[int] = []
        while same := [row for row in _standing(about, taken) if row["verdict"] == answer["verdict"]]:
            with_it = [each["id"] for row in same for each in _undos(about, taken) if _of_one_stroke(each, row)]
            taken += dict.fromkeys([*(row["id"] for row in same), *with_it])
        return taken

    def bring_back(self, undo: Row) -> list[int]:
        """The undos to take back so that what this one took stands again, as does all that was taken with it."""
        about = self.about(undo)
        stroke = {row["undo_of"] for row in _undos(about) if _of_one_stroke(row, undo)}
        taken = [row["id"] for row in _undos(about) if row["undo_of"] in stroke]
        if undo["id"] not in taken:
            raise _undone_already(undo, about)
        before, after = standing(about), _standing(about, taken)
        kept = [row for row in before if row in after]
        for row in after:
            if row not in kept and (since := next((each for each in kept if _rivals(each, row)), None)):
                raise InputError(
                    f"label {row['id']} cannot come back: {since['who']} said {since['verdict']!r} of the same since, "
                    f"in label {since['id']}; undo that one first"
                )
        return taken

    def _keep(self, row: Row) -> Row:
        self._last += not row.get("id")
        kept = row if row.get("id") else {**row, "id": self._last}
        about = thing(kept) if kept["verdict"] else self._thing.get(kept["undo_of"], ())
        self.rows[kept["id"]], self._thing[kept["id"]] = kept, about
        self._about.setdefault(about, []).append(kept)
        return kept


def standing(about: Iterable[Row]) -> list[Row]:
    """Of the rows about a thing the answers that were neither taken back nor replaced; expired ones stand."""
    return _standing(list(about))


def _standing(about: list[Row], taken: Iterable[int] = ()) -> list[Row]:
    gone = undone(_links(about, taken))
    return [row for row in about if row["verdict"] and row["id"] not in gone]


def _undos(about: list[Row], taken: Iterable[int] = ()) -> list[Row]:
    """The undos that hold."""
    gone = undone(_links(about, taken))
    return [row for row in about if not row["verdict"] and row["id"] not in gone]


def _links(about: list[Row], taken: Iterable[int]) -> Iterator[tuple[int, int | None, bool]]:
    """As :func:`undone` reads them, with an undo of each that is to be taken back."""
    yield from ((row["id"], row["undo_of"], bool(row["verdict"])) for row in about)
    behind = about[-1]["id"] + 1 if about else 1
    yield from ((behind + number, each, False) for number, each in enumerate(taken))


def _last(answer: Row, about: list[Row]) -> Row:
    """The answer, or what says the same in its place now."""
    if answer in standing(about):
        return answer
    undos = {row["undo_of"] for row in _undos(about)}
    heirs = [row for row in about if row["verdict"] and row["undo_of"] == answer["id"] and row["id"] not in undos]
    if answer["id"] in undos or not heirs:
        raise _undone_already(answer, about)
    if heirs[-1]["verdict"] != answer["verdict"]:
        raise InputError(
            f"label {answer['id']} is not in effect: label {heirs[-1]['id']} took its place, which says "
            f"{heirs[-1]['verdict']!r}; undo that one to bring it back"
        )
    return _last(heirs[-1], about)


def _undone_already(row: Row, about: list[Row]) -> InputError:
    by = next((each["id"] for each in _undos(about) if each["undo_of"] == row["id"]), None)
    return InputError(f"label {row['id']} is undone already, by row {by}; undo that row to bring it back")


def _rivals(row: Row, answer: Row) -> bool:
    """Whether the two, about the same thing, cannot both stand: one person's word against itself, or told anew."""
    return row["who"] == answer["who"] and (row["verdict"] != answer["verdict"] or _alike(row, answer))


def _alike(row: Row, answer: Row) -> bool:
    return all(row[name] == answer[name] for name in ("verdict", "pattern"))


def _as_long(row: Row, answer: Row) -> bool:
    """Whether both hold until the same moment, and for alarms of the same templates as far as is known."""
    return bool(
        row["until"] == answer["until"] and (row["model"] == answer["model"] or not row["model"] or not answer["model"])
    )


def _of_one_stroke(row: Row, other: Row) -> bool:
    """Whether one call added both."""
    return bool(row["at"] == other["at"] and row["who"] == other["who"])


def _labels(connection: Connection, ids: Iterable[int]) -> pl.DataFrame:
    wanted = set(ids)
    first = min(wanted, default=0)
    rows = chain.rows_of(connection, "labels", after=first - 1) if wanted else iter(())
    return as_labels(row for row in rows if row["id"] in wanted)
