"""Images as a camera that moves sees them: shifted, turned, and nearer or farther, at random."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

SHIFT, TURN, ZOOM = 1.5, 15.0, 0.2
"""Largest shift [pixels], largest angle [degrees], and largest logarithm of the change of size, along each axis."""


def moved(x: Pixels, side: int, random: np.random.RandomState) -> Pixels:
    """Images (n, side · side), each moved otherwise; what comes in from outside is black."""
    n, middle = len(x), (side - 1) / 2
    angle = np.deg2rad(random.uniform(-TURN, TURN, n))
    size = np.exp(random.uniform(-ZOOM, ZOOM, (n, 2)))
    shift = random.uniform(-SHIFT, SHIFT, (n, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    place = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1).reshape(-1, 2) - middle
    seen = np.einsum("nab,pb,nb->npa", turn, place, size) + shift[:, None] + middle
    return np.clip(np.rint(between(x.reshape(n, side, side), seen)), 0, 255).astype(np.uint8)


def between(images: Pixels, at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Bilinear values (n, p) of images (n, side, side) at rows and columns (n, p, 2); 0 outside."""
    side, n = images.shape[1], np.arange(len(images))[:, None]
    wide = np.pad(images.astype(np.float64), ((0, 0), (1, 2), (1, 2)))
    at = np.clip(at, -1, side) + 1
    low = np.floor(at).astype(np.int64)
    part, (row, column) = at - low, np.moveaxis(low, -1, 0)
    down, right = np.moveaxis(part, -1, 0)
    upper = wide[n, row, column] * (1 - right) + wide[n, row, column + 1] * right
    lower = wide[n, row + 1, column] * (1 - right) + wide[n, row + 1, column + 1] * right
    found: npt.NDArray[np.float64] = upper * (1 - down) + lower * down
    return found
