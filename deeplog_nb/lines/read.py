"""Raw files -> LINES: ``read`` at once, ``scan`` lazily, the same records either way.

Every physical line and every byte is accounted for: lines in = matched + unmatched + folded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from deeplog_nb.frames import LINES, DeepLogError, InputError
from deeplog_nb.lines.archives import Opened, open_texts
from deeplog_nb.lines.blocks import Block, blocks, split_lines
from deeplog_nb.lines.detection import Detection, detect
from deeplog_nb.lines.fields import check_samples, own_names
from deeplog_nb.lines.files import Paths, Source, find_files
from deeplog_nb.lines.growing import Growing
from deeplog_nb.lines.json_fields import json_columns
from deeplog_nb.lines.layouts import Layout, check_layout, layout_named
from deeplog_nb.lines.limits import Limits
from deeplog_nb.lines.records import Before, cut

WRONG: Final = 20  # lines none of which a named layout fits: it is the wrong one
SAMPLE: Final = 400  # first lines looked at to tell the layout
AHEAD: Final = 2  # blocks cut side by side
USUAL: Final = Limits()


def read(
    paths: Paths, *, layout: str | Layout = "auto", year: int | None = None, limits: Limits = USUAL
) -> pl.DataFrame:
    """LINES of all these files: one row a record, each with its file, line, byte offset and length.

    ``paths`` is a path, glob or folder, or a list of them; files may be compressed, and of archives each member
    is a file of its own (``logs.zip`` for all, ``logs.zip!*.log`` for some). ``limits`` says what is cut or
    refused; a file that grows is read up to where it ended when it was opened. ``layout`` is a name of
    :func:`layouts`, your own :class:`Layout`, a TOML file with one ("mine.toml"), or ``"auto"``: each file is
    told by its first lines (see :func:`detect_layout`). Where the log states no year, ``year`` is that of its
    first record (else the latest that lets the log begin before the file's own date). Lines that the layout does
    not fit are kept with ``matched`` false; a layout that you named and that fits none of 20 lines or more is
    refused. Fields of the layout beyond the contract come as columns of their own.

    >>> from deeplog_nb.resources import shipped
    >>> lines = read(shipped("datasets", "openstack", "openstack.log.gz"))
    >>> lines.filter(~pl.col("matched")).height
    0
    """
    sources = find_files(paths)
    known = _layouts(sources, layout, limits)
    frames = list(_all_records(sources, known, year, limits))
    lines = pl.concat(frames, how="diagonal").select(_schema(known.values()).names())
    return lines if layout == "auto" else fitting(lines, layout, least=WRONG)


def fitting(lines: pl.DataFrame, layout: str | Layout, *, least: int = 1) -> pl.DataFrame:
    """The LINES as they came, unless they are so many and this layout fits none of them."""
    if len(lines) < least or lines["matched"].any():
        return lines
    name = layout.name if isinstance(layout, Layout) else layout
    better, first = detect(lines["message"].head(SAMPLE).to_list()).layout, lines["message"][0][:80]
    raise InputError(
        f"{lines['file'][0]}: layout {name} fits none of the {len(lines):,} lines, such as {first!r}; "
        f"try layout {better.name} ({better.title}), on the command line --layout auto"
    )


def scan(
    paths: Paths, *, layout: str | Layout = "auto", year: int | None = None, limits: Limits = USUAL
) -> pl.LazyFrame:
    """The same as :func:`read`, lazily: a block of the files at a time, for logs larger than memory.

    It refuses no layout for fitting nothing: that is known only at the end.
    """
    from polars.io.plugins import register_io_source

    sources = find_files(paths)
    known = _layouts(sources, layout, limits)
    schema = _schema(known.values())

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        with closing(_all_records(sources, known, year, limits)) as frames:
            for frame in frames:
                whole = pl.concat([pl.DataFrame(schema=schema), frame], how="diagonal")
                part = whole if left is None else whole.head(left)
                left = None if left is None else left - len(part)
                part = part if predicate is None else part.filter(predicate)
                yield part if columns is None else part.select(columns)
                if left == 0:
                    return

    return register_io_source(batches, schema=schema, is_pure=True)


def detect_layout(paths: Paths, *, limits: Limits = USUAL) -> Detection:
    """Which layout fits the first lines of these files: share, samples, and lines that it does not fit.

    Looks at the first file that holds any text; :func:`read` looks at each.

    >>> from deeplog_nb.resources import shipped
    >>> detect_layout(shipped("datasets", "hdfs", "hdfs.log.gz")).layout.name
    'hdfs'
    """
    sources = find_files(paths)
    with closing(open_texts(sources, limits)) as texts:
        for opened in texts:
            if len(lines := first_lines(opened)):
                return detect(lines.to_list())
    raise _without_text(sources)


def session_pattern(paths: Paths, layout: str | Layout = "auto") -> str | None:
    """The regular expression by which this log's layout tells sessions apart, if it has one."""
    known = _layouts(find_files(paths), layout, USUAL).values()
    return next((each.session for each in known if each.session), None)


def _layouts(sources: list[Source], layout: str | Layout, limits: Limits) -> dict[Source, Layout]:
    """Each text's layout; where it is to be told, one without text has that of the first with any."""
    if isinstance(layout, str) and layout != "auto":
        layout = layout_named(layout)
    asked = check_samples(check_layout(layout)) if isinstance(layout, Layout) else None
    told: dict[Source, Layout | None] = {}
    guess = None
    for opened in open_texts(sources, limits):
        told[opened.source] = guess = told_layout(opened, asked, guess)
    if not (first := next((each for each in told.values() if each), None)):
        raise _without_text(sources)
    return {source: each or first for source, each in told.items()}


def told_layout(opened: Opened, asked: Layout | None, guess: Layout | None) -> Layout | None:
    """The layout of a text by its first lines; a JSON one with the names that they have beyond the contract."""
    if asked and not asked.is_json:
        return asked
    lines = first_lines(opened)
    layout = asked or (detect(lines.to_list(), guess=guess).layout if len(lines) else None)
    return replace(layout, columns=json_columns(lines, layout)) if layout and layout.is_json else layout


def _without_text(sources: list[Source]) -> InputError:
    what = f"{sources[0]}: holds no text" if len(sources) == 1 else f"none of the {len(sources)} files holds text"
    return InputError(f"{what} to tell the layout by; name the layout, or read another file")


def first_lines(opened: Opened) -> pl.Series:
    """The first lines of a text that are not blank."""
    texts = split_lines(next(blocks(opened, 1 << 18)))["text"]
    return texts.filter(texts.str.strip_chars() != "").head(SAMPLE)


def _all_records(
    sources: list[Source], known: dict[Source, Layout], year: int | None, limits: Limits
) -> Generator[pl.DataFrame, None, None]:
    """LINES of all texts, one text after another, a block at a time."""
    with closing(open_texts(sources, limits)) as texts:
        for opened in texts:
            if opened.source not in known:
                raise InputError(f"{opened.source}: was not there when the layouts were told; read again")
            yield from _records(opened, known[opened.source], year)


def _records(opened: Opened, layout: Layout, year: int | None) -> Iterator[pl.DataFrame]:
    """LINES of one text, a block at a time. The last record of a block waits for its continuation lines."""
    source = opened.source
    growing = Growing(layout, beginning(opened.modified) if year is None else Before(year), opened.limits.record)
    columns = _schema([layout]).names()
    lines_in = bytes_in = 0
    with closing(_side_by_side(lambda block: cut(split_lines(block), layout), blocks(opened))) as cut_blocks:
        for block, lines in cut_blocks:
            lines_in += block.lines
            bytes_in += block.size
            records, growing = growing.push(lines, final=block.final)
            yield records.with_columns(file=pl.lit(str(source)).cast(pl.Categorical)).select(columns)
    if (lines_in, bytes_in) != (growing.before.lines, growing.before.bytes):
        here = f"{lines_in} lines, {bytes_in} bytes"
        there = f"{growing.before.lines} lines, {growing.before.bytes} bytes"
        raise DeepLogError(f"{source}: {here} in, {there} out; this is a defect, please report it")


def _side_by_side(
    work: Callable[[Block], pl.DataFrame], items: Iterable[Block]
) -> Generator[tuple[Block, pl.DataFrame], None, None]:
    """Each block with what the work makes of it, in order; the next ones are under way meanwhile."""
    waiting: deque[tuple[Block, Future[pl.DataFrame]]] = deque()
    pool = ThreadPoolExecutor(AHEAD)  # starts a thread only when it is given work
    try:
        for item in items:
            if item.final and not waiting:  # most files of many are small
                yield item, work(item)
                return
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > AHEAD:
                block, made = waiting.popleft()
                yield block, made.result()
        yield from ((block, made.result()) for block, made in waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # a reader given up may be collected in one of these threads


def beginning(modified: float) -> Before:
    """What stands before a text of which we know no year: its date, and a day for time zones."""
    latest = datetime.fromtimestamp(modified, UTC).replace(tzinfo=None) + timedelta(days=1)
    return Before(latest.year, latest=latest)


def _schema(layouts: Iterable[Layout]) -> pl.Schema:
    """The columns of a frame in these layouts: the contract first, then the layouts' own."""
    own = [name for layout in layouts for name in own_names(layout) if name not in LINES]
    return pl.Schema(LINES | dict.fromkeys(own, pl.String()))
