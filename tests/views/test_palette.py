from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from deeplog_nb.views.display import chunk, chunks, squeeze
from deeplog_nb.views.palette import shrink


def png(pixels: np.ndarray, *, filtered: int = 1) -> bytes:  # type: ignore[type-arg]
    """These RGBA pixels as vl-convert writes them: each row by its differences from the left."""
    height, width, _ = pixels.shape
    rows = pixels.copy()
    if filtered == 1:
        rows[:, 1:] -= pixels[:, :-1]
    raw = np.concatenate([np.full((height, 1), filtered, np.uint8), rows.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(raw.tobytes())), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def colours(image: bytes) -> np.ndarray:  # type: ignore[type-arg]
    """The red, green and blue of each pixel of an image with a palette."""
    parts = dict(chunks(image))
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    palette = np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, 1 + width)
    return palette[rows[:, 1:]]  # type: ignore[no-any-return]


def opaque(height: int, width: int, levels: int, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    random = np.random.default_rng(seed)
    pixels = random.integers(0, levels, (height, width, 4)).astype(np.uint8) * np.uint8(255 // max(levels - 1, 1))
    pixels[:, :, 3] = 255
    return pixels


@pytest.mark.parametrize("filtered", [0, 1])
def test_few_colours_are_kept_as_they_are(filtered: int) -> None:
    """Up to 256 of them: pixel for pixel the same picture."""
    pixels = opaque(20, 30, 6)
    assert np.array_equal(colours(shrink(png(pixels, filtered=filtered))), pixels[:, :, :3])


def test_many_colours_move_by_little() -> None:
    """A thousand and more become 256 at most, none far from where it was."""
    pixels = opaque(60, 60, 16)
    found = colours(shrink(png(pixels)))
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= 256
    assert np.abs(found.astype(int) - pixels[:, :, :3]).max() < 64


@pytest.mark.parametrize("odd", ["transparent", "filtered otherwise"])
def test_other_pictures_come_back_squeezed(odd: str) -> None:
    """What is not drawn on an opaque card, or is packed otherwise, is left as it is."""
    pixels = opaque(8, 8, 4)
    if odd == "transparent":
        pixels[0, 0, 3] = 0
    image = png(pixels, filtered=1 if odd == "transparent" else 2)
    assert shrink(image) == squeeze(image)
