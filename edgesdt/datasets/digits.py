"""Reads the 8x8 digits of the installed scikit-learn, without importing it, and splits them in a fixed way."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import zlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.datasets.dataset import Dataset
from edgesdt.datasets.known import DIGITS
from edgesdt.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Importing sklearn.datasets takes about a second; the file that it reads takes 10 ms.
DATA_FILE = "datasets/data/digits.csv.gz"
INSTALL = "install it again with `pip install --force-reinstall scikit-learn`"
# The stored pixels are 0..16: counts of set bits in a 4x4 block.
PIXEL_SCALE = 16
# The file unpacks to 262 KiB.
_MOST_BYTES = 1 << 22
TEST_EVERY = 5


def package_folder() -> Path | None:
    """The folder of the installed scikit-learn; None if it is not installed. Imports nothing."""
    found = importlib.util.find_spec("sklearn")
    places = found.submodule_search_locations if found else None
    return Path(places[0]) if places else None


def load_digits() -> Dataset:
    """All 1797 samples, pixels min(255, 16 * p), split into 1437 for training and 360 for test.

    The split: sort the samples by label (equal labels keep the file's order) and take every fifth, from the first, for
    test; both parts are then put back in the file's order. Each class has 35 to 37 test samples. Raises DataError if
    scikit-learn is absent or its data differ from the catalogue.
    """
    import numpy as np

    pixels, labels, origin = _stored()
    x = np.minimum(255, pixels * PIXEL_SCALE).astype(np.uint8)
    found = hashlib.sha256(x.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    if found != DIGITS.sha256:
        raise DataError(
            f"{origin}: SHA-256 of the digits is {found}, expected {DIGITS.sha256}: damaged; {INSTALL}"
        )
    in_test = np.zeros(len(labels), bool)
    in_test[np.argsort(labels, kind="stable")[::TEST_EVERY]] = True
    train, test = (x[~in_test], labels[~in_test]), (x[in_test], labels[in_test])
    return Dataset(DIGITS.name, *train, *test, DIGITS.shape, DIGITS.classes, origin)


def _stored() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], str]:
    """Pixels 0..16 (1797, 64), labels (1797,), and their origin."""
    import numpy as np

    folder = package_folder()
    if folder is None:
        raise DataError(
            "data set 'digits' comes with scikit-learn, which is absent (pip install scikit-learn)"
        )
    path = folder / DATA_FILE
    if not path.is_file():
        return _through_scikit_learn()
    try:
        with gzip.open(path, "rb") as packed:
            text = packed.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ValueError(f"unpacks to more than {_MOST_BYTES} bytes")
        table = np.loadtxt(io.StringIO(text.decode("ascii")), delimiter=",", dtype=np.int64, ndmin=2)
    except (OSError, EOFError, zlib.error, ValueError, UserWarning) as error:
        raise DataError(f"{path}: damaged: {error}; {INSTALL}") from error
    if table.shape[1] != DIGITS.features + 1:
        raise DataError(f"{path}: damaged: {table.shape[1]} columns, not {DIGITS.features + 1}; {INSTALL}")
    return table[:, :-1], table[:, -1], str(path)


def _through_scikit_learn() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], str]:
    """Loads the digits with scikit-learn's own loader, for versions that store the file in another place."""
    import numpy as np

    try:
        bunch: Any = import_module("sklearn.datasets").load_digits()
    except (ImportError, OSError, EOFError, zlib.error, ValueError, AttributeError) as error:
        raise DataError(f"data set 'digits': scikit-learn cannot load it: {error}; {INSTALL}") from error
    return bunch.data.astype(np.int64), bunch.target.astype(np.int64), "sklearn.datasets.load_digits"
