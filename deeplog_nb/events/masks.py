"""Which parts of a message are variable at sight, and the *shape* that is left when they are masked.

A token that holds a digit (a number, an address, a path to a numbered file, an id) is a value, and so is all
that stands behind a record's first line (a stack trace, a dump): the line tells what happened. One
expression masks, one captures, and both use the same pattern: putting the captured values back into
the shape gives the message, byte for byte. What only *several* messages show to be variable is Spell's
matter.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.frames import FrameError, check

HOLE: Final = "\x1a"  # stands for one value in a shape; a message that holds it has it masked too
WILDCARD: Final = "<*>"  # what people see

_WORD: Final = r"0-9A-Za-z_\x{C0}-\x{52F}"  # alphabets that part their words; not \w: three times as fast
_TOKEN: Final = rf"[{_WORD}./\\$@%~-]"
_EDGE: Final = r"(?-u:\b)"  # of a word; the Unicode one is slow on text that is not ASCII
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
MASK: Final = "|".join(
    (
        r"\x1a|<\*>",  # our own marks, so that no message can forge them
        r"\A\s*\n|\r?\n(?s:.*)",  # empty lines in front, and whatever follows the first line, as one value
        r"/?[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?",  # address, with port
        rf"{_EDGE}[0-9A-Fa-f]{{2}}(?::[0-9A-Fa-f]{{2}}){{3,}}{_EDGE}",  # 5c:50:15:4c
        rf"(?:{_DAY},? )?{_MONTH} +[0-9]{{1,2}}(?:,? [0-9]+(?::[0-9]+)+)?(?: [0-9]{{4}})?{_EDGE}",  # Mon Mar  2 10:15
        rf"/[{_WORD}.~%@+-]+(?:/[{_WORD}.~%@+:$=-]*)+(?:\?[^\s\"']*)?",  # path, with query
        rf"[0-9]+(?:\.[0-9]+)? ?[kKMGT]?i?B{_EDGE}",  # size
        r"[0-9]+(?::[0-9]+)+(?:\.[0-9]+)?",  # 10:15:00
        rf"[+-]?{_TOKEN}*[0-9](?:{_TOKEN}*[{_WORD}%])?",  # any token with a digit in it, without a full stop behind it
    )
)


def shape(message: pl.Expr) -> pl.Expr:
    r"""The message with every value replaced by a hole.

    >>> pl.select(shape(pl.lit("Took 20.58 seconds to build blk_-7."))).item().replace(HOLE, WILDCARD)
    'Took <*> seconds to build <*>.'
    >>> pl.select(shape(pl.lit("Query failed: no route\n  at Pool.get\n  at Main.run"))).item().replace(HOLE, WILDCARD)
    'Query failed: no route<*>'
    """
    return message.str.replace_all(MASK, HOLE)


def values(message: pl.Expr) -> pl.Expr:
    """The masked values, in order.

    >>> pl.select(values(pl.lit("Took 20.58 seconds to build blk_-7."))).item().to_list()
    ['20.58', 'blk_-7']
    """
    return message.str.extract_all(MASK)


def messages(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines as they came; refuses those without messages, and messages that are null.

    >>> messages(pl.DataFrame({"message": ["a", None]}))
    Traceback (most recent call last):
    deeplog_nb.frames.FrameError: lines: 1 of 2 messages is null, the first in row 1; fill or drop them
    """
    told = check(lines, {"message": pl.String()}, "lines")["message"]
    if missing := told.null_count():
        verb = "is" if missing == 1 else "are"
        raise FrameError(
            f"lines: {missing} of {len(lines)} messages {verb} null, the first in row {told.is_null().arg_max()}; "
            "fill or drop them: lines.with_columns(pl.col('message').fill_null(''))"
        )
    return lines
