"""The roofline of the kernels: bytes that a sample must move, divided by the streaming bandwidth of this machine.

Bytes are useful bytes, each array once: the data that the algorithm needs in the simulator's formats, without the rest
of cache lines. A scattered weight write moves 64 bytes to change one, so no kernel can reach the roof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgesdt.ledger import actions as act
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar.scales import tiles

ACCUMULATOR_BYTES = 4
WORD_BYTES = 4
CELL_BYTES = 48
"""State, visible state, counter, share code and eight parameters of an analog cell in single precision."""


@dataclass(frozen=True)
class Traffic:
    """Useful bytes of one sample, by kind."""

    weight_rows: float
    weight_updates: float
    accumulators: float
    random_words: float
    inputs: float

    @property
    def total(self) -> float:
        """All bytes of one sample."""
        return self.weight_rows + self.weight_updates + self.accumulators + self.random_words + self.inputs


def weight_bytes(spec: Spec) -> int:
    """Bytes per weight in the simulator; for analog cells, those of the read code."""
    if not spec.device.digital:
        return 2
    return 1 if spec.chip.weights.bits <= 8 else 2


def footprint(spec: Spec) -> int:
    """Bytes of all stored weights."""
    layers = spec.chip.layers
    return weight_bytes(spec) * sum(a * b for a, b in pairwise(layers))


def traffic(spec: Spec, counts: Mapping[str, int], samples: int) -> Traffic:
    """Bytes of one sample, from the action counts of `samples` samples on an event-driven chip.

    A weight is read for each multiply-accumulate (the rows of active inputs and of changed states), and read and
    written if its code changes. An accumulator is read and written once; a random word is written and read once. Raises
    `ValueError` for a dense chip (its counts say nothing about events) or no samples.
    """
    if spec.chip.style != "event_driven":
        raise ValueError(f"chip.style: {spec.chip.style}: only the counts of an event-driven chip are events")
    if samples < 1:
        raise ValueError("no samples")
    each = weight_bytes(spec)
    # for a rule with a transposed pass, weights between the neurons of a layer, or a reconstruction of its input
    more = sum(counts.get(name, 0) for name in ("back_mac", "lateral_mac", "reconstruction_mac"))
    if pulled := counts.get("pull", 0):  # a sweep of a neuron reads all of its weights, also those that stay
        more += pulled - counts[act.WEIGHT_WRITE]
    read = counts[act.MAC] + more
    moved = 2 * counts[act.WEIGHT_WRITE] * each
    if not spec.device.digital:
        read = counts[act.ROW_DRIVE] // tiles(spec)[1] * spec.chip.layers[1]
        moved = 2 * CELL_BYTES * (counts[act.PULSE_UP] + counts[act.PULSE_DOWN])
    return Traffic(
        weight_rows=read * each / samples,
        weight_updates=moved / samples,
        accumulators=2.0 * ACCUMULATOR_BYTES * sum(spec.chip.layers[1:]),
        random_words=2 * WORD_BYTES * counts[act.RANDOM_WORD] / samples,
        inputs=float(spec.chip.layers[0]),
    )


@dataclass(frozen=True)
class Roof:
    """A measured rate [samples/s] and the limit by `bandwidth` [bytes/s] for `bytes_per_sample`."""

    bytes_per_sample: float
    bandwidth: float
    samples_per_s: float

    @property
    def roof_samples_per_s(self) -> float:
        """Samples per second if every byte moved at the streaming bandwidth."""
        return self.bandwidth / self.bytes_per_sample

    @property
    def achieved_bytes_per_s(self) -> float:
        """Useful bytes per second."""
        return self.bytes_per_sample * self.samples_per_s

    @property
    def fraction(self) -> float:
        """Achieved share of the roof."""
        return self.samples_per_s / self.roof_samples_per_s


class Stream:
    """A buffer of about `size` bytes that compiled code reads completely, as fast as this core can."""

    def __init__(self, size: int) -> None:
        from numba import njit

        self._sum = njit(nogil=True)(_sum_words)
        self._words = np.arange(-(-size // 8), dtype=np.uint64)
        self.nbytes = self._words.nbytes
        self.read(2)  # compiles, and loads the buffer into the cache that can hold it

    def read(self, passes: int) -> int:
        """Reads the whole buffer `passes` times; returns the XOR of the sums, so that no read is optimised away."""
        total = 0
        for _ in range(passes):
            total ^= int(self._sum(self._words))
        return total


def _sum_words(words: npt.NDArray[np.uint64]) -> np.uint64:
    total = np.uint64(0)
    for i in range(words.shape[0]):  # by index, because compilers do not vectorise a loop over the words themselves
        total += words[i]
    return total
