"""What the keys say, as one line of text: clipped and without control characters, as log text comes from strangers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Final

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import InputError

CLIPPED: Final = 70  # characters of a template that a line shows

Texts = Mapping[int, str]


def texts_of(templates: Templates | Texts | None) -> Texts | None:
    """What each key says: a store's own texts, or those given.

    >>> texts_of({5: "VM Started"})
    {5: 'VM Started'}
    """
    if isinstance(templates, Templates):
        return {key: templates.text(key) for key in templates.frame["key"].to_list()}
    if templates is None:
        return None
    told = templates.items() if isinstance(templates, Mapping) else [(None, None)]
    if not all(isinstance(key, Integral) and isinstance(text, str) for key, text in told):
        what = f"is of type {type(templates).__name__}; give templates, or a dict such as {{5: 'VM Started'}}"
        raise InputError(f"templates {what}")
    return dict(templates)


def without_beginning(texts: Texts | None, keys: Iterable[int]) -> Texts | None:
    """The texts without the words that those of all these keys begin with: an id, say, which tells nobody anything.

    >>> without_beginning({1: "[vm <*>] Creating image", 2: "[vm <*>] VM Started", 9: "GET"}, [1, 2])
    {1: 'Creating image', 2: 'VM Started', 9: 'GET'}
    """
    own = [texts[key] for key in keys if texts and key in texts]
    if texts is None or len(set(own)) < 2:
        return texts
    first, last = min(own), max(own)
    alike = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    shared = first[: first.rfind(" ", 0, alike) + 1]
    return {key: text.removeprefix(shared) for key, text in texts.items()}


def line(text: str, most: int = CLIPPED) -> str:
    r"""The text on one line, control characters and the like written out.

    >>> print(line("a\n<b>\x1b[31m\u202e"), line("x" * 9, 5))
    a\n<b>\x1b[31m\u202e xxxx…
    """
    clipped = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in clipped)


def quoted(key: int | None, texts: Texts | None) -> str:
    """A key as a sentence names it.

    >>> quoted(5, {5: "VM Started"}), quoted(7, None), quoted(None, None)
    ('‘VM Started’', 'key 7', 'the end of the session')
    """
    if key is None:
        return "the end of the session"
    if texts and key in texts:
        return f"‘{line(texts[key].strip())}’"
    return f"key {key}" if key else "a message that fits no template"
