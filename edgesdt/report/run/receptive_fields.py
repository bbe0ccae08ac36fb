"""Receptive fields of first-layer neurons as small PNG images, from the codes in a run's `weights.npz`.

Zero is transparent and the hue shows the sign, so one image suits a light page, a dark page and paper.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgesdt.errors import EdgesdtError
from edgesdt.report.files import folders

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SHOWN = 40  # number of neurons drawn
_MOST_AXES = 8
_MOST_FRAC_BITS = 64
_STEPS = 31  # number of shades on each side of zero
NEGATIVE = (43, 112, 184)
POSITIVE = (214, 96, 38)


@dataclass(frozen=True)
class Field:
    """One neuron: its index in the layer, a note on it, and its image as a data URI."""

    neuron: int
    note: str
    image: str


@dataclass(frozen=True)
class Fields:
    """The grid: the choice of neurons, the ends of the shared colour scale, and the image width and height."""

    chosen: str
    limit: str
    width: int
    height: int
    averaged: bool
    fields: list[Field]


def fields(run: folders.Run) -> Fields | None:
    """The most informative neurons of the first layer; None if there are no weights or the input is not an image.

    One layer: the neurons with the largest mean activity. Several layers: those with the largest weight norm, because
    the recorded activity belongs to the output layer. Raises `EdgesdtError` naming `weights.npz` if it is damaged.
    """
    import numpy as np

    arrays = folders.weights(run.folder)
    if arrays is None or "weights_0" not in arrays:
        return None
    path = run.folder / "weights.npz"
    codes = arrays["weights_0"]
    if codes.ndim != 2 or not np.issubdtype(codes.dtype, np.integer) or not codes.size:
        raise EdgesdtError(
            f"{path}: damaged: weights_0: expected a matrix of integer codes, found {_found(codes)}"
        )
    rows = arrays.get("image_rows")  # of a rule whose input is more than the image
    if rows is not None and rows.shape == () and rows.dtype.kind in "iu" and 0 < int(rows) <= codes.shape[0]:
        codes = codes[: int(rows)]
    shape = image_shape(path, arrays.get("image_shape"), codes.shape[0])
    if shape is None:
        return None
    rank, notes, chosen = _ranked(path, arrays, codes)
    order = np.argsort(-rank, kind="stable")[:SHOWN]
    drawn = codes[:, order].astype(np.int64)
    limit = max(float(np.quantile(np.abs(drawn), 0.995)), 1.0)
    images = _images(drawn, shape)
    pictures = [
        Field(int(j), f"neuron {int(j)}, {notes} {rank[j]:.4g}", data_uri(png(_shades(image, limit))))
        for j, image in zip(order, images, strict=True)
    ]
    height, width = images.shape[1:]
    return Fields(
        chosen, _value(path, limit, arrays.get("weights_frac_bits")), width, height, shape[2] > 1, pictures
    )


def _ranked(
    path: Path, arrays: dict[str, npt.NDArray[np.generic]], codes: npt.NDArray[np.generic]
) -> tuple[npt.NDArray[np.float64], str, str]:
    """The values that rank neurons, their name for one neuron, and the sentence for the caption."""
    import numpy as np

    activity = arrays.get("activity")
    if activity is None:
        norms = np.sqrt(np.square(codes.astype(np.float64)).sum(axis=0))
        return norms, "weight norm (codes)", "first-layer neurons with the largest weight norm"
    if activity.shape != codes.shape[1:] or activity.dtype.kind not in "iuf" or not np.all(np.isfinite(activity)):
        wanted = f"one value for each of {codes.shape[1]} neurons"
        raise EdgesdtError(f"{path}: damaged: activity: expected {wanted}, found {_found(activity)}")
    return activity.astype(np.float64), "mean activity (codes)", "neurons with the largest mean activity"


def image_shape(
    path: Path, given: npt.NDArray[np.generic] | None, inputs: int
) -> tuple[int, int, int] | None:
    """(height, width, channels) of one input as recorded, or a square; None if it is not an image.

    Raises `EdgesdtError` naming the file at `path`.
    """
    if given is None:
        side = math.isqrt(inputs)
        return (side, side, 1) if side * side == inputs else None
    wrong = given.dtype.kind not in "iu" or not 0 < given.size < _MOST_AXES
    shape = [] if wrong else [int(n) for n in given.reshape(-1)]
    wrong = wrong or min(shape) < 1
    if wrong or math.prod(shape) != inputs:
        wanted = f"a shape of {inputs} inputs"
        raise EdgesdtError(f"{path}: damaged: image_shape: expected {wanted}, found {tuple(shape) or _found(given)}")
    if len(shape) == 2:
        return shape[0], shape[1], 1
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    return None


def _images(drawn: npt.NDArray[np.int64], shape: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    """(neurons, height, width): the weights of each neuron as an image, the mean over channels."""
    import numpy as np

    images = drawn.T.astype(np.float64).reshape(-1, *shape)
    if shape[2] not in (1, 3) and shape[0] < shape[2]:  # channels first, as (3, 32, 32)
        images = np.moveaxis(images, 1, -1)
    mean: npt.NDArray[np.float64] = images.mean(axis=-1)
    return mean


def _shades(image: npt.NDArray[np.float64], limit: float) -> npt.NDArray[np.uint8]:
    """Palette indices 0..2·_STEPS; `_STEPS` is zero, the ends are ±`limit` and beyond."""
    import numpy as np

    scaled = np.rint(np.clip(image / limit, -1, 1) * _STEPS) + _STEPS
    return scaled.astype(np.uint8)


def _value(path: Path, limit: float, frac_bits: npt.NDArray[np.generic] | None) -> str:
    """The end of the scale as a weight; as a code if the format is unknown."""
    if frac_bits is None:
        return f"{limit:.3g} codes"
    if frac_bits.size != 1 or frac_bits.dtype.kind not in "iu" or abs(int(frac_bits.reshape(-1)[0])) > _MOST_FRAC_BITS:
        wanted = f"a number of bits up to {_MOST_FRAC_BITS}"
        raise EdgesdtError(f"{path}: damaged: weights_frac_bits: expected {wanted}, found {_found(frac_bits)}")
    return f"{math.ldexp(limit, -int(frac_bits.reshape(-1)[0])):.3g}"


def _found(array: npt.NDArray[np.generic]) -> str:
    return f"{array.dtype} of shape {array.shape}"


def data_uri(picture: bytes) -> str:
    """A PNG file as the address of an image."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def png(shades: npt.NDArray[np.uint8]) -> bytes:
    """An indexed PNG (W3C PNG, colour type 3 with tRNS) of a (height, width) array of palette indices."""
    import numpy as np

    from edgesdt.arguments import ARGUMENTS

    shades = ARGUMENTS.integers("shades", shades, ("height", "width"), 0, 2 * _STEPS, np.uint8)
    height, width = shades.shape
    if not shades.size:
        ARGUMENTS.refuse("shades", f"shape {shades.shape}", "at least one pixel")
    colours, alphas = bytearray(), bytearray()
    for step in range(-_STEPS, _STEPS + 1):
        colours += bytes(NEGATIVE if step < 0 else POSITIVE)
        alphas.append(round(255 * abs(step) / _STEPS))
    rows = b"".join(b"\x00" + shades[y].tobytes() for y in range(height))
    return png_file(width, height, 3, rows, (b"PLTE", bytes(colours)), (b"tRNS", bytes(alphas)))


def png_file(width: int, height: int, kind: int, rows: bytes, *between: tuple[bytes, bytes]) -> bytes:
    """A PNG file of 8 bits a pixel and colour type `kind`: `rows` unfiltered, with chunks `between` header and data."""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), *between, (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
