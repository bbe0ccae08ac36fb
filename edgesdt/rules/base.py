"""What all learners on a digital weight memory have in common: arrays, inference, state, wear and the weight file.

A rule derives from `DigitalLearner`, builds its three tuples (the chip's arrays, the plan, the simulator's workspace)
and gives the few steps that are its own. The tuples are the rule's; fields named here are the same in all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, WEIGHT_SATURATIONS, WEIGHT_WRITES
from edgesdt.kernels.random_bank import draw
from edgesdt.ledger.actions import WEIGHT_WRITE
from edgesdt.rules import arguments
from edgesdt.rules.lookup import rule_of
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Targeted

Found = TypeVar("Found")
Events = npt.NDArray[np.int64]
INFERENCE_CHUNK = 512
"""Samples that one thread takes at a time."""
BEFORE = -1
"""The epoch of a chip that has not learned yet."""


class DigitalLearner(ABC):
    """A rule on the chip that `spec` describes, with freshly drawn weights.

    `chip`, `plan` and `work` are named tuples of the rule. They have the fields of `kernels.layout` that are used here:
    `weights`, `biases`, `random`, `activity`, `homeostasis`; `first`, `first_weight`, `weight_limit`; `mirror`,
    `weight_peak`, `wear`, `wear_carry`, `words`, `events`.
    """

    calibration: tuple[float, Counts] | None = None
    """While the cells have rested and are compensated: the factor, and the actions of its reference read."""

    def __init__(self, spec: Spec, plan: Any, chip: Any, work: Any) -> None:
        self.spec = spec
        self.plan = plan
        self.chip = chip
        self.work = work
        self._inference_events: Events = np.zeros_like(self.work.events)
        self._epoch = BEFORE
        self._draw_weights()
        self._refresh_shortcuts()

    @abstractmethod
    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]`, one at a time, with the learning-rate registers of `epoch` (0-based)."""

    @abstractmethod
    def _infer_part(self, chip: Any, work: Any, samples: Pixels, outputs: Outputs) -> None:
        """Write the output codes of `samples` to `outputs`, on the neurons of `chip`."""

    @abstractmethod
    def _actions(self, events: Events) -> Counts:
        """Actions of the described chip for an event table of this rule."""

    @abstractmethod
    def _own_workspace(self) -> Any:
        """A workspace for a second set of neurons that shares what goes with the weights."""

    @abstractmethod
    def _own_ranges(self) -> dict[str, tuple[int, int]]:
        """Lowest and highest code of each array of the chip that `arguments.ranges_of` does not know."""

    def shape(self, layer: int) -> tuple[int, int]:
        """Rows and columns of weight layer `layer`: those of the neurons it joins, unless a rule has others."""
        rows, columns = self.spec.chip.layers[layer : layer + 2]
        return rows, columns

    def _in_order(self) -> bool:
        """Whether samples must be inferred one after the other: a word of the random bank is drawn in inference."""
        return False

    def learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]` (input codes), one at a time, in `epoch` (0-based, below `spec.epochs`).

        Another epoch than that of the call before starts anew what the spec starts every epoch with; it also chooses
        the registers of the learning rate. Raises `ArgumentError`.
        """
        classes = rule_of(self.spec).outputs(self.spec)
        samples, labels, order, epoch = arguments.to_learn(self.spec, samples, labels, order, epoch, classes)
        if len(order) and epoch != self._epoch:
            self._start(epoch)
        self._learn(samples, labels, order, epoch)

    def _start(self, epoch: int) -> None:
        """What the spec asks for at the start of every epoch: homeostasis back to zero, or nothing."""
        self._epoch = epoch
        learning = self.spec.learning
        if isinstance(learning, Targeted) and learning.homeostasis.reset == "epoch":
            self.chip.homeostasis[:] = 0
            self.chip.activity[:] = 0

    def infer(self, samples: Pixels, threads: int = 1) -> Outputs:
        """Output state codes (samples, n_L); weights and all other learned state stay as they are.

        Chunks of samples run on copies of the neurons that share the weights, so the result does not depend on
        `threads` (1 to 1024). Where words are drawn (`_in_order`), they come from the chip's bank in sample order, on a
        copy. Raises `ArgumentError`.
        """
        samples, threads = arguments.to_infer(self.spec, samples, threads)
        rule = rule_of(self.spec)
        kind = np.uint8 if rule.output_bits(self.spec) <= 8 else np.uint16
        outputs = np.empty((len(samples), rule.outputs(self.spec)), kind)
        size = max(len(samples), 1) if self._in_order() else INFERENCE_CHUNK
        self._infer(samples, outputs, size, threads)
        return outputs

    def _infer(self, samples: Pixels, outputs: Outputs, size: int, threads: int) -> None:
        """Fill `outputs`, `size` samples at a time."""

        def run(start: int) -> Events:
            chip, work = self._lent()
            self._infer_part(chip, work, samples[start : start + size], outputs[start : start + size])
            happened: Events = work.events
            return happened

        found = each(run, range(0, len(samples), size), threads)
        self._inference_events = sum(found, np.zeros_like(self.work.events))

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """Within the context the chip is as it is `after_s` seconds later: a digital memory forgets nothing."""
        yield

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far."""
        return self._actions(self.work.events)

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        return self._actions(self._inference_events)

    def happened(self, inference: bool = False) -> tuple[Events, tuple[int, ...]]:
        """A copy of the events so far, or of those of the last `infer`, and the tally of the array (empty without)."""
        events: Events = (self._inference_events if inference else self.work.events).copy()
        return events, ()

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of every on-chip array and of the events so far, and the epoch under way (-1: none yet)."""
        state: dict[str, npt.NDArray[np.generic]] = {
            f"chip_{name}": array.copy() for name, array in self.chip._asdict().items()
        }
        return {**state, "events": self.work.events.copy(), "wear": self._wear(), "epoch": np.array(self._epoch)}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Restore a state saved by `state()`: all of it, or nothing where any of it does not fit.

        Raises `ArgumentError` for a name, shape or type that is not this chip's, and for a code that is not one of its
        format.
        """
        self._check(state)
        self._take_up(state)

    def _check(self, state: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` unless `state` is one of this chip."""
        arguments.check_state(state, self.state(), self._free())
        ranges = self._ranges()
        arguments.check_codes(state, {f"chip_{name}": ranges[name] for name in self.chip._fields})
        arguments.check_codes(state, {"events": (0, 2**63 - 1), "epoch": (BEFORE, self.spec.epochs - 1)})

    def _ranges(self) -> dict[str, tuple[int, int]]:
        """Lowest and highest code of each array of the chip."""
        return arguments.ranges_of(self.spec, self.plan, self._widest()) | self._own_ranges()

    def _free(self) -> tuple[str, ...]:
        """Names in a state whose type says nothing."""
        return ()

    def _widest(self) -> int:
        """The largest weight code; the lowest is one further from 0."""
        return int(self.plan.weight_limit)

    def _take_up(self, state: Mapping[str, Any]) -> None:
        for name, array in self.chip._asdict().items():
            array[...] = state[f"chip_{name}"]
        self.work.events[...] = state["events"]
        worn = self._turned(state["wear"], back=True)
        self.work.wear[...] = worn % np.uint32(256)
        self.work.wear_carry[...] = worn // np.uint32(256)
        self._epoch = int(state["epoch"])
        self._refresh_shortcuts()

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes (n_l, n_{l+1}) of weight layer `layer` (a view). Raises `ArgumentError` where there is none."""
        layer = ARGUMENTS.whole("layer", layer, 0, len(self.spec.chip.layers) - 2)
        rows, columns = self.shape(layer)
        start = int(self.plan.first_weight[layer])
        codes: npt.NDArray[np.integer] = self.chip.weights[start : start + rows * columns].reshape(rows, columns)
        return codes

    def biases(self, layer: int) -> npt.NDArray[np.integer]:
        """Bias codes (n_l,) of layer `layer` >= 1 (a view). Raises `ArgumentError` where there are none."""
        layer = ARGUMENTS.whole("layer", layer, 1, len(self.spec.chip.layers) - 1)
        start = int(self.plan.first[layer])
        codes: npt.NDArray[np.integer] = self.chip.biases[start : start + self.spec.chip.layers[layer]]
        return codes

    def simulator_arrays(self) -> list[dict[str, object]]:
        """What the simulator keeps for itself, apart from the chip: name, shape and bytes of each array."""
        return [
            {"name": name, "shape": list(array.shape), "bytes": array.nbytes}
            for name, array in self.work._asdict().items()
            if name not in ("halves", "octets")  # views of `words`
        ]

    def warnings(self) -> list[str]:
        """What the user should know, in sentences; nothing for a digital memory."""
        return []

    def wear(self) -> dict[str, object]:
        """The record's `device`: what learning did to the memory cells."""
        total, busiest = self.counts()[WEIGHT_WRITE], int(self._wear().max(initial=0))
        if self.spec.chip.style == "dense":  # writes every cell in every update
            busiest = total // self.work.wear.size
        return {
            "model": self.spec.device.model,
            "writes_total": total,
            "writes_per_cell_max": busiest,
            "codes_changed": int(self.work.events[WEIGHT_WRITES].sum()),
            "weight_saturations": int(self.work.events[WEIGHT_SATURATIONS].sum()),
            "accumulator_saturations": int(self.work.events[ACCUMULATOR_SATURATIONS].sum()),
        }

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Integer codes of all that was learned, with their formats, for `weights.npz`."""
        chip, depth = self.spec.chip, len(self.spec.chip.layers) - 1
        arrays: dict[str, npt.NDArray[np.generic]] = {f"weights_{k}": self.weights(k) for k in range(depth)}
        if chip.biases.enabled:
            arrays |= {f"biases_{k}": self.biases(k) for k in range(1, depth + 1)}
        if self.chip.activity.size:
            arrays |= {"activity": self.chip.activity, "homeostasis": self.chip.homeostasis}
        formats = {"weights_frac_bits": chip.weights.point, "biases_frac_bits": chip.biases.frac_bits}
        return {
            **arrays,
            **{name: np.array(bits) for name, bits in formats.items()},
            "image_shape": np.array(image_shape),
            "random_bank": self.chip.random,
        }

    def _wear(self) -> npt.NDArray[np.uint32]:
        """How often each weight code was changed, in the order of the weight array (a copy)."""
        return self._turned(self.work.wear + self.work.wear_carry * np.uint32(256), back=False)

    def _turned(self, synapses: npt.NDArray[np.uint32], back: bool) -> npt.NDArray[np.uint32]:
        """`synapses` from the order of the wear counters to that of the weight array, or `back` (a copy)."""
        turned, start = np.empty_like(synapses), 0
        for rows, columns in map(self.shape, range(len(self.spec.chip.layers) - 1)):
            end = start + rows * columns
            shape = (rows, columns) if back else (columns, rows)
            turned[start:end] = synapses[start:end].reshape(shape).T.ravel()
            start = end
        return turned

    def _draw_weights(self) -> None:
        """Xavier-uniform initial weights from the chip's own random bank, layer by layer, row by row."""
        for layer in range(len(self.spec.chip.layers) - 1):
            self._draw_layer(layer)

    def _draw_layer(self, layer: int) -> None:
        """The initial codes of one layer."""
        gain, frac = self.spec.chip.weights.init_gain, self.spec.chip.weights.point
        codes = self.weights(layer)
        bound = round(gain * (6.0 / sum(codes.shape)) ** 0.5 * 2.0**frac)
        bound = min(bound, int(self.plan.weight_limit))
        wide = (self._random_words(codes.size).astype(np.uint64) * np.uint64(2 * bound + 1)) >> np.uint64(32)
        codes[...] = (wide.astype(np.int64) - bound).reshape(codes.shape)

    def _random_words(self, count: int) -> npt.NDArray[np.uint32]:
        """The next `count` words of the chip's random bank, from a fresh step on."""
        lanes = len(self.chip.random)
        steps = -(-count // lanes)
        words = np.empty(steps * lanes, np.uint32)
        draw(self.chip.random, words, steps)
        return words[:count]

    def _refresh_shortcuts(self) -> None:
        """Bring the simulator's own copies in step with the chip's weights."""
        for layer in range(len(self.spec.chip.layers) - 1):
            codes, start = self.weights(layer), int(self.plan.first_weight[layer])
            self.work.weight_peak[layer] = np.abs(codes.astype(np.int64)).max(initial=0)
            if self.work.mirror.size:
                self.work.mirror[start : start + codes.size] = codes.T.ravel()

    def _lent(self) -> tuple[Any, Any]:
        """A copy of the neurons and the bank that shares the weights, with a workspace of its own."""
        own = {name: array.copy() for name, array in self.chip._asdict().items() if name != "weights"}
        return self.chip._replace(**own), self._own_workspace()


def each(run: Callable[[int], Found], starts: Iterable[int], threads: int) -> list[Found]:
    """`run` of every start, in order; one thread is this one: a pool starts none before it has work."""
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list((pool.map if threads > 1 else map)(run, starts))
