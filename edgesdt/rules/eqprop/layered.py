"""Equilibrium propagation on a chip of several weight layers, some or all of them on analog cells.

Each layer has cells and a device of its own (`spec.layers`); a layer in memory stays as on a digital chip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.rules import arguments
from edgesdt.rules.base import each as each_part
from edgesdt.rules.eqprop import layered_counts
from edgesdt.rules.eqprop.cell_rates import layered_rates, longest_stretch
from edgesdt.rules.eqprop.cells import _SIGNED, _with_room_for_trains
from edgesdt.rules.eqprop.counts import Events
from edgesdt.rules.eqprop.layered_sample import Stack, infer_stream, learn_stream, update_of, write
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.rules.fixed_point import accumulator_frac
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import layered_wear, layout
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.layout import Bank
from edgesdt.synapses.crossbar.model_pulses import apply_pulses
from edgesdt.synapses.crossbar.programming import want
from edgesdt.synapses.crossbar.slices import Slice
from edgesdt.synapses.crossbar.two_way import TwoWay, follow_all, two_way


@dataclass(frozen=True)
class CellLayer:
    """One weight layer on cells: its array, what reading it back needs, and what happened to it so far."""

    layer: int
    crossbar: Crossbar
    way: TwoWay
    tally: list[int] = field(default_factory=lambda: [0] * layout.TALLIES)
    back: list[int] = field(default_factory=lambda: [0] * layout.TALLIES)

    @classmethod
    def of(cls, spec: Spec, layer: int) -> CellLayer:
        """Freshly manufactured cells. Raises `DeviceError`."""
        alone, frac = layers.alone(spec, layer), accumulator_frac(spec)
        return cls(layer, Crossbar.of(alone, frac), two_way(alone, frac))

    @property
    def parts(self) -> dict[str, npt.NDArray[Any]]:
        """What the cells hold, by the names of a state; a model may keep more with it for its own use."""
        cells = self.crossbar.cells
        held = {part.name: getattr(cells, part.name) for part in fields(cells)}
        return {self.name(part): array for part, array in {**held, "reading": self.crossbar.bank.reading}.items()}

    @property
    def tallies(self) -> dict[str, list[int]]:
        """The tallies of the reads forward, with the writes, and of the reads back, by the names of a state."""
        return {self.name("tally"): self.tally, self.name("tally_back"): self.back}

    def name(self, part: str) -> str:
        """The name of a part of the cells in a state."""
        return f"cells_{self.layer}_{part}"


class EqPropOnLayers(EqProp):
    """The rule on the chip that `spec` describes, its layers on freshly manufactured cells or in memory."""

    def __init__(self, spec: Spec) -> None:
        self.cell_layers = tuple(CellLayer.of(spec, layer) for layer in layers.on_cells(spec))
        self._at = {each.layer: each for each in self.cell_layers}
        self._inference_tallies = self._no_tallies()
        super().__init__(spec)
        self.work = _with_room_for_trains(self.work)
        self.stack = self._stack()

    def _stack(self) -> Stack:
        place = np.full(layers.count(self.spec), -1, np.int64)
        for at, each in enumerate(self.cell_layers):
            place[each.layer] = at
        crossbars = [each.crossbar for each in self.cell_layers]
        return Stack(
            place=place,
            sensings=tuple(crossbar.sensing for crossbar in crossbars),
            banks=tuple(crossbar.bank for crossbar in crossbars),
            ways=tuple(each.way for each in self.cell_layers),
            shifted=np.zeros(max(self.spec.chip.layers), np.int32),
        )

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rates, listed = layered_rates(self.spec, epoch), np.zeros(len(self.cell_layers), np.int64)
        most = min(longest_stretch(layers.alone(self.spec, each.layer)) for each in self.cell_layers)
        most = max(most // layered_counts.most_reads(self.spec), 1)
        for start in range(0, len(order), most):
            part = order[start : start + most]
            if all(each.crossbar.compiled for each in self.cell_layers):
                learn_stream(self.chip, self.plan, self.work, self.stack, rates, samples, labels, part, listed)
            else:
                for t in part:
                    self._learn_one(rates, samples[t], np.int64(labels[t]), listed)
            self._empty_tallies(self.stack, [(each.tally, each.back) for each in self.cell_layers])

    def _learn_one(
        self, rates: npt.NDArray[np.int64], sample: Any, label: np.int64, listed: npt.NDArray[np.int64]
    ) -> None:
        """One sample where the model of some layer is not pulsed in compiled code."""
        update_of(self.chip, self.plan, self.work, self.stack, rates, sample, label, listed)
        for at, each in enumerate(self.cell_layers):
            codes, turned, bank = self._codes(each.layer), self._turned_codes(each.layer), each.crossbar.bank
            if each.crossbar.compiled:
                write(codes, turned, each.layer, listed[at], each.crossbar.sensing, bank, each.way)
                continue
            verified = bank.programming == layout.VERIFY
            if verified:
                want(listed[at], bank)
            apply_pulses(each.crossbar, Slice(bank, codes, 0), int(listed[at]), verified)
            self._follow(each)

    def _infer(self, samples: Pixels, outputs: Outputs, size: int, threads: int) -> None:
        """Fill `outputs`, `size` samples at a time; cells and all other learned state stay as they are."""

        def run(start: int) -> tuple[Events, Stack]:
            chip, work = self._lent()
            stack, stop = _own(self.stack), start + size
            infer_stream(chip, self.plan, work, stack, samples[start:stop], start, outputs[start:stop])
            return work.events, stack

        found = each_part(run, range(0, len(samples), size), threads)
        self._inference_events = sum((events for events, _ in found), np.zeros_like(self.work.events))
        self._inference_tallies = self._no_tallies()
        for _, stack in found:
            self._empty_tallies(stack, self._inference_tallies)

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far."""
        tallies = [(each.tally, each.back) for each in self.cell_layers]
        return layered_counts.actions(self.spec, self.work.events, tallies)

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        return layered_counts.actions(self.spec, self._inference_events, self._inference_tallies)

    def happened(self, inference: bool = False) -> tuple[Events, tuple[int, ...]]:
        """A copy of the events so far, or of those of the last `infer`, and the tallies of the arrays in a row.

        Of every layer on cells from the input up: that of its reads forward and writes, then that of its reads back.
        """
        of_learning = [(each.tally, each.back) for each in self.cell_layers]
        tallies = self._inference_tallies if inference else of_learning
        return super().happened(inference)[0], tuple(n for both in tallies for tally in both for n in tally)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of every on-chip array, of the cells of every layer and of the events so far."""
        kept: dict[str, npt.NDArray[np.generic]] = super().state()
        for each in self.cell_layers:
            kept |= {name: array.copy() for name, array in each.parts.items()}
            kept |= {name: np.array([str(n) for n in tally]) for name, tally in each.tallies.items()}
        return kept

    def _free(self) -> tuple[str, ...]:
        return tuple(name for each in self.cell_layers for name in each.tallies)  # texts, as long as the longest

    def _widest(self) -> int:
        return max(int(self.plan.weight_limit), *(each.crossbar.bank.highest for each in self.cell_layers))

    def _check(self, state: Mapping[str, Any]) -> None:
        super()._check(state)
        limit = int(self.plan.weight_limit)
        for layer in layers.in_memory(self.spec):
            codes = self._block(state["chip_weights"], layer)
            ARGUMENTS.integers("state: chip_weights", codes, codes.shape, -limit - 1, limit, codes.dtype)
        for each in self.cell_layers:
            for name in (each.name("state"), each.name("visible")):
                ARGUMENTS.reals(f"state: {name}", state[name], state[name].shape)
            if np.isnan(state[each.name("spread")]).any():
                ARGUMENTS.refuse(f"state: {each.name('spread')}", "a value that is not a number", "numbers")
            for name in each.tallies:
                _tally_in(state, name)

    def _take_up(self, state: Mapping[str, Any]) -> None:
        super()._take_up(state)
        for each in self.cell_layers:
            for name, array in each.parts.items():
                array[...] = state[name]
            for name, tally in each.tallies.items():
                tally[:] = _tally_in(state, name)
            self._show(each, each.crossbar.cells.visible)
        self._refresh_shortcuts()

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """Within the context the chip reads its cells as they are `after_s` seconds after the last write."""
        for each in self.cell_layers:
            self._show(each, each.crossbar.rested(after_s))
        try:
            yield
        finally:
            for each in self.cell_layers:
                self._show(each, each.crossbar.cells.visible)

    def warnings(self) -> list[str]:
        """What the user should know about the arrays, in sentences."""
        return layered_wear.warnings(self._worn())

    def wear(self) -> dict[str, object]:
        """The record's `device`: what learning did to the cells of all layers together, and of each."""
        memory = super().wear() if layers.in_memory(self.spec) else {}
        return layered_wear.wear(self._worn(), memory)

    def _worn(self) -> list[layered_wear.Worn]:
        return [layered_wear.Worn(e.layer, e.crossbar, e.way, e.tally, e.back) for e in self.cell_layers]

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Weight codes as read, with the value of the LSB of every layer on cells, and the state of every cell."""
        arrays = super().weight_file(image_shape)
        if 0 in self._at:  # a reader of layer 0 alone finds there what a chip of one layer has
            arrays.pop("weights_frac_bits")
            arrays["weights_lsb"] = np.array(_lsb(self._at[0].crossbar))
        for each in self.cell_layers:
            arrays[f"weights_{each.layer}_lsb"] = np.array(_lsb(each.crossbar))
            arrays[each.name("state")], arrays[each.name("visible")] = (
                each.crossbar.cells.state,
                each.crossbar.cells.visible,
            )
        return arrays

    def _block(self, codes: npt.NDArray[Any], layer: int) -> npt.NDArray[Any]:
        start, (rows, columns) = int(self.plan.first_weight[layer]), self.spec.chip.layers[layer : layer + 2]
        return codes[start : start + rows * columns]

    def _codes(self, layer: int) -> npt.NDArray[Any]:
        return self._block(self.chip.weights, layer)

    def _turned_codes(self, layer: int) -> npt.NDArray[Any]:
        return self._block(self.work.mirror, layer)

    def _show(self, each: CellLayer, visible: npt.NDArray[np.floating]) -> None:
        each.crossbar.show(self._codes(each.layer), visible)
        self._follow(each)

    def _follow(self, each: CellLayer) -> None:
        follow_all(self._codes(each.layer), self._turned_codes(each.layer), each.crossbar.bank, each.way)

    def _no_tallies(self) -> list[tuple[list[int], list[int]]]:
        return [([0] * layout.TALLIES, [0] * layout.TALLIES) for _ in self.cell_layers]

    def _empty_tallies(self, stack: Stack, into: list[tuple[list[int], list[int]]]) -> None:
        for bank, way, both in zip(stack.banks, stack.ways, into, strict=True):
            for tally, sums in zip((bank.tally, way.tally), both, strict=True):
                for place, count in enumerate(tally):
                    sums[place] += int(count)
                tally[:] = 0

    def _draw_layer(self, layer: int) -> None:
        """Xavier-uniform weights from the chip's own random bank, programmed where the layer lies on cells."""
        if layer not in self._at:
            super()._draw_layer(layer)
            return
        each, shape = self._at[layer], self.spec.chip.layers[layer : layer + 2]
        bound = self.spec.chip.weights.init_gain * (6.0 / sum(shape)) ** 0.5
        words = self._random_words(shape[0] * shape[1]).astype(np.float64).reshape(shape)
        each.crossbar.program(bound * (words * 2.0**-31 - 1.0))
        self._show(each, each.crossbar.cells.visible)


def _lsb(crossbar: Crossbar) -> float:
    return float(crossbar.mapping.digit_weights[0]) / crossbar.bank.one


def _tally_in(state: Mapping[str, Any], name: str) -> list[int]:
    return arguments.whole_numbers(f"state: {name}", state[name], layout.TALLIES, _SIGNED.__contains__)


def _own(stack: Stack) -> Stack:
    """A stack with scratch arrays and tallies of its own that shares the cells; other noise than that of learning."""

    def bank(shared: Bank) -> Bank:
        names = ("partial", "squares", "variances")
        return shared._replace(
            **{name: getattr(shared, name).copy() for name in names},
            reading=shared.reading ^ np.uint64(1 << 63),
            tally=np.zeros_like(shared.tally),
        )

    def way(shared: TwoWay) -> TwoWay:
        names = ("lines", "drives", "sums", "variances")
        own = {name: getattr(shared, name).copy() for name in names}
        return shared._replace(**own, tally=np.zeros_like(shared.tally))

    return stack._replace(
        banks=tuple(map(bank, stack.banks)), ways=tuple(map(way, stack.ways)), shifted=stack.shifted.copy()
    )
