"""What ``deeplog-nb watch`` runs: a log, a saved detector and a case folder in, the lines to print out as they come."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import suppress

from deeplog_nb.case.store import Totals
from deeplog_nb.views.axes import counted
from deeplog_nb.views.text import visible


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of ``watch``."""
    command.add_argument("log", metavar="LOG", help="the log that is being written; it need not be there yet")
    command.add_argument("--model", required=True, metavar="DIR", help="judge with the detector saved here")
    command.add_argument("--case", required=True, metavar="DIR", help="keep verdicts and the place in the log here")
    command.add_argument("--idle", default="1h", help="a session is over after so long a silence (default: 1h)")


def texts(wanted: argparse.Namespace, note: Callable[[str], None]) -> Iterator[str]:
    """A line for each alarm, and one at the end, when it is interrupted; gaps are noted."""
    from deeplog_nb.case.case import Case
    from deeplog_nb.case.tail import tail
    from deeplog_nb.detector import load

    with Case(wanted.case) as case:
        followed = tail(wanted.log, case, load(wanted.model), idle=wanted.idle, layout=wanted.layout)
        source = str(followed.path)
        begun = case.position(source) is not None
        left = f", from where it was left, after {_counts(case.totals(source))}" if begun else ""
        note(f"watching {visible(wanted.log)}{left}; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            for tick in followed:
                yield from tick.texts
                for gap in tick.gaps:
                    note(visible(gap))
        pulse = followed.pulse()
        whole = f"{_counts(case.totals(source))} in all; " if begun else ""
        judged = f"{counted(pulse.records, 'record')} judged, {counted(pulse.alarms, 'alarm')}"
        yield f"{judged}; {whole}kept in {case.folder}"


def _counts(totals: Totals) -> str:
    return ", ".join(map(counted, totals, ("record", "alarm", "gap")))
