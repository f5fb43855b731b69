"""The file of a workflow: JSON, with a digest of what it says. No pickle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from deeplog_nb.disk import write_whole
from deeplog_nb.events.store import sha256
from deeplog_nb.frames import EDGES, STEPS, FrameError, InputError, ModelError, check
from deeplog_nb.workflow.automaton import Task
from deeplog_nb.workflow.cooccurrence import PAIRS
from deeplog_nb.workflow.following import FOLLOWING
from deeplog_nb.workflow.order import Order

if TYPE_CHECKING:
    from deeplog_nb.workflow.workflow import Workflow

FORMAT: Final = 1
_FRAMES: Final[Mapping[str, Mapping[str, Any]]] = {
    "steps": STEPS,
    "edges": EDGES,
    "following": FOLLOWING,
    "pairs": PAIRS,
}


def write_workflow(workflow: Workflow, path: Path) -> None:
    """Write the workflow, whole or not at all."""
    content: dict[str, Any] = {"format": FORMAT, "source": workflow.source, "background": list(workflow.background)}
    content["templates"] = None if workflow.templates is None else sorted(workflow.templates.items())
    content["model"] = workflow.model
    content["tasks"] = [_task_out(task) for task in workflow.tasks]
    content |= {name: [list(row) for row in getattr(workflow, name).rows()] for name in _FRAMES}
    body = json.dumps(content | {"sha256": sha256(content)}, ensure_ascii=False)
    try:
        write_whole(path, body.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give the name of a file") from error


def read_workflow(path: Path) -> dict[str, Any]:
    """The fields of a workflow that :func:`write_workflow` wrote; refuses a file that was changed."""
    try:
        content = json.loads(path.read_bytes())
        version, whole = content["format"], content.pop("sha256") == sha256(content)
        fields = _fields(content) if version == FORMAT and whole else None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a file that save() wrote") from error
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        FrameError,
        pl.exceptions.PolarsError,
    ) as error:
        raise ModelError(f"{path}: not a workflow ({type(error).__name__}: {error}); learn it anew") from error
    if fields is None:
        raise ModelError(f"{path}: changed since it was saved, or of another version; learn it anew")
    return fields


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    frames = {
        name: check(pl.DataFrame(content[name], schema=dict(schema), orient="row"), dict(schema), name)
        for name, schema in _FRAMES.items()
    }
    templates = content["templates"]
    return {
        "tasks": tuple(map(_task_in, content["tasks"])),
        "background": tuple(content["background"]),
        "templates": None if templates is None else {int(key): str(text) for key, text in templates},
        "source": str(content["source"]),
        "model": None if content.get("model") is None else str(content["model"]),
        **frames,
    }


def _task_out(task: Task) -> dict[str, Any]:
    order = task.order
    return {
        "keys": task.keys,
        "usual": task.usual,
        "presence": task.presence,
        "before": sorted(order.before),
        "turns": sorted(order.turns),
        "together": sorted(order.together),
        "joins": sorted([sorted(sources), step] for sources, step in task.joins),
        "loops": sorted(task.loops),
        "shares": sorted([*edge, share] for edge, share in task.shares.items()),
    }


def _task_in(saved: Mapping[str, Any]) -> Task:
    keys = tuple(map(int, saved["keys"]))
    order = Order(*(_pairs(saved[name], len(keys)) for name in ("before", "turns", "together")))
    joins = frozenset(
        (frozenset(_step(own, len(keys)) for own in sources), _step(step, len(keys)))
        for sources, step in saved["joins"]
    )
    shares = {(int(source), int(target)): float(share) for source, target, share in saved["shares"]}
    presence = tuple(map(float, saved["presence"]))
    if len(presence) != len(keys):
        raise ValueError("a task's parts do not fit together")
    return Task(
        keys, order, joins, _pairs(saved["loops"], len(keys)), shares, presence, tuple(map(int, saved["usual"]))
    )


def _pairs(saved: Iterable[Iterable[int]], steps: int) -> frozenset[tuple[int, int]]:
    return frozenset((_step(one, steps), _step(other, steps)) for one, other in saved)


def _step(number: int, steps: int) -> int:
    if not 0 <= int(number) <= steps:
        raise ValueError(f"step {number} of {steps}")
    return int(number)
