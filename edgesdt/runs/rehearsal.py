"""Compiles all kernels of a chip: a small copy of it learns, infers and rests for a moment.

Compiled code depends on the types of arrays, not on their sizes. `kinds` returns chips that together need all kernels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from edgesdt import registry
from edgesdt.chip.simulated import Chip
from edgesdt.rules.lookup import rule_of
from edgesdt.rules.twin import twin
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages

_SAMPLES = 3


def rehearse(spec: Spec) -> None:
    """Calls, on a small copy of the chip of `spec`, all functions that a run calls. Raises as `Chip` does."""
    small = twin(stages(spec)[0].spec)  # other stages differ in numbers alone
    rule, first = Chip(small).rule, small.chip.layers[0]
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 1 << spec.encoder.bits, (_SAMPLES, first), np.uint8).astype(np.uint8)
    labels = np.arange(_SAMPLES) % rule_of(small).classes(small)
    rule.learn(samples, labels, np.arange(_SAMPLES), 0)
    rule.infer(samples)
    rule.restore(rule.state())
    with rule.rested(1.0):
        rule.infer(samples)
    rule.counts(), rule.wear(), rule.warnings()


_CHIP: Final = {"layers": [64, 20], "memory_budget": 1 << 24}
_ONE_OF_EACH: Final = ("EcRam", "ReRamES", "HZO_FeFET", "quantized_4bit", "PCM_inference", "SONOS", "ENODe_lookup")
"""Devices of different families; each has its own kernels to manufacture, write and read cells."""


def kinds() -> Iterator[Spec]:
    """Chips that between them need most kernels: each rule of ours on digital weights of either width; the default rule
    on every family of cells, with wires, in slices, in several layers.

    Another rule on cells compiles kernels of its own, for a minute or more. Kernels are shared by all states, layers
    and cells; a device adds only the kernels of its own family.
    """
    for width in (8, 16):
        for rule in registry.OURS:
            chip = {**_CHIP, "weights": {"bits": width, "frac_bits": width}}
            readout = registry.load(rule).readouts[:1]
            yield _spec({"chip": chip, "learning": {"rule": rule}, "readout": list(readout)})
    array: dict[str, Any] = {"weight_per_range": 1.0}
    for model in _ONE_OF_EACH:
        yield _spec({"device": {"model": model, "array": array}})
    kept = {"stuck_at": {"lrs_fraction": 0.1}, "retention": {"time_constant_s": 1.0, "time_constant_spread": 0.1}}
    yield _spec({"device": {"model": "EcRam", "parameters": kept, "array": array}})
    slices = {"slices": 2, "carry_every": 1, "wire_resistance": 1.0, "ir_drop_every": 1}
    yield _spec({"device": {"model": "ReRamSB", "array": {**array, **slices}}})
    for lowest in ("sram", "EcRam"):  # a chip with one layer on cells and a chip with two have different types
        layers = {"0": lowest, "1": {"model": "EcRam", "array": array}}
        yield _spec({"chip": {**_CHIP, "layers": [64, 20, 10]}, "device": {"layers": layers}})


def _spec(changes: Mapping[str, Any]) -> Spec:
    return Spec.from_plain({"name": "warm", "data": {"set": "digits"}, "chip": _CHIP, **changes})
