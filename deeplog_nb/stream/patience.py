"""Alarms of a session that so far looks like one said to be normal wait for its end: only then can it be told.

What a person said of a session names all its keys, and those at which it was flagged. While a session may still become
such a one, its alarms are let pass and remembered; the row that shows that it is another is an alarm, and says which.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from deeplog_nb.stream.live import Live
from deeplog_nb.stream.rows import Rows
from deeplog_nb.verdicts.allowing import ORDER
from deeplog_nb.verdicts.matching import Thing, Whole, things, wholes

MOST: Final = 64  # alarms of a session that are let pass; then it is heard
TOLD: Final = 3  # of them that are told one by one
_SO_FAR: Final = "so far like a session that was said to be normal"
_PASSED: Final = "let pass, for until here it was like a session that was said to be normal"
Edit = dict[str, Any]  # what becomes of a row, by its columns


class Patience:
    """The sessions that a person allowed, and what becomes of the alarms of those that may be like them."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._wholes = wholes(allowed)

    def settle(self, verdicts: pl.DataFrame, rows: Rows) -> pl.DataFrame:
        """The VERDICTS of these rows, which are no alarms as long as their session may still be a normal one."""
        parts = [part if part and (self._wholes or part.passed) else None for part in rows.of]
        if not any(parts):
            return verdicts
        alarms = verdicts["anomalous"].arg_true().to_list()
        hits = [at for at in alarms if parts[at] and rows.key[at] is not None]
        ends = [at for at, part in enumerate(parts) if part and rows.key[at] is None and (part.passed or hits)]
        counted = _counted(rows, hits)
        edits = [self._settled(verdicts, rows, at, counted.get(at)) for at in sorted([*hits, *ends])]
        return _edited(verdicts, [edit for edit in edits if edit])

    def _settled(self, verdicts: pl.DataFrame, rows: Rows, at: int, counts: Counter[int] | None) -> Edit | None:
        """What becomes of an alarm, at which its session has these counts, or of an end."""
        part, row = rows.of[at], verdicts.row(at, named=True)
        assert part is not None
        if counts is None:
            return self._ended(part, row, at) if part.passed else None
        rules = [rule for rule in ORDER if row[rule]]
        if not rules:
            return None  # a wait or a value: nothing is said of it by what is said of the session
        now = things([row["key"]], [row["shape"]] if row["shape"] else [])
        if not part.loud and len(part.passed) < MOST and self._may_become(counts, now, part):
            text = f"line {row['line']} of {row['file']}: {row['why']}"
            part.passed.append([row["key"], row["shape"], rules, row["score"], text])
            return {"_row": at, "anomalous": False, "allowed": True, "why": f"allowed, {_SO_FAR}: {row['why']}"}
        part.loud, passed, part.passed = True, part.passed, []
        return {"_row": at, "why": f"{row['why']}; {_listed(passed)}"} if passed else None

    def _ended(self, part: Live, row: Mapping[str, Any], at: int) -> Edit | None:
        """What becomes of the end of a session whose alarms were let pass."""
        is_odd = any(row[rule] for rule in (*ORDER, "counts"))
        flagged = [*sorted(part.flagged), *[None] * is_odd]
        like = self._wholes.get(tuple(sorted(part.counts.items())))
        if like and things(flagged, part.shapes) <= like.things:
            return None
        rules = {rule: True for _, _, told, _, _ in part.passed for rule in told}
        why = "; ".join(filter(None, [row["why"], _listed(part.passed)]))
        score = max([row["score"] or 0.0, *(score or 0.0 for _, _, _, score, _ in part.passed)])
        pattern = row["session_pattern"] or _pattern(part)
        told = {"anomalous": True, "allowed": False, "why": why, "score": score, "session_pattern": pattern}
        return {"_row": at} | rules | told

    def _may_become(self, counts: Counter[int], now: frozenset[Thing], part: Live) -> bool:
        """Whether a session with so many keys, flagged at these, may end as one that was allowed."""
        flagged = now.union(*(things([key], [shape] if shape else []) for key, shape, *_ in part.passed))
        return any(_within(counts, whole) and flagged <= whole.things for whole in self._wholes.values())


def _within(counts: Counter[int], whole: Whole) -> bool:
    return all(often <= whole.counts.get(key, 0) for key, often in counts.items())


def _counted(rows: Rows, hits: Sequence[int]) -> dict[int, Counter[int]]:
    """How often each key had come in the session of each of these rows, that row the last."""
    if not hits:
        return {}
    wanted, counted = {*hits}, {}
    later: defaultdict[int, Counter[int]] = defaultdict(Counter)  # what the push has of a session after the row
    for at in range(len(rows) - 1, hits[0] - 1, -1):
        part, key = rows.of[at], rows.key[at]
        if part is None or key is None:
            continue
        if at in wanted:
            counted[at] = Counter(part.counts) - later[id(part)]
        later[id(part)][key] += 1
    return counted


def _edited(verdicts: pl.DataFrame, edits: Sequence[Edit]) -> pl.DataFrame:
    """The rows with these edits; what an edit does not name stays."""
    if not edits:
        return verdicts
    names = {name for edit in edits for name in edit} - {"_row"}
    schema = {"_row": pl.UInt32()} | {name: verdicts.schema[name] for name in names}
    changes = pl.DataFrame([{name: edit.get(name) for name in schema} for edit in edits], schema=schema)
    return verdicts.with_row_index("_row").update(changes, on="_row").drop("_row")


def _listed(passed: Sequence[Sequence[Any]]) -> str:
    """What was let pass, in words: the first few, and how many more."""
    more = [f"and {len(passed) - TOLD} more"] if len(passed) > TOLD else []
    return f"{_PASSED}: {'; '.join([*(text for *_, text in passed[:TOLD]), *more])}"


def _pattern(part: Live) -> str:
    """What is odd about a session whose end is not: the text that ``verdicts.allowing`` writes."""
    told: dict[str, Any] = {"flagged": sorted(part.flagged), "counts": sorted(map(list, part.counts.items()))}
    if part.shapes:
        told["shapes"] = sorted(part.shapes)
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)
