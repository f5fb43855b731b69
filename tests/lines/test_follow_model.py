"""Random programs of writing, rotating, truncating and dying: nothing is lost, split, mixed or given twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.lines.follow import SHORTENED
from deeplog_nb.lines.read import read
from tests.lines.growing_log import Incarnation, Run, play

PROGRAMS = int(os.environ.get("DEEPLOG_NB_PROGRAMS", "90"))


def by_generation(run: Run) -> Iterator[tuple[int, pl.DataFrame]]:
    for (generation,), lines in run.lines.group_by("generation", maintain_order=True):
        yield int(str(generation)), lines


def sources_of(lines: pl.DataFrame, everything: list[Incarnation]) -> list[int]:
    """The incarnations whose bytes these records are: several, where they are but a part of a line."""
    spans = lines.select("offset", "length", "message").rows()
    return [at for at, each in enumerate(everything) if all(is_record(each.content, *span) for span in spans)]


def is_record(content: bytes, offset: int, length: int, message: str) -> bool:
    """Whether these bytes are lines with this message, from the beginning of one on."""
    begins = not offset or content[offset - 1 : offset] == b"\n"
    return begins and content[offset : offset + length].removesuffix(b"\n").endswith(message.encode())


def explanations(run: Run) -> Iterator[dict[int, int]]:
    """The incarnation of each generation, in order and each once, none from before the first poll; all ways to tell."""
    everything = [*run.world.past, run.world.now]
    told = {generation: sources_of(lines, everything) for generation, lines in by_generation(run)}
    assert all(told.values()), f"records of no file: {[generation for generation, found in told.items() if not found]}"
    for places in in_order([*told.values()], (run.first or 0) - 1):
        yield dict(zip(told, places, strict=True))


def in_order(choices: list[list[int]], after: int) -> Iterator[list[int]]:
    """Every rising choice of one each."""
    if not choices:
        yield []
        return
    for first in choices[0]:
        if first > after:
            yield from ([first, *rest] for rest in in_order(choices[1:], first))


def best(run: Run) -> dict[int, int]:
    """The first explanation by which nothing is missing; else the first."""
    first = None
    for each in explanations(run):
        first = first or each
        if not missing(run, each):
            return each
    assert first is not None, "records out of order, or of one file twice"
    return first


def missing(run: Run, sources: dict[int, int]) -> list[str]:
    """What was written, is not among the records, and in no gap."""
    everything = [*run.world.past, run.world.now]
    ends = {generation: int((lines["offset"] + lines["length"])[-1]) for generation, lines in by_generation(run)}
    found, last = [], (0, (run.first or 0) - 1, 0)
    for generation, at in [*sources.items(), (10**6, len(everything))]:
        before, source, end = last
        parts = [everything[of].content[: ends[each]] for each, of in sources.items()]
        lost = [
            each
            for each in range(source + 1, at)
            if can_be_known(everything[each:])
            and not any(is_taken_for(before, everything[at : at + 1]) for before in everything[source + 1 : each])
            and not any(b"\n" not in part and everything[each].content.startswith(part) for part in parts)
        ]
        rest = everything[source].content[end:] if before and can_be_known(everything[source:]) else b""
        covered = any(
            gap.offset <= end if gap.generation == before else before < gap.generation < generation for gap in run.gaps
        ) or any(gap.generation == generation and gap.why == SHORTENED for gap in run.gaps)  # it went on as the same
        if (lost or rest) and not covered:
            found.append(f"after generation {before}: {rest!r} and files {lost}")
        last = generation, at, ends.get(generation, 0)
    return found


def can_be_known(files: list[Incarnation]) -> bool:
    """Whether of the first there is a trace: not where it is gone and a later one begins with all that was seen."""
    first, *later = files
    is_hidden = (first.gone and not first.seen) or (is_taken_for(first, later) and not first.copy_seen)
    return bool(first.content) and not is_hidden


def is_taken_for(first: Incarnation, later: list[Incarnation]) -> bool:
    """Whether one of the later files may be taken for the first, which is not there any more: its number is free."""
    seen = first.content[: first.seen]
    is_like_others = any(each.content.startswith(seen) for each in later)
    return bool(seen) and (first.gone or first.packed) and is_like_others


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_every_line_comes_once_or_lies_in_a_gap(seed: int, tmp_path: Path) -> None:
    """Whatever happens to the log and to who reads it, each byte of it is given once, in order, or told as a gap."""
    run = play(tmp_path, seed)
    for _, lines in by_generation(run):
        ends = (lines["offset"] + lines["length"]).to_list()
        assert lines["offset"].to_list() == [0, *ends[:-1]]
    assert missing(run, best(run)) == []


@pytest.mark.parametrize("seed", range(PROGRAMS // 3))
def test_rotating_alone_loses_nothing_and_says_so(seed: int, tmp_path: Path) -> None:
    """Where files are only renamed and nobody is late by more than the files that are kept, there is no gap."""
    run = play(tmp_path, seed, turns=["rotate"])
    if len(run.world.past) <= 3:
        doubted: set[int] = set()
        for gap in run.gaps:
            assert "empty" in gap.why or gap.generation in doubted
            doubted.add(gap.generation + 1)  # where one may be another, so may the next


@pytest.mark.parametrize("seed", range(PROGRAMS // 3))
def test_records_are_those_that_reading_gives(seed: int, tmp_path: Path) -> None:
    """Each generation's records are what ``read`` makes of its bytes, column by column."""
    run = play(tmp_path, seed)
    everything, sources = [*run.world.past, run.world.now], best(run)
    for generation, lines in by_generation(run):
        whole = everything[sources[generation]].content
        end = int((lines["offset"] + lines["length"])[-1])
        (tmp_path / "whole").write_bytes(whole[:end])
        expected = read(tmp_path / "whole", layout="hdfs")
        if run.world.traces:  # a continuation that came late is a record of its own
            assert set(expected["offset"]) <= set(lines["offset"])
        else:
            assert lines.drop("file", "generation").equals(expected.drop("file"))
