from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from deeplog_nb.views.packing import BITS, SIGNS, packed


def unpacked(signs: str, size: int) -> str:
    """What ``widgets/graph.js`` does, sign by sign."""
    place = {sign: at for at, sign in enumerate(SIGNS.tobytes().decode("ascii"))}
    numbers = [place[a] * len(SIGNS) + place[b] for a, b in zip(signs[::2], signs[1::2], strict=True)]
    bits = "".join(f"{number:0{BITS}b}" for number in numbers)
    return gzip.decompress(bytes(int(bits[at : at + 8], 2) for at in range(0, 8 * size, 8))).decode()


@given(st.text())
def test_what_was_packed_comes_back(text: str) -> None:
    """Any text, an empty one too."""
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    assert unpacked(*packed(text)) == text


def test_no_sign_is_escaped() -> None:
    """Neither JSON nor an attribute of HTML makes any of them longer."""
    assert not set(SIGNS.tobytes()) & set(b'"&<\\\n')
    assert len(SIGNS) == 91
