"""A small twin of a chip that learns, infers and rests for a moment, so that every kernel is compiled by then.

Compiled code depends on the types of arrays, not on their sizes. `kinds` are chips that need all kernels there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from edgesdt import registry
from edgesdt.chip.simulated import Chip
from edgesdt.rules.twin import twin
from edgesdt.spec import Spec

_SAMPLES = 3


def rehearse(spec: Spec) -> None:
    """Do with a twin of `spec` what a run does with a chip. Raises as `Chip` does."""
    small = twin(spec)
    rule, (first, *_, last) = Chip(small).rule, small.chip.layers
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 1 << spec.encoder.bits, (_SAMPLES, first), np.uint8).astype(np.uint8)
    labels = np.arange(_SAMPLES) % last
    rule.learn(samples, labels, np.arange(_SAMPLES), 0)
    rule.infer(samples)
    rule.restore(rule.state())
    with rule.rested(1.0):
        rule.infer(samples)
    rule.counts(), rule.wear(), rule.warnings()


_CHIP: Final = {"layers": [64, 20], "memory_budget": 1 << 24}
_ONE_OF_EACH: Final = ("EcRam", "ReRamES", "HZO_FeFET", "quantized_4bit", "PCM_inference", "SONOS", "ENODe_lookup")
"""Devices of different families, each with the kernels that manufacture, write and read its cells."""


def kinds() -> Iterator[Spec]:
    """Chips that between them need every kernel: each rule of ours on digital weights of either width, every family of
    cells, wires, slices.

    All states and layers share their kernels, and so do all cells: a device only brings those of its own making.
    """
    for width in (8, 16):
        for rule in registry.OURS:
            chip = {**_CHIP, "weights": {"bits": width, "frac_bits": width}}
            yield _spec({"chip": chip, "learning": {"rule": rule}})
    array: dict[str, Any] = {"weight_per_range": 1.0}
    for model in _ONE_OF_EACH:
        yield _spec({"device": {"model": model, "array": array}})
    kept = {"stuck_at": {"lrs_fraction": 0.1}, "retention": {"time_constant_s": 1.0, "time_constant_spread": 0.1}}
    yield _spec({"device": {"model": "EcRam", "parameters": kept, "array": array}})
    slices = {"slices": 2, "carry_every": 1, "wire_resistance": 1.0, "ir_drop_every": 1}
    yield _spec({"device": {"model": "ReRamSB", "array": {**array, **slices}}})
    for lowest in ("sram", "EcRam"):  # one layer on cells and two are types of their own
        layers = {"0": lowest, "1": {"model": "EcRam", "array": array}}
        yield _spec({"chip": {**_CHIP, "layers": [64, 20, 10]}, "device": {"layers": layers}})


def _spec(changes: Mapping[str, Any]) -> Spec:
    return Spec.from_plain({"name": "warm", "data": {"set": "digits"}, "chip": _CHIP, **changes})
