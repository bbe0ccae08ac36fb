"""Data sets of four IDX files: the known ones, checked against the catalogue, and a user's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgesdt.datasets import idx, places
from edgesdt.datasets.dataset import Dataset
from edgesdt.datasets.known import IDX_NAMES, IdxFile, KnownSet
from edgesdt.datasets.npz import load_npz
from edgesdt.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edgesdt.datasets.sources import Progress


def load_known(known: KnownSet, may_fetch: bool, progress: Progress) -> Dataset:
    """A known set from `$EDGESDT_DATA`, the cache or the installed package; missing files are fetched.

    Every file is checked against its SHA-256. A damaged file in the cache is fetched again. Raises DataError for a
    damaged file elsewhere, which the user must replace, and for a set that is missing and cannot be fetched.
    """
    origin = places.where(known)
    if origin.endswith(".npz"):
        return _checked_npz(known, Path(origin))
    contents: dict[str, bytes] = {}
    missing: list[IdxFile] = []
    damage: list[str] = []
    for file in known.files:
        path = places.find(file.name, places.folders(known))
        try:
            if path:
                contents[file.array] = read_checked(path, file)
            else:
                missing.append(file)
        except DataError as error:
            if not (may_fetch and path and path.parent == places.cache_folder() / known.name):
                raise
            progress(f"{error}; it will be fetched again")
            damage.append(str(error))
            missing.append(file)
    if missing:
        contents |= _fetched(known, missing, may_fetch, progress, damage)
    return _dataset(known.name, contents, places.where(known))


def read_checked(path: Path, file: IdxFile) -> bytes:
    """The unpacked content of a file. Raises DataError if it differs from the catalogue."""
    content = idx.read(path, limit=file.size)
    idx.check(content, file, str(path))
    return content


def load_folder(name: str, folder: Path) -> Dataset:
    """A user's own set: a folder with the file names of MNIST, gzipped or raw. Raises DataError."""
    contents: dict[str, bytes] = {}
    for array, file_name in IDX_NAMES.items():
        path = places.find(file_name, [folder])
        if path is None:
            raise DataError(f"{folder}: no file {file_name}.gz or {file_name}")
        contents[array] = idx.read(path)
        _check_rank(array, idx.dimensions(contents[array], str(path)), path)
    shapes = {array: idx.dimensions(content, array) for array, content in contents.items()}
    for split in ("train", "test"):
        images, labels = shapes[f"x_{split}"][0], shapes[f"y_{split}"][0]
        if images != labels:
            raise DataError(f"{folder}: {images} {split} images, {labels} {split} labels: must be as many")
    train, test = shapes["x_train"][1:], shapes["x_test"][1:]
    if train != test:
        raise DataError(f"{folder}: a training image has shape {train}, a test image {test}: must be alike")
    return _dataset(name, contents, str(folder))


def _check_rank(array: str, shape: tuple[int, ...], path: Path) -> None:
    wanted = "(samples,)" if array.startswith("y") else "(samples, rows, columns) or (samples, features)"
    right = len(shape) == 1 if array.startswith("y") else len(shape) >= 2
    if not right or 0 in shape:
        raise DataError(f"{path}: holds shape {shape}; allowed: {wanted}, none of them 0")


def _fetched(
    known: KnownSet, missing: list[IdxFile], may_fetch: bool, progress: Progress, damage: list[str]
) -> dict[str, bytes]:
    from edgesdt.datasets.fetching import advice, fetch_files

    looked_at = [*damage, *places.looked_at(known, missing)]
    if not may_fetch:
        fault = f"data set {known.name!r} is not here, and fetching was not asked for."
        raise DataError(f"{fault}\n{advice(known, looked_at)}")
    for line in (f"{known.name} is not here:", *looked_at):
        progress(line)
    folder = places.cache_folder() / known.name
    fetch_files(known, missing, folder, progress, looked_at)
    return {file.array: read_checked(folder / f"{file.name}.gz", file) for file in missing}


def _checked_npz(known: KnownSet, path: Path) -> Dataset:
    """A known set in `$EDGESDT_DATA` as one .npz file, compared with the same checksums."""
    import numpy as np

    loaded = load_npz(path, known.name)
    for file in known.files:
        values: npt.NDArray[np.uint8] | npt.NDArray[np.int64] = getattr(loaded, file.array)
        if values.max() > 255:
            raise DataError(f"{path}: {file.array} has {values.max()}; {known.name} has nothing above 255")
        shape = (len(values), *loaded.shape) if file.array.startswith("x") else values.shape
        idx.check(idx.encode(values.astype(np.uint8).reshape(shape)), file, f"{path}: {file.array}")
    return loaded


def _dataset(name: str, contents: dict[str, bytes], origin: str) -> Dataset:
    """The data set from the arrays of checked files."""
    import numpy as np

    arrays = {array: idx.array(contents.pop(array), array) for array in list(contents)}
    y_train, y_test = arrays["y_train"].astype(np.int64), arrays["y_test"].astype(np.int64)
    shape = arrays["x_train"].shape[1:]
    x_train, x_test = (arrays[key].reshape(len(arrays[key]), -1) for key in ("x_train", "x_test"))
    classes = 1 + int(max(y_train.max(), y_test.max()))
    return Dataset(name, x_train, y_train, x_test, y_test, shape, classes, origin)
