"""A drawing's PNG with a palette of its colours: some three times smaller than with four bytes a pixel.

For drawings of few colours on one card, as ours are; a picture that is not drawn so comes back as it was squeezed.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deeplog_nb.views.display import chunk, chunks, squeeze

COLOURS: Final = 256
_NONE, _SUB = 0, 1  # filters of a row that whole columns can undo


def shrink(png: bytes) -> bytes:
    """The same picture in at most 256 colours, deflated at level 9; only shades of antialiasing may move by a trace."""
    parts = list(chunks(png))
    width, height, *kind = struct.unpack(">IIBBBBB", parts[0][1])
    if kind != [8, 6, 0, 0, 0]:  # 8 bits each of red, green, blue and opacity, not interlaced
        return squeeze(png)
    data = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    rows = np.frombuffer(data, np.uint8).reshape(height, 1 + 4 * width)
    if not np.isin(rows[:, 0], (_NONE, _SUB)).all():
        return squeeze(png)
    pixels = rows[:, 1:].reshape(height, width, 4)
    pixels = np.where(rows[:, :1, None] == _SUB, np.cumsum(pixels, axis=1, dtype=np.uint8), pixels)
    if (pixels[:, :, 3] != 255).any():
        return squeeze(png)
    colours, indices = _indexed(pixels)
    image = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    new = (b"IHDR", header), (b"PLTE", colours.tobytes()), (b"IDAT", zlib.compress(image.tobytes(), 9)), (b"IEND", b"")
    return png[:8] + b"".join(chunk(name, body) for name, body in new)


def _indexed(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The palette, and each pixel's place in it; shades are rounded until they are few enough."""
    red, green, blue = (pixels[:, :, at].astype(np.uint32) for at in range(3))
    whole: NDArray[np.uint32] = ((red << 16) | (green << 8) | blue).astype(np.uint32)
    there = np.zeros(1 << 24, np.bool_)  # a table of all colours: sorting the pixels takes ten times as long
    there[whole] = True
    shades = np.flatnonzero(there)
    for bits in range(8):
        rounded, group = np.unique(shades & 0x010101 * (0xFF >> bits << bits), return_inverse=True)
        if len(rounded) <= COLOURS:
            break
    rarest_first = np.argsort(_often(whole, shades), kind="stable")
    rounded[group[rarest_first]] = shades[rarest_first]  # the most frequent shade stands for all rounded alike
    place = np.zeros(1 << 24, np.uint8)
    place[shades] = group
    return np.stack([rounded >> 16, rounded >> 8 & 255, rounded & 255], axis=1).astype(np.uint8), place[whole]


def _often(whole: NDArray[np.uint32], shades: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each shade is met, in every fourth pixel of every fourth row."""
    met, counts = np.unique(whole[::4, ::4], return_counts=True)
    often = np.zeros(len(shades), np.int64)
    often[np.searchsorted(shades, met)] = counts
    return often
