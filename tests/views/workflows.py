"""Small workflows to draw, and texts that would do harm where they were not shown as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from deeplog_nb.frames import DIAGNOSES, EDGES, SESSIONS, STEPS

Edge = tuple[int, int, str, int, float | None]  # source, target, kind, count, median

CREATE: Final = (
    (44, "[instance: <*>] Attempting claim: memory <*> MB, disk <*> GB, vcpus <*> CPU"),
    (51, "[instance: <*>] Claim successful"),
    (52, "[instance: <*>] Creating image"),
    (18, "[instance: <*>] VM Resumed (Lifecycle Event)"),
    (25, "[instance: <*>] During sync_power_state the instance has a pending task (spawning). Skip."),
    (56, "[instance: <*>] Took <*> seconds to build instance."),
)
CREATE_EDGES: Final[Sequence[Edge]] = (
    (0, 1, "next", 500, None),
    (1, 2, "next", 500, 0.004),
    (2, 3, "next", 497, 1.2),
    (2, 6, "branch", 3, 60.0),
    (3, 4, "parallel", 497, 11.0),
    (3, 5, "parallel", 497, 10.0),
    (4, 6, "parallel", 497, 0.2),
    (5, 6, "parallel", 497, 0.4),
    (6, 6, "loop", 40, 0.1),
    (6, 0, "next", 500, None),
)


@dataclass(frozen=True)
class Drawn:
    """What ``graph`` needs of a workflow."""

    steps: pl.DataFrame
    edges: pl.DataFrame
    templates: Mapping[int, str]
    background: tuple[int, ...] = field(default=())


def workflow(*tasks: tuple[Sequence[tuple[int, str]], Sequence[Edge]]) -> Drawn:
    """STEPS, EDGES and templates of these tasks; the paper's creation of a machine, where there are none."""
    steps, edges, texts = [], [], {}
    for task, (keys, drawn) in enumerate(tasks or ((CREATE, CREATE_EDGES),), 1):
        left = {s: sum(count for source, _, _, count, _ in drawn if source == s) for s in range(len(keys) + 1)}
        steps += [(task, 0, None, left[0])] + [(task, at, key, left[at]) for at, (key, _) in enumerate(keys, 1)]
        edges += [(task, s, t, kind, n, min(n / left[s], 1.0), wait, wait) for s, t, kind, n, wait in drawn]
        texts |= dict(keys)
    return Drawn(
        pl.DataFrame(steps, schema=STEPS, orient="row"), pl.DataFrame(edges, schema=EDGES, orient="row"), texts
    )


def session(*keys: int, name: str = "9a1e-07") -> pl.DataFrame:
    """SESSIONS with one session."""
    rows = [(name, at, key, 1, False) for at, key in enumerate(keys)]
    return pl.DataFrame(rows, schema=SESSIONS, orient="row")


def diagnosis(rule: str, **other: object) -> pl.DataFrame:
    """DIAGNOSES with one row: the image came 5 s after the claim, where it should, unless it is said otherwise."""
    row = {"session": "9a1e-07", "position": 2, "task": 1, "last_good": 2, "expected": [52], "seen": 52}
    row |= {"elapsed": 5.0, "usual": 1.2, "late": 2.0, "sentence": "", "rule": rule, "slow": None}
    return pl.DataFrame([row | other], schema=DIAGNOSES, orient="row")


def dense(steps: int) -> Drawn:
    """A task in which every step may follow every other, and itself."""
    ends = [(s, t) for s in range(steps + 1) for t in range(steps + 1) if s or t]
    edges = [(s, t, "loop" if 0 < t <= s else "branch", 1 + (7 * s + 3 * t) % 20, 1.0) for s, t in ends]
    return workflow(([(n, f"step {n}") for n in range(1, steps + 1)], edges))


_SHAPES: Final = (
    "<script>top.RAN=window.RAN=1;fetch('http://evil.example/{n}')</script>",
    "</script><script>window.RAN=1</script>",
    "<img src=x onerror='window.RAN=1'>",
    "GET href=foo <img src=http://evil.example/{n} onerror=window.RAN=1>",
    "<a href='javascript:window.RAN=1'>x</a>",
    '"><svg/onload=window.RAN=1>',
    "' onmouseover='window.RAN=1",
    "{{{{constructor.constructor('window.RAN=1')()}}}} {{% raw %}} ${{window.RAN=1}} #{{1}}",
    "</title><iframe srcdoc='<script>parent.RAN=1</script>'></iframe>",
    "\x00nul \x1b[31mred\x1b]8;;http://evil.example\x07 \u202eedoc\u2066 \ufffe \ud800",
    "<!--<script>--> ]]> \\u003cscript\\u003e </style> &lt;b&gt; `window.RAN=1`",
    "__proto__",
    "<b>bold</b><meta http-equiv=refresh content='0;url=http://evil.example/{n}'>",
)
HOSTILE: Final = tuple(f"{_SHAPES[n % len(_SHAPES)].format(n=n)} {n}" for n in range(100))


def hostile() -> Drawn:
    """A workflow of a hundred steps, each with a text that would do harm as markup, script or expression."""
    keys = list(enumerate(HOSTILE, 1))
    chain = [(n, n + 1, "next", 5, 1.0) for n in range(100)] + [(100, 0, "next", 5, 1.0)]
    loops = [(n, n - 1, "loop", 2, 1.0) for n in range(20, 100, 20)]
    return workflow((keys, [*chain, *loops]))
