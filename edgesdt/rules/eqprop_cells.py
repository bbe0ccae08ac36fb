"""Equilibrium propagation whose weights are analog cells: read by converters, moved by pulses.

The rule is that of `rules.eqprop`; what differs is how weights are read and written (`edgesdt.crossbar`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.crossbar import layout
from edgesdt.crossbar.bank import Crossbar
from edgesdt.crossbar.layout import Bank
from edgesdt.crossbar.programming import correct, show, want
from edgesdt.crossbar.scales import weight_of_pulse, weight_per_range
from edgesdt.crossbar.stream import infer_stream, keep_up, learn_stream, update_of
from edgesdt.crossbar.wires import see_all, with_losses
from edgesdt.kernels.layout import Workspace
from edgesdt.qformat import Rounding, Scale
from edgesdt.rules import crossbar_wear, eqprop_plan
from edgesdt.rules.crossbar_counts import actions as cell_actions
from edgesdt.rules.eqprop import _INFERENCE_CHUNK, EqProp
from edgesdt.rules.eqprop_counts import Events
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.rules.registers import rate
from edgesdt.spec import Spec
from hw_models.base import Cells


class EqPropOnCells(EqProp):
    """The rule on the chip that `spec` describes, on freshly manufactured cells."""

    def __init__(self, spec: Spec) -> None:
        self.crossbar = Crossbar.of(spec, eqprop_plan.accumulator_frac(spec))
        self._tally = [0] * layout.TALLIES
        self._inference_tally = [0] * layout.TALLIES
        super().__init__(spec)
        self.work = _with_room_for_trains(self.work)

    def learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]`, one at a time, with the learning-rate registers of `epoch` (0-based)."""
        rates = pulse_rates(self.spec, epoch)
        for part in self._stretches(order):
            self._learn(samples, labels, part, rates)

    def _stretches(self, order: Labels) -> Iterator[Labels]:
        """The parts of `order` at whose starts the losses on wires are worked out: every so many samples of all."""
        if not self.crossbar.lines or len(order) == 0:
            yield order
            return
        every, start = self.spec.device.array.ir_drop_every, 0
        while start < len(order):
            done = self._tally[layout.READS] % every
            if done == 0:
                fresh, _ = self._as_they_show()
                self.crossbar.bank.lost[:], self.crossbar.bank.seen[:] = fresh.lost, fresh.seen
            yield order[start : start + every - done]
            start += every - done

    def _learn(self, samples: Pixels, labels: Labels, order: Labels, rates: npt.NDArray[np.int64]) -> None:
        bank, sensing = self.crossbar.bank, self.crossbar.sensing
        if self.crossbar.stepped:
            learn_stream(self.chip, self.plan, self.work, sensing, bank, rates, samples, labels, order)
        else:
            for t in order:
                listed = update_of(
                    self.chip, self.plan, self.work, sensing, bank, rates, samples[t], np.int64(labels[t])
                )
                self._write(listed)
        self._empty(bank.tally, self._tally)

    def infer(self, samples: Pixels, threads: int = 1) -> Outputs:
        """Output state codes (samples, n_1); cells and all other learned state stay as they are."""
        kind = np.uint8 if self.spec.chip.states.bits <= 8 else np.uint16
        outputs = np.empty((len(samples), self.spec.chip.layers[-1]), kind)
        shared, _ = self._as_they_show()
        size = max(len(samples), 1) if self.plan.stochastic_states else _INFERENCE_CHUNK

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

        with ThreadPoolExecutor(max_workers=max(threads, 1)) as pool:
            each = pool.map if threads > 1 else map
            found = list(each(run, range(0, len(samples), size)))
        self._inference_events = sum((events for events, _ in found), np.zeros_like(self.work.events))
        self._inference_tally = [0] * layout.TALLIES
        for _, tally in found:
            self._empty(tally, self._inference_tally)
        return outputs

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far."""
        return cell_actions(self.spec, self.work.events, self._tally)

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        return cell_actions(self.spec, self._inference_events, self._inference_tally)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of every on-chip array, of the cells and of the events so far."""
        cells, bank = self.crossbar.cells, self.crossbar.bank
        tally = np.array([str(n) for n in self._tally])  # longer than 64 bits at times
        kept: dict[str, npt.NDArray[np.generic]] = {f"cells_{name}": array.copy() for name, array in _arrays(cells)}
        return {**super().state(), **kept, "cells_reading": bank.reading.copy(), "cells_tally": tally, **self._losses()}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take up a state that `state` gave. Raises `ValueError` if a shape or type differs."""
        for name, array in _arrays(self.crossbar.cells):
            kept = state[f"cells_{name}"]
            if kept.shape != array.shape or kept.dtype != array.dtype:
                raise ValueError(f"cells_{name}: {kept.shape} {kept.dtype}, not {array.shape} {array.dtype}")
        super().restore(state)
        for name, array in _arrays(self.crossbar.cells):
            array[...] = state[f"cells_{name}"]
        self.crossbar.bank.reading[...] = state["cells_reading"]
        for name, lost in self._losses().items():
            self.crossbar.bank.lost[...] = state[name].reshape(lost.shape)
        self._tally = [int(n) for n in state["cells_tally"]]
        self._show(self.crossbar.cells.visible)

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """Within the context the chip reads its cells as they are `after_s` seconds after the last write."""
        self._show(self.crossbar.rested(after_s))
        try:
            yield
        finally:
            self._show(self.crossbar.cells.visible)

    def warnings(self) -> list[str]:
        """What the user should know about the array, in sentences."""
        return crossbar_wear.warnings(self.crossbar, self._tally, self._lost())

    def wear(self) -> dict[str, object]:
        """The record's `device`: what learning did to the cells."""
        return crossbar_wear.wear(self.crossbar, self._tally, self._lost())

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Weight codes as read, with the value of their LSB, and the state of every cell."""
        arrays = super().weight_file(image_shape)
        arrays.pop("weights_frac_bits")
        cells = self.crossbar.cells
        lsb = weight_per_range(self.spec) / self.crossbar.bank.one
        return {**arrays, "weights_lsb": np.array(lsb), "cells_state": cells.state, "cells_visible": cells.visible}

    def _write(self, listed: int) -> None:
        """Hand an update to a model that is not pulsed in compiled code."""
        bank, model, cells = self.crossbar.bank, self.crossbar.model, self.crossbar.cells
        verify = bank.programming == layout.VERIFY
        if verify:
            want(listed, bank)
        for _ in range(bank.rounds if verify else 1):
            listed = correct(listed, bank) if verify else listed
            if listed == 0:
                return
            places, counts = bank.places[:listed], bank.counts[:listed]
            before = bank.shares[places].astype(np.int64)
            model.pulse(cells, counts, places)
            show(self.chip.weights, listed, bank)
            keep_up(self.chip.weights, listed, self.crossbar.sensing, bank)
            passed = (before + bank.shares[places]) * np.abs(counts.astype(np.int64))
            for total, share, which in (
                (layout.PULSES_UP, layout.UP_SHARE, counts > 0),
                (layout.PULSES_DOWN, layout.DOWN_SHARE, counts < 0),
            ):
                bank.tally[total] += int(np.abs(counts[which].astype(np.int64)).sum())
                bank.tally[share] += int(passed[which].sum()) // 2

    def _show(self, visible: npt.NDArray[np.floating]) -> None:
        self.crossbar.show(self.chip.weights, visible)
        if self.crossbar.lines:
            see_all(self.chip.weights, self.crossbar.bank)
        self._refresh_shortcuts()

    def _as_they_show(self) -> tuple[Bank, float]:
        """The bank with the losses on wires that the cells have now, and the share of the current that they are."""
        crossbar = self.crossbar
        return with_losses(crossbar.bank, crossbar.lines, self.chip.weights) if crossbar.lines else (crossbar.bank, 0.0)

    def _lost(self) -> float:
        return self._as_they_show()[1]

    def _losses(self) -> dict[str, npt.NDArray[np.generic]]:
        """The codes that the wires take since they were last worked out, as part of the state; none without IR drop."""
        return {"cells_lost": self.crossbar.bank.lost.copy()} if self.crossbar.lines else {}

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


def pulse_rates(spec: Spec, epoch: int) -> npt.NDArray[np.int64]:
    """As `eqprop_plan.rates`, with the weights' rate in pulses: lr / β over the weight change of one pulse.

    With coincidences it is the probability of a column's pulse, in 2^-16, per LSB that its neuron moved: the expected
    number of coincidences of a row at x is then train · x · chance.
    """
    rates = eqprop_plan.rates(spec, epoch)
    array, state_bits = spec.device.array, spec.chip.states.bits
    pulses = rate(spec, 0, epoch).value / weight_of_pulse(spec)
    if array.programming == "coincidence":
        held = Scale.nearest(pulses / array.train_length, spec.chip.constants.bits)
        rates[0, 0] = eqprop_plan.rate_row(held, state_bits, 16, Rounding.NEAREST)
    else:
        held = Scale.nearest(pulses, spec.chip.constants.bits)
        rates[0, 0] = eqprop_plan.rate_row(held, spec.encoder.bits + state_bits, 0, Rounding.STOCHASTIC)
    return rates
