"""Transformations of a data set: rotated, shifted, noisy or inverted samples, the same on every machine.

Rotation is nearest neighbour on integer coordinates, so that no library decides a pixel; noise is drawn for each
pixel of each sample, fixed by a seed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgesdt.datasets.dataset import Dataset
from edgesdt.errors import DataError

Pixels = npt.NDArray[np.uint8]
_FRACTION = 16
"""Bits below the point of sine and cosine."""


class Asked(Protocol):
    """What is done to a sample, in the order of the fields (`edgesdt.spec.schema.phases.Transform`)."""

    @property
    def rotate(self) -> float:
        """Degrees, counter-clockwise."""
        ...

    @property
    def shift(self) -> tuple[int, ...]:
        """Pixels to the right and down."""
        ...

    @property
    def noise(self) -> float:
        """Standard deviation, in levels of 0..255."""
        ...

    @property
    def invert(self) -> bool:
        """Whether 255 − x takes the place of x."""
        ...


def transformed(data: Dataset, asked: Asked, seed: int) -> Dataset:
    """`data` with every training and test sample transformed; `seed` fixes the noise.

    Raises `DataError` where samples are no images and a rotation or a shift is asked for, or where nothing of an
    image would be left.
    """
    moves = bool(asked.rotate) or any(asked.shift)
    if moves and len(data.shape) not in (2, 3):
        raise DataError(f"{data.name}: samples of shape {data.shape} cannot be turned or moved, allowed: images")
    if moves:
        for words, by, size in zip(("right", "down"), asked.shift, (data.shape[1], data.shape[0]), strict=True):
            if abs(by) >= size:
                allowed = f"{1 - size}..{size - 1} for images of {data.shape[0]} x {data.shape[1]}"
                raise DataError(f"{data.name}: shift: {by} pixels {words}, nothing is left, allowed: {allowed}")
    x = {split: getattr(data, f"x_{split}") for split in ("train", "test")}
    if moves:
        source = _source(data.shape, asked.rotate, *asked.shift)
        x = {split: moved(pixels, source) for split, pixels in x.items()}
    if asked.noise:
        x = {split: noisy(pixels, asked.noise, [seed, at]) for at, (split, pixels) in enumerate(x.items())}
    if asked.invert:
        x = {split: np.uint8(255) - pixels for split, pixels in x.items()}
    return replace(data, x_train=x["train"], x_test=x["test"])


def moved(pixels: Pixels, source: npt.NDArray[np.int64]) -> Pixels:
    """`pixels` (samples, features) with feature j taken from feature `source[j]`, 0 where that is -1."""
    found: Pixels = pixels[:, np.maximum(source, 0)]
    found[:, source < 0] = 0
    return found


def _source(shape: tuple[int, ...], degrees: float, right: int, down: int) -> npt.NDArray[np.int64]:
    """For each feature of an image of `shape`, that from which its value comes; -1 outside."""
    rows, columns = shape[:2]
    depth = math.prod(shape[2:])
    angle, one = math.radians(degrees), 1 << _FRACTION
    cosine, sine = round(math.cos(angle) * one), round(math.sin(angle) * one)
    # in halves of a pixel from the middle, so that the middle of an even side is a whole number
    y, x = np.meshgrid(2 * np.arange(rows) - (rows - 1), 2 * np.arange(columns) - (columns - 1), indexing="ij")
    y, x = y - 2 * down, x - 2 * right
    from_x, from_y = (cosine * x - sine * y), (sine * x + cosine * y)
    column = (from_x + (columns - 1) * one + one) >> (_FRACTION + 1)
    row = (from_y + (rows - 1) * one + one) >> (_FRACTION + 1)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    place = np.where(inside, row * columns + column, -1).ravel()
    channels = np.arange(depth)
    spread = place[:, None] * depth + channels
    found: npt.NDArray[np.int64] = np.where(place[:, None] < 0, -1, spread).ravel()
    return found


def noisy(pixels: Pixels, sd: float, seed: list[int]) -> Pixels:
    """`pixels` with noise of `sd` full ranges, rounded and clipped to 0 … 255.

    The noise is the sum of twelve random bytes about its mean: Gaussian to three standard deviations, in integers.
    """
    drawn, found = np.random.RandomState(seed), np.empty_like(pixels)
    scale = round(255 * sd / _SUM_SD * (1 << _FRACTION))
    for start in range(0, len(pixels), _AT_ONCE):
        part = pixels[start : start + _AT_ONCE]
        words = np.frombuffer(drawn.bytes(_BYTES * part.size), np.uint8).reshape(_BYTES, -1)
        sums = words.sum(axis=0, dtype=np.int64).reshape(part.shape) - _BYTES * 255 // 2
        moved_by = (sums * scale + (1 << (_FRACTION - 1))) >> _FRACTION
        found[start : start + _AT_ONCE] = np.clip(part + moved_by, 0, 255)
    return found


_AT_ONCE = 2048
_BYTES = 12
_SUM_SD = math.sqrt(_BYTES * (256**2 - 1) / 12)
"""Standard deviation of the sum of twelve bytes."""
