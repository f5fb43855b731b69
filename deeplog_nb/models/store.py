"""A model on disk: numbers as safetensors, everything else as JSON, which holds their digest. No pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from deeplog_nb.disk import write_whole
from deeplog_nb.frames import InputError, ModelError

FORMAT: Final = 1
Facts = Mapping[str, Any]


def save_model(folder: Path, name: str, network: nn.Module, facts: Facts) -> None:
    """Write ``name.safetensors``, then ``name.json``, which names the weights it belongs to."""
    save_numbers(folder, name, network.state_dict(), facts)


def save_numbers(folder: Path, name: str, numbers: Mapping[str, Tensor], facts: Facts) -> None:
    """The same for a model that is no network."""
    weights, described = packed(numbers, facts)
    write_whole(folder / f"{name}.safetensors", weights)
    write_whole(folder / f"{name}.json", described)


def packed(numbers: Mapping[str, Tensor], facts: Facts) -> tuple[bytes, bytes]:
    """What goes into the two files. The second, which holds the first one's digest, stands for the whole model."""
    weights = save_tensors({key: value.contiguous().cpu() for key, value in numbers.items()})
    content = {"format": FORMAT, "weights": hashlib.sha256(weights).hexdigest(), **facts}
    return weights, json.dumps(content, indent=1).encode()


def load_model(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Facts and numbers that ``save_model`` or ``save_numbers`` wrote; refuses what is broken or not of a piece."""
    path = folder / f"{name}.json"
    try:
        facts = json.loads(path.read_bytes())
        raw = (folder / f"{name}.safetensors").read_bytes()
        wanted = facts["weights"], facts["format"]
        weights = load_tensors(raw)
    except FileNotFoundError as error:
        raise InputError(f"{folder}: holds no saved {name} model ({Path(error.filename).name} is missing)") from error
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"{path}: not a saved model ({type(error).__name__}: {error})") from error
    if wanted != (hashlib.sha256(raw).hexdigest(), FORMAT):
        raise ModelError(f"{path}: its weights were changed since it was saved, or it is of another version")
    return facts, weights


def fill(network: nn.Module, weights: Mapping[str, Tensor], folder: Path) -> None:
    """Put loaded weights into a network; refuses other names, other shapes and numbers that are none."""
    if not all(value.isfinite().all() for value in weights.values()):
        raise ModelError(f"{folder}: the weights hold values that are not finite")
    try:
        network.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise ModelError(f"{folder}: the weights do not fit the model described beside them ({error})") from error
