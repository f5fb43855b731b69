"""How a log falls into sessions, as one thing that a detector keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Cut:
    """How this log falls into sessions; with nothing given a file is one session, read in windows."""

    by: str | None = None
    gap: str | None = None
    count: int | None = None

    @property
    def whole_files(self) -> bool:
        """Whether there is no id, no gap and no count."""
        return self == Cut()

    @property
    def unit(self) -> Literal["session", "line"]:
        """What an alarm is counted by."""
        return "line" if self.whole_files else "session"

    def __str__(self) -> str:
        said = [f"by {self.by}"] * bool(self.by) + [f"by a silence of {self.gap}"] * bool(self.gap)
        said += [f"in windows of {self.count} lines"] * bool(self.count)
        return ", ".join(said) or "none (each file is one session, read in windows)"
