"""What a rule's kernels ask of the weights, whatever they are made of: the operations on a store.

A store is a named tuple of arrays: `stores.memory.Memory` for a digital memory, `stores.array.Array` for the cells of a
chip with one layer of weights, `stores.stack.Stack` for a chip of several layers, each in memory or on cells. When a
kernel is compiled, an operation becomes the function of that name in the module of the store's type, so that a choice
costs nothing when it runs. A store of another kind is another module with these functions.

Codes of neurons are integers; layers of neurons are numbered 0 (input) to L, and weight layer l joins layers l and l+1.
`plan`, `work` and `random` are a rule's: the fields of `edgesdt.kernels.layout` that are named here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from numba.extending import overload

from edgesdt.kernels.jit import operation


def _operation(function: Callable[..., None]) -> Callable[..., None]:
    """`function` as kernels call it: that of the same name beside the type of its first argument, the store."""

    def resolved(store: Any, *_: Any) -> Any:
        kind = getattr(store, "instance_class", None)
        return getattr(sys.modules[kind.__module__], function.__name__) if kind else None

    overload(function, jit_options=operation, strict=False)(resolved)
    return function


def for_cells(body: Callable[..., None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator of a rule's own operation: `body`, of the same parameters, on a store with cells.

    On a memory alone it is the decorated function, which does nothing, so that such a chip does not compile the body.
    """

    def made(function: Callable[..., None]) -> Callable[..., None]:
        def resolved(store: Any, *_: Any) -> Any:
            kind = getattr(store, "instance_class", None)
            return (function if kind.__module__ == _MEMORY else body) if kind else None

        overload(function, jit_options=operation, strict=False)(resolved)
        return function

    return made


_MEMORY = "edgesdt.synapses.stores.memory"


def by_store(modules: Mapping[str, str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator of a rule's own operations, which have a function of their name in a module for each type of store.

    `modules` maps the module of a store's type to that one, which is imported when a kernel for such a store is
    compiled: a chip in memory needs none for cells.
    """

    def made(function: Callable[..., Any]) -> Callable[..., Any]:
        def resolved(store: Any, *_: Any) -> Any:
            kind = getattr(store, "instance_class", None)
            module = modules.get(kind.__module__) if kind else None
            return getattr(importlib.import_module(module), function.__name__) if module else None

        overload(function, jit_options=operation, strict=False)(resolved)
        return function

    return made


@_operation
def feed(store: Any, inputs: Any, accumulators: Any, plan: Any, work: Any) -> None:
    """Add the weighted `inputs` (n_0,) that are not 0 to the `accumulators` of layer 1, which saturate."""
    raise NotImplementedError("for kernels alone")


@_operation
def add_changes(
    store: Any, between: Any, forward: Any, index: Any, change: Any, left: Any, accumulators: Any, plan: Any,
    reach: Any, events: Any,
) -> None:  # fmt: skip
    """Add listed codes, each times its weights, to the accumulators on the other side of weight layer `between`.

    `index` and `change` (count,) are neurons of layer `between` (`forward`) or of the one above, ascending, and their
    codes; a product is `code · weight · 2^left` in LSBs of the accumulators.
    """
    raise NotImplementedError("for kernels alone")


@_operation
def update_contrast(
    store: Any, layer: Any, inputs: Any, plus: Any, minus: Any, rate: Any, random: Any, plan: Any, work: Any
) -> None:
    """Move weight layer `layer` by `rate · (pre⁺ post⁺ − pre⁻ post⁻)`, or list the pulses that do."""
    raise NotImplementedError("for kernels alone")


@_operation
def update_outer(
    store: Any, layer: Any, active: Any, found: Any, rate: Any, random: Any, plan: Any, work: Any
) -> None:  # fmt: skip
    """Move weight layer `layer` by `rate · pre · post`, or list the pulses that do.

    The `active` pre-synaptic neurons are in `work.pres`, their codes in `work.pre_values`, filled up with zeros to
    whole vectors; the `found` post-synaptic ones in `work.posts` and `work.post_values`.
    """
    raise NotImplementedError("for kernels alone")


@_operation
def apply_gathered(store: Any, layer: Any, gathered: Any, rate: Any, random: Any, plan: Any, work: Any) -> None:
    """Move weight layer `layer` by `rate · gathered`, the sums of a mini-batch, and clear them."""
    raise NotImplementedError("for kernels alone")


@_operation
def on_cells(store: Any, layer: Any) -> None:
    """Whether weight layer `layer` lies on cells: a constant of a store of one kind."""
    raise NotImplementedError("for kernels alone")


@_operation
def begin_update(store: Any) -> None:
    """Start of a sample whose columns are listed one by one (`list_column`): nothing is listed yet."""
    raise NotImplementedError("for kernels alone")


@_operation
def read_column(store: Any, layer: Any, post: Any, coarse: Any, column: Any) -> None:
    """Read the weights of neuron `post` on cells, one after the other, into `column` (n_l,), as codes of the array.

    A converter loses the last `coarse` bits of each cell's share code. In a memory nothing happens.
    """
    raise NotImplementedError("for kernels alone")


@_operation
def list_column(store: Any, layer: Any, post: Any, plan: Any, work: Any) -> None:
    """List the pulses `work.deltas` (n_l,) of all weights of neuron `post` on cells. In a memory nothing happens."""
    raise NotImplementedError("for kernels alone")


@_operation
def write(store: Any, plan: Any, work: Any) -> None:
    """End of a sample: apply the pulses that its updates have listed."""
    raise NotImplementedError("for kernels alone")


@_operation
def begin_inference(store: Any, place: Any, plan: Any) -> None:
    """Start of a sample that is only inferred, `place` among all that are: noise of its reads depends on that alone."""
    raise NotImplementedError("for kernels alone")
