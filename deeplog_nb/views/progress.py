"""Long work tells where it is: one line that rewrites itself, and stays readable when exported.

In a notebook that is one output, refreshed in place; in a terminal one line on stderr; elsewhere
nothing. It counts nothing and estimates nothing: the caller's steps say what they are.
"""

from __future__ import annotations

import shutil
import sys
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self, TextIO

from deeplog_nb.views.text import visible

EVERY: Final = 0.25  # s between two lines; faster redraws flicker in VS Code and swell exported logs

Show = Callable[[str, bool], None]
"""Shows a line in place of the one before; the flag says that it is the last."""


class Progress:
    """One line that follows the steps at most four times a second, and always ends on the last one.

    Call it with each step, anything whose text says where the work is; it shows itself wherever
    this process can. ``show`` and ``clock`` are for a place or a time of one's own.

    >>> with Progress("training keys") as report:
    ...     for epoch in range(3):
    ...         report(f"epoch {epoch} · loss 0.213")

    >>> report = Progress("reading", show=lambda line, last: print(line), clock=lambda: 0.0)
    >>> report("1 of 3"); report("2 of 3"); report("3 of 3")
    reading · 1 of 3
    >>> report.done()
    reading · 3 of 3
    """

    def __init__(self, title: str, *, show: Show | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._show = show or _notebook() or _terminal(sys.stderr) or _nowhere
        self._clock = clock
        self._line = title
        self._due = float("-inf")
        self._over = False

    def __call__(self, step: object) -> None:
        """Take the step's text as the state, and show it if the last line is old enough."""
        self._line = f"{self._title} · {step}"
        now = self._clock()
        if now >= self._due and not self._over:
            self._due = now + EVERY
            self._show(visible(self._line), False)

    def done(self, text: object = None) -> None:
        """Show the final state, the text or else the last step, once and for good."""
        if self._over:
            return
        self._over = True
        self._show(visible(self._line if text is None else f"{self._title} · {text}"), True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is not None:
            self._line += " · interrupted" if kind is KeyboardInterrupt else f" · stopped by {kind.__name__}"
        self.done()


def _notebook() -> Show | None:
    publisher = _publisher()
    if publisher is None:
        return None
    transient, shown = {"display_id": uuid.uuid4().hex}, False

    def show(line: str, last: bool) -> None:
        nonlocal shown
        publisher.publish(data={"text/plain": line}, transient=transient, update=shown)
        shown = True

    return show


def _publisher() -> Any | None:
    """The way to a notebook's output, if this process is a kernel. Never imports IPython."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    return shell.display_pub if getattr(shell, "kernel", None) else None


def _terminal(stream: TextIO) -> Show | None:
    if not stream.isatty():
        return None

    def show(line: str, last: bool) -> None:
        room = shutil.get_terminal_size().columns - 1  # a full line would wrap and could not be rewritten
        stream.write(f"\r{line[:room]}\x1b[K" + "\n" * last)
        stream.flush()

    return show


def _nowhere(line: str, last: bool) -> None:
    return None
