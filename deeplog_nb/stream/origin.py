"""Which detectors can go on with a stream's sessions: what must be alike of them, and what is told where it is not.

The models may be others, as long as keys and sessions mean the same. It travels with a stream's state, as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from deeplog_nb.frames import ModelError
from deeplog_nb.sessions.cut import Cut

if TYPE_CHECKING:
    from deeplog_nb.stream.judged import Judge

FORMAT: Final = 2  # of a stream's state; the first one did not tell whose it was
NAME: Final = "detector"  # under which this stands in the state
ANEW: Final = "begin a stream of its own with this one (a tail in another case folder)"


@dataclass(frozen=True)
class Origin:
    """What a stream remembers of the detector whose sessions these are."""

    cut: Cut
    counted: bool  # whether how often each key comes is checked
    templates: str  # their digest
    slots: str  # digest of what the numbers in a vector of values are; where they are others, those are forgotten

    @classmethod
    def of(cls, detector: Judge) -> Origin:
        """That of this detector."""
        slots = hashlib.sha256(detector.values.fitted.layout.slots.write_json().encode()).hexdigest()
        return cls(detector.cut, detector.counts is not None, detector.templates.digest, slots)

    @classmethod
    def told(cls, state: Mapping[str, str]) -> Origin:
        """That which stands in this state."""
        if NAME not in state:
            raise ModelError(f"not the state of a stream, or one of an earlier version that names no detector; {ANEW}")
        facts = json.loads(state[NAME])
        if (found := facts.pop("format")) != FORMAT:
            raise ModelError(f"the state of a stream in format {found!r}, of which only {FORMAT} is known here; {ANEW}")
        return cls(**facts | {"cut": Cut(**facts["cut"])})

    def as_json(self) -> str:
        """The text that :meth:`told` reads."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    def check(self, other: Origin) -> None:
        """A ModelError where the keys or the sessions of another detector are not these."""
        differ = []
        if self.cut != other.cut:
            differ.append(f"the stream's sessions are cut {self.cut}, the detector's {other.cut}")
        if self.templates != other.templates:
            differ.append(f"the stream's templates are {self.templates[:8]}, the detector's {other.templates[:8]}")
        if self.counted != other.counted:
            differ.append(f"only {'the first' if self.counted else 'this'} detector checks counts")
        if differ:
            raise ModelError(
                f"the stream was begun with another detector: {'; '.join(differ)}; go on with that one or an update "
                f"of it, or {ANEW}"
            )
