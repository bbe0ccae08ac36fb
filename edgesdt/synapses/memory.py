"""The weights of a chip in a digital memory: first weights, wear, state, and what the simulator keeps beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, WEIGHT_SATURATIONS, WEIGHT_WRITES, Codes
from edgesdt.ledger.actions import WEIGHT_WRITE
from edgesdt.spec import Spec
from edgesdt.synapses import levels
from edgesdt.synapses.mirror import UNKNOWN
from edgesdt.synapses.stores.memory import Memory, for_inference, memory_of


class MemoryStore:
    """The weights of the chip of `spec`, a substrate (`edgesdt.synapses.substrate`).

    `plan`, `chip` and `work` are named tuples of a rule. They have the fields of `kernels.layout` that are used here:
    `first_weight`, `weight_limit`; `weights`; `mirror`, `weight_peak`, `wear`, `wear_carry`.
    """

    calibration: tuple[float, dict[str, int]] | None = None

    def __init__(self, spec: Spec, plan: Any, chip: Any, work: Any, aligned: Codes) -> None:
        self.spec, self.plan = spec, plan
        self.kernels: Memory = memory_of(chip, work, aligned)

    def draw(self, words: Callable[[int], npt.NDArray[np.uint32]]) -> None:
        """Xavier-uniform initial weights from the chip's own random bank, layer by layer, row by row."""
        for layer in range(len(self.spec.chip.layers) - 1):
            self.draw_layer(layer, words)
        self.refresh()

    def draw_layer(self, layer: int, words: Callable[[int], npt.NDArray[np.uint32]]) -> None:
        """The initial codes of one layer."""
        gain, frac = self.spec.chip.weights.init_gain, levels.stored(self.spec).frac_bits
        codes = self.weights(layer)
        bound = round(gain * (6.0 / sum(codes.shape)) ** 0.5 * 2.0**frac)
        bound = min(bound, int(self.plan.weight_limit))
        wide = (words(codes.size).astype(np.uint64) * np.uint64(2 * bound + 1)) >> np.uint64(32)
        codes[...] = (wide.astype(np.int64) - bound).reshape(codes.shape)

    def refresh(self) -> None:
        """Bring the simulator's own copies in step with the chip's weights."""
        for layer in range(len(self.spec.chip.layers) - 1):
            codes = levels.read(self.weights(layer), self.kernels.reading)
            self.kernels.weight_peak[layer] = np.abs(codes).max(initial=0)
            if self.kernels.reading.size:
                self.block(self.kernels.read, layer)[:] = codes.ravel()
            if self.kernels.mirror.size:
                self.block(self.kernels.mirror, layer)[:] = codes.T.ravel()
        if self.kernels.copied:
            self.kernels.fits[:] = UNKNOWN

    def shape(self, layer: int) -> tuple[int, int]:
        """Rows and columns of weight layer `layer`: (n_l, n_{l+1}), unless a rule has weights of more inputs."""
        rows, columns = self.spec.chip.layers[layer : layer + 2]
        return rows, columns

    def block(self, codes: npt.NDArray[Any], layer: int) -> npt.NDArray[Any]:
        """The part of an array of all synapses that belongs to weight layer `layer` (a view)."""
        start, (rows, columns) = int(self.plan.first_weight[layer]), self.shape(layer)
        return codes[start : start + rows * columns]

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes (rows, columns) of weight layer `layer` (a view)."""
        codes: npt.NDArray[np.integer] = self.block(self.kernels.weights, layer).reshape(self.shape(layer))
        return codes

    def learn(
        self, order: npt.NDArray[np.int64], run: Callable[[npt.NDArray[np.int64]], None], done: int, reads: int
    ) -> None:
        """Call `run` on `order`: a memory needs nothing in between."""
        run(order)

    def reader(self) -> Callable[[Codes], Memory]:
        """A function that makes a store for inference, with the same weights."""
        return lambda aligned: for_inference(self.kernels, aligned)

    def collect(self, stores: Sequence[Any]) -> None:
        """Nothing is counted in a memory but events."""

    def empty(self) -> None:
        """There are no arrays."""

    def tallies(self, inference: bool = False) -> tuple[tuple[Sequence[int], Sequence[int]], ...]:
        """There are no arrays."""
        return ()

    def tally(self, inference: bool = False) -> tuple[int, ...]:
        """There are no arrays."""
        return ()

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """How often each weight code was changed."""
        return {"wear": self.worn()}

    def free(self) -> tuple[str, ...]:
        """Every name in a state has its type."""
        return ()

    def check(self, state: Mapping[str, Any]) -> None:
        """Any count of changes can be."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the counts of changes, and bring the simulator's copies in step with the weights."""
        worn = self._turned(state["wear"], back=True)
        self.kernels.wear[...] = worn % np.uint32(256)
        self.kernels.wear_carry[...] = worn // np.uint32(256)
        self.refresh()

    def widest(self) -> int:
        """The largest weight code; the lowest is one further from 0."""
        return int(self.plan.weight_limit)

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """A digital memory forgets nothing."""
        yield

    def wear(self, counts: dict[str, int], events: npt.NDArray[np.int64]) -> dict[str, object]:
        """The record's `device`: what learning did to the memory cells, with the `counts` and `events` of the chip."""
        total, busiest = counts[WEIGHT_WRITE], int(self.worn().max(initial=0))
        if self.spec.chip.style == "dense":  # writes every cell in every update
            busiest = total // self.kernels.wear.size
        return {
            "model": self.spec.device.model,
            "writes_total": total,
            "writes_per_cell_max": busiest,
            "codes_changed": int(events[WEIGHT_WRITES].sum()),
            "weight_saturations": int(events[WEIGHT_SATURATIONS].sum()),
            "accumulator_saturations": int(events[ACCUMULATOR_SATURATIONS].sum()),
        }

    def warnings(self) -> list[str]:
        """Nothing that a user should know."""
        return []

    def weight_file(self, arrays: dict[str, npt.NDArray[np.generic]]) -> dict[str, npt.NDArray[np.generic]]:
        """`arrays` with the point of stored weight codes, and how many of their bits are hidden."""
        hidden = self.spec.chip.weights.hidden_bits
        if hidden == 0:
            return arrays
        point = np.array(levels.stored(self.spec).frac_bits)
        return arrays | {"weights_frac_bits": point, "weights_hidden_bits": np.array(hidden)}

    def worn(self) -> npt.NDArray[np.uint32]:
        """How often each weight code was changed, in the order of the weight array (a copy)."""
        return self._turned(self.kernels.wear + self.kernels.wear_carry * np.uint32(256), back=False)

    def _turned(self, synapses: npt.NDArray[np.uint32], back: bool) -> npt.NDArray[np.uint32]:
        """`synapses` from the order of the wear counters to that of the weight array, or `back` (a copy)."""
        turned, start = np.empty_like(synapses), 0
        for rows, columns in map(self.shape, range(len(self.spec.chip.layers) - 1)):
            end = start + rows * columns
            shape = (rows, columns) if back else (columns, rows)
            turned[start:end] = synapses[start:end].reshape(shape).T.ravel()
            start = end
        return turned
