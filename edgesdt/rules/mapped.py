"""A base for small rules on a digital memory: the arrays are those of the memory map, and little is left to write.

`MappedLearner` makes an array for each entry of the map, draws random words, rounds and saturates, counts writes, runs
inference in chunks, and saves and restores all of it. It needs no compiled code. A rule whose kernels are compiled
over named tuples starts from `edgesdt.rules.base` instead.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.ledger.actions import WEIGHT_WRITE
from edgesdt.ledger.memory import Array
from edgesdt.ledger.phased import largest
from edgesdt.qformat import Rounding, Scale
from edgesdt.rules import arguments
from edgesdt.rules.course import added
from edgesdt.rules.lookup import rule_of
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages

Ints = npt.NDArray[np.int64]
BANK = "random_bank"
"""The array of the memory map that holds the random generators."""
BANK_STEPS = "bank_steps"
SATURATIONS = "saturations"
CHANGES = "changes"
"""Events that are counted here: steps of the random bank, codes at an end of their format, weight codes changed."""
_BEFORE = -1
_CHUNK = 512
_MOST_SHIFT = 62


class MappedLearner(ABC):
    """A rule on the chip of `spec`; `arrays` holds its codes, int64 each, by their names in the memory map.

    A subclass names its `events` and writes three functions: `_learn`, `_infer_part` and `_actions`.
    Names that start with `weights_` are weight memories: their writes are counted one by one, and inference may not
    change them.
    """

    events_of_rule: ClassVar[tuple[str, ...]] = ()
    """What `_learn` and `_infer_part` count, beside the three events above."""
    learned: ClassVar[tuple[str, ...]] = ()
    """Arrays that `weights.npz` holds beside weights and biases."""
    calibration: tuple[float, Counts] | None = None

    def __init__(self, spec: Spec, arrays: Sequence[Array]) -> None:
        self.stages = stages(spec)
        if len(self.stages) > 1:
            arrays = largest([rule_of(spec).arrays(stage.spec) for stage in self.stages])
        self.spec = self.stages[0].spec
        self._map = {array.name: array for array in arrays}
        self.arrays: dict[str, Ints] = {
            name: np.zeros(array.shape, np.int64) for name, array in self._map.items() if name != BANK
        }
        self._wear = {name: np.zeros(codes.shape, np.uint32) for name, codes in self.arrays.items() if _is_weight(name)}
        self._bank = _seeded(spec)
        self._of_stages = [self._no_events() for _ in self.stages]
        self._stage, self._epochs = 0, [_BEFORE] * len(self.stages)
        self.events: dict[str, int] = self._of_stages[0]
        self._inference_events = self._no_events()

    @abstractmethod
    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]`, one after the other; labels are all 0 where the spec has no label as target."""

    @abstractmethod
    def _infer_part(self, samples: Pixels, outputs: Outputs) -> None:
        """Write the output codes of `samples` (n, n_0) to `outputs` (n, n_L).

        This runs on a copy of everything but the weights: what it leaves in other arrays is dropped.
        """

    @abstractmethod
    def _actions(self, events: Mapping[str, int]) -> Counts:
        """Actions of the described chip for these events: a whole number for every action of the rule's design."""

    def _start(self, epoch: int) -> None:  # noqa: B027
        """What happens at the start of every epoch; nothing by default."""

    def _in_order(self) -> bool:
        """Whether inference must run sample by sample in one piece, since it draws random words; no by default."""
        return False

    # what a rule calls:

    def store(self, name: str, where: Any, codes: Ints) -> None:
        """`arrays[name][where] = codes`, saturated in the format of the array; writes of weights are counted."""
        low, high = range_of(self._map[name])
        old, new = self.arrays[name][where], np.clip(codes, low, high)
        self.events[SATURATIONS] += int(np.count_nonzero(new != codes))
        if _is_weight(name):
            changed = new != old
            self.events[CHANGES] += int(np.count_nonzero(changed))
            self._wear[name][where] += changed.astype(np.uint32)
        self.arrays[name][where] = new

    def halves(self, count: int) -> Ints:
        """The next `count` random half-words 0 … 65535 of the chip's bank, from a fresh step on; steps are counted."""
        self.events[BANK_STEPS] += -(-count // (2 * len(self._bank)))
        return self._words(-(-count // 2)).view(np.uint16)[:count].astype(np.int64)

    def draw(self, name: str, low: int, high: int) -> None:
        """Fill an array with codes drawn evenly from low … high, before the first sample."""
        codes = self.arrays[name]
        wide = (self._words(codes.size)[: codes.size].astype(np.uint64) * np.uint64(high - low + 1)) >> np.uint64(32)
        codes[...] = wide.astype(np.int64).reshape(codes.shape) + low

    def noise(self, mode: Rounding, shape: int | tuple[int, ...]) -> Ints:
        """`halves` of that shape for stochastic rounding; zeros, and nothing drawn, for the other modes."""
        if mode is not Rounding.STOCHASTIC:
            return np.zeros(shape, np.int64)
        return self.halves(int(np.prod(shape))).reshape(shape)

    def _words(self, count: int) -> npt.NDArray[np.uint32]:
        from edgesdt.kernels.random_bank import draw  # comes with the compiler, which the description of a rule may not

        steps = -(-count // len(self._bank))
        words = np.empty(steps * len(self._bank), np.uint32)
        draw(self._bank, words, steps)
        return words

    # what a chip calls: `edgesdt.rules.protocol.Learner`

    def enter(self, stage: int) -> None:
        """Go on with the constants and the rates of that stage of the run; all arrays stay. Raises `ArgumentError`."""
        self._stage = ARGUMENTS.whole("stage", stage, 0, len(self.stages) - 1)
        self.spec, self.events = self.stages[self._stage].spec, self._of_stages[self._stage]

    def learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]` (input codes) in `epoch` (0-based). Raises `ArgumentError`."""
        samples, labels, order, epoch = arguments.to_learn(self.spec, samples, labels, order, epoch)
        if len(order) and epoch != self._epochs[self._stage]:
            self._epochs[self._stage] = epoch
            self._start(epoch)
        self._learn(samples, labels, order, epoch)

    def infer(self, samples: Pixels, threads: int = 1) -> Outputs:
        """Output codes (samples, outputs), the same for any `threads`; changes nothing. Raises `ArgumentError`."""
        samples, threads = arguments.to_infer(self.spec, samples, threads)
        rule = rule_of(self.spec)
        kind = np.uint8 if rule.output_bits(self.spec) <= 8 else np.uint16
        outputs = np.zeros((len(samples), rule.outputs(self.spec)), kind)
        size = max(len(samples), 1) if self._in_order() else _CHUNK

        def run(start: int) -> dict[str, int]:
            lent = self._lent()
            lent._infer_part(samples[start : start + size], outputs[start : start + size])
            return lent.events

        with ThreadPoolExecutor(max_workers=threads) as pool:
            found = list((pool.map if threads > 1 else map)(run, range(0, len(samples), size)))
        self._inference_events = {name: sum(part[name] for part in found) for name in self.events}
        return outputs

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """A digital memory forgets nothing."""
        yield

    def counts(self) -> Counts:
        """Actions for everything learned so far."""
        return added(self.stage_counts())

    def stage_counts(self) -> list[Counts]:
        """`counts` apart for every stage of the run."""
        now, found = self.spec, []
        for stage, events in zip(self.stages, self._of_stages, strict=True):
            self.spec = stage.spec
            found.append(self._actions(events))
        self.spec = now
        return found

    def inference_counts(self) -> Counts:
        """Actions for the samples of the last `infer`."""
        return self._actions(self._inference_events)

    def happened(self, inference: bool = False) -> tuple[Ints, tuple[int, ...]]:
        """The events so far, or those of the last `infer`, as `named` reads them; there are no cells to tally."""
        events = self._inference_events if inference else self._together()
        return np.array(list(events.values()), np.int64), ()

    @classmethod
    def named(cls, events: Ints) -> dict[str, int]:
        """Events by name, as `self.events` has them, from the array that `happened` gives."""
        names = (*cls.events_of_rule, BANK_STEPS, SATURATIONS, CHANGES)
        return dict(zip(names, events.tolist(), strict=True))

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of all arrays, of the random bank, the events, the wear, and the epoch under way."""
        return {
            **{name: codes.copy() for name, codes in self.arrays.items()},
            BANK: self._bank.copy(),
            **{f"wear_of_{name}": worn.copy() for name, worn in self._wear.items()},
            **self._progress(),
        }

    def _progress(self) -> dict[str, npt.NDArray[np.generic]]:
        """Events and epochs; of several stages an entry each, and the stage that the run is in."""
        events = [np.array(list(each.values()), np.int64) for each in self._of_stages]
        if len(self.stages) == 1:
            return {"events": events[0], "epoch": np.array(self._epochs[0])}
        return {"events": np.stack(events), "epoch": np.array(self._epochs), "stage": np.array(self._stage)}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Restore a state saved by `state()`, whole or not at all. Raises `ArgumentError` for one of another chip."""
        arguments.check_state(state, self.state())
        ranges = {name: range_of(self._map[name]) for name in self.arrays}
        last = max(stage.spec.epochs for stage in self.stages) - 1
        own = {BANK: (1, 2**32 - 1), "events": (0, 2**63 - 1), "epoch": (_BEFORE, last)}
        own |= {"stage": (0, len(self.stages) - 1)} if len(self.stages) > 1 else {}
        arguments.check_codes(state, ranges | own)
        for name, codes in self.arrays.items():
            codes[...] = state[name]
        for name, worn in self._wear.items():
            worn[...] = state[f"wear_of_{name}"]
        self._bank[...] = state[BANK]
        rows, epochs = np.atleast_2d(state["events"]).tolist(), np.atleast_1d(state["epoch"]).tolist()
        self._of_stages = [dict(zip(self.events, row, strict=True)) for row in rows]
        self._epochs = [int(epoch) for epoch in epochs]
        self.enter(int(state["stage"]) if "stage" in state else 0)

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes (n_l, n_{l+1}) of weight layer `layer` (a view). Raises `ArgumentError` where there is none."""
        layer = ARGUMENTS.whole("layer", layer, 0, len(self._wear) - 1)
        return self.arrays[f"weights_{layer}"]

    def simulator_arrays(self) -> list[dict[str, object]]:
        """What the simulator keeps beside the chip: how often each weight was changed."""
        return [
            {"name": f"wear_of_{name}", "shape": list(worn.shape), "bytes": worn.nbytes}
            for name, worn in self._wear.items()
        ]

    def warnings(self) -> list[str]:
        """Nothing by default."""
        return []

    def wear(self) -> dict[str, object]:
        """The record's `device`: what learning did to the memory cells."""
        total = self.counts().get(WEIGHT_WRITE, self._together()[CHANGES])
        busiest = max((int(worn.max(initial=0)) for worn in self._wear.values()), default=0)
        if self.spec.chip.style == "dense":  # writes also what does not change
            busiest = max(busiest, total // max(sum(worn.size for worn in self._wear.values()), 1))
        return {
            "model": self.spec.device.model,
            "writes_total": total,
            "writes_per_cell_max": busiest,
            "codes_changed": self._together()[CHANGES],
            "saturations": self._together()[SATURATIONS],
        }

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Integer codes of all that was learned, with their formats, for `weights.npz`."""
        chip = self.spec.chip
        kept = [n for n in self.arrays if n.startswith(("weights_", "biases_")) or n in self.learned]
        return {
            **{name: self.arrays[name].astype(np.int32) for name in kept},
            "weights_frac_bits": np.array(chip.weights.point),
            "biases_frac_bits": np.array(chip.biases.frac_bits),
            "image_shape": np.array(image_shape),
            BANK: self._bank,
        }

    def _lent(self) -> Self:
        """A copy that counts for itself and shares the weights, which nobody can write to there."""
        lent = copy.copy(self)
        lent.arrays = {name: codes[...] if _is_weight(name) else codes.copy() for name, codes in self.arrays.items()}
        for name in self._wear:
            lent.arrays[name].flags.writeable = False
        lent._bank, lent.events = self._bank.copy(), self._no_events()
        return lent

    def _together(self) -> dict[str, int]:
        """The events of all stages."""
        return {name: sum(each[name] for each in self._of_stages) for name in self.events}

    def _no_events(self) -> dict[str, int]:
        return dict.fromkeys((*self.events_of_rule, BANK_STEPS, SATURATIONS, CHANGES), 0)


def scaled(codes: Ints, held: Scale, drop: int, mode: Rounding, noise: Ints | int = 0) -> Ints:
    """`codes · held`, then `drop` bits dropped (fewer than 0: added), rounded in `mode`; exact up to 63 bits."""
    return rounded(codes * held.multiplier, held.shift + drop, mode, noise)


def rounded(codes: Ints, drop: int, mode: Rounding, noise: Ints | int = 0) -> Ints:
    """`codes / 2**drop` as `edgesdt.qformat.round_shift` rounds it, for a whole array; `noise` are half-words."""
    if drop <= 0:
        return codes << -drop
    drop = min(drop, _MOST_SHIFT)
    if mode is Rounding.NEAREST:
        codes = codes + (1 << (drop - 1))
    elif mode is Rounding.STOCHASTIC:
        word = np.asarray(noise, np.int64)
        codes = codes + (word << (drop - 16) if drop >= 16 else word >> (16 - drop))
    return codes >> drop


def _is_weight(name: str) -> bool:
    return name.startswith("weights_")


def range_of(array: Array) -> tuple[int, int]:
    """Lowest and highest code of an array: two's complement where its format starts with `s` and a digit."""
    if array.format[:1] == "s" and array.format[1:2].isdigit():
        return -(1 << (array.bits_each - 1)), (1 << (array.bits_each - 1)) - 1
    return 0, (1 << array.bits_each) - 1


def _seeded(spec: Spec) -> npt.NDArray[np.uint32]:
    from edgesdt.kernels.random_bank import seeded

    return seeded(spec.seed, spec.chip.random.lanes)
