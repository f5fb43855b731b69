"""A fitted key model on disk: weights and the windows that it was trained on as safetensors, the rest as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor

from deeplog_nb.frames import ModelError
from deeplog_nb.models.store import fill, load_model, save_numbers
from deeplog_nb.models.training import Step, Training
from deeplog_nb.sessions.vocabulary import Vocabulary
from deeplog_nb.sessions.windows import Windows

if TYPE_CHECKING:
    from deeplog_nb.models.keys import KeyModel

NAME: Final = "keys"
_SEEN: Final = "seen."  # before the names of what is no weight


def save_keys(model: KeyModel, folder: Path) -> None:
    """Write ``keys.safetensors`` and ``keys.json``."""
    went = [asdict(step) for step in model.went]
    facts = {"settings": asdict(model.settings), "vocabulary": model.vocabulary.keys, "steps": went}
    save_numbers(folder, NAME, model.network.state_dict() | _numbers(model.seen), facts)


def load_keys(kind: type[KeyModel], folder: Path, device: str) -> KeyModel:
    """What :func:`save_keys` wrote; refuses what is broken."""
    facts, numbers = load_model(folder, NAME)
    try:
        settings = dict(facts["settings"])
        training = Training(**settings.pop("training") | {"device": device})
        model = kind(**settings, training=training)
        vocabulary = Vocabulary(tuple(int(key) for key in facts["vocabulary"]))
        seen = _windows(numbers, vocabulary, model.settings.history)
        network = model.built(vocabulary)
        went = [Step(**step) for step in facts["steps"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder}/keys.json: not a saved KeyModel ({type(error).__name__}: {error})") from error
    fill(network, {name: value for name, value in numbers.items() if not name.startswith(_SEEN)}, folder)
    return model.exchanged(vocabulary, network, seen, went)


def _numbers(seen: Windows) -> dict[str, Tensor]:
    arrays = {"histories": seen.histories, "nexts": seen.nexts, "counts": seen.counts}
    return {_SEEN + name: torch.from_numpy(_small(array)) for name, array in arrays.items()}


def _small(codes: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.signedinteger[Any]]]:
    """The same numbers in as few bytes as hold them."""
    return codes.astype(np.min_scalar_type(-int(codes.max(initial=0)) - 1))


def _windows(numbers: Mapping[str, Tensor], vocabulary: Vocabulary, history: int) -> Windows:
    histories, nexts, counts = (
        numbers[_SEEN + name].numpy().astype(np.int64) for name in ("histories", "nexts", "counts")
    )
    if histories.shape != (len(nexts), history) or nexts.shape != counts.shape:
        raise ValueError("the windows that it was trained on have other shapes")
    inside = (histories >= 0) & (histories < vocabulary.inputs)
    if not inside.all() or (nexts < 0).any() or (nexts > vocabulary.end).any() or (counts < 1).any():
        raise ValueError("the windows that it was trained on hold what is no key")
    return Windows(histories, nexts, counts, np.empty(0, np.int64), np.empty(0, np.bool_))
