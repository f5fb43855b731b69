"""A fitted value model on disk: weights and arrays as safetensors, the rest as JSON. No pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from deeplog_nb.frames import PARAMETERS, ModelError, check
from deeplog_nb.models.bounds import Bounds
from deeplog_nb.models.categories import KNOWN, POSITIONS, Categories
from deeplog_nb.models.channels import Channels
from deeplog_nb.models.few import Few
from deeplog_nb.models.fitted import Fitted, ValueSettings
from deeplog_nb.models.forecasters import Forecasters, Pairs, Scales, build
from deeplog_nb.models.kept import Kept
from deeplog_nb.models.robust import Robust
from deeplog_nb.models.store import fill, save_model
from deeplog_nb.sessions.series import Groups, layout

NAME: Final = "values"
_NETWORK: Final = "network."
_BOUNDS: Final = {
    "held_errors": "errors",
    "held_channels": "channels",
    "start": "start",
    "scale": "scale",
    "shape": "shape",
    "declared_errors": "declared",
    "declared_channels": "declared_channels",
}
_PAIRS: Final = {"kept_histories": "histories", "kept_nexts": "nexts", "kept_series": "series"}
_FEW: Final = {"few_values": "values", "few_keys": "keys", "few_before": "before"}


def save_fitted(folder: Path, fitted: Fitted, facts: Mapping[str, Any]) -> None:
    """Write ``values.safetensors`` and ``values.json``."""
    store = nn.Module()
    store.add_module("network", fitted.forecasters.network)
    for name, array in _arrays(fitted).items():
        store.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)))
    frames = {
        "parameters": fitted.parameters.to_dict(as_series=False),
        "checked": fitted.categories.positions.to_dict(as_series=False),
        "known": fitted.categories.known.to_dict(as_series=False),
    }
    save_model(folder, NAME, store, {**facts, "frames": frames})


def fitted_from(
    facts: Mapping[str, Any], stored: Mapping[str, Tensor], settings: ValueSettings, folder: Path
) -> Fitted:
    """What was saved, put together again; refuses arrays that do not fit together."""
    arrays = {name: value.numpy() for name, value in stored.items() if not name.startswith(_NETWORK)}
    if "kept_series" not in arrays:
        raise ModelError(
            f"{folder}: a value model of an older version, which kept no examples to learn on; train it anew"
        )
    frames = facts["frames"]
    parameters = check(pl.DataFrame(frames["parameters"], schema=PARAMETERS), PARAMETERS, "parameters")
    slots = layout(parameters)
    groups = Groups(arrays["keys"], arrays["before"])
    scales = Scales(arrays["mean"], arrays["deviation"], arrays["tick"])
    if {each.shape for each in vars(scales).values()} != {(len(groups), slots.size)}:
        raise ModelError(f"{folder}: the saved value model's parts do not fit together; train it anew")
    s = settings
    network = build(len(groups), slots.size, s.units, s.layers, s.history, s.training)
    fill(
        network,
        {name.removeprefix(_NETWORK): value for name, value in stored.items() if name.startswith(_NETWORK)},
        folder,
    )
    held = (arrays[name] for name in _BOUNDS)
    checked = pl.DataFrame(frames["checked"], schema=POSITIONS), pl.DataFrame(frames["known"], schema=KNOWN)
    return Fitted(
        settings=s,
        parameters=parameters,
        layout=slots,
        forecasters=Forecasters(groups, scales, network, s.series),
        channels=Channels(arrays["channels"], s.apart),
        bounds=Bounds(s.bound, s.confidence, *held),
        fallen=Groups(arrays["fallen_keys"], arrays["fallen_before"]),
        robust=Robust(arrays["median"], arrays["spread"], arrays["number"], arrays["fallen_tick"]),
        fallen_tails=arrays["fallen_tails"],
        categories=Categories(*checked),
        examples=arrays["examples"],
        kept=_kept(arrays, len(groups), slots.size, s.history),
    )


def _arrays(fitted: Fitted) -> dict[str, Any]:
    found, bounds, fallen, robust = fitted.forecasters, fitted.bounds, fitted.fallen, fitted.robust
    return {
        "keys": found.groups.keys,
        "before": found.groups.before,
        "mean": found.scales.mean,
        "deviation": found.scales.deviation,
        "tick": found.scales.tick,
        "channels": fitted.channels.numbers,
        "fallen_keys": fallen.keys,
        "fallen_before": fallen.before,
        "median": robust.median,
        "spread": robust.spread,
        "number": robust.number,
        "fallen_tails": fitted.fallen_tails,
        "fallen_tick": robust.tick,
        "examples": fitted.examples,
        **{name: getattr(bounds, field) for name, field in _BOUNDS.items()},
        **{name: getattr(fitted.kept.pairs, field) for name, field in _PAIRS.items()},
        "kept_errors": fitted.kept.errors,
        **{name: getattr(fitted.kept.few, field) for name, field in _FEW.items()},
    }


def _kept(arrays: Mapping[str, Any], series: int, size: int, history: int) -> Kept:
    """What was kept of the training; refuses what no training gives."""
    pairs, few = Pairs(*(arrays[name] for name in _PAIRS)), Few(*(arrays[name] for name in _FEW))
    shapes = (len(pairs.series), history, size), (len(pairs.series), size), (len(few), size), (series,)
    if (pairs.histories.shape, pairs.nexts.shape, few.values.shape, arrays["kept_errors"].shape) != shapes:
        raise ValueError("the examples that it kept do not fit its networks")
    if ((pairs.series < 0) | (pairs.series >= series)).any():
        raise ValueError("an example that it kept is of no series")
    return Kept(pairs, arrays["kept_errors"], few)
