"""Reads a data set from an .npz file of the user and checks its arrays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.datasets.dataset import Dataset
from edgesdt.datasets.known import did_you_mean
from edgesdt.errors import DataError
from edgesdt.files import archives
from hw_models.foreign import printable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# Each class costs a read-out column; a larger label is probably a mistake.
MAX_CLASSES = 65_536
PIXELS_ALLOWED = "pixels are integers 0..255 or floats 0..1"
LABELS_ALLOWED = f"labels are integers 0..{MAX_CLASSES - 1}"
# Samples scaled at a time, so that float pixels do not need eight times the memory of the set.
BLOCK = 4096


def load_npz(path: Path, name: str | None = None) -> Dataset:
    """The whole set in an .npz file with `x_train, y_train, x_test, y_test`; other arrays in it are ignored.

    x: (samples, ...) of at least one feature; integers 0..255 are used unchanged, floats 0..1 are scaled by 255 and
    rounded to nearest (ties up); samples of several dimensions are flattened, and `shape` stores the dimensions. y:
    (samples,) integers from 0; `classes` is the largest label plus one. Nothing is unpickled. Raises DataError that
    names the file, the array, its value and what is allowed.
    """
    raw = _read(path)
    origin, path = path, Path(printable(str(path)))  # from here on the path is used only in messages
    x_train, x_test = _pixels(path, "x_train", raw["x_train"]), _pixels(path, "x_test", raw["x_test"])
    y_train, y_test = _labels(path, "y_train", raw["y_train"]), _labels(path, "y_test", raw["y_test"])
    for split, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if len(x) != len(y):
            raise DataError(f"{path}: x_{split} has {len(x)} samples, y_{split} {len(y)}: must be as many")
    shape = raw["x_train"].shape[1:]
    if raw["x_test"].shape[1:] != shape:
        raise DataError(
            f"{path}: a sample of x_train has shape {shape}, one of x_test {raw['x_test'].shape[1:]}: "
            "must be alike"
        )
    classes = 1 + int(max(y_train.max(), y_test.max()))
    return Dataset(name or printable(origin.stem), x_train, y_train, x_test, y_test, shape, classes, str(path))


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Reads the four arrays as stored."""
    try:
        _check_names(path, archives.names(path))
        return archives.read(path, ARRAYS)
    except OSError as error:
        raise DataError(f"{printable(str(path))}: cannot be read: {error.strerror or error}") from error
    except archives.NoArchive as error:
        raise DataError(f"{printable(str(path))}: {error}") from error
    except archives.ArchiveError as error:
        told = f"cannot be read as an .npz file of plain numbers: {printable(str(error))}"
        raise DataError(f"{printable(str(path))}: {told}") from error


def _check_names(path: Path, names: list[str]) -> None:
    missing = [name for name in ARRAYS if name not in names]
    if missing:
        hint = did_you_mean(missing[0], [name for name in names if name not in ARRAYS])
        raise DataError(f"{path}: no array {', '.join(missing)}; found {', '.join(names) or 'none'}{hint}")


def _pixels(path: Path, name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Pixels as uint8 (samples, features), C-contiguous and writable."""
    import numpy as np

    if values.ndim < 2 or values.size == 0:
        raise DataError(
            f"{path}: {name} has shape {values.shape}; "
            "allowed: (samples, features) or (samples, rows, columns, ...), none of them 0"
        )
    if values.dtype.kind not in "iuf":
        raise DataError(f"{path}: {name} has type {values.dtype}; allowed: {PIXELS_ALLOWED}")
    is_float = values.dtype.kind == "f"
    flat = values.reshape(len(values), -1)
    out = np.empty(flat.shape, np.uint8)
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK]
        with np.errstate(invalid="ignore"):
            good = (block >= 0) & (block <= (1 if is_float else 255))
        if not good.all():
            row, column = np.argwhere(~good)[0]
            index = [int(i) for i in np.unravel_index(column, values.shape[1:])]
            raise DataError(
                f"{path}: {name}{[start + int(row), *index]} is {block[row, column]} ({values.dtype}); "
                f"allowed: {PIXELS_ALLOWED}"
            )
        out[start : start + BLOCK] = np.floor(block.astype(np.float64) * 255 + 0.5) if is_float else block
    return out


def _labels(path: Path, name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Labels as int64 (samples,)."""
    import numpy as np

    if values.ndim != 1 or values.size == 0:
        raise DataError(f"{path}: {name} has shape {values.shape}; allowed: (samples,), at least one")
    if values.dtype.kind not in "iu":
        found = f"type {values.dtype}, first value {values[0]}"
        raise DataError(f"{path}: {name} has {found}; allowed: {LABELS_ALLOWED}")
    bad = np.flatnonzero((values < 0) | (values >= MAX_CLASSES))
    if bad.size:
        raise DataError(f"{path}: {name}[{bad[0]}] is {values[bad[0]]}; allowed: {LABELS_ALLOWED}")
    return values.astype(np.int64)
