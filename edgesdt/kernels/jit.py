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
operation: Any = {**_UNCOUNTED, "forceinline": True}
"""Options of an overload that becomes part of its callers.

LLVM inlines it. numba's own `inline="always"` of overloads must not be used in a function that writes to arrays of a
named tuple: its clean-up takes such a write for dead where the array is not named again.
"""
inlined: Any = njit(inline="always", **_UNCOUNTED)
"""Decorator of a function that is inlined into its callers."""
