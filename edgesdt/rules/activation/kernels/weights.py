"""What activation learning asks of its weights, in a memory or on cells: operations of its own on a store.

When a kernel is compiled, an operation becomes the function of that name for the type of the store.
"""

from __future__ import annotations

from typing import Any

from edgesdt.synapses.store import by_store

_operation = by_store(
    {
        "edgesdt.synapses.stores.memory": "edgesdt.rules.activation.kernels.in_memory",
        "edgesdt.synapses.stores.stack": "edgesdt.rules.activation.kernels.on_cells",
    }
)


@_operation
def add_inputs(store: Any, sums: Any, index: Any, value: Any, count: Any, chip: Any, plan: Any, work: Any) -> None:
    """Add the listed signals of layer 0, `count` of them, times their weights to `sums` (n_1,), which saturate."""
    raise NotImplementedError("for kernels alone")


@_operation
def add_signals(store: Any, layer: Any, sums: Any, chip: Any, plan: Any, work: Any) -> Any:
    """Add all signals of hidden layer `layer` times their weights to `sums` (n_{l+1},). Returns how many are not 0."""
    raise NotImplementedError("for kernels alone")


@_operation
def sum_back(store: Any, layer: Any, sums: Any, outputs: Any, chip: Any, plan: Any, work: Any) -> None:
    """What `outputs` (n_{l+1},) make of every row of weight layer `layer`: `sums` (rows,), which saturate."""
    raise NotImplementedError("for kernels alone")


@_operation
def move(store: Any, layer: Any, errors: Any, outputs: Any, chip: Any, plan: Any, work: Any, rates: Any) -> Any:
    """Move weight layer `layer` by rate · error · output, or list the pulses that do.

    Returns how many rows and columns took part.
    """
    raise NotImplementedError("for kernels alone")
