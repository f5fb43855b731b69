"""What stays of a panel when its kernel is gone: an output of its own below it, plain text and escaped HTML.

A widget is drawn by a running kernel only; a saved notebook shows this instead. It holds no script, no
style that matters, and of a log only text that ``views.text`` made safe.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from deeplog_nb.views.text import escape, visible

_WRAPPED: Final = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"  # Jupyter's own breaks any word


class Receipt:
    """An output that is written once and then replaced in place, from any thread."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._shown: tuple[str, ...] | None = None

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines here and now; later ones take their place by :meth:`update`."""
        self._publish(lines, update=False)

    def update(self, lines: Sequence[str]) -> None:
        """Put these lines in the place of the last ones, if they are shown at all and others."""
        if self._shown is not None and self._shown != tuple(lines):
            self._publish(lines, update=True)

    def _publish(self, lines: Sequence[str], *, update: bool) -> None:
        from IPython.display import display

        self._shown = tuple(lines)
        display(bundle(lines), raw=True, display_id=self._id, update=update)


def bundle(lines: Sequence[str]) -> dict[str, str]:
    r"""The lines as the two types that a notebook keeps and shows, trusted or not.

    >>> bundle(["1 alarm", "<b>\x1b"])["text/html"]
    '<pre style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere">1 alarm\n&lt;b&gt;\\x1b</pre>'
    """
    text = "\n".join(map(visible, lines))
    return {"text/plain": text, "text/html": f'<pre style="{_WRAPPED}">{chr(10).join(map(escape, lines))}</pre>'}
