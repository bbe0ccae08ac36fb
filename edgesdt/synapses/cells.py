"""The weights of a chip on analog cells, in one layer, in several, or in some of them: a substrate for any rule.

Cells are read by converters and moved by pulses (`edgesdt.synapses.crossbar`); a layer in memory stays as on a digital
chip. Each layer has cells and a device of its own (`edgesdt.spec.layers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.kernels.layout import Codes
from edgesdt.spec import Spec, layers
from edgesdt.synapses.cell_layer import CellLayer
from edgesdt.synapses.crossbar import layered_wear, layout
from edgesdt.synapses.crossbar import wear as crossbar_wear
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.layout import Bank
from edgesdt.synapses.crossbar.reading import compensation
from edgesdt.synapses.crossbar.reading.two_way import TwoWay
from edgesdt.synapses.crossbar.scales import longest_stretch
from edgesdt.synapses.memory import MemoryStore
from edgesdt.synapses.stores.array import Array
from edgesdt.synapses.stores.memory import for_inference
from edgesdt.synapses.stores.stack import Stack
from edgesdt.synapses.tallies import empty, none

Order = npt.NDArray[np.int64]


class CellStore:
    """Freshly manufactured cells for the layers of `spec` that lie on cells; `memory` holds all weight codes.

    `frac` are fractional bits of the accumulators. Raises `DeviceError`.
    """

    def __init__(self, spec: Spec, memory: MemoryStore, frac: int) -> None:
        self.spec, self.memory = spec, memory
        self.calibration: tuple[float, dict[str, int]] | None = None
        self.layers = tuple(CellLayer.of(spec, layer, memory, frac) for layer in layers.on_cells(spec))
        self.kernels: Array | Stack = self._array() if layers.one_way(spec) else self._stack()

    def _array(self) -> Array:
        crossbar, codes = self.crossbar, self.memory.kernels.weights
        return Array(codes, crossbar.sensing, crossbar.bank, np.zeros(1, np.int64), crossbar.compiled)

    def _stack(self) -> Stack:
        place = np.full(layers.count(self.spec), -1, np.int64)
        for at, each in enumerate(self.layers):
            place[each.layer] = at
        crossbars = [each.crossbar for each in self.layers]
        return Stack(
            memory=self.memory.kernels,
            place=place,
            sensings=tuple(crossbar.sensing for crossbar in crossbars),
            banks=tuple(crossbar.bank for crossbar in crossbars),
            ways=tuple(each.way for each in self.layers if each.way is not None),
            listed=np.zeros(len(crossbars), np.int64),
            followed=np.array([layers.both_ways(self.spec, each.layer) for each in self.layers], np.int64),
            pulsed=np.array([crossbar.compiled for crossbar in crossbars], np.int64),
        )

    @property
    def crossbar(self) -> Crossbar:
        """The array of the lowest layer on cells."""
        return self.layers[0].crossbar

    def draw(self, words: Callable[[int], npt.NDArray[np.uint32]]) -> None:
        """Xavier-uniform weights from the chip's own random bank, programmed where a layer lies on cells."""
        on_cells = {each.layer: each for each in self.layers}
        for layer in range(layers.count(self.spec)):
            if layer in on_cells:
                on_cells[layer].draw(self.spec.chip.weights.init_gain, words)
            else:
                self.memory.draw_layer(layer, words)
        self.memory.refresh()

    def learn(self, order: Order, run: Callable[[Order], None], done: int, reads: int) -> None:
        """Call `run` on all of `order`, and between its parts work out losses on wires, carry digits, empty tallies.

        Losses and carries are due every so many samples of all, before and after one, so that they do not depend on
        how samples are split into calls. Where some model is not pulsed in compiled code, a part is one sample.
        """
        compiled = all(each.crossbar.compiled for each in self.layers)
        most = min(longest_stretch(each.crossbar.spec) for each in self.layers)
        most, start = max(most // reads, 1) if compiled else 1, 0
        while start < len(order):
            for each in self.layers:
                each.before(done + start)
            due = [samples for each in self.layers for samples in each.until(done + start)]
            stop = min(start + min([most, *due]), len(order))
            run(order[start:stop])
            start = stop
            for at, each in enumerate(self.layers):
                if not each.crossbar.compiled:
                    each.apply(int(self.kernels.listed[at]))
                each.empty()
                each.after(done + start)

    def reader(self) -> Callable[[Codes], Array | Stack]:
        """A function that makes a store for inference: scratch and tallies of its own, other noise than learning."""
        shown = [each.as_shown()[0] for each in self.layers]

        def made(aligned: Codes) -> Array | Stack:
            banks, kernels = tuple(map(_own_bank, shown)), self.kernels
            if isinstance(kernels, Array):
                return kernels._replace(bank=banks[0])
            memory = for_inference(kernels.memory, aligned)
            return kernels._replace(memory=memory, banks=banks, ways=tuple(map(_own_way, kernels.ways)))

        return made

    def collect(self, stores: Sequence[Any]) -> None:
        """Keep what the stores of one inference have counted."""
        for at, each in enumerate(self.layers):
            each.inference = none(), none()
            for store in stores:
                if isinstance(store, Array):
                    empty(store.bank.tally, each.inference[0])
                else:
                    empty(store.banks[at].tally, each.inference[0])
                    empty(store.ways[at].tally, each.inference[1])

    def empty(self) -> None:
        """Add what the arrays have tallied since `learn` to what happened so far."""
        for each in self.layers:
            each.empty()

    def tallies(self, inference: bool = False) -> tuple[tuple[Sequence[int], Sequence[int]], ...]:
        """Of each layer on cells, from the input up: its reads forward and its writes, and its reads back."""
        return tuple(each.inference if inference else (each.tally, each.back) for each in self.layers)

    def tally(self, inference: bool = False) -> tuple[int, ...]:
        """The tallies in a row; of the only layer of a chip, which is never read back, the first alone."""
        directions = 1 if isinstance(self.kernels, Array) else 2
        return tuple(n for both in self.tallies(inference) for tally in both[:directions] for n in tally)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of the cells of every layer, and what happened to them."""
        kept = self.memory.state()
        for each in self.layers:
            kept |= each.state()
        return kept

    def free(self) -> tuple[str, ...]:
        """The tallies: texts, as long as the longest of them."""
        return tuple(name for each in self.layers for name in each.tallies)

    def check(self, state: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` where a number in `state` cannot be."""
        limit = self.memory.widest()
        for layer in layers.in_memory(self.spec):
            codes = self.memory.block(state["chip_weights"], layer)
            ARGUMENTS.integers("state: chip_weights", codes, codes.shape, -limit - 1, limit, codes.dtype)
        for each in self.layers:
            each.check(state)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the cells of every layer, once the weight codes are."""
        self.memory.restore(state)
        for each in self.layers:
            each.restore(state)
        self.memory.refresh()

    def widest(self) -> int:
        """The largest weight code of any layer; the lowest is one further from 0."""
        limits = [self.memory.widest()] if layers.in_memory(self.spec) else []
        return max(limits + [each.crossbar.bank.highest for each in self.layers])

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes (n_l, n_{l+1}): all slices together, in the LSB of the least significant one."""
        for each in self.layers:
            if each.layer == layer and each.crossbar.above:
                return each.crossbar.weights(each.codes).reshape(each.crossbar.spec.chip.layers)
        return self.memory.weights(layer)

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """Within the context the cells are read as they are `after_s` seconds after the last write.

        With drift compensation, times the factor of a reference read then.
        """
        for each in self.layers:
            rested = each.crossbar.rested(after_s)
            each.show(rested)
            if self.spec.device.drift_compensation == "global":
                each.show(self._compensated(each, rested))
        try:
            yield
        finally:
            for each in self.layers:
                each.show(each.crossbar.cells.visible)
            self.calibration = None

    def _compensated(self, each: CellLayer, rested: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """What the cells would show without the mean of their drift; notes the factor and its read."""
        crossbar = each.crossbar
        shares = sum(int(part.bank.shares.sum(dtype=np.int64)) for part in crossbar.slices(each.codes))
        times = compensation.factor(crossbar.model, crossbar.cells.visible, rested)
        self.calibration = times, compensation.read_counts(self.spec, shares)
        return compensation.scaled(crossbar.model, rested, times)

    def warnings(self) -> list[str]:
        """What the user should know about the arrays, in sentences."""
        if isinstance(self.kernels, Array):
            (each,) = self.layers
            return crossbar_wear.warnings(each.crossbar, each.tally, each.carries, each.as_shown()[1])
        return layered_wear.warnings(self._worn())

    def wear(self, counts: dict[str, int], events: npt.NDArray[np.int64]) -> dict[str, object]:
        """The record's `device`: what learning did to the cells of all layers together, and of each."""
        if isinstance(self.kernels, Array):
            (each,) = self.layers
            return crossbar_wear.wear(each.crossbar, each.tally, each.carries, each.as_shown()[1])
        memory = self.memory.wear(counts, events) if layers.in_memory(self.spec) else {}
        return layered_wear.wear(self._worn(), memory)

    def _worn(self) -> list[layered_wear.Worn]:
        return [layered_wear.Worn(e.layer, e.crossbar, e.way, e.tally, e.back) for e in self.layers if e.way]

    def weight_file(self, arrays: dict[str, npt.NDArray[np.generic]]) -> dict[str, npt.NDArray[np.generic]]:
        """`arrays` with the value of the LSB of every layer on cells, and the state of every cell."""
        if self.layers[0].layer == 0:  # a reader of layer 0 alone finds there what a chip of one layer has
            arrays.pop("weights_frac_bits")
            arrays["weights_lsb"] = np.array(_lsb(self.crossbar))
        for each in self.layers:
            if each.way is not None:
                arrays[f"weights_{each.layer}_lsb"] = np.array(_lsb(each.crossbar))
            cells = each.crossbar.cells
            arrays[each.name("state")], arrays[each.name("visible")] = cells.state, cells.visible
        return arrays


def _lsb(crossbar: Crossbar) -> float:
    return float(crossbar.mapping.digit_weights[0]) / crossbar.bank.one


def _own_bank(shared: Bank) -> Bank:
    """The same cells with scratch arrays and a tally of its own, and other noise than that of learning."""
    names = ("partial", "squares", "variances")
    return shared._replace(
        **{name: getattr(shared, name).copy() for name in names},
        reading=shared.reading ^ np.uint64(1 << 63),
        tally=np.zeros(layout.TALLIES, np.int64),
    )


def _own_way(shared: TwoWay) -> TwoWay:
    names = ("lines", "drives", "sums", "variances")
    own = {name: getattr(shared, name).copy() for name in names}
    return shared._replace(**own, tally=np.zeros(layout.TALLIES, np.int64))
