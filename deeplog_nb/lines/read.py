"""Raw files -> LINES: ``read`` at once, ``scan`` lazily, the same records either way.

Every physical line is accounted for: lines in = matched + unmatched + folded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from deeplog_nb.frames import LINES, DeepLogError, InputError
from deeplog_nb.lines.files import Block, Paths, blocks, find_files, split_lines
from deeplog_nb.lines.layouts import Detection, Layout, check_layout, detect, layout_named
from deeplog_nb.lines.records import Before, fields, json_columns, last_of, to_records

SAMPLE = 400  # first lines looked at to tell the layout


def read(paths: Paths, *, layout: str | Layout = "auto", year: int | None = None) -> pl.DataFrame:
    """LINES of all these files: one row a record, each with its file, line and byte offset.

    ``paths`` is a path, glob or folder, or a list of them; files may be compressed. ``layout`` is a name
    of :func:`layouts`, your own :class:`Layout`, or ``"auto"`` (see :func:`detect_layout`). Where the log
    states no year, ``year`` is that of its first record (else the latest that lets the log begin before the
    file's own date). Lines that the layout does not fit are kept with ``matched`` false. Fields of the layout
    beyond the contract come as columns of their own.

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
    return _detect(find_files(paths))


def session_pattern(paths: Paths, layout: str | Layout = "auto") -> str | None:
    """The regular expression by which this log's layout tells sessions apart, if it has one."""
    return _layout(find_files(paths), layout).session


def _layout(files: list[Path], layout: str | Layout) -> Layout:
    if isinstance(layout, str):
        layout = _detect(files).layout if layout == "auto" else layout_named(layout)
    if layout.kind == "json":
        return replace(layout, columns=json_columns(_first_lines(files)))
    return check_layout(layout)


def _detect(files: list[Path]) -> Detection:
    lines = _first_lines(files).to_list()
    if lines:
        return detect(lines)
    what = f"{files[0]}: holds no text" if len(files) == 1 else f"none of the {len(files)} files holds text"
    raise InputError(f"{what} to tell the layout by; name the layout, or read another file")


def _first_lines(files: list[Path]) -> pl.Series:
    """The first lines that are not blank, of the first file that has any."""
    for file in files:
        texts = split_lines(next(blocks(file, 1 << 18)))[0]
        texts = texts.filter(texts.str.strip_chars() != "").head(SAMPLE)
        if len(texts):
            return texts
    return pl.Series([], dtype=pl.String)


def _records(file: Path, layout: Layout, year: int | None) -> Iterator[pl.DataFrame]:
    """LINES of one file, a block at a time. The last record of a block waits for its continuation lines."""
    before = _beginning(file) if year is None else Before(year)
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


def _beginning(file: Path) -> Before:
    """What stands before a file of which we know no year: its date, and a day for time zones."""
    try:
        latest = datetime.fromtimestamp(file.stat().st_mtime, UTC).replace(tzinfo=None) + timedelta(days=1)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); is it still there?") from error
    return Before(latest.year, latest=latest)


def _empty(layout: Layout) -> pl.DataFrame:
    """A frame of no rows with this layout's columns: the contract first, then the layout's own."""
    cut = pl.DataFrame(schema={"text": pl.String}).select(fields(layout))
    return pl.DataFrame(schema=LINES | {name: pl.String() for name in cut.columns if name not in LINES})
