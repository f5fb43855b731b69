"""Raw files -> LINES: ``read`` at once, ``scan`` lazily, the same records either way.

Every physical line is accounted for: lines in = matched + unmatched + folded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from deeplog_nb.frames import LINES, DeepLogError, InputError
from deeplog_nb.lines.files import Block, Paths, blocks, find_files, split_lines
from deeplog_nb.lines.layouts import Detection, Layout, detect, layout_named
from deeplog_nb.lines.records import Before, fields, json_columns, last_of, to_records

SAMPLE = 400  # first lines looked at to tell the layout


def read(paths: Paths, *, layout: str | Layout = "auto", year: int | None = None) -> pl.DataFrame:
    """LINES of all these files: one row a record, each with its file, line and byte offset.

    ``paths`` is a path, glob or folder, or a list of them; files may be compressed. ``layout`` is a name
    of :func:`layouts`, your own :class:`Layout`, or ``"auto"`` (see :func:`detect_layout`). Where the log
    states no year, ``year`` is that of its first record (else that of the file's date). Lines that the
    layout does not fit are kept with ``matched`` false. Fields of the layout beyond the contract come as
    columns of their own.

    >>> from deeplog_nb.resources import shipped
    >>> lines = read(shipped("datasets", "openstack", "openstack.log.gz"))
    >>> lines.filter(~pl.col("matched")).height
    0
    """
    files = find_files(paths)
    known = _layout(files, layout)
    return pl.concat([frame for file in files for frame in _records(file, known, year)], how="vertical")


def scan(paths: Paths, *, layout: str | Layout = "auto", year: int | None = None) -> pl.LazyFrame:
    """The same as :func:`read`, lazily: a block of the files at a time, for logs larger than memory."""
    from polars.io.plugins import register_io_source

    files = find_files(paths)
    known = _layout(files, layout)

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        for frame in (frame for file in files for frame in _records(file, known, year)):
            part = frame if left is None else frame.head(left)
            left = None if left is None else left - len(part)
            part = part if predicate is None else part.filter(predicate)
            yield part if columns is None else part.select(columns)
            if left == 0:
                return

    return register_io_source(batches, schema=_empty(known).schema, is_pure=True)


def detect_layout(paths: Paths) -> Detection:
    """Which layout fits the first lines of these files: share, samples, and lines that it does not fit.

    >>> from deeplog_nb.resources import shipped
    >>> detect_layout(shipped("datasets", "hdfs", "hdfs.log.gz")).layout.name
    'hdfs'
    """
    return detect(_first_lines(find_files(paths)))


def session_pattern(paths: Paths, layout: str | Layout = "auto") -> str | None:
    """The regular expression by which this log's layout tells sessions apart, if it has one."""
    return _layout(find_files(paths), layout).session


def _layout(files: list[Path], layout: str | Layout) -> Layout:
    if isinstance(layout, str):
        layout = detect(_first_lines(files)).layout if layout == "auto" else layout_named(layout)
    if layout.kind == "json":
        return replace(layout, columns=json_columns(pl.Series(_first_lines(files), dtype=pl.String)))
    return layout


def _first_lines(files: list[Path]) -> list[str]:
    for file in files:
        first = next(iter(blocks(file, 1 << 18)))
        texts = split_lines(first)[0].head(SAMPLE).to_list()
        if any(text.strip() for text in texts):
            return texts
    raise InputError(f"{files[0]}: holds no text" if len(files) == 1 else "none of the files holds any text")


def _records(file: Path, layout: Layout, year: int | None) -> Iterator[pl.DataFrame]:
    """LINES of one file, a block at a time. The last record of a block waits for its continuation lines."""
    before = Before(year or datetime.fromtimestamp(file.stat().st_mtime, UTC).year)
    columns = _empty(layout).columns
    waiting, lines_in = b"", 0
    for block in blocks(file):
        lines_in += block.data.count(b"\n") + (block.final and not block.data.endswith(b"\n") and block.data != b"")
        block = Block(waiting + block.data, block.offset - len(waiting), block.final)
        texts, offsets, recoded = split_lines(block)
        records = to_records(texts, offsets, recoded, layout, before)
        if not block.final and len(records):
            held = int(records["offset"][-1]) - block.offset
            waiting, records = block.data[held:], records.head(-1)
        before = last_of(records, before)
        yield records.with_columns(file=pl.lit(str(file)).cast(pl.Categorical)).select(columns)
    if lines_in != before.lines:
        raise DeepLogError(f"{file}: {lines_in} lines in, {before.lines} out; this is a defect, please report it")


def _empty(layout: Layout) -> pl.DataFrame:
    """A frame of no rows with this layout's columns: the contract first, then the layout's own."""
    cut = pl.DataFrame(schema={"text": pl.String}).select(fields(layout))
    return pl.DataFrame(schema=LINES | {name: pl.String() for name in cut.columns if name not in LINES})
