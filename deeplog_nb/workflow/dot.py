"""A workflow in the DOT language, for Graphviz and whatever else reads it."""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.workflow.texts import Texts, line

STYLES: Final = {"next": "solid", "branch": "dashed", "loop": "dotted", "parallel": "bold"}


def to_dot(steps: pl.DataFrame, edges: pl.DataFrame, texts: Texts | None) -> str:
    r"""The graph, a cluster a task; what the keys say is quoted, so that no log text is taken for DOT.

    >>> rows = pl.DataFrame({"task": [1, 1], "step": [0, 1], "key": [None, 5], "count": [3, 3]})
    >>> print(to_dot(rows, pl.DataFrame({"task": [1], "source": [0], "target": [1], "kind": ["next"], "share": [1.0],
    ...     "median_elapsed": [None]}), {5: 'say "hi" \\ bye'}))
    digraph workflow {
      rankdir=LR;
      node [shape=box];
      subgraph cluster_1 {
        label="task 1";
        t1_0 [label="begin", shape=circle];
        t1_end [label="end", shape=doublecircle];
        t1_1 [label="5 say \"hi\" \\ bye"];
        t1_0 -> t1_1 [style=solid, label="100 %"];
      }
    }
    """
    clusters = [
        part
        for number in steps["task"].unique(maintain_order=True).to_list()
        for part in _cluster(number, steps.filter(task=number), edges.filter(task=number), texts)
    ]
    return "\n".join(["digraph workflow {", "  rankdir=LR;", "  node [shape=box];", *clusters, "}"])


def _cluster(number: int, steps: pl.DataFrame, edges: pl.DataFrame, texts: Texts | None) -> list[str]:
    nodes = [
        f"    t{number}_{step} [label={_text(f'{key} {(texts or {}).get(key, str())}'.strip())}];"
        for step, key in steps.filter(pl.col("step") > 0).select("step", "key").rows()
    ]
    arrows = [
        f"    t{number}_{source} -> t{number}_{target or 'end'} "
        f"[style={STYLES[kind]}, label={_text(_label(share, wait))}];"
        for source, target, kind, share, wait in edges.select(
            "source", "target", "kind", "share", "median_elapsed"
        ).rows()
    ]
    ends = [
        f'    t{number}_0 [label="begin", shape=circle];',
        f'    t{number}_end [label="end", shape=doublecircle];',
    ]
    return [f"  subgraph cluster_{number} {{", f'    label="task {number}";', *ends, *nodes, *arrows, "  }"]


def _label(share: float, wait: float | None) -> str:
    return f"{share:.0%}".replace("%", " %") + ("" if wait is None else f", {wait:.3g} s")


def _text(text: str) -> str:
    escaped = line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
