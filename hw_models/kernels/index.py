"""The index of a function's compiled code on disk, where one signature that cannot be read hides no other.

A signature may name types of a package that is gone, such as the arrays of a plug-in's rule in a kernel that all rules
share. Numba's own index is one pickle, which then cannot be read at all.
"""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

from numba.core import caching

_caching: Any = caching  # it has no type hints


class Unread(NamedTuple):
    """A signature that cannot be read here, as it lies on disk."""

    pickled: bytes


class Index(_caching.IndexDataCacheFile):  # type: ignore[misc]
    """Numba's index, with each signature in a pickle of its own."""

    def _load_index(self) -> dict[Any, str]:
        try:
            held = super()._load_index()
        except (ImportError, AttributeError):  # written by numba's own class
            return {}
        return {_read(key) if isinstance(key, bytes) else key: name for key, name in held.items()}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        super()._save_index(
            {key.pickled if isinstance(key, Unread) else self._dump(key): name for key, name in overloads.items()}
        )


def _read(pickled: bytes) -> Any:
    try:
        return pickle.loads(pickled)
    except (ImportError, AttributeError):
        return Unread(pickled)
