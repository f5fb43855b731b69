"""The one place where a choice (a default, a calibration, a slider) becomes numbers that judge."""

from __future__ import annotations

from dataclasses import dataclass

from deeplog_nb.frames import InputError


@dataclass(frozen=True)
class Policy:
    """What counts as an anomaly. A bound that is None is not applied.

    >>> Policy(g=9)
    Policy(g=9, probability=None, ending=None, longer_than=None, confidence=0.999, source='chosen')
    """

    g: int | None = None  # a key ranked below the g most probable is unlikely (the paper's rule; its default is 9)
    probability: float | None = None  # a key less probable than this is unlikely
    ending: float | None = None  # a session whose end is less probable than this ended early
    longer_than: int | None = None  # a session of so few keys is short (the paper's setting, with its h = 10)
    confidence: float = 0.999  # a value or a wait is odd if normal entries err as much less often than 1 - this
    source: str = "chosen"  # where the numbers come from

    def __post_init__(self) -> None:
        if self.g is not None and self.g < 1:
            raise InputError(f"g is {self.g}; it counts keys and must be at least 1")
        for name in ("probability", "ending", "confidence"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{name} is {value}; it must lie between 0 and 1")
