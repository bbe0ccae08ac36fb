"""Chips that could be built but not learn, or would go on wrongly: tables, single neurons, formats, sums."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgesdt import registry
from edgesdt.errors import ArgumentError, SpecError
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS
from edgesdt.rules.base import StoreLearner
from edgesdt.sweep import summary
from tests.small_activation import SMALL as ACTIVATION
from tests.small_chips import spec_of

SOFTHEBB = {
    "learning.rule": "softhebb", "learning.target": "none", "readout": ["linear"], "learning.activation.power": 2,
}  # fmt: skip
CHIPS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "eqprop": ([6, 5], {}),
    "backprop": (
        [6, 5, 3], {"learning.rule": "backprop", "learning.target": "label", "learning.loss": "cross_entropy"}
    ),
    "softhebb": ([6, 5], SOFTHEBB),
    "similarity": ([6, 5], {"learning.rule": "similarity", "learning.target": "none", "readout": ["linear"]}),
    "activation": ([6, 5], ACTIVATION),
}


def built(name: str) -> StoreLearner:
    """A small chip of a rule."""
    rule = registry.load(name).build(spec_of(*CHIPS[name]))
    assert isinstance(rule, StoreLearner)
    return rule


@pytest.mark.parametrize("name", registry.OURS)
def test_a_state_with_other_tables_is_refused(name: str) -> None:
    """A table follows from the spec: a chip that took another would be no chip of it."""
    rule = built(name)
    state = rule.state()
    held = {table for table in rule.tables if state[f"chip_{table}"].size}
    assert bool(held) == (name in ("backprop", "softhebb", "activation"))
    for table in held:
        other = rule.state()
        codes = other[f"chip_{table}"]
        codes[1] ^= 1
        with pytest.raises(ArgumentError, match=f"chip_{table}: .* in entry 1 of a look-up table, allowed: .*spec"):
            rule.restore(other)
        assert all(np.array_equal(array, state[part]) for part, array in rule.state().items())
    rule.restore(state)


@pytest.mark.parametrize(
    ("layers", "fields"), [([6, 1], {}), ([6, 1, 5], {}), ([6, 1, 3], {"learning.target": "label"})]
)
def test_a_neuron_that_competes_with_none_is_refused(layers: list[int], fields: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=r"1 neuron in a layer that competes .*allowed: 2 or more"):
        spec_of(layers, SOFTHEBB | fields | ({"readout": ["output"]} if fields else {}))


def test_a_read_out_of_one_neuron_competes_with_nobody() -> None:
    assert spec_of([6, 4, 1], SOFTHEBB | {"learning.target": "label", "readout": ["output"]}).chip.layers[-1] == 1


@pytest.mark.parametrize(
    ("bits", "frac", "allowed"), [(8, 9, "9..16"), (10, 12, "12..16"), (2, 16, "16..16")]
)
def test_lateral_weights_that_cannot_hold_their_start_are_refused(bits: int, frac: int, allowed: str) -> None:
    fields = CHIPS["similarity"][1]
    with pytest.raises(SpecError, match=f"lateral.bits: {bits} .*cannot hold 1.*allowed: .*{allowed}"):
        spec_of([6, 5], fields | {"learning.lateral.bits": bits, "learning.lateral.frac_bits": frac})
    assert spec_of([6, 5], fields | {"learning.lateral.bits": 9, "learning.lateral.frac_bits": 9})


@pytest.mark.parametrize("name", registry.OURS)
def test_saturated_sums_are_told(name: str) -> None:
    """A run shows the warnings of a chip after its first epoch."""
    rule = built(name)
    assert rule.warnings() == []
    rule.work.events[ACCUMULATOR_SATURATIONS, 1] = 1234
    (told,) = rule.warnings()
    assert told.startswith("chip.accumulator.bits: 32: 1,234 additions of 0 training samples saturated")


def test_a_sweep_says_why_points_were_not_run() -> None:
    def row(status: str, error: str | None) -> dict[str, Any]:
        return {"status": status, "error": error, "record": {}, "point": {}, "seed": 0}

    small = "chip.memory_budget: 8 KiB is too small by 2 KiB"
    goal = SimpleNamespace(name="accuracy", up=True)
    plan: Any = SimpleNamespace(
        base=SimpleNamespace(name="tiny"), sweep=SimpleNamespace(objectives=[goal], constraints=[])
    )
    progress: Any = SimpleNamespace(ran=0, run_s=0.0, compile_s=0.0)
    rows = [row("infeasible", small), row("infeasible", small), row("infeasible", "another")]
    lines = list(summary.lines(plan, rows, progress, 1, 0.0))
    assert lines[:2] == ["tiny: 3 runs: 0 done, 3 infeasible", f"infeasible: {small} (1 other reason in the records)"]
    assert Counter(line.split(":")[0] for line in lines)["infeasible"] == 1
