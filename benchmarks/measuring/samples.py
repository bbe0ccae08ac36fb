"""The images of a speed measurement: MNIST if it is on this machine, else strokes of the same density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt import datasets
from edgesdt.errors import DataError

MNIST_DENSITY = 0.1912
"""Measured share of nonzero pixels in MNIST's 60,000 training images."""
SIDE = 28


@dataclass(frozen=True, eq=False)
class Images:
    """Shuffled 8-bit images (n, 784) and their description."""

    pixels: npt.NDArray[np.uint8]
    origin: str


def images(n: int, seed: int = 0) -> Images:
    """`n` images in a random order from `seed`; it never fetches data. Raises `DataError` for a damaged MNIST."""
    try:
        data = datasets.load("mnist", fetch=False)
    except DataError:
        if _is_here():
            raise
        return Images(strokes(n, seed), "synthetic strokes of MNIST's density (MNIST is not on this machine)")
    order = np.random.RandomState(seed).permutation(len(data.x_train))[:n]
    return Images(np.ascontiguousarray(data.x_train[order]), "MNIST training images")


def _is_here() -> bool:
    return next(entry.where for entry in datasets.catalogue() if entry.name == "mnist") != "not here"


def strokes(n: int, seed: int) -> npt.NDArray[np.uint8]:
    """`n` images (n, 784) of three random strokes each, with MNIST's share of nonzero pixels.

    The share `MNIST_DENSITY` of pixels nearest to a stroke is nonzero, with the largest values nearest, so that pixels
    are connected as in handwriting.
    """
    draw = np.random.RandomState(seed)
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), axis=-1).reshape(-1, 2)
    lit = round(MNIST_DENSITY * len(grid))
    ramp = np.linspace(255, 1, lit).astype(np.uint8)
    pixels = np.zeros((n, len(grid)), np.uint8)
    for image in pixels:
        ends = draw.uniform(5, SIDE - 5, size=(3, 2, 2))
        nearest = np.min([_distance(grid, start, end) for start, end in ends], axis=0)
        image[np.argsort(nearest, kind="stable")[:lit]] = ramp
    return pixels


def _distance(
    points: npt.NDArray[np.int64], start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Distance of each of `points` (m, 2) from the line segment `start`–`end`."""
    along = end - start
    share = np.clip((points - start) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    found: npt.NDArray[np.float64] = np.hypot(*(points - (start + share[:, None] * along)).T)
    return found
