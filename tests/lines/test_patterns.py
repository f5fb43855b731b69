"""Patterns that people write: what cannot run in linear time is refused with advice, the rest is quick on any line."""

from __future__ import annotations

import time
from typing import Final

import polars as pl
import pytest

from deeplog_nb.frames import InputError
from deeplog_nb.lines.fields import with_fields
from deeplog_nb.lines.layouts import Layout, check_layout
from deeplog_nb.lines.patterns import check_pattern, header, quick

SIZE: Final = 1_000_000
LONG: Final = [  # a pattern that hurts engines that go back, and what its worst line repeats
    (r"(a+)+$", "a"),
    (r"(a*)*$", "a"),
    (r"(a|a)*$", "a"),
    (r"(a|aa)+$", "a"),
    (r"(a|a?)+$", "a"),
    (r"(.*a){6}$", "a"),
    (r"(.*a){12}", "a"),
    (r"(a+)+b", "a"),
    (r"((a+)+)+b", "a"),
    (r"(((a+)+)+)+b", "a"),
    (r"(a*)*b", "a"),
    (r"(a?){30}a{30}", "a"),
    (r"(a?){200}a{200}", "a"),
    (r"a{1,100}b", "a"),
    (r"(a{1,30}){1,30}b", "a"),
    (r"(a{0,25}){0,25}$", "a"),
    (r"(x+x+)+y", "x"),
    (r"(x+x+x+)+y", "x"),
    (r"([a-zA-Z]+)*$", "a"),
    (r"(([a-z])+.)+[A-Z]([a-z])+$", "a"),
    (r"^(([a-z])+\.)+[a-z]{2,5}$", "a."),
    (r"^(\w+\s?)*$", "word "),
    (r"^(\d+)+$", "1"),
    (r"(\d+|\d+)*x", "1"),
    (r"(\w|\d)+!", "1"),
    (r"(\s+)+$", " "),
    (r"\s+$", " "),
    (r"(\s*\s*)*x", " "),
    (r".*.*.*.*.*=", "a"),
    (r".*.*=.*", "="),
    (r"(.+)+=(.+)+;", "="),
    (r"(.*)*;", "a"),
    (r"^(.*?,){11}P", ","),
    (r"(.*?,)+P", ","),
    (r"<!--(.*?)*-->", "<!--"),
    (r"(\"(\\.|[^\"])*\")*x", '"'),
    (r"(\\+)+\"", "\\"),
    (r"^(?:a?b?c?)*$", "abc"),
    (r"(?:(?:ab)*|a*)*c", "ab"),
    (
        r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
        "a",
    ),
    (r"(?i)(k|K|\x{212A})+x", "k"),
    (r"(\p{L}+)+\d", "é"),
    (r"(?:[^x]+)+x", "é"),
    (r"[01]*1[01]{30}$", "1"),
    (r"(a|b)*a(a|b){60}$", "ab"),
    (r"(?:.{0,500})x", "a"),
]
REFUSED: Final = [
    (r"(a{1,1000}){1,1000}", "1,000,000 steps, and 1,000 are accepted; repeat without a bound"),
    (r"((a{1,100}){1,100}){1,100}b", "1,000,0.. steps"),
    (r"(?:.{0,9999})x", "10,00. steps"),
    (r"(?:a|b){1,600}(?:c|d){1,600}", "[0-9],[0-9]+ steps"),
    (r"^(?=(a+))\1b", "look-around.*write what stands around it into the pattern"),
    (r"(?<=id=)\w+", "look-around.*put a group around the wanted part"),
    (r"(?<!a)b", "look-around"),
    (r"(?!a)b", "look-around"),
    (r"(a+)\1", "backreference.*write the repeated part twice"),
    (r"(?P<a>x)(?P=a)", "unrecognized|invalid|unclosed|expected"),
    (r"(?>a+)b", "flag.*no atomic groups"),
    (r"(a)?(?(1)b|c)", "flag.*no atomic groups, conditions"),
    (r"\Ga", r"escape sequence; write \\A"),
    (r"a\Z", r"escape sequence; write \\A"),
    (r"(a", "unclosed group"),
    (r"*a", "repetition operator missing"),
    ("(" * 400 + "a" + ")" * 400, "nest"),
]


@pytest.mark.parametrize(("pattern", "repeated"), LONG, ids=[pattern for pattern, _ in LONG])
def test_a_pattern_that_hurts_elsewhere_is_quick_here(pattern: str, repeated: str) -> None:
    """As a layout of its own, on a line of a megabyte: at most a second, whether it fits or not."""
    layout = check_layout(Layout("mine", "mine", pattern=f"(?P<message>{pattern})"))
    lines = pl.DataFrame({"text": [repeated * (SIZE // len(repeated.encode())), repeated * (SIZE // 2) + "!"]}).head(1)
    began = time.process_time()
    with_fields(lines, layout)
    assert time.process_time() - began <= 1


@pytest.mark.parametrize(("pattern", "said"), REFUSED, ids=[pattern[:40] for pattern, _ in REFUSED])
def test_a_pattern_that_cannot_run_is_refused_with_advice(pattern: str, said: str) -> None:
    """The error says who gave it, why it cannot run, and what to write instead; and it says so at once."""
    began = time.process_time()
    with pytest.raises(InputError, match=f"--session: no linear-time pattern: .*(?:{said})"):
        check_pattern(pattern, "--session")
    assert time.process_time() - began <= 1


def test_there_are_at_least_fifty_of_them() -> None:
    """What we promise is counted."""
    assert len(LONG) + len(REFUSED) >= 50


def test_repetitions_that_people_do_write_are_accepted() -> None:
    """Identifiers of fixed width, bounded words, quantified groups."""
    for pattern in (
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        r"(?:\d{1,3}\.){3}\d{1,3}",
        r"[\w-]{1,64}=(.{0,200})",
    ):
        assert check_pattern(pattern, "x") == pattern


@pytest.mark.parametrize(
    ("pattern", "head"),
    [
        (r"^(?P<a>[(|]+)\| (?P<message>.*)$", r"^(?P<_header>(?P<a>[(|]+)\| )"),
        (r"^(?:a|b) ?(?P<message>.*)$", "^(?P<_header>(?:a|b) ?)"),
        (r"^a|b(?P<message>.*)$", None),
        (r"^(?:a(?P<message>.*)$", None),
        (r"a(?P<message>.*)$", None),
        (r"^(?P<message>.*) \(b\)$", None),
    ],
)
def test_the_header_is_what_stands_before_the_rest_of_the_line(pattern: str, head: str | None) -> None:
    """Only where the message is the rest of the line whatever came before."""
    assert header(pattern) == head


@pytest.mark.parametrize("text", ["12 a: b", "1 : ", "x", "", "12 a:b", "7 é: \u00a0ü"])
def test_cutting_the_header_off_is_cutting_by_the_whole_pattern(text: str) -> None:
    """The short way gives what the pattern says."""
    pattern = r"^(?P<pid>\d+) (?P<source>[^\s:]*): (?P<message>.*)$"
    found = with_fields(pl.DataFrame({"text": [text]}), Layout("a", "a", pattern=pattern))
    whole = pl.DataFrame({"text": [text]}).select(pl.col("text").str.extract_groups(quick(pattern))).unnest("text")
    assert found.select("pid", "source", "message").equals(whole)
