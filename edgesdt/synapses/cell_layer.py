"""One weight layer on analog cells: its array, what reading it back needs, and what happened to it so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.layout import Bank
from edgesdt.synapses.crossbar.reading.two_way import TwoWay, follow_all, two_way
from edgesdt.synapses.crossbar.reading.wires import renew, see_all, with_all_losses
from edgesdt.synapses.crossbar.slices import Slice
from edgesdt.synapses.crossbar.writing.carry import TALLIES, carry
from edgesdt.synapses.crossbar.writing.model_pulses import apply_pulses
from edgesdt.synapses.crossbar.writing.programming import want
from edgesdt.synapses.memory import MemoryStore
from edgesdt.synapses.tallies import empty, none, whole_numbers


@dataclass
class CellLayer:
    """Weight layer `layer`; `codes` and `turned` are its weight codes and their transposed copy (views)."""

    layer: int
    crossbar: Crossbar
    codes: npt.NDArray[np.integer]
    turned: npt.NDArray[np.integer]
    way: TwoWay | None
    """What reading in both directions needs; None where the chip has one layer of weights, read in one."""
    tally: list[int] = field(default_factory=none)
    back: list[int] = field(default_factory=none)
    inference: tuple[list[int], list[int]] = field(default_factory=lambda: (none(), none()))
    carries: list[int] = field(default_factory=lambda: [0] * TALLIES)

    @classmethod
    def of(cls, spec: Spec, layer: int, memory: MemoryStore, frac: int) -> CellLayer:
        """Freshly manufactured cells. Raises `DeviceError`."""
        alone, store = layers.alone(spec, layer), memory.kernels
        directed = layers.one_way(spec)
        codes, turned = memory.block(store.weights, layer), store.mirror
        way = None if directed else two_way(alone, frac)
        return cls(layer, Crossbar.of(alone, frac), codes, turned if directed else memory.block(turned, layer), way)

    def name(self, part: str) -> str:
        """The name of a part of the cells in a state."""
        return f"cells_{part}" if self.way is None else f"cells_{self.layer}_{part}"

    @property
    def parts(self) -> dict[str, npt.NDArray[Any]]:
        """What the cells hold, by the names of a state; a model may keep more with it for its own use."""
        cells = self.crossbar.cells
        held = {part.name: getattr(cells, part.name) for part in fields(cells)}
        return {self.name(part): array for part, array in {**held, "reading": self.crossbar.bank.reading}.items()}

    @property
    def tallies(self) -> dict[str, list[int]]:
        """The tallies of the reads forward, with the writes, and of the reads back, by the names of a state."""
        forward = {self.name("tally"): self.tally}
        return forward if self.way is None else forward | {self.name("tally_back"): self.back}

    def draw(self, gain: float, words: Callable[[int], npt.NDArray[np.uint32]]) -> None:
        """Xavier-uniform weights from the chip's own random bank, programmed into the cells."""
        shape = self.crossbar.spec.chip.layers
        bound = gain * (6.0 / sum(shape)) ** 0.5
        drawn = words(shape[0] * shape[1]).astype(np.float64).reshape(shape)
        self.crossbar.program(bound * (drawn * 2.0**-31 - 1.0))
        self.show(self.crossbar.cells.visible)

    def show(self, visible: npt.NDArray[np.floating]) -> None:
        """Bring all that reading needs in step with what the cells show."""
        self.crossbar.show(self.codes, visible)
        if self.crossbar.lines:
            for bank, codes, _ in self.crossbar.slices(self.codes):
                see_all(codes, bank)
        self.follow()

    def follow(self) -> None:
        """Bring what reading back needs in step with the weight codes."""
        if self.way is not None:
            follow_all(self.codes, self.turned, self.crossbar.bank, self.way)

    def until(self, done: int) -> list[int]:
        """Samples from `done` on after which losses on wires are worked out again, or digits carried."""
        array, crossbar = self.crossbar.spec.device.array, self.crossbar
        periods = [array.ir_drop_every] * bool(crossbar.lines) + [array.carry_every] * bool(crossbar.above)
        return [every - done % every for every in periods]

    def before(self, done: int) -> None:
        """What is due before the sample that follows `done` others: losses on wires."""
        if self.crossbar.lines and done % self.crossbar.spec.device.array.ir_drop_every == 0:
            renew(self.crossbar.slices(self.codes), self.crossbar.lines)

    def after(self, done: int) -> None:
        """What is due after `done` samples: carries."""
        if self.crossbar.above and done % self.crossbar.spec.device.array.carry_every == 0:
            carry(self.crossbar, self.codes, self.carries)
            self.empty()

    def apply(self, listed: int) -> None:
        """Apply the listed pulses of an update to cells whose model is not pulsed in compiled code."""
        bank = self.crossbar.bank
        verified = bank.programming == layout.VERIFY
        if verified:
            want(listed, bank)
        apply_pulses(self.crossbar, Slice(bank, self.codes, 0), listed, verified)
        self.follow()

    def empty(self) -> None:
        """Add what the array has tallied to what happened so far."""
        empty(self.crossbar.bank.tally, self.tally)
        if self.way is not None:
            empty(self.way.tally, self.back)

    def as_shown(self) -> tuple[Bank, float]:
        """The bank with the losses on wires that the cells have now, and the share of the current that they are."""
        crossbar = self.crossbar
        if not crossbar.lines:
            return crossbar.bank, 0.0
        return with_all_losses(crossbar.slices(self.codes), crossbar.lines)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of the cells, and what happened to them; a tally may be longer than 64 bits."""
        kept: dict[str, npt.NDArray[np.generic]] = {name: array.copy() for name, array in self.parts.items()}
        kept |= {name: np.array([str(n) for n in tally]) for name, tally in self.tallies.items()}
        if self.crossbar.lines:
            lost = [bank.lost for bank, _, _ in self.crossbar.slices(self.codes)]
            kept[self.name("lost")] = np.concatenate(lost)
        if self.crossbar.above:
            kept[self.name("carries")] = np.array(self.carries, np.int64)
        return kept

    def check(self, state: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` where a number in `state` cannot be."""
        for name in (self.name("state"), self.name("visible")):
            ARGUMENTS.reals(f"state: {name}", state[name], state[name].shape)
        spread, carried = self.name("spread"), self.name("carries")
        if np.isnan(state[spread]).any():
            ARGUMENTS.refuse(f"state: {spread}", "a value that is not a number", "numbers")
        if self.crossbar.above:
            found = state[carried]
            ARGUMENTS.integers(f"state: {carried}", found, found.shape, 0, 2**63 - 1, found.dtype)
        for name in self.tallies:
            whole_numbers(f"state: {name}", state[name])

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the cells and what happened to them."""
        for name, array in self.parts.items():
            array[...] = state[name]
        if self.crossbar.lines:
            kept = state[self.name("lost")].reshape(1 + len(self.crossbar.above), -1)
            for each, lost in zip(self.crossbar.slices(self.codes), kept, strict=True):
                each.bank.lost[...] = lost
        if self.crossbar.above:
            self.carries[:] = [int(n) for n in state[self.name("carries")]]
        for name, tally in self.tallies.items():
            tally[:] = whole_numbers(f"state: {name}", state[name])
        self.show(self.crossbar.cells.visible)
