"""What the kernels of similarity matching ask of the feed-forward weights, in memory or on cells.

When a kernel is compiled, an operation becomes the function of that name for the type of the store (`_MODULES`), as the
operations of `edgesdt.synapses.store` do.
"""

from __future__ import annotations

from typing import Any

from edgesdt.synapses.store import by_store

_MODULES = {
    "edgesdt.synapses.stores.memory": "edgesdt.rules.similarity.kernels.in_memory",
    "edgesdt.synapses.stores.array": "edgesdt.rules.similarity.kernels.on_cells",
}
"""Module of a store's type → that of its operations; cells are looked up where there are some."""


_operation = by_store(_MODULES)


@_operation
def weigh_layer(store: Any, k: Any, residuals: Any, chip: Any, plan: Any, work: Any) -> Any:
    """The sums of the centred codes `work.codes` times weight layer k, in `residuals`. Returns the saturations."""
    raise NotImplementedError("for kernels alone")


@_operation
def move_layer(store: Any, k: Any, live: Any, chip: Any, plan: Any, work: Any, rate_row: Any) -> Any:
    """Decay and Hebbian step of weight layer k; `live` of its centred codes are not 0.

    Lists the active neurons in `work.posts`; returns how many there are.
    """
    raise NotImplementedError("for kernels alone")
