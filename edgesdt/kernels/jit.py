"""The compilation options of kernels: without the interpreter lock, cached on disk, and without reference counts.

A kernel allocates nothing and its caller holds every array, so reference counts are not needed. With them, numba
updates a locked counter at every call and every slice, which takes up to a third of the time of a sample.
"""

from __future__ import annotations

from typing import Any

from hw_models.kernels.jit import njit

# numba's own library uses this option; its type hints lack it
_UNCOUNTED: dict[str, Any] = {"_nrt": False}

kernel: Any = njit(nogil=True, cache=True, **_UNCOUNTED)
"""Decorator of a compiled function."""
inlined: Any = njit(inline="always", **_UNCOUNTED)
"""Decorator of a function that is inlined into its callers."""
