"""Every kind of store has every operation that a rule's kernels call, with the same arguments."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType

import numpy as np
import pytest

from edgesdt.kernels.jit import kernel
from edgesdt.synapses import store, stores
from edgesdt.synapses.stores.memory import Memory

KINDS = [name for _, name, _ in pkgutil.iter_modules(stores.__path__)]
OPERATIONS = [
    name
    for name, made in inspect.getmembers(store, inspect.isfunction)
    if made.__module__ == store.__name__ and "store" in inspect.signature(made).parameters
]


def module_of(kind: str) -> ModuleType:
    """The module of a kind of store."""
    return import_module(f"edgesdt.synapses.stores.{kind}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_store_has_every_operation(kind: str, name: str) -> None:
    made, asked = getattr(module_of(kind), name), getattr(store, name)
    assert list(inspect.signature(made).parameters) == list(inspect.signature(asked).parameters)


def test_operations_and_kinds_are_found() -> None:
    assert set(KINDS) == {"memory", "array", "stack"}
    assert {"feed", "add_changes", "update_contrast", "update_outer", "apply_gathered", "write"} <= set(OPERATIONS)


def test_an_operation_outside_a_kernel_says_what_it_is_for() -> None:
    with pytest.raises(NotImplementedError, match="for kernels alone"):
        store.write(None, None, None)


@kernel
def mark_and_write(chip, plan, work):  # type: ignore[no-untyped-def]
    """A write to an array of a tuple that is not named again, before an operation."""
    for at in range(work.keys.shape[0]):
        work.keys[at] = at
    store.write(chip, plan, work)


def test_an_operation_leaves_every_write_in_place() -> None:
    """numba's inlining of overloads drops such a write (`kernels.jit.operation`)."""
    from edgesdt.rules.eqprop.plan import plan, workspace
    from tests.small_chips import Machine, spec_of

    machine = Machine.of(spec_of([5, 4]))
    assert isinstance(machine.store, Memory)
    work = workspace(machine.spec)
    mark_and_write(machine.store, plan(machine.spec), work)
    assert np.array_equal(work.keys, np.arange(4))
