"""How kernels are compiled: without the lock, cached on disk, and without reference counts.

A kernel allocates nothing and its caller holds every array, so counting references would be idle work: numba else locks
a counter at every call and every slice, up to a third of the time of a sample.
"""

from __future__ import annotations

from typing import Any

from hw_models.kernels.jit import njit

# numba's own library compiles without counts by the same option, which its type hints do not know
_UNCOUNTED: dict[str, Any] = {"_nrt": False}

kernel: Any = njit(nogil=True, cache=True, **_UNCOUNTED)
"""Decorator of a compiled function."""
operation: Any = {**_UNCOUNTED, "forceinline": True}
"""Options of an overload that becomes part of its callers.

LLVM inlines it. numba's own `inline="always"` of overloads must not be used in a function that writes to arrays of a
named tuple: its clean-up takes such a write for dead where the array is not named again.
"""
inlined: Any = njit(inline="always", **_UNCOUNTED)
"""Decorator of a function that becomes part of each of its callers."""
