from __future__ import annotations

import html
import sys
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplog_nb.views.text import escape, visible, visible_expr

HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # Unicode's controls, formats, surrogates, line and paragraph separators


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)])
def test_every_control_character_becomes_its_escape(code: int) -> None:
    """C0, DEL and C1 are shown as what one would type in Python to get them."""
    shown = visible(f"a{chr(code)}b")
    assert shown.isprintable()
    assert shown.encode().decode("unicode_escape") == f"a{chr(code)}b"


@pytest.mark.parametrize("name", ["LEFT-TO-RIGHT OVERRIDE", "RIGHT-TO-LEFT ISOLATE", "ZERO WIDTH SPACE", "WORD JOINER"])
def test_bidi_and_zero_width_become_their_escape(name: str) -> None:
    """What turns or hides neighbouring text is shown by its code point."""
    character = unicodedata.lookup(name)
    assert visible(character) == f"\\u{ord(character):04x}"


def test_nothing_hidden_passes() -> None:
    """Of all of Unicode, as this Python knows it, no control, format or separator is left as it is."""
    hidden = [chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) in HIDDEN]
    assert [f"{ord(c):x}" for c in hidden if visible(c) == c] == []


@given(st.text(st.characters(exclude_categories=HIDDEN)))
def test_visible_text_stays_as_it_is(text: str) -> None:
    """Letters of any script, marks, symbols and backslashes are not touched."""
    assert visible(text) == text


def test_long_text_is_cut_and_says_how_long_it_was() -> None:
    """The limit counts the text's own characters; text within it is whole."""
    assert visible("ab\x00" * 2, limit=3) == "ab\\x00… (6 characters)"
    assert visible("abc", limit=3) == "abc"


@given(st.text())
def test_escaped_text_is_no_markup(text: str) -> None:
    """No tag, entity or quote is left to act, and unescaping gives the visible text back."""
    assert not set("<>\"'") & set(escape(text))
    assert html.unescape(escape(text)) == visible(text)


@given(st.lists(st.text() | st.none()))
def test_the_expression_says_what_the_function_says(texts: list[str | None]) -> None:
    """A column made visible is each of its texts made visible; null stays null."""
    column = pl.DataFrame({"message": texts}, schema={"message": pl.String}).select(visible_expr("message"))
    assert column["message"].to_list() == [text if text is None else visible(text) for text in texts]
