"""Lives a tail in forked processes that can be killed: one that has imported everything forks, and names its child.

Run with the paths of the log, the case and the detector. Each line that is read begins a life.
"""

from __future__ import annotations

import os
import sys


def live(log: str, case: str, detector: str) -> None:
    """Follow the log until killed."""
    import deeplog_nb as dl

    with dl.Case(case) as open_case:
        dl.tail(log, open_case, dl.load(detector, device="cpu"), layout="iso", poll=0.005, settle=0.05).run()


def main(log: str, case: str, detector: str) -> None:
    import deeplog_nb.case.tail
    import deeplog_nb.detector
    import deeplog_nb.stream.stream  # noqa: F401  # what is imported here need not be by each child

    print("ready", flush=True)
    for _ in sys.stdin:
        if (child := os.fork()) == 0:
            try:
                live(log, case, detector)
            finally:
                os._exit(1)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
