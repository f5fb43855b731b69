from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from deeplog_nb.views.page import clip, columns, table, tag


class _Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(min_size=1))
def test_no_text_becomes_an_element_or_an_attribute(text: str) -> None:
    """Whatever a text holds, as content and as attribute it stays one text."""
    seen = _Seen(tag("p", text, title=text))
    assert [(name, [key for key, _ in attributes]) for name, attributes in seen.tags] == [("p", ["title"])]


def test_markup_is_not_escaped_twice() -> None:
    """What a tag made is markup for the next."""
    assert tag("p", tag("b", "<")) == "<p><b>&lt;</b></p>"


def test_a_long_text_says_how_long_it_was() -> None:
    """A cut text names its length."""
    assert clip("x" * 3000, 5) == "xxxxx… (3,000 characters)"


def test_tables_name_their_columns_and_can_be_scrolled_by_keyboard() -> None:
    """The box around a table takes the focus and says what the table holds."""
    box = dict(_Seen(table(("A", "B"), [(1, "<")])).tags[0][1])
    assert (box["tabindex"], box["role"], box["aria-label"]) == ("0", "region", "A, B")


def test_a_strip_of_columns_draws_only_what_there_is() -> None:
    """Each count above 0 is a column, as high as its share of the tallest; the ground is drawn below."""
    heights = [dict(attributes).get("height") for name, attributes in _Seen(columns([2, 0, 1], "")).tags[1:]]
    assert heights == ["40.0", "20.0", "1"]
