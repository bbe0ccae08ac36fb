"""Images that a run completed, as small PNG images: each whole, as the chip was shown it, and completed by it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgesdt.errors import EdgesdtError
from edgesdt.report.files import folders
from edgesdt.report.run.receptive_fields import data_uri, image_shape, png_file

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

KINDS = ("whole", "shown", "completed")
"""What the pictures of an image are, in order."""


@dataclass(frozen=True)
class Completion:
    """One image: the label that it was taken for, and the data URIs of its pictures, in the order of `KINDS`."""

    label: int
    images: list[str]


@dataclass(frozen=True)
class Completions:
    """All images, and the width and height of each picture."""

    width: int
    height: int
    images: list[Completion]


def completions(run: folders.Run) -> Completions | None:
    """The pictures in a run's `weights.npz`; None if there are none. Raises `EdgesdtError` naming the file."""
    arrays = folders.weights(run.folder)
    if arrays is None or "pictures" not in arrays:
        return None
    path, pictures, labels = run.folder / "weights.npz", arrays["pictures"], arrays.get("picture_labels")
    if pictures.ndim != 3 or len(pictures) != len(KINDS) or pictures.dtype != "uint8" or not pictures.size:
        wanted = f"{len(KINDS)} sets of images of bytes"
        raise EdgesdtError(f"{path}: damaged: pictures: expected {wanted}, found {pictures.dtype} {pictures.shape}")
    if labels is None or labels.shape != pictures.shape[1:2] or labels.dtype.kind not in "iu":
        raise EdgesdtError(f"{path}: damaged: picture_labels: expected a label for each of {pictures.shape[1]} images")
    shape = image_shape(path, arrays.get("image_shape"), pictures.shape[2])
    if shape is None or shape[2] != 1:
        return None
    height, width, _ = shape
    highest = max(int(pictures.max()), 1)
    drawn = [
        Completion(int(label), [data_uri(_grey(picture.reshape(height, width), highest)) for picture in kinds])
        for label, kinds in zip(labels, pictures.swapaxes(0, 1), strict=True)
    ]
    return Completions(width, height, drawn)


def _grey(image: npt.NDArray[np.generic], highest: int) -> bytes:
    """A grey PNG (W3C PNG, colour type 0) of a (height, width) array of codes 0 … `highest`, dark on light."""
    import numpy as np

    shades = (255 - image.astype(np.int64) * 255 // highest).astype(np.uint8)
    rows = b"".join(b"\x00" + row.tobytes() for row in shades)
    return png_file(math.prod(shades.shape[1:]), len(shades), 0, rows)
