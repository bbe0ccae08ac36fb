"""Equilibrium propagation whose weights are analog cells: read by converters, moved by pulses.

The rule is that of `rules.eqprop.rule`; what differs is how weights are read and written (`edgesdt.synapses.crossbar`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.errors import SpecError
from edgesdt.kernels.layout import Workspace
from edgesdt.rules import arguments
from edgesdt.rules.base import each as each_part
from edgesdt.rules.eqprop.cell_counts import actions as cell_actions
from edgesdt.rules.eqprop.cell_rates import longest_stretch, pulse_rates
from edgesdt.rules.eqprop.cell_sample import infer_stream, learn_stream, update_of
from edgesdt.rules.eqprop.counts import Events
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.rules.fixed_point import accumulator_frac
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import compensation, layout
from edgesdt.synapses.crossbar import wear as crossbar_wear
from edgesdt.synapses.crossbar.carry import TALLIES, carry
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.layout import Bank
from edgesdt.synapses.crossbar.model_pulses import apply_pulses
from edgesdt.synapses.crossbar.programming import want
from edgesdt.synapses.crossbar.wires import renew, see_all, with_all_losses
from hw_models.base import Cells, DeviceError


def on_cells(spec: Spec) -> EqProp:
    """The rule on analog cells, of one layer or several. Raises `SpecError` for cells that cannot be."""
    try:
        if layers.count(spec) == 1:
            return EqPropOnCells(spec)
        from edgesdt.rules.eqprop.layered import EqPropOnLayers  # more kernels, which one layer does not need

        return EqPropOnLayers(spec)
    except DeviceError as error:
        raise SpecError(f"device: {error}") from error


_TALLY = "cells_tally"
_SIGNED = (layout.READ_SHARE, layout.UP_SHARE, layout.DOWN_SHARE, layout.VERIFY_SHARE)
"""Entries of the tally that add up share codes, which a cell below its nominal range makes negative."""


class EqPropOnCells(EqProp):
    """The rule on the chip that `spec` describes, on freshly manufactured cells."""

    def __init__(self, spec: Spec) -> None:
        self.crossbar = Crossbar.of(spec, accumulator_frac(spec))
        self._tally = [0] * layout.TALLIES
        self._inference_tally = [0] * layout.TALLIES
        self._carries = [0] * TALLIES
        super().__init__(spec)
        self.work = _with_room_for_trains(self.work)

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        rates = pulse_rates(self.spec, epoch)
        for part in self._stretches(order):
            self._learn_stretch(samples, labels, part, rates)

    def _stretches(self, order: Labels) -> Iterator[Labels]:
        """The parts of `order` between which losses on wires are worked out and digits carried.

        Both are done every so many samples of all, losses before a sample and carries after it, so that they do not
        depend on how samples are split into calls.
        """
        array, crossbar, start = self.spec.device.array, self.crossbar, 0
        most = longest_stretch(self.spec)
        while start < len(order):
            done = self._tally[layout.READS]
            if crossbar.lines and done % array.ir_drop_every == 0:
                renew(crossbar.slices(self.chip.weights), crossbar.lines)
            periods = [array.ir_drop_every] * bool(crossbar.lines) + [array.carry_every] * bool(crossbar.above)
            stop = start + min([most, *(every - done % every for every in periods)])
            yield order[start:stop]
            start = stop
            if crossbar.above and self._tally[layout.READS] % array.carry_every == 0:
                carry(crossbar, self.chip.weights, self._carries)
                self._empty(crossbar.bank.tally, self._tally)

    def _learn_stretch(
        self, samples: Pixels, labels: Labels, order: Labels, rates: npt.NDArray[np.int64]
    ) -> None:
        bank, sensing = self.crossbar.bank, self.crossbar.sensing
        if self.crossbar.compiled:
            learn_stream(self.chip, self.plan, self.work, sensing, bank, rates, samples, labels, order)
        else:
            lowest, verified = self.crossbar.slices(self.chip.weights)[0], bank.programming == layout.VERIFY
            for t in order:
                listed = update_of(
                    self.chip, self.plan, self.work, sensing, bank, rates, samples[t], np.int64(labels[t])
                )
                if verified:
                    want(listed, bank)
                apply_pulses(self.crossbar, lowest, listed, verified)
        self._empty(bank.tally, self._tally)

    def _infer(self, samples: Pixels, outputs: Outputs, size: int, threads: int) -> None:
        """Fill `outputs`, `size` samples at a time; cells and all other learned state stay as they are."""
        shared, _ = self._as_they_show()

        def run(start: int) -> tuple[Events, npt.NDArray[np.int64]]:
            chip, work = self._lent()
            own = shared._replace(
                partial=shared.partial.copy(),
                squares=shared.squares.copy(),
                variances=shared.variances.copy(),
                reading=shared.reading ^ np.uint64(1 << 63),  # other noise than that of learning
                tally=np.zeros_like(shared.tally),
            )
            stop = start + size
            infer_stream(
                chip, self.plan, work, self.crossbar.sensing, own, samples[start:stop], start, outputs[start:stop]
            )
            return work.events, own.tally

        found = each_part(run, range(0, len(samples), size), threads)
        self._inference_events = sum((events for events, _ in found), np.zeros_like(self.work.events))
        self._inference_tally = [0] * layout.TALLIES
        for _, tally in found:
            self._empty(tally, self._inference_tally)

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far."""
        return cell_actions(self.spec, self.work.events, self._tally)

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        return cell_actions(self.spec, self._inference_events, self._inference_tally)

    def happened(self, inference: bool = False) -> tuple[Events, tuple[int, ...]]:
        """A copy of the events so far, or of those of the last `infer`, and the tally of the array."""
        return super().happened(inference)[0], tuple(self._inference_tally if inference else self._tally)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of every on-chip array, of the cells and of the events so far."""
        cells, bank = self.crossbar.cells, self.crossbar.bank
        tally = np.array([str(n) for n in self._tally])  # longer than 64 bits at times
        kept: dict[str, npt.NDArray[np.generic]] = {f"cells_{name}": array.copy() for name, array in _arrays(cells)}
        kept |= {"cells_reading": bank.reading.copy(), _TALLY: tally, **self._losses()}
        if self.crossbar.above:
            kept["cells_carries"] = np.array(self._carries, np.int64)
        return {**super().state(), **kept}

    def _free(self) -> tuple[str, ...]:
        return (_TALLY,)  # texts, as long as the longest of them

    def _widest(self) -> int:
        return self.crossbar.bank.highest

    def _check(self, state: Mapping[str, Any]) -> None:
        super()._check(state)
        for name in ("cells_state", "cells_visible"):
            ARGUMENTS.reals(f"state: {name}", state[name], state[name].shape)
        if np.isnan(state["cells_spread"]).any():
            ARGUMENTS.refuse("state: cells_spread", "a value that is not a number", "numbers")
        if self.crossbar.above:
            arguments.check_codes(state, {"cells_carries": (0, 2**63 - 1)})
        self._tally_in(state)

    def _tally_in(self, state: Mapping[str, Any]) -> list[int]:
        return arguments.whole_numbers(f"state: {_TALLY}", state[_TALLY], layout.TALLIES, _SIGNED.__contains__)

    def _take_up(self, state: Mapping[str, Any]) -> None:
        super()._take_up(state)
        for name, array in _arrays(self.crossbar.cells):
            array[...] = state[f"cells_{name}"]
        self.crossbar.bank.reading[...] = state["cells_reading"]
        if self.crossbar.lines:
            kept = state["cells_lost"].reshape(1 + len(self.crossbar.above), -1)
            for each, lost in zip(self.crossbar.slices(self.chip.weights), kept, strict=True):
                each.bank.lost[...] = lost
        if self.crossbar.above:
            self._carries = [int(n) for n in state["cells_carries"]]
        self._tally = self._tally_in(state)
        self._show(self.crossbar.cells.visible)

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """Within the context the chip reads its cells as they are `after_s` seconds after the last write.

        With drift compensation, times the factor of a reference read then.
        """
        rested, cells, model = self.crossbar.rested(after_s), self.crossbar.cells, self.crossbar.model
        self._show(rested)
        if self.spec.device.drift_compensation == "global":
            shares = sum(int(each.bank.shares.sum(dtype=np.int64)) for each in self.crossbar.slices(self.chip.weights))
            times = compensation.factor(model, cells.visible, rested)
            self.calibration = times, compensation.read_counts(self.spec, shares)
            self._show(compensation.scaled(model, rested, times))
        try:
            yield
        finally:
            self._show(self.crossbar.cells.visible)
            self.calibration = None

    def warnings(self) -> list[str]:
        """What the user should know about the array, in sentences."""
        return crossbar_wear.warnings(self.crossbar, self._tally, self._carries, self._lost())

    def wear(self) -> dict[str, object]:
        """The record's `device`: what learning did to the cells."""
        return crossbar_wear.wear(self.crossbar, self._tally, self._carries, self._lost())

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes (n_0, n_1): all slices together, in the LSB of the least significant one."""
        return self.crossbar.weights(self.chip.weights).reshape(self.spec.chip.layers)

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Weight codes as read, with the value of their LSB, and the state of every cell."""
        arrays = super().weight_file(image_shape)
        arrays.pop("weights_frac_bits")
        cells = self.crossbar.cells
        lsb = float(self.crossbar.mapping.digit_weights[0]) / self.crossbar.bank.one
        return {**arrays, "weights_lsb": np.array(lsb), "cells_state": cells.state, "cells_visible": cells.visible}

    def _show(self, visible: npt.NDArray[np.floating]) -> None:
        self.crossbar.show(self.chip.weights, visible)
        if self.crossbar.lines:
            for bank, codes, _ in self.crossbar.slices(self.chip.weights):
                see_all(codes, bank)
        self._refresh_shortcuts()

    def _as_they_show(self) -> tuple[Bank, float]:
        """The bank with the losses on wires that the cells have now, and the share of the current that they are."""
        crossbar = self.crossbar
        if not crossbar.lines:
            return crossbar.bank, 0.0
        return with_all_losses(crossbar.slices(self.chip.weights), crossbar.lines)

    def _lost(self) -> float:
        return self._as_they_show()[1]

    def _losses(self) -> dict[str, npt.NDArray[np.generic]]:
        """The codes that the wires take since they were last worked out, as part of the state; none without IR drop."""
        each = [bank.lost for bank, _, _ in self.crossbar.slices(self.chip.weights)]
        return {"cells_lost": np.concatenate(each)} if self.crossbar.lines else {}

    def _empty(self, tally: npt.NDArray[np.int64], into: list[int]) -> None:
        for place, count in enumerate(tally):
            into[place] += int(count)
        tally[:] = 0

    def _draw_weights(self) -> None:
        """Xavier-uniform weights from the chip's own random bank, programmed into the cells."""
        n0, n1 = self.spec.chip.layers
        bound = self.spec.chip.weights.init_gain * (6.0 / (n0 + n1)) ** 0.5
        words = self._random_words(n0 * n1).astype(np.float64).reshape(n0, n1)
        self.crossbar.program(bound * (words * 2.0**-31 - 1.0))
        self._show(self.crossbar.cells.visible)


def _arrays(cells: Cells) -> list[tuple[str, npt.NDArray[Any]]]:
    """What a population of cells holds, by name; a model may keep more with it for its own use."""
    return [(field.name, getattr(cells, field.name)) for field in fields(cells)]


def _with_room_for_trains(work: Workspace) -> Workspace:
    """The workspace with room for the random words of a whole pulse train, however small the layers are."""
    words = np.zeros(len(work.words) + layout.LONGEST_TRAIN // 2, np.uint32)
    return work._replace(words=words, halves=words.view(np.uint16), octets=words.view(np.uint8))
