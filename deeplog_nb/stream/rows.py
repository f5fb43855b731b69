"""Entries and ends of sessions, column by column, between the stages of a stream.

Lists of plain values: tens of thousands of small objects a second would have Python look after them again and again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deeplog_nb.stream.live import Keys, Live


@dataclass(slots=True)
class Rows:
    """What the records of a push make of their sessions."""

    session: list[str | None] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    key: list[int | None] = field(default_factory=list)  # null at the end
    open: list[bool] = field(default_factory=list)
    seen: list[Keys] = field(default_factory=list)  # the history and then the key, if there is one
    file: list[str] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    time: list[int | None] = field(default_factory=list)
    elapsed: list[float | None] = field(default_factory=list)
    entry: list[int] = field(default_factory=list)  # number of the record in its push; -1 at the end
    of: list[Live | None] = field(default_factory=list)  # the session as it is after the push; null where in none

    def add(
        self,
        session: str | None,
        position: int,
        key: int | None,
        seen: Keys,
        place: tuple[str, int, int | None],
        *,
        entry: int = -1,
        is_open: bool = False,
        elapsed: float | None = None,
        of: Live | None = None,
    ) -> None:
        """One row more."""
        self.session.append(session)
        self.position.append(position)
        self.key.append(key)
        self.open.append(is_open)
        self.seen.append(seen)
        self.file.append(place[0])
        self.line.append(place[1])
        self.time.append(place[2])
        self.elapsed.append(elapsed)
        self.entry.append(entry)
        self.of.append(of)

    def history(self, at: int) -> Keys:
        """The keys before a row."""
        return self.seen[at] if self.key[at] is None else self.seen[at][:-1]

    def picked(self, places: list[int]) -> Rows:
        """Some of the rows."""
        return Rows(*([column[at] for at in places] for column in (getattr(self, name) for name in self.__slots__)))

    def __len__(self) -> int:
        return len(self.key)
