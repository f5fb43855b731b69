"""A panel over a tail: whether it runs, how fast, its last lines and alarms, and a button that stops it.

It judges nothing and keeps nothing: ``case.tail`` does. Log text comes in as ``views.text`` made it safe,
and is escaped once more where it becomes HTML.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from weakref import WeakValueDictionary

import ipywidgets as widgets

from deeplog_nb.case.pulse import Pulse
from deeplog_nb.case.tail import Tail
from deeplog_nb.controls.receipt import Receipt
from deeplog_nb.frames import DeepLogError, InputError
from deeplog_nb.views.axes import counted
from deeplog_nb.views.text import escape, visible

REDRAWN: Final = 0.25  # s between two states of the panel
RECORDED: Final = 1.0  # s between two receipts with other news: each is written into the open notebook
COUNTED: Final = 3.0  # s between two that only count on
SILENT: Final = 30.0  # s between two that only tell the time: a notebook that nothing happens in stays saved
KEPT: Final = 5  # alarms and gaps in the receipt

_INK: Final = "color:var(--jp-ui-font-color1,#1F2933)"
_FONT: Final = f"font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px);{_INK}"
_CODE: Final = (
    "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);line-height:1.5;"
    f"padding:.3em .6em;background:var(--jp-layout-color2,#F5F6F8);{_INK}"
)
_WRAPPED: Final = "white-space:pre-wrap;overflow-wrap:anywhere"
_CLIPPED: Final = "white-space:pre;overflow:hidden;text-overflow:ellipsis"
_LONG: Final = "max-height:15em;overflow-y:auto"
_FIXED: Final = "height:15em;overflow:hidden"  # or the page would jump with each line
_USUAL: Final = "border-left:3px solid transparent"
_ALARM: Final = "border-left:3px solid #D55E00"
_panels: WeakValueDictionary[int, Panel] = WeakValueDictionary()  # by the identity of their tails, which they keep


def live(tail: Tail) -> Panel:
    """A :class:`Panel` over this tail, which begins to follow in the background if it does not yet.

    The last expression of a cell shows it. A second panel over the same tail takes the first one's place.

    >>> import deeplog_nb as dl
    >>> panel = dl.live(dl.tail("app.log", dl.Case("incident"), detector))  # doctest: +SKIP
    """
    if not isinstance(tail, Tail):
        raise InputError(f"a panel is of a tail, not of type {type(tail).__name__}; give dl.tail(log, case, detector)")
    if (old := _panels.pop(id(tail), None)) is not None:
        old.close()
    tail.start()
    _panels[id(tail)] = panel = Panel(tail)
    return panel


class Panel:
    """Widgets over a running tail, and below them the receipt: the last state as text, which stays when they are gone.

    Stop by the button, by :meth:`stop`, or by interrupting :meth:`wait`; ``Go on`` begins again where it stopped.
    """

    def __init__(self, tail: Tail, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.tail, self._clock = tail, clock
        self._drawn = self._recorded = float("-inf")
        self._news: tuple[object, ...] = ()
        self._counts = -1
        self._receipt = Receipt()
        self._button = widgets.Button(layout=widgets.Layout(width="9em"))
        self._button.on_click(self._pressed)
        self._head, self._alarms, self._lines = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._head.layout.flex = "1 1 auto"
        top = widgets.HBox([self._head, self._button], layout=widgets.Layout(align_items="center"))
        self.box = widgets.VBox([top, self._alarms, self._lines], layout=widgets.Layout(max_width="70em"))
        self._unwatch = tail.watch(self.refresh)
        self._draw(tail.state, tail.pulse())

    def stop(self) -> None:
        """Stop the tail after the look that is under way, and show its last state."""
        try:
            self.tail.stop()
        finally:
            self.refresh()

    def wait(self) -> None:
        """Return when the tail has stopped; an interrupt stops it."""
        try:
            while self.tail.is_running:
                time.sleep(REDRAWN)
        except KeyboardInterrupt:
            self.stop()

    def close(self) -> None:
        """Take the widgets away; the tail goes on, the receipt stays."""
        self._unwatch()
        self.box.close()

    def refresh(self) -> None:
        """Show the state as it is, unless that was done just now; the last one always."""
        now, state, pulse = self._clock(), self.tail.state, self.tail.pulse()
        last = not self.tail.is_following
        if last or now - self._drawn >= REDRAWN:
            self._drawn = now
            self._draw(state, pulse)
        news, counts = (state, pulse.alarms, pulse.gap_count), pulse.records
        wait = RECORDED if news != self._news else COUNTED if counts != self._counts else SILENT
        if last or now - self._recorded >= wait:
            self._recorded, self._news, self._counts = now, news, counts
            self._receipt.update(self._words())

    def _pressed(self, button: widgets.Button) -> None:
        if self.tail.is_following:
            self.tail.stop(wait=False)
            button.disabled = True  # until the look under way has ended
            return
        try:
            self.tail.start()
        except DeepLogError as error:  # nobody hears what a callback raises
            self._draw(f"failed: {visible(str(error), 400)}", self.tail.pulse())

    def _draw(self, state: str, pulse: Pulse) -> None:
        runs = self.tail.is_following
        name = visible(self.tail.path.name, 80)
        self._button.description = "Stop" if runs else "Go on"
        self._button.tooltip = f"{'Stop following' if runs else 'Follow'} {name}; what was judged stays in the case"
        self._button.disabled = False
        *whole, last = _numbers(pulse)
        rate = f" · {pulse.rate:,.0f} records a second" * runs
        self._head.value = _head(name, state, [*whole, last + rate], pulse.gaps)
        self._alarms.value = _listed("Last alarms", pulse.alarmed[::-1], _WRAPPED, _LONG, _ALARM)
        size = _FIXED if runs or pulse.lines else _LONG
        self._lines.value = _listed("Last lines", pulse.lines, _CLIPPED, size, _USUAL)

    def _words(self) -> list[str]:
        """The receipt."""
        pulse, at = self.tail.pulse(), datetime.now(UTC)
        words = [f"Last state of {self.tail.path.name}: {self.tail.state}, {at:%Y-%m-%d %H:%M:%S} UTC"]
        words += _numbers(pulse)
        words += [f"  alarm  {text}" for text in pulse.alarmed[-KEPT:]]
        words += [f"  gap    {text}" for text in pulse.gaps[-KEPT:]]
        return [*words, f"kept in {self.tail.case.folder}: dl.Case(…).verdicts(anomalous=True) has all alarms"]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        view = self.box._repr_mimebundle_() | {"text/plain": "The panel needs its kernel; what it said last is below."}
        display(view, raw=True)
        self._receipt.show(self._words())

    def __repr__(self) -> str:
        return "\n".join(map(visible, self._words()))


def _numbers(pulse: Pulse) -> list[str]:
    """What the case has in all; where that is more than came since the tail was made, that in a second line."""
    own = pulse.records, pulse.alarms, pulse.gap_count
    told = [_counts([one + other for one, other in zip(own, pulse.before, strict=True)])]
    return [*told, f"since {pulse.since:%Y-%m-%d %H:%M:%S} UTC: {_counts(own)}"] if any(pulse.before) else told


def _counts(numbers: Sequence[int]) -> str:
    return " · ".join(map(counted, numbers, ("record", "alarm", "gap")))


def _head(name: str, state: str, numbers: Sequence[str], gaps: Sequence[str]) -> str:
    rows = "".join(f"<div>{escape(row)}</div>" for row in numbers)
    gap = f"<div>{escape(gaps[-1])}</div>" if gaps else ""
    return (
        f'<div style="{_FONT};line-height:1.5"><div role="status"><b>{escape(name)}</b>: {escape(state)}</div>'
        f"{rows}{gap}</div>"
    )


def _listed(title: str, texts: Sequence[str], row: str, size: str, edge: str) -> str:
    """Texts under a heading, each escaped and in a row of its own; reached by keyboard, for it may have to scroll."""
    rows = "".join(f'<div style="{row}">{escape(text)}</div>' for text in texts) or "none so far"
    box = f"{_CODE};{size};{edge if texts else _USUAL}"
    return (
        f'<div style="{_FONT};font-weight:600;margin:.6em 0 .2em">{escape(title)}</div>'
        f'<div role="group" aria-label="{escape(title)}" tabindex="0" style="{box}">{rows}</div>'
    )
