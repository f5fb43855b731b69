"""Regular expressions that people write: which of them run here, why not the others, and a quicker spelling.

Everything runs in polars' engine, whose time grows with the text and never with its square; what that
engine cannot do in such time it refuses, and so do we, with the reason and what to write instead.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from deeplog_nb.frames import InputError

LARGEST: Final = 1000  # steps of a pattern with its repetitions written out; each may cost a step a byte
INSTEAD: Final = {  # what the engine says -> what to write
    "look-around": "write what stands around it into the pattern, and put a group around the wanted part only",
    "backreference": "write the repeated part twice, and compare the two columns afterwards",
    "size limit": "repeat without a bound: + instead of {1,1000}",
    "unrecognized flag": "there are no atomic groups, conditions or references; a plain group (?:...) is as fast here",
    "unrecognized escape": r"write \A or ^ for the beginning, \z or $ for the end, [ \t] for blanks",
}
_TOKEN: Final = re.compile(
    r"\\[pPx](?:\{[^}]*\}|.)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\{(?P<least>\d+),?(?P<most>\d*)\}|\(\?P?<\w+>|.",
    re.DOTALL,
)
_MESSAGE: Final = "(?P<message>.*)$"


def check_pattern(pattern: str, named: str) -> str:
    r"""The pattern as it came, or an error that says why it cannot run and what to write instead.

    >>> check_pattern(r"id=(\d+)", "--session")
    'id=(\\d+)'
    >>> check_pattern(r"id(?==)", "--session")
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: --session: no linear-time pattern: look-around, including look-ahead ...
    """
    if (size := _steps(pattern)) > LARGEST:
        reason = f"its repetitions make {size:,} steps, and {LARGEST:,} are accepted"
        raise InputError(f"{named}: no linear-time pattern: {reason}; {INSTEAD['size limit']}")
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.ComputeError as error:
        reason = _reason(error)
        advice = next((f"; {text}" for said, text in INSTEAD.items() if said in reason), "")
        raise InputError(f"{named}: no linear-time pattern: {reason}{advice}") from error
    return pattern


def quick(pattern: str) -> str:
    r"""The same pattern with ``\d`` for the ten ASCII digits, which is what logs mean and is matched faster.

    >>> quick(r"\d\\d[\d.]")
    '[0-9]\\\\d[[0-9].]'
    """
    return re.sub(r"\\.", lambda found: "[0-9]" if found[0] == r"\d" else found[0], pattern, flags=re.DOTALL)


def header(pattern: str) -> str | None:
    r"""What stands before the message, as a group ``_header``, where the message is the rest of the line.

    The engine walks what a group takes byte by byte; the rest of a line need not be walked.

    >>> header(r"^(?P<pid>\d+): (?P<message>.*)$")
    '^(?P<_header>(?P<pid>\\d+): )'
    >>> header(r"^(?P<pid>\d+)|(?P<message>.*)$") is None
    True
    """
    if not pattern.startswith("^") or not pattern.endswith(_MESSAGE):
        return None
    before = pattern[1:].removesuffix(_MESSAGE)
    depths, depth = [], 0
    for token in (found[0] for found in _TOKEN.finditer(before)):
        depth += token.startswith("(") - (token == ")")
        depths.append(-1 if token == "|" and depth == 0 else depth)
    return f"^(?P<_header>{before})" if depth == 0 and min(depths, default=0) >= 0 else None


def _steps(pattern: str) -> int:
    """How long the pattern is when every ``{n,m}`` is written out."""
    totals, lasts = [0], [0]
    for found in _TOKEN.finditer(pattern):
        token = found[0]
        if token.startswith("("):
            totals.append(0)
            lasts.append(0)
        elif token == ")" and len(totals) > 1:
            lasts.pop()
            lasts[-1] = totals.pop()
            totals[-1] += lasts[-1]
        elif found["least"]:
            times = max(int(found["most"] or found["least"]), 1)
            totals[-1] += lasts[-1] * (times - 1)
            lasts[-1] *= times
        elif token not in "*+?|":
            lasts[-1] = 1
            totals[-1] += 1
    return sum(totals)


def _reason(error: Exception) -> str:
    """The line of polars' error about a pattern that says what is wrong."""
    lines = str(error).splitlines()
    said = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), lines[0])
    return said.removeprefix("regex error: ").rstrip(".")
