"""Converts samples to input codes: keeps the `bits` highest bits of each pixel, as a sensor's converter does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS


def encode(pixels: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint8]:
    """Codes 0 … 2**bits - 1 (same shape, uint8) of 8-bit `pixels`; a code c stands for c / 2**bits.

    Raises `ArgumentError`. With 8 bits it returns the pixels themselves, not a copy, to save memory.
    """
    bits = ARGUMENTS.whole("bits", bits, 1, 8)
    pixels = ARGUMENTS.integers("pixels", pixels, None, 0, 255, np.uint8)
    return pixels if bits == 8 else pixels >> np.uint8(8 - bits)
