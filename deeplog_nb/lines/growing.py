"""Cut lines -> records, piece by piece: the last record waits, for lines to come may continue it.

Nothing here is changed by being used: each step gives the records and what the next step begins with, so
that a step can be taken back. Where the lines come from is ``read``'s and ``follow``'s matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from deeplog_nb.lines.folding import Above, mark, split_last
from deeplog_nb.lines.layouts import Layout
from deeplog_nb.lines.records import Before, last_of, to_records


@dataclass(frozen=True)
class Growing:
    """How far a text has been made into records: what was before, what stands above, and the lines that wait."""

    layout: Layout
    before: Before
    limit: int  # bytes of one record
    above: Above = field(default_factory=Above)
    held: pl.DataFrame | None = None  # the last record's lines, cut, if more may follow them

    @property
    def waits(self) -> bool:
        """Whether a record is held back."""
        return self.held is not None and len(self.held) > 0

    def push(self, lines: pl.DataFrame, *, final: bool = False) -> tuple[pl.DataFrame, Growing]:
        """LINES without ``file`` of the records that these lines (see ``records.cut``) complete, and what is next.

        Nothing follows ``final`` lines: the last record waits no longer.
        """
        ready = mark(lines if self.held is None else pl.concat([self.held, lines]), self.above, self.limit)
        held, above = None, self.above
        if self.layout.folds and not final and len(ready):
            ready, held, above = split_last(ready)
        return self._records(ready, above, held)

    def settle(self) -> tuple[pl.DataFrame, Growing]:
        """The record that waits, if any, given now; lines that continue it after all will be one of their own."""
        if self.held is None or not len(self.held):
            return pl.DataFrame(), self
        ready = mark(self.held, self.above, self.limit)
        return self._records(ready, Above(begun=True, bytes=int(ready["within"][-1])), None)

    def _records(self, ready: pl.DataFrame, above: Above, held: pl.DataFrame | None) -> tuple[pl.DataFrame, Growing]:
        records = to_records(ready, self.layout, self.before)
        return records, replace(self, before=last_of(records, self.before), above=above, held=held)
